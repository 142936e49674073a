/**
 * Flags and small closed sets of numbers of the Winsock calls (winsock2.h, ws2spi.h).
 */

import { asNumber } from '../base/index.ts';
/** Send or receive urgent data. */
export const MSG_OOB = 0x1;
/** Receive without consuming. */
export const MSG_PEEK = 0x2;
/** Accepted and ignored (SEM-IO-08). */
export const MSG_DONTROUTE = 0x4;
/** Receive: complete only with a full buffer (SEM-IO-05). */
export const MSG_WAITALL = 0x8;
/** 16-bit Windows only. */
export const MSG_INTERRUPT = 0x10;
/** Receive: do not wait to fill the buffer. */
export const MSG_PUSH_IMMEDIATE = 0x20;
/** Out of WSARecvMsg: the message was cut off. */
export const MSG_TRUNC = 0x100;
/** Out of WSARecvMsg: the control data was cut off. */
export const MSG_CTRUNC = 0x200;
/** Out of WSARecvMsg: it was a link-layer broadcast. */
export const MSG_BCAST = 0x400;
/** Out of WSARecvMsg: it was a multicast. */
export const MSG_MCAST = 0x800;
/**
 * Into WSARecvMsg: receive the oldest ICMP error about what the socket sent instead of a message (OPT-IP_RECVERR). Out of it: that is
 * what was received.
 */
export const MSG_ERRQUEUE = 0x1000;
/** More of the message follows, or the message was not received whole (SEM-IO-06). */
export const MSG_PARTIAL = 0x8000;
/** Most buffers of one call on the oldest systems; not a limit here. */
export const MSG_MAXIOVLEN = 16;

/** Positions of the network events in masks and error arrays. */
export const FD_READ_BIT = 0;
export const FD_WRITE_BIT = 1;
export const FD_OOB_BIT = 2;
export const FD_ACCEPT_BIT = 3;
export const FD_CONNECT_BIT = 4;
export const FD_CLOSE_BIT = 5;
export const FD_QOS_BIT = 6;
export const FD_GROUP_QOS_BIT = 7;
export const FD_ROUTING_INTERFACE_CHANGE_BIT = 8;
export const FD_ADDRESS_LIST_CHANGE_BIT = 9;
/** Data can be read. */
export const FD_READ = 0x1;
/** Data can be sent. */
export const FD_WRITE = 0x2;
/** Urgent data waits. */
export const FD_OOB = 0x4;
/** A connection waits for accept. */
export const FD_ACCEPT = 0x8;
/** A connect has finished. */
export const FD_CONNECT = 0x10;
/** The peer has closed, or the connection broke. */
export const FD_CLOSE = 0x20;
/** Quality of service changed. */
export const FD_QOS = 0x40;
/** Reserved. */
export const FD_GROUP_QOS = 0x80;
/** The local interface for a destination changed. */
export const FD_ROUTING_INTERFACE_CHANGE = 0x100;
/** The addresses that can be bound changed. */
export const FD_ADDRESS_LIST_CHANGE = 0x200;
/** How many network events there are. */
export const FD_MAX_EVENTS = 10;
export const FD_ALL_EVENTS = 0x3ff;

/** `shutdown`: no more receiving, no more sending, neither. */
export const SD_RECEIVE = 0;
export const SD_SEND = 1;
export const SD_BOTH = 2;

/** Backlog: "the provider's maximum" (SEM-BKLG-01). */
export const SOMAXCONN = 0x7fff_ffff;
/** The backlog that Winsock 1.1's header names. */
export const SOMAXCONN_1_1 = 5;

/** A backlog of about `n`, taken as a hint rather than replaced by the nearest legal value (SEM-BKLG-02). */
export function SOMAXCONN_HINT(n: number): number {
  return -asNumber(n);
}

/** Flags of WSASocket. */
export const WSA_FLAG_OVERLAPPED = 0x1;
export const WSA_FLAG_MULTIPOINT_C_ROOT = 0x2;
export const WSA_FLAG_MULTIPOINT_C_LEAF = 0x4;
export const WSA_FLAG_MULTIPOINT_D_ROOT = 0x8;
export const WSA_FLAG_MULTIPOINT_D_LEAF = 0x10;
export const WSA_FLAG_ACCESS_SYSTEM_SECURITY = 0x40;
export const WSA_FLAG_NO_HANDLE_INHERIT = 0x80;
export const WSA_FLAG_REGISTERED_IO = 0x100;

