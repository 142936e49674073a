/**
 * WSAIoctl and ioctlsocket: the control codes that the sockets themselves answer (section 5 of the surface reference). Those that
 * need the catalog or handles are the base provider's. What is in no table is WSAEOPNOTSUPP: codes of families and services that
 * are not carried (quality of service by group, IPsec, redirection, processors of a network card) among them.
 */

import {
  AF_INET,
  AF_INET6,
  FIONBIO,
  FIONREAD,
  readSocketAddressList,
  SIO_ADDRESS_LIST_QUERY,
  SIO_ADDRESS_LIST_SORT,
  SIO_ASSOCIATE_HANDLE,
  SIO_FIND_ROUTE,
  SIO_GET_BROADCAST_ADDRESS,
  SIO_GET_INTERFACE_LIST,
  SIO_GET_QOS,
  SIO_QUERY_RSS_SCALABILITY_INFO,
  SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE,
  SIO_ROUTING_INTERFACE_QUERY,
  SIO_SET_COMPATIBILITY_MODE,
  SIO_SET_QOS,
  SIO_TRANSLATE_HANDLE,
  SIOCATMARK,
  SOCKADDR_IN_LEN,
  sockaddrFamily,
  sockaddrLength,
  socketAddressListLength,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEHOSTUNREACH,
  WSAEINVAL,
  WSAENETUNREACH,
  WSAENOPROTOOPT,
  WSAEOPNOTSUPP,
  writeSockaddr,
  writeSocketAddressList,
} from '../abi/index.ts';
import { EMPTY, IpAddress, i32le, putI32le } from '../base/index.ts';
import type { AfdCompletion, AfdRequest } from '../port/index.ts';
import { CHANGE_IOCTLS } from './change-ioctl.ts';
import { type AfdEndpoint, addressOf } from './endpoint.ts';
import { listAddresses, listInterfaces } from './interface-list.ts';
import { answer, type IoctlHandler } from './ioctl-handler.ts';
import { MESSAGE_IOCTLS } from './message-ioctl.ts';
import { MULTICAST_IOCTLS } from './multicast-ioctl.ts';
import { PORT_IOCTLS } from './port-ioctl.ts';
import { RAW_IOCTLS } from './raw-ioctl.ts';
import { StreamEndpoint } from './stream.ts';
import { TCP_IOCTLS } from './tcp-ioctl.ts';

/** Carries out the control code `request.a`; an unknown one is WSAEOPNOTSUPP. @returns a WSA code, or `PEND` */
export function ioctl(socket: AfdEndpoint, request: AfdRequest, reply: AfdCompletion): number {
  const handler = HANDLERS.get(request.a >>> 0);
  if (handler === undefined) return WSAEOPNOTSUPP;
  return handler(socket, request.data, request.into, reply, request.flags);
}

const setNonBlocking: IoctlHandler = (socket, data) => {
  if (data === null || data.length < 4) return WSAEFAULT;
  const isOn = i32le(data, 0) !== 0;
  if (!isOn && socket.events.mask !== 0) return WSAEINVAL; // SEM-BLK-05
  socket.isNonBlocking = isOn;
  return 0;
};

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

/** There is no cached route to discard: it is looked up anew. */
const findRoute: IoctlHandler = (socket, data) => {
  const code = socket.checkAddress(data);
  if (code !== 0 || data === null) return code;
  return socket.context.stack.routeTo(addressOf(data)) === null ? WSAEHOSTUNREACH : 0;
};

const broadcastAddress: IoctlHandler = (socket, _data, into, reply) => {
  if (socket.family !== AF_INET) return WSAENOPROTOOPT;
  if (into === null || into.length < SOCKADDR_IN_LEN) return WSAEFAULT;
  reply.value = writeSockaddr(into, 0, IpAddress.broadcastV4, 0);
  return 0;
};

/** A peer's addresses in the order in which to try them (RFC 6724 §6). */
const sortAddresses: IoctlHandler = (socket, data, into, reply) => {
  if (socket.family !== AF_INET6) return WSAEOPNOTSUPP;
  const list = readSocketAddressList(data ?? EMPTY);
  if (list === null) return WSAEFAULT;
  const addresses = list.map(({ address }) => address);
  if (addresses.some(({ family }) => family !== 6)) return WSAEINVAL;
  reply.value = socketAddressListLength(addresses);
  if (into === null || into.length < reply.value) return WSAEFAULT;
  writeSocketAddressList(into, socket.context.stack.sortDestinations(addresses));
  return 0;
};

const interfaceList: IoctlHandler = (socket, _data, into, reply) =>
  socket.family === AF_INET ? listInterfaces(socket.context.stack, into, reply) : WSAEINVAL;

const addressList: IoctlHandler = (socket, _data, into, reply) =>
  listAddresses(socket.context.stack, socket.family === AF_INET6 ? 6 : 4, into, reply);

/** Of a socket without urgent bytes it is always TRUE. */
const atMark: IoctlHandler = (socket, _data, into, reply) =>
  answer(into, reply, !(socket instanceof StreamEndpoint) || socket.receiver.isAtMark ? 1 : 0);

/** WSA_COMPATIBILITY_MODE: one of three behaviours, none of which differs between the versions of Windows shown here. */
const MODE_LEN = 8;
const LAST_BEHAVIOR = 2;

const compatibilityMode: IoctlHandler = (_socket, data) => {
  if (data === null || data.length < MODE_LEN) return WSAEFAULT;
  return i32le(data, 0) >>> 0 > LAST_BEHAVIOR ? WSAEINVAL : 0;
};

/** A UINT64 that is this endpoint's alone. */
const endpointHandle: IoctlHandler = (socket, _data, into, reply) => {
  if (into === null || into.length < 8) return WSAEINVAL;
  putI32le(into, 0, socket.endpoint.id);
  putI32le(into, 4, 0);
  reply.value = 8;
  return 0;
};

/** No device here spreads its packets over processors. */
const rssScalability: IoctlHandler = (_socket, _data, into, reply) => {
  if (into === null || into.length < 1) return WSAEINVAL;
  into[0] = 0;
  reply.value = 1;
  return 0;
};

/** No provider has quality of service, or handles of devices. */
const notProvided: IoctlHandler = () => WSAENOPROTOOPT;

const HANDLERS: ReadonlyMap<number, IoctlHandler> = new Map<number, IoctlHandler>([
  [FIONBIO, setNonBlocking],
  [FIONREAD, (socket, _data, into, reply) => answer(into, reply, socket.readableBytes)],
  [SIOCATMARK, atMark],
  [SIO_GET_INTERFACE_LIST, interfaceList],
  [SIO_ADDRESS_LIST_QUERY, addressList],
  [SIO_ADDRESS_LIST_SORT, sortAddresses],
  [SIO_ROUTING_INTERFACE_QUERY, routingInterface],
  [SIO_FIND_ROUTE, findRoute],
  [SIO_GET_BROADCAST_ADDRESS, broadcastAddress],
  [SIO_ASSOCIATE_HANDLE, notProvided],
  [SIO_TRANSLATE_HANDLE, notProvided],
  [SIO_GET_QOS, notProvided],
  [SIO_SET_QOS, notProvided],
  [SIO_SET_COMPATIBILITY_MODE, compatibilityMode],
  [SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE, endpointHandle],
  [SIO_QUERY_RSS_SCALABILITY_INFO, rssScalability],
  ...TCP_IOCTLS,
  ...MESSAGE_IOCTLS,
  ...RAW_IOCTLS,
  ...PORT_IOCTLS,
  ...MULTICAST_IOCTLS,
  ...CHANGE_IOCTLS,
]);
