/**
 * ARP on one interface (RFC 826): asks for the hardware addresses of IPv4 neighbours, answers for our own addresses, and learns.
 *
 * What is learned from: answers to us, and requests to us, whose sender will want an answer. What others say to each other only
 * changes what is known already (RFC 826's merge flag), so that nobody fills the cache by talking. Addresses of other hosts are
 * never answered for (no proxy ARP).
 */

import { IpAddress, i32, u16 } from '../../base/index.ts';
import {
  ARP_LEN,
  ArpMessage,
  ArpOperation,
  DropReason,
  ETHERNET_HEADER_LEN,
  ETHERTYPE_ARP,
  parseArp,
  writeArp,
  writeEthernet,
} from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import { AddressConflicts, type ConflictMessages } from './address-conflicts.ts';
import { HeldFrame } from './held-frame.ts';
import type { Neighbor } from './neighbor.ts';
import type { NeighborHost, NeighborLink, Solicitor } from './neighbor-host.ts';
import type { NeighborTable } from './table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Requests a second, and at once: a look at a whole /24 gets through (RFC 1122 §2.3.2.1 asks for a bound). */
const REQUESTS_PER_SEC = 256;
const REQUEST_BURST = 256;
/**
 * Another hardware address is not believed so shortly after the last, ms: of two who claim to be the next hop the first wins, and
 * packets do not go to and fro.
 */
const LOCK_TIME = 1000;

const BROADCAST_HIGH = 0xffff;
const BROADCAST_LOW = -1;

/** The interface, as ARP sees it. */
export interface ArpLink extends NeighborLink {
  /** Whether the address in `word` is ours, to be answered for. */
  hasV4(word: number): boolean;
  /** Whether the address in `word` belongs to one of the interface's subnets. */
  isOnLinkV4(word: number): boolean;
}

export class Arp implements Solicitor, ConflictMessages {
  readonly conflicts: AddressConflicts;
  readonly #host: NeighborHost;
  readonly #link: ArpLink;
  readonly #table: NeighborTable;
  readonly #requests: TokenBucket;
  readonly #message = new ArpMessage();
  readonly #ownHigh: number;
  readonly #ownLow: number;

  constructor(host: NeighborHost, link: ArpLink, table: NeighborTable) {
    this.#host = host;
    this.#link = link;
    this.#table = table;
    this.#requests = new TokenBucket(REQUESTS_PER_SEC, REQUEST_BURST, host.now);
    this.#ownHigh = link.mac === null ? 0 : u16(link.mac, 0);
    this.#ownLow = link.mac === null ? 0 : i32(link.mac, 2);
    this.conflicts = new AddressConflicts(host, this);
    table.setSolicitor(4, this);
  }

