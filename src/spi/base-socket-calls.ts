/**
 * The base provider's calls that make, end and connect sockets.
 */

import {
  CF_ACCEPT,
  CF_DEFER,
  CF_REJECT,
  SD_RECEIVE,
  SD_SEND,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAENOPROTOOPT,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
  WSATRY_AGAIN,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import { watch } from './base-event-calls.ts';
import { BaseSocket, type DeferredConnection } from './base-sockets.ts';
import { argumentOr, type BaseState, readable } from './base-state.ts';
import { infoWithToken, tokenOf } from './duplicate-token.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, ConditionFunction, QOS, Ref } from './types.ts';

type SocketCalls = Pick<
  WSPPROC_TABLE,
  | 'WSPAccept'
  | 'WSPBind'
  | 'WSPCloseSocket'
  | 'WSPConnect'
  | 'WSPDuplicateSocket'
  | 'WSPGetPeerName'
  | 'WSPGetSockName'
  | 'WSPJoinLeaf'
  | 'WSPListen'
  | 'WSPRecvDisconnect'
  | 'WSPSendDisconnect'
  | 'WSPShutdown'
  | 'WSPSocket'
>;

/** `flags` of a close that resets the connection. */
const CLOSE_ABORTIVE = 1;
/** The service type of a flow that wants resources set aside; no provider here can. */
const SERVICETYPE_CONTROLLEDLOAD = 2;
const SERVICETYPE_GUARANTEED = 3;

export function baseSocketCalls(base: BaseState): SocketCalls {
  const { calls, sockets } = base;

  const disconnect = (s: number, how: number, withData: boolean): Answer => {
    const socket = sockets.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    if (withData) return -WSAENOPROTOOPT;
    const call = calls.prepare(AfdOp.shutdown, socket);
    call.request.a = how;
    return calls.submit(call);
  };

  const name = (op: AfdOp, s: number, into: Uint8Array | null, length: Ref | null): Answer => {
    const socket = sockets.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    const call = calls.prepare(op, socket, finishName);
    call.name = into;
    call.nameLength = length;
    return calls.submit(call);
  };

  return {
    WSPSocket(af, type, protocol, lpProtocolInfo, _g, _dwFlags): Answer {
      const info = lpProtocolInfo;
      const socketType = argumentOr(type, info.iSocketType);
      const socketProtocol = argumentOr(protocol, info.iProtocol);
      const isDuplicate = info.dwProviderReserved !== 0;
      const call = calls.prepare(isDuplicate ? AfdOp.open : AfdOp.socket, null, (_call, completion) => {
        if (completion.error !== 0) return -completion.error;
        return admit(base, completion.value, info, socketType, socketProtocol);
      });
      if (isDuplicate) {
        call.request.data = tokenOf(info);
      } else {
        call.request.a = argumentOr(af, info.iAddressFamily);
        call.request.b = socketType;
        call.request.flags = socketProtocol;
      }
      return calls.submit(call);
    },

    WSPCloseSocket(s): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      for (const { descriptor } of socket.deferred) closeDescriptor(base, descriptor, CLOSE_ABORTIVE);
      socket.deferred = [];
      const call = calls.prepare(AfdOp.close, socket, (closing, { error }) => {
        // The handle stays valid when a non-blocking socket cannot linger (SEM-LING-04).
        if (error !== WSAEWOULDBLOCK && closing.socket !== null) sockets.remove(closing.socket);
        return error === 0 ? 0 : -error;
      });
      return calls.submit(call);
    },

    WSPBind(s, bindName, namelen): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const address = readable(bindName, namelen);
      if (address === null) return -WSAEFAULT;
      const call = calls.prepare(AfdOp.bind, socket);
      call.request.address = address;
      return calls.submit(call);
    },

    WSPListen(s, backlog): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const call = calls.prepare(AfdOp.listen, socket);
      call.request.a = backlog;
      return calls.submit(call);
    },

    WSPConnect(s, peer, namelen, lpCallerData, lpCalleeData, lpSQOS, _lpGQOS): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const address = readable(peer, namelen);
      if (address === null) return -WSAEFAULT;
      if (lpCallerData !== null && lpCallerData.length > 0) return -WSAEPROTONOSUPPORT;
      if (lpCalleeData !== null) lpCalleeData.value = EMPTY;
      if (wantsResources(lpSQOS)) return -WSAEOPNOTSUPP;
      const call = calls.prepare(AfdOp.connect, socket);
      call.request.address = address;
      return calls.submit(call);
    },

    WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (addr !== null) {
        if (addrlen === null || addrlen.value < socket.info.iMinSockAddr) return -WSAEFAULT;
        if (addrlen.value > addr.length) return -WSAEFAULT;
      }
      if (lpfnCondition !== null) return acceptOn(base, socket, addr, addrlen, lpfnCondition, dwCallbackData);
      const waiting = socket.deferred.shift();
      if (waiting !== undefined) return take(base, socket, waiting, addr, addrlen);
      const call = calls.prepare(AfdOp.accept, socket, (accepting, completion) => {
        if (completion.error !== 0) return -completion.error;
        const peer = completion.address ?? EMPTY;
        putName(peer, accepting.name, accepting.nameLength);
        return admitAccepted(base, socket, completion.value);
      });
      call.name = addr;
      call.nameLength = addrlen;
      return calls.submit(call);
    },

    WSPShutdown: (s, how) => disconnect(s, how, false),
    WSPSendDisconnect: (s, data) => disconnect(s, SD_SEND, data !== null && data.length > 0),
    WSPRecvDisconnect: (s, data) => disconnect(s, SD_RECEIVE, data !== null),
    WSPGetSockName: (s, into, length) => name(AfdOp.getSockName, s, into, length),
    WSPGetPeerName: (s, into, length) => name(AfdOp.getPeerName, s, into, length),

    WSPJoinLeaf(s): Answer {
      // Multipoint roots and leaves need a control plane, which no IP protocol has.
      return sockets.get(s) === undefined ? -WSAENOTSOCK : -WSAEOPNOTSUPP;
    },

    WSPDuplicateSocket(s, dwProcessId, lpProtocolInfo): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      const call = calls.prepare(AfdOp.duplicate, socket, (_call, { error, data }) => {
        if (error !== 0) return -error;
        if (lpProtocolInfo === null || data === null) return -WSAEFAULT;
        const info = infoWithToken(socket.info, socket.type, socket.protocol, data);
        if (info.dwProviderReserved === 0) return -WSAENOBUFS; // one token in 2^32: ask again
        lpProtocolInfo.value = info;
        return 0;
      });
      call.request.a = dwProcessId;
      return calls.submit(call);
    },
  };
}

