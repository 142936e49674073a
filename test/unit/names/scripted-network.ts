/**
 * A network for the names room whose hosts are functions, in virtual time: what was sent is kept, what comes back is written by
 * the test.
 */

import { IpAddress, type IpFamily, type Random, SeededRandom } from '../../../src/base/index.ts';
import { decodeMessage, encodeMessage, frameForStream, StreamReader } from '../../../src/names/codec.ts';
import type { DnsMessage, DnsRecord, MessageParts } from '../../../src/names/message.ts';
import { RecordType } from '../../../src/names/message.ts';
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
} from '../../../src/names/network.ts';
import { VirtualTime } from '../../../src/sim/virtual-time.ts';

export const ip = (text: string): IpAddress => {
  const address = IpAddress.parse(text);
  if (address === null) throw new Error(`no address: ${text}`);
  return address;
};

/** What a server got, and how it answers. */
export interface Asked {
  readonly message: DnsMessage;
  readonly isStream: boolean;
  readonly at: number;
  readonly port: number;
  /** Sends bytes back, `delay` ms from now (default 1). @param from another sender than who was asked */
  send(
    bytes: Uint8Array,
    delay?: number,
    from?: { readonly address: IpAddress; readonly port: number },
  ): void;
  /** Answers the question. */
  reply(parts: Partial<MessageParts>, delay?: number): void;
  /** Port unreachable, or a connection that ends. */
  refuse(): void;
}

export type Server = (asked: Asked) => void;

interface OpenSocket {
  readonly listener: DatagramListener;
  readonly port: number;
  readonly group: IpAddress | null;
  isClosed: boolean;
}

export class ScriptedNetwork implements NameNetwork {
  readonly scheduler = new VirtualTime();
  readonly random: Random;
  /** By address; also by `address tcp` where streams are answered otherwise. */
  readonly servers = new Map<string, Server>();
  /** Every question, in order. */
  readonly asked: {
    readonly server: string;
    readonly message: DnsMessage;
    readonly isStream: boolean;
    readonly at: number;
  }[] = [];
  /** What our own listeners sent. */
  readonly told: { readonly bytes: Uint8Array; readonly address: IpAddress; readonly port: number }[] = [];
  readonly sockets = new Set<OpenSocket>();
  readonly #listeners = new Map<string, OpenSocket>();
  readonly #acceptors = new Map<string, (stream: StreamSocket) => StreamListener | null>();
  onLink: (address: IpAddress) => boolean = () => true;
  hasGroups = true;
  #lastPort = 50_000;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  get openSockets(): number {
    return this.sockets.size;
  }

  openDatagram(
    _family: IpFamily,
    listener: DatagramListener,
    options: { readonly peer?: { readonly address: IpAddress; readonly port: number } } = {},
  ): DatagramSocket | null {
    const { peer } = options;
    return this.#socket({ listener, port: this.#lastPort++, group: null, isClosed: false }, (origin) =>
      peer === undefined ? true : origin.port === peer.port && origin.address.equals(peer.address),
    );
  }

  listenDatagram(address: IpAddress, port: number, listener: DatagramListener): DatagramSocket | null {
    const socket = { listener, port, group: null, isClosed: false };
    this.#listeners.set(`${address} ${port}`, socket);
    return this.#socket(socket, () => true);
  }

  joinGroup(group: IpAddress, port: number, listener: DatagramListener): GroupSocket | null {
    if (!this.hasGroups) return null;
    const socket = this.#socket({ listener, port, group, isClosed: false }, () => true);
    return { ...socket, sendOn: (_index, bytes) => socket.send(bytes, group, port), refresh() {} };
  }

  links(): NameLink[] {
    return [{ index: 1, addresses: [ip('10.0.0.1')] }];
  }

  isOnLink(address: IpAddress): boolean {
    return this.onLink(address);
  }

  listenStream(
    address: IpAddress,
    port: number,
    accept: (stream: StreamSocket) => StreamListener | null,
  ): Closable | null {
    this.#acceptors.set(`${address} ${port}`, accept);
    return { close: () => void this.#acceptors.delete(`${address} ${port}`) };
  }

  openStream(address: IpAddress, port: number, listener: StreamListener): StreamSocket | null {
    const key = address.toString();
    const server = this.servers.get(`${key} tcp`) ?? this.servers.get(key);
    if (server === undefined) return null;
    const reader = new StreamReader();
    let isClosed = false;
    const alive = (delay: number, task: () => void): void => {
      this.scheduler.after(delay, () => {
        if (!isClosed) task();
      });
    };
    const end = (): void =>
      alive(1, () => {
        isClosed = true;
        listener.ended();
      });
    alive(1, () => listener.connected?.());
    return {
      remoteAddress: address,
      send: (bytes) => {
        for (const question of reader.take(bytes)) {
          const send = (answer: Uint8Array, delay = 1): void =>
            alive(delay, () => listener.received(frameForStream(answer)));
          this.#ask(key, server, question, true, port, send, end);
        }
        return true;
      },
      close: () => {
        isClosed = true;
      },
    };
  }

  /** A datagram from outside to one of our listeners; what is answered lies in `told`. */
  deliver(to: IpAddress, port: number, from: IpAddress, bytes: Uint8Array, fromPort = 40_000): void {
    const socket = this.#listeners.get(`${to} ${port}`);
    socket?.listener.received(bytes, {
      address: from,
      port: fromPort,
      destination: to,
      interfaceIndex: 1,
      ttl: 64,
    });
  }

  /** A datagram to a group. */
  multicast(
    group: IpAddress,
    port: number,
    from: IpAddress,
    bytes: Uint8Array,
    ttl = 255,
    fromPort = port,
  ): void {
    for (const socket of [...this.sockets]) {
      if (socket.group === null || !socket.group.equals(group) || socket.port !== port) continue;
      socket.listener.received(bytes, {
        address: from,
        port: fromPort,
        destination: group,
        interfaceIndex: 1,
        ttl,
      });
    }
  }

  /** A connection from outside. @returns what the other side may do and has got; `null` when it is refused */
  connectFrom(
    from: IpAddress,
    to: IpAddress,
    port: number,
  ): {
    readonly got: Uint8Array[];
    send(bytes: Uint8Array): void;
    end(): void;
    readonly isClosed: boolean;
  } | null {
    const accept = this.#acceptors.get(`${to} ${port}`);
    if (accept === undefined) return null;
    const got: Uint8Array[] = [];
    let isClosed = false;
    const listener = accept({
      remoteAddress: from,
      send: (bytes) => {
        if (!isClosed) got.push(bytes.slice());
        return true;
      },
      close: () => {
        isClosed = true;
      },
    });
    if (listener === null) return null;
    return {
      got,
      send: (bytes) => listener.received(bytes),
      end: () => listener.ended(),
      get isClosed() {
        return isClosed;
      },
    };
  }

  #socket(socket: OpenSocket, isHeard: (origin: DatagramOrigin) => boolean): DatagramSocket {
    this.sockets.add(socket);
    return {
      send: (bytes, address, port) => {
        this.told.push({ bytes: bytes.slice(), address, port });
        const key = address.toString();
        const server = this.servers.get(key);
        if (server === undefined) return true;
        const send: Asked['send'] = (answer, delay = 1, from = { address, port }) => {
          const origin = { ...from, destination: IpAddress.anyV4, interfaceIndex: 1, ttl: 255 };
          this.scheduler.after(delay, () => {
            if (!socket.isClosed && isHeard(origin)) socket.listener.received(answer, origin);
          });
        };
        const refuse = (): void =>
          void this.scheduler.after(1, () => {
            if (!socket.isClosed) socket.listener.failed?.();
          });
        this.#ask(key, server, bytes, false, port, send, refuse);
        return true;
      },
      close: () => {
        socket.isClosed = true;
        this.sockets.delete(socket);
      },
    };
  }

  #ask(
    key: string,
    server: Server,
    bytes: Uint8Array,
    isStream: boolean,
    port: number,
    send: Asked['send'],
    refuse: () => void,
  ): void {
    const message = decodeMessage(bytes);
    if (message === null) throw new Error('we sent a malformed message');
    const at = this.scheduler.now();
    this.asked.push({ server: key, message, isStream, at });
    server({
      message,
      isStream,
      at,
      port,
      send,
      refuse,
      reply: (parts, delay) => send(answerTo(message, parts), delay),
    });
  }

  /** Lets time go by until `promise` is settled. @throws {Error} when nothing is left that could settle it */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await settled();
      if (isSettled) return promise;
      if (!this.scheduler.step()) throw new Error('nothing is left to happen, and the promise is open');
    }
  }

  /** Lets `ms` go by. */
  async pass(ms: number): Promise<void> {
    const end = this.scheduler.now() + ms;
    await settled();
    while (this.scheduler.step(end)) await settled();
    this.scheduler.skipTo(end);
  }
}

