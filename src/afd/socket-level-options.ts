/**
 * Options of level SOL_SOCKET (section 4.2 of the surface reference).
 */

import {
  AF_INET6,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_COMPARTMENT_ID,
  SO_CONDITIONAL_ACCEPT,
  SO_CONNECT_TIME,
  SO_DEBUG,
  SO_DONTLINGER,
  SO_DONTROUTE,
  SO_ERROR,
  SO_EXCLUSIVEADDRUSE,
  SO_GROUP_ID,
  SO_GROUP_PRIORITY,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MAX_MSG_SIZE,
  SO_MAXDG,
  SO_MAXPATHDG,
  SO_OOBINLINE,
  SO_PAUSE_ACCEPT,
  SO_PORT_SCALABILITY,
  SO_RANDOMIZE_PORT,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSE_MULTICASTPORT,
  SO_REUSE_UNICASTPORT,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TYPE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SO_UPDATE_CONNECT_CONTEXT,
  SO_USELOOPBACK,
  SOCK_DGRAM,
  WSAEINVAL,
  WSAENOTCONN,
} from '../abi/index.ts';
import type { TcpEndpoint } from '../stack/index.ts';
import type { DatagramEndpoint } from './datagram.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { udpOf } from './message-options.ts';
import {
  bool,
  endpointSwitch,
  type Handlers,
  type OptionHandler,
  optionNumber,
  optionSwitch,
} from './option-handler.ts';
import { MAX_RAW_MESSAGE } from './raw.ts';
import { DEFAULT_BUFFER } from './socket-options.ts';
import { SocketState } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';

/** Largest UDP payload of an IPv4 datagram without options, and of IPv6, which does not count its header. */
const MAX_UDP_MESSAGE = 65_507;
const MAX_UDP6_MESSAGE = 65_527;
/** Bounds of what SO_SNDBUF and SO_RCVBUF do; what they read back is what was set. */
const MIN_APPLIED_BUFFER = 2048;
const MAX_APPLIED_BUFFER = 64 << 20;
/** "Not connected" of SO_CONNECT_TIME. */
const NEVER = -1;
/** The one compartment that there is. */
const DEFAULT_COMPARTMENT = 1;

/** The option of a socket, if it has it. */
export function socketLevelOption(socket: AfdEndpoint, option: number): OptionHandler<never> | undefined {
  const own: Handlers<never> = socket instanceof StreamEndpoint ? STREAM_OPTIONS : MESSAGE_OPTIONS;
  return own.get(option) ?? ALL_OPTIONS.get(option);
}

/** A size as it is applied: 0 and huge values are legal to set, and a buffer has bounds. */
function applied(bytes: number): number {
  return Math.min(Math.max(bytes, MIN_APPLIED_BUFFER), MAX_APPLIED_BUFFER);
}

/** A switch that says how a port is to be had: only before there is one. */
function beforeBind(
  handler: OptionHandler<AfdEndpoint>,
  isRefused: (socket: AfdEndpoint, value: number) => boolean = () => false,
): OptionHandler<AfdEndpoint> {
  return {
    ...handler,
    set: (socket, value) => {
      if (socket.isBound || isRefused(socket, value)) return WSAEINVAL;
      return handler.set?.(socket, value) ?? 0;
    },
  };
}

/** A switch of the option that excludes `other`, while that is on (SEM-STATE-08, SEM-BIND-14). */
const REUSE = beforeBind(
  optionSwitch('reuseAddress'),
  ({ options }, value) => value !== 0 && options.exclusiveAddressUse,
);
const EXCLUSIVE = beforeBind(
  optionSwitch('exclusiveAddressUse'),
  ({ options }, value) => value !== 0 && options.reuseAddress,
);

/** Vista's own answer to options that its transport has never had. */
const NOT_HERE: OptionHandler<AfdEndpoint> = { isFor: () => false };

