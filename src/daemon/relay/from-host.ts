/** Forwards from a port of the host to a place that the stack reaches. */

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type Endpoint,
  EndpointEvent,
  type Stack,
  StackError,
  type TcpEndpoint,
  type UdpEndpoint,
} from '../../stack/index.ts';
import { drainDatagrams } from './datagrams.ts';
import { EndpointOwner } from './endpoint-owner.ts';
import { countFailure, noFigures } from './figures.ts';
import { type Flow, FlowTable } from './flow-table.ts';
import { type Forward, type ForwardParts, MAX_CONNECTIONS, MAX_FLOWS, type Place } from './forward.ts';
import { listenError } from './host-errors.ts';
import { TcpRelay } from './tcp-relay.ts';

/** `10.0.0.2:80`, `[::1]:80` */
export function placeText({ address, port }: Place): string {
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Names of `StackError` in a few words. */
export function stackErrorText(error: number): string {
  const [name = String(error)] = Object.entries(StackError).find(([, value]) => value === error) ?? [];
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export class HostTcpForward implements Forward {
  readonly figures = noFigures();
  readonly #parts: ForwardParts;
  readonly #server: Server;
  readonly #open = new Set<{ close(): void }>();

  constructor(parts: ForwardParts) {
    this.#parts = parts;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#accepted(socket),
    );
  }

  open(): Promise<number> {
    const { listen } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, placeText(listen))));
      this.#server.listen({ host: String(listen.address), port: listen.port, ipv6Only: true }, () => {
        this.#server.removeAllListeners('error');
        // A connection that could not be accepted: out of descriptors, say.
        this.#server.on('error', (error) => countFailure(this.figures, error.message));
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : listen.port);
      });
    });
  }

  close(): void {
    this.#server.close();
    for (const relay of [...this.#open]) relay.close();
  }

  #accepted(socket: Socket): void {
    const { figures } = this;
    if (this.#open.size >= MAX_CONNECTIONS) {
      countFailure(figures, `there are ${MAX_CONNECTIONS} connections already`);
      socket.on('error', () => {});
      socket.resetAndDestroy();
      return;
    }
    const { stack, target } = this.#parts;
    const opening = new Opening(stack, target, socket, (opened, error) => {
      this.#open.delete(opening);
      if (opened === null) {
        figures.active--;
        countFailure(figures, `${placeText(target)}: ${stackErrorText(error)}`);
        return;
      }
      const relay = new TcpRelay(opened, socket, figures, (ended) => {
        this.#open.delete(ended);
        figures.active--;
      });
      this.#open.add(relay);
      socket.resume();
    });
    figures.active++;
    figures.total++;
    this.#open.add(opening);
    opening.start();
  }
}

/** A connection of the host whose other half the stack is still connecting. */
class Opening extends EndpointOwner {
  readonly #endpoint: TcpEndpoint;
  readonly #target: Place;
  readonly #socket: Socket;
  readonly #settle: (endpoint: TcpEndpoint | null, error: number) => void;
  #isOver = false;

  constructor(
    stack: Stack,
    target: Place,
    socket: Socket,
    settle: (endpoint: TcpEndpoint | null, error: number) => void,
  ) {
    super();
    this.#endpoint = stack.openTcp(target.address.family);
    this.#endpoint.context = this;
    this.#target = target;
    this.#socket = socket;
    this.#settle = settle;
    socket.on('error', this.#gone);
    socket.on('close', this.#gone);
  }

  start(): void {
    const error = this.#endpoint.connect(this.#target.address, this.#target.port);
    if (error < 0) this.#fail(error);
  }

  override happened(_endpoint: Endpoint, events: number): void {
    if ((events & EndpointEvent.failed) !== 0) {
      this.#fail(this.#endpoint.error);
    } else if ((events & EndpointEvent.connected) !== 0 && !this.#isOver) {
      this.#isOver = true;
      this.#socket.off('error', this.#gone);
      this.#socket.off('close', this.#gone);
      this.#settle(this.#endpoint, 0);
    }
  }

  close(): void {
    this.#fail(StackError.connectionAborted);
  }

  readonly #gone = (): void => this.#fail(StackError.connectionAborted);

  #fail(error: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endpoint.context = null;
    this.#endpoint.abort();
    this.#endpoint.close();
    // The listener for errors stays: nobody else hears them.
    this.#socket.off('close', this.#gone);
    this.#socket.resetAndDestroy();
    this.#settle(null, error);
  }
}

export class HostUdpForward implements Forward {
  readonly figures = noFigures();
  readonly #parts: ForwardParts;
  readonly #socket: UdpSocket;
  readonly #flows: FlowTable<HostFlow>;
  #isOpen = false;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
    const isV6 = parts.listen.address.family === 6;
    this.#socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    this.#flows = new FlowTable(parts.scheduler, MAX_FLOWS);
  }

  open(): Promise<number> {
    const { listen } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#socket.once('error', (error) => reject(listenError(error, placeText(listen))));
      this.#socket.bind({ address: String(listen.address), port: listen.port, exclusive: true }, () => {
        this.#socket.removeAllListeners('error');
        this.#socket.on('error', (error) => countFailure(this.figures, error.message));
        this.#socket.on('message', (bytes, from) => this.#arrived(bytes, from));
        this.#isOpen = true;
        resolve(this.#socket.address().port);
      });
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#flows.close();
    this.#socket.removeAllListeners('message');
    this.#socket.close();
  }

  #arrived(bytes: Uint8Array, from: RemoteInfo): void {
    const { figures } = this;
    const key = `${from.address} ${from.port}`;
    let flow = this.#flows.use(key);
    if (flow === null) {
      const made = HostFlow.connect(this.#parts, (answer) => {
        if (!this.#isOpen) return;
        this.#flows.use(key);
        figures.bytesToHost += answer.length;
        this.#socket.send(answer, from.port, from.address, ignore);
      });
      if (typeof made === 'number') {
        countFailure(figures, `${placeText(this.#parts.target)}: ${stackErrorText(made)}`);
        return;
      }
      flow = made;
      figures.total++;
      this.#flows.add(key, flow);
    }
    figures.active = this.#flows.size;
    if (flow.send(bytes)) figures.bytesToStack += bytes.length;
  }
}

/** Datagrams of one peer on the host, and the stack's endpoint that speaks for it. */
class HostFlow extends EndpointOwner implements Flow {
  usedAt = 0;
  readonly #endpoint: UdpEndpoint;
  readonly #answer: (bytes: Uint8Array) => void;

  constructor(endpoint: UdpEndpoint, answer: (bytes: Uint8Array) => void) {
    super();
    this.#endpoint = endpoint;
    this.#answer = answer;
    endpoint.context = this;
  }

  static connect({ stack, target }: ForwardParts, answer: (bytes: Uint8Array) => void): HostFlow | number {
    const endpoint = stack.openUdp(target.address.family);
    const error = endpoint.connect(target.address, target.port);
    if (error >= 0) return new HostFlow(endpoint, answer);
    endpoint.close();
    return error;
  }

  send(bytes: Uint8Array): boolean {
    return this.#endpoint.send(bytes, 0, bytes.length, null, 0) >= 0;
  }

  override happened(): void {
    drainDatagrams(this.#endpoint, this.#answer);
  }

  close(): void {
    this.#endpoint.context = null;
    this.#endpoint.close();
  }
}

/** A datagram that could not be sent is a lost one. */
export function ignore(): void {}
