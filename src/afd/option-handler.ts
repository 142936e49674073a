/**
 * What the tables of socket options are made of.
 */

import type { Endpoint, PacketOptions } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import type { SocketOptions } from './socket-options.ts';

/**
 * One option of a kind of socket. `get` answers the value as 32 bits (a LINGER has l_onoff in the low half), `set` a WSA code. An
 * option without `set` or `get` answers WSAENOPROTOOPT to it.
 */
export interface OptionHandler<T> {
  readonly get?: (socket: T) => number;
  readonly set?: (socket: T, value: number) => number;
  /** Instead of `get`, for a value of bytes: all of it, or the WSA code of why there is none. */
  readonly getBytes?: (socket: T) => Uint8Array | number;
  /** Instead of `set`, for a structure: the whole value, as long as the layout says. */
  readonly setBytes?: (socket: T, value: Uint8Array) => number;
  /** Code of a get that depends on the state; 0 when it may go on. */
  readonly check?: (socket: T) => number;
  /** Whether this kind of socket has it; the others know it, and answer WSAEINVAL. Absent: all that look it up. */
  readonly isFor?: (socket: AfdEndpoint) => boolean;
}

/** Options of one level by their numbers. */
export type Handlers<T> = ReadonlyMap<number, OptionHandler<T>>;

/** A row of a table. */
export type Entry<T = AfdEndpoint> = [number, OptionHandler<T>];

/** A BOOL. */
export const bool = (value: boolean): number => (value ? 1 : 0);

/** The members of an object that are of a type. */
type KeysOf<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T];

/** An option that is a switch of {@link SocketOptions}. */
export function optionSwitch(key: KeysOf<SocketOptions, boolean>): OptionHandler<AfdEndpoint> {
  return {
    get: ({ options }) => bool(options[key]),
    set: ({ options }, value) => {
      options[key] = value !== 0;
      return 0;
    },
  };
}

/** An option that is a number of {@link SocketOptions}. @param codeOf the WSA code of setting it, 0 when it may be */
export function optionNumber(
  key: KeysOf<SocketOptions, number>,
  codeOf: (value: number, socket: AfdEndpoint) => number = () => 0,
): OptionHandler<AfdEndpoint> {
  return {
    get: ({ options }) => options[key],
    set: (socket, value) => {
      const code = codeOf(value, socket);
      if (code === 0) socket.options[key] = value;
      return code;
    },
  };
}

/** An option that is a switch of the stack's endpoint. */
export function endpointSwitch<E extends Endpoint & PacketOptions>(
  key: KeysOf<E, boolean> & keyof E,
): OptionHandler<AfdEndpoint & { readonly endpoint: E }> {
  return {
    get: ({ endpoint }) => bool(endpoint[key] as boolean),
    set: ({ endpoint }, value) => {
      (endpoint[key] as boolean) = value !== 0;
      return 0;
    },
  };
}
