/**
 * The socket options of sections 4.2 … 4.6 of the surface reference, one row an option: what a fresh socket of each kind answers, which
 * values it takes, and which not.
 */

import * as abi from '../../src/abi/index.ts';

const { WSAEINVAL: I, WSAENOPROTOOPT: N, WSAENOTCONN: C } = abi;

/** What a get answers: a value, or minus the WSA code. */
type Fresh = readonly [tcp: number, udp: number, raw: number];

export interface OptionRow {
  /** Its id, and those of rules that it shows. */
  readonly id: string;
  readonly level: number;
  readonly option: number;
  /** Of sockets of AF_INET6. */
  readonly is6: boolean;
  readonly fresh: Fresh;
  /** Values that a kind of socket which has the option takes, in this order, with what they read back as. */
  readonly takes: readonly (readonly [value: number, reads: number])[];
  /** Values that it refuses, with the code. */
  readonly refuses: readonly (readonly [value: number, code: number])[];
}

interface Values {
  readonly takes?: readonly (number | readonly [number, number])[];
  readonly refuses?: readonly (number | readonly [number, number])[];
}

const [IP, IP6, TCP, UDP, SOL] = [
  abi.IPPROTO_IP,
  abi.IPPROTO_IPV6,
  abi.IPPROTO_TCP,
  abi.IPPROTO_UDP,
  abi.SOL_SOCKET,
];
/** Takes both values, and 1 for any other. */
const BOOL: Values = { takes: [1, 0, [0x100, 1], 0] };
const READ_ONLY: Values = { refuses: [[1, N]] };
const ALL = (value: number): Fresh => [value, value, value];
const STREAM = (value: number): Fresh => [value, -N, -N];
/** Section 4.3's I/y/y. */
const MESSAGES = (value: number): Fresh => [-I, value, value];
const RAW = (value: number): Fresh => [-I, -I, value];

function row(id: string, level: number, option: number, fresh: Fresh, values: Values = {}): OptionRow {
  const pairs = (list: Values['takes'], other: (value: number) => number) =>
    (list ?? []).map((each): readonly [number, number] =>
      typeof each === 'number' ? [each, other(each)] : each,
    );
  return {
    id,
    level,
    option,
    is6: level === IP6,
    fresh,
    takes: pairs(values.takes, (value) => value),
    refuses: pairs(values.refuses, () => I),
  };
}