/** Runs what promises have left to do. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The bytes of an answer to a question. */
export function answerTo(query: DnsMessage, parts: Partial<MessageParts>): Uint8Array {
  return encodeMessage({
    id: query.id,
    isResponse: true,
    recursionDesired: query.recursionDesired,
    recursionAvailable: true,
    questions: query.questions,
    ...parts,
  });
}

export const a = (name: string, address: string, ttl = 300): DnsRecord => ({
  kind: 'address',
  name,
  type: address.includes(':') ? RecordType.AAAA : RecordType.A,
  ttl,
  address: ip(address),
});

export const cname = (name: string, target: string, ttl = 300): DnsRecord => ({
  kind: 'name',
  name,
  type: RecordType.CNAME,
  ttl,
  target,
});

export const ptr = (name: string, target: string, ttl = 300): DnsRecord => ({
  kind: 'name',
  name,
  type: RecordType.PTR,
  ttl,
  target,
});

export const ns = (name: string, target: string): DnsRecord => ({
  kind: 'name',
  name,
  type: RecordType.NS,
  ttl: 300,
  target,
});

export const soa = (name: string, ttl = 900, minimum = 60): DnsRecord => ({
  kind: 'authority',
  name,
  type: RecordType.SOA,
  ttl,
  soa: { mname: `ns.${name}`, rname: `admin.${name}`, serial: 1, refresh: 2, retry: 3, expire: 4, minimum },
});

export const txt = (name: string, ...texts: string[]): DnsRecord => ({
  kind: 'text',
  name,
  type: RecordType.TXT,
  ttl: 300,
  texts: texts.map((text) => new TextEncoder().encode(text)),
});

/** A server that knows some records; an answer has those of the name asked for, through its aliases. */
export function zone(...records: DnsRecord[]): Server {
  return ({ message, reply }) => {
    const [question] = message.questions;
    if (question === undefined) return;
    const answers: DnsRecord[] = [];
    let name = question.name.toLowerCase();
    for (let step = 0; step < 20; step++) {
      const here = records.filter((record) => record.name === name);
      const wanted = here.filter(({ type }) => type === question.type || question.type === RecordType.ANY);
      if (wanted.length > 0) return reply({ answers: [...answers, ...wanted] });
      const alias = here.find(({ type }) => type === RecordType.CNAME);
      if (alias?.kind !== 'name') {
        const isThere = records.some((record) => record.name === name || record.name.endsWith(`.${name}`));
        return reply({ answers, rcode: isThere ? 0 : 3, authorities: [soa('example')] });
      }
      answers.push(alias);
      name = alias.target;
    }
  };
}
