/**
 * A layered provider as somebody outside would write it in C: no `defineLayer`, all 30 calls, a handle of its own for every socket
 * (SPI-GEN-05), and overlapped calls that it mediates by the upcalls alone (CAT-LOAD-09, SPI-GEN-02, SPI-GEN-07 … 09).
 */

import {
  type fd_set,
  STATUS_PENDING,
  WSA_INVALID_HANDLE,
  WSA_IO_INCOMPLETE,
  WSA_IO_PENDING,
  WSAENOTSOCK,
  WSAEPROVIDERFAILEDINIT,
  WSASYSNOTREADY,
} from '../../src/abi/index.ts';
import {
  type Answer,
  eventOf,
  type Ref,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
  type WSATHREADID,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPStartup,
  type WSPUPCALLTABLE,
  type Ws2Exports,
  ws2Exports,
} from '../../src/spi/index.ts';

type AnyCall = (...args: readonly unknown[]) => Answer;

/** What is called up, in order. */
export type Upcall = keyof WSPUPCALLTABLE | 'WPUCompleteOverlappedRequest';

interface Socket {
  readonly lower: number;
  readonly flags: number;
  readonly pending: Set<{ readonly lpOverlapped: WSAOVERLAPPED; readonly own: WSAOVERLAPPED }>;
  messages: { readonly hWnd: number; readonly wMsg: number } | null;
}

/** Calls with a record: where it stands, with the routine and the thread behind it. */
const RECORD_AT: Readonly<Record<string, number>> = {
  WSPRecv: 4,
  WSPRecvFrom: 6,
  WSPSend: 4,
  WSPSendTo: 6,
  WSPIoctl: 6,
};

/** @param entryId the layered entry of the layer, once it is installed, @param upcalled is told of every upcall */
export function handwrittenLayer(entryId: () => number, upcalled: (name: Upcall) => void): WSPStartup {
  return (requested, data, chain, upcallTable, table) => {
    const exports = ws2Exports(upcallTable);
    if (exports === null) return WSASYSNOTREADY;
    const at = chain.ChainEntries.indexOf(entryId());
    const below = exports.entries.find(
      ({ dwCatalogEntryId }) => dwCatalogEntryId === chain.ChainEntries[at + 1],
    );
    const path: Ref<string> = { value: '' };
    if (below === undefined || upcallTable.WPUGetProviderPath(below.ProviderId, path) !== 0)
      return WSAEPROVIDERFAILEDINIT;
    upcalled('WPUGetProviderPath');
    const lower: Partial<WSPPROC_TABLE> = {};
    const startup = exports.providerAt(path.value);
    const own = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const info = below.ChainLen === 1 ? below : chain;
    const error = startup?.(requested, own, info, upcallTable, lower) ?? WSAEPROVIDERFAILEDINIT;
    if (error !== 0) return error;
    Object.assign(data, own, { szDescription: 'by hand' });
    const layer = new Handwritten(
      upcallTable,
      exports,
      lower as WSPPROC_TABLE,
      chain.dwCatalogEntryId,
      upcalled,
    );
    Object.assign(
      table,
      layer.table((given) => (below.ChainLen === 1 ? below : given)),
    );
    return 0;
  };
}

class Handwritten {
  readonly #upcalls: WSPUPCALLTABLE;
  readonly #ws2: Ws2Exports;
  readonly #lower: WSPPROC_TABLE;
  readonly #entryId: number;
  readonly #upcalled: (name: Upcall) => void;
  /** By the context of a handle. */
  readonly #sockets: Socket[] = [];
  readonly #byLower = new Map<number, number>();
  #window = 0;

  constructor(
    upcalls: WSPUPCALLTABLE,
    ws2: Ws2Exports,
    lower: WSPPROC_TABLE,
    entryId: number,
    upcalled: (name: Upcall) => void,
  ) {
    const noted: Record<string, unknown> = {};
    for (const [name, upcall] of Object.entries(upcalls)) {
      noted[name] = (...args: unknown[]) => {
        upcalled(name as Upcall);
        return (upcall as AnyCall)(...args);
      };
    }
    this.#upcalls = noted as unknown as WSPUPCALLTABLE;
    this.#ws2 = ws2;
    this.#lower = lower;
    this.#entryId = entryId;
    this.#upcalled = upcalled;
  }

