/**
 * Redirects that a router sends (RFC 4861 §8.2): a host on the link is told of its better first hop, at a bounded rate.
 *
 *     target (16) | destination (16) | option: the target's hardware address, when it is known | option: the packet, cut
 */

import { copy, type IpAddress } from '../../base/index.ts';
import {
  ETHERNET_HEADER_LEN,
  IcmpV6Type,
  IPV6_HEADER_LEN,
  LINK_ADDRESS_OPTION_LEN,
  NdpOption,
  REDIRECT_LEN,
  writeLinkAddressOption,
} from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { InboundPacket } from '../host.ts';
import { sourceOf } from '../ip/packet.ts';
import { HeldFrame } from './held-frame.ts';
import { ndpFrame, writeAddressV6 } from './ndp-frame.ts';
import type { NeighborHost, NeighborLink } from './neighbor-host.ts';
import type { NeighborTable } from './table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Redirects a second in the long run, and at once: as ICMP errors of IPv4. */
const RATE_PER_SEC = 200;
const BURST = 50;
/** RFC 4861 §4.6.3: the message is not longer than the least MTU. */
const PACKET_MAX = 1280;
const HEADERS_LEN = ETHERNET_HEADER_LEN + IPV6_HEADER_LEN;
/** Before the packet of a redirected header option: type, length, reserved. */
const OPTION_HEAD = 8;
/** Options are counted in units of eight bytes; the header alone is five. */
const UNIT_MASK = ~7;

export class RedirectSender {
  readonly #host: NeighborHost;
  readonly #link: NeighborLink;
  readonly #table: NeighborTable;
  readonly #bucket: TokenBucket;

  constructor(host: NeighborHost, link: NeighborLink, table: NeighborTable) {
    this.#host = host;
    this.#link = link;
    this.#table = table;
    this.#bucket = new TokenBucket(RATE_PER_SEC, BURST, host.now);
  }

  /** Whether one more may be sent now; if so it is counted. */
  take(): boolean {
    return this.#bucket.take(this.#host.now);
  }

  /**
   * Tells the sender of `packet`, which is on the link.
   * @param target the better first hop: a router's link-local address, or the destination itself
   * @param source a link-local address of ours, as which hosts know their router (§4.5)
   */
  send(packet: InboundPacket, source: IpAddress, target: IpAddress, destination: IpAddress): void {
    const host = this.#table.findOrAdd(sourceOf(packet));
    if (host === null) return;
    const body = this.#body(packet, target, destination);
    const frame = ndpFrame(this.#link, IcmpV6Type.redirect, 0, source, host.address, body);
    // Too long for a batch's memory of headers: all but the first headers is payload.
    this.#table.send(host, new HeldFrame(frame, HEADERS_LEN, Cause.redirect, null));
    this.#host.counters.icmpOutMsgs++;
    this.#host.counters.icmpOutRedirects++;
  }

  #body(packet: InboundPacket, target: IpAddress, destination: IpAddress): Uint8Array {
    const known = this.#table.find(target);
    const linkLength = known?.isResolved === true ? LINK_ADDRESS_OPTION_LEN : 0;
    const most = PACKET_MAX - IPV6_HEADER_LEN - REDIRECT_LEN - linkLength - OPTION_HEAD;
    const quoted = Math.min(packet.end - packet.headerAt, most) & UNIT_MASK;
    // The ICMPv6 header's eight bytes are the frame's.
    const body = new Uint8Array(REDIRECT_LEN - 8 + linkLength + OPTION_HEAD + quoted);
    let at = writeAddressV6(body, writeAddressV6(body, 0, target), destination);
    if (known?.isResolved === true) {
      at = writeLinkAddressOption(body, at, NdpOption.targetLinkAddress, known.macHigh, known.macLow);
    }
    body[at] = NdpOption.redirectedHeader;
    body[at + 1] = (OPTION_HEAD + quoted) >> 3;
    copy(packet.bytes, packet.headerAt, body, at + OPTION_HEAD, quoted);
    return body;
  }
}
