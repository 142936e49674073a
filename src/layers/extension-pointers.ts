/**
 * How a layer comes between an application and extension functions: it asks the provider below for a function as the application
 * does, and hands out one of its own in that place.
 */

import { guidAt, SIO_GET_EXTENSION_FUNCTION_POINTER } from '../abi/index.ts';
import {
  type Answer,
  EXTENSION_IDS,
  type ExtensionFunctions,
  functionAt,
  type Layer,
  readPointer,
  type WSPPROC_TABLE,
  type WSPUPCALLTABLE,
  writePointer,
} from '../spi/index.ts';

/** Wraps a function; `null`: the function itself is handed out. */
export type WrapExtension = <K extends keyof ExtensionFunctions>(
  name: K,
  below: ExtensionFunctions[K],
) => ExtensionFunctions[K] | null;

/**
 * The wrappers of a layer, one for each function below, for all its chains: an application may ask for a function with any socket, and
 * call it with another.
 */
export type ExtensionWrappers = WeakMap<
  WSPUPCALLTABLE,
  Map<number, ExtensionFunctions[keyof ExtensionFunctions] | null>
>;

/** A WSPIoctl that wraps the extension functions that it gives out. A pointer is kept for good. */
export function wrapExtensions(
  next: WSPPROC_TABLE,
  { upcalls }: Layer,
  known: ExtensionWrappers,
  wrap: WrapExtension,
): WSPPROC_TABLE['WSPIoctl'] {
  const wrappers = known.get(upcalls) ?? new Map();
  known.set(upcalls, wrappers);

  const replace = (id: Uint8Array, into: Uint8Array): void => {
    const name = EXTENSION_IDS.get(guidAt(id) ?? '');
    const pointer = into.length < POINTER_READ ? 0 : readPointer(into);
    const below = functionAt(pointer);
    if (name === undefined || below === null) return;
    let wrapper = wrappers.get(pointer);
    if (wrapper === undefined) {
      // Who calls a function knows its type by the GUID, as in C.
      wrapper = wrap(name, below as unknown as ExtensionFunctions[typeof name]);
      wrappers.set(pointer, wrapper);
    }
    if (wrapper !== null) writePointer(into, 0, wrapper);
  };

  return (s, code, lpvIn, cbIn, lpvOut, ...rest): Answer => {
    const answer = next.WSPIoctl(s, code, lpvIn, cbIn, lpvOut, ...rest);
    if (code !== SIO_GET_EXTENSION_FUNCTION_POINTER || lpvIn === null || lpvOut === null) return answer;
    const finish = (late: number): number => {
      if (late >= 0) replace(lpvIn, lpvOut);
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };
}

/** Bytes of a pointer. */
const POINTER_READ = 8;
