/**
 * Captures of the running host: one file at a time, and any number of live streams, all from one tap of the driver.
 */

import type { FrameBatch, TransmitBatch } from '../base/index.ts';
import { PcapngFile } from '../capture/files/index.ts';
import { PcapngWriter } from '../capture/index.ts';
import { CaptureRecorder, type Driver, type FrameTap } from '../engine/index.ts';
import type { CaptureStatus } from '../port/index.ts';
import { VERSION } from './version.ts';

/** Where a live capture goes. Each piece is a whole block, borrowed until `write` returns. */
export interface CaptureStream {
  /** @returns false when the block was not taken: the reader is too slow. */
  write(block: Uint8Array): boolean;
}

const SECTION = { application: `winsockd ${VERSION}`, os: `${process.platform} ${process.arch}` };

export class Captures implements FrameTap {
  readonly #driver: Driver;
  readonly #recorders = new Set<CaptureRecorder>();
  #file: PcapngFile | null = null;
  #fileRecorder: CaptureRecorder | null = null;
  #last: CaptureStatus = { path: null, isRunning: false, packets: 0, bytes: 0 };

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Of the file capture that runs, or ran last. */
  get status(): CaptureStatus {
    const file = this.#file;
    if (file === null) return this.#last;
    return {
      path: file.path,
      isRunning: !file.isFull && file.error === null,
      packets: Math.max(0, file.writer.packetsWritten - file.blocksLost),
      bytes: file.bytesWritten,
    };
  }

  /** Live captures. */
  get streams(): number {
    return this.#recorders.size - (this.#fileRecorder === null ? 0 : 1);
  }

  /**
   * Starts the file capture, ending one that runs.
   * @param maxBytes size at which the file ends
   * @throws {Error} of `node:fs` when the file cannot be opened; {RangeError} when `maxBytes` has no room for a packet.
   */
  start(path: string, maxBytes = Number.POSITIVE_INFINITY): CaptureStatus {
    const file = new PcapngFile(path, { ...SECTION, maxBytes });
    this.stop();
    this.#file = file;
    this.#fileRecorder = this.#add(file.writer);
    // The header is there from the start.
    file.flush();
    return this.status;
  }

  /** Ends the file capture; harmless when none runs. */
  stop(): CaptureStatus {
    const file = this.#file;
    if (file === null || this.#fileRecorder === null) return this.#last;
    this.#remove(this.#fileRecorder);
    file.close();
    this.#last = { ...this.status, isRunning: false };
    this.#file = null;
    this.#fileRecorder = null;
    return this.#last;
  }

  /** Copies every packet to `stream` from now on. @returns what ends it */
  stream(stream: CaptureStream): () => void {
    const writer = new PcapngWriter({ write: (block) => void stream.write(block) }, SECTION);
    const recorder = this.#add(writer);
    return () => this.#remove(recorder);
  }

  received(interfaceIndex: number, batch: FrameBatch, now: number): void {
    for (const recorder of this.#recorders) recorder.received(interfaceIndex, batch, now);
  }

  sent(interfaceIndex: number, batch: TransmitBatch, now: number): void {
    for (const recorder of this.#recorders) recorder.sent(interfaceIndex, batch, now);
  }

  #add(writer: PcapngWriter): CaptureRecorder {
    const recorder = new CaptureRecorder(this.#driver.stack, writer, { epoch: performance.timeOrigin });
    this.#recorders.add(recorder);
    this.#driver.tap = this;
    return recorder;
  }

  #remove(recorder: CaptureRecorder): void {
    this.#recorders.delete(recorder);
    // A driver without a tap spends nothing on captures.
    if (this.#recorders.size === 0 && this.#driver.tap === this) this.#driver.tap = null;
  }
}
