/**
 * What each Winsock error code is called, what it means, and what to do about it: one row a code.
 */

import { type ErrorSentences, WIN32_ERROR_TEXTS } from './win32-error-text.ts';

/** One code with its name and the two sentences that an error message is made of. */
export interface WsaErrorText extends ErrorSentences {
  readonly code: number;
}

/** The row of `code`, or `null` when it is no Winsock code. */
export function wsaErrorText(code: number): WsaErrorText | null {
  return byCode.get(code) ?? null;
}

/** Microsoft's name of `code`, such as `WSAEWOULDBLOCK`; for a number that is none, `WSA error <code>`. */
export function wsaErrorName(code: number): string {
  return textOf(code)?.name ?? `WSA error ${code}`;
}

/** Cause and remedy of `code` in two sentences, for a message. */
export function wsaErrorMessage(code: number): string {
  const row = textOf(code);
  return row === undefined ? `WSA error ${code}.` : `${row.cause} ${row.remedy}`;
}

/** The code of a name such as `WSAEWOULDBLOCK`; -1 when there is none. */
export function wsaErrorCode(name: string): number {
  return WSA_ERROR_TEXTS.find((row) => row.name === name)?.code ?? -1;
}

/** Winsock's own words for a code, else those of Win32. */
function textOf(code: number): ErrorSentences | undefined {
  return byCode.get(code) ?? WIN32_ERROR_TEXTS.get(code);
}

/** Makes a row of the table below. */
function row(code: number, name: string, cause: string, remedy: string): WsaErrorText {
  return { code, name, cause, remedy };
}