  /** Takes the message `at … end`. */
  receive(bytes: Uint8Array, at: number, end: number): DropReason {
    const message = this.#message;
    const reason = parseArp(bytes, at, end, message);
    if (reason !== DropReason.none) return reason;
    const { sender, target, operation } = message;
    if (!isStation(message.senderHigh, message.senderLow) || !isHost(sender, operation)) {
      return DropReason.arpSender;
    }
    // Our own frame, that a hub has sent back: no conflict.
    if (message.senderHigh === this.#ownHigh && message.senderLow === this.#ownLow) {
      return DropReason.arpNotForUs;
    }
    if (this.#isConflict(message)) return DropReason.arpConflict;
    const isForUs = this.#link.hasV4(target);
    const isRequest = operation === ArpOperation.request;
    if (isForUs && isRequest) {
      if (sender !== 0) this.#notice(message, this.#link.isOnLinkV4(sender));
      this.#answer(message);
      return DropReason.none;
    }
    // Without an address of ours yet, it tells others whose request it is; theirs is none of our business either way.
    if (sender === 0) return DropReason.arpNotForUs;
    if (!isForUs || isRequest) return this.#notice(message, false);
    const neighbor = this.#table.findWords(4, 0, 0, MAPPED_WORD, sender);
    if (neighbor === null) return DropReason.arpNotForUs;
    const { senderHigh, senderLow } = message;
    this.#table.advertised(neighbor, senderHigh, senderLow, neighbor.isAsked, this.#mayOverride(neighbor));
    return DropReason.none;
  }

  solicit(neighbor: Neighbor, isUnicast: boolean): void {
    const source = this.#link.sourceFor(neighbor.address);
    // Without an address of ours it would be a probe (RFC 5227 §1.1), and nobody could answer what follows.
    if (source === null || !this.#requests.take(this.#host.now)) return;
    this.#send(
      ArpOperation.request,
      isUnicast ? neighbor.macHigh : BROADCAST_HIGH,
      isUnicast ? neighbor.macLow : BROADCAST_LOW,
      source.w3,
      0,
      0,
      neighbor.address.w3,
      Cause.arpRequest,
    );
  }

  /** Tells all that the address in `word` is ours (RFC 5227 §2.3): who has an older entry for it changes that. */
  announce(word: number): void {
    this.#send(ArpOperation.request, BROADCAST_HIGH, BROADCAST_LOW, word, 0, 0, word, Cause.arpAnnouncement);
  }

  /** Asks whether somebody has the address in `word`, without saying that it might be ours (RFC 5227 §2.1.1). */
  probe(word: number): void {
    this.#send(ArpOperation.request, BROADCAST_HIGH, BROADCAST_LOW, 0, 0, 0, word, Cause.arpProbe);
  }

  /** RFC 5227 §2.1.1 and §2.4: somebody sends from an address that is ours, or wants one for which we ask too. */
  #isConflict({ sender, target, operation }: ArpMessage): boolean {
    const { conflicts } = this;
    if (sender !== 0) {
      if (!conflicts.isClaimed(sender)) return false;
      conflicts.conflict(sender);
      return true;
    }
    if (operation !== ArpOperation.request || !conflicts.isProbing(target)) return false;
    conflicts.conflict(target);
    return true;
  }

  /** The sender said what its hardware address is, but not because we asked. */
  #notice({ sender, senderHigh, senderLow }: ArpMessage, mayAdd: boolean): DropReason {
    const neighbor = this.#table.findWords(4, 0, 0, MAPPED_WORD, sender);
    if (neighbor !== null) {
      this.#table.advertised(neighbor, senderHigh, senderLow, false, this.#mayOverride(neighbor));
      return DropReason.none;
    }
    if (!mayAdd) return DropReason.arpNotForUs;
    this.#table.noticed(IpAddress.v4(sender), senderHigh, senderLow, true);
    return DropReason.none;
  }

  #mayOverride(neighbor: Neighbor): boolean {
    return this.#host.now - neighbor.learnedAt >= LOCK_TIME;
  }

  #answer({ senderHigh, senderLow, sender, target }: ArpMessage): void {
    this.#send(
      ArpOperation.reply,
      senderHigh,
      senderLow,
      target,
      senderHigh,
      senderLow,
      sender,
      Cause.arpReply,
    );
  }

  /** @param toHigh and `toLow` where the frame goes */
  #send(
    operation: number,
    toHigh: number,
    toLow: number,
    sender: number,
    targetHigh: number,
    targetLow: number,
    target: number,
    cause: number,
  ): void {
    const bytes = new Uint8Array(ETHERNET_HEADER_LEN + ARP_LEN);
    const at = writeEthernet(bytes, 0, toHigh, toLow, this.#ownHigh, this.#ownLow, ETHERTYPE_ARP);
    writeArp(bytes, at, operation, this.#ownHigh, this.#ownLow, sender, targetHigh, targetLow, target);
    this.#table.frames.add(new HeldFrame(bytes, bytes.length, cause, null));
  }
}

/** The third word of an IPv4 address in four words (see `IpAddress`). */
const MAPPED_WORD = 0xffff;

/** Whether a hardware address is one station's. */
export function isStation(high: number, low: number): boolean {
  return (high & 0x0100) === 0 && (high !== 0 || low !== 0);
}

/** Whether one host may have the address in `word`; 0.0.0.0 only asks. */
function isHost(word: number, operation: number): boolean {
  if (word >>> 24 === 0) return word === 0 && operation === ArpOperation.request;
  return word >>> 29 !== 7 && word >>> 24 !== 127;
}
