/**
 * The calls of user32 that a message loop is made of, under their names. They need no WSAStartup, and a blocking hook of 1.1 may make
 * them. The procedures of windows live in the faces: they run where DispatchMessage is called.
 */

import {
  ERROR_INVALID_WINDOW_HANDLE,
  ERROR_NO_MORE_USER_HANDLES,
  ERROR_NOACCESS,
  ERROR_NOT_ENOUGH_QUOTA,
  type MSG,
  PM_REMOVE,
  WM_QUIT,
} from '../abi/index.ts';
import type { Answer } from '../spi/index.ts';
import type { MessageQueue, Windows } from './windows.ts';

/** @param queue the calling thread's */
export function windowCalls(windows: Windows, queue: () => MessageQueue) {
  /** Whether a filter names a window that this thread can have messages of. */
  const isFilter = (hWnd: number): boolean => hWnd === 0 || hWnd === -1 || windows.isOf(hWnd, queue());

  return {
    /** A window of the calling thread: a place for messages. @returns its handle */
    CreateWindow(): Answer {
      const hWnd = windows.create(queue());
      return hWnd === 0 ? -ERROR_NO_MORE_USER_HANDLES : hWnd;
    },

    /** Ends a window of the calling thread, with the messages that wait for it. @returns 1 */
    DestroyWindow(hWnd: number): Answer {
      return windows.destroy(hWnd, queue()) ? 1 : -ERROR_INVALID_WINDOW_HANDLE;
    },

    /** @returns 1 when there is such a window, else 0 */
    IsWindow(hWnd: number): Answer {
      return windows.has(hWnd) ? 1 : 0;
    },

    /** Puts a message in the queue of a window's thread; without a window in the caller's own. @returns 1 */
    PostMessage(hWnd: number, Msg: number, wParam: number, lParam: number): Answer {
      if (hWnd !== 0 && !windows.has(hWnd)) return -ERROR_INVALID_WINDOW_HANDLE;
      const isPosted =
        hWnd === 0 ? windows.postTo(queue(), Msg, wParam, lParam) : windows.post(hWnd, Msg, wParam, lParam);
      return isPosted ? 1 : -ERROR_NOT_ENOUGH_QUOTA;
    },

    /** Has the calling thread's GetMessage answer 0 once its other messages are taken. */
    PostQuitMessage(nExitCode: number): Answer {
      windows.quit(queue(), nExitCode);
      return 0;
    },

    /**
     * Waits for the calling thread's next message.
     * @param hWnd 0: of any window; −1: only those to the thread itself
     * @param wMsgFilterMin with `wMsgFilterMax` the numbers that are wanted; both 0: all
     * @returns 1, or 0 for WM_QUIT
     */
    GetMessage(lpMsg: MSG | null, hWnd = 0, wMsgFilterMin = 0, wMsgFilterMax = 0): Answer {
      if (lpMsg === null) return -ERROR_NOACCESS;
      if (!isFilter(hWnd)) return -ERROR_INVALID_WINDOW_HANDLE;
      const take = (message: MSG): number => {
        Object.assign(lpMsg, message);
        return message.message === WM_QUIT ? 0 : 1;
      };
      const next = queue().next({ hWnd, min: wMsgFilterMin, max: wMsgFilterMax });
      return next instanceof Promise ? next.then(take) : take(next);
    },

    /** Looks for a message without waiting, and takes it with PM_REMOVE. @returns 1, or 0 when there is none */
    PeekMessage(
      lpMsg: MSG | null,
      hWnd = 0,
      wMsgFilterMin = 0,
      wMsgFilterMax = 0,
      wRemoveMsg = PM_REMOVE,
    ): Answer {
      if (lpMsg === null) return -ERROR_NOACCESS;
      if (!isFilter(hWnd)) return -ERROR_INVALID_WINDOW_HANDLE;
      const filter = { hWnd, min: wMsgFilterMin, max: wMsgFilterMax };
      const message = queue().peek(filter, (wRemoveMsg & PM_REMOVE) !== 0);
      if (message !== null) Object.assign(lpMsg, message);
      return message === null ? 0 : 1;
    },

    /** A message number that nobody else uses for another name. @returns 0xC000 … 0xFFFF; 0 when there are none left */
    RegisterWindowMessage(lpString: string | null): Answer {
      if (lpString === null) return -ERROR_NOACCESS;
      return windows.register(lpString);
    },
  };
}
