import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  flattenFrame,
  IpAddress,
  PoolAllocator,
  SeededRandom,
  type TransmitBatch,
  transmitLength,
} from '../../../src/base/index.ts';
import { PcapngWriter, readCapture } from '../../../src/capture/index.ts';
import {
  CaptureRecorder,
  createHost,
  type FrameTap,
  type RunningHost,
  SystemRandom,
} from '../../../src/engine/index.ts';
import { type Link, type LinkReceiver, MemorySegment } from '../../../src/link/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import {
  createDatagramInfo,
  type Endpoint,
  EndpointEvent,
  type TcpEndpoint,
} from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { icmpPacket, readPacket, tcpOptions, tcpPacket, udpPacket } from '../../support/segment.ts';

let time: VirtualTime;
let allocator: PoolAllocator;

/** A link whose other end is the test. */
class ScriptedLink implements Link {
  readonly name: string;
  readonly mtu = 1500;
  readonly medium = 'ip';
  readonly offload = 0;
  readonly mac = null;
  readonly receiveQueue = 0;
  readonly dropped = 0;
  readonly sent: Uint8Array[] = [];
  /** Frames in each call of `transmit`. */
  readonly batches: number[] = [];
  isFull = false;
  isClosed = false;
  receiver: LinkReceiver | null = null;
  onTransmit: () => void = () => {};

  constructor(name = 'scripted') {
    this.name = name;
  }

  open(receiver: LinkReceiver): void {
    this.receiver = receiver;
  }

