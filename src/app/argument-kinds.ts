/**
 * The kinds of every call's arguments as applications give them: those of the table of signatures, but for registered I/O and what
 * has to do with functions of name spaces, whose arguments the blocking face changes on their way.
 */

import { ERROR_INVALID_PARAMETER, WSAEFAULT } from '../abi/index.ts';
import type { WinsockCall } from '../winsock/index.ts';
import {
  anyKind,
  bytesKind,
  completionKind,
  type Kind,
  notificationKind,
  numberKind,
  placeKind,
  recordKind,
  referenceKind,
  structureKind,
  textKind,
} from './kinds.ts';
import { SIGNATURES } from './signatures.ts';

const part = structureKind('BufferId', 'Offset', 'Length');
const request = [numberKind, part, numberKind, numberKind, anyKind];
const requestEx = [numberKind, part, numberKind, part, part, part, part, numberKind, anyKind];

const OWN_KINDS: readonly (readonly [WinsockCall, readonly Kind[]])[] = [
  ['RIOReceive', request],
  ['RIOReceiveEx', requestEx],
  ['RIOSend', request],
  ['RIOSendEx', requestEx],
  ['RIOCreateCompletionQueue', [numberKind, notificationKind]],
  ['RIODequeueCompletion', [numberKind, placeKind, numberKind]],
  ['RIORegisterBuffer', [bytesKind, numberKind]],
  ['WSAAdvertiseProvider', [textKind, anyKind]],
  ['WSAProviderCompleteAsyncCall', [numberKind, numberKind]],
  [
    'WSANSPIoctl',
    [numberKind, numberKind, bytesKind, numberKind, bytesKind, numberKind, referenceKind, completionKind],
  ],
  ['WPUCompleteOverlappedRequest', [numberKind, recordKind, numberKind, numberKind]],
];

const KINDS = new Map<string, readonly Kind[]>([
  ...SIGNATURES.map(({ name, kinds }) => [name, kinds] as const),
  ...OWN_KINDS,
]);

/** Calls whose first argument is a number and no socket. */
const NO_SOCKET_FIRST: ReadonlySet<string> = new Set([
  'CreateIoCompletionPort',
  'DestroyWindow',
  'GetHostNameW',
  'GetQueuedCompletionStatus',
  'GetQueuedCompletionStatusEx',
  'PostQueuedCompletionStatus',
  'ProcessSocketNotifications',
  'WSALookupServiceNext',
  'WSALookupServiceNextA',
  'WSANSPIoctl',
  'WSASocket',
  'WSAStartup',
  'WSAWaitForMultipleEvents',
  'getprotobynumber',
  'getservbyport',
  'if_indextoname',
  'select',
]);

/** Calls that answer in Win32's codes. */
const WIN32_CALLS: ReadonlySet<string> = new Set([
  'GetQueuedCompletionStatus',
  'GetQueuedCompletionStatusEx',
  'PostQueuedCompletionStatus',
  'ProcessSocketNotifications',
]);

/** How a call says that an argument can't be read. */
export function unreadableError(name: string): number {
  return WIN32_CALLS.has(name) ? ERROR_INVALID_PARAMETER : WSAEFAULT;
}

/** Whether a call needs a WSAStartup before it: all but that itself, and the configuration of providers, which attaches the process too. */
export function needsStartup(name: string): boolean {
  return name !== 'WSAStartup' && !name.startsWith('WSC');
}

/** Whether a call's first argument is a socket, which is looked at before memory is (SEM-C-*). */
export function isSocketFirst(name: string): boolean {
  return (
    KINDS.get(name)?.[0] === numberKind &&
    !NO_SOCKET_FIRST.has(name) &&
    !name.startsWith('WSAAsyncGet') &&
    (!name.startsWith('RIO') || name === 'RIOCreateRequestQueue')
  );
}

/** The kinds of a call's arguments. */
export function argumentKinds(name: WinsockCall): readonly Kind[] {
  return KINDS.get(name) ?? [];
}
