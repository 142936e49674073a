/**
 * AcceptEx, GetAcceptExSockaddrs, ConnectEx and DisconnectEx of the base provider.
 *
 * AcceptEx's buffer has the data first, then a place for each name: the length of the sockaddr (i32), twelve bytes of nothing,
 * the sockaddr.
 */

import {
  ACCEPT_EX_ADDRESS_EXTRA,
  ERROR_INVALID_PARAMETER,
  SOCK_STREAM,
  sockaddrLength,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAENOTSOCK,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import { submitOverlapped } from './base-overlapped.ts';
import { type BaseState, readable } from './base-state.ts';
import type { ExtensionFunctions } from './extensions.ts';
import type { Answer, Ref } from './types.ts';

type ConnectExtensions = Pick<
  ExtensionFunctions,
  'AcceptEx' | 'GetAcceptExSockaddrs' | 'ConnectEx' | 'DisconnectEx'
>;

/** Where the sockaddr lies in its place. */
const SOCKADDR_AT = ACCEPT_EX_ADDRESS_EXTRA;

export function baseConnectExtensions(base: BaseState): ConnectExtensions {
  const { calls, sockets } = base;
  return {
    AcceptEx(
      sListen,
      sAccept,
      buffer,
      receiveLength,
      localLength,
      remoteLength,
      received,
      lpOverlapped,
    ): Answer {
      if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
      const listener = sockets.get(sListen);
      const target = sockets.get(sAccept);
      if (listener === undefined || target === undefined) return -WSAENOTSOCK;
      const room = receiveLength + localLength + remoteLength;
      if (buffer === null || remoteLength === 0) return -WSAEFAULT;
      if (!(Math.min(receiveLength, localLength, remoteLength) >= 0 && room <= buffer.length))
        return -WSAEFAULT;
      if (target.type !== SOCK_STREAM || listener.type !== SOCK_STREAM) return -WSAEINVAL;
      const nameLength = sockaddrLength(listener.info.iAddressFamily);
      const needed = nameLength + ACCEPT_EX_ADDRESS_EXTRA;
      const finish = ({ error, value, address }: AfdCompletion): number => {
        if (error !== 0) return -error;
        if (address !== null) {
          if (localLength > 0) putPlace(buffer, receiveLength, address.subarray(0, nameLength));
          putPlace(buffer, receiveLength + localLength, address.subarray(nameLength));
        }
        return value;
      };
      const call = calls.prepare(AfdOp.superAccept, listener, (_call, completion) => finish(completion));
      call.request.a = target.descriptor;
      call.request.b = (localLength > 0 && localLength < needed) || remoteLength < needed ? 1 : 0;
      call.request.into = receiveLength > 0 ? buffer.subarray(0, receiveLength) : null;
      return asBool(submitOverlapped(base, call, lpOverlapped, null, null, true), received);
    },

    GetAcceptExSockaddrs: getAcceptExSockaddrs,

    ConnectEx(s, name, namelen, lpSendBuffer, dwSendDataLength, lpdwBytesSent, lpOverlapped): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
      const address = readable(name, namelen);
      if (address === null) return -WSAEFAULT;
      const data = dwSendDataLength === 0 ? null : readable(lpSendBuffer, dwSendDataLength);
      if (data === null && dwSendDataLength !== 0) return -WSAEFAULT;
      if (socket.type !== SOCK_STREAM) return -WSAEINVAL;
      const call = calls.prepare(AfdOp.connect, socket);
      call.request.address = address;
      call.request.data = data;
      return asBool(submitOverlapped(base, call, lpOverlapped, null, null, true), lpdwBytesSent);
    },

    DisconnectEx(s, lpOverlapped, dwFlags, dwReserved): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (dwReserved !== 0) return -WSAEINVAL;
      if (socket.type !== SOCK_STREAM) return -WSAENOTCONN;
      const call = calls.prepare(AfdOp.disconnect, socket);
      call.request.a = dwFlags;
      if (lpOverlapped === null) return asBool(calls.submit(call), null);
      return asBool(submitOverlapped(base, call, lpOverlapped, null, null, true), null);
    },
  };
}

/** Where AcceptEx has put the names. The local outputs stay as they are when there was no room for that name. */
export function getAcceptExSockaddrs(
  buffer: Uint8Array | null,
  receiveLength: number,
  localLength: number,
  remoteLength: number,
  local: Ref<Uint8Array | null> | null,
  localNameLength: Ref | null,
  remote: Ref<Uint8Array | null> | null,
  remoteNameLength: Ref | null,
): number {
  if (!(buffer instanceof Uint8Array)) return -WSAEFAULT;
  if (![receiveLength, localLength, remoteLength].every(Number.isInteger)) return -WSAEFAULT;
  if (localLength > 0) takePlace(buffer, receiveLength, localLength, local, localNameLength);
  takePlace(buffer, receiveLength + localLength, remoteLength, remote, remoteNameLength);
  return 0;
}

function putPlace(buffer: Uint8Array, at: number, name: Uint8Array): void {
  buffer.fill(0, at, at + SOCKADDR_AT);
  putI32le(buffer, at, name.length);
  buffer.set(name, at + SOCKADDR_AT);
}

function takePlace(
  buffer: Uint8Array,
  at: number,
  room: number,
  name: Ref<Uint8Array | null> | null,
  length: Ref | null,
): void {
  if (!isPlace(name) || !isPlace(length)) return;
  if (!(room > SOCKADDR_AT && at >= 0 && at + room <= buffer.length)) return;
  const used = Math.min(Math.max(i32le(buffer, at), 0), room - SOCKADDR_AT);
  name.value = buffer.subarray(at + SOCKADDR_AT, at + SOCKADDR_AT + used);
  length.value = used;
}

/** Whether something can be written to; a program may give anything. */
function isPlace<T>(place: Ref<T> | null): place is Ref<T> {
  return typeof place === 'object' && place !== null && !Object.isFrozen(place);
}

/** A byte count as BOOL; the count is written when the call is done at once. */
export function asBool(answer: Answer, count: Ref | null): Answer {
  const finish = (known: number): number => {
    if (known < 0) return known;
    if (count !== null) count.value = known;
    return 1;
  };
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}
