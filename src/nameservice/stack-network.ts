/**
 * The network of the names room, made of the stack's own endpoints: below the provider catalog, so that no layered provider sees
 * or changes a question, an answer, or what the DNS proxy does.
 */

import { IpAddress, type IpFamily, type Random, randomBelow, type Scheduler } from '../base/index.ts';
import type {
  Closable,
  DatagramListener,
  DatagramOrigin,
  DatagramSocket,
  GroupSocket,
  NameLink,
  NameNetwork,
  StreamListener,
  StreamSocket,
} from '../names/index.ts';
import {
  createDatagramInfo,
  type DatagramInfo,
  type Endpoint,
  EndpointEvent,
  type Stack,
  StackError,
  type TcpEndpoint,
  type UdpEndpoint,
} from '../stack/index.ts';

/** Ports that questions are sent from: chosen by chance for each (RFC 5452 §9.2), not in any order. */
const FIRST_PORT = 49_152;
const LAST_PORT = 65_535;
const PORT_TRIES = 16;
/** Most bytes of a stream that wait for room. */
const MAX_WAITING = 256 * 1024;
const READ_BYTES = 16 * 1024;
const LISTEN_BACKLOG = 64;
/** RFC 6762 §11: what is not from the link has less. */
const GROUP_HOP_LIMIT = 255;

/** Takes an endpoint's event when the endpoint belongs to the names room. @returns whether it did */
export function takeNameEvent(endpoint: Endpoint, events: number): boolean {
  const { context } = endpoint;
  if (!(context instanceof NameEndpoint)) return false;
  context.happened(events);
  return true;
}

/** What is put into an endpoint's `context`. */
abstract class NameEndpoint {
  abstract happened(events: number): void;
}

export class StackNetwork implements NameNetwork {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly #stack: Stack;

  constructor(stack: Stack, scheduler: Scheduler, random: Random) {
    this.#stack = stack;
    this.scheduler = scheduler;
    this.random = random;
  }

  openDatagram(
    family: IpFamily,
    listener: DatagramListener,
    options: {
      readonly peer?: { readonly address: IpAddress; readonly port: number };
      readonly hopLimit?: number;
    } = {},
  ): DatagramSocket | null {
    const endpoint = this.#openUdp(family);
    if (endpoint === null) return null;
    const { peer, hopLimit = 0 } = options;
    endpoint.ttl = hopLimit;
    if (hopLimit > 0) endpoint.multicastTtl = hopLimit;
    const isOpen =
      this.#bindByChance(endpoint, family) &&
      (peer === undefined || endpoint.connect(peer.address, peer.port) === 0);
    if (!isOpen) {
      endpoint.close();
      return null;
    }
    return new UdpSocket(endpoint, listener, peer !== undefined, this.#groupInterfaces);
  }

  listenDatagram(address: IpAddress, port: number, listener: DatagramListener): DatagramSocket | null {
    const endpoint = this.#openUdp(address.family);
    if (endpoint === null) return null;
    if (endpoint.bind(address, port, { sharing: 'exclusive' }) !== 0) {
      endpoint.close();
      return null;
    }
    // An asker that is gone is no news.
    endpoint.reportsPortUnreachable = false;
    return new UdpSocket(endpoint, listener, false, this.#groupInterfaces);
  }

  openStream(address: IpAddress, port: number, listener: StreamListener): StreamSocket | null {
    const endpoint = this.#openTcp(address.family);
    if (endpoint === null) return null;
    const stream = new TcpStream(endpoint, address, listener);
    if (endpoint.connect(address, port) === 0) return stream;
    stream.close();
    return null;
  }

  listenStream(
    address: IpAddress,
    port: number,
    accept: (stream: StreamSocket) => StreamListener | null,
  ): Closable | null {
    const endpoint = this.#openTcp(address.family);
    if (endpoint === null) return null;
    if (
      endpoint.bind(address, port, { sharing: 'exclusive' }) !== 0 ||
      endpoint.listen(LISTEN_BACKLOG) !== 0
    ) {
      endpoint.close();
      return null;
    }
    endpoint.context = new TcpAcceptor(endpoint, accept);
    return endpoint;
  }

  joinGroup(group: IpAddress, port: number, listener: DatagramListener): GroupSocket | null {
    const endpoint = this.#openUdp(group.family);
    if (endpoint === null) return null;
    endpoint.multicastTtl = GROUP_HOP_LIMIT;
    endpoint.ttl = GROUP_HOP_LIMIT;
    endpoint.reportsPortUnreachable = false;
    if (endpoint.bind(anyOf(group.family), port, { sharing: 'reuse' }) !== 0) {
      endpoint.close();
      return null;
    }
    return new UdpGroupSocket(endpoint, listener, group, port, this.#groupInterfaces);
  }

  links(): NameLink[] {
    return this.#stack.interfaces.flatMap((iface) =>
      iface.isUp && !iface.isLoopback
        ? {
            index: iface.index,
            addresses: iface.addresses.flatMap(({ address, state }) =>
              state === 'preferred' || state === 'deprecated' ? address : [],
            ),
          }
        : [],
    );
  }

  isOnLink(address: IpAddress): boolean {
    if (address.family === 6 && address.isLinkLocal) return true;
    return this.#stack.interfaces.some((iface) =>
      iface.addresses.some((held) => isWithinPrefix(address, held.address, held.prefixLength)),
    );
  }

  /** Interfaces that have a link: what goes to a group leaves by each of them. */
  readonly #groupInterfaces = (): number[] =>
    this.#stack.interfaces.flatMap(({ index, isUp, isLoopback }) => (isUp && !isLoopback ? index : []));

  /** @returns `null` when the stack has not this family */
  #openUdp(family: IpFamily): UdpEndpoint | null {
    try {
      return this.#stack.openUdp(family);
    } catch {
      return null;
    }
  }