  transmit(batch: TransmitBatch): boolean {
    this.batches.push(batch.count);
    for (let i = 0; i < batch.count; i++) {
      const frame = new Uint8Array(transmitLength(batch, i));
      flattenFrame(batch, i, frame, 0);
      this.sent.push(frame);
    }
    this.onTransmit();
    return !this.isFull;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The packets arrive, in one batch. */
  arrive(...packets: Uint8Array[]): FrameBatch {
    const batch = createFrameBatch(packets.length, packets.length * 1536);
    for (const [i, packet] of packets.entries()) {
      batch.bytes.set(packet, i * 1536);
      batch.table[i * 8 + FRAME_OFFSET] = i * 1536;
      batch.table[i * 8 + FRAME_LENGTH] = packet.length;
    }
    batch.count = packets.length;
    this.receiver?.receive(batch);
    return batch;
  }
}

interface Rig {
  readonly host: RunningHost;
  readonly link: ScriptedLink;
  readonly events: [Endpoint, number][];
}

function rig(observer: (endpoint: Endpoint, events: number) => void = () => {}): Rig {
  const link = new ScriptedLink();
  const events: [Endpoint, number][] = [];
  const host = createHost({
    scheduler: time,
    random: new SeededRandom(1),
    allocator,
    observer: (endpoint, bits) => {
      events.push([endpoint, bits]);
      observer(endpoint, bits);
    },
    links: [{ link, addresses: ['10.0.0.2/24'], gateway: '10.0.0.1' }],
  });
  return { host, link, events };
}

function settle(limit = Number.POSITIVE_INFINITY): void {
  for (let i = 0; time.step(limit); i++) if (i > 100_000) throw new Error('never comes to rest');
}

/** A connection that the peer has opened to port 80. */
function accepted({ host, link }: Rig): TcpEndpoint {
  const listener = host.stack.openTcp();
  listener.bind(IpAddress.anyV4, 80);
  listener.listen(5);
  link.arrive(tcpPacket({ flags: 'S', seq: 99, options: tcpOptions({ mss: 1000 }) }));
  const { seq = 0 } = readPacket(link.sent.at(-1) ?? null);
  link.arrive(tcpPacket({ seq: 100, ack: seq + 1 }));
  const endpoint = listener.accept();
  if (endpoint === null) throw new Error('no connection');
  return endpoint;
}

beforeEach(() => {
  time = new VirtualTime();
  allocator = new PoolAllocator();
});

describe('a turn', () => {
  test('given frames, the answers leave in the same turn', () => {
    const { link } = rig();
    link.arrive(icmpPacket({ sequence: 1 }), icmpPacket({ sequence: 2 }));
    expect(link.sent.map((packet) => readPacket(packet).type)).toEqual([0, 0]);
    expect(link.batches).toEqual([2]);
  });

  test('given more to come, the answers wait for the batch that is the last', () => {
    const { link } = rig();
    const { receiver } = link;
    const batch = link.arrive();
    link.receiver = { receive: (part) => receiver?.receive(part, true), drained() {}, failed() {} };
    link.arrive(icmpPacket({ sequence: 1 }));
    expect(link.sent).toEqual([]);
    receiver?.receive(batch, false);
    expect(link.sent).toHaveLength(1);
  });

  test('given frames, each gets its verdict', () => {
    const { link } = rig();
    const batch = link.arrive(icmpPacket(), icmpPacket({ dst: '10.0.0.9' }));
    expect([batch.table[7], batch.table[15]]).toEqual([0, DropReason.ipNotForUs]);
  });

  test('given an observer that answers, its answer leaves in the same turn, with the ACK in it', () => {
    const bytes = new Uint8Array(100);
    const setup = rig((endpoint, events) => {
      if (endpoint.kind !== 'tcp' || (events & EndpointEvent.readable) === 0) return;
      const tcp = endpoint as TcpEndpoint;
      const got = tcp.read(bytes, 0, 100);
      tcp.write(bytes, 0, got);
    });
    accepted(setup);
    const before = setup.link.sent.length;
    const { ack = 0, seq = 0 } = readPacket(setup.link.sent.at(-1) ?? null);
    setup.link.arrive(tcpPacket({ seq: 100, ack: seq + 1, flags: 'P.', payload: 'echo' }));
    expect(ack).toBe(100);
    expect(setup.link.sent.length - before).toBe(1);
    const answer = readPacket(setup.link.sent.at(-1) ?? null);
    expect(new TextDecoder().decode(answer.payload)).toBe('echo');
    expect(answer.ack).toBe(104);
  });

  test('given calls from above, one turn follows however many there were, and not inside them', () => {
    const { host, link } = rig();
    const udp = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 5000);
    const to = IpAddress.parse('10.0.0.1');
    for (let i = 0; i < 10; i++) udp.send(new Uint8Array(10), 0, 10, to, 53);
    expect(link.sent).toEqual([]);
    settle();
    expect(link.batches).toEqual([10]);
    for (let i = 0; i < 3; i++) udp.send(new Uint8Array(10), 0, 10, to, 53);
    settle();
    expect(link.batches).toEqual([10, 3]);
  });

  test('given more than one batch of output, all of it leaves, a batch at a time', () => {
    const { host, link } = rig();
    const udp = host.stack.openUdp();
    udp.sendBufferSize = 1 << 20;
    const to = IpAddress.parse('10.0.0.1');
    for (let i = 0; i < 200; i++) udp.send(new Uint8Array(10), 0, 10, to, 53);
    settle();
    expect(link.sent).toHaveLength(200);
    expect(Math.max(...link.batches)).toBeLessThanOrEqual(64);
  });

  test('given an observer that never stops, a turn ends all the same and others get theirs', () => {
    let sends = 0;
    const setup = rig((endpoint) => {
      const udp = endpoint as ReturnType<typeof setup.host.stack.openUdp>;
      // Each datagram sent comes back, and is answered by two.
      for (let i = 0; i < 2 && sends < 5000; i++, sends++) {
        udp.send(new Uint8Array(10), 0, 10, IpAddress.loopbackV4, 5000);
      }
      udp.receive(new Uint8Array(10), 0, 10, INFO);
    });
    const udp = setup.host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 5000);
    udp.send(new Uint8Array(10), 0, 10, IpAddress.loopbackV4, 5000);
    settle(1000);
    setup.link.arrive(icmpPacket());
    expect(setup.link.sent).toHaveLength(1);
  });

  test('given an observer that throws, the driver goes on with the next turn', () => {
    let isThrowing = true;
    const setup = rig(() => {
      if (isThrowing) throw new RangeError('a bug of the embedder');
    });
    const udp = setup.host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    expect(() => setup.link.arrive(udpPacket())).toThrow('a bug of the embedder');
    isThrowing = false;
    setup.link.arrive(icmpPacket());
    expect(setup.link.sent).toHaveLength(1);
  });

