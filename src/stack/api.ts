/**
 * The stack's public face: what an embedder holds; `createStack` makes it. The parts are in `api/`, by subject, and are exported from here.
 *
 * Contract in short. *In*: frames (`input`), time (`advance`), calls on endpoints. *Out*: frames (`output`), the next
 * deadline, and events of endpoints (`flushEvents`). The stack does no I/O, reads no clock but the one handed in, arms no
 * timer of the machine and never calls out from inside `input`. A driver's turn is:
 *
 *     stack.input(iface, batch);  stack.advance();
 *     stack.flushEvents();        // the observer calls endpoints: what it sends carries the ACKs that are due
 *     while (stack.output(iface, tx) > 0) { link.transmit(tx); clearTransmitBatch(tx); }
 *     // sleep until stack.nextDeadline or the next frame; `wake` says that a call from above made work
 *
 * Calls on endpoints answer a number: 0 or more is the result, below 0 a `StackError`. They never throw for traffic or for
 * the state of a connection, only for a caller's bug.
 */

import type {
  BufferAllocator,
  Clock,
  FrameBatch,
  IpAddress,
  IpFamily,
  Random,
  TransmitBatch,
} from '../base/index.ts';
import type { Endpoint, PortReservation } from './api/endpoint.ts';
import type {
  AddressOptions,
  AddressPolicyRow,
  AutoconfOptions,
  GroupView,
  InterfaceOptions,
  InterfaceSettings,
  InterfaceView,
  Ipv6Options,
  NameConfiguration,
  NeighborView,
} from './api/interfaces.ts';
import type { IcmpEndpoint, RawEndpoint, UdpEndpoint } from './api/messages.ts';
import type {
  NatMappingView,
  NatOptions,
  NatPortMap,
  NatView,
  PolicyRule,
  RouteOptions,
  RouteView,
} from './api/routing.ts';
import type { TcpEndpoint, TcpGlobals, TcpObserver, TcpOptions } from './api/tcp.ts';
import type { StackCounters } from './counters.ts';
import type { DhcpMemory, DhcpOptions, DhcpStatus } from './dhcp/status.ts';

export * from './api/endpoint.ts';
export * from './api/interfaces.ts';
export * from './api/messages.ts';
export * from './api/routing.ts';
export * from './api/tcp.ts';

export interface StackOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Secret of at least 16 bytes for initial sequence numbers and ports; drawn from `random` when absent. */
  readonly secret?: Uint8Array;
  /**
   * At least 16 bytes that stay with the host from one start to the next: what its opaque addresses (RFC 7217) and, without
   * hardware addresses, its DUID are made of. Default the secret.
   */
  readonly identity?: Uint8Array;
  readonly allocator?: BufferAllocator;
  /** A call from above left output, or a deadline earlier than the last `nextDeadline`. Called at most once a turn. */
  readonly wake?: () => void;
  /** Called by `flushEvents` for each endpoint to which something happened. */
  readonly observer?: (endpoint: Endpoint, events: number) => void;
  /** Called by `flushEvents` when the configuration has changed, with `ConfigChange` bits. */
  readonly configObserver?: (changes: number) => void;
  /** Told of what happens inside of TCP connections, as by {@link Stack.observeTcp}. */
  readonly tcpObserver?: TcpObserver;
  readonly tcp?: TcpOptions;
  /**
   * What client editions of Windows forbid raw sockets (RAW-09): TCP, and UDP from an address that is not ours. Default true;
   * false is as server editions have it.
   */
  readonly rawRestrictions?: boolean;
}

export interface Stack {
  readonly now: number;
  readonly counters: StackCounters;
  /** When `advance` or `flushEvents` next has something to do; `Infinity` when never. */
  readonly nextDeadline: number;

