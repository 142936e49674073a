/**
 * getsockopt and setsockopt: which options each kind of socket has, and what they do (section 4 of the surface reference). How
 * long a value may be is the layout table's business, in `option-values.ts`.
 */

import {
  AF_INET6,
  IP_DONTFRAGMENT,
  IP_HDRINCL,
  IP_TOS,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_CONDITIONAL_ACCEPT,
  SO_CONNECT_TIME,
  SO_DEBUG,
  SO_DONTLINGER,
  SO_DONTROUTE,
  SO_ERROR,
  SO_EXCLUSIVEADDRUSE,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MAX_MSG_SIZE,
  SO_MAXDG,
  SO_MAXPATHDG,
  SO_OOBINLINE,
  SO_PAUSE_ACCEPT,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TYPE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SO_UPDATE_CONNECT_CONTEXT,
  SO_USELOOPBACK,
  SOCK_DGRAM,
  SOL_SOCKET,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAENOTCONN,
} from '../abi/index.ts';
import type { DatagramEndpoint } from './datagram.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { IPV6_OPTIONS } from './ipv6-options.ts';
import { IP_MESSAGE_OPTIONS, UDP_OPTIONS, udpOf } from './message-options.ts';
import { MTU_OPTIONS } from './mtu-options.ts';
import { IP_MULTICAST_OPTIONS } from './multicast-options.ts';
import { bool, type Handlers, type OptionHandler } from './option-handler.ts';
import { MAX_RAW_MESSAGE, rawOf } from './raw.ts';
import { DEFAULT_TTL } from './socket-options.ts';
import { SocketState } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';
import { TCP_OPTIONS } from './tcp-options.ts';

/** Largest UDP payload of an IPv4 datagram without options, and of IPv6, which does not count its header. */
const MAX_UDP_MESSAGE = 65_507;
const MAX_UDP6_MESSAGE = 65_527;
/** Bounds of what SO_SNDBUF and SO_RCVBUF do; what they read back is what was set. */
const MIN_APPLIED_BUFFER = 2048;
const MAX_APPLIED_BUFFER = 64 << 20;
/** "Not connected" of SO_CONNECT_TIME. */
const NEVER = -1;

/** The handler of an option on a socket, or the WSA code of why it has none (SEM-OPT-01). */
export function optionHandler(
  socket: AfdEndpoint,
  level: number,
  option: number,
): OptionHandler<AfdEndpoint> | number {
  if (level === SOL_SOCKET) return socketLevel(socket, option);
  if (level === IPPROTO_IP) {
    // Options of the header exist on raw sockets only, and Windows names that differently from an unknown option.
    if (option === IP_HDRINCL) return rawOf(socket) === null ? WSAEINVAL : HEADER_INCLUDED;
    const ofMessages = IP_MESSAGE_OPTIONS.get(option);
    // Streams know these options, and refuse them (section 4.3).
    if (ofMessages !== undefined) return socket instanceof StreamEndpoint ? WSAEINVAL : asHandler(ofMessages);
    return IP_OPTIONS.get(option) ?? WSAENOPROTOOPT;
  }
  if (level === IPPROTO_TCP) {
    if (!(socket instanceof StreamEndpoint)) return WSAENOPROTOOPT;
    return asHandler(TCP_OPTIONS.get(option));
  }
  if (level === IPPROTO_IPV6) return IPV6_OPTIONS.get(option) ?? WSAENOPROTOOPT;
  if (level === IPPROTO_UDP)
    return udpOf(socket) === null ? WSAENOPROTOOPT : asHandler(UDP_OPTIONS.get(option));
  return level === IPPROTO_ICMP ? WSAENOPROTOOPT : WSAEINVAL;
}

function socketLevel(socket: AfdEndpoint, option: number): OptionHandler<AfdEndpoint> | number {
  // Vista's own answer to options that its transport has never had.
  if (option === SO_USELOOPBACK || option === SO_SNDLOWAT || option === SO_RCVLOWAT) return WSAEINVAL;
  const own =
    socket instanceof StreamEndpoint
      ? (STREAM_OPTIONS.get(option) as OptionHandler<never> | undefined)
      : (MESSAGE_OPTIONS.get(option) as OptionHandler<never> | undefined);
  return asHandler(own ?? ALL_OPTIONS.get(option));
}

