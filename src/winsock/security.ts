/**
 * Templates of quality of service; and calls whose services exist in no provider here: IPsec policies of a socket, hints for wireless
 * adapters.
 */

import { WSAEOPNOTSUPP, WSANOTINITIALISED } from '../abi/index.ts';
import type { Answer, QOS, WSABUF } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

export function securityCalls(process: WinsockProcess) {
  const unsupported = (s: number): number =>
    process.socket(s) === null ? process.whyNoSocket() : -WSAEOPNOTSUPP;

  return {
    /**
     * Reads a template of quality of service that is installed for the socket's provider.
     * @param lpQOSName its name; an empty one (a zero at the start of a buffer) is replaced by the names of all, each with a zero behind it,
     * and one more at the end
     * @returns 1 (TRUE); WSAEINVAL when there is none of that name, WSAEFAULT when the names don't fit
     */
    WSAGetQOSByName(s: number, lpQOSName: WSABUF | null, lpQOS: QOS | null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPGetQOSByName(s, lpQOSName, lpQOS);
    },

    /** IPsec is not carried: WSAEOPNOTSUPP. */
    WSASetSocketSecurity(s: number, _SecuritySettings: Uint8Array | null = null): Answer {
      return unsupported(s);
    },

    /** IPsec is not carried: WSAEOPNOTSUPP. */
    WSAQuerySocketSecurity(s: number, _SecurityQueryTemplate: Uint8Array | null = null): Answer {
      return unsupported(s);
    },

    /** IPsec is not carried: WSAEOPNOTSUPP. */
    WSASetSocketPeerTargetName(s: number, _PeerTargetName: Uint8Array | null = null): Answer {
      return unsupported(s);
    },

    /** IPsec is not carried: WSAEOPNOTSUPP. */
    WSADeleteSocketPeerTargetName(s: number, _PeerAddr: Uint8Array | null = null): Answer {
      return unsupported(s);
    },

    /** Tells a wireless adapter of a stream of media; there is none to tell. @returns S_OK */
    SetSocketMediaStreamingMode(_value: boolean): Answer {
      return 0;
    },

    /** There is nobody to impersonate: WSAEOPNOTSUPP. */
    WSAImpersonateSocketPeer(s: number, _PeerAddr: Uint8Array | null = null): Answer {
      return unsupported(s);
    },

    /** Nobody was impersonated: WSAEOPNOTSUPP. */
    WSARevertImpersonation(): Answer {
      return process.startups === 0 ? -WSANOTINITIALISED : -WSAEOPNOTSUPP;
    },
  };
}
