/**
 * WSAIoctl and ioctlsocket: the control codes that the sockets themselves answer (section 5 of the surface reference). Those that
 * need the catalog or handles are the base provider's.
 */

import {
  AF_INET6,
  FIONBIO,
  FIONREAD,
  IPPROTO_IGMP,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  RCVALL_IPLEVEL,
  RCVALL_OFF,
  RCVALL_ON,
  RCVALL_SOCKETLEVELONLY,
  readTcpKeepalive,
  SIO_ABSORB_RTRALERT,
  SIO_ADDRESS_LIST_QUERY,
  SIO_GET_BROADCAST_ADDRESS,
  SIO_GET_INTERFACE_LIST,
  SIO_IDEAL_SEND_BACKLOG_QUERY,
  SIO_KEEPALIVE_VALS,
  SIO_LOOPBACK_FAST_PATH,
  SIO_RCVALL,
  SIO_RCVALL_IGMPMCAST,
  SIO_RCVALL_MCAST,
  SIO_ROUTING_INTERFACE_QUERY,
  SIO_TCP_INFO,
  SIO_UDP_CONNRESET,
  SIO_UDP_NETRESET,
  SIOCATMARK,
  SOCKADDR_IN_LEN,
  sockaddrFamily,
  sockaddrLength,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETUNREACH,
  WSAENOPROTOOPT,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  writeSockaddr,
} from '../abi/index.ts';
import { IpAddress, i32le, putI32le } from '../base/index.ts';
import type { AfdCompletion } from '../port/index.ts';
import type { MessageEndpoint, RawTap } from '../stack/index.ts';
import { DatagramEndpoint } from './datagram.ts';
import { type AfdEndpoint, addressOf } from './endpoint.ts';
import { wsaOf } from './error-map.ts';
import { listAddresses, listInterfaces } from './interface-list.ts';
import { MULTICAST_IOCTLS } from './multicast-ioctl.ts';
import { rawOf } from './raw.ts';
import { SocketState } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';
import { tcpInfo } from './tcp-info.ts';

/** One control code's work. @returns a WSA code; `reply.value` is what was written to `into`. */
type IoctlHandler = (
  socket: AfdEndpoint,
  data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
) => number;

/** Carries out a control code; an unknown one is WSAEOPNOTSUPP. */
export function ioctl(
  socket: AfdEndpoint,
  code: number,
  data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  const handler = HANDLERS.get(code >>> 0);
  return handler === undefined ? WSAEOPNOTSUPP : handler(socket, data, into, reply);
}

function answer(into: Uint8Array | null, reply: AfdCompletion, value: number): number {
  if (into === null || into.length < 4) return WSAEFAULT;
  putI32le(into, 0, value);
  reply.value = 4;
  return 0;
}

function setNonBlocking(socket: AfdEndpoint, data: Uint8Array | null): number {
  if (data === null || data.length < 4) return WSAEFAULT;
  const isOn = i32le(data, 0) !== 0;
  if (!isOn && socket.events.mask !== 0) return WSAEINVAL; // SEM-BLK-05
  socket.isNonBlocking = isOn;
  return 0;
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

function messageSwitch(set: (endpoint: MessageEndpoint, isOn: boolean) => void): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof DatagramEndpoint)) return WSAEOPNOTSUPP;
    if (data === null || data.length < 1) return WSAEFAULT;
    set(
      socket.endpoint,
      data.slice(0, 4).some((byte) => byte !== 0),
    );
    return 0;
  };
}

/** SIO_RCVALL and its kin: on a raw socket of the protocol that the code asks for (RAW-RCVALL-01, RAW-RCVALL-04). */
function receiveAll(protocol: number, on: RawTap, ipLevel: RawTap): IoctlHandler {
  return (socket, data) => {
    const raw = rawOf(socket);
    if (raw === null || socket.protocol !== protocol) return WSAEINVAL;
    if (data === null || data.length < 1) return WSAEFAULT;
    const mode = data.length >= 4 ? i32le(data, 0) : (data[0] as number);
    switch (mode) {
      case RCVALL_OFF:
        return wsaOf(raw.setTap('off'));
      case RCVALL_ON:
        return wsaOf(raw.setTap(on));
      case RCVALL_SOCKETLEVELONLY:
        return socket.endpoint.localAddress.isAny ? WSAEINVAL : 0; // documented as without effect
      case RCVALL_IPLEVEL:
        return wsaOf(raw.setTap(ipLevel));
      default:
        return WSAEINVAL;
    }
  };
}

