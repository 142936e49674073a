/**
 * What an application gives for registered I/O that only its own thread can hold: contexts that are no numbers, and the records of
 * notifications. The thread keeps them by number; the chain thread and the core work with the number's ticket.
 *
 * A thread is told which of its numbers nobody refers to any more with the answers to its next requests: what another thread has
 * dequeued, and what went with a queue or a socket.
 */

import type { RIO_BUF, WSAOVERLAPPED } from '../spi/index.ts';
import { ownOperations, threadOfOperation } from './records.ts';

/** Stands for a context. */
export interface Ticket {
  /** Under which its thread keeps it; 0: it is `value`. */
  readonly number: number;
  /** A context that is a number; NaN: `null`. */
  readonly value: number;
  /** Of a request that receives: where, the data first, so that buffers which are not shared get it. */
  readonly parts: readonly (RIO_BUF | null)[];
}

/** The caller's side: contexts by number. */
const kept = new Map<number, unknown>();

/** Makes the ticket of a context. @param newNumber a number that nothing else of this process has */
export function ticketOf(
  context: unknown,
  parts: readonly (RIO_BUF | null)[],
  newNumber: () => number,
): Ticket {
  if (typeof context === 'number' && !Number.isNaN(context)) return { number: 0, value: context, parts };
  if (context === null || context === undefined) return { number: 0, value: Number.NaN, parts };
  const number = newNumber();
  kept.set(number, context);
  return { number, value: Number.NaN, parts };
}

/** The context of a ticket; `null` when another thread keeps it. */
export function contextOf({ number, value }: Ticket): unknown {
  if (number !== 0) return kept.get(number) ?? null;
  return Number.isNaN(value) ? null : value;
}

/** Nobody asks for it any more. */
export function dropKept(number: number): void {
  kept.delete(number);
  ownOperations.delete(number);
}

/** The chain thread that knew the tickets is gone. */
export function dropAllKept(): void {
  kept.clear();
}

/** The chain thread's side: by thread, what it can forget. Tickets are positive, registered buffers minus their BufferId. */
const gone = new Map<number, number[]>();
/** Queues that are dropped do not say what was in them. */
const dropped = new FinalizationRegistry<number>((number) => tellGone(threadOfOperation(number), number));

/** An object of the chain thread's stands for what a thread keeps under a number. */
export function track(number: number, standIn: Ticket | WSAOVERLAPPED): void {
  if (number === 0) return;
  openGone(threadOfOperation(number));
  dropped.register(standIn, number, standIn);
}

/** A result is handed to a thread: if another one keeps the context, that can forget it. */
export function handOver(ticket: Ticket, thread: number): void {
  if (ticket.number === 0) return;
  dropped.unregister(ticket);
  const owner = threadOfOperation(ticket.number);
  if (owner !== thread) tellGone(owner, ticket.number);
}

/** Something of a thread will be told by `tellGone`. */
export function openGone(thread: number): void {
  if (!gone.has(thread)) gone.set(thread, []);
}

/** A thread, unless it has ended, shall learn that it can forget something. */
export function tellGone(thread: number, number: number): void {
  gone.get(thread)?.push(number);
}

/** Takes what a thread can forget. */
export function takeGone(thread: number, most: number): number[] {
  return gone.get(thread)?.splice(0, most) ?? [];
}

/** A thread has ended. */
export function forgetGone(thread: number): void {
  gone.delete(thread);
}
