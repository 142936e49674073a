/**
 * The client's side of HTTP's CONNECT (RFC 9110 §9.3.6), with Basic authentication (RFC 7617).
 */

import { WSAEACCES, WSAECONNABORTED, WSAEHOSTUNREACH, WSAETIMEDOUT } from '../../abi/index.ts';
import type { IpAddress } from '../../base/index.ts';
import type { Pipe } from '../stream/index.ts';
import type { ProxyFailure } from './failure.ts';
import type { Reader } from './reader.ts';
import type { Credentials } from './socks5.ts';

/** Longest head of a response. */
const MOST_HEAD = 0x4000;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n/;

/** Asks for a tunnel. @returns why there is none; `null`: what comes from now on is the destination's */
export async function httpConnect(
  pipe: Pipe,
  reader: Reader,
  address: IpAddress,
  port: number,
  credentials: Credentials | null,
): Promise<ProxyFailure | null> {
  const host = address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  const lines = [`CONNECT ${host} HTTP/1.1`, `Host: ${host}`];
  if (credentials !== null) {
    const words = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    lines.push(`Proxy-Authorization: Basic ${words}`);
  }
  const error = await pipe.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  if (error < 0) return broken(error);
  const head = await reader.upTo('\r\n\r\n', MOST_HEAD);
  if (typeof head === 'number') return broken(head);
  const [, status = '', words = ''] = STATUS_LINE.exec(Buffer.from(head).toString('latin1')) ?? [];
  if (status === '') return { code: WSAECONNABORTED, reason: 'it is no HTTP proxy' };
  if (status.startsWith('2')) return null;
  return { code: codeOf(Number(status)), reason: `the proxy answered ${status} ${words}`.trim() };
}

/** What a refusal is to an application. */
function codeOf(status: number): number {
  if (status === 504 || status === 408) return WSAETIMEDOUT;
  if (status >= 500) return WSAEHOSTUNREACH;
  return status >= 401 ? WSAEACCES : WSAECONNABORTED;
}

function broken(answer: number): ProxyFailure {
  return { code: -answer, reason: `the connection to the proxy failed with ${-answer}` };
}
