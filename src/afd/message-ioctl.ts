/**
 * Control codes of message sockets (sections 5.2 and 5.3 of the surface reference), but for groups and raw sockets.
 */

import {
  AF_INET,
  IP_MREQ_LEN,
  IPV6_MREQ_LEN,
  readIPV6_MREQ,
  SIO_CPU_AFFINITY,
  SIO_ENABLE_CIRCULAR_QUEUEING,
  SIO_FLUSH,
  SIO_GET_TX_TIMESTAMP,
  SIO_INDEX_ADD_MCAST,
  SIO_INDEX_BIND,
  SIO_INDEX_DEL_MCAST,
  SIO_INDEX_MCASTIF,
  SIO_LIMIT_BROADCASTS,
  SIO_TIMESTAMPING,
  SIO_UCAST_IF,
  SIO_UDP_CONNRESET,
  SIO_UDP_NETRESET,
  TIMESTAMPING_CONFIG_LEN,
  TIMESTAMPING_FLAG_RX,
  TIMESTAMPING_FLAG_TX,
  WSA_OPERATION_ABORTED,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { EMPTY, IpAddress, i32, i32le, u16le } from '../base/index.ts';
import type { MessageEndpoint } from '../stack/index.ts';
import { putTicks } from './control-data.ts';
import { DatagramEndpoint } from './datagram.ts';
import { wsaOf } from './error-map.ts';
import { hasInterface, setUnicastInterface } from './interface-options.ts';
import { type IoctlEntry, type IoctlHandler, isYes } from './ioctl-handler.ts';
import { udpOf } from './message-options.ts';
import { TransmitStamps } from './transmit-stamps.ts';

/** A code of message sockets with a parameter of `length` bytes. @param others what streams answer */
function ofMessages(
  length: number,
  work: (socket: DatagramEndpoint, data: Uint8Array) => number,
  others: number = WSAEOPNOTSUPP,
): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof DatagramEndpoint)) return others;
    const given = data ?? EMPTY;
    return given.length < length ? WSAEFAULT : work(socket, given);
  };
}

function messageSwitch(set: (endpoint: MessageEndpoint, isOn: boolean) => void): IoctlHandler {
  return ofMessages(1, ({ endpoint }, data) => {
    set(endpoint, isYes(data));
    return 0;
  });
}

/** Packets of this interface only, both ways; 0: of all. */
function bindToInterface(socket: DatagramEndpoint, data: Uint8Array): number {
  const index = i32le(data, 0);
  const code = setUnicastInterface(socket, index);
  if (code !== 0) return code;
  socket.endpoint.multicastInterface = index;
  socket.endpoint.interfaces = index === 0 ? null : new Set([index]);
  return 0;
}

function multicastInterface(socket: DatagramEndpoint, data: Uint8Array): number {
  const index = i32le(data, 0);
  if (index !== 0 && !hasInterface(socket, index)) return WSAEADDRNOTAVAIL;
  socket.endpoint.multicastInterface = index;
  return 0;
}

/** An ip_mreq, whose interface is an index in the machine's order, or an ipv6_mreq. */
function membership(
  work: (endpoint: MessageEndpoint, group: IpAddress, on: { interfaceIndex: number }) => number,
): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof DatagramEndpoint)) return WSAEOPNOTSUPP;
    const isV4 = socket.family === AF_INET;
    if (data === null || data.length < (isV4 ? IP_MREQ_LEN : IPV6_MREQ_LEN)) return WSAEFAULT;
    const { endpoint } = socket;
    if (isV4) return wsaOf(work(endpoint, IpAddress.v4(i32(data, 0)), { interfaceIndex: i32le(data, 4) }));
    const mreq = readIPV6_MREQ(data);
    if (mreq === null) return WSAEFAULT;
    return wsaOf(work(endpoint, mreq.ipv6mr_multiaddr, { interfaceIndex: mreq.ipv6mr_interface }));
  };
}

/** A hint that has no use where one processor does the work. */
const processorAffinity: IoctlHandler = (socket, data) => {
  if (udpOf(socket) === null || socket.isBound) return WSAEINVAL;
  return data === null || data.length < 2 ? WSAEFAULT : 0;
};

const timestamping: IoctlHandler = (socket, data) => {
  if (!(socket instanceof DatagramEndpoint) || udpOf(socket) === null) return WSAEOPNOTSUPP;
  if (data === null || data.length < TIMESTAMPING_CONFIG_LEN) return WSAEFAULT;
  const flags = i32le(data, 0);
  if ((flags & ~(TIMESTAMPING_FLAG_RX | TIMESTAMPING_FLAG_TX)) !== 0) return WSAEINVAL;
  socket.endpoint.stampsArrivals = (flags & TIMESTAMPING_FLAG_RX) !== 0;
  socket.stamps = (flags & TIMESTAMPING_FLAG_TX) === 0 ? null : new TransmitStamps(u16le(data, 4));
  return 0;
};

const transmitTimestamp: IoctlHandler = (socket, data, into, reply) => {
  if (!(socket instanceof DatagramEndpoint) || socket.stamps === null) return WSAEOPNOTSUPP;
  if (data === null || data.length < 4 || into === null || into.length < 8) return WSAEFAULT;
  const ms = socket.stamps.take(i32le(data, 0) >>> 0);
  if (ms < 0) return WSAEWOULDBLOCK;
  putTicks(into, 0, ms);
  reply.value = 8;
  return 0;
};

export const MESSAGE_IOCTLS: readonly IoctlEntry[] = [
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
  [
    SIO_ENABLE_CIRCULAR_QUEUEING,
    ofMessages(
      0,
      ({ endpoint }) => {
        endpoint.dropsOldest = true; // SEM-IO-16
        return 0;
      },
      WSAENOPROTOOPT,
    ),
  ],
  // What waits to be sent is given up; what the stack has taken is on its way.
  [
    SIO_FLUSH,
    ofMessages(0, ({ sends }) => {
      sends.drain(() => WSA_OPERATION_ABORTED);
      return 0;
    }),
  ],
  [SIO_UCAST_IF, ofMessages(4, (socket, data) => setUnicastInterface(socket, i32le(data, 0)))],
  [SIO_INDEX_BIND, ofMessages(4, bindToInterface)],
  [SIO_INDEX_MCASTIF, ofMessages(4, multicastInterface)],
  [SIO_INDEX_ADD_MCAST, membership((endpoint, group, on) => endpoint.joinGroup(group, on))],
  [SIO_INDEX_DEL_MCAST, membership((endpoint, group, on) => endpoint.leaveGroup(group, on))],
  // A broadcast leaves by one interface in any case, the one that the route to it names.
  [SIO_LIMIT_BROADCASTS, ofMessages(1, () => 0)],
  [SIO_CPU_AFFINITY, processorAffinity],
  [SIO_TIMESTAMPING, timestamping],
  [SIO_GET_TX_TIMESTAMP, transmitTimestamp],
];
