/**
 * Socket addresses: SOCKADDR_IN, SOCKADDR_IN6 and SOCKADDR_STORAGE as bytes.
 *
 *     SOCKADDR_IN    0 sin_family (host order)  2 sin_port (network)  4 sin_addr  8 sin_zero[8]                    16
 *     SOCKADDR_IN6   0 sin6_family  2 sin6_port  4 sin6_flowinfo  8 sin6_addr[16]  24 sin6_scope_id (host order)   28
 *
 * Host order is little-endian everywhere on this interface, whatever the machine.
 */

import { IpAddress, i32, i32le, putI32, putI32le, putU16, putU16le, u16, u16le } from '../base/index.ts';
import { AF_INET, AF_INET6 } from './families.ts';

export const SOCKADDR_IN_LEN = 16;
export const SOCKADDR_IN6_LEN = 28;
export const SOCKADDR_STORAGE_LEN = 128;
/** The union of INTERFACE_INFO: as long as the old form of SOCKADDR_IN6. */
export const SOCKADDR_GEN_LEN = 24;

/** An internet address with its port: what a SOCKADDR_IN or SOCKADDR_IN6 says. */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
  /** `sin6_flowinfo`, network order; 0 for IPv4. */
  readonly flowInfo: number;
}

/** The family field; -1 when there are not even two bytes. */
export function sockaddrFamily(bytes: Uint8Array): number {
  return bytes.length < 2 ? -1 : u16le(bytes, 0);
}

/** Bytes of a sockaddr of `family`; 0 for a family that has no layout here. */
export function sockaddrLength(family: number): number {
  if (family === AF_INET) return SOCKADDR_IN_LEN;
  return family === AF_INET6 ? SOCKADDR_IN6_LEN : 0;
}

/**
 * Reads a SOCKADDR_IN or SOCKADDR_IN6; bytes past it (a SOCKADDR_STORAGE) are ignored.
 * @returns `null` when it is shorter than its family's structure (WSAEFAULT, SEM-DS-07) or of another family: see
 * {@link sockaddrFamily} to tell them apart.
 */
export function readSockaddr(bytes: Uint8Array): SocketAddress | null {
  const family = sockaddrFamily(bytes);
  if (family === AF_INET && bytes.length >= SOCKADDR_IN_LEN) {
    return { address: IpAddress.v4(i32(bytes, 4)), port: u16(bytes, 2), flowInfo: 0 };
  }
  if (family === AF_INET6 && bytes.length >= SOCKADDR_IN6_LEN) {
    const zone = i32le(bytes, 24);
    const address = new IpAddress(6, i32(bytes, 8), i32(bytes, 12), i32(bytes, 16), i32(bytes, 20), zone);
    return { address, port: u16(bytes, 2), flowInfo: i32(bytes, 4) };
  }
  return null;
}

/**
 * Writes the sockaddr of `address` and `port` at `at`, the padding zeroed.
 * @returns where it ends; the caller has made sure that it fits ({@link sockaddrLength}).
 */
export function writeSockaddr(
  into: Uint8Array,
  at: number,
  address: IpAddress,
  port: number,
  flowInfo = 0,
): number {
  putU16(into, at + 2, port);
  if (address.family === 4) {
    putU16le(into, at, AF_INET);
    putI32(into, at + 4, address.w3);
    putI32(into, at + 8, 0);
    putI32(into, at + 12, 0);
    return at + SOCKADDR_IN_LEN;
  }
  putU16le(into, at, AF_INET6);
  putI32(into, at + 4, flowInfo);
  putI32(into, at + 8, address.w0);
  putI32(into, at + 12, address.w1);
  putI32(into, at + 16, address.w2);
  putI32(into, at + 20, address.w3);
  putI32le(into, at + 24, address.zone);
  return at + SOCKADDR_IN6_LEN;
}

/**
 * The sockaddr of `address` and `port` as bytes of its own.
 * @param address or its text: `10.0.0.1`, `::1`, `fe80::1%2`; a name is no address: that is getaddrinfo's
 * @throws {TypeError} for text that is no address
 */
export function sockaddrOf(address: IpAddress | string, port: number): Uint8Array {
  const ip = typeof address === 'string' ? IpAddress.parse(address) : address;
  if (ip === null) throw new TypeError(`no IPv4 or IPv6 address: ${address}`);
  const bytes = new Uint8Array(ip.family === 4 ? SOCKADDR_IN_LEN : SOCKADDR_IN6_LEN);
  writeSockaddr(bytes, 0, ip, port);
  return bytes;
}

/** `10.0.0.1:80` or `[::1]:80`; `<family n>` for what {@link readSockaddr} does not read. For traces. */
export function formatSockaddr(bytes: Uint8Array): string {
  const socketAddress = readSockaddr(bytes);
  if (socketAddress === null) return `<family ${sockaddrFamily(bytes)}>`;
  const { address, port } = socketAddress;
  return address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}
