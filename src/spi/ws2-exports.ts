/**
 * What a layered provider uses of ws2_32 and of the system besides the upcall table. In C these are exports that it links to; here
 * they are found by the upcall table, because a process of Node may hold several Winsocks.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { Application } from './catalog-snapshot.ts';
import type { IoManager } from './io-manager.ts';
import type { WSPStartup } from './provider.ts';
import type { Answer, WSAOVERLAPPED, WSAPOLLFD } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

export interface Ws2Exports {
  /** The whole catalog that the process started with, in its order: what WSCEnumProtocols lists. */
  readonly entries: readonly WSAPROTOCOL_INFO[];
  /**
   * Whose calls these are: `GetModuleFileName` and `GetCurrentProcessId`. It need not be this process (a provider host serves another), and
   * what `process.argv` says is another program's in a thread of its own. `null`: nobody knows.
   */
  readonly application: Application | null;
  readonly scheduler: Scheduler;
  readonly io: IoManager;
  /**
   * `LoadLibrary` and `GetProcAddress`: the WSPStartup of what was installed at that path. All modules of a chain are loaded when its
   * topmost layer is started.
   * @param path as `WPUGetProviderPath` told it; @returns `null` when it could not be loaded
   */
  providerAt(path: string): WSPStartup | null;
  /** Whether a WSPStartup is the one that was loaded from that path. */
  isLoadedFrom(startup: WSPStartup, path: string): boolean;
  /** Says for people why a WSPStartup is about to fail. */
  explain(reason: string): void;
  /**
   * Completes an overlapped operation on a handle of `WPUCreateSocketHandle`: its event is set, or a packet queued.
   * @param dwError a WSA code
   * @returns 0, or minus WSAEINVAL for any other handle
   */
  WPUCompleteOverlappedRequest(
    s: number,
    lpOverlapped: WSAOVERLAPPED | null,
    dwError: number,
    cbTransferred: number,
  ): number;
  /** `RegisterWaitForSingleObject`: calls back whenever the event is set. @returns ends that; `null` for no event */
  onEvent(hEvent: number, callback: () => void): (() => void) | null;
  /** A window that nobody sees, whose messages go to a function. @returns its handle */
  createWindow(procedure: WindowProcedure): number;
  destroyWindow(hWnd: number): void;
  /** `CancelIoEx`. @returns how many operations there were */
  cancelOperations(s: number, lpOverlapped: WSAOVERLAPPED | null): number;
  /**
   * Has readiness of a socket told once, whoever provides it.
   * @param filter SOCK_NOTIFY_EVENT_*
   * @returns ends the watch; `null` for a handle that has none
   */
  watch(s: number, filter: number, tell: (events: number) => void): (() => void) | null;
  /** `WSAPoll`, which asks whoever keeps a socket's readiness. */
  WSAPoll(fdArray: readonly WSAPOLLFD[] | null, fds: number, timeout: number): Answer;
  /** How a socket handle is given back to ws2_32 once what it stands for is closed; it does nothing when it was given back already. */
  releaser(s: number): () => void;
  /** Says who answers past the table for a handle of `WPUCreateSocketHandle`, until that is closed. */
  serve(s: number, handler: OwnHandle): void;
  /** Says that a layer keeps the readiness of such a handle itself from now on; `null`: not any more. */
  keepReadiness(s: number, readiness: Readiness | null): void;
  /** Says how operations end early that a layer itself has under way on such a handle. */
  keepOperations(s: number, cancel: CancelOperations): void;
}

export type WindowProcedure = (message: number, wParam: number, lParam: number) => void;

/**
 * CancelIo and CancelIoEx.
 * @param lpOverlapped one operation; `null`: all
 * @param thread what that thread began; `null`: any
 * @returns how many operations there were
 */
export type CancelOperations = (lpOverlapped: WSAOVERLAPPED | null, thread: number | null) => number;

/** What ws2_32 asks of a handle of its own making that has no entry in the table. */
export interface OwnHandle {
  readonly cancel: CancelOperations;
  /** WSA_FLAG_* that the socket was made with. */
  readonly flags: number;
  /** The socket that it stands for, when that is another handle of ws2_32's. */
  readonly lower?: number;
  /** The layer has failed to close it: what it stands on is closed. */
  abandon?(): void;
  /**
   * Readiness, when the layer keeps it itself; absent: that of the handle which SIO_BSP_HANDLE_POLL answers counts.
   */
  readiness?: Readiness | null;
  /** Operations that the layer has under way itself; `cancel` ends them, too. */
  cancelKept?: CancelOperations;
}

/** A socket's readiness as its layer keeps it. */
export interface Readiness {
  /** POLL* bits that hold now, of any kind. */
  poll(): number;
  /** Calls back at every change. @returns ends that */
  watch(changed: () => void): () => void;
}

type KnownExports = WeakMap<WSPUPCALLTABLE, Ws2Exports>;

/**
 * One for all copies of this package in a process: an application and the layers that it loads may each have brought their own. The number
 * grows when what is exported changes so that older layers could not use it.
 */
const KEY = Symbol.for('winsockd ws2_32 exports 1');
const shared = globalThis as { [KEY]?: KnownExports };
shared[KEY] ??= new WeakMap();
const known: KnownExports = shared[KEY];

/** The exports of the ws2_32 that an upcall table comes from; `null` for a table that is nobody's. */
export function ws2Exports(upcallTable: WSPUPCALLTABLE): Ws2Exports | null {
  return known.get(upcallTable) ?? null;
}

/** For ws2_32: these exports belong to that table. */
export function setWs2Exports(upcallTable: WSPUPCALLTABLE, exports: Ws2Exports): void {
  known.set(upcallTable, exports);
}
