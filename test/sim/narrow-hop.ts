/**
 * A router with a narrower link behind it, between a host and its wire: packets that do not fit are refused with ICMP, or vanish
 * without a word, or are cut when they may be: none of IPv6.
 */

import {
  createFrameBatch,
  createTransmitBatch,
  FRAME_LENGTH,
  FRAME_OFFSET,
  flattenFrame,
  type Scheduler,
  type TransmitBatch,
  TX_HEADER_LENGTH,
  TX_PAYLOAD1_LENGTH,
  transmitLength,
  u16,
} from '../../src/base/index.ts';
import { type Link, LinkDecorator } from '../../src/link/index.ts';
import { IPV4_DONT_FRAGMENT, IPV4_HEADER_LEN, IPV4_MORE_FRAGMENTS, sealIpv4 } from '../../src/wire/index.ts';
import { packetsOf } from '../support/packets.ts';

/** The router's own address, by its number in the subnet. */
const ROUTER = 254;
const isSix = (packet: Uint8Array): boolean => (packet[0] as number) >> 4 === 6;
/** How long a message takes back to the host, ms. */
const REPORT_DELAY = 1;

export interface NarrowHopOptions {
  readonly link: Link;
  readonly scheduler: Scheduler;
  /** Largest IP packet of the link behind the router. */
  readonly hopMtu: number;
  /** `silent`: a black hole. `old`: a router from before RFC 1191, which does not say its MTU. */
  readonly reports: 'mtu' | 'old' | 'silent';
}

export class NarrowHop extends LinkDecorator {
  hopMtu: number;
  reports: NarrowHopOptions['reports'];
  /** Packets with DF that did not fit, those that were cut, and the largest that passed. */
  refused = 0;
  cut = 0;
  largest = 0;
  readonly #scheduler: Scheduler;
  readonly #out = createTransmitBatch(1);

  constructor(options: NarrowHopOptions) {
    super(options.link);
    this.hopMtu = options.hopMtu;
    this.reports = options.reports;
    this.#scheduler = options.scheduler;
  }

  override transmit(batch: TransmitBatch): boolean {
    let isClear = true;
    for (let i = 0; i < batch.count; i++) {
      const packet = new Uint8Array(transmitLength(batch, i));
      flattenFrame(batch, i, packet, 0);
      if (!this.#forward(packet)) isClear = false;
    }
    return isClear;
  }

  #forward(packet: Uint8Array): boolean {
    if (packet.length <= this.hopMtu) {
      this.largest = Math.max(this.largest, packet.length);
      return this.#send(packet);
    }
    if (!isSix(packet) && (u16(packet, 6) & IPV4_DONT_FRAGMENT) === 0) return this.#fragment(packet);
    this.refused++;
    if (this.reports !== 'silent') this.#report(packet);
    return true;
  }

  #send(packet: Uint8Array): boolean {
    const out = this.#out;
    out.table.fill(0);
    out.table[TX_HEADER_LENGTH] = IPV4_HEADER_LEN;
    out.headers.set(packet.subarray(0, IPV4_HEADER_LEN));
    out.table[TX_PAYLOAD1_LENGTH] = packet.length - IPV4_HEADER_LEN;
    out.payloads[0] = packet.subarray(IPV4_HEADER_LEN);
    out.count = 1;
    return super.transmit(out);
  }

  #fragment(packet: Uint8Array): boolean {
    this.cut++;
    const most = (this.hopMtu - IPV4_HEADER_LEN) & ~7;
    const body = packet.subarray(IPV4_HEADER_LEN);
    let isClear = true;
    for (let at = 0; at < body.length; at += most) {
      const part = body.subarray(at, at + most);
      const fragment = new Uint8Array(IPV4_HEADER_LEN + part.length);
      fragment.set(packet.subarray(0, IPV4_HEADER_LEN));
      fragment.set(part, IPV4_HEADER_LEN);
      const field = (at >> 3) | (at + most < body.length ? IPV4_MORE_FRAGMENTS : 0);
      fragment.set([fragment.length >> 8, fragment.length & 0xff], 2);
      fragment.set([field >> 8, field & 0xff], 6);
      sealIpv4(fragment, 0, IPV4_HEADER_LEN);
      if (!this.#send(fragment)) isClear = false;
    }
    return isClear;
  }

  #report(packet: Uint8Array): void {
    const packets = packetsOf(isSix(packet) ? 6 : 4);
    const message = packets.error('tooBig', packet, this.reports === 'old' ? 0 : this.hopMtu, {
      src: packets.neighbor(ROUTER),
      dst: packets.read(packet).src,
    });
    this.#scheduler.after(REPORT_DELAY, () => {
      const batch = createFrameBatch(1, message.length);
      batch.bytes.set(message);
      batch.table[FRAME_OFFSET] = 0;
      batch.table[FRAME_LENGTH] = message.length;
      batch.count = 1;
      this.receiver?.receive(batch);
    });
  }
}
