/**
 * Completion ports: queues of what is done, and the threads that wait for it.
 *
 * Packets leave in the order in which they came; of several threads that wait, the one that came last is served first, as on
 * Windows, where its memory is still warm. How many threads may run at a time is kept, and not enforced: whether a thread that took
 * a packet still runs cannot be known here.
 */

import type { WSAOVERLAPPED } from '../spi/index.ts';

/** One completion. */
export interface CompletionPacket {
  readonly key: number;
  readonly lpOverlapped: WSAOVERLAPPED | null;
  readonly bytes: number;
  /** NTSTATUS. */
  readonly status: number;
  /** Told when it leaves the queue. */
  readonly onTaken?: () => void;
}

/** A record that wants to know that it lies in a queue. */
export interface QueuedRecord extends WSAOVERLAPPED {
  hold(): void;
  letGo(): void;
}

function isCounted(record: WSAOVERLAPPED | null): record is QueuedRecord {
  return record !== null && 'letGo' in record;
}

export class CompletionPort {
  readonly kind = 'port';
  /** What CreateIoCompletionPort was told: most threads that run at a time. */
  readonly concurrency: number;
  isClosed = false;
  readonly #packets: CompletionPacket[] = [];
  /** The last one came last. */
  readonly #waiters: (() => void)[] = [];

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  /** Packets that wait. */
  get depth(): number {
    return this.#packets.length;
  }

  post(packet: CompletionPacket): void {
    if (isCounted(packet.lpOverlapped)) packet.lpOverlapped.hold();
    this.#packets.push(packet);
    this.#waiters.pop()?.();
  }

  /** The oldest packets, at most `count`. */
  take(count: number): CompletionPacket[] {
    const taken = this.#packets.splice(0, count);
    for (const { lpOverlapped, onTaken } of taken) {
      if (isCounted(lpOverlapped)) lpOverlapped.letGo();
      onTaken?.();
    }
    return taken;
  }

  /** @param wake is called once, when there is something to take, which it does at once, or the port is closed */
  wait(wake: () => void): void {
    this.#waiters.push(wake);
  }

  /** Somebody does not wait any more. */
  stopWaiting(wake: () => void): void {
    const at = this.#waiters.indexOf(wake);
    if (at >= 0) this.#waiters.splice(at, 1);
  }

  /** Its handle is gone: who waits learns it (ERROR_ABANDONED_WAIT_0). */
  close(): void {
    this.isClosed = true;
    this.take(this.#packets.length);
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
