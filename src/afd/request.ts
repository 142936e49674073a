/**
 * Requests that pend: what is kept of one until it completes, once.
 */

import type { Cancel } from '../base/index.ts';
import { type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';

/** Bytes of the record of an event wait: ten i32. It is free: nobody may wait for events in vain. */
const EVENT_RECORD_LEN = 40;

/** Answered by an operation of an endpoint in the place of a WSA code: it cannot complete yet. */
export const PEND = -1;

/** Whose a request is: a session, as endpoints see it. */
export interface RequestOwner {
  /** Whether there is room for one more descriptor. */
  readonly hasRoom: boolean;
  /** Gives an endpoint a descriptor; there is room. */
  adopt(endpoint: object): number;
  /** Charges bytes that the room keeps for the session. @returns whether they are within its bound */
  charge(bytes: number): boolean;
  /** Gives back what was charged. */
  discharge(bytes: number): void;
  /** Takes a request that is done, to deliver it. */
  requestDone(request: PendingRequest): void;
}

/** A request that could not complete at once. It is also its completion, once it is done. */
export class PendingRequest implements AfdRequest, AfdCompletion {
  readonly owner: RequestOwner;
  readonly id: number;
  readonly op: AfdOp;
  readonly descriptor: number;
  readonly a: number;
  readonly b: number;
  data: Uint8Array | null;
  into: Uint8Array | null;
  /** The request's flags while it pends, the completion's when it is done. */
  flags: number;
  /** The request's address while it pends, the completion's when it is done. */
  address: Uint8Array | null;
  /** Bytes moved so far, by a send or a receive that moves them piece by piece. */
  done: number;
  /** Bytes charged to the session. */
  readonly charge: number;
  error = 0;
  value = 0;
  isDone = false;
  /** Its place in a queue of its endpoint. */
  queue: RequestQueue | null = null;
  next: PendingRequest | null = null;
  previous: PendingRequest | null = null;
  /** The other socket that it is about: what an AcceptEx fills. */
  target: object | null = null;
  /** Ends the timer of its time-out. */
  timer: Cancel | null = null;
  /** Tells whoever else keeps it, when it ends for whatever reason. */
  detach: (() => void) | null = null;

  constructor(owner: RequestOwner, request: AfdRequest, done: number) {
    this.owner = owner;
    this.id = request.id;
    this.op = request.op;
    this.descriptor = request.descriptor;
    this.flags = request.flags;
    this.a = request.a;
    this.b = request.b;
    this.address = request.address;
    this.data = request.data;
    this.into = request.into;
    this.done = done;
    const bytes = (request.data?.length ?? 0) + (request.into?.length ?? 0);
    this.charge = request.op === AfdOp.waitEvents && bytes <= EVENT_RECORD_LEN ? 0 : bytes;
  }

  /** Completes it; the second time is ignored. Its buffers are the caller's again when the completion is delivered. */
  complete(
    error: number,
    value = 0,
    flags = 0,
    address: Uint8Array | null = null,
    data: Uint8Array | null = null,
  ): void {
    if (this.isDone) return;
    this.isDone = true;
    this.queue?.remove(this);
    this.timer?.();
    this.timer = null;
    this.detach?.();
    this.detach = null;
    this.error = error;
    this.value = value;
    this.flags = flags;
    this.address = address;
    this.data = data;
    this.into = null;
    this.owner.requestDone(this);
  }

  /** Completes a request that was given up: with what it has moved so far, so that no byte is lost (SEM-OV-13). */
  giveUp(error: number): void {
    if (this.done > 0) this.complete(0, this.done);
    else this.complete(error);
  }
}

/** Requests in the order in which they came; any of them can leave. */
export class RequestQueue {
  #head: PendingRequest | null = null;
  #tail: PendingRequest | null = null;

  /** The oldest, or `null`. */
  get head(): PendingRequest | null {
    return this.#head;
  }

  push(request: PendingRequest): void {
    request.queue = this;
    request.previous = this.#tail;
    request.next = null;
    if (this.#tail === null) this.#head = request;
    else this.#tail.next = request;
    this.#tail = request;
  }

  /** Takes out a request that is in this queue. */
  remove(request: PendingRequest): void {
    const { previous, next } = request;
    if (previous === null) this.#head = next;
    else previous.next = next;
    if (next === null) this.#tail = previous;
    else next.previous = previous;
    request.queue = null;
    request.previous = null;
    request.next = null;
  }

  /** Gives up every request. `error` answers the code of one. */
  drain(error: (request: PendingRequest) => number): void {
    for (let request = this.#head; request !== null; request = this.#head) request.giveUp(error(request));
  }
}
