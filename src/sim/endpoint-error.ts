/**
 * The stack's errors as exceptions, for code that awaits.
 */

import { StackError } from '../stack/index.ts';

const NAMES = new Map<number, string>(Object.entries(StackError).map(([name, code]) => [code, name]));

/** A call on a simulated host failed. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  /** A `StackError`. */
  readonly code: number;
  /** Its name: `connectionRefused`, … */
  readonly reason: string;

  constructor(call: string, code: number) {
    const reason = NAMES.get(code) ?? `error ${code}`;
    super(`${call}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/** `result` when it is none, else the exception. @throws {EndpointError} */
export function checked(call: string, result: number): number {
  if (result < 0) throw new EndpointError(call, result);
  return result;
}
