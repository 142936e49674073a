/**
 * Lengths that C has to be told and that an array knows: what a call uses for one that was left out.
 */

import type { Ref } from '../spi/index.ts';

/** Bytes of an array; 0 without one. */
export function lengthOf(bytes: Uint8Array | null): number {
  return bytes === null ? 0 : bytes.length;
}

/** The room in an array that a call writes to, as the number that it reads and sets; `null` without one. */
export function roomIn(bytes: Uint8Array | null): Ref | null {
  return bytes === null ? null : { value: bytes.length };
}
