/**
 * ws2_32's side of the upcalls: what providers get from the process that they run in.
 */

import { FD_ISSET, WSA_INVALID_HANDLE, WSAEFAULT, WSAEINVAL, WSAEMFILE, WSAENOTSOCK } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { Catalog, Providers, WSPUPCALLTABLE } from '../spi/index.ts';
import { EventObject, type HandleTable, SocketHandle } from './handles.ts';
import { blockingCallback } from './hook-runner.ts';
import type { Threads, WinsockThread } from './threads.ts';

/** What of a process the upcalls reach. */
export interface UpcallHost {
  readonly handles: HandleTable;
  readonly catalog: Catalog;
  readonly providers: Providers;
  readonly threads: Threads;
  readonly thread: WinsockThread;
  readonly isVersion1: boolean;
  readonly scheduler: Scheduler;
}

/** The table that every provider of a process is handed. */
export function upcallTable(
  process: UpcallHost,
  postMessage: (hWnd: number, message: number, wParam: number, lParam: number) => boolean,
): WSPUPCALLTABLE {
  const { handles } = process;

  const addSocket = (dwCatalogEntryId: number, isOwn: boolean, context: number): number => {
    const provider = process.providers.started(dwCatalogEntryId);
    if (provider === null) return -WSAEINVAL;
    const handle = handles.add(new SocketHandle(provider, isOwn, context));
    return handle === 0 ? -WSAEMFILE : handle;
  };

  const onEvent = (hEvent: number, act: (event: EventObject) => void): number => {
    const event = handles.event(hEvent);
    if (event === null) return -WSA_INVALID_HANDLE;
    act(event);
    return 1;
  };

  return {
    WPUCloseEvent: (hEvent) => onEvent(hEvent, (event) => handles.release(hEvent, event)),
    WPUCreateEvent: () => {
      const handle = handles.add(new EventObject());
      return handle === 0 ? -WSAEMFILE : handle;
    },
    WPUSetEvent: (hEvent) => onEvent(hEvent, (event) => event.set()),
    WPUResetEvent: (hEvent) => onEvent(hEvent, (event) => event.reset()),

    WPUCreateSocketHandle: (dwCatalogEntryId, dwContext) => addSocket(dwCatalogEntryId, true, dwContext),
    WPUCloseSocketHandle(s): number {
      // A provider gives it back while the close of its application waits for the answer.
      const socket = handles.socketOrClosing(s);
      if (socket === null) return -WSAENOTSOCK;
      handles.release(s, socket);
      return 0;
    },
    WPUModifyIFSHandle(dwCatalogEntryId, ProposedHandle): number {
      const socket = handles.socket(ProposedHandle);
      if (ProposedHandle === 0) return addSocket(dwCatalogEntryId, false, 0);
      // A layer's own handle can't be passed on as a system's (CAT-CHAIN-06).
      if (socket === null || socket.isOwn) return -WSAEINVAL;
      const provider = process.providers.started(dwCatalogEntryId);
      if (provider === null) return -WSAEINVAL;
      socket.provider = provider;
      return ProposedHandle;
    },
    WPUQuerySocketHandleContext(s, lpContext): number {
      const socket = handles.socket(s);
      if (socket === null) return -WSAENOTSOCK;
      lpContext.value = socket.context;
      return 0;
    },
    WPUFDIsSet: (s, fdset) => (FD_ISSET(s, fdset) ? 1 : 0),

    WPUGetProviderPath(lpProviderId, lpszProviderDllPath): number {
      const path = process.catalog.providerPath(lpProviderId);
      if (path === null) return -WSAEINVAL;
      lpszProviderDllPath.value = path;
      return 0;
    },

    WPUPostMessage: (hWnd, Msg, wParam, lParam) => (postMessage(hWnd, Msg, wParam, lParam) ? 1 : 0),
    WPUQueryBlockingCallback(_dwCatalogEntryId, lplpfnCallback, lpdwContext): number {
      lplpfnCallback.value = process.isVersion1 ? blockingCallback(process.thread, process.scheduler) : null;
      lpdwContext.value = 0;
      return 0;
    },
    WPUQueueApc(lpThreadId, lpfnUserApc, dwContext): number {
      const thread = process.threads.get(lpThreadId.ThreadHandle);
      if (thread === null) return -WSAEFAULT;
      thread.apcs.add(() => lpfnUserApc(dwContext));
      return 0;
    },
    WPUOpenCurrentThread(lpThreadId): number {
      lpThreadId.ThreadHandle = process.thread.ThreadHandle;
      return 0;
    },
    WPUCloseThread: () => 0,
  };
}
