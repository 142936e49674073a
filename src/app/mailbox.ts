/**
 * A mailbox: shared memory through which one thread has a call made by the chain thread, and sleeps until it is answered.
 *
 *        0  state (Int32), which both sides wait on        16  answer (Float64)
 *        4  which call (Int32)                             24  callback: its result (Float64), which function (Int32),
 *        8  how many bytes were received (Int32)               lengths of two byte ranges (Int32 each)
 *       12  the caller's thread (Int32)                    48  six numbers for it (Float64)
 *     512  the message: arguments, in place (see `marshal`)    96 and 296  the byte ranges; bytes of its reply
 *
 *     caller   new → (chain) idle → posted ─────────────────────────────→ (sleeps) → reads the answer → idle
 *     chain    posted → answered, or posted → callback → (caller runs it) → resumed → … → answered
 *
 * A mailbox carries one call. While the caller runs a callback, its own calls go through another one. Which functions there are
 * is said in `callbacks`.
 */

import type { CallbackMessage } from './callbacks.ts';

/** Values of the state word: no call yet. */
export const IDLE = 0;
/** A call waits for the chain thread. */
export const POSTED = 1;
/** The answer is there. */
export const ANSWERED = 2;
/** The chain thread asks the caller to run a function. */
export const CALLBACK = 3;
/** The caller has run it. */
export const RESUMED = 4;
/** The caller's thread has ended, or uses a larger mailbox now. */
export const CLOSED = 5;
/** The chain thread does not know it yet. */
export const NEW = 6;

const STATE = 0;
const CALL = 1;
const RECEIVED = 2;
const THREAD = 3;
const ANSWER_AT = 16;
const CALLBACK_RESULT_AT = 24;
const CALLBACK_KIND = 8;
const CALLBACK_FIRST_LEN = 9;
const CALLBACK_SECOND_LEN = 10;
const CALLBACK_NUMBERS_AT = 48;
const CALLBACK_NUMBERS = 6;
const CALLBACK_FIRST_AT = 96;
const CALLBACK_SECOND_AT = 296;
const CALLBACK_BYTES_MAX = 200;
/** Bytes of a callback's reply: both ranges. */
export const REPLY_MAX = 2 * CALLBACK_BYTES_MAX;
/** Where the message starts. */
const BODY_AT = 512;

/** Bytes of a mailbox before its message. */
export const HEAD_LEN = BODY_AT;

/** Room for messages of a mailbox unless a call needs more. */
export const BODY_LEN = 64 * 1024;

/** `Atomics.waitAsync` (ECMAScript 2024), which the configured library does not declare. */
interface AtomicsWithWaitAsync {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
  ):
    | { readonly async: false; readonly value: string }
    | { readonly async: true; readonly value: Promise<string> };
}

export class Mailbox {
  readonly memory: SharedArrayBuffer;
  /** The message's bytes. */
  readonly body: Uint8Array;
  readonly view: DataView;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #header: DataView;

  /** @param at where in the memory it lies, a multiple of 8, @param length how long it is */
  constructor(memory: SharedArrayBuffer, at = 0, length = memory.byteLength - at) {
    this.memory = memory;
    this.body = new Uint8Array(memory, at + BODY_AT, length - BODY_AT);
    this.view = new DataView(memory, at + BODY_AT, length - BODY_AT);
    this.#words = new Int32Array(memory, at, BODY_AT / 4);
    this.#bytes = new Uint8Array(memory, at, BODY_AT);
    this.#header = new DataView(memory, at, BODY_AT);
  }

  /** A new one of a thread, with room for messages of `bodyLength` bytes. */
  static create(thread: number, bodyLength: number = BODY_LEN): Mailbox {
    const mailbox = new Mailbox(new SharedArrayBuffer(BODY_AT + bodyLength));
    mailbox.thread = thread;
    mailbox.setState(NEW);
    return mailbox;
  }

