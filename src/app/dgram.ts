/**
 * `winsockd/dgram`: UDP in the shape of `node:dgram`, over Winsock's sockets.
 *
 * An interface of IPv6 is named by its name or its index: `fe80::1%eth0`, `::%2`.
 */

import { EventEmitter } from 'node:events';
import {
  AF_INET,
  AF_INET6,
  IP_ADD_MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_ADD_MEMBERSHIP,
  IPV6_DROP_MEMBERSHIP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_UNICAST_HOPS,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  SO_BROADCAST,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCKADDR_STORAGE_LEN,
  SOL_SOCKET,
  WSAECONNRESET,
  WSAEMSGSIZE,
  WSAENETRESET,
} from '../abi/index.ts';
import { IpAddress, type IpFamily, i32le, putI32le } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { hasNamedZone, type Lookup, lookupHost, numberedZone } from './host-lookup.ts';
import { KeepAlive } from './keep-alive.ts';
import { interfaceIndex, interfaceValue, membershipValue, membershipValueV6 } from './membership-value.ts';
import { type AddressInfo, addressBytes, addressInfo, checkPort } from './node-address.ts';
import { NodeStyleError, nodeError } from './node-error.ts';
import { startedWinsock } from './started.ts';

export type { Lookup } from './host-lookup.ts';
export type { AddressInfo } from './node-address.ts';
export { NodeStyleError } from './node-error.ts';
export { attachedTo, attachTo } from './process-winsock.ts';

/** The largest datagram there can be, with room to notice a larger one. */
const RECEIVE_LEN = 65536;

export interface DatagramOptions {
  readonly type: 'udp4' | 'udp6';
  readonly reuseAddr?: boolean | undefined;
  readonly lookup?: Lookup | undefined;
  readonly recvBufferSize?: number | undefined;
  readonly sendBufferSize?: number | undefined;
  /** Whose sockets; the process's own when absent. */
  readonly winsock?: Winsock | undefined;
}

/** Where a message came from. */
export interface RemoteInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
  readonly size: number;
}

export interface BindOptions {
  readonly port?: number | undefined;
  readonly address?: string | undefined;
}

type SendCallback = (error: Error | null, bytes: number) => void;
type Message = string | Uint8Array | readonly (string | Uint8Array)[];

/** A UDP socket. `onMessage` takes its 'message' events. */
export function createSocket(
  options: DatagramOptions | 'udp4' | 'udp6',
  onMessage?: (message: Buffer, from: RemoteInfo) => void,
): DatagramSocket {
  const socket = new DatagramSocket(typeof options === 'string' ? { type: options } : options);
  if (onMessage !== undefined) socket.on('message', onMessage);
  return socket;
}

export class DatagramSocket extends EventEmitter {
  readonly type: 'udp4' | 'udp6';
  readonly #options: DatagramOptions;
  #winsock: Winsock | null = null;
  #handle = 0;
  #isClosed = false;
  readonly #keepAlive = new KeepAlive();
  #local: AddressInfo | null = null;
  #remote: AddressInfo | null = null;
  /** The socket is being made and bound; also after it was. */
  #opening: Promise<void> | null = null;

  constructor(options: DatagramOptions) {
    super();
    if (options.type !== 'udp4' && options.type !== 'udp6')
      throw new NodeStyleError('socket', 'EAFNOSUPPORT', 0);
    this.type = options.type;
    this.#options = options;
  }

