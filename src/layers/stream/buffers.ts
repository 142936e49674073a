/**
 * Between the buffers of a call and a queue of bytes; a call that waits goes on where it was.
 */

import type { ByteQueue } from './byte-queue.ts';

/**
 * Spreads what waits over the buffers, past the first `done` bytes of them.
 * @param isPeek it stays where it is; the first buffer only
 * @returns how many bytes
 */
export function spread(
  queue: ByteQueue,
  buffers: readonly Uint8Array[],
  done: number,
  isPeek: boolean,
): number {
  let skip = done;
  let taken = 0;
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    const part = buffer.subarray(skip);
    skip = 0;
    if (isPeek && taken > 0) break;
    const count = queue.copyTo(part, isPeek);
    taken += count;
    if (count < part.length) break;
  }
  return taken;
}

/** Copies at most `room` bytes, past the first `done`: in one piece, so that a gathered send is one. */
export function gathered(buffers: readonly Uint8Array[], done: number, room: number): Uint8Array {
  const total = lengthOf(buffers);
  const piece = new Uint8Array(Math.max(0, Math.min(total - done, room)));
  let skip = done;
  let at = 0;
  for (const buffer of buffers) {
    if (at === piece.length) break;
    const part = buffer.subarray(Math.min(skip, buffer.length)).subarray(0, piece.length - at);
    skip = Math.max(0, skip - buffer.length);
    piece.set(part, at);
    at += part.length;
  }
  return piece;
}

/** Bytes of all of them. */
export function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}
