/**
 * The bytes of an option's value: which lengths are right, and how they become a number and back (SEM-OPT-02 … SEM-OPT-10).
 */

import {
  type CSADDR_INFO,
  csaddrInfoLength,
  type OptionLayout,
  optionLayout,
  SO_BSP_STATE,
  SOL_SOCKET,
  sockaddrOf,
  WSAEFAULT,
  WSAENOPROTOOPT,
  writeCSADDR_INFO,
} from '../abi/index.ts';
import { i32le, putI32le, u16le } from '../base/index.ts';
import type { AfdCompletion } from '../port/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { optionHandler } from './options.ts';

/** getsockopt: the value into `into`, its length as the answer. */
export function getOption(
  socket: AfdEndpoint,
  level: number,
  option: number,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  if (level === SOL_SOCKET && option === SO_BSP_STATE) return getBspState(socket, into, reply);
  const handler = optionHandler(socket, level, option);
  if (typeof handler === 'number') return handler;
  const layout = optionLayout(level, option);
  if (layout === null) return WSAENOPROTOOPT;
  if (handler.getBytes !== undefined) return answerBytes(handler.getBytes(socket), into, reply);
  if (handler.get === undefined) return WSAENOPROTOOPT;
  if (into === null || into.length === 0) return WSAEFAULT;
  const error = handler.check?.(socket) ?? 0;
  if (error !== 0) return error;
  return writeValue(layout, handler.get(socket), into, reply);
}

/** setsockopt. */
export function setOption(
  socket: AfdEndpoint,
  level: number,
  option: number,
  data: Uint8Array | null,
): number {
  const handler = optionHandler(socket, level, option);
  if (typeof handler === 'number') return handler;
  const layout = optionLayout(level, option);
  if (layout === null) return WSAENOPROTOOPT;
  if (handler.setBytes !== undefined) {
    const least = layout.lengthRule === 'bytes' ? 0 : layout.length;
    return data === null || data.length < least ? WSAEFAULT : handler.setBytes(socket, data);
  }
  if (handler.set === undefined) return WSAENOPROTOOPT;
  if (layout.lengthRule === 'none') return handler.set(socket, 0);
  if (data === null) return WSAEFAULT;
  const isLongEnough =
    layout.lengthRule === 'any' || layout.lengthRule === 'byte'
      ? data.length >= 1 || (level === SOL_SOCKET && layout.type === 'boolean') // SEM-OPT-03
      : data.length >= layout.length;
  return isLongEnough ? handler.set(socket, readValue(data)) : WSAEFAULT;
}

/** Up to four bytes, little-endian; what is missing is 0. */
function readValue(data: Uint8Array): number {
  if (data.length >= 4) return i32le(data, 0);
  if (data.length >= 2) return u16le(data, 0) | ((data[2] ?? 0) << 16);
  return data[0] ?? 0;
}

function writeValue(layout: OptionLayout, value: number, into: Uint8Array, reply: AfdCompletion): number {
  switch (layout.lengthRule) {
    case 'byte':
      into[0] = value;
      reply.value = 1;
      return 0;
    case 'any':
      if (into.length < 4) {
        into[0] = value;
        reply.value = 1;
        return 0;
      }
      break;
    default:
      if (into.length < layout.length) return WSAEFAULT;
  }
  putI32le(into, 0, value);
  reply.value = 4;
  return 0;
}

/** SO_BSP_STATE: both ends as a CSADDR_INFO; the length that is needed when the buffer is short. */
function getBspState(socket: AfdEndpoint, into: Uint8Array | null, reply: AfdCompletion): number {
  const { endpoint, type, protocol } = socket;
  const { localAddress, localPort, remoteAddress, remotePort } = endpoint;
  const state: CSADDR_INFO = {
    LocalAddr: socket.isBound ? sockaddrOf(localAddress, localPort) : null,
    RemoteAddr: remoteAddress.isAny ? null : sockaddrOf(remoteAddress, remotePort),
    iSocketType: type,
    iProtocol: protocol,
  };
  const length = csaddrInfoLength(state);
  reply.value = length;
  if (into === null || into.length < length) return WSAEFAULT;
  writeCSADDR_INFO(into, state);
  return 0;
}

/** As many bytes as there are, or the code of why there are none. */
function answerBytes(value: Uint8Array | number, into: Uint8Array | null, reply: AfdCompletion): number {
  if (typeof value === 'number') return value;
  if (into === null || into.length < value.length) return WSAEFAULT;
  into.set(value);
  reply.value = value.length;
  return 0;
}