/** Gives a descriptor its handle; without one it is closed again. */
function admit(
  base: BaseState,
  descriptor: number,
  info: WSAPROTOCOL_INFO,
  type: number,
  protocol: number,
): number {
  const handle = base.upcalls.WPUModifyIFSHandle(info.dwCatalogEntryId, 0);
  if (handle < 0) closeDescriptor(base, descriptor, CLOSE_ABORTIVE);
  else base.sockets.add(new BaseSocket(handle, descriptor, info, type, protocol));
  return handle;
}

/** An accepted connection's socket: it has the listener's event registration too (SEM-ACC-02). */
function admitAccepted(base: BaseState, listener: BaseSocket, descriptor: number): number {
  const handle = admit(base, descriptor, listener.info, listener.type, listener.protocol);
  const accepted = base.sockets.get(handle);
  if (accepted !== undefined && listener.registration !== null) {
    accepted.registration = listener.registration;
    watch(base, accepted);
  }
  return handle;
}

/** Ends a descriptor that has no handle (any more); nobody waits for it. */
function closeDescriptor(base: BaseState, descriptor: number, flags: number): void {
  const call = base.calls.prepare(AfdOp.close, null);
  call.request.descriptor = descriptor;
  call.request.flags = flags;
  base.calls.begin(call, () => {});
}

