/**
 * Urgent data as Winsock shows it (SEM-OOB-*): the last byte of an urgent send, out of the stream or in it.
 *
 * The stack keeps the byte in the stream and says where it is. Here it is taken out as soon as it has arrived, by looking ahead,
 * and skipped when the reader gets there. Positions are counted from the start of the connection.
 */

import type { TcpEndpoint } from '../stack/index.ts';

/** Urgent bytes kept unread; older ones are lost past it, as BSD loses all but one. */
const MAX_UNREAD = 64;

const one = new Uint8Array(1);

export class UrgentData {
  readonly #tcp: TcpEndpoint;
  /** Bytes read from the stream. */
  #position = 0;
  /** Where the byte that was taken last is, and where taken bytes are that the reader has not reached. */
  #lastTaken = -1;
  readonly #holes: number[] = [];
  readonly #unread: number[] = [];

  constructor(tcp: TcpEndpoint) {
    this.#tcp = tcp;
  }

  /** Urgent bytes that wait for `recv(MSG_OOB)`. */
  get waiting(): number {
    return this.#unread.length;
  }

  /** Takes the byte at the mark out of the stream when it has arrived. @returns whether a new one is waiting */
  collect(): boolean {
    const mark = this.#tcp.urgentMark;
    if (mark < 0 || this.#tcp.readableBytes <= mark) return false;
    const at = this.#position + mark;
    if (at <= this.#lastTaken) return false;
    if (this.#tcp.peek(one, 0, 1, mark) !== 1) return false;
    this.#lastTaken = at;
    this.#holes.push(at);
    if (this.#unread.length === MAX_UNREAD) this.#unread.shift();
    this.#unread.push(one[0] as number);
    return true;
  }

  /** Takes the oldest urgent byte, or looks at it. -1: none. */
  take(isPeek: boolean): number {
    return (isPeek ? this.#unread[0] : this.#unread.shift()) ?? -1;
  }

  /** Reads the stream without the urgent bytes; stops where one was (SEM-OOB-02). Same result as `TcpEndpoint.read`. */
  read(into: Uint8Array, at: number, length: number): number {
    this.#skipHole();
    const n = this.#tcp.read(into, at, this.#limit(length));
    if (n > 0) this.#position += n;
    return n;
  }

  /** As {@link read}, but leaves the bytes. */
  peek(into: Uint8Array, at: number, length: number): number {
    this.#skipHole();
    return this.#tcp.peek(into, at, this.#limit(length));
  }

  /** Reads the stream with the urgent byte in it, never together with others (SEM-OOB-05). */
  readInline(into: Uint8Array, at: number, length: number, isPeek: boolean): number {
    const mark = this.#tcp.urgentMark;
    const limit = mark < 0 ? length : Math.min(length, mark === 0 ? 1 : mark);
    const n = isPeek ? this.#tcp.peek(into, at, limit) : this.#tcp.read(into, at, limit);
    if (n > 0 && !isPeek) this.#position += n;
    return n;
  }

  /** Plain bytes that can be read, urgent ones not counted (SEM-OOB-07). */
  get readableBytes(): number {
    const end = this.#position + this.#tcp.readableBytes;
    let holes = 0;
    for (const hole of this.#holes) if (hole < end) holes++;
    return this.#tcp.readableBytes - holes;
  }

  #skipHole(): void {
    while (this.#holes[0] === this.#position) {
      if (this.#tcp.read(one, 0, 1) !== 1) return;
      this.#holes.shift();
      this.#position++;
    }
  }

  #limit(length: number): number {
    const hole = this.#holes[0];
    return hole === undefined ? length : Math.min(length, hole - this.#position);
  }
}
