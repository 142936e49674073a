/**
 * Bytes of a send that was accepted whole although the send buffer had room for a part only (SEM-IO-01): kept here until there
 * is room for the rest.
 */

import { copy } from '../base/index.ts';
import type { TcpEndpoint } from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import type { RequestOwner } from './request.ts';

export class Overflow {
  readonly #context: AfdContext;
  readonly #memory: Uint8Array;
  readonly #length: number;
  readonly #isUrgent: boolean;
  #at = 0;
  #owner: RequestOwner | null;

  private constructor(
    context: AfdContext,
    owner: RequestOwner,
    memory: Uint8Array,
    length: number,
    isUrgent: boolean,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#memory = memory;
    this.#length = length;
    this.#isUrgent = isUrgent;
  }

  /** Keeps a copy of `data` from `at` on; `null` when the session's bound or the memory does not allow it. */
  static keep(
    context: AfdContext,
    owner: RequestOwner,
    data: Uint8Array,
    at: number,
    isUrgent: boolean,
  ): Overflow | null {
    const length = data.length - at;
    if (!owner.charge(length)) return null;
    const memory = context.allocator.take(length);
    if (memory === null) {
      owner.discharge(length);
      return null;
    }
    copy(data, at, memory, 0, length);
    return new Overflow(context, owner, memory, length, isUrgent);
  }

  get length(): number {
    return this.#length - this.#at;
  }

  /** Moves on what there is room for. @returns whether all of it is gone, and the memory given back */
  drain(tcp: TcpEndpoint): boolean {
    const n = writeBytes(tcp, this.#memory, this.#at, this.#length, this.#isUrgent);
    if (n > 0) this.#at += n;
    if (n >= 0 && this.#at < this.#length) return false;
    if (n < 0 && tcp.error === 0) return false;
    this.release();
    return true;
  }

  /** Gives the memory back, sent or not. */
  release(): void {
    const owner = this.#owner;
    if (owner === null) return;
    this.#owner = null;
    this.#at = this.#length;
    owner.discharge(this.#length);
    this.#context.allocator.give(this.#memory);
  }
}

/**
 * Writes `from[at, end)` as far as there is room. An urgent send marks its last byte, so that byte goes by itself, last.
 * @returns bytes taken, which may be 0; or the `StackError` other than `wouldBlock` when none were
 */
export function writeBytes(
  tcp: TcpEndpoint,
  from: Uint8Array,
  at: number,
  end: number,
  isUrgent: boolean,
): number {
  if (!isUrgent) return tcp.write(from, at, end - at);
  let taken = 0;
  if (end - at > 1) {
    taken = tcp.write(from, at, end - 1 - at);
    if (taken < end - 1 - at) return taken;
  }
  const last = tcp.writeUrgent(from, end - 1, 1);
  return last > 0 ? taken + last : taken > 0 ? taken : last;
}