  get state(): number {
    return Atomics.load(this.#words, STATE);
  }

  /** Changes the state and wakes the other side. */
  setState(state: number): void {
    Atomics.store(this.#words, STATE, state);
    Atomics.notify(this.#words, STATE);
  }

  /** Which call: a place in the table of `signatures`. */
  get call(): number {
    return this.#words[CALL] as number;
  }

  set call(call: number) {
    this.#words[CALL] = call;
  }

  /** Bytes that a receive put into the buffers of its message; the rest of the caller's memory stays as it is. */
  get received(): number {
    return this.#words[RECEIVED] as number;
  }

  set received(length: number) {
    this.#words[RECEIVED] = length;
  }

  get answer(): number {
    return this.#header.getFloat64(ANSWER_AT, true);
  }

  set answer(answer: number) {
    this.#header.setFloat64(ANSWER_AT, answer, true);
  }

  /** Which of the process's threads makes calls through it. */
  get thread(): number {
    return this.#words[THREAD] as number;
  }

  set thread(thread: number) {
    this.#words[THREAD] = thread;
  }

  get callbackResult(): number {
    return this.#header.getFloat64(CALLBACK_RESULT_AT, true);
  }

  set callbackResult(result: number) {
    this.#header.setFloat64(CALLBACK_RESULT_AT, result, true);
  }

  /** Says which function the caller shall run, and what it is told: six numbers and twice 200 bytes at most. */
  setCallback({ kind, numbers, first, second }: CallbackMessage): void {
    this.#words[CALLBACK_KIND] = kind;
    for (let i = 0; i < CALLBACK_NUMBERS; i++) {
      this.#header.setFloat64(CALLBACK_NUMBERS_AT + 8 * i, numbers[i] ?? 0, true);
    }
    const [one, two] = [first.subarray(0, CALLBACK_BYTES_MAX), second.subarray(0, CALLBACK_BYTES_MAX)];
    this.#words[CALLBACK_FIRST_LEN] = one.length;
    this.#words[CALLBACK_SECOND_LEN] = two.length;
    this.#bytes.set(one, CALLBACK_FIRST_AT);
    this.#bytes.set(two, CALLBACK_SECOND_AT);
  }

  /** The same, read: copies. */
  callback(): CallbackMessage {
    const numbers: number[] = [];
    for (let i = 0; i < CALLBACK_NUMBERS; i++) {
      numbers.push(this.#header.getFloat64(CALLBACK_NUMBERS_AT + 8 * i, true));
    }
    return {
      kind: this.#words[CALLBACK_KIND] as number,
      numbers,
      first: this.#copy(CALLBACK_FIRST_AT, this.#words[CALLBACK_FIRST_LEN] as number),
      second: this.#copy(CALLBACK_SECOND_AT, this.#words[CALLBACK_SECOND_LEN] as number),
    };
  }

  /** What a callback answers besides its result: {@link REPLY_MAX} bytes at most. */
  setReply(bytes: Uint8Array): void {
    const reply = bytes.subarray(0, REPLY_MAX);
    this.#words[CALLBACK_FIRST_LEN] = reply.length;
    this.#bytes.set(reply, CALLBACK_FIRST_AT);
  }

  /** The same, read: a copy. */
  reply(): Uint8Array {
    const length = this.#words[CALLBACK_FIRST_LEN] as number;
    return this.#copy(CALLBACK_FIRST_AT, Math.max(0, Math.min(length, REPLY_MAX)));
  }

  /** Sleeps while the state is `state`; the whole thread does. @returns the new state, the same one after `timeout` ms */
  sleepWhile(state: number, timeout = Number.POSITIVE_INFINITY): number {
    Atomics.wait(this.#words, STATE, state, timeout);
    return this.state;
  }

  /** Resolves when the state is not `state` (any more); the thread goes on meanwhile. */
  async changeFrom(state: number): Promise<number> {
    while (this.state === state) {
      const wait = (Atomics as unknown as AtomicsWithWaitAsync).waitAsync(this.#words, STATE, state);
      if (wait.async) await wait.value;
    }
    return this.state;
  }

  #copy(at: number, length: number): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(at, at + length));
  }
}
