/**
 * What gives a socket its names and its peer: bind, listen, accept, connect, shutdown and their WSA forms.
 */

import { WSAEALREADY, WSAEINVAL } from '../abi/index.ts';
import type { Answer, ConditionFunction, QOS, Ref, WSABUF } from '../spi/index.ts';
import { lengthOf, roomIn } from './memory.ts';
import type { WinsockProcess } from './process.ts';

export function connectionCalls(process: WinsockProcess) {
  const connectTo = (
    s: number,
    name: Uint8Array | null,
    namelen: number,
    lpCallerData: WSABUF | null,
    lpCalleeData: Ref<WSABUF> | null,
    lpSQOS: QOS | null,
    lpGQOS: QOS | null,
  ): Answer => {
    const socket = process.socket(s);
    if (socket === null) return process.whyNoSocket();
    const { table } = socket.provider;
    return table.WSPConnect(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, lpGQOS);
  };

  return {
    /** Gives a socket its local address (the sharing rules are SEM-BIND-*). */
    bind(s: number, name: Uint8Array | null, namelen = lengthOf(name)): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPBind(s, name, namelen);
    },

    /** Makes a bound stream socket wait for connections. */
    listen(s: number, backlog: number): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPListen(s, backlog);
    },

    /** Takes the oldest waiting connection. @returns its SOCKET */
    accept(s: number, addr: Uint8Array | null = null, addrlen: Ref | null = roomIn(addr)): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPAccept(s, addr, addrlen, null, 0);
    },

    /** As `accept`, once a condition function agrees (SEM-COND-*). */
    WSAAccept(
      s: number,
      addr: Uint8Array | null = null,
      addrlen: Ref | null = roomIn(addr),
      lpfnCondition: ConditionFunction | null = null,
      dwCallbackData = 0,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData);
    },

    /** Connects a stream, or names a datagram socket's peer (SEM-CONN-*). */
    connect(s: number, name: Uint8Array | null, namelen = lengthOf(name)): Answer {
      return asVersion(process, connectTo(s, name, namelen, null, null, null, null));
    },

    /** As `connect`, with data and wishes that no IP provider can carry. */
    WSAConnect(
      s: number,
      name: Uint8Array | null,
      namelen = lengthOf(name),
      lpCallerData: WSABUF | null = null,
      lpCalleeData: Ref<WSABUF> | null = null,
      lpSQOS: QOS | null = null,
      lpGQOS: QOS | null = null,
    ): Answer {
      return connectTo(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, lpGQOS);
    },

    /**
     * Joins a multipoint session (SEM-MP-*). @returns the leaf's SOCKET: of IP, whose planes have no root, `s` itself
     */
    WSAJoinLeaf(
      s: number,
      name: Uint8Array | null,
      namelen: number,
      lpCallerData: WSABUF | null,
      lpCalleeData: Ref<WSABUF> | null,
      lpSQOS: QOS | null,
      lpGQOS: QOS | null,
      dwFlags: number,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      const { table } = socket.provider;
      return table.WSPJoinLeaf(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, lpGQOS, dwFlags);
    },

    /** Ends one or both directions (SEM-SHUT-*); the socket stays open. */
    shutdown(s: number, how: number): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPShutdown(s, how);
    },

    /** `shutdown(SD_SEND)`, with data that TCP cannot carry. */
    WSASendDisconnect(s: number, lpOutboundDisconnectData: WSABUF | null = null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPSendDisconnect(s, lpOutboundDisconnectData);
    },

    /** `shutdown(SD_RECEIVE)`, with data that TCP cannot carry. */
    WSARecvDisconnect(s: number, lpInboundDisconnectData: Ref<WSABUF> | null = null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPRecvDisconnect(s, lpInboundDisconnectData);
    },

    /** The local address. */
    getsockname(s: number, name: Uint8Array | null, namelen: Ref | null = roomIn(name)): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPGetSockName(s, name, namelen);
    },

    /** The peer's address. */
    getpeername(s: number, name: Uint8Array | null, namelen: Ref | null = roomIn(name)): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPGetPeerName(s, name, namelen);
    },
  };
}

/** SEM-CONN-02: an application of 1.1 is told WSAEINVAL where 2.x says WSAEALREADY. */
function asVersion(process: WinsockProcess, answer: Answer): Answer {
  if (process.usesVersion2) return answer;
  const told = (code: number): number => (code === -WSAEALREADY ? -WSAEINVAL : code);
  return typeof answer === 'number' ? told(answer) : answer.then(told);
}
