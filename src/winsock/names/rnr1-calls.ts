/**
 * Registration and resolution as Winsock 1.1 had it (API-RnR1): protocols are listed from the catalog, the rest was never more than a
 * sketch of what the WSA calls do and answers WSAEOPNOTSUPP.
 */

import { WSAEFAULT, WSAEOPNOTSUPP, WSANOTINITIALISED } from '../../abi/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';

/** A protocol as EnumProtocols lists it. */
export interface PROTOCOL_INFO {
  dwServiceFlags: number;
  iAddressFamily: number;
  iMaxSockAddr: number;
  iMinSockAddr: number;
  iSocketType: number;
  iProtocol: number;
  dwMessageSize: number;
  lpProtocol: string;
}

/** Bytes of it on 64-bit Windows, and winerror.h's code for too little room. */
const PROTOCOL_INFO_LEN = 40;
const ERROR_INSUFFICIENT_BUFFER = 122;

export function rnr1Calls(process: WinsockProcess) {
  const notSupported = (): Answer => (process.startups === 0 ? -WSANOTINITIALISED : -WSAEOPNOTSUPP);
  return {
    /** Lists the protocols. @returns how many */
    EnumProtocols(
      lpiProtocols: readonly number[] | null,
      lpProtocolBuffer: PROTOCOL_INFO[] | null,
      lpdwBufferLength: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpdwBufferLength === null) return -WSAEFAULT;
      const end = lpiProtocols?.indexOf(0) ?? -1;
      const entries = process.catalog.enumerate(
        lpiProtocols === null ? null : end < 0 ? lpiProtocols : lpiProtocols.slice(0, end),
      );
      const needed = entries.reduce((sum, { szProtocol }) => sum + 2 * (szProtocol.length + 1), 0);
      const room = lpdwBufferLength.value;
      lpdwBufferLength.value = needed + PROTOCOL_INFO_LEN * entries.length;
      if (lpProtocolBuffer === null || room < lpdwBufferLength.value) return -ERROR_INSUFFICIENT_BUFFER;
      lpProtocolBuffer.length = 0;
      for (const entry of entries) {
        lpProtocolBuffer.push({
          dwServiceFlags: entry.dwServiceFlags1,
          iAddressFamily: entry.iAddressFamily,
          iMaxSockAddr: entry.iMaxSockAddr,
          iMinSockAddr: entry.iMinSockAddr,
          iSocketType: entry.iSocketType,
          iProtocol: entry.iProtocol,
          dwMessageSize: entry.dwMessageSize,
          lpProtocol: entry.szProtocol,
        });
      }
      return entries.length;
    },
    /** Superseded by WSALookupServiceBegin. */
    GetAddressByName: notSupported,
    /** Superseded by WSAGetServiceClassInfo. */
    GetTypeByName: notSupported,
    /** Superseded by WSAGetServiceClassNameByClassId. */
    GetNameByType: notSupported,
    /** Superseded by WSASetService. */
    SetService: notSupported,
    /** Superseded by WSALookupServiceBegin. */
    GetService: notSupported,
  };
}
