/**
 * What ws2_32 keeps for each thread of its process: the functions that wait for it, and later its blocking hook.
 *
 * Winsock runs in one place for all threads of a process (the chain thread of the blocking face; the only thread there is for
 * promises). `WinsockProcess.thread` is the one whose call begins: who needs it after a wait keeps it in a variable.
 */

import type { WSATHREADID } from '../spi/index.ts';
import { ApcQueue } from './apc.ts';

/** A thread that makes calls. It is its own name for `WPUQueueApc`. */
export class WinsockThread implements WSATHREADID {
  readonly ThreadHandle: number;
  /** Completion routines whose operations are done, until the thread waits alertably. */
  readonly apcs = new ApcQueue();

  constructor(ThreadHandle: number) {
    this.ThreadHandle = ThreadHandle;
  }
}

/** The threads of a process. */
export class Threads {
  readonly #byHandle = new Map<number, WinsockThread>();
  #lastHandle = 0;

  /** A thread that makes calls from now on. */
  open(): WinsockThread {
    const thread = new WinsockThread(++this.#lastHandle);
    this.#byHandle.set(thread.ThreadHandle, thread);
    return thread;
  }

  /** It has ended: what waits for it never runs. */
  close(thread: WinsockThread): void {
    thread.apcs.clear();
    this.#byHandle.delete(thread.ThreadHandle);
  }

  get(ThreadHandle: number): WinsockThread | null {
    return this.#byHandle.get(ThreadHandle) ?? null;
  }

  /** What waited for any of them is gone: the last WSACleanup of the process. */
  clear(): void {
    for (const thread of this.#byHandle.values()) thread.apcs.clear();
  }
}