/**
 * Accept with a condition function (SEM-COND-01 … 03). The handshake is over by then, so that a rejected caller sees its
 * connection reset. Deferred ones wait here, ahead of the queue.
 */
async function acceptOn(
  base: BaseState,
  listener: BaseSocket,
  addr: Uint8Array | null,
  addrlen: Ref | null,
  condition: ConditionFunction,
  callbackData: number,
): Promise<number> {
  const waiting = listener.deferred.shift() ?? (await nextConnection(base, listener));
  if (typeof waiting === 'number') return waiting;
  const local = await localName(base, listener, waiting.descriptor);
  const verdict = await decide(condition, waiting.peer, local, callbackData);
  if (base.sockets.get(listener.handle) !== listener) {
    closeDescriptor(base, waiting.descriptor, CLOSE_ABORTIVE);
    return -WSAENOTSOCK;
  }
  if (verdict === CF_ACCEPT) return take(base, listener, waiting, addr, addrlen);
  if (verdict === CF_REJECT) {
    closeDescriptor(base, waiting.descriptor, CLOSE_ABORTIVE);
    return -WSAECONNREFUSED;
  }
  listener.deferred.unshift(waiting);
  return verdict === CF_DEFER ? -WSATRY_AGAIN : -WSAEINVAL;
}

/** Runs a condition function; one that throws has not decided. */
async function decide(
  condition: ConditionFunction,
  peer: Uint8Array,
  local: Uint8Array,
  callbackData: number,
): Promise<number> {
  try {
    return await condition(peer, null, null, null, local, null, { value: 0 }, callbackData);
  } catch {
    return -1;
  }
}

async function nextConnection(base: BaseState, listener: BaseSocket): Promise<DeferredConnection | number> {
  let peer: Uint8Array = EMPTY;
  const call = base.calls.prepare(AfdOp.accept, listener, (_call, completion) => {
    if (completion.error !== 0) return -completion.error;
    if (completion.address !== null) peer = completion.address.slice();
    return completion.value;
  });
  const descriptor = await base.calls.submit(call);
  return descriptor < 0 ? descriptor : { descriptor, peer };
}

/** The address that the caller reached: what the condition function is told as callee. */
async function localName(base: BaseState, listener: BaseSocket, descriptor: number): Promise<Uint8Array> {
  const into = new Uint8Array(listener.info.iMaxSockAddr);
  const call = base.calls.prepare(AfdOp.getSockName, null, finishName);
  call.request.descriptor = descriptor;
  call.name = into;
  call.nameLength = { value: into.length };
  await base.calls.submit(call);
  return into;
}

function take(
  base: BaseState,
  listener: BaseSocket,
  connection: DeferredConnection,
  addr: Uint8Array | null,
  addrlen: Ref | null,
): number {
  putName(connection.peer, addr, addrlen);
  return admitAccepted(base, listener, connection.descriptor);
}

/** getsockname and getpeername look at the caller's memory last, and leave the length alone when it is short. */
function finishName(call: Call, completion: AfdCompletion): number {
  if (completion.error !== 0) return -completion.error;
  const { name, nameLength } = call;
  const address = completion.address;
  if (name === null || nameLength === null || address === null) return -WSAEFAULT;
  if (nameLength.value > name.length || nameLength.value < address.length) return -WSAEFAULT;
  putName(address, name, nameLength);
  return 0;
}

function putName(address: Uint8Array, name: Uint8Array | null, length: Ref | null): void {
  if (name === null) return;
  name.set(address.length <= name.length ? address : address.subarray(0, name.length));
  if (length !== null) length.value = address.length;
}

function wantsResources(qos: QOS | null): boolean {
  if (qos === null) return false;
  const { ServiceType: out } = qos.SendingFlowspec;
  const { ServiceType: into } = qos.ReceivingFlowspec;
  return [out, into].some((type) => type === SERVICETYPE_CONTROLLEDLOAD || type === SERVICETYPE_GUARANTEED);
}
