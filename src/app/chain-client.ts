/**
 * The caller's side of the blocking face: posts a call in a mailbox and sleeps until the chain thread has answered it.
 */

import { isMainThread, threadId } from 'node:worker_threads';
import {
  WSA_IO_PENDING,
  WSAENETDOWN,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSASYSNOTREADY,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { ConditionFunction } from '../spi/index.ts';
import { isSocketFirst, needsStartup, unreadableError } from './argument-kinds.ts';
import { Callback, type CallbackMessage, UNDECIDED } from './callbacks.ts';
import {
  type ChainData,
  chainGeneration,
  endLoopingChain,
  hasChainEnded,
  register,
} from './chain-control.ts';
import { OPERATION, OPERATION_NUMBERS } from './chain-operations.ts';
import { admitted } from './kinds.ts';
import { ANSWERED, BODY_LEN, CALLBACK, CLOSED, Mailbox, POSTED, RESUMED } from './mailbox.ts';
import { callback } from './marshal.ts';
import { overlapped } from './marshal-overlapped.ts';
import { requestBuffer } from './marshal-requests.ts';
import { MESSAGE_MAX, Operations } from './operations.ts';
import { SIGNATURES, type Signature } from './signatures.ts';
import { ICMP_CALLS, shapeOf } from './signatures-icmp.ts';
import { putNumber, WORD } from './slot.ts';
import { hookRunner, SSL_CALLBACKS } from './ssl-hooks.ts';

/** How long a thread sleeps before it looks whether there is still somebody to answer, ms. */
const LOOK_INTERVAL = 1000;

/** A call that does nothing without a socket. */
const ANY_SOCKET_CALL = SIGNATURES.findIndex(({ name }) => name === 'WSAHtons');

/** Runs a function of the application's. @param reply sends bytes back besides the answer */
export type CallbackHandler = (message: CallbackMessage, reply: (bytes: Uint8Array) => void) => number;

export class ChainClient {
  /** Functions of this thread that belong to no single call, by {@link Callback}. */
  readonly handlers = new Map<number, CallbackHandler>();
  /** What this thread has under way. */
  readonly operations = new Operations();
  readonly #data: Omit<ChainData, 'control' | 'application'>;
  /** One for each call that is under way: a callback may make calls of its own. */
  readonly #boxes: Mailbox[] = [];
  #depth = 0;
  /** Which chain thread serves the mailboxes. */
  #generation = 0;

  constructor(data: Omit<ChainData, 'control' | 'application'>) {
    this.#data = data;
    this.handlers.set(Callback.completion, ({ numbers }) => {
      const [number = 0, error = 0, bytes = 0, flags = 0] = numbers;
      return this.operations.runRoutine(number, error, bytes, flags);
    });
    const runHook = hookRunner();
    for (const kind of SSL_CALLBACKS) this.handlers.set(kind, runHook);
    // A thread that ends leaves nobody waiting for it; with the main thread everything ends.
    if (!isMainThread) process.on('exit', () => this.close());
  }

  /**
   * Makes a call by its place in the table of signatures.
   * @returns its answer: 0 or more, or minus a WSA code
   */
  call(index: number, given: readonly unknown[]): number {
    const shape = shapeOf(index);
    if (shape === undefined) return -WSAEOPNOTSUPP;
    const { slots, kinds } = shape;
    const args = admitted(kinds, given);
    if (args === null) return this.unreadable(index, given[0]);
    const signature = SIGNATURES[index];
    const laterAt = slots.findIndex((slot) => slot === overlapped || slot === requestBuffer);
    if (signature !== undefined && laterAt >= 0 && (args[laterAt] ?? null) !== null) {
      return this.#begin(index, signature, args, slots[laterAt] === overlapped);
    }
    const places: number[] = [];
    let size = 0;
    for (const [i, slot] of slots.entries()) {
      places.push(size);
      size += slot.size(args[i] as never);
    }
    if (size > MESSAGE_MAX) return -WSAENOBUFS;
    const box = this.#boxFor(size);
    if (box === null) return -WSASYSNOTREADY;
    for (const [i, slot] of slots.entries()) slot.put(box, places[i] as number, args[i] as never);
    box.call = index;
    this.#depth++;
    let isAnswered: boolean;
    try {
      isAnswered = this.#run(box, args[slots.indexOf(callback)] as ConditionFunction | undefined);
    } finally {
      this.#depth--;
    }
    if (!isAnswered) return -WSAENETDOWN;
    const { answer } = box;
    for (const [i, slot] of slots.entries()) slot.collect?.(box, places[i] as number, args[i] as never);
    this.operations.sweep();
    return answer;
  }

  /** A call with an argument that can't be read: WSAEFAULT, after what is looked at before (SEM-C-*). */
  unreadable(index: number, first: unknown): number {
    const name = SIGNATURES[index]?.name ?? '';
    const error = -unreadableError(name);
    if (index >= ICMP_CALLS || !needsStartup(name)) return error;
    const hasSocket = isSocketFirst(name);
    const answer = this.call(ANY_SOCKET_CALL, [hasSocket ? first : Number.NaN, 0, { value: 0 }]);
    return answer === 0 || (answer === -WSAENOTSOCK && !hasSocket) ? error : answer;
  }

  /**
   * Makes a call that begins something: only where its message is goes through the mailbox.
   * @param isOperation false: a request that tells by a message, and is never done when the call returns
   */
  #begin(index: number, signature: Signature, args: readonly unknown[], isOperation: boolean): number {
    // The first call starts the chain thread, which memory is shared with.
    const box = this.#boxFor(OPERATION_NUMBERS * WORD);
    if (box === null) return -WSASYSNOTREADY;
    const posted = this.operations.begin(signature, args);
    if (posted === null) return -WSAENOBUFS;
    const { number, block, placesAt } = posted;
    const numbers = [index, number, block.memoryNumber, block.at, block.length, placesAt];
    for (const [i, value] of numbers.entries()) putNumber(box, WORD * i, value);
    box.call = OPERATION;
    this.#depth++;
    let isAnswered = false;
    try {
      isAnswered = this.#run(box, undefined);
    } finally {
      this.#depth--;
    }
    const answer = isAnswered ? box.answer : -WSAENETDOWN;
    const isStarted = answer >= 0 || answer === -WSA_IO_PENDING;
    this.operations.returned(posted, isStarted, isOperation && answer >= 0);
    this.operations.sweep();
    return answer;
  }

  /** Shares memory for the next call. @returns its number; 0 when there is no chain thread to share it with */
  share(memory: SharedArrayBuffer): number {
    return this.#boxFor(0) === null ? 0 : this.operations.shareOnce(memory);
  }

  /** Gives the mailboxes up. */
  close(): void {
    for (const box of this.#boxes) box.setState(CLOSED);
    this.#boxes.length = 0;
  }

  /**
   * Sleeps until the answer is there; runs what the chain thread asks for meanwhile.
   * @returns false when nobody is there to answer any more
   */
  #run(box: Mailbox, condition: ConditionFunction | undefined): boolean {
    let thrown: { readonly error: unknown } | null = null;
    const generation = this.#generation;
    let state = POSTED;
    box.setState(POSTED);
    while (state !== ANSWERED) {
      if (state === CALLBACK) {
        const outcome = this.#runCallback(box, condition);
        thrown ??= outcome.thrown;
        box.callbackResult = outcome.result;
        state = RESUMED;
        box.setState(RESUMED);
      }
      // Looked at after the mailbox was set: an ending chain thread answers the ones that it finds waiting.
      if (hasChainEnded(generation, false)) return false;
      const before = state;
      state = box.sleepWhile(before, LOOK_INTERVAL);
      if (state === before) endLoopingChain();
      if (state === before && hasChainEnded(generation, true)) return false;
    }
    if (thrown !== null) throw thrown.error;
    return true;
  }

  #runCallback(
    box: Mailbox,
    condition: ConditionFunction | undefined,
  ): { readonly result: number; readonly thrown: { readonly error: unknown } | null } {
    const message = box.callback();
    try {
      if (message.kind !== Callback.condition) {
        const result = this.handlers.get(message.kind)?.(message, (bytes) => box.setReply(bytes));
        return { result: result ?? UNDECIDED, thrown: null };
      }
      const { first, second, numbers } = message;
      const result = condition?.(first, null, null, null, second, EMPTY, { value: 0 }, numbers[0] ?? 0);
      return { result: typeof result === 'number' ? result : UNDECIDED, thrown: null };
    } catch (error) {
      return { result: UNDECIDED, thrown: { error } };
    }
  }

  /** The mailbox for a call at this depth; a larger one takes its place when a message does not fit. */
  #boxFor(size: number): Mailbox | null {
    if (hasChainEnded(this.#generation, false)) {
      this.#boxes.length = 0;
      this.operations.reset();
    }
    const current = this.#boxes[this.#depth];
    if (current !== undefined && current.body.length >= size) return current;
    const box = Mailbox.create(threadId, Math.max(BODY_LEN, roundUp(size)));
    if (!register(box, this.#data)) return null;
    this.#generation = chainGeneration();
    current?.setState(CLOSED);
    this.#boxes[this.#depth] = box;
    return box;
  }
}

/** The next power of two: a mailbox that grew once seldom grows again. */
function roundUp(size: number): number {
  let room = BODY_LEN;
  while (room < size) room *= 2;
  return room;
}
