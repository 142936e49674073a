import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SeededRandom } from '../../../src/base/index.ts';
import {
  FuzzedLink,
  ImpairedLink,
  type ImpairOptions,
  type ImpairSettings,
  type Link,
  MemorySegment,
  type SegmentOptions,
} from '../../../src/link/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import { ethernetFrame, ipv4Packet, readPacket, udpPacket } from '../../support/segment.ts';
import { batchOf, type Recorder, record, superSegment } from './support.ts';

let time: VirtualTime;
const now = (): number => time.now();

interface Rig {
  readonly link: ImpairedLink;
  /** The impaired link's own receiver. */
  readonly near: Recorder;
  readonly far: Link;
  readonly farSide: Recorder;
}

function rig(
  settings: Partial<ImpairOptions> & { seed?: number } = {},
  segment: Partial<SegmentOptions> = {},
): Rig {
  const wire = new MemorySegment({ scheduler: time, ...segment });
  const random = new SeededRandom(settings.seed ?? 1);
  const link = new ImpairedLink({ ...settings, link: wire.port(), scheduler: time, random });
  const far = wire.port();
  return { link, near: record(link, now), far, farSide: record(far, now) };
}

function settle(): void {
  for (let i = 0; time.step(); i++) if (i > 100_000) throw new Error('never comes to rest');
}

/** A packet that carries its number. */
function numbered(i: number, length = 30): Uint8Array {
  const body = new Uint8Array(length);
  body[0] = i >>> 8;
  body[1] = i;
  return ipv4Packet(253, body);
}

function numbersOf(recorder: Recorder): number[] {
  return recorder.packets.map((packet) => ((packet[20] as number) << 8) | (packet[21] as number));
}

