/**
 * Packets without end from a seed that are for others: what a router between two hostile networks is given to pass on and to
 * translate. What left it can be shown, so that answers, and errors about it, come back.
 *
 *     inside 10.0.0.0/24, fd00::/64 ── 10.0.0.2 router 192.0.2.1 ── outside 192.0.2.0/24, fd02::/64, and the world behind 192.0.2.254
 */

import { fromHex, randomBelow, type SeededRandom, u16 } from '../../src/base/index.ts';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../../src/wire/index.ts';
import { icmpPacket, ipv4Packet, tcpPacket, udpPacket } from './segment.ts';
import {
  destinationOptions,
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  tcp6Packet,
  udp6Packet,
} from './segment6.ts';

/** The router's addresses on both sides. */
export const INSIDE_ADDRESS = '10.0.0.2';
export const OUTSIDE_ADDRESS = '192.0.2.1';
const FLAGS = ['S', 'S', '.', 'P.', 'F.', 'R', 'R.', 'S.', 'SF'];
const MARTIANS = ['127.0.0.1', '0.0.0.0', '240.0.0.1', '169.254.1.1', '224.0.0.9', '255.255.255.255'];
const MARTIANS6 = ['::1', '::', 'fe80::9', 'ff02::9', '::ffff:10.0.0.1'];
const IP_OPTIONS = ['0707040000000000', '440c050000000000000000', '44080d0100000000', '94040000', '01010107'];
/** What left that is remembered, and the bytes of it that an error quotes. */
const REMEMBERED = 64;
const QUOTED = 128;

export class HostileTransit {
  readonly #random: SeededRandom;
  readonly #isInside: boolean;
  /** Packets that the router has sent to this side, the newest last. */
  readonly #left: Uint8Array[] = [];

  /** @param isInside whether they come from inside */
  constructor(random: SeededRandom, isInside: boolean) {
    this.#random = random;
    this.#isInside = isInside;
  }

