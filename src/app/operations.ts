/**
 * The caller's side of overlapped operations: memory that the chain thread can reach until they are done, and the way of their
 * results to the application.
 *
 * The message of such a call lies in a block of shared memory of its own, which lives until the operation is done and everybody who
 * could ask has been told. The bytes that it receives are in the block; they are copied to the application's buffers in the thread
 * that began the operation, at the end of its first call after that, before a routine runs, and when the record is dequeued. A
 * buffer over a SharedArrayBuffer is filled by the chain thread itself: whoever looks sees the bytes once the record is done.
 *
 * A request that tells by a message (WSAAsyncGetXByY) goes the same way: it has a buffer and no record, and its buffer is filled when
 * the call returns in which the message is taken, at the latest.
 */

import { threadId } from 'node:worker_threads';
import type { WSAOVERLAPPED } from '../spi/index.ts';
import { shareMemory } from './chain-control.ts';
import { HEAD_LEN, Mailbox } from './mailbox.ts';
import { inout, outputs } from './marshal.ts';
import { overlapped } from './marshal-overlapped.ts';
import { requestBuffer } from './marshal-requests.ts';
import { type Block, OwnMessage, OwnRequest, RELEASED, type SharedPlace, UNDER_WAY } from './own-message.ts';
import { latestOf, operationNumber, ownOperations } from './records.ts';
import type { Signature } from './signature.ts';
import { putNumber, WORD } from './slot.ts';

/** Bytes before the blocks of a piece: a word that counts what has happened to its operations. */
const PIECE_HEAD_LEN = 64;
/** Bytes of the largest message. */
export const MESSAGE_MAX = 1 << 30;
/** Bytes of a piece of memory that is shared at a time, and the smallest block. */
const PIECE_LEN = 1024 * 1024;
const BLOCK_MIN = 1024;

/** Bytes of one in a message, and of the list's count. */
export const PLACE_LEN = 5 * WORD;

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
  /** What tells by a message. */
  readonly #requests = new Map<number, OwnRequest>();
  #lastMemory = 0;
  #last = 0;

  /** Forgets everything: the chain thread that it was shared with is gone. */
  reset(): void {
    this.#free.clear();
    this.#counts.length = 0;
    ownOperations.clear();
    this.#requests.clear();
  }

  /**
   * Writes the message of a call with a record, or with the buffer of a request, into a block of its own.
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
    if (size > MESSAGE_MAX) return null;
    const block = this.#allocate(HEAD_LEN + size + WORD + shared.length * PLACE_LEN);
    if (block === null) return null;
    const box = new Mailbox(block.memory, block.at, block.length);
    box.setState(UNDER_WAY);
    for (const [i, slot] of slots.entries()) slot.put(box, places[i] as number, args[i] as never);
    putPlaces(box, size, shared);
    const number = this.newNumber();
    const recordAt = slots.indexOf(overlapped);
    if (recordAt < 0) {
      this.#requests.set(number, new OwnRequest(signature, args, places, shared, box, block));
    } else {
      const record = args[recordAt] as WSAOVERLAPPED;
      latestOf.set(record, number);
      ownOperations.set(number, new OwnMessage(signature, args, places, shared, box, record, block));
    }
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
    if (this.#requests.has(posted.number)) {
      if (!isStarted) this.#drop(posted.number, posted.block);
      return;
    }
    const message = ownOperations.get(posted.number);
    if (!(message instanceof OwnMessage)) return;
    if (isDone || !isStarted) message.collectAll();
    else message.collectEarly();
    if (!isStarted) this.#drop(posted.number, posted.block);
  }

  /** Collects what is done, and takes back memory that nobody needs. For the end of every call. */
  sweep(): void {
    if (!this.#hasNews()) return;
    for (const [number, message] of ownOperations) {
      if (!(message instanceof OwnMessage)) continue;
      const { state } = message.box;
      if (state === UNDER_WAY) continue;
      message.collect();
      if (state === RELEASED) this.#drop(number, message.block);
    }
    for (const [number, request] of this.#requests) {
      if (request.box.state !== RELEASED) continue;
      request.collect();
      this.#drop(number, request.block);
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
      const buffers =
        slot === outputs
          ? (value as Uint8Array[] | null)
          : slot === inout || slot === requestBuffer
            ? [value]
            : null;
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

  #drop(number: number, block: Block): void {
    ownOperations.delete(number);
    this.#requests.delete(number);
    this.#free.get(block.length)?.push(block);
  }
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
