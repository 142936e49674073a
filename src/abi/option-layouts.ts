/**
 * How the values of socket options are laid out and which lengths they may have: one row an option (section 4 of the surface
 * reference).
 */

import { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP } from './families.ts';
import {
  GROUP_REQ_LEN,
  GROUP_SOURCE_REQ_LEN,
  IP_MREQ_LEN,
  IP_MREQ_SOURCE_LEN,
  IPV6_MREQ_LEN,
} from './multicast-structures.ts';
import * as names from './options.ts';
import { ICMP_ERROR_INFO_LEN } from './tcp-structures.ts';

/**
 * Which lengths an option's value may have (SEM-OPT-03 … SEM-OPT-10):
 * - `any`: class B, set takes 1 byte or more, get answers 1 byte into 1 … 3 and 4 into 4 or more;
 * - `byte`: class 1, as `any`, but get always answers 1 byte;
 * - `whole`: class 4, nothing below `length`; a short get leaves the caller's length;
 * - `cleared`: class 4s, as `whole`, but a short get makes the caller's length 0;
 * - `bytes`: as many as there are, none at first and after a set of none;
 * - `structure`: nothing below `length`; a short get answers the length that is needed;
 * - `none`: the value is not looked at.
 */
export type OptionLengthRule = 'any' | 'byte' | 'whole' | 'cleared' | 'bytes' | 'structure' | 'none';

/** What an option's bytes mean. */
export type OptionType = 'boolean' | 'int' | 'dword' | 'linger' | 'structure' | 'handle';

