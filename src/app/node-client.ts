/**
 * `tls.connect` over a connection of ours: Node's own would make a socket of Node's.
 */

import type tls from 'node:tls';
import type { ConnectOptions, Socket } from './net.ts';
import { isPath } from './node-replacements.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/** @param original Node's `tls.connect` @param open connects a socket of ours */
export function tlsOver(
  original: typeof tls.connect,
  open: (options: ConnectOptions) => Socket,
): AnyFunction {
  return (...args) => {
    const { options, onSecure } = readArguments(args);
    const call = original as unknown as AnyFunction;
    if (options.socket !== undefined || isPath(options)) return call(...args);
    // Node takes the name that the certificate must be for from `host`, whoever connects.
    return call({ ...options, socket: open(options) }, onSecure);
  };
}

type TlsOptions = tls.ConnectionOptions & ConnectOptions;

/** `(options, listener)`, `(port, host, options, listener)`, `(port, options, listener)`. */
function readArguments(args: readonly unknown[]): { options: TlsOptions; onSecure: unknown } {
  const onSecure = args.find((argument) => typeof argument === 'function');
  const given = args.find((argument) => typeof argument === 'object' && argument !== null);
  const options: Record<string, unknown> = { ...given };
  if (typeof args[0] === 'number' || typeof args[0] === 'string') options['port'] = args[0];
  if (typeof args[1] === 'string') options['host'] = args[1];
  return { options: options as unknown as TlsOptions, onSecure };
}
