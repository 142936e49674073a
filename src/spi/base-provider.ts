/**
 * The base provider, Windows' MSAFD: every WSP call becomes an operation of an `AfdPort`. It never knows whether a layer
 * stands above it, nor where the sockets live (CAT-LOAD-10).
 */

import { WSAEFAULT, WSAEOPNOTSUPP, WSAVERNOTSUPPORTED } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import { AfdOp, type AfdPort, type BehaviorProfile } from '../port/index.ts';
import { baseAcceptCalls } from './base-accept-calls.ts';
import { baseAddressCalls } from './base-address-calls.ts';
import { BlockingWaits } from './base-blocking.ts';
import { Calls } from './base-call.ts';
import { baseDataCalls } from './base-data-calls.ts';
import { baseEventCalls } from './base-event-calls.ts';
import { type BaseExtensions, baseExtensions } from './base-extension-calls.ts';
import { type BaseInterfaces, baseInterfaces } from './base-interfaces.ts';
import { baseMultipointCalls } from './base-multipoint-calls.ts';
import { watchSocket } from './base-notify.ts';
import { baseOptionCalls } from './base-option-calls.ts';
import { baseOverlappedCalls, cancelOperations } from './base-overlapped.ts';
import { basePollCalls, pollHandles } from './base-poll.ts';
import { baseQosCalls } from './base-qos.ts';
import { baseSocketCalls } from './base-socket-calls.ts';
import { BaseSockets } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import { CallTap } from './call-tap.ts';
import { type IoManager, NO_IO_MANAGER } from './io-manager.ts';
import type { WSPDATA, WSPPROC_TABLE, WSPStartup } from './provider.ts';
import type { Answer, WSAOVERLAPPED, WSAPOLLFD } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** What it calls itself. */
const DESCRIPTION = 'MSAFD base provider';

/** The one version of the service-provider interface: 2.2. */
export const SPI_VERSION = 0x0202;

/** The base provider of a process: its export, and what ws2_32 asks past the table. */
export interface BaseProvider extends BaseInterfaces {
  readonly WSPStartup: WSPStartup;
  /** Readiness for WSAPoll, which has no entry in the table; see `pollHandles`. */
  readonly poll: (fds: readonly WSAPOLLFD[], timeout: number) => Answer;
  /** The functions that its pointers stand for. */
  readonly extensions: BaseExtensions;
  /** Readiness of one socket for who is told; see `watchSocket`. */
  readonly watch: (s: number, filter: number, tell: (events: number) => void) => (() => void) | null;
  /** WSA_FLAG_* that a socket was made with; 0 for a handle that is none of this provider's. */
  readonly socketFlags: (s: number) => number;
  /** Closes a socket that a layer could not close; nobody waits for it. */
  readonly close: (s: number) => void;
  /** CancelIo and CancelIoEx, which are the kernel's; see `cancelOperations`. */
  readonly cancelOperations: (s: number, lpOverlapped: WSAOVERLAPPED | null, thread: number | null) => number;
}

/**
 * Makes the base provider over a session's port, which is its own from now on.
 * @param io the system that it runs in; without it there are neither completion ports nor files
 * @param tap where calls of its extension functions can be watched; those of its table whoever hands that out lets watch
 */
