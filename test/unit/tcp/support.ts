/**
 * TCP in virtual time, two ways: one host against a peer that the test writes segment by segment, and two hosts over a path
 * with delay, loss, duplicates and reordering from a seed.
 */

import { afterEach, beforeEach, describe } from '@jest/globals';
import { IpAddress, PoolAllocator, randomFraction, SeededRandom } from '../../../src/base/index.ts';
import {
  createStack,
  type Endpoint,
  EndpointEvent,
  type InterfaceOptions,
  type Stack,
  type TcpEndpoint,
  type TcpOptions,
} from '../../../src/stack/index.ts';
import {
  type EitherFields,
  type EitherPacket,
  FAMILY_PACKETS,
  type FamilyPackets,
  packetsOf,
} from '../../support/packets.ts';
import { type TcpSegmentFields, tcpOptions } from '../../support/transport-bytes.ts';

/** The host's port in scripted tests, the peer's, and the peer's initial sequence number. */
export const PORT = 80;
export const PEER_PORT = 1025;
export const PEER_ISN = 5000;

/** A segment of the peer, in either family. */
export type TcpFields = EitherFields & TcpSegmentFields;

let packets = packetsOf(4);

/** The family of the test that runs: who talks, and the builders of its packets. IPv4 outside of {@link overBothFamilies}. */
export const family = (): FamilyPackets => packets;

/** Runs tests over both families: hosts that they make, and what is built for them, are of the one or the other. */
export function overBothFamilies(tests: () => void): void {
  describe.each(FAMILY_PACKETS)('IPv$family', (each) => {
    beforeEach(() => {
      packets = each;
    });
    afterEach(() => {
      packets = packetsOf(4);
    });
    tests();
  });
}

/** An MTU with which segments are as large as with 1500 bytes over IPv4. */
export const mtuFor = (ipv4Mtu: number): number => ipv4Mtu - packetsOf(4).headerLength + packets.headerLength;
/** The peer, and whatever address. */
export const peer = (): IpAddress => address(packets.peer);
export const anyAddress = (): IpAddress => address(packets.any);

export interface TcpHost {
  readonly family: FamilyPackets;
  readonly stack: Stack;
  readonly index: number;
  readonly allocator: PoolAllocator;
  /** All events of an endpoint so far, by its id. */
  readonly events: Map<number, number>;
  now: number;
  /** Hands in a segment of the peer. @returns its drop reason */
  in(fields: TcpFields): number;
  /** What waits to be sent; events are told afterwards. */
  out(): EitherPacket[];
  /** Lets time pass, with the timers on the way; stops early when one made output. */
  pass(ms: number): EitherPacket[];
  eventsOf(endpoint: Endpoint): number;
}

/** A host whose peer, on the same link, is the test: 10.0.0.2 and 10.0.0.1, or fd00::2 and fd00::1. */
export function makeTcpHost(tcp: TcpOptions = {}, iface: Partial<InterfaceOptions> = {}): TcpHost {
  const family = packets;
  const allocator = new PoolAllocator();
  const events = new Map<number, number>();
  const clock = { now: 1_000_000 };
  const stack = createStack({
    clock: { now: () => clock.now },
    random: new SeededRandom(11),
    allocator,
    tcp,
    observer: (endpoint, bits) => void events.set(endpoint.id, (events.get(endpoint.id) ?? 0) | bits),
  });
  const index = stack.addInterface({
    name: 'test',
    mtu: mtuFor(1500),
    addresses: [family.prefix],
    detectDuplicates: false,
    ...iface,
  });
  const out = (): EitherPacket[] => {
    const seen: EitherPacket[] = [];
    for (let packet = stack.takePacket(index); packet !== null; packet = stack.takePacket(index)) {
      seen.push(family.read(packet));
    }
    stack.flushEvents();
    for (let packet = stack.takePacket(index); packet !== null; packet = stack.takePacket(index)) {
      seen.push(family.read(packet));
    }
    return seen;
  };
  return Object.assign(clock, {
    family,
    stack,
    index,
    allocator,
    events,
    in: (fields: TcpFields) =>
      stack.inputPacket(index, family.tcp({ sourcePort: PEER_PORT, destinationPort: PORT, ...fields })),
    out,
    pass: (ms: number) => {
      const end = clock.now + ms;
      while (stack.nextDeadline <= end) {
        clock.now = Math.max(clock.now, stack.nextDeadline);
        stack.advance();
        const seen = out();
        if (seen.length > 0) return seen;
      }
      clock.now = end;
      return out();
    },
    eventsOf: (endpoint: Endpoint) => {
      stack.flushEvents();
      return events.get(endpoint.id) ?? 0;
    },
  });
}

/** An established connection of a scripted test. `seq`: the peer's next number, `ack`: the host's. */
export interface Scripted {
  readonly host: TcpHost;
  readonly socket: TcpEndpoint;
  seq: number;
  ack: number;
  /** Hands in a segment at `seq` that acknowledges `ack`, unless said otherwise. @returns its drop reason */
  in(fields?: TcpFields): number;
  /** As `in`, and what the host sends upon it. */
  exchange(fields?: TcpFields): EitherPacket[];
}

