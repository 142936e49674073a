/**
 * What the tables of control codes are made of.
 */

import { WSAEFAULT } from '../abi/index.ts';
import { putI32le } from '../base/index.ts';
import type { AfdCompletion } from '../port/index.ts';
import type { AfdEndpoint } from './endpoint.ts';

/**
 * One control code's work.
 * @param flags AFD_* of the request: whether it may wait
 * @returns a WSA code; `reply.value` is what was written to `into`. `PEND` of one that waits for a change.
 */
export type IoctlHandler = (
  socket: AfdEndpoint,
  data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
  flags: number,
) => number;

export type IoctlEntry = [number, IoctlHandler];

/** Answers a number of 32 bits. */
export function answer(into: Uint8Array | null, reply: AfdCompletion, value: number): number {
  if (into === null || into.length < 4) return WSAEFAULT;
  putI32le(into, 0, value);
  reply.value = 4;
  return 0;
}

/** Whether the first four bytes, or those there are, say yes. */
export function isYes(data: Uint8Array): boolean {
  return data.subarray(0, 4).some((byte) => byte !== 0);
}
