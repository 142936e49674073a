/**
 * An impaired link: another link on which, by chance and from a seed, packets are lost, delayed, overtaken, doubled,
 * damaged, marked or made to queue. Each direction has settings of its own, which may change while it runs.
 *
 * What is decided is decided for packets: super-segments are cut and checksums completed first, as on a wire. A direction
 * without settings lets frames through untouched, super-segments whole.
 */

import {
  clearTransmitBatch,
  copy,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  type Medium,
  type Random,
  type Scheduler,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_HEADER_ROOM,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
} from '../base/index.ts';
import { linkHeaderLength } from '../wire/index.ts';
import { LinkDecorator } from './decorator.ts';
import type { ImpairSettings } from './impair-settings.ts';
import { BATCH_PACKETS, type ImpairFilter, ImpairLane, type LaneExit, type LanePacket } from './lane.ts';
import type { Link, LinkReceiver } from './link.ts';
import { Packetizer } from './packetizer.ts';

export interface ImpairOptions {
  /** The link that is impaired; the decorator owns it from now on. */
  readonly link: Link;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** What happens to packets that the stack sends. Default nothing. */
  readonly outbound?: ImpairSettings;
  /** What happens to packets that the link receives. Default nothing. */
  readonly inbound?: ImpairSettings;
  /** Which packets are meant, in both directions. Default all. */
  readonly filter?: ImpairFilter;
}

/** @example
 * const link = new ImpairedLink({ link: port, scheduler, random, outbound: { loss: 0.01, delay: 20 } });
 * link.outbound.change({ loss: 0.5 });
 */
export class ImpairedLink extends LinkDecorator {
  /** The direction from the stack to the link: settings and counters. */
  readonly outbound: ImpairLane;
  /** The direction from the link to the stack. */
  readonly inbound: ImpairLane;
  readonly #cutOutbound: Packetizer;
  readonly #cutInbound: Packetizer;
  /** The stack was told to hold back. */
  #isHeld = false;

  constructor(options: ImpairOptions) {
    const { link, scheduler, random } = options;
    super(link);
    const linkLength = linkHeaderLength(link.medium);
    this.outbound = new ImpairLane(scheduler, random, new TransmitExit(link), linkLength);
    const receive = new ReceiveExit(link.medium, () => this.receiver);
    this.inbound = new ImpairLane(scheduler, random, receive, linkLength);
    this.#cutOutbound = new Packetizer(link.medium, this.outbound);
    this.#cutInbound = new Packetizer(link.medium, this.inbound);
    this.outbound.filter = options.filter ?? null;
    this.inbound.filter = options.filter ?? null;
    this.outbound.change(options.outbound ?? {});
    this.inbound.change(options.inbound ?? {});
  }

  /** Frames lost inside the link because of a bound; those lost by chance are in the lanes' counters. */
  override get dropped(): number {
    return this.link.dropped + this.outbound.counters.overflowed + this.inbound.counters.overflowed;
  }

  override transmit(batch: TransmitBatch): boolean {
    let isClear: boolean;
    if (this.outbound.isTransparent) {
      isClear = super.transmit(batch);
      if (!isClear) this.outbound.hold();
    } else {
      this.#cutOutbound.outbound(batch);
      isClear = this.outbound.release();
    }
    this.#isHeld ||= !isClear;
    return isClear;
  }

  override receive(batch: FrameBatch, hasMore = false): void {
    if (this.inbound.isTransparent) {
      super.receive(batch, hasMore);
      return;
    }
    this.#cutInbound.inbound(batch);
    this.inbound.release();
  }

  override drained(): void {
    // What waits in the lane goes first; it may fill the link again.
    if (!this.outbound.resume() || !this.#isHeld) return;
    this.#isHeld = false;
    super.drained();
  }

  override failed(error: Error): void {
    this.#stop();
    super.failed(error);
  }

  override close(): void {
    this.#stop();
    super.close();
  }

  #stop(): void {
    this.outbound.close();
    this.inbound.close();
  }
}

/** The outbound lane's end: the link. */
class TransmitExit implements LaneExit {
  readonly #link: Link;
  readonly #batch = createTransmitBatch(BATCH_PACKETS);
  #isClear = true;

  constructor(link: Link) {
    this.#link = link;
  }

  put(packet: LanePacket): void {
    const batch = this.#batch;
    if (batch.count === batch.capacity) this.#send();
    const { table } = batch;
    const row = batch.count * TX_COLUMNS;
    // A frame starts in the header slab: who looks at headers looks there.
    const head = Math.min(packet.length, TX_HEADER_ROOM);
    copy(packet.memory, 0, batch.headers, batch.headerEnd, head);
    table.fill(0, row, row + TX_COLUMNS);
    table[row + TX_HEADER_OFFSET] = batch.headerEnd;
    table[row + TX_HEADER_LENGTH] = head;
    table[row + TX_PAYLOAD1_OFFSET] = head;
    table[row + TX_PAYLOAD1_LENGTH] = packet.length - head;
    table[row + TX_CAUSE] = packet.cause;
    batch.payloads[batch.count] = packet.memory;
    batch.owners[batch.count] = packet.owner;
    batch.headerEnd += TX_HEADER_ROOM;
    batch.count++;
  }

  flush(): boolean {
    this.#send();
    const isClear = this.#isClear;
    this.#isClear = true;
    return isClear;
  }

  #send(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    if (!this.#link.transmit(batch)) this.#isClear = false;
    batch.owners.fill(null, 0, batch.count);
    clearTransmitBatch(batch);
  }
}

/** The inbound lane's end: the stack's driver. */
class ReceiveExit implements LaneExit {
  readonly #receiver: () => LinkReceiver | null;
  readonly #lead: number;
  #batch: FrameBatch = createFrameBatch(BATCH_PACKETS, BATCH_PACKETS * 2048);
  #end = 0;

  constructor(medium: Medium, receiver: () => LinkReceiver | null) {
    this.#receiver = receiver;
    this.#lead = -linkHeaderLength(medium) & 3;
  }

  put(packet: LanePacket): void {
    let at = this.#end + this.#lead;
    if (this.#batch.count === BATCH_PACKETS || at + packet.length > this.#batch.bytes.length) {
      this.flush();
      at = this.#lead;
      if (at + packet.length > this.#batch.bytes.length) {
        this.#batch = createFrameBatch(BATCH_PACKETS, 2 * (at + packet.length));
      }
    }
    const { bytes, table, count } = this.#batch;
    copy(packet.memory, 0, bytes, at, packet.length);
    const row = count * FRAME_COLUMNS;
    table.fill(0, row, row + FRAME_COLUMNS);
    table[row + FRAME_OFFSET] = at;
    table[row + FRAME_LENGTH] = packet.length;
    this.#batch.count++;
    this.#end = (at + packet.length + 3) & ~3;
  }

  flush(): boolean {
    const batch = this.#batch;
    this.#end = 0;
    if (batch.count === 0) return true;
    this.#receiver()?.receive(batch);
    batch.owners.fill(null, 0, batch.count);
    batch.count = 0;
    return true;
  }
}
