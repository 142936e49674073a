/**
 * A mailbox: shared memory through which one thread has a call made by the chain thread, and sleeps until it is answered.
 *
 *        0  state (Int32), which both sides wait on        16  answer (Float64)
 *        4  which call (Int32)                             24  callback: context (Float64), its result (Int32),
 *        8  how many bytes were received (Int32)               lengths of two addresses (Int32 each), the addresses
 *     512  the message: arguments, in place (see `marshal`)
 *
 *     caller   new → (chain) idle → posted ─────────────────────────────→ (sleeps) → reads the answer → idle
 *     chain    posted → answered, or posted → callback → (caller runs it) → resumed → … → answered
 *
 * A mailbox carries one call. While the caller runs a callback, its own calls go through another one.
 */

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
const ANSWER_AT = 16;
const CALLBACK_CONTEXT_AT = 24;
const CALLBACK_RESULT = 8;
const CALLBACK_CALLER_LEN = 9;
const CALLBACK_CALLEE_LEN = 10;
const CALLBACK_CALLER_AT = 48;
const CALLBACK_CALLEE_AT = 256;
const CALLBACK_ADDRESS_MAX = 200;
/** Where the message starts. */
const BODY_AT = 512;

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

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.body = new Uint8Array(memory, BODY_AT);
    this.view = new DataView(memory, BODY_AT);
    this.#words = new Int32Array(memory, 0, BODY_AT / 4);
    this.#bytes = new Uint8Array(memory, 0, BODY_AT);
    this.#header = new DataView(memory, 0, BODY_AT);
  }

  /** A new one with room for messages of `bodyLength` bytes. */
  static create(bodyLength: number = BODY_LEN): Mailbox {
    const mailbox = new Mailbox(new SharedArrayBuffer(BODY_AT + bodyLength));
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

  get callbackResult(): number {
    return this.#words[CALLBACK_RESULT] as number;
  }

  set callbackResult(result: number) {
    this.#words[CALLBACK_RESULT] = result;
  }

  /** What a condition function is told: both addresses and its context. */
  setCallback(caller: Uint8Array, callee: Uint8Array, context: number): void {
    const callerId = caller.subarray(0, CALLBACK_ADDRESS_MAX);
    const calleeId = callee.subarray(0, CALLBACK_ADDRESS_MAX);
    this.#words[CALLBACK_CALLER_LEN] = callerId.length;
    this.#words[CALLBACK_CALLEE_LEN] = calleeId.length;
    this.#bytes.set(callerId, CALLBACK_CALLER_AT);
    this.#bytes.set(calleeId, CALLBACK_CALLEE_AT);
    this.#header.setFloat64(CALLBACK_CONTEXT_AT, context, true);
  }

  /** The same, read: copies. */
  callback(): { readonly caller: Uint8Array; readonly callee: Uint8Array; readonly context: number } {
    const callerEnd = CALLBACK_CALLER_AT + (this.#words[CALLBACK_CALLER_LEN] as number);
    const calleeEnd = CALLBACK_CALLEE_AT + (this.#words[CALLBACK_CALLEE_LEN] as number);
    return {
      caller: Uint8Array.from(this.#bytes.subarray(CALLBACK_CALLER_AT, callerEnd)),
      callee: Uint8Array.from(this.#bytes.subarray(CALLBACK_CALLEE_AT, calleeEnd)),
      context: this.#header.getFloat64(CALLBACK_CONTEXT_AT, true),
    };
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
}
