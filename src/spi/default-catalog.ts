/**
 * The catalog that a fresh installation has: the base provider's entries, as Windows' MSAFD lists them (CAT-TCP4, CAT-UDP4,
 * CAT-RAW4).
 */

import {
  AF_INET,
  AF_INET6,
  BASE_PROTOCOL,
  BIGENDIAN,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  PFL_HIDDEN,
  PFL_MATCHES_PROTOCOL_ZERO,
  SECURITY_PROTOCOL_NONE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOCKADDR_IN_LEN,
  SOCKADDR_IN6_LEN,
  type WSAPROTOCOL_INFO,
  XP1_CONNECTIONLESS,
  XP1_EXPEDITED_DATA,
  XP1_GRACEFUL_CLOSE,
  XP1_GUARANTEED_DELIVERY,
  XP1_GUARANTEED_ORDER,
  XP1_IFS_HANDLES,
  XP1_MESSAGE_ORIENTED,
  XP1_SUPPORT_BROADCAST,
  XP1_SUPPORT_MULTIPOINT,
} from '../abi/index.ts';

/** The GUID of the base provider's TCP/IP entries. */
export const BASE_PROVIDER_ID = 'E70F1AA0-AB8B-11CF-8CA3-00805F48A192';
/** And of its TCP/IPv6 entries. */
export const BASE_PROVIDER_ID_V6 = 'F9EAB0C0-26D4-11D0-BBBF-00AA006C34E4';

/** And of all its entries on Windows Mobile; this project's own, for none is published. */
export const WSPM_PROVIDER_ID = 'B4A2D6C1-93E7-4F0B-A5C8-2D7E61F09B34';

/** Whether a provider is the base provider, under any of its names. */
export function isBaseProvider(providerId: string): boolean {
  return (
    providerId === BASE_PROVIDER_ID || providerId === BASE_PROVIDER_ID_V6 || providerId === WSPM_PROVIDER_ID
  );
}

/** The id of the first entry of a catalog; the others follow in the order of installation. */
export const FIRST_CATALOG_ENTRY_ID = 1001;

/** Largest message of a datagram entry: 65535 bytes less the largest headers, as Windows states it. */
const DATAGRAM_MESSAGE_SIZE = 0xffbb;
const RAW_MESSAGE_SIZE = 0x8000;

const STREAM_SERVICE =
  XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA | XP1_IFS_HANDLES;
const DATAGRAM_SERVICE =
  XP1_CONNECTIONLESS |
  XP1_MESSAGE_ORIENTED |
  XP1_SUPPORT_BROADCAST |
  XP1_SUPPORT_MULTIPOINT |
  XP1_IFS_HANDLES;

/** What is the same in all base entries. */
const BASE = {
  dwServiceFlags2: 0,
  dwServiceFlags3: 0,
  dwServiceFlags4: 0,
  ChainLen: BASE_PROTOCOL,
  ChainEntries: [],
  iVersion: 2,
  iProtocolMaxOffset: 0,
  iNetworkByteOrder: BIGENDIAN,
  iSecurityScheme: SECURITY_PROTOCOL_NONE,
  dwProviderReserved: 0,
  dwProviderFlags: PFL_MATCHES_PROTOCOL_ZERO,
} as const;

const IPV4 = {
  ...BASE,
  ProviderId: BASE_PROVIDER_ID,
  iAddressFamily: AF_INET,
  iMaxSockAddr: SOCKADDR_IN_LEN,
  iMinSockAddr: SOCKADDR_IN_LEN,
} as const;

const IPV6 = {
  ...BASE,
  ProviderId: BASE_PROVIDER_ID_V6,
  iAddressFamily: AF_INET6,
  iMaxSockAddr: SOCKADDR_IN6_LEN,
  iMinSockAddr: SOCKADDR_IN6_LEN,
} as const;

/** The default entries in their order. */
export const DEFAULT_CATALOG: readonly WSAPROTOCOL_INFO[] = [
  {
    ...IPV4,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID,
    dwServiceFlags1: STREAM_SERVICE,
    iSocketType: SOCK_STREAM,
    iProtocol: IPPROTO_TCP,
    dwMessageSize: 0,
    szProtocol: 'MSAFD Tcpip [TCP/IP]',
  },
  {
    ...IPV4,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + 1,
    dwServiceFlags1: DATAGRAM_SERVICE,
    iSocketType: SOCK_DGRAM,
    iProtocol: IPPROTO_UDP,
    dwMessageSize: DATAGRAM_MESSAGE_SIZE,
    szProtocol: 'MSAFD Tcpip [UDP/IP]',
  },
  {
    ...IPV4,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + 2,
    dwServiceFlags1: DATAGRAM_SERVICE,
    dwProviderFlags: PFL_HIDDEN | PFL_MATCHES_PROTOCOL_ZERO,
    iSocketType: SOCK_RAW,
    iProtocol: IPPROTO_IP,
    iProtocolMaxOffset: 255,
    dwMessageSize: RAW_MESSAGE_SIZE,
    szProtocol: 'MSAFD Tcpip [RAW/IP]',
  },
  {
    ...IPV6,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + 3,
    dwServiceFlags1: STREAM_SERVICE,
    iSocketType: SOCK_STREAM,
    iProtocol: IPPROTO_TCP,
    dwMessageSize: 0,
    szProtocol: 'MSAFD Tcpip [TCP/IPv6]',
  },
  {
    ...IPV6,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + 4,
    dwServiceFlags1: DATAGRAM_SERVICE,
    iSocketType: SOCK_DGRAM,
    iProtocol: IPPROTO_UDP,
    dwMessageSize: DATAGRAM_MESSAGE_SIZE,
    szProtocol: 'MSAFD Tcpip [UDP/IPv6]',
  },
  {
    ...IPV6,
    dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + 5,
    dwServiceFlags1: DATAGRAM_SERVICE,
    dwProviderFlags: PFL_HIDDEN | PFL_MATCHES_PROTOCOL_ZERO,
    iSocketType: SOCK_RAW,
    iProtocol: IPPROTO_IP,
    iProtocolMaxOffset: 255,
    dwMessageSize: RAW_MESSAGE_SIZE,
    szProtocol: 'MSAFD Tcpip [RAW/IPv6]',
  },
];
