/**
 * What UDP and raw endpoints have in common: both queues, their bounds, the peer, the error that ICMP reported.
 */

import { EMPTY, IpAddress, type IpFamily } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import {
  type BindOptions,
  type DatagramInfo,
  EndpointEvent,
  type EndpointKind,
  type GroupInterface,
  type MessageEndpoint,
  type MtuDiscovery,
  type SourceFilter,
  StackError,
} from '../api.ts';
import { type EventSource, type Host, type InboundPacket, LOOPBACK_INDEX, type Path } from '../host.ts';
import { Memberships } from '../multicast/memberships.ts';
import { Inbox } from './inbox.ts';
import { optionsToSend } from './ipv4-options.ts';
import { Outbox } from './outbox.ts';
import type { OutgoingPacket } from './outgoing-packet.ts';
import { sourceOf } from './packet.ts';
import { carriesDontFragment, largestPacket, NO_USER_MTU } from './packet-size.ts';

/** Bounds of both queues, as Windows has them for datagram sockets. */
const DEFAULT_BUFFER = 65536;
/** RFC 1112 §6.1. */
const DEFAULT_MULTICAST_TTL = 1;

export abstract class MessageQueues implements MessageEndpoint, EventSource {
  abstract readonly kind: EndpointKind;
  readonly id: number;
  context: unknown = null;
  localAddress: IpAddress;
  localPort = 0;
  remoteAddress: IpAddress;
  remotePort = 0;
  ttl = 0;
  trafficClass = 0;
  dontFragment = false;
  mtuDiscovery: MtuDiscovery = 'system';
  userMtu = NO_USER_MTU;
  broadcast = false;
  receivesBroadcast = true;
  source: IpAddress | null = null;
  ipOptions: Uint8Array = EMPTY;
  reportsPortUnreachable = true;
  reportsTtlExpired = true;
  multicastTtl = DEFAULT_MULTICAST_TTL;
  multicastLoop = true;
  interfaces: ReadonlySet<number> | null = null;
  /** The host's: events not told yet. */
  pendingEvents = 0;
  protected readonly host: Host;
  protected readonly inbox: Inbox;
  protected readonly outbox: Outbox;
  protected readonly memberships: Memberships;
  /** The any-address of its family. */
  protected readonly anyAddress: IpAddress;
  protected isClosed = false;
  #multicastInterface = 0;
  #unicastInterface = 0;
  #pendingError = 0;
  /** The path of the last message: the next one mostly goes the same way. */
  #path: Path | null = null;
  /** That of the copies of what it sends to groups. */
  #copyPath: Path | null = null;

  constructor(host: Host, family: IpFamily) {
    this.host = host;
    this.anyAddress = family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    this.localAddress = this.anyAddress;
    this.remoteAddress = this.anyAddress;
    this.id = host.nextId();
    this.inbox = new Inbox(host.allocator, DEFAULT_BUFFER, family);
    this.outbox = new Outbox(host, DEFAULT_BUFFER, () => {
      if (!this.isClosed) host.notify(this, EndpointEvent.writable);
    });
    this.memberships = new Memberships(host, this);
  }

  /** Takes and reaches IPv4 too, though it is of IPv6. */
  get isDual(): boolean {
    return false;
  }

  abstract bind(address: IpAddress, port: number, options?: BindOptions): number;
  abstract connect(address: IpAddress, port: number): number;
  abstract send(
    from: Uint8Array,
    at: number,
    length: number,
    address: IpAddress | null,
    port: number,
  ): number;
  abstract close(): void;

  get multicastInterface(): number {
    return this.#multicastInterface;
  }

  set multicastInterface(index: number) {
    this.#multicastInterface = index;
    this.forgetPath();
  }

  get unicastInterface(): number {
    return this.#unicastInterface;
  }

  set unicastInterface(index: number) {
    this.#unicastInterface = index;
    this.forgetPath();
  }

  get dropsOldest(): boolean {
    return this.inbox.dropsOldest;
  }

  set dropsOldest(isOn: boolean) {
    this.inbox.dropsOldest = isOn;
  }

  get stampsArrivals(): boolean {
    return this.inbox.isStamped;
  }

  set stampsArrivals(isOn: boolean) {
    this.inbox.isStamped = isOn;
  }

