/**
 * The caller's side of overlapped operations: memory that the chain thread can reach until they are done, and the way of their
 * results to the application.
 *
 * The message of such a call lies in a block of shared memory of its own, which lives until the operation is done and everybody who
 * could ask has been told. The bytes that it receives are in the block; they are copied to the application's buffers in the thread
 * that began the operation, at the end of its first call after that, before a routine runs, and when the record is dequeued. A
 * buffer over a SharedArrayBuffer is filled by the chain thread itself: whoever looks sees the bytes once the record is done.
 */

import { threadId } from 'node:worker_threads';
import { STATUS_PENDING } from '../abi/index.ts';
import type { WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';
import { shareMemory } from './chain-control.ts';
import { HEAD_LEN, Mailbox } from './mailbox.ts';
import { inout, outputs } from './marshal.ts';
import { overlapped, routine, takeRecord } from './marshal-overlapped.ts';
import { copyResult, latestOf, operationNumber, ownOperations } from './records.ts';
import type { Signature } from './signature.ts';
import { putNumber, WORD } from './slot.ts';

/** States of a block, in the state word of its mailbox. */
export const UNDER_WAY = 16;
export const DONE = 17;
/** Nobody refers to it any more. */
export const RELEASED = 18;

/** Bytes before the blocks of a piece: a word that counts what has happened to its operations. */
const PIECE_HEAD_LEN = 64;
/** Bytes of a piece of memory that is shared at a time, and the smallest block. */
const PIECE_LEN = 1024 * 1024;
const BLOCK_MIN = 1024;

/** A buffer of the application's that is shared memory already. */
export interface SharedPlace {
  readonly argument: number;
  readonly buffer: number;
  readonly memory: number;
  readonly at: number;
  readonly length: number;
}
/** Bytes of one in a message, and of the list's count. */
export const PLACE_LEN = 5 * WORD;

interface Block {
  readonly memory: SharedArrayBuffer;
  readonly memoryNumber: number;
  readonly at: number;
  readonly length: number;
}

/** Says in the block's memory that something has happened to its operation. For the chain thread. */
export function count(box: Mailbox): void {
  Atomics.add(new Int32Array(box.memory, 0, 1), 0, 1);
}

/** How the chain thread finds a message: numbers for the mailbox. */
export interface Posted {
  readonly number: number;
  readonly block: Block;
  /** Where the list of shared places begins in the message's body. */
  readonly placesAt: number;
}

export class Operations {
  readonly #free = new Map<number, Block[]>();
  readonly #known = new WeakMap<SharedArrayBuffer, number>();
  /** The counting words of the pieces, and where they stood when this thread looked. */
  readonly #counts: { readonly word: Int32Array; seen: number }[] = [];
  #lastMemory = 0;
  #last = 0;

  /** Forgets everything: the chain thread that it was shared with is gone. */
  reset(): void {
    this.#free.clear();
    this.#counts.length = 0;
    ownOperations.clear();
  }

  /**
   * Writes the message of a call with a record into a block of its own.
   * @returns `null` when there is no memory that both threads can use
   */
  begin(signature: Signature, args: readonly unknown[]): Posted | null {
    const { slots } = signature;
    const places: number[] = [];
    let size = 0;
    for (const [i, slot] of slots.entries()) {
      places.push(size);
      size += slot.size(args[i] as never);
    }
    const shared = this.#sharedPlaces(signature, args);
    if (shared === null) return null;
    const block = this.#allocate(HEAD_LEN + size + WORD + shared.length * PLACE_LEN);
    if (block === null) return null;
    const box = new Mailbox(block.memory, block.at, block.length);
    box.setState(UNDER_WAY);
    for (const [i, slot] of slots.entries()) slot.put(box, places[i] as number, args[i] as never);
    putPlaces(box, size, shared);
    const number = this.newNumber();
    const record = args[slots.indexOf(overlapped)] as WSAOVERLAPPED;
    latestOf.set(record, number);
    ownOperations.set(number, new OwnMessage(signature, args, places, shared, box, record, block));
    return { number, block, placesAt: size };
  }

  /** A number for something that this thread keeps, as it has one for each operation. */
  newNumber(): number {
    return operationNumber(threadId, ++this.#last);
  }

  /** Shares memory for one call, which takes it. @returns its number; 0 when the chain thread does not answer */
  shareOnce(memory: SharedArrayBuffer): number {
    const number = operationNumber(threadId, ++this.#lastMemory);
    return shareMemory(memory, number) ? number : 0;
  }

  /**
   * The call has returned.
   * @param isStarted false: there is no operation @param isDone what it writes through pointers is there
   */
  returned(posted: Posted, isStarted: boolean, isDone: boolean): void {
    const message = ownOperations.get(posted.number);
    if (!(message instanceof OwnMessage)) return;
    if (isDone || !isStarted) message.collectAll();
    if (!isStarted) this.#drop(posted.number, message);
  }

  /** Collects what is done, and takes back memory that nobody needs. For the end of every call. */
  sweep(): void {
    if (!this.#hasNews()) return;
    for (const [number, message] of ownOperations) {
      if (!(message instanceof OwnMessage)) continue;
      const { state } = message.box;
      if (state === UNDER_WAY) continue;
      message.collect();
      if (state === RELEASED) this.#drop(number, message);
    }
  }

  /** Whether something has happened to an operation since the last time. */
  #hasNews(): boolean {
    let hasNews = false;
    for (const count of this.#counts) {
      const now = Atomics.load(count.word, 0);
      hasNews ||= now !== count.seen;
      count.seen = now;
    }
    return hasNews;
  }

  /** Runs the routine of an operation that is done. */
  runRoutine(number: number, error: number, bytes: number, flags: number): number {
    const message = ownOperations.get(number);
    if (!(message instanceof OwnMessage)) return 0;
    message.collect();
    message.routine?.(error, bytes, message.record, flags);
    return 0;
  }

  /** Shared memory of the application's in which a receive may put bytes; `null` when it cannot be shared. */
  #sharedPlaces({ slots }: Signature, args: readonly unknown[]): SharedPlace[] | null {
    const found: SharedPlace[] = [];
    for (const [argument, slot] of slots.entries()) {
      const value = args[argument];
      const buffers = slot === outputs ? (value as Uint8Array[] | null) : slot === inout ? [value] : null;
      for (const [buffer, bytes] of (buffers ?? []).entries()) {
        if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof SharedArrayBuffer)) continue;
        const memory = this.#share(bytes.buffer);
        if (memory === 0) return null;
        found.push({ argument, buffer, memory, at: bytes.byteOffset, length: bytes.length });
      }
    }
    return found;
  }

  #allocate(length: number): Block | null {
    let size = BLOCK_MIN;
    while (size < length) size *= 2;
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    const block = free.pop();
    if (block !== undefined) return block;
    const memory = new SharedArrayBuffer(PIECE_HEAD_LEN + Math.max(PIECE_LEN, size));
    const memoryNumber = this.#share(memory);
    if (memoryNumber === 0) return null;
    this.#counts.push({ word: new Int32Array(memory, 0, 1), seen: 0 });
    for (let at = PIECE_HEAD_LEN; at + size <= memory.byteLength; at += size) {
      free.push({ memory, memoryNumber, at, length: size });
    }
    return free.pop() ?? null;
  }

  /** @returns the number under which the chain thread knows it; 0 when that does not answer */
  #share(memory: SharedArrayBuffer): number {
    const known = this.#known.get(memory);
    if (known !== undefined) return known;
    const number = this.shareOnce(memory);
    if (number === 0) return 0;
    this.#known.set(memory, number);
    return number;
  }

  #drop(number: number, message: OwnMessage): void {
    ownOperations.delete(number);
    this.#free.get(message.block.length)?.push(message.block);
  }
}

