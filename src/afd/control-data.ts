/**
 * Control data of received messages: what a receive tells beside a message's bytes, for the options that ask for it (SEM-IO-23,
 * STR-WSACMSGHDR).
 */

import {
  IN_PKTINFO_LEN,
  IN6_PKTINFO_LEN,
  IP_ECN,
  IP_HOPLIMIT,
  IP_ORIGINAL_ARRIVAL_IF,
  IP_PKTINFO,
  IP_PKTINFO_EX,
  IP_RECVDSTADDR,
  IP_RECVIF,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_ECN,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_PKTINFO_EX,
  IPV6_RECVDSTADDR,
  IPV6_RECVIF,
  IPV6_TCLASS,
  MSG_BCAST,
  MSG_CTRUNC,
  MSG_MCAST,
  SO_TIMESTAMP,
  SOL_SOCKET,
  UDP_COALESCED_INFO,
  writeControlHead,
} from '../abi/index.ts';
import { type IpAddress, putI32, putI32le } from '../base/index.ts';
import type { DatagramInfo } from '../stack/index.ts';

/** Bytes before the control data that hold its length: see `AfdOp.recv`. */
export const CONTROL_LENGTH_LEN = 4;

/** What is told of received messages; a set of bits, by the options that switch them on, at either level. */
export const ControlWish = {
  packetInfo: 1,
  ttl: 2,
  tos: 4,
  ecn: 8,
  interface: 16,
  destination: 32,
  arrivalInterface: 64,
  packetInfoEx: 128,
  /** Never told: a packet with a routing header that is still to be followed is not taken (RFC 5095), and no source route is. */
  routingHeader: 256,
  /** Never told: nobody redirects connections here. */
  redirectRecords: 512,
  redirectContext: 1024,
} as const;

const ECN_BITS = 3;
/** Ticks of the performance counter in a ms: 10 MHz, as Windows has it. */
const TICKS_PER_MS = 10_000;

/**
 * Writes what a socket wants to know of a message: the length of the control data, then that data, then zeros up to `room`.
 * @param wishes `ControlWish` bits for IPv4's packets
 * @param wishesV6 and for IPv6's
 * @returns MSG_* of the message: MSG_CTRUNC when not all fitted
 */
export function writeControl(
  into: Uint8Array,
  room: number,
  wishes: number,
  wishesV6: number,
  info: DatagramInfo,
): number {
  into.fill(0, 0, room);
  const writer = new ControlWriter(into, room);
  const { destination } = info;
  if (destination.family === 4 || destination.isV4Mapped) writeV4(writer, into, wishes, info);
  else writeV6(writer, into, wishesV6, info);
  if (info.segmentSize > 0) writer.int(IPPROTO_UDP, UDP_COALESCED_INFO, info.segmentSize);
  if (info.arrivedAt >= 0) {
    const at = writer.head(SOL_SOCKET, SO_TIMESTAMP, 8);
    if (at >= 0) putTicks(into, at, info.arrivedAt);
  }
  putI32le(into, 0, writer.length);
  let flags = writer.isCut ? MSG_CTRUNC : 0;
  if (info.isGroup) flags |= destination.isMulticast ? MSG_MCAST : MSG_BCAST;
  return flags;
}

function writeV4(writer: ControlWriter, into: Uint8Array, wishes: number, info: DatagramInfo): void {
  const { destination, interfaceIndex } = info;
  if ((wishes & ControlWish.packetInfo) !== 0) {
    const at = writer.head(IPPROTO_IP, IP_PKTINFO, IN_PKTINFO_LEN);
    if (at >= 0) putPacketInfo(into, at, destination, interfaceIndex);
  }
  if ((wishes & ControlWish.packetInfoEx) !== 0) {
    const at = writer.head(IPPROTO_IP, IP_PKTINFO_EX, IN_PKTINFO_LEN + 4);
    if (at >= 0) putPacketInfo(into, at, destination, interfaceIndex);
  }
  if ((wishes & ControlWish.destination) !== 0) {
    const at = writer.head(IPPROTO_IP, IP_RECVDSTADDR, 4);
    if (at >= 0) putI32(into, at, destination.w3);
  }
  if ((wishes & ControlWish.interface) !== 0) writer.int(IPPROTO_IP, IP_RECVIF, interfaceIndex);
  if ((wishes & ControlWish.arrivalInterface) !== 0) {
    writer.int(IPPROTO_IP, IP_ORIGINAL_ARRIVAL_IF, interfaceIndex);
  }
  if ((wishes & ControlWish.ttl) !== 0) writer.int(IPPROTO_IP, IP_HOPLIMIT, info.ttl);
  if ((wishes & ControlWish.tos) !== 0) writer.int(IPPROTO_IP, IP_TOS, info.trafficClass);
  if ((wishes & ControlWish.ecn) !== 0) writer.int(IPPROTO_IP, IP_ECN, info.trafficClass & ECN_BITS);
}