const SOCKET_LEVEL: readonly OptionRow[] = [
  row('OPT-SO_DEBUG', SOL, abi.SO_DEBUG, ALL(0), BOOL),
  row('OPT-SO_ACCEPTCONN, SEM-OPT-12', SOL, abi.SO_ACCEPTCONN, ALL(0), READ_ONLY),
  row('OPT-SO_REUSEADDR', SOL, abi.SO_REUSEADDR, ALL(0), BOOL),
  row('OPT-SO_EXCLUSIVEADDRUSE', SOL, abi.SO_EXCLUSIVEADDRUSE, ALL(0), BOOL),
  row('OPT-SO_KEEPALIVE', SOL, abi.SO_KEEPALIVE, STREAM(0), BOOL),
  row('OPT-SO_DONTROUTE', SOL, abi.SO_DONTROUTE, ALL(0), BOOL),
  row('OPT-SO_BROADCAST', SOL, abi.SO_BROADCAST, [-N, 0, 0], BOOL),
  row('OPT-SO_USELOOPBACK', SOL, abi.SO_USELOOPBACK, ALL(-I)),
  row('OPT-SO_LINGER', SOL, abi.SO_LINGER, STREAM(0), { takes: [1 | (7 << 16), 0, 0xffff | (0x7fff << 16)] }),
  row('OPT-SO_DONTLINGER', SOL, abi.SO_DONTLINGER, STREAM(1), { takes: [0, 1, [9, 1]] }),
  row('OPT-SO_OOBINLINE', SOL, abi.SO_OOBINLINE, STREAM(0), BOOL),
  row('OPT-SO_SNDBUF', SOL, abi.SO_SNDBUF, ALL(65_536), { takes: [0, 1, 8192, 0x7fff_ffff], refuses: [-1] }),
  row('OPT-SO_RCVBUF', SOL, abi.SO_RCVBUF, ALL(65_536), { takes: [0, 1, 8192, 0x7fff_ffff], refuses: [-1] }),
  row('OPT-SO_SNDLOWAT', SOL, abi.SO_SNDLOWAT, ALL(-I)),
  row('OPT-SO_RCVLOWAT', SOL, abi.SO_RCVLOWAT, ALL(-I)),
  row('OPT-SO_SNDTIMEO', SOL, abi.SO_SNDTIMEO, ALL(0), { takes: [1, 499, 60_000, 0x7fff_ffff, -1, 0] }),
  row('OPT-SO_RCVTIMEO, SEM-OPT-09', SOL, abi.SO_RCVTIMEO, ALL(0), {
    takes: [1, 499, 60_000, 0x7fff_ffff, -1, 0],
  }),
  row('OPT-SO_ERROR', SOL, abi.SO_ERROR, ALL(0), { takes: [10_060, 0] }),
  row('OPT-SO_TYPE, RAW-14, SEM-OPT-12', SOL, abi.SO_TYPE, [1, 2, 3], READ_ONLY),
  row('OPT-SO_GROUP_ID', SOL, abi.SO_GROUP_ID, ALL(0), READ_ONLY),
  row('OPT-SO_GROUP_PRIORITY', SOL, abi.SO_GROUP_PRIORITY, ALL(0), { takes: [5, -3, 0] }),
  row('OPT-SO_MAX_MSG_SIZE, RAW-10', SOL, abi.SO_MAX_MSG_SIZE, [0, 65_507, 65_467], READ_ONLY),
  row('OPT-PVD_CONFIG', SOL, abi.PVD_CONFIG, ALL(-N)),
  row('OPT-SO_CONDITIONAL_ACCEPT', SOL, abi.SO_CONDITIONAL_ACCEPT, STREAM(0), BOOL),
  row('OPT-SO_PAUSE_ACCEPT', SOL, abi.SO_PAUSE_ACCEPT, STREAM(0), BOOL),
  row('OPT-SO_COMPARTMENT_ID', SOL, abi.SO_COMPARTMENT_ID, ALL(1), { takes: [1], refuses: [0, 2] }),
  row('OPT-SO_RANDOMIZE_PORT', SOL, abi.SO_RANDOMIZE_PORT, ALL(0), BOOL),
  row('OPT-SO_PORT_SCALABILITY', SOL, abi.SO_PORT_SCALABILITY, ALL(0), BOOL),
  row('OPT-SO_REUSE_UNICASTPORT', SOL, abi.SO_REUSE_UNICASTPORT, ALL(0), BOOL),
  row('OPT-SO_REUSE_MULTICASTPORT', SOL, abi.SO_REUSE_MULTICASTPORT, [-N, 0, -I], BOOL),
  ...[abi.SO_CONNDATA, abi.SO_CONNOPT, abi.SO_DISCDATA, abi.SO_DISCOPT].map((option) =>
    row('OPT-SO_CONNDATA', SOL, option, ALL(-N)),
  ),
  ...[abi.SO_CONNDATALEN, abi.SO_CONNOPTLEN, abi.SO_DISCDATALEN, abi.SO_DISCOPTLEN].map((option) =>
    row('OPT-SO_CONNDATALEN', SOL, option, ALL(-N)),
  ),
  row('OPT-SO_MAXDG', SOL, abi.SO_MAXDG, [-N, 65_507, 65_467], READ_ONLY),
  row('OPT-SO_MAXPATHDG', SOL, abi.SO_MAXPATHDG, [-N, 65_507, 65_467], READ_ONLY),
  row('OPT-SO_CONNECT_TIME', SOL, abi.SO_CONNECT_TIME, ALL(-1), READ_ONLY),
];

