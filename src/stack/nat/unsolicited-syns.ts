/**
 * SYNs from outside that nobody inside has asked for: they wait before they are refused, since the other half of a simultaneous
 * open may be on its way out (RFC 5382 REQ-4). When it comes, the one that waited is forgotten: its sender repeats it.
 *
 * The wait is the same for all, so that they stand in a ring in the order in which they end. What finds the ring full is dropped
 * without a word.
 */

import { copy, type TimerOwner, u16 } from '../../base/index.ts';
import {
  completeChecksum,
  DropReason,
  Ipv4Header,
  parseQuotedIpv4,
  TCP_CHECKSUM_OFFSET,
} from '../../wire/index.ts';
import type { Host, InboundPacket } from '../host.ts';
import { Packet } from '../ip/packet.ts';

/** RFC 5382 REQ-4: six seconds at least. ms */
export const UNSOLICITED_SYN_WAIT = 6000;
/** Most that wait, and the bytes that are kept of each: both headers with options, and more than an error must quote. */
const MAX_WAITING = 256;
const KEPT_BYTES = 128;

/** What is asked when the wait is over. */
export interface SynJudge {
  /** Whether the connection has been opened from inside, or the port become an endpoint's of our own. */
  isAnswered(syn: InboundPacket): boolean;
  /** Tells the sender that nobody is there. */
  refuse(syn: InboundPacket): void;
}

export class UnsolicitedSyns implements TimerOwner {
  readonly #host: Host;
  readonly #judge: SynJudge;
  readonly #timer: number;
  /** Made for the first one. */
  #bytes: Uint8Array | null = null;
  readonly #lengths = new Int32Array(MAX_WAITING);
  readonly #interfaces = new Int32Array(MAX_WAITING);
  readonly #ends = new Float64Array(MAX_WAITING);
  #head = 0;
  #count = 0;
  readonly #packet = new Packet();
  readonly #header = new Ipv4Header();

  constructor(host: Host, judge: SynJudge) {
    this.#host = host;
    this.#judge = judge;
    this.#timer = host.timers.create(this, 0);
  }

  close(): void {
    this.#host.timers.destroy(this.#timer);
    this.#count = 0;
  }

  /** Keeps a SYN; one that was repeated while the first waits is not kept again. */
  add(syn: InboundPacket, isPartial: boolean): void {
    if (this.#count === MAX_WAITING || this.#isWaiting(syn)) return;
    this.#bytes ??= new Uint8Array(MAX_WAITING * KEPT_BYTES);
    const slot = (this.#head + this.#count++) % MAX_WAITING;
    const at = slot * KEPT_BYTES;
    const length = Math.min(syn.end - syn.headerAt, KEPT_BYTES);
    copy(syn.bytes, syn.headerAt, this.#bytes, at, length);
    // What has not left its machine has a checksum that is nobody's business outside; one that is cut off can't be had.
    if (isPartial && length === syn.end - syn.headerAt) {
      completeChecksum(this.#bytes, at, length, syn.payloadAt - syn.headerAt, TCP_CHECKSUM_OFFSET);
    }
    this.#lengths[slot] = length;
    this.#interfaces[slot] = syn.interfaceIndex;
    this.#ends[slot] = this.#host.now + UNSOLICITED_SYN_WAIT;
    if (this.#count === 1) this.#host.timers.arm(this.#timer, this.#ends[slot] as number);
  }

  timeout(_kind: number, now: number): void {
    while (this.#count > 0 && (this.#ends[this.#head] as number) <= now) {
      const slot = this.#head;
      this.#head = (slot + 1) % MAX_WAITING;
      this.#count--;
      this.#end(slot);
    }
    if (this.#count > 0) this.#host.timers.arm(this.#timer, this.#ends[this.#head] as number);
  }

  #end(slot: number): void {
    const packet = this.#read(slot);
    if (packet !== null && !this.#judge.isAnswered(packet)) this.#judge.refuse(packet);
  }

  #isWaiting(syn: InboundPacket): boolean {
    const ports = syn.payloadAt;
    for (let i = 0; i < this.#count; i++) {
      const held = this.#read((this.#head + i) % MAX_WAITING);
      if (held === null || held.src3 !== syn.src3) continue;
      const at = held.payloadAt;
      const isSame =
        u16(held.bytes, at) === u16(syn.bytes, ports) &&
        u16(held.bytes, at + 2) === u16(syn.bytes, ports + 2);
      if (isSame) return true;
    }
    return false;
  }

  #read(slot: number): Packet | null {
    if (this.#bytes === null) return null;
    const at = slot * KEPT_BYTES;
    const end = at + (this.#lengths[slot] as number);
    if (parseQuotedIpv4(this.#bytes, at, end, this.#header) !== DropReason.none) return null;
    this.#packet.setIpv4(this.#bytes, this.#header, this.#interfaces[slot] as number);
    this.#packet.end = end;
    return this.#packet;
  }
}
