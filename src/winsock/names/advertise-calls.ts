/**
 * Name-space providers of version 2 that announce themselves, and the end of what they were asked (10.2).
 */

import { WSAEINVAL, WSANOTINITIALISED } from '../../abi/index.ts';
import { type Answer, type NSPV2_ROUTINE, WSAProviderCompleteAsyncCall } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';

export function advertiseCalls(process: WinsockProcess) {
  const { spaces } = process.naming;
  return {
    /** Announces a provider of version 2 that is in the catalog: from now on its table is called. */
    WSAAdvertiseProvider(puuidProviderId: string | null, pNSPv2Routine: NSPV2_ROUTINE | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (puuidProviderId === null || pNSPv2Routine === null) return -WSAEINVAL;
      return spaces.advertise(puuidProviderId, pNSPv2Routine);
    },

    /** Takes it back: sessions with it are over. */
    WSAUnadvertiseProvider(puuidProviderId: string | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return puuidProviderId === null ? -WSAEINVAL : spaces.unadvertise(puuidProviderId);
    },

    /** Ends a call that a provider of version 2 finishes later. @param iRetCode 0, or a WSA code */
    WSAProviderCompleteAsyncCall(hAsyncCall: number, iRetCode: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return WSAProviderCompleteAsyncCall(hAsyncCall, iRetCode);
    },
  };
}
