/**
 * The host behind `createStack`: time and turns, timers, events, and the services that transports are promised in
 * `host.ts`.
 */

import {
  type BufferAllocator,
  type Clock,
  clearTransmitBatch,
  createTransmitBatch,
  EMPTY,
  IpAddress,
  PoolAllocator,
  putI32,
  type Random,
  TimerQueue,
} from '../base/index.ts';
import { DropReason } from '../wire/index.ts';
import { AddressLifetimes } from './address-lifetimes.ts';
import { ConfigChange, type Endpoint, type StackOptions } from './api.ts';
import { Ipv6LinkLocal } from './autoconf/link-local.ts';
import type { AutoconfService } from './autoconf/service.ts';
import { AutoIp } from './autoip.ts';
import { StackCounters } from './counters.ts';
import type { EgressQueue } from './egress.ts';
import { EventQueue } from './events.ts';
import type {
  ControlPacket,
  EgressSource,
  EventSource,
  Host,
  IcmpErrorHead,
  InboundPacket,
  Path,
  TransmitListener,
} from './host.ts';
import { Outbox } from './ip/outbox.ts';
import { Ipv6Paths } from './ipv6/paths.ts';
import { Groups } from './multicast/groups.ts';
import { SolicitedNodes } from './multicast/solicited-nodes.ts';
import type { NeighborHost } from './neighbor/neighbor-host.ts';
import { Topology } from './topology.ts';

/** Bytes of a secret, and of control packets that wait on an interface. */
const SECRET_BYTES = 16;
const CONTROL_BYTES = 1 << 18;

/** The stack's timers, which tell when one is armed for earlier than the driver was told. */
class WatchedTimers extends TimerQueue {
  /** The deadline that the driver knows; `-Infinity` while it is not asleep. */
  promised = Number.NEGATIVE_INFINITY;
  readonly #onEarlier: () => void;

  constructor(onEarlier: () => void) {
    super();
    this.#onEarlier = onEarlier;
  }

  override arm(handle: number, deadline: number): void {
    super.arm(handle, deadline);
    if (deadline < this.promised) this.#onEarlier();
  }
}

/** The one control packet: filled and sent before the next is asked for. */
class ControlScratch implements ControlPacket {
  bytes = new Uint8Array(2048);
  readonly at = 0;
  length = 0;
  options: Uint8Array = EMPTY;
  path: Path | null = null;
  protocol = 0;
  ttl = 0;
  trafficClass = 0;
  flowLabel = 0;
  hasOwnHeader = false;
}

export class HostCore implements Host, NeighborHost {
  readonly random: Random;
  readonly allocator: BufferAllocator;
  readonly counters = new StackCounters();
  readonly secret: Uint8Array;
  readonly identity: Uint8Array;
  readonly timers: WatchedTimers;
  readonly topology: Topology;
  readonly autoIp: AutoIp;
  readonly linkLocal6: Ipv6LinkLocal;
  /** Set once the protocols that it uses are there. */
  autoconf: AutoconfService | null = null;
  dhcp: { addressesChanged(): void } | null = null;
  readonly #lifetimes: AddressLifetimes;
  readonly #solicitedNodes: SolicitedNodes;
  readonly #paths6: Ipv6Paths;
  /** Who answers a packet that nobody takes; set once the network layer is there. */
  refusePort: (packet: InboundPacket) => void = () => {};
  /** Who tells the sender of a packet that its next hop is not there; likewise. */
  undeliverable: (interfaceIndex: number, bytes: Uint8Array, at: number, end: number) => void = () => {};
  /** Who has connections whose ways may be others now; likewise. */
  waysChanged: () => void = () => {};
  readonly groups: Groups;
  readonly icmpErrorHead: IcmpErrorHead = { source: IpAddress.anyV4, type: 0, code: 0 };
  readonly #clock: Clock;
  readonly #wake: (() => void) | null;
  readonly #observer: ((endpoint: Endpoint, events: number) => void) | null;
  readonly #configObserver: ((changes: number) => void) | null;
  readonly #events = new EventQueue();
  /** `ConfigChange` bits not told yet. */
  #changes = 0;
  readonly #control: (Outbox | undefined)[] = [];
  readonly #scratch = new ControlScratch();
  #now: number;
  #turnDepth = 0;
  #isWoken = false;
  #lastId = 0;

  /** Made once: a turn allocates nothing. */
  readonly #tell = (endpoint: Endpoint, events: number): void => this.#observer?.(endpoint, events);

