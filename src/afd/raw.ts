/**
 * Raw sockets (RAW-01 … RAW-14): message sockets over whole IP payloads. Ports are ignored, and the caller may write the IP
 * header itself.
 */

import { SOCK_RAW } from '../abi/index.ts';
import type { IpFamily } from '../base/index.ts';
import type { RawEndpoint } from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import { DatagramEndpoint } from './datagram.ts';
import type { AfdEndpoint } from './endpoint.ts';

/** Largest message that SO_MAX_MSG_SIZE reads (RAW-10). */
export const MAX_RAW_MESSAGE = 65_467;

/** Opens a raw socket of `protocol`; whether the process may is asked before (RAW-02). */
export function openRaw(context: AfdContext, protocol: number, owner: number, family: IpFamily): AfdEndpoint {
  const raw = context.stack.openRaw(protocol, family);
  return new DatagramEndpoint(context, SOCK_RAW, protocol, owner, raw);
}

/** The stack's raw endpoint behind a socket; `null` for other kinds. */
export function rawOf(socket: AfdEndpoint): RawEndpoint | null {
  const { endpoint } = socket;
  return endpoint.kind === 'raw' ? (endpoint as RawEndpoint) : null;
}
