/**
 * The client's side of SOCKS5: method, name and password, CONNECT (RFC 1928, RFC 1929).
 */

import {
  WSAEACCES,
  WSAEAFNOSUPPORT,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEHOSTUNREACH,
  WSAENETUNREACH,
  WSAEOPNOTSUPP,
} from '../../abi/index.ts';
import { type IpAddress, putI32, putU16 } from '../../base/index.ts';
import type { Pipe } from '../stream/index.ts';
import type { ProxyFailure } from './failure.ts';
import type { Reader } from './reader.ts';

/** Name and password of RFC 1929, or of HTTP's Basic scheme. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const VERSION = 5;
const PASSWORD_VERSION = 1;
/** Methods (RFC 1928 §3). */
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
/** Commands and types of addresses (§4, §5). */
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN_NAME = 3;
const IPV6 = 4;

/** What the replies of §6 are to an application. */
const REPLIES: readonly (readonly [code: number, reason: string])[] = [
  [0, 'it succeeded'],
  [WSAECONNABORTED, 'the proxy has failed'],
  [WSAEACCES, 'the rules of the proxy do not allow it'],
  [WSAENETUNREACH, 'the network cannot be reached'],
  [WSAEHOSTUNREACH, 'the host cannot be reached'],
  [WSAECONNREFUSED, 'the connection was refused'],
  [WSAEHOSTUNREACH, 'the time to live has expired'],
  [WSAEOPNOTSUPP, 'the proxy does not know CONNECT'],
  [WSAEAFNOSUPPORT, 'the proxy does not know the type of the address'],
];

/** Asks for a connection. @returns why it failed; `null`: what comes from now on is the destination's */
export async function socks5Connect(
  pipe: Pipe,
  reader: Reader,
  address: IpAddress,
  port: number,
  credentials: Credentials | null,
): Promise<ProxyFailure | null> {
  const methods = credentials === null ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USERNAME_PASSWORD];
  let error = await pipe.write(Uint8Array.of(VERSION, methods.length, ...methods));
  if (error < 0) return broken(error);
  const chosen = await reader.exactly(2);
  if (typeof chosen === 'number') return broken(chosen);
  if (chosen[0] !== VERSION) return { code: WSAECONNABORTED, reason: 'it is no SOCKS5 proxy' };
  if (chosen[1] === USERNAME_PASSWORD && credentials !== null) {
    const refused = await authenticate(pipe, reader, credentials);
    if (refused !== null) return refused;
  } else if (chosen[1] !== NO_AUTHENTICATION) {
    return { code: WSAEACCES, reason: 'the proxy takes none of our methods of authentication' };
  }
  error = await pipe.write(request(address, port));
  if (error < 0) return broken(error);
  return reply(reader);
}

/** RFC 1929 §2. */
async function authenticate(
  pipe: Pipe,
  reader: Reader,
  { user, password }: Credentials,
): Promise<ProxyFailure | null> {
  const [name, secret] = [Buffer.from(user), Buffer.from(password)];
  const error = await pipe.write(
    Uint8Array.of(PASSWORD_VERSION, name.length, ...name, secret.length, ...secret),
  );
  if (error < 0) return broken(error);
  const status = await reader.exactly(2);
  if (typeof status === 'number') return broken(status);
  return status[1] === 0 ? null : { code: WSAEACCES, reason: 'the proxy does not take name and password' };
}

/** RFC 1928 §4. */
function request(address: IpAddress, port: number): Uint8Array {
  const words = address.family === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3];
  const bytes = new Uint8Array(4 + 4 * words.length + 2);
  bytes.set([VERSION, CONNECT, 0, address.family === 4 ? IPV4 : IPV6]);
  for (const [i, word] of words.entries()) putI32(bytes, 4 + 4 * i, word);
  putU16(bytes, bytes.length - 2, port);
  return bytes;
}

/** RFC 1928 §6: the address that the proxy bound is read and not used. */
async function reply(reader: Reader): Promise<ProxyFailure | null> {
  const head = await reader.exactly(5);
  if (typeof head === 'number') return broken(head);
  const [version = 0, code = 0, , type = 0, first = 0] = head;
  if (version !== VERSION) return { code: WSAECONNABORTED, reason: 'the proxy’s reply is none of SOCKS5' };
  if (code !== 0) {
    const [wsaCode, reason] = REPLIES[code] ?? [WSAECONNABORTED, `the proxy replied ${code}`];
    return { code: wsaCode, reason };
  }
  const left = lengthOf(type, first);
  if (left < 0) return { code: WSAECONNABORTED, reason: 'the proxy’s reply has an unknown type of address' };
  const rest = await reader.exactly(left);
  return typeof rest === 'number' ? broken(rest) : null;
}

/** Bytes of address and port after the address's first byte. */
function lengthOf(type: number, first: number): number {
  if (type === IPV4) return 3 + 2;
  if (type === IPV6) return 15 + 2;
  return type === DOMAIN_NAME ? first + 2 : -1;
}

function broken(answer: number): ProxyFailure {
  return { code: -answer, reason: `the connection to the proxy failed with ${-answer}` };
}
