import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OFFLOAD_CSUM, OFFLOAD_TSO4 } from '../../../src/base/index.ts';
import { LoopbackLink, MemorySegment } from '../../../src/link/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import { ethernetFrame, ipv4Packet, udpPacket } from '../../support/segment.ts';
import { batchOf, record, superSegment } from './support.ts';

let time: VirtualTime;
const now = (): number => time.now();

/** Runs what is scheduled; stops when it never ends. */
function settle(): void {
  for (let i = 0; time.step(); i++) if (i > 10_000) throw new Error('never comes to rest');
}

/** An IPv4 packet between the hosts with these last bytes. */
function between(source: number, destination: number, length = 20): Uint8Array {
  return ipv4Packet(253, new Uint8Array(length).fill(source), {
    src: `10.0.0.${source}`,
    dst: `10.0.0.${destination}`,
  });
}

beforeEach(() => {
  time = new VirtualTime();
});

describe('MemorySegment between two ports', () => {
  test('given a frame in three pieces, the other port receives it whole, later, and the sender does not', () => {
    const wire = new MemorySegment({ scheduler: time });
    const [left, right] = [wire.port(), wire.port()];
    const [atLeft, atRight] = [record(left, now), record(right, now)];
    const packet = between(1, 2, 700);
    expect(left.transmit(batchOf([packet]))).toBe(true);
    expect(atRight.arrivals).toEqual([]);
    settle();
    expect(atRight.packets).toEqual([packet]);
    expect(atLeft.arrivals).toEqual([]);
  });

  test('given many transmits before the turn, they arrive as one batch in order, each IP header at a multiple of 4', () => {
    const wire = new MemorySegment({ scheduler: time });
    const [left, right] = [wire.port(), wire.port()];
    const atRight = record(right, now);
    record(left, now);
    const packets = [31, 64, 1, 1400, 0, 77].map((length) => between(1, 2, length));
    for (const packet of packets) left.transmit(batchOf([packet]));
    settle();
    expect(atRight.batches).toEqual([6]);
    expect(atRight.packets).toEqual(packets);
    expect(atRight.arrivals.every(({ offset }) => offset % 4 === 0)).toBe(true);
  });

  test('given Ethernet, frames start so that the IP header behind 14 bytes is at a multiple of 4', () => {
    const wire = new MemorySegment({ scheduler: time, medium: 'ethernet' });
    const [left, right] = [wire.port(), wire.port()];
    const atRight = record(right, now);
    left.transmit(batchOf([ethernetFrame(between(1, 2)), ethernetFrame(between(1, 2, 33))]));
    settle();
    expect(atRight.arrivals.map(({ offset }) => (offset + 14) % 4)).toEqual([0, 0]);
    expect(left.mac).toHaveLength(6);
    expect(left.mac).not.toEqual(right.mac);
  });

  test('given a super-segment, it crosses whole with its descriptor', () => {
    const offload = OFFLOAD_CSUM | OFFLOAD_TSO4;
    const wire = new MemorySegment({ scheduler: time, offload });
    const [left, right] = [wire.port(), wire.port()];
    const atRight = record(right, now);
    expect(left.offload).toBe(offload);
    left.transmit(superSegment(60_000, 1460));
    settle();
    expect(atRight.arrivals).toHaveLength(1);
    expect(atRight.arrivals[0]).toMatchObject({ flags: 1, gsoSize: 1460 });
  });

  test('given a packet larger than the MTU, it is dropped and counted; one as large passes', () => {
    const wire = new MemorySegment({ scheduler: time, mtu: 600 });
    const [left, right] = [wire.port(), wire.port()];
    const atRight = record(right, now);
    left.transmit(batchOf([between(1, 2, 581), between(1, 2, 580)]));
    settle();
    expect(atRight.packets.map(({ length }) => length)).toEqual([600]);
    expect([left.dropped, right.dropped]).toEqual([1, 0]);
  });

  test('given a port that nobody has opened, frames vanish', () => {
    const wire = new MemorySegment({ scheduler: time });
    const [left] = [wire.port(), wire.port()];
    expect(left.transmit(batchOf([between(1, 2)]))).toBe(true);
    settle();
    expect(time.pending).toBe(0);
  });

  test('given a full queue, the sender is held, excess is dropped and counted, and draining is told once', () => {
    const wire = new MemorySegment({ scheduler: time, queueFrames: 8 });
    const [left, right] = [wire.port(), wire.port()];
    const [atLeft, atRight] = [record(left, now), record(right, now)];
    const answers = Array.from({ length: 10 }, () => left.transmit(batchOf([between(1, 2)])));
    expect(answers).toEqual([true, true, true, true, false, false, false, false, false, false]);
    settle();
    expect(atRight.arrivals).toHaveLength(8);
    expect(right.dropped).toBe(2);
    expect(atLeft.drains).toBe(1);
    expect(left.transmit(batchOf([between(1, 2)]))).toBe(true);
  });

  test('given a bound in bytes, it holds too', () => {
    const wire = new MemorySegment({ scheduler: time, queueBytes: 4096 });
    const [left, right] = [wire.port(), wire.port()];
    const atRight = record(right, now);
    record(left, now);
    for (let i = 0; i < 5; i++) left.transmit(batchOf([between(1, 2, 1380)]));
    settle();
    expect(atRight.arrivals).toHaveLength(2);
    expect(right.dropped).toBe(3);
  });

  test('given any lengths, every packet arrives as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1480 }), { maxLength: 200 }), (lengths) => {
        const wire = new MemorySegment({ scheduler: time });
        const [left, right] = [wire.port(), wire.port()];
        const atRight = record(right, now);
        const packets = lengths.map((length, i) => between(1 + (i % 200), 2, length));
        left.transmit(batchOf(packets));
        settle();
        expect(atRight.packets).toEqual(packets);
      }),
      { numRuns: 30 },
    );
  });
});

