/**
 * `winsockd/net`: TCP in the shape of `node:net`, over Winsock's sockets. Node's `http` and everything that takes a
 * connection from outside runs over it unchanged:
 *
 *     const http = createHttpServer((request, response) => response.end('hello'));
 *     http.listen(80);
 *     get({ host: '10.0.0.2', agent: new HttpAgent() }, …);
 *
 * `winsockd/register` puts it in the place of `node:net` for a whole program. Differences from `node:net`: no
 * Unix sockets.
 */

import type { Server as NodeHttpServer } from 'node:http';
import { Agent, type AgentOptions, createServer as createNodeHttp, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { IpAddress } from '../base/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { type ListenOptions, Server, type ServerOptions } from './net-server.ts';
import { type ConnectOptions, Socket, type SocketOptions } from './net-socket.ts';
import type { AddressInfo } from './node-address.ts';

export type { Lookup, LookupAddress } from './host-lookup.ts';
export { type ListenOptions, Server, type ServerOptions } from './net-server.ts';
export { type ConnectOptions, Socket, type SocketOptions } from './net-socket.ts';
export type { AddressInfo } from './node-address.ts';
export { NodeStyleError } from './node-error.ts';
export { attachedTo, attachTo } from './process-winsock.ts';

/** A listener; `onConnection` takes its 'connection' events. */
export function createServer(options?: ServerOptions, onConnection?: (socket: Socket) => void): Server;
export function createServer(onConnection?: (socket: Socket) => void): Server;
export function createServer(
  options?: ServerOptions | ((socket: Socket) => void),
  onConnection?: (socket: Socket) => void,
): Server {
  return typeof options === 'function' ? new Server(options) : new Server(options, onConnection);
}

/** A connection that is being opened. */
export function createConnection(options: ConnectOptions & SocketOptions, onConnect?: () => void): Socket;
export function createConnection(port: number, host?: string, onConnect?: () => void): Socket;
export function createConnection(
  target: (ConnectOptions & SocketOptions) | number,
  host?: string | (() => void),
  onConnect?: () => void,
): Socket {
  if (typeof target === 'number') {
    const onceConnected = typeof host === 'function' ? host : onConnect;
    return new Socket().connect(
      { port: target, ...(typeof host === 'string' ? { host } : {}) },
      onceConnected,
    );
  }
  return new Socket(target).connect(target, typeof host === 'function' ? host : onConnect);
}

/** The same as {@link createConnection}. */
export const connect = createConnection;

/** 4, 6, or 0 for text that is no numeric address. */
export function isIP(input: string): 0 | 4 | 6 {
  return IpAddress.parse(input)?.family ?? 0;
}

export function isIPv4(input: string): boolean {
  return isIP(input) === 4;
}

export function isIPv6(input: string): boolean {
  return isIP(input) === 6;
}

/** Node's HTTP server with its listening end on our sockets. */
export interface HttpServer {
  /** Node's own server: requests, timeouts, upgrades. It listens nowhere itself. */
  readonly http: NodeHttpServer;
  /** Where connections come from. */
  readonly net: Server;
  listen(options: ListenOptions, onListening?: () => void): HttpServer;
  listen(port?: number, host?: string, onListening?: () => void): HttpServer;
  address(): AddressInfo | null;
  /** Ends the listener and idle connections; calls back when the last request is done. */
  close(callback?: () => void): HttpServer;
}

/** An HTTP server over our sockets. */
export function createHttpServer(onRequest?: RequestListener, options: ServerOptions = {}): HttpServer {
  const http = createNodeHttp(onRequest);
  const net = new Server({ noDelay: true, ...options, allowHalfOpen: true }, (socket) => {
    http.emit('connection', socket);
  });
  const server: HttpServer = {
    http,
    net,
    listen(target?: ListenOptions | number, host?: string | (() => void), onListening?: () => void) {
      const listener = typeof host === 'function' ? host : onListening;
      if (typeof target === 'object') net.listen(target, listener);
      else net.listen({ port: target, host: typeof host === 'string' ? host : undefined }, listener);
      return server;
    },
    address: () => net.address(),
    close(callback) {
      net.close(callback);
      http.closeIdleConnections();
      return server;
    },
  };
  return server;
}

/** An agent whose connections are ours: `get({ agent: new HttpAgent() }, …)`. */
export class HttpAgent extends Agent {
  readonly #winsock: Winsock | undefined;

  constructor(options: AgentOptions & { winsock?: Winsock } = {}) {
    const { winsock, ...agent } = options;
    super(agent);
    this.#winsock = winsock;
  }

  /** Called by Node for a request that finds no idle connection. */
  override createConnection(options: { port?: number | string | null; host?: string | null }): Duplex {
    return createConnection({
      port: options.port ?? 80,
      host: options.host ?? undefined,
      noDelay: true,
      winsock: this.#winsock,
    });
  }
}
