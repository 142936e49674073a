/**
 * `WSPUPCALLTABLE`: the 15 functions of ws2_32 that a provider may call. A layer hands the table that it was given on to the
 * layer below, unchanged.
 *
 * As everywhere in this room an answer of 0 or more is the value (BOOL: 1), and minus a WSA code otherwise. No upcall waits,
 * so none of them promises.
 */

import type { fd_set } from '../abi/index.ts';
import type { Ref, WSATHREADID } from './types.ts';

/** Runs while a provider waits in a blocking call, again and again. @returns false to end the call with WSAEINTR */
export type WPUBlockingCallback = (dwContext: number) => boolean | Promise<boolean>;

/** What ws2_32 offers to its providers, in the order of the C table. */
export interface WSPUPCALLTABLE {
  /** @returns 1, or minus WSA_INVALID_HANDLE */
  WPUCloseEvent(hEvent: number): number;
  /** Gives back a handle of `WPUCreateSocketHandle`. @returns 0, or minus WSAENOTSOCK */
  WPUCloseSocketHandle(s: number): number;
  /** A manual-reset event object, not signaled. @returns its handle */
  WPUCreateEvent(): number;
  /** A socket handle for a provider whose sockets are not installable-file-system handles. @returns the SOCKET */
  WPUCreateSocketHandle(dwCatalogEntryId: number, dwContext: number): number;
  /** @returns 1 when `s` is in the set, else 0 */
  WPUFDIsSet(s: number, fdset: fd_set): number;
  /** The place that the provider of `lpProviderId` was installed from. @returns 0, or minus WSAEINVAL */
  WPUGetProviderPath(lpProviderId: string, lpszProviderDllPath: Ref<string>): number;
  /**
   * Makes ws2_32 know a socket of an IFS provider, which then uses the answered value only. A proposal of 0 asks for a new
   * handle; that of an existing socket hands its calls to the provider of `dwCatalogEntryId`, which is how a layer above
   * takes its place.
   * @returns the SOCKET, or minus WSAEINVAL for an unknown entry id
   */
  WPUModifyIFSHandle(dwCatalogEntryId: number, ProposedHandle: number): number;
  /** Posts a message of `WSAAsyncSelect`. @returns 1, or 0 when no window takes it */
  WPUPostMessage(hWnd: number, Msg: number, wParam: number, lParam: number): number;
  /** The 1.1 blocking hook of the calling thread; both references get `null` when it blocks natively. @returns 0 */
  WPUQueryBlockingCallback(
    dwCatalogEntryId: number,
    lplpfnCallback: Ref<WPUBlockingCallback | null>,
    lpdwContext: Ref,
  ): number;
  /** The context of a handle of `WPUCreateSocketHandle`. @returns 0, or minus WSAENOTSOCK */
  WPUQuerySocketHandleContext(s: number, lpContext: Ref): number;
  /** Runs a function in a thread while that waits alertably. @returns 0, or minus WSAEFAULT */
  WPUQueueApc(lpThreadId: WSATHREADID, lpfnUserApc: (dwContext: number) => void, dwContext: number): number;
  /** @returns 1, or minus WSA_INVALID_HANDLE */
  WPUResetEvent(hEvent: number): number;
  /** @returns 1, or minus WSA_INVALID_HANDLE */
  WPUSetEvent(hEvent: number): number;
  /** @returns 0, and the calling thread's id in `lpThreadId` */
  WPUOpenCurrentThread(lpThreadId: WSATHREADID): number;
  /** Pairs with `WPUOpenCurrentThread`. @returns 0 */
  WPUCloseThread(lpThreadId: WSATHREADID): number;
}
