/**
 * The calls about names of `winsockd/winsock/async`.
 */

import { promised } from './promised.ts';

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

/** This host's name, into `name`; `namelen` counts characters with the closing zero. */
export const gethostname = promised('gethostname');
/** The same in wide characters. */
export const GetHostNameW = promised('GetHostNameW');
/** The IPv4 addresses of a name; of this host for `null` and ''. */
export const gethostbyname = promised('gethostbyname');
/** The names of an address, given as bytes in network order. */
export const gethostbyaddr = promised('gethostbyaddr');
/** The service of a name. */
export const getservbyname = promised('getservbyname');
/** The service at a port, given in network order. */
export const getservbyport = promised('getservbyport');
/** The protocol of a name. */
export const getprotobyname = promised('getprotobyname');
/** The protocol of a number. */
export const getprotobynumber = promised('getprotobynumber');
/** Addresses of a name and a service, in the order in which to try them; `res` gets the list. */
export const getaddrinfo = promised('getaddrinfo');
/** The same in wide characters. */
export const GetAddrInfoW = promised('GetAddrInfoW');
/** Addresses of a name in chosen name spaces, at once or overlapped. */
export const GetAddrInfoEx = promised('GetAddrInfoEx');
/** The narrow form, which cannot be overlapped. */
export const GetAddrInfoExA = promised('GetAddrInfoExA');
/** Cancels an overlapped GetAddrInfoEx. */
export const GetAddrInfoExCancel = promised('GetAddrInfoExCancel');
/** How an overlapped GetAddrInfoEx ended. */
export const GetAddrInfoExOverlappedResult = promised('GetAddrInfoExOverlappedResult');
/** Registers a name with addresses in one name space, or takes it back when there are none. */
export const SetAddrInfoEx = promised('SetAddrInfoEx');
/** The names of a sockaddr's host and service. */
export const getnameinfo = promised('getnameinfo');
/** The same in wide characters. */
export const GetNameInfoW = promised('GetNameInfoW');
/** Takes a question to the name spaces; `lphLookup` gets the lookup's handle. */
export const WSALookupServiceBegin = promised('WSALookupServiceBegin');
/** The next result of a lookup; WSA_E_NO_MORE after the last one. */
export const WSALookupServiceNext = promised('WSALookupServiceNext');
/** The same, with lengths counted in the narrow form. */
export const WSALookupServiceNextA = promised('WSALookupServiceNextA');
/** Ends a lookup. */
export const WSALookupServiceEnd = promised('WSALookupServiceEnd');
/** Asks a name space to tell of changes. */
export const WSANSPIoctl = promised('WSANSPIoctl');
/** Lists the name-space providers. @returns how many */
export const WSAEnumNameSpaceProviders = promised('WSAEnumNameSpaceProviders');
/** The same, with lengths counted in the narrow form. @returns how many */
export const WSAEnumNameSpaceProvidersA = promised('WSAEnumNameSpaceProvidersA');
/** Lists them with their own data. @returns how many */
export const WSAEnumNameSpaceProvidersEx = promised('WSAEnumNameSpaceProvidersEx');
/** The same, with lengths counted in the narrow form. @returns how many */
export const WSAEnumNameSpaceProvidersExA = promised('WSAEnumNameSpaceProvidersExA');
/** Registers a service in the name spaces, takes its addresses back, or deletes it. */
export const WSASetService = promised('WSASetService');
/** Makes a class of services known. */
export const WSAInstallServiceClass = promised('WSAInstallServiceClass');
/** Takes a class of services back. */
export const WSARemoveServiceClass = promised('WSARemoveServiceClass');
/** What a name space knows of a class of services. */
export const WSAGetServiceClassInfo = promised('WSAGetServiceClassInfo');
/** The same, with lengths counted in the narrow form. */
export const WSAGetServiceClassInfoA = promised('WSAGetServiceClassInfoA');
/** The name of a class of services. */
export const WSAGetServiceClassNameByClassId = promised('WSAGetServiceClassNameByClassId');
/** gethostbyname with a message. @returns the request's handle */
export const WSAAsyncGetHostByName = promised('WSAAsyncGetHostByName');
/** gethostbyaddr with a message. @returns the request's handle */
export const WSAAsyncGetHostByAddr = promised('WSAAsyncGetHostByAddr');
/** getservbyname with a message. @returns the request's handle */
export const WSAAsyncGetServByName = promised('WSAAsyncGetServByName');
/** getservbyport with a message. @returns the request's handle */
export const WSAAsyncGetServByPort = promised('WSAAsyncGetServByPort');
/** getprotobyname with a message. @returns the request's handle */
export const WSAAsyncGetProtoByName = promised('WSAAsyncGetProtoByName');
/** getprotobynumber with a message. @returns the request's handle */
export const WSAAsyncGetProtoByNumber = promised('WSAAsyncGetProtoByNumber');
/** Cancels such a request: no message comes. */
export const WSACancelAsyncRequest = promised('WSACancelAsyncRequest');
/** Lists the protocols as Winsock 1.1 did. @returns how many */
export const EnumProtocols = promised('EnumProtocols');
/** Superseded by WSALookupServiceBegin: WSAEOPNOTSUPP. */
export const GetAddressByName = promised('GetAddressByName');
/** Superseded by WSAGetServiceClassInfo: WSAEOPNOTSUPP. */
export const GetTypeByName = promised('GetTypeByName');
/** Superseded by WSAGetServiceClassNameByClassId: WSAEOPNOTSUPP. */
export const GetNameByType = promised('GetNameByType');
/** Superseded by WSASetService: WSAEOPNOTSUPP. */
export const SetService = promised('SetService');
/** Superseded by WSALookupServiceBegin: WSAEOPNOTSUPP. */
export const GetService = promised('GetService');

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