  joinGroup(group: IpAddress, on: GroupInterface = {}, source: IpAddress | null = null): number {
    return this.isClosed ? StackError.invalid : this.memberships.join(group, on, source);
  }

  leaveGroup(group: IpAddress, on: GroupInterface = {}, source: IpAddress | null = null): number {
    return this.memberships.leave(group, on, source);
  }

  blockSource(group: IpAddress, source: IpAddress, on: GroupInterface = {}): number {
    return this.memberships.block(group, source, on);
  }

  unblockSource(group: IpAddress, source: IpAddress, on: GroupInterface = {}): number {
    return this.memberships.unblock(group, source, on);
  }

  setSourceFilter(group: IpAddress, filter: SourceFilter, on: GroupInterface = {}): number {
    return this.isClosed ? StackError.invalid : this.memberships.setFilter(group, filter, on);
  }

  getSourceFilter(group: IpAddress, on: GroupInterface = {}): SourceFilter {
    return this.memberships.filterOf(group, on);
  }

  setIpOptions(options: Uint8Array): number {
    const checked = this.localAddress.family === 4 ? optionsToSend(options) : null;
    if (checked === null) return StackError.invalid;
    this.ipOptions = checked;
    return 0;
  }

  get nextLength(): number {
    return this.inbox.nextLength;
  }

  get queuedBytes(): number {
    return this.inbox.bytes;
  }

  get pendingError(): number {
    return this.#pendingError;
  }

  get pathMtu(): number {
    if (this.isClosed || this.remoteAddress.isAny) return 0;
    return this.host.pathTo(this.localAddress, this.remoteAddress)?.discoveredMtu ?? 0;
  }

  get receiveBufferSize(): number {
    return this.inbox.limit;
  }

  set receiveBufferSize(bytes: number) {
    this.inbox.limit = bytes;
  }

  get sendBufferSize(): number {
    return this.outbox.limit;
  }

  set sendBufferSize(bytes: number) {
    this.outbox.limit = bytes;
  }

  receive(into: Uint8Array, at: number, length: number, info: DatagramInfo, peek = false): number {
    if (this.isClosed) return StackError.invalid;
    if (this.#pendingError !== 0) {
      const error = this.#pendingError;
      if (!peek) this.#pendingError = 0;
      return error;
    }
    const copied = this.inbox.take(into, at, length, info, peek);
    return copied < 0 ? StackError.wouldBlock : copied;
  }

  /** Queues what arrived: `length` bytes of `bytes`; see `Inbox.add`. @returns `none` or `full` */
  protected take(
    packet: InboundPacket,
    sourcePort: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    segmentSize: number,
    full: DropReason,
  ): DropReason {
    packet.owner = this;
    const { interfaces, inbox } = this;
    if (interfaces !== null && !interfaces.has(packet.interfaceIndex)) return DropReason.interfaceNotListed;
    if (inbox.isStamped) inbox.now = this.host.now;
    for (let lost = inbox.makeRoom(length); lost > 0; lost--) this.host.counters.drop(full);
    if (!inbox.add(packet, sourcePort, bytes, at, length, segmentSize)) return full;
    this.host.notify(this, EndpointEvent.readable);
    return DropReason.none;
  }

  /** Notes what ICMP said about a packet of this endpoint: the next `receive` answers it (SEM-IO-12, SEM-IO-13). */
  report(error: number): void {
    let told = 0;
    if (error === StackError.connectionRefused && this.reportsPortUnreachable)
      told = StackError.connectionReset;
    if (error === StackError.networkReset && this.reportsTtlExpired) told = StackError.networkReset;
    if (told === 0) return;
    this.#pendingError = told;
    this.host.notify(this, EndpointEvent.readable);
  }

  /**
   * The path to where a message goes: `address`, else the peer.
   * @returns it, or the error that the send ends with
   */
  protected pathFor(address: IpAddress | null): Path | number {
    if (this.isClosed) return StackError.invalid;
    const destination = address ?? this.remoteAddress;
    if (destination.isAny) return address === null ? StackError.notConnected : StackError.addressNotAvailable;
    if (destination.family !== this.localAddress.family) return StackError.addressNotAvailable;
    if (destination.isV4Mapped) return this.#pathToV4(destination.unmapped());
    const { source } = this;
    let path = this.#path;
    if (source !== null) {
      if (!this.host.isLocal(source)) return StackError.addressNotAvailable;
      path = this.#findPath(source, destination);
    } else if (path?.isValid !== true || !path.destination.equals(destination)) {
      path = this.#findPath(this.localAddress, destination);
      this.#path = path;
    }
    if (path === null) return StackError.networkUnreachable;
    return path.isBroadcast && !this.broadcast ? StackError.broadcastDenied : path;
  }