  #openTcp(family: IpFamily): TcpEndpoint | null {
    try {
      return this.#stack.openTcp(family);
    } catch {
      return null;
    }
  }

  #bindByChance(endpoint: UdpEndpoint, family: IpFamily): boolean {
    for (let i = 0; i < PORT_TRIES; i++) {
      const port = FIRST_PORT + randomBelow(this.random, LAST_PORT - FIRST_PORT + 1);
      const error = endpoint.bind(anyOf(family), port, { sharing: 'exclusive' });
      if (error === 0) return true;
      if (error !== StackError.addressInUse && error !== StackError.accessDenied) return false;
    }
    return false;
  }
}

class UdpSocket extends NameEndpoint implements DatagramSocket {
  readonly #endpoint: UdpEndpoint;
  readonly #listener: DatagramListener;
  readonly #hasPeer: boolean;
  readonly #groupInterfaces: () => number[];
  #isClosed = false;

  constructor(
    endpoint: UdpEndpoint,
    listener: DatagramListener,
    hasPeer: boolean,
    groupInterfaces: () => number[],
  ) {
    super();
    this.#groupInterfaces = groupInterfaces;
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#hasPeer = hasPeer;
    endpoint.context = this;
  }

  send(bytes: Uint8Array, address: IpAddress, port: number): boolean {
    if (this.#isClosed) return false;
    if (address.isMulticast) return this.#sendToGroup(bytes, address, port);
    return this.#endpoint.send(bytes, 0, bytes.length, this.#hasPeer ? null : address, port) >= 0;
  }

  #sendToGroup(bytes: Uint8Array, group: IpAddress, port: number): boolean {
    let isSent = false;
    for (const index of this.#groupInterfaces()) {
      this.#endpoint.multicastInterface = index;
      if (this.#endpoint.send(bytes, 0, bytes.length, group, port) >= 0) isSent = true;
    }
    return isSent;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endpoint.close();
  }

  override happened(): void {
    while (!this.#isClosed) {
      const length = this.#endpoint.receive(datagram, 0, datagram.length, info);
      if (length === StackError.wouldBlock) return;
      if (length < 0) {
        this.#listener.failed?.();
        continue;
      }
      this.#listener.received(datagram.subarray(0, length), originOf(info));
    }
  }
}

class UdpGroupSocket extends UdpSocket implements GroupSocket {
  readonly #endpoint: UdpEndpoint;
  readonly #group: IpAddress;
  readonly #port: number;
  readonly #groupInterfaces: () => number[];
  #joined: number[] = [];

  constructor(
    endpoint: UdpEndpoint,
    listener: DatagramListener,
    group: IpAddress,
    port: number,
    groupInterfaces: () => number[],
  ) {
    super(endpoint, listener, false, groupInterfaces);
    this.#endpoint = endpoint;
    this.#group = group;
    this.#port = port;
    this.#groupInterfaces = groupInterfaces;
    this.refresh();
  }

