/**
 * Flags, classes and small numbers of the name functions (ws2tcpip.h, ws2def.h, winsock2.h, svcguid.h, nspapi.h).
 */

import { asNumber } from '../base/index.ts';
import {
  WSA_NOT_ENOUGH_MEMORY,
  WSAEAFNOSUPPORT,
  WSAEINVAL,
  WSAESOCKTNOSUPPORT,
  WSAHOST_NOT_FOUND,
  WSANO_RECOVERY,
  WSATRY_AGAIN,
  WSATYPE_NOT_FOUND,
} from './errors.ts';

/** `ai_flags` of hints (SEM-GAI-08): the addresses are for bind. */
export const AI_PASSIVE = 0x1;
/** The first result has the canonical name. */
export const AI_CANONNAME = 0x2;
/** The name has to be a numeric address. */
export const AI_NUMERICHOST = 0x4;
/** The service has to be a port number. */
export const AI_NUMERICSERV = 0x8;
/** DNS only, no other name space. */
export const AI_DNS_ONLY = 0x10;
/** With AI_V4MAPPED: both families. */
export const AI_ALL = 0x100;
/** Only families of which this host has an address. */
export const AI_ADDRCONFIG = 0x400;
/** IPv4 addresses as v4-mapped ones where there are none of IPv6. */
export const AI_V4MAPPED = 0x800;
/** Answers may be non-authoritative. */
export const AI_NON_AUTHORITATIVE = 0x4000;
/** Names by a secure channel only. */
export const AI_SECURE = 0x8000;
/** What the name space calls the name. */
export const AI_RETURN_PREFERRED_NAMES = 0x1_0000;
/** The full name for a flat one, in `ai_canonname`. */
export const AI_FQDN = 0x2_0000;
/** A hint that the name is a file server. */
export const AI_FILESERVER = 0x4_0000;
/** Names outside ASCII go out as they are. */
export const AI_DISABLE_IDN_ENCODING = 0x8_0000;
/** Asks for the larger structures of Windows 8, which are not offered: a flag that getaddrinfo refuses. */
export const AI_EXTENDED = 0x8000_0000;

/** Flags of getnameinfo (SEM-GAI-09): the first label only. */
export const NI_NOFQDN = 0x1;
/** The address as text, without asking. */
export const NI_NUMERICHOST = 0x2;
/** An address without a name is an error. */
export const NI_NAMEREQD = 0x4;
/** The port as a number. */
export const NI_NUMERICSERV = 0x8;
/** The port is UDP's. */
export const NI_DGRAM = 0x10;
export const NI_MAXHOST = 1025;
export const NI_MAXSERV = 32;
/** Longest text of an address with scope and port, with its closing zero. */
export const INET_ADDRSTRLEN = 22;
export const INET6_ADDRSTRLEN = 65;

/** RFC 3493's names of getaddrinfo's errors. */
export const EAI_AGAIN = WSATRY_AGAIN;
export const EAI_BADFLAGS = WSAEINVAL;
export const EAI_FAIL = WSANO_RECOVERY;
export const EAI_FAMILY = WSAEAFNOSUPPORT;
export const EAI_MEMORY = WSA_NOT_ENOUGH_MEMORY;
export const EAI_NONAME = WSAHOST_NOT_FOUND;
export const EAI_NODATA = EAI_NONAME;
export const EAI_SERVICE = WSATYPE_NOT_FOUND;
export const EAI_SOCKTYPE = WSAESOCKTNOSUPPORT;

/** Name spaces (`dwNameSpace`): every one of them. */
export const NS_ALL = 0;
export const NS_SAP = 1;
export const NS_NDS = 2;
export const NS_PEER_BROWSE = 3;
export const NS_SLP = 5;
export const NS_DHCP = 6;
export const NS_TCPIP_LOCAL = 10;
export const NS_TCPIP_HOSTS = 11;
export const NS_DNS = 12;
export const NS_NETBT = 13;
export const NS_WINS = 14;
export const NS_NLA = 15;
export const NS_BTH = 16;
export const NS_NBP = 20;
export const NS_MS = 30;
export const NS_STDA = 31;
export const NS_NTDS = 32;
export const NS_EMAIL = 37;
export const NS_PNRPNAME = 38;
export const NS_PNRPCLOUD = 39;
export const NS_X500 = 40;
export const NS_NIS = 41;
export const NS_NISPLUS = 42;
export const NS_WRQ = 50;
export const NS_NETDES = 60;

/** Control flags of lookups (NSP-RULE-04). */
export const LUP_DEEP = 0x1;
export const LUP_CONTAINERS = 0x2;
export const LUP_NOCONTAINERS = 0x4;
export const LUP_NEAREST = 0x8;
export const LUP_RETURN_NAME = 0x10;
export const LUP_RETURN_TYPE = 0x20;
export const LUP_RETURN_VERSION = 0x40;
export const LUP_RETURN_COMMENT = 0x80;
export const LUP_RETURN_ADDR = 0x100;
export const LUP_RETURN_BLOB = 0x200;
export const LUP_RETURN_ALIASES = 0x400;
export const LUP_RETURN_QUERY_STRING = 0x800;
export const LUP_RETURN_ALL = 0xff0;
/** Past what is cached. */
export const LUP_FLUSHCACHE = 0x1000;
/** The record that did not fit last time is skipped (NSP-RULE-05). */
export const LUP_FLUSHPREVIOUS = 0x2000;
export const LUP_NON_AUTHORITATIVE = 0x4000;
export const LUP_SECURE = 0x8000;
export const LUP_RES_SERVICE = 0x8000;
export const LUP_RETURN_PREFERRED_NAMES = 0x1_0000;
export const LUP_DNS_ONLY = 0x2_0000;
export const LUP_ADDRCONFIG = 0x10_0000;
/** Both families, IPv4 as v4-mapped. */
export const LUP_DUAL_ADDR = 0x20_0000;
export const LUP_FILESERVER = 0x40_0000;
export const LUP_DISABLE_IDN_ENCODING = 0x80_0000;
export const LUP_API_ANSI = 0x100_0000;
export const LUP_RESOLUTION_HANDLE = 0x8000_0000;

