/**
 * A TCP connection in the shape of Node's `net.Socket`.
 *
 * The stream's own machinery does the buffering: one receive is under way while there is demand, and writes are handed on
 * one after the other, several small ones as one. A receive asks for as much as the last ones brought, between
 * {@link MIN_READ} and {@link MAX_READ}, so that an idle connection holds little and a busy one moves large chunks.
 */

import { Duplex, type DuplexOptions } from 'node:stream';
import {
  IPPROTO_TCP,
  SD_SEND,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../abi/index.ts';
import { IpAddress, putI32le } from '../base/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { type Lookup, lookupHost } from './host-lookup.ts';
import { KeepAlive } from './keep-alive.ts';
import { type AddressInfo, addressBytes, checkPort, familyOf, nameOf } from './node-address.ts';
import { NodeStyleError, nodeError } from './node-error.ts';
import { startedWinsock } from './started.ts';
import { coalesce, sendAll } from './stream-writes.ts';
import { withinTime } from './within-time.ts';

/** Bounds of one receive, bytes. */
const MIN_READ = 4 * 1024;
const MAX_READ = 256 * 1024;

/** Bytes that wait in each direction before the other side of the stream is asked to hold on. */
const HIGH_WATER_MARK = 64 * 1024;

/** Time for one of several addresses, ms: as Node has it. */
const ATTEMPT_MS = 250;

export interface SocketOptions extends Pick<DuplexOptions, 'allowHalfOpen' | 'signal'> {
  /** Whose sockets; the process's own when absent. */
  readonly winsock?: Winsock | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
  /** Leaves an accepted connection unread until somebody asks for data. */
  readonly pauseOnConnect?: boolean | undefined;
}

export interface ConnectOptions {
  readonly port: number | string;
  /** Default `localhost`. */
  readonly host?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** Finds the addresses of names; the stack's own getaddrinfo when absent. */
  readonly lookup?: Lookup | undefined;
  /** 4 or 6; 0, the default: both, one address after the other. */
  readonly family?: number | undefined;
  /** How long an address is tried while there is another one, ms. Default 250. */
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Idle time after which 'timeout' is emitted, ms. */
  readonly timeout?: number | undefined;
}

/** A connection that a server accepted. */
export interface AcceptedConnection {
  readonly winsock: Winsock;
  readonly handle: number;
  readonly local: AddressInfo | null;
  readonly remote: AddressInfo | null;
}

export class Socket extends Duplex {
  /** A connect is under way. */
  connecting = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Idle time for 'timeout', ms; undefined when there is none. */
  timeout: number | undefined;
  readonly #options: SocketOptions;
  #winsock: Winsock | null = null;
  /** The SOCKET; 0 before it is made and after it is closed. */
  #handle = 0;
  #local: AddressInfo | null = null;
  #remote: AddressInfo | null = null;
  #isConnected = false;
  #isReceiving = false;
  /** Data was asked for before there was a connection. */
  #isWanted = false;
  #readSize = MIN_READ;
  /** A buffer that a receive did not use up. */
  #spare: Buffer | null = null;
  #timer: NodeJS.Timeout | null = null;
  #resets = false;
  /** Of the receive that waits: one that is connecting or sending holds the process in any case. */
  readonly #keepAlive = new KeepAlive();

  constructor(options: SocketOptions = {}, accepted: AcceptedConnection | null = null) {
    super({
      allowHalfOpen: options.allowHalfOpen ?? false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      highWaterMark: HIGH_WATER_MARK,
      emitClose: false,
      autoDestroy: true,
      decodeStrings: true,
    });
    this.#options = options;
    // Without half-open, the end of the peer's data ends ours: `Duplex` calls `end` itself.
    if (accepted !== null) {
      this.#winsock = accepted.winsock;
      this.#handle = accepted.handle;
      this.#local = accepted.local;
      this.#remote = accepted.remote;
      this.#isConnected = true;
      this.#applyOptions();
      // Data and the end are noticed before somebody listens, as in Node.
      if (options.pauseOnConnect === true) this.pause();
      else this.read(0);
    }
  }

  get remoteAddress(): string | undefined {
    return this.#remote?.address;
  }

  get remotePort(): number | undefined {
    return this.#remote?.port;
  }

  get remoteFamily(): string | undefined {
    return this.#remote?.family;
  }

  get localAddress(): string | undefined {
    return this.#local?.address;
  }

  get localPort(): number | undefined {
    return this.#local?.port;
  }

  get localFamily(): string | undefined {
    return this.#local?.family;
  }

  /** Neither connected nor on its way. */
  get pending(): boolean {
    return !this.#isConnected;
  }

  /** Bytes that wait to be sent. */
  get bufferSize(): number {
    return this.writableLength;
  }

  get readyState(): string {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** The socket's own address; `{}` when it has none. */
  address(): AddressInfo | Record<string, never> {
    return this.#local ?? {};
  }

  connect(options: ConnectOptions, onConnect?: () => void): this;
  connect(port: number, host?: string, onConnect?: () => void): this;
  connect(port: number, onConnect?: () => void): this;
  connect(target: ConnectOptions | number, host?: string | (() => void), onConnect?: () => void): this {
    const listener = typeof host === 'function' ? host : onConnect;
    const options: ConnectOptions =
      typeof target === 'number' ? { port: target, ...(typeof host === 'string' ? { host } : {}) } : target;
    const port = checkPort(options.port);
    if (listener !== undefined) this.once('connect', listener);
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    this.connecting = true;
    this.#connect(options, port).catch((error: unknown) => {
      this.connecting = false;
      this.destroy(error instanceof Error ? error : new NodeStyleError('connect', 'EIO', 0));
    });
    return this;
  }

  /** Emits 'timeout' after `ms` without traffic; 0 ends that. The connection stays open. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    this.timeout = ms === 0 ? undefined : ms;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (onTimeout !== undefined) {
      if (ms === 0) this.off('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    this.#touch();
    return this;
  }

  setNoDelay(noDelay = true): this {
    this.#setOption(IPPROTO_TCP, TCP_NODELAY, noDelay ? 1 : 0);
    return this;
  }

  /** @param initialDelay ms of silence before the first probe; 0 leaves it as it is */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#setOption(SOL_SOCKET, SO_KEEPALIVE, enable ? 1 : 0);
    const seconds = Math.floor(initialDelay / 1000);
    if (seconds > 0) this.#setOption(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
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

  /** Ends the connection once everything written is sent. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends the connection with a reset. */
  resetAndDestroy(): this {
    this.#resets = true;
    this.destroy();
    return this;
  }

  override _read(): void {
    if (this.#isConnected && !this.#isReceiving) this.#receive();
    else if (!this.#isConnected) this.#isWanted = true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#afterConnect(() => this.#send([chunk], callback), callback);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#afterConnect(() => this.#send(coalesce(chunks.map(({ chunk }) => chunk)), callback), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#isConnected && !this.connecting) {
      callback();
      return;
    }
    this.#afterConnect(() => {
      const ws = this.#winsock;
      if (ws === null || this.#handle === 0) {
        callback();
        return;
      }
      void settle(ws.shutdown(this.#handle, SD_SEND), () => callback());
    }, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#isConnected = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#spare = null;
    const ws = this.#winsock;
    const handle = this.#handle;
    this.#handle = 0;
    const done = (): void => {
      callback(error);
      process.nextTick(() => this.emit('close', error !== null));
    };
    if (ws === null || handle === 0) {
      done();
      return;
    }
    if (this.#resets) void ws.setsockopt(handle, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0));
    void settle(ws.closesocket(handle), done);
  }

  async #connect(options: ConnectOptions, port: number): Promise<void> {
    const host = options.host ?? 'localhost';
    const ws = await startedWinsock(this.#options.winsock);
    const found = await lookupHost(ws, host, options);
    // What is bound to an address of one family connects within it.
    const local = options.localAddress === undefined ? null : IpAddress.parse(options.localAddress);
    const same = found.filter(({ family }) => local === null || family === local.family);
    const addresses = same.length > 0 ? same : found;
    for (const each of addresses) this.emit('lookup', null, `${each}`, each.family, host);
    if (this.destroyed) return;
    this.#winsock = ws;
    const address = await this.#connectToAny(ws, options, addresses, port);
    if (address === null) return;
    const handle = this.#handle;
    this.#local = await nameOf((name, length) => ws.getsockname(handle, name, length));
    this.#remote = { address: address.toString(), family: address.family === 4 ? 'IPv4' : 'IPv6', port };
    if (this.destroyed) return;
    this.connecting = false;
    this.#isConnected = true;
    this.#touch();
    this.emit('connect');
    this.emit('ready');
    // Whoever asked for data meanwhile found no connection, and does not ask again.
    if (this.#isWanted) this.#receive();
    else if (!this.isPaused()) this.read(0);
  }

  /** Tries one address after the other. @returns the one that answered; `null` when this socket is gone */
  async #connectToAny(
    ws: Winsock,
    options: ConnectOptions,
    addresses: readonly IpAddress[],
    port: number,
  ): Promise<IpAddress | null> {
    const errors: Error[] = [];
    for (const [i, address] of addresses.entries()) {
      const handle = await ws.socket(familyOf(address), SOCK_STREAM, IPPROTO_TCP);
      if (handle < 0) throw nodeError('socket', handle);
      if (this.destroyed) {
        await ws.closesocket(handle);
        return null;
      }
      this.#handle = handle;
      if (options.localAddress !== undefined || options.localPort !== undefined) {
        const any = address.family === 4 ? '0.0.0.0' : '::';
        await bindLocal(ws, handle, options.localAddress ?? any, options.localPort ?? 0);
      }
      this.#applyOptions();
      this.#touch();
      const limit = i + 1 < addresses.length ? (options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_MS) : 0;
      const answer = await withinTime(ws.connect(handle, addressBytes(address, port)), limit);
      if (this.destroyed) return null;
      if (answer >= 0) return address;
      errors.push(nodeError('connect', answer, address.toString(), port));
      if (i + 1 < addresses.length) {
        this.#handle = 0;
        void ws.closesocket(handle);
      }
    }
    const [first] = errors;
    if (errors.length <= 1) throw first;
    const all = new AggregateError(errors);
    throw Object.assign(all, { code: first instanceof NodeStyleError ? first.code : undefined });
  }

  #applyOptions(): void {
    const { noDelay, keepAlive, keepAliveInitialDelay } = this.#options;
    if (noDelay === true) this.setNoDelay(true);
    if (keepAlive === true) this.setKeepAlive(true, keepAliveInitialDelay);
  }

  /** One receive, and the next when there is still demand: `push` asks `_read` again. */
  #receive(): void {
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) return;
    const spare = this.#spare;
    const buffer =
      spare !== null && spare.length === this.#readSize ? spare : Buffer.allocUnsafeSlow(this.#readSize);
    this.#spare = null;
    const answer = ws.recv(this.#handle, buffer, buffer.length, 0);
    if (typeof answer === 'number') {
      this.#received(buffer, answer);
      return;
    }
    this.#isReceiving = true;
    this.#keepAlive.began(ws);
    void answer.then((late) => {
      this.#keepAlive.ended();
      this.#isReceiving = false;
      this.#received(buffer, late);
    });
  }

  #received(buffer: Buffer, answer: number): void {
    if (this.destroyed) return;
    if (answer < 0) {
      this.destroy(nodeError('read', answer));
      return;
    }
    this.#touch();
    if (answer === 0) {
      this.push(null);
      // Nobody may be reading: the end is noticed all the same.
      if (this.readableLength === 0) this.read(0);
      return;
    }
    this.bytesRead += answer;
    this.#adapt(answer);
    if (answer >= buffer.length / 2) {
      this.push(answer === buffer.length ? buffer : buffer.subarray(0, answer));
    } else {
      // A small piece must not hold a large buffer.
      this.#spare = buffer;
      this.push(Buffer.from(buffer.subarray(0, answer)));
    }
  }

  /** A receive that was filled doubles the next; one that brought little halves it. */
  #adapt(received: number): void {
    if (received === this.#readSize) this.#readSize = Math.min(this.#readSize * 2, MAX_READ);
    else if (received < this.#readSize / 4) this.#readSize = Math.max(this.#readSize / 2, MIN_READ);
  }

  /** Sends the chunks one after the other. */
  #send(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    const ws = this.#winsock;
    if (ws === null || this.#handle === 0) {
      callback(new NodeStyleError('write', 'EPIPE', 0));
      return;
    }
    const sent = (length: number): boolean => {
      this.bytesWritten += length;
      this.#touch();
      return !this.destroyed;
    };
    sendAll(ws, this.#handle, chunks, sent, callback);
  }

  #afterConnect(run: () => void, fail: (error: Error) => void): void {
    if (this.#isConnected) {
      run();
      return;
    }
    if (!this.connecting) {
      fail(new NodeStyleError('write', 'EPIPE', 0));
      return;
    }
    const onConnect = (): void => {
      this.off('close', onClose);
      run();
    };
    const onClose = (): void => {
      this.off('connect', onConnect);
      fail(new NodeStyleError('write', 'ECANCELED', 0));
    };
    this.once('connect', onConnect);
    this.once('close', onClose);
  }

  /** Sets an option now, or not at all: before there is a socket the constructor's options are the way. */
  #setOption(level: number, option: number, value: number): void {
    if (this.#winsock === null || this.#handle === 0) {
      this.once('connect', () => this.#setOption(level, option, value));
      return;
    }
    const bytes = new Uint8Array(4);
    putI32le(bytes, 0, value);
    void this.#winsock.setsockopt(this.#handle, level, option, bytes);
  }

  /** There was traffic: the idle time begins anew. */
  #touch(): void {
    if (this.timeout === undefined || this.destroyed) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
    } else if (this.#timer !== null) {
      this.#timer.refresh();
    } else {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.emit('timeout');
      }, this.timeout);
      this.#timer.unref();
    }
  }
}

async function bindLocal(ws: Winsock, handle: number, address: string, port: number): Promise<void> {
  const local = IpAddress.parse(address);
  if (local === null) throw new NodeStyleError('bind', 'EINVAL', 0, address, port);
  const answer = await ws.bind(handle, addressBytes(local, port));
  if (answer < 0) throw nodeError('bind', answer, address, port);
}

/** Calls `then` with an answer, now when it is there. */
function settle(answer: number | Promise<number>, then: (answer: number) => void): Promise<void> | undefined {
  if (typeof answer !== 'number') return answer.then(then);
  then(answer);
  return undefined;
}
