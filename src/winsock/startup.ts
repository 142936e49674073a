/**
 * WSAStartup and WSACleanup: version negotiation (SEM-VER-*) and the process's count of users.
 */

import { type WSADATA, WSAEFAULT, WSANOTINITIALISED, WSAVERNOTSUPPORTED } from '../abi/index.ts';
import { asNumber } from '../base/index.ts';
import type { Answer } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

/** A version word from its parts: low byte major, high byte minor. */
export function MAKEWORD(major: number, minor: number): number {
  return (asNumber(major) & 0xff) | ((asNumber(minor) & 0xff) << 8);
}

/** What this Winsock can be, lowest first. */
export const SUPPORTED_VERSIONS: readonly number[] = [
  MAKEWORD(1, 0),
  MAKEWORD(1, 1),
  MAKEWORD(2, 0),
  MAKEWORD(2, 1),
  MAKEWORD(2, 2),
];

/** The texts that Windows fills in, whatever was negotiated. */
export const WSA_DESCRIPTION = 'WinSock 2.0';
export const WSA_SYSTEM_STATUS = 'Running';

/** The figures that version 1 applications read; version 2 has them at 0 (SEM-VER-13). */
const MAX_SOCKETS_1 = 32767;
const MAX_UDP_DG_1 = 65467;

/** The outcome of a negotiation; `wVersion` is the highest that is not above the request. */
export interface Negotiation {
  readonly error: number;
  readonly wVersion: number;
  readonly wHighVersion: number;
}

/**
 * Finds the version that both sides can use.
 * @param supported version words, lowest first
 */
export function negotiateVersion(
  wVersionRequested: number,
  supported: readonly number[] = SUPPORTED_VERSIONS,
): Negotiation {
  const wHighVersion = supported[supported.length - 1] ?? 0;
  const usable = supported.filter((version) => order(version) <= order(wVersionRequested));
  const wVersion = usable[usable.length - 1];
  if (wVersion === undefined) return { error: WSAVERNOTSUPPORTED, wVersion: wHighVersion, wHighVersion };
  return { error: 0, wVersion, wHighVersion };
}

/** Version words in the order of their versions. */
function order(version: number): number {
  return ((version & 0xff) << 8) | ((version >>> 8) & 0xff);
}

export function startupCalls(process: WinsockProcess) {
  return {
    /** Begins the use of Winsock; each success needs one `WSACleanup`. The error is the result itself (SEM-VER-12). */
    WSAStartup(wVersionRequested: number, lpWSAData: WSADATA | null): Answer {
      const { error, wVersion, wHighVersion } = negotiateVersion(wVersionRequested);
      if (lpWSAData === null) return error !== 0 ? -error : -WSAEFAULT;
      const isVersion1 = (wVersion & 0xff) === 1;
      lpWSAData.wVersion = wVersion;
      lpWSAData.wHighVersion = wHighVersion;
      lpWSAData.iMaxSockets = isVersion1 ? MAX_SOCKETS_1 : 0;
      lpWSAData.iMaxUdpDg = isVersion1 ? MAX_UDP_DG_1 : 0;
      lpWSAData.szDescription = WSA_DESCRIPTION;
      lpWSAData.szSystemStatus = WSA_SYSTEM_STATUS;
      if (error !== 0) return -error;
      const begin = (): number => {
        if (process.startups++ === 0) process.followCatalog();
        if (!isVersion1) process.usesVersion2 = true;
        return 0;
      };
      const refreshed = process.startups === 0 ? process.refreshCatalog() : null;
      return refreshed === null ? begin() : refreshed.then(begin);
    },

    /** Undoes one `WSAStartup`. With the last one every socket is gone and what waits is interrupted (SEM-VER-15). */
    WSACleanup(): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (--process.startups > 0) return 0;
      process.usesVersion2 = false;
      process.threads.clear();
      process.handles.releaseSockets();
      process.naming.cleanup();
      process.providers.cleanup();
      process.forgetCatalog();
      return 0;
    },
  };
}