/** Events of WSAPoll (SEM-POLL-09). */
export const POLLERR = 0x1;
export const POLLHUP = 0x2;
export const POLLNVAL = 0x4;
export const POLLWRNORM = 0x10;
export const POLLOUT = POLLWRNORM;
export const POLLWRBAND = 0x20;
export const POLLRDNORM = 0x100;
export const POLLRDBAND = 0x200;
export const POLLIN = POLLRDNORM | POLLRDBAND;
export const POLLPRI = 0x400;

/** Entries that an `fd_set` of the header's own size holds. */
export const FD_SETSIZE = 64;

/** Waiting on events. */
export const WSA_INVALID_EVENT = 0;
export const WSA_MAXIMUM_WAIT_EVENTS = 64;
export const WSA_INFINITE = 0xffff_ffff;
export const WSA_WAIT_EVENT_0 = 0;
export const WSA_WAIT_IO_COMPLETION = 0xc0;
export const WSA_WAIT_TIMEOUT = 258;
export const WSA_WAIT_FAILED = 0xffff_ffff;

/** What a condition function of WSAAccept answers. */
export const CF_ACCEPT = 0;
export const CF_REJECT = 1;
export const CF_DEFER = 2;

/** Flags of WSAJoinLeaf. */
export const JL_SENDER_ONLY = 1;
export const JL_RECEIVER_ONLY = 2;
export const JL_BOTH = 4;

/** Groups of sockets; reserved. */
export const SG_UNCONSTRAINED_GROUP = 1;
export const SG_CONSTRAINED_GROUP = 2;

/** Service flags of a protocol (`dwServiceFlags1`). */
export const XP1_CONNECTIONLESS = 0x1;
export const XP1_GUARANTEED_DELIVERY = 0x2;
export const XP1_GUARANTEED_ORDER = 0x4;
export const XP1_MESSAGE_ORIENTED = 0x8;
export const XP1_PSEUDO_STREAM = 0x10;
export const XP1_GRACEFUL_CLOSE = 0x20;
export const XP1_EXPEDITED_DATA = 0x40;
export const XP1_CONNECT_DATA = 0x80;
export const XP1_DISCONNECT_DATA = 0x100;
export const XP1_SUPPORT_BROADCAST = 0x200;
export const XP1_SUPPORT_MULTIPOINT = 0x400;
export const XP1_MULTIPOINT_CONTROL_PLANE = 0x800;
export const XP1_MULTIPOINT_DATA_PLANE = 0x1000;
export const XP1_QOS_SUPPORTED = 0x2000;
export const XP1_INTERRUPT = 0x4000;
export const XP1_UNI_SEND = 0x8000;
export const XP1_UNI_RECV = 0x1_0000;
/** Its sockets are handles of the operating system. */
export const XP1_IFS_HANDLES = 0x2_0000;
export const XP1_PARTIAL_MESSAGE = 0x4_0000;
export const XP1_SAN_SUPPORT_SDP = 0x8_0000;

/** Provider flags of a protocol (`dwProviderFlags`). */
export const PFL_MULTIPLE_PROTO_ENTRIES = 0x1;
export const PFL_RECOMMENDED_PROTO_ENTRY = 0x2;
/** Matched, but not enumerated (SEM-SOCK-03). */
export const PFL_HIDDEN = 0x4;
/** Matches protocol 0 (SEM-SOCK-01). */
export const PFL_MATCHES_PROTOCOL_ZERO = 0x8;
export const PFL_NETWORKDIRECT_PROVIDER = 0x10;

/** Values of a chain's length: a layer itself, and a base provider. */
export const LAYERED_PROTOCOL = 0;
export const BASE_PROTOCOL = 1;
export const MAX_PROTOCOL_CHAIN = 7;
/** Characters of a protocol's name, without the ending zero. */
export const WSAPROTOCOL_LEN = 255;

/** `iNetworkByteOrder` and `iSecurityScheme` of a protocol. */
export const BIGENDIAN = 0;
export const LITTLEENDIAN = 1;
export const SECURITY_PROTOCOL_NONE = 0;
export const SECURITY_PROTOCOL_SSL = 1;

/** Flags of an INTERFACE_INFO. */
export const IFF_UP = 0x1;
export const IFF_BROADCAST = 0x2;
export const IFF_LOOPBACK = 0x4;
export const IFF_POINTTOPOINT = 0x8;
export const IFF_MULTICAST = 0x10;
