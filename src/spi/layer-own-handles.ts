/**
 * The handles of a layer that has its own: all 30 calls of the provider below, as the layer calls them with its own handles.
 *
 * | what | how |
 * |---|---|
 * | `s` | the lower socket; WSAENOTSOCK for a handle that is none of the layer's |
 * | sets of sockets | translated down and up |
 * | overlapped records | the layer's own below; see `own-overlapped` |
 * | WSPEventSelect | the event object goes down as it is: it is the process's, not a socket |
 * | WSPAsyncSelect | by a window of the layer's own: messages name the socket |
 * | extension functions | wrappers; registered I/O is WSAEOPNOTSUPP |
 * | SIO_BASE_HANDLE, SIO_BSP_HANDLE* | the provider below answers: its socket is one that can be polled |
 */

import {
  guidAt,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../abi/index.ts';
import { copyOf, i32le, putI32le } from '../base/index.ts';
import { EXTENSION_IDS } from './base-extension-calls.ts';
import { infoBelow } from './layer-info.ts';
import { chainInfoCalls, type LayerHandles } from './layer-system-handles.ts';
import type { Layer } from './layer-types.ts';
import { wrapPointer } from './own-extensions.ts';
import { type OwnHandles, type OwnSocket, ownHandlesOf, typeOf } from './own-handles.ts';
import { mediate, ownOverlappedResult } from './own-overlapped.ts';
import { selectOwn } from './own-select.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSATHREADID } from './types.ts';

/** @param definition which layer: its chains share their sockets */
export function ownHandles(lower: WSPPROC_TABLE, layer: Layer, definition: unknown): LayerHandles {
  const handles = ownHandlesOf(definition, layer);
  handles.users++;
  const next: WSPPROC_TABLE = {
    ...lower,
    ...plainCalls(handles),
    ...makingCalls(handles, lower, layer),
    ...dataCalls(handles),
    WSPSelect: (nfds, readfds, writefds, exceptfds, timeout) =>
      selectOwn(handles, lower, nfds, [readfds, writefds, exceptfds], timeout),
  };
  return {
    next,
    finish: (table) => ({
      ...table,
      ...chainInfoCalls(table, layer.chain),
      WSPCleanup(): Answer {
        if (--handles.users === 0) handles.end();
        return table.WSPCleanup();
      },
    }),
  };
}

/** Calls about one socket, which need its lower handle and no more. */
function plainCalls(handles: OwnHandles): Partial<WSPPROC_TABLE> {
  const on = (s: number, call: (socket: OwnSocket) => Answer): Answer => {
    const socket = handles.get(s);
    return socket === undefined ? -WSAENOTSOCK : call(socket);
  };
  return {
    WSPBind: (s, name, namelen) => on(s, ({ next, lower }) => next.WSPBind(lower, name, namelen)),
    WSPListen: (s, backlog) => on(s, ({ next, lower }) => next.WSPListen(lower, backlog)),
    WSPConnect: (s, ...rest) => on(s, ({ next, lower }) => next.WSPConnect(lower, ...rest)),
    WSPShutdown: (s, how) => on(s, ({ next, lower }) => next.WSPShutdown(lower, how)),
    WSPSendDisconnect: (s, data) => on(s, ({ next, lower }) => next.WSPSendDisconnect(lower, data)),
    WSPRecvDisconnect: (s, data) => on(s, ({ next, lower }) => next.WSPRecvDisconnect(lower, data)),
    WSPGetSockName: (s, ...rest) => on(s, ({ next, lower }) => next.WSPGetSockName(lower, ...rest)),
    WSPGetPeerName: (s, ...rest) => on(s, ({ next, lower }) => next.WSPGetPeerName(lower, ...rest)),
    WSPGetSockOpt: (s, ...rest) => on(s, ({ next, lower }) => next.WSPGetSockOpt(lower, ...rest)),
    WSPGetQOSByName: (s, ...rest) => on(s, ({ next, lower }) => next.WSPGetQOSByName(lower, ...rest)),
    WSPDuplicateSocket: (s, ...rest) => on(s, ({ next, lower }) => next.WSPDuplicateSocket(lower, ...rest)),
    WSPEnumNetworkEvents: (s, ...rest) =>
      on(s, ({ next, lower }) => next.WSPEnumNetworkEvents(lower, ...rest)),
    WSPGetOverlappedResult: (s, lpOverlapped, fWait, lpdwFlags) =>
      on(s, () => ownOverlappedResult(lpOverlapped, fWait, lpdwFlags)),

    WSPSetSockOpt: (s, level, optname, optval, optlen) =>
      on(s, ({ next, lower }) => {
        let value = optval;
        if (
          level === SOL_SOCKET &&
          optname === SO_UPDATE_ACCEPT_CONTEXT &&
          optval !== null &&
          optval.length >= 4
        ) {
          // The value is a socket.
          value = copyOf(optval);
          putI32le(value, 0, handles.get(i32le(optval, 0) >>> 0)?.lower ?? 0);
        }
        return next.WSPSetSockOpt(lower, level, optname, value, optlen);
      }),

    WSPEventSelect: (s, hEventObject, lNetworkEvents) =>
      on(s, (socket) => {
        const answer = socket.next.WSPEventSelect(socket.lower, hEventObject, lNetworkEvents);
        const finish = (late: number): number => {
          if (late >= 0) socket.messages = null;
          return late;
        };
        return typeof answer === 'number' ? finish(answer) : answer.then(finish);
      }),

    WSPAsyncSelect: (s, hWnd, wMsg, lEvent) =>
      on(s, (socket) => {
        const before = socket.messages;
        // Before the call: what is ready already is posted in it.
        socket.messages = lEvent === 0 ? null : { hWnd, wMsg };
        const answer = socket.next.WSPAsyncSelect(socket.lower, handles.window(), wMsg, lEvent);
        const finish = (late: number): number => {
          if (late < 0) socket.messages = before;
          return late;
        };
        return typeof answer === 'number' ? finish(answer) : answer.then(finish);
      }),
  };
}

/** Calls that make a socket, and the one that ends it. */
function makingCalls(handles: OwnHandles, lower: WSPPROC_TABLE, layer: Layer): Partial<WSPPROC_TABLE> {
  const accepted = (parent: OwnSocket, s: number): number => {
    if (s === parent.lower) return parent.handle; // a leaf that is its root
    return handles.ofLower(s)?.handle ?? handles.adopt(layer, parent.next, s, parent, parent);
  };
  const adopting = (s: number, call: (parent: OwnSocket) => Answer): Answer => {
    const parent = handles.get(s);
    if (parent === undefined) return -WSAENOTSOCK;
    const answer = call(parent);
    const finish = (made: number): number => (made < 0 ? made : accepted(parent, made));
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };
  return {
    WSPSocket(af, type, protocol, info, g, flags): Answer {
      const made = { type: typeOf(type, info.iSocketType), flags };
      const answer = lower.WSPSocket(af, type, protocol, infoBelow(layer, info), g, flags);
      const finish = (s: number): number => handles.adopt(layer, lower, s, made, null);
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },

    WSPAccept: (s, ...rest) => adopting(s, ({ next, lower: below }) => next.WSPAccept(below, ...rest)),
    WSPJoinLeaf: (s, ...rest) => adopting(s, ({ next, lower: below }) => next.WSPJoinLeaf(below, ...rest)),

    WSPCloseSocket(s): Answer {
      return handles.get(s)?.close() ?? -WSAENOTSOCK;
    },
  };
}

/** Calls that take an overlapped record. */
function dataCalls(handles: OwnHandles): Partial<WSPPROC_TABLE> {
  const begin = (
    s: number,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
    isReceive: boolean,
    call: (socket: OwnSocket, record: WSAOVERLAPPED | null) => Answer,
  ): Answer => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    if (lpOverlapped === null) return call(socket, null);
    const how = { lpOverlapped, lpCompletionRoutine, lpThreadId, isReceive, isExtension: false };
    return mediate(handles, socket, how, (record) => call(socket, record));
  };
  return {
    WSPSend: (s, buffers, count, flags, lpOverlapped, routine, thread) =>
      begin(s, lpOverlapped, routine, thread, false, ({ next, lower }, record) =>
        next.WSPSend(lower, buffers, count, flags, record, null, thread),
      ),
    WSPSendTo: (s, buffers, count, flags, to, tolen, lpOverlapped, routine, thread) =>
      begin(s, lpOverlapped, routine, thread, false, ({ next, lower }, record) =>
        next.WSPSendTo(lower, buffers, count, flags, to, tolen, record, null, thread),
      ),
    WSPRecv: (s, buffers, count, flags, lpOverlapped, routine, thread) =>
      begin(s, lpOverlapped, routine, thread, true, ({ next, lower }, record) =>
        next.WSPRecv(lower, buffers, count, flags, record, null, thread),
      ),
    WSPRecvFrom: (s, buffers, count, flags, from, fromlen, lpOverlapped, routine, thread) =>
      begin(s, lpOverlapped, routine, thread, true, ({ next, lower }, record) =>
        next.WSPRecvFrom(lower, buffers, count, flags, from, fromlen, record, null, thread),
      ),

    WSPIoctl(s, code, lpvIn, cbIn, lpvOut, cbOut, lpOverlapped, routine, thread, needed = null): Answer {
      if (code === SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER && handles.get(s) !== undefined) {
        return -WSAEOPNOTSUPP;
      }
      const answer = begin(s, lpOverlapped, routine, thread, false, ({ next, lower }, record) =>
        next.WSPIoctl(lower, code, lpvIn, cbIn, lpvOut, cbOut, record, null, thread, needed),
      );
      if (code !== SIO_GET_EXTENSION_FUNCTION_POINTER || lpvIn === null || lpvOut === null) return answer;
      const name = EXTENSION_IDS.get(guidAt(lpvIn) ?? '');
      const finish = (late: number): number => {
        if (late >= 0 && name !== undefined) wrapPointer(handles, name, lpvOut);
        return late;
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },
  };
}
