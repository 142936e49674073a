/**
 * Control codes about a TCP connection (section 5.3 of the surface reference).
 */

import {
  readTcpKeepalive,
  SIO_IDEAL_SEND_BACKLOG_QUERY,
  SIO_KEEPALIVE_VALS,
  SIO_LOOPBACK_FAST_PATH,
  SIO_SET_PRIORITY_HINT,
  SIO_TCP_INFO,
  SIO_TCP_INITIAL_RTO,
  SIO_TCP_SET_ACK_FREQUENCY,
  SIO_TCP_SET_ICW,
  SocketPriorityHintNormal,
  SocketPriorityHintVeryLow,
  TCP_ICW_LEVEL_AGGRESSIVE,
  TCP_ICW_LEVEL_COMPAT,
  TCP_ICW_LEVEL_DEFAULT,
  TCP_ICW_LEVEL_EXPERIMENTAL,
  TCP_ICW_LEVEL_HIGH,
  TCP_ICW_LEVEL_VERY_HIGH,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
} from '../abi/index.ts';
import { EMPTY, i32le, u16le } from '../base/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { answer, type IoctlEntry, type IoctlHandler } from './ioctl-handler.ts';
import { SocketState } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';
import { tcpInfo } from './tcp-info.ts';

/** A code of streams with a parameter of `length` bytes. @param others what other sockets answer */
function ofStreams(
  length: number,
  work: (socket: StreamEndpoint, data: Uint8Array) => number,
  others: number = WSAEOPNOTSUPP,
): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof StreamEndpoint)) return others;
    const given = data ?? EMPTY;
    return given.length < length ? WSAEFAULT : work(socket, given);
  };
}

/** Whether it is not too late for what the next connection begins with. */
function isBeforeConnection({ state }: StreamEndpoint): boolean {
  return state === SocketState.open;
}

function keepAliveValues(socket: AfdEndpoint, data: Uint8Array | null): number {
  if (!(socket instanceof StreamEndpoint)) return WSAENOPROTOOPT;
  const values = data === null ? null : readTcpKeepalive(data);
  if (values === null) return WSAEFAULT;
  const { endpoint } = socket;
  endpoint.keepAlive = values.onoff !== 0;
  // Zero times are accepted and leave the ones in force.
  if (values.keepalivetime !== 0) endpoint.keepAliveTime = values.keepalivetime;
  if (values.keepaliveinterval !== 0) endpoint.keepAliveInterval = values.keepaliveinterval;
  return 0;
}

/** TCP_INITIAL_RTO_PARAMETERS: a USHORT of ms and a UCHAR. */
const INITIAL_RTO_LEN = 3;
const UNSPECIFIED_RTT = 0xffff;
const UNSPECIFIED_SYNS = 0xff;
const NO_SYNS = 0xfe;

function initialRto(socket: StreamEndpoint, data: Uint8Array): number {
  if (!isBeforeConnection(socket)) return WSAEINVAL;
  const { endpoint } = socket;
  const rtt = u16le(data, 0);
  const syns = data[2] as number;
  if (rtt !== UNSPECIFIED_RTT) endpoint.initialRto = rtt;
  if (syns === NO_SYNS) endpoint.maxSynRetransmissions = 0;
  else if (syns !== UNSPECIFIED_SYNS) endpoint.maxSynRetransmissions = syns === 0 ? -1 : syns;
  return 0;
}

/** Segments of each TCP_ICW_LEVEL; 0 is the default, and 4 what RFC 3390 had. */
const INITIAL_WINDOWS: ReadonlyMap<number, number> = new Map([
  [TCP_ICW_LEVEL_DEFAULT, 0],
  [TCP_ICW_LEVEL_HIGH, 16],
  [TCP_ICW_LEVEL_VERY_HIGH, 32],
  [TCP_ICW_LEVEL_AGGRESSIVE, 64],
  [TCP_ICW_LEVEL_EXPERIMENTAL, 128],
  [TCP_ICW_LEVEL_COMPAT, 4],
]);

function initialWindow({ endpoint }: StreamEndpoint, data: Uint8Array): number {
  const segments = INITIAL_WINDOWS.get(i32le(data, 0));
  if (segments === undefined) return WSAEINVAL;
  endpoint.initialWindow = segments;
  return 0;
}

/** RFC 9293 MUST-58's two, unless the caller says otherwise. */
const DEFAULT_ACK_FREQUENCY = 2;

function ackFrequency({ endpoint }: StreamEndpoint, data: Uint8Array): number {
  const frequency = data[0] as number;
  endpoint.ackFrequency = frequency === 0 ? DEFAULT_ACK_FREQUENCY : frequency;
  return 0;
}

/** Very low priority is a congestion control that yields to all others. */
function priorityHint({ endpoint, options }: StreamEndpoint, data: Uint8Array): number {
  const hint = i32le(data, 0);
  if (hint < SocketPriorityHintVeryLow || hint > SocketPriorityHintNormal) return WSAEINVAL;
  const wasVeryLow = options.priorityHint === SocketPriorityHintVeryLow;
  options.priorityHint = hint;
  if (hint === SocketPriorityHintVeryLow) endpoint.congestionControl = 'ledbat';
  else if (wasVeryLow) endpoint.congestionControl = 'cubic';
  return 0;
}

const idealSendBacklog: IoctlHandler = (socket, _data, into, reply) => {
  if (!(socket instanceof StreamEndpoint)) return WSAEOPNOTSUPP;
  if (socket.state !== SocketState.connected) return WSAENOTCONN; // SEM-STATE-11
  return answer(into, reply, socket.endpoint.idealSendBacklog);
};

export const TCP_IOCTLS: readonly IoctlEntry[] = [
  [SIO_KEEPALIVE_VALS, keepAliveValues],
  [SIO_TCP_INFO, tcpInfo],
  [SIO_TCP_INITIAL_RTO, ofStreams(INITIAL_RTO_LEN, initialRto)],
  [SIO_TCP_SET_ICW, ofStreams(4, initialWindow)],
  [SIO_TCP_SET_ACK_FREQUENCY, ofStreams(1, ackFrequency)],
  [SIO_SET_PRIORITY_HINT, ofStreams(4, priorityHint)],
  [SIO_IDEAL_SEND_BACKLOG_QUERY, idealSendBacklog],
  // A hint that a path without copies makes good on by itself.
  [SIO_LOOPBACK_FAST_PATH, ofStreams(0, () => 0)],
];