/** Options of the peer's SYN when nothing but an MSS is wanted. */
export const PLAIN_SYN = tcpOptions({ mss: 1460 });
/** As a modern peer sends them. */
export const FULL_SYN = tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [900, 0], windowShift: 7 });

/** A listener on {@link PORT}. */
export function listenOn(host: TcpHost, backlog = 8): TcpEndpoint {
  const listener = host.stack.openTcp(host.family.family);
  must(listener.bind(address(host.family.any), PORT));
  must(listener.listen(backlog));
  return listener;
}

/** A connection that the peer opened; without options of the peer but MSS unless given. */
export function acceptOne(host: TcpHost, options = PLAIN_SYN, window = 65_535): Scripted {
  return acceptNext(host, listenOn(host), PEER_PORT, options, window);
}

/** As {@link acceptOne}, from another port of the peer. */
export function acceptNext(
  host: TcpHost,
  listener: TcpEndpoint,
  sourcePort: number,
  options = FULL_SYN,
  window = 65_535,
): Scripted {
  host.in({ flags: 'S', seq: PEER_ISN, options, window, sourcePort });
  const [synAck] = host.out();
  if (synAck === undefined) throw new Error('no SYN-ACK');
  const ack = ((synAck.seq ?? 0) + 1) | 0;
  host.in(withTimestamp({ flags: '.', seq: PEER_ISN + 1, ack, window, sourcePort }, options));
  const socket = listener.accept();
  if (socket === null) throw new Error('nothing to accept');
  host.out();
  return scripted(host, socket, PEER_ISN + 1, ack, options, window, { sourcePort });
}

/** A connection that the host opened to the peer's port 7000. */
export function connectOne(host: TcpHost, options = PLAIN_SYN, window = 65_535): Scripted {
  const socket = host.stack.openTcp(host.family.family);
  must(socket.bind(address(host.family.any), PORT));
  must(socket.connect(address(host.family.peer), PEER_PORT));
  const [syn] = host.out();
  const ack = ((syn?.seq ?? 0) + 1) | 0;
  host.in({ flags: 'S.', seq: PEER_ISN, ack, options, window });
  host.out();
  return scripted(host, socket, PEER_ISN + 1, ack, options, window);
}

/**
 * A connection at the given numbers; what it sends has `options`' timestamps, if they have any.
 * @param ports of its segments, where they are others than {@link PEER_PORT} and {@link PORT}
 */
export function scripted(
  host: TcpHost,
  socket: TcpEndpoint,
  seq: number,
  ack: number,
  options: Uint8Array,
  window: number,
  ports: Pick<TcpFields, 'sourcePort' | 'destinationPort'> = {},
): Scripted {
  const script: Scripted = {
    host,
    socket,
    seq,
    ack,
    in: (fields = {}) =>
      host.in(
        withTimestamp({ flags: '.', seq: script.seq, ack: script.ack, window, ...ports, ...fields }, options),
      ),
    exchange: (fields = {}) => {
      script.in(fields);
      return host.out();
    },
  };
  return script;
}

function withTimestamp(fields: TcpFields, options: Uint8Array): TcpFields {
  if (options !== FULL_SYN || fields.options !== undefined) return fields;
  return { ...fields, options: tcpOptions({ timestamps: [1000, 0] }) };
}

/** How a path treats packets. Probabilities are 0 … 1. */
export interface PathOptions {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  /** Called for each packet; `true` loses it. */
  readonly drop?: (packet: Uint8Array, fromFirst: boolean) => boolean;
}

interface Flight {
  readonly at: number;
  readonly order: number;
  readonly to: number;
  readonly packet: Uint8Array;
}

/** Two hosts, 10.0.0.1 and 10.0.0.2, or fd00::1 and fd00::2. */
export class Pair {
  readonly stacks: readonly [Stack, Stack];
  readonly allocators: readonly [PoolAllocator, PoolAllocator];
  readonly events = new Map<Endpoint, number>();
  readonly #random: SeededRandom;
  readonly #path: PathOptions;
  #flights: Flight[] = [];
  #order = 0;
  now = 1000;
  packets = 0;

  constructor(seed = 1, path: PathOptions = {}, tcp: TcpOptions = {}, mtu = 1500) {
    this.#random = new SeededRandom(seed);
    this.#path = path;
    this.allocators = [new PoolAllocator(), new PoolAllocator()];
    this.stacks = [this.#make(0, tcp, mtu), this.#make(1, tcp, mtu)];
  }

  #make(which: number, tcp: TcpOptions, mtu: number): Stack {
    const stack = createStack({
      clock: { now: () => this.now },
      random: new SeededRandom(100 + which),
      allocator: this.allocators[which] as PoolAllocator,
      tcp,
      observer: (endpoint, bits) => void this.events.set(endpoint, (this.events.get(endpoint) ?? 0) | bits),
    });
    stack.addInterface({
      name: 'a',
      mtu,
      addresses: [`${packets.neighbor(which + 1)}/${packets.prefix.split('/')[1]}`],
      detectDuplicates: false,
    });
    return stack;
  }