/** `dwOutputFlags` of a result (NSP-RULE-06). */
export const RESULT_IS_ALIAS = 0x1;
export const RESULT_IS_ADDED = 0x10;
export const RESULT_IS_CHANGED = 0x20;
export const RESULT_IS_DELETED = 0x40;

/** What WSASetService is to do (NSP-REG-01). */
export const RNRSERVICE_REGISTER = 0;
export const RNRSERVICE_DEREGISTER = 1;
export const RNRSERVICE_DELETE = 2;
/** Only the addresses that are given. */
export const SERVICE_MULTIPLE = 0x1;

/** How a WSAVERSION is compared. */
export const COMP_EQUAL = 0;
export const COMP_NOTLESS = 1;

/** How WSANSPIoctl tells of a change. */
export const NSP_NOTIFY_IMMEDIATELY = 0;
export const NSP_NOTIFY_HWND = 1;
export const NSP_NOTIFY_EVENT = 2;
export const NSP_NOTIFY_PORT = 3;
export const NSP_NOTIFY_APC = 4;

/** Parameters of service classes. */
export const SERVICE_TYPE_VALUE_SAPID = 'SapId';
export const SERVICE_TYPE_VALUE_TCPPORT = 'TcpPort';
export const SERVICE_TYPE_VALUE_UDPPORT = 'UdpPort';
export const SERVICE_TYPE_VALUE_IPXPORT = 'IpxSocket';
export const SERVICE_TYPE_VALUE_OBJECTID = 'ObjectId';

/** The classes of the queries that ws2_32 itself makes (NSP-RULE-09). */
export const SVCID_HOSTNAME = '0002A800-0000-0000-C000-000000000046';
export const SVCID_INET_HOSTADDRBYINETSTRING = '0002A801-0000-0000-C000-000000000046';
export const SVCID_INET_SERVICEBYNAME = '0002A802-0000-0000-C000-000000000046';
export const SVCID_INET_HOSTADDRBYNAME = '0002A803-0000-0000-C000-000000000046';
/** Networks, of NS_NLA. */
export const NLA_SERVICE_CLASS_GUID = '0037E515-B5C9-4A43-BADA-8B48A87AD239';

const SVCID_TAIL = '0000-C000-000000000046';

/** The class of the service at a TCP port; `rrType` asks for DNS records of that type (0: addresses). */
export function SVCID_TCP(port: number, rrType = 0): string {
  return `0009${hex4(port)}-${hex4(rrType)}-${SVCID_TAIL}`;
}

/** The class of the service at a UDP port. */
export function SVCID_UDP(port: number, rrType = 0): string {
  return `000A${hex4(port)}-${hex4(rrType)}-${SVCID_TAIL}`;
}

/** The class of a NetWare service type. */
export function SVCID_NETWARE(sapId: number): string {
  return `000B${hex4(sapId)}-0000-${SVCID_TAIL}`;
}

/** What {@link SVCID_TCP} and {@link SVCID_UDP} made of; `null` for any other class. */
export function portOfServiceClass(
  guid: string,
): { readonly protocol: 'tcp' | 'udp'; readonly port: number; readonly rrType: number } | null {
  const parts = /^000([9A])([0-9A-F]{4})-([0-9A-F]{4})-0000-C000-000000000046$/i.exec(guid);
  if (parts === null) return null;
  const [, kind = '', port = '', rrType = ''] = parts;
  return {
    protocol: kind === '9' ? 'tcp' : 'udp',
    port: Number.parseInt(port, 16),
    rrType: Number.parseInt(rrType, 16),
  };
}

function hex4(value: number): string {
  return (value & 0xffff).toString(16).toUpperCase().padStart(4, '0');
}

/** A buffer that any result of WSAAsyncGetXByY fits into. */
export const MAXGETHOSTSTRUCT = 1024;

/** `lParam` of the message that ends a WSAAsyncGetXByY (SEM-ASYNC-01). */
export function WSAMAKEASYNCREPLY(buflen: number, error: number): number {
  return ((asNumber(error) & 0xffff) << 16) | (asNumber(buflen) & 0xffff);
}

/** The bytes that the result needs, of such an `lParam`. */
export function WSAGETASYNCBUFLEN(lParam: number): number {
  return asNumber(lParam) & 0xffff;
}

/** The WSA code of such an `lParam`; 0 for success. */
export function WSAGETASYNCERROR(lParam: number): number {
  return (asNumber(lParam) >>> 16) & 0xffff;
}

/** `Internal` of a record whose request is under way. */
export const WSS_OPERATION_IN_PROGRESS = 0x103;
