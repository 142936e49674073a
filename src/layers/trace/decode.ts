/**
 * Calls as people read them: arguments by name before the call, and what it has written after it.
 *
 * Safe for whatever an application passes: an argument that can't be shown is `<unreadable>`, and nothing throws.
 */

import { wsaErrorName } from '../../abi/index.ts';
import { type CallName, type Parameter, parametersOf, type Shown } from './parameters.ts';
import type { TraceValue, TraceValues } from './trace-record.ts';

/** Bytes of a buffer that are shown unless more or fewer are asked for. */
export const SHOWN_BYTES = 32;

/** The arguments of a call before it is made. @param bytes most bytes of each buffer; 0: lengths only */
export function decodeArguments(call: CallName, args: readonly unknown[], bytes = SHOWN_BYTES): TraceValues {
  return show(call, 'before', { args, answer: -1, bytes });
}

/**
 * What a call has written. Nothing when it failed, or when an overlapped operation goes on.
 * @param answer as the call answered; of an operation that has ended its bytes, or minus a WSA code
 */
export function decodeResults(
  call: CallName,
  args: readonly unknown[],
  answer: number,
  bytes = SHOWN_BYTES,
): TraceValues {
  return answer < 0 ? {} : show(call, 'after', { args, answer, bytes });
}

/** What a call answered, as a record has it. */
export function decodeAnswer(answer: number): { readonly result: number } | { readonly error: string } {
  return answer < 0 ? { error: wsaErrorName(-answer) } : { result: answer };
}

function show(call: CallName, when: 'before' | 'after', shown: Shown): TraceValues {
  const values: { [name: string]: TraceValue } = {};
  for (const [at, parameter] of parametersOf(call).entries()) {
    // What an extension function writes beside its arguments stands in places that it may leave out.
    if (parameter[when] === undefined || (when === 'after' && (shown.args[at] ?? null) === null)) continue;
    values[parameter.name] = shownValue(parameter, when, shown, at);
  }
  return values;
}

function shownValue(parameter: Parameter, when: 'before' | 'after', shown: Shown, at: number): TraceValue {
  try {
    return parameter[when]?.(shown, at) ?? null;
  } catch {
    return '<unreadable>';
  }
}
