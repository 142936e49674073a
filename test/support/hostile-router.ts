/**
 * A router of both families with a translator between two hostile networks, in virtual time: frames of {@link HostileFrames} and
 * packets of {@link HostileTransit} come from both sides, while an operator changes routes, port maps and the translator. After each
 * batch it is checked that every verdict is known and counted; now and then that what the router remembers is bounded.
 */

import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  fromHex,
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  PoolAllocator,
  randomBelow,
  SeededRandom,
} from '../../src/base/index.ts';
import { createStack, type InterfaceOptions, type Stack } from '../../src/stack/index.ts';
import { FRAME_ROOM, HostileFrames } from './hostile-frames.ts';
import { countVerdicts } from './hostile-host.ts';
import { HostileTransit, INSIDE_ADDRESS, OUTSIDE_ADDRESS } from './hostile-transit.ts';
import { v6 } from './segment6.ts';

const MEMORY_BOUND = 32 << 20;
const BATCH_FRAMES = 32;
const MAX_NEIGHBORS = 1024 + 4;
const MAX_ROUTES = 64;
export const MAX_MAPPINGS = 512;
export const MAX_MAPPINGS_PER_HOST = 64;
const FILTERINGS = ['addressDependent', 'addressAndPortDependent', 'endpointIndependent'] as const;

export interface RouterFigures {
  frames: number;
  sent: number;
  peakMemory: number;
  peakMappings: number;
  /** Frames by verdict; 0: used, or passed on. */
  readonly verdicts: Map<number, number>;
}

/** One of the two networks. */
interface Side {
  readonly index: number;
  readonly isEthernet: boolean;
  readonly frames: HostileFrames;
  readonly transit: HostileTransit;
}

export class HostileRouter {
  readonly figures: RouterFigures = {
    frames: 0,
    sent: 0,
    peakMemory: 0,
    peakMappings: 0,
    verdicts: new Map(),
  };
  readonly stack: Stack;
  readonly #random: SeededRandom;
  readonly #allocator = new PoolAllocator();
  readonly #inside: Side;
  readonly #outside: Side;
  readonly #batch = createFrameBatch(BATCH_FRAMES, BATCH_FRAMES * FRAME_ROOM);
  readonly #outbound = createTransmitBatch(64);
  #now = 0;
  #round = 0;
  #translators = 0;

