/**
 * The sending half of a connection: messages are gathered for the length of a turn and leave in one write.
 *
 * Headers, heads and short bulk are copied into a slab; long bulk is handed to the socket where it lies, so the owner
 * keeps it unchanged until `release` is called for it. Messages that count against the peer's window (REQUEST,
 * COMPLETION, DATA) wait here, in order, until there is credit; the others never wait.
 */

import { EMPTY } from '../base/index.ts';
import { writeHeader } from './frame.ts';
import { HEADER_LEN, MessageType } from './protocol.ts';

/** What an outbox needs of a `net.Socket`. */
export interface OutboxSocket {
  write(bytes: Uint8Array, done?: () => void): boolean;
  cork(): void;
  uncork(): void;
  readonly writableLength: number;
}

/** Owns a piece of bulk; told once when the bytes are no longer needed. */
export interface BulkOwner {
  released(): void;
}

/** A message that waits for credit, or whose bulk has not all left. */
interface Waiting {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  /** `null` once the first message has left: what follows are DATA messages. */
  head: Uint8Array | null;
  readonly bulk: Uint8Array | null;
  /** Bulk bytes that have left. */
  sent: number;
  readonly owner: BulkOwner | null;
}

const SLAB_LEN = 64 * 1024;
/** Bulk up to this is copied into the slab: cheaper than another buffer in the write. */
const COPY_MAX = 4096;
/** Smallest piece of bulk that is sent because credit is short; well below three quarters of the smallest window. */
const PIECE_MIN = 1024;

export class Outbox {
  readonly #socket: OutboxSocket;
  /** Called when bytes have left: there may be room for what was held back. */
  readonly #onProgress: () => void;
  readonly #flushBound = (): void => this.flush();
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #slab = new Uint8Array(SLAB_LEN);
  /** The part of the slab that is written and not yet among `#parts`. */
  #open = 0;
  #end = 0;
  #parts: Uint8Array[] = [];
  #owners: BulkOwner[] = [];
  /** Writes that the socket has not finished: their slab must not be overwritten. */
  #writing = 0;
  #isScheduled = false;
  #isClosed = false;
  /** Longest message that the peer takes. */
  maxMessage: number;
  /** Bytes of counted messages that may be sent now; `Infinity` when the peer's window is unlimited. */
  credit: number;

  constructor(socket: OutboxSocket, maxMessage: number, credit: number, onProgress: () => void) {
    this.#socket = socket;
    this.maxMessage = maxMessage;
    this.credit = credit;
    this.#onProgress = onProgress;
  }

