/** Which socket a call is about, and how many bytes it has moved. */

import type { ProviderCall } from '../../spi/index.ts';

/** Calls that are about no socket, or about many. */
const ABOUT_NONE: ReadonlySet<ProviderCall> = new Set<ProviderCall>([
  'WSPSocket',
  'WSPSelect',
  'WSAPoll',
  'WSPAddressToString',
  'WSPStringToAddress',
  'WSPCleanup',
  'WSPCancelBlockingCall',
  'GetAcceptExSockaddrs',
]);

const SENDING: ReadonlySet<ProviderCall> = new Set<ProviderCall>(['WSPSend', 'WSPSendTo']);
const RECEIVING: ReadonlySet<ProviderCall> = new Set<ProviderCall>(['WSPRecv', 'WSPRecvFrom']);
/** Extension functions answer TRUE; their bytes stand in a place of their own, or are known when the operation is done. */
const COUNT_AT: { readonly [name: string]: number } = {
  AcceptEx: 6,
  WSARecvMsg: 2,
  ConnectEx: 5,
  WSASendMsg: 3,
};
const EXTENSIONS_IN: ReadonlySet<ProviderCall> = new Set<ProviderCall>(['AcceptEx', 'WSARecvMsg']);
const EXTENSIONS_OUT: ReadonlySet<ProviderCall> = new Set<ProviderCall>([
  'ConnectEx',
  'WSASendMsg',
  'TransmitFile',
  'TransmitPackets',
]);

/** The socket; 0: none. */
export function socketOf(call: ProviderCall, args: readonly unknown[]): number {
  const [first] = args;
  return ABOUT_NONE.has(call) || typeof first !== 'number' || !(first >= 0) ? 0 : first;
}

/** Which way a call moves bytes: 1 out, −1 in, 0 neither. */
export function directionOf(call: ProviderCall): number {
  if (SENDING.has(call) || EXTENSIONS_OUT.has(call)) return 1;
  return RECEIVING.has(call) || EXTENSIONS_IN.has(call) ? -1 : 0;
}

/** The bytes of a call that was answered, not those of an operation that goes on. */
export function bytesOf(call: ProviderCall, args: readonly unknown[], answer: number): number {
  if (answer <= 0) return 0;
  if (SENDING.has(call) || RECEIVING.has(call)) return answer;
  const at = COUNT_AT[call];
  const count = at === undefined ? 0 : (args[at] as { value?: unknown } | null)?.value;
  return typeof count === 'number' && count > 0 ? count : 0;
}
