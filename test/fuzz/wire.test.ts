import { describe, expect, test } from '@jest/globals';
import { fromHex, GSO_TCPV4, GSO_UDP_L4, putU16, randomBelow, SeededRandom } from '../../src/base/index.ts';
import { CaptureError, readCapture } from '../../src/capture/index.ts';
import {
  checksum,
  completeChecksum,
  DropReason,
  type DropReasonName,
  dropReasonInfo,
  EthernetHeader,
  formatFrame,
  IcmpV4Header,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Ipv4Header,
  parseEthernet,
  parseIcmpV4,
  parseIpv4,
  parseQuotedIpv4,
  parseTcp,
  parseUdp,
  SegmentCutter,
  sealIpv4,
  TCP_OPTION_FAST_OPEN,
  TcpHeader,
  UdpHeader,
} from '../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  tcpOptions,
  tcpPacket,
  udpPacket,
} from '../support/segment.ts';
import { pcapngOf } from '../support/tshark.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20241122);
/** For long runs: so many times the usual number of rounds. */
const SCALE = Number(process.env['FUZZ_SCALE'] ?? 1);

const quote = udpPacket({ payload: 64 }).slice(0, 48);
/** What is mutated: one well-formed packet of every kind that the parsers tell apart. */
const CORPUS: readonly Uint8Array[] = [
  tcpPacket({
    flags: 'S',
    options: tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 0], windowShift: 7 }),
  }),
  tcpPacket({ flags: 'P.', payload: 200, options: tcpOptions({ timestamps: [9, 8] }) }),
  tcpPacket({
    options: tcpOptions({
      timestamps: [9, 8],
      sack: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    }),
  }),
  tcpPacket({ flags: 'S', options: tcpOptions({ mss: 536, fastOpen: fromHex('0102030405060708') }) }),
  tcpPacket({ flags: 'S', options: fromHex('fe0cf9890102030405060708 1e040000') }),
  udpPacket({ payload: 100 }),
  udpPacket({ payload: 'x', hasChecksum: false }),
  icmpPacket({ payload: 56 }),
  icmpPacket({ type: 3, code: 4, rest: 1400, payload: quote }),
  icmpPacket({ type: 11, code: 0, rest: 32 << 16, payload: new Uint8Array(140) }),
  ipv4Packet(17, new Uint8Array(40), { moreFragments: true, fragmentOffset: 80 }),
  udpPacket({ payload: 9, ipOptions: fromHex('07 0b 04 00000000 00000000  94 04 0000') }),
  udpPacket({ payload: 9, ipOptions: fromHex('44 0c 05 01 0a000001 00000000  83 07 04 0a000009') }),
];

/** One of the changes that break parsers, made in place; answers the packet, which may have another length. */
function mutate(random: SeededRandom, packet: Uint8Array): Uint8Array {
  const at = packet.length === 0 ? 0 : randomBelow(random, packet.length);
  // Headers are where the lengths are: most changes go there.
  const early = at % 64;
  switch (randomBelow(random, 7)) {
    case 0:
      packet[early] = (packet[early] as number) ^ (1 << randomBelow(random, 8));
      return packet;
    case 1:
      packet[early] = [0, 1, 2, 3, 0x7f, 0x80, 0xff, 40][randomBelow(random, 8)] as number;
      return packet;
    case 2:
      packet[at] = random.next();
      return packet;
    case 3:
      return packet.slice(0, at);
    case 4:
      putU16(
        packet,
        early & ~1,
        [0, 1, 7, 8, 19, 20, packet.length - 1, packet.length + 1, 0xffff][randomBelow(random, 9)] as number,
      );
      return packet;
    case 5: {
      // The start of one, the end of another.
      const other = CORPUS[randomBelow(random, CORPUS.length)] as Uint8Array;
      return Uint8Array.from([...packet.subarray(0, early), ...other.subarray(early)]);
    }
    default:
      return Uint8Array.from([...packet.subarray(0, early), random.next(), ...packet.subarray(early)]);
  }
}

