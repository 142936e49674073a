/**
 * Byte order and numeric IPv4 text: functions of their arguments alone, which work before WSAStartup. Host order is
 * little-endian, as on every Windows: a network-order u_long has an address's first byte in its lowest eight bits.
 */

import { INADDR_NONE } from '../abi/index.ts';
import { formatV4 } from '../base/index.ts';
import { parseHistoricalIpv4 } from '../spi/index.ts';

/** A 32-bit number from host to network order; unsigned. */
export function htonl(hostlong: number): number {
  const word = hostlong >>> 0;
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** A 16-bit number from host to network order. */
export function htons(hostshort: number): number {
  return ((hostshort & 0xff) << 8) | ((hostshort >>> 8) & 0xff);
}

/** A 32-bit number from network to host order; unsigned. */
export function ntohl(netlong: number): number {
  return htonl(netlong);
}

/** A 16-bit number from network to host order. */
export function ntohs(netshort: number): number {
  return htons(netshort);
}

const scratch = new DataView(new ArrayBuffer(8));

/** A 64-bit number from host to network order; unsigned. */
export function htonll(value: bigint): bigint {
  scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
  return scratch.getBigUint64(0, false);
}

/** A 64-bit number from network to host order; unsigned. */
export function ntohll(value: bigint): bigint {
  return htonll(value);
}

/** The bits of a float in network order, as an unsigned 32-bit number. */
export function htonf(value: number): number {
  scratch.setFloat32(0, value, true);
  return scratch.getUint32(0, false);
}

/** The float whose bits in network order those are. */
export function ntohf(value: number): number {
  scratch.setUint32(0, value, false);
  return scratch.getFloat32(0, true);
}

/** The bits of a double in network order, as an unsigned 64-bit number. */
export function htond(value: number): bigint {
  scratch.setFloat64(0, value, true);
  return scratch.getBigUint64(0, false);
}

/** The double whose bits in network order those are. */
export function ntohd(value: bigint): number {
  scratch.setBigUint64(0, BigInt.asUintN(64, value), false);
  return scratch.getFloat64(0, true);
}

/**
 * The network-order u_long of numeric IPv4 text in any of its historical forms: `10.1` is 10.0.0.1, `0x7f.1` 127.0.0.1.
 * @returns INADDR_NONE for text that is no address, which 255.255.255.255 is also; a lone space is 0
 */
export function inet_addr(cp: string): number {
  if (cp === ' ') return 0;
  const word = cp === '' ? -1 : parseHistoricalIpv4(cp);
  return word < 0 ? INADDR_NONE : htonl(word);
}

/** Dotted decimal of a network-order u_long. */
export function inet_ntoa(in_: number): string {
  return formatV4(htonl(in_) | 0);
}
