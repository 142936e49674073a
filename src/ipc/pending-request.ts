/**
 * A client's operation in the server, from its first bytes until its answer has left: the record that the `AfdPort` takes,
 * and the memory and quota that it holds.
 */

import { type BufferAllocator, EMPTY } from '../base/index.ts';
import { type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';
import type { RequestHead } from './messages.ts';
import type { BulkOwner } from './outbox.ts';
import { CatalogOp, NameOp, WatchOp } from './protocol.ts';
import type { Quota } from './quota.ts';

/** Below this, memory comes from the heap: the pool's pieces are larger. */
const POOLED_MIN = 2048;
/** From this on, data that came in one piece is used where it lies, at the price of keeping the chunk around it. */
const VIEW_MIN = 16 * 1024;
/** Bytes of an `into` that holds an event record: ten i32. */
export const EVENT_RECORD_LEN = 40;
/** Bytes of a poll entry. */
const POLL_ENTRY_LEN = 12;

const NAME_OPS = new Set<number>(Object.values(NameOp));
const CATALOG_OPS = new Set<number>(Object.values(CatalogOp));
const KNOWN_OPS = new Set<number>([...Object.values(AfdOp), ...NAME_OPS, ...CATALOG_OPS, WatchOp.report]);

/** Whether `op` is an operation at all. */
export function isKnownOp(op: number): boolean {
  return KNOWN_OPS.has(op);
}

/** Whether `op` is a question about names. */
export function isNameOp(op: number): boolean {
  return NAME_OPS.has(op);
}

/** Whether `op` is about the provider catalog. */
export function isCatalogOp(op: number): boolean {
  return CATALOG_OPS.has(op);
}

/** Whether `op` is a report of the process's calls. */
export function isWatchOp(op: number): boolean {
  return op === WatchOp.report;
}

/** Whether `op` makes a descriptor when it succeeds. */
export function makesDescriptor(op: number): boolean {
  return op === AfdOp.socket || op === AfdOp.accept || op === AfdOp.open;
}

export class PendingRequest implements AfdRequest, BulkOwner {
  readonly id: number;
  readonly op: AfdOp;
  readonly descriptor: number;
  readonly flags: number;
  readonly a: number;
  readonly b: number;
  readonly address: Uint8Array | null;
  data: Uint8Array | null = null;
  into: Uint8Array | null = null;
  /** The code that it will be answered with instead of being started; its data is thrown away. */
  refusal = 0;
  /** Whether it counts in `Quota.pending` and `.sockets`. */
  isCounted = false;
  holdsSocket = false;
  readonly dataLength: number;
  /** Bytes of data that have come. */
  received = 0;
  readonly #allocator: BufferAllocator;
  readonly #quota: Quota;
  #charged = 0;
  #pooledData: Uint8Array | null = null;
  #pooledInto: Uint8Array | null = null;

  constructor(id: number, head: RequestHead, allocator: BufferAllocator, quota: Quota) {
    this.id = id;
    this.op = head.op as AfdOp;
    this.descriptor = head.descriptor;
    this.flags = head.flags;
    this.a = head.a;
    this.b = head.b;
    this.address = head.address;
    this.dataLength = head.dataLength;
    this.#allocator = allocator;
    this.#quota = quota;
  }

  /** Charges for bytes that the request or its answer holds. @returns false when that is over the quota. */
  charge(bytes: number): boolean {
    if (!this.#quota.takeBytes(bytes)) return false;
    this.#charged += bytes;
    return true;
  }

  /** Takes the memory for `into`. @returns false when there is none. */
  openInto(length: number): boolean {
    if (length < POOLED_MIN) {
      this.into = length === 0 ? EMPTY : new Uint8Array(length);
      return true;
    }
    const memory = this.#allocator.take(length);
    if (memory === null) return false;
    this.#pooledInto = memory;
    this.into = memory.subarray(0, length);
    return true;
  }

  /**
   * Takes the next bytes of `data`; the caller moves `received` on. The chunk may be kept, and is not written to again.
   * @returns false when there is no memory.
   */
  append(chunk: Uint8Array, at: number, length: number): boolean {
    if (this.received === 0 && length === this.dataLength) {
      const view = chunk.subarray(at, at + length);
      this.data = length >= VIEW_MIN ? view : Uint8Array.from(view);
    } else {
      if (this.data === null && !this.#openData()) return false;
      (this.data as Uint8Array).set(chunk.subarray(at, at + length), this.received);
    }
    return true;
  }

  /** How many bytes of `into` the operation has written. Nothing else of it is sent: it may be another client's. */
  filled(completion: AfdCompletion): number {
    const { into, op } = this;
    if (into === null) return 0;
    const { value } = completion;
    let bytes = value;
    if (op === AfdOp.poll) bytes = value * POLL_ENTRY_LEN;
    else if (op === AfdOp.waitEvents || op === AfdOp.enumEvents) bytes = EVENT_RECORD_LEN;
    else if (op === AfdOp.send) bytes = 0;
    // Behind its room for control data, all of which the operation has written.
    else if (op === AfdOp.recv && (value > 0 || completion.error === 0)) bytes = value + Math.max(0, this.a);
    return Math.max(0, Math.min(bytes, into.length));
  }

  /** Gives back what the data held. */
  dropData(): void {
    this.data = null;
    if (this.#pooledData === null) return;
    this.#allocator.give(this.#pooledData);
    this.#pooledData = null;
  }

  /** The answer has left (or never will): gives back everything. */
  released(): void {
    this.dropData();
    this.into = null;
    if (this.#pooledInto !== null) {
      this.#allocator.give(this.#pooledInto);
      this.#pooledInto = null;
    }
    this.#quota.bytes -= this.#charged;
    this.#charged = 0;
  }

  #openData(): boolean {
    const memory =
      this.dataLength < POOLED_MIN ? new Uint8Array(this.dataLength) : this.#allocator.take(this.dataLength);
    if (memory === null) return false;
    if (this.dataLength >= POOLED_MIN) this.#pooledData = memory;
    this.data = memory.subarray(0, this.dataLength);
    return true;
  }
}
