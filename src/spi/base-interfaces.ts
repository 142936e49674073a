/**
 * Interfaces by name and number, asked of the other side of the port.
 */

import { AfdOp } from '../port/index.ts';
import { finishValue } from './base-call.ts';
import type { BaseState } from './base-state.ts';
import type { Answer, Ref } from './types.ts';

/** `a` of `AfdOp.interfaces`. */
const BY_NAME = 1;
const NAME_OF = 2;
/** Bytes of the longest name. */
const NAME_LEN = 1024;

/** What ws2_32 asks of the base provider past the table. */
export interface BaseInterfaces {
  /** @returns the index, 0 when there is none of that name */
  interfaceIndex(name: string): Answer;
  /** Writes the name. @returns 1, or minus a WSA code */
  interfaceName(index: number, name: Ref<string>): Answer;
}

export function baseInterfaces({ calls }: BaseState): BaseInterfaces {
  return {
    interfaceIndex(name) {
      const call = calls.prepare(AfdOp.interfaces, null, finishValue);
      call.request.a = BY_NAME;
      call.request.data = new TextEncoder().encode(name);
      return calls.submit(call);
    },

    interfaceName(index, name) {
      const into = new Uint8Array(NAME_LEN);
      const call = calls.prepare(AfdOp.interfaces, null, (_call, { error, value }) => {
        if (error !== 0) return -error;
        name.value = new TextDecoder().decode(into.subarray(0, value));
        return 1;
      });
      call.request.a = NAME_OF;
      call.request.b = index;
      call.request.into = into;
      return calls.submit(call);
    },
  };
}