function absorbRouterAlert(socket: AfdEndpoint, data: Uint8Array | null): number {
  const raw = rawOf(socket);
  if (raw === null) return WSAEINVAL;
  if (data === null || data.length < 1) return WSAEFAULT;
  raw.absorbsRouterAlert = data[0] !== 0;
  return 0;
}

/** The address that packets to a destination leave from. */
function routingInterface(
  socket: AfdEndpoint,
  data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  const size = sockaddrLength(socket.family);
  if (data === null || data.length < SOCKADDR_IN_LEN) return WSAEINVAL;
  if (sockaddrFamily(data) === 0 || socket.checkAddress(data) !== 0) return WSAEAFNOSUPPORT;
  const destination = addressOf(data);
  if (destination.isAny) return WSAEINVAL;
  reply.value = size;
  if (into === null || into.length < size) return WSAEFAULT;
  const route = socket.context.stack.routeTo(destination);
  if (route === null) {
    reply.value = 0;
    return WSAENETUNREACH;
  }
  writeSockaddr(into, 0, route.source, 0);
  return 0;
}

function broadcastAddress(
  _socket: AfdEndpoint,
  _data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  if (into === null || into.length < SOCKADDR_IN_LEN) return WSAEFAULT;
  reply.value = writeSockaddr(into, 0, IpAddress.broadcastV4, 0);
  return 0;
}

function idealSendBacklog(
  socket: AfdEndpoint,
  _data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  if (!(socket instanceof StreamEndpoint)) return WSAEOPNOTSUPP;
  if (socket.state !== SocketState.connected) return WSAENOTCONN; // SEM-STATE-11
  return answer(into, reply, socket.endpoint.idealSendBacklog);
}

const HANDLERS: ReadonlyMap<number, IoctlHandler> = new Map<number, IoctlHandler>([
  [FIONBIO, setNonBlocking],
  [FIONREAD, (socket, _data, into, reply) => answer(into, reply, socket.readableBytes)],
  [
    SIOCATMARK,
    (socket, _data, into, reply) => {
      const isAtMark = !(socket instanceof StreamEndpoint) || socket.receiver.isAtMark;
      return answer(into, reply, isAtMark ? 1 : 0);
    },
  ],
  [SIO_KEEPALIVE_VALS, keepAliveValues],
  [
    SIO_UDP_CONNRESET,
    messageSwitch((endpoint, isOn) => {
      endpoint.reportsPortUnreachable = isOn;
    }),
  ],
  [
    SIO_UDP_NETRESET,
    messageSwitch((endpoint, isOn) => {
      endpoint.reportsTtlExpired = isOn;
    }),
  ],
  [SIO_RCVALL, receiveAll(IPPROTO_IP, 'promiscuous', 'received')],
  [SIO_RCVALL_MCAST, receiveAll(IPPROTO_UDP, 'multicast', 'multicast')],
  [SIO_RCVALL_IGMPMCAST, receiveAll(IPPROTO_IGMP, 'groupReports', 'groupReports')],
  [SIO_ABSORB_RTRALERT, absorbRouterAlert],
  [SIO_GET_INTERFACE_LIST, (socket, _data, into, reply) => listInterfaces(socket.context.stack, into, reply)],
  [
    SIO_ADDRESS_LIST_QUERY,
    (socket, _data, into, reply) =>
      listAddresses(socket.context.stack, socket.family === AF_INET6 ? 6 : 4, into, reply),
  ],
  [SIO_ROUTING_INTERFACE_QUERY, routingInterface],
  [SIO_GET_BROADCAST_ADDRESS, broadcastAddress],
  [SIO_IDEAL_SEND_BACKLOG_QUERY, idealSendBacklog],
  [SIO_TCP_INFO, tcpInfo],
  ...MULTICAST_IOCTLS,
  // A hint that a path without copies makes good on by itself.
  [SIO_LOOPBACK_FAST_PATH, (socket) => (socket.protocol === IPPROTO_TCP ? 0 : WSAEOPNOTSUPP)],
]);
