/**
 * Structures of the multicast options and ioctls (ws2ipdef.h). Addresses are in network order, numbers little-endian.
 *
 *     ip_mreq            0 group          4 interface                                                                  8
 *     ip_mreq_source     0 group          4 source        8 interface                                                 12
 *     ipv6_mreq          0 group          16 interface index                                                          20
 *     group_req          0 index, padding 8 group (SOCKADDR_STORAGE)                                                 136
 *     group_source_req   0 index, padding 8 group         136 source                                                 264
 *     ip_msfilter        0 group          4 interface     8 mode           12 count           16 sources (4 each)
 *     group_filter       0 index, padding 8 group         136 mode         140 count          144 sources (128 each)
 *
 * The interface of an IPv4 structure is one of its addresses, or `0.x.x.x`: its index (SEM-MP-07).
 */

import { IpAddress, i32, i32le, putI32, putI32le } from '../base/index.ts';
import { readSockaddr, SOCKADDR_STORAGE_LEN, writeSockaddr } from './sockaddr.ts';

export const IP_MREQ_LEN = 8;
export const IP_MREQ_SOURCE_LEN = 12;
export const IPV6_MREQ_LEN = 20;
export const GROUP_REQ_LEN = 8 + SOCKADDR_STORAGE_LEN;
export const GROUP_SOURCE_REQ_LEN = GROUP_REQ_LEN + SOCKADDR_STORAGE_LEN;
/** Bytes before the sources. */
export const IP_MSFILTER_LEN = 16;
export const GROUP_FILTER_LEN = GROUP_REQ_LEN + 8;

/** MULTICAST_MODE_TYPE. */
export const MCAST_INCLUDE = 0;
export const MCAST_EXCLUDE = 1;

/** An ip_mreq, or with a source an ip_mreq_source. */
export interface IP_MREQ {
  readonly imr_multiaddr: IpAddress;
  readonly imr_interface: IpAddress;
  readonly imr_sourceaddr?: IpAddress;
}

/** Writes an ip_mreq, or an ip_mreq_source when there is a source. @returns where it ends */
export function writeIP_MREQ(into: Uint8Array, at: number, mreq: IP_MREQ): number {
  putI32(into, at, mreq.imr_multiaddr.w3);
  const isSource = mreq.imr_sourceaddr !== undefined;
  if (mreq.imr_sourceaddr !== undefined) putI32(into, at + 4, mreq.imr_sourceaddr.w3);
  const next = at + (isSource ? 8 : 4);
  putI32(into, next, mreq.imr_interface.w3);
  return next + 4;
}

/** Reads an ip_mreq; `null` when it is short. */
export function readIP_MREQ(bytes: Uint8Array): IP_MREQ | null {
  if (bytes.length < IP_MREQ_LEN) return null;
  return { imr_multiaddr: IpAddress.v4(i32(bytes, 0)), imr_interface: IpAddress.v4(i32(bytes, 4)) };
}

/** Reads an ip_mreq_source; `null` when it is short. */
export function readIP_MREQ_SOURCE(bytes: Uint8Array): Required<IP_MREQ> | null {
  if (bytes.length < IP_MREQ_SOURCE_LEN) return null;
  return {
    imr_multiaddr: IpAddress.v4(i32(bytes, 0)),
    imr_sourceaddr: IpAddress.v4(i32(bytes, 4)),
    imr_interface: IpAddress.v4(i32(bytes, 8)),
  };
}

export interface IPV6_MREQ {
  readonly ipv6mr_multiaddr: IpAddress;
  /** An index, 0: the system chooses. */
  readonly ipv6mr_interface: number;
}

/** Writes an ipv6_mreq. @returns where it ends */
export function writeIPV6_MREQ(into: Uint8Array, at: number, mreq: IPV6_MREQ): number {
  const { w0, w1, w2, w3 } = mreq.ipv6mr_multiaddr;
  for (const [i, word] of [w0, w1, w2, w3].entries()) putI32(into, at + 4 * i, word);
  putI32le(into, at + 16, mreq.ipv6mr_interface);
  return at + IPV6_MREQ_LEN;
}

/** Reads an ipv6_mreq; `null` when it is short. */
export function readIPV6_MREQ(bytes: Uint8Array): IPV6_MREQ | null {
  if (bytes.length < IPV6_MREQ_LEN) return null;
  return {
    ipv6mr_multiaddr: new IpAddress(6, i32(bytes, 0), i32(bytes, 4), i32(bytes, 8), i32(bytes, 12)),
    ipv6mr_interface: i32le(bytes, 16) >>> 0,
  };
}

/** A group_req, or with a source a group_source_req. */
export interface GROUP_REQ {
  readonly gr_interface: number;
  readonly gr_group: IpAddress;
  readonly gsr_source?: IpAddress;
}

/** Writes a group_req, or a group_source_req when there is a source. @returns where it ends */
export function writeGROUP_REQ(into: Uint8Array, at: number, request: GROUP_REQ): number {
  const end = at + (request.gsr_source === undefined ? GROUP_REQ_LEN : GROUP_SOURCE_REQ_LEN);
  into.fill(0, at, end);
  putI32le(into, at, request.gr_interface);
  writeSockaddr(into, at + 8, request.gr_group, 0);
  if (request.gsr_source !== undefined) writeSockaddr(into, at + GROUP_REQ_LEN, request.gsr_source, 0);
  return end;
}

