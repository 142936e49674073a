/**
 * Socket options: levels, numbers, and how their values are laid out and checked (ws2def.h, ws2ipdef.h, mstcpip.h).
 */

import { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP } from './families.ts';
import {
  GROUP_REQ_LEN,
  GROUP_SOURCE_REQ_LEN,
  IP_MREQ_LEN,
  IP_MREQ_SOURCE_LEN,
  IPV6_MREQ_LEN,
} from './multicast-structures.ts';

/** Level of the options that every socket has. */
export const SOL_SOCKET = 0xffff;

export const SO_DEBUG = 0x1;
export const SO_ACCEPTCONN = 0x2;
export const SO_REUSEADDR = 0x4;
export const SO_KEEPALIVE = 0x8;
export const SO_DONTROUTE = 0x10;
export const SO_BROADCAST = 0x20;
export const SO_USELOOPBACK = 0x40;
export const SO_LINGER = 0x80;
export const SO_OOBINLINE = 0x100;
/** The complement of SO_LINGER's number. */
export const SO_DONTLINGER = ~SO_LINGER;
/** The complement of SO_REUSEADDR's number. */
export const SO_EXCLUSIVEADDRUSE = ~SO_REUSEADDR;
export const SO_SNDBUF = 0x1001;
export const SO_RCVBUF = 0x1002;
export const SO_SNDLOWAT = 0x1003;
export const SO_RCVLOWAT = 0x1004;
/** Milliseconds, not a timeval. */
export const SO_SNDTIMEO = 0x1005;
/** Milliseconds, not a timeval. */
export const SO_RCVTIMEO = 0x1006;
export const SO_ERROR = 0x1007;
export const SO_TYPE = 0x1008;
export const SO_BSP_STATE = 0x1009;
export const SO_GROUP_ID = 0x2001;
export const SO_GROUP_PRIORITY = 0x2002;
export const SO_MAX_MSG_SIZE = 0x2003;
export const SO_PROTOCOL_INFOA = 0x2004;
export const SO_PROTOCOL_INFOW = 0x2005;
export const PVD_CONFIG = 0x3001;
export const SO_CONDITIONAL_ACCEPT = 0x3002;
export const SO_PAUSE_ACCEPT = 0x3003;
export const SO_COMPARTMENT_ID = 0x3004;
export const SO_RANDOMIZE_PORT = 0x3005;
export const SO_PORT_SCALABILITY = 0x3006;
export const SO_REUSE_UNICASTPORT = 0x3007;
export const SO_REUSE_MULTICASTPORT = 0x3008;
export const SO_CONNDATA = 0x7000;
export const SO_CONNOPT = 0x7001;
export const SO_DISCDATA = 0x7002;
export const SO_DISCOPT = 0x7003;
export const SO_CONNDATALEN = 0x7004;
export const SO_CONNOPTLEN = 0x7005;
export const SO_DISCDATALEN = 0x7006;
export const SO_DISCOPTLEN = 0x7007;
export const SO_OPENTYPE = 0x7008;
export const SO_MAXDG = 0x7009;
export const SO_MAXPATHDG = 0x700a;
export const SO_UPDATE_ACCEPT_CONTEXT = 0x700b;
export const SO_CONNECT_TIME = 0x700c;
export const SO_UPDATE_CONNECT_CONTEXT = 0x7010;
/** Values of SO_OPENTYPE: later sockets of the thread are not overlapped. */
export const SO_SYNCHRONOUS_ALERT = 0x10;
export const SO_SYNCHRONOUS_NONALERT = 0x20;