/** Options that mean the same at IPPROTO_IP and IPPROTO_IPV6, and nearly all have the same number. */
function bothFamilies(level: number, prefix: 'IP' | 'IPV6', mtuOption: number): readonly OptionRow[] {
  const id = (v4: string, v6: string): string => (prefix === 'IP' ? v4 : v6);
  return [
    row(`${id('OPT-IP_HDRINCL', 'OPT-IPV6_HDRINCL')}, RAW-06`, level, abi.IP_HDRINCL, RAW(0), BOOL),
    row(id('OPT-IP_MULTICAST_IF', 'OPT-IPV6_MULTICAST_IF'), level, abi.IP_MULTICAST_IF, MESSAGES(0)),
    row(id('OPT-IP_MULTICAST_TTL', 'OPT-IPV6_MULTICAST_HOPS'), level, abi.IP_MULTICAST_TTL, MESSAGES(1), {
      takes: [0, 255, 1],
      refuses: [256, -1],
    }),
    row(id('OPT-IP_MULTICAST_LOOP', 'OPT-IPV6_MULTICAST_LOOP'), level, abi.IP_MULTICAST_LOOP, MESSAGES(1), {
      takes: [0, 1, [77, 1]],
    }),
    row(id('OPT-IP_DONTFRAGMENT', 'OPT-IPV6_DONTFRAG'), level, abi.IP_DONTFRAGMENT, [1, 0, 0], {
      takes: [0, 1, [2, 1]],
    }),
    row(id('OPT-IP_PKTINFO', 'OPT-IPV6_PKTINFO'), level, abi.IP_PKTINFO, MESSAGES(0), BOOL),
    row(id('OPT-IP_RECVTTL', 'OPT-IPV6_HOPLIMIT'), level, abi.IP_RECVTTL, MESSAGES(0), BOOL),
    row(id('OPT-IP_PROTECTION_LEVEL', 'OPT-IPV6_PROTECTION_LEVEL'), level, abi.IP_PROTECTION_LEVEL, ALL(-1), {
      takes: [10, 20, 30, -1],
      refuses: [0, 11],
    }),
    row(id('OPT-IP_RECVIF', 'OPT-IPV6_RECVIF'), level, abi.IP_RECVIF, MESSAGES(0), BOOL),
    row(id('OPT-IP_RECVDSTADDR', 'OPT-IPV6_RECVDSTADDR'), level, abi.IP_RECVDSTADDR, MESSAGES(0), BOOL),
    row(id('OPT-IP_IFLIST', 'OPT-IPV6_IFLIST'), level, abi.IP_IFLIST, ALL(0), BOOL),
    row(id('OPT-IP_GET_IFLIST', 'OPT-IPV6_IFLIST'), level, abi.IP_GET_IFLIST, ALL(-I)),
    row(id('OPT-IP_UNICAST_IF', 'OPT-IPV6_UNICAST_IF'), level, abi.IP_UNICAST_IF, ALL(0), {
      refuses: [[0x0700_0063, abi.WSAEADDRNOTAVAIL]],
    }),
    row(id('OPT-IP_RECVRTHDR', 'OPT-IPV6_RTHDR'), level, abi.IP_RECVRTHDR, MESSAGES(0), BOOL),
    row(id('OPT-IP_RECVTOS', 'OPT-IPV6_RECVTCLASS'), level, abi.IP_RECVTOS, MESSAGES(0), BOOL),
    row(id('OPT-IP_RECVECN', 'OPT-IPV6_RECVECN'), level, abi.IP_RECVECN, MESSAGES(0), BOOL),
    row(id('OPT-IP_PKTINFO_EX', 'OPT-IPV6_PKTINFO_EX'), level, abi.IP_PKTINFO_EX, MESSAGES(0), BOOL),
    row(
      id('OPT-IP_WFP_REDIRECT', 'OPT-IPV6_WFP_REDIRECT'),
      level,
      abi.IP_WFP_REDIRECT_RECORDS,
      MESSAGES(0),
      BOOL,
    ),
    row(
      id('OPT-IP_WFP_REDIRECT', 'OPT-IPV6_WFP_REDIRECT'),
      level,
      abi.IP_WFP_REDIRECT_CONTEXT,
      MESSAGES(0),
      BOOL,
    ),
    row(id('OPT-IP_MTU_DISCOVER', 'OPT-IPV6_MTU_DISCOVER'), level, abi.IP_MTU_DISCOVER, ALL(0), {
      takes: [1, 2, 3],
      refuses: [0, 4, -1],
    }),
    row(id('OPT-IP_MTU', 'OPT-IPV6_MTU'), level, mtuOption, ALL(-C), READ_ONLY),
    row(id('OPT-IP_NRT_INTERFACE', 'OPT-IPV6_NRT_INTERFACE'), level, abi.IP_NRT_INTERFACE, ALL(0), {
      takes: [1, 0],
      refuses: [[99, abi.WSAEADDRNOTAVAIL]],
    }),
    row(id('OPT-IP_RECVERR', 'OPT-IPV6_RECVERR'), level, abi.IP_RECVERR, [-I, 0, -I], BOOL),
    row(id('OPT-IP_USER_MTU', 'OPT-IPV6_USER_MTU'), level, abi.IP_USER_MTU, ALL(-1), {
      takes: [1280, -1],
      refuses: [0, 67],
    }),
  ];
}

