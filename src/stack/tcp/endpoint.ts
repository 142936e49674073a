/**
 * The user's handle of a TCP socket: unused, bound, listening or connected. Thin: a connection is a `Tcb`, a listening port a
 * `Listener`, and the calls are functions over them.
 */

import { IpAddress, type IpFamily } from '../../base/index.ts';
import {
  type BindOptions,
  type ConnectionRequest,
  EndpointEvent,
  type IcmpErrorReport,
  type MtuDiscovery,
  StackError,
  type TcpEndpoint,
} from '../api.ts';
import type { EventSource, Host, PortBinding } from '../host.ts';
import { isFinTaken } from './buffers/reassembly.ts';
import { LEAST_BACKLOG } from './buffers/send-tuning.ts';
import { close, shutdownRead, shutdownWrite } from './close.ts';
import { initialSettings, type TcpConfig, type TcpSettings } from './config.ts';
import {
  type CongestionControlChoice,
  checkChoice,
  createControl,
  replaceControl,
} from './congestion/registry.ts';
import type { EcnMode } from './ecn/state.ts';
import { abort } from './lifecycle.ts';
import type { Listener } from './listen/listener.ts';
import { collectStatistics } from './observe/collect-statistics.ts';
import { noteBuffers } from './observe/counting.ts';
import type { TcpInfo } from './observe/info.ts';
import { emptyInfo, fillInfo } from './observe/introspection.ts';
import type { TcpStatistics } from './observe/statistics.ts';
import { updateSmss } from './path/mss.ts';
import { look, receive } from './receive.ts';
import { isFastOpening, send, sendUrgent } from './send.ts';
import { isReceiving, isSending, type TcpState } from './state.ts';
import { type Tcb, TcpTimer } from './tcb.ts';
import { passUrgent, readableBytes, readUrgent, urgentCount, urgentMark } from './urgent.ts';

/** What an endpoint asks of its transport. */
export interface TcpRegistry {
  readonly config: TcpConfig;
  /** Claims a port. @returns the claim or a `StackError` */
  claim(address: IpAddress, port: number, options: BindOptions, isDual: boolean): PortBinding | number;
  /** Claims a port for a connection of an endpoint that is not bound. */
  claimFor(local: IpAddress, remote: IpAddress, remotePort: number): PortBinding | number;
  unclaim(binding: PortBinding): void;
  listen(socket: TcpSocket, binding: PortBinding, backlog: number): Listener;
  unlisten(listener: Listener): void;
  /** Starts a connection, whose control block it gives to the socket. @returns 0 or a `StackError` */
  connect(socket: TcpSocket, binding: PortBinding, local: IpAddress, remote: IpAddress, port: number): number;
  /** The user has let go of the socket. */
  closed(socket: TcpSocket): void;
}

export class TcpSocket implements TcpEndpoint, EventSource {
  readonly kind = 'tcp';
  readonly id: number;
  context: unknown = null;
  pendingEvents = 0;
  readonly settings: TcpSettings;
  v6Only = true;
  /** The connection, from connect or accept on; stays when it has ended, for what there is still to read. */
  tcb: Tcb | null = null;
  listener: Listener | null = null;
  readonly #host: Host;
  readonly #registry: TcpRegistry;
  readonly #anyAddress: IpAddress;
  #binding: PortBinding | null = null;
  #isClosed = false;

  constructor(host: Host, registry: TcpRegistry, family: IpFamily, settings?: TcpSettings) {
    this.#host = host;
    this.#registry = registry;
    this.#anyAddress = family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    this.id = host.nextId();
    this.settings = settings ?? initialSettings(registry.config);
  }

  get state(): TcpState {
    if (this.listener !== null) return 'LISTEN';
    return this.tcb === null ? 'CLOSED' : this.tcb.state;
  }

  get error(): number {
    return this.tcb === null ? 0 : this.tcb.error;
  }

  get softError(): number {
    return this.tcb === null ? 0 : this.tcb.softError;
  }

