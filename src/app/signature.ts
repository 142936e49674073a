/**
 * The shape of one call, as the tables of `signatures` and `signatures-names` list them.
 */

import { SOCKET_ERROR } from '../abi/index.ts';
import type { WinsockCall } from '../winsock/index.ts';
import type { Kind } from './kinds.ts';
import type { AnySlot } from './slot.ts';

/** Shape of one call. */
export interface Signature {
  readonly name: WinsockCall;
  readonly slots: readonly AnySlot[];
  /** What the application may give, argument by argument. */
  readonly kinds: readonly Kind[];
  /** What C returns for a failure: SOCKET_ERROR, INVALID_SOCKET, FALSE, NULL, WSA_WAIT_FAILED. */
  readonly failure: number;
  /** Places of arguments, beside buffers, that an operation writes when it is done after the call. */
  readonly late: readonly number[];
  /** Places of arguments that a call writes although its operation pends. */
  readonly early: readonly number[];
  /** Of a receive: bytes that lie in its buffers, by the chain thread's arguments and answer. */
  readonly received: ((args: readonly unknown[], answer: number) => number) | null;
}

export function signature(
  name: WinsockCall,
  slots: readonly AnySlot[],
  failure: number = SOCKET_ERROR,
  received: Signature['received'] = null,
  late: readonly number[] = [],
  early: readonly number[] = [],
): Signature {
  const kinds = slots.map(({ kind }) => kind);
  return { name, slots, kinds, failure, received, late, early };
}
