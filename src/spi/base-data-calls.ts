/**
 * The base provider's sending and receiving: WSPSend, WSPSendTo, WSPRecv, WSPRecvFrom.
 *
 * One buffer crosses as it is; several are one message (SEM-IO-22) and are copied together, because a request carries one
 * range of bytes. What the flags and the state of the socket allow is decided on the other side of the port.
 */

import { SOCK_STREAM, WSAEFAULT, WSAEINVAL, WSAEMSGSIZE, WSAENOTSOCK } from '../abi/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import { submitOverlapped } from './base-overlapped.ts';
import { type BaseState, gather, readable, scatter, totalLength } from './base-state.ts';
import { mobileSendError } from './mobile-rules.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSABUF } from './types.ts';

type DataCalls = Pick<WSPPROC_TABLE, 'WSPSend' | 'WSPSendTo' | 'WSPRecv' | 'WSPRecvFrom'>;

/** Flags that an application may pass; above are the port's own. */
const APPLICATION_FLAGS = 0xffff;

export function baseDataCalls(base: BaseState): DataCalls {
  return {
    WSPSend(s, lpBuffers, dwBufferCount, dwFlags, lpOverlapped, lpCompletionRoutine, lpThreadId): Answer {
      const call = prepareSend(base, s, lpBuffers, dwBufferCount, dwFlags);
      if (typeof call === 'number') return call;
      if (lpOverlapped === null) return base.calls.submit(call);
      return submitOverlapped(base, call, lpOverlapped, lpCompletionRoutine, lpThreadId);
    },

    WSPSendTo(s, lpBuffers, count, dwFlags, lpTo, iTolen, lpOverlapped, routine, lpThreadId): Answer {
      const call = prepareSend(base, s, lpBuffers, count, dwFlags);
      if (typeof call === 'number') return call;
      // A stream ignores the destination, even a wrong one (API-sendto).
      if (lpTo !== null && call.socket?.type !== SOCK_STREAM) {
        const to = readable(lpTo, iTolen);
        if (to === null) return -WSAEFAULT;
        call.request.address = to;
      }
      if (lpOverlapped === null) return base.calls.submit(call);
      return submitOverlapped(base, call, lpOverlapped, routine, lpThreadId);
    },

    WSPRecv(s, lpBuffers, dwBufferCount, lpFlags, lpOverlapped, lpCompletionRoutine, lpThreadId): Answer {
      const call = prepareReceive(base, s, lpBuffers, dwBufferCount);
      if (typeof call === 'number') return call;
      if (lpFlags === null) return -WSAEFAULT;
      if ((lpFlags.value & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
      call.request.flags = lpFlags.value;
      call.flags = lpFlags;
      if (lpOverlapped === null) return base.calls.submit(call);
      return submitOverlapped(base, call, lpOverlapped, lpCompletionRoutine, lpThreadId);
    },

    WSPRecvFrom(s, lpBuffers, count, lpFlags, lpFrom, lpFromlen, lpOverlapped, routine, lpThreadId): Answer {
      const call = prepareReceive(base, s, lpBuffers, count);
      if (typeof call === 'number') return call;
      if (lpFlags === null) return -WSAEFAULT;
      if ((lpFlags.value & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
      const socket = call.socket;
      // A stream leaves `from` and its length alone (API-recvfrom).
      if (lpFrom !== null && socket !== null && socket.type !== SOCK_STREAM) {
        if (lpFromlen === null || lpFromlen.value < socket.info.iMinSockAddr) return -WSAEFAULT;
        if (!(lpFromlen.value <= lpFrom.length)) return -WSAEFAULT;
        call.name = lpFrom;
        call.nameLength = lpFromlen;
      }
      call.request.flags = lpFlags.value;
      call.flags = lpFlags;
      if (lpOverlapped === null) return base.calls.submit(call);
      return submitOverlapped(base, call, lpOverlapped, routine, lpThreadId);
    },
  };
}

function prepareSend(
  base: BaseState,
  s: number,
  buffers: readonly WSABUF[] | null,
  count: number,
  flags: number,
): Call | number {
  const socket = base.sockets.get(s);
  if (socket === undefined) return -WSAENOTSOCK;
  if (buffers === null || !(count >= 0 && count <= buffers.length)) return -WSAEFAULT;
  if ((flags & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
  const data = gather(buffers, count);
  if (data === null) return -WSAEFAULT;
  const error = base.profile === 'windows-mobile' ? mobileSendError(socket, data) : 0;
  if (error !== 0) return -error;
  socket.isUnboundCopy = false; // a send binds
  const call = base.calls.prepare(AfdOp.send, socket);
  call.request.flags = flags;
  call.request.data = data;
  return call;
}

function prepareReceive(
  base: BaseState,
  s: number,
  buffers: readonly WSABUF[] | null,
  count: number,
): Call | number {
  const socket = base.sockets.get(s);
  if (socket === undefined) return -WSAENOTSOCK;
  if (buffers === null || !(count <= buffers.length)) return -WSAEFAULT;
  if (count <= 0) return -WSAEINVAL;
  const total = totalLength(buffers, count);
  if (total < 0) return -WSAEFAULT;
  if (socket.isUnboundCopy && socket.type !== SOCK_STREAM) return -WSAEINVAL;
  const call = base.calls.prepare(AfdOp.recv, socket, finishReceive);
  if (count === 1) {
    call.request.into = buffers[0] as WSABUF;
  } else {
    // The list may be changed as soon as the call returns (SEM-OV-08): the copy keeps what it was.
    call.request.into = new Uint8Array(total);
    call.buffers = buffers.slice(0, count);
  }
  return call;
}

/** Also of a message that was cut (SEM-IO-03): what fits is delivered with its flags and source, and the call fails. */
function finishReceive(call: Call, completion: AfdCompletion): number {
  const { error } = completion;
  if (error !== 0 && error !== WSAEMSGSIZE) return -error;
  const into = call.request.into;
  if (call.buffers !== null && into !== null) {
    scatter(into, error === 0 ? completion.value : into.length, call.buffers);
  }
  if (call.flags !== null) call.flags.value = completion.flags;
  if (call.name !== null && call.nameLength !== null && completion.address !== null) {
    call.name.set(completion.address);
    call.nameLength.value = completion.address.length;
  }
  if (error !== 0) call.transferred = completion.value;
  return error === 0 ? completion.value : -error;
}