/** Options of every socket. */
const ALL_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  [SO_USELOOPBACK, NOT_HERE],
  [SO_SNDLOWAT, NOT_HERE],
  [SO_RCVLOWAT, NOT_HERE],
  [SO_DEBUG, optionSwitch('debug')],
  [SO_DONTROUTE, optionSwitch('dontRoute')],
  [SO_REUSEADDR, REUSE],
  [SO_EXCLUSIVEADDRUSE, EXCLUSIVE],
  [SO_SNDTIMEO, optionNumber('sendTimeout')],
  [SO_RCVTIMEO, optionNumber('receiveTimeout')],
  [SO_ERROR, optionNumber('error')], // not cleared by reading, and settable (SEM-ERR-05, SEM-ERR-07)
  [SO_TYPE, { get: ({ type }) => type }],
  [SO_ACCEPTCONN, { get: () => 0 }],
  [SO_CONNECT_TIME, { get: () => NEVER }],
  [SO_GROUP_ID, { get: () => 0 }],
  [SO_GROUP_PRIORITY, optionNumber('groupPriority')],
  [
    SO_COMPARTMENT_ID,
    {
      get: () => DEFAULT_COMPARTMENT,
      set: (_socket, value) => (value === DEFAULT_COMPARTMENT ? 0 : WSAEINVAL),
    },
  ],
  // How ports are chosen already (RFC 6056), and that one serves connections to many peers.
  [
    SO_RANDOMIZE_PORT,
    beforeBind(
      optionSwitch('randomizePort'),
      ({ options }, value) => value !== 0 && options.reuseUnicastPort,
    ),
  ],
  [SO_PORT_SCALABILITY, beforeBind(optionSwitch('portScalability'))],
  [
    SO_REUSE_UNICASTPORT,
    beforeBind(
      optionSwitch('reuseUnicastPort'),
      ({ options }, value) => value !== 0 && options.randomizePort,
    ),
  ],
]);

/** SO_RCVBUF, of streams and message sockets alike. */
const RECEIVE_BUFFER: OptionHandler<StreamEndpoint | DatagramEndpoint> = {
  get: ({ options }) => options.receiveBuffer,
  set: ({ options, endpoint }, value) => {
    if (value < 0) return WSAEINVAL;
    options.receiveBuffer = value;
    // A datagram socket without a buffer takes what somebody waits for (SEM-IO-14).
    endpoint.receiveBufferSize = value === 0 && endpoint.kind !== 'tcp' ? 0 : applied(value);
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
  [SO_OOBINLINE, endpointSwitch<TcpEndpoint>('urgentInline')],
  [SO_PAUSE_ACCEPT, endpointSwitch<TcpEndpoint>('pauseAccept')], // SEM-BKLG-07
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
    SO_SNDBUF,
    {
      get: ({ options }) => options.sendBuffer,
      set: ({ options, endpoint }, value) => {
        if (value < 0) return WSAEINVAL;
        options.sendBuffer = value;
        // 0: who sends waits instead; what is under way still needs room.
        endpoint.sendBufferSize = value === 0 ? DEFAULT_BUFFER : applied(value);
        return 0;
      },
    },
  ],
  [SO_RCVBUF, RECEIVE_BUFFER],
  [SO_MAX_MSG_SIZE, { get: () => 0 }],
  // Accepted and connected sockets have their context from the start; the options are for those that ask all the same.
  [SO_UPDATE_ACCEPT_CONTEXT, { set: (socket) => socket.updateAcceptContext() }],
  [SO_UPDATE_CONNECT_CONTEXT, { set: (socket) => socket.updateConnectContext() }],
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
  [
    SO_REUSE_MULTICASTPORT,
    {
      isFor: (socket) => udpOf(socket) !== null,
      get: ({ options }) => bool(options.reuseMulticastPort),
      set: (socket, value) => {
        const udp = udpOf(socket);
        if (udp === null || socket.isBound) return WSAEINVAL;
        socket.options.reuseMulticastPort = value !== 0;
        udp.multicastOnly = value !== 0;
        return 0;
      },
    },
  ],
  [SO_MAX_MSG_SIZE, { get: maxMessage }],
  [SO_MAXDG, { get: maxMessage }],
  [SO_MAXPATHDG, { get: maxMessage }],
]);

function maxMessage(socket: AfdEndpoint): number {
  if (socket.type !== SOCK_DGRAM) return MAX_RAW_MESSAGE;
  return socket.family === AF_INET6 ? MAX_UDP6_MESSAGE : MAX_UDP_MESSAGE;
}
