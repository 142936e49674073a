/**
 * The base provider's blocking calls: which thread waits in which, so that it can be interrupted, and the hook of a 1.1 thread, which
 * runs again and again meanwhile (SEM-W11-02).
 */

import { WSAEINVAL } from '../abi/index.ts';
import type { Cancel, Scheduler } from '../base/index.ts';
import type { Call } from './base-call.ts';
import type { BaseState } from './base-state.ts';
import type { Ref, WSATHREADID } from './types.ts';
import type { WPUBlockingCallback } from './upcalls.ts';

/** Time between two runs of a hook, and before the first one, ms. */
const HOOK_INTERVAL = 20;

export class BlockingWaits {
  readonly #base: BaseState;
  readonly #scheduler: Scheduler;
  /** Filled anew for each question to ws2_32. */
  readonly #thread: WSATHREADID = { ThreadHandle: 0 };
  readonly #callback: Ref<WPUBlockingCallback | null> = { value: null };
  readonly #context: Ref = { value: 0 };

  constructor(base: BaseState, scheduler: Scheduler) {
    this.#base = base;
    this.#scheduler = scheduler;
  }

  /** A blocking call of the calling thread pends. @returns its answer */
  wait(call: Call, answer: Promise<number>): Promise<number> {
    const { upcalls } = this.#base;
    upcalls.WPUOpenCurrentThread(this.#thread);
    call.thread = this.#thread.ThreadHandle;
    upcalls.WPUQueryBlockingCallback(call.socket?.info.dwCatalogEntryId ?? 0, this.#callback, this.#context);
    const callback = this.#callback.value;
    if (callback === null) return answer;
    return this.#hooked(call.request.id, answer, callback, this.#context.value);
  }

  /** WSPCancelBlockingCall. */
  cancelOfThread(): number {
    this.#base.upcalls.WPUOpenCurrentThread(this.#thread);
    return this.#base.calls.interruptThread(this.#thread.ThreadHandle) > 0 ? 0 : -WSAEINVAL;
  }

  /** Answers when the call is done and its hook does not run any more. */
  async #hooked(
    id: number,
    answer: Promise<number>,
    callback: WPUBlockingCallback,
    context: number,
  ): Promise<number> {
    let isDone = false;
    let wake = (): void => {};
    let cancelPause: Cancel = () => {};
    const done = answer.then((value) => {
      isDone = true;
      cancelPause();
      wake();
      return value;
    });
    for (;;) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (isDone) resolve();
        else cancelPause = this.#scheduler.after(HOOK_INTERVAL, resolve);
      });
      if (isDone) return done;
      if (await callback(context)) continue;
      this.#base.calls.interrupt(id);
      return done;
    }
  }
}
