/**
 * The system that the base provider runs in: handles, completion ports and files of this process, and the catalog.
 */

import { close, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { CatalogPort, CatalogSnapshot, QosTemplate } from '../port/index.ts';
import type { CallTap, FileReader, IoManager, TransmitSource } from '../spi/index.ts';
import type { HandleTable } from './handles.ts';
import type { WinsockThread } from './threads.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/** What of a process the system reaches. */
export interface IoHost {
  readonly handles: HandleTable;
  readonly thread: WinsockThread;
  readonly tap: CallTap;
  readonly catalogPort: CatalogPort;
}

export function ioManager(process: IoHost): IoManager {
  return {
    file: (s) => process.handles.socket(s)?.file ?? null,
    openFile: (source, offset) => openReader(source, offset),
    isPort: (handle) => process.handles.port(handle) !== null,
    postPacket(handle, key, lpOverlapped): boolean {
      const port = process.handles.port(handle);
      port?.post({ key, lpOverlapped, bytes: 0, status: 0 });
      return port !== null;
    },
    ended: (lpOverlapped, answer) => process.tap.watcher?.ended(lpOverlapped, answer),
    qosTemplates() {
      const read = process.catalogPort.read();
      return read instanceof Promise ? read.then(templatesOf) : templatesOf(read);
    },
    get currentThread(): number {
      return process.thread.ThreadHandle;
    },
  };
}

function templatesOf(snapshot: CatalogSnapshot | null): readonly QosTemplate[] {
  return snapshot?.qosTemplates ?? [];
}

async function openReader(source: TransmitSource, offset: number): Promise<FileReader | null> {
  try {
    const isPath = typeof source === 'string';
    const fd = isPath ? await openFile(source, 'r') : typeof source === 'number' ? source : source.fd;
    const reader = new DescriptorReader(fd, isPath, offset);
    if (await reader.measure()) return reader;
    reader.close();
    return null;
  } catch {
    return null;
  }
}

/** Reads a descriptor from an offset on, or from where it stands. */
class DescriptorReader implements FileReader {
  length = 0;
  readonly #fd: number;
  readonly #isOwn: boolean;
  /** Where the next bytes are; −1: where the descriptor stands. */
  #at: number;

  constructor(fd: number, isOwn: boolean, offset: number) {
    this.#fd = fd;
    this.#isOwn = isOwn;
    this.#at = offset < 0 ? (isOwn ? 0 : -1) : offset;
  }

  /** Finds its length. @returns whether it is a file */
  async measure(): Promise<boolean> {
    const status = await statFile(this.#fd);
    this.length = Math.max(status.size - Math.max(this.#at, 0), 0);
    return status.isFile();
  }

  read(into: Uint8Array): Promise<number> {
    const position = this.#at < 0 ? null : this.#at;
    return new Promise((resolve) => {
      read(this.#fd, into, 0, into.length, position, (error, count) => {
        if (error === null && this.#at >= 0) this.#at += count;
        resolve(error === null ? count : -1);
      });
    });
  }

  close(): void {
    if (this.#isOwn) closeFile(this.#fd).catch(() => {});
  }
}
