/**
 * What a provider may answer to each call, and which calls may wait.
 */

import type { fd_set, TIMEVAL } from '../abi/index.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { WSABUF } from './types.ts';

type CallName = keyof WSPPROC_TABLE;
/** By whatever name: a call of the table, or an extension function. */
type Names = Pick<ReadonlySet<string>, 'has'>;

/** Calls that are not about one socket. */
const NOT_ABOUT_A_SOCKET: Names = new Set<string>([
  'WSPSocket',
  'WSPSelect',
  'WSPAddressToString',
  'WSPStringToAddress',
  'WSPCleanup',
  'WSPCancelBlockingCall',
  'WSAPoll',
]);
/** Calls whose value is a handle. */
export const MAKING_CALLS: Names = new Set(['WSPSocket', 'WSPAccept', 'WSPJoinLeaf']);
/** Calls that have no value: 0 is success. */
const ANSWERS_ZERO: Names = new Set<CallName>([
  'WSPAddressToString',
  'WSPAsyncSelect',
  'WSPBind',
  'WSPCancelBlockingCall',
  'WSPCleanup',
  'WSPCloseSocket',
  'WSPConnect',
  'WSPDuplicateSocket',
  'WSPEnumNetworkEvents',
  'WSPEventSelect',
  'WSPGetPeerName',
  'WSPGetSockName',
  'WSPGetSockOpt',
  'WSPListen',
  'WSPRecvDisconnect',
  'WSPSendDisconnect',
  'WSPSetSockOpt',
  'WSPShutdown',
  'WSPStringToAddress',
]);
/** Calls that wait as long as the network pleases, unless they are overlapped or their socket is non-blocking. */
const MAY_WAIT: ReadonlySet<CallName> = new Set<CallName>([
  'WSPAccept',
  'WSPCloseSocket',
  'WSPConnect',
  'WSPGetOverlappedResult',
  'WSPIoctl',
  'WSPJoinLeaf',
  'WSPRecv',
  'WSPRecvFrom',
  'WSPSelect',
  'WSPSend',
  'WSPSendTo',
]);
/** Where the overlapped record stands in those that take one. */
const RECORD_AT: { readonly [name: string]: number } = {
  WSPIoctl: 6,
  WSPRecv: 4,
  WSPRecvFrom: 6,
  WSPSend: 4,
  WSPSendTo: 6,
};
/** No code is below that. */
const LOWEST = -0xffff;

/** Calls whose first argument is the socket that they are about. */
export const SOCKET_CALLS: Names = { has: (name: string) => !NOT_ABOUT_A_SOCKET.has(name) };

/**
 * How long a call may keep its caller waiting, by its arguments and its socket, ms: 0 for one that may not, no end for one that waits for
 * the network.
 */
export function patienceFor(
  name: CallName,
  args: readonly unknown[],
  s: number,
  sockets: SocketModes,
): number {
  if (!MAY_WAIT.has(name)) return 0;
  if (name === 'WSPSelect') return timeOf((args[4] ?? null) as TIMEVAL | null);
  // It waits for an operation, whatever the socket's calls do.
  if (name === 'WSPGetOverlappedResult') return args[2] ? Number.POSITIVE_INFINITY : 0;
  if (name === 'WSPCloseSocket' && !sockets.mayLinger(s)) return 0;
  const at = RECORD_AT[name];
  const isOverlapped = at !== undefined && (args[at] ?? null) !== null;
  const answersAtOnce = isOverlapped ? sockets.isOverlapped(s) : sockets.isNonBlocking(s);
  return answersAtOnce ? 0 : Number.POSITIVE_INFINITY;
}

/** What decides whether calls on a socket wait. */
export interface SocketModes {
  /** It was made non-blocking by its application. */
  isNonBlocking(s: number): boolean;
  /** It is known to have the overlapped attribute, without which calls with a record wait for its end (SEM-BLK-06). */
  isOverlapped(s: number): boolean;
  /** It is not known to close at once. */
  mayLinger(s: number): boolean;
}

function timeOf(timeout: TIMEVAL | null): number {
  if (timeout === null) return Number.POSITIVE_INFINITY;
  const ms = timeout.tv_sec * 1000 + timeout.tv_usec / 1000;
  return ms >= 0 ? ms : 0;
}

/**
 * Whether no provider may answer that: no whole number, no code, a count of more bytes than the caller has room for, a positive
 * code where there is no value, a handle that ws2_32 does not know.
 */
export function isNonsense(
  name: string,
  args: readonly unknown[],
  answer: unknown,
  isKnownHandle: (handle: number) => boolean,
): boolean {
  if (typeof answer !== 'number' || !Number.isInteger(answer) || answer < LOWEST) return true;
  if (answer <= 0) return answer === 0 && MAKING_CALLS.has(name);
  if (ANSWERS_ZERO.has(name)) return true;
  if (MAKING_CALLS.has(name)) return !isKnownHandle(answer);
  switch (name) {
    case 'WSPSend':
    case 'WSPSendTo':
    case 'WSPRecv':
    case 'WSPRecvFrom':
      return answer > bytesOf(args[1] as readonly WSABUF[] | null, args[2] as number);
    case 'WSPIoctl':
      return answer > Math.max(args[5] as number, 0);
    case 'WSPSelect':
      return answer > members(args[1]) + members(args[2]) + members(args[3]);
    case 'WSPGetQOSByName':
      return answer > 1;
    default:
      return false;
  }
}

function bytesOf(buffers: readonly WSABUF[] | null, count: number): number {
  if (buffers === null) return 0;
  if (count === 1) return buffers[0]?.length ?? 0;
  let total = 0;
  for (let i = 0; i < count; i++) total += buffers[i]?.length ?? 0;
  return total;
}

/** Of what a select leaves in a set. */
function members(set: unknown): number {
  const left: unknown = (set as fd_set | null)?.fd_array;
  return Array.isArray(left) ? left.length : 0;
}
