/**
 * Beginning and end of the use of Winsock, and the blocking hooks of 1.1: a part of `winsockd/winsock/async`.
 */

import type { WSADATA } from '../../abi/index.ts';
import type { Ref } from '../../spi/index.ts';
import { type BlockingHook, defaultBlockingHook } from '../../winsock/index.ts';
import { processWinsock } from '../process-winsock.ts';
import { promised } from '../promised.ts';

/**
 * Begins the use of Winsock, and attaches to the sockets when this process was not yet. Each success needs one `WSACleanup`.
 *
 * Errors: WSAVERNOTSUPPORTED (no version up to the one asked for: below 1.0), WSAEFAULT (no `lpWSAData`)
 *
 * Source: API-WSAStartup, SEM-VER-01 … SEM-VER-17
 * @param wVersionRequested the highest version that the caller can use, of `MAKEWORD`; 1.0 to 2.2 are spoken
 * @param lpWSAData gets the version in use, and texts; it is filled in when the version is refused, too
 * @returns 0
 * @throws {IpcError} when the daemon is not there, refuses, or is no winsockd
 * @example
 * ```ts
 * const data = {} as WSADATA;
 * await WSAStartup(MAKEWORD(2, 2), data);
 * [data.wVersion, data.szDescription]; // → [MAKEWORD(2, 2), 'WinSock 2.0']
 * ```
 */
export const WSAStartup = async (wVersionRequested: number, lpWSAData: WSADATA | null): Promise<number> => {
  const winsock = await processWinsock();
  return promised('WSAStartup', () => winsock)(wVersionRequested, lpWSAData);
};

/**
 * Undoes one `WSAStartup`. The last one closes every socket and interrupts what waits.
 *
 * Errors: WSANOTINITIALISED (there was no `WSAStartup` to undo)
 *
 * Source: API-WSACleanup, SEM-VER-14 … SEM-VER-16
 * @returns 0
 * @example
 * ```ts
 * await WSACleanup(); // → 0
 * await closesocket(s).catch((e) => e.code); // → WSANOTINITIALISED
 * ```
 */
export const WSACleanup = promised('WSACleanup');

/**
 * Sets the function that runs again and again while a blocking call waits, for as long as it answers `true`. It may make no Winsock
 * call but WSAIsBlocking and WSACancelBlockingCall. For processes that negotiated 1.x only.
 *
 * Errors: WSAEOPNOTSUPP (the process negotiated 2.x), WSAEFAULT (no function)
 *
 * Source: API-WSASetBlockingHook, SEM-W11-02, SEM-W11-03
 * @returns the hook before
 * @example
 * ```ts
 * await WSACleanup();
 * await WSAStartup(MAKEWORD(1, 1), {} as WSADATA);
 * const idle = () => false;
 * await WSASetBlockingHook(idle);
 * const before = await WSASetBlockingHook(() => false);
 * before === idle; // → true
 * ```
 */
export async function WSASetBlockingHook(lpBlockFunc: BlockingHook | null): Promise<BlockingHook> {
  const previous: Ref<BlockingHook | null> = { value: null };
  await promised('WSASetBlockingHook')(lpBlockFunc, previous);
  return previous.value ?? defaultBlockingHook;
}

/**
 * Goes back to the default blocking hook. For processes that negotiated 1.x only.
 *
 * Errors: WSAEOPNOTSUPP (the process negotiated 2.x)
 *
 * Source: API-WSAUnhookBlockingHook, SEM-W11-03
 * @returns 0
 * @example
 * ```ts
 * await WSACleanup();
 * await WSAStartup(MAKEWORD(1, 1), {} as WSADATA);
 * await WSASetBlockingHook(() => false);
 * await WSAUnhookBlockingHook(); // → 0
 * ```
 */
export const WSAUnhookBlockingHook = promised('WSAUnhookBlockingHook');

/**
 * Whether a blocking call waits: asked in its hook. For processes that negotiated 1.x only.
 *
 * Errors: WSAEOPNOTSUPP (the process negotiated 2.x)
 *
 * Source: API-WSAIsBlocking, SEM-W11-05
 * @returns 1 or 0
 * @example
 * ```ts
 * await WSAIsBlocking().catch((e) => e.code); // → WSAEOPNOTSUPP
 * await WSACleanup();
 * await WSAStartup(MAKEWORD(1, 1), {} as WSADATA);
 * await WSAIsBlocking(); // → 0
 * ```
 */
export const WSAIsBlocking = promised('WSAIsBlocking');

/**
 * Ends the blocking call that waits, from its hook: it fails with WSAEINTR. For processes that negotiated 1.x only.
 *
 * Errors: WSAEINVAL (no call waits), WSAEOPNOTSUPP (the process negotiated 2.x)
 *
 * Source: API-WSACancelBlockingCall, SEM-W11-04, SEM-C-06
 * @returns 0
 * @example
 * ```ts
 * await WSACleanup();
 * await WSAStartup(MAKEWORD(1, 1), {} as WSADATA);
 * const waiting = await socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
 * await bind(waiting, at('0.0.0.0', 0));
 * await WSASetBlockingHook(() => {
 *   WSACancelBlockingCall();
 *   return false;
 * });
 * await recv(waiting, Buffer.alloc(10)).catch((e) => e.code); // → WSAEINTR
 * ```
 */
export const WSACancelBlockingCall = promised('WSACancelBlockingCall');
