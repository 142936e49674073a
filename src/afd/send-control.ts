/**
 * Control data of sends: what one message says in place of the socket's options (STR-WSACMSGHDR).
 */

import {
  IN_PKTINFO_LEN,
  IN6_PKTINFO_LEN,
  IP_ECN,
  IP_HOPLIMIT,
  IP_PKTINFO,
  IP_TCLASS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_ECN,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  readControlMessages,
  SO_TIMESTAMP_ID,
  SOL_SOCKET,
  UDP_SEND_MSG_SIZE,
  WSAEINVAL,
} from '../abi/index.ts';
import { IpAddress, i32, i32le } from '../base/index.ts';
import type { MessageEndpoint, UdpEndpoint } from '../stack/index.ts';

const ECN_BITS = 3;
const CONGESTION_EXPERIENCED = 3;

/** What a send says in place of the socket's options; -1 and `null`: nothing. */
export interface SendControl {
  ttl: number;
  trafficClass: number;
  ecn: number;
  segmentSize: number;
  /** Where it leaves from, to a destination of IPv4 and of IPv6 (SEM-DS-06), and by which interface; 0: any. */
  source4: IpAddress | null;
  source6: IpAddress | null;
  interfaceIndex: number;
  /** Under which number its time of sending is to be kept (SO_TIMESTAMP_ID). */
  timestampId: number;
}

/** Reads the control data of a send. @returns WSAEINVAL when it is malformed, unknown or not allowed */
export function readSendControl(bytes: Uint8Array): SendControl | number {
  const messages = readControlMessages(bytes);
  if (messages === null) return WSAEINVAL;
  const control: SendControl = {
    ttl: -1,
    trafficClass: -1,
    ecn: -1,
    segmentSize: -1,
    source4: null,
    source6: null,
    interfaceIndex: 0,
    timestampId: -1,
  };
  for (const { level, type, data } of messages) {
    const error = readOne(level, type, data, control);
    if (error !== 0) return error;
  }
  return control;
}

function readOne(level: number, type: number, data: Uint8Array, control: SendControl): number {
  switch (level) {
    case IPPROTO_IP:
      return type === IP_PKTINFO ? readPacketInfoV4(data, control) : readValue(kindOfV4(type), data, control);
    case IPPROTO_IPV6:
      return type === IPV6_PKTINFO
        ? readPacketInfoV6(data, control)
        : readValue(kindOfV6(type), data, control);
    case IPPROTO_UDP:
      if (type !== UDP_SEND_MSG_SIZE || data.length < 4) return WSAEINVAL;
      control.segmentSize = i32le(data, 0);
      return control.segmentSize < 0 ? WSAEINVAL : 0;
    case SOL_SOCKET:
      if (type !== SO_TIMESTAMP_ID || data.length < 4) return WSAEINVAL;
      control.timestampId = i32le(data, 0) >>> 0;
      return 0;
    default:
      return WSAEINVAL;
  }
}

function readPacketInfoV4(data: Uint8Array, control: SendControl): number {
  if (data.length < IN_PKTINFO_LEN) return WSAEINVAL;
  const source = IpAddress.v4(i32(data, 0));
  control.source4 = source.isAny ? null : source;
  control.interfaceIndex = i32le(data, 4);
  return 0;
}

function readPacketInfoV6(data: Uint8Array, control: SendControl): number {
  if (data.length < IN6_PKTINFO_LEN) return WSAEINVAL;
  control.interfaceIndex = i32le(data, 16);
  const source = new IpAddress(6, i32(data, 0), i32(data, 4), i32(data, 8), i32(data, 12));
  if (source.isAny) control.source6 = null;
  else control.source6 = source.isScoped ? source.inZone(control.interfaceIndex) : source;
  return 0;
}

type ValueKind = 'ttl' | 'trafficClass' | 'ecn' | null;

function kindOfV4(type: number): ValueKind {
  if (type === IP_TTL || type === IP_HOPLIMIT) return 'ttl';
  if (type === IP_TOS || type === IP_TCLASS) return 'trafficClass';
  return type === IP_ECN ? 'ecn' : null;
}

function kindOfV6(type: number): ValueKind {
  if (type === IPV6_HOPLIMIT) return 'ttl';
  if (type === IPV6_TCLASS) return 'trafficClass';
  return type === IPV6_ECN ? 'ecn' : null;
}

/** An INT of 0 … 255; whether there was congestion is for routers to say (OPT-IP_RECVECN). */
function readValue(kind: ValueKind, data: Uint8Array, control: SendControl): number {
  if (kind === null || data.length < 4) return WSAEINVAL;
  const value = i32le(data, 0);
  if (value < 0 || value > 255 || (kind === 'ecn' && value >= CONGESTION_EXPERIENCED)) return WSAEINVAL;
  control[kind] = value;
  return 0;
}

/**
 * Sends with what the control data says in place of the endpoint's options, which are as before afterwards.
 * @param to where it goes
 */
export function sendWith(
  endpoint: MessageEndpoint,
  control: SendControl,
  to: IpAddress,
  send: () => number,
): number {
  const { ttl, trafficClass, source, multicastTtl, unicastInterface, multicastInterface } = endpoint;
  const udp = endpoint.kind === 'udp' ? (endpoint as UdpEndpoint) : null;
  const segmentSize = udp?.segmentSize ?? 0;
  if (control.ttl >= 0) {
    endpoint.ttl = control.ttl;
    endpoint.multicastTtl = control.ttl;
  }
  if (control.trafficClass >= 0) endpoint.trafficClass = control.trafficClass;
  if (control.ecn >= 0) endpoint.trafficClass = (endpoint.trafficClass & ~ECN_BITS) | control.ecn;
  const from = to.family === 4 || to.isV4Mapped ? control.source4 : control.source6;
  if (from !== null) endpoint.source = from;
  const isByInterface = control.interfaceIndex !== 0;
  if (isByInterface) {
    endpoint.unicastInterface = control.interfaceIndex;
    endpoint.multicastInterface = control.interfaceIndex;
  }
  if (udp !== null && control.segmentSize >= 0) udp.segmentSize = control.segmentSize;
  const answer = send();
  endpoint.ttl = ttl;
  endpoint.multicastTtl = multicastTtl;
  endpoint.trafficClass = trafficClass;
  endpoint.source = source;
  if (isByInterface) {
    endpoint.unicastInterface = unicastInterface;
    endpoint.multicastInterface = multicastInterface;
  }
  if (udp !== null) udp.segmentSize = segmentSize;
  return answer;
}
