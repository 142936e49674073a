/**
 * Window messages, as far as Winsock needs them (winuser.h), and what the messages of WSAAsyncSelect carry.
 */

import { asNumber } from '../base/index.ts';
/** A message in a thread's queue. */
export interface MSG {
  /** The window that it is for; 0: the thread itself. */
  hwnd: number;
  message: number;
  wParam: number;
  lParam: number;
  /** When it was posted, ms, as an unsigned 32-bit number. */
  time: number;
}

export const WM_NULL = 0x0000;
export const WM_CREATE = 0x0001;
export const WM_DESTROY = 0x0002;
export const WM_QUIT = 0x0012;
/** First message number for an application's own window classes, and for the application as a whole. */
export const WM_USER = 0x0400;
export const WM_APP = 0x8000;

export const PM_NOREMOVE = 0x0000;
export const PM_REMOVE = 0x0001;

/** What the window calls fail with beside the WSA codes. */
export const ERROR_NOACCESS = 998;
export const ERROR_NO_MORE_USER_HANDLES = 1158;
export const ERROR_INVALID_WINDOW_HANDLE = 1400;
export const ERROR_NOT_ENOUGH_QUOTA = 1816;

/** `lParam` of a message of WSAAsyncSelect: an FD_* event, and its error code cut to 16 bits (SEM-ERR-08). */
export function WSAMAKESELECTREPLY(event: number, error: number): number {
  return ((asNumber(error) & 0xffff) << 16) | (asNumber(event) & 0xffff);
}

/** The FD_* event of a message's `lParam`. */
export function WSAGETSELECTEVENT(lParam: number): number {
  return asNumber(lParam) & 0xffff;
}

/** Its error code. */
export function WSAGETSELECTERROR(lParam: number): number {
  return (asNumber(lParam) >>> 16) & 0xffff;
}