  /** @throws {RangeError} when the secret is too short */
  constructor(options: StackOptions) {
    this.random = options.random;
    this.allocator = options.allocator ?? new PoolAllocator();
    this.secret = options.secret?.slice() ?? drawSecret(options.random);
    if (this.secret.length < SECRET_BYTES) throw new RangeError(`the secret needs ${SECRET_BYTES} bytes`);
    this.identity = options.identity?.slice() ?? this.secret;
    if (this.identity.length < SECRET_BYTES) throw new RangeError(`the identity needs ${SECRET_BYTES} bytes`);
    this.#clock = options.clock;
    this.#now = options.clock.now();
    this.#wake = options.wake ?? null;
    this.#observer = options.observer ?? null;
    this.#configObserver = options.configObserver ?? null;
    this.timers = new WatchedTimers(() => this.#wakeDriver());
    this.#lifetimes = new AddressLifetimes(this);
    this.topology = new Topology(options.random, this.secret, this, (changes) => {
      if ((changes & ConfigChange.addresses) !== 0) {
        this.#lifetimes.changed();
        this.autoIp.changed();
        this.#solicitedNodes.changed(this.topology.interfaces);
        this.autoconf?.addressesChanged();
        this.dhcp?.addressesChanged();
      }
      if ((changes & ~ConfigChange.names) !== 0) this.waysChanged();
      this.noteChange(changes);
    });
    this.groups = new Groups(this, this.topology);
    this.#solicitedNodes = new SolicitedNodes(this.groups);
    this.#paths6 = new Ipv6Paths(this.topology, options.random, this.secret);
    this.autoIp = new AutoIp(this, this.topology);
    this.linkLocal6 = new Ipv6LinkLocal(this.topology, this.identity);
  }

  /** In a turn the time at its start; for a call from above the time of the call. */
  get now(): number {
    if (this.#turnDepth === 0) this.#now = this.#clock.now();
    return this.#now;
  }

  get hasEvents(): boolean {
    return !this.#events.isEmpty || this.#changes !== 0;
  }

  /** The driver works: time stands still until {@link endTurn}, and it need not be woken. */
  beginTurn(): void {
    if (this.#turnDepth++ > 0) return;
    this.#now = this.#clock.now();
    this.#isWoken = false;
    this.timers.promised = Number.NEGATIVE_INFINITY;
  }

  endTurn(): void {
    this.#turnDepth--;
  }

  /** The driver was told that nothing happens before `deadline`: say so if that changes. */
  promise(deadline: number): void {
    if (this.#turnDepth === 0) this.timers.promised = deadline;
  }

  /** Tells the observer what happened. */
  flushEvents(): void {
    const changes = this.#changes;
    this.#changes = 0;
    if (changes !== 0) this.#configObserver?.(changes);
    this.#events.flush(this.#tell);
  }

  pathTo(source: IpAddress, destination: IpAddress): Path | null {
    if (destination.family === 6) return this.#paths6.pathTo(source, destination);
    return this.topology.pathTo(source, destination);
  }

  pathOver(interfaceIndex: number, source: IpAddress, destination: IpAddress): Path | null {
    if (interfaceIndex === 0) return this.pathTo(source, destination);
    const iface = this.topology.find(interfaceIndex);
    const from = source.isAny ? (iface?.sourceFor(destination) ?? null) : source;
    const path = from === null ? null : this.pathTo(from, destination);
    return path?.interfaceIndex === interfaceIndex ? path : null;
  }

  linkPath(interfaceIndex: number, source: IpAddress, destination: IpAddress): Path | null {
    if (destination.family === 6) return this.#paths6.linkPath(interfaceIndex, source, destination);
    return this.topology.linkPath(interfaceIndex, source, destination);
  }

  pathBack(packet: InboundPacket): Path | null {
    return packet.family === 6 ? this.#paths6.pathBack(packet) : this.topology.pathBack(packet);
  }

  recentPath(quoted: InboundPacket): Path | null {
    return quoted.family === 6 ? this.#paths6.recentPath(quoted) : this.topology.recentPath(quoted);
  }

  neighborFailed(interfaceIndex: number, address: IpAddress): void {
    const iface = this.topology.find(interfaceIndex);
    if (iface === null) return;
    this.topology.routes.neighborFailed(iface, address, this.now);
    this.autoconf?.neighborFailed(interfaceIndex);
  }

  neighborAnswered(interfaceIndex: number, address: IpAddress): void {
    const { gateways } = this.topology.routes;
    if (!gateways.hasSuspects) return;
    const iface = this.topology.find(interfaceIndex);
    if (iface !== null) gateways.answered(iface, address);
  }

  lowerPathMtu(path: Path, mtu: number): void {
    this.topology.pmtus.lower(path.destination, path.interfaceIndex, mtu, this.now);
  }

  isLocal(address: IpAddress): boolean {
    return this.topology.interfaceOf(address) !== null;
  }

  interfaceOf(address: IpAddress): number {
    return this.topology.interfaceOf(address)?.index ?? 0;
  }

  windowBudget(interfaceIndex: number): number {
    return this.topology.find(interfaceIndex)?.windowBudget ?? 0;
  }

  requestOutput(interfaceIndex: number, source: EgressSource): void {
    this.#queueOf(interfaceIndex).add(source);
    this.#fromAbove();
  }

  requestFirst(interfaceIndex: number, source: EgressSource): void {
    this.#queueOf(interfaceIndex).addFirst(source);
    this.#fromAbove();
  }

  afterTransmit(interfaceIndex: number, listener: TransmitListener): void {
    this.#queueOf(interfaceIndex).afterTransmit(listener);
  }

  reserveControl(
    path: Path,
    protocol: number,
    length: number,
    ttl: number,
    trafficClass: number,
  ): ControlPacket | null {
    if (!this.#controlOutbox(path.interfaceIndex).hasRoom(length)) {
      this.counters.drop(DropReason.outputQueueFull);
      return null;
    }
    const scratch = this.#scratch;
    if (scratch.bytes.length < length) scratch.bytes = new Uint8Array(2 ** (32 - Math.clz32(length - 1)));
    scratch.bytes.fill(0, 0, length);
    scratch.length = length;
    scratch.options = EMPTY;
    scratch.flowLabel = 0;
    scratch.path = path;
    scratch.protocol = protocol;
    scratch.ttl = ttl;
    scratch.trafficClass = trafficClass;
    scratch.hasOwnHeader = false;
    return scratch;
  }

  sendControl(_reserved: ControlPacket, cause: number, owner: object | null): void {
    const { path, bytes, length, options, protocol, ttl, trafficClass, hasOwnHeader, flowLabel } =
      this.#scratch;
    if (path === null) return;
    this.#scratch.path = null;
    const outbox = this.#controlOutbox(path.interfaceIndex);
    const packet = outbox.begin(path, protocol);
    packet.ttl = ttl;
    packet.options = options;
    packet.trafficClass = trafficClass;
    packet.flowLabel = flowLabel;
    packet.cause = cause;
    packet.owner = owner;
    packet.inlineLength = Math.min(length, CONTROL_INLINE);
    packet.hasOwnHeader = hasOwnHeader;
    if (outbox.append(packet, bytes, 0, length)) outbox.send(packet);
    else this.counters.drop(DropReason.outputQueueFull);
  }

  notify(endpoint: EventSource, events: number): void {
    // Without an observer nobody would ever take them out again.
    if (this.#observer === null) return;
    this.#events.add(endpoint, events);
    this.#fromAbove();
  }

  noteChange(changes: number): void {
    if (this.#configObserver === null) return;
    this.#changes |= changes;
    this.#fromAbove();
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Empties the queue of an interface that was removed or went down: its sources look for another way, or lose what they send. */
  abandon(egress: EgressQueue): void {
    const scratch = createTransmitBatch(64);
    for (let round = 0; round < ABANDON_ROUNDS && !egress.isEmpty; round++) {
      egress.fill(scratch);
      for (let i = 0; i < scratch.count; i++) this.counters.drop(DropReason.interfaceDown);
      clearTransmitBatch(scratch);
      egress.transmitted();
    }
    egress.transmitted();
    // Sources without an interface wait there: see `#queueOf`.
    this.topology.loopback.egress.transmitted();
  }

  /**
   * Who still has the path of an interface that was removed or is down takes its turn on the loopback interface: it finds the path stale, and
   * what it sends all the same is dropped there, not being for us.
   */
  #queueOf(interfaceIndex: number): EgressQueue {
    const iface = this.topology.find(interfaceIndex);
    return (iface?.isUp === true ? iface : this.topology.loopback).egress;
  }

  #controlOutbox(interfaceIndex: number): Outbox {
    const known = this.#control[interfaceIndex];
    if (known !== undefined) return known;
    const outbox = new Outbox(this, CONTROL_BYTES, null);
    this.#control[interfaceIndex] = outbox;
    return outbox;
  }

  /** Work came from a call from above: the driver may be asleep. */
  #fromAbove(): void {
    if (this.#turnDepth === 0) this.#wakeDriver();
  }

  #wakeDriver(): void {
    this.timers.promised = Number.NEGATIVE_INFINITY;
    if (this.#isWoken) return;
    this.#isWoken = true;
    this.#wake?.();
  }
}

/** Bytes of a control packet that are copied into the header slab: with an IP header they fit `TX_HEADER_ROOM`. */
const CONTROL_INLINE = 64;
/** Batches that a removed interface's queue is given to empty itself. */
const ABANDON_ROUNDS = 1024;

function drawSecret(random: Random): Uint8Array {
  const secret = new Uint8Array(SECRET_BYTES);
  for (let at = 0; at < SECRET_BYTES; at += 4) putI32(secret, at, random.next());
  return secret;
}