/** Those that can only be set: membership is asked for with structures. */
function setOnly(level: number, ids: readonly (readonly [string, number])[]): readonly OptionRow[] {
  return ids.map(([id, option]) => row(id, level, option, ALL(-N)));
}

const GROUPS = [
  ['OPT-MCAST_JOIN_GROUP', abi.MCAST_JOIN_GROUP],
  ['OPT-MCAST_LEAVE_GROUP', abi.MCAST_LEAVE_GROUP],
  ['OPT-MCAST_BLOCK_SOURCE', abi.MCAST_BLOCK_SOURCE],
  ['OPT-MCAST_UNBLOCK_SOURCE', abi.MCAST_UNBLOCK_SOURCE],
  ['OPT-MCAST_JOIN_SOURCE_GROUP', abi.MCAST_JOIN_SOURCE_GROUP],
  ['OPT-MCAST_LEAVE_SOURCE_GROUP', abi.MCAST_LEAVE_SOURCE_GROUP],
] as const;

const IP_LEVEL: readonly OptionRow[] = [
  ...bothFamilies(IP, 'IP', abi.IP_MTU),
  row('OPT-IP_TOS, SEM-OPT-09', IP, abi.IP_TOS, ALL(0), { takes: [255, 4, 0], refuses: [256, -1] }),
  row('OPT-IP_TTL, SEM-OPT-09', IP, abi.IP_TTL, ALL(128), { takes: [1, 255, 64], refuses: [256, -1] }),
  row('OPT-IP_RECEIVE_BROADCAST', IP, abi.IP_RECEIVE_BROADCAST, MESSAGES(1), { takes: [0, 1] }),
  row('OPT-IP_ORIGINAL_ARRIVAL_IF', IP, abi.IP_ORIGINAL_ARRIVAL_IF, MESSAGES(0), BOOL),
  ...setOnly(IP, [
    ['OPT-IP_ADD_MEMBERSHIP', abi.IP_ADD_MEMBERSHIP],
    ['OPT-IP_DROP_MEMBERSHIP', abi.IP_DROP_MEMBERSHIP],
    ['OPT-IP_ADD_SOURCE_MEMBERSHIP', abi.IP_ADD_SOURCE_MEMBERSHIP],
    ['OPT-IP_DROP_SOURCE_MEMBERSHIP', abi.IP_DROP_SOURCE_MEMBERSHIP],
    ['OPT-IP_BLOCK_SOURCE', abi.IP_BLOCK_SOURCE],
    ['OPT-IP_UNBLOCK_SOURCE', abi.IP_UNBLOCK_SOURCE],
    ['OPT-IP_ADD_IFLIST', abi.IP_ADD_IFLIST],
    ['OPT-IP_DEL_IFLIST', abi.IP_DEL_IFLIST],
    ...GROUPS,
  ]),
];

const IPV6_LEVEL: readonly OptionRow[] = [
  ...bothFamilies(IP6, 'IPV6', abi.IPV6_MTU),
  row('OPT-IPV6_UNICAST_HOPS', IP6, abi.IPV6_UNICAST_HOPS, ALL(128), {
    takes: [1, 255, [-1, 128]],
    refuses: [256, -2],
  }),
  row('OPT-IPV6_CHECKSUM', IP6, abi.IPV6_CHECKSUM, RAW(-1), { takes: [2, 6, 0, -1], refuses: [3, -2] }),
  row('OPT-IPV6_V6ONLY, SEM-DS-01', IP6, abi.IPV6_V6ONLY, ALL(1)),
  ...setOnly(IP6, [
    ['OPT-IPV6_ADD_MEMBERSHIP', abi.IPV6_ADD_MEMBERSHIP],
    ['OPT-IPV6_DROP_MEMBERSHIP', abi.IPV6_DROP_MEMBERSHIP],
    ['OPT-IPV6_IFLIST', abi.IPV6_ADD_IFLIST],
    ['OPT-IPV6_IFLIST', abi.IPV6_DEL_IFLIST],
    ...GROUPS,
  ]),
];

