/**
 * Extension functions through a layer with its own handles (CAT-LOAD-08): whoever asks for one is handed a wrapper that takes the
 * layer's handles. Registered I/O is refused: its requests go to the sockets past every layer.
 */

import { WSAEFAULT, WSAENOTSOCK } from '../abi/index.ts';
import type { ExtensionFunctions } from './extensions.ts';
import { functionAt, readPointer, writePointer } from './function-pointers.ts';
import type { OwnHandles, OwnSocket } from './own-handles.ts';
import { mediate } from './own-overlapped.ts';
import type { Answer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSAPOLLFD } from './types.ts';

type Wrapped = Exclude<keyof ExtensionFunctions, 'GetAcceptExSockaddrs'>;

/** Wrappers by the function that they call. */
const wrappers = new WeakMap<OwnHandles, WeakMap<object, ExtensionFunctions[keyof ExtensionFunctions]>>();

/** Puts the wrapper of a function in the place of the function that the provider below has answered. */
export function wrapPointer(handles: OwnHandles, name: keyof ExtensionFunctions, into: Uint8Array): void {
  const below = functionAt(readPointer(into));
  if (below === null || name === 'GetAcceptExSockaddrs') return;
  const known = wrappers.get(handles) ?? new WeakMap();
  wrappers.set(handles, known);
  let wrapper = known.get(below);
  if (wrapper === undefined) {
    wrapper = WRAP[name](handles, below as never);
    known.set(below, wrapper);
  }
  writePointer(into, 0, wrapper);
}

/** A call with a record on a socket; without one it goes straight down. */
function withRecord(
  handles: OwnHandles,
  socket: OwnSocket,
  lpOverlapped: WSAOVERLAPPED | null,
  lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  isReceive: boolean,
  call: (lowerRecord: WSAOVERLAPPED | null) => Answer,
): Answer {
  if (lpOverlapped === null) return call(null);
  const how = { lpOverlapped, lpCompletionRoutine, lpThreadId: null, isReceive, isExtension: true };
  return mediate(handles, socket, how, call);
}

const WRAP: {
  readonly [K in Wrapped]: (handles: OwnHandles, below: ExtensionFunctions[K]) => ExtensionFunctions[K];
} = {
  AcceptEx: (handles, below) => (sListen, sAccept, buffer, room, local, remote, received, lpOverlapped) => {
    const listener = handles.get(sListen);
    const target = handles.get(sAccept);
    if (listener === undefined || target === undefined) return -WSAENOTSOCK;
    return withRecord(handles, listener, lpOverlapped, null, false, (record) =>
      below(listener.lower, target.lower, buffer, room, local, remote, received, record),
    );
  },

  ConnectEx: (handles, below) => (s, name, namelen, data, length, sent, lpOverlapped) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, null, false, (record) =>
      below(socket.lower, name, namelen, data, length, sent, record),
    );
  },

  DisconnectEx: (handles, below) => (s, lpOverlapped, dwFlags, dwReserved) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, null, false, (record) =>
      below(socket.lower, record, dwFlags, dwReserved),
    );
  },

  TransmitFile: (handles, below) => (s, hFile, bytes, perSend, lpOverlapped, buffers, dwFlags) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, null, false, (record) =>
      below(socket.lower, hFile, bytes, perSend, record, buffers, dwFlags),
    );
  },

  TransmitPackets: (handles, below) => (s, packets, count, sendSize, lpOverlapped, dwFlags) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, null, false, (record) =>
      below(socket.lower, packets, count, sendSize, record, dwFlags),
    );
  },

  WSARecvMsg: (handles, below) => (s, lpMsg, received, lpOverlapped, routine) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, routine, true, (record) =>
      below(socket.lower, lpMsg, received, record, null),
    );
  },

  WSASendMsg: (handles, below) => (s, lpMsg, dwFlags, sent, lpOverlapped, routine) => {
    const socket = handles.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    return withRecord(handles, socket, lpOverlapped, routine, false, (record) =>
      below(socket.lower, lpMsg, dwFlags, sent, record, null),
    );
  },

  WSAPoll: (handles, below) => (fdArray, fds, timeout) => {
    if (fdArray === null || fds > fdArray.length) return -WSAEFAULT;
    const asked = fdArray.slice(0, fds);
    const lower: WSAPOLLFD[] = asked.map(({ fd, events }) => ({
      fd: handles.get(fd)?.lower ?? 0,
      events,
      revents: 0,
    }));
    const finish = (answer: number): number => {
      for (const [i, each] of asked.entries()) each.revents = lower[i]?.revents ?? 0;
      return answer;
    };
    const answer = below(lower, lower.length, timeout);
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  },
};
