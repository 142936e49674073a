/**
 * Network events of a layered socket, for the application that asks the host.
 *
 * The chain announces events by an event object, without saying which, so they are fetched from it at once and kept here until the
 * application fetches them. Messages of WSAAsyncSelect say which, and stay recorded in the chain.
 */

import {
  FD_ACCEPT,
  FD_MAX_EVENTS,
  FD_OOB,
  FD_READ,
  FD_WRITE,
  WSA_OPERATION_ABORTED,
} from '../../abi/index.ts';
import { putI32le } from '../../base/index.ts';
import { AfdOp } from '../../port/index.ts';

/** Bytes of the ten error codes. */
export const EVENT_ERRORS_LEN = 4 * FD_MAX_EVENTS;

/** A request that waits for events. */
interface Waiter {
  readonly into: Uint8Array | null;
  /** @param answer FD_* bits, or minus a WSA code */
  readonly settle: (answer: number) => void;
}

export class EventState {
  mask = 0;
  /** The registration is WSAAsyncSelect's. */
  isByMessage = false;
  /** The event object that the chain sets, by its handle; an accepted socket shares its listener's. */
  source = 0;
  #recorded = 0;
  #reported = 0;
  /** Events that came as messages and nobody has heard of. */
  #unposted = 0;
  #lastQuestion = 0;
  /** Answers to questions up to this one come too late for events that a receive, or an accept, re-enables. */
  #readBefore = 0;
  #acceptedBefore = 0;
  readonly #errors = new Int32Array(FD_MAX_EVENTS);
  #waiters: Waiter[] = [];

  /** A registration takes the place of the one before; what the application has not fetched it finds again. */
  register(mask: number, isByMessage: boolean): void {
    for (const { settle } of this.#waiters.splice(0)) settle(-WSA_OPERATION_ABORTED);
    if (isByMessage) this.#recorded = 0;
    this.mask = mask;
    this.isByMessage = isByMessage;
    this.#reported = 0;
    this.#unposted = 0;
  }

  inherit(listener: EventState): void {
    this.mask = listener.mask;
    this.isByMessage = listener.isByMessage;
    this.source = listener.source;
  }

  /** The chain is asked what is recorded. @returns the number of the question */
  asked(): number {
    return ++this.#lastQuestion;
  }

  /** The chain has told of events. @param errors the code of each, by FD_*_BIT @param question which it answers */
  record(events: number, errors: readonly number[], question: number): void {
    let current = events;
    if (question <= this.#readBefore) current &= ~(FD_READ | FD_OOB);
    if (question <= this.#acceptedBefore) current &= ~FD_ACCEPT;
    if (current === 0) return;
    this.#recorded |= current;
    this.#reported &= ~current;
    this.#keepErrors(current, errors);
    this.#tell();
  }

  /** A message has come. Those that come together are told together. */
  post(event: number, error: number): void {
    if (this.#unposted === 0) queueMicrotask(() => this.#tell());
    this.#unposted |= event;
    this.#errors[31 - Math.clz32(event)] = error;
  }

  /** A call that re-enables events is made: what was recorded before holds no longer, the chain tells what does. */
  reenable(op: AfdOp): void {
    if (op === AfdOp.recv) {
      this.#recorded &= ~(FD_READ | FD_OOB);
      this.#readBefore = this.#lastQuestion;
    } else if (op === AfdOp.accept || op === AfdOp.acceptRequest || op === AfdOp.refuse) {
      this.#recorded &= ~FD_ACCEPT;
      this.#acceptedBefore = this.#lastQuestion;
    }
  }

  /** A send has found no room. */
  sendBlocked(): void {
    this.#recorded &= ~FD_WRITE;
  }

  /** Answers events that were not reported, or waits for some. */
  wait(into: Uint8Array | null): number | Promise<number> {
    const events = this.#report(into);
    if (events !== 0) return events;
    return new Promise((settle) => this.#waiters.push({ into, settle }));
  }

  /** Ends a wait. */
  cancel(into: Uint8Array | null): void {
    const at = this.#waiters.findIndex((waiter) => waiter.into === into);
    if (at >= 0) this.#waiters.splice(at, 1)[0]?.settle(-WSA_OPERATION_ABORTED);
  }

  /** Takes what is recorded, with what the chain has just told of. */
  fetch(into: Uint8Array | null, events: number, errors: readonly number[]): number {
    this.#keepErrors(events, errors);
    const fetched = (this.#recorded | events) & this.mask;
    this.#recorded &= ~fetched;
    this.#reported &= ~fetched;
    this.#write(fetched, into);
    return fetched;
  }

  end(): void {
    for (const { settle } of this.#waiters.splice(0)) settle(-WSA_OPERATION_ABORTED);
  }

  #tell(): void {
    const waiter = this.#waiters[0];
    if (waiter === undefined) return;
    const events = this.#report(waiter.into);
    if (events === 0) return;
    this.#waiters.shift();
    waiter.settle(events);
  }

  #report(into: Uint8Array | null): number {
    const unreported = this.isByMessage ? this.#unposted : this.#recorded & ~this.#reported;
    const events = unreported & this.mask;
    if (this.isByMessage) this.#unposted = 0;
    else this.#reported |= events;
    this.#write(events, into);
    return events;
  }

  #keepErrors(events: number, errors: readonly number[]): void {
    for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
      if ((events & (1 << bit)) !== 0) this.#errors[bit] = errors[bit] ?? 0;
    }
  }

  #write(events: number, into: Uint8Array | null): void {
    if (into === null) return;
    for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
      putI32le(into, 4 * bit, (events & (1 << bit)) === 0 ? 0 : (this.#errors[bit] as number));
    }
  }
}