/** An operation that this thread has begun. */
class OwnMessage {
  readonly box: Mailbox;
  readonly record: WSAOVERLAPPED;
  readonly block: Block;
  readonly routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  readonly #signature: Signature;
  readonly #args: readonly unknown[];
  readonly #places: readonly number[];
  #isCollected = false;

  constructor(
    signature: Signature,
    args: readonly unknown[],
    places: readonly number[],
    shared: readonly SharedPlace[],
    box: Mailbox,
    record: WSAOVERLAPPED,
    block: Block,
  ) {
    this.#signature = signature;
    this.#args = withoutShared(args, shared);
    this.#places = places;
    this.box = box;
    this.record = record;
    this.block = block;
    const given = args[signature.slots.indexOf(routine)];
    this.routine = typeof given === 'function' ? (given as WSAOVERLAPPED_COMPLETION_ROUTINE) : null;
    // The application sees at once that it is under way.
    if (signature.name !== 'PostQueuedCompletionStatus') record.Internal = STATUS_PENDING;
  }

  /** Everything that the call writes: it was done when it returned. */
  collectAll(): void {
    this.#collect(() => true);
  }

  /** What an operation writes when it is done later: buffers, and what its signature names beside them. */
  collect(): void {
    if (this.#isCollected || this.box.state === UNDER_WAY) return;
    const { slots, late } = this.#signature;
    this.#collect((i) => slots[i] === outputs || slots[i] === inout || late.includes(i));
  }

  #collect(isWanted: (argument: number) => boolean): void {
    if (this.#isCollected) return;
    this.#isCollected = true;
    const { slots, name } = this.#signature;
    for (const [i, slot] of slots.entries()) {
      if (isWanted(i)) slot.collect?.(this.box, this.#places[i] as number, this.#args[i] as never);
    }
    if (name === 'PostQueuedCompletionStatus') return;
    const at = (this.#places[slots.indexOf(overlapped)] as number) + WORD;
    copyResult(takeRecord(this.box, at), this.record);
  }
}

/** Arguments in which shared buffers, which need no copy, have others in their place. */
function withoutShared(args: readonly unknown[], shared: readonly SharedPlace[]): readonly unknown[] {
  if (shared.length === 0) return [...args];
  const own = [...args];
  for (const { argument, buffer, length } of shared) {
    const value = own[argument];
    const stand = new Uint8Array(length);
    own[argument] = Array.isArray(value) ? value.map((bytes, i) => (i === buffer ? stand : bytes)) : stand;
  }
  return own;
}

function putPlaces(box: Mailbox, at: number, places: readonly SharedPlace[]): void {
  putNumber(box, at, places.length);
  for (const [i, place] of places.entries()) {
    const { argument, buffer, memory, at: offset, length } = place;
    for (const [j, value] of [argument, buffer, memory, offset, length].entries()) {
      putNumber(box, at + WORD + PLACE_LEN * i + WORD * j, value);
    }
  }
}
