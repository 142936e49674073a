/**
 * Control codes of WSAIoctl and ioctlsocket, and the layout they are made by (winsock2.h, mswsock.h, mstcpip.h).
 *
 * Codes are unsigned numbers, as Microsoft prints them; where one travels in 32 signed bits, compare with `>>> 0`.
 *
 *     31   30    29    28 27   26 … 16              15 … 0
 *     IN   OUT   VOID  type    vendor or family     code        (type 0, Unix: 26 … 16 are the parameter's size)
 */

import { asNumber } from '../base/index.ts';
/** The caller gives a parameter. */
export const IOC_IN = 0x8000_0000;
/** The caller takes a result. */
export const IOC_OUT = 0x4000_0000;
/** No parameter at all. */
export const IOC_VOID = 0x2000_0000;
export const IOC_INOUT = 0xc000_0000;
/** The four types of codes. */
export const IOC_UNIX = 0;
export const IOC_WS2 = 0x0800_0000;
export const IOC_PROTOCOL = 0x1000_0000;
export const IOC_VENDOR = 0x1800_0000;

/** A code without a parameter, of `type` (IOC_UNIX … IOC_VENDOR). */
export function _WSAIO(type: number, code: number): number {
  return (IOC_VOID | asNumber(type) | asNumber(code)) >>> 0;
}

/** A code with a result. */
export function _WSAIOR(type: number, code: number): number {
  return (IOC_OUT | asNumber(type) | asNumber(code)) >>> 0;
}

/** A code with a parameter. */
export function _WSAIOW(type: number, code: number): number {
  return (IOC_IN | asNumber(type) | asNumber(code)) >>> 0;
}

/** A code with a parameter and a result. */
export function _WSAIORW(type: number, code: number): number {
  return (IOC_INOUT | asNumber(type) | asNumber(code)) >>> 0;
}

/** Bytes that wait to be read; a datagram socket answers all of them. */
export const FIONREAD = 0x4004_667f;
/** Non-blocking mode on or off. */
export const FIONBIO = 0x8004_667e;
export const FIOASYNC = 0x8004_667d;
/** Whether no urgent byte waits (SEM-OOB-06). */
export const SIOCATMARK = 0x4004_7307;
export const SIOCSHIWAT = 0x8004_7300;
export const SIOCGHIWAT = 0x4004_7301;
export const SIOCSLOWAT = 0x8004_7302;
export const SIOCGLOWAT = 0x4004_7303;

export const SIO_ASSOCIATE_HANDLE = _WSAIOW(IOC_WS2, 1);
export const SIO_ENABLE_CIRCULAR_QUEUEING = _WSAIO(IOC_WS2, 2);
export const SIO_FIND_ROUTE = _WSAIOR(IOC_WS2, 3);
export const SIO_FLUSH = _WSAIO(IOC_WS2, 4);
export const SIO_GET_BROADCAST_ADDRESS = _WSAIOR(IOC_WS2, 5);
export const SIO_GET_EXTENSION_FUNCTION_POINTER = _WSAIORW(IOC_WS2, 6);
export const SIO_GET_QOS = _WSAIORW(IOC_WS2, 7);
export const SIO_GET_GROUP_QOS = _WSAIORW(IOC_WS2, 8);
export const SIO_MULTIPOINT_LOOPBACK = _WSAIOW(IOC_WS2, 9);
export const SIO_MULTICAST_SCOPE = _WSAIOW(IOC_WS2, 10);
export const SIO_SET_QOS = _WSAIOW(IOC_WS2, 11);
export const SIO_SET_GROUP_QOS = _WSAIOW(IOC_WS2, 12);
export const SIO_TRANSLATE_HANDLE = _WSAIORW(IOC_WS2, 13);
export const SIO_ROUTING_INTERFACE_QUERY = _WSAIORW(IOC_WS2, 20);
export const SIO_ROUTING_INTERFACE_CHANGE = _WSAIOW(IOC_WS2, 21);
export const SIO_ADDRESS_LIST_QUERY = _WSAIOR(IOC_WS2, 22);
export const SIO_ADDRESS_LIST_CHANGE = _WSAIO(IOC_WS2, 23);
export const SIO_QUERY_TARGET_PNP_HANDLE = _WSAIOR(IOC_WS2, 24);
export const SIO_ADDRESS_LIST_SORT = _WSAIORW(IOC_WS2, 25);
export const SIO_NSP_NOTIFY_CHANGE = _WSAIOW(IOC_WS2, 25);
export const SIO_RESERVED_1 = _WSAIOW(IOC_WS2, 26);
export const SIO_RESERVED_2 = _WSAIOW(IOC_WS2, 33);
export const SIO_BSP_HANDLE = _WSAIOR(IOC_WS2, 27);
export const SIO_BSP_HANDLE_SELECT = _WSAIOR(IOC_WS2, 28);
export const SIO_BSP_HANDLE_POLL = _WSAIOR(IOC_WS2, 29);
export const SIO_EXT_SELECT = _WSAIORW(IOC_WS2, 30);
export const SIO_EXT_POLL = _WSAIORW(IOC_WS2, 31);
export const SIO_EXT_SENDMSG = _WSAIORW(IOC_WS2, 32);
export const SIO_BASE_HANDLE = _WSAIOR(IOC_WS2, 34);
export const SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER = _WSAIORW(IOC_WS2, 36);
export const SIO_QUERY_RSS_PROCESSOR_INFO = _WSAIOR(IOC_WS2, 37);

