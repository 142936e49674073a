/** Forwards from a port of the stack to a place that the host reaches. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { IpAddress } from '../../base/index.ts';
import {
  type ConnectionRequest,
  type DatagramInfo,
  type Endpoint,
  StackError,
  type TcpEndpoint,
  type UdpEndpoint,
} from '../../stack/index.ts';
import { drainDatagrams } from './datagrams.ts';
import { EndpointOwner } from './endpoint-owner.ts';
import { countFailure, type ForwardFigures, noFigures } from './figures.ts';
import { type Flow, FlowTable } from './flow-table.ts';
import { type Forward, type ForwardParts, MAX_CONNECTIONS, MAX_FLOWS, type Place } from './forward.ts';
import { ignore, placeText, stackErrorText } from './from-host.ts';
import { connectErrorText, ForwardError } from './host-errors.ts';
import { TcpRelay } from './tcp-relay.ts';

/** Where the host is to connect for a request of the stack's; a text says why nowhere. */
export type Chooser = (request: ConnectionRequest) => Place | string;

/**
 * Connections that the stack's peers ask for, made by the host first: the SYN is answered when the host has connected, and
 * refused when it could not.
 */
export class HostConnections extends EndpointOwner {
  readonly figures: ForwardFigures;
  readonly #listener: TcpEndpoint;
  readonly #choose: Chooser;
  /** Requests that the host is working on. */
  readonly #pending = new Map<ConnectionRequest, Socket>();
  readonly #relays = new Set<TcpRelay>();

  /** @param listener bound, and not listening yet */
  constructor(listener: TcpEndpoint, figures: ForwardFigures, choose: Chooser) {
    super();
    this.#listener = listener;
    this.figures = figures;
    this.#choose = choose;
    listener.context = this;
    listener.conditionalAccept = true;
  }

