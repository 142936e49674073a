/**
 * The way out of a connection whose bytes the layer keeps: what the application sends waits here for the codec, up to a limit.
 */

import { WSA_OPERATION_ABORTED } from '../../abi/index.ts';
import type { Cancel, Scheduler } from '../../base/index.ts';
import { gathered, lengthOf } from './buffers.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Codec } from './contract.ts';
import { CHUNK, QUEUE_LIMIT } from './limits.ts';
import type { Complete } from './operations.ts';
import { Waiters } from './waiters.ts';

export class Outflow {
  /** Why nothing goes out any more, a WSA code; 0: it does. */
  error = 0;
  /** The application has shut it. */
  isShut = false;
  readonly #queue = new ByteQueue();
  readonly #senders = new Waiters();
  readonly #onDrained: (() => void)[] = [];
  /** Ends sending below. */
  readonly #shutBelow: () => Promise<unknown>;
  readonly #changed: () => void;
  #codec: Codec | null = null;
  #isWriting = false;
  /** Nothing will go out any more, not even the end. */
  #isDone = false;
  #isClosed = false;

  /** @param changed is told of every change */
  constructor(shutBelow: () => Promise<unknown>, changed: () => void) {
    this.#shutBelow = shutBelow;
    this.#changed = changed;
  }

  /** A send would not wait. */
  get isReady(): boolean {
    return this.#queue.length < QUEUE_LIMIT || this.error !== 0;
  }

  /** What waits goes out by that codec from now on. */
  start(codec: Codec): void {
    this.#codec = codec;
    this.#startWriting();
  }

  /**
   * A send that may not wait takes what there is room for.
   * @param refused why nothing can be sent, a WSA code
   * @param complete is told the answer, now or later; `null`: may not wait
   * @returns the answer, or what gives it up
   */
  send(buffers: readonly Uint8Array[], refused: number, complete: Complete | null): number | (() => void) {
    const total = lengthOf(buffers);
    let done = 0;
    const attempt = (): number | null => {
      const why = refused || this.error;
      if (why !== 0) return -why;
      done += this.#put(buffers, done);
      return done === total ? done : null;
    };
    let now = this.#senders.isEmpty || refused !== 0 ? attempt() : null;
    if (now === null && complete === null && done > 0) now = done;
    const answer = this.#senders.wait(now, complete, attempt);
    this.#startWriting();
    return answer;
  }

  /** The end goes out behind what was sent, and behind the sends that wait. */
  shut(): void {
    if (this.isShut) return;
    this.isShut = true;
    this.#startWriting();
  }

  /** The connection has failed. @param code a WSA code */
  fail(code: number): void {
    if (this.error === 0) this.error = code;
    this.#senders.wake();
  }

  /** Lets what was sent, and the end of it, go out. @param limit longest time for that, ms; Infinity: as long as it takes */
  drain(scheduler: Scheduler, limit: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const done = (): void => {
        cancel();
        resolve();
      };
      if (this.#isDone || this.#isClosed) {
        done();
        return;
      }
      if (limit < Number.POSITIVE_INFINITY) cancel = scheduler.after(limit, resolve);
      this.#onDrained.push(done);
      this.isShut = true;
      this.#startWriting();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    this.#senders.end(-WSA_OPERATION_ABORTED);
    this.#tellDrained();
  }

  #put(buffers: readonly Uint8Array[], done: number): number {
    const piece = gathered(buffers, done, QUEUE_LIMIT - this.#queue.length);
    this.#queue.push(piece);
    return piece.length;
  }

  #startWriting(): void {
    if (this.#isWriting || this.#codec === null) return;
    this.#isWriting = true;
    void this.#run(this.#codec);
  }

  async #run(codec: Codec): Promise<void> {
    while (this.#queue.length > 0 && this.error === 0) {
      const head = this.#queue.head(CHUNK);
      const answer = await codec.write(head);
      if (this.#isClosed) return;
      if (answer < 0) this.error = -answer;
      else this.#queue.drop(head.length);
      this.#senders.wake();
      this.#changed();
    }
    if (this.error !== 0) this.#queue.clear();
    else if (this.isShut) await this.#end(codec);
    this.#isDone = this.isShut || this.error !== 0;
    this.#isWriting = this.#isDone;
    this.#tellDrained();
  }

  async #end(codec: Codec): Promise<void> {
    await codec.end();
    if (!this.#isClosed) await this.#shutBelow();
  }

  #tellDrained(): void {
    for (const tell of this.#onDrained.splice(0)) tell();
  }
}