/** Level IPPROTO_IP. */
export const IP_OPTIONS = 1;
export const IP_HDRINCL = 2;
export const IP_TOS = 3;
export const IP_TTL = 4;
export const IP_MULTICAST_IF = 9;
export const IP_MULTICAST_TTL = 10;
export const IP_MULTICAST_LOOP = 11;
export const IP_ADD_MEMBERSHIP = 12;
export const IP_DROP_MEMBERSHIP = 13;
export const IP_DONTFRAGMENT = 14;
export const IP_ADD_SOURCE_MEMBERSHIP = 15;
export const IP_DROP_SOURCE_MEMBERSHIP = 16;
export const IP_BLOCK_SOURCE = 17;
export const IP_UNBLOCK_SOURCE = 18;
export const IP_PKTINFO = 19;
export const IP_RECVTTL = 21;
export const IP_RECEIVE_BROADCAST = 22;
export const IP_RECVIF = 24;
export const IP_RECVDSTADDR = 25;
export const IP_UNICAST_IF = 31;
export const IP_RECVTOS = 40;
/** These six at level IPPROTO_IPV6 too. */
export const MCAST_JOIN_GROUP = 41;
export const MCAST_LEAVE_GROUP = 42;
export const MCAST_BLOCK_SOURCE = 43;
export const MCAST_UNBLOCK_SOURCE = 44;
export const MCAST_JOIN_SOURCE_GROUP = 45;
export const MCAST_LEAVE_SOURCE_GROUP = 46;
export const IP_RECVECN = 50;
/** Numbers of control messages: the same as the options that ask for them. */
export const IP_HOPLIMIT = IP_RECVTTL;
export const IP_ECN = IP_RECVECN;
export const IP_MTU_DISCOVER = 71;
export const IP_MTU = 73;
export const IP_USER_MTU = 76;
/** Values of IP_MTU_DISCOVER (PMTUD_STATE). */
export const IP_PMTUDISC_NOT_SET = 0;
export const IP_PMTUDISC_DO = 1;
export const IP_PMTUDISC_DONT = 2;
export const IP_PMTUDISC_PROBE = 3;
/** IP_USER_MTU: no bound. */
export const IP_UNSPECIFIED_USER_MTU = 0xffff_ffff;

/** Level IPPROTO_IPV6. */
export const IPV6_UNICAST_HOPS = 4;
export const IPV6_MULTICAST_IF = 9;
export const IPV6_MULTICAST_HOPS = 10;
export const IPV6_MULTICAST_LOOP = 11;
export const IPV6_ADD_MEMBERSHIP = 12;
export const IPV6_JOIN_GROUP = 12;
export const IPV6_DROP_MEMBERSHIP = 13;
export const IPV6_LEAVE_GROUP = 13;
export const IPV6_DONTFRAG = 14;
export const IPV6_V6ONLY = 27;
export const IPV6_USER_MTU = 76;
export const IPV6_MTU = 72;
export const IPV6_MTU_DISCOVER = 71;

/** Level IPPROTO_TCP. */
export const TCP_NODELAY = 1;
export const TCP_EXPEDITED_1122 = 2;
/** Seconds. The same option as {@link TCP_KEEPIDLE}. */
export const TCP_KEEPALIVE = 3;
export const TCP_KEEPIDLE = 3;
export const TCP_MAXSEG = 4;
/** Seconds; -1 = never give up. */
export const TCP_MAXRT = 5;
export const TCP_STDURG = 6;
export const TCP_NOURG = 7;
export const TCP_ATMARK = 8;
export const TCP_NOSYNRETRIES = 9;
export const TCP_TIMESTAMPS = 10;
export const TCP_OFFLOAD_PREFERENCE = 11;
export const TCP_CONGESTION_ALGORITHM = 12;
export const TCP_DELAY_FIN_ACK = 13;
export const TCP_MAXRTMS = 14;
export const TCP_FASTOPEN = 15;
export const TCP_KEEPCNT = 16;
/** Seconds. */
export const TCP_KEEPINTVL = 17;
export const TCP_FAIL_CONNECT_ON_ICMP_ERROR = 18;
export const TCP_ICMP_ERROR_INFO = 19;
export const TCP_BSDURGENT = 0x7000;

