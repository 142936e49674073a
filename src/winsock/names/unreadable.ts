/**
 * What C calls unreadable memory is an argument of a wrong kind here: the name functions take structures from programs, deeply, and
 * whatever is wrong in them is WSAEFAULT, never an exception.
 */

import { WSAEFAULT } from '../../abi/index.ts';
import type { Answer } from '../../spi/index.ts';

type Call = (...args: never[]) => Answer;

/** The same calls, with WSAEFAULT for arguments that can't be read. */
export function withReadableArguments<T extends { readonly [name: string]: Call }>(calls: T): T {
  const readable = (call: (...args: unknown[]) => Answer): Call => {
    const checked = (...args: unknown[]): Answer => {
      try {
        const answer = call(...args);
        return typeof answer === 'number' ? told(answer) : answer.then(told).catch(unreadable);
      } catch (error) {
        return unreadable(error);
      }
    };
    return checked as Call;
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, readable(call as (...args: unknown[]) => Answer)]),
  ) as T;
}

/** A number that was made of what is none. */
function told(answer: number): number {
  return Number.isInteger(answer) ? answer : -WSAEFAULT;
}

/** Reading what is not there throws these two; anything else is an error of this program. */
function unreadable(error: unknown): number {
  if (error instanceof TypeError || error instanceof RangeError) return -WSAEFAULT;
  throw error;
}
