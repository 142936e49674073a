/**
 * The AFD poll: waits until one of several endpoints is ready. Level-triggered: it looks at what is true, keeps no edges, and
 * changes nothing.
 */

import { WSAEFAULT, WSAEINVAL, WSAENOTSOCK } from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import { AfdPollEvent } from '../port/index.ts';
import type { PendingRequest } from './request.ts';

/** Bytes of an entry asked, {descriptor, events}, and of one answered, {descriptor, events, error}. */
const ASKED_LEN = 8;
const ANSWERED_LEN = 12;
/** Bits whose answer carries an error code. */
const FAILURES = AfdPollEvent.abort | AfdPollEvent.connectFail;

/** What can be polled. */
export interface PollTarget {
  /** AfdPollEvent bits that are true now. */
  pollState(): number;
  /** The WSA code behind `abort` or `connectFail`. */
  readonly pollError: number;
  /** The polls that wait for it. */
  watches: Set<PollWatch> | null;
}

/** Finds what a descriptor refers to. */
export type PollLookup = (descriptor: number) => PollTarget | null;

/** What is wrong with the buffers of a poll: 0, or the code. */
export function checkPoll(data: Uint8Array | null, into: Uint8Array | null): number {
  if (data === null || data.length === 0 || data.length % ASKED_LEN !== 0) return WSAEINVAL;
  return into === null || into.length < (data.length / ASKED_LEN) * ANSWERED_LEN ? WSAEFAULT : 0;
}

/**
 * Writes the entries that are true now. A descriptor that is not open is `localClose` with WSAENOTSOCK; `justClosed` is the one
 * that was closed while the poll waited, without a code.
 * @returns how many
 */
export function pollNow(lookup: PollLookup, data: Uint8Array, into: Uint8Array, justClosed: number): number {
  let end = 0;
  for (let at = 0; at < data.length; at += ASKED_LEN) {
    const descriptor = i32le(data, at);
    const endpoint = lookup(descriptor);
    let events: number = AfdPollEvent.localClose;
    let error = 0;
    if (endpoint === null) {
      error = descriptor === justClosed ? 0 : WSAENOTSOCK;
    } else {
      events = endpoint.pollState() & i32le(data, at + 4);
      if ((events & FAILURES) !== 0) error = endpoint.pollError;
    }
    if (events === 0) continue;
    putI32le(into, end, descriptor);
    putI32le(into, end + 4, events);
    putI32le(into, end + 8, error);
    end += ANSWERED_LEN;
  }
  return end / ANSWERED_LEN;
}

/** A poll that waits: filed with each of its endpoints. */
export class PollWatch {
  readonly #request: PendingRequest;
  readonly #lookup: PollLookup;
  /** What is asked of each endpoint, by any of its descriptors. */
  readonly #masks = new Map<PollTarget, number>();

  constructor(request: PendingRequest, lookup: PollLookup) {
    this.#request = request;
    this.#lookup = lookup;
    const data = request.data as Uint8Array;
    for (let at = 0; at < data.length; at += ASKED_LEN) {
      const endpoint = lookup(i32le(data, at));
      if (endpoint === null) continue;
      this.#masks.set(endpoint, (this.#masks.get(endpoint) ?? 0) | i32le(data, at + 4));
      endpoint.watches ??= new Set();
      endpoint.watches.add(this);
    }
    request.detach = () => this.#detach();
  }

  /** Completes the poll when what is asked of `endpoint` is true. */
  check(endpoint: PollTarget): void {
    const mask = this.#masks.get(endpoint) ?? 0;
    if ((endpoint.pollState() & mask) !== 0) this.#finish(0);
  }

  /** A descriptor of this poll's session was closed; it is no longer found by the lookup. */
  descriptorClosed(descriptor: number): void {
    const data = this.#request.data;
    if (data === null) return;
    for (let at = 0; at < data.length; at += ASKED_LEN) {
      if (i32le(data, at) !== descriptor) continue;
      this.#finish(descriptor);
      return;
    }
  }

  /** Whether it belongs to the session of `owner`. */
  isOf(owner: unknown): boolean {
    return this.#request.owner === owner;
  }

  #finish(justClosed: number): void {
    const { data, into } = this.#request;
    if (data === null || into === null) return;
    this.#request.complete(0, pollNow(this.#lookup, data, into, justClosed));
  }

  #detach(): void {
    for (const endpoint of this.#masks.keys()) endpoint.watches?.delete(this);
    this.#masks.clear();
  }
}