  test('given frames that arrive inside transmit, they are taken and answered in the same turn', () => {
    const { link } = rig();
    let isFirst = true;
    link.onTransmit = () => {
      if (!isFirst) return;
      isFirst = false;
      link.arrive(icmpPacket({ sequence: 2 }));
    };
    link.arrive(icmpPacket({ sequence: 1 }));
    expect(link.sent).toHaveLength(2);
  });
});

describe('links', () => {
  test('given a link that is full, its output waits until it has drained; other links go on', () => {
    const { host, link } = rig();
    const other = new ScriptedLink('other');
    host.driver.attach(other, { addresses: ['10.1.0.2/24'] });
    link.isFull = true;
    link.arrive(icmpPacket({ sequence: 1 }));
    link.arrive(icmpPacket({ sequence: 2 }));
    expect(link.sent).toHaveLength(1);
    other.arrive(icmpPacket({ src: '10.1.0.1', dst: '10.1.0.2' }));
    expect(other.sent).toHaveLength(1);
    link.isFull = false;
    link.receiver?.drained();
    expect(link.sent).toHaveLength(2);
  });

  test('given a smaller MTU for the attachment, the stack keeps to it', () => {
    const { host } = rig();
    const index = host.driver.attach(new ScriptedLink('small'), { mtu: 576 });
    expect(host.stack.interfaces.find((view) => view.index === index)?.mtu).toBe(576);
    const large = host.driver.attach(new ScriptedLink('large'), { mtu: 9000 });
    expect(host.stack.interfaces.find((view) => view.index === large)?.mtu).toBe(1500);
  });

  test('given a gateway, other networks are reached over it', () => {
    const { host } = rig();
    expect(host.stack.routes.some(({ gateway }) => gateway?.toString() === '10.0.0.1')).toBe(true);
  });

  test('given a link that is detached, its interface is gone and it is closed', () => {
    const { host, link } = rig();
    const [index] = [...host.driver.links.keys()];
    host.driver.detach(index as number);
    host.driver.detach(index as number);
    expect(link.isClosed).toBe(true);
    expect(host.driver.links.size).toBe(0);
    expect(host.stack.interfaces.some(({ name }) => name === 'scripted')).toBe(false);
  });

  test('given a link that fails, its interface is gone and the owner is told once', () => {
    const link = new ScriptedLink();
    const failures: string[] = [];
    const host = createHost({
      scheduler: time,
      links: [{ link }],
      onLinkFailed: (which, error) => failures.push(`${which.name}: ${error.message}`),
    });
    const error = new RangeError('unplugged');
    link.receiver?.failed(error);
    link.receiver?.failed(error);
    expect(failures).toEqual(['scripted: unplugged']);
    expect(host.driver.links.size).toBe(0);
  });
});

describe('time', () => {
  test('given a deadline, the host wakes for it and no more often', () => {
    const setup = rig();
    const tcp = setup.host.stack.openTcp();
    tcp.connect(IpAddress.parse('10.0.0.1') as IpAddress, 80);
    settle(0);
    expect(setup.link.sent).toHaveLength(1);
    settle(6999);
    // RFC 6298: again after 1 s, and 2 s later.
    expect(setup.link.sent).toHaveLength(3);
    expect(time.pending).toBeLessThanOrEqual(2);
  });

  test('given nothing to wait for, there is no timer', () => {
    const { link } = rig();
    link.arrive(icmpPacket());
    settle();
    expect(time.pending).toBe(0);
  });
});

describe('close', () => {
  test('given live connections, they are reset and nothing is left', () => {
    const setup = rig();
    const endpoint = accepted(setup);
    endpoint.write(new Uint8Array(5000), 0, 5000);
    setup.host.stack.openUdp().bind(IpAddress.anyV4, 53);
    settle(10);
    setup.host.close();
    setup.host.close();
    expect(readPacket(setup.link.sent.at(-1) ?? null).flags).toContain('R');
    expect(setup.link.isClosed).toBe(true);
    expect([...setup.host.stack.endpoints()]).toEqual([]);
    expect(allocator.inUse).toBe(0);
    settle();
    expect(time.pending).toBe(0);
    setup.link.arrive(icmpPacket());
    setup.host.driver.wake();
    setup.host.driver.turn();
    expect(time.pending).toBe(0);
  });
});

