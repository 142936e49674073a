/**
 * `createStack`: puts the rooms of a host together and lets a driver run it. What each does is in their files; here are the
 * turns.
 */

import {
  FRAME_COLUMNS,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_LENGTH,
  FRAME_OFFSET,
  FRAME_VERDICT,
  type FrameBatch,
  IpAddress,
  type IpFamily,
  type TransmitBatch,
  transmitLength,
  u8,
} from '../base/index.ts';
import { DropReason, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/index.ts';
import type {
  AddressOptions,
  AddressPolicyRow,
  AddressView,
  AutoconfOptions,
  Endpoint,
  GroupView,
  IcmpEndpoint,
  InterfaceOptions,
  InterfaceSettings,
  InterfaceView,
  Ipv6Options,
  NameConfiguration,
  NatMappingView,
  NatOptions,
  NatPortMap,
  NatView,
  NeighborView,
  PolicyRule,
  PortReservation,
  RawEndpoint,
  RouteOptions,
  RouteView,
  Stack,
  StackOptions,
  TcpEndpoint,
  TcpGlobals,
  TcpObserver,
  UdpEndpoint,
} from './api.ts';
import { AutoconfService } from './autoconf/service.ts';
import type { StackCounters } from './counters.ts';
import { DhcpService } from './dhcp/service.ts';
import type { DhcpMemory, DhcpOptions, DhcpStatus } from './dhcp/status.ts';
import type { Transport } from './host.ts';
import { requireGateway, requireInterfaceAddress } from './host-address.ts';
import { HostCore } from './host-core.ts';
import { EchoTable } from './icmp/echo-table.ts';
import type { NetworkInterface } from './interface.ts';
import { Icmp } from './ip/icmp.ts';
import { IpInput } from './ip/input.ts';
import { orderDestinations } from './ipv6/destination-order.ts';
import { Icmp6 } from './ipv6/icmp.ts';
import { Redirects6 } from './ipv6/redirects.ts';
import { Loopback } from './loopback.ts';
import { Igmp } from './multicast/igmp.ts';
import { Mld } from './multicast/mld.ts';
import { holdUnresolved } from './neighbor/hold.ts';
import { NdpInput } from './neighbor/ndp-input.ts';
import type { NeighborTable } from './neighbor/table.ts';
import { neighborViews, setNeighbor } from './neighbor/views.ts';
import { RawTransport } from './raw/transport.ts';
import { Redirects } from './route/redirects.ts';
import { SinglePackets } from './single-packets.ts';
import { TcpTransport } from './tcp/transport.ts';
import { UdpTransport } from './udp/transport.ts';

/** Rounds of `flushEvents` while the observer keeps talking to itself over the loopback interface. */
const FLUSH_ROUNDS = 16;

/**
 * Makes a host: no interface yet but the loopback one, no I/O, no timer of the machine.
 *
 * @throws {RangeError} when an option is out of range
 * @example docs/embedding.md, examples/embed.ts
 */
export function createStack(options: StackOptions): Stack {
  return new SansIoStack(options);
}

class SansIoStack implements Stack {
  readonly #host: HostCore;
  readonly #tcp: TcpTransport;
  readonly #udp: UdpTransport;
  readonly #raw: RawTransport;
  readonly #echoes: EchoTable;
  readonly #dhcp: DhcpService;
  readonly #autoconf: AutoconfService;
  readonly #echoes6: EchoTable;
  readonly #input: IpInput;
  readonly #loopback: Loopback;
  readonly #singles = new SinglePackets();

  constructor(options: StackOptions) {
    const host = new HostCore(options);
    this.#host = host;
    this.#tcp = new TcpTransport(host, options.tcp);
    this.observeTcp(options.tcpObserver ?? null);
    this.#udp = new UdpTransport(host);
    this.#raw = new RawTransport(host, options.rawRestrictions ?? true);
    this.#echoes = new EchoTable(host, 4);
    this.#echoes6 = new EchoTable(host, 6);
    const transports = new Map<number, Transport>([
      [IPPROTO_TCP, this.#tcp],
      [IPPROTO_UDP, this.#udp],
      [IPPROTO_IGMP, new Igmp(host)],
    ]);
    const icmp = new Icmp(host, this.#echoes, this.#raw, transports);
    icmp.redirects = new Redirects(host, host.topology);
    this.#dhcp = new DhcpService({
      host,
      topology: host.topology,
      conflicts: host.topology.duplicates,
      linkLocal: host.autoIp,
    });
    this.#autoconf = new AutoconfService({
      host,
      topology: host.topology,
      linkLocal: host.linkLocal6,
      dhcp: this.#dhcp,
    });
    host.autoconf = this.#autoconf;
    host.dhcp = this.#dhcp;
    host.topology.duplicates.onDuplicate((index, address) => this.#dhcp.addressConflict(index, address));
    this.#udp.taker = this.#dhcp;
    const icmp6 = new Icmp6(host, this.#echoes6, this.#raw, transports);
    new Mld(host, icmp6);
    const redirects6 = new Redirects6(host.topology.routes, () => host.now);
    new NdpInput(host.topology, redirects6).serve(icmp6);
    host.refusePort = (packet) => (packet.family === 4 ? icmp : icmp6).refusePort(packet);
    host.undeliverable = (index, bytes, at, end) => {
      (u8(bytes, at) >> 4 === 6 ? icmp6 : icmp).undeliverable(index, bytes, at, end);
    };
    host.waysChanged = () => this.#tcp.waysChanged();
    this.#input = new IpInput(host, icmp, icmp6, this.#raw, transports);
    this.#loopback = new Loopback(host.topology.loopback, (iface, batch) => this.#take(iface, batch));
  }

  get now(): number {
    return this.#host.now;
  }

  get counters(): StackCounters {
    return this.#host.counters;
  }

  get nextDeadline(): number {
    const host = this.#host;
    const isBusy = this.#loopback.isPending || host.hasEvents;
    const deadline = isBusy ? host.now : host.timers.next;
    host.promise(deadline);
    return deadline;
  }

  get interfaces(): readonly InterfaceView[] {
    return this.#host.topology.interfaces;
  }

  get routes(): readonly RouteView[] {
    return this.#host.topology.routes.routes;
  }

  get policies(): readonly PolicyRule[] {
    return this.#host.topology.routes.policies;
  }

  setInterface(index: number, settings: InterfaceSettings): void {
    const wasUp = this.#host.topology.find(index)?.isUp !== false;
    const down = this.#host.topology.configure(index, settings);
    if (settings.isUp === true && !wasUp) this.#linkUp(index);
    if (down === null) return;
    this.#singles.forget(down);
    this.#host.abandon(down.egress);
  }

  /** The link may be another than before: what others on it know of us, and what we know of them, is said and asked anew. */
  #linkUp(index: number): void {
    for (const family of [4, 6] as const) this.#host.groups.reportAll(index, family);
    this.#dhcp.linkUp(index);
    this.#autoconf.linkUp(index);
  }

  setPolicies(rules: readonly PolicyRule[]): void {
    this.#host.topology.routes.setPolicies(rules);
  }

  setAddressPolicy(rows: readonly AddressPolicyRow[] | null): void {
    this.#host.topology.setAddressPolicy(rows);
  }

  get addressPolicy(): readonly AddressPolicyRow[] {
    return this.#host.topology.addressPolicy.rows;
  }

  sortDestinations(addresses: readonly IpAddress[]): IpAddress[] {
    const { topology } = this.#host;
    return orderDestinations(addresses, (to) => this.#sourceOf(to), topology.addressPolicy);
  }

  get groups(): readonly GroupView[] {
    return this.#host.groups.views();
  }

  setNat(options: NatOptions | null): void {
    const { forwarder } = this.#input;
    const isOwn = (protocol: number, port: number): boolean =>
      protocol === IPPROTO_TCP
        ? this.#tcp.hasPort(port)
        : protocol === IPPROTO_UDP && this.#udp.ports.isBound(port);
    forwarder.setNat(options, isOwn);
  }

  get nat(): NatView | null {
    const { nat } = this.#input.forwarder;
    return nat === null ? null : { interfaceIndex: nat.outside.index, filtering: nat.filtering };
  }

  addNatPortMap(map: NatPortMap): void {
    const { nat } = this.#input.forwarder;
    if (nat === null)
      throw new RangeError('addresses are not translated: there is nothing to add a port map to');
    nat.addPortMap(map);
  }

  removeNatPortMap(protocol: NatPortMap['protocol'], outsidePort: number): boolean {
    return this.#input.forwarder.nat?.removePortMap(protocol, outsidePort) ?? false;
  }

  get natMappings(): readonly NatMappingView[] {
    return this.#input.forwarder.nat?.views ?? [];
  }

  addInterface(options: InterfaceOptions): number {
    for (const prefix of options.addresses ?? []) requireInterfaceAddress(prefix);
    return this.#host.topology.addInterface(options).index;
  }

  removeInterface(index: number): void {
    const removed = this.#host.topology.removeInterface(index);
    this.#dhcp.removeInterface(index);
    this.#autoconf.removeInterface(index);
    this.#singles.forget(removed);
    this.#host.groups.forget(index);
    this.#host.abandon(removed.egress);
  }

  addAddress(index: number, prefix: string, options?: AddressOptions): void {
    if (index !== this.#host.topology.loopback.index) requireInterfaceAddress(prefix);
    this.#host.topology.addAddress(index, prefix, options);
  }

  enableIpv6(index: number, options?: Ipv6Options): void {
    this.#host.linkLocal6.enable(index, options);
  }

  disableIpv6(index: number): void {
    this.#host.linkLocal6.disable(index);
  }

  startAutoconf(index: number, options?: AutoconfOptions): void {
    this.#autoconf.start(index, options);
  }

  stopAutoconf(index: number): void {
    this.#autoconf.stop(index);
  }

  enableAutoIp(index: number): void {
    this.#host.autoIp.enableAutoIp(index);
  }

  disableAutoIp(index: number): void {
    this.#host.autoIp.disableAutoIp(index);
  }

  setNames(index: number, names: NameConfiguration): void {
    this.#host.topology.setNames(index, names);
  }

  removeAddress(index: number, address: IpAddress): void {
    this.#host.topology.removeAddress(index, address);
  }

  addRoute(route: RouteOptions): void {
    if (route.gateway !== undefined) requireGateway(route.gateway);
    this.#host.topology.addRoute(route);
  }

  removeRoute(route: RouteOptions): boolean {
    return this.#host.topology.routes.remove(route);
  }

  startDhcp(index: number, options?: DhcpOptions): void {
    this.#dhcp.start(index, options);
  }

  stopDhcp(index: number, options?: { readonly release?: boolean }): void {
    this.#dhcp.stop(index, options?.release === true);
  }

  recallDhcp(index: number, family: IpFamily, memory: DhcpMemory): void {
    this.#dhcp.recall(index, family, memory);
  }

  renewDhcp(index: number, family?: IpFamily): boolean {
    return this.#dhcp.renew(index, family);
  }

  releaseDhcp(index: number, family?: IpFamily): boolean {
    return this.#dhcp.release(index, family);
  }

  dhcpStatus(index: number): DhcpStatus {
    return this.#dhcp.status(index);
  }

  addNeighbor(index: number, address: IpAddress, mac: Uint8Array): void {
    setNeighbor(this.#host.topology.neighborsOf(index), address.inZone(index), mac);
  }

  removeNeighbor(index: number, address: IpAddress): boolean {
    return this.#host.topology.neighborsOf(index).remove(address.inZone(index));
  }

  neighbors(index: number): readonly NeighborView[] {
    return neighborViews(this.#host.topology.interface(index).neighbors, this.#host.now);
  }

  input(index: number, batch: FrameBatch): void {
    this.#host.beginTurn();
    const iface = this.#host.topology.find(index);
    if (iface?.isUp !== true) this.#refuse(batch);
    else this.#take(iface, batch);
    this.#host.endTurn();
  }

  output(index: number, batch: TransmitBatch): number {
    const iface = this.#host.topology.find(index);
    if (iface === null) return 0;
    this.#host.beginTurn();
    // An empty batch means that the one before it has been transmitted.
    if (batch.count === 0) iface.egress.transmitted();
    this.#loopback.run();
    const first = batch.count;
    iface.egress.fill(batch);
    if (iface.neighbors !== null) this.#resolve(iface, iface.neighbors, batch, first);
    // Nothing is left to be transmitted of what was filled in: all of it waits, copied, for neighbours.
    while (batch.count === 0 && iface.egress.hasListeners) {
      iface.egress.transmitted();
      iface.egress.fill(batch);
      if (iface.neighbors !== null) this.#resolve(iface, iface.neighbors, batch, first);
    }
    if (this.#raw.taps > 0) this.#raw.tapOutbound(iface, batch, first);
    for (let i = first; i < batch.count; i++) {
      iface.outPackets++;
      iface.outBytes += transmitLength(batch, i);
    }
    this.#host.endTurn();
    return batch.count - first;
  }

  advance(): void {
    this.#host.beginTurn();
    this.#host.timers.run(this.#host.now);
    this.#loopback.run();
    this.#host.endTurn();
  }

  flushEvents(): void {
    this.#host.beginTurn();
    try {
      for (let round = 0; round < FLUSH_ROUNDS; round++) {
        this.#loopback.run();
        if (!this.#host.hasEvents) break;
        this.#host.flushEvents();
      }
    } finally {
      // The observer is not ours: it may throw.
      this.#host.endTurn();
    }
  }

  inputPacket(index: number, bytes: Uint8Array): number {
    const iface = this.#host.topology.find(index);
    if (iface?.isUp !== true) {
      this.counters.drop(DropReason.interfaceDown);
      return DropReason.interfaceDown;
    }
    this.#host.beginTurn();
    const reason = this.#receive(iface, bytes, 0, bytes.length, 0, 0);
    this.#host.endTurn();
    return reason;
  }

  takePacket(index: number): Uint8Array | null {
    const iface = this.#host.topology.find(index);
    if (iface === null) return null;
    return this.#singles.take(iface, (batch) => this.output(index, batch));
  }

  reservePorts(protocol: 'tcp' | 'udp', first: number, count: number): PortReservation | number {
    return (protocol === 'tcp' ? this.#tcp : this.#udp).ports.reserve(first, count);
  }

  openTcp(family: IpFamily = 4): TcpEndpoint {
    return this.#tcp.open(family);
  }

  openUdp(family: IpFamily = 4): UdpEndpoint {
    return this.#udp.open(family);
  }

  openIcmp(family: IpFamily = 4): IcmpEndpoint {
    return (family === 4 ? this.#echoes : this.#echoes6).open();
  }

  openRaw(protocol: number, family: IpFamily = 4): RawEndpoint {
    if (!Number.isInteger(protocol) || protocol < 0 || protocol > 255) {
      throw new RangeError(`an IP protocol is 0 … 255, not ${protocol}`);
    }
    return this.#raw.open(protocol, family);
  }

  get tcpGlobals(): TcpGlobals {
    return this.#tcp.globals;
  }

  setTcpGlobals(change: Partial<TcpGlobals>): void {
    this.#tcp.setGlobals(change);
  }

  observeTcp(observer: TcpObserver | null): void {
    this.#tcp.observer = observer;
  }

  *endpoints(): IterableIterator<Endpoint> {
    yield* this.#tcp.endpoints();
    yield* this.#udp.endpoints();
    yield* this.#raw.endpoints();
    yield* this.#echoes.endpoints();
    yield* this.#echoes6.endpoints();
  }

  interfaceOf(address: IpAddress): number {
    return this.#host.interfaceOf(address);
  }

  routeTo(
    destination: IpAddress,
  ): { readonly source: IpAddress; readonly interfaceIndex: number; readonly mtu: number } | null {
    const any = destination.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    return this.#host.pathTo(any, destination);
  }

  /** The address from which a packet would go to `destination`. */
  #sourceOf(destination: IpAddress): Pick<AddressView, 'address' | 'prefixLength' | 'state'> | null {
    const address = this.routeTo(destination.unmapped())?.source;
    if (address === undefined) return null;
    // All of 127/8 is ours, but only one address of it is held.
    const held = this.#host.topology.interfaceOf(address)?.find(address);
    return held ?? { address, prefixLength: address.family === 4 ? 8 : 128, state: 'preferred' };
  }

  /** Takes all frames of a batch and writes their verdicts. */
  #take(iface: NetworkInterface, batch: FrameBatch): void {
    const { bytes, table, owners } = batch;
    const { packet } = this.#input;
    for (let i = 0; i < batch.count; i++) {
      const row = i * FRAME_COLUMNS;
      const at = table[row + FRAME_OFFSET] as number;
      const end = at + (table[row + FRAME_LENGTH] as number);
      const flags = table[row + FRAME_FLAGS] as number;
      const gsoSize = table[row + FRAME_GSO_SIZE] as number;
      table[row + FRAME_VERDICT] = this.#receive(iface, bytes, at, end, flags, gsoSize);
      owners[i] = packet.owner;
      packet.owner = null;
    }
  }

  #receive(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
  ): DropReason {
    iface.inPackets++;
    iface.inBytes += end - at;
    const reason = this.#input.receiveFrame(iface, bytes, at, end, flags, gsoSize);
    if (reason !== DropReason.none) this.#host.counters.drop(reason);
    return reason;
  }

  /** Frames for an interface that is gone or down. */
  #refuse(batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      batch.table[i * FRAME_COLUMNS + FRAME_VERDICT] = DropReason.interfaceDown;
      batch.owners[i] = null;
      this.counters.drop(DropReason.interfaceDown);
    }
  }

  /** Fills what `holdUnresolved` left empty, so that an answer of no frames means that nobody has any. */
  #resolve(iface: NetworkInterface, neighbors: NeighborTable, batch: TransmitBatch, first: number): void {
    let checked = first;
    for (;;) {
      const before = batch.count;
      holdUnresolved(neighbors, batch, checked);
      if (batch.count === before || iface.egress.isEmpty) return;
      checked = batch.count;
      iface.egress.fill(batch);
      if (batch.count === checked) return;
    }
  }
}
