/**
 * WSASendMsg and WSARecvMsg of the base provider: messages with control data, of datagram and raw sockets (SEM-IO-23).
 */

import {
  AF_INET6,
  SOCK_STREAM,
  sockaddrOf,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../abi/index.ts';
import { IpAddress, i32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import { submitOverlapped } from './base-overlapped.ts';
import type { BaseSocket } from './base-sockets.ts';
import { type BaseState, gather, readable, scatter, totalLength } from './base-state.ts';
import type { ExtensionFunctions } from './extensions.ts';
import type { Answer, Ref, WSAMSG } from './types.ts';

/** Bytes before received control data that hold its length: see `AfdOp.recv`. */
const CONTROL_LENGTH_LEN = 4;
/** Flags that an application may pass. */
const APPLICATION_FLAGS = 0xffff;

export function baseMessageExtensions(
  base: BaseState,
): Pick<ExtensionFunctions, 'WSARecvMsg' | 'WSASendMsg'> {
  const { calls, sockets } = base;
  return {
    WSASendMsg(s, lpMsg, dwFlags, lpNumberOfBytesSent, lpOverlapped, lpCompletionRoutine): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (lpMsg === null) return -WSAEFAULT;
      if (socket.type === SOCK_STREAM || (dwFlags & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
      // Without a place for the count it fails, when the socket has got its name already (API-WSASendTo).
      if (lpNumberOfBytesSent === null && lpOverlapped === null) return nameThenFail(base, socket);
      const data = bytesOf(lpMsg);
      if (data === null) return -WSAEFAULT;
      const call = calls.prepare(AfdOp.send, socket);
      call.request.flags = dwFlags;
      call.request.a = controlLength(lpMsg);
      call.request.data = data;
      if (lpMsg.name !== null) {
        const to = readable(lpMsg.name, lpMsg.namelen);
        if (to === null) return -WSAEFAULT;
        call.request.address = to;
      }
      const answer =
        lpOverlapped === null
          ? calls.submit(call)
          : submitOverlapped(base, call, lpOverlapped, lpCompletionRoutine, null, true);
      return counted(answer, lpNumberOfBytesSent);
    },

    WSARecvMsg(s, lpMsg, lpdwNumberOfBytesRecvd, lpOverlapped, lpCompletionRoutine): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (lpMsg === null || (lpdwNumberOfBytesRecvd === null && lpOverlapped === null)) return -WSAEFAULT;
      if (socket.type === SOCK_STREAM) return -WSAEOPNOTSUPP;
      if ((lpMsg.dwFlags & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
      const { lpBuffers, dwBufferCount, name, namelen } = lpMsg;
      const isNamed = name !== null;
      if (isNamed && !(namelen >= socket.info.iMinSockAddr && namelen <= name.length)) return -WSAEFAULT;
      const total = lpBuffers === null ? -1 : totalLength(lpBuffers, dwBufferCount);
      const room = controlLength(lpMsg);
      if (!(total >= 0 && room >= 0) || lpBuffers === null || !(dwBufferCount <= lpBuffers.length))
        return -WSAEFAULT;
      const call = calls.prepare(AfdOp.recv, socket, (receiving, completion) =>
        finishMessage(receiving, completion, lpMsg),
      );
      call.request.flags = lpMsg.dwFlags;
      call.request.a = CONTROL_LENGTH_LEN + room;
      call.request.into = new Uint8Array(CONTROL_LENGTH_LEN + room + total);
      // The list may be changed as soon as the call returns (SEM-OV-08).
      call.buffers = lpBuffers.slice(0, dwBufferCount);
      call.flags = { value: lpMsg.dwFlags };
      const answer =
        lpOverlapped === null
          ? calls.submit(call)
          : submitOverlapped(base, call, lpOverlapped, lpCompletionRoutine, null, true);
      return counted(answer, lpdwNumberOfBytesRecvd);
    },
  };
}

/** Bytes of a message's control data; −1 when there are fewer than it says. */
function controlLength({ Control, ControlLength }: WSAMSG): number {
  if (Control === null) return 0;
  const length = ControlLength ?? Control.length;
  return length >= 0 && length <= Control.length ? length : -1;
}

/** Control data, and the message behind it. */
function bytesOf(message: WSAMSG): Uint8Array | null {
  const { lpBuffers, dwBufferCount, Control } = message;
  if (lpBuffers === null || !(dwBufferCount >= 0 && dwBufferCount <= lpBuffers.length)) return null;
  const length = controlLength(message);
  if (length < 0) return null;
  if (length === 0 || Control === null) return gather(lpBuffers, dwBufferCount);
  const parts = [Control.subarray(0, length), ...lpBuffers.slice(0, dwBufferCount)];
  return gather(parts, parts.length);
}

function finishMessage(call: Call, completion: AfdCompletion, message: WSAMSG): number {
  const { error, value, flags, address } = completion;
  if (error !== 0 && error !== WSAEMSGSIZE) return -error;
  const { into, a } = call.request;
  const { Control, name } = message;
  if (into !== null) {
    const length = Math.min(Math.max(i32le(into, 0), 0), a - CONTROL_LENGTH_LEN);
    if (Control !== null) Control.set(into.subarray(CONTROL_LENGTH_LEN, CONTROL_LENGTH_LEN + length));
    message.ControlLength = length;
    scatter(into.subarray(a), value, call.buffers ?? []);
  }
  if (name !== null && address !== null) {
    name.set(address.subarray(0, name.length));
    message.namelen = address.length;
  }
  message.dwFlags = flags;
  if (call.flags !== null) call.flags.value = flags;
  if (error !== 0) call.transferred = value;
  return error === 0 ? value : -error;
}

/** Binds a socket that has no name yet, as a send does. */
function nameThenFail(base: BaseState, socket: BaseSocket): Answer {
  const call = base.calls.prepare(AfdOp.bind, socket, () => -WSAEFAULT);
  const any = socket.info.iAddressFamily === AF_INET6 ? IpAddress.anyV6 : IpAddress.anyV4;
  call.request.address = sockaddrOf(any, 0);
  return base.calls.submit(call);
}

/** The call answers 0, and the count goes where it belongs once the call is done. */
function counted(answer: Answer, count: Ref | null): Answer {
  const finish = (known: number): number => {
    if (known < 0) return known;
    if (count !== null) count.value = known;
    return 0;
  };
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}
