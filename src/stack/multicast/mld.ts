/**
 * MLD, the host's part (RFC 2710, RFC 3810): IGMP's machine with IPv6's messages. Versions are counted as IGMP's.
 */

import { IpAddress, i32, isLinkLocalWord, putI32, putU16 } from '../../base/index.ts';
import {
  DropReason,
  fold,
  IPPROTO_ICMPV6,
  IPV6_HEADER_LEN,
  IPV6_HOP_BY_HOP,
  IPV6_OPTION_PADN,
  IPV6_OPTION_ROUTER_ALERT,
  ipv6RouterAlert,
  MLD_REPORT_LEN,
  MLDV1_LEN,
  MldHeader,
  MldType,
  parseMld,
  sumBytes,
  writeMld,
  writeMldRecord,
  writeMldReport,
} from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { InboundPacket } from '../host.ts';
import type { HostCore } from '../host-core.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Icmp6 } from '../ipv6/icmp.ts';
import type { GroupReporter } from './groups.ts';
import { linkLocalOf } from './link-local.ts';
import { type GroupRecord, packRecords, recordLength } from './records.ts';

/** ff02::2, and ff02::16 (RFC 3810 §5.2.14). */
const ALL_ROUTERS = new IpAddress(6, 0xff020000 | 0, 0, 0, 2);
const ALL_MLDV2_ROUTERS = new IpAddress(6, 0xff020000 | 0, 0, 0, 0x16);
/** RFC 2711: a hop-by-hop header with the router alert of MLD, value 0, and padding. */
const HOP_BY_HOP = Uint8Array.of(IPPROTO_ICMPV6, 0, IPV6_OPTION_ROUTER_ALERT, 2, 0, 0, IPV6_OPTION_PADN, 0);
const MLD_ALERT = 0;
const ADDRESS_LEN = 16;

export class Mld implements GroupReporter {
  readonly #host: HostCore;
  readonly #header = new MldHeader();

  constructor(host: HostCore, icmp: Icmp6) {
    this.#host = host;
    host.groups.setReporter(6, this);
    for (const type of [MldType.query, MldType.reportV1])
      icmp.handle(type, (packet) => this.#receive(packet));
  }

  sendRecords(iface: NetworkInterface, records: readonly GroupRecord[]): void {
    const room = iface.mtu - IPV6_HEADER_LEN - HOP_BY_HOP.length - MLD_REPORT_LEN;
    for (const report of packRecords(records, room, ADDRESS_LEN)) this.#sendRecords(iface, report);
  }

  sendReport(iface: NetworkInterface, group: IpAddress): void {
    this.#sendOld(iface, group, group, MldType.reportV1);
  }

  sendLeave(iface: NetworkInterface, group: IpAddress): void {
    this.#sendOld(iface, ALL_ROUTERS, group, MldType.done);
  }

  /** RFC 3810 §5.1.14, §6.2: from a link-local address, with a hop limit of 1 and a router alert, or it is not believed. */
  #receive(packet: InboundPacket): number {
    const header = this.#header;
    const { bytes, headerAt, payloadAt, end, src0, ttl } = packet;
    const reason = parseMld(bytes, payloadAt, end, header);
    if (reason !== DropReason.none) return reason;
    const isLinkLocal = isLinkLocalWord(src0);
    if (!isLinkLocal || ttl !== 1 || ipv6RouterAlert(bytes, headerAt) !== MLD_ALERT) {
      return DropReason.mldNotFromLink;
    }
    const group = addressAt(bytes, header.groupAt);
    const isToGroup = isTo(packet, group);
    if (header.type === MldType.reportV1) {
      if (!isToGroup) return DropReason.mldNotFromLink;
      this.#host.groups.heard(packet.interfaceIndex, group);
      return DropReason.none;
    }
    if (!isToGroup && !(packet.isGroup && packet.dst3 === 1 && packet.dst2 === 0)) {
      return DropReason.mldNotFromLink;
    }
    this.#query(packet, header.isGeneral ? null : group);
    return DropReason.none;
  }

  #query({ bytes, interfaceIndex }: InboundPacket, group: IpAddress | null): void {
    const { version, count, listAt, maxResponseMs, robustness, intervalMs } = this.#header;
    const sources: IpAddress[] = [];
    if (group !== null) {
      for (let i = 0; i < count; i++) sources.push(addressAt(bytes, listAt + i * ADDRESS_LEN));
    }
    this.#host.groups.query(interfaceIndex, 6, {
      version: version === 1 ? 2 : 3,
      group,
      sources,
      maxResponseMs,
      robustness,
      intervalMs,
    });
  }

  #sendRecords(iface: NetworkInterface, records: readonly GroupRecord[]): void {
    let length = MLD_REPORT_LEN;
    for (const { sources } of records) length += recordLength(sources.length, ADDRESS_LEN);
    this.#send(iface, ALL_MLDV2_ROUTERS, length, (into, at) => {
      let next = writeMldReport(into, at, records.length);
      for (const { type, group, sources } of records) {
        const sourcesAt = writeMldRecord(into, next, type, sources.length);
        putAddress(into, sourcesAt - ADDRESS_LEN, group);
        next = sourcesAt;
        for (const source of sources) next = putAddress(into, next, source);
      }
    });
  }

  #sendOld(iface: NetworkInterface, destination: IpAddress, group: IpAddress, type: number): void {
    this.#send(iface, destination, MLDV1_LEN, (into, at) => {
      putAddress(into, writeMld(into, at, type, 0) - ADDRESS_LEN, group);
    });
  }

  /** From a link-local address or, before there is one that may be used, from `::` (RFC 3590 §4). */
  #send(
    iface: NetworkInterface,
    to: IpAddress,
    length: number,
    write: (into: Uint8Array, at: number) => void,
  ): void {
    const host = this.#host;
    const path = host.linkPath(iface.index, linkLocalOf(iface) ?? IpAddress.anyV6, to.inZone(iface.index));
    if (path === null) return;
    const packet = host.reserveControl(path, IPV6_HOP_BY_HOP, HOP_BY_HOP.length + length, 1, 0);
    if (packet === null) return;
    const { bytes, at } = packet;
    bytes.set(HOP_BY_HOP, at);
    const messageAt = at + HOP_BY_HOP.length;
    write(bytes, messageAt);
    const sum = sumBytes(bytes, messageAt, length, path.pseudoHeaderSum(IPPROTO_ICMPV6) + length);
    putU16(bytes, messageAt + 2, ~fold(sum));
    host.counters.icmpOutMsgs++;
    host.sendControl(packet, Cause.groupReport, null);
  }
}

function addressAt(bytes: Uint8Array, at: number): IpAddress {
  return new IpAddress(6, i32(bytes, at), i32(bytes, at + 4), i32(bytes, at + 8), i32(bytes, at + 12));
}

/** @returns where it ends */
function putAddress(into: Uint8Array, at: number, { w0, w1, w2, w3 }: IpAddress): number {
  putI32(into, at, w0);
  putI32(into, at + 4, w1);
  putI32(into, at + 8, w2);
  putI32(into, at + 12, w3);
  return at + ADDRESS_LEN;
}

function isTo({ dst0, dst1, dst2, dst3 }: InboundPacket, { w0, w1, w2, w3 }: IpAddress): boolean {
  return dst3 === w3 && dst2 === w2 && dst1 === w1 && dst0 === w0;
}
