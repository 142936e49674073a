/**
 * Structures that list addresses: INTERFACE_INFO, SOCKET_ADDRESS_LIST and CSADDR_INFO.
 *
 * Windows' structures hold pointers. Where one crosses a seam as bytes, its pointer fields hold *offsets from the start of
 * those bytes* (0 = null), each eight bytes wide as on 64-bit Windows; whoever hands the bytes to a C caller adds the base.
 */

import { type IpAddress, i32le, putI32le } from '../base/index.ts';
import { AF_INET, AF_INET6 } from './families.ts';
import {
  readSockaddr,
  SOCKADDR_GEN_LEN,
  type SocketAddress,
  sockaddrLength,
  writeSockaddr,
} from './sockaddr.ts';

export const INTERFACE_INFO_LEN = 4 + 3 * SOCKADDR_GEN_LEN;

/** One IPv4 address of an interface, as SIO_GET_INTERFACE_LIST lists it. */
export interface INTERFACE_INFO {
  /** IFF_* bits. */
  iiFlags: number;
  iiAddress: IpAddress;
  iiBroadcastAddress: IpAddress;
  iiNetmask: IpAddress;
}

/** Writes the 76 bytes of an INTERFACE_INFO (IPv4 only: the union has no room for 28 bytes). @returns where it ends. */
export function writeINTERFACE_INFO(into: Uint8Array, at: number, info: INTERFACE_INFO): number {
  into.fill(0, at, at + INTERFACE_INFO_LEN);
  putI32le(into, at, info.iiFlags);
  writeSockaddr(into, at + 4, info.iiAddress, 0);
  writeSockaddr(into, at + 4 + SOCKADDR_GEN_LEN, info.iiBroadcastAddress, 0);
  writeSockaddr(into, at + 4 + 2 * SOCKADDR_GEN_LEN, info.iiNetmask, 0);
  return at + INTERFACE_INFO_LEN;
}

/** Reads an INTERFACE_INFO; `null` when it is short or holds no IPv4 addresses. */
export function readINTERFACE_INFO(bytes: Uint8Array, at = 0): INTERFACE_INFO | null {
  if (bytes.length - at < INTERFACE_INFO_LEN) return null;
  const gen = (index: number): SocketAddress | null => {
    const start = at + 4 + index * SOCKADDR_GEN_LEN;
    return readSockaddr(bytes.subarray(start, start + SOCKADDR_GEN_LEN));
  };
  const [address, broadcast, netmask] = [gen(0), gen(1), gen(2)];
  if (address === null || broadcast === null || netmask === null) return null;
  return {
    iiFlags: i32le(bytes, at) >>> 0,
    iiAddress: address.address,
    iiBroadcastAddress: broadcast.address,
    iiNetmask: netmask.address,
  };
}

/** Bytes of a SOCKET_ADDRESS: pointer, length, padding. */
export const SOCKET_ADDRESS_LEN = 16;
const LIST_HEADER_LEN = 8;

/** Bytes that a SOCKET_ADDRESS_LIST of these addresses takes, the sockaddrs behind it included. */
export function socketAddressListLength(addresses: readonly IpAddress[]): number {
  let length = LIST_HEADER_LEN;
  for (const address of addresses) length += SOCKET_ADDRESS_LEN + lengthOf(address);
  return length;
}

/** Writes a SOCKET_ADDRESS_LIST with its sockaddrs (port 0) at the start of `into`. @returns its length. */
export function writeSocketAddressList(into: Uint8Array, addresses: readonly IpAddress[]): number {
  putI32le(into, 0, addresses.length);
  putI32le(into, 4, 0);
  let entry = LIST_HEADER_LEN;
  let end = LIST_HEADER_LEN + SOCKET_ADDRESS_LEN * addresses.length;
  for (const address of addresses) {
    writeReference(into, entry, end, lengthOf(address));
    entry += SOCKET_ADDRESS_LEN;
    end = writeSockaddr(into, end, address, 0);
  }
  return end;
}

