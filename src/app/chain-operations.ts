/**
 * The chain thread's side of overlapped operations: makes the call whose message lies in a block of shared memory, and leaves in
 * the block what the operation writes when it is done.
 */

import { STATUS_PENDING, WSA_IO_PENDING, WSAENETDOWN } from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { Answer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';
import type { QueuedRecord } from '../winsock/index.ts';
import { Callback } from './callbacks.ts';
import type { ClientThread } from './client-thread.ts';
import { Mailbox } from './mailbox.ts';
import { overlapped, putRecord, routine } from './marshal-overlapped.ts';
import { requestBuffer } from './marshal-requests.ts';
import { count, PLACE_LEN } from './operations.ts';
import { DONE, RELEASED } from './own-message.ts';
import { liveRecords, numberOf, threadOfOperation } from './records.ts';
import { SIGNATURES, type Signature } from './signatures.ts';
import { takeNumber, WORD } from './slot.ts';

/** The message that a mailbox carries in the place of a call: where the call's own message is. */
export const OPERATION = -1;
/** Its numbers: which call, the operation's number, the memory's, where in it, how long, where the shared places are listed. */
export const OPERATION_NUMBERS = 6;

type AnyCall = (...args: readonly unknown[]) => Answer;

/** Memory that threads of the application share with this one, by number. */
export class SharedMemories {
  readonly #byNumber = new Map<number, SharedArrayBuffer>();
  /** The latest operation of each block. */
  readonly #operations = new Map<string, number>();

  add(number: number, memory: SharedArrayBuffer): void {
    this.#byNumber.set(number, memory);
  }

  /** An operation takes the block of one that its thread has forgotten. */
  begin(number: number, memory: number, at: number): void {
    const block = `${memory}:${at}`;
    const before = this.#operations.get(block);
    if (before !== undefined) liveRecords.delete(before);
    this.#operations.set(block, number);
  }

  /** A thread has ended. */
  forget(thread: number): void {
    for (const [block, number] of [...this.#operations]) {
      if (threadOfOperation(number) !== thread) continue;
      liveRecords.delete(number);
      this.#operations.delete(block);
    }
    for (const number of [...this.#byNumber.keys()]) {
      if (threadOfOperation(number) === thread) this.#byNumber.delete(number);
    }
  }

  /** A range of one; `null` when there is none such. */
  range(number: number, at: number, length: number): Uint8Array | null {
    const memory = this.#byNumber.get(number);
    return memory === undefined || at + length > memory.byteLength
      ? null
      : new Uint8Array(memory, at, length);
  }

  /** The same of memory that was shared for one call, and can be forgotten. */
  takeRange(number: number, at: number, length: number): Uint8Array | null {
    const range = this.range(number, at, length);
    this.#byNumber.delete(number);
    return range;
  }

  mailbox(number: number, at: number, length: number): Mailbox | null {
    const memory = this.#byNumber.get(number);
    return memory === undefined || at + length > memory.byteLength ? null : new Mailbox(memory, at, length);
  }
}

/** A call that begins an operation, as a mailbox names it. */
export interface BegunCall {
  readonly signature: Signature;
  readonly number: number;
  readonly box: Mailbox;
  readonly placesAt: number;
}

/** Reads which one; `null`: the caller and this thread do not share that memory. */
export function readBegun(box: Mailbox, memories: SharedMemories): BegunCall | null {
  const [call = -1, number = 0, memory = 0, at = 0, length = 0, placesAt = 0] = Array.from(
    { length: OPERATION_NUMBERS },
    (_, i) => takeNumber(box, WORD * i),
  );
  const signature = SIGNATURES[call];
  const own = memories.mailbox(memory, at, length);
  if (signature === undefined || own === null) return null;
  memories.begin(number, memory, at);
  return { signature, number, box: own, placesAt };
}

/** Makes a call that begins an operation. */
export function invokeOperation(
  call: AnyCall,
  thread: ClientThread,
  begun: BegunCall,
  memories: SharedMemories,
): Answer {
  const { signature, number, box, placesAt } = begun;
  const { slots } = signature;
  const places: number[] = [];
  const args: unknown[] = [];
  let at = 0;
  for (const slot of slots) {
    const value: unknown = slot.take(box, at);
    places.push(at);
    at += slot.size(value as never);
    args.push(value);
  }
  if (!putShared(box, placesAt, args, memories)) return -WSAENETDOWN;
  const giveAll = (): void => {
    for (const [i, slot] of slots.entries()) slot.give?.(box, places[i] as number, args[i] as never);
  };
  const recordAt = slots.indexOf(overlapped);
  const record = new LiveRecord(
    number,
    args[recordAt] as WSAOVERLAPPED,
    (done) => {
      box.received = done.InternalHigh;
      giveAll();
      putRecord(box, (places[recordAt] as number) + WORD, done);
      box.setState(DONE);
      count(box);
    },
    () => {
      box.setState(RELEASED);
      count(box);
    },
  );
  args[recordAt] = record;
  const routineAt = slots.indexOf(routine);
  if (routineAt >= 0) args[routineAt] = args[routineAt] === true ? routineOf(thread, number, record) : null;
  if (signature.name === 'PostQueuedCompletionStatus') record.finish();
  const finish = (answer: number): number => {
    if (answer === -WSA_IO_PENDING) {
      for (const i of signature.early) slots[i]?.give?.(box, places[i] as number, args[i] as never);
      return answer;
    }
    // What the call itself has written, whether it succeeded or not.
    giveAll();
    if (answer < 0) {
      putRecord(box, (places[recordAt] as number) + WORD, record);
      record.abandon();
    }
    return answer;
  };
  const answer = call(...args);
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}

/**
 * Makes a call that begins a request.
 * @param watch has a function called when the request is done with a buffer
 */
export function invokeRequest(
  call: AnyCall,
  { signature, box, placesAt }: BegunCall,
  memories: SharedMemories,
  watch: (buffer: Uint8Array, onOver: () => void) => void,
): Answer {
  const args: unknown[] = [];
  let at = 0;
  for (const slot of signature.slots) {
    const value: unknown = slot.take(box, at);
    at += slot.size(value as never);
    args.push(value);
  }
  if (!putShared(box, placesAt, args, memories)) return -WSAENETDOWN;
  const buffer = args[signature.slots.indexOf(requestBuffer)];
  if (buffer instanceof Uint8Array) {
    let isOver = false;
    watch(buffer, () => {
      // Once: the block may serve another call by now.
      if (isOver) return;
      isOver = true;
      box.setState(RELEASED);
      count(box);
    });
  }
  return call(...args);
}

/** A routine that runs in the thread that gave it, in the call that this sleeps in, or in its next one. */
function routineOf(
  thread: ClientThread,
  number: number,
  record: LiveRecord,
): WSAOVERLAPPED_COMPLETION_ROUTINE {
  record.hold();
  return (error, bytes, _record, flags) => {
    const message = {
      kind: Callback.completion,
      numbers: [number, error, bytes, flags],
      first: EMPTY,
      second: EMPTY,
    };
    void thread.runSoon(message).then(() => record.letGo());
  };
}

/** Puts the application's own shared memory in the place of buffers. @returns whether all of it is known here */
function putShared(box: Mailbox, at: number, args: unknown[], memories: SharedMemories): boolean {
  const count = takeNumber(box, at);
  for (let i = 0; i < count; i++) {
    const [argument = 0, buffer = 0, memory = 0, from = 0, length = 0] = Array.from({ length: 5 }, (_, j) =>
      takeNumber(box, at + WORD + PLACE_LEN * i + WORD * j),
    );
    const bytes = memories.range(memory, from, length);
    if (bytes === null) return false;
    const value = args[argument];
    if (Array.isArray(value)) value[buffer] = bytes;
    else args[argument] = bytes;
  }
  return true;
}

/**
 * The record that the operation works with. It tells when it is done, and when nobody can ask for it any more: it lies in no port's
 * queue, and no routine waits to be told.
 */
class LiveRecord implements QueuedRecord {
  InternalHigh: number;
  Offset: number;
  OffsetHigh: number;
  hEvent: number;
  readonly #onDone: (record: WSAOVERLAPPED) => void;
  readonly #onReleased: () => void;
  readonly #number: number;
  #internal: number;
  #isDone = false;
  #isReleased = false;
  #holders = 0;

  constructor(
    number: number,
    from: WSAOVERLAPPED,
    onDone: (record: WSAOVERLAPPED) => void,
    onReleased: () => void,
  ) {
    this.#number = number;
    this.#internal = from.Internal;
    this.InternalHigh = from.InternalHigh;
    this.Offset = from.Offset;
    this.OffsetHigh = from.OffsetHigh;
    this.hEvent = from.hEvent;
    if (from.Tag !== undefined) Object.assign(this, { Tag: from.Tag });
    this.#onDone = onDone;
    this.#onReleased = onReleased;
    liveRecords.set(number, this);
    numberOf.set(this, number);
  }

  get Internal(): number {
    return this.#internal;
  }

  set Internal(status: number) {
    this.#internal = status;
    if (status !== STATUS_PENDING) this.finish();
  }

  /** The operation is done: nothing is written any more. */
  finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onDone(this);
    // The queue or the routine that is told comes next.
    queueMicrotask(() => this.#release());
  }

  /** There was no operation. */
  abandon(): void {
    this.#isReleased = true;
    liveRecords.delete(this.#number);
  }

  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    this.#holders--;
    this.#release();
  }

  #release(): void {
    if (!this.#isDone || this.#isReleased || this.#holders > 0) return;
    this.#isReleased = true;
    this.#onReleased();
  }
}