/** Every code, in ascending order. */
export const WSA_ERROR_TEXTS: readonly WsaErrorText[] = [
  row(
    6,
    'WSA_INVALID_HANDLE',
    'The event handle is not valid.',
    'Pass a handle that WSACreateEvent returned and that is still open.',
  ),
  row(
    8,
    'WSA_NOT_ENOUGH_MEMORY',
    'Memory for the call could not be allocated.',
    'Free memory or ask for less, then try again.',
  ),
  row(
    87,
    'WSA_INVALID_PARAMETER',
    'A parameter of the call is out of range.',
    "Check counts, time-outs and pointers against the call's description.",
  ),
  row(
    995,
    'WSA_OPERATION_ABORTED',
    'The operation was cancelled before it finished.',
    'Expected after a close or a cancel; otherwise start the operation again.',
  ),
  row(
    996,
    'WSA_IO_INCOMPLETE',
    'The overlapped operation has not finished yet.',
    'Wait for its event or completion, or poll again later.',
  ),
  row(
    997,
    'WSA_IO_PENDING',
    'The overlapped operation was started and is under way.',
    'Nothing to repair: wait for its completion.',
  ),
  row(
    10004,
    'WSAEINTR',
    'A blocking call was interrupted, or its socket was closed meanwhile.',
    'Repeat the call if the socket is still meant to be used.',
  ),
  row(10009, 'WSAEBADF', 'The file handle is not valid.', 'Pass a socket that is open.'),
  row(
    10013,
    'WSAEACCES',
    'The operation is not permitted to this socket or user.',
    'Set SO_BROADCAST for broadcasts, pick a port nobody holds exclusively, or run with the right to open raw sockets.',
  ),
  row(
    10014,
    'WSAEFAULT',
    'A pointer is not readable, or a buffer is too small.',
    'Pass a buffer of at least the size of the structure.',
  ),
  row(
    10022,
    'WSAEINVAL',
    'An argument is not valid, or the socket is in the wrong state for the call.',
    'Check the order of calls (bind, listen, accept) and the arguments.',
  ),
  row(
    10024,
    'WSAEMFILE',
    'No more sockets can be opened.',
    "Close sockets that are not needed, or raise the session's quota.",
  ),
  row(
    10035,
    'WSAEWOULDBLOCK',
    'The call would have to wait, and the socket is non-blocking.',
    'Wait with select, WSAPoll or an event, then repeat the call.',
  ),
  row(
    10036,
    'WSAEINPROGRESS',
    'Another blocking call or a callback is still running.',
    'Wait until it has returned.',
  ),
  row(
    10037,
    'WSAEALREADY',
    'An operation of this kind is already under way.',
    'Wait for the connect or task that was started before.',
  ),
  row(
    10038,
    'WSAENOTSOCK',
    'The handle is not an open socket.',
    'Use a handle that socket or accept returned and that was not closed.',
  ),
  row(
    10039,
    'WSAEDESTADDRREQ',
    'No destination address was given.',
    'Name a destination in the call, or connect the socket first.',
  ),
  row(
    10040,
    'WSAEMSGSIZE',
    'The message does not fit: into a packet, or into the buffer it was received in.',
    'Send less at once, or receive with a larger buffer.',
  ),
  row(
    10041,
    'WSAEPROTOTYPE',
    'The protocol does not fit the socket type.',
    'Use TCP with SOCK_STREAM and UDP with SOCK_DGRAM.',
  ),
  row(
    10042,
    'WSAENOPROTOOPT',
    'The option or control code does not exist for this socket.',
    "Check the level and the socket's type.",
  ),
  row(
    10043,
    'WSAEPROTONOSUPPORT',
    'No provider offers the protocol for that family and type.',
    'Ask for a protocol that the catalog lists.',
  ),
  row(
    10044,
    'WSAESOCKTNOSUPPORT',
    'No provider offers the socket type.',
    'Ask for a type that the catalog lists.',
  ),
  row(
    10045,
    'WSAEOPNOTSUPP',
    'The operation does not exist for this kind of socket.',
    "Check the socket's type; listen and accept need a stream, and datagrams have no urgent data.",
  ),
  row(
    10046,
    'WSAEPFNOSUPPORT',
    'No provider offers the protocol family.',
    'Ask for a family that the catalog lists.',
  ),
  row(
    10047,
    'WSAEAFNOSUPPORT',
    "The address family is not offered, or differs from the socket's.",
    'Use addresses of the family that the socket was opened with.',
  ),
  row(
    10048,
    'WSAEADDRINUSE',
    'The address and port are already taken.',
    'Close the other socket, choose another port, or agree on SO_REUSEADDR.',
  ),
  row(
    10049,
    'WSAEADDRNOTAVAIL',
    "The address is not one of this host's, or the remote address or port is zero.",
    'Bind to an address that ipconfig lists; connect to a real address and port.',
  ),
  row(
    10050,
    'WSAENETDOWN',
    'The network stack cannot be reached.',
    'Start the daemon, or look at its log for why it ended.',
  ),
  row(10051, 'WSAENETUNREACH', 'There is no route to that network.', 'Add a route or a default gateway.'),
  row(
    10052,
    'WSAENETRESET',
    "Keep-alive found the peer gone, or a datagram's time to live ran out on the way.",
    'Connect again, or send with a larger TTL.',
  ),
  row(
    10053,
    'WSAECONNABORTED',
    'The connection was ended on this side.',
    'Connect again; see whether the path loses packets.',
  ),
  row(
    10054,
    'WSAECONNRESET',
    "The peer reset the connection, or nobody listens on the datagram's port.",
    'Connect again once the peer is ready; for UDP, check the port.',
  ),
  row(
    10055,
    'WSAENOBUFS',
    'There is no buffer space, or no port is left.',
    'Read what is queued, close sockets, or raise the quota.',
  ),
  row(10056, 'WSAEISCONN', 'The socket is connected already.', 'Open another socket for another connection.'),
  row(
    10057,
    'WSAENOTCONN',
    'The socket is not connected.',
    'Connect first, or name a destination with sendto.',
  ),
  row(
    10058,
    'WSAESHUTDOWN',
    'That direction of the socket has been shut down.',
    'Open another connection; a shutdown cannot be undone.',
  ),
  row(10059, 'WSAETOOMANYREFS', 'There are too many references to an object.', 'Release some of them.'),
  row(
    10060,
    'WSAETIMEDOUT',
    "The peer did not answer in time, or the socket's own time-out ran out.",
    'Check that the peer can be reached; raise SO_RCVTIMEO or SO_SNDTIMEO.',
  ),
  row(
    10061,
    'WSAECONNREFUSED',
    'The peer refused the connection.',
    'Start the server, or check its port and backlog.',
  ),
  row(10062, 'WSAELOOP', 'The name cannot be translated.', 'Check the name.'),
  row(10063, 'WSAENAMETOOLONG', 'The name is too long.', 'Use a shorter name.'),
  row(10064, 'WSAEHOSTDOWN', 'The destination host is down.', 'Check that the host is running.'),
  row(
    10065,
    'WSAEHOSTUNREACH',
    'There is no way to that host.',
    'Check the routes, and that the host is on the network.',
  ),
  row(10066, 'WSAENOTEMPTY', 'The directory is not empty.', 'Empty it first.'),
  row(
    10067,
    'WSAEPROCLIM',
    'Too many processes use the network stack.',
    'End some of them, or raise the limit.',
  ),
  row(10068, 'WSAEUSERS', "The user's quota is used up.", 'Free resources of the same user.'),
  row(10069, 'WSAEDQUOT', 'The disk quota is used up.', 'Free disk space.'),
  row(10070, 'WSAESTALE', 'The handle refers to something that is gone.', 'Open it again.'),
  row(10071, 'WSAEREMOTE', 'The item is not on this machine.', 'Use the machine that has it.'),
  row(
    10091,
    'WSASYSNOTREADY',
    'The network subsystem cannot be used yet.',
    'Start the daemon, or repair its configuration.',
  ),
  row(
    10092,
    'WSAVERNOTSUPPORTED',
    'The version of Winsock that was asked for is not offered.',
    'Ask for version 2.2.',
  ),
  row(10093, 'WSANOTINITIALISED', 'WSAStartup has not succeeded in this process.', 'Call WSAStartup first.'),
  row(
    10101,
    'WSAEDISCON',
    'The peer closed the connection in good order.',
    'Read no further; close the socket.',
  ),
  row(10102, 'WSAENOMORE', 'The lookup has no more results.', 'Nothing to repair: end the lookup.'),
  row(10103, 'WSAECANCELLED', 'The lookup was cancelled.', 'Begin it again if it is still needed.'),
  row(
    10104,
    'WSAEINVALIDPROCTABLE',
    'A service provider returned an incomplete function table.',
    'Repair or remove that provider.',
  ),
  row(
    10105,
    'WSAEINVALIDPROVIDER',
    'A service provider has another version, or is not in the catalog.',
    'Repair or remove that provider.',
  ),
  row(
    10106,
    'WSAEPROVIDERFAILEDINIT',
    'A service provider could not be loaded or started.',
    'Repair or remove that provider; winsockd catalog check names it.',
  ),
  row(
    10107,
    'WSASYSCALLFAILURE',
    'A system call failed that ought not to fail.',
    'Look at the log for the cause.',
  ),
  row(
    10108,
    'WSASERVICE_NOT_FOUND',
    'The name space does not know the service.',
    "Check the service's name.",
  ),
  row(
    10109,
    'WSATYPE_NOT_FOUND',
    'The service class is not known.',
    'Install the class, or check its identifier.',
  ),
  row(10110, 'WSA_E_NO_MORE', 'The lookup has no more results.', 'Nothing to repair: end the lookup.'),
  row(10111, 'WSA_E_CANCELLED', 'The lookup was cancelled.', 'Begin it again if it is still needed.'),
  row(10112, 'WSAEREFUSED', 'The query was refused.', 'Check that the server serves this client.'),
  row(11001, 'WSAHOST_NOT_FOUND', 'There is no host of that name.', 'Check the spelling of the name.'),
  row(11002, 'WSATRY_AGAIN', 'The name server could not answer now.', 'Try again later.'),
  row(11003, 'WSANO_RECOVERY', 'The lookup failed for good.', 'Check the name server and its configuration.'),
  row(
    11004,
    'WSANO_DATA',
    'The name exists, but has no record of the kind that was asked for.',
    'Ask for another kind of record.',
  ),
  row(11005, 'WSA_QOS_RECEIVERS', 'At least one reservation has arrived.', 'Nothing to repair.'),
  row(11006, 'WSA_QOS_SENDERS', 'At least one path message has arrived.', 'Nothing to repair.'),
  row(11007, 'WSA_QOS_NO_SENDERS', 'There are no senders of the flow.', 'Start a sender.'),
  row(11008, 'WSA_QOS_NO_RECEIVERS', 'There are no receivers of the flow.', 'Start a receiver.'),
  row(11009, 'WSA_QOS_REQUEST_CONFIRMED', 'The reservation was confirmed.', 'Nothing to repair.'),
  row(11010, 'WSA_QOS_ADMISSION_FAILURE', 'Resources for the flow are lacking.', 'Ask for less.'),
  row(11011, 'WSA_QOS_POLICY_FAILURE', 'Policy refuses the flow.', 'Ask the administrator.'),
  row(11012, 'WSA_QOS_BAD_STYLE', 'The filter style is unknown or conflicts.', 'Use another style.'),
  row(
    11013,
    'WSA_QOS_BAD_OBJECT',
    'A part of the flow description is malformed.',
    'Check the provider-specific buffer.',
  ),
  row(11014, 'WSA_QOS_TRAFFIC_CTRL_ERROR', 'Traffic control failed.', 'Check the flow description.'),
  row(
    11015,
    'WSA_QOS_GENERIC_ERROR',
    'Quality of service failed without a closer cause.',
    'Check the flow description.',
  ),
  row(11016, 'WSA_QOS_ESERVICETYPE', 'The service type is not valid.', 'Use one of the documented types.'),
  row(11017, 'WSA_QOS_EFLOWSPEC', 'The flow specification is not valid.', 'Check its members.'),
  row(
    11018,
    'WSA_QOS_EPROVSPECBUF',
    'The provider-specific buffer is not valid.',
    'Check its length and content.',
  ),
  row(11019, 'WSA_QOS_EFILTERSTYLE', 'The filter style is not valid.', 'Use one of the documented styles.'),
  row(11020, 'WSA_QOS_EFILTERTYPE', 'The filter type is not valid.', 'Use one of the documented types.'),
  row(11021, 'WSA_QOS_EFILTERCOUNT', 'The number of filters is not valid.', 'Check the count.'),
  row(11022, 'WSA_QOS_EOBJLENGTH', "An object's length is not valid.", 'Check its length.'),
  row(11023, 'WSA_QOS_EFLOWCOUNT', 'The number of flow descriptors is not valid.', 'Check the count.'),
  row(11024, 'WSA_QOS_EUNKOWNPSOBJ', 'A provider-specific object is unknown.', 'Remove the object.'),
  row(11025, 'WSA_QOS_EPOLICYOBJ', 'A policy object is not valid.', 'Check the object.'),
  row(11026, 'WSA_QOS_EFLOWDESC', 'A flow descriptor is not valid.', 'Check the descriptor.'),
  row(
    11027,
    'WSA_QOS_EPSFLOWSPEC',
    'A provider-specific flow specification is not valid.',
    'Check its members.',
  ),
  row(11028, 'WSA_QOS_EPSFILTERSPEC', 'A provider-specific filter is not valid.', 'Check its members.'),
  row(11029, 'WSA_QOS_ESDMODEOBJ', 'A shape-discard-mode object is not valid.', 'Check the object.'),
  row(11030, 'WSA_QOS_ESHAPERATEOBJ', 'A shaping-rate object is not valid.', 'Check the object.'),
  row(11031, 'WSA_QOS_RESERVED_PETYPE', 'A reserved policy element was found.', 'Remove the element.'),
];

const byCode: ReadonlyMap<number, WsaErrorText> = new Map(WSA_ERROR_TEXTS.map((each) => [each.code, each]));
