/**
 * What one client may hold in the server: requests, descriptors, bytes. Each `take…` answers whether it is within the
 * limit and, if so, charges it.
 */

import type { IpcLimits } from './protocol.ts';

export class Quota {
  readonly #limits: IpcLimits;
  /** Requests taken and not completed. */
  pending = 0;
  /** Descriptors held, and those that a pending operation would make. */
  sockets = 0;
  /** Bytes held for requests and unread answers. */
  bytes = 0;

  constructor(limits: IpcLimits) {
    this.#limits = limits;
  }

  takePending(): boolean {
    if (this.pending >= this.#limits.maxPending) return false;
    this.pending++;
    return true;
  }

  takeSocket(): boolean {
    if (this.sockets >= this.#limits.maxSockets) return false;
    this.sockets++;
    return true;
  }

  takeBytes(bytes: number): boolean {
    if (this.bytes + bytes > this.#limits.maxQueuedBytes) return false;
    this.bytes += bytes;
    return true;
  }
}