describe('taps', () => {
  test('given a tap, it sees every frame in both directions, after its verdict', () => {
    const { host, link } = rig();
    const seen: string[] = [];
    const tap: FrameTap = {
      received: (_index, batch) => seen.push(`in ${batch.count} ${batch.table[7]}`),
      sent: (_index, batch) => seen.push(`out ${batch.count}`),
    };
    host.driver.tap = tap;
    link.arrive(icmpPacket());
    link.arrive(icmpPacket({ dst: '10.0.0.9' }));
    host.driver.tap = null;
    link.arrive(icmpPacket());
    expect(seen).toEqual(['in 1 0', 'out 1', `in 1 ${DropReason.ipNotForUs}`]);
  });

  test('given a recorder, the capture says whose each packet is, why it was sent, and by which rule it was dropped', () => {
    const setup = rig();
    const blocks: Uint8Array[] = [];
    const writer = new PcapngWriter({ write: (block) => blocks.push(block.slice()) });
    setup.host.driver.tap = new CaptureRecorder(setup.host.stack, writer, { epoch: 1_000_000 });
    accepted(setup);
    setup.link.arrive(tcpPacket({ destinationPort: 81, flags: 'S', seq: 5 }));
    const packets = [...readCapture(Uint8Array.from(blocks.flatMap((block) => [...block])))];
    const comments = packets.map(({ comments: [comment = ''] }) => comment);
    expect(comments[1]).toBe('tcp 10.0.0.2:80 ↔ 10.0.0.1:1025 · SYN-ACK of a listener');
    expect(comments.at(-2)).toMatch(/^dropped: tcpNoListener \(RFC 9293 .*\): /);
    expect(comments.at(-1)).toBe('RST');
    expect(packets[0]?.interface.name).toBe('scripted');
  });
});

describe('two hosts on a segment', () => {
  test('given 2 MB one way, all of it arrives, and links that are held are drained', () => {
    // Holds a batch of the driver twice: more would be lost without the hold.
    const wire = new MemorySegment({ scheduler: time, queueFrames: 136 });
    const bytes = new Uint8Array(65_536);
    let received = 0;
    const make = (address: string, observer: (endpoint: Endpoint) => void): RunningHost =>
      createHost({
        scheduler: time,
        random: new SeededRandom(2),
        observer,
        links: [{ link: wire.port(), addresses: [address] }],
      });
    const server = make('10.0.0.2/24', (endpoint) => {
      const tcp = endpoint as TcpEndpoint;
      for (let conn = tcp.accept(); conn !== null; conn = tcp.accept()) conn.context = 'accepted';
      if (tcp.context !== 'accepted') return;
      for (let got = tcp.read(bytes, 0, bytes.length); got > 0; got = tcp.read(bytes, 0, bytes.length))
        received += got;
    });
    let toSend = 2_000_000;
    const client = make('10.0.0.1/24', (endpoint) => {
      const tcp = endpoint as TcpEndpoint;
      while (toSend > 0) {
        const taken = tcp.write(bytes, 0, Math.min(toSend, bytes.length));
        if (taken <= 0) return;
        toSend -= taken;
      }
    });
    const listener = server.stack.openTcp();
    listener.bind(IpAddress.anyV4, 80);
    listener.listen(1);
    client.stack.openTcp().connect(IpAddress.parse('10.0.0.2') as IpAddress, 80);
    settle(10_000);
    expect([toSend, received]).toEqual([0, 2_000_000]);
    expect(client.stack.counters.tcpRetransSegs).toBe(0);
  });
});

describe('SystemRandom', () => {
  test('given many draws, all 32 bits vary and batches differ', () => {
    const random = new SystemRandom();
    const numbers = Array.from({ length: 1000 }, () => random.next());
    expect(numbers.every((number) => (number | 0) === number)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(990);
    expect(numbers.reduce((bits, number) => bits | number, 0)).toBe(-1);
    expect(numbers.reduce((bits, number) => bits & number, -1)).toBe(0);
  });
});

const INFO = createDatagramInfo();