/** Values of SIO_RCVALL and its kin (RCVALL_VALUE). */
export const RCVALL_OFF = 0;
export const RCVALL_ON = 1;
export const RCVALL_SOCKETLEVELONLY = 2;
export const RCVALL_IPLEVEL = 3;
export const SIO_RCVALL = _WSAIOW(IOC_VENDOR, 1);
export const SIO_RCVALL_MCAST = _WSAIOW(IOC_VENDOR, 2);
export const SIO_RCVALL_IGMPMCAST = _WSAIOW(IOC_VENDOR, 3);
/** Parameter: tcp_keepalive. */
export const SIO_KEEPALIVE_VALS = _WSAIOW(IOC_VENDOR, 4);
export const SIO_ABSORB_RTRALERT = _WSAIOW(IOC_VENDOR, 5);
export const SIO_UCAST_IF = _WSAIOW(IOC_VENDOR, 6);
export const SIO_LIMIT_BROADCASTS = _WSAIOW(IOC_VENDOR, 7);
export const SIO_INDEX_BIND = _WSAIOW(IOC_VENDOR, 8);
export const SIO_INDEX_MCASTIF = _WSAIOW(IOC_VENDOR, 9);
export const SIO_INDEX_ADD_MCAST = _WSAIOW(IOC_VENDOR, 10);
export const SIO_INDEX_DEL_MCAST = _WSAIOW(IOC_VENDOR, 11);
/** Whether ICMP port-unreachable fails the next receive (SEM-IO-12). */
export const SIO_UDP_CONNRESET = _WSAIOW(IOC_VENDOR, 12);
/** In Windows XP; its number is {@link SIO_RCVALL_MCAST_IF}'s since. */
export const SIO_SOCKET_CLOSE_NOTIFY = _WSAIOW(IOC_VENDOR, 13);
/** As SIO_RCVALL_MCAST and SIO_RCVALL; parameter: RCVALL_IF {mode, interface index}. */
export const SIO_RCVALL_MCAST_IF = _WSAIOW(IOC_VENDOR, 13);
export const SIO_RCVALL_IF = _WSAIOW(IOC_VENDOR, 14);
/** Whether an expired TTL fails the next receive (SEM-IO-13). */
export const SIO_UDP_NETRESET = _WSAIOW(IOC_VENDOR, 15);
export const SIO_LOOPBACK_FAST_PATH = _WSAIOW(IOC_VENDOR, 16);
/** Parameter: {USHORT ms, UCHAR retransmissions}; 0: the default, -1: as it is, -2: no retransmissions. */
export const SIO_TCP_INITIAL_RTO = _WSAIOW(IOC_VENDOR, 17);
export const SIO_APPLY_TRANSPORT_SETTING = _WSAIOW(IOC_VENDOR, 19);
export const SIO_QUERY_TRANSPORT_SETTING = _WSAIOW(IOC_VENDOR, 20);
/** Parameter: the number of a processor, a USHORT. */
export const SIO_CPU_AFFINITY = _WSAIOW(IOC_VENDOR, 21);
/** Parameter: a TCP_ICW_LEVEL. */
export const SIO_TCP_SET_ICW = _WSAIOW(IOC_VENDOR, 22);
export const TCP_ICW_LEVEL_DEFAULT = 0;
export const TCP_ICW_LEVEL_HIGH = 1;
export const TCP_ICW_LEVEL_VERY_HIGH = 2;
export const TCP_ICW_LEVEL_AGGRESSIVE = 3;
export const TCP_ICW_LEVEL_EXPERIMENTAL = 4;
export const TCP_ICW_LEVEL_COMPAT = 254;
/** Parameter: a UCHAR, after how many segments an ACK is sent. */
export const SIO_TCP_SET_ACK_FREQUENCY = _WSAIOW(IOC_VENDOR, 23);
/** Parameter: a PRIORITY_HINT. */
export const SIO_SET_PRIORITY_HINT = _WSAIOW(IOC_VENDOR, 24);
export const SocketPriorityHintVeryLow = 0;
export const SocketPriorityHintLow = 1;
export const SocketPriorityHintNormal = 2;
/** Parameter: the version wanted; result: TCP_INFO_v0 or _v1. */
export const SIO_TCP_INFO = _WSAIORW(IOC_VENDOR, 39);
/** Parameter: a range {StartPort, NumberOfPorts}, in network order; result: an instance {range, padding, token}. */
export const SIO_ACQUIRE_PORT_RESERVATION = _WSAIOW(IOC_VENDOR, 100);
/** Parameter: the token. */
export const SIO_RELEASE_PORT_RESERVATION = _WSAIOW(IOC_VENDOR, 101);
export const SIO_ASSOCIATE_PORT_RESERVATION = _WSAIOW(IOC_VENDOR, 102);
export const SIO_SET_SECURITY = _WSAIOW(IOC_VENDOR, 200);
export const SIO_QUERY_SECURITY = _WSAIORW(IOC_VENDOR, 201);
export const SIO_SET_PEER_TARGET_NAME = _WSAIOW(IOC_VENDOR, 202);
export const SIO_DELETE_PEER_TARGET_NAME = _WSAIOW(IOC_VENDOR, 203);
export const SIO_SOCKET_USAGE_NOTIFICATION = _WSAIOW(IOC_VENDOR, 204);
export const SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE = _WSAIOR(IOC_VENDOR, 205);
export const SIO_QUERY_RSS_SCALABILITY_INFO = _WSAIOR(IOC_VENDOR, 210);
export const SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS = _WSAIOW(IOC_VENDOR, 220);
export const SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT = _WSAIOW(IOC_VENDOR, 221);
export const SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS = _WSAIOW(IOC_VENDOR, 222);
/** Parameter: the UINT32 that the message was sent with; result: its time, a UINT64. */
export const SIO_GET_TX_TIMESTAMP = _WSAIOW(IOC_VENDOR, 234);
/** Parameter: TIMESTAMPING_CONFIG {ULONG flags, USHORT how many times of sending are kept}. */
export const SIO_TIMESTAMPING = _WSAIOW(IOC_VENDOR, 235);
export const TIMESTAMPING_FLAG_RX = 1;
export const TIMESTAMPING_FLAG_TX = 2;
export const TIMESTAMPING_CONFIG_LEN = 8;
/** Parameter: WSA_COMPATIBILITY_MODE {behaviour, version of Windows}. */
export const SIO_SET_COMPATIBILITY_MODE = _WSAIOW(IOC_VENDOR, 300);
export const SIO_GET_INTERFACE_LIST = 0x4004_747f;
export const SIO_GET_INTERFACE_LIST_EX = 0x4004_747e;
/** On a socket of AF_IRDA. */
export const SIO_LAZY_DISCOVERY = 0x4004_747f;
/** Parameter, and result of the second: ip_msfilter. */
export const SIO_SET_MULTICAST_FILTER = 0x8004_747d;
export const SIO_GET_MULTICAST_FILTER = 0x8004_747c;
/** The same with a group_filter. */
export const SIOCSMSFILTER = 0x8004_747e;
export const SIOCGMSFILTER = 0x8004_747f;
export const SIO_IDEAL_SEND_BACKLOG_QUERY = 0x4004_747b;
export const SIO_IDEAL_SEND_BACKLOG_CHANGE = 0x2000_747a;
