import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  flattenFrame,
  IpAddress,
  OFFLOAD_CSUM,
  SeededRandom,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
  transmitLength,
} from '../../../src/base/index.ts';
import { EgressQueue } from '../../../src/stack/egress.ts';
import { EventQueue } from '../../../src/stack/events.ts';
import type { EgressSource, EventSource } from '../../../src/stack/host.ts';
import { HostCore } from '../../../src/stack/host-core.ts';
import { CAUSE_FRAGMENT, Cause, causeText, createStack, EndpointEvent } from '../../../src/stack/index.ts';
import { icmpPacket, readPacket, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

const PEER = ip('10.0.0.1');
let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

describe('wake', () => {
  test('a call from above that leaves output wakes the driver, once until its next turn', () => {
    const udp = host.stack.openUdp();
    udp.send(pattern(1), 0, 1, PEER, 9);
    udp.send(pattern(1), 0, 1, PEER, 9);
    host.stack.openUdp().send(pattern(1), 0, 1, PEER, 9);
    expect(host.wakes).toBe(1);
    host.outBytes();
    udp.send(pattern(1), 0, 1, PEER, 9);
    expect(host.wakes).toBe(2);
  });

  test('a timer that a call from above arms for earlier than the driver was told wakes it, a later one does not', () => {
    let wakes = 0;
    const core = new HostCore({ clock: { now: () => 0 }, random: new SeededRandom(1), wake: () => wakes++ });
    const timer = core.timers.create({ timeout: () => {} }, 0);
    core.promise(100);
    core.timers.arm(timer, 150);
    expect(wakes).toBe(0);
    core.timers.arm(timer, 50);
    core.timers.arm(timer, 40);
    expect(wakes).toBe(1);
    core.beginTurn();
    core.timers.arm(timer, 10);
    core.endTurn();
    expect(wakes).toBe(1);
  });

  test('output that a packet causes does not wake: the driver is in its turn', () => {
    host.in(icmpPacket());
    expect(host.wakes).toBe(0);
    expect(host.out()).toHaveLength(1);
  });

  test('a stack with nothing to do has no deadline', () => {
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('while events wait to be told the deadline is now', () => {
    const udp = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    host.in(udpPacket());
    expect(host.stack.nextDeadline).toBe(host.now);
    host.stack.flushEvents();
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('events', () => {
  test('are told once an endpoint, as a set, and never from inside input', () => {
    const udp = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    udp.sendBufferSize = 0;
    udp.send(pattern(1), 0, 1, PEER, 9);
    udp.send(pattern(1), 0, 1, PEER, 9);
    host.outBytes();
    host.in(udpPacket());
    host.in(udpPacket());
    expect(host.events).toEqual([]);
    host.stack.flushEvents();
    expect(host.events).toEqual([{ endpoint: udp, events: EndpointEvent.readable | EndpointEvent.writable }]);
  });

  test('an observer that throws loses its own event only', () => {
    const queue = new EventQueue();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ context: name, pendingEvents: 0 })) as unknown as [
      EventSource,
      EventSource,
      EventSource,
    ];
    for (const endpoint of [a, b, c]) queue.add(endpoint, 1);
    const told: unknown[] = [];
    const tell = (endpoint: EventSource): void => {
      told.push(endpoint.context);
      if (endpoint === b && told.length === 2) throw new Error('observer');
    };
    expect(() => queue.flush(tell)).toThrow('observer');
    queue.add(b, 2);
    queue.flush(tell);
    expect(told).toEqual(['a', 'b', 'c', 'b']);
    expect(queue.isEmpty).toBe(true);
  });

  test('a stack whose observer threw goes on', () => {
    let isAngry = true;
    const stack = createStack({
      clock: { now: () => 0 },
      random: new SeededRandom(1),
      observer: () => {
        if (isAngry) throw new Error('observer');
      },
    });
    const index = stack.addInterface({ name: 'test', mtu: 1500, addresses: ['10.0.0.2/24'] });
    stack.openUdp().bind(IpAddress.anyV4, 53);
    stack.inputPacket(index, udpPacket());
    expect(() => stack.flushEvents()).toThrow('observer');
    isAngry = false;
    expect(stack.inputPacket(index, udpPacket())).toBe(0);
    stack.flushEvents();
    stack.openUdp().send(pattern(1), 0, 1, PEER, 9);
    expect(stack.takePacket(index)).not.toBeNull();
  });
});

describe('time', () => {
  test('is read once a turn: the clock may run on during it', () => {
    let reads = 0;
    const stack = createStack({ clock: { now: () => ++reads }, random: new SeededRandom(1) });
    const index = stack.addInterface({ name: 'test', mtu: 1500, addresses: ['10.0.0.2/24'] });
    const batch = createFrameBatch(8, 1000);
    for (let i = 0; i < 8; i++) {
      const packet = icmpPacket();
      batch.bytes.set(packet, i * 64);
      batch.table.set([i * 64, packet.length, 0, 0, 0, 0, 0, 0], i * 8);
    }
    batch.count = 8;
    const before = reads;
    stack.input(index, batch);
    expect(reads).toBe(before + 1);
  });
});

describe('output', () => {
  test('fills the batch to its capacity and goes on where it stopped, also inside a fragmented datagram', () => {
    const udp = host.stack.openUdp();
    udp.send(pattern(20_000), 0, 20_000, PEER, 9);
    udp.send(pattern(10), 0, 10, PEER, 9);
    const batch = createTransmitBatch(4);
    const bytes: Uint8Array[] = [];
    const counts: number[] = [];
    for (let count = host.stack.output(host.index, batch); count > 0; ) {
      counts.push(count);
      for (let i = 0; i < count; i++) {
        const frame = new Uint8Array(transmitLength(batch, i));
        flattenFrame(batch, i, frame, 0);
        bytes.push(frame);
      }
      clearTransmitBatch(batch);
      count = host.stack.output(host.index, batch);
    }
    expect(counts).toEqual([4, 4, 4, 3]);
    const receiver = makeHost({ addresses: ['10.0.0.1/24'] });
    const taker = receiver.stack.openUdp();
    taker.bind(IpAddress.anyV4, 9);
    for (const packet of bytes) expect(receiver.in(packet)).toBe(0);
    expect([taker.nextLength, taker.queuedBytes]).toEqual([20_000, 20_010]);
  });

  test('payload ranges stay as they are until the batch is cleared, whatever is sent meanwhile', () => {
    const udp = host.stack.openUdp();
    udp.send(pattern(1000), 0, 1000, PEER, 9);
    const batch = createTransmitBatch(8);
    host.stack.output(host.index, batch);
    for (let i = 0; i < 50; i++) udp.send(new Uint8Array(1000), 0, 1000, PEER, 9);
    const frame = new Uint8Array(transmitLength(batch, 0));
    flattenFrame(batch, 0, frame, 0);
    expect(readPacket(frame).payload).toEqual(pattern(1000));
  });

  test('a batch that is not empty is added to, and nothing in it is given up', () => {
    const udp = host.stack.openUdp();
    udp.send(pattern(1000), 0, 1000, PEER, 9);
    const batch = createTransmitBatch(8);
    expect(host.stack.output(host.index, batch)).toBe(1);
    udp.send(pattern(500), 0, 500, PEER, 9);
    expect(host.stack.output(host.index, batch)).toBe(1);
    // This would lie where the first one does, had that been given up.
    udp.send(new Uint8Array(3500), 0, 3500, PEER, 9);
    const frame = new Uint8Array(transmitLength(batch, 0));
    flattenFrame(batch, 0, frame, 0);
    expect(readPacket(frame).payload).toEqual(pattern(1000));
    expect(batch.count).toBe(2);
  });

  test('endpoints take turns: one with much to send does not keep another from it', () => {
    const greedy = host.stack.openUdp();
    const modest = host.stack.openUdp();
    greedy.sendBufferSize = 1 << 20;
    for (let i = 0; i < 600; i++) greedy.send(pattern(100), 0, 100, PEER, 9);
    modest.send(pattern(1), 0, 1, PEER, 9);
    const batch = createTransmitBatch(64);
    host.stack.output(host.index, batch);
    expect(batch.owners.slice(0, 64)).toContain(modest);
    expect(batch.owners[0]).toBe(greedy);
  });

  test('each frame says why it was sent and by whom', () => {
    const udp = host.stack.openUdp();
    udp.send(pattern(2000), 0, 2000, PEER, 9);
    const batch = createTransmitBatch(8);
    host.in(icmpPacket());
    host.in(udpPacket({ destinationPort: 99 }));
    const count = host.stack.output(host.index, batch);
    const causes = Array.from({ length: count }, (_, i) => batch.table[i * TX_COLUMNS + TX_CAUSE]);
    expect(causes).toEqual([
      Cause.datagram | CAUSE_FRAGMENT,
      Cause.datagram | CAUSE_FRAGMENT,
      Cause.echoReply,
      Cause.icmpError,
    ]);
    expect(batch.owners.slice(0, 4)).toEqual([udp, udp, null, null]);
    expect(causes.map((cause) => causeText(cause as number))).toEqual([
      'fragment of datagram',
      'fragment of datagram',
      'echo reply',
      'ICMP error',
    ]);
  });

  test('takePacket gives whole packets with full checksums, whatever the link could do', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM });
    const udp = offloading.stack.openUdp();
    udp.send(pattern(777), 0, 777, PEER, 9);
    udp.send(pattern(2000), 0, 2000, PEER, 9);
    const packets = offloading.out();
    expect(packets).toHaveLength(3);
    expect(packets[0]?.payload).toEqual(pattern(777));
  });
});

describe('EgressQueue', () => {
  /** A source that adds `count` frames, one a turn; marks them with its name. */
  function source(name: string, count: number): EgressSource & { turns: number } {
    let left = count;
    const self = {
      isQueued: false,
      turns: 0,
      emit(batch: TransmitBatch): boolean {
        self.turns++;
        if (left > 0) {
          batch.owners[batch.count++] = { name };
          left--;
        }
        return left > 0;
      },
    };
    return self;
  }

  const names = (batch: TransmitBatch): string =>
    batch.owners
      .slice(0, batch.count)
      .map((owner) => (owner as { name: string }).name)
      .join('');

  test('serves the sources in rotation until nobody wants more', () => {
    const queue = new EgressQueue();
    for (const added of [source('a', 3), source('b', 1), source('c', 2)]) queue.add(added);
    const batch = createTransmitBatch(16);
    queue.fill(batch);
    expect(names(batch)).toBe('abcaca');
    expect(queue.isEmpty).toBe(true);
  });

  test('stops at a full batch and goes on with the next in line', () => {
    const queue = new EgressQueue();
    for (const added of [source('a', 3), source('b', 3)]) queue.add(added);
    const batch = createTransmitBatch(3);
    queue.fill(batch);
    expect(names(batch)).toBe('aba');
    clearTransmitBatch(batch);
    queue.fill(batch);
    expect(names(batch)).toBe('bab');
  });

  test('a source is in it once, however often it asks', () => {
    const queue = new EgressQueue();
    const one = source('a', 1);
    expect(queue.add(one)).toBe(true);
    expect(queue.add(one)).toBe(false);
    queue.fill(createTransmitBatch(4));
    expect(one.turns).toBe(1);
    expect(one.isQueued).toBe(false);
  });

  test('a source that wants turns but adds nothing does not hang the host', () => {
    const queue = new EgressQueue();
    const idle = { isQueued: false, emit: () => true };
    queue.add(idle);
    queue.add(source('a', 2));
    const batch = createTransmitBatch(8);
    queue.fill(batch);
    expect(names(batch)).toBe('aa');
    expect(queue.isEmpty).toBe(false);
  });

  test('sources that have nothing any more keep nobody behind them from their turn', () => {
    const queue = new EgressQueue();
    for (let i = 0; i < 5; i++) queue.add(source('-', 0));
    queue.add(source('a', 2));
    const batch = createTransmitBatch(8);
    queue.fill(batch);
    expect(names(batch)).toBe('aa');
    expect(queue.isEmpty).toBe(true);
  });

  test('grows to any number of sources and keeps their order', () => {
    const queue = new EgressQueue();
    const batch = createTransmitBatch(256);
    queue.add(source('x', 1));
    queue.fill(batch);
    clearTransmitBatch(batch);
    for (let i = 0; i < 100; i++) queue.add(source(String.fromCharCode(65 + (i % 26)), 1));
    queue.fill(batch);
    const expected = Array.from({ length: 100 }, (_, i) => String.fromCharCode(65 + (i % 26))).join('');
    expect(names(batch)).toBe(expected);
  });

  test('those who asked are told once that the batch has left', () => {
    const queue = new EgressQueue();
    let told = 0;
    queue.afterTransmit({ transmitted: () => told++ });
    queue.transmitted();
    queue.transmitted();
    expect(told).toBe(1);
  });
});

describe('options', () => {
  test('a secret that is too short is refused', () => {
    const options = { clock: { now: () => 0 }, random: new SeededRandom(1), secret: new Uint8Array(15) };
    expect(() => createStack(options)).toThrow(RangeError);
  });

  test('the same seed and clock give the same packets to the byte', () => {
    const run = (): Uint8Array[] => {
      const twin = makeHost();
      const udp = twin.stack.openUdp();
      udp.send(pattern(3000), 0, 3000, PEER, 9);
      twin.stack.openIcmp().sendEcho(PEER, 1, pattern(5));
      return twin.outBytes();
    };
    expect(run()).toEqual(run());
  });

  test('endpoints lists what is open', () => {
    const opened = [host.stack.openUdp(), host.stack.openRaw(99), host.stack.openIcmp()];
    expect([...host.stack.endpoints()]).toEqual(opened);
    expect(new Set(opened.map((endpoint) => endpoint.id)).size).toBe(3);
    opened[0]?.close();
    expect([...host.stack.endpoints()]).toHaveLength(2);
  });
});
