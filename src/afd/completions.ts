/**
 * Delivery of what pended: sessions take turns, and none can harm the others.
 *
 * Completions are queued where they arise and delivered when the outermost call into the room is about to return, so that
 * nobody is called from the middle of a change of state. A session gets a share of each round; one that throws loses the
 * completion that it threw for, and nothing else happens.
 */

import type { PendingRequest } from './request.ts';

/** Who receives completions. */
export interface CompletionSink {
  deliver(request: PendingRequest): void;
  /** Completions waiting, oldest first; owned by {@link Completions}. */
  readonly outbox: PendingRequest[];
}

/** Completions that a session gets before others have their turn. */
const SHARE = 32;

export class Completions {
  readonly #onFault: (error: unknown) => void;
  /** Sinks with completions, each once. */
  #waiting: CompletionSink[] = [];
  #isDelivering = false;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Whether {@link deliver} has something to do now: not from inside itself. */
  get isDue(): boolean {
    return this.#waiting.length > 0 && !this.#isDelivering;
  }

  add(sink: CompletionSink, request: PendingRequest): void {
    if (sink.outbox.length === 0) this.#waiting.push(sink);
    sink.outbox.push(request);
  }

  /** Delivers all that waits, and what arises meanwhile. */
  deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (this.#waiting.length > 0) {
        const round = this.#waiting;
        this.#waiting = [];
        for (const sink of round) this.#deliverShare(sink);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliverShare(sink: CompletionSink): void {
    const share = sink.outbox.splice(0, SHARE);
    // What arises while it is delivered finds the outbox empty and queues the sink by itself.
    if (sink.outbox.length > 0) this.#waiting.push(sink);
    for (const request of share) {
      try {
        sink.deliver(request);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}