  /** Runs until `done` answers true, or for `ms` of virtual time. @returns whether it did */
  run(done: () => boolean, ms = 600_000): boolean {
    const end = this.now + ms;
    for (;;) {
      for (const stack of this.stacks) stack.advance();
      this.#collect();
      for (const stack of this.stacks) stack.flushEvents();
      if (done()) return true;
      this.#collect();
      const next = this.#next();
      if (next > end) {
        this.now = end;
        return done();
      }
      this.now = Math.max(this.now, next);
      this.#deliver();
    }
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.run(() => false, ms);
  }

  #next(): number {
    let next = Math.min(this.stacks[0].nextDeadline, this.stacks[1].nextDeadline);
    for (const flight of this.#flights) next = Math.min(next, flight.at);
    return next;
  }

  #collect(): void {
    for (let which = 0; which < 2; which++) {
      const stack = this.stacks[which] as Stack;
      const index = stack.interfaces.find((iface) => !iface.isLoopback)?.index ?? 0;
      for (let packet = stack.takePacket(index); packet !== null; packet = stack.takePacket(index)) {
        this.packets++;
        this.#send(1 - which, packet);
      }
    }
  }

  #send(to: number, packet: Uint8Array): void {
    const { delay = 5, jitter = 0, loss = 0, duplicate = 0, drop } = this.#path;
    if (drop?.(packet, to === 1) === true) return;
    if (loss > 0 && randomFraction(this.#random) < loss) return;
    const copies = duplicate > 0 && randomFraction(this.#random) < duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const at = this.now + delay + jitter * randomFraction(this.#random);
      this.#flights.push({ at, order: this.#order++, to, packet });
    }
  }

  #deliver(): void {
    const due = this.#flights.filter((flight) => flight.at <= this.now);
    if (due.length === 0) return;
    this.#flights = this.#flights.filter((flight) => flight.at > this.now);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const { to, packet } of due) {
      const stack = this.stacks[to] as Stack;
      const index = stack.interfaces.find((iface) => !iface.isLoopback)?.index ?? 0;
      stack.inputPacket(index, packet);
    }
  }

  /** Connects the first host to a listener of the second. */
  connect(): [TcpEndpoint, TcpEndpoint] {
    const listener = this.stacks[1].openTcp(packets.family);
    must(listener.bind(anyAddress(), 9));
    must(listener.listen(16));
    const client = this.stacks[0].openTcp(packets.family);
    must(client.connect(address(packets.neighbor(2)), 9));
    let server: TcpEndpoint | null = null;
    const isDone = this.run(() => {
      server ??= listener.accept();
      return server !== null && client.state === 'ESTABLISHED';
    });
    if (!isDone || server === null) throw new Error('not connected');
    listener.close();
    return [client, server];
  }
}

/** Sends `bytes` from one endpoint and compares what the other gets; FIN at the end unless told otherwise. */
export class Transfer {
  readonly #from: TcpEndpoint;
  readonly #to: TcpEndpoint;
  readonly #bytes: Uint8Array;
  readonly #chunk = new Uint8Array(40_000);
  sent = 0;
  received = 0;
  isRight = true;

  constructor(from: TcpEndpoint, to: TcpEndpoint, bytes: Uint8Array) {
    this.#from = from;
    this.#to = to;
    this.#bytes = bytes;
  }

  /** Writes and reads what is possible now. @returns whether all is over, both the bytes and the end of the stream */
  step(): boolean {
    if (this.sent < this.#bytes.length) {
      const taken = this.#from.write(this.#bytes, this.sent, this.#bytes.length - this.sent);
      if (taken > 0) this.sent += taken;
      if (this.sent === this.#bytes.length) this.#from.shutdownWrite();
    }
    for (;;) {
      const got = this.#to.read(this.#chunk, 0, this.#chunk.length);
      if (got <= 0) return got === 0 && this.received === this.#bytes.length;
      for (let i = 0; i < got; i++) {
        if (this.#chunk[i] !== this.#bytes[this.received + i]) this.isRight = false;
      }
      this.received += got;
    }
  }
}

/** Bytes in which every shift shows. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + seed) & 0xff);
}

export function address(text: string): IpAddress {
  const parsed = IpAddress.parse(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
}

/** @throws {Error} when a call that has to succeed did not */
export function must(result: number): void {
  if (result < 0) throw new Error(`call failed: ${result}`);
}

/** Whether `bits` has the event. */
export function has(bits: number | undefined, event: keyof typeof EndpointEvent): boolean {
  return ((bits ?? 0) & EndpointEvent[event]) !== 0;
}
