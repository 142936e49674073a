/**
 * Whole link frames that wait to leave an interface: ARP messages, and packets whose next hop has just told its address. They go
 * before everything else, so that held packets are not overtaken by later ones.
 */

import type { TransmitBatch } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import type { EgressSource } from '../host.ts';
import type { HeldFrame } from './held-frame.ts';
import type { NeighborHost } from './neighbor-host.ts';

/** Most frames and bytes that wait. */
const MAX_FRAMES = 1024;
const MAX_BYTES = 1 << 20;

export class FrameQueue implements EgressSource {
  isQueued = false;
  readonly #host: NeighborHost;
  readonly #interfaceIndex: number;
  #frames: HeldFrame[] = [];
  /** How many of them have left. */
  #head = 0;
  #bytes = 0;

  constructor(host: NeighborHost, interfaceIndex: number) {
    this.#host = host;
    this.#interfaceIndex = interfaceIndex;
  }

  get waiting(): number {
    return this.#frames.length - this.#head;
  }

  /** Takes a frame, whose bytes are the queue's from now on. One too many is dropped, counted. */
  add(frame: HeldFrame): void {
    const { length } = frame.bytes;
    if (this.waiting >= MAX_FRAMES || this.#bytes + length > MAX_BYTES) {
      this.#host.counters.drop(DropReason.outputQueueFull);
      return;
    }
    this.#frames.push(frame);
    this.#bytes += length;
    this.#host.requestFirst(this.#interfaceIndex, this);
  }

  emit(batch: TransmitBatch): boolean {
    while (this.waiting > 0 && batch.count < batch.capacity) {
      const frame = this.#frames[this.#head++] as HeldFrame;
      this.#bytes -= frame.bytes.length;
      frame.addTo(batch);
    }
    if (this.waiting === 0) {
      this.#frames.length = 0;
      this.#head = 0;
    } else {
      // Not at the end of the queue, where a source that has more is put.
      this.#host.requestFirst(this.#interfaceIndex, this);
    }
    return false;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