/** Sends `count` numbered packets, one every `gap` ms, and waits for all. */
function send(link: Link, count: number, gap = 0): void {
  for (let i = 0; i < count; i++) {
    link.transmit(batchOf([numbered(i)]));
    if (gap > 0) {
      const until = time.now() + gap;
      while (time.step(until));
      time.skipTo(until);
    }
  }
  settle();
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

beforeEach(() => {
  time = new VirtualTime();
});

describe('ImpairedLink without settings', () => {
  test('frames pass untouched both ways, super-segments whole', () => {
    const { link, near, far, farSide } = rig();
    link.transmit(superSegment(30_000, 1000));
    far.transmit(superSegment(20_000, 1000));
    settle();
    expect(farSide.arrivals.map(({ gsoSize, flags }) => [gsoSize, flags])).toEqual([[1000, 1]]);
    expect(near.arrivals.map(({ gsoSize, flags }) => [gsoSize, flags])).toEqual([[1000, 1]]);
  });

  test('it shows the link that it is around', () => {
    const { link } = rig({}, { medium: 'ethernet', mtu: 900, offload: 3, name: 'lan' });
    expect(link).toMatchObject({ name: 'lan:1', medium: 'ethernet', mtu: 900, offload: 3, dropped: 0 });
    expect(link.mac).toHaveLength(6);
  });
});

describe('loss', () => {
  test.each([0.01, 0.1, 0.5])('given %d, about that share is lost, and counted', (loss) => {
    const { link, farSide } = rig({ outbound: { loss } });
    send(link, 4000);
    const { offered, lost, passed } = link.outbound.counters;
    expect([offered, lost + passed]).toEqual([4000, 4000]);
    expect(farSide.arrivals).toHaveLength(passed);
    expect(Math.abs(lost - 4000 * loss)).toBeLessThan(4 * Math.sqrt(4000 * loss * (1 - loss)));
  });

  test('given 1, nothing passes; given 0 again, everything', () => {
    const { link, farSide } = rig({ outbound: { loss: 1 } });
    send(link, 10);
    expect(farSide.arrivals).toEqual([]);
    link.outbound.change({ loss: 0 });
    send(link, 10);
    expect(numbersOf(farSide)).toEqual(range(10));
  });

  test('given inbound only, the other direction is spared', () => {
    const { link, near, far, farSide } = rig({ inbound: { loss: 1 } });
    send(link, 5);
    send(far, 5);
    expect([farSide.arrivals.length, near.arrivals.length]).toEqual([5, 0]);
    expect(link.inbound.counters.lost).toBe(5);
  });

  test('given the same seed, the same packets are lost; given another, others', () => {
    const survivors = (seed: number): number[] => {
      const { link, farSide } = rig({ seed, outbound: { loss: 0.3 } });
      send(link, 100);
      return numbersOf(farSide);
    };
    expect(survivors(5)).toEqual(survivors(5));
    expect(survivors(5)).not.toEqual(survivors(6));
  });

  test('given bursts, losses come together, and in the share that the chances give', () => {
    const { link, farSide } = rig({ outbound: { burst: { toBad: 0.02, toGood: 0.2 } } });
    send(link, 20_000);
    const there = new Set(numbersOf(farSide));
    const lost = range(20_000).filter((i) => !there.has(i));
    const share = lost.length / 20_000;
    expect(share).toBeGreaterThan(0.07);
    expect(share).toBeLessThan(0.115);
    // After a lost packet the next is lost with 0.8, not with the mean of 0.09.
    const pairs = lost.filter((i) => i + 1 < 20_000 && !there.has(i + 1)).length;
    expect(pairs / lost.length).toBeGreaterThan(0.7);
  });

  test('given bursts that lose only some, the rest passes', () => {
    const burst = { toBad: 1, toGood: 0, lossInBad: 0.5 };
    const { link, farSide } = rig({ outbound: { burst } });
    send(link, 1000);
    expect(farSide.arrivals.length).toBeGreaterThan(400);
    expect(farSide.arrivals.length).toBeLessThan(600);
  });
});

describe('time', () => {
  test('given a delay, each packet comes that much later, in order', () => {
    const { link, farSide } = rig({ outbound: { delay: 25 } });
    send(link, 5, 10);
    expect(farSide.arrivals.map(({ at }) => at)).toEqual([25, 35, 45, 55, 65]);
    expect(numbersOf(farSide)).toEqual(range(5));
    expect(link.outbound.counters.delayed).toBe(5);
  });

  test('given bytes that change after transmit, the packet on its way does not', () => {
    const { link, farSide } = rig({ outbound: { delay: 25 } });
    const packet = udpPacket({ payload: 300 });
    const original = packet.slice();
    link.transmit(batchOf([packet]));
    packet.fill(0);
    settle();
    expect(farSide.packets).toEqual([original]);
  });

  test('given jitter, packets are spread over it but stay in order', () => {
    const { link, farSide } = rig({ outbound: { delay: 10, jitter: 20 } });
    send(link, 200, 1);
    expect(numbersOf(farSide)).toEqual(range(200));
    const late = farSide.arrivals.map(({ at }, i) => at - i);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...late)).toBeLessThanOrEqual(30.001);
    expect(Math.max(...late) - Math.min(...late)).toBeGreaterThan(8);
  });

  test('given jitter that reorders, some overtake', () => {
    const { link, farSide } = rig({ outbound: { delay: 10, jitter: 20, jitterReorders: true } });
    send(link, 200, 1);
    const numbers = numbersOf(farSide);
    expect(numbers).not.toEqual(range(200));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(range(200));
  });

  test('given reordering, packets that are held back come later than those behind them', () => {
    const { link, farSide } = rig({ outbound: { reorder: 0.1, reorderBy: 5 } });
    send(link, 300, 1);
    const late = farSide.arrivals.filter(
      ({ bytes, at }) => at - (((bytes[20] as number) << 8) | (bytes[21] as number)) > 4,
    );
    expect(late.length).toBe(link.outbound.counters.reordered);
    expect(late.length).toBeGreaterThan(15);
    expect(late.length).toBeLessThan(60);
  });

  test('given a rate, packets leave one after the other as their bytes allow', () => {
    const { link, farSide } = rig({ outbound: { rateBytesPerSec: 10_000 } });
    link.transmit(batchOf(range(5).map((i) => numbered(i, 80))));
    settle();
    expect(farSide.arrivals.map(({ at }) => Math.round(at))).toEqual([10, 20, 30, 40, 50]);
  });

  test('given more than fits the queue of a rate, the rest is lost and counted', () => {
    const { link, farSide } = rig({ outbound: { rateBytesPerSec: 10_000, queueBytes: 250 } });
    link.transmit(batchOf(range(10).map((i) => numbered(i, 80))));
    settle();
    expect(numbersOf(farSide)).toEqual([0, 1]);
    expect(link.outbound.counters.overflowed).toBe(8);
    expect(link.dropped).toBe(8);
  });

  test('given settings that are taken back, packets on their way keep their times and later ones do not overtake', () => {
    const { link, farSide } = rig({ outbound: { delay: 50 } });
    link.transmit(batchOf([numbered(0)]));
    link.outbound.change({ delay: 0 });
    link.transmit(batchOf([numbered(1)]));
    settle();
    expect(numbersOf(farSide)).toEqual([0, 1]);
    expect(farSide.arrivals.map(({ at }) => at)).toEqual([50, 50]);
    link.transmit(batchOf([numbered(2)]));
    expect(link.outbound.underway).toBe(0);
  });
});

