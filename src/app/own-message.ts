/**
 * What a thread keeps of an operation or a request that it has begun: where its message lies, and how the results come to the application.
 */

import { STATUS_PENDING } from '../abi/index.ts';
import type { WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';
import type { Mailbox } from './mailbox.ts';
import { inout, outputs } from './marshal.ts';
import { overlapped, routine, takeRecord } from './marshal-overlapped.ts';
import { requestBuffer } from './marshal-requests.ts';
import { copyResult } from './records.ts';
import type { Signature } from './signature.ts';
import { WORD } from './slot.ts';

/** States of a block, in the state word of its mailbox. */
export const UNDER_WAY = 16;
export const DONE = 17;
/** Nobody refers to it any more. */
export const RELEASED = 18;

/** A buffer of the application's that is shared memory already. */
export interface SharedPlace {
  readonly argument: number;
  readonly buffer: number;
  readonly memory: number;
  readonly at: number;
  readonly length: number;
}
/** Memory of one message. */
export interface Block {
  readonly memory: SharedArrayBuffer;
  readonly memoryNumber: number;
  readonly at: number;
  readonly length: number;
}

/** An operation that this thread has begun. */
export class OwnMessage {
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

  /** What the call has written although its operation pends. */
  collectEarly(): void {
    const { slots, early } = this.#signature;
    for (const i of early) slots[i]?.collect?.(this.box, this.#places[i] as number, this.#args[i] as never);
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

/** A request that this thread has made: it tells by a message, when its buffer is filled. */
export class OwnRequest {
  readonly box: Mailbox;
  readonly block: Block;
  readonly #buffer: Uint8Array | null;
  readonly #at: number;

  constructor(
    { slots }: Signature,
    args: readonly unknown[],
    places: readonly number[],
    shared: readonly SharedPlace[],
    box: Mailbox,
    block: Block,
  ) {
    const i = slots.indexOf(requestBuffer);
    this.box = box;
    this.block = block;
    this.#buffer = withoutShared(args, shared)[i] as Uint8Array | null;
    this.#at = places[i] as number;
  }

  /** Brings what the request has written to the application. */
  collect(): void {
    requestBuffer.collect?.(this.box, this.#at, this.#buffer);
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
