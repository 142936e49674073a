/**
 * A memory segment: one wire in this process, with as many ports as hosts that are plugged in.
 *
 * Every port is a {@link Link}. What one transmits, the others receive in the next turn of the scheduler: one batch a port,
 * super-segments whole when the segment carries them. The segment is a switch: it learns at which port an address lives
 * from the frames that come from there, sends what is for a known address to its port only, and everything else to all.
 */

import {
  type Medium,
  type Scheduler,
  type TransmitBatch,
  TX_COLUMNS,
  TX_GSO_TYPE,
  transmitLength,
} from '../base/index.ts';
import { linkHeaderLength } from '../wire/index.ts';
import { FrameInbox, type InboxLimits } from './inbox.ts';
import type { Link, LinkReceiver } from './link.ts';
import { AddressTable } from './switch-table.ts';

export interface SegmentOptions extends InboxLimits {
  /** When frames are handed over: `after(0)` of it. */
  readonly scheduler: Scheduler;
  readonly name?: string;
  /** Default `ip`. */
  readonly medium?: Medium;
  /** Largest IP packet in bytes. Default 1500. */
  readonly mtu?: number;
  /** `OFFLOAD_*` bits that the ports show. Default none: every packet crosses by itself, with its checksum. */
  readonly offload?: number;
}

export interface PortOptions {
  readonly name?: string;
  /** Hardware address of the port, six bytes. Ethernet only; a locally administered one by default. */
  readonly mac?: Uint8Array;
}

/** Sees every frame that enters the segment, before it is copied: frame `index` of `batch`, from `port`. */
export type SegmentTap = (batch: TransmitBatch, index: number, port: Link) => void;

/** @example
 * const wire = new MemorySegment({ scheduler });
 * const left = wire.port({ name: 'left' });
 * const right = wire.port({ name: 'right' });
 */
export class MemorySegment {
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  readonly offload: number;
  readonly #scheduler: Scheduler;
  readonly #limits: InboxLimits;
  readonly #ports: MemoryPort[] = [];
  readonly #table = new AddressTable<MemoryPort>();
  #portsEver = 0;
  /** Set to watch the wire; `null` costs nothing. */
  tap: SegmentTap | null = null;

  constructor(options: SegmentOptions) {
    this.name = options.name ?? 'segment';
    this.medium = options.medium ?? 'ip';
    this.mtu = options.mtu ?? 1500;
    this.offload = options.offload ?? 0;
    this.#scheduler = options.scheduler;
    this.#limits = options;
  }

  /** The ports that are plugged in, oldest first. */
  get ports(): readonly Link[] {
    return this.#ports;
  }

  /** Plugs in another port. */
  port(options: PortOptions = {}): Link {
    const number = ++this.#portsEver;
    const name = options.name ?? `${this.name}:${number}`;
    const mac = this.medium === 'ethernet' ? (options.mac ?? localMac(number)) : null;
    const port = new MemoryPort(this, name, mac, this.#scheduler, this.#limits);
    this.#ports.push(port);
    return port;
  }

  /** Unplugs every port. */
  close(): void {
    for (const port of this.#ports.slice()) port.close();
  }

  /** Takes the frames of `from` to where they go. Called by the port. */
  carry(batch: TransmitBatch, from: MemoryPort): boolean {
    const ports = this.#ports;
    let isClear = true;
    for (let i = 0; i < batch.count; i++) {
      if (this.#isOversize(batch, i)) {
        from.refuse(1);
        continue;
      }
      if (this.tap !== null) this.tap(batch, i, from);
      const only = ports.length > 2 ? this.#table.route(batch, i, this.medium, from) : null;
      if (only !== null) {
        if (only !== from && !only.accept(batch, i, from)) isClear = false;
        continue;
      }
      for (let p = 0; p < ports.length; p++) {
        const port = ports[p] as MemoryPort;
        if (port !== from && !port.accept(batch, i, from)) isClear = false;
      }
    }
    return isClear;
  }

  unplug(port: MemoryPort): void {
    const place = this.#ports.indexOf(port);
    if (place < 0) return;
    this.#ports.splice(place, 1);
    this.#table.forget(port);
  }

  #isOversize(batch: TransmitBatch, index: number): boolean {
    if (batch.table[index * TX_COLUMNS + TX_GSO_TYPE] !== 0) return false;
    return transmitLength(batch, index) > this.mtu + linkHeaderLength(this.medium);
  }
}

class MemoryPort implements Link {
  readonly name: string;
  readonly mac: Uint8Array | null;
  readonly #segment: MemorySegment;
  readonly #inbox: FrameInbox;
  /** Senders that were told to hold back by this port. */
  readonly #held: MemoryPort[] = [];
  #receiver: LinkReceiver | null = null;
  #isClosed = false;
  /** How many ports told this one to hold back. */
  #holds = 0;
  #droppedOut = 0;

  constructor(
    segment: MemorySegment,
    name: string,
    mac: Uint8Array | null,
    scheduler: Scheduler,
    limits: InboxLimits,
  ) {
    this.#segment = segment;
    this.name = name;
    this.mac = mac;
    this.#inbox = new FrameInbox(scheduler, segment.medium, limits, () => this.#relieve());
  }

  get mtu(): number {
    return this.#segment.mtu;
  }

  get medium(): Medium {
    return this.#segment.medium;
  }

  get offload(): number {
    return this.#segment.offload;
  }

  /** Senders are told to hold back. */
  get receiveQueue(): number {
    return 0;
  }

  get dropped(): number {
    return this.#droppedOut + this.#inbox.dropped;
  }

  /** Counts frames that this port could not send. */
  refuse(count: number): void {
    this.#droppedOut += count;
  }

  open(receiver: LinkReceiver): void {
    if (this.#isClosed) return;
    this.#receiver = receiver;
    this.#inbox.open(receiver);
  }

  transmit(batch: TransmitBatch): boolean {
    if (this.#isClosed) {
      this.refuse(batch.count);
      return true;
    }
    return this.#segment.carry(batch, this) && this.#holds === 0;
  }

  /** Takes a frame from another port. @returns `false` when that one should hold back. */
  accept(batch: TransmitBatch, index: number, from: MemoryPort): boolean {
    this.#inbox.offer(batch, index);
    if (!this.#inbox.isCrowded) return true;
    if (!this.#held.includes(from)) {
      this.#held.push(from);
      from.#holds++;
    }
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.close();
    this.#segment.unplug(this);
    this.#receiver = null;
    this.#relieve();
  }

  #relieve(): void {
    if (this.#held.length === 0) return;
    // Copied: a sender that goes on at once may have to be held again.
    for (const sender of this.#held.splice(0)) {
      if (--sender.#holds === 0) sender.#receiver?.drained();
    }
  }
}

/** 02:… is an address of local administration (IEEE 802): never that of a device. */
function localMac(number: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, number >>> 16, number >>> 8, number);
}
