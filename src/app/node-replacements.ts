/**
 * What stands in the place of `net`'s functions and classes: ours for the network, Node's for what a descriptor, a pipe or a Unix
 * socket's path names.
 */

import type net from 'node:net';
import { type ConnectOptions, createConnection, Server, Socket, type SocketOptions } from './net.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/** Options that only Node's sockets understand. */
function isNodesOwn(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  return ['handle', 'fd', 'path'].some((key) => {
    const value: unknown = Reflect.get(options, key);
    return value !== undefined && value !== null;
  });
}

/** A path of a Unix socket, as a first argument. */
export function isPath(target: unknown): boolean {
  return isNodesOwn(target) || (typeof target === 'string' && !/^\d+$/.test(target));
}

/** `net.createConnection`, of Node for paths. */
export function connectOr(original: typeof net.createConnection): AnyFunction {
  return (target, ...rest) => {
    if (isPath(target)) return (original as AnyFunction)(target, ...rest);
    const [host, listener] = rest;
    if (typeof target === 'object') {
      const options = target as ConnectOptions & SocketOptions;
      return createConnection(options, typeof host === 'function' ? (host as () => void) : undefined);
    }
    const onConnect = (typeof host === 'function' ? host : listener) as (() => void) | undefined;
    return createConnection(Number(target), typeof host === 'string' ? host : undefined, onConnect);
  };
}

/**
 * A class that makes ours instead of Node's, and can be extended. Node's own code, which calls it on an object of its own, gets Node's.
 */
function classOr(original: AnyFunction, ours: new (...args: never[]) => object): AnyFunction {
  const isOurs = (args: readonly unknown[]): boolean => !isNodesOwn(args[0]);
  const replacement: AnyFunction = new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      const made = isOurs(args) ? ours : target;
      return Reflect.construct(made, args, newTarget === replacement ? made : newTarget);
    },
    apply(target, self: unknown, args: unknown[]) {
      if (self instanceof target) return Reflect.apply(target, self, args);
      return Reflect.construct(isOurs(args) ? ours : target, args);
    },
    get(target, key) {
      if (key === 'prototype') return ours.prototype as unknown;
      if (key !== Symbol.hasInstance) return Reflect.get(target, key);
      // Node's TLS takes whatever is not of its own class as a stream, which is what ours are.
      return (value: unknown) => value instanceof target;
    },
  });
  return replacement;
}

export function socketOr(original: typeof net.Socket): AnyFunction {
  return classOr(original as unknown as AnyFunction, Socket);
}

export function serverOr(original: typeof net.Server): AnyFunction {
  return classOr(original as unknown as AnyFunction, Server);
}