  override happened(): void {
    // A peer that gave up meanwhile is not waited for.
    for (const [request, socket] of [...this.#pending]) if (!request.isPending) this.#drop(request, socket);
    for (const request of this.#listener.requests) if (!this.#pending.has(request)) this.#connect(request);
  }

  close(): void {
    this.#listener.context = null;
    for (const [request, socket] of [...this.#pending]) this.#drop(request, socket);
    this.#listener.close();
    for (const relay of [...this.#relays]) relay.close();
  }

  #connect(request: ConnectionRequest): void {
    const place = this.#choose(request);
    const isFull = this.#pending.size + this.#relays.size >= MAX_CONNECTIONS;
    if (typeof place === 'string' || isFull) {
      request.reject();
      countFailure(
        this.figures,
        typeof place === 'string' ? place : `there are ${MAX_CONNECTIONS} connections already`,
      );
      return;
    }
    const socket = connect({ host: String(place.address), port: place.port, allowHalfOpen: true });
    this.#pending.set(request, socket);
    this.figures.total++;
    this.#count();
    socket.once('error', (error) => {
      if (!this.#pending.delete(request)) return;
      countFailure(this.figures, `${placeText(place)}: ${connectErrorText(error)}`);
      request.reject();
      this.#count();
    });
    socket.once('connect', () => this.#connected(request, socket));
  }

  #connected(request: ConnectionRequest, socket: Socket): void {
    if (!this.#pending.delete(request)) return;
    const endpoint = request.accept();
    if (endpoint === null) {
      socket.resetAndDestroy();
    } else {
      socket.removeAllListeners('error');
      const relay = new TcpRelay(endpoint, socket, this.figures, (ended) => {
        this.#relays.delete(ended);
        this.#count();
      });
      this.#relays.add(relay);
    }
    this.#count();
  }

  #drop(request: ConnectionRequest, socket: Socket): void {
    this.#pending.delete(request);
    if (request.isPending) request.reject();
    socket.on('error', ignore);
    socket.destroy();
    this.#count();
  }

  #count(): void {
    this.figures.active = this.#pending.size + this.#relays.size;
  }
}

export class StackTcpForward implements Forward {
  readonly figures = noFigures();
  readonly #parts: ForwardParts;
  #connections: HostConnections | null = null;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  open(): Promise<number> {
    const { stack, listen, target } = this.#parts;
    const listener = stack.openTcp(listen.address.family);
    const error = listener.bind(listen.address, listen.port);
    if (error < 0) {
      listener.close();
      return Promise.reject(bindError(error, listen));
    }
    this.#connections = new HostConnections(listener, this.figures, () => target);
    listener.listen(BACKLOG);
    return Promise.resolve(listener.localPort);
  }

  close(): void {
    this.#connections?.close();
    this.#connections = null;
  }
}

export class StackUdpForward extends EndpointOwner implements Forward {
  readonly figures = noFigures();
  readonly #parts: ForwardParts;
  readonly #flows: FlowTable<StackFlow>;
  #endpoint: UdpEndpoint | null = null;

  constructor(parts: ForwardParts) {
    super();
    this.#parts = parts;
    this.#flows = new FlowTable(parts.scheduler, MAX_FLOWS);
  }

  open(): Promise<number> {
    const { stack, listen } = this.#parts;
    const endpoint = stack.openUdp(listen.address.family);
    const error = endpoint.bind(listen.address, listen.port);
    if (error < 0) {
      endpoint.close();
      return Promise.reject(bindError(error, listen));
    }
    endpoint.context = this;
    this.#endpoint = endpoint;
    return Promise.resolve(endpoint.localPort);
  }

  override happened(endpoint: Endpoint): void {
    if (endpoint === this.#endpoint) {
      drainDatagrams(this.#endpoint, (bytes, info) => this.#arrived(bytes, info));
    }
  }

  close(): void {
    const endpoint = this.#endpoint;
    this.#endpoint = null;
    if (endpoint !== null) endpoint.context = null;
    endpoint?.close();
    this.#flows.close();
  }

  #arrived(bytes: Uint8Array, { source, sourcePort }: Readonly<DatagramInfo>): void {
    const { figures } = this;
    const { target } = this.#parts;
    const key = `${source} ${sourcePort}`;
    let flow = this.#flows.use(key);
    if (flow === null) {
      flow = new StackFlow(target.address.family, (answer, from, port) => {
        // Only the target is spoken to, and only it is heard.
        if (port !== target.port || from !== String(target.address)) return;
        this.#answer(key, answer, source, sourcePort);
      });
      this.#flows.add(key, flow);
      figures.total++;
    }
    figures.active = this.#flows.size;
    figures.bytesToHost += bytes.length;
    flow.send(bytes, target);
  }

  #answer(key: string, bytes: Uint8Array, to: IpAddress, port: number): void {
    if (this.#endpoint === null) return;
    this.#flows.use(key);
    if (this.#endpoint.send(bytes, 0, bytes.length, to, port) >= 0) this.figures.bytesToStack += bytes.length;
  }
}

/** Datagrams of one peer of the stack, and the host's socket that speaks for it, to whomever it sends. */
export class StackFlow implements Flow {
  usedAt = 0;
  readonly #socket: UdpSocket;
  #isClosed = false;

  /** @param answer is given what comes back, and from where */
  constructor(family: 4 | 6, answer: (bytes: Uint8Array, from: string, port: number) => void) {
    this.#socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    // What ICMP says about one datagram is no news to who sends datagrams.
    this.#socket.on('error', ignore);
    this.#socket.on('message', (bytes, from) => {
      if (!this.#isClosed) answer(bytes, from.address, from.port);
    });
  }

  send(bytes: Uint8Array, { address, port }: Place): void {
    if (!this.#isClosed) this.#socket.send(bytes, port, String(address), ignore);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#socket.close();
    } catch {
      // It had failed, and is closed.
    }
  }
}

function bindError(error: number, place: Place): ForwardError {
  const where = `stack port ${placeText(place)}`;
  if (error === StackError.addressInUse || error === StackError.accessDenied) {
    return new ForwardError(409, 'addressInUse', `${where} is taken; name another, or port 0`);
  }
  if (error === StackError.addressNotAvailable) {
    return new ForwardError(
      400,
      'badRequest',
      `the stack has no address ${place.address}; see winsockd ipconfig`,
    );
  }
  return new ForwardError(409, 'failed', `${where}: ${stackErrorText(error)}`);
}

const BACKLOG = 128;