const TCP_LEVEL: readonly OptionRow[] = [
  row('OPT-TCP_NODELAY, SEM-OPT-06', TCP, abi.TCP_NODELAY, STREAM(0), {
    takes: [1, [0x100, 0], [0x101, 1], 0],
  }),
  row('OPT-TCP_EXPEDITED_1122, SEM-OOB-01', TCP, abi.TCP_EXPEDITED_1122, STREAM(0), {
    takes: [0, 1],
    refuses: [0],
  }),
  row('OPT-TCP_KEEPIDLE', TCP, abi.TCP_KEEPIDLE, STREAM(7200), { takes: [1, 60], refuses: [0, -1] }),
  row('OPT-TCP_MAXSEG', TCP, abi.TCP_MAXSEG, STREAM(-C), READ_ONLY),
  row('OPT-TCP_MAXRT', TCP, abi.TCP_MAXRT, STREAM(0), { takes: [5, -1, 0], refuses: [-2] }),
  row('OPT-TCP_STDURG', TCP, abi.TCP_STDURG, STREAM(0), BOOL),
  row('OPT-TCP_NOURG', TCP, abi.TCP_NOURG, STREAM(0), BOOL),
  row('OPT-TCP_ATMARK', TCP, abi.TCP_ATMARK, STREAM(1), READ_ONLY),
  row('OPT-TCP_NOSYNRETRIES', TCP, abi.TCP_NOSYNRETRIES, STREAM(0), BOOL),
  row('OPT-TCP_TIMESTAMPS', TCP, abi.TCP_TIMESTAMPS, STREAM(1), BOOL),
  row('OPT-TCP_OFFLOAD_PREFERENCE', TCP, abi.TCP_OFFLOAD_PREFERENCE, STREAM(0), {
    takes: [1, 2, 0],
    refuses: [3, -1],
  }),
  row('OPT-TCP_CONGESTION_ALGORITHM', TCP, abi.TCP_CONGESTION_ALGORITHM, STREAM(1), {
    takes: [0, 2, 3, 1],
    refuses: [4, -1],
  }),
  row('OPT-TCP_DELAY_FIN_ACK', TCP, abi.TCP_DELAY_FIN_ACK, STREAM(0), BOOL),
  row('OPT-TCP_MAXRTMS', TCP, abi.TCP_MAXRTMS, STREAM(0), { takes: [2500, 0], refuses: [-2] }),
  row('OPT-TCP_FASTOPEN', TCP, abi.TCP_FASTOPEN, STREAM(0), BOOL),
  row('OPT-TCP_KEEPCNT', TCP, abi.TCP_KEEPCNT, STREAM(10), { takes: [1, 255], refuses: [0, 256] }),
  row('OPT-TCP_KEEPINTVL', TCP, abi.TCP_KEEPINTVL, STREAM(1), { takes: [7, 600], refuses: [0, -1] }),
  row('OPT-TCP_FAIL_CONNECT_ON_ICMP_ERROR', TCP, abi.TCP_FAIL_CONNECT_ON_ICMP_ERROR, STREAM(0), BOOL),
  row('OPT-TCP_BSDURGENT, SEM-OOB-01', TCP, abi.TCP_BSDURGENT, STREAM(1), { takes: [1], refuses: [0] }),
];

const DATAGRAM = (value: number): Fresh => [-N, value, -N];

const UDP_LEVEL: readonly OptionRow[] = [
  row('OPT-UDP_NOCHECKSUM', UDP, abi.UDP_NOCHECKSUM, DATAGRAM(0), BOOL),
  row('OPT-UDP_SEND_MSG_SIZE', UDP, abi.UDP_SEND_MSG_SIZE, DATAGRAM(0), { takes: [1400, 0], refuses: [-1] }),
  row('OPT-UDP_RECV_MAX_COALESCED_SIZE', UDP, abi.UDP_RECV_MAX_COALESCED_SIZE, DATAGRAM(0), {
    takes: [65_000, 0],
    refuses: [-1],
  }),
  row('OPT-UDP_CHECKSUM_COVERAGE', UDP, abi.UDP_CHECKSUM_COVERAGE, DATAGRAM(1), { takes: [1], refuses: [0] }),
  row('OPT-ICMP', abi.IPPROTO_ICMP, 1, ALL(-N)),
  row('OPT-ICMP', abi.IPPROTO_ICMPV6, 1, ALL(-N)),
  // Levels of protocols that are not carried: reliable multicast, IPX, Bluetooth, and infrared without its provider.
  row('OPT-RM', 113, 1001, ALL(-I)),
  row('OPT-IPX', 1000, 0x4000, ALL(-I)),
  row('OPT-BTH', 3, 1, ALL(-I)),
  row('OPT-IRLMP', 0xff, 0x10, ALL(-I)),
];

export const OPTION_ROWS: readonly OptionRow[] = [
  ...SOCKET_LEVEL,
  ...IP_LEVEL,
  ...IPV6_LEVEL,
  ...TCP_LEVEL,
  ...UDP_LEVEL,
];