  table(infoBelow: (given: never) => unknown): WSPPROC_TABLE {
    const lower = this.#lower as unknown as Readonly<Record<string, AnyCall>>;
    const table: Record<string, AnyCall> = {};
    for (const name of WSP_ENTRIES) {
      const call = lower[name] as AnyCall;
      const recordAt = RECORD_AT[name];
      table[name] = (...args) => {
        const socket = this.#socket(args[0] as number);
        if (socket === null) return -WSAENOTSOCK;
        const record = recordAt === undefined ? null : ((args[recordAt] ?? null) as WSAOVERLAPPED | null);
        if (recordAt === undefined || record === null) return call(socket.lower, ...args.slice(1));
        return this.#mediate(args[0] as number, socket, record, args.slice(recordAt + 1), (own) => {
          const passed = [...args];
          passed.splice(recordAt, 2, own, null);
          return call(socket.lower, ...passed.slice(1));
        });
      };
    }
    for (const name of ['WSPAddressToString', 'WSPStringToAddress', 'WSPCleanup', 'WSPCancelBlockingCall'])
      table[name] = lower[name] as AnyCall;
    return Object.assign(table as unknown as WSPPROC_TABLE, this.#others(infoBelow));
  }

  #others(infoBelow: (given: never) => unknown): Partial<WSPPROC_TABLE> {
    const lower = this.#lower;
    return {
      WSPSocket: (af, type, protocol, info, g, flags) =>
        after(lower.WSPSocket(af, type, protocol, infoBelow(info as never) as never, g, flags), (s) =>
          this.#adopt(s, flags),
        ),
      WSPAccept: (s, ...rest) => {
        const listener = this.#socket(s);
        if (listener === null) return -WSAENOTSOCK;
        return after(lower.WSPAccept(listener.lower, ...rest), (made) => this.#adopt(made, listener.flags));
      },
      WSPCloseSocket: (s) => {
        const socket = this.#socket(s);
        if (socket === null) return -WSAENOTSOCK;
        return after(lower.WSPCloseSocket(socket.lower), () => {
          this.#byLower.delete(socket.lower);
          return this.#upcalls.WPUCloseSocketHandle(s);
        });
      },
      WSPSelect: (nfds, ...sets) => {
        const timeout = sets[3];
        const below = sets.slice(0, 3).map((set) => this.#lowerSet(set as fd_set | null));
        const [reads = null, writes = null, others = null] = below;
        return after(lower.WSPSelect(nfds, reads, writes, others, timeout), (answer) => {
          for (const [i, set] of sets.slice(0, 3).entries())
            this.#keepReady(set as fd_set | null, below[i] ?? null);
          return answer;
        });
      },
      WSPAsyncSelect: (s, hWnd, wMsg, lEvent) => {
        const socket = this.#socket(s);
        if (socket === null) return -WSAENOTSOCK;
        socket.messages = { hWnd, wMsg };
        if (this.#window === 0) {
          this.#window = this.#ws2.createWindow((_message, of, lParam) => {
            const own = this.#byLower.get(of) ?? 0;
            const to = this.#socket(own)?.messages;
            if (to) this.#upcalls.WPUPostMessage(to.hWnd, to.wMsg, own, lParam);
          });
        }
        return lower.WSPAsyncSelect(socket.lower, this.#window, wMsg, lEvent);
      },
      WSPGetOverlappedResult: (_s, lpOverlapped, fWait, lpdwFlags) => {
        if (lpOverlapped === null || lpdwFlags === null) return -WSA_INVALID_HANDLE;
        const done = (): number => {
          lpdwFlags.value = lpOverlapped.Offset;
          return lpOverlapped.OffsetHigh === 0 ? lpOverlapped.InternalHigh : -lpOverlapped.OffsetHigh;
        };
        if (lpOverlapped.Internal !== STATUS_PENDING) return done();
        if (!fWait) return -WSA_IO_INCOMPLETE;
        return new Promise((resolve) => {
          const stop = this.#ws2.onEvent(eventOf(lpOverlapped), () => {
            if (lpOverlapped.Internal === STATUS_PENDING) return;
            stop?.();
            resolve(done());
          });
          if (stop === null) resolve(-WSA_INVALID_HANDLE);
        });
      },
    };
  }

  #socket(s: number): Socket | null {
    const context: Ref = { value: -1 };
    if (this.#upcalls.WPUQuerySocketHandleContext(s, context) !== 0) return null;
    return this.#sockets[context.value] ?? null;
  }

  #adopt(lower: number, flags: number): number {
    if (lower < 0) return lower;
    const socket: Socket = { lower, flags, pending: new Set(), messages: null };
    const s = this.#upcalls.WPUCreateSocketHandle(this.#entryId, this.#sockets.push(socket) - 1);
    this.#byLower.set(lower, s);
    this.#ws2.serve(s, {
      flags,
      cancel: (lpOverlapped) => {
        const found = [...socket.pending].filter(
          (each) => lpOverlapped === null || each.lpOverlapped === lpOverlapped,
        );
        for (const { own } of found) this.#ws2.cancelOperations(lower, own);
        return found.length;
      },
    });
    return s;
  }

  /** Keeps the caller's record, hands down one of the layer's, and tells the end as the caller asked for it. */
  #mediate(
    s: number,
    socket: Socket,
    lpOverlapped: WSAOVERLAPPED,
    [routine, thread]: readonly unknown[],
    begin: (own: WSAOVERLAPPED) => Answer,
  ): Answer {
    const upcalls = this.#upcalls;
    const caller = eventOf(lpOverlapped);
    if (caller !== 0 && (routine ?? null) === null && upcalls.WPUResetEvent(caller) !== 1)
      return -WSA_INVALID_HANDLE;
    const whose: WSATHREADID = { ThreadHandle: 0 };
    // The structure is copied: the caller's is gone when this ends. Without one it is the thread that runs.
    if ((thread ?? null) === null) upcalls.WPUOpenCurrentThread(whose);
    else whose.ThreadHandle = (thread as WSATHREADID).ThreadHandle;
    const hEvent = upcalls.WPUCreateEvent();
    const own: WSAOVERLAPPED = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
    const operation = { lpOverlapped, own };
    lpOverlapped.Internal = STATUS_PENDING;
    lpOverlapped.InternalHigh = 0;
    socket.pending.add(operation);
    let isOver = false;
    const release = (): void => {
      isOver = true;
      stop?.();
      socket.pending.delete(operation);
      upcalls.WPUCloseEvent(hEvent);
      if ((thread ?? null) === null) upcalls.WPUCloseThread(whose);
    };
    const stop = this.#ws2.onEvent(hEvent, () => {
      if (isOver || own.Internal === STATUS_PENDING) return;
      const flags: Ref = { value: 0 };
      const answer = this.#lower.WSPGetOverlappedResult(socket.lower, own, false, flags) as number;
      this.#tell(s, lpOverlapped, whose, (routine ?? null) as WSAOVERLAPPED_COMPLETION_ROUTINE | null, {
        error: answer < 0 ? -answer : 0,
        bytes: own.InternalHigh,
        flags: flags.value,
      });
      release();
    });
    return after(begin(own), (answer) => {
      if (answer >= 0 || answer === -WSA_IO_PENDING || isOver) return -WSA_IO_PENDING;
      lpOverlapped.Internal = own.Internal;
      release();
      return answer;
    });
  }

  #tell(
    s: number,
    lpOverlapped: WSAOVERLAPPED,
    thread: WSATHREADID,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    { error, bytes, flags }: { readonly error: number; readonly bytes: number; readonly flags: number },
  ): void {
    lpOverlapped.OffsetHigh = error;
    lpOverlapped.Offset = flags;
    if (routine === null) {
      this.#upcalled('WPUCompleteOverlappedRequest');
      this.#ws2.WPUCompleteOverlappedRequest(s, lpOverlapped, error, bytes);
      return;
    }
    lpOverlapped.InternalHigh = bytes;
    lpOverlapped.Internal = error;
    this.#upcalls.WPUQueueApc(thread, () => routine(error, bytes, lpOverlapped, flags), 0);
  }

  #lowerSet(set: fd_set | null): fd_set | null {
    return set && { fd_array: set.fd_array.map((s) => this.#socket(s)?.lower ?? 0) };
  }

  #keepReady(set: fd_set | null, below: fd_set | null): void {
    if (set === null || below === null) return;
    set.fd_array = set.fd_array.filter(
      (s) => this.#upcalls.WPUFDIsSet(this.#socket(s)?.lower ?? 0, below) === 1,
    );
  }
}

function after(answer: Answer, then: (answer: number) => number): Answer {
  return typeof answer === 'number' ? then(answer) : answer.then(then);
}
