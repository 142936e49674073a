/**
 * What a provider may answer to each call, and which calls may wait.
 */

import type { fd_set } from '../abi/index.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { WSABUF } from './types.ts';

type CallName = keyof WSPPROC_TABLE;

/** Calls that are not about one socket. */
const NOT_ABOUT_A_SOCKET: readonly CallName[] = [
  'WSPSocket',
  'WSPSelect',
  'WSPAddressToString',
  'WSPStringToAddress',
  'WSPCleanup',
  'WSPCancelBlockingCall',
];
/** Calls whose value is a handle. */
const ANSWERS_HANDLE: ReadonlySet<CallName> = new Set(['WSPSocket', 'WSPAccept', 'WSPJoinLeaf']);
/** Calls that have no value: 0 is success. */
const ANSWERS_ZERO: ReadonlySet<CallName> = new Set<CallName>([
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
export const SOCKET_CALLS: Pick<ReadonlySet<string>, 'has'> = {
  has: (name: string) => !(NOT_ABOUT_A_SOCKET as readonly string[]).includes(name),
};

/** Whether a call may keep its caller waiting, by its arguments alone. */
export function mayWait(name: CallName, args: readonly unknown[]): boolean {
  if (!MAY_WAIT.has(name)) return false;
  const at = RECORD_AT[name];
  return at === undefined || (args[at] ?? null) === null;
}

/**
 * Whether no provider may answer that: no whole number, no code, a count of more bytes than the caller has room for, a positive
 * code where there is no value, a handle that ws2_32 does not know.
 */
export function isNonsense(
  name: CallName,
  args: readonly unknown[],
  answer: unknown,
  isKnownHandle: (handle: number) => boolean,
): boolean {
  if (typeof answer !== 'number' || !Number.isInteger(answer) || answer < LOWEST) return true;
  if (answer <= 0) return answer === 0 && ANSWERS_HANDLE.has(name);
  if (ANSWERS_ZERO.has(name)) return true;
  if (ANSWERS_HANDLE.has(name)) return !isKnownHandle(answer);
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
  return (set as fd_set | null)?.fd_array.length ?? 0;
}
