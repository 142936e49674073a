/**
 * Where recordings are written: one file a connection, in one folder, bounded in number and size. A file that cannot be written is
 * given up, and the connection goes on.
 */

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { bytesLine, cutLine, endLine, headerLine, type RecordingHeader, type Way } from './format.ts';

export interface RecorderLimits {
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Files of one process. */
  readonly files: number;
}

export const RECORDER_LIMITS: RecorderLimits = { fileBytes: 64 << 20, files: 1000 };

/** Room for the last line. */
const LAST_LINE = 128;

export class Recorder {
  readonly #folder: string;
  readonly #limits: RecorderLimits;
  #files = 0;

  constructor(folder: string, limits: RecorderLimits = RECORDER_LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** A recording of a new connection; `null` when there may be no more, or none can be written. */
  open(header: RecordingHeader): OpenRecording | null {
    if (this.#files >= this.#limits.files) return null;
    this.#files++;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const path = join(this.#folder, recordingName(this.#files, header));
      return new OpenRecording(openSync(path, 'wx', 0o600), header, this.#limits.fileBytes);
    } catch {
      return null;
    }
  }
}

/** `4711-0001-client-10.0.0.2-80.wsrec`: digits, letters, dots and hyphens, whatever the peer's address is. */
export function recordingName(number: number, { role, remote }: RecordingHeader): string {
  const place = remote.replace(/[^0-9a-fA-F.]+/g, '-').replace(/^-|-$/g, '');
  return `${pid}-${String(number).padStart(4, '0')}-${role}-${place.slice(0, 64)}.wsrec`;
}

/** One connection's file, while the connection lives. */
export class OpenRecording {
  #descriptor: number;
  #left: number;

  constructor(descriptor: number, header: RecordingHeader, limit: number) {
    this.#descriptor = descriptor;
    this.#left = limit;
    this.#write(headerLine(header), 0);
  }

  /** @param t ms since the connection was there */
  bytes(t: number, way: Way, bytes: Uint8Array): void {
    if (this.#descriptor >= 0) this.#write(bytesLine(t, way, bytes), t);
  }

  /** @param error its name, or `null` */
  end(t: number, way: Way, error: string | null): void {
    if (this.#descriptor >= 0) this.#write(endLine(t, way, error), t);
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    if (descriptor >= 0) closeSync(descriptor);
  }

  #write(line: string, t: number): void {
    const bytes = Buffer.from(line);
    try {
      if (bytes.length + LAST_LINE > this.#left) {
        writeSync(this.#descriptor, cutLine(t));
        this.close();
        return;
      }
      this.#left -= bytes.length;
      writeSync(this.#descriptor, bytes);
    } catch {
      this.close();
    }
  }
}