  get localAddress(): IpAddress {
    return this.#shown(this.tcb?.localAddress ?? this.#binding?.address ?? this.#anyAddress);
  }

  get localPort(): number {
    return this.tcb?.localPort ?? this.#binding?.port ?? 0;
  }

  get remoteAddress(): IpAddress {
    return this.#shown(this.tcb?.remoteAddress ?? this.#anyAddress);
  }

  get remotePort(): number {
    return this.tcb?.remotePort ?? 0;
  }

  bind(address: IpAddress, port: number, options: BindOptions = {}): number {
    if (this.#isClosed || this.#binding !== null || this.tcb !== null) return StackError.invalid;
    if (address.family !== this.#anyAddress.family) return StackError.notSupported;
    if (address.isV4Mapped && this.v6Only) return StackError.addressNotAvailable;
    const local = address.unmapped();
    const isOurs = local.isAny || options.isForeign === true || this.#host.isLocal(local);
    if (!isOurs) return StackError.addressNotAvailable;
    const binding = this.#registry.claim(local, port, options, this.isDual);
    if (typeof binding === 'number') return binding;
    this.#binding = binding;
    return 0;
  }

  listen(backlog: number): number {
    if (this.#isClosed || this.#binding === null) return StackError.invalid;
    if (this.listener !== null) return 0;
    if (this.tcb !== null && this.tcb.error === 0) return StackError.alreadyConnected;
    this.tcb = null;
    const binding = this.#widen(this.#binding);
    this.#binding = typeof binding === 'number' ? null : binding;
    if (typeof binding === 'number') return binding;
    this.listener = this.#registry.listen(this, binding, backlog);
    return 0;
  }

  accept(): TcpSocket | null {
    const child = this.listener?.take() ?? null;
    if (child === null) return null;
    const socket = child.endpoint as TcpSocket;
    // What happened while nobody could be told.
    let events: number = isSending(child.state) || isFastOpening(child) ? EndpointEvent.writable : 0;
    if (child.rx.used > 0) events |= EndpointEvent.readable;
    if (child.urgentIn !== null) events |= EndpointEvent.urgent;
    if (isFinTaken(child)) events |= EndpointEvent.readable | EndpointEvent.peerClosed;
    if (events !== 0) this.#host.notify(socket, events);
    return socket;
  }

  get acceptableCount(): number {
    return this.listener === null ? 0 : this.listener.acceptableCount;
  }

  connect(address: IpAddress, port: number): number {
    if (this.#isClosed || this.listener !== null) return StackError.invalid;
    const { tcb } = this;
    if (tcb !== null && tcb.error === 0) {
      const isOpening = tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED';
      return isOpening ? StackError.inProgress : StackError.alreadyConnected;
    }
    if (address.family !== this.#anyAddress.family) return StackError.notSupported;
    if (address.isAny || port === 0) return StackError.addressNotAvailable;
    if (address.isV4Mapped && this.v6Only) return StackError.networkUnreachable;
    const peer = address.unmapped();
    const path = this.#host.pathOver(this.settings.unicastInterface, this.#sourceFor(peer), peer);
    if (path === null) return StackError.networkUnreachable;
    if (path.isGroup) return StackError.addressNotAvailable;
    const binding = this.#claimFor(path.source, peer, port);
    if (typeof binding === 'number') return binding;
    this.tcb = null;
    return this.#registry.connect(this, binding, path.source, peer, port);
  }

  /** The port to connect from. That of an attempt that failed serves again, unless it came with another address (SEM-CONN-04). */
  #claimFor(source: IpAddress, peer: IpAddress, port: number): PortBinding | number {
    const before = this.#binding;
    if (before !== null && (!before.isImplicit || before.address.equals(source))) return before;
    const binding = this.#registry.claimFor(source, peer, port);
    if (typeof binding === 'number') return binding;
    if (before !== null) this.#registry.unclaim(before);
    this.#binding = binding;
    return binding;
  }

  /** The port of a connect that failed, for a listener: at every address, when nobody else has it (SEM-CONN-18). */
  #widen(binding: PortBinding): PortBinding | number {
    if (!binding.isImplicit || binding.users > 1) return binding;
    this.#registry.unclaim(binding);
    const wide = this.#registry.claim(this.#anyAddress, binding.port, {}, this.isDual);
    return typeof wide === 'number' ? this.#registry.claim(binding.address, binding.port, {}, false) : wide;
  }

  /** Takes and reaches IPv4 too. */
  get isDual(): boolean {
    return this.#anyAddress.family === 6 && !this.v6Only;
  }

  /** What a program has bound it to, for a peer of either family: `::` is both any-addresses. */
  #sourceFor(peer: IpAddress): IpAddress {
    const bound = this.#binding?.isImplicit === false ? this.#binding.address : this.#anyAddress;
    return bound.isAny && peer.family === 4 ? IpAddress.anyV4 : bound;
  }

  /** An endpoint of IPv6 names IPv4 addresses by v4-mapped ones. */
  #shown(address: IpAddress): IpAddress {
    return this.#anyAddress.family === 6 ? address.mapped() : address;
  }

  connectWithData(address: IpAddress, port: number, from: Uint8Array, at: number, length: number): number {
    const result = this.connect(address, port);
    return this.tcb === null || result < 0 ? result : this.tcb.tx.write(from, at, length);
  }

  read(into: Uint8Array, at: number, length: number): number {
    return this.tcb === null ? StackError.notConnected : receive(this.tcb, into, at, length);
  }

  peek(into: Uint8Array, at: number, length: number): number {
    return this.tcb === null ? StackError.notConnected : look(this.tcb, into, at, length);
  }

  get readableBytes(): number {
    return this.tcb === null ? 0 : readableBytes(this.tcb);
  }

  get atEnd(): boolean {
    return this.tcb !== null && this.tcb.rx.used === 0 && isFinTaken(this.tcb);
  }

  write(from: Uint8Array, at: number, length: number): number {
    return this.tcb === null ? StackError.notConnected : send(this.tcb, from, at, length);
  }

  writeUrgent(from: Uint8Array, at: number, length: number): number {
    return this.tcb === null ? StackError.notConnected : sendUrgent(this.tcb, from, at, length);
  }

  readUrgent(isPeek = false): number {
    return this.tcb === null ? StackError.notConnected : readUrgent(this.tcb, isPeek);
  }

  get urgentCount(): number {
    return this.tcb === null ? 0 : urgentCount(this.tcb);
  }

  get urgentMark(): number {
    return this.tcb === null ? -1 : urgentMark(this.tcb);
  }

  get writableBytes(): number {
    const { tcb } = this;
    return tcb !== null && (isSending(tcb.state) || isFastOpening(tcb)) ? tcb.tx.free : 0;
  }

  get unsentBytes(): number {
    return this.tcb === null ? 0 : this.tcb.tx.used;
  }

  shutdownWrite(): number {
    const { tcb } = this;
    if (tcb === null || tcb.state === 'SYN-SENT') return StackError.notConnected;
    if (tcb.error !== 0) return tcb.error;
    shutdownWrite(tcb);
    return 0;
  }

  shutdownRead(): number {
    const { tcb } = this;
    if (tcb === null || tcb.state === 'SYN-SENT') return StackError.notConnected;
    if (tcb.error !== 0) return tcb.error;
    shutdownRead(tcb);
    return 0;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    if (this.tcb !== null) close(this.tcb);
    this.#letGo();
  }

  abort(): void {
    if (this.#isClosed && this.tcb === null) return;
    this.#isClosed = true;
    this.#stopListening();
    const { tcb } = this;
    if (tcb !== null) {
      tcb.isOrphan = true;
      if (tcb.state !== 'CLOSED' && tcb.state !== 'TIME-WAIT') abort(tcb);
      else tcb.rx.release();
    }
    this.#letGo();
  }

  info(into?: TcpInfo): TcpInfo {
    const info = into ?? emptyInfo(this.state);
    if (this.tcb !== null) return fillInfo(this.tcb, info);
    return Object.assign(info, emptyInfo(this.state));
  }

  statistics(): TcpStatistics | null {
    return this.tcb === null ? null : collectStatistics(this.tcb);
  }

  get ttl(): number {
    return this.settings.ttl;
  }
  set ttl(value: number) {
    this.settings.ttl = value;
  }

  get trafficClass(): number {
    return this.settings.trafficClass;
  }
  set trafficClass(value: number) {
    this.settings.trafficClass = value;
  }

  get dontFragment(): boolean {
    return this.settings.dontFragment;
  }
  set dontFragment(value: boolean) {
    this.settings.dontFragment = value;
  }

  get mtuDiscovery(): MtuDiscovery {
    return this.settings.mtuDiscovery;
  }
  set mtuDiscovery(value: MtuDiscovery) {
    this.settings.mtuDiscovery = value;
    if (this.tcb !== null) updateSmss(this.tcb);
  }

  get userMtu(): number {
    return this.settings.userMtu;
  }
  set userMtu(value: number) {
    this.settings.userMtu = value;
    if (this.tcb !== null) updateSmss(this.tcb);
  }

  get pathMtu(): number {
    return this.tcb === null || this.tcb.state === 'CLOSED' ? 0 : this.tcb.path.discoveredMtu;
  }

  get maxSegment(): number {
    return this.settings.maxSegment;
  }
  set maxSegment(value: number) {
    this.settings.maxSegment = value;
    if (this.tcb !== null) updateSmss(this.tcb);
  }

  get timestamps(): boolean {
    return this.settings.timestamps;
  }
  set timestamps(value: boolean) {
    this.settings.timestamps = value;
  }

  get initialRto(): number {
    return this.settings.initialRto;
  }
  set initialRto(value: number) {
    this.settings.initialRto = value;
  }

  get maxSynRetransmissions(): number {
    return this.settings.maxSynRetransmissions;
  }
  set maxSynRetransmissions(value: number) {
    this.settings.maxSynRetransmissions = value;
  }

  get initialWindow(): number {
    return this.settings.initialWindow;
  }
  set initialWindow(value: number) {
    this.settings.initialWindow = value;
  }

  get ackFrequency(): number {
    return this.settings.ackFrequency;
  }
  set ackFrequency(value: number) {
    this.settings.ackFrequency = value;
  }

  get unicastInterface(): number {
    return this.settings.unicastInterface;
  }
  set unicastInterface(value: number) {
    this.settings.unicastInterface = value;
  }

  get interfaces(): ReadonlySet<number> | null {
    return this.settings.interfaces;
  }
  set interfaces(value: ReadonlySet<number> | null) {
    this.settings.interfaces = value;
  }

  get icmpError(): IcmpErrorReport | null {
    return this.tcb === null ? null : this.tcb.icmpError;
  }

  get failsOnIcmpError(): boolean {
    return this.settings.failsOnIcmpError;
  }
  set failsOnIcmpError(value: boolean) {
    this.settings.failsOnIcmpError = value;
  }

  get noDelay(): boolean {
    return this.settings.noDelay;
  }
  set noDelay(value: boolean) {
    this.settings.noDelay = value;
    // What Nagle held back may go.
    if (value) this.tcb?.requestOutput();
  }

  get keepAlive(): boolean {
    return this.settings.keepAlive;
  }
  set keepAlive(value: boolean) {
    this.settings.keepAlive = value;
    this.#armKeepAlive();
  }

  get keepAliveTime(): number {
    return this.settings.keepAliveTime;
  }
  set keepAliveTime(value: number) {
    this.settings.keepAliveTime = value;
    this.#armKeepAlive();
  }

  get keepAliveInterval(): number {
    return this.settings.keepAliveInterval;
  }
  set keepAliveInterval(value: number) {
    this.settings.keepAliveInterval = value;
  }

  get keepAliveCount(): number {
    return this.settings.keepAliveCount;
  }
  set keepAliveCount(value: number) {
    this.settings.keepAliveCount = value;
  }

  get userTimeout(): number {
    return this.settings.userTimeout;
  }
  set userTimeout(value: number) {
    this.settings.userTimeout = value;
  }

  get conditionalAccept(): boolean {
    return this.settings.conditionalAccept;
  }
  set conditionalAccept(value: boolean) {
    this.settings.conditionalAccept = value;
  }

  get nextRequest(): ConnectionRequest | null {
    return this.listener === null ? null : this.listener.firstHeld;
  }

  get requests(): readonly ConnectionRequest[] {
    return this.listener === null ? [] : this.listener.allHeld;
  }

  get fastOpen(): boolean {
    return this.settings.fastOpen;
  }
  set fastOpen(value: boolean) {
    this.settings.fastOpen = value;
  }

  get pauseAccept(): boolean {
    return this.settings.pauseAccept;
  }
  set pauseAccept(value: boolean) {
    this.settings.pauseAccept = value;
  }

  get ecn(): EcnMode {
    return this.settings.ecn;
  }
  set ecn(value: EcnMode) {
    this.settings.ecn = value;
  }

  get refusedRetries(): number {
    return this.settings.refusedRetries;
  }
  set refusedRetries(value: number) {
    this.settings.refusedRetries = value;
  }

  get urgentInline(): boolean {
    return this.settings.urgentInline;
  }
  set urgentInline(value: boolean) {
    this.settings.urgentInline = value;
    if (this.tcb !== null && this.tcb.urgentIn !== null) passUrgent(this.tcb, this.tcb.urgentIn);
  }

  get pointsAtUrgent(): boolean {
    return this.settings.pointsAtUrgent;
  }
  set pointsAtUrgent(value: boolean) {
    this.settings.pointsAtUrgent = value;
  }

  get sendBufferSize(): number {
    return this.tcb === null ? this.settings.sendBufferSize : this.tcb.tx.limit;
  }
  set sendBufferSize(value: number) {
    this.settings.sendBufferSize = value;
    this.settings.isSendBufferFixed = true;
    if (this.tcb === null) return;
    this.tcb.tx.limit = value;
    noteBuffers(this.tcb);
  }

  get receiveBufferSize(): number {
    return this.tcb === null ? this.settings.receiveBufferSize : this.tcb.rx.limit;
  }
  set receiveBufferSize(value: number) {
    this.settings.receiveBufferSize = value;
    this.settings.isReceiveBufferFixed = true;
    if (this.tcb === null) return;
    this.tcb.rx.limit = value;
    noteBuffers(this.tcb);
  }

  get idealSendBacklog(): number {
    return this.tcb === null ? LEAST_BACKLOG : this.tcb.idealSendBacklog;
  }

  get congestionControl(): string {
    const { congestionControl } = this.settings;
    if (this.tcb !== null) return this.tcb.congestion.name;
    return typeof congestionControl === 'string'
      ? congestionControl
      : createControl(congestionControl, false).name;
  }
  set congestionControl(value: CongestionControlChoice) {
    checkChoice(value);
    this.settings.congestionControl = value;
    const { tcb } = this;
    if (tcb === null || tcb.congestion.name === value) return;
    const { pacing } = tcb.config;
    tcb.congestion = replaceControl(tcb.congestion, value, pacing, tcb.rtt.srtt, this.#host.now);
    tcb.requestOutput();
  }

  #armKeepAlive(): void {
    const { tcb } = this;
    if (tcb === null) return;
    if (!this.settings.keepAlive) tcb.disarm(TcpTimer.keepAlive);
    else if (isReceiving(tcb.state) || tcb.state === 'CLOSE-WAIT') {
      const due = tcb.lastReceivedAt + this.settings.keepAliveTime;
      tcb.arm(TcpTimer.keepAlive, Math.max(0, due - this.#host.now));
    }
  }

  #stopListening(): void {
    if (this.listener === null) return;
    this.#registry.unlisten(this.listener);
    this.listener = null;
  }

  #letGo(): void {
    if (this.#binding !== null) this.#registry.unclaim(this.#binding);
    this.#binding = null;
    this.#registry.closed(this);
  }
}
