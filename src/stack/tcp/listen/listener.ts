/**
 * A listening port: half-open connections (the SYN queue) and established ones that wait for `accept` (the accept queue).
 *
 * A SYN past the backlog is refused with RST, as Windows does (SEM-BKLG-05). The SYN queue is bounded on its own, and its
 * entries end with their handshake's last retransmission; those that had to be retransmitted no longer count as about to
 * need a place in the accept queue, so a flood of forged SYNs does not turn real peers away for long.
 */

import type { IpAddress } from '../../base/index.ts';
import { EndpointEvent } from '../api.ts';
import type { EventSource, Host, ListenerEntry, Path, PortBinding } from '../host.ts';
import { abort } from './lifecycle.ts';
import type { Segment } from './segment.ts';
import type { PassiveOpener, Tcb } from './tcb.ts';

/** Makes the control block of a connection that `seg`, a SYN, asks `listener` for. */
export type SpawnChild = (listener: Listener, path: Path, seg: Segment, sequenceAfter: number | null) => Tcb;

export class Listener implements PassiveOpener, ListenerEntry<Listener> {
  readonly endpoint: EventSource;
  readonly binding: PortBinding;
  readonly localAddress: IpAddress;
  readonly localPort: number;
  nextListener: Listener | null = null;
  readonly #host: Host;
  readonly #spawn: SpawnChild;
  readonly #backlog: number;
  readonly #maxHalfOpen: number;
  /** Oldest first: a `Set` keeps the order of insertion. */
  readonly #halfOpen = new Set<Tcb>();
  readonly #established = new Set<Tcb>();

  constructor(
    host: Host,
    endpoint: EventSource,
    binding: PortBinding,
    backlog: number,
    maxHalfOpen: number,
    spawn: SpawnChild,
  ) {
    this.#host = host;
    this.endpoint = endpoint;
    this.binding = binding;
    this.localAddress = binding.address;
    this.localPort = binding.port;
    this.#backlog = Math.max(1, backlog);
    this.#maxHalfOpen = maxHalfOpen;
    this.#spawn = spawn;
  }

  /** Connections that `accept` would give. */
  get acceptableCount(): number {
    return this.#established.size;
  }

  get halfOpenCount(): number {
    return this.#halfOpen.size;
  }

  /** Whether one more SYN may come to be accepted. */
  get hasRoom(): boolean {
    const taken = this.#established.size;
    if (taken + this.#halfOpen.size < this.#backlog) return true;
    if (taken >= this.#backlog) return false;
    let young = 0;
    for (const child of this.#halfOpen) {
      if (child.retransmissions === 0) young++;
    }
    return taken + young < this.#backlog;
  }

  /** Answers a SYN; the oldest half-open connection makes room when there are too many. */
  startChild(path: Path, seg: Segment, sequenceAfter: number | null): void {
    if (this.#halfOpen.size >= this.#maxHalfOpen) {
      for (const oldest of this.#halfOpen) {
        abort(oldest);
        break;
      }
    }
    const child = this.#spawn(this, path, seg, sequenceAfter);
    child.opener = this;
    this.#halfOpen.add(child);
  }

  established(child: Tcb): boolean {
    if (this.#established.size >= this.#backlog) return false;
    this.#halfOpen.delete(child);
    this.#established.add(child);
    this.#host.notify(this.endpoint, EndpointEvent.acceptable);
    return true;
  }

  abandoned(child: Tcb): void {
    this.#halfOpen.delete(child);
    this.#established.delete(child);
  }

  /** The oldest established connection, which is the caller's from now on; `null` when there is none. */
  take(): Tcb | null {
    for (const child of this.#established) {
      this.#established.delete(child);
      child.opener = null;
      return child;
    }
    return null;
  }

  /** Resets every connection that nobody has accepted. */
  close(): void {
    for (const child of [...this.#halfOpen, ...this.#established]) abort(child);
  }
}