  /** @throws RangeError when an option can't be, or an address can't be a host's */
  addInterface(options: InterfaceOptions): number;
  removeInterface(index: number): void;
  readonly interfaces: readonly InterfaceView[];
  /** @throws RangeError when `prefix` can't be read or its address be a host's, or there is no such interface */
  addAddress(index: number, prefix: string, options?: AddressOptions): void;
  removeAddress(index: number, address: IpAddress): void;
  /** @throws RangeError when the route can't be read, its gateway be a host's, there is no such interface, or no room */
  addRoute(route: RouteOptions): void;
  removeRoute(route: RouteOptions): boolean;
  readonly routes: readonly RouteView[];
  /** Switches what is named. @throws RangeError when there is no such interface or a value is none */
  setInterface(index: number, settings: InterfaceSettings): void;
  /** In the order in which they are tried. @throws RangeError when one can't be read */
  setPolicies(rules: readonly PolicyRule[]): void;
  readonly policies: readonly PolicyRule[];
  /**
   * Replaces the policy table of address selection (RFC 6724 §2.1); `null`: by the default one. Addresses that no row is about have
   * the lowest precedence.
   * @throws RangeError when a row can't be read, two have the same prefix, or there are more than 256; nothing changes then
   */
  setAddressPolicy(rows: readonly AddressPolicyRow[] | null): void;
  readonly addressPolicy: readonly AddressPolicyRow[];
  /** A peer's addresses in the order in which to try them (RFC 6724 §6): the same objects, equals as they came. */
  sortDestinations(addresses: readonly IpAddress[]): IpAddress[];
  /**
   * Gives the interface the link-local address that IPv6 begins with (RFC 4862 §5.3). One that is a duplicate is replaced.
   * @throws RangeError when there is no such interface, or its MTU is below 1280
   */
  enableIpv6(index: number, options?: Ipv6Options): void;
  /** Takes it away again. */
  disableIpv6(index: number): void;
  /**
   * Gives the interface its link-local address and does what routers say: addresses, routes, name servers, and DHCPv6 where they
   * want it.
   * @throws RangeError when there is no such interface, it is the loopback one, or its MTU is below 1280
   */
  startAutoconf(index: number, options?: AutoconfOptions): void;
  /** Ends that, and takes back all that it gave. */
  stopAutoconf(index: number): void;
  /** Gives the interface a link-local IPv4 address (RFC 3927) while it has no other. @throws RangeError without such an interface */
  enableAutoIp(index: number): void;
  /** Takes it away again. */
  disableAutoIp(index: number): void;
  /** Translates what is passed on by an interface from now on; `null`: nothing. What was mapped before is forgotten. @throws RangeError */
  setNat(options: NatOptions | null): void;
  /** `null`: nothing is translated. */
  readonly nat: NatView | null;
  /**
   * Adds a port map to a translator that is there; mappings of the same ports that came about by traffic give way.
   * @throws RangeError when nothing is translated, the map can't be read, or a side of it is mapped already
   */
  addNatPortMap(map: NatPortMap): void;
  /** Ends a port map, with what uses it. @returns whether there was one */
  removeNatPortMap(protocol: NatPortMap['protocol'], outsidePort: number): boolean;
  readonly natMappings: readonly NatMappingView[];
  /** Replaces what this origin said before; with neither servers nor a search list it says nothing any more. */
  setNames(index: number, names: NameConfiguration): void;
  /** The groups that interfaces listen to. */
  readonly groups: readonly GroupView[];
  /** The neighbours of an interface that were asked for or set; none on a link without hardware addresses. */
  neighbors(index: number): readonly NeighborView[];
  /**
   * Starts a DHCP client on an interface, in the place of one that runs. It is part of the host, and no endpoint.
   * @throws RangeError when an option can't be, there is no such interface, or it is the loopback one
   */
  startDhcp(index: number, options?: DhcpOptions): void;
  /**
   * Ends the clients of an interface and takes away what they configured. With `release` servers are told first; the address goes
   * when that has left, some milliseconds later.
   */
  stopDhcp(index: number, options?: { readonly release?: boolean }): void;
  /**
   * Tells what a client of this interface was granted before the host was started: the next client of that family asks for it (RFC
   * 2131 §3.2, RFC 8415 §18.2.3). It is read as carefully as if it came from the network: what makes no sense, or is for another
   * client, is ignored.
   * @throws RangeError when the time is no number, there is no such interface, or it is the loopback one
   */
  recallDhcp(index: number, family: IpFamily, memory: DhcpMemory): void;
  /** Asks for more time now, or anew where there is nothing. @returns whether the interface has a client (of the family) */
  renewDhcp(index: number, family?: IpFamily): boolean;
  /** Gives addresses back until `renewDhcp`. @returns whether the interface has a client that is not at rest already */
  releaseDhcp(index: number, family?: IpFamily): boolean;
  dhcpStatus(index: number): DhcpStatus;
  /**
   * Sets by hand where packets to `address` go: nothing that is heard of changes it.
   * @throws RangeError when `mac` is not one station's or a group's, no host can have `address`, or there is no such Ethernet interface
   */
  addNeighbor(index: number, address: IpAddress, mac: Uint8Array): void;
  /** Forgets a neighbour, however it is known: the next packet asks anew. @returns whether it was known. @throws as `addNeighbor` */
  removeNeighbor(index: number, address: IpAddress): boolean;

  /** Takes the frames of a batch and writes each one's verdict into it. */
  input(index: number, batch: FrameBatch): void;
  /** Fills `batch` with frames to send on an interface. @returns how many. */
  output(index: number, batch: TransmitBatch): number;
  /** Runs the timers that are due. */
  advance(): void;
  /** Tells the observer what happened since the last call. */
  flushEvents(): void;

  /** One packet (or frame), for drivers that count bytes rather than batches. @returns 0 or the `DropReason`. */
  inputPacket(index: number, bytes: Uint8Array): number;
  /** The next packet (or frame) to send, as bytes of its own, never a super-segment; `null` when there is none. */
  takePacket(index: number): Uint8Array | null;

  /**
   * Keeps `count` ports in a row from `first` on, or with 0 wherever there are so many.
   * @returns `addressInUse` when one of them is taken, `noBuffers` when there are not so many, `invalid` for a range that is none
   */
  reservePorts(protocol: 'tcp' | 'udp', first: number, count: number): PortReservation | number;
  openTcp(family?: IpFamily): TcpEndpoint;
  openUdp(family?: IpFamily): UdpEndpoint;
  openIcmp(family?: IpFamily): IcmpEndpoint;
  openRaw(protocol: number, family?: IpFamily): RawEndpoint;
  /** What of {@link StackOptions.tcp} can be changed now. */
  readonly tcpGlobals: TcpGlobals;
  /**
   * Changes it, for what is opened or accepted from now on; connections keep what they have agreed on with their peers.
   * @throws RangeError for a value that can't be; nothing changes then
   */
  setTcpGlobals(change: Partial<TcpGlobals>): void;
  /** Tells `observer` from now on, in place of another, what happens inside of TCP connections; `null`: nobody, at no cost. */
  observeTcp(observer: TcpObserver | null): void;
  /** Every endpoint there is, for `netstat`: listeners, connections (TIME-WAIT included), datagram sockets. */
  endpoints(): Iterable<Endpoint>;
  /** Whether `address` is one of ours, and on which interface (0: none). */
  interfaceOf(address: IpAddress): number;
  /** The source address and interface for packets to `destination`, or `null` without a route. */
  routeTo(
    destination: IpAddress,
  ): { readonly source: IpAddress; readonly interfaceIndex: number; readonly mtu: number } | null;
}