  /** Bytes that wait for credit or for the socket. */
  get backlog(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  /** Sends a message that does not count. `head` and `bulk` are copied. */
  control(
    type: number,
    id: number,
    head: Uint8Array,
    headLength: number,
    bulk: Uint8Array | null = null,
  ): void {
    if (this.#isClosed) return;
    this.#append(type, 0, id, head, headLength, bulk, 0, bulk === null ? 0 : bulk.length);
    this.#schedule();
  }

  /**
   * Sends a counted message, now or when there is credit. `head` is copied; `bulk` is borrowed until `owner` is told. What
   * exceeds one message follows in DATA messages.
   */
  post(
    type: number,
    flags: number,
    id: number,
    head: Uint8Array,
    headLength: number,
    bulk: Uint8Array | null,
    owner: BulkOwner | null,
  ): void {
    if (this.#isClosed) {
      owner?.released();
      return;
    }
    const bulkLength = bulk === null ? 0 : bulk.length;
    const total = HEADER_LEN + headLength + bulkLength;
    if (this.#queue.length === 0 && total <= this.maxMessage && total <= this.credit) {
      this.credit -= total;
      this.#append(type, flags, id, head, headLength, bulk, 0, bulkLength);
      if (owner !== null) this.#owners.push(owner);
    } else {
      this.#queue.push({ type, flags, id, head: head.slice(0, headLength), bulk, sent: 0, owner });
      this.#queuedBytes += bulkLength + headLength;
      this.#pump();
    }
    this.#schedule();
  }

  /** The peer allows `bytes` more. */
  grant(bytes: number): void {
    this.credit += bytes;
    if (this.#queue.length === 0) return;
    this.#pump();
    this.#schedule();
  }

  /** Hands everything gathered to the socket. Runs by itself at the end of the turn. */
  flush(): void {
    this.#isScheduled = false;
    this.#closePart();
    const parts = this.#parts;
    const owners = this.#owners;
    if (parts.length === 0 && owners.length === 0) return;
    this.#parts = [];
    if (owners.length > 0) this.#owners = [];
    // Owners alone: an empty write tells when those before it are done.
    if (parts.length === 0) parts.push(EMPTY);
    this.#writing++;
    const done = (): void => this.#written(owners);
    if (parts.length === 1) {
      this.#socket.write(parts[0] as Uint8Array, done);
      return;
    }
    this.#socket.cork();
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) this.#socket.write(parts[i] as Uint8Array);
    this.#socket.write(parts[last] as Uint8Array, done);
    this.#socket.uncork();
  }

  /** Drops what waits and takes nothing more; what was gathered before still leaves with a last `flush`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { owner, sent } of this.#queue) {
      if (owner === null) continue;
      // Bulk that left in part is in the socket's hands until its writes are done.
      if (sent > 0) this.#owners.push(owner);
      else owner.released();
    }
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushBound);
  }

  #written(owners: BulkOwner[]): void {
    this.#writing--;
    if (this.#writing === 0 && this.#open === this.#end) {
      this.#open = 0;
      this.#end = 0;
    }
    for (const owner of owners) owner.released();
    this.#onProgress();
  }

  /** Sends from the queue while there is credit for whole messages. */
  #pump(): void {
    let done = 0;
    for (const waiting of this.#queue) {
      if (!this.#sendFrom(waiting)) break;
      done++;
    }
    if (done > 0) this.#queue.splice(0, done);
  }

  /** @returns whether all of it has left. */
  #sendFrom(waiting: Waiting): boolean {
    const { bulk } = waiting;
    const bulkLength = bulk === null ? 0 : bulk.length;
    for (;;) {
      const headLength = waiting.head === null ? 0 : waiting.head.length;
      const left = bulkLength - waiting.sent;
      const room = Math.min(this.maxMessage, this.credit) - HEADER_LEN - headLength;
      const piece = Math.min(left, room);
      // Credit may run out between a message's beginning and its end, not for less than a useful piece.
      if (piece < Math.min(left, PIECE_MIN)) return false;
      const total = HEADER_LEN + headLength + piece;
      this.credit -= total;
      this.#queuedBytes -= headLength + piece;
      const end = waiting.sent + piece;
      if (waiting.head !== null) {
        this.#append(waiting.type, waiting.flags, waiting.id, waiting.head, headLength, bulk, 0, end);
        waiting.head = null;
      } else {
        this.#append(MessageType.data, 0, waiting.id, this.#slab, 0, bulk, waiting.sent, end);
      }
      waiting.sent = end;
      if (end < bulkLength) continue;
      if (waiting.owner !== null) this.#owners.push(waiting.owner);
      return true;
    }
  }

  #append(
    type: number,
    flags: number,
    id: number,
    head: Uint8Array,
    headLength: number,
    bulk: Uint8Array | null,
    from: number,
    to: number,
  ): void {
    const bulkLength = to - from;
    const isCopied = bulkLength <= COPY_MAX;
    this.#reserve(HEADER_LEN + headLength + (isCopied ? bulkLength : 0));
    const slab = this.#slab;
    const length = HEADER_LEN + headLength + bulkLength;
    let end = writeHeader(slab, this.#end, length, type, flags, id, headLength);
    for (let i = 0; i < headLength; i++) slab[end + i] = head[i] as number;
    end += headLength;
    if (bulk !== null && bulkLength > 0 && isCopied) {
      slab.set(bulk.subarray(from, to), end);
      end += bulkLength;
    }
    this.#end = end;
    if (bulk === null || isCopied) return;
    this.#closePart();
    this.#parts.push(bulk.subarray(from, to));
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= SLAB_LEN) return;
    this.#closePart();
    // The old slab belongs to the writes that use it.
    this.#slab = new Uint8Array(SLAB_LEN);
    this.#open = 0;
    this.#end = 0;
  }

  #closePart(): void {
    if (this.#open === this.#end) return;
    this.#parts.push(this.#slab.subarray(this.#open, this.#end));
    this.#open = this.#end;
  }
}