/** Reads a group_req; `null` when it is short or its group is of a family that has no layout here. */
export function readGROUP_REQ(bytes: Uint8Array): GROUP_REQ | null {
  if (bytes.length < GROUP_REQ_LEN) return null;
  const group = storedAt(bytes, 8);
  return group === null ? null : { gr_interface: i32le(bytes, 0) >>> 0, gr_group: group };
}

/** Reads a group_source_req; `null` as {@link readGROUP_REQ}. */
export function readGROUP_SOURCE_REQ(bytes: Uint8Array): Required<GROUP_REQ> | null {
  if (bytes.length < GROUP_SOURCE_REQ_LEN) return null;
  const request = readGROUP_REQ(bytes);
  const source = storedAt(bytes, GROUP_REQ_LEN);
  return request === null || source === null ? null : { ...request, gsr_source: source };
}

/** What both filter structures say. */
export interface SOURCE_FILTER {
  readonly group: IpAddress;
  /** Of an ip_msfilter an address or `0.x.x.x`, of a group_filter an index. */
  readonly interface: IpAddress | number;
  /** MCAST_INCLUDE or MCAST_EXCLUDE. */
  readonly mode: number;
  readonly sources: readonly IpAddress[];
}

/** Reads an ip_msfilter; `null` when it is short, also of its own count. */
export function readIP_MSFILTER(bytes: Uint8Array): SOURCE_FILTER | null {
  if (bytes.length < IP_MSFILTER_LEN) return null;
  const count = i32le(bytes, 12) >>> 0;
  if (count > (bytes.length - IP_MSFILTER_LEN) / 4) return null;
  const sources = Array.from({ length: count }, (_, i) => IpAddress.v4(i32(bytes, IP_MSFILTER_LEN + 4 * i)));
  return {
    group: IpAddress.v4(i32(bytes, 0)),
    interface: IpAddress.v4(i32(bytes, 4)),
    mode: i32le(bytes, 8),
    sources,
  };
}

/** Writes mode, count and as many sources as there is room for behind `at`. @returns where they end */
export function writeIP_MSFILTER(into: Uint8Array, filter: SOURCE_FILTER): number {
  putI32(into, 0, filter.group.w3);
  putI32(into, 4, typeof filter.interface === 'number' ? filter.interface : filter.interface.w3);
  putI32le(into, 8, filter.mode);
  putI32le(into, 12, filter.sources.length);
  const count = Math.min(filter.sources.length, Math.floor((into.length - IP_MSFILTER_LEN) / 4));
  for (let i = 0; i < count; i++) putI32(into, IP_MSFILTER_LEN + 4 * i, (filter.sources[i] as IpAddress).w3);
  return IP_MSFILTER_LEN + 4 * count;
}

/** Reads a group_filter; `null` when it is short, also of its own count, or of a family that has no layout here. */
export function readGROUP_FILTER(bytes: Uint8Array): SOURCE_FILTER | null {
  if (bytes.length < GROUP_FILTER_LEN) return null;
  const count = i32le(bytes, GROUP_REQ_LEN + 4) >>> 0;
  const group = storedAt(bytes, 8);
  if (group === null || count > (bytes.length - GROUP_FILTER_LEN) / SOCKADDR_STORAGE_LEN) return null;
  const sources: IpAddress[] = [];
  for (let i = 0; i < count; i++) {
    const source = storedAt(bytes, GROUP_FILTER_LEN + i * SOCKADDR_STORAGE_LEN);
    if (source === null) return null;
    sources.push(source);
  }
  return { group, interface: i32le(bytes, 0) >>> 0, mode: i32le(bytes, GROUP_REQ_LEN), sources };
}

/** Writes a group_filter with as many sources as there is room for. @returns where they end */
export function writeGROUP_FILTER(into: Uint8Array, filter: SOURCE_FILTER): number {
  into.fill(0, 0, GROUP_FILTER_LEN);
  putI32le(into, 0, typeof filter.interface === 'number' ? filter.interface : 0);
  writeSockaddr(into, 8, filter.group, 0);
  putI32le(into, GROUP_REQ_LEN, filter.mode);
  putI32le(into, GROUP_REQ_LEN + 4, filter.sources.length);
  const room = Math.floor((into.length - GROUP_FILTER_LEN) / SOCKADDR_STORAGE_LEN);
  const count = Math.min(filter.sources.length, room);
  for (let i = 0; i < count; i++) {
    const at = GROUP_FILTER_LEN + i * SOCKADDR_STORAGE_LEN;
    into.fill(0, at, at + SOCKADDR_STORAGE_LEN);
    writeSockaddr(into, at, filter.sources[i] as IpAddress, 0);
  }
  return GROUP_FILTER_LEN + count * SOCKADDR_STORAGE_LEN;
}

/** The address of a SOCKADDR_STORAGE. */
function storedAt(bytes: Uint8Array, at: number): IpAddress | null {
  return readSockaddr(bytes.subarray(at, at + SOCKADDR_STORAGE_LEN))?.address ?? null;
}
