import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_CSUM_VALID,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  type FrameBatch,
  fromHex,
  GSO_TCPV4,
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  PoolAllocator,
  randomBelow,
  SeededRandom,
} from '../../src/base/index.ts';
import {
  createStack,
  type DatagramInfo,
  type MessageEndpoint,
  type Stack,
  type TcpEndpoint,
} from '../../src/stack/index.ts';
import { dropReasonInfo, sealIpv4 } from '../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  tcpOptions,
  tcpPacket,
  udpPacket,
} from '../support/segment.ts';

/** What the stack may hold at most: reassembly, receive queues, and the buffers of the connections that the bounds allow. */
const MEMORY_BOUND = 96 << 20;
const BATCHES = 2000;
const BATCH_FRAMES = 32;
const FRAME_ROOM = 4096;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20240607);

const OPTIONS = [
  tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 0], windowShift: 7 }),
  tcpOptions({ timestamps: [99, 3] }),
  tcpOptions({ sack: [[100, 200]] }),
  new Uint8Array(0),
];

/** A well-formed packet of some kind, of a peer that talks to the endpoints below. */
function wellFormed(random: SeededRandom): Uint8Array {
  const pick = <T>(of: readonly T[]): T => of[randomBelow(random, of.length)] as T;
  const sourcePort = 1024 + randomBelow(random, 4);
  const quoted = udpPacket({ src: '10.0.0.2', dst: '10.0.0.1', sourcePort: 53, destinationPort: sourcePort });
  switch (randomBelow(random, 8)) {
    case 0:
      return udpPacket({ sourcePort, destinationPort: pick([53, 54]), payload: randomBelow(random, 1400) });
    case 1:
      return icmpPacket({ payload: randomBelow(random, 1400) });
    case 2:
      return icmpPacket({ type: pick([0, 3, 4, 5, 11, 12]), code: randomBelow(random, 6), payload: quoted });
    case 3:
      return ipv4Packet(
        pick([1, 6, 17, 99]),
        udpPacket({ payload: 8 * randomBelow(random, 100) }).slice(20),
        {
          id: randomBelow(random, 16),
          fragmentOffset: 8 * randomBelow(random, 40),
          moreFragments: randomBelow(random, 3) > 0,
        },
      );
    case 4:
      return udpPacket({
        ipOptions: fromHex(pick(['94040000', '0707040000000000', '830704c0000201', '01010107'])),
      });
    case 5:
      return udpPacket({
        dst: pick(['10.0.0.255', '255.255.255.255', '224.0.0.1']),
        destinationPort: 53,
        payload: 20,
      });
    default:
      return tcpPacket({
        sourcePort,
        destinationPort: pick([80, 80, 80, 81]),
        flags: pick(['S', 'S', '.', 'P.', 'F.', 'R', 'R.', 'U.', 'SF', 'FPU', 'S.']),
        seq: pick([0, 1, 2, 100, 0x7fffffff, 0xffffffff]),
        ack: pick([0, 1, random.next()]),
        window: pick([0, 1, 65535]),
        urgentPointer: randomBelow(random, 10),
        options: pick(OPTIONS),
        payload: randomBelow(random, 3) * 100,
      });
  }
}

/** A few bytes of it changed, cut or added; half of the time with a right IP header checksum again. */
function mutate(packet: Uint8Array, random: SeededRandom): Uint8Array {
  let bytes = packet.slice();
  const changes = randomBelow(random, 4);
  for (let i = 0; i < changes && bytes.length > 0; i++) {
    // Mostly in the headers: there the decisions are made.
    const at = randomBelow(random, randomBelow(random, 3) > 0 ? Math.min(64, bytes.length) : bytes.length);
    const extremes = [0, 0xff, 0x80, 0x7f, 1, (bytes[at] as number) ^ (1 << randomBelow(random, 8))];
    bytes[at] = extremes[randomBelow(random, extremes.length)] as number;
  }
  if (randomBelow(random, 8) === 0) bytes = bytes.slice(0, randomBelow(random, bytes.length + 1));
  if (randomBelow(random, 16) === 0)
    bytes = Uint8Array.from([...bytes, ...new Uint8Array(randomBelow(random, 64))]);
  const headerLength = bytes.length === 0 ? 0 : ((bytes[0] as number) & 15) * 4;
  if (randomBelow(random, 2) === 0 && headerLength >= 20 && headerLength <= bytes.length) {
    sealIpv4(bytes, 0, headerLength);
  }
  return bytes;
}

