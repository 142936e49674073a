/**
 * The calls of the ICMP helper API as the blocking face carries them to the chain thread. They run beneath the provider catalog and need
 * no WSAStartup, so that they stand beside the table of Winsock's calls, numbered from {@link ICMP_CALLS} on.
 */

import { inout, input, number } from './marshal.ts';
import type { Signature } from './signature.ts';
import { SIGNATURES } from './signatures.ts';

/** The shape of a call that is known by its number. */
export type CallShape = Pick<Signature, 'slots' | 'received'>;

/** A number past all of Winsock's calls. */
export const ICMP_CALLS = 10_000;
export const ICMP_CREATE = ICMP_CALLS;
export const ICMP_CLOSE = ICMP_CALLS + 1;
export const ICMP_SEND = ICMP_CALLS + 2;

const SHAPES: readonly CallShape[] = [
  // Family.
  { slots: [number], received: null },
  // Handle.
  { slots: [number], received: null },
  // Handle; sockaddrs of source, which may be missing, and destination; data; options; reply; time-out.
  { slots: [number, input, input, input, input, inout, number], received: null },
];

/** The shape of the call with that number; `undefined` when there is none. */
export function shapeOf(index: number): CallShape | undefined {
  return index < ICMP_CALLS ? SIGNATURES[index] : SHAPES[index - ICMP_CALLS];
}
