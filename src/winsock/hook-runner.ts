/**
 * Running a 1.1 thread's blocking hook: what a provider gets from `WPUQueryBlockingCallback`.
 */

import type { Scheduler } from '../base/index.ts';
import type { WPUBlockingCallback } from '../spi/index.ts';
import type { BlockingCall, BlockingHook, WinsockThread } from './threads.ts';

/** What `WPUQueryBlockingCallback` answers for a thread; `null`: block natively. */
export function blockingCallback(thread: WinsockThread, scheduler: Scheduler): WPUBlockingCallback | null {
  const { hook, blocking } = thread;
  if (hook === null || blocking === null) return null;
  return () => runHook(hook, blocking, scheduler);
}

/** Runs a hook until it has nothing more to do. @returns whether the call goes on */
async function runHook(hook: BlockingHook, blocking: BlockingCall, scheduler: Scheduler): Promise<boolean> {
  // Everything else has its turn between: a hook that always has more to do does not stop the process.
  const nextTurn = (): Promise<void> => new Promise((resolve) => void scheduler.after(0, resolve));
  try {
    while (!blocking.isCancelled && (await hook())) await nextTurn();
  } catch (error) {
    // Nobody can catch it: it is the application's, as that of any other callback.
    queueMicrotask(() => {
      throw error;
    });
    return false;
  }
  return !blocking.isCancelled;
}
