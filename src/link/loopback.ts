/**
 * The loopback link: gives back what it is given, one turn of the scheduler later. Partial checksums and super-segments
 * come back as they went, since nothing leaves the machine.
 */

import {
  type Medium,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Scheduler,
  type TransmitBatch,
} from '../base/index.ts';
import { FrameInbox, type InboxLimits } from './inbox.ts';
import type { Link, LinkReceiver } from './link.ts';

export interface LoopbackOptions extends InboxLimits {
  readonly scheduler: Scheduler;
  /** Default `loopback`. */
  readonly name?: string;
  /** Default 65,535, the largest IPv4 packet. */
  readonly mtu?: number;
  /** Default all: see the module's head. */
  readonly offload?: number;
}

export class LoopbackLink implements Link {
  readonly name: string;
  readonly mtu: number;
  readonly medium: Medium = 'ip';
  readonly offload: number;
  readonly mac = null;
  readonly receiveQueue = 0;
  readonly #inbox: FrameInbox;
  #receiver: LinkReceiver | null = null;
  #isHeld = false;

  constructor(options: LoopbackOptions) {
    this.name = options.name ?? 'loopback';
    this.mtu = options.mtu ?? 65_535;
    this.offload = options.offload ?? OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO;
    this.#inbox = new FrameInbox(options.scheduler, 'ip', options, () => this.#relieve());
  }

  get dropped(): number {
    return this.#inbox.dropped;
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    this.#inbox.open(receiver);
  }

  transmit(batch: TransmitBatch): boolean {
    for (let i = 0; i < batch.count; i++) this.#inbox.offer(batch, i);
    this.#isHeld = this.#inbox.isCrowded;
    return !this.#isHeld;
  }

  close(): void {
    this.#receiver = null;
    this.#inbox.close();
  }

  #relieve(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#receiver?.drained();
  }
}
