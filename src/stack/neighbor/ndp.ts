/**
 * Neighbor discovery on one interface (RFC 4861): asks for the hardware addresses of IPv6 neighbours, answers for our own
 * addresses, detects duplicates, hears what routers say. Checks of the packet itself are in `ndp-input.ts`.
 */

import { IpAddress, i32, u16 } from '../../base/index.ts';
import {
  DropReason,
  IcmpV6Type,
  LINK_ADDRESS_OPTION_LEN,
  type NdpMessage,
  NdpOption,
  NONCE_OPTION_LEN,
  type RouterAdvertisement,
  writeLinkAddressOption,
  writeNonceOption,
} from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { InboundPacket } from '../host.ts';
import { isStation } from './arp.ts';
import { type DadMessages, DadVerdict, DuplicateAddressDetection } from './dad.ts';
import { HeldFrame } from './held-frame.ts';
import { ADDRESS_LEN, ndpFrame, writeAddressV6 } from './ndp-frame.ts';
import { RedirectSender } from './ndp-redirect.ts';
import { type Neighbor, NeighborState } from './neighbor.ts';
import type { NeighborHost, NeighborLink, Solicitor } from './neighbor-host.ts';
import type { NeighborTable } from './table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Requests a second, and at once, as ARP's. */
const REQUESTS_PER_SEC = 256;
const REQUEST_BURST = 256;
/** ff02::1, and ff02::2 (RFC 4291 §2.7.1). */
const ALL_NODES = new IpAddress(6, 0xff020000 | 0, 0, 0, 1);
const ALL_ROUTERS = new IpAddress(6, 0xff020000 | 0, 0, 0, 2);
/** Flags of an advertisement (§4.4), in the ICMPv6 header's own word. */
const NA_ROUTER = 0x80000000 | 0;
const NA_SOLICITED = 0x40000000;
const NA_OVERRIDE = 0x20000000;

/** Hears routers: autoconfiguration. */
export interface RouterAdvertisementSink {
  /** @returns false when it was one of too many */
  advertised(ra: RouterAdvertisement): boolean;
  /** A neighbour is no router any more (RFC 4861 §7.2.5). */
  routerGone(router: IpAddress): void;
}

/** The interface, as neighbor discovery sees it. */
export interface NdpLink extends NeighborLink {
  readonly isForwarding: boolean;
  /** Who hears routers; `null`: nobody. */
  readonly routerSink: RouterAdvertisementSink | null;
  /** What we hold of an address of ours; `null` when it is none. */
  find(address: IpAddress): { readonly state: string } | null;
}

export class Ndp implements Solicitor, DadMessages {
  readonly dad: DuplicateAddressDetection;
  readonly redirects: RedirectSender;
  readonly #host: NeighborHost;
  readonly #link: NdpLink;
  readonly #table: NeighborTable;
  readonly #requests: TokenBucket;
  readonly #ownHigh: number;
  readonly #ownLow: number;

  constructor(host: NeighborHost, link: NdpLink, table: NeighborTable) {
    this.#host = host;
    this.#link = link;
    this.#table = table;
    this.#requests = new TokenBucket(REQUESTS_PER_SEC, REQUEST_BURST, host.now);
    this.#ownHigh = link.mac === null ? 0 : u16(link.mac, 0);
    this.#ownLow = link.mac === null ? 0 : i32(link.mac, 2);
    this.dad = new DuplicateAddressDetection(host, this);
    this.redirects = new RedirectSender(host, link, table);
    table.setSolicitor(6, this);
  }

  get retransTimer(): number {
    return this.#table.timesOf(6).retransTimer;
  }

