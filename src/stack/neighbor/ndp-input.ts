/**
 * Messages of neighbor discovery, from ICMPv6 to their interface: what they ask of a packet `parseNdp` checks, and
 * that it came whole (RFC 6980 §5).
 */

import { IpAddress } from '../../base/index.ts';
import {
  DropReason,
  type IcmpV6Header,
  IcmpV6Type,
  NdpMessage,
  parseNdp,
  readRouterAdvertisement,
} from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { sourceOf } from '../ip/packet.ts';
import type { Redirects6 } from '../ipv6/redirects.ts';

/** Who hands messages over: ICMPv6. */
export interface NdpSource {
  handle(type: number, handler: (packet: InboundPacket, header: IcmpV6Header) => number): void;
}

/** Finds the interface that a packet came by. */
export interface InterfaceFinder {
  find(index: number): NetworkInterface | null;
}

export class NdpInput {
  readonly #interfaces: InterfaceFinder;
  readonly #redirects: Redirects6;
  readonly #message = new NdpMessage();

  constructor(interfaces: InterfaceFinder, redirects: Redirects6) {
    this.#interfaces = interfaces;
    this.#redirects = redirects;
  }

  /** Takes the messages from `source` from now on. */
  serve(source: NdpSource): void {
    for (const type of TYPES) source.handle(type, (packet, header) => this.#receive(packet, header));
  }

  #receive(packet: InboundPacket, header: IcmpV6Header): DropReason {
    if (packet.isFragmented) return DropReason.ndpFragment;
    const message = this.#message;
    const { bytes } = packet;
    const { at, end } = header;
    const reason = parseNdp(bytes, at, end, packet, packet.ttl, message);
    if (reason !== DropReason.none) return reason;
    const iface = this.#interfaces.find(packet.interfaceIndex);
    if (iface === null) return DropReason.ndpNotForUs;
    const source = sourceOf(packet).inZone(iface.index);
    if (iface.ndp === null) return this.#withoutNeighbors(iface, packet, header, source);
    switch (header.type) {
      case IcmpV6Type.neighborSolicitation:
        return iface.ndp.solicitation(packet, message, source);
      case IcmpV6Type.neighborAdvertisement:
        return iface.ndp.advertisement(packet, message);
      case IcmpV6Type.routerAdvertisement:
        return iface.ndp.routerAdvertisement(
          message,
          source,
          readRouterAdvertisement(bytes, at, end, source),
        );
      default:
        return this.#redirect(iface, message, source);
    }
  }

  /** On a link without hardware addresses there are no neighbours, but there may be a router at the other end. */
  #withoutNeighbors(
    { isForwarding, routerSink }: NetworkInterface,
    { bytes }: InboundPacket,
    { type, at, end }: IcmpV6Header,
    source: IpAddress,
  ): DropReason {
    if (type !== IcmpV6Type.routerAdvertisement || isForwarding || routerSink === null)
      return DropReason.ndpNotForUs;
    const isTaken = routerSink.advertised(readRouterAdvertisement(bytes, at, end, source));
    return isTaken ? DropReason.none : DropReason.ndpTooMany;
  }

  #redirect(iface: NetworkInterface, message: NdpMessage, source: IpAddress): DropReason {
    const { target0, target1, target2, target3 } = message;
    const { destination0, destination1, destination2, destination3 } = message;
    const target = new IpAddress(6, target0, target1, target2, target3).inZone(iface.index);
    const destination = new IpAddress(6, destination0, destination1, destination2, destination3);
    const zoned = destination.inZone(iface.index);
    const isOnLink = target.equals(zoned);
    const reason = this.#redirects.take(iface, source, zoned, target, isOnLink);
    if (reason !== DropReason.none || !message.hasTargetMac || iface.neighbors === null) return reason;
    const neighbor = iface.neighbors.noticed(target, message.targetHigh, message.targetLow, true);
    // RFC 4861 §8.3: another router, unless it is the destination itself.
    if (neighbor !== null && !isOnLink) neighbor.isRouter = true;
    return reason;
  }
}

const TYPES = [
  IcmpV6Type.routerAdvertisement,
  IcmpV6Type.neighborSolicitation,
  IcmpV6Type.neighborAdvertisement,
  IcmpV6Type.redirect,
];
