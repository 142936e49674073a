/**
 * The way in of a connection whose bytes the layer keeps: what the codec reads waits here for the application, up to a limit.
 */

import { MSG_PEEK, MSG_WAITALL, WSAECONNABORTED } from '../../abi/index.ts';
import { lengthOf, spread } from './buffers.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Codec } from './contract.ts';
import { CHUNK, QUEUE_LIMIT } from './limits.ts';
import type { Complete } from './operations.ts';
import { Waiters } from './waiters.ts';

export class Inflow {
  /** Why no more comes: 0 the peer's end, a WSA code; −1: more may come. */
  ended = -1;
  /** The application has shut it. */
  isShut = false;
  readonly #queue = new ByteQueue();
  readonly #receivers = new Waiters();
  /** What comes in is thrown away. */
  #isDiscarding = false;
  #isClosed = false;
  #onRoom: (() => void) | null = null;

  /** Bytes that wait. */
  get available(): number {
    return this.#queue.length;
  }

  get isReadable(): boolean {
    return this.#queue.length > 0 || this.ended >= 0;
  }

  /** Reads from the codec until it ends. @param changed is told each time how many bytes have come, or minus a WSA code */
  async run(codec: Codec, changed: (count: number) => void): Promise<void> {
    while (this.ended < 0) {
      if (this.#queue.length >= QUEUE_LIMIT) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        this.#onRoom = null;
      }
      const chunk = new Uint8Array(CHUNK);
      const count = await codec.read(chunk);
      if (this.#isClosed) return;
      if (count > 0) this.#keep(chunk, count);
      else this.ended = Math.abs(count);
      this.#receivers.wake();
      changed(count);
    }
  }

  /**
   * @param refused why nothing can be received, a WSA code
   * @param isOverlapped a receive of no bytes waits until there are some; others answer at once (SEM-IO-09)
   * @param complete is told the answer, now or later; `null`: may not wait
   * @returns the answer, or what gives it up
   */
  receive(
    buffers: readonly Uint8Array[],
    flags: number,
    refused: number,
    isOverlapped: boolean,
    complete: Complete | null,
  ): number | (() => void) {
    const places = buffers.filter(({ length }) => length > 0);
    const isPeek = (flags & MSG_PEEK) !== 0;
    const isWhole = !isPeek && (flags & MSG_WAITALL) !== 0;
    const room = lengthOf(places);
    let done = 0;
    const attempt = (): number | null => {
      if (refused !== 0) return -refused;
      done += this.#take(places, done, isPeek);
      if (done > 0 && (!isWhole || done === room)) return done;
      if (room === 0 && (!isOverlapped || this.#queue.length > 0)) return 0;
      if (this.ended < 0) return null;
      return done > 0 || this.ended === 0 ? done : -this.ended;
    };
    // Of receivers that wait, the first gets the first bytes.
    const now = this.#receivers.isEmpty || refused !== 0 ? attempt() : null;
    // What MSG_WAITALL has got so far is not lost by a cancelled receive (SEM-OV-13).
    return this.#receivers.wait(now, complete, attempt, () => done);
  }

  /** No more will come, as the connection has failed. @param code a WSA code */
  fail(code: number): void {
    this.ended = code;
    this.#receivers.wake();
  }

  /** Throws away what is there, and what comes. */
  discard(): void {
    this.#isDiscarding = true;
    this.#queue.clear();
    this.#onRoom?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    this.#receivers.end(-WSAECONNABORTED);
    this.#onRoom?.();
  }

  #take(places: readonly Uint8Array[], done: number, isPeek: boolean): number {
    const taken = spread(this.#queue, places, done, isPeek);
    if (taken > 0 && this.#queue.length < QUEUE_LIMIT) this.#onRoom?.();
    return taken;
  }

  /** A few bytes do not keep a whole chunk. */
  #keep(chunk: Uint8Array, count: number): void {
    if (this.#isDiscarding) return;
    this.#queue.push(count < CHUNK / 2 ? chunk.slice(0, count) : chunk.subarray(0, count));
  }
}
