/**
 * TCP (RFC 9293) as the network layer sees it: finds the connection, else the listener, of a segment, else refuses it.
 */

import type { IpAddress, IpFamily, TransmitBatch } from '../../base/index.ts';
import { i32, RangeViews, u16 } from '../../base/index.ts';
import { DropReason, isTcpChecksumRight, TCP_RST } from '../../wire/index.ts';
import type { BindOptions, Endpoint, TcpGlobals, TcpObserver, TcpOptions } from '../api.ts';
import { StackError } from '../api.ts';
import {
  Cause,
  ConnectionTable,
  type Host,
  type InboundPacket,
  ListenerTable,
  type Path,
  type PortBinding,
  PortTable,
  type Transport,
} from '../host.ts';
import { pseudoHeaderSumOf } from '../ip/packet.ts';
import { TcpMemory } from './buffers/memory.ts';
import { Shedding } from './buffers/shedding.ts';
import { WindowBudget } from './buffers/window-budget.ts';
import { resolveTcpOptions, type TcpConfig } from './config.ts';
import { AckSample } from './congestion/ack-sample.ts';
import { createControl } from './congestion/registry.ts';
import { sendConnectionSegment } from './control-segment.ts';
import { type TcpRegistry, TcpSocket } from './endpoint.ts';
import { FastOpenCache } from './fast-open/cache.ts';
import { FastOpenCookies } from './fast-open/cookies.ts';
import { changeGlobals, globalsOf } from './globals.ts';
import { HalfOpen } from './listen/half-open.ts';
import type { Handshake } from './listen/handshake.ts';
import { type ListenEnvironment, Listener } from './listen/listener.ts';
import { SynCookies } from './listen/syn-cookies.ts';
import { synReceived } from './listen/syn-received.ts';
import { SentColumnsPool } from './loss/sent-columns.ts';
import { activeOpen, passiveOpen } from './open.ts';
import { emitSegments } from './output.ts';
import { icmpError } from './path/icmp.ts';
import { WayWatch } from './path/way.ts';
import { Segment } from './segment.ts';
import { segmentArrives } from './segment-arrives.ts';
import { closed } from './steps/closed.ts';
import { listen } from './steps/listen.ts';
import { GO_ON } from './steps/verdict.ts';
import { Tcb, type TcpEnvironment, type TcpFlow } from './tcb.ts';
import { NEW_CONNECTION, TimeWait } from './time-wait.ts';
import { timerExpired } from './timeouts.ts';

export class TcpTransport implements Transport, TcpEnvironment, TcpRegistry, ListenEnvironment {
  readonly host: Host;
  readonly config: TcpConfig;
  readonly memory: TcpMemory;
  readonly views = new RangeViews();
  observer: TcpObserver | null = null;
  readonly sample = new AckSample();
  readonly sentColumns = new SentColumnsPool();
  readonly cookies: SynCookies;
  readonly fastOpenCookies: FastOpenCookies;
  readonly fastOpenCache: FastOpenCache;
  readonly #flows: ConnectionTable<TcpFlow>;
  readonly #listeners = new ListenerTable<Listener>();
  readonly ports: PortTable;
  /** Handles that a user holds, and those whose connection outlives its user. */
  readonly #sockets = new Set<TcpSocket>();
  /** Oldest first. */
  readonly #timeWaits = new Set<TimeWait>();
  readonly #shedding: Shedding;
  readonly #segment = new Segment();
  readonly #ways: WayWatch;
  /** By interface index, which is never used again. */
  readonly #budgets = new Map<number, WindowBudget>();

  constructor(host: Host, options?: TcpOptions) {
    this.host = host;
    this.config = resolveTcpOptions(options);
    this.memory = new TcpMemory(host.allocator, host.counters, this.config.memoryLimit);
    this.#shedding = new Shedding(this.memory);
    this.cookies = new SynCookies(host, this.config);
    this.fastOpenCookies = new FastOpenCookies(host);
    this.fastOpenCache = new FastOpenCache(host);
    this.#flows = new ConnectionTable(host.secret);
    this.ports = new PortTable(host.random, host.secret);
    this.#ways = new WayWatch(host, () => this.#connections());
  }

