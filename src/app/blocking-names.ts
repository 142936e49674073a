/**
 * The calls about names of `winsockd/winsock`; those with which a thread offers names itself are in `blocking-spaces`.
 *
 * Those that C answers with a pointer answer an object of the thread's own here, which the next such call of the thread fills anew; or
 * `null`. Those that C answers with an error code answer it as a positive number; WSAGetLastError knows it too (SEM-GAI-10).
 *
 * The routine of an overlapped GetAddrInfoEx runs in the thread that asked, in the Winsock call that it sleeps in when the lookup is
 * done, alertable or not, or in its next one. The result of WSAAsyncGetXByY is in the buffer when the thread that asked takes the
 * message. When another thread takes it, a buffer over a SharedArrayBuffer has the bytes; any other one has them after the next call of
 * the thread that asked.
 */

import { type hostent, type protoent, SOCKET_ERROR, type servent } from '../abi/index.ts';
import {
  admitting,
  blocking,
  bounded,
  callAndKeepError,
  callIndex,
  reporting,
  structured,
} from './blocking-call.ts';
import { PACKED_ROOM } from './marshal-names.ts';
import { recordOf, routineOf } from './marshal-requests.ts';

export {
  FreeAddrInfoEx,
  FreeAddrInfoEx as FreeAddrInfoExW,
  freeaddrinfo,
  freeaddrinfo as FreeAddrInfoW,
  gai_strerror,
  gai_strerror as gai_strerrorA,
  gai_strerror as gai_strerrorW,
  type LPLOOKUPSERVICE_COMPLETION_ROUTINE,
  type PROTOCOL_INFO,
  RtlIpv4AddressToString,
  RtlIpv4AddressToStringEx,
  RtlIpv4StringToAddress,
  RtlIpv4StringToAddressEx,
  RtlIpv6AddressToString,
  RtlIpv6AddressToStringEx,
  RtlIpv6StringToAddress,
  RtlIpv6StringToAddressEx,
} from '../winsock/index.ts';

/** The thread's one hostent, servent and protoent. */
const theHost: hostent = { h_name: '', h_aliases: [], h_addrtype: 0, h_length: 0, h_addr_list: [] };
const theService: servent = { s_name: '', s_aliases: [], s_port: 0, s_proto: '' };
const theProtocol: protoent = { p_name: '', p_aliases: [], p_proto: 0 };

/** This host's name, into `name`; `namelen` counts characters with the closing zero. */
export const gethostname = blocking('gethostname');
/** The same in wide characters. */
export const GetHostNameW = blocking('GetHostNameW');
/** Calls this host something else; of Windows Mobile alone. */
export const sethostname = blocking('sethostname');
/** The IPv4 addresses of a name; of this host for `null` and ''. */
export const gethostbyname: (name: string | null) => hostent | null = structured('gethostbyname', theHost);
/** The names of an address, given as bytes in network order. */
export const gethostbyaddr: (addr: Uint8Array | null, len: number, type: number) => hostent | null =
  structured('gethostbyaddr', theHost);