  /** RFC 4861 §7.2.2: to the neighbour itself, or to the group of its address. */
  solicit(neighbor: Neighbor, isUnicast: boolean): void {
    const { address } = neighbor;
    const source = this.#link.sourceFor(address);
    if (source === null || !this.#requests.take(this.#host.now)) return;
    const body = new Uint8Array(ADDRESS_LEN + LINK_ADDRESS_OPTION_LEN);
    writeLinkAddressOption(
      body,
      writeAddressV6(body, 0, address),
      NdpOption.sourceLinkAddress,
      this.#ownHigh,
      this.#ownLow,
    );
    const type = IcmpV6Type.neighborSolicitation;
    const cause = Cause.neighborSolicitation;
    if (!isUnicast) {
      this.#toGroup(type, 0, source, solicitedNode(address), body, cause);
      return;
    }
    const frame = ndpFrame(this.#link, type, 0, source, address, body);
    this.#table.send(neighbor, new HeldFrame(frame, frame.length, cause, null));
  }

  solicitOwn(address: IpAddress, nonce: Uint8Array): void {
    const body = new Uint8Array(ADDRESS_LEN + NONCE_OPTION_LEN);
    writeNonceOption(body, writeAddressV6(body, 0, address), nonce);
    const type = IcmpV6Type.neighborSolicitation;
    this.#toGroup(type, 0, IpAddress.anyV6, solicitedNode(address), body, Cause.duplicateCheck);
  }

  /** RFC 4861 §6.3.7: asks for routers, with our hardware address when there is an address to send from. */
  solicitRouters(): void {
    const source = this.#link.sourceFor(ALL_ROUTERS.inZone(this.#link.index));
    const body = new Uint8Array(source === null ? 0 : LINK_ADDRESS_OPTION_LEN);
    if (source !== null) {
      writeLinkAddressOption(body, 0, NdpOption.sourceLinkAddress, this.#ownHigh, this.#ownLow);
    }
    const type = IcmpV6Type.routerSolicitation;
    this.#toGroup(type, 0, source ?? IpAddress.anyV6, ALL_ROUTERS, body, Cause.routerSolicitation);
  }

  /** RFC 9131 §3.1: routers that hear of a new address need not ask for it when the first answer to us comes. */
  announce(address: IpAddress): void {
    this.#toGroup(
      IcmpV6Type.neighborAdvertisement,
      this.#link.isForwarding ? NA_ROUTER : 0,
      address,
      ALL_ROUTERS,
      this.#advertisement(address),
      Cause.neighborAdvertisement,
    );
  }

  /** RFC 4861 §7.2.3, RFC 4862 §5.4.3. */
  solicitation(packet: InboundPacket, message: NdpMessage, source: IpAddress): DropReason {
    const target = this.#targetOf(message);
    const held = this.#link.find(target);
    if (held === null || held.state === 'duplicate') return DropReason.ndpNotForUs;
    if (held.state === 'tentative') {
      if (!source.isAny) return DropReason.ndpNotForUs;
      const verdict = this.dad.heard(target, packet.bytes, message.nonceAt, message.nonceLength);
      if (verdict === DadVerdict.conflict) return DropReason.ndpConflict;
      return verdict === DadVerdict.looped ? DropReason.ndpLooped : DropReason.ndpNotForUs;
    }
    if (source.isAny) {
      this.#answer(target, null);
      return DropReason.none;
    }
    if (message.hasSourceMac) {
      if (!isStation(message.sourceHigh, message.sourceLow)) return DropReason.ndpOption;
      this.#table.noticed(source, message.sourceHigh, message.sourceLow, true);
    }
    this.#answer(target, source);
    return DropReason.none;
  }

  /** RFC 4861 §7.2.5, RFC 4862 §5.4.4. */
  advertisement(packet: InboundPacket, message: NdpMessage): DropReason {
    const target = this.#targetOf(message);
    if (this.#link.find(target) !== null) {
      this.dad.heard(target, packet.bytes, -1, 0);
      return DropReason.ndpConflict;
    }
    const neighbor = this.#table.find(target);
    if (neighbor === null) return DropReason.ndpNotForUs;
    let { targetHigh: high, targetLow: low } = message;
    if (!message.hasTargetMac) {
      if (neighbor.state === NeighborState.incomplete) return DropReason.ndpOption;
      high = neighbor.macHigh;
      low = neighbor.macLow;
    } else if (!isStation(high, low)) return DropReason.ndpOption;
    const { isSolicited, isOverride, isRouter } = message;
    if (!this.#table.advertised(neighbor, high, low, isSolicited, isOverride)) return DropReason.none;
    const wasRouter = neighbor.isRouter;
    neighbor.isRouter = isRouter;
    if (wasRouter && !isRouter) this.#link.routerSink?.routerGone(target);
    return DropReason.none;
  }

  /** RFC 4861 §6.3.4. */
  routerAdvertisement(message: NdpMessage, source: IpAddress, ra: RouterAdvertisement): DropReason {
    // A router makes its own configuration (§6.2).
    if (this.#link.isForwarding) return DropReason.ndpNotForUs;
    if (message.hasSourceMac) {
      if (!isStation(message.sourceHigh, message.sourceLow)) return DropReason.ndpOption;
      this.#table.noticed(source, message.sourceHigh, message.sourceLow, true);
    }
    const router = this.#table.find(source);
    if (router !== null) router.isRouter = true;
    return (this.#link.routerSink?.advertised(ra) ?? true) ? DropReason.none : DropReason.ndpTooMany;
  }

  /** RFC 4861 §7.2.4. @param solicitor `null`: all nodes */
  #answer(target: IpAddress, solicitor: IpAddress | null): void {
    const flags = NA_OVERRIDE | (this.#link.isForwarding ? NA_ROUTER : 0);
    const body = this.#advertisement(target);
    const type = IcmpV6Type.neighborAdvertisement;
    const cause = Cause.neighborAdvertisement;
    if (solicitor === null) {
      this.#toGroup(type, flags, target, ALL_NODES, body, cause);
      return;
    }
    const frame = ndpFrame(this.#link, type, flags | NA_SOLICITED, target, solicitor, body);
    const neighbor = this.#table.findOrAdd(solicitor);
    if (neighbor !== null) this.#table.send(neighbor, new HeldFrame(frame, frame.length, cause, null));
  }

  #advertisement(target: IpAddress): Uint8Array {
    const body = new Uint8Array(ADDRESS_LEN + LINK_ADDRESS_OPTION_LEN);
    const at = writeAddressV6(body, 0, target);
    writeLinkAddressOption(body, at, NdpOption.targetLinkAddress, this.#ownHigh, this.#ownLow);
    return body;
  }

  #toGroup(
    type: number,
    word: number,
    source: IpAddress,
    group: IpAddress,
    body: Uint8Array,
    cause: number,
  ): void {
    const frame = ndpFrame(this.#link, type, word, source, group, body);
    this.#table.frames.add(new HeldFrame(frame, frame.length, cause, null));
  }

  #targetOf({ target0, target1, target2, target3 }: NdpMessage): IpAddress {
    return new IpAddress(6, target0, target1, target2, target3).inZone(this.#link.index);
  }
}

/** ff02::1:ff00:0/104 and the last three bytes of the address (RFC 4291 §2.7.1). */
function solicitedNode(address: IpAddress): IpAddress {
  return new IpAddress(6, 0xff020000 | 0, 0, 1, 0xff000000 | (address.w3 & 0xffffff));
}