describe('MemorySegment among many ports', () => {
  test('given an unknown destination, all others receive; once it has spoken, only it', () => {
    const wire = new MemorySegment({ scheduler: time });
    const links = [1, 2, 3, 4].map(() => wire.port());
    const seen = links.map((link) => record(link, now));
    const counts = (): number[] => seen.map(({ arrivals }) => arrivals.length);
    links[0]?.transmit(batchOf([between(1, 2)]));
    settle();
    expect(counts()).toEqual([0, 1, 1, 1]);
    links[1]?.transmit(batchOf([between(2, 1)]));
    settle();
    expect(counts()).toEqual([1, 1, 1, 1]);
    links[0]?.transmit(batchOf([between(1, 2)]));
    settle();
    expect(counts()).toEqual([1, 2, 1, 1]);
  });

  test('given an address that moves to another port, frames follow it; given a port that is gone, all are asked', () => {
    const wire = new MemorySegment({ scheduler: time });
    const [a, b, c] = [wire.port(), wire.port(), wire.port()];
    const [, atB, atC] = [record(a, now), record(b, now), record(c, now)];
    b.transmit(batchOf([between(9, 1)]));
    c.transmit(batchOf([between(9, 1)]));
    settle();
    const before = [atB.arrivals.length, atC.arrivals.length];
    a.transmit(batchOf([between(1, 9)]));
    settle();
    expect([atB.arrivals.length, atC.arrivals.length]).toEqual([before[0], (before[1] ?? 0) + 1]);
    c.close();
    const d = wire.port();
    const atD = record(d, now);
    a.transmit(batchOf([between(1, 9)]));
    settle();
    expect(atD.arrivals).toHaveLength(1);
    expect(wire.ports).toEqual([a, b, d]);
  });

  test('given Ethernet, group addresses go to all, others to where they were seen', () => {
    const wire = new MemorySegment({ scheduler: time, medium: 'ethernet' });
    const links = [1, 2, 3].map(() => wire.port());
    const seen = links.map((link) => record(link, now));
    links[1]?.transmit(batchOf([ethernetFrame(between(2, 1), 'ffffffffffff', '0200000000bb')]));
    links[0]?.transmit(batchOf([ethernetFrame(between(1, 2), '0200000000bb', '0200000000aa')]));
    links[0]?.transmit(batchOf([ethernetFrame(between(1, 2), '01005e000001', '0200000000aa')]));
    settle();
    expect(seen.map(({ arrivals }) => arrivals.length)).toEqual([1, 2, 2]);
  });

  test('given nonsense too short for addresses, it goes to all and breaks nothing', () => {
    for (const medium of ['ip', 'ethernet'] as const) {
      const wire = new MemorySegment({ scheduler: time, medium });
      const links = [1, 2, 3].map(() => wire.port());
      const seen = links.map((link) => record(link, now));
      links[0]?.transmit(batchOf([Uint8Array.of(0x45), new Uint8Array(0), Uint8Array.of(0x60, 1, 2)]));
      settle();
      expect(seen[2]?.arrivals).toHaveLength(3);
    }
  });

  test('given one crowded receiver, the sender waits until the last that held it has drained', () => {
    const wire = new MemorySegment({ scheduler: time, queueFrames: 4 });
    const [a, b, c] = [wire.port(), wire.port(), wire.port()];
    const [atA] = [record(a, now), record(b, now), record(c, now)];
    const flood = Array.from({ length: 3 }, () => between(1, 250));
    expect(a.transmit(batchOf(flood))).toBe(false);
    settle();
    expect(atA.drains).toBe(1);
    expect(a.transmit(batchOf([between(1, 250)]))).toBe(true);
  });

  test('given a held sender, a receiver that closes lets it go', () => {
    const wire = new MemorySegment({ scheduler: time, queueFrames: 4 });
    const [a, b] = [wire.port(), wire.port()];
    const atA = record(a, now);
    record(b, now);
    expect(a.transmit(batchOf([between(1, 2), between(1, 2), between(1, 2)]))).toBe(false);
    b.close();
    b.close();
    expect(atA.drains).toBe(1);
    settle();
    expect(time.pending).toBe(0);
  });

  test('given a closed segment, transmits are counted as dropped', () => {
    const wire = new MemorySegment({ scheduler: time });
    const [a, b] = [wire.port(), wire.port()];
    record(b, now);
    a.transmit(batchOf([between(1, 2)]));
    wire.close();
    a.transmit(batchOf([between(1, 2)]));
    settle();
    expect(a.dropped).toBe(1);
    expect(wire.ports).toEqual([]);
  });

  test('given a tap, it sees every frame once with the port that it came from', () => {
    const wire = new MemorySegment({ scheduler: time });
    const ports = [wire.port({ name: 'x' }), wire.port({ name: 'y' }), wire.port({ name: 'z' })];
    const seen: string[] = [];
    wire.tap = (_batch, index, port) => seen.push(`${port.name}${index}`);
    ports[0]?.transmit(batchOf([between(1, 9), between(1, 9)]));
    ports[2]?.transmit(batchOf([between(3, 9)]));
    expect(seen).toEqual(['x0', 'x1', 'z0']);
  });
});

describe('LoopbackLink', () => {
  test('given frames, they come back in the next turn, super-segments whole', () => {
    const link = new LoopbackLink({ scheduler: time });
    const back = record(link, now);
    const packet = udpPacket({ payload: 100 });
    expect(link.transmit(batchOf([packet]))).toBe(true);
    link.transmit(superSegment(20_000, 1400));
    expect(back.arrivals).toEqual([]);
    settle();
    expect(back.packets[0]).toEqual(packet);
    expect(back.arrivals[1]).toMatchObject({ flags: 1, gsoSize: 1400 });
    expect(link).toMatchObject({ mtu: 65_535, medium: 'ip', mac: null, dropped: 0 });
  });

  test('given a full queue, it holds, drops, and tells when it has drained', () => {
    const link = new LoopbackLink({ scheduler: time, queueFrames: 4 });
    const back = record(link, now);
    const packets = Array.from({ length: 6 }, () => udpPacket({ payload: 10 }));
    expect(link.transmit(batchOf(packets))).toBe(false);
    settle();
    expect([back.arrivals.length, link.dropped, back.drains]).toEqual([4, 2, 1]);
    link.close();
    link.transmit(batchOf(packets));
    settle();
    expect(back.arrivals).toHaveLength(4);
  });
});
