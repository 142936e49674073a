/**
 * Interfaces by name and by number (RFC 3493 §4; netioapi.h). They are the host's, and go by no provider.
 */

import { WSAEFAULT } from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

/** Most characters of a name (RFC 3493 §4: IF_NAMESIZE). */
const IF_NAMESIZE = 256;

export function interfaceCalls(process: WinsockProcess) {
  /** Windows Mobile has none of them. */
  const isThere = (): boolean => process.startups > 0 && process.profile !== 'windows-mobile';

  return {
    /** The index of the interface of that name. @returns 0 when there is none */
    if_nametoindex(InterfaceName: string | null): Answer {
      if (!isThere() || InterfaceName === null || InterfaceName.length > IF_NAMESIZE) return 0;
      return found(process.base.interfaceIndex(InterfaceName));
    },

    /** Writes the name of an interface. @returns 1, or 0 when there is no such interface */
    if_indextoname(InterfaceIndex: number, InterfaceName: Ref<string> | null): Answer {
      if (InterfaceName === null) return -WSAEFAULT;
      if (!isThere()) return 0;
      return found(process.base.interfaceName(InterfaceIndex, InterfaceName));
    },
  };
}

/** What is not found is 0, whatever the reason. */
function found(answer: Answer): Answer {
  return typeof answer === 'number' ? Math.max(0, answer) : answer.then((late) => Math.max(0, late));
}
