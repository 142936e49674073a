/**
 * Options of level IPPROTO_IP (section 4.3 of the surface reference): of sockets of AF_INET, and of the IPv4 half of the others.
 */

import {
  IP_DONTFRAGMENT,
  IP_HDRINCL,
  IP_OPTIONS,
  IP_PROTECTION_LEVEL,
  IP_RTHDR,
  IP_TOS,
  IP_TTL,
  PROTECTION_LEVEL_DEFAULT,
  PROTECTION_LEVEL_EDGERESTRICTED,
  PROTECTION_LEVEL_RESTRICTED,
  PROTECTION_LEVEL_UNRESTRICTED,
  WSAEINVAL,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { IP_INTERFACE_OPTIONS } from './interface-options.ts';
import { IP_MESSAGE_OPTIONS, messageOf } from './message-options.ts';
import { MTU_OPTIONS } from './mtu-options.ts';
import { IP_MULTICAST_OPTIONS } from './multicast-options.ts';
import { bool, endpointSwitch, type Handlers, type OptionHandler } from './option-handler.ts';
import { rawOf } from './raw.ts';
import { DEFAULT_TTL } from './socket-options.ts';

/** IP_HDRINCL and IPV6_HDRINCL: raw sockets', which Windows tells from an option that nobody has. */
export const HEADER_INCLUDED: OptionHandler<AfdEndpoint> = {
  isFor: (socket) => rawOf(socket) !== null,
  get: (socket) => bool(rawOf(socket)?.headerIncluded === true),
  set: (socket, value) => {
    const raw = rawOf(socket);
    if (raw !== null) raw.headerIncluded = value !== 0;
    return 0;
  },
};

/** How far a peer may be: kept, since there is no Teredo whose traffic it would shut out. */
export const PROTECTION_LEVEL: OptionHandler<AfdEndpoint> = {
  get: ({ options }) => options.protectionLevel,
  set: (socket, value) => {
    if (socket.isBound || !PROTECTION_LEVELS.has(value)) return WSAEINVAL;
    socket.options.protectionLevel = value;
    return 0;
  },
};

const PROTECTION_LEVELS = new Set([
  PROTECTION_LEVEL_DEFAULT,
  PROTECTION_LEVEL_UNRESTRICTED,
  PROTECTION_LEVEL_EDGERESTRICTED,
  PROTECTION_LEVEL_RESTRICTED,
]);

/**
 * A header that this host does not send: none can be set, and none is there. Source routes are refused (RFC 6274 §3.13.2.3, RFC 5095),
 * and no hop-by-hop option is of use to an application.
 */
export const NO_HEADER: OptionHandler<AfdEndpoint> = {
  getBytes: () => EMPTY,
  setBytes: (_socket, bytes) => (bytes.length === 0 ? 0 : WSAEINVAL),
};

/** Bytes as they go into the header, none at first; no bytes remove all. Streams carry none. */
const HEADER_OPTIONS: OptionHandler<AfdEndpoint> = {
  getBytes: (socket) => messageOf(socket)?.ipOptions ?? EMPTY,
  setBytes: (socket, bytes) => {
    const message = messageOf(socket);
    if (message === null) return bytes.length === 0 ? 0 : WSAEINVAL;
    return message.setIpOptions(bytes) < 0 ? WSAEINVAL : 0;
  },
};

export const IP_OPTIONS_TABLE: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  ...MTU_OPTIONS,
  ...IP_MULTICAST_OPTIONS,
  ...IP_MESSAGE_OPTIONS,
  ...IP_INTERFACE_OPTIONS,
  [IP_OPTIONS, HEADER_OPTIONS],
  [IP_RTHDR, NO_HEADER],
  [IP_HDRINCL, HEADER_INCLUDED],
  [IP_PROTECTION_LEVEL, PROTECTION_LEVEL],
  [IP_DONTFRAGMENT, endpointSwitch('dontFragment')],
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
]);