/** A packet of the corpus with a few changes; checksums and lengths often made right again, to get past the first checks. */
function hostile(random: SeededRandom): Uint8Array {
  let packet: Uint8Array = (CORPUS[randomBelow(random, CORPUS.length)] as Uint8Array).slice();
  for (let changes = randomBelow(random, 4); changes >= 0; changes--) packet = mutate(random, packet);
  const headerLength = ((packet[0] as number) & 0xf) * 4;
  if (randomBelow(random, 8) > 0 && packet.length >= 20) {
    if (randomBelow(random, 3) > 0) putU16(packet, 2, packet.length);
    if (randomBelow(random, 3) > 0 && packet[9] === IPPROTO_ICMP && headerLength + 8 <= packet.length) {
      putU16(packet, headerLength + 2, 0);
      putU16(packet, headerLength + 2, checksum(packet, headerLength, packet.length - headerLength));
    }
    if (headerLength >= 20 && headerLength <= packet.length) sealIpv4(packet, 0, headerLength);
  }
  return packet;
}

/** Everything the parsers say about a packet, and a check that all of it lies inside. */
class Parsers {
  readonly ethernet = new EthernetHeader();
  readonly ip = new Ipv4Header();
  readonly quoted = new Ipv4Header();
  readonly icmp = new IcmpV4Header();
  readonly udp = new UdpHeader();
  readonly tcp = new TcpHeader();
  readonly seen = new Map<number, number>();

  /** Parses `bytes[at … end]`. @returns all that was read, offsets relative to `at` */
  parse(bytes: Uint8Array, at: number, end: number): unknown {
    const { ip } = this;
    const verdict = parseIpv4(bytes, at, end, ip);
    this.#count(verdict);
    if (verdict !== DropReason.none)
      return [verdict, verdict === DropReason.ipOptions ? ip.problemPointer : 0];
    inOrder(at, ip.headerAt, ip.headerAt + 20, ip.payloadAt, ip.end, end);
    const places = [ip.routerAlertAt, ip.recordRouteAt, ip.timestampAt, ip.sourceRouteAt];
    for (const place of places) if (place !== 0) inOrder(at + 20, place, place + 3, ip.payloadAt);
    const read = [verdict, ip.options, ip.src, ip.dst, ip.protocol, ip.payloadAt - at, ip.end - at];
    return [...read, ...places.map((place) => place && place - at), ...this.#transport(bytes, at)];
  }

  #transport(bytes: Uint8Array, at: number): readonly unknown[] {
    const { payloadAt, end, protocol } = this.ip;
    if (protocol === IPPROTO_TCP) return this.#tcp(bytes, payloadAt, end, at);
    if (protocol === IPPROTO_UDP) {
      const { udp } = this;
      const verdict = this.#count(parseUdp(bytes, payloadAt, end, udp));
      if (verdict !== DropReason.none) return [verdict];
      inOrder(payloadAt, udp.payloadAt, udp.end, end);
      return [udp.sourcePort, udp.destinationPort, udp.checksum, udp.end - at];
    }
    return protocol === IPPROTO_ICMP ? this.#icmp(bytes, payloadAt, end, at) : [];
  }