/** Level IPPROTO_UDP. */
export const UDP_NOCHECKSUM = 1;
export const UDP_SEND_MSG_SIZE = 2;
export const UDP_RECV_MAX_COALESCED_SIZE = 3;
export const UDP_CHECKSUM_COVERAGE = 20;

/**
 * Which lengths an option's value may have (SEM-OPT-03 … SEM-OPT-10):
 * - `any`: class B, set takes 1 byte or more, get answers 1 byte into 1 … 3 and 4 into 4 or more;
 * - `byte`: class 1, as `any`, but get always answers 1 byte;
 * - `whole`: class 4, nothing below `length`; a short get leaves the caller's length;
 * - `structure`: nothing below `length`; a short get answers the length that is needed;
 * - `none`: the value is not looked at.
 */
export type OptionLengthRule = 'any' | 'byte' | 'whole' | 'structure' | 'none';

/** What an option's bytes mean. */
export type OptionType = 'boolean' | 'int' | 'dword' | 'linger' | 'structure' | 'handle';

/** How one option is called and laid out. */
export interface OptionLayout {
  readonly level: number;
  readonly option: number;
  /** Microsoft's name. */
  readonly name: string;
  readonly type: OptionType;
  /** Bytes of the whole value. */
  readonly length: number;
  readonly lengthRule: OptionLengthRule;
}

/** The layout of an option, or `null` when this table has none. */
export function optionLayout(level: number, option: number): OptionLayout | null {
  return byNumber.get(optionKey(level, option)) ?? null;
}

/** `SO_REUSEADDR` and the like, for traces; a number when the option has no layout here. */
export function optionName(level: number, option: number): string {
  return optionLayout(level, option)?.name ?? `option ${option} of level ${level}`;
}

/** One number for level and option; options fit 16 signed bits. */
function optionKey(level: number, option: number): number {
  return level * 0x2_0000 + option;
}

function layout(
  level: number,
  option: number,
  name: string,
  type: OptionType,
  lengthRule: OptionLengthRule,
  length = 4,
): OptionLayout {
  return { level, option, name, type, length, lengthRule };
}