/** How one option is called and laid out. */
export interface OptionLayout {
  readonly level: number;
  readonly option: number;
  /** Microsoft's name. */
  readonly name: string;
  readonly type: OptionType;
  /** Bytes of the whole value; of `bytes` the most. */
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

/** Options as a table lists them: name, what the bytes mean, which lengths; bytes when they are not 4. */
type Row = readonly [name: keyof typeof names, type: OptionType, rule: OptionLengthRule, length?: number];

function rows(level: number, table: readonly Row[]): OptionLayout[] {
  return table.map(([name, type, lengthRule, length = 4]) => ({
    level,
    // biome-ignore lint/performance/noDynamicNamespaceImportAccess: a table names its constants once
    option: names[name],
    name,
    type,
    length,
    lengthRule,
  }));
}

/** RFC 3678 §5: the same at both levels. */
const GROUP_ROWS: readonly Row[] = [
  ['MCAST_JOIN_GROUP', 'structure', 'whole', GROUP_REQ_LEN],
  ['MCAST_LEAVE_GROUP', 'structure', 'whole', GROUP_REQ_LEN],
  ['MCAST_BLOCK_SOURCE', 'structure', 'whole', GROUP_SOURCE_REQ_LEN],
  ['MCAST_UNBLOCK_SOURCE', 'structure', 'whole', GROUP_SOURCE_REQ_LEN],
  ['MCAST_JOIN_SOURCE_GROUP', 'structure', 'whole', GROUP_SOURCE_REQ_LEN],
  ['MCAST_LEAVE_SOURCE_GROUP', 'structure', 'whole', GROUP_SOURCE_REQ_LEN],
];

/** Most bytes of IPv4 options (RFC 791 §3.1), and of an IPv6 extension header (RFC 8200 §4.3). */
const MAX_IP_OPTIONS = 40;
const MAX_EXTENSION = 2048;

const SOCKET_ROWS: readonly Row[] = [
  ['SO_DEBUG', 'boolean', 'any'],
  ['SO_ACCEPTCONN', 'boolean', 'any'],
  ['SO_REUSEADDR', 'boolean', 'any'],
  ['SO_EXCLUSIVEADDRUSE', 'boolean', 'any'],
  ['SO_KEEPALIVE', 'boolean', 'byte'],
  ['SO_DONTROUTE', 'boolean', 'byte'],
  ['SO_BROADCAST', 'boolean', 'any'],
  ['SO_LINGER', 'linger', 'whole'],
  ['SO_DONTLINGER', 'boolean', 'any'],
  ['SO_OOBINLINE', 'boolean', 'any'],
  ['SO_SNDBUF', 'int', 'whole'],
  ['SO_RCVBUF', 'int', 'whole'],
  ['SO_SNDTIMEO', 'dword', 'whole'],
  ['SO_RCVTIMEO', 'dword', 'whole'],
  ['SO_ERROR', 'int', 'whole'],
  ['SO_TYPE', 'int', 'whole'],
  ['SO_BSP_STATE', 'structure', 'structure', 40],
  ['SO_GROUP_ID', 'dword', 'whole'],
  ['SO_GROUP_PRIORITY', 'int', 'whole'],
  ['SO_MAX_MSG_SIZE', 'dword', 'whole'],
  ['SO_MAXDG', 'dword', 'whole'],
  ['SO_MAXPATHDG', 'dword', 'whole'],
  ['SO_PROTOCOL_INFOA', 'structure', 'structure', 372],
  ['SO_PROTOCOL_INFOW', 'structure', 'structure', 628],
  ['SO_CONDITIONAL_ACCEPT', 'boolean', 'any'],
  ['SO_PAUSE_ACCEPT', 'boolean', 'any'],
  ['SO_COMPARTMENT_ID', 'dword', 'whole'],
  ['SO_RANDOMIZE_PORT', 'boolean', 'any'],
  ['SO_PORT_SCALABILITY', 'boolean', 'any'],
  ['SO_REUSE_UNICASTPORT', 'boolean', 'any'],
  ['SO_REUSE_MULTICASTPORT', 'boolean', 'any'],
  ['SO_OPENTYPE', 'dword', 'whole'],
  ['SO_UPDATE_ACCEPT_CONTEXT', 'handle', 'none'],
  ['SO_UPDATE_CONNECT_CONTEXT', 'handle', 'none'],
  ['SO_CONNECT_TIME', 'dword', 'whole'],
];

const IP_ROWS: readonly Row[] = [
  ['IP_OPTIONS', 'structure', 'bytes', MAX_IP_OPTIONS],
  ['IP_HDRINCL', 'boolean', 'any'],
  ['IP_TOS', 'dword', 'any'],
  ['IP_TTL', 'dword', 'any'],
  ['IP_MULTICAST_IF', 'dword', 'whole'],
  ['IP_MULTICAST_TTL', 'dword', 'any'],
  ['IP_MULTICAST_LOOP', 'boolean', 'any'],
  ['IP_ADD_MEMBERSHIP', 'structure', 'whole', IP_MREQ_LEN],
  ['IP_DROP_MEMBERSHIP', 'structure', 'whole', IP_MREQ_LEN],
  ['IP_DONTFRAGMENT', 'boolean', 'any'],
  ['IP_ADD_SOURCE_MEMBERSHIP', 'structure', 'whole', IP_MREQ_SOURCE_LEN],
  ['IP_DROP_SOURCE_MEMBERSHIP', 'structure', 'whole', IP_MREQ_SOURCE_LEN],
  ['IP_BLOCK_SOURCE', 'structure', 'whole', IP_MREQ_SOURCE_LEN],
  ['IP_UNBLOCK_SOURCE', 'structure', 'whole', IP_MREQ_SOURCE_LEN],
  ['IP_PKTINFO', 'boolean', 'cleared'],
  ['IP_RECVTTL', 'boolean', 'cleared'],
  ['IP_RECEIVE_BROADCAST', 'boolean', 'any'],
  ['IP_PROTECTION_LEVEL', 'int', 'whole'],
  ['IP_RECVIF', 'boolean', 'cleared'],
  ['IP_RECVDSTADDR', 'boolean', 'cleared'],
  ['IP_IFLIST', 'boolean', 'any'],
  ['IP_ADD_IFLIST', 'dword', 'whole'],
  ['IP_DEL_IFLIST', 'dword', 'whole'],
  ['IP_UNICAST_IF', 'dword', 'whole'],
  ['IP_RTHDR', 'structure', 'bytes', MAX_IP_OPTIONS],
  ['IP_GET_IFLIST', 'structure', 'bytes', 0],
  ['IP_RECVRTHDR', 'boolean', 'cleared'],
  ['IP_RECVTOS', 'boolean', 'cleared'],
  ['IP_ORIGINAL_ARRIVAL_IF', 'boolean', 'cleared'],
  ['IP_RECVECN', 'boolean', 'cleared'],
  ['IP_PKTINFO_EX', 'boolean', 'cleared'],
  ['IP_WFP_REDIRECT_RECORDS', 'boolean', 'cleared'],
  ['IP_WFP_REDIRECT_CONTEXT', 'boolean', 'cleared'],
  ['IP_MTU_DISCOVER', 'dword', 'whole'],
  ['IP_MTU', 'dword', 'whole'],
  ['IP_NRT_INTERFACE', 'dword', 'whole'],
  ['IP_RECVERR', 'boolean', 'whole'],
  ['IP_USER_MTU', 'dword', 'whole'],
  ...GROUP_ROWS,
];

const IPV6_ROWS: readonly Row[] = [
  ['IPV6_HOPOPTS', 'structure', 'bytes', MAX_EXTENSION],
  ['IPV6_HDRINCL', 'boolean', 'any'],
  ['IPV6_UNICAST_HOPS', 'int', 'whole'],
  ['IPV6_MULTICAST_IF', 'dword', 'whole'],
  ['IPV6_MULTICAST_HOPS', 'int', 'any'],
  ['IPV6_MULTICAST_LOOP', 'boolean', 'any'],
  ['IPV6_ADD_MEMBERSHIP', 'structure', 'whole', IPV6_MREQ_LEN],
  ['IPV6_DROP_MEMBERSHIP', 'structure', 'whole', IPV6_MREQ_LEN],
  ['IPV6_DONTFRAG', 'boolean', 'any'],
  ['IPV6_PKTINFO', 'boolean', 'cleared'],
  ['IPV6_HOPLIMIT', 'boolean', 'cleared'],
  ['IPV6_PROTECTION_LEVEL', 'int', 'whole'],
  ['IPV6_RECVIF', 'boolean', 'cleared'],
  ['IPV6_RECVDSTADDR', 'boolean', 'cleared'],
  ['IPV6_CHECKSUM', 'int', 'whole'],
  ['IPV6_V6ONLY', 'boolean', 'any'],
  ['IPV6_IFLIST', 'boolean', 'any'],
  ['IPV6_ADD_IFLIST', 'dword', 'whole'],
  ['IPV6_DEL_IFLIST', 'dword', 'whole'],
  ['IPV6_UNICAST_IF', 'dword', 'whole'],
  ['IPV6_RTHDR', 'structure', 'bytes', MAX_EXTENSION],
  ['IPV6_GET_IFLIST', 'structure', 'bytes', 0],
  ['IPV6_RECVRTHDR', 'boolean', 'cleared'],
  ['IPV6_RECVTCLASS', 'boolean', 'cleared'],
  ['IPV6_RECVECN', 'boolean', 'cleared'],
  ['IPV6_PKTINFO_EX', 'boolean', 'cleared'],
  ['IPV6_WFP_REDIRECT_RECORDS', 'boolean', 'cleared'],
  ['IPV6_WFP_REDIRECT_CONTEXT', 'boolean', 'cleared'],
  ['IPV6_MTU_DISCOVER', 'dword', 'whole'],
  ['IPV6_MTU', 'dword', 'whole'],
  ['IPV6_NRT_INTERFACE', 'dword', 'whole'],
  ['IPV6_RECVERR', 'boolean', 'whole'],
  ['IPV6_USER_MTU', 'dword', 'whole'],
  ...GROUP_ROWS,
];

const TCP_ROWS: readonly Row[] = [
  ['TCP_NODELAY', 'boolean', 'byte'],
  ['TCP_EXPEDITED_1122', 'boolean', 'whole'],
  ['TCP_KEEPIDLE', 'dword', 'whole'],
  ['TCP_MAXSEG', 'dword', 'whole'],
  ['TCP_MAXRT', 'int', 'whole'],
  ['TCP_STDURG', 'boolean', 'whole'],
  ['TCP_NOURG', 'boolean', 'whole'],
  ['TCP_ATMARK', 'boolean', 'whole'],
  ['TCP_NOSYNRETRIES', 'boolean', 'whole'],
  ['TCP_TIMESTAMPS', 'boolean', 'whole'],
  ['TCP_OFFLOAD_PREFERENCE', 'dword', 'whole'],
  ['TCP_CONGESTION_ALGORITHM', 'dword', 'whole'],
  ['TCP_DELAY_FIN_ACK', 'boolean', 'whole'],
  ['TCP_MAXRTMS', 'dword', 'whole'],
  ['TCP_FASTOPEN', 'boolean', 'whole'],
  ['TCP_KEEPCNT', 'dword', 'whole'],
  ['TCP_KEEPINTVL', 'dword', 'whole'],
  ['TCP_FAIL_CONNECT_ON_ICMP_ERROR', 'boolean', 'whole'],
  ['TCP_ICMP_ERROR_INFO', 'structure', 'bytes', ICMP_ERROR_INFO_LEN],
  ['TCP_BSDURGENT', 'boolean', 'whole'],
];

const UDP_ROWS: readonly Row[] = [
  ['UDP_NOCHECKSUM', 'boolean', 'any'],
  ['UDP_SEND_MSG_SIZE', 'dword', 'whole'],
  ['UDP_RECV_MAX_COALESCED_SIZE', 'dword', 'whole'],
  ['UDP_CHECKSUM_COVERAGE', 'boolean', 'any'],
];

/** The options whose values winsockd reads or writes. */
export const OPTION_LAYOUTS: readonly OptionLayout[] = [
  ...rows(names.SOL_SOCKET, SOCKET_ROWS),
  ...rows(IPPROTO_IP, IP_ROWS),
  ...rows(IPPROTO_IPV6, IPV6_ROWS),
  ...rows(IPPROTO_TCP, TCP_ROWS),
  ...rows(IPPROTO_UDP, UDP_ROWS),
];

const byNumber: ReadonlyMap<number, OptionLayout> = new Map(
  OPTION_LAYOUTS.map((each) => [optionKey(each.level, each.option), each]),
);