  /** Routes, addresses or interfaces have changed: connections that wait for their peers may have another way to them. */
  waysChanged(): void {
    if (this.#flows.size > 0) this.#ways.changed();
  }

  /** What can be changed now. */
  get globals(): TcpGlobals {
    return globalsOf(this.config);
  }

  /** @throws RangeError for a value that can't be; nothing changes then */
  setGlobals(change: Partial<TcpGlobals>): void {
    changeGlobals(this.config, change, this.#sockets);
  }

  /** A new, unbound endpoint. */
  open(family: IpFamily = 4): TcpSocket {
    const socket = new TcpSocket(this.host, this, family);
    this.#sockets.add(socket);
    return socket;
  }

  /** All there are: listeners, connections, half-open ones, and what is in TIME-WAIT without a user. */
  *endpoints(): IterableIterator<Endpoint> {
    yield* this.#sockets;
    for (const listener of this.#listeners) yield* listener.halfOpens();
    for (const entry of this.#timeWaits) {
      if (entry.tcb === null) yield entry;
    }
  }

  receive(packet: InboundPacket): number {
    const { counters } = this.host;
    const seg = this.#segment;
    let reason = seg.fill(packet);
    counters.tcpInSegs += seg.packets;
    if (reason === DropReason.none && !packet.checksumTrusted) {
      const { bytes, payloadAt, end } = packet;
      const sum = pseudoHeaderSumOf(packet, end - payloadAt);
      if (!isTcpChecksumRight(bytes, payloadAt, end, sum)) reason = DropReason.tcpChecksum;
    }
    if (reason !== DropReason.none) {
      counters.tcpInErrs++;
      return reason;
    }
    if (packet.isGroup) return DropReason.tcpGroupAddress;
    return this.#dispatch(packet, seg);
  }

  icmpError(quoted: InboundPacket, error: number, isHard: boolean, mtu: number): number {
    const { bytes, payloadAt } = quoted;
    const flow = this.#flows.findSender(quoted, u16(bytes, payloadAt), u16(bytes, payloadAt + 2));
    if (flow === null) return DropReason.icmpQuoteUnknown;
    quoted.owner = flow.endpoint;
    if (flow instanceof Tcb) return icmpError(flow, quoted, error, isHard, mtu);
    if (!(flow instanceof HalfOpen)) return DropReason.icmpNotInFlight;
    return flow.unreachable(i32(bytes, payloadAt + 4), isHard);
  }

  #dispatch(packet: InboundPacket, seg: Segment): number {
    const flow = this.#flows.find(packet, seg.destinationPort, seg.sourcePort);
    let sequenceAfter: number | null = null;
    if (flow !== null) {
      packet.owner = flow.endpoint;
      if (flow instanceof Tcb) return segmentArrives(flow, seg);
      if (flow instanceof HalfOpen) return this.#halfOpen(flow, packet, seg);
      if (flow instanceof TimeWait) {
        const isListening = this.#listeners.find(packet, seg.destinationPort) !== null;
        const verdict = flow.arrives(seg, isListening);
        if (verdict !== NEW_CONNECTION) return verdict;
        sequenceAfter = flow.sndNxt;
      }
    }
    const listener = this.#listeners.find(packet, seg.destinationPort);
    if (listener === null) return closed(this.host, packet, seg);
    packet.owner = listener.endpoint;
    return listen(listener, this.host, packet, seg, sequenceAfter);
  }

  #halfOpen(flow: HalfOpen, packet: InboundPacket, seg: Segment): number {
    const verdict = synReceived(flow, this.config, seg);
    if (verdict !== GO_ON) return verdict;
    const child = flow.owner.complete(flow);
    if (child === null) return DropReason.tcpBacklogFull;
    packet.owner = child.endpoint;
    return segmentArrives(child, seg);
  }

  // What connections ask for.

  emit(tcb: Tcb, batch: TransmitBatch): boolean {
    return emitSegments(tcb, batch);
  }

  timeout(tcb: Tcb, kind: number, now: number): void {
    timerExpired(tcb, kind, now);
  }

  forget(tcb: Tcb): void {
    this.#flows.remove(tcb);
    this.#release(tcb);
    if (tcb.isOrphan || tcb.opener !== null) this.#sockets.delete(tcb.endpoint as TcpSocket);
  }

  enterTimeWait(tcb: Tcb): void {
    this.#flows.remove(tcb);
    this.#release(tcb);
    if (tcb.isOrphan) this.#sockets.delete(tcb.endpoint as TcpSocket);
    if (this.#timeWaits.size >= this.config.maxTimeWait) {
      for (const oldest of this.#timeWaits) {
        oldest.close();
        break;
      }
    }
    const entry = new TimeWait(tcb, this.#timeWaitEnded);
    this.#timeWaits.add(entry);
    this.#flows.add(entry);
    if (tcb.acksDue > 0) entry.acknowledge();
  }

  budgetOf(interfaceIndex: number): WindowBudget | null {
    const limit = this.host.windowBudget(interfaceIndex);
    if (limit === 0) return null;
    let budget = this.#budgets.get(interfaceIndex);
    if (budget === undefined) {
      budget = new WindowBudget(limit);
      this.#budgets.set(interfaceIndex, budget);
    }
    return budget;
  }

  relieveMemory(tcb: Tcb): void {
    this.#shedding.relieve(this.#connections(), tcb, this.host.now);
  }

  sendReset(tcb: Tcb): void {
    sendConnectionSegment(this.host, tcb.path, tcb, TCP_RST, 0, Cause.reset, tcb.endpoint);
  }

  // What endpoints ask for.

  claim(address: IpAddress, port: number, options: BindOptions, isDual: boolean): PortBinding | number {
    return this.ports.claim(address, port, options, isDual);
  }

  /** Whether any endpoint holds `port`. */
  hasPort(port: number): boolean {
    return this.ports.isBound(port);
  }

  claimFor(local: IpAddress, remote: IpAddress, remotePort: number): PortBinding | number {
    return this.ports.bindForConnect(local, remote, remotePort, 0, this.#flows);
  }

  unclaim(binding: PortBinding): void {
    this.ports.release(binding);
  }

  listen(socket: TcpSocket, binding: PortBinding, backlog: number): Listener {
    const listener = new Listener(this, socket, socket.settings, binding, backlog);
    this.#listeners.add(listener);
    return listener;
  }

  unlisten(listener: Listener): void {
    this.#listeners.remove(listener);
    listener.close();
  }

  connect(
    socket: TcpSocket,
    binding: PortBinding,
    local: IpAddress,
    remote: IpAddress,
    port: number,
  ): number {
    if (this.#flows.get(local, binding.port, remote, port) !== null) return StackError.addressInUse;
    const path = this.host.pathTo(local, remote);
    if (path === null) return StackError.networkUnreachable;
    const tcb = this.#createTcb(socket, path, binding.port, port);
    binding.users++;
    tcb.binding = binding;
    // From here on events name the peer.
    socket.tcb = tcb;
    activeOpen(tcb);
    return 0;
  }

  closed(socket: TcpSocket): void {
    const { tcb } = socket;
    const isOver = tcb === null || tcb.state === 'CLOSED' || tcb.state === 'TIME-WAIT';
    if (isOver) this.#sockets.delete(socket);
    if (tcb === null || tcb.state !== 'TIME-WAIT') return;
    const { localAddress, localPort, remoteAddress, remotePort } = tcb;
    const flow = this.#flows.get(localAddress, localPort, remoteAddress, remotePort);
    if (flow instanceof TimeWait && flow.tcb === tcb) flow.tcb = null;
  }

  // What listeners ask for.

  enlist(record: TcpFlow): void {
    this.#flows.add(record);
  }

  delist(record: TcpFlow): void {
    this.#flows.remove(record);
  }

  spawn(
    listener: Listener,
    path: Path,
    localPort: number,
    remotePort: number,
    handshake: Handshake,
    isAnswered: boolean,
  ): Tcb {
    const { family } = listener.endpoint.localAddress;
    const child = new TcpSocket(this.host, this, family, { ...listener.settings });
    const tcb = this.#createTcb(child, path, localPort, remotePort);
    child.tcb = tcb;
    tcb.binding = this.ports.inherit(listener.binding);
    tcb.opener = listener;
    this.#sockets.add(child);
    passiveOpen(tcb, handshake, isAnswered);
    return tcb;
  }

  #timeWaitEnded = (entry: TimeWait): void => {
    this.#timeWaits.delete(entry);
    this.#flows.remove(entry);
  };

  *#connections(): IterableIterator<Tcb> {
    for (const { tcb } of this.#sockets) if (tcb !== null) yield tcb;
  }

  #createTcb(socket: TcpSocket, path: Path, localPort: number, remotePort: number): Tcb {
    const { settings } = socket;
    const control = createControl(settings.congestionControl, this.config.pacing);
    const tcb = new Tcb(this, socket, settings, path, control, localPort, remotePort);
    this.#flows.add(tcb);
    return tcb;
  }

  #release(tcb: Tcb): void {
    if (tcb.binding !== null) this.ports.release(tcb.binding);
    tcb.binding = null;
    tcb.budget?.leave(tcb);
  }
}
