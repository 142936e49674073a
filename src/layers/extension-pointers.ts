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
  readPointer,
  type WSPPROC_TABLE,
  writePointer,
} from '../spi/index.ts';

/** Wraps a function; `null`: the function itself is handed out. */
export type WrapExtension = <K extends keyof ExtensionFunctions>(
  name: K,
  below: ExtensionFunctions[K],
) => ExtensionFunctions[K] | null;

/** A WSPIoctl that wraps the extension functions that it gives out. A pointer is kept for good: there is one for each function below. */
export function wrapExtensions(next: WSPPROC_TABLE, wrap: WrapExtension): WSPPROC_TABLE['WSPIoctl'] {
  const wrappers = new Map<number, ExtensionFunctions[keyof ExtensionFunctions] | null>();

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
