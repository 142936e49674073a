/**
 * The calls of the ICMP helper API as the blocking face carries them to the chain thread. They run beneath the provider catalog and need
 * no WSAStartup, so that they stand beside the table of Winsock's calls, numbered from {@link ICMP_CALLS} on.
 */

import { inout, input, number } from './marshal.ts';
import type { Signature } from './signature.ts';
import { SIGNATURES } from './signatures.ts';
import type { AnySlot } from './slot.ts';

/** The shape of a call that is known by its number. */
export type CallShape = Pick<Signature, 'slots' | 'kinds' | 'received'>;

/** A number past all of Winsock's calls. */
export const ICMP_CALLS = 10_000;
export const ICMP_CREATE = ICMP_CALLS;
export const ICMP_CLOSE = ICMP_CALLS + 1;
export const ICMP_SEND = ICMP_CALLS + 2;

function shape(slots: readonly AnySlot[]): CallShape {
  return { slots, kinds: slots.map(({ kind }) => kind), received: null };
}

const SHAPES: readonly CallShape[] = [
  // Family.
  shape([number]),
  // Handle.
  shape([number]),
  // Handle; sockaddrs of source, which may be missing, and destination; data; options; reply; time-out.
  shape([number, input, input, input, input, inout, number]),
];

/** The shape of the call with that number; `undefined` when there is none. */
export function shapeOf(index: number): CallShape | undefined {
  return index < ICMP_CALLS ? SIGNATURES[index] : SHAPES[index - ICMP_CALLS];
}
