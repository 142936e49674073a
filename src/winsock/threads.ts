/**
 * What ws2_32 keeps for each thread of its process: the functions that wait for it, its blocking hook, its blocking call.
 *
 * Winsock runs in one place for all threads of a process (the chain thread of the blocking face; the only thread there is for
 * promises). `WinsockProcess.thread` is the one whose call begins: who needs it after a wait keeps it in a variable.
 */

import type { WSATHREADID } from '../spi/index.ts';
import { ApcQueue } from './apc.ts';
import type { MessageQueue } from './windows.ts';

/** Does a piece of other work. @returns whether there may be more; it is called again at once then */
export type BlockingHook = () => boolean | Promise<boolean>;

/** A blocking call of a thread, from its beginning to its end. */
export interface BlockingCall {
  /** Ends it early. @returns whether that was possible */
  readonly cancel: () => boolean;
  isCancelled: boolean;
}

/** The hook of a thread that has set none: the thread sleeps. */
export const defaultBlockingHook: BlockingHook = () => false;

/** A thread that makes calls. It is its own name for `WPUQueueApc`. */
export class WinsockThread implements WSATHREADID {
  readonly ThreadHandle: number;
  /** Completion routines whose operations are done, until the thread waits alertably. */
  readonly apcs = new ApcQueue();
  /** Messages to its windows. */
  readonly messages: MessageQueue;
  /** Runs while a blocking call waits; `null`: the default one, which does nothing (SEM-W11-03). */
  hook: BlockingHook | null = null;
  /** In a process of 1.1: the blocking call that was begun and has not ended. */
  blocking: BlockingCall | null = null;
  /** SO_OPENTYPE: what its `socket` calls make (SEM-SOCK-04). */
  openType = 0;

  constructor(ThreadHandle: number, messages: MessageQueue) {
    this.ThreadHandle = ThreadHandle;
    this.messages = messages;
  }
}

/** The threads of a process. */
export class Threads {
  readonly #byHandle = new Map<number, WinsockThread>();
  #lastHandle = 0;

  /** A thread that makes calls from now on. */
  open(messages: MessageQueue): WinsockThread {
    const thread = new WinsockThread(++this.#lastHandle, messages);
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

  /** What waited for any of them, and their hooks, are gone: the last WSACleanup of the process. */
  clear(): void {
    for (const thread of this.#byHandle.values()) {
      thread.apcs.clear();
      thread.hook = null;
    }
  }
}
