/**
 * Node's servers of `http`, `https` and `tls` with their listening end on our sockets: each takes its connections from a listener of
 * ours, as 'connection' events, and is a server of Node's in all else.
 */

import type { Server as NodeServer } from 'node:net';
import { Server } from './net.ts';
import { isPath } from './node-replacements.ts';

type AnyFunction = (this: NodeServer, ...args: unknown[]) => unknown;

/** The listeners of the servers that listen, or did. */
const listeners = new WeakMap<NodeServer, Server>();

/** Changes a server class so that its instances listen here; on a path or descriptor they still listen as Node's. */
export function serveOver(prototype: NodeServer): void {
  const theirs = {
    listen: prototype.listen as unknown as AnyFunction,
    close: prototype.close as unknown as AnyFunction,
    address: prototype.address as unknown as AnyFunction,
    getConnections: prototype.getConnections as unknown as AnyFunction,
    ref: prototype.ref as unknown as AnyFunction,
    unref: prototype.unref as unknown as AnyFunction,
  };
  const replacements: Record<keyof typeof theirs, AnyFunction> = {
    listen(...args) {
      if (isPath(args[0])) return theirs.listen.apply(this, args);
      listenerOf(this).listen(...(args as []));
      return this;
    },
    close(callback) {
      const ours = listeners.get(this);
      if (ours === undefined) return theirs.close.call(this, callback);
      ours.close(callback as () => void);
      if ('closeIdleConnections' in this) (this.closeIdleConnections as () => void)();
      return this;
    },
    address() {
      return listeners.get(this)?.address() ?? theirs.address.call(this);
    },
    getConnections(callback) {
      const ours = listeners.get(this);
      if (ours === undefined) return theirs.getConnections.call(this, callback);
      ours.getConnections(callback as (error: Error | null, count: number) => void);
      return this;
    },
    ref() {
      listeners.get(this)?.ref();
      return theirs.ref.call(this);
    },
    unref() {
      listeners.get(this)?.unref();
      return theirs.unref.call(this);
    },
  };
  const isListening = findGetter(prototype, 'listening');
  Object.assign(prototype, replacements);
  Object.defineProperty(prototype, 'listening', {
    configurable: true,
    get(this: NodeServer) {
      return (listeners.get(this)?.listening ?? false) || isListening.call(this) === true;
    },
  });
}

/** The listener of a server, made when it listens for the first time. */
function listenerOf(server: NodeServer): Server {
  const found = listeners.get(server);
  if (found !== undefined) return found;
  const { allowHalfOpen = true, noDelay = true } = server as { allowHalfOpen?: boolean; noDelay?: boolean };
  const ours = new Server({ allowHalfOpen, noDelay }, (socket) => {
    server.emit('connection', socket);
  });
  Object.defineProperty(ours, 'maxConnections', { get: () => server.maxConnections });
  for (const event of ['listening', 'close', 'error', 'drop']) {
    ours.on(event, (...args: unknown[]) => server.emit(event, ...args));
  }
  listeners.set(server, ours);
  return ours;
}

function findGetter(prototype: object, key: string): (this: NodeServer) => unknown {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const getter = Object.getOwnPropertyDescriptor(at, key)?.get;
    if (getter !== undefined) return getter;
  }
  return () => false;
}
