/**
 * A TCP listener in the shape of Node's `net.Server`.
 */

import { EventEmitter } from 'node:events';
import {
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOCK_STREAM,
  SOCKADDR_STORAGE_LEN,
  SOMAXCONN,
  WSAECONNRESET,
  WSAEMFILE,
  WSAENOBUFS,
} from '../abi/index.ts';
import type { Ref } from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { lookupHost } from './host-lookup.ts';
import { KeepAlive } from './keep-alive.ts';
import { Socket } from './net-socket.ts';
import { type AddressInfo, addressBytes, addressInfo, checkPort, familyOf, nameOf } from './node-address.ts';
import { NodeStyleError, nodeError } from './node-error.ts';
import { startedWinsock } from './started.ts';

/** Time until the next accept after one that failed for lack of resources, ms. */
const ACCEPT_PAUSE = 50;

export interface ServerOptions {
  /** Whose sockets; the process's own when absent. */
  readonly winsock?: Winsock | undefined;
  readonly allowHalfOpen?: boolean | undefined;
  readonly pauseOnConnect?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
}

export interface ListenOptions {
  /** `::` takes connections of IPv6 alone. */
  readonly ipv6Only?: boolean | undefined;
  readonly port?: number | string | undefined;
  /** Default: every address. */
  readonly host?: string | undefined;
  readonly backlog?: number | undefined;
}

export class Server extends EventEmitter {
  listening = false;
  /** More connections than this at a time are closed at once, with a 'drop' event. */
  maxConnections: number | undefined;
  readonly #options: ServerOptions;
  readonly #connections = new Set<Socket>();
  #winsock: Winsock | null = null;
  #handle = 0;
  #address: AddressInfo | null = null;
  #isClosing = false;
  readonly #keepAlive = new KeepAlive();

  constructor(options?: ServerOptions, onConnection?: (socket: Socket) => void);
  constructor(onConnection?: (socket: Socket) => void);
  constructor(options?: ServerOptions | ((socket: Socket) => void), onConnection?: (socket: Socket) => void) {
    super();
    this.#options = typeof options === 'object' ? options : {};
    const listener = typeof options === 'function' ? options : onConnection;
    if (listener !== undefined) this.on('connection', listener);
  }

  listen(options: ListenOptions, onListening?: () => void): this;
  listen(port?: number | string, host?: string, backlog?: number, onListening?: () => void): this;
  listen(port?: number | string, host?: string, onListening?: () => void): this;
  listen(port?: number | string, onListening?: () => void): this;
  listen(onListening?: () => void): this;
  listen(...args: readonly unknown[]): this {
    const { options, listener } = readListenArguments(args);
    const port = checkPort(options.port ?? 0);
    if (listener !== undefined) this.once('listening', listener);
    if (this.#handle !== 0 || this.listening) {
      throw new NodeStyleError('listen', 'ERR_SERVER_ALREADY_LISTEN', 0);
    }
    this.#isClosing = false;
    this.#listen(options, port).catch((error: unknown) => this.emit('error', error));
    return this;
  }

  /** Where it listens; `null` when it doesn't. */
  address(): AddressInfo | null {
    return this.#address;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(() => callback(null, this.#connections.size));
    return this;
  }

  /** Accepts no more; 'close' comes when the last connection has ended. */
  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      if (this.listening) this.once('close', () => callback());
      else process.nextTick(() => callback(new NodeStyleError('close', 'ERR_SERVER_NOT_RUNNING', 0)));
    }
    const ws = this.#winsock;
    const handle = this.#handle;
    this.#isClosing = true;
    this.listening = false;
    this.#handle = 0;
    this.#address = null;
    if (ws === null || handle === 0) return this;
    void Promise.resolve(ws.closesocket(handle)).then(() => this.#closeWhenIdle());
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
    if (!this.listening) return;
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  async #listen(options: ListenOptions, port: number): Promise<void> {
    const ws = await startedWinsock(this.#options.winsock);
    const host = options.host ?? '0.0.0.0';
    const [address] = await lookupHost(ws, host, {});
    this.#winsock = ws;
    const handle = await ws.socket(familyOf(address), SOCK_STREAM, IPPROTO_TCP);
    if (handle < 0) throw nodeError('listen', handle, host, port);
    // As Node has it, `::` is for both families unless said otherwise.
    if (address.family === 6 && options.ipv6Only !== true) {
      await ws.setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, Uint8Array.of(0, 0, 0, 0));
    }
    const bound = await ws.bind(handle, addressBytes(address, port));
    const answer = bound < 0 ? bound : await ws.listen(handle, options.backlog ?? SOMAXCONN);
    if (answer < 0 || this.#isClosing) {
      await ws.closesocket(handle);
      if (answer < 0) throw nodeError('listen', answer, host, port);
      this.emit('close');
      return;
    }
    this.#handle = handle;
    this.#address = await nameOf((name, length) => ws.getsockname(handle, name, length));
    this.listening = true;
    this.emit('listening');
    void this.#acceptAll(ws, handle);
  }

  async #acceptAll(ws: Winsock, listener: number): Promise<void> {
    const name = new Uint8Array(SOCKADDR_STORAGE_LEN);
    const length: Ref = { value: 0 };
    while (this.#handle === listener) {
      length.value = name.length;
      this.#keepAlive.began(ws);
      const handle = await ws.accept(listener, name, length);
      this.#keepAlive.ended();
      if (handle >= 0) {
        await this.#admit(ws, handle, addressInfo(name.subarray(0, length.value)));
      } else if (handle === -WSAEMFILE || handle === -WSAENOBUFS) {
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      } else if (handle !== -WSAECONNRESET) {
        if (this.#handle === listener) {
          this.emit('error', nodeError('accept', handle));
          this.close();
        }
        return;
      }
    }
  }

  async #admit(ws: Winsock, handle: number, remote: AddressInfo | null): Promise<void> {
    if (this.maxConnections !== undefined && this.#connections.size >= this.maxConnections) {
      await ws.closesocket(handle);
      this.emit('drop', { remoteAddress: remote?.address, remotePort: remote?.port });
      return;
    }
    const local = await nameOf((name, length) => ws.getsockname(handle, name, length));
    const socket = new Socket(this.#options, { winsock: ws, handle, local, remote });
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (this.#isClosing) this.#closeWhenIdle();
    });
    this.emit('connection', socket);
  }

  #closeWhenIdle(): void {
    if (!this.#isClosing || this.#connections.size > 0) return;
    this.#isClosing = false;
    this.emit('close');
  }
}

function readListenArguments(args: readonly unknown[]): {
  options: ListenOptions;
  listener: (() => void) | undefined;
} {
  const last = args[args.length - 1];
  const listener = typeof last === 'function' ? (last as () => void) : undefined;
  const first = args[0];
  if (typeof first === 'object' && first !== null) return { options: first, listener };
  const options: { port?: number | string; host?: string; backlog?: number } = {};
  if (typeof first === 'number' || typeof first === 'string') options.port = first;
  for (const argument of args.slice(1)) {
    if (typeof argument === 'string') options.host = argument;
    if (typeof argument === 'number') options.backlog = argument;
  }
  return { options, listener };
}
