/**
 * A host of both families among {@link HostileFrames}, in virtual time, with applications that take what comes. After each batch
 * it is checked that every verdict is known and counted; now and then that what the host remembers is bounded.
 */

import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_VERDICT,
  type FrameBatch,
  fromHex,
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  PoolAllocator,
  randomBelow,
  SeededRandom,
} from '../../src/base/index.ts';
import {
  createDatagramInfo,
  createStack,
  type DatagramInfo,
  isInterfaceAddress,
  type MessageEndpoint,
  type Stack,
  type TcpEndpoint,
} from '../../src/stack/index.ts';
import { dropReasonInfo } from '../../src/wire/index.ts';
import { FRAME_ROOM, HostileFrames } from './hostile-frames.ts';
import { v6 } from './segment6.ts';

/** What the stack may hold at most: reassembly, receive queues, and the buffers of the connections that the bounds allow. */
const MEMORY_BOUND = 96 << 20;
const BATCH_FRAMES = 32;
/** The cache of the interface holds 1024, and what was set by hand; prefixes, routers, their routes and leases are far fewer. */
const MAX_NEIGHBORS = 1024 + 2;
const MAX_ROUTES = 256;
const MAX_ADDRESSES = 64;
const PEER = IpAddress.v4(0x0a000001);

/** What became of the frames so far. */
export interface HostileFigures {
  frames: number;
  sent: number;
  /** Most bytes of buffers that the stack held at once. */
  peakMemory: number;
  peakNeighbors: number;
  peakRoutes: number;
  peakAddresses: number;
  /** Frames by verdict; 0: used. */
  readonly verdicts: Map<number, number>;
}

export class HostileHost {
  readonly figures: HostileFigures = {
    frames: 0,
    sent: 0,
    peakMemory: 0,
    peakNeighbors: 0,
    peakRoutes: 0,
    peakAddresses: 0,
    verdicts: new Map(),
  };
  readonly stack: Stack;
  readonly #random: SeededRandom;
  readonly #allocator = new PoolAllocator();
  readonly #frames: HostileFrames;
  readonly #application: Application;
  readonly #index: number;
  readonly #batch = createFrameBatch(BATCH_FRAMES, BATCH_FRAMES * FRAME_ROOM);
  readonly #outbound = createTransmitBatch(64);
  readonly #isEthernet: boolean;
  #now = 0;
  #round = 0;

