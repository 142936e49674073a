/**
 * Address families, socket types and protocol numbers (winsock2.h, ws2def.h).
 */

/** Family not stated. */
export const AF_UNSPEC = 0;
/** Local sockets named by a path. */
export const AF_UNIX = 1;
/** IPv4. */
export const AF_INET = 2;
/** IPX and SPX. */
export const AF_IPX = 6;
/** AppleTalk. */
export const AF_APPLETALK = 16;
/** NetBIOS names. */
export const AF_NETBIOS = 17;
/** IPv6: 23, which differs from every Unix. */
export const AF_INET6 = 23;
/** Infrared on desktop Windows; Windows CE uses {@link AF_IRDA_CE}. */
export const AF_IRDA = 26;
/** Infrared on Windows CE and Windows Mobile. */
export const AF_IRDA_CE = 22;
/** Bluetooth. */
export const AF_BTH = 32;

/** A stream of bytes: TCP. */
export const SOCK_STREAM = 1;
/** Datagrams: UDP. */
export const SOCK_DGRAM = 2;
/** Whole IP payloads of one protocol. */
export const SOCK_RAW = 3;
/** Reliably delivered messages. */
export const SOCK_RDM = 4;
/** A stream of packets with boundaries. */
export const SOCK_SEQPACKET = 5;

/** Level of the IPv4 options; as a protocol of a raw socket, all of them. */
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_GGP = 3;
export const IPPROTO_IPV4 = 4;
export const IPPROTO_ST = 5;
export const IPPROTO_TCP = 6;
export const IPPROTO_CBT = 7;
export const IPPROTO_EGP = 8;
export const IPPROTO_IGP = 9;
export const IPPROTO_PUP = 12;
export const IPPROTO_UDP = 17;
export const IPPROTO_IDP = 22;
export const IPPROTO_RDP = 27;
/** Level of the IPv6 options. */
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
export const IPPROTO_ESP = 50;
export const IPPROTO_AH = 51;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_NONE = 59;
export const IPPROTO_DSTOPTS = 60;
export const IPPROTO_ND = 77;
export const IPPROTO_ICLFXBM = 78;
export const IPPROTO_PIM = 103;
/** Pragmatic general multicast. */
export const IPPROTO_RM = 113;
export const IPPROTO_L2TP = 115;
export const IPPROTO_SCTP = 132;
export const IPPROTO_RAW = 255;
/** One past the largest protocol number. */
export const IPPROTO_MAX = 256;
/** The one protocol of infrared stream sockets. */
export const IRDA_PROTO_SOCK_STREAM = 1;

/** Given to WSASocket as family, type or protocol: take the member of the protocol info (SEM-SOCK-05). */
export const FROM_PROTOCOL_INFO = -1;
/** Failure value of calls that return a SOCKET, as the 64-bit all-ones handle reads in 32 signed bits. */
export const INVALID_SOCKET = -1;
/** Failure value of calls that return an int. */
export const SOCKET_ERROR = -1;

/** IPv4 addresses in host order, as unsigned numbers. */
export const INADDR_ANY = 0;
export const INADDR_LOOPBACK = 0x7f00_0001;
export const INADDR_BROADCAST = 0xffff_ffff;
/** What `inet_addr` answers for text that is no address. */
export const INADDR_NONE = 0xffff_ffff;

/** Families by number, for text. Those that only the header names are included. */
const FAMILY_NAMES: readonly string[] = (
  'UNSPEC UNIX INET IMPLINK PUP CHAOS IPX ISO ECMA DATAKIT CCITT SNA DECnet DLI LAT HYLINK APPLETALK NETBIOS ' +
  'VOICEVIEW FIREFOX UNKNOWN1 BAN ATM INET6 CLUSTER 12844 IRDA - NETDES TCNPROCESS TCNMESSAGE ICLFXBM BTH'
).split(' ');

/** `AF_INET` for 2; the number itself for a family without a name. */
export function addressFamilyName(family: number): string {
  const name = FAMILY_NAMES[family];
  return name === undefined || name === '-' ? `AF ${family}` : `AF_${name}`;
}
