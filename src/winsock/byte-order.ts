/**
 * Byte order and numeric IPv4 text: functions of their arguments alone, which work before WSAStartup. Host order is
 * little-endian, as on every Windows: a network-order u_long has an address's first byte in its lowest eight bits.
 */

import { INADDR_NONE } from '../abi/index.ts';
import { asBigInt, asNumber, formatV4 } from '../base/index.ts';
import { parseHistoricalIpv4 } from '../spi/index.ts';

/**
 * A 32-bit number from host to network order.
 *
 * Errors: none
 *
 * Source: API-htonl
 * @returns the number, unsigned
 * @example
 * ```ts
 * htonl(0x0a000001).toString(16); // → '100000a'
 * ```
 */
export function htonl(hostlong: number): number {
  const word = asNumber(hostlong) >>> 0;
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/**
 * A 16-bit number from host to network order.
 *
 * Errors: none
 *
 * Source: API-htons
 * @example
 * ```ts
 * htons(80); // → 0x5000
 * ```
 */
export function htons(hostshort: number): number {
  const word = asNumber(hostshort);
  return ((word & 0xff) << 8) | ((word >>> 8) & 0xff);
}

/**
 * A 32-bit number from network to host order.
 *
 * Errors: none
 *
 * Source: API-ntohl
 * @returns the number, unsigned
 * @example
 * ```ts
 * ntohl(htonl(0xfffffffe)); // → 0xfffffffe
 * ```
 */
export function ntohl(netlong: number): number {
  return htonl(netlong);
}

/**
 * A 16-bit number from network to host order.
 *
 * Errors: none
 *
 * Source: API-ntohs
 * @example
 * ```ts
 * ntohs(0x5000); // → 80
 * ```
 */
export function ntohs(netshort: number): number {
  return htons(netshort);
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * A 64-bit number from host to network order.
 *
 * Errors: none
 *
 * Source: API-htonll
 * @returns the number, unsigned
 * @example
 * ```ts
 * htonll(1n); // → 0x0100000000000000n
 * ```
 */
export function htonll(value: bigint): bigint {
  scratch.setBigUint64(0, BigInt.asUintN(64, asBigInt(value)), true);
  return scratch.getBigUint64(0, false);
}

/**
 * A 64-bit number from network to host order.
 *
 * Errors: none
 *
 * Source: API-ntohll
 * @returns the number, unsigned
 * @example
 * ```ts
 * ntohll(0x0100000000000000n); // → 1n
 * ```
 */
export function ntohll(value: bigint): bigint {
  return htonll(value);
}

/**
 * The bits of a float in network order.
 *
 * Errors: none
 *
 * Source: API-htonf
 * @returns an unsigned 32-bit number
 * @example
 * ```ts
 * htonf(1.5); // → 0x0000c03f
 * ```
 */
export function htonf(value: number): number {
  scratch.setFloat32(0, asNumber(value), true);
  return scratch.getUint32(0, false);
}

/**
 * The float whose bits in network order those are.
 *
 * Errors: none
 *
 * Source: API-ntohf
 * @example
 * ```ts
 * ntohf(0x0000c03f); // → 1.5
 * ```
 */
export function ntohf(value: number): number {
  scratch.setUint32(0, asNumber(value), false);
  return scratch.getFloat32(0, true);
}

/**
 * The bits of a double in network order.
 *
 * Errors: none
 *
 * Source: API-htond
 * @returns an unsigned 64-bit number
 * @example
 * ```ts
 * htond(1.5); // → 0x000000000000f83fn
 * ```
 */
export function htond(value: number): bigint {
  scratch.setFloat64(0, asNumber(value), true);
  return scratch.getBigUint64(0, false);
}

/**
 * The double whose bits in network order those are.
 *
 * Errors: none
 *
 * Source: API-ntohd
 * @example
 * ```ts
 * ntohd(0x000000000000f83fn); // → 1.5
 * ```
 */
export function ntohd(value: bigint): number {
  scratch.setBigUint64(0, BigInt.asUintN(64, asBigInt(value)), false);
  return scratch.getFloat64(0, true);
}

/**
 * Reads numeric IPv4 text in any of its historical forms: one to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`); the
 * last part is as wide as what is missing.
 *
 * Errors: none
 *
 * Source: API-inet_addr
 * @returns the network-order u_long; INADDR_NONE for text that is no address, which 255.255.255.255 is also; 0 for a lone space
 * @example
 * ```ts
 * inet_addr('10.1') === htonl(0x0a000001); // → true
 * inet_addr('ten.one'); // → INADDR_NONE
 * ```
 */
export function inet_addr(cp: string): number {
  if (typeof cp !== 'string') return INADDR_NONE;
  if (cp === ' ') return 0;
  const word = cp === '' ? -1 : parseHistoricalIpv4(cp);
  return word < 0 ? INADDR_NONE : htonl(word);
}

/**
 * Dotted decimal of an address.
 *
 * Errors: none
 *
 * Source: API-inet_ntoa
 * @param in_ a network-order u_long
 * @example
 * ```ts
 * inet_ntoa(htonl(0x0a000001)); // → '10.0.0.1'
 * ```
 */
export function inet_ntoa(in_: number): string {
  return formatV4(htonl(in_) | 0);
}
