/**
 * `winsockd/winsock/async`: the Winsock API under Microsoft's names, in promises.
 *
 * Each function resolves with what C returns, and rejects with a {@link WinsockError} where C returns SOCKET_ERROR,
 * INVALID_SOCKET or FALSE. Parameters are the documented ones; `spi/types` says how C's pointers look, and trailing lengths may be
 * left out. Buffers are borrowed until the promise settles. WSAGetLastError belongs to the blocking face.
 *
 *     await WSAStartup(MAKEWORD(2, 2), data);
 *     const s = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 *     await connect(s, sockaddrOf('10.0.0.2', 80));
 *
 * The functions of this module are those of the process's one Winsock; {@link asyncWinsock} makes the same set for another.
 *
 * **Errors.** A function's page names its own codes. Besides, any call may fail with WSANOTINITIALISED (before WSAStartup),
 * WSAENOTSOCK (a handle that is no socket), WSAEFAULT (a pointer that is needed is `null`, or a length is longer than its array),
 * WSAENETDOWN (the daemon is gone), WSAENOBUFS (a bound of memory), WSAEINPROGRESS (1.x: another call waits) and WSAEINTR (1.x: the
 * call was cancelled). **Source** names the rows of the specification that its tests prove.
 *
 * **Examples.** They run as they stand in a process that has called WSAStartup at 10.0.0.1. `peer` has the same functions in a process
 * at 10.0.0.2. `s` is a stream socket that is connected to the peer's `t`, at port 80; `listener` listens at port 80 here; `u` is a
 * datagram socket at port 5000, and so is the peer's `v`. `at(address, port)` makes a sockaddr. `// → x` says what a line's value is.
 */

import { promised } from './promised.ts';

export * from '../abi/index.ts';
export type {
  Answer,
  ConditionFunction,
  FLOWSPEC,
  NSPV2_ROUTINE,
  QOS,
  Ref,
  RIO_BUF,
  RIO_NOTIFICATION_COMPLETION,
  RIORESULT,
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSABUF,
  WSACOMPLETION,
  WSAMSG,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSAPOLLFD,
} from '../spi/index.ts';
export { defineNameSpace } from '../spi/index.ts';
export type { BlockingHook, OVERLAPPED_ENTRY } from '../winsock/index.ts';
export {
  __WSAFDIsSet,
  FreeAddrInfoEx,
  FreeAddrInfoEx as FreeAddrInfoExW,
  freeaddrinfo,
  freeaddrinfo as FreeAddrInfoW,
  gai_strerror,
  gai_strerror as gai_strerrorA,
  gai_strerror as gai_strerrorW,
  HasOverlappedIoCompleted,
  htond,
  htonf,
  htonl,
  htonll,
  htons,
  inet_addr,
  inet_ntoa,
  type LPLOOKUPSERVICE_COMPLETION_ROUTINE,
  MAKEWORD,
  ntohd,
  ntohf,
  ntohl,
  ntohll,
  ntohs,
  RtlIpv4AddressToString,
  RtlIpv4AddressToStringEx,
  RtlIpv4StringToAddress,
  RtlIpv4StringToAddressEx,
  RtlIpv6AddressToString,
  RtlIpv6AddressToStringEx,
  RtlIpv6StringToAddress,
  RtlIpv6StringToAddressEx,
  WinsockError,
} from '../winsock/index.ts';
export { inet_ntop, inet_ntop as InetNtopW, inet_pton, inet_pton as InetPtonW } from './address-text.ts';
export * from './async/address-names.ts';
export * from './async/addresses.ts';
export * from './async/config-name-spaces.ts';
export * from './async/config-providers.ts';
export * from './async/config-rules.ts';
export * from './async/connection.ts';
export * from './async/data.ts';
export * from './async/extensions.ts';
export * from './async/host-names.ts';
export * from './async/interfaces.ts';
export * from './async/lookups.ts';
export * from './async/name-messages.ts';
export * from './async/option-functions.ts';
export * from './async/options.ts';
export * from './async/overlapped.ts';
export * from './async/ports.ts';
export * from './async/protocols.ts';
export * from './async/rio.ts';
export * from './async/services.ts';
export * from './async/sockets.ts';
export * from './async/startup.ts';
export * from './async/waiting.ts';
export * from './async-windows.ts';
export { attachedTo, attachTo } from './process-winsock.ts';
export { type AsyncWinsock, asyncWinsock, type StructureCalls } from './promised.ts';

/** Has a socket's network events posted to a window. */
export const WSAAsyncSelect = promised('WSAAsyncSelect');