export function createBaseProvider(
  port: AfdPort,
  profile: BehaviorProfile = 'windows',
  scheduler: Scheduler = NO_TIME,
  io: IoManager = NO_IO_MANAGER,
  tap: CallTap = new CallTap(),
): BaseProvider {
  const base: BaseState = {
    calls: new Calls(port),
    sockets: new BaseSockets(),
    profile,
    upcalls: NO_UPCALLS,
    io,
    isEnding: false,
  };
  const blocking = new BlockingWaits(base, scheduler);
  base.calls.onBlocking = (call, answer) => blocking.wait(call, answer);
  let startups = 0;
  const cleanup = (): Answer => {
    if (startups > 0 && --startups === 0) closeEverything(base);
    return 0;
  };
  const extensions = baseExtensions(base, tap, DESCRIPTION);
  const table: WSPPROC_TABLE = {
    ...baseSocketCalls(base),
    ...baseAcceptCalls(base),
    ...baseMultipointCalls(base),
    ...baseDataCalls(base),
    ...baseOverlappedCalls(base),
    ...basePollCalls(base),
    ...baseEventCalls(base),
    ...baseOptionCalls(base, extensions),
    ...baseQosCalls(base),
    ...baseAddressCalls,
    WSPCleanup: cleanup,
    WSPCancelBlockingCall: () => blocking.cancelOfThread(),
  };
  return {
    ...baseInterfaces(base),
    extensions,
    WSPStartup(wVersionRequested, lpWSPData, _lpProtocolInfo, upcallTable, lpProcTable): number {
      const version = startVersion(wVersionRequested, lpWSPData);
      if (version !== 0) return version;
      startups++;
      base.upcalls = upcallTable;
      Object.assign(lpProcTable, table);
      return 0;
    },
    poll: (fds, timeout) => pollHandles(base, fds, timeout),
    watch: (s, filter, tell) => watchSocket(base, s, filter, tell),
    socketFlags: (s) => base.sockets.get(s)?.flags ?? 0,
    close: (s) => void table.WSPCloseSocket(s),
    cancelOperations: (s, lpOverlapped, thread) => cancelOperations(base, s, lpOverlapped, thread),
  };
}

/** SPI-START-03 for a provider that knows 2.2 only. @returns 0 or the error of WSPStartup */
function startVersion(requested: number, data: WSPDATA | null): number {
  if (data === null) return WSAEFAULT;
  const major = requested & 0xff;
  const minor = requested >>> 8;
  if (major < 2 || (major === 2 && minor < 2)) return WSAVERNOTSUPPORTED;
  data.wVersion = SPI_VERSION;
  data.wHighVersion = SPI_VERSION;
  data.szDescription = DESCRIPTION;
  return 0;
}

/** The last WSPCleanup: what waits is interrupted, what is open is closed in good order and flushes by itself. */
function closeEverything(base: BaseState): void {
  base.isEnding = true;
  base.calls.cancelAll();
  for (const socket of base.sockets.all()) {
    socket.watching = 0;
    socket.registration = null;
    close(base, socket.descriptor);
    base.sockets.remove(socket);
  }
  base.isEnding = false;
}

function close(base: BaseState, descriptor: number): void {
  const call = base.calls.prepare(AfdOp.close, null);
  call.request.descriptor = descriptor;
  base.calls.begin(call, () => {});
}

/** Without a clock no hook runs. */
const NO_TIME: Scheduler = { now: () => 0, after: () => () => {} };

/** Before WSPStartup there is nobody to call up to. */
const NO_UPCALLS: WSPUPCALLTABLE = {
  WPUCloseEvent: () => -WSAEOPNOTSUPP,
  WPUCloseSocketHandle: () => -WSAEOPNOTSUPP,
  WPUCreateEvent: () => -WSAEOPNOTSUPP,
  WPUCreateSocketHandle: () => -WSAEOPNOTSUPP,
  WPUFDIsSet: () => 0,
  WPUGetProviderPath: () => -WSAEOPNOTSUPP,
  WPUModifyIFSHandle: () => -WSAEOPNOTSUPP,
  WPUPostMessage: () => 0,
  WPUQueryBlockingCallback: () => -WSAEOPNOTSUPP,
  WPUQuerySocketHandleContext: () => -WSAEOPNOTSUPP,
  WPUQueueApc: () => -WSAEOPNOTSUPP,
  WPUResetEvent: () => -WSAEOPNOTSUPP,
  WPUSetEvent: () => -WSAEOPNOTSUPP,
  WPUOpenCurrentThread: () => -WSAEOPNOTSUPP,
  WPUCloseThread: () => -WSAEOPNOTSUPP,
};