function noise(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: randomBelow(random, 200) }, () => random.next());
}

/** A batch of hostile frames; flags and segment sizes are at random too, as a broken device might give them. */
function fill(batch: FrameBatch, random: SeededRandom, isEthernet: boolean): void {
  batch.count = 0;
  for (let i = 0; i < BATCH_FRAMES; i++) {
    const packet = randomBelow(random, 10) === 0 ? noise(random) : mutate(wellFormed(random), random);
    const frame = isEthernet && randomBelow(random, 20) > 0 ? ethernetFrame(packet) : packet;
    const flags = [0, 0, 0, FRAME_NEEDS_CSUM, FRAME_CSUM_VALID][randomBelow(random, 5)] as number;
    const gsoSize = randomBelow(random, 5) === 0 ? randomBelow(random, 1500) : 0;
    const at = i * FRAME_ROOM;
    batch.bytes.set(frame, at);
    batch.table.set(
      [at, frame.length, flags, gsoSize > 0 ? GSO_TCPV4 : 0, gsoSize, 34, 16, -1],
      i * FRAME_COLUMNS,
    );
    batch.count++;
  }
}

const INFO: DatagramInfo = {
  source: IpAddress.anyV4,
  sourcePort: 0,
  destination: IpAddress.anyV4,
  interfaceIndex: 0,
  ttl: 0,
  trafficClass: 0,
  segmentSize: 0,
  isGroup: false,
  length: 0,
};

/** An application that takes what comes, writes into connections, and ends them in every way. */
class Application {
  readonly #stack: Stack;
  readonly #random: SeededRandom;
  readonly #listener: TcpEndpoint;
  readonly #messages: MessageEndpoint[];
  readonly #connections: TcpEndpoint[] = [];
  readonly #buffer = new Uint8Array(65536);

  constructor(stack: Stack, random: SeededRandom) {
    this.#stack = stack;
    this.#random = random;
    this.#listener = stack.openTcp();
    this.#listener.bind(IpAddress.anyV4, 80);
    this.#listener.listen(16);
    const udp = stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    this.#messages = [udp, stack.openRaw(1), stack.openRaw(99)];
  }

