/**
 * Socket options: levels and numbers (ws2def.h, ws2ipdef.h, mstcpip.h). How their values are laid out is in `option-layouts.ts`.
 */

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
/** Windows CE's, at the same number: what the secure-socket provider knows. */
export const SO_SECURE = 0x2001;
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
/** Numbers of control messages (SIO_TIMESTAMPING): when a message came, and what to call one that is sent. */
export const SO_TIMESTAMP = 0x300a;
export const SO_TIMESTAMP_ID = 0x300b;
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
/** Values as of {@link IPV6_PROTECTION_LEVEL}. */
export const IP_PROTECTION_LEVEL = 23;
export const IP_RECVIF = 24;
export const IP_RECVDSTADDR = 25;
export const IP_IFLIST = 28;
export const IP_ADD_IFLIST = 29;
export const IP_DEL_IFLIST = 30;
export const IP_UNICAST_IF = 31;
export const IP_RTHDR = 32;
export const IP_GET_IFLIST = 33;
export const IP_RECVRTHDR = 38;
export const IP_RECVTOS = 40;
/** These six at level IPPROTO_IPV6 too. */
export const MCAST_JOIN_GROUP = 41;
export const MCAST_LEAVE_GROUP = 42;
export const MCAST_BLOCK_SOURCE = 43;
export const MCAST_UNBLOCK_SOURCE = 44;
export const MCAST_JOIN_SOURCE_GROUP = 45;
export const MCAST_LEAVE_SOURCE_GROUP = 46;
export const IP_ORIGINAL_ARRIVAL_IF = 47;
export const IP_RECVECN = 50;
export const IP_PKTINFO_EX = 51;
export const IP_WFP_REDIRECT_RECORDS = 60;
export const IP_WFP_REDIRECT_CONTEXT = 70;
/** Numbers of control messages: the same as the options that ask for them. */
export const IP_HOPLIMIT = IP_RECVTTL;
export const IP_ECN = IP_RECVECN;
export const IP_MTU_DISCOVER = 71;
export const IP_MTU = 73;
/** The interface of packets that no route leads. */
export const IP_NRT_INTERFACE = 74;
export const IP_RECVERR = 75;
export const IP_USER_MTU = 76;
/** Values of IP_MTU_DISCOVER (PMTUD_STATE). */
export const IP_PMTUDISC_NOT_SET = 0;
export const IP_PMTUDISC_DO = 1;
export const IP_PMTUDISC_DONT = 2;
export const IP_PMTUDISC_PROBE = 3;
/** IP_USER_MTU: no bound. */
export const IP_UNSPECIFIED_USER_MTU = 0xffff_ffff;

/** Level IPPROTO_IPV6. */
export const IPV6_HOPOPTS = 1;
export const IPV6_HDRINCL = 2;
export const IPV6_UNICAST_HOPS = 4;
export const IPV6_MULTICAST_IF = 9;
export const IPV6_MULTICAST_HOPS = 10;
export const IPV6_MULTICAST_LOOP = 11;
export const IPV6_ADD_MEMBERSHIP = 12;
export const IPV6_JOIN_GROUP = 12;
export const IPV6_DROP_MEMBERSHIP = 13;
export const IPV6_LEAVE_GROUP = 13;
export const IPV6_DONTFRAG = 14;
export const IPV6_PKTINFO = 19;
/** The option, and the control message that it asks for. */
export const IPV6_HOPLIMIT = 21;
export const IPV6_PROTECTION_LEVEL = 23;
export const PROTECTION_LEVEL_UNRESTRICTED = 10;
export const PROTECTION_LEVEL_EDGERESTRICTED = 20;
export const PROTECTION_LEVEL_RESTRICTED = 30;
export const PROTECTION_LEVEL_DEFAULT = -1;
export const IPV6_RECVIF = 24;
export const IPV6_RECVDSTADDR = 25;
/** Of raw sockets: where the checksum is (RFC 3542 §3.1). */
export const IPV6_CHECKSUM = 26;
export const IPV6_V6ONLY = 27;
export const IPV6_IFLIST = 28;
export const IPV6_ADD_IFLIST = 29;
export const IPV6_DEL_IFLIST = 30;
export const IPV6_UNICAST_IF = 31;
export const IPV6_RTHDR = 32;
export const IPV6_GET_IFLIST = 33;
export const IPV6_RECVRTHDR = 38;
export const IPV6_TCLASS = 39;
export const IPV6_RECVTCLASS = 40;
export const IPV6_RECVECN = 50;
export const IPV6_ECN = IPV6_RECVECN;
export const IPV6_PKTINFO_EX = 51;
export const IPV6_WFP_REDIRECT_RECORDS = 60;
export const IPV6_WFP_REDIRECT_CONTEXT = 70;
export const IPV6_MTU_DISCOVER = 71;
export const IPV6_MTU = 72;
export const IPV6_NRT_INTERFACE = 74;
export const IPV6_RECVERR = 75;
export const IPV6_USER_MTU = 76;

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