/** A handler of one kind, for a socket that was found to be of that kind. */
function asHandler(handler: OptionHandler<never> | undefined): OptionHandler<AfdEndpoint> | number {
  return (handler as OptionHandler<AfdEndpoint> | undefined) ?? WSAENOPROTOOPT;
}

/** A size as it is applied: 0 and huge values are legal to set, and a buffer has bounds. */
function applied(bytes: number): number {
  return Math.min(Math.max(bytes, MIN_APPLIED_BUFFER), MAX_APPLIED_BUFFER);
}

/** Options of every socket. */
const ALL_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  [
    SO_DEBUG,
    {
      get: ({ options }) => bool(options.debug),
      set: ({ options }, value) => {
        options.debug = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_DONTROUTE,
    {
      get: ({ options }) => bool(options.dontRoute),
      set: ({ options }, value) => {
        options.dontRoute = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_REUSEADDR,
    {
      get: ({ options }) => bool(options.reuseAddress),
      set: ({ options, isBound }, value) => {
        if (isBound || (value !== 0 && options.exclusiveAddressUse)) return WSAEINVAL; // SEM-STATE-08, SEM-BIND-14
        options.reuseAddress = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_EXCLUSIVEADDRUSE,
    {
      get: ({ options }) => bool(options.exclusiveAddressUse),
      set: ({ options, isBound }, value) => {
        if (isBound || (value !== 0 && options.reuseAddress)) return WSAEINVAL;
        options.exclusiveAddressUse = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_SNDTIMEO,
    {
      get: ({ options }) => options.sendTimeout,
      set: ({ options }, value) => {
        options.sendTimeout = value >>> 0;
        return 0;
      },
    },
  ],
  [
    SO_RCVTIMEO,
    {
      get: ({ options }) => options.receiveTimeout,
      set: ({ options }, value) => {
        options.receiveTimeout = value >>> 0;
        return 0;
      },
    },
  ],
  [
    SO_ERROR,
    {
      get: ({ options }) => options.error,
      set: ({ options }, value) => {
        options.error = value; // SEM-ERR-07
        return 0;
      },
    },
  ],
  [SO_TYPE, { get: ({ type }) => type }],
  [SO_ACCEPTCONN, { get: () => 0 }],
  [SO_CONNECT_TIME, { get: () => NEVER }],
]);

/** SO_RCVBUF, of streams and message sockets alike. */
const RECEIVE_BUFFER: OptionHandler<StreamEndpoint | DatagramEndpoint> = {
  get: ({ options }) => options.receiveBuffer,
  set: ({ options, endpoint }, value) => {
    if (value < 0) return WSAEINVAL;
    options.receiveBuffer = value;
    endpoint.receiveBufferSize = applied(value);
    return 0;
  },
};

/** SOL_SOCKET options of streams. */
const STREAM_OPTIONS: Handlers<StreamEndpoint> = new Map<number, OptionHandler<StreamEndpoint>>([
  [SO_ACCEPTCONN, { get: ({ state }) => bool(state === SocketState.listening) }],
  [
    SO_KEEPALIVE,
    {
      get: ({ endpoint }) => bool(endpoint.keepAlive),
      set: ({ endpoint, state, brokenError }, value) => {
        if (state === SocketState.broken) return brokenError === 0 ? WSAENOTCONN : brokenError;
        endpoint.keepAlive = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_LINGER,
    {
      get: ({ options }) => options.lingerOn | (options.lingerSeconds << 16),
      set: ({ options }, value) => {
        options.lingerOn = value & 0xffff;
        options.lingerSeconds = value >>> 16;
        return 0;
      },
    },
  ],
  [
    SO_DONTLINGER,
    {
      get: ({ options }) => bool(options.lingerOn === 0),
      set: ({ options }, value) => {
        options.lingerOn = value === 0 ? 1 : 0; // with the last SO_LINGER time (SEM-LING-05)
        return 0;
      },
    },
  ],
  [
    SO_OOBINLINE,
    {
      get: ({ endpoint }) => bool(endpoint.urgentInline),
      set: ({ endpoint }, value) => {
        endpoint.urgentInline = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_SNDBUF,
    {
      get: ({ options }) => options.sendBuffer,
      set: ({ options, endpoint }, value) => {
        if (value < 0) return WSAEINVAL;
        options.sendBuffer = value;
        endpoint.sendBufferSize = applied(value);
        return 0;
      },
    },
  ],
  [SO_RCVBUF, RECEIVE_BUFFER],
  [SO_MAX_MSG_SIZE, { get: () => 0 }],
  [
    SO_CONDITIONAL_ACCEPT,
    {
      get: ({ endpoint }) => bool(endpoint.conditionalAccept),
      set: ({ endpoint, state }, value) => {
        if (state === SocketState.listening) return WSAEINVAL; // SEM-STATE-09
        endpoint.conditionalAccept = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_PAUSE_ACCEPT,
    {
      get: ({ endpoint }) => bool(endpoint.pauseAccept),
      set: ({ endpoint }, value) => {
        endpoint.pauseAccept = value !== 0; // SEM-BKLG-07
        return 0;
      },
    },
  ],
  // Accepted and connected sockets have their context from the start; the options are for those that ask all the same.
  [SO_UPDATE_ACCEPT_CONTEXT, { set: ({ state }) => (state === SocketState.connected ? 0 : WSAENOTCONN) }],
  [SO_UPDATE_CONNECT_CONTEXT, { set: ({ state }) => (state === SocketState.connected ? 0 : WSAENOTCONN) }],
  [SO_CONNECT_TIME, { get: ({ connectedSeconds }) => connectedSeconds }],
]);

/** SOL_SOCKET options of message sockets. */
const MESSAGE_OPTIONS: Handlers<DatagramEndpoint> = new Map<number, OptionHandler<DatagramEndpoint>>([
  [
    SO_BROADCAST,
    {
      get: ({ options }) => bool(options.broadcast),
      set: ({ options, endpoint }, value) => {
        options.broadcast = value !== 0;
        endpoint.broadcast = value !== 0;
        return 0;
      },
    },
  ],
  [
    SO_SNDBUF,
    {
      get: ({ options }) => options.sendBuffer,
      set: ({ options, endpoint }, value) => {
        if (value < 0) return WSAEINVAL;
        options.sendBuffer = value;
        // A whole message must fit, or it could never be sent.
        endpoint.sendBufferSize = Math.max(applied(value), 0x1_0000);
        return 0;
      },
    },
  ],
  [SO_RCVBUF, RECEIVE_BUFFER],
  [SO_MAX_MSG_SIZE, { get: maxMessage }],
  [SO_MAXDG, { get: maxMessage }],
  [SO_MAXPATHDG, { get: maxMessage }],
]);

function maxMessage(socket: AfdEndpoint): number {
  if (socket.type !== SOCK_DGRAM) return MAX_RAW_MESSAGE;
  return socket.family === AF_INET6 ? MAX_UDP6_MESSAGE : MAX_UDP_MESSAGE;
}

/** IPPROTO_IP options of every IPv4 socket. */
const IP_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  ...MTU_OPTIONS,
  ...IP_MULTICAST_OPTIONS,
  [
    IP_TTL,
    {
      get: ({ endpoint }) => (endpoint.ttl === 0 ? DEFAULT_TTL : endpoint.ttl),
      set: ({ endpoint }, value) => {
        if (value < 0 || value > 255) return WSAEINVAL; // SEM-OPT-09
        endpoint.ttl = value;
        return 0;
      },
    },
  ],
  [
    IP_TOS,
    {
      get: ({ endpoint }) => endpoint.trafficClass,
      set: ({ endpoint }, value) => {
        if (value < 0 || value > 255) return WSAEINVAL;
        endpoint.trafficClass = value;
        return 0;
      },
    },
  ],
  [
    IP_DONTFRAGMENT,
    {
      get: (socket) => bool(socket instanceof StreamEndpoint || socket.endpoint.dontFragment),
      set: ({ endpoint }, value) => {
        endpoint.dontFragment = value !== 0;
        return 0;
      },
    },
  ],
]);

const HEADER_INCLUDED: OptionHandler<AfdEndpoint> = {
  get: (socket) => bool(rawOf(socket)?.headerIncluded === true),
  set: (socket, value) => {
    const raw = rawOf(socket);
    if (raw !== null) raw.headerIncluded = value !== 0;
    return 0;
  },
};
