/**
 * winsock: what ws2_32 does: start-up count, handles, waiting, events, address text; every socket call goes API → catalog →
 * chain → base provider.
 *
 * {@link createWinsock} makes the calls of one process over an `AfdPort`. They never throw and their promises never reject:
 * a number of 0 or more is the value, below 0 it is minus the WSA code. The faces of `app/` turn that into exceptions, last
 * errors or Node's streams. What C passes as a pointer is passed as `spi/types` says; buffers are borrowed until the answer.
 *
 *     const ws = createWinsock({ port });
 *     ws.WSAStartup(MAKEWORD(2, 2), data);
 *     const s = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 */

export { inet_ntop, inet_pton } from './address.ts';
export * from './byte-order.ts';
export type { QueuedRecord } from './completion-port.ts';
export * from './errors.ts';
export type { LPLOOKUPSERVICE_COMPLETION_ROUTINE } from './names/addrinfo-ex-calls.ts';
export type { NameOptions } from './names/name-state.ts';
export * from './names/name-text.ts';
export type { PROTOCOL_INFO } from './names/rnr1-calls.ts';
export { type SOCK_NOTIFY_REGISTRATION, SocketNotificationRetrieveEvents } from './notifications.ts';
export { HasOverlappedIoCompleted } from './overlapped.ts';
export type { OVERLAPPED_ENTRY } from './port-calls.ts';
export { type WinsockOptions, WinsockProcess } from './process.ts';
export * from './rtl-address.ts';
export { __WSAFDIsSet } from './select.ts';
export {
  MAKEWORD,
  type Negotiation,
  negotiateVersion,
  SUPPORTED_VERSIONS,
  WSA_DESCRIPTION,
  WSA_SYSTEM_STATUS,
} from './startup.ts';
export { type BlockingHook, defaultBlockingHook, Threads, WinsockThread } from './threads.ts';
export { windowCalls } from './window-calls.ts';
export { MessageQueue, Windows } from './windows.ts';
export * from './winsock.ts';
