/**
 * Overlapped records of the blocking face, on both sides: each operation has a number, under which its thread knows the record that
 * the application gave, and the chain thread the one that it works with. One set for each thread, as each has its own modules.
 */

import { STATUS_PENDING } from '../abi/index.ts';
import type { WSAOVERLAPPED } from '../spi/index.ts';

/** Threads that may begin operations, and operations of each before their numbers come again. */
const PER_THREAD = 2 ** 32;

/** The number of a thread's `n`th operation. */
export function operationNumber(thread: number, n: number): number {
  return thread * PER_THREAD + (n % PER_THREAD);
}

/** Which thread an operation was begun in. */
export function threadOfOperation(number: number): number {
  return Math.floor(number / PER_THREAD);
}

/** An operation in the thread that began it. */
export interface OwnOperation {
  readonly record: WSAOVERLAPPED;
  /** Brings its results to the application, once; when it is done. */
  collect(): void;
}

/** The caller's side: what this thread has begun. */
export const ownOperations = new Map<number, OwnOperation>();
/** The latest operation of each record. */
export const latestOf = new WeakMap<WSAOVERLAPPED, number>();

/** The chain thread's side: the records that it works with. */
export const liveRecords = new Map<number, WSAOVERLAPPED>();
/** Their numbers. */
export const numberOf = new WeakMap<WSAOVERLAPPED, number>();

/** A record that belongs to nobody here. */
export function emptyRecord(): WSAOVERLAPPED {
  return { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
}

/** The members of a record, in the order in which they travel. */
export const MEMBERS = ['Internal', 'InternalHigh', 'Offset', 'OffsetHigh', 'hEvent', 'Tag'] as const;

/** Copies the members of a record that the system writes. `Internal` comes last. */
export function copyResult(from: WSAOVERLAPPED, to: WSAOVERLAPPED): void {
  to.InternalHigh = from.InternalHigh;
  to.Offset = from.Offset;
  to.OffsetHigh = from.OffsetHigh;
  to.Internal = from.Internal;
}

/** Whether the operation of a record is under way. */
export function isUnderWay(record: WSAOVERLAPPED): boolean {
  return record.Internal === STATUS_PENDING;
}
