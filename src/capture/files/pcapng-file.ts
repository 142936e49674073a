/**
 * A pcapng file on disk, or a ring of them.
 *
 * Blocks are collected and written in large pieces; `flush` brings the file up to date. Writing is synchronous: a piece goes
 * into the page cache in well under a millisecond, and a capture is whole up to the last flush whatever ends the process.
 * A capture never harms what it watches: a full disk or a vanished folder ends it with `error`, nothing is thrown.
 */

import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import { type PcapngOptions, PcapngWriter } from '../pcapng-writer.ts';

export interface PcapngFileOptions extends PcapngOptions {
  /** Adds a section to a file that is there, instead of replacing it. Not with `maxFiles`. */
  readonly append?: boolean;
  /** Most bytes of a file. When it is reached, the capture ends, or goes on in the next file of the ring. */
  readonly maxBytes?: number;
  /** Files of the ring, 2 or more: `name.pcapng` becomes `name-1.pcapng`, `name-2.pcapng`, …, and the oldest is removed. */
  readonly maxFiles?: number;
  /** Bytes that are collected before they are written. */
  readonly bufferBytes?: number;
}

const DEFAULT_BUFFER_BYTES = 256 << 10;
/** Room that a file must at least offer: header, interfaces and a packet. */
const MIN_FILE_BYTES = 4096;
/** Traffic is private. */
const FILE_MODE = 0o600;

/** Why a capture file could not be written on. `cause` is the error of `node:fs`. */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`the capture in ${path} ended: ${String(cause)}`, { cause });
    this.path = path;
  }
}

/** An open capture file. Close it: what is still collected is lost otherwise. */
export class PcapngFile {
  /** What packets are written with. */
  readonly writer: PcapngWriter;
  /** Why the capture ended before `close`; `null` while all is well. A limit that was reached is no error. */
  error: CaptureFileError | null = null;
  /** Packets and other blocks that could not be written, because of the limit or an error. */
  blocksLost = 0;
  /** Bytes written to all files so far, what is still collected included. */
  bytesWritten = 0;
  /** Whether the limit was reached. */
  isFull = false;

  readonly #path: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #buffer: Uint8Array;
  #buffered = 0;
  #descriptor = -1;
  #fileBytes = 0;
  #fileNumber = 0;
  #isStarting = true;

  /**
   * Opens the file and writes the section's header.
   * @throws {Error} of `node:fs` when it can't be opened
   * @throws {RangeError} on options that make no sense
   */
  constructor(path: string, options: PcapngFileOptions = {}) {
    this.#path = path;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.#maxFiles = options.maxFiles ?? 1;
    checkLimits(this.#maxBytes, this.#maxFiles, options.append ?? false);
    this.#buffer = new Uint8Array(options.bufferBytes ?? DEFAULT_BUFFER_BYTES);
    this.#open(options.append ?? false);
    this.writer = new PcapngWriter({ write: (block) => this.#write(block) }, options);
    this.#isStarting = false;
  }

  /** The file that is being written. */
  get path(): string {
    return this.#maxFiles === 1 ? this.#path : this.#pathOf(this.#fileNumber);
  }

  /** Writes out what is collected. */
  flush(): void {
    if (this.#buffered === 0) return;
    this.#put(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  /** Writes out what is collected and closes; idempotent. Later packets are lost, and counted. */
  close(): void {
    if (this.#descriptor < 0) return;
    this.flush();
    this.#closeDescriptor();
  }

  #write(block: Uint8Array): void {
    if (this.#fileBytes + block.length <= this.#maxBytes || this.#isStarting) {
      this.#append(block);
      return;
    }
    // The next file's header is built in the memory that the block is in.
    const kept = block.slice();
    this.#limitReached();
    this.#append(kept);
  }

  #append(block: Uint8Array): void {
    if (this.#descriptor < 0 || this.isFull) {
      this.blocksLost++;
      return;
    }
    this.#fileBytes += block.length;
    this.bytesWritten += block.length;
    if (this.#buffered + block.length > this.#buffer.length) this.flush();
    if (block.length > this.#buffer.length) {
      this.#put(block);
      return;
    }
    this.#buffer.set(block, this.#buffered);
    this.#buffered += block.length;
  }

  /** Ends the capture, or goes on in the ring's next file. */
  #limitReached(): void {
    if (this.#maxFiles === 1) {
      this.isFull = true;
      return;
    }
    if (this.#descriptor < 0) return;
    this.close();
    try {
      rmSync(this.#pathOf(this.#fileNumber + 1 - this.#maxFiles), { force: true });
      this.#open(false);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // The blocks of the header come through `#write` again.
    this.#isStarting = true;
    this.writer.restart();
    this.#isStarting = false;
  }

  #open(append: boolean): void {
    this.#fileNumber++;
    this.#descriptor = openSync(this.path, append ? 'a' : 'w', FILE_MODE);
    this.#fileBytes = append ? statSync(this.path).size : 0;
  }

  #put(bytes: Uint8Array): void {
    if (this.#descriptor < 0) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.error = new CaptureFileError(this.path, error);
    if (this.#descriptor >= 0) this.#closeDescriptor();
  }

  #closeDescriptor(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    try {
      closeSync(descriptor);
    } catch (error) {
      this.error ??= new CaptureFileError(this.path, error);
    }
  }

  #pathOf(number: number): string {
    const extension = extname(this.#path);
    const stem = this.#path.slice(0, this.#path.length - extension.length);
    return `${stem}-${number}${extension}`;
  }
}

function checkLimits(maxBytes: number, maxFiles: number, append: boolean): void {
  if (!(maxBytes >= MIN_FILE_BYTES))
    throw new RangeError(`maxBytes is at least ${MIN_FILE_BYTES}: ${maxBytes}`);
  if (!Number.isInteger(maxFiles) || maxFiles < 1) throw new RangeError(`maxFiles is 1 or more: ${maxFiles}`);
  if (maxFiles > 1 && maxBytes === Number.POSITIVE_INFINITY) throw new RangeError('maxFiles needs maxBytes');
  if (maxFiles > 1 && append) throw new RangeError('a ring of files can not be appended to');
}
