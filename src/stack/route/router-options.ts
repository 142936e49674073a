/**
 * What a router writes into IPv4 options of a packet that it passes on: record route and timestamp (RFC 1812 §5.2.4.1, §5.3.13.5,
 * §5.3.13.6; RFC 791 §3.1). The options have been checked where the packet came in.
 */

import { i32, putI32 } from '../../base/index.ts';

/** Flags of a timestamp option: stamps alone; each with its address; for addresses that are there already. */
const STAMP_WITH_ADDRESS = 1;
const STAMP_FOR_ADDRESS = 3;

/** Record route: `address` is put into the next slot, unless all are taken. @param at where the option starts */
export function recordRoute(bytes: Uint8Array, at: number, address: number): void {
  const length = bytes[at + 1] as number;
  const pointer = bytes[at + 2] as number;
  if (pointer + 3 > length) return;
  putI32(bytes, at + pointer - 1, address);
  bytes[at + 2] = pointer + 4;
}

/**
 * Timestamp: the next slot is filled, or the overflow counted.
 * @param time ms since midnight UTC; with the high bit set when it is some other time (RFC 791)
 */
export function recordTime(bytes: Uint8Array, at: number, address: number, time: number): void {
  const length = bytes[at + 1] as number;
  const pointer = bytes[at + 2] as number;
  const flags = (bytes[at + 3] as number) & 0xf;
  const entry = flags === 0 ? 4 : 8;
  if (pointer - 1 + entry > length) {
    const overflow = (bytes[at + 3] as number) >> 4;
    if (overflow < 15) bytes[at + 3] = ((overflow + 1) << 4) | flags;
    return;
  }
  const slot = at + pointer - 1;
  if (flags === STAMP_FOR_ADDRESS && i32(bytes, slot) !== address) return;
  if (flags === STAMP_WITH_ADDRESS) putI32(bytes, slot, address);
  putI32(bytes, slot + entry - 4, time);
  bytes[at + 2] = pointer + entry;
}

/** Keeps of the options of a header those that go into every fragment, and pads them. @returns the new header's length */
export function copyFragmentOptions(
  from: Uint8Array,
  at: number,
  headerLength: number,
  into: Uint8Array,
): number {
  let length = 20;
  for (let i = 0; i < 20; i++) into[i] = from[at + i] as number;
  for (let option = 20; option < headerLength; ) {
    const type = from[at + option] as number;
    if (type === 0) break;
    const size = type === 1 ? 1 : (from[at + option + 1] as number);
    if (type >= 0x80) for (let i = 0; i < size; i++) into[length++] = from[at + option + i] as number;
    option += size;
  }
  while (length % 4 !== 0) into[length++] = 0;
  into[0] = 0x40 | (length >> 2);
  return length;
}
