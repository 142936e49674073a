/**
 * Two hosts on a wire in virtual time, each with an afd, and clients that speak `AfdPort` to them.
 */

import {
  AF_INET,
  readSockaddr,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  sockaddrOf,
} from '../../../src/abi/index.ts';
import {
  type Afd,
  type AfdLimits,
  type AfdPolicy,
  createAfd,
  DAEMON_POLICY,
  observeEndpoint,
} from '../../../src/afd/index.ts';
import { IpAddress, i32le, putI32le, SeededRandom } from '../../../src/base/index.ts';
import { type AfdCompletion, AfdOp, type AfdPort, type AfdRequest } from '../../../src/port/index.ts';
import { createNetwork, type NetworkHostOptions, type SimHost } from '../../../src/sim/index.ts';

export const SERVER = '10.0.0.1';
export const CLIENT = '10.0.0.2';

/** What became of a request; filled when it completes. */
export interface Outcome {
  readonly id: number;
  /** It did not end at once. */
  readonly pended: boolean;
  isDone: boolean;
  error: number;
  value: number;
  flags: number;
  address: Uint8Array | null;
  data: Uint8Array | null;
  /** The request's own buffer. */
  into: Uint8Array | null;
}

/** A SOCKADDR_IN from text. */
export function sockaddr(address: string, port: number): Uint8Array {
  return sockaddrOf(IpAddress.parse(address) as IpAddress, port);
}

/** `address:port` of a sockaddr. */
export function text(bytes: Uint8Array | null): string {
  const read = bytes === null ? null : readSockaddr(bytes);
  return read === null ? '' : `${read.address}:${read.port}`;
}

/** A DWORD as bytes. */
export function dword(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32le(bytes, 0, value);
  return bytes;
}

export function bytesOf(string: string): Uint8Array {
  return new TextEncoder().encode(string);
}

export function stringOf(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}

/** A process with a session. */
export class Client {
  readonly port: AfdPort;
  readonly #outcomes = new Map<number, Outcome>();
  /** Ids in the order in which they completed. */
  readonly completed: number[] = [];
  #id = 0;

  constructor(port: AfdPort) {
    this.port = port;
    port.onComplete = (completion) => {
      const outcome = this.#outcomes.get(completion.id);
      if (outcome === undefined || outcome.isDone) throw new Error(`completed twice: ${completion.id}`);
      fill(outcome, completion);
      this.completed.push(completion.id);
    };
  }

  call(op: AfdOp, descriptor: number, fields: Partial<AfdRequest> = {}): Outcome {
    const id = ++this.#id;
    const request: AfdRequest = {
      id,
      op,
      descriptor,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data: null,
      into: null,
      ...fields,
    };
    const outcome: Outcome = {
      id,
      pended: true,
      isDone: false,
      error: -1,
      value: 0,
      flags: 0,
      address: null,
      data: null,
      into: request.into,
    };
    this.#outcomes.set(id, outcome);
    const completion = this.port.submit(request);
    if (completion === null) return outcome;
    fill(outcome, completion);
    return Object.assign(outcome, { pended: false });
  }

  socket(type: number, protocol = 0): number {
    const outcome = this.call(AfdOp.socket, 0, { a: AF_INET, b: type, flags: protocol });
    return outcome.error === 0 ? outcome.value : -outcome.error;
  }

  stream = (): number => this.socket(SOCK_STREAM);
  datagram = (): number => this.socket(SOCK_DGRAM);
  raw = (protocol: number): number => this.socket(SOCK_RAW, protocol);
  bind = (d: number, address: string, port: number): number =>
    this.call(AfdOp.bind, d, { address: sockaddr(address, port) }).error;
  listen = (d: number, backlog = 5): number => this.call(AfdOp.listen, d, { a: backlog }).error;
  accept = (d: number, flags = 0): Outcome => this.call(AfdOp.accept, d, { flags });
  connect = (d: number, address: string, port: number, flags = 0): Outcome =>
    this.call(AfdOp.connect, d, { address: sockaddr(address, port), flags });
  send = (d: number, data: Uint8Array | string, flags = 0): Outcome =>
    this.call(AfdOp.send, d, { data: typeof data === 'string' ? bytesOf(data) : data, flags });
  sendTo = (d: number, data: Uint8Array | string, address: string, port: number): Outcome =>
    this.call(AfdOp.send, d, {
      data: typeof data === 'string' ? bytesOf(data) : data,
      address: sockaddr(address, port),
    });
  recv = (d: number, length = 4096, flags = 0): Outcome =>
    this.call(AfdOp.recv, d, { into: new Uint8Array(length), flags });
  shutdown = (d: number, how: number): number => this.call(AfdOp.shutdown, d, { a: how }).error;
  close = (d: number, flags = 0): Outcome => this.call(AfdOp.close, d, { flags });
  sockName = (d: number): Outcome => this.call(AfdOp.getSockName, d);
  peerName = (d: number): Outcome => this.call(AfdOp.getPeerName, d);
  setOption = (d: number, level: number, option: number, data: Uint8Array | null): number =>
    this.call(AfdOp.setOption, d, { a: level, b: option, data }).error;
  getOption = (d: number, level: number, option: number, length = 4): Outcome =>
    this.call(AfdOp.getOption, d, { a: level, b: option, into: new Uint8Array(length) });
  /** A DWORD option's value, or minus the error. */
  option = (d: number, level: number, option: number): number => {
    const outcome = this.getOption(d, level, option);
    if (outcome.error !== 0) return -outcome.error;
    return outcome.value === 1 ? (outcome.into?.[0] ?? 0) : i32le(outcome.into as Uint8Array, 0);
  };
  ioctl = (d: number, code: number, data: Uint8Array | null, length = 0): Outcome =>
    this.call(AfdOp.ioctl, d, { a: code, data, into: length === 0 ? null : new Uint8Array(length) });
  select = (d: number, mask: number, isByMessage = false): number =>
    this.call(AfdOp.eventSelect, d, { a: mask, b: isByMessage ? 1 : 0 }).error;
  waitEvents = (d: number): Outcome => this.call(AfdOp.waitEvents, d, { into: new Uint8Array(40) });
  enumEvents = (d: number): Outcome => this.call(AfdOp.enumEvents, d, { into: new Uint8Array(40) });
  /** An AFD poll of {descriptor, events} pairs. */
  poll = (entries: readonly (readonly [number, number])[], timeout = 0): Outcome => {
    const data = new Uint8Array(entries.length * 8);
    entries.forEach(([descriptor, events], i) => {
      putI32le(data, 8 * i, descriptor);
      putI32le(data, 8 * i + 4, events);
    });
    return this.call(AfdOp.poll, 0, { data, a: timeout, into: new Uint8Array(entries.length * 12) });
  };