  #tcp(bytes: Uint8Array, from: number, end: number, at: number): readonly unknown[] {
    const { tcp } = this;
    const verdict = this.#count(parseTcp(bytes, from, end, tcp));
    if (verdict !== DropReason.none) return [verdict];
    inOrder(from + 20, tcp.payloadAt, tcp.payloadAt + tcp.payloadLength, end);
    inOrder(0, tcp.sackCount, 4);
    const hasCookie = (tcp.options & TCP_OPTION_FAST_OPEN) !== 0;
    if (hasCookie) inOrder(from + 20, tcp.fastOpenAt, tcp.fastOpenAt + tcp.fastOpenLength, tcp.payloadAt);
    const edges = tcp.sackEdges.slice(0, 2 * tcp.sackCount);
    return [tcp.seq, tcp.ack, tcp.flags, tcp.options, tcp.payloadLength, tcp.payloadAt - at, ...edges];
  }

  #icmp(bytes: Uint8Array, from: number, end: number, at: number): readonly unknown[] {
    const { icmp, quoted } = this;
    const verdict = this.#count(parseIcmpV4(bytes, from, end, icmp));
    if (verdict !== DropReason.none) return [verdict];
    inOrder(from + 8, icmp.payloadAt, icmp.quoteEnd, icmp.end, end);
    if (!icmp.isError) return [icmp.type, icmp.rest];
    const quoteVerdict = this.#count(parseQuotedIpv4(bytes, icmp.payloadAt, icmp.quoteEnd, quoted));
    if (quoteVerdict !== DropReason.none) return [quoteVerdict];
    inOrder(icmp.payloadAt + 20, quoted.payloadAt, quoted.payloadAt + 8, quoted.end, icmp.quoteEnd);
    return [icmp.type, icmp.rest, quoted.src, quoted.end - at];
  }

  #count(verdict: DropReason): DropReason {
    this.seen.set(verdict, (this.seen.get(verdict) ?? 0) + 1);
    return verdict;
  }
}

/** Each number is an integer and at least as large as the one before it. */
function inOrder(...places: number[]): void {
  for (let i = 1; i < places.length; i++) {
    if (!((places[i] as number) >= (places[i - 1] as number)))
      throw new Error(`out of order: ${places.join(' ')}`);
  }
}

/** Calls `round` many times; what it throws says how to see it again. */
function rounds(count: number, round: (random: SeededRandom) => void): void {
  for (let i = 0; i < count * SCALE; i++) {
    const seed = SEED + i;
    try {
      round(new SeededRandom(seed));
    } catch (error) {
      throw new Error(`round ${i}: run with FUZZ_SEED=${seed} to have it first`, { cause: error });
    }
  }
}

