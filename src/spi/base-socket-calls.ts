/**
 * The base provider's calls that make, name, connect and end sockets. Accepting is in `base-accept-calls.ts`.
 */

import {
  SD_RECEIVE,
  SD_SEND,
  WSAEFAULT,
  WSAENOBUFS,
  WSAENOPROTOOPT,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AfdOp } from '../port/index.ts';
import { admit, finishName } from './base-admit.ts';
import { argumentOr, type BaseState, readable } from './base-state.ts';
import { infoWithToken, tokenOf } from './duplicate-token.ts';
import { wantsResources } from './flow.ts';
import { mobileSocketError } from './mobile-rules.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import { checkSocketFlags } from './socket-flags.ts';
import type { Answer, Ref } from './types.ts';

type SocketCalls = Pick<
  WSPPROC_TABLE,
  | 'WSPBind'
  | 'WSPCloseSocket'
  | 'WSPConnect'
  | 'WSPDuplicateSocket'
  | 'WSPGetPeerName'
  | 'WSPGetSockName'
  | 'WSPListen'
  | 'WSPRecvDisconnect'
  | 'WSPSendDisconnect'
  | 'WSPShutdown'
  | 'WSPSocket'
>;

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
    WSPSocket(af, type, protocol, lpProtocolInfo, _g, dwFlags): Answer {
      const info = lpProtocolInfo;
      const isDuplicate = info.dwProviderReserved !== 0;
      const error = isDuplicate ? 0 : checkSocketFlags(info, dwFlags, base.profile);
      if (error !== 0) return -error;
      const family = argumentOr(af, info.iAddressFamily);
      const isMobile = base.profile === 'windows-mobile' && !isDuplicate;
      const refusal = isMobile ? mobileSocketError(family, argumentOr(type, info.iSocketType)) : 0;
      if (refusal !== 0) return -refusal;
      const made = {
        info,
        type: argumentOr(type, info.iSocketType),
        protocol: argumentOr(protocol, info.iProtocol),
        flags: dwFlags,
      };
      const call = calls.prepare(isDuplicate ? AfdOp.open : AfdOp.socket, null, (_call, completion) => {
        if (completion.error !== 0) return -completion.error;
        const isUnboundCopy = isDuplicate && completion.flags === 0;
        const handle = admit(base, completion.value, made);
        const socket = sockets.get(handle);
        if (socket !== undefined) socket.isUnboundCopy = isUnboundCopy;
        return handle;
      });
      if (isDuplicate) {
        call.request.data = tokenOf(info);
      } else {
        call.request.a = family;
        call.request.b = made.type;
        call.request.flags = made.protocol;
      }
      return calls.submit(call);
    },

    WSPCloseSocket(s): Answer {
      const socket = sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
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
      socket.isUnboundCopy = false;
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
      socket.isUnboundCopy = false;
      const call = calls.prepare(AfdOp.connect, socket);
      call.request.address = address;
      return calls.submit(call);
    },

    WSPShutdown: (s, how) => disconnect(s, how, false),
    WSPSendDisconnect: (s, data) => disconnect(s, SD_SEND, data !== null && data.length > 0),
    WSPRecvDisconnect: (s, data) => disconnect(s, SD_RECEIVE, data !== null),
    WSPGetSockName: (s, into, length) => name(AfdOp.getSockName, s, into, length),
    WSPGetPeerName: (s, into, length) => name(AfdOp.getPeerName, s, into, length),

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