  /** Events of `d` that a poll finds true now. */
  ready = (d: number, events = 0x1ff): number => {
    const outcome = this.poll([[d, events]]);
    return outcome.value === 0 ? 0 : i32le(outcome.into as Uint8Array, 4);
  };

  nonBlocking = (d: number): void => {
    const outcome = this.ioctl(d, 0x8004_667e | 0, dword(1));
    if (outcome.error !== 0) throw new Error(`FIONBIO: ${outcome.error}`);
  };
}

function fill(outcome: Outcome, completion: AfdCompletion): void {
  outcome.isDone = true;
  outcome.error = completion.error;
  outcome.value = completion.value;
  outcome.flags = completion.flags;
  // Good only until the next call.
  outcome.address = completion.address === null ? null : completion.address.slice();
  outcome.data = completion.data === null ? null : completion.data.slice();
}

/** A host with its afd. */
export interface Machine {
  readonly host: SimHost;
  readonly afd: Afd;
  client(identity?: { pid?: number; uid?: number }, limits?: AfdLimits): Client;
}

export interface RigOptions {
  readonly policy?: AfdPolicy;
  readonly mtu?: number;
  readonly host?: Partial<NetworkHostOptions>;
}

/** Two machines on one wire. */
export function createRig(options: RigOptions = {}) {
  const network = createNetwork({ seed: 11 });
  const segment = network.segment({ mtu: options.mtu ?? 1500 });
  const machine = (name: string, address: string): Machine => {
    const host = network.host({
      name,
      segment,
      addresses: [`${address}/24`],
      observer: observeEndpoint,
      ...options.host,
    });
    const afd = createAfd({
      stack: host.stack,
      scheduler: network.time,
      random: new SeededRandom(5),
      policy: options.policy ?? DAEMON_POLICY,
    });
    return {
      host,
      afd,
      client: ({ pid = 100, uid = 1000 } = {}, limits) =>
        new Client(afd.openSession({ pid, uid, gid: uid }, limits)),
    };
  };
  const server = machine('server', SERVER);
  const client = machine('client', CLIENT);
  return {
    network,
    server,
    client,
    /** Lets `ms` of virtual time pass. */
    run(ms = 50): void {
      network.runSync(network.now + ms);
    },
  };
}

export type Rig = ReturnType<typeof createRig>;

/** A client's stream connected to a server's, both blocking. */
export function connectPair(rig: Rig, port = 80) {
  const server = rig.server.client();
  const client = rig.client.client({ pid: 200 });
  const listener = server.stream();
  expectOk(server.bind(listener, '0.0.0.0', port));
  expectOk(server.listen(listener));
  const c = client.stream();
  const connecting = client.connect(c, SERVER, port);
  const accepting = server.accept(listener);
  rig.run();
  expectOk(connecting.error);
  expectOk(accepting.error);
  return { server, client, listener, c, s: accepting.value };
}

/** Two datagram sockets, the server's bound to `port`. */
export function datagramPair(rig: Rig, port = 53) {
  const server = rig.server.client();
  const client = rig.client.client({ pid: 200 });
  const s = server.datagram();
  expectOk(server.bind(s, SERVER, port));
  return { server, client, s, c: client.datagram() };
}

function expectOk(error: number): void {
  if (error !== 0) throw new Error(`set-up failed with ${error}`);
}