  /** A v4-mapped destination: IPv4's path, for an endpoint of both families. */
  #pathToV4(destination: IpAddress): Path | number {
    if (!this.isDual) return StackError.networkUnreachable;
    const { source } = this;
    let path = this.#path;
    if (source !== null) {
      if (!this.host.isLocal(source)) return StackError.addressNotAvailable;
      path = this.#findPath(source, destination);
    } else if (path?.isValid !== true || !path.destination.equals(destination)) {
      const local = this.localAddress.unmapped();
      path = this.#findPath(local.isAny ? IpAddress.anyV4 : local, destination);
      this.#path = path;
    }
    if (path === null) return StackError.networkUnreachable;
    return path.isBroadcast && !this.broadcast ? StackError.broadcastDenied : path;
  }

  #findPath(source: IpAddress, destination: IpAddress): Path | null {
    const { host } = this;
    if (!destination.isMulticast) return host.pathOver(this.#unicastInterface, source, destination);
    const index = this.#multicastInterface;
    return index === 0 ? host.pathTo(source, destination) : host.groups.pathTo(index, source, destination);
  }

  /** Whether a message by `path` leaves the host: one to a group with a TTL of 0 does not. */
  protected leavesHost(path: Path): boolean {
    return this.multicastTtl > 0 || !path.isGroup || path.isBroadcast;
  }

  /** The way of the copy for this host's own members of the group that `path` leads to; `null` when there is none to send. */
  protected copyPath(path: Path): Path | null {
    if (!path.isGroup) return null;
    if (!path.isBroadcast && !this.host.groups.isJoined(path.interfaceIndex, path.destination)) return null;
    const known = this.#copyPath;
    const { source, destination } = path;
    const isSame = known?.isValid === true && known.destination.equals(destination);
    // Of a broadcast, too: the sender is a station of its subnet.
    if (!isSame || !known.source.equals(source)) {
      this.#copyPath = this.host.linkPath(LOOPBACK_INDEX, source, destination);
    }
    return this.#copyPath;
  }

  /** Whether a datagram to a multicast group is wanted here: joined on its interface, its source not filtered out. */
  takesGroup(packet: InboundPacket): boolean {
    return this.memberships.admits(packet) && (this.multicastLoop || !this.host.isLocal(sourceOf(packet)));
  }

  /** Why a message of `length` bytes behind the IP header can't go by `path`, 0 when it can. */
  protected sizeError(path: Path, length: number): number {
    if (!carriesDontFragment(this)) return 0;
    return path.ipHeaderLength + this.ipOptions.length + length > largestPacket(this, path)
      ? StackError.messageTooLong
      : 0;
  }

  /** Starts a packet with what this endpoint's options say; see `Outbox.begin`. */
  protected begin(path: Path, protocol: number, cause: number): OutgoingPacket {
    const packet = this.outbox.begin(path, protocol);
    packet.ttl = path.isGroup && !path.isBroadcast ? this.multicastTtl : this.ttl;
    packet.options = this.ipOptions;
    packet.trafficClass = this.trafficClass;
    packet.dontFragment = carriesDontFragment(this);
    packet.isProbe = this.mtuDiscovery === 'probe';
    packet.userMtu = this.userMtu;
    packet.cause = cause;
    packet.owner = this;
    return packet;
  }

  /** Forgets the path after the local address changed. */
  protected forgetPath(): void {
    this.#path = null;
    this.#copyPath = null;
  }

  /** Why `address` may not be bound, 0 when it may: it is the any-address or one of ours. */
  protected bindError(address: IpAddress, isForeign = false): number {
    if (address.isLimitedBroadcast && !this.broadcast) return StackError.broadcastDenied;
    if (address.family !== this.localAddress.family) return StackError.addressNotAvailable;
    if (address.isV4Mapped && !this.isDual) return StackError.addressNotAvailable;
    const local = address.unmapped();
    const isOurs = local.isAny || isForeign || this.host.isLocal(local);
    return isOurs ? 0 : StackError.addressNotAvailable;
  }
}
