/**
 * A socket as a file of the system: whether its handle is signaled, and where its completions are queued (SEM-OV-02, SEM-OV-03).
 */

import {
  FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
  FILE_SKIP_SET_EVENT_ON_HANDLE,
  STATUS_SUCCESS,
} from '../abi/index.ts';
import type { FileObject, WSAOVERLAPPED } from '../spi/index.ts';
import type { CompletionPort } from './completion-port.ts';

export class SocketFile implements FileObject {
  /** The port that completions are queued to; it may be closed. */
  port: CompletionPort | null = null;
  /** What the packets carry. */
  key = 0;
  /** FILE_SKIP_*. */
  modes = 0;
  /** Whether the last operation is done: what a wait for the handle waits for. */
  isSignaled = false;
  /** Called, each once, when it becomes signaled. */
  readonly waiters = new Set<() => void>();

  get isAssociated(): boolean {
    return this.port !== null;
  }

  started(): void {
    if ((this.modes & FILE_SKIP_SET_EVENT_ON_HANDLE) === 0) this.isSignaled = false;
  }

  completed(
    lpOverlapped: WSAOVERLAPPED,
    status: number,
    bytes: number,
    wantsPacket: boolean,
    hasPended: boolean,
  ): void {
    if ((this.modes & FILE_SKIP_SET_EVENT_ON_HANDLE) === 0) {
      this.isSignaled = true;
      for (const wake of [...this.waiters]) wake();
    }
    const skipsSuccess = (this.modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) !== 0;
    if (!wantsPacket || (skipsSuccess && !hasPended && status === STATUS_SUCCESS)) return;
    const { port, key } = this;
    if (port !== null && !port.isClosed) port.post({ key, lpOverlapped, bytes, status });
  }
}