function writeV6(writer: ControlWriter, into: Uint8Array, wishes: number, info: DatagramInfo): void {
  const { destination, interfaceIndex } = info;
  if ((wishes & ControlWish.packetInfo) !== 0) {
    const at = writer.head(IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO_LEN);
    if (at >= 0) putPacketInfo(into, at, destination, interfaceIndex);
  }
  if ((wishes & ControlWish.packetInfoEx) !== 0) {
    const at = writer.head(IPPROTO_IPV6, IPV6_PKTINFO_EX, IN6_PKTINFO_LEN + 4);
    if (at >= 0) {
      putPacketInfo(into, at, destination, interfaceIndex);
      putI32le(into, at + IN6_PKTINFO_LEN, destination.zone);
    }
  }
  if ((wishes & ControlWish.destination) !== 0) {
    const at = writer.head(IPPROTO_IPV6, IPV6_RECVDSTADDR, 16);
    if (at >= 0) putIpv6(into, at, destination);
  }
  if ((wishes & ControlWish.interface) !== 0) writer.int(IPPROTO_IPV6, IPV6_RECVIF, interfaceIndex);
  if ((wishes & ControlWish.ttl) !== 0) writer.int(IPPROTO_IPV6, IPV6_HOPLIMIT, info.ttl);
  if ((wishes & ControlWish.tos) !== 0) writer.int(IPPROTO_IPV6, IPV6_TCLASS, info.trafficClass);
  if ((wishes & ControlWish.ecn) !== 0) writer.int(IPPROTO_IPV6, IPV6_ECN, info.trafficClass & ECN_BITS);
}

/** An in_pktinfo, or an in6_pktinfo: address and interface. */
function putPacketInfo(into: Uint8Array, at: number, address: IpAddress, interfaceIndex: number): void {
  const isV4 = address.family === 4 || address.isV4Mapped;
  if (isV4) putI32(into, at, address.w3);
  else putIpv6(into, at, address);
  putI32le(into, at + (isV4 ? 4 : 16), interfaceIndex);
}

function putIpv6(into: Uint8Array, at: number, { w0, w1, w2, w3 }: IpAddress): void {
  putI32(into, at, w0);
  putI32(into, at + 4, w1);
  putI32(into, at + 8, w2);
  putI32(into, at + 12, w3);
}

/** Writes a time as a UINT64 of the performance counter. @param ms stack time */
export function putTicks(into: Uint8Array, at: number, ms: number): void {
  const ticks = Math.floor(ms * TICKS_PER_MS);
  putI32le(into, at, (ticks % 2 ** 32) | 0);
  putI32le(into, at + 4, Math.floor(ticks / 2 ** 32));
}

class ControlWriter {
  isCut = false;
  readonly #into: Uint8Array;
  readonly #end: number;
  #at = CONTROL_LENGTH_LEN;

  constructor(into: Uint8Array, end: number) {
    this.#into = into;
    this.#end = end;
  }

  get length(): number {
    return this.#at - CONTROL_LENGTH_LEN;
  }

  /** @returns where the data goes, -1 when there is no room */
  head(level: number, type: number, length: number): number {
    const at = writeControlHead(this.#into, this.#at, this.#end, level, type, length);
    if (at < 0) this.isCut = true;
    else this.#at = at + ((length + 7) & ~7);
    return at;
  }

  int(level: number, type: number, value: number): void {
    const at = this.head(level, type, 4);
    if (at >= 0) putI32le(this.#into, at, value);
  }
}
