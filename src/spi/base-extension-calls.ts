/**
 * Extension functions by GUID: what the base provider answers to SIO_GET_EXTENSION_FUNCTION_POINTER and
 * SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER.
 */

import {
  FUNCTION_POINTER_LEN,
  guidAt,
  RIO_FUNCTION_TABLE_LEN,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  WSAEFAULT,
  WSAEINVAL,
  WSAID_ACCEPTEX,
  WSAID_CONNECTEX,
  WSAID_DISCONNECTEX,
  WSAID_GETACCEPTEXSOCKADDRS,
  WSAID_MULTIPLE_RIO,
  WSAID_TRANSMITFILE,
  WSAID_TRANSMITPACKETS,
  WSAID_WSAPOLL,
  WSAID_WSARECVMSG,
  WSAID_WSASENDMSG,
} from '../abi/index.ts';
import { putI32le } from '../base/index.ts';
import { baseConnectExtensions } from './base-connect-extensions.ts';
import { baseMessageExtensions } from './base-message-extensions.ts';
import { pollHandles } from './base-poll.ts';
import { baseRio } from './base-rio.ts';
import type { BaseState } from './base-state.ts';
import { baseTransmitExtensions } from './base-transmit.ts';
import { type CallTap, tapExtensions } from './call-tap.ts';
import type { ExtensionFunctions, RioFunctions } from './extensions.ts';
import { writePointer } from './function-pointers.ts';

/** Which function a GUID asks for. */
export const EXTENSION_IDS: ReadonlyMap<string, keyof ExtensionFunctions> = new Map<
  string,
  keyof ExtensionFunctions
>([
  [WSAID_ACCEPTEX, 'AcceptEx'],
  [WSAID_CONNECTEX, 'ConnectEx'],
  [WSAID_DISCONNECTEX, 'DisconnectEx'],
  [WSAID_GETACCEPTEXSOCKADDRS, 'GetAcceptExSockaddrs'],
  [WSAID_TRANSMITFILE, 'TransmitFile'],
  [WSAID_TRANSMITPACKETS, 'TransmitPackets'],
  [WSAID_WSAPOLL, 'WSAPoll'],
  [WSAID_WSARECVMSG, 'WSARecvMsg'],
  [WSAID_WSASENDMSG, 'WSASendMsg'],
]);

/** The functions of the table of registered I/O in its order. */
export const RIO_TABLE: readonly (keyof RioFunctions)[] = [
  'RIOReceive',
  'RIOReceiveEx',
  'RIOSend',
  'RIOSendEx',
  'RIOCloseCompletionQueue',
  'RIOCreateCompletionQueue',
  'RIOCreateRequestQueue',
  'RIODequeueCompletion',
  'RIODeregisterBuffer',
  'RIONotify',
  'RIORegisterBuffer',
  'RIOResizeCompletionQueue',
  'RIOResizeRequestQueue',
];

/** All of a base provider's extension functions. */
export interface BaseExtensions {
  readonly functions: ExtensionFunctions;
  readonly rio: RioFunctions;
  /** Answers one of the two control codes. @returns the bytes written, or minus a WSA code */
  readonly pointer: (code: number, id: Uint8Array, into: Uint8Array) => number;
}

/** @param tap where their calls can be watched, as those of a provider called `name` */
export function baseExtensions(base: BaseState, tap: CallTap, name: string): BaseExtensions {
  const own: ExtensionFunctions = {
    ...baseConnectExtensions(base),
    ...baseMessageExtensions(base),
    ...baseTransmitExtensions(base),
    WSAPoll: (fds, count, timeout) =>
      fds === null || !(count <= fds.length) ? -WSAEFAULT : pollHandles(base, fds.slice(0, count), timeout),
  };
  const functions = tapExtensions(own, tap, name, (s) => base.sockets.get(s)?.info ?? null);
  const rio = baseRio(base);
  return {
    functions,
    rio,
    pointer(code, id, into): number {
      const guid = guidAt(id) ?? '';
      if (code === SIO_GET_EXTENSION_FUNCTION_POINTER) {
        const name = EXTENSION_IDS.get(guid);
        if (name === undefined) return -WSAEINVAL;
        if (into.length < FUNCTION_POINTER_LEN) return -WSAEFAULT;
        writePointer(into, 0, functions[name]);
        return FUNCTION_POINTER_LEN;
      }
      if (guid !== WSAID_MULTIPLE_RIO) return -WSAEINVAL;
      if (into.length < RIO_FUNCTION_TABLE_LEN) return -WSAEFAULT;
      putI32le(into, 0, RIO_FUNCTION_TABLE_LEN);
      putI32le(into, 4, 0);
      for (const [i, name] of RIO_TABLE.entries()) {
        writePointer(into, FUNCTION_POINTER_LEN * (1 + i), rio[name]);
      }
      return RIO_FUNCTION_TABLE_LEN;
    },
  };
}