/** Reads the addresses of a SOCKET_ADDRESS_LIST; `null` when it is short or a reference points outside. */
export function readSocketAddressList(bytes: Uint8Array): SocketAddress[] | null {
  if (bytes.length < LIST_HEADER_LEN) return null;
  const count = i32le(bytes, 0);
  if (count < 0 || count > (bytes.length - LIST_HEADER_LEN) / SOCKET_ADDRESS_LEN) return null;
  const addresses: SocketAddress[] = [];
  for (let i = 0; i < count; i++) {
    const address = readReference(bytes, LIST_HEADER_LEN + i * SOCKET_ADDRESS_LEN);
    if (address === null) return null;
    addresses.push(address);
  }
  return addresses;
}

export const CSADDR_INFO_LEN = 40;

/** Both ends of a socket (SO_BSP_STATE), or where a service is (WSAQUERYSET). */
export interface CSADDR_INFO {
  /** A sockaddr; `null` when not bound, or when it does not matter what is. */
  LocalAddr: Uint8Array | null;
  /** A sockaddr; `null` when not connected. */
  RemoteAddr: Uint8Array | null;
  iSocketType: number;
  iProtocol: number;
}

/** Bytes that a CSADDR_INFO takes with the sockaddrs behind it. */
export function csaddrInfoLength(info: CSADDR_INFO): number {
  return CSADDR_INFO_LEN + (info.LocalAddr?.length ?? 0) + (info.RemoteAddr?.length ?? 0);
}

/** Writes a CSADDR_INFO with its sockaddrs at the start of `into`. @returns its length. */
export function writeCSADDR_INFO(into: Uint8Array, info: CSADDR_INFO): number {
  into.fill(0, 0, CSADDR_INFO_LEN);
  let end = CSADDR_INFO_LEN;
  for (const [at, side] of [
    [0, info.LocalAddr],
    [SOCKET_ADDRESS_LEN, info.RemoteAddr],
  ] as const) {
    if (side === null) continue;
    writeReference(into, at, end, side.length);
    into.set(side, end);
    end += side.length;
  }
  putI32le(into, 2 * SOCKET_ADDRESS_LEN, info.iSocketType);
  putI32le(into, 2 * SOCKET_ADDRESS_LEN + 4, info.iProtocol);
  return end;
}

/** Reads a CSADDR_INFO; `null` when it is short. */
export function readCSADDR_INFO(bytes: Uint8Array): CSADDR_INFO | null {
  if (bytes.length < CSADDR_INFO_LEN) return null;
  return {
    LocalAddr: bytesAt(bytes, 0),
    RemoteAddr: bytesAt(bytes, SOCKET_ADDRESS_LEN),
    iSocketType: i32le(bytes, 2 * SOCKET_ADDRESS_LEN),
    iProtocol: i32le(bytes, 2 * SOCKET_ADDRESS_LEN + 4),
  };
}

function lengthOf(address: IpAddress): number {
  return sockaddrLength(address.family === 4 ? AF_INET : AF_INET6);
}

function writeReference(into: Uint8Array, at: number, target: number, length: number): void {
  putI32le(into, at, target);
  putI32le(into, at + 4, 0);
  putI32le(into, at + 8, length);
  putI32le(into, at + 12, 0);
}

function readReference(bytes: Uint8Array, at: number): SocketAddress | null {
  const found = bytesAt(bytes, at);
  return found === null ? null : readSockaddr(found);
}

/** A copy of what a SOCKET_ADDRESS refers to. */
function bytesAt(bytes: Uint8Array, at: number): Uint8Array | null {
  const target = i32le(bytes, at);
  const length = i32le(bytes, at + 8);
  if (i32le(bytes, at + 4) !== 0 || target <= 0 || length < 0 || target + length > bytes.length) return null;
  return bytes.slice(target, target + length);
}