describe('bytes', () => {
  test('given duplication, copies follow, equal to the byte', () => {
    const { link, farSide } = rig({ outbound: { duplicate: 1 } });
    send(link, 3);
    expect(numbersOf(farSide)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(farSide.packets[0]).toEqual(farSide.packets[1]);
    expect(link.outbound.counters).toMatchObject({ duplicated: 3, passed: 6 });
  });

  test('RFC 3168 §5 given marking, some of the packets that allow it say CE and no other bit differs', () => {
    const { link, farSide } = rig({ outbound: { mark: 0.25 }, seed: 5 });
    for (let i = 0; i < 400; i++) {
      link.transmit(batchOf([ipv4Packet(253, Uint8Array.of(i >>> 8, i), { trafficClass: 0xb8 | (i & 3) })]));
    }
    settle();
    const codepoints = farSide.packets.map((packet) => readPacket(packet).trafficClass);
    const sent = range(400).map((i) => 0xb8 | (i & 3));
    expect(
      codepoints.map((seen, i) => seen === sent[i] || (seen === 0xbb && (sent[i] as number) !== 0xb8)),
    ).toEqual(range(400).map(() => true));
    const marked = codepoints.filter((seen, i) => seen !== sent[i]).length;
    // Half of the packets can be told to have been marked: ECT(0) and ECT(1).
    expect(marked).toBeGreaterThan(35);
    expect(marked).toBeLessThan(65);
    expect(link.outbound.counters).toMatchObject({ lost: 0, passed: 400 });
  });

  test('given a threshold, packets that find so much waiting are marked, those without ECT are not', () => {
    const settings = { rateBytesPerSec: 100_000, markAboveBytes: 300 };
    const { link, farSide } = rig({ outbound: settings });
    const packets = range(8).map((i) =>
      ipv4Packet(253, new Uint8Array(80), { trafficClass: i === 5 ? 0 : 2 }),
    );
    for (const packet of packets) link.transmit(batchOf([packet]));
    settle();
    expect(farSide.packets.map((packet) => readPacket(packet).trafficClass)).toEqual([
      2, 2, 2, 3, 3, 0, 3, 3,
    ]);
    expect(link.outbound.counters.marked).toBe(4);
  });

  test.each([1, 3])('given corruption, %d bits of each packet are flipped', (corruptBits) => {
    const { link, farSide } = rig({ outbound: { corrupt: 1, corruptBits }, seed: 4 });
    send(link, 50);
    const flipped = farSide.packets.map((packet, i) => {
      let bits = 0;
      for (const [at, byte] of numbered(i).entries()) {
        for (let rest = byte ^ (packet[at] as number); rest !== 0; rest &= rest - 1) bits++;
      }
      return bits;
    });
    // A bit that is hit twice is right again.
    expect(flipped.every((bits) => bits <= corruptBits && (corruptBits - bits) % 2 === 0)).toBe(true);
    expect(flipped.filter((bits) => bits === corruptBits).length).toBeGreaterThan(45);
  });

  test('given a super-segment, its fate is decided packet by packet, checksums complete', () => {
    const { link, farSide } = rig({ outbound: { loss: 0.5 }, seed: 2 }, { offload: 3 });
    link.transmit(superSegment(10_000, 1000, { seq: 77 }));
    settle();
    expect(link.outbound.counters.offered).toBe(10);
    expect(farSide.arrivals.length).toBe(link.outbound.counters.passed);
    expect(farSide.arrivals.length).toBeGreaterThan(0);
    expect(farSide.arrivals.length).toBeLessThan(10);
    for (const { bytes, flags, gsoSize } of farSide.arrivals) {
      expect([flags, gsoSize]).toEqual([0, 0]);
      // readPacket verifies the checksums.
      const { payload, seq = 0 } = readPacket(bytes);
      expect(payload).toHaveLength(1000);
      expect(payload[0]).toBe((seq - 77) & 0xff);
    }
  });

  test('given an inbound super-segment, it is cut as well', () => {
    const { near, far } = rig({ inbound: { delay: 5 } }, { offload: 3 });
    far.transmit(superSegment(4500, 1000));
    settle();
    expect(near.packets.map((packet) => readPacket(packet).payload.length)).toEqual([
      1000, 1000, 1000, 1000, 500,
    ]);
  });

  test('given Ethernet, IP headers still start at multiples of 4', () => {
    const { near, far } = rig({ inbound: { delay: 5 } }, { medium: 'ethernet' });
    far.transmit(batchOf([ethernetFrame(numbered(0)), ethernetFrame(numbered(1, 33))]));
    settle();
    expect(near.arrivals.map(({ offset }) => (offset + 14) % 4)).toEqual([0, 0]);
  });

  test('given a frame as large as a packet can be, it passes the lane', () => {
    const { near, far } = rig({ inbound: { delay: 5 } }, { mtu: 65_535 });
    const packet = numbered(3, 65_515);
    far.transmit(batchOf([packet, packet]));
    settle();
    expect(near.packets).toEqual([packet, packet]);
  });

  test('given any settings that lose nothing, every packet arrives once and unchanged', () => {
    const settings = fc.record({
      delay: fc.integer({ min: 0, max: 50 }),
      jitter: fc.integer({ min: 0, max: 50 }),
      jitterReorders: fc.boolean(),
      reorder: fc.double({ min: 0, max: 1, noNaN: true }),
      rateBytesPerSec: fc.constantFrom(0, 100_000),
    });
    fc.assert(
      fc.property(settings, fc.integer(), fc.integer({ min: 1, max: 150 }), (outbound, seed, count) => {
        const { link, farSide } = rig({ outbound, seed });
        send(link, count);
        expect(numbersOf(farSide).toSorted((a, b) => a - b)).toEqual(range(count));
        expect(farSide.packets.every((packet) => packet.length === 50)).toBe(true);
        expect(link.outbound.underway).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('filter, settings, backpressure, end', () => {
  test('given a filter, only what it names is impaired', () => {
    const filter = (bytes: Uint8Array, at: number): boolean => (bytes[at + 21] as number) % 2 === 0;
    const { link, farSide } = rig({ outbound: { loss: 1 }, filter });
    send(link, 6);
    expect(numbersOf(farSide)).toEqual([1, 3, 5]);
  });

  test.each<ImpairSettings>([
    { loss: 1.1 },
    { loss: -0.1 },
    { duplicate: Number.NaN },
    { delay: -1 },
    { rateBytesPerSec: Number.POSITIVE_INFINITY },
    { burst: { toBad: 2, toGood: 0 } },
    { burst: { toBad: 0, toGood: 0, lossInBad: 7 } },
  ])('given %j, it is refused and nothing changes', (settings) => {
    const { link } = rig({ outbound: { loss: 0.25 } });
    expect(() => link.outbound.change(settings)).toThrow(RangeError);
    expect(link.outbound.settings).toMatchObject({ loss: 0.25, burst: null, delay: 0 });
  });

  test('given a link that is full, the lane waits for it, and then the stack is told', () => {
    const { link, near, farSide } = rig({ outbound: { loss: 0.0001 } }, { queueFrames: 8 });
    expect(link.transmit(batchOf(range(5).map((i) => numbered(i))))).toBe(false);
    // Full: what comes now waits in the lane.
    expect(link.transmit(batchOf(range(6).map((i) => numbered(5 + i))))).toBe(false);
    expect(near.drains).toBe(0);
    settle();
    expect(numbersOf(farSide)).toEqual(range(11));
    expect(near.drains).toBe(1);
    expect(link.transmit(batchOf([numbered(11)]))).toBe(true);
  });

  test('given a link that was filled past a transparent lane, the stack is told as well', () => {
    const { link, near } = rig({}, { queueFrames: 8 });
    expect(link.transmit(batchOf(range(6).map((i) => numbered(i))))).toBe(false);
    settle();
    expect(near.drains).toBe(1);
    expect(link.transmit(batchOf([numbered(0)]))).toBe(true);
  });

  test('given packets on their way, closing forgets them and leaves no task', () => {
    const { link, farSide } = rig({ outbound: { delay: 100 }, inbound: { delay: 100 } });
    link.transmit(batchOf([numbered(0)]));
    link.close();
    link.close();
    settle();
    expect(farSide.arrivals).toEqual([]);
    expect(time.pending).toBe(0);
    expect(link.outbound.underway).toBe(0);
  });

  test('given a link that fails, the receiver is told', () => {
    const { link, near } = rig();
    link.failed(new RangeError('gone'));
    expect(near.errors).toHaveLength(1);
  });
});

describe('FuzzedLink', () => {
  test('given frames, they pass as they were, mutated copies beside them', () => {
    const wire = new MemorySegment({ scheduler: time });
    const far = wire.port();
    const fuzzed = new FuzzedLink({ link: wire.port(), random: new SeededRandom(3), chance: 0.5 });
    const near = record(fuzzed, now);
    record(far, now);
    for (let i = 0; i < 100; i++) far.transmit(batchOf([numbered(i)]));
    settle();
    expect(fuzzed.mutants).toBeGreaterThan(30);
    expect(near.arrivals).toHaveLength(100 + fuzzed.mutants);
    // The frames come first, whole and in order: one batch.
    expect(near.packets.slice(0, 100)).toEqual(range(100).map((i) => numbered(i)));
    const originals = new Set(range(100).map((i) => numbered(i).join()));
    expect(near.packets.slice(100).filter((packet) => originals.has(packet.join())).length).toBeLessThan(5);
  });
});
