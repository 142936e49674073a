/**
 * A link over a device that is read and written in batches when the event loop says so: what TUN and TAP share.
 *
 * Reading: each time the device is readable, a bounded number of batches is read and handed up; what is left makes the
 * device readable again in the loop's next turn, so timers and sockets get theirs in between.
 * Writing: straight from the sender's memory. Only when the device is full are frames copied, to a bounded backlog.
 */

import {
  createFrameBatch,
  FRAME_COLUMNS,
  type FrameBatch,
  type Medium,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type TransmitBatch,
} from '../../base/index.ts';
import type { Link, LinkReceiver } from '../link.ts';
import { Backlog } from './backlog.ts';

/** What a device must do for a {@link DeviceLink}, super-segments included; the `Device` of `native/` is one. */
export interface FrameDevice {
  readonly name: string;
  /** Frames that it refused. */
  readonly dropped: number;
  readBatch(batch: FrameBatch): number;
  writeBatch(batch: TransmitBatch, first?: number): number;
  watch(interest: number, ready: (events: number) => void): void;
  close(): void;
}

/** How much a link reads at a time and keeps for a full device. The defaults suit a device with offloads. */
export interface DeviceLinkLimits {
  /** Frames a batch, default 64. */
  readonly batchFrames?: number;
  /** Bytes that a batch's frames lie in, default 2 MiB; at least 65,602. */
  readonly arenaBytes?: number;
  /** Batches handed up before the loop gets its turn, default 16. */
  readonly batchesPerTurn?: number;
  /** Frames kept for a device that is full, default 256. */
  readonly backlogFrames?: number;
  /** Their bytes, default 1 MiB. */
  readonly backlogBytes?: number;
}

/** Interest and readiness, as devices number them. */
const READABLE = 1;
const WRITABLE = 2;

/** What a link is, beside its device. */
export interface LinkIdentity {
  readonly mtu: number;
  readonly medium: Medium;
  readonly mac: Uint8Array | null;
  readonly receiveQueue: number;
}

/** Owns its device: `close`, or the device's end, closes it. */
export class DeviceLink implements Link {
  readonly name: string;
  readonly mtu: number;
  readonly medium: Medium;
  readonly offload: number;
  readonly mac: Uint8Array | null;
  readonly receiveQueue: number;
  readonly #device: FrameDevice;
  readonly #batch: FrameBatch;
  readonly #batchesPerTurn: number;
  readonly #backlog: Backlog;
  #receiver: LinkReceiver | null = null;
  #isClosed = false;
  #isFailing = false;
  #lost = 0;

  constructor(device: FrameDevice, identity: LinkIdentity, limits: DeviceLinkLimits = {}) {
    this.#device = device;
    this.name = device.name;
    // What the kernel does not take as it is, the device's own code cuts and sums up: far cheaper than packet by packet here.
    this.offload = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO;
    this.mtu = identity.mtu;
    this.medium = identity.medium;
    this.mac = identity.mac;
    this.receiveQueue = identity.receiveQueue;
    this.#batch = createFrameBatch(limits.batchFrames ?? 64, limits.arenaBytes ?? 2 << 20);
    this.#batchesPerTurn = limits.batchesPerTurn ?? 16;
    this.#backlog = new Backlog(limits.backlogFrames ?? 256, limits.backlogBytes ?? 1 << 20);
  }

  /** Frames that found no room in the backlog, or that the device refused. */
  get dropped(): number {
    return this.#lost + this.#device.dropped;
  }

  /** @throws {TypeError} the second time. */
  open(receiver: LinkReceiver): void {
    if (this.#receiver !== null || this.#isClosed) throw new TypeError(`${this.name} was opened before`);
    this.#receiver = receiver;
    this.#device.watch(READABLE, this.#onReady);
  }

  transmit(batch: TransmitBatch): boolean {
    if (this.#isClosed || this.#isFailing) {
      this.#lost += batch.count;
      return true;
    }
    // Nothing overtakes what waits.
    const done = this.#backlog.isEmpty ? this.#write(batch, 0) : 0;
    if (done === batch.count) return true;
    if (this.#isFailing) {
      this.#lost += batch.count - done;
      return true;
    }
    const hadBacklog = !this.#backlog.isEmpty;
    this.#lost += this.#backlog.append(batch, done);
    if (!hadBacklog && this.#receiver !== null) this.#device.watch(READABLE | WRITABLE, this.#onReady);
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#backlog.clear();
    this.#device.close();
  }

  /** Writes rows from `first` on. A device that is gone is reported once this turn is over, not from inside `transmit`. */
  #write(batch: TransmitBatch, first: number): number {
    try {
      return this.#device.writeBatch(batch, first);
    } catch (error) {
      // A caller's bug passes. By name: the addon's errors are of the main realm, whatever realm this runs in.
      const { name } = error as Error;
      if (name === 'RangeError' || name === 'TypeError') throw error;
      this.#isFailing = true;
      queueMicrotask(() => this.#fail(error as Error));
      return 0;
    }
  }

  readonly #onReady = (events: number): void => {
    if ((events & WRITABLE) !== 0) this.#drain();
    // Readiness of nothing: the device is gone, and reading says why.
    if ((events & READABLE) !== 0 || events === 0) this.#receive(events === 0);
  };

  #receive(isGone: boolean): void {
    let hasMore = true;
    for (let turn = 1; hasMore && !this.#isClosed; turn++) {
      let count = 0;
      try {
        count = this.#device.readBatch(this.#batch);
      } catch (error) {
        this.#fail(error as Error);
        return;
      }
      // A batch that has room left has emptied the device, or its arena is full: either way a new turn is cheap.
      hasMore = count * FRAME_COLUMNS === this.#batch.table.length && turn < this.#batchesPerTurn;
      if (count > 0 || turn > 1) this.#receiver?.receive(this.#batch, hasMore);
    }
    if (isGone && !this.#isClosed) this.#fail(new Error(`${this.name} is gone`));
  }

  #drain(): void {
    const { batch } = this.#backlog;
    if (batch === null || this.#backlog.isEmpty) return;
    this.#backlog.advance(this.#write(batch, this.#backlog.first));
    if (this.#isFailing || !this.#backlog.isEmpty) return;
    this.#device.watch(READABLE, this.#onReady);
    this.#receiver?.drained();
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    const receiver = this.#receiver;
    this.close();
    receiver?.failed(error);
  }
}
