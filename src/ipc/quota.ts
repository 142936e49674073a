/**
 * What one client may hold in the server: requests, descriptors, bytes. Each `take…` answers whether it is within the
 * limit and, if so, charges it.
 */

import type { IpcLimits } from './protocol.ts';

export class Quota {
  readonly #limits: IpcLimits;
  /** Requests taken and not completed, without those that wait for events. */
  pending = 0;
  /** Requests that wait for events: a socket that was asked for them has one, whatever else pends. */
  waits = 0;
  /** Descriptors held, and those that a pending operation would make. */
  sockets = 0;
  /** Bytes held for requests and unread answers. */
  bytes = 0;

  constructor(limits: IpcLimits) {
    this.#limits = limits;
  }

  /** @param isClose what gives back may go beyond the limit, as often as there may be sockets */
  takePending(isClose: boolean): boolean {
    const { maxPending, maxSockets } = this.#limits;
    if (this.pending >= maxPending + (isClose ? maxSockets : 0)) return false;
    this.pending++;
    return true;
  }

  takeWait(): boolean {
    if (this.waits >= this.#limits.maxSockets) return false;
    this.waits++;
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