/** The options whose values winsockd reads or writes. */
export const OPTION_LAYOUTS: readonly OptionLayout[] = [
  layout(SOL_SOCKET, SO_DEBUG, 'SO_DEBUG', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_ACCEPTCONN, 'SO_ACCEPTCONN', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_REUSEADDR, 'SO_REUSEADDR', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 'SO_EXCLUSIVEADDRUSE', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_KEEPALIVE, 'SO_KEEPALIVE', 'boolean', 'byte'),
  layout(SOL_SOCKET, SO_DONTROUTE, 'SO_DONTROUTE', 'boolean', 'byte'),
  layout(SOL_SOCKET, SO_BROADCAST, 'SO_BROADCAST', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_LINGER, 'SO_LINGER', 'linger', 'whole'),
  layout(SOL_SOCKET, SO_DONTLINGER, 'SO_DONTLINGER', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_OOBINLINE, 'SO_OOBINLINE', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_SNDBUF, 'SO_SNDBUF', 'int', 'whole'),
  layout(SOL_SOCKET, SO_RCVBUF, 'SO_RCVBUF', 'int', 'whole'),
  layout(SOL_SOCKET, SO_SNDTIMEO, 'SO_SNDTIMEO', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_RCVTIMEO, 'SO_RCVTIMEO', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_ERROR, 'SO_ERROR', 'int', 'whole'),
  layout(SOL_SOCKET, SO_TYPE, 'SO_TYPE', 'int', 'whole'),
  layout(SOL_SOCKET, SO_BSP_STATE, 'SO_BSP_STATE', 'structure', 'structure', 40),
  layout(SOL_SOCKET, SO_MAX_MSG_SIZE, 'SO_MAX_MSG_SIZE', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_MAXDG, 'SO_MAXDG', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_MAXPATHDG, 'SO_MAXPATHDG', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_PROTOCOL_INFOA, 'SO_PROTOCOL_INFOA', 'structure', 'structure', 372),
  layout(SOL_SOCKET, SO_PROTOCOL_INFOW, 'SO_PROTOCOL_INFOW', 'structure', 'structure', 628),
  layout(SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 'SO_CONDITIONAL_ACCEPT', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_PAUSE_ACCEPT, 'SO_PAUSE_ACCEPT', 'boolean', 'any'),
  layout(SOL_SOCKET, SO_OPENTYPE, 'SO_OPENTYPE', 'dword', 'whole'),
  layout(SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, 'SO_UPDATE_ACCEPT_CONTEXT', 'handle', 'none'),
  layout(SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, 'SO_UPDATE_CONNECT_CONTEXT', 'handle', 'none'),
  layout(SOL_SOCKET, SO_CONNECT_TIME, 'SO_CONNECT_TIME', 'dword', 'whole'),
  layout(IPPROTO_IP, IP_PKTINFO, 'IP_PKTINFO', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_RECVTTL, 'IP_RECVTTL', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_RECEIVE_BROADCAST, 'IP_RECEIVE_BROADCAST', 'boolean', 'any'),
  layout(IPPROTO_IP, IP_RECVIF, 'IP_RECVIF', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_RECVDSTADDR, 'IP_RECVDSTADDR', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_RECVTOS, 'IP_RECVTOS', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_RECVECN, 'IP_RECVECN', 'boolean', 'whole'),
  layout(IPPROTO_IP, IP_HDRINCL, 'IP_HDRINCL', 'boolean', 'any'),
  layout(IPPROTO_IP, IP_TOS, 'IP_TOS', 'dword', 'any'),
  layout(IPPROTO_IP, IP_TTL, 'IP_TTL', 'dword', 'any'),
  layout(IPPROTO_IP, IP_MULTICAST_IF, 'IP_MULTICAST_IF', 'dword', 'whole'),
  layout(IPPROTO_IP, IP_MULTICAST_TTL, 'IP_MULTICAST_TTL', 'dword', 'any'),
  layout(IPPROTO_IP, IP_MULTICAST_LOOP, 'IP_MULTICAST_LOOP', 'boolean', 'any'),
  layout(IPPROTO_IP, IP_ADD_MEMBERSHIP, 'IP_ADD_MEMBERSHIP', 'structure', 'whole', IP_MREQ_LEN),
  layout(IPPROTO_IP, IP_DROP_MEMBERSHIP, 'IP_DROP_MEMBERSHIP', 'structure', 'whole', IP_MREQ_LEN),
  ...[
    [IP_ADD_SOURCE_MEMBERSHIP, 'IP_ADD_SOURCE_MEMBERSHIP'] as const,
    [IP_DROP_SOURCE_MEMBERSHIP, 'IP_DROP_SOURCE_MEMBERSHIP'] as const,
    [IP_BLOCK_SOURCE, 'IP_BLOCK_SOURCE'] as const,
    [IP_UNBLOCK_SOURCE, 'IP_UNBLOCK_SOURCE'] as const,
  ].map(([option, name]) => layout(IPPROTO_IP, option, name, 'structure', 'whole', IP_MREQ_SOURCE_LEN)),
  layout(IPPROTO_IPV6, IPV6_MULTICAST_IF, 'IPV6_MULTICAST_IF', 'dword', 'whole'),
  layout(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 'IPV6_MULTICAST_HOPS', 'int', 'any'),
  layout(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 'IPV6_MULTICAST_LOOP', 'boolean', 'any'),
  layout(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, 'IPV6_ADD_MEMBERSHIP', 'structure', 'whole', IPV6_MREQ_LEN),
  layout(IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, 'IPV6_DROP_MEMBERSHIP', 'structure', 'whole', IPV6_MREQ_LEN),
  ...[IPPROTO_IP, IPPROTO_IPV6].flatMap((level) => [
    layout(level, MCAST_JOIN_GROUP, 'MCAST_JOIN_GROUP', 'structure', 'whole', GROUP_REQ_LEN),
    layout(level, MCAST_LEAVE_GROUP, 'MCAST_LEAVE_GROUP', 'structure', 'whole', GROUP_REQ_LEN),
    ...[
      [MCAST_BLOCK_SOURCE, 'MCAST_BLOCK_SOURCE'] as const,
      [MCAST_UNBLOCK_SOURCE, 'MCAST_UNBLOCK_SOURCE'] as const,
      [MCAST_JOIN_SOURCE_GROUP, 'MCAST_JOIN_SOURCE_GROUP'] as const,
      [MCAST_LEAVE_SOURCE_GROUP, 'MCAST_LEAVE_SOURCE_GROUP'] as const,
    ].map(([option, name]) => layout(level, option, name, 'structure', 'whole', GROUP_SOURCE_REQ_LEN)),
  ]),
  layout(IPPROTO_IP, IP_DONTFRAGMENT, 'IP_DONTFRAGMENT', 'boolean', 'any'),
  layout(IPPROTO_IP, IP_MTU_DISCOVER, 'IP_MTU_DISCOVER', 'dword', 'whole'),
  layout(IPPROTO_IP, IP_MTU, 'IP_MTU', 'dword', 'whole'),
  layout(IPPROTO_IP, IP_USER_MTU, 'IP_USER_MTU', 'dword', 'whole'),
  layout(IPPROTO_IPV6, IPV6_V6ONLY, 'IPV6_V6ONLY', 'boolean', 'any'),
  layout(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 'IPV6_UNICAST_HOPS', 'int', 'whole'),
  layout(IPPROTO_IPV6, IPV6_DONTFRAG, 'IPV6_DONTFRAG', 'boolean', 'any'),
  layout(IPPROTO_IPV6, IPV6_MTU_DISCOVER, 'IPV6_MTU_DISCOVER', 'dword', 'whole'),
  layout(IPPROTO_IPV6, IPV6_MTU, 'IPV6_MTU', 'dword', 'whole'),
  layout(IPPROTO_IPV6, IPV6_USER_MTU, 'IPV6_USER_MTU', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_NODELAY, 'TCP_NODELAY', 'boolean', 'byte'),
  layout(IPPROTO_TCP, TCP_EXPEDITED_1122, 'TCP_EXPEDITED_1122', 'boolean', 'whole'),
  layout(IPPROTO_TCP, TCP_KEEPIDLE, 'TCP_KEEPIDLE', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_KEEPINTVL, 'TCP_KEEPINTVL', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_KEEPCNT, 'TCP_KEEPCNT', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_MAXRT, 'TCP_MAXRT', 'int', 'whole'),
  layout(IPPROTO_TCP, TCP_NOSYNRETRIES, 'TCP_NOSYNRETRIES', 'boolean', 'whole'),
  layout(IPPROTO_TCP, TCP_MAXRTMS, 'TCP_MAXRTMS', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_BSDURGENT, 'TCP_BSDURGENT', 'boolean', 'whole'),
  layout(IPPROTO_TCP, TCP_MAXSEG, 'TCP_MAXSEG', 'dword', 'whole'),
  layout(IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 'TCP_FAIL_CONNECT_ON_ICMP_ERROR', 'boolean', 'whole'),
  layout(IPPROTO_UDP, UDP_NOCHECKSUM, 'UDP_NOCHECKSUM', 'boolean', 'any'),
  layout(IPPROTO_UDP, UDP_SEND_MSG_SIZE, 'UDP_SEND_MSG_SIZE', 'dword', 'whole'),
  layout(IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, 'UDP_RECV_MAX_COALESCED_SIZE', 'dword', 'whole'),
  layout(IPPROTO_UDP, UDP_CHECKSUM_COVERAGE, 'UDP_CHECKSUM_COVERAGE', 'boolean', 'any'),
];

const byNumber: ReadonlyMap<number, OptionLayout> = new Map(
  OPTION_LAYOUTS.map((each) => [optionKey(each.level, each.option), each]),
);
