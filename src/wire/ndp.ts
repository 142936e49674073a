/**
 * Neighbor Discovery messages (RFC 4861 §4), with the checks of §6.1, §7.1 and §8.1: solicitations and advertisements of neighbours
 * and routers, and redirects.
 *
 *     0      1      2          4                8             24
 *     | type | code | checksum | flags, ……      | target (16) | options … each | type | length / 8 | … |
 *
 * What a router advertises besides its flags is read by `readRouterAdvertisement`.
 */

import { i32, isLinkLocalWord, putI32, putU16, u8, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { IcmpV6Type } from './icmpv6.ts';

/** Types of options (IANA "IPv6 Neighbor Discovery Option Formats"). */
export const NdpOption = {
  sourceLinkAddress: 1,
  targetLinkAddress: 2,
  prefixInformation: 3,
  redirectedHeader: 4,
  mtu: 5,
  nonce: 14,
  routeInformation: 24,
  recursiveDnsServer: 25,
  dnsSearchList: 31,
} as const;

/** RFC 4861 §6.1 and others: a message that has crossed a router has less, and is not believed. */
export const NDP_HOP_LIMIT = 255;

/** Bytes of messages without options. */
export const ROUTER_SOLICITATION_LEN = 8;
export const ROUTER_ADVERTISEMENT_LEN = 16;
export const NEIGHBOR_MESSAGE_LEN = 24;
export const REDIRECT_LEN = 40;
/** Bytes of a link-layer address option on Ethernet (RFC 2464 §6), and of a nonce of six bytes (RFC 3971 §5.3.2). */
export const LINK_ADDRESS_OPTION_LEN = 8;
export const NONCE_OPTION_LEN = 8;
const NONCE_LEN = 6;

/** Flags of a Neighbor Advertisement (§4.4), in its first byte of flags. */
const FLAG_ROUTER = 0x80;
const FLAG_SOLICITED = 0x40;
const FLAG_OVERRIDE = 0x20;

/** Options of one message that are looked at; nobody sends nearly as many. */
const MAX_OPTIONS = 64;

/** The addresses of the packet that carries a message: what `InboundPacket` has. */
export interface NdpAddresses {
  readonly src0: number;
  readonly src1: number;
  readonly src2: number;
  readonly src3: number;
  readonly dst0: number;
  readonly dst1: number;
  readonly dst2: number;
  readonly dst3: number;
}

/** A message in numbers; one object, filled anew for each. Fields of other types of message are 0. */
export class NdpMessage {
  type = 0;
  isRouter = false;
  isSolicited = false;
  isOverride = false;
  /** Whom it is about. */
  target0 = 0;
  target1 = 0;
  target2 = 0;
  target3 = 0;
  /** Of a redirect: the destination that is to be reached by way of the target. */
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  /** Link-layer addresses (see `EthernetHeader`). */
  hasSourceMac = false;
  sourceHigh = 0;
  sourceLow = 0;
  hasTargetMac = false;
  targetHigh = 0;
  targetLow = 0;
  /** RFC 3971 §5.3.2; -1 when there is none, else where it is, and its length in bytes. */
  nonceAt = -1;
  nonceLength = 0;
  /** Of a redirect: the packet that caused it; both 0 when it is not there. */
  redirectedAt = 0;
  redirectedEnd = 0;

  clear(): void {
    this.isRouter = false;
    this.isSolicited = false;
    this.isOverride = false;
    this.target0 = 0;
    this.target1 = 0;
    this.target2 = 0;
    this.target3 = 0;
    this.destination0 = 0;
    this.destination1 = 0;
    this.destination2 = 0;
    this.destination3 = 0;
    this.hasSourceMac = false;
    this.hasTargetMac = false;
    this.nonceAt = -1;
    this.nonceLength = 0;
    this.redirectedAt = 0;
    this.redirectedEnd = 0;
  }
}

/**
 * Reads and checks the message `at … end`, whose ICMPv6 checksum is right.
 *
 * After `none` every option lies whole within the message. Options of unknown types are passed over (§4.6).
 * @param packet whose addresses the message came between
 * @param hopLimit that of the packet
 */
export function parseNdp(
  bytes: Uint8Array,
  at: number,
  end: number,
  packet: NdpAddresses,
  hopLimit: number,
  into: NdpMessage,
): DropReason {
  const type = u8(bytes, at);
  into.type = type;
  into.clear();
  if (hopLimit !== NDP_HOP_LIMIT) return DropReason.ndpHopLimit;
  if (u8(bytes, at + 1) !== 0) return DropReason.ndpMalformed;
  const fixed = fixedLength(type);
  if (end - at < fixed) return DropReason.ndpMalformed;
  if (fixed >= NEIGHBOR_MESSAGE_LEN) readTarget(bytes, at, into);
  if (type === IcmpV6Type.redirect) readDestination(bytes, at, into);
  const flags = u8(bytes, at + 4);
  if (type === IcmpV6Type.neighborAdvertisement) {
    into.isRouter = (flags & FLAG_ROUTER) !== 0;
    into.isSolicited = (flags & FLAG_SOLICITED) !== 0;
    into.isOverride = (flags & FLAG_OVERRIDE) !== 0;
  }
  if (!readOptions(bytes, at + fixed, end, into)) return DropReason.ndpOption;
  return isPlausible(type, packet, into) ? DropReason.none : DropReason.ndpAddress;
}

/**
 * Where the option after the one at `at` starts, or the first one; for walks over options that `parseNdp` has checked.
 * @returns `end` after the last
 */
export function nextNdpOption(bytes: Uint8Array, at: number): number {
  return at + 8 * u8(bytes, at + 1);
}

/** Bytes before the options. */
function fixedLength(type: number): number {
  switch (type) {
    case IcmpV6Type.routerSolicitation:
      return ROUTER_SOLICITATION_LEN;
    case IcmpV6Type.routerAdvertisement:
      return ROUTER_ADVERTISEMENT_LEN;
    case IcmpV6Type.redirect:
      return REDIRECT_LEN;
    default:
      return NEIGHBOR_MESSAGE_LEN;
  }
}

function readTarget(bytes: Uint8Array, at: number, into: NdpMessage): void {
  into.target0 = i32(bytes, at + 8);
  into.target1 = i32(bytes, at + 12);
  into.target2 = i32(bytes, at + 16);
  into.target3 = i32(bytes, at + 20);
}

function readDestination(bytes: Uint8Array, at: number, into: NdpMessage): void {
  into.destination0 = i32(bytes, at + 24);
  into.destination1 = i32(bytes, at + 28);
  into.destination2 = i32(bytes, at + 32);
  into.destination3 = i32(bytes, at + 36);
}

/** @returns false when an option has no length, or more than is there */
function readOptions(bytes: Uint8Array, from: number, end: number, into: NdpMessage): boolean {
  let at = from;
  for (let count = 0; at < end; count++) {
    if (end - at < 2 || count === MAX_OPTIONS) return false;
    const length = 8 * u8(bytes, at + 1);
    if (length === 0 || length > end - at) return false;
    readOption(bytes, at, length, into);
    at += length;
  }
  return true;
}

function readOption(bytes: Uint8Array, at: number, length: number, into: NdpMessage): void {
  switch (u8(bytes, at)) {
    case NdpOption.sourceLinkAddress:
      into.hasSourceMac = true;
      into.sourceHigh = u16(bytes, at + 2);
      into.sourceLow = i32(bytes, at + 4);
      break;
    case NdpOption.targetLinkAddress:
      into.hasTargetMac = true;
      into.targetHigh = u16(bytes, at + 2);
      into.targetLow = i32(bytes, at + 4);
      break;
    case NdpOption.nonce:
      into.nonceAt = at + 2;
      into.nonceLength = length - 2;
      break;
    case NdpOption.redirectedHeader:
      into.redirectedAt = at + 8;
      into.redirectedEnd = at + length;
      break;
    default:
      break;
  }
}

/** The rules about addresses: §6.1.1, §6.1.2, §7.1.1, §7.1.2, §8.1. */
function isPlausible(type: number, packet: NdpAddresses, message: NdpMessage): boolean {
  const isFromNobody = (packet.src0 | packet.src1 | packet.src2 | packet.src3) === 0;
  const isFromLink = isLinkLocalWord(packet.src0);
  const isTargetGroup = message.target0 >>> 24 === 0xff;
  switch (type) {
    case IcmpV6Type.routerSolicitation:
      return !isFromNobody || !message.hasSourceMac;
    case IcmpV6Type.routerAdvertisement:
      return isFromLink;
    case IcmpV6Type.neighborSolicitation:
      if (isTargetGroup) return false;
      return !isFromNobody || (!message.hasSourceMac && isToSolicitedNode(packet, message.target3));
    case IcmpV6Type.neighborAdvertisement:
      return !isTargetGroup && !isFromNobody && !(packet.dst0 >>> 24 === 0xff && message.isSolicited);
    case IcmpV6Type.redirect:
      return isFromLink && message.destination0 >>> 24 !== 0xff && isRedirectTarget(message);
    default:
      return false;
  }
}

/** §8.1: a router by its link-local address, or the destination itself, which is on the link. */
function isRedirectTarget(message: NdpMessage): boolean {
  if (isLinkLocalWord(message.target0)) return true;
  return (
    message.target0 === message.destination0 &&
    message.target1 === message.destination1 &&
    message.target2 === message.destination2 &&
    message.target3 === message.destination3
  );
}

/** RFC 4291 §2.7.1: ff02::1:ffXX:XXXX with the last 24 bits of the address. */
function isToSolicitedNode(packet: NdpAddresses, target3: number): boolean {
  return (
    packet.dst0 === (0xff020000 | 0) &&
    packet.dst1 === 0 &&
    packet.dst2 === 1 &&
    packet.dst3 === (target3 | (0xff000000 | 0))
  );
}

/** Writes a link-layer address option. @returns its end */
export function writeLinkAddressOption(
  into: Uint8Array,
  at: number,
  option: number,
  macHigh: number,
  macLow: number,
): number {
  into[at] = option;
  into[at + 1] = LINK_ADDRESS_OPTION_LEN / 8;
  putU16(into, at + 2, macHigh);
  putI32(into, at + 4, macLow);
  return at + LINK_ADDRESS_OPTION_LEN;
}

/** Writes a nonce option of the six bytes at `nonce[0]`. @returns its end */
export function writeNonceOption(into: Uint8Array, at: number, nonce: Uint8Array): number {
  into[at] = NdpOption.nonce;
  into[at + 1] = NONCE_OPTION_LEN / 8;
  for (let i = 0; i < NONCE_LEN; i++) into[at + 2 + i] = nonce[i] as number;
  return at + NONCE_OPTION_LEN;
}
