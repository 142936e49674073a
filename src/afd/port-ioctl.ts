/**
 * SIO_ACQUIRE_PORT_RESERVATION, SIO_RELEASE_PORT_RESERVATION and SIO_ASSOCIATE_PORT_RESERVATION.
 *
 *     INET_PORT_RANGE                       0 StartPort (network order)  2 NumberOfPorts                       4
 *     INET_PORT_RESERVATION_INSTANCE        0 the range                  4 padding         8 Token (UINT64)   16
 */

import {
  SIO_ACQUIRE_PORT_RESERVATION,
  SIO_ASSOCIATE_PORT_RESERVATION,
  SIO_RELEASE_PORT_RESERVATION,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
} from '../abi/index.ts';
import { putU16, putU16le, u16, u16le } from '../base/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { wsaOf } from './error-map.ts';
import type { IoctlEntry, IoctlHandler } from './ioctl-handler.ts';
import { RESERVATION_TOKEN_LEN } from './port-reservations.ts';

const RANGE_LEN = 4;
const INSTANCE_LEN = 16;
const TOKEN_AT = 8;

function protocolOf({ endpoint }: AfdEndpoint): 'tcp' | 'udp' | null {
  return endpoint.kind === 'tcp' || endpoint.kind === 'udp' ? endpoint.kind : null;
}

const acquire: IoctlHandler = (socket, data, into, reply) => {
  const protocol = protocolOf(socket);
  if (protocol === null) return WSAEOPNOTSUPP;
  if (data === null || data.length < RANGE_LEN || into === null || into.length < INSTANCE_LEN)
    return WSAEFAULT;
  const acquired = socket.context.reservations.acquire(socket, protocol, u16(data, 0), u16le(data, 2));
  if (acquired === null) return WSAENOBUFS;
  if (typeof acquired === 'number') return wsaOf(acquired);
  into.fill(0, 0, INSTANCE_LEN);
  putU16(into, 0, acquired.ports.first);
  putU16le(into, 2, acquired.ports.count);
  into.set(acquired.token, TOKEN_AT);
  reply.value = INSTANCE_LEN;
  return 0;
};

const release: IoctlHandler = (socket, data) => {
  if (protocolOf(socket) === null) return WSAEOPNOTSUPP;
  if (data === null || data.length < RESERVATION_TOKEN_LEN) return WSAEFAULT;
  return socket.context.reservations.release(data, socket) ? 0 : WSAEINVAL;
};

const associate: IoctlHandler = (socket, data) => {
  const protocol = protocolOf(socket);
  if (protocol === null) return WSAEOPNOTSUPP;
  if (data === null || data.length < RESERVATION_TOKEN_LEN) return WSAEFAULT;
  const ports = socket.context.reservations.find(data, protocol);
  if (ports === null || socket.isBound) return WSAEINVAL;
  socket.reservation = ports;
  return 0;
};

export const PORT_IOCTLS: readonly IoctlEntry[] = [
  [SIO_ACQUIRE_PORT_RESERVATION, acquire],
  [SIO_RELEASE_PORT_RESERVATION, release],
  [SIO_ASSOCIATE_PORT_RESERVATION, associate],
];
