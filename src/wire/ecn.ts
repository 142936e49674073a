/**
 * The ECN field of an IP header (RFC 3168 §5): the two low bits of IPv4's former TOS byte and of IPv6's traffic class.
 */

import { putU16, u16 } from '../base/index.ts';
import { fold } from './checksum.ts';

/** Codepoints. */
export const ECN_NOT_ECT = 0;
export const ECN_ECT1 = 1;
export const ECN_ECT0 = 2;
export const ECN_CE = 3;
export const ECN_MASK = 3;

/**
 * Does what a router does instead of dropping: sets Congestion Experienced on the packet whose IP header starts at `at`, if its
 * sender said ECT. IPv4's header checksum stays right (RFC 1624).
 * @returns whether the packet says CE now; a packet that said Not-ECT, or is no IP packet, is left alone
 */
export function markCongestion(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 20) return false;
  const version = (bytes[at] as number) >> 4;
  if (version === 4) {
    const before = u16(bytes, at);
    if ((before & ECN_MASK) === ECN_NOT_ECT) return false;
    putU16(bytes, at, before | ECN_CE);
    // HC' = ~(~HC + ~m + m').
    const sum = (~u16(bytes, at + 10) & 0xffff) + (~before & 0xffff) + (before | ECN_CE);
    putU16(bytes, at + 10, ~fold(sum));
    return true;
  }
  if (version !== 6) return false;
  const second = bytes[at + 1] as number;
  if (((second >> 4) & ECN_MASK) === ECN_NOT_ECT) return false;
  bytes[at + 1] = second | (ECN_CE << 4);
  return true;
}
