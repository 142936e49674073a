/**
 * The procedures of windows, in the thread that has them: DispatchMessage hands a message to its window's.
 */

import { type MSG, WM_CREATE, WM_DESTROY } from '../abi/index.ts';

/** What a window does with its messages; what it answers is what DispatchMessage does, 0 unless it is a number. */
export type WindowProcedure = (hWnd: number, message: number, wParam: number, lParam: number) => unknown;

export class WindowProcedures {
  readonly #byWindow = new Map<number, WindowProcedure>();

  /** A new window's procedure; it is told WM_CREATE. */
  add(hWnd: number, procedure: WindowProcedure): void {
    if (typeof procedure !== 'function') return;
    this.#byWindow.set(hWnd, procedure);
    procedure(hWnd, WM_CREATE, 0, 0);
  }

  /** The window is gone; its procedure is told WM_DESTROY. */
  remove(hWnd: number): void {
    const procedure = this.#byWindow.get(hWnd);
    this.#byWindow.delete(hWnd);
    procedure?.(hWnd, WM_DESTROY, 0, 0);
  }

  /** @returns what the procedure answers; 0 when the window has none */
  dispatch(lpMsg: MSG): number {
    if (typeof lpMsg !== 'object' || lpMsg === null) return 0;
    const { hwnd, message, wParam, lParam } = lpMsg;
    const result = this.#byWindow.get(hwnd)?.(hwnd, message, wParam, lParam);
    return typeof result === 'number' ? result : 0;
  }
}