describe(`hostile bytes and the parsers (FUZZ_SEED=${SEED})`, () => {
  test('offsets stay inside and in order, bytes are not touched, and nothing outside is read', () => {
    const parsers = new Parsers();
    const arena = new Uint8Array(1024);
    rounds(150_000, (random) => {
      const packet = hostile(random);
      const at = 4 * randomBelow(random, 20);
      const end = at + packet.length;
      // The same packet among other bytes must read the same: whoever looks outside sees a difference.
      const answers = [0x00, 0xff, 0x45].map((around) => {
        arena.fill(around);
        arena.set(packet, at);
        const answer = JSON.stringify(parsers.parse(arena, at, end));
        if (arena.subarray(at, end).some((byte, i) => byte !== packet[i]))
          throw new Error('the packet was changed');
        return answer;
      });
      if (answers[0] !== answers[1] || answers[1] !== answers[2]) throw new Error(answers.join(' '));
    });
    // The fuzzing is worth its time only if it gets everywhere.
    const reached = [...parsers.seen.keys()].map((verdict) => dropReasonInfo(verdict)?.name);
    const expected: DropReasonName[] = [
      'none',
      ...([
        'ipTruncated',
        'ipVersion',
        'ipHeaderLength',
        'ipTotalLength',
        'ipChecksum',
        'ipOptions',
      ] as const),
      ...(['icmpTruncated', 'icmpChecksum', 'icmpTypeUnknown', 'icmpQuoteUnknown'] as const),
      ...(['udpTruncated', 'udpLength', 'tcpTruncated', 'tcpDataOffset', 'tcpOptions'] as const),
    ];
    expect(reached.sort()).toEqual(expected.sort());
    expect(parsers.seen.get(DropReason.none)).toBeGreaterThan(50_000);
  });

  test('Ethernet frames: offsets stay inside, whatever the tags', () => {
    const header = new EthernetHeader();
    rounds(20_000, (random) => {
      let frame: Uint8Array = ethernetFrame(CORPUS[randomBelow(random, CORPUS.length)] as Uint8Array);
      if (randomBelow(random, 2) === 0) putU16(frame, 12, 0x8100);
      for (let changes = 0; changes < 3; changes++) frame = mutate(random, frame);
      const verdict = parseEthernet(frame, 0, frame.length, header);
      if (verdict === DropReason.none) inOrder(14, header.payloadAt, frame.length);
      inOrder(0, header.payloadAt, 18);
    });
  });

  test('text about a packet is always one line without holes', () => {
    rounds(40_000, (random) => {
      const packet = hostile(random);
      const text = formatFrame(packet, 0, packet.length, randomBelow(random, 4) === 0 ? 'ethernet' : 'ip');
      if (text === '' || /\n|undefined|NaN|null/.test(text)) throw new Error(text);
    });
  });

  test('a cut super-segment stays within its lengths and its bytes add up', () => {
    const cutter = new SegmentCutter();
    const arena = new Uint8Array(2048);
    rounds(40_000, (random) => {
      const frame = hostile(random);
      const before = frame.slice();
      const gsoType = randomBelow(random, 3) === 0 ? GSO_UDP_L4 : GSO_TCPV4;
      const count = cutter.begin(frame, 0, frame.length, 0, gsoType, 1 + randomBelow(random, 300));
      let payloads = 0;
      for (let i = 0; i < count; i++) {
        arena.fill(0xcc);
        const end = cutter.write(i, arena, 8);
        if (end !== 8 + cutter.lengthOf(i) || arena[7] !== 0xcc || arena[end] !== 0xcc)
          throw new Error(`packet ${i}`);
        payloads += end - 8;
      }
      // Every packet repeats the headers: what is left of the sum without them is the payload, once.
      if (count > 1) {
        const headerLength = (payloads - frame.length) / (count - 1);
        if (!Number.isInteger(headerLength) || headerLength < 28)
          throw new Error(`headers of ${headerLength}`);
      }
      if (frame.some((byte, i) => byte !== before[i])) throw new Error('the frame was changed');
    });
  });

  test('completing a checksum writes two bytes inside the frame, or none', () => {
    rounds(10_000, (random) => {
      const frame = hostile(random);
      const arena = new Uint8Array(frame.length + 40).fill(0xaa);
      arena.set(frame, 20);
      const start = randomBelow(random, frame.length + 30) - 10;
      const offset = randomBelow(random, 40) - 5;
      const isDone = completeChecksum(arena, 20, frame.length, start, offset);
      const field = 20 + start + offset;
      for (let i = 0; i < arena.length; i++) {
        const was = i >= 20 && i < 20 + frame.length ? frame[i - 20] : 0xaa;
        const isField = isDone && (i === field || i === field + 1);
        if (isField ? i < 20 || i >= 20 + frame.length : arena[i] !== was) throw new Error(`byte ${i}`);
      }
    });
  });

  test('capture files end in packets or in a CaptureError, and packets lie inside', () => {
    const good = pcapngOf(CORPUS);
    let packets = 0;
    const faults = new Set<string>();
    rounds(4000, (random) => {
      let file: Uint8Array = new Uint8Array(good);
      for (let changes = randomBelow(random, 3); changes >= 0; changes--) {
        const at = randomBelow(random, file.length);
        if (randomBelow(random, 4) === 0) file = file.slice(0, at);
        else file[at] = random.next();
        if (file.length === 0) break;
      }
      try {
        for (const { bytes } of readCapture(file)) {
          inOrder(0, bytes.byteOffset, bytes.byteOffset + bytes.length, file.length);
          packets++;
        }
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error;
        inOrder(0, error.offset, file.length);
        faults.add(error.fault);
      }
    });
    expect([...faults].sort()).toEqual(['malformed', 'not-a-capture', 'truncated']);
    expect(packets).toBeGreaterThan(10_000);
  });
});