  /** Shows an IPv4 packet that left on this side. */
  heard(packet: Uint8Array): void {
    if (packet.length < 28 || (packet[0] as number) >> 4 !== 4) return;
    this.#left.push(packet.slice(0, QUOTED));
    if (this.#left.length > REMEMBERED) this.#left.shift();
  }

  next(isV6: boolean): Uint8Array {
    if (isV6) return this.#packet6();
    return !this.#isInside && randomBelow(this.#random, 2) === 0 ? this.#answer() : this.#packet4();
  }

  #pick<T>(of: readonly T[]): T {
    return of[randomBelow(this.#random, of.length)] as T;
  }

  #host(net: string, count: number): string {
    return `${net}${1 + randomBelow(this.#random, count)}`;
  }

  #ends(): { src: string; dst: string } {
    const inside = this.#host('10.0.0.', 250);
    const outside = this.#pick([
      this.#host('192.0.2.', 250),
      this.#host('198.51.100.', 250),
      OUTSIDE_ADDRESS,
    ]);
    const odd = this.#pick([...MARTIANS, inside, '203.0.113.7']);
    const isOdd = randomBelow(this.#random, 8) === 0;
    const [src, dst] = this.#isInside ? [inside, outside] : [outside, this.#pick([inside, OUTSIDE_ADDRESS])];
    return randomBelow(this.#random, 2) === 0
      ? { src: isOdd ? odd : src, dst }
      : { src, dst: isOdd ? odd : dst };
  }

  #packet4(): Uint8Array {
    const random = this.#random;
    const base = {
      ...this.#ends(),
      ttl: this.#pick([0, 1, 2, 64, 64, 64, 255]),
      dontFragment: randomBelow(random, 2) === 0,
      id: randomBelow(random, 16),
      ...(randomBelow(random, 8) === 0 ? { ipOptions: fromHex(this.#pick(IP_OPTIONS)) } : {}),
    };
    const ports = {
      sourcePort: this.#pick([5000, 5001, 1 + randomBelow(random, 65_535)]),
      destinationPort: this.#pick([53, 80, 5000, 1 + randomBelow(random, 65_535)]),
    };
    switch (randomBelow(random, 8)) {
      case 0:
        return icmpPacket({ ...base, type: this.#pick([0, 8, 8]), payload: randomBelow(random, 3500) });
      case 1: {
        const payload = udpPacket({ src: base.dst, dst: base.src }).slice(0, randomBelow(random, 40));
        return icmpPacket({
          ...base,
          type: this.#pick([3, 4, 5, 11, 12]),
          code: randomBelow(random, 6),
          payload,
        });
      }
      case 2: {
        const whole = udpPacket({ ...ports, payload: 8 * randomBelow(random, 300) }).slice(20);
        return ipv4Packet(this.#pick([IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP]), whole, {
          ...base,
          dontFragment: false,
          fragmentOffset: 8 * randomBelow(random, this.#pick([2, 40, 8191])),
          moreFragments: randomBelow(random, 3) > 0,
        });
      }
      case 3:
        return ipv4Packet(this.#pick([47, 50, 99, 132, 2]), new Uint8Array(randomBelow(random, 200)), base);
      case 4:
      case 5:
        return udpPacket({ ...base, ...ports, payload: randomBelow(random, 3500) });
      default:
        return tcpPacket({ ...base, ...ports, flags: this.#pick(FLAGS), payload: randomBelow(random, 3000) });
    }
  }

  /** To whom something left: an answer, or an error that quotes it. */
  #answer(): Uint8Array {
    const random = this.#random;
    const left = this.#left.length === 0 ? undefined : this.#pick(this.#left);
    if (left === undefined) return this.#packet4();
    const text = (at: number): string => [...left.subarray(at, at + 4)].join('.');
    // Now and then somebody else answers.
    const base = { src: randomBelow(random, 4) === 0 ? '198.51.100.78' : text(16), dst: text(12) };
    if (randomBelow(random, 3) === 0) {
      const payload = left.slice(0, this.#pick([8, 20, 28, left.length]));
      const src = this.#pick([base.src, '198.51.100.77']);
      return icmpPacket({
        ...base,
        src,
        type: this.#pick([3, 4, 11, 12]),
        code: randomBelow(random, 6),
        payload,
      });
    }
    const at = ((left[0] as number) & 15) * 4;
    if (at + 4 > left.length) return this.#packet4();
    const ports = { sourcePort: u16(left, at + 2), destinationPort: u16(left, at) };
    switch (left[9]) {
      case IPPROTO_UDP:
        return udpPacket({ ...base, ...ports, payload: randomBelow(random, 1600) });
      case IPPROTO_TCP:
        return tcpPacket({ ...base, ...ports, flags: this.#pick(FLAGS), payload: randomBelow(random, 1600) });
      default:
        return icmpPacket({ ...base, type: 0, echoId: at + 6 <= left.length ? u16(left, at + 4) : 0 });
    }
  }

  #packet6(): Uint8Array {
    const random = this.#random;
    const inside = this.#host('fd00::', 4096);
    const outside = this.#pick([this.#host('fd02::', 4096), this.#host('2001:db8:9::', 4096)]);
    const isOdd = randomBelow(random, 8) === 0;
    const odd = this.#pick([...MARTIANS6, inside, outside]);
    const [src, dst] = this.#isInside ? [inside, outside] : [outside, inside];
    const extensions = [
      hopByHop(),
      destinationOptions(),
      fragmentHeader(8 * randomBelow(random, 40), randomBelow(random, 2) === 0, randomBelow(random, 16)),
    ];
    const base = {
      src: isOdd && randomBelow(random, 2) === 0 ? odd : src,
      dst: isOdd ? odd : dst,
      hops: this.#pick([0, 1, 2, 64, 64, 255]),
      ...(randomBelow(random, 4) === 0 ? { extensions: [this.#pick(extensions)] } : {}),
    };
    const payload = randomBelow(random, this.#pick([100, 1500, 3500]));
    switch (randomBelow(random, 5)) {
      case 0:
        return icmp6Packet({ ...base, type: this.#pick([1, 2, 3, 4, 128, 129, 135, 137]), payload });
      case 1:
        return ipv6Packet(this.#pick([0, 43, 44, 50, 59, 99]), new Uint8Array(payload), base);
      case 2:
        return tcp6Packet({ ...base, flags: this.#pick(FLAGS), payload });
      default:
        return udp6Packet({ ...base, payload });
    }
  }
}
