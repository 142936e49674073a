/**
 * Hostile frames without end from a seed: packets of both families and messages of all that runs beside them, well-formed, bent
 * and noise. What the host under test sends can be shown to them: then servers answer its DHCP messages, and somebody always
 * claims the address that it asks for.
 */

import {
  FRAME_COLUMNS,
  FRAME_CSUM_VALID,
  FRAME_NEEDS_CSUM,
  type FrameBatch,
  fromHex,
  GSO_TCPV4,
  GSO_TCPV6,
  putI32,
  putU16,
  randomBelow,
  type SeededRandom,
  u16,
} from '../../src/base/index.ts';
import {
  checksum,
  DropReason,
  ETHERTYPE_ARP,
  IcmpV6Type,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Ipv6Extensions,
  Ipv6Header,
  parseIpv6,
  pseudoHeaderSumV6,
  sealIpv4,
  skipIpv6Extensions,
} from '../../src/wire/index.ts';
import { arpReply, arpRequest } from '../unit/stack/neighbor/support.ts';
import { answerTo, type DhcpTypeName } from './dhcp-server.ts';
import { igmpQuery, igmpReport } from './igmp.ts';
import { mldQuery, mldReport } from './mld.ts';
import { ethernetFrame, icmpPacket, ipv4Packet, tcpOptions, tcpPacket, udpPacket } from './segment.ts';
import {
  destinationOptions,
  type ExtensionFields,
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  tcp6Packet,
  udp6Packet,
  v6,
} from './segment6.ts';

/** Bytes of a batch that each frame has for itself. */
export const FRAME_ROOM = 4096;

const ETHERTYPE_IPV6 = 0x86dd;
const ETHERNET_LEN = 14;
const ROUTING = 43;
/** Prefixes that make no host's address. */
const NO_PREFIXES = ['ff05::', 'fe80::', '::'];
const TCP_OPTIONS = [
  tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 0], windowShift: 7 }),
  tcpOptions({ timestamps: [99, 3] }),
  tcpOptions({ sack: [[100, 200]] }),
  new Uint8Array(0),
];
const PAYLOAD_LENGTHS = [0, 8, 40, 640, 1400];

/** Packets of another kind, which are bent like those of here. */
export interface PacketSource {
  next(isV6: boolean): Uint8Array;
}

export class HostileFrames {
  readonly #random: SeededRandom;
  readonly #isEthernet: boolean;
  readonly #others: PacketSource | null;
  readonly #header = new Ipv6Header();
  readonly #chain = new Ipv6Extensions();
  /** Of the host's last DHCPv4 message: its transaction and what it was. */
  #xid = 0;
  #asked: DhcpTypeName = 'discover';
  /** The host's last DHCPv6 message and who sent it, and the last address that it solicited. */
  #dhcp6: Uint8Array = fromHex('01000000');
  #dhcp6Client = new Uint8Array(16);
  #solicited = addressBytes('fd00::2');

  /** @param others whose packets two of three frames carry */
  constructor(random: SeededRandom, isEthernet: boolean, others: PacketSource | null = null) {
    this.#random = random;
    this.#isEthernet = isEthernet;
    this.#others = others;
  }

  /** Fills a batch; flags and segment sizes are at random too, as a broken device might give them. */
  fill(batch: FrameBatch, count: number): void {
    const random = this.#random;
    batch.count = 0;
    for (let i = 0; i < count; i++) {
      const frame = this.next();
      const flags = this.#pick([0, 0, 0, FRAME_NEEDS_CSUM, FRAME_CSUM_VALID]);
      const gsoSize = randomBelow(random, 5) === 0 ? randomBelow(random, 1500) : 0;
      const gsoType = gsoSize > 0 ? this.#pick([GSO_TCPV4, GSO_TCPV6]) : 0;
      const start = this.#pick([34, 54]);
      const at = i * FRAME_ROOM;
      batch.bytes.set(frame, at);
      batch.table.set([at, frame.length, flags, gsoType, gsoSize, start, 16, -1], i * FRAME_COLUMNS);
      batch.count++;
    }
  }