  work(): void {
    const random = this.#random;
    const into = this.#buffer;
    for (const endpoint of this.#messages) {
      while (randomBelow(random, 4) > 0 && endpoint.receive(into, 0, into.length, INFO) >= 0);
      endpoint.send(into, 0, randomBelow(random, 3000), IpAddress.v4(0x0a000001), 1024);
    }
    for (let next = this.#listener.accept(); next !== null; next = this.#listener.accept()) {
      this.#connections.push(next);
    }
    for (let i = this.#connections.length - 1; i >= 0; i--) this.#use(i);
  }

  close(): void {
    for (const endpoint of [...this.#stack.endpoints()]) {
      if ('abort' in endpoint) (endpoint as TcpEndpoint).abort();
      endpoint.close();
    }
  }

  #use(index: number): void {
    const connection = this.#connections[index] as TcpEndpoint;
    const into = this.#buffer;
    connection.read(into, 0, into.length);
    connection.write(into, 0, randomBelow(this.#random, 5000));
    const what = randomBelow(this.#random, 40);
    if (what > 3 && this.#connections.length < 200) return;
    if (what === 0) connection.shutdownWrite();
    else if (what === 1) connection.abort();
    if (what === 0) return;
    connection.close();
    this.#connections.splice(index, 1);
  }
}

/** Every frame has a verdict that is known, and each drop is counted. */
function checkVerdicts(stack: Stack, batch: FrameBatch, before: Uint32Array): void {
  const seen = new Map<number, number>();
  for (let i = 0; i < batch.count; i++) {
    const verdict = batch.table[i * FRAME_COLUMNS + FRAME_VERDICT] as number;
    seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
  }
  for (const [verdict, count] of seen) {
    if (verdict === 0) continue;
    if (dropReasonInfo(verdict) === null) throw new Error(`verdict ${verdict} is no reason`);
    const counted = (stack.counters.drops[verdict] as number) - (before[verdict] as number);
    if (counted < count) throw new Error(`${count} frames dropped for ${verdict}, ${counted} counted`);
  }
}

describe(`hostile frames (FUZZ_SEED=${SEED})`, () => {
  let now = 0;
  let allocator: PoolAllocator;
  let stack: Stack;
  let random: SeededRandom;

  beforeEach(() => {
    now = 0;
    allocator = new PoolAllocator();
    random = new SeededRandom(SEED);
    stack = createStack({
      clock: { now: () => now },
      random: new SeededRandom(SEED + 1),
      allocator,
      observer: () => {},
    });
  });

  test.each([
    ['packets', false],
    ['Ethernet frames', true],
  ])(
    '%s at random and mutated never throw, hold bounded memory, and every drop is counted',
    (_name, isEthernet) => {
      const index = stack.addInterface({
        name: 'fuzz',
        mtu: 1500,
        offload: OFFLOAD_CSUM | OFFLOAD_TSO4,
        ...(isEthernet ? { medium: 'ethernet' as const, mac: fromHex('020000000002') } : {}),
      });
      stack.addAddress(index, '10.0.0.2/24', { detectDuplicates: false, conflictDefense: 'always' });
      if (isEthernet) {
        stack.addNeighbor(index, IpAddress.v4(0x0a000001), fromHex('020000000001'));
      }
      const application = new Application(stack, random);
      const batch = createFrameBatch(BATCH_FRAMES, BATCH_FRAMES * FRAME_ROOM);
      const outbound = createTransmitBatch(64);
      let used = 0;
      let sent = 0;
      let peak = 0;
      for (let round = 0; round < BATCHES; round++) {
        fill(batch, random, isEthernet);
        const before = stack.counters.drops.slice();
        stack.input(index, batch);
        checkVerdicts(stack, batch, before);
        for (let i = 0; i < batch.count; i++)
          if (batch.table[i * FRAME_COLUMNS + FRAME_VERDICT] === 0) used++;
        now += randomBelow(random, 50);
        stack.advance();
        for (let i = 0; i < 20 && stack.output(index, outbound) > 0; i++) {
          sent += outbound.count;
          clearTransmitBatch(outbound);
        }
        stack.flushEvents();
        if (round % 3 === 0) application.work();
        peak = Math.max(peak, allocator.inUse);
      }
      // The test would prove nothing if everything were dropped at the door.
      expect(used).toBeGreaterThan(BATCHES);
      expect(sent).toBeGreaterThan(BATCHES);
      expect(peak).toBeLessThan(MEMORY_BOUND);
      application.close();
      for (let i = 0; i < 1000 && stack.nextDeadline !== Number.POSITIVE_INFINITY; i++) {
        now = Math.max(now, stack.nextDeadline);
        stack.advance();
        while (stack.output(index, outbound) > 0) clearTransmitBatch(outbound);
        stack.flushEvents();
      }
      stack.output(index, outbound);
      expect([...stack.endpoints()]).toEqual([]);
      expect(allocator.inUse).toBe(0);
    },
    120_000,
  );
});