  get #family(): IpFamily {
    return this.type === 'udp4' ? 4 : 6;
  }

  /** Gives the socket its address; 'listening' follows. Port 0 or none: an unused one. */
  bind(options?: BindOptions, onListening?: () => void): this;
  bind(port?: number, address?: string, onListening?: () => void): this;
  bind(port?: number, onListening?: () => void): this;
  bind(target?: BindOptions | number, address?: string | (() => void), onListening?: () => void): this {
    const listener = typeof address === 'function' ? address : onListening;
    const options: BindOptions =
      typeof target === 'object'
        ? target
        : { port: target, address: typeof address === 'string' ? address : undefined };
    if (this.#opening !== null) throw new NodeStyleError('bind', 'ERR_SOCKET_ALREADY_BOUND', 0);
    if (listener !== undefined) this.once('listening', listener);
    this.#fail(this.#open(options));
    return this;
  }

  /** Sends a message; binds first when that was not done. A list of parts is one message. */
  send(message: Message, port?: number, address?: string, callback?: SendCallback): void;
  send(message: Message, port?: number, callback?: SendCallback): void;
  send(message: Message, callback?: SendCallback): void;
  send(
    message: Uint8Array | string,
    offset: number,
    length: number,
    port?: number,
    address?: string,
    callback?: SendCallback,
  ): void;
  send(message: Message, ...rest: readonly (number | string | SendCallback | undefined)[]): void {
    const callback = rest.find((argument): argument is SendCallback => typeof argument === 'function');
    const address = rest.find((argument): argument is string => typeof argument === 'string');
    const numbers = rest.filter((argument): argument is number => typeof argument === 'number');
    let bytes = toBytes(message);
    if (numbers.length >= 2) {
      const [offset = 0, length = 0] = numbers;
      bytes = bytes.subarray(offset, offset + length);
    }
    const port = numbers.length >= 2 ? numbers[2] : numbers[0];
    this.#send(bytes, port, address).then(
      (sent) => callback?.(null, sent),
      (error: unknown) => {
        if (callback === undefined) this.emit('error', error);
        else callback(error as Error, 0);
      },
    );
  }

  /** Names the peer of messages without a destination, and the only one that is heard. */
  connect(port: number, address?: string | (() => void), onConnect?: () => void): void {
    const listener = typeof address === 'function' ? address : onConnect;
    if (listener !== undefined) this.once('connect', listener);
    this.#fail(this.#connect(checkPort(port), typeof address === 'string' ? address : 'localhost'));
  }

  /** Undoes `connect`. */
  disconnect(): void {
    const ws = this.#winsock;
    if (this.#remote === null || ws === null) {
      throw new NodeStyleError('disconnect', 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 0);
    }
    this.#remote = null;
    void ws.connect(this.#handle, addressBytes(this.#family === 4 ? IpAddress.anyV4 : IpAddress.anyV6, 0));
  }

  /** Where it is bound. @throws {NodeStyleError} EBADF before that */
  address(): AddressInfo {
    if (this.#local === null) throw new NodeStyleError('getsockname', 'EBADF', 0);
    return this.#local;
  }

  /** The connected peer. @throws {NodeStyleError} without one */
  remoteAddress(): AddressInfo {
    if (this.#remote === null) throw new NodeStyleError('getpeername', 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 0);
    return this.#remote;
  }

  setBroadcast(flag: boolean): void {
    this.#setOption(SOL_SOCKET, SO_BROADCAST, flag ? 1 : 0);
  }

  setTTL(ttl: number): number {
    this.#setIpOption(IP_TTL, IPV6_UNICAST_HOPS, ttl);
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    this.#setIpOption(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, ttl);
    return ttl;
  }

  /**
   * Whether this socket gets what its own host sends to groups that it has joined. Deviation: as on Windows the receiver says so,
   * not the sender (SEM-MP-05).
   */
  setMulticastLoopback(flag: boolean): boolean {
    this.#setIpOption(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, flag ? 1 : 0);
    return flag;
  }

  /** The interface that datagrams to groups leave by: an address of its, or over IPv6 `::%` and its name or index. */
  setMulticastInterface(address: string): void {
    const call = 'setMulticastInterface';
    if (this.#family === 6 && hasNamedZone(address)) {
      this.#fail(this.#numbered(address).then((numbered) => this.setMulticastInterface(numbered)));
      return;
    }
    const value = this.#family === 4 ? interfaceValue(call, address) : interfaceIndex(call, address);
    this.#setIpOption(IP_MULTICAST_IF, IPV6_MULTICAST_IF, value);
  }

  /**
   * Joins a group on an interface, named as for {@link setMulticastInterface}; by default on the one that the route leads to.
   * Binds first.
   */
  addMembership(group: string, interfaceAddress?: string): void {
    this.#setMembership('addMembership', IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP, group, interfaceAddress);
  }

  dropMembership(group: string, interfaceAddress?: string): void {
    this.#setMembership('dropMembership', IP_DROP_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, group, interfaceAddress);
  }

  /** Joins a group for what comes from one source. */
  addSourceSpecificMembership(source: string, group: string, interfaceAddress?: string): void {
    const call = 'addSourceSpecificMembership';
    const option = IP_ADD_SOURCE_MEMBERSHIP;
    this.#setMembership(call, option, MCAST_JOIN_SOURCE_GROUP, group, interfaceAddress, source);
  }

  dropSourceSpecificMembership(source: string, group: string, interfaceAddress?: string): void {
    const call = 'dropSourceSpecificMembership';
    const option = IP_DROP_SOURCE_MEMBERSHIP;
    this.#setMembership(call, option, MCAST_LEAVE_SOURCE_GROUP, group, interfaceAddress, source);
  }

  setRecvBufferSize(size: number): void {
    this.#setOption(SOL_SOCKET, SO_RCVBUF, size);
  }

  setSendBufferSize(size: number): void {
    this.#setOption(SOL_SOCKET, SO_SNDBUF, size);
  }

  /** Bytes that wait to leave: a datagram is handed on at once. */
  getSendQueueSize(): number {
    return 0;
  }

  close(callback?: () => void): this {
    if (this.#isClosed) throw new NodeStyleError('close', 'ERR_SOCKET_DGRAM_NOT_RUNNING', 0);
    if (callback !== undefined) this.once('close', callback);
    this.#isClosed = true;
    const ws = this.#winsock;
    const handle = this.#handle;
    this.#handle = 0;
    const closing =
      ws === null || handle === 0 ? Promise.resolve(0) : Promise.resolve(ws.closesocket(handle));
    void closing.then(() => this.emit('close'));
    return this;
  }

  ref(): this {
    this.#keepAlive.ref();
    return this;
  }

  unref(): this {
    this.#keepAlive.unref();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  #open(options: BindOptions): Promise<void> {
    this.#opening ??= this.#create(options);
    return this.#opening;
  }

  async #create(options: BindOptions): Promise<void> {
    const ws = await startedWinsock(this.#options.winsock);
    const host = options.address ?? (this.#family === 4 ? '0.0.0.0' : '::');
    const port = checkPort(options.port ?? 0);
    const [address] = await lookupHost(ws, host, { lookup: this.#options.lookup, family: this.#family });
    const handle = await ws.socket(this.#family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    if (handle < 0) throw nodeError('socket', handle);
    if (this.#isClosed) {
      await ws.closesocket(handle);
      return;
    }
    this.#winsock = ws;
    this.#handle = handle;
    const { reuseAddr, recvBufferSize, sendBufferSize } = this.#options;
    if (reuseAddr === true) this.#setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    if (recvBufferSize !== undefined) this.setRecvBufferSize(recvBufferSize);
    if (sendBufferSize !== undefined) this.setSendBufferSize(sendBufferSize);
    const answer = await ws.bind(handle, addressBytes(address, port));
    if (answer < 0) {
      this.#opening = null;
      this.#handle = 0;
      await ws.closesocket(handle);
      throw nodeError('bind', answer, host, port);
    }
    const name = new Uint8Array(SOCKADDR_STORAGE_LEN);
    const length: Ref = { value: name.length };
    if ((await ws.getsockname(handle, name, length)) >= 0)
      this.#local = addressInfo(name.subarray(0, length.value));
    if (this.#isClosed) return;
    this.emit('listening');
    void this.#receiveAll(ws, handle);
  }

  async #connect(port: number, host: string): Promise<void> {
    await this.#open({});
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) return;
    const [address] = await lookupHost(ws, host, { lookup: this.#options.lookup, family: this.#family });
    if (this.#handle === 0) return;
    const answer = await ws.connect(this.#handle, addressBytes(address, port));
    if (answer < 0) throw nodeError('connect', answer, host, port);
    this.#remote = { address: address.toString(), family: address.family === 4 ? 'IPv4' : 'IPv6', port };
    this.emit('connect');
  }

  async #send(bytes: Uint8Array, port: number | undefined, host: string | undefined): Promise<number> {
    await this.#open({});
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0)
      throw new NodeStyleError('send', 'ERR_SOCKET_DGRAM_NOT_RUNNING', 0);
    let to: Uint8Array | null = null;
    if (port !== undefined) {
      const wanted = { lookup: this.#options.lookup, family: this.#family };
      const [address] = await lookupHost(ws, host ?? 'localhost', wanted);
      to = addressBytes(address, checkPort(port));
    }
    const sent =
      to === null
        ? await ws.send(this.#handle, bytes)
        : await ws.sendto(this.#handle, bytes, bytes.length, 0, to);
    if (sent < 0) throw nodeError('send', sent, host, port);
    return sent;
  }

  /** Receives until the socket is closed: one large buffer, each message copied out of it. */
  async #receiveAll(ws: Winsock, handle: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(RECEIVE_LEN);
    const from = new Uint8Array(SOCKADDR_STORAGE_LEN);
    const length: Ref = { value: 0 };
    while (this.#handle === handle) {
      length.value = from.length;
      this.#keepAlive.began(ws);
      const answer = await ws.recvfrom(handle, buffer, buffer.length, 0, from, length);
      this.#keepAlive.ended();
      if (this.#handle !== handle) return;
      const cut = answer === -WSAEMSGSIZE;
      // An ICMP error about something sent earlier is no reason to stop listening (SEM-IO-12, 13).
      if (answer === -WSAECONNRESET || answer === -WSAENETRESET) continue;
      if (answer < 0 && !cut) {
        this.emit('error', nodeError('recvmsg', answer));
        return;
      }
      const size = cut ? buffer.length : answer;
      const source = addressInfo(from.subarray(0, length.value));
      if (source === null) continue;
      this.emit('message', Buffer.from(buffer.subarray(0, size)), { ...source, size });
    }
  }

  /** Sets an option now or, without a socket yet, once it is bound. */
  #setOption(level: number, option: number, value: number): void {
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) {
      this.once('listening', () => this.#setOption(level, option, value));
      return;
    }
    const bytes = new Uint8Array(4);
    putI32le(bytes, 0, value);
    void ws.setsockopt(this.#handle, level, option, bytes);
  }

  /** As {@link #setOption}, at the level of the socket's family. */
  #setIpOption(option4: number, option6: number, value: number): void {
    if (this.#family === 4) this.#setOption(IPPROTO_IP, option4, value);
    else this.#setOption(IPPROTO_IPV6, option6, value);
  }

  /** Once the socket is there, which is made when need be. What fails is an 'error', or thrown when it is known at once. */
  #setMembership(
    call: string,
    option4: number,
    option6: number,
    group: string,
    on?: string,
    source: string | null = null,
  ): void {
    const isV4 = this.#family === 4;
    if (!isV4 && on !== undefined && hasNamedZone(on)) {
      const apply = (numbered: string): void =>
        this.#setMembership(call, option4, option6, group, numbered, source);
      this.#fail(this.#numbered(on).then(apply));
      return;
    }
    const [level, option] = isV4 ? [IPPROTO_IP, option4] : [IPPROTO_IPV6, option6];
    const value = isV4
      ? membershipValue(call, group, on ?? '0.0.0.0', source)
      : membershipValueV6(call, group, on ?? '', source);
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) {
      this.once('listening', () =>
        this.#fail(this.#applied(call, this.#winsock?.setsockopt(this.#handle, level, option, value) ?? 0)),
      );
      this.#fail(this.#open({}));
      return;
    }
    const answer = ws.setsockopt(this.#handle, level, option, value);
    if (typeof answer !== 'number') this.#fail(this.#applied(call, answer));
    else if (answer < 0) throw nodeError(call, answer);
  }

  /** An interface's name in the place of its index. */
  async #numbered(scope: string): Promise<string> {
    return numberedZone(await startedWinsock(this.#options.winsock), scope);
  }

  async #applied(call: string, answer: Answer): Promise<void> {
    const value = await answer;
    if (value < 0) throw nodeError(call, value);
  }

  #fail(work: Promise<void>): void {
    work.catch((error: unknown) => this.emit('error', error));
  }

  /** An option's number, for the sizes that the system may have rounded. */
  async readBufferSize(which: 'send' | 'receive'): Promise<number> {
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) throw new NodeStyleError('getsockopt', 'EBADF', 0);
    const bytes = new Uint8Array(4);
    const option = which === 'send' ? SO_SNDBUF : SO_RCVBUF;
    const answer = await ws.getsockopt(this.#handle, SOL_SOCKET, option, bytes, { value: 4 });
    if (answer < 0) throw nodeError('getsockopt', answer);
    return i32le(bytes, 0);
  }
}

function toBytes(message: Message): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message);
  if (message instanceof Uint8Array) return message;
  return Buffer.concat(message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
