/**
 * The base provider's options and ioctls. Nearly all of them are the socket's own and cross as raw bytes; here is what the
 * provider itself knows: its catalog entry, its handles, and how lengths of −1 and 0 are taken.
 */

import {
  optionLayout,
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_BSP_HANDLE_SELECT,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SIO_QUERY_TARGET_PNP_HANDLE,
  SO_PROTOCOL_INFOW,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  WSAEFAULT,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAPROTOCOL_INFOW_LEN,
  writeWSAPROTOCOL_INFOW,
} from '../abi/index.ts';
import { EMPTY, i32le, putI32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import type { BaseExtensions } from './base-extension-calls.ts';
import { answerOverlapped, refuseOverlapped, submitOverlapped } from './base-overlapped.ts';
import type { BaseSocket } from './base-sockets.ts';
import { type BaseState, readable } from './base-state.ts';
import { mobileOptionError, noteHeaderIncluded } from './mobile-rules.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, Ref } from './types.ts';

type OptionCalls = Pick<WSPPROC_TABLE, 'WSPGetSockOpt' | 'WSPSetSockOpt' | 'WSPIoctl'>;

/** Bytes of a SOCKET in 64-bit Windows. */
const SOCKET_LEN = 8;
/** Codes that ask for a socket of the lowest layer: this one. */
const HANDLE_CODES = new Set([
  SIO_QUERY_TARGET_PNP_HANDLE,
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_BSP_HANDLE_SELECT,
]);

/** Codes that ask for functions. */
const POINTER_CODES = new Set([
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
]);

export function baseOptionCalls(base: BaseState, extensions: BaseExtensions): OptionCalls {
  const { calls, sockets } = base;
  return {
    WSPGetSockOpt(s, level, optname, optval, optlen): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (optlen === null) return -WSAEFAULT;
      const into = readable(optval, optlen.value);
      if (into === null) return -WSAEFAULT;
      const absent = base.profile === 'windows-mobile' ? mobileOptionError(level, optname) : 0;
      if (absent !== 0) return -absent;
      if (level === SOL_SOCKET && optname === SO_PROTOCOL_INFOW) return protocolInfo(socket, into, optlen);
      const call = calls.prepare(AfdOp.getOption, socket, finishGetOption);
      call.request.a = level;
      call.request.b = optname;
      call.request.into = into;
      call.nameLength = optlen;
      return calls.submit(call);
    },

    WSPSetSockOpt(s, level, optname, optval, optlen): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (optval === null) return -WSAEFAULT;
      const data = optlen < 0 ? valueOfUnboundedLength(level, optname, optval) : readable(optval, optlen);
      if (typeof data === 'number') return data;
      if (data === null) return -WSAEFAULT;
      if (level === SOL_SOCKET && optname === SO_UPDATE_ACCEPT_CONTEXT) {
        // The value is the listener's handle, which means nothing on the other side of the port.
        const listener = data.length < 4 ? undefined : sockets.get(i32le(data, 0) >>> 0);
        if (listener === undefined) return -WSAENOTSOCK;
      }
      if (base.profile === 'windows-mobile') {
        const absent = mobileOptionError(level, optname);
        if (absent !== 0) return -absent;
        noteHeaderIncluded(socket, level, optname, data);
      }
      const call = calls.prepare(AfdOp.setOption, socket);
      call.request.a = level;
      call.request.b = optname;
      call.request.data = data;
      return calls.submit(call);
    },

    WSPIoctl(
      s,
      code,
      lpvIn,
      cbIn,
      lpvOut,
      cbOut,
      lpOverlapped,
      lpCompletionRoutine,
      lpThreadId,
      lpcbNeeded = null,
    ): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const data = cbIn === 0 ? EMPTY : readable(lpvIn, cbIn);
      const into = cbOut === 0 ? EMPTY : readable(lpvOut, cbOut);
      if (data === null || into === null) return -WSAEFAULT;
      // Windows CE has no extension functions.
      if (POINTER_CODES.has(code) && base.profile !== 'windows-mobile') {
        const answer = extensions.pointer(code, data, into);
        if (lpOverlapped === null || answer < 0) return answer;
        return answerOverlapped(base, socket, answer, lpOverlapped, lpCompletionRoutine, lpThreadId);
      }
      if (HANDLE_CODES.has(code)) {
        if (lpOverlapped === null) return ownHandle(socket, into);
        return refuseOverlapped(base, socket, code, lpOverlapped, lpCompletionRoutine, lpThreadId);
      }
      const call = calls.prepare(AfdOp.ioctl, socket, finishIoctl);
      call.nameLength = lpcbNeeded;
      call.request.a = code;
      call.request.data = data;
      call.request.into = into;
      if (lpOverlapped === null) return calls.submit(call);
      return submitOverlapped(base, call, lpOverlapped, lpCompletionRoutine, lpThreadId);
    },
  };
}

/** The length is written with the value, and when the value did not fit and the other side says what it needs. */
function finishGetOption(call: Call, completion: AfdCompletion): number {
  const { error, value } = completion;
  const { nameLength, request } = call;
  if (nameLength !== null && (error === 0 || (error === WSAEFAULT && value > 0))) nameLength.value = value;
  // SEM-OPT-08
  else if (nameLength !== null && error === WSAEFAULT && isCleared(request.a, request.b))
    nameLength.value = 0;
  return error === 0 ? 0 : -error;
}

/** What a result needs that did not fit is told too (IOC-SIO_ADDRESS_LIST_QUERY). */
function finishIoctl(call: Call, { error, value }: AfdCompletion): number {
  if (call.nameLength !== null && error === WSAEFAULT) call.nameLength.value = value;
  return error === 0 ? value : -error;
}

function protocolInfo(socket: BaseSocket, into: Uint8Array, optlen: Ref): number {
  if (into.length < WSAPROTOCOL_INFOW_LEN) {
    optlen.value = WSAPROTOCOL_INFOW_LEN;
    return -WSAEFAULT;
  }
  writeWSAPROTOCOL_INFOW(into, 0, socket.info);
  return 0;
}

function isCleared(level: number, optname: number): boolean {
  return optionLayout(level, optname)?.lengthRule === 'cleared';
}

/** SEM-OPT-04: a length of −1 is taken for "enough" by the multi-byte options of SOL_SOCKET, by no other. */
function valueOfUnboundedLength(level: number, optname: number, optval: Uint8Array): Uint8Array | number {
  const layout = level === SOL_SOCKET ? optionLayout(level, optname) : null;
  if (layout === null || layout.lengthRule === 'byte') return -WSAENOBUFS;
  return optval.length > layout.length ? optval.subarray(0, layout.length) : optval;
}

function ownHandle(socket: BaseSocket, into: Uint8Array): number {
  if (into.length < SOCKET_LEN) return -WSAEFAULT;
  putI32le(into, 0, socket.handle);
  putI32le(into, 4, 0);
  return SOCKET_LEN;
}