  /** @param isEthernet of the inside; the outside is of the other kind, narrower, and without offloads */
  constructor(seed: number, isEthernet: boolean) {
    this.#random = new SeededRandom(seed);
    this.stack = createStack({
      clock: { now: () => this.#now },
      random: new SeededRandom(seed + 1),
      allocator: this.#allocator,
      observer: () => {},
    });
    const offload = OFFLOAD_CSUM | OFFLOAD_TSO4;
    const inside = { name: 'inside', mtu: 1500, offload };
    this.#inside = this.#makeSide(inside, isEthernet, [`${INSIDE_ADDRESS}/24`, 'fd00::2/64', 'fe80::2/64']);
    const outside = { name: 'outside', mtu: 1300 };
    this.#outside = this.#makeSide(outside, !isEthernet, [
      `${OUTSIDE_ADDRESS}/24`,
      'fd02::1/64',
      'fe80::3/64',
    ]);
    this.#route('0.0.0.0/0', '192.0.2.254');
    this.#route('2001:db8:9::/48', 'fd02::254');
    this.#translate();
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
      const side = randomBelow(random, 2) === 0 ? this.#inside : this.#outside;
      side.frames.fill(this.#batch, Math.min(BATCH_FRAMES, end - figures.frames));
      before.set(stack.counters.drops);
      stack.input(side.index, this.#batch);
      figures.frames += this.#batch.count;
      countVerdicts(stack, figures.verdicts, this.#batch, before);
      this.#now += randomBelow(random, 100);
      stack.advance();
      // Now and then a link stands still, and queues fill up.
      if (randomBelow(random, 16) > 0) for (const one of [this.#inside, this.#outside]) this.#drain(one);
      stack.flushEvents();
      if (this.#round % 64 === 0) this.#operate();
      this.#checkBounds();
    }
  }

  /** Ends everything and lets the timers run out: afterwards nothing may be left. */
  end(): void {
    const { stack } = this;
    // Mappings first: they last for two hours at most.
    for (let i = 0; i < 10_000 && stack.natMappings.some(({ isStatic }) => !isStatic); i++) this.#tick();
    if (stack.natMappings.some(({ isStatic }) => !isStatic)) throw new Error('mappings are left');
    stack.setNat(null);
    for (const { index } of [this.#inside, this.#outside]) stack.removeInterface(index);
    for (let i = 0; i < 1000 && stack.nextDeadline !== Number.POSITIVE_INFINITY; i++) this.#tick();
    if (this.#allocator.inUse !== 0) throw new Error(`${this.#allocator.inUse} bytes are left`);
    if (stack.nextDeadline !== Number.POSITIVE_INFINITY) throw new Error('timers are left');
  }

  #makeSide(
    options: Pick<InterfaceOptions, 'name' | 'mtu' | 'offload'>,
    isEthernet: boolean,
    addresses: readonly string[],
  ): Side {
    const { stack } = this;
    const medium = isEthernet ? { medium: 'ethernet' as const, mac: fromHex('020000000002') } : {};
    const index = stack.addInterface({ ...options, ...medium });
    const own = { detectDuplicates: false, conflictDefense: 'always' } as const;
    for (const address of addresses) stack.addAddress(index, address, own);
    stack.setInterface(index, { isForwarding: true });
    if (isEthernet) this.#addNeighbors(index);
    const isInside = options.name === 'inside';
    const transit = new HostileTransit(this.#random, isInside);
    const frames = new HostileFrames(this.#random, isEthernet, transit);
    return { index, isEthernet, frames, transit };
  }

  /** Some that are there; all others are asked for in vain, or answered for by somebody. */
  #addNeighbors(index: number): void {
    const mac = fromHex('020000000001');
    for (const word of [0x0a000001, 0xc0000209, 0xc00002fe]) {
      this.stack.addNeighbor(index, IpAddress.v4(word | 0), mac);
    }
    this.stack.addNeighbor(index, v6('fd02::254'), mac);
  }

  #route(destination: string, gateway: string): void {
    this.stack.addRoute({ destination, gateway, interfaceIndex: this.#outside.index });
  }

  #translate(): void {
    this.stack.setNat({
      interfaceIndex: this.#outside.index,
      filtering: FILTERINGS[this.#translators++ % 3] ?? 'addressDependent',
      maxMappings: MAX_MAPPINGS,
      maxMappingsPerHost: MAX_MAPPINGS_PER_HOST,
    });
  }

  /** What an operator does while the network is hostile. */
  #operate(): void {
    const { stack } = this;
    const random = this.#random;
    const port = 5000 + randomBelow(random, 4);
    switch (randomBelow(random, 8)) {
      case 0:
        this.#translate();
        break;
      case 1:
      case 2:
        if (stack.natMappings.some(({ outsidePort, isStatic }) => isStatic && outsidePort === port)) {
          stack.removeNatPortMap('udp', port);
        } else {
          const map = {
            protocol: 'udp',
            outsidePort: port,
            insideAddress: '10.0.0.1',
            insidePort: port,
          } as const;
          stack.addNatPortMap(map);
        }
        break;
      case 3: {
        const route = {
          destination: '198.51.100.0/25',
          gateway: '10.0.0.77',
          interfaceIndex: this.#inside.index,
        };
        if (!stack.removeRoute(route)) stack.addRoute(route);
        break;
      }
      case 4: {
        const { index } = randomBelow(random, 2) === 0 ? this.#inside : this.#outside;
        stack.setInterface(index, { isUp: false });
        stack.setInterface(index, { isUp: true });
        break;
      }
      case 5:
        stack.setPolicies(
          stack.policies.length > 0
            ? []
            : [{ source: '10.0.0.64/26', interfaceIndex: this.#inside.index, table: 7 }],
        );
        break;
      default:
        break;
    }
  }

  #tick(): void {
    this.#now = Math.max(this.#now, this.stack.nextDeadline);
    this.stack.advance();
    for (const { index } of [this.#inside, this.#outside]) {
      while (this.stack.output(index, this.#outbound) > 0) clearTransmitBatch(this.#outbound);
    }
    this.stack.flushEvents();
  }

  /** Some packets are shown to who makes the next ones, the others leave in batches. */
  #drain({ index, isEthernet, frames, transit }: Side): void {
    for (let i = 0; i < 8; i++) {
      const frame = this.stack.takePacket(index);
      if (frame === null) return;
      frames.heard(frame);
      transit.heard(isEthernet ? frame.slice(14) : frame);
      this.figures.sent++;
    }
    for (let i = 0; i < 40 && this.stack.output(index, this.#outbound) > 0; i++) {
      this.figures.sent += this.#outbound.count;
      clearTransmitBatch(this.#outbound);
    }
  }

  #checkBounds(): void {
    const { stack, figures } = this;
    figures.peakMemory = Math.max(figures.peakMemory, this.#allocator.inUse);
    if (this.#allocator.inUse >= MEMORY_BOUND) throw new Error(`${this.#allocator.inUse} bytes held`);
    if (this.#round % 64 !== 0) return;
    const mappings = stack.natMappings;
    figures.peakMappings = Math.max(figures.peakMappings, mappings.length);
    if (mappings.length > MAX_MAPPINGS) throw new Error(`${mappings.length} mappings`);
    const byHost = new Map<string, number>();
    for (const { insideAddress } of mappings) {
      const key = String(insideAddress);
      byHost.set(key, (byHost.get(key) ?? 0) + 1);
    }
    const most = Math.max(0, ...byHost.values());
    if (most > MAX_MAPPINGS_PER_HOST + 4) throw new Error(`${most} mappings of one host`);
    for (const { index } of [this.#inside, this.#outside]) {
      const neighbors = stack.neighbors(index).length;
      if (neighbors > MAX_NEIGHBORS) throw new Error(`${neighbors} neighbours`);
    }
    if (stack.routes.length > MAX_ROUTES) throw new Error(`${stack.routes.length} routes`);
  }
}
