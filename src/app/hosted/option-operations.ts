/**
 * Options and control codes through a chain.
 */

import {
  FIONBIO,
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_BSP_HANDLE_SELECT,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SIO_QUERY_TARGET_PNP_HANDLE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  WSAEFAULT,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
} from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { Operation } from './chain-host.ts';
import { finished, isOverlapped } from './data-operations.ts';

/** Codes that answer handles and functions of this process, which mean nothing in the application's. */
const OF_THIS_PROCESS = new Set([
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_BSP_HANDLE_SELECT,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SIO_QUERY_TARGET_PNP_HANDLE,
]);

export const getOption: Operation = (_host, ticket, { table, handle }) => {
  const { a, b, into } = ticket;
  const room = into?.length ?? 0;
  const length: Ref = { value: room };
  return finished(table.WSPGetSockOpt(handle, a, b, into, length), (answer) => {
    if (answer >= 0) return length.value;
    if (answer === -WSAEFAULT && length.value !== room) ticket.failedValue = length.value;
    return answer;
  });
};

export const setOption: Operation = (_host, { a, b, data }, { table, handle, acceptedFrom }) => {
  let value = data;
  if (data !== null && data.length >= 4 && a === SOL_SOCKET && b === SO_UPDATE_ACCEPT_CONTEXT) {
    // The application names the listener in its own way; here it is a handle.
    value = new Uint8Array(data.length);
    putI32le(value, 0, acceptedFrom === 0 ? handle : acceptedFrom);
  }
  return table.WSPSetSockOpt(handle, a, b, value, value?.length ?? 0);
};

export const ioctl: Operation = (host, ticket, socket) => {
  const { data, into } = ticket;
  const { table, handle } = socket;
  const code = ticket.a >>> 0;
  if (OF_THIS_PROCESS.has(code)) return -WSAEOPNOTSUPP;
  // What there was room for comes with an error, too.
  into?.fill(0);
  const needed: Ref = { value: 0 };
  const dataLength = data?.length ?? 0;
  const intoLength = into?.length ?? 0;
  const call = (record: Parameters<typeof table.WSPIoctl>[6]): Answer =>
    table.WSPIoctl(handle, code, data, dataLength, into, intoLength, record, null, ticket.thread, needed);
  const answer = isOverlapped(ticket) ? host.overlapped(ticket, handle, call) : call(null);
  return finished(answer, (known) => {
    if (known === -WSAEFAULT && needed.value > 0) ticket.failedValue = needed.value;
    if (known === -WSAENOBUFS) ticket.failedValue = intoLength;
    if (known >= 0 && code === FIONBIO && data !== null) socket.isNonBlocking = i32le(data, 0) !== 0;
    return known;
  });
};
