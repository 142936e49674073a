/**
 * Control data of messages: what a receive tells beside a message's bytes, for the options that ask for it, and what a send says
 * in place of the socket's options (SEM-IO-23, STR-WSACMSGHDR).
 */

import {
  IP_ECN,
  IP_HOPLIMIT,
  IP_PKTINFO,
  IP_RECVDSTADDR,
  IP_RECVIF,
  IP_TCLASS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_UDP,
  MSG_BCAST,
  MSG_CTRUNC,
  MSG_MCAST,
  readControlMessages,
  UDP_COALESCED_INFO,
  UDP_SEND_MSG_SIZE,
  WSAEINVAL,
  writeControlHead,
} from '../abi/index.ts';
import { IpAddress, i32, i32le, putI32, putI32le } from '../base/index.ts';
import type { DatagramInfo, MessageEndpoint, UdpEndpoint } from '../stack/index.ts';

/** Bytes before the control data that hold its length: see `AfdOp.recv`. */
export const CONTROL_LENGTH_LEN = 4;

/** What is told of received messages; a set of bits, by the options that switch them on. */
export const ControlWish = { packetInfo: 1, ttl: 2, tos: 4, ecn: 8, interface: 16, destination: 32 } as const;

const ECN_BITS = 3;
const CONGESTION_EXPERIENCED = 3;

/**
 * Writes what a socket wants to know of a message: the length of the control data, then that data, then zeros up to `room`.
 * @param wishes `ControlWish` bits
 * @returns MSG_* of the message: MSG_CTRUNC when not all fitted
 */
export function writeControl(into: Uint8Array, room: number, wishes: number, info: DatagramInfo): number {
  into.fill(0, 0, room);
  const writer = new ControlWriter(into, room);
  const { destination } = info;
  if (destination.family === 4) {
    if ((wishes & ControlWish.packetInfo) !== 0) {
      const at = writer.head(IPPROTO_IP, IP_PKTINFO, 8);
      if (at >= 0) {
        putI32(into, at, destination.w3);
        putI32le(into, at + 4, info.interfaceIndex);
      }
    }
    if ((wishes & ControlWish.destination) !== 0) {
      const at = writer.head(IPPROTO_IP, IP_RECVDSTADDR, 4);
      if (at >= 0) putI32(into, at, destination.w3);
    }
    if ((wishes & ControlWish.interface) !== 0) writer.int(IPPROTO_IP, IP_RECVIF, info.interfaceIndex);
    if ((wishes & ControlWish.ttl) !== 0) writer.int(IPPROTO_IP, IP_HOPLIMIT, info.ttl);
    if ((wishes & ControlWish.tos) !== 0) writer.int(IPPROTO_IP, IP_TOS, info.trafficClass);
    if ((wishes & ControlWish.ecn) !== 0) writer.int(IPPROTO_IP, IP_ECN, info.trafficClass & ECN_BITS);
  }
  if (info.segmentSize > 0) writer.int(IPPROTO_UDP, UDP_COALESCED_INFO, info.segmentSize);
  putI32le(into, 0, writer.length);
  let flags = writer.isCut ? MSG_CTRUNC : 0;
  if (info.isGroup) flags |= destination.isMulticast ? MSG_MCAST : MSG_BCAST;
  return flags;
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

/** What a send says in place of the socket's options; -1 and `null`: nothing. */
export interface SendControl {
  ttl: number;
  trafficClass: number;
  ecn: number;
  segmentSize: number;
  source: IpAddress | null;
}

/** Reads the control data of a send. @returns WSAEINVAL when it is malformed, unknown or not allowed */
export function readSendControl(bytes: Uint8Array): SendControl | number {
  const messages = readControlMessages(bytes);
  if (messages === null) return WSAEINVAL;
  const control: SendControl = { ttl: -1, trafficClass: -1, ecn: -1, segmentSize: -1, source: null };
  for (const { level, type, data } of messages) {
    const error =
      level === IPPROTO_IP
        ? readIp(type, data, control)
        : level === IPPROTO_UDP && type === UDP_SEND_MSG_SIZE && data.length >= 4
          ? readSegmentSize(data, control)
          : WSAEINVAL;
    if (error !== 0) return error;
  }
  return control;
}

function readIp(type: number, data: Uint8Array, control: SendControl): number {
  if (type === IP_PKTINFO) {
    if (data.length < 8) return WSAEINVAL;
    const source = IpAddress.v4(i32(data, 0));
    control.source = source.isAny ? null : source;
    return 0;
  }
  if (data.length < 4) return WSAEINVAL;
  const value = i32le(data, 0);
  if (value < 0 || value > 255) return WSAEINVAL;
  switch (type) {
    case IP_TTL:
    case IP_HOPLIMIT:
      control.ttl = value;
      return 0;
    case IP_TOS:
    case IP_TCLASS:
      control.trafficClass = value;
      return 0;
    case IP_ECN:
      // Whether there was congestion is for routers to say (OPT-IP_RECVECN).
      if (value >= CONGESTION_EXPERIENCED) return WSAEINVAL;
      control.ecn = value;
      return 0;
    default:
      return WSAEINVAL;
  }
}

function readSegmentSize(data: Uint8Array, control: SendControl): number {
  control.segmentSize = i32le(data, 0);
  return control.segmentSize < 0 ? WSAEINVAL : 0;
}

/** Sends with what the control data says in place of the endpoint's options, which are as before afterwards. */
export function sendWith(endpoint: MessageEndpoint, control: SendControl, send: () => number): number {
  const { ttl, trafficClass, source } = endpoint;
  const udp = endpoint.kind === 'udp' ? (endpoint as UdpEndpoint) : null;
  const segmentSize = udp?.segmentSize ?? 0;
  if (control.ttl >= 0) endpoint.ttl = control.ttl;
  if (control.trafficClass >= 0) endpoint.trafficClass = control.trafficClass;
  if (control.ecn >= 0) endpoint.trafficClass = (endpoint.trafficClass & ~ECN_BITS) | control.ecn;
  if (control.source !== null) endpoint.source = control.source;
  if (udp !== null && control.segmentSize >= 0) udp.segmentSize = control.segmentSize;
  const answer = send();
  endpoint.ttl = ttl;
  endpoint.trafficClass = trafficClass;
  endpoint.source = source;
  if (udp !== null) udp.segmentSize = segmentSize;
  return answer;
}
