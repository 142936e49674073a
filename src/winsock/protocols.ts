/**
 * WSAEnumProtocols: the catalog as applications see it.
 */

import {
  WSAEFAULT,
  WSAENOBUFS,
  WSANOTINITIALISED,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
} from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

export function protocolCalls(process: WinsockProcess) {
  return {
    /**
     * Lists base and chain entries in catalog order, the hidden ones left out.
     * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
     * @param lpProtocolBuffer gets the entries
     * @param lpdwBufferLength bytes that the buffer stands for, 628 an entry; then the bytes that are needed
     * @returns how many entries; WSAENOBUFS when they don't fit
     */
    WSAEnumProtocols(
      lpiProtocols: readonly number[] | null,
      lpProtocolBuffer: WSAPROTOCOL_INFO[] | null,
      lpdwBufferLength: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpdwBufferLength === null) return -WSAEFAULT;
      const entries = process.catalog.enumerate(lpiProtocols === null ? null : untilZero(lpiProtocols));
      const room = lpdwBufferLength.value;
      const needed = entries.length * WSAPROTOCOL_INFOW_LEN;
      if (lpProtocolBuffer === null || room < needed) {
        lpdwBufferLength.value = needed;
        return -WSAENOBUFS;
      }
      lpProtocolBuffer.length = 0;
      lpProtocolBuffer.push(...entries);
      return entries.length;
    },
  };
}

function untilZero(protocols: readonly number[]): readonly number[] {
  const end = protocols.indexOf(0);
  return end < 0 ? protocols : protocols.slice(0, end);
}
