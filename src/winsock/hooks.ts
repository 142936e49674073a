/**
 * The pseudo-blocking of Winsock 1.1 (SEM-W11-01 … 05): blocking hooks, and ending a blocking call.
 *
 * In a process that negotiated only 1.x a thread has one blocking call at a time; while it waits, the provider asks for the
 * thread's hook (`WPUQueryBlockingCallback`) and runs it again and again. Windows Mobile has none of this.
 */

import { WSAEFAULT, WSAEINVAL, WSAEOPNOTSUPP, WSANOTINITIALISED } from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';
import { type BlockingHook, defaultBlockingHook } from './threads.ts';

export function hookCalls(process: WinsockProcess) {
  /** @returns why these calls are not for this process; 0 when they are */
  const refusal = (): number => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    return process.isVersion1 ? 0 : -WSAEOPNOTSUPP;
  };

  return {
    /** Whether a blocking call of this thread waits. 1.1 only. @returns 1 (TRUE) or 0 */
    WSAIsBlocking(): Answer {
      return refusal() || (process.thread.blocking === null ? 0 : 1);
    },

    /**
     * Sets the function that runs while a blocking call of this thread waits. 1.1 only.
     * @param lpPrevious gets the one before
     */
    WSASetBlockingHook(
      lpBlockFunc: BlockingHook | null,
      lpPrevious: Ref<BlockingHook | null> | null = null,
    ): Answer {
      const refused = refusal();
      if (refused !== 0) return refused;
      if (lpBlockFunc === null) return -WSAEFAULT;
      const { thread } = process;
      if (lpPrevious !== null) lpPrevious.value = thread.hook ?? defaultBlockingHook;
      thread.hook = lpBlockFunc === defaultBlockingHook ? null : lpBlockFunc;
      return 0;
    },

    /** Goes back to the default hook. 1.1 only. */
    WSAUnhookBlockingHook(): Answer {
      const refused = refusal();
      if (refused === 0) process.thread.hook = null;
      return refused;
    },

    /** Ends this thread's blocking call, which answers WSAEINTR. 1.1 only. */
    WSACancelBlockingCall(): Answer {
      const refused = refusal();
      if (refused !== 0) return refused;
      const { blocking } = process.thread;
      if (blocking === null || blocking.isCancelled) return -WSAEINVAL;
      if (!blocking.cancel()) return -WSAEINVAL;
      blocking.isCancelled = true;
      return 0;
    },
  };
}
