/**
 * What a process asks about the host's interfaces without a socket: all of them, one by its name, one's name.
 */

import { WSAEFAULT, WSAEINVAL } from '../abi/index.ts';
import type { AfdCompletion, AfdRequest } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { listInterfaces } from './interface-list.ts';

/** `a` of a request, see `AfdOp.interfaces`. */
const BY_NAME = 1;
const NAME_OF = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Carries out `AfdOp.interfaces`. @returns a WSA code */
export function answerInterfaces(stack: Stack, request: AfdRequest, reply: AfdCompletion): number {
  const { a, b, data, into } = request;
  switch (a) {
    case 0:
      return listInterfaces(stack, into, reply);
    case BY_NAME: {
      if (data === null) return WSAEFAULT;
      const name = decoder.decode(data);
      reply.value = stack.interfaces.find((each) => each.name === name)?.index ?? 0;
      return 0;
    }
    case NAME_OF: {
      const view = stack.interfaces.find((each) => each.index === b);
      if (view === undefined) return WSAEINVAL;
      const name = encoder.encode(view.name);
      if (into === null || into.length < name.length) return WSAEFAULT;
      into.set(name);
      reply.value = name.length;
      return 0;
    }
    default:
      return WSAEINVAL;
  }
}
