/**
 * What layers find in ws2_32 and the system besides the upcall table; see `Ws2Exports`.
 */

import { ntStatusOf, WSA_INVALID_HANDLE, WSAEINVAL, type WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { CatalogPort } from '../port/index.ts';
import {
  type Application,
  type BaseProvider,
  type CallTap,
  type Catalog,
  eventOf,
  type Providers,
  settleWaiters,
  type WindowProcedure,
  type WSAOVERLAPPED,
  type Ws2Exports,
} from '../spi/index.ts';
import type { HandleTable } from './handles.ts';
import { ioManager } from './io-manager.ts';
import { pollAsked, watchHandle } from './past-the-table.ts';
import type { WinsockThread } from './threads.ts';
import type { PostMessage } from './windows.ts';

/** What of a process they reach. */
export interface ExportsHost {
  readonly handles: HandleTable;
  readonly catalog: Catalog;
  readonly catalogPort: CatalogPort;
  readonly providers: Providers;
  readonly application: Application | null;
  readonly base: BaseProvider;
  readonly scheduler: Scheduler;
  readonly thread: WinsockThread;
  readonly tap: CallTap;
  readonly postMessage: PostMessage;
  cancelOperations(s: number, lpOverlapped: WSAOVERLAPPED | null, thread: number | null): number;
}

/** Window handles of layers: none of the application's is negative. */
const FIRST_HIDDEN = -2;
const HIDDEN_STEP = -2;

/** @returns the exports, and what posts messages: to a layer's window, or to the application's */
export function ws2Exports(process: ExportsHost): {
  readonly exports: Ws2Exports;
  readonly post: PostMessage;
} {
  const { handles, scheduler } = process;
  const io = ioManager(process);
  const windows = new Map<number, WindowProcedure>();
  let lastWindow = FIRST_HIDDEN;
  const entries = (): readonly WSAPROTOCOL_INFO[] => process.catalog.entries;

  const exports: Ws2Exports = {
    get entries() {
      return entries();
    },
    application: process.application,
    scheduler,
    io,
    providerAt: (path) => process.providers.at(path),
    isLoadedFrom: (startup, path) => process.providers.isLoadedFrom(startup, path),
    explain: (reason) => process.providers.explain(reason),
    WPUCompleteOverlappedRequest: (s, lpOverlapped, dwError, cbTransferred) =>
      completeRequest(handles, s, lpOverlapped, dwError, cbTransferred),
    onEvent(hEvent, callback) {
      const event = handles.event(hEvent);
      if (event === null) return null;
      const contained = process.providers.contained(callback, undefined);
      event.waiters.add(contained);
      return () => void event.waiters.delete(contained);
    },
    createWindow(procedure) {
      lastWindow += HIDDEN_STEP;
      windows.set(lastWindow, process.providers.contained(procedure, undefined));
      return lastWindow;
    },
    destroyWindow: (hWnd) => void windows.delete(hWnd),
    cancelOperations: (s, lpOverlapped) => process.cancelOperations(s, lpOverlapped, null),
    WSAPoll: (fdArray, fds, timeout) => pollAsked(process, fdArray, fds, timeout),
    watch: (s, filter, tell) => watchHandle(process, s, filter, tell),
    releaser(s) {
      const socket = handles.socket(s);
      return () => {
        if (socket !== null) handles.release(s, socket);
      };
    },
    serve(s, handler) {
      const socket = handles.socket(s);
      if (socket?.isOwn === true) socket.own = handler;
    },
    keepReadiness(s, readiness) {
      const own = handles.socket(s)?.own ?? null;
      if (own !== null) own.readiness = readiness;
    },
    keepOperations(s, cancel) {
      const own = handles.socket(s)?.own ?? null;
      if (own !== null) own.cancelKept = cancel;
    },
  };
  const post: PostMessage = (hWnd, message, wParam, lParam) => {
    const procedure = windows.get(hWnd);
    if (procedure === undefined) return process.postMessage(hWnd, message, wParam, lParam);
    procedure(message, wParam, lParam);
    return true;
  };
  return { exports, post };
}

/** WPUCompleteOverlappedRequest (SPI-GEN-08, SPI-GEN-09). @returns 0 or minus a WSA code */
export function completeRequest(
  handles: HandleTable,
  s: number,
  lpOverlapped: WSAOVERLAPPED | null,
  dwError: number,
  cbTransferred: number,
): number {
  const socket = handles.socket(s);
  if (socket === null || !socket.isOwn || lpOverlapped === null) return -WSAEINVAL;
  const event = eventOf(lpOverlapped);
  if (event !== 0 && handles.event(event) === null) return -WSA_INVALID_HANDLE;
  lpOverlapped.InternalHigh = cbTransferred;
  lpOverlapped.Internal = ntStatusOf(dwError);
  handles.event(event)?.set();
  const wantsPacket = (lpOverlapped.hEvent & 1) === 0;
  socket.file.completed(lpOverlapped, lpOverlapped.Internal, cbTransferred, wantsPacket, true);
  settleWaiters(lpOverlapped, dwError === 0 ? cbTransferred : -dwError);
  return 0;
}