  /** A frame, or on a link without hardware addresses a packet. At most {@link FRAME_ROOM} bytes. */
  next(): Uint8Array {
    const random = this.#random;
    if (randomBelow(random, 12) === 0) return this.#maybeFramed(this.#noise(), 4);
    if (this.#isEthernet && randomBelow(random, 12) === 0) return this.#mutate(this.#arp(), 28);
    const isV6 = randomBelow(random, 2) === 0;
    const packet = this.#packet(isV6);
    const bent = this.#mutate(packet, isV6 ? 104 : 64);
    if (isV6) this.#repair6(bent);
    else this.#repair4(bent);
    return this.#maybeFramed(bent, isV6 ? 6 : 4);
  }

  /** Shows what the host sent, as a frame or packet. */
  heard(frame: Uint8Array): void {
    const at = this.#isEthernet ? ETHERNET_LEN : 0;
    const version = (frame[at] as number) >> 4;
    const isUdp4 = version === 4 && frame[at + 9] === IPPROTO_UDP && u16(frame, at + 22) === 67;
    if (isUdp4 && frame.length > at + 28 + 243) {
      this.#xid = u16(frame, at + 32) * 65_536 + u16(frame, at + 34);
      this.#asked = frame[at + 28 + 242] === 1 ? 'discover' : 'request';
    }
    if (version !== 6) return;
    if (frame[at + 6] === IPPROTO_UDP && u16(frame, at + 42) === 547) {
      this.#dhcp6 = frame.slice(at + 48);
      this.#dhcp6Client = frame.slice(at + 8, at + 24);
    }
    const isSolicitation = frame[at + 6] === IPPROTO_ICMPV6 && frame[at + 40] === 135;
    if (isSolicitation) this.#solicited = frame.slice(at + 48, at + 64);
  }

  #packet(isV6: boolean): Uint8Array {
    if (this.#others !== null && randomBelow(this.#random, 3) > 0) return this.#others.next(isV6);
    return isV6 ? this.#packet6() : this.#packet4();
  }

  #pick<T>(of: readonly T[]): T {
    return of[randomBelow(this.#random, of.length)] as T;
  }

  /** One of many IPv6 addresses of the link. */
  #near6(): string {
    return `fd00::${(1 + randomBelow(this.#random, 4096)).toString(16)}`;
  }

  /** A well-formed packet of some kind, of a peer that talks to the host's endpoints. */
  #packet4(): Uint8Array {
    const random = this.#random;
    const sourcePort = 1024 + randomBelow(random, 4);
    switch (randomBelow(random, 11)) {
      case 0:
        return udpPacket({
          sourcePort,
          destinationPort: this.#pick([53, 54, 55]),
          payload: randomBelow(random, 1400),
        });
      case 1:
        return icmpPacket({ payload: randomBelow(random, 1400) });
      case 2: {
        const payload = udpPacket({
          src: '10.0.0.2',
          dst: '10.0.0.1',
          sourcePort: 53,
          destinationPort: sourcePort,
        });
        return icmpPacket({ type: this.#pick([0, 3, 4, 5, 11, 12]), code: randomBelow(random, 6), payload });
      }
      case 3:
        return ipv4Packet(
          this.#pick([1, 6, 17, 99]),
          udpPacket({ payload: 8 * randomBelow(random, 100) }).slice(20),
          {
            id: randomBelow(random, 16),
            fragmentOffset: 8 * randomBelow(random, 40),
            moreFragments: randomBelow(random, 3) > 0,
          },
        );
      case 4: {
        const options = ['94040000', '0707040000000000', '830704c0000201', '01010107'];
        return udpPacket({ ipOptions: fromHex(this.#pick(options)) });
      }
      case 5: {
        const dst = this.#pick(['10.0.0.255', '255.255.255.255', '224.0.0.1', '239.1.2.3']);
        return udpPacket({ dst, destinationPort: 53, payload: 20 });
      }
      case 6:
        return this.#igmp();
      case 7:
        return this.#dhcpAnswer();
      default:
        return tcpPacket({ ...this.#segment(), sourcePort, urgentPointer: randomBelow(random, 10) });
    }
  }

  /** What TCP's segments have in both families. */
  #segment() {
    const random = this.#random;
    return {
      destinationPort: this.#pick([80, 80, 80, 82, 81]),
      flags: this.#pick(['S', 'S', '.', 'P.', 'F.', 'R', 'R.', 'U.', 'SF', 'FPU', 'S.']),
      seq: this.#pick([0, 1, 2, 100, 0x7fffffff, 0xffffffff]),
      ack: this.#pick([0, 1, random.next()]),
      window: this.#pick([0, 1, 65535]),
      options: this.#pick(TCP_OPTIONS),
      payload: randomBelow(random, 3) * 100,
    };
  }

  #igmp(): Uint8Array {
    const random = this.#random;
    const group = this.#pick(['239.1.2.3', '224.0.0.251', '239.9.9.9']);
    if (randomBelow(random, 3) === 0) return igmpReport(group, this.#pick([1, 2]));
    const sources = Array.from({ length: randomBelow(random, 4) }, (_, i) => `10.0.0.${i + 1}`);
    return igmpQuery({
      version: this.#pick([1, 2, 3, 3]),
      maxResponse: this.#pick([0, 1, 100, 255]),
      ...(randomBelow(random, 2) === 0 ? { group, sources } : {}),
    });
  }

  #dhcpAnswer(): Uint8Array {
    const random = this.#random;
    const type = this.#pick<DhcpTypeName>(['offer', 'offer', 'ack', 'ack', 'nak', 'decline']);
    const isFitting = randomBelow(random, 2) === 0;
    const asked = {
      type: this.#asked,
      xid: this.#xid,
      chaddr: '020000000002',
      isBroadcast: randomBelow(random, 2) === 0,
    };
    return answerTo(asked, {
      ...(isFitting ? {} : { type }),
      yiaddr: this.#pick(['10.0.0.50', '10.0.0.51', '10.0.0.2', '0.0.0.0', '224.0.0.1', '172.16.0.9']),
      leaseSec: this.#pick([0, 1, 30, 3600, 0xffffffff]),
      mask: this.#pick(['255.255.255.0', '255.255.0.0', '0.0.0.0', '255.0.255.0']),
      routers: this.#pick([[], ['10.0.0.1'], ['10.0.0.1', '10.0.0.9'], ['172.16.0.1']]),
      dns: this.#pick([[], ['10.0.0.1']]),
      options: this.#pick([
        [],
        [[121, '180a00050a000001']],
        [[26, '0000']],
        [[26, '0240']],
        [[26, '0578']],
        [[15, '6c616e']],
      ]),
    });
  }

  #packet6(): Uint8Array {
    const random = this.#random;
    const sourcePort = 1024 + randomBelow(random, 4);
    const base = {
      src: this.#pick(['fd00::1', 'fd00::1', 'fe80::1', this.#near6(), '2001:db8::9']),
      dst: this.#pick(['fd00::2', 'fd00::2', 'fd00::2', 'fe80::2', 'ff02::1', 'ff05::123']),
      ...(randomBelow(random, 4) === 0 ? { extensions: this.#extensions() } : {}),
    };
    switch (randomBelow(random, 12)) {
      case 0:
        return udp6Packet({
          ...base,
          sourcePort,
          destinationPort: this.#pick([53, 54, 55]),
          payload: randomBelow(random, 1400),
        });
      case 1:
        return icmp6Packet({ ...base, payload: randomBelow(random, 1400) });
      case 2:
        return this.#error6(base.src, sourcePort);
      case 3:
        return this.#fragment6();
      case 4: {
        const body = new Uint8Array(this.#pick(PAYLOAD_LENGTHS));
        return ipv6Packet(this.#pick([99, 59, 1, 255, 58, 6]), body, base);
      }
      case 5:
        return this.#mld();
      case 6:
      case 7:
        return this.#neighborMessage();
      case 8:
        return randomBelow(random, 3) === 0 ? this.#redirect() : this.#routerMessage();
      case 9:
        return this.#dhcp6Answer();
      default:
        return tcp6Packet({ ...base, ...this.#segment(), sourcePort });
    }
  }

  #extensions(): ExtensionFields[] {
    const of = (): ExtensionFields =>
      this.#pick<() => ExtensionFields>([
        () => hopByHop(),
        () => hopByHop(5, 2, 0, 0),
        () => destinationOptions(),
        () => destinationOptions(this.#pick([0x1e, 0x5e, 0x9e, 0xde]), 2, 1, 2),
        () => ({ protocol: ROUTING, bytes: fromHex(this.#pick(['0000000000000000', '0000040100000000'])) }),
        () => fragmentHeader(0, false, randomBelow(this.#random, 16)),
      ])();
    return Array.from({ length: 1 + randomBelow(this.#random, this.#pick([2, 2, 10])) }, of);
  }

  #fragment6(): Uint8Array {
    const random = this.#random;
    const offset = 8 * randomBelow(random, 40);
    const whole = udp6Packet({ payload: 8 * randomBelow(random, 150) }).slice(40);
    return ipv6Packet(this.#pick([17, 17, 6, 58, 60]), whole.subarray(0, whole.length & ~7), {
      extensions: [fragmentHeader(offset, randomBelow(random, 3) > 0, randomBelow(random, 16))],
    });
  }

  #error6(src: string, port: number): Uint8Array {
    const random = this.#random;
    const quoted = this.#pick([
      udp6Packet({ src: 'fd00::2', dst: 'fd00::1', sourcePort: 53, destinationPort: port }),
      tcp6Packet({ src: 'fd00::2', dst: 'fd00::1', sourcePort: 80, destinationPort: port, flags: 'S.' }),
      icmp6Packet({ src: 'fd00::2', dst: 'fd00::1' }),
    ]);
    return icmp6Packet({
      src,
      type: this.#pick([1, 2, 3, 4, 100, 129]),
      code: randomBelow(random, 8),
      rest: this.#pick([0, 6, 40, 576, 1280, 1400, -1]),
      payload: quoted,
    });
  }

  #mld(): Uint8Array {
    const random = this.#random;
    const group = this.#pick(['ff05::123', 'ff02::1:ff00:2', 'ff02::fb', 'ff02::1']);
    if (randomBelow(random, 3) === 0) return mldReport(group);
    const sources = Array.from({ length: randomBelow(random, 4) }, (_, i) => `fd00::${i + 1}`);
    return mldQuery({
      version: this.#pick([1, 2, 2]),
      maxResponse: this.#pick([0, 1, 1000, 32_767]),
      ...(randomBelow(random, 2) === 0 ? { group, sources } : {}),
    });
  }

  /** A solicitation or an advertisement of a neighbour. */
  #neighborMessage(): Uint8Array {
    const isSolicitation = randomBelow(this.#random, 2) === 0;
    const known = ['fd00::2', 'fe80::2', 'fd00::1', 'fe80::1', this.#near6(), 'ff02::1', '::'];
    const target = randomBelow(this.#random, 2) === 0 ? this.#solicited : addressBytes(this.#pick(known));
    const flags = this.#pick([0, 0x60000000, 0x40000000, 0x20000000, 0xe0000000, 0x80000000]) | 0;
    return icmp6Packet({
      type: isSolicitation ? IcmpV6Type.neighborSolicitation : IcmpV6Type.neighborAdvertisement,
      rest: isSolicitation ? 0 : flags,
      src: this.#pick([this.#near6(), this.#near6(), 'fe80::1', '::']),
      dst: this.#pick(isSolicitation ? ['ff02::1:ff00:2', 'fd00::2'] : ['ff02::1', 'fd00::2', 'fe80::2']),
      hops: 255,
      payload: joined(target, ...this.#ndpOptions()),
    });
  }

  /** A redirect of fe80::1, which may be a router of the host. */
  #redirect(): Uint8Array {
    const destination = this.#pick([
      '2001:db8::9',
      `2001:db8::${randomBelow(this.#random, 4096)}`,
      'fd00::1',
      'ff02::1',
    ]);
    const target = this.#pick(['fe80::1', 'fe80::7', destination]);
    const payload = joined(addressBytes(target), addressBytes(destination), ...this.#ndpOptions());
    return icmp6Packet({ type: IcmpV6Type.redirect, rest: 0, src: 'fe80::1', hops: 255, payload });
  }

  #routerMessage(): Uint8Array {
    const random = this.#random;
    const router = this.#pick(['fe80::1', 'fe80::1', `fe80::${(randomBelow(random, 64) + 1).toString(16)}`]);
    const from = { src: router, hops: 255 };
    if (randomBelow(random, 6) === 0)
      return icmp6Packet({ ...from, dst: 'ff02::2', type: IcmpV6Type.routerSolicitation, rest: 0 });
    const flags = this.#pick([0, 0, 0x40, 0x80, 0x08, 0x18, 0xff]);
    const times = new Uint8Array(8);
    putI32(times, 0, this.#pick([0, 1, 30_000, -1]));
    putI32(times, 4, this.#pick([0, 1, 1000, -1]));
    const prefixes = Array.from({ length: randomBelow(random, 4) }, () => this.#routerOption());
    return icmp6Packet({
      ...from,
      dst: this.#pick(['ff02::1', 'fe80::2']),
      type: IcmpV6Type.routerAdvertisement,
      rest: (this.#pick([0, 1, 64, 255]) << 24) | (flags << 16) | this.#pick([0, 1, 30, 1800, 0xffff]),
      payload: joined(times, ...prefixes, ...this.#ndpOptions()),
    });
  }

  /** A prefix, a route, an MTU, name servers or domains, of lifetimes from none to for ever. */
  #routerOption(): Uint8Array {
    const random = this.#random;
    const good = `2001:db8:${randomBelow(random, 64)}::`;
    const prefix = addressBytes(this.#pick([good, good, good, good, good, ...NO_PREFIXES]));
    const lifetimes = new Uint8Array(8);
    putI32(lifetimes, 0, this.#pick([0, 1, 60, 7200, 86_400, -1]));
    putI32(lifetimes, 4, this.#pick([0, 1, 60, 7200, 86_400, -1]));
    switch (randomBelow(random, 6)) {
      case 0:
        return joined(
          Uint8Array.of(24, 3, this.#pick([0, 48, 64, 128, 129]), this.#pick([0, 8, 24, 16])),
          lifetimes.subarray(0, 4),
          prefix,
        );
      case 1:
        return joined(
          fromHex('05010000'),
          fromHex(this.#pick(['00000500', '000005dc', '00000000', 'ffffffff'])),
        );
      case 2:
        return joined(fromHex('19030000'), lifetimes.subarray(0, 4), prefix);
      case 3:
        return joined(
          fromHex('1f020000'),
          lifetimes.subarray(0, 4),
          fromHex(this.#pick(['036c616e00000000', 'c000000000000000'])),
        );
      default: {
        const head = Uint8Array.of(
          3,
          4,
          this.#pick([64, 64, 64, 0, 96, 128, 200]),
          this.#pick([0xc0, 0xc0, 0x80, 0x40]),
        );
        return joined(head, lifetimes, new Uint8Array(4), prefix);
      }
    }
  }

  /** Options of any of the messages: hardware addresses, a nonce, an unknown one, one of no length. */
  #ndpOptions(): Uint8Array[] {
    return Array.from({ length: randomBelow(this.#random, 3) }, () => {
      const mac = this.#pick([
        '020000000001',
        '020000000009',
        '020000000002',
        'ffffffffffff',
        '333300000001',
      ]);
      const nonce = '0e01010203040506';
      return fromHex(
        this.#pick([
          `0101${mac}`,
          `0201${mac}`,
          `0101${mac}`,
          `0201${mac}`,
          nonce,
          'fd01000000000000',
          '0100',
        ]),
      );
    });
  }

  /** The host's last DHCPv6 message come back as a server's, with an address. */
  #dhcp6Answer(): Uint8Array {
    const iaAt = indexOf(this.#dhcp6, fromHex('0003'), 4);
    const kept = iaAt < 0 ? this.#dhcp6.slice() : this.#dhcp6.slice(0, iaAt);
    kept[0] = this.#pick([2, 2, 7, 7, 7, 10]);
    const iaid = iaAt < 0 ? new Uint8Array(4) : this.#dhcp6.slice(iaAt + 4, iaAt + 8);
    const times = fromHex(this.#pick(['0000000000000000', '0000003c00000078', 'ffffffffffffffff']));
    const lease = addressBytes(`2001:db8:ff::${randomBelow(this.#random, 16)}`);
    const lifetimes = fromHex(this.#pick(['00000e1000001c20', '0000000000000000', 'ffffffffffffffff']));
    const payload = joined(
      kept,
      fromHex('0002000a00030001020000000001'),
      fromHex('00030028'),
      joined(iaid.length === 4 ? iaid : new Uint8Array(4), times),
      joined(fromHex('00050018'), lease, lifetimes),
    );
    const packet = udp6Packet({ src: 'fe80::1', sourcePort: 547, destinationPort: 546, payload });
    packet.set(this.#dhcp6Client, 24);
    return packet;
  }

  #arp(): Uint8Array {
    const random = this.#random;
    const near = `10.0.0.${randomBelow(random, 256)}`;
    const make = this.#pick([arpRequest, arpReply]);
    return make({
      sender: this.#pick([near, near, '10.0.0.1', '10.0.0.2', '0.0.0.0', '10.0.0.50']),
      senderMac: this.#pick(['02:00:00:00:00:01', '02:00:00:00:00:09', 'ff:ff:ff:ff:ff:ff']),
      target: this.#pick(['10.0.0.2', '10.0.0.50', near]),
    }).slice(ETHERNET_LEN);
  }

  /** A few bytes changed, cut or added; most of them in the first `early`, where the decisions are made. */
  #mutate(packet: Uint8Array, early: number): Uint8Array {
    const random = this.#random;
    let bytes: Uint8Array = packet.slice();
    const changes = randomBelow(random, 4);
    for (let i = 0; i < changes && bytes.length > 0; i++) {
      const range = randomBelow(random, 3) > 0 ? Math.min(early, bytes.length) : bytes.length;
      const at = randomBelow(random, range);
      const extremes = [0, 0xff, 0x80, 0x7f, 1, (bytes[at] as number) ^ (1 << randomBelow(random, 8))];
      bytes[at] = this.#pick(extremes);
    }
    if (randomBelow(random, 8) === 0) bytes = bytes.slice(0, randomBelow(random, bytes.length + 1));
    if (randomBelow(random, 16) === 0) bytes = joined(bytes, new Uint8Array(randomBelow(random, 64)));
    return early === 28 ? ethernetFrame(bytes, 'ffffffffffff', '020000000001', ETHERTYPE_ARP) : bytes;
  }

  /** Half of the time the header's checksum is right again. */
  #repair4(bytes: Uint8Array): void {
    const headerLength = bytes.length === 0 ? 0 : ((bytes[0] as number) & 15) * 4;
    const canSeal = headerLength >= 20 && headerLength <= bytes.length;
    if (canSeal && randomBelow(this.#random, 2) === 0) sealIpv4(bytes, 0, headerLength);
  }

  /** Three times of four the lengths and the upper layer's checksum are right again. */
  #repair6(bytes: Uint8Array): void {
    if (randomBelow(this.#random, 4) === 0 || bytes.length < 40) return;
    putU16(bytes, 4, bytes.length - 40);
    sealUpperLayer(bytes, this.#header, this.#chain);
  }

  #noise(): Uint8Array {
    return Uint8Array.from({ length: randomBelow(this.#random, 200) }, () => this.#random.next());
  }

  /** On an Ethernet, mostly in a frame that fits the packet. */
  #maybeFramed(packet: Uint8Array, version: 4 | 6): Uint8Array {
    if (!this.#isEthernet || randomBelow(this.#random, 20) === 0) return packet;
    if (version === 4) return ethernetFrame(packet);
    const isGroup = packet.length >= 40 && packet[24] === 0xff;
    const mac = isGroup ? `3333${hexOf(packet.subarray(36, 40))}` : '020000000002';
    return ethernetFrame(packet, mac, '020000000001', ETHERTYPE_IPV6);
  }
}

/** Writes the checksum of what the extension headers of `bytes` lead to, where it is known and there is room. */
export function sealUpperLayer(bytes: Uint8Array, header: Ipv6Header, chain: Ipv6Extensions): void {
  if (parseIpv6(bytes, 0, bytes.length, header) !== DropReason.none) return;
  if (skipIpv6Extensions(bytes, header, chain) !== DropReason.none) return;
  const { protocol, payloadAt } = chain;
  const field = CHECKSUM_AT.get(protocol);
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3, end } = header;
  if (field === undefined || payloadAt + field + 2 > end) return;
  const length = end - payloadAt;
  const pseudo = pseudoHeaderSumV6(src0, src1, src2, src3, dst0, dst1, dst2, dst3, protocol, length);
  putU16(bytes, payloadAt + field, 0);
  putU16(bytes, payloadAt + field, checksum(bytes, payloadAt, length, pseudo));
}

const CHECKSUM_AT = new Map<number, number>([
  [IPPROTO_TCP, 16],
  [IPPROTO_UDP, 6],
  [IPPROTO_ICMPV6, 2],
]);

/** The 16 bytes of an address. */
export function addressBytes(text: string): Uint8Array {
  const { w0, w1, w2, w3 } = v6(text);
  const bytes = new Uint8Array(16);
  for (const [i, word] of [w0, w1, w2, w3].entries()) putI32(bytes, 4 * i, word);
  return bytes;
}

/** Pieces one behind the other. */
export function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Where `what` is in `bytes`, by options of DHCPv6 from `at` on; -1: nowhere. */
function indexOf(bytes: Uint8Array, what: Uint8Array, from: number): number {
  for (let at = from; at + 8 <= bytes.length; at += 4 + u16(bytes, at + 2)) {
    if (bytes[at] === what[0] && bytes[at + 1] === what[1]) return at;
  }
  return -1;
}
