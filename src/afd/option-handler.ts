/**
 * What the tables of socket options are made of.
 */

/**
 * One option of a kind of socket. `get` answers the value as 32 bits (a LINGER has l_onoff in the low half), `set` a WSA code. An
 * option without `set` or `get` answers WSAENOPROTOOPT to it.
 */
export interface OptionHandler<T> {
  readonly get?: (socket: T) => number;
  readonly set?: (socket: T, value: number) => number;
  /** Instead of `set`, for a structure: the whole value, as long as the layout says. */
  readonly setBytes?: (socket: T, value: Uint8Array) => number;
  /** Code of a get that depends on the state; 0 when it may go on. */
  readonly check?: (socket: T) => number;
}

/** Options of one level by their numbers. */
export type Handlers<T> = ReadonlyMap<number, OptionHandler<T>>;

/** A BOOL. */
export const bool = (value: boolean): number => (value ? 1 : 0);
