/**
 * How a stream's writes reach a socket: small ones together, large ones as they are, all in their order.
 */

import type { Winsock } from '../winsock/index.ts';
import { NodeStyleError, nodeError } from './node-error.ts';

/** Small writes that wait together are copied into one of at most this size. */
const MAX_COALESCED = 64 * 1024;

/** Joins neighbours that are small; large ones stay as they are. */
export function coalesce(chunks: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  let run: Buffer[] = [];
  let length = 0;
  const flush = (): void => {
    if (run.length > 0) joined.push(run.length === 1 ? (run[0] as Buffer) : Buffer.concat(run, length));
    run = [];
    length = 0;
  };
  for (const chunk of chunks) {
    if (length + chunk.length > MAX_COALESCED) flush();
    run.push(chunk);
    length += chunk.length;
  }
  flush();
  return joined;
}

/**
 * Sends every byte of the chunks. What ends at once is done in a loop, so that a stream over local sockets needs no promise.
 * @param sent is told each count that was taken; answers false to stop
 * @param callback is called once, with the error if there was one
 */
export function sendAll(
  ws: Winsock,
  handle: number,
  chunks: readonly Buffer[],
  sent: (length: number) => boolean,
  callback: (error?: Error | null) => void,
): void {
  let index = 0;
  let offset = 0;
  /** @returns whether to go on */
  const take = (answer: number): boolean => {
    if (answer < 0) {
      callback(nodeError('write', answer));
      return false;
    }
    offset += answer;
    if (offset >= (chunks[index] as Buffer).length) {
      index++;
      offset = 0;
    }
    if (sent(answer)) return true;
    callback(new NodeStyleError('write', 'ECANCELED', 0));
    return false;
  };
  const next = (): void => {
    while (index < chunks.length) {
      const chunk = chunks[index] as Buffer;
      const answer = ws.send(handle, offset === 0 ? chunk : chunk.subarray(offset));
      if (typeof answer !== 'number') {
        void answer.then((late) => {
          if (take(late)) next();
        });
        return;
      }
      if (!take(answer)) return;
    }
    callback();
  };
  next();
}
