/**
 * Windows and their messages in promises: a part of `winsockd/winsock/async`. There is one queue, the process's.
 */

import { type MSG, WSAEFAULT } from '../abi/index.ts';
import type { Answer } from '../spi/index.ts';
import { WinsockError, windowCalls } from '../winsock/index.ts';
import { argumentKinds } from './argument-kinds.ts';
import { admitted } from './kinds.ts';
import { processWindows } from './process-winsock.ts';
import { type WindowProcedure, WindowProcedures } from './window-procedures.ts';

export type { WindowProcedure } from './window-procedures.ts';

const calls = windowCalls(processWindows, () => processWindows.main);
const procedures = new WindowProcedures();

type Promising<K extends keyof typeof calls> = (...args: Parameters<(typeof calls)[K]>) => Promise<number>;

/** A window call in promises: it needs no attachment. */
function windowCall<K extends keyof typeof calls>(name: K): Promising<K> {
  const call = calls[name] as (...args: Parameters<(typeof calls)[K]>) => Answer;
  const kinds = argumentKinds(name);
  return async (...given) => {
    const args = admitted(kinds, given);
    const answer = args === null ? -WSAEFAULT : await call(...(args as Parameters<(typeof calls)[K]>));
    if (answer < 0) throw new WinsockError(name, answer);
    return answer;
  };
}

/** A window for messages; its procedure runs in DispatchMessage. @returns its handle */
export async function CreateWindow(lpfnWndProc: WindowProcedure | null = null): Promise<number> {
  const hWnd = await windowCall('CreateWindow')();
  if (lpfnWndProc !== null) procedures.add(hWnd, lpfnWndProc);
  return hWnd;
}
/** Ends a window; its procedure is told WM_DESTROY. @returns 1 */
export async function DestroyWindow(hWnd: number): Promise<number> {
  const answer = await windowCall('DestroyWindow')(hWnd);
  procedures.remove(hWnd);
  return answer;
}
/** Hands a message to the procedure of its window. @returns what that answers */
export function DispatchMessage(lpMsg: MSG): number {
  return procedures.dispatch(lpMsg);
}
/** Whether there is such a window. @returns 1 or 0 */
export const IsWindow = windowCall('IsWindow');
/** Puts a message in the queue. @returns 1 */
export const PostMessage = windowCall('PostMessage');
/** Has GetMessage answer 0 once the other messages are taken. */
export const PostQuitMessage = windowCall('PostQuitMessage');
/** Waits for the next message. @returns 1, or 0 for WM_QUIT */
export const GetMessage = windowCall('GetMessage');
/** Looks for a message without waiting. @returns 1, or 0 when there is none */
export const PeekMessage = windowCall('PeekMessage');
/** The number of a named message. @returns 0xC000 … 0xFFFF */
export const RegisterWindowMessage = windowCall('RegisterWindowMessage');
