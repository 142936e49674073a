/**
 * Duplicates of sockets that layers stand above. What travels between processes is the base provider's token alone; which chain the
 * duplicate has is decided where it is opened, as for a new socket of its kind.
 */

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_BSP_STATE,
  SOCKADDR_STORAGE_LEN,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINVAL,
  type WSAPROTOCOL_INFO,
} from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';
import { AfdOp, type AfdRequest } from '../../port/index.ts';
import type { Ref, SocketQuery } from '../../spi/index.ts';
import type { Operation } from './chain-host.ts';
import { finished } from './data-operations.ts';
import { SharedCall, type SharedPort } from './shared-port.ts';

const TOKEN_LEN = 16;
/** Where a CSADDR_INFO has type and protocol, and its length with both addresses. */
const TYPE_AT = 32;
const PROTOCOL_AT = 36;
const BSP_STATE_LEN = 40 + 2 * SOCKADDR_STORAGE_LEN;

export const duplicate: Operation = (_host, ticket, { table, handle }) => {
  const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
  return finished(table.WSPDuplicateSocket(handle, ticket.a, info), (answer) => {
    if (answer < 0) return answer;
    if (info.value === null) return -WSAEFAULT;
    ticket.outData = tokenOf(info.value);
    return 0;
  });
};

/** The DWORDs of an entry that open a duplicate, as bytes. */
function tokenOf(info: WSAPROTOCOL_INFO): Uint8Array {
  const token = new Uint8Array(TOKEN_LEN);
  const words = [info.dwProviderReserved, info.dwServiceFlags2, info.dwServiceFlags3, info.dwServiceFlags4];
  words.forEach((word, i) => {
    putI32le(token, 4 * i, word);
  });
  return token;
}

/** The entry with those bytes. */
export function withToken(info: WSAPROTOCOL_INFO, token: Uint8Array): WSAPROTOCOL_INFO {
  return {
    ...info,
    dwProviderReserved: i32le(token, 0) >>> 0,
    dwServiceFlags2: i32le(token, 4) >>> 0,
    dwServiceFlags3: i32le(token, 8) >>> 0,
    dwServiceFlags4: i32le(token, 12) >>> 0,
  };
}

/** How a request to the daemon ended. */
export interface Outcome {
  readonly error: number;
  readonly value: number;
  readonly flags: number;
  readonly data: Uint8Array | null;
}

/** Asks the daemon, beneath any layer. */
export function ask(
  shared: SharedPort,
  op: AfdOp,
  descriptor: number,
  fields: Partial<AfdRequest>,
): Promise<Outcome> {
  const request: AfdRequest = {
    id: 0,
    op,
    descriptor,
    flags: 0,
    a: 0,
    b: 0,
    address: null,
    data: null,
    into: null,
    ...fields,
  };
  return new Promise((resolve) => {
    const keep = ({ error, value, flags, data }: Outcome): void =>
      resolve({ error, value, flags, data: data === null ? null : data.slice() });
    const begun = shared.begin(request, keep);
    if (!(begun instanceof SharedCall)) keep(begun);
  });
}

/** What kind of socket a descriptor of the daemon's is; minus a WSA code when it does not say. */
export async function kindOf(shared: SharedPort, descriptor: number): Promise<SocketQuery | number> {
  const state = new Uint8Array(BSP_STATE_LEN);
  const asked = await ask(shared, AfdOp.getOption, descriptor, {
    a: SOL_SOCKET,
    b: SO_BSP_STATE,
    into: state,
  });
  if (asked.error !== 0) return -asked.error;
  const into = new Uint8Array(4);
  // Only sockets of IPv6 have this option.
  const six = await ask(shared, AfdOp.getOption, descriptor, { a: IPPROTO_IPV6, b: IPV6_V6ONLY, into });
  return {
    af: six.error === 0 ? AF_INET6 : AF_INET,
    type: i32le(state, TYPE_AT),
    protocol: i32le(state, PROTOCOL_AT),
  };
}

/** A token for the same socket that this application can open itself. */
export async function renewToken(
  shared: SharedPort,
  descriptor: number,
  pid: number,
): Promise<Uint8Array | number> {
  const { error, data } = await ask(shared, AfdOp.duplicate, descriptor, { a: pid });
  if (error !== 0) return -error;
  return data === null || data.length !== TOKEN_LEN ? -WSAEINVAL : data;
}
