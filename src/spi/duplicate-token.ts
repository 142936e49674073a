/**
 * How a duplicated socket travels between processes: the 16 bytes that open it ride in the four DWORDs of a WSAPROTOCOL_INFO
 * that are the provider's or reserved. `dwProviderReserved` is never 0 then, which is how WSASocket tells a duplicate from a
 * catalog entry (SEM-SOCK-08).
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';

export const DUPLICATE_TOKEN_LEN = 16;

/** The entry that opens the socket of `token` once. */
export function infoWithToken(
  info: WSAPROTOCOL_INFO,
  iSocketType: number,
  iProtocol: number,
  token: Uint8Array,
): WSAPROTOCOL_INFO {
  return {
    ...info,
    iSocketType,
    iProtocol,
    dwProviderReserved: i32le(token, 0) >>> 0,
    dwServiceFlags2: i32le(token, 4) >>> 0,
    dwServiceFlags3: i32le(token, 8) >>> 0,
    dwServiceFlags4: i32le(token, 12) >>> 0,
  };
}

/** The token that an entry carries. */
export function tokenOf(info: WSAPROTOCOL_INFO): Uint8Array {
  const token = new Uint8Array(DUPLICATE_TOKEN_LEN);
  putI32le(token, 0, info.dwProviderReserved);
  putI32le(token, 4, info.dwServiceFlags2);
  putI32le(token, 8, info.dwServiceFlags3);
  putI32le(token, 12, info.dwServiceFlags4);
  return token;
}
