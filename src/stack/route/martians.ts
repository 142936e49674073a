/**
 * Addresses that a router passes nothing on from or to. What is faulty in a source on any host has been refused before.
 */

import { isLinkLocalWord } from '../../base/index.ts';

/** 0/8, 127/8, 169.254/16 (RFC 3927 §7), multicast, 240/4 and the limited broadcast (RFC 1812 §5.3.7, §5.3.5). */
export function isPassableV4(word: number): boolean {
  const high = word >>> 24;
  return high !== 0 && high !== 127 && high < 224 && word >>> 16 !== 0xa9fe;
}

/** ::, ::1, fe80::/10 (RFC 4291 §2.5.2, §2.5.3, §2.5.6), multicast, and IPv4's addresses in disguise (§2.5.5.2). */
export function isPassableV6(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && ((w2 === 0 && (w3 === 0 || w3 === 1)) || w2 === 0xffff)) return false;
  return !isLinkLocalWord(w0) && w0 >>> 24 !== 0xff;
}