  refresh(): void {
    const here = this.#groupInterfaces();
    // Of an interface that is gone the membership went with it.
    this.#joined = this.#joined.filter((index) => here.includes(index));
    for (const index of here) {
      if (this.#joined.includes(index)) continue;
      if (this.#endpoint.joinGroup(this.#group, { interfaceIndex: index }) === 0) this.#joined.push(index);
    }
  }

  sendOn(interfaceIndex: number, bytes: Uint8Array): boolean {
    this.#endpoint.multicastInterface = interfaceIndex;
    return this.#endpoint.send(bytes, 0, bytes.length, this.#group, this.#port) >= 0;
  }
}

class TcpStream extends NameEndpoint implements StreamSocket {
  readonly remoteAddress: IpAddress;
  readonly #endpoint: TcpEndpoint;
  #listener: StreamListener | null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isClosed = false;

  constructor(endpoint: TcpEndpoint, remoteAddress: IpAddress, listener: StreamListener | null) {
    super();
    this.#endpoint = endpoint;
    this.remoteAddress = remoteAddress;
    this.#listener = listener;
    endpoint.noDelay = true;
    endpoint.context = this;
  }

  /** Of a connection that was accepted. */
  listen(listener: StreamListener): void {
    this.#listener = listener;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#waitingBytes + bytes.length > MAX_WAITING) return false;
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += bytes.length;
    this.#flush();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener = null;
    // What is left unsaid is of no use when the rest of it can't be sent.
    if (this.#waitingBytes > 0) this.#endpoint.abort();
    else this.#endpoint.close();
  }

  override happened(events: number): void {
    if ((events & EndpointEvent.connected) !== 0) this.#listener?.connected?.();
    this.#flush();
    for (;;) {
      if (this.#isClosed) return;
      const length = this.#endpoint.read(streamBytes, 0, streamBytes.length);
      if (length === StackError.wouldBlock) break;
      if (length <= 0) {
        this.#end();
        return;
      }
      this.#listener?.received(streamBytes.subarray(0, length));
    }
    if ((events & (EndpointEvent.failed | EndpointEvent.closed)) !== 0) this.#end();
  }

  #flush(): void {
    while (!this.#isClosed) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const taken = this.#endpoint.write(first, 0, first.length);
      if (taken <= 0) return;
      this.#waitingBytes -= taken;
      if (taken < first.length) this.#waiting[0] = first.subarray(taken);
      else this.#waiting.shift();
    }
  }

  #end(): void {
    const listener = this.#listener;
    this.#listener = null;
    listener?.ended();
  }
}

class TcpAcceptor extends NameEndpoint {
  readonly #endpoint: TcpEndpoint;
  readonly #accept: (stream: StreamSocket) => StreamListener | null;

  constructor(endpoint: TcpEndpoint, accept: (stream: StreamSocket) => StreamListener | null) {
    super();
    this.#endpoint = endpoint;
    this.#accept = accept;
  }

  override happened(): void {
    for (;;) {
      const endpoint = this.#endpoint.accept();
      if (endpoint === null) return;
      const stream = new TcpStream(endpoint, endpoint.remoteAddress, null);
      const listener = this.#accept(stream);
      if (listener === null) {
        stream.close();
        continue;
      }
      stream.listen(listener);
      // What came with the handshake may have been told already.
      stream.happened(0);
    }
  }
}

function anyOf(family: IpFamily): IpAddress {
  return family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
}

function originOf({ source, sourcePort, destination, interfaceIndex, ttl }: DatagramInfo): DatagramOrigin {
  return { address: source, port: sourcePort, destination, interfaceIndex, ttl };
}

/** Whether two addresses agree in their first `length` bits. */
function isWithinPrefix(a: IpAddress, b: IpAddress, length: number): boolean {
  if (a.family !== b.family) return false;
  const words = a.family === 4 ? [a.w3 ^ b.w3] : [a.w0 ^ b.w0, a.w1 ^ b.w1, a.w2 ^ b.w2, a.w3 ^ b.w3];
  return words.every((word, i) => {
    const bits = Math.min(32, Math.max(0, length - 32 * i));
    return bits === 0 || word >>> (32 - bits) === 0;
  });
}

/** Filled and read in one go: nothing else runs in between that uses them. */
const datagram = new Uint8Array(65_535);
const streamBytes = new Uint8Array(READ_BYTES);
const info: DatagramInfo = createDatagramInfo();
