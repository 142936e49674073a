/**
 * Captures of the running host: one file at a time, and any number of live streams, all from one tap of the driver.
 */

import type { FrameBatch, TransmitBatch } from '../base/index.ts';
import { PcapngFile } from '../capture/files/index.ts';
import { PcapngWriter } from '../capture/index.ts';
import { CaptureRecorder, type Driver, type FrameTap } from '../engine/index.ts';
import { VERSION } from './version.ts';

/** The state of the file capture. */
export interface CaptureStatus {
  readonly isRunning: boolean;
  /** The file, of the capture that runs or ran last. */
  readonly file: string | null;
  readonly bytes: number;
  /** Packets that were not written: the disk was full, say. */
  readonly lost: number;
  /** Why it ended by itself. */
  readonly error: string | null;
  readonly streams: number;
}

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
  #last: CaptureStatus = { isRunning: false, file: null, bytes: 0, lost: 0, error: null, streams: 0 };

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  get status(): CaptureStatus {
    const streams = this.#recorders.size - (this.#file === null ? 0 : 1);
    const file = this.#file;
    if (file === null) return { ...this.#last, streams };
    file.flush();
    return {
      isRunning: true,
      file: file.path,
      bytes: file.bytesWritten,
      lost: file.blocksLost,
      error: file.error?.message ?? null,
      streams,
    };
  }

  /** Starts the file capture, ending one that runs. @throws {Error} of `node:fs` when the file cannot be opened. */
  start(path: string): CaptureStatus {
    const file = new PcapngFile(path, SECTION);
    this.stop();
    this.#file = file;
    this.#fileRecorder = this.#add(file.writer);
    return this.status;
  }

  /** Ends the file capture; harmless when none runs. */
  stop(): CaptureStatus {
    const file = this.#file;
    if (file !== null && this.#fileRecorder !== null) {
      const status = this.status;
      file.close();
      this.#remove(this.#fileRecorder);
      this.#file = null;
      this.#fileRecorder = null;
      this.#last = { ...status, isRunning: false, bytes: file.bytesWritten };
    }
    return this.status;
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
