/**
 * IGMP, the host's part (RFC 1112, RFC 2236, RFC 3376): takes queries, and what other hosts report; sends our reports.
 */

import { IpAddress, i32, putI32 } from '../../base/index.ts';
import {
  DropReason,
  hasRouterAlert,
  IGMP_HEADER_LEN,
  IgmpHeader,
  IgmpType,
  IPOPT_ROUTER_ALERT,
  IPPROTO_IGMP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  parseIgmp,
  sealIgmp,
  writeIgmp,
  writeIgmpRecord,
  writeIgmpReport,
  writeIpv4,
} from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { InboundPacket, Transport } from '../host.ts';
import type { HostCore } from '../host-core.ts';
import type { NetworkInterface } from '../interface.ts';
import type { GroupReporter } from './groups.ts';
import { type GroupRecord, packRecords, recordLength } from './records.ts';

const ALL_HOSTS = 0xe0000001 | 0;
const ALL_ROUTERS = IpAddress.v4(0xe0000002);
/** 224.0.0.22 (RFC 3376 §4.2.14). */
const ALL_IGMPV3_ROUTERS = IpAddress.v4(0xe0000016);
/** RFC 2113: routers look at the packet. */
const ROUTER_ALERT = Uint8Array.of(IPOPT_ROUTER_ALERT, 4, 0, 0);
const HEADER_LEN = IPV4_HEADER_LEN + ROUTER_ALERT.length;
/** Internetwork Control (RFC 3376 §4). */
const TRAFFIC_CLASS = 0xc0;
const ADDRESS_LEN = 4;

export class Igmp implements Transport, GroupReporter {
  readonly #host: HostCore;
  readonly #header = new IgmpHeader();
  constructor(host: HostCore) {
    this.#host = host;
    host.groups.setReporter(4, this);
  }

  receive(packet: InboundPacket): number {
    const header = this.#header;
    const { bytes, payloadAt, end } = packet;
    const reason = parseIgmp(bytes, payloadAt, end, header);
    if (reason !== DropReason.none) return reason;
    if (header.type === IgmpType.query) return this.#receiveQuery(packet);
    if (header.type === IgmpType.reportV1 || header.type === IgmpType.reportV2) {
      // RFC 2236 §9: what other hosts report counts only when it could have been heard by a router here.
      if (header.group !== packet.dst3) return DropReason.igmpNotFromLink;
      this.#host.groups.heard(packet.interfaceIndex, IpAddress.v4(header.group));
      return DropReason.none;
    }
    return DropReason.igmpTypeUnknown;
  }

  /** Nothing that we send is answered by an error: it goes to groups. */
  icmpError(): number {
    return DropReason.none;
  }

  sendRecords(iface: NetworkInterface, records: readonly GroupRecord[]): void {
    const room = iface.mtu - HEADER_LEN - IGMP_HEADER_LEN;
    for (const report of packRecords(records, room, ADDRESS_LEN)) this.#sendRecords(iface, report);
  }

  sendReport(iface: NetworkInterface, group: IpAddress, version: number): void {
    this.#sendOld(iface, group, group, version === 1 ? IgmpType.reportV1 : IgmpType.reportV2);
  }

  sendLeave(iface: NetworkInterface, group: IpAddress): void {
    this.#sendOld(iface, ALL_ROUTERS, group, IgmpType.leave);
  }

  /** RFC 3376 §9.1: only a query that a router of this link can have sent, to where it belongs. */
  #receiveQuery(packet: InboundPacket): number {
    const { version, group, count, listAt, maxResponseMs, robustness, intervalMs } = this.#header;
    const { bytes, headerAt, payloadAt, dst3, ttl } = packet;
    const isAlert = version === 1 || hasRouterAlert(bytes, headerAt, payloadAt);
    const isToGroup = dst3 === ALL_HOSTS || (group !== 0 && dst3 === group);
    if (ttl !== 1 || !isAlert || !isToGroup) return DropReason.igmpNotFromLink;
    const sources: IpAddress[] = [];
    if (group !== 0) {
      for (let i = 0; i < count; i++) sources.push(IpAddress.v4(i32(bytes, listAt + i * ADDRESS_LEN)));
    }
    this.#host.groups.query(packet.interfaceIndex, 4, {
      version,
      group: group === 0 ? null : IpAddress.v4(group),
      sources,
      maxResponseMs,
      robustness,
      intervalMs,
    });
    return DropReason.none;
  }

  #sendRecords(iface: NetworkInterface, records: readonly GroupRecord[]): void {
    let length = IGMP_HEADER_LEN;
    for (const { sources } of records) length += recordLength(sources.length, ADDRESS_LEN);
    this.#send(iface, ALL_IGMPV3_ROUTERS, length, (into, at) => {
      let next = writeIgmpReport(into, at, records.length);
      for (const { type, group, sources } of records) {
        next = writeIgmpRecord(into, next, type, group.w3, sources.length);
        for (const source of sources) {
          putI32(into, next, source.w3);
          next += ADDRESS_LEN;
        }
      }
      sealIgmp(into, at, next);
    });
  }

  #sendOld(iface: NetworkInterface, destination: IpAddress, group: IpAddress, type: number): void {
    this.#send(iface, destination, IGMP_HEADER_LEN, (into, at) => writeIgmp(into, at, type, 0, group.w3));
  }

  /** Every message has a router alert and a TTL of 1 (RFC 2236 §2, RFC 3376 §4); 0.0.0.0 sends who has no address yet. */
  #send(
    iface: NetworkInterface,
    destination: IpAddress,
    length: number,
    write: (into: Uint8Array, at: number) => void,
  ): void {
    const host = this.#host;
    const source = iface.sourceFor(destination) ?? IpAddress.anyV4;
    const path = host.linkPath(iface.index, source, destination);
    if (path === null) return;
    const total = HEADER_LEN + length;
    const packet = host.reserveControl(path, IPPROTO_IGMP, total, 1, TRAFFIC_CLASS);
    if (packet === null) return;
    packet.hasOwnHeader = true;
    const { bytes, at } = packet;
    const { w3: from } = source;
    const id = path.nextIdentification();
    write(
      bytes,
      writeIpv4(
        bytes,
        at,
        TRAFFIC_CLASS,
        total,
        id,
        IPV4_DONT_FRAGMENT,
        1,
        IPPROTO_IGMP,
        from,
        destination.w3,
        ROUTER_ALERT,
      ),
    );
    host.sendControl(packet, Cause.groupReport, null);
  }
}