/** The service of a name. */
export const getservbyname: (name: string | null, proto: string | null) => servent | null = structured(
  'getservbyname',
  theService,
);
/** The service at a port, given in network order. */
export const getservbyport: (port: number, proto: string | null) => servent | null = structured(
  'getservbyport',
  theService,
);
/** The protocol of a name. */
export const getprotobyname: (name: string | null) => protoent | null = structured(
  'getprotobyname',
  theProtocol,
);
/** The protocol of a number. */
export const getprotobynumber: (number: number) => protoent | null = structured(
  'getprotobynumber',
  theProtocol,
);
/** Addresses of a name and a service, in the order in which to try them; `res` gets the list. @returns 0 or the error */
export const getaddrinfo = reporting('getaddrinfo');
/** The same in wide characters. @returns 0 or the error */
export const GetAddrInfoW = reporting('GetAddrInfoW');
/** Addresses of a name in chosen name spaces, at once or overlapped. @returns 0 or the error */
export const GetAddrInfoEx = reporting('GetAddrInfoEx');
/** The narrow form, which cannot be overlapped. @returns 0 or the error */
export const GetAddrInfoExA = reporting('GetAddrInfoExA');
/** Cancels an overlapped GetAddrInfoEx. @returns 0 or the error */
export const GetAddrInfoExCancel = reporting('GetAddrInfoExCancel');
/** How an overlapped GetAddrInfoEx ended. @returns 0 or the error */
export const GetAddrInfoExOverlappedResult = reporting('GetAddrInfoExOverlappedResult');
/** Registers a name with addresses in one name space, or takes it back when there are none. @returns 0 or the error */
export const SetAddrInfoEx = reporting('SetAddrInfoEx');
/** The names of a sockaddr's host and service. @returns 0 or the error */
export const getnameinfo = reporting('getnameinfo');
/** The same in wide characters. @returns 0 or the error */
export const GetNameInfoW = reporting('GetNameInfoW');
/** Takes a question to the name spaces; `lphLookup` gets the lookup's handle. */
export const WSALookupServiceBegin = blocking('WSALookupServiceBegin');
/** The next result of a lookup; WSA_E_NO_MORE after the last one. */
export const WSALookupServiceNext = bounded('WSALookupServiceNext', 2, PACKED_ROOM);
/** The same, with lengths counted in the narrow form. */
export const WSALookupServiceNextA = bounded('WSALookupServiceNextA', 2, PACKED_ROOM);
/** Ends a lookup. */
export const WSALookupServiceEnd = blocking('WSALookupServiceEnd');
const NSP_IOCTL = callIndex('WSANSPIoctl');
/** Asks a name space to tell of changes: in the call, which waits, or as `lpCompletion` says. */
export const WSANSPIoctl = admitting('WSANSPIoctl', SOCKET_ERROR, (...args) => {
  const completion = args[7] ?? null;
  const answer = callAndKeepError(NSP_IOCTL, [
    ...args.slice(0, 7),
    completion,
    recordOf(completion),
    routineOf(completion),
  ]);
  return answer < 0 ? SOCKET_ERROR : answer;
});
/** Lists the name-space providers. @returns how many */
export const WSAEnumNameSpaceProviders = blocking('WSAEnumNameSpaceProviders');
/** The same, with lengths counted in the narrow form. @returns how many */
export const WSAEnumNameSpaceProvidersA = blocking('WSAEnumNameSpaceProvidersA');
/** Lists them with their own data. @returns how many */
export const WSAEnumNameSpaceProvidersEx = blocking('WSAEnumNameSpaceProvidersEx');
/** The same, with lengths counted in the narrow form. @returns how many */
export const WSAEnumNameSpaceProvidersExA = blocking('WSAEnumNameSpaceProvidersExA');
/** Registers a service in the name spaces, takes its addresses back, or deletes it. */
export const WSASetService = blocking('WSASetService');
/** Makes a class of services known. */
export const WSAInstallServiceClass = blocking('WSAInstallServiceClass');
/** Takes a class of services back. */
export const WSARemoveServiceClass = blocking('WSARemoveServiceClass');
/** What a name space knows of a class of services. */
export const WSAGetServiceClassInfo = bounded('WSAGetServiceClassInfo', 2, PACKED_ROOM);
/** The same, with lengths counted in the narrow form. */
export const WSAGetServiceClassInfoA = bounded('WSAGetServiceClassInfoA', 2, PACKED_ROOM);
/** The name of a class of services. */
export const WSAGetServiceClassNameByClassId = blocking('WSAGetServiceClassNameByClassId');
/** gethostbyname with a message. @returns the request's handle */
export const WSAAsyncGetHostByName = blocking('WSAAsyncGetHostByName');
/** gethostbyaddr with a message. @returns the request's handle */
export const WSAAsyncGetHostByAddr = blocking('WSAAsyncGetHostByAddr');
/** getservbyname with a message. @returns the request's handle */
export const WSAAsyncGetServByName = blocking('WSAAsyncGetServByName');
/** getservbyport with a message. @returns the request's handle */
export const WSAAsyncGetServByPort = blocking('WSAAsyncGetServByPort');
/** getprotobyname with a message. @returns the request's handle */
export const WSAAsyncGetProtoByName = blocking('WSAAsyncGetProtoByName');
/** getprotobynumber with a message. @returns the request's handle */
export const WSAAsyncGetProtoByNumber = blocking('WSAAsyncGetProtoByNumber');
/** Cancels such a request: no message comes. */
export const WSACancelAsyncRequest = blocking('WSACancelAsyncRequest');
/** Lists the protocols as Winsock 1.1 did. @returns how many */
export const EnumProtocols = blocking('EnumProtocols');
/** Superseded by WSALookupServiceBegin: WSAEOPNOTSUPP. */
export const GetAddressByName = blocking('GetAddressByName');
/** Superseded by WSAGetServiceClassInfo: WSAEOPNOTSUPP. */
export const GetTypeByName = blocking('GetTypeByName');
/** Superseded by WSAGetServiceClassNameByClassId: WSAEOPNOTSUPP. */
export const GetNameByType = blocking('GetNameByType');
/** Superseded by WSASetService: WSAEOPNOTSUPP. */
export const SetService = blocking('SetService');
/** Superseded by WSALookupServiceBegin: WSAEOPNOTSUPP. */
export const GetService = blocking('GetService');

/** The narrow and wide names of what is the same here: text is text. */
export {
  GetAddrInfoEx as GetAddrInfoExW,
  getaddrinfo as GetAddrInfoA,
  getnameinfo as GetNameInfoA,
  SetAddrInfoEx as SetAddrInfoExA,
  SetAddrInfoEx as SetAddrInfoExW,
  WSAEnumNameSpaceProviders as WSAEnumNameSpaceProvidersW,
  WSAEnumNameSpaceProvidersEx as WSAEnumNameSpaceProvidersExW,
  WSAGetServiceClassInfo as WSAGetServiceClassInfoW,
  WSAGetServiceClassNameByClassId as WSAGetServiceClassNameByClassIdA,
  WSAGetServiceClassNameByClassId as WSAGetServiceClassNameByClassIdW,
  WSAInstallServiceClass as WSAInstallServiceClassA,
  WSAInstallServiceClass as WSAInstallServiceClassW,
  WSALookupServiceBegin as WSALookupServiceBeginA,
  WSALookupServiceBegin as WSALookupServiceBeginW,
  WSALookupServiceNext as WSALookupServiceNextW,
  WSASetService as WSASetServiceA,
  WSASetService as WSASetServiceW,
};
