/**
 * The caller's side of the blocking face: posts a call in a mailbox and sleeps until the chain thread has answered it.
 */

import { isMainThread } from 'node:worker_threads';
import { WSAEOPNOTSUPP, WSASYSNOTREADY } from '../abi/index.ts';
import type { ConditionFunction } from '../spi/index.ts';
import type { ChainData } from './chain-control.ts';
import { register } from './chain-control.ts';
import { ANSWERED, BODY_LEN, CALLBACK, CLOSED, Mailbox, POSTED, RESUMED } from './mailbox.ts';
import { callback, none } from './marshal.ts';
import { SIGNATURES } from './signatures.ts';

/** What a condition function that threw has decided: nothing (WSAEINVAL). */
const UNDECIDED = -1;

export class ChainClient {
  readonly #data: Omit<ChainData, 'control'>;
  /** One for each call that is under way: a callback may make calls of its own. */
  readonly #boxes: Mailbox[] = [];
  #depth = 0;

  constructor(data: Omit<ChainData, 'control'>) {
    this.#data = data;
    // A thread that ends leaves nobody waiting for it; with the main thread everything ends.
    if (!isMainThread) process.on('exit', () => this.close());
  }

  /**
   * Makes a call by its place in the table of signatures.
   * @returns its answer: 0 or more, or minus a WSA code
   */
  call(index: number, args: readonly unknown[]): number {
    const signature = SIGNATURES[index];
    if (signature === undefined) return -WSAEOPNOTSUPP;
    const { slots } = signature;
    const places: number[] = [];
    let size = 0;
    for (const [i, slot] of slots.entries()) {
      if (slot === none && args[i] !== null && args[i] !== undefined) return -WSAEOPNOTSUPP;
      places.push(size);
      size += slot.size(args[i] as never);
    }
    const box = this.#boxFor(size);
    if (box === null) return -WSASYSNOTREADY;
    for (const [i, slot] of slots.entries()) slot.put(box, places[i] as number, args[i] as never);
    box.call = index;
    this.#depth++;
    try {
      this.#run(box, args[slots.indexOf(callback)] as ConditionFunction | undefined);
    } finally {
      this.#depth--;
    }
    for (const [i, slot] of slots.entries()) slot.collect?.(box, places[i] as number, args[i] as never);
    return box.answer;
  }

  /** Gives the mailboxes up. */
  close(): void {
    for (const box of this.#boxes) box.setState(CLOSED);
    this.#boxes.length = 0;
  }

  /** Sleeps until the answer is there; runs what the chain thread asks for meanwhile. */
  #run(box: Mailbox, condition: ConditionFunction | undefined): void {
    let thrown: { readonly error: unknown } | null = null;
    box.setState(POSTED);
    for (;;) {
      const state = box.sleepWhile(POSTED);
      if (state === ANSWERED) break;
      if (state === CALLBACK) {
        const outcome = decide(box, condition);
        thrown = outcome.thrown;
        box.callbackResult = outcome.result;
        box.setState(RESUMED);
      }
      if (box.state === RESUMED) box.sleepWhile(RESUMED);
    }
    if (thrown !== null) throw thrown.error;
  }

  /** The mailbox for a call at this depth; a larger one takes its place when a message does not fit. */
  #boxFor(size: number): Mailbox | null {
    const current = this.#boxes[this.#depth];
    if (current !== undefined && current.body.length >= size) return current;
    const box = Mailbox.create(Math.max(BODY_LEN, roundUp(size)));
    if (!register(box, this.#data)) return null;
    current?.setState(CLOSED);
    this.#boxes[this.#depth] = box;
    return box;
  }
}

/** Runs a condition function in the thread that made the call (SEM-COND-01). */
function decide(
  box: Mailbox,
  condition: ConditionFunction | undefined,
): { readonly result: number; readonly thrown: { readonly error: unknown } | null } {
  const { caller, callee, context } = box.callback();
  try {
    const result = condition?.(caller, null, null, null, callee, null, { value: 0 }, context);
    return { result: typeof result === 'number' ? result : UNDECIDED, thrown: null };
  } catch (error) {
    return { result: UNDECIDED, thrown: { error } };
  }
}

/** The next power of two: a mailbox that grew once seldom grows again. */
function roundUp(size: number): number {
  let room = BODY_LEN;
  while (room < size) room *= 2;
  return room;
}
