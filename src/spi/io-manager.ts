/**
 * What the base provider asks of the operating system that it runs in: the objects behind handles, files, and what is installed.
 *
 * On Windows the I/O manager of the kernel signals handles and queues completion packets. Here ws2_32's process does: it owns the
 * handle table. Types only.
 */

import type { QosTemplate } from '../port/index.ts';
import type { TransmitSource, WSAOVERLAPPED } from './types.ts';

/** The object behind a socket's handle, for as long as operations on it are under way: it outlives the handle. */
export interface FileObject {
  /** Whether completions are queued to a port. */
  readonly isAssociated: boolean;
  /** An operation begins: the handle is not signaled. */
  started(): void;
  /**
   * An operation is done, and its record filled.
   * @param status the record's NTSTATUS, @param bytes what was moved
   * @param wantsPacket whether the record asks for a packet at a port, by the low bit of its event (SEM-OV-03)
   * @param hasPended false: it was done when the call that began it returned
   */
  completed(
    lpOverlapped: WSAOVERLAPPED,
    status: number,
    bytes: number,
    wantsPacket: boolean,
    hasPended: boolean,
  ): void;
}

/** A file that is being read. */
export interface FileReader {
  /** Bytes from where reading starts to the file's end. */
  readonly length: number;
  /** Reads the next bytes. @returns how many; 0 at the end; −1 when it failed */
  read(into: Uint8Array): Promise<number>;
  /** Lets go of it; what was opened here is closed. */
  close(): void;
}

export interface IoManager {
  /** The object behind a socket's handle; `null` for a handle that is none. */
  file(s: number): FileObject | null;
  /**
   * Opens a file to be sent.
   * @param offset where to start; negative: where the file stands
   * @returns `null` when it can't be read
   */
  openFile(source: TransmitSource, offset: number): Promise<FileReader | null>;
  /** Whether a handle is a completion port. */
  isPort(handle: number): boolean;
  /** Queues a packet of registered I/O to a port. @returns whether there is such a port */
  postPacket(port: number, key: number, lpOverlapped: WSAOVERLAPPED | null): boolean;
  /** An overlapped operation is done: for who watches. @param answer its bytes, or minus a WSA code */
  ended(lpOverlapped: WSAOVERLAPPED, answer: number): void;
  /** The templates of quality of service that are installed now, of all providers. */
  qosTemplates(): readonly QosTemplate[] | Promise<readonly QosTemplate[]>;
  /** The calling thread. */
  readonly currentThread: number;
}

/** For a base provider by itself: no handles, no files, no catalog. */
export const NO_IO_MANAGER: IoManager = {
  file: () => null,
  openFile: () => Promise.resolve(null),
  isPort: () => false,
  postPacket: () => false,
  ended: () => {},
  qosTemplates: () => [],
  currentThread: 0,
};
