/**
 * The control codes that wait for a change, as sockets take them; the waiting is in `change-notices.ts`.
 */

import {
  FD_ADDRESS_LIST_CHANGE,
  FD_ROUTING_INTERFACE_CHANGE,
  SIO_ADDRESS_LIST_CHANGE,
  SIO_IDEAL_SEND_BACKLOG_CHANGE,
  SIO_ROUTING_INTERFACE_CHANGE,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { addressOf } from './endpoint.ts';
import type { IoctlEntry, IoctlHandler } from './ioctl-handler.ts';
import { PEND } from './request.ts';
import { SocketState } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';

const addressListChange: IoctlHandler = (socket, _data, _into, _reply, flags) => {
  const { notices } = socket.context;
  return notices.watch(socket, FD_ADDRESS_LIST_CHANGE, () => notices.addressList(socket.family), flags);
};

/** The wildcard address stands for all destinations. */
const routingInterfaceChange: IoctlHandler = (socket, data, _into, _reply, flags) => {
  const code = socket.checkAddress(data);
  if (code !== 0 || data === null) return code === WSAEAFNOSUPPORT ? code : WSAEFAULT;
  const { notices } = socket.context;
  const destination = addressOf(data);
  return notices.watch(socket, FD_ROUTING_INTERFACE_CHANGE, () => notices.wayTo(destination), flags);
};

const backlogChange: IoctlHandler = (socket, _data, _into, _reply, flags) => {
  if (!(socket instanceof StreamEndpoint)) return WSAEOPNOTSUPP;
  if (socket.state !== SocketState.connected) return WSAENOTCONN; // SEM-STATE-11
  return socket.mayWait(flags) ? PEND : WSAEWOULDBLOCK;
};

export const CHANGE_IOCTLS: readonly IoctlEntry[] = [
  [SIO_ADDRESS_LIST_CHANGE, addressListChange],
  [SIO_ROUTING_INTERFACE_CHANGE, routingInterfaceChange],
  [SIO_IDEAL_SEND_BACKLOG_CHANGE, backlogChange],
];
