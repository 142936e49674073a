/**
 * Lists of domain names in the form of DNS (RFC 1035 §3.1): the domain search options of DHCPv4 (RFC 3397, with compression)
 * and of DHCPv6 (RFC 3646, without).
 */

import { u8 } from '../base/index.ts';

/** Most bytes of a name, and of a label in it (RFC 1035 §2.3.4). */
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;
/** What a label of a host's domain may be made of (RFC 1123 §2.1), and the underscore that is seen in use. */
const LABEL = /^[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?$/i;

/**
 * Reads the names in `at … end`, which end there. Names that are no host's domain are left out, and so is the root.
 * @param isCompressed whether a name may end with a pointer, which counts from `at` and leads backwards
 * @returns `null` when the bytes are not made of names
 */
export function parseDomainNames(
  bytes: Uint8Array,
  at: number,
  end: number,
  isCompressed: boolean,
): string[] | null {
  const names: string[] = [];
  let next = at;
  while (next < end) {
    const labels: string[] = [];
    const after = readName(bytes, at, next, end, isCompressed, labels);
    if (after < 0) return null;
    if (labels.length > 0 && labels.every((label) => LABEL.test(label))) names.push(labels.join('.'));
    next = after;
  }
  return names;
}

/** Whether `text` is a domain that can be searched: labels of letters, digits, hyphens and underscores. */
export function isDomainName(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST_NAME - 2) return false;
  return text.split('.').every((label) => label.length <= LONGEST_LABEL && LABEL.test(label));
}

/** Reads one name. @returns where the next one starts; -1: malformed */
function readName(
  bytes: Uint8Array,
  start: number,
  from: number,
  end: number,
  isCompressed: boolean,
  labels: string[],
): number {
  let at = from;
  let after = -1;
  let length = 0;
  // Each pointer leads to before the place that the last one led to: a loop is impossible.
  let bound = from;
  for (;;) {
    if (at >= end) return -1;
    const size = u8(bytes, at);
    if (size === 0) return after < 0 ? at + 1 : after;
    if (size >= 0xc0) {
      if (!isCompressed || at + 2 > end) return -1;
      if (after < 0) after = at + 2;
      const target = start + (((size & 0x3f) << 8) | u8(bytes, at + 1));
      if (target >= bound) return -1;
      bound = target;
      at = target;
      continue;
    }
    length += size + 1;
    if (size > LONGEST_LABEL || at + 1 + size > end || length >= LONGEST_NAME) return -1;
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + size)));
    at += 1 + size;
  }
}
