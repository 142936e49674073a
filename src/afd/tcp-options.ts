/**
 * Options of the level IPPROTO_TCP.
 */

import {
  ICMP_ERROR_INFO_LEN,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  TCP_ATMARK,
  TCP_BSDURGENT,
  TCP_CONGESTION_ALGORITHM,
  TCP_DELAY_FIN_ACK,
  TCP_EXPEDITED_1122,
  TCP_FAIL_CONNECT_ON_ICMP_ERROR,
  TCP_FASTOPEN,
  TCP_ICMP_ERROR_INFO,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXRT,
  TCP_MAXRTMS,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_NOSYNRETRIES,
  TCP_NOURG,
  TCP_OFFLOAD_PREFERENCE,
  TCP_STDURG,
  TCP_TIMESTAMPS,
  WSAEINVAL,
  WSAENOTCONN,
  writeICMP_ERROR_INFO,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { CongestionControlName, TcpEndpoint } from '../stack/index.ts';
import {
  bool,
  endpointSwitch,
  type Handlers,
  type OptionHandler,
  optionNumber,
  optionSwitch,
} from './option-handler.ts';
import { REFUSED_RETRIES } from './socket-options.ts';
import { SocketState } from './socket-state.ts';
import type { StreamEndpoint } from './stream.ts';

/** IPPROTO_TCP options. Times are seconds here and ms below. */
export const TCP_OPTIONS: Handlers<StreamEndpoint> = new Map<number, OptionHandler<StreamEndpoint>>([
  [
    TCP_NODELAY,
    {
      get: ({ endpoint }) => bool(endpoint.noDelay),
      set: ({ endpoint }, value) => {
        endpoint.noDelay = (value & 0xff) !== 0; // the low byte only (SEM-OPT-06)
        return 0;
      },
    },
  ],
  [
    TCP_KEEPIDLE,
    {
      get: ({ endpoint }) => Math.floor(endpoint.keepAliveTime / 1000),
      set: ({ endpoint }, value) => {
        if (value <= 0) return WSAEINVAL;
        endpoint.keepAliveTime = value * 1000;
        return 0;
      },
    },
  ],
  [
    TCP_KEEPINTVL,
    {
      get: ({ endpoint }) => Math.floor(endpoint.keepAliveInterval / 1000),
      set: ({ endpoint }, value) => {
        if (value <= 0) return WSAEINVAL;
        endpoint.keepAliveInterval = value * 1000;
        return 0;
      },
    },
  ],
  [
    TCP_KEEPCNT,
    {
      get: ({ endpoint }) => endpoint.keepAliveCount,
      set: ({ endpoint }, value) => {
        if (value <= 0 || value > 255) return WSAEINVAL;
        endpoint.keepAliveCount = value;
        return 0;
      },
    },
  ],
  [
    TCP_MAXRT,
    {
      get: ({ options }) => (options.maxRetransmitMs < 0 ? -1 : Math.floor(options.maxRetransmitMs / 1000)),
      set: (socket, value) => setRetransmitLimit(socket, value < 0 ? value : value * 1000),
    },
  ],
  [
    TCP_MAXRTMS,
    {
      get: ({ options }) => Math.min(0x7fff_ffff, options.maxRetransmitMs),
      set: setRetransmitLimit,
    },
  ],
  [
    TCP_NOSYNRETRIES,
    {
      get: ({ endpoint }) => bool(endpoint.refusedRetries === 0),
      set: ({ endpoint }, value) => {
        endpoint.refusedRetries = value === 0 ? REFUSED_RETRIES : 0;
        return 0;
      },
    },
  ],
  [
    TCP_EXPEDITED_1122,
    {
      get: ({ endpoint }) => bool(endpoint.pointsAtUrgent),
      set: (socket, value) => (value === 0 ? keepUrgentStyle(socket, false) : setUrgentStyle(socket, true)),
    },
  ],
  [
    TCP_BSDURGENT,
    {
      get: ({ endpoint }) => bool(!endpoint.pointsAtUrgent),
      set: (socket, value) => (value === 0 ? keepUrgentStyle(socket, true) : setUrgentStyle(socket, false)),
    },
  ],
  [
    TCP_MAXSEG,
    {
      check: ({ state }) => (state === SocketState.connected ? 0 : WSAENOTCONN),
      get: ({ endpoint }) => endpoint.info().mss,
    },
  ],
  [TCP_FAIL_CONNECT_ON_ICMP_ERROR, endpointSwitch<TcpEndpoint>('failsOnIcmpError')],
  [TCP_TIMESTAMPS, endpointSwitch<TcpEndpoint>('timestamps')],
  [TCP_FASTOPEN, endpointSwitch<TcpEndpoint>('fastOpen')],
  [TCP_STDURG, optionSwitch('standardUrgent')],
  [TCP_NOURG, optionSwitch('noUrgent')],
  [TCP_DELAY_FIN_ACK, optionSwitch('delaysFinAck')],
  [
    TCP_OFFLOAD_PREFERENCE,
    optionNumber('offloadPreference', (value) => (value >= 0 && value <= OFFLOAD_PREFERRED ? 0 : WSAEINVAL)),
  ],
  [TCP_ATMARK, { get: ({ receiver }) => bool(receiver.isAtMark) }],
  [
    TCP_CONGESTION_ALGORITHM,
    {
      get: ({ endpoint }) => ALGORITHMS.indexOf(endpoint.congestionControl as CongestionControlName),
      set: ({ endpoint }, value) => {
        const name = ALGORITHMS[value];
        if (name === undefined) return WSAEINVAL;
        endpoint.congestionControl = name;
        return 0;
      },
    },
  ],
  [TCP_ICMP_ERROR_INFO, { getBytes: icmpErrorInfo }],
]);

/** The last of TCP_OFFLOAD_PREFERENCE's three values. */
const OFFLOAD_PREFERRED = 2;

/** TCP_CONGESTION_ALGORITHM's numbers: our own, as no header has any. */
const ALGORITHMS: readonly CongestionControlName[] = ['newreno', 'cubic', 'bbr', 'ledbat'];

/** ICMP_ERROR_INFO of the last ICMP error since the last connect; no bytes when there was none. */
function icmpErrorInfo({ endpoint }: StreamEndpoint): Uint8Array {
  const error = endpoint.icmpError;
  if (error === null) return EMPTY;
  const bytes = new Uint8Array(ICMP_ERROR_INFO_LEN);
  const protocol = error.source.family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  writeICMP_ERROR_INFO(bytes, 0, { srcaddress: error.source, protocol, type: error.type, code: error.code });
  return bytes;
}

/** How long sending again goes on, a connect's SYN too, in ms; -1: for ever, 0: until the stack's own limit. */
function setRetransmitLimit({ options, endpoint }: StreamEndpoint, value: number): number {
  if (value < -1) return WSAEINVAL;
  options.maxRetransmitMs = value;
  endpoint.userTimeout = value === -1 ? Number.POSITIVE_INFINITY : value;
  return 0;
}

/** Either reading of the urgent pointer can be switched on once, and never off (SEM-OOB-01). */
function setUrgentStyle({ options, endpoint }: StreamEndpoint, pointsAtUrgent: boolean): number {
  if (options.isUrgentStyleSet && endpoint.pointsAtUrgent !== pointsAtUrgent) return WSAEINVAL;
  options.isUrgentStyleSet = true;
  endpoint.pointsAtUrgent = pointsAtUrgent;
  return 0;
}

/** Switching off what is off already changes nothing. */
function keepUrgentStyle({ endpoint }: StreamEndpoint, pointsAtUrgent: boolean): number {
  return endpoint.pointsAtUrgent === pointsAtUrgent ? 0 : WSAEINVAL;
}