  constructor(seed: number, isEthernet: boolean) {
    this.#random = new SeededRandom(seed);
    this.#isEthernet = isEthernet;
    this.stack = createStack({
      clock: { now: () => this.#now },
      random: new SeededRandom(seed + 1),
      allocator: this.#allocator,
      observer: () => {},
    });
    this.#index = this.#makeInterface();
    this.#frames = new HostileFrames(this.#random, isEthernet);
    this.#application = new Application(this.stack, this.#random, this.#index);
  }

  /** Bytes of buffers that the stack holds. */
  get memory(): number {
    return this.#allocator.inUse;
  }

  /** @throws {Error} when something is not as it must be; whatever the stack throws */
  run(frames: number): void {
    const { stack, figures } = this;
    const random = this.#random;
    const before = new Uint32Array(stack.counters.drops.length);
    for (const end = figures.frames + frames; figures.frames < end; this.#round++) {
      this.#frames.fill(this.#batch, Math.min(BATCH_FRAMES, end - figures.frames));
      before.set(stack.counters.drops);
      stack.input(this.#index, this.#batch);
      figures.frames += this.#batch.count;
      countVerdicts(stack, figures.verdicts, this.#batch, before);
      this.#now += randomBelow(random, 50);
      stack.advance();
      this.#drain();
      stack.flushEvents();
      if (this.#round % 3 === 0) this.#application.work();
      figures.peakMemory = Math.max(figures.peakMemory, this.#allocator.inUse);
      if (this.#allocator.inUse >= MEMORY_BOUND) throw new Error(`${this.#allocator.inUse} bytes held`);
      if (this.#round % 64 === 0) this.#checkBounds();
    }
    this.#checkBounds();
  }

  /** Ends everything and lets the timers run out: afterwards nothing may be left. */
  end(): void {
    const { stack } = this;
    this.#application.close();
    stack.stopDhcp(this.#index);
    if (this.#isEthernet) stack.stopAutoconf(this.#index);
    // Lifetimes of days and the pace of unanswered questions are as nothing in virtual time.
    for (let i = 0; i < 1000 && stack.nextDeadline !== Number.POSITIVE_INFINITY; i++) this.#tick();
    stack.removeInterface(this.#index);
    for (let i = 0; i < 1000 && stack.nextDeadline !== Number.POSITIVE_INFINITY; i++) {
      this.#now = Math.max(this.#now, stack.nextDeadline);
      stack.advance();
      stack.flushEvents();
    }
    if ([...stack.endpoints()].length > 0) throw new Error('endpoints are left');
    if (this.#allocator.inUse !== 0) throw new Error(`${this.#allocator.inUse} bytes are left`);
    if (stack.nextDeadline !== Number.POSITIVE_INFINITY) throw new Error('timers are left');
  }

  #makeInterface(): number {
    const { stack } = this;
    const index = stack.addInterface({
      name: 'fuzz',
      mtu: 1500,
      offload: OFFLOAD_CSUM | OFFLOAD_TSO4,
      ...(this.#isEthernet ? { medium: 'ethernet' as const, mac: fromHex('020000000002') } : {}),
    });
    const own = { detectDuplicates: false, conflictDefense: 'always' } as const;
    for (const address of ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64']) stack.addAddress(index, address, own);
    stack.startDhcp(index, { linkLocalFallback: false });
    if (!this.#isEthernet) return index;
    const mac = fromHex('020000000001');
    stack.addNeighbor(index, PEER, mac);
    stack.addNeighbor(index, v6('fd00::1'), mac);
    stack.startAutoconf(index);
    return index;
  }

  #tick(): void {
    this.#now = Math.max(this.#now, this.stack.nextDeadline);
    this.stack.advance();
    while (this.stack.output(this.#index, this.#outbound) > 0) clearTransmitBatch(this.#outbound);
    this.stack.flushEvents();
  }

  /** Some frames are shown to who makes the next ones, the others leave in batches. */
  #drain(): void {
    for (let i = 0; i < 8; i++) {
      const frame = this.stack.takePacket(this.#index);
      if (frame === null) return;
      this.#frames.heard(frame);
      this.figures.sent++;
    }
    for (let i = 0; i < 20 && this.stack.output(this.#index, this.#outbound) > 0; i++) {
      this.figures.sent += this.#outbound.count;
      clearTransmitBatch(this.#outbound);
    }
  }

  #checkBounds(): void {
    const { stack, figures } = this;
    const neighbors = stack.neighbors(this.#index).length;
    const routes = stack.routes.length;
    const held = stack.interfaces.find(({ index }) => index === this.#index)?.addresses ?? [];
    const impossible = held.find(({ address, prefixLength }) => !isInterfaceAddress(address, prefixLength));
    if (impossible !== undefined) throw new Error(`${impossible.address} is no host's address`);
    const addresses = held.length;
    figures.peakNeighbors = Math.max(figures.peakNeighbors, neighbors);
    figures.peakRoutes = Math.max(figures.peakRoutes, routes);
    figures.peakAddresses = Math.max(figures.peakAddresses, addresses);
    if (neighbors > MAX_NEIGHBORS) throw new Error(`${neighbors} neighbours`);
    if (routes > MAX_ROUTES) throw new Error(`${routes} routes`);
    if (addresses > MAX_ADDRESSES) throw new Error(`${addresses} addresses`);
  }
}

/**
 * Every frame of a batch has a verdict that is known, and each drop is counted.
 * @param before the counters of drops before the batch
 * @throws {Error} when it is not so
 */
export function countVerdicts(
  { counters }: Stack,
  verdicts: Map<number, number>,
  batch: FrameBatch,
  before: Uint32Array,
): void {
  const seen = new Map<number, number>();
  for (let i = 0; i < batch.count; i++) {
    const verdict = batch.table[i * FRAME_COLUMNS + FRAME_VERDICT] as number;
    seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
  }
  for (const [verdict, count] of seen) {
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + count);
    if (verdict === 0) continue;
    if (dropReasonInfo(verdict) === null) throw new Error(`verdict ${verdict} is no reason`);
    const counted = ((counters.drops[verdict] as number) - (before[verdict] as number)) >>> 0;
    if (counted < count) throw new Error(`${count} frames dropped for ${verdict}, ${counted} counted`);
  }
}

const INFO: DatagramInfo = createDatagramInfo();

/** An application that takes what comes, writes into connections, and ends them in every way. */
class Application {
  readonly #stack: Stack;
  readonly #random: SeededRandom;
  readonly #listeners: readonly TcpEndpoint[];
  readonly #messages: readonly MessageEndpoint[];
  readonly #connections: TcpEndpoint[] = [];
  readonly #buffer = new Uint8Array(65536);

  constructor(stack: Stack, random: SeededRandom, index: number) {
    this.#stack = stack;
    this.#random = random;
    const four = stack.openTcp();
    four.bind(IpAddress.anyV4, 80);
    const six = stack.openTcp(6);
    six.bind(IpAddress.anyV6, 80);
    const both = stack.openTcp(6);
    both.v6Only = false;
    both.bind(IpAddress.anyV6, 82);
    this.#listeners = [four, six, both];
    for (const listener of this.#listeners) listener.listen(16);
    const udp4 = stack.openUdp();
    udp4.bind(IpAddress.anyV4, 53);
    udp4.joinGroup(IpAddress.v4(0xef010203 | 0), { interfaceIndex: index });
    const udp6 = stack.openUdp(6);
    udp6.bind(IpAddress.anyV6, 53);
    udp6.joinGroup(v6('ff05::123'), { interfaceIndex: index });
    const udpBoth = stack.openUdp(6);
    udpBoth.v6Only = false;
    udpBoth.bind(IpAddress.anyV6, 55);
    const raw = [stack.openRaw(1), stack.openRaw(99), stack.openRaw(58, 6), stack.openRaw(99, 6)];
    this.#messages = [udp4, udp6, udpBoth, ...raw];
  }

  work(): void {
    const random = this.#random;
    const into = this.#buffer;
    for (const endpoint of this.#messages) {
      while (randomBelow(random, 4) > 0 && endpoint.receive(into, 0, into.length, INFO) >= 0);
      const to = endpoint.localAddress.family === 6 ? this.#somebody6() : PEER;
      endpoint.send(into, 0, randomBelow(random, 3000), to, 1024);
    }
    for (const listener of this.#listeners) {
      for (let next = listener.accept(); next !== null; next = listener.accept())
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

  /** The peer, a neighbour that may not be there, or somebody behind a router. */
  #somebody6(): IpAddress {
    const random = this.#random;
    const low = randomBelow(random, 4096);
    switch (randomBelow(random, 4)) {
      case 0:
        return new IpAddress(6, 0xfd000000 | 0, 0, 0, 1 + low);
      case 1:
        return new IpAddress(6, 0x20010db8, 0, 0, low);
      default:
        return new IpAddress(6, 0xfd000000 | 0, 0, 0, 1);
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
