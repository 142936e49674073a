/**
 * A name-space provider: the entries of NSP_ROUTINE (version 1), and the one function that gives them out.
 *
 * Names and parameters are the documented ones; what C passes as a pointer is passed as `types.ts` says, a query set as the typed
 * object of `abi`. An entry answers as all of this room does: 0 or more is the value, below 0 minus the WSA code, a promise where a
 * Windows thread would block. A provider never throws for a wrong argument. `lpdwBufferLength` counts the bytes that a structure
 * takes in its packed W form, as C's does.
 */

import type { WSAQUERYSET, WSASERVICECLASSINFO } from '../abi/index.ts';
import type { Answer, Ref, WSAOVERLAPPED, WSATHREADID } from './types.ts';

/** How the end of a change notification is told (STR-WSACOMPLETION); `Type` is one of NSP_NOTIFY_*. */
export type WSACOMPLETION =
  | { readonly Type: 0 }
  | { readonly Type: 1; readonly hWnd: number; readonly uMsg: number; readonly context: number }
  | { readonly Type: 2; readonly lpOverlapped: WSAOVERLAPPED }
  | { readonly Type: 3; readonly lpOverlapped: WSAOVERLAPPED; readonly hPort: number; readonly Key: number }
  | {
      readonly Type: 4;
      readonly lpOverlapped: WSAOVERLAPPED;
      readonly lpfnCompletionProc: (
        dwError: number,
        cbTransferred: number,
        lpOverlapped: WSAOVERLAPPED,
        dwFlags: number,
      ) => void;
    };

/** The entries of a provider, in the order of the C table. */
export interface NSP_ROUTINE {
  /** Bytes of the C table as far as the provider filled it: `NSPIoctl` may be missing in an older one (NSP-Ioctl). */
  cbSize: number;
  dwMajorVersion: number;
  dwMinorVersion: number;
  /** Undoes one NSPStartup; WSAEINVAL without one. With the last one, what is under way ends with WSA_E_CANCELLED. */
  NSPCleanup(lpProviderId: string): Answer;
  /** Takes a question; nobody is asked yet. `lphLookup` gets a handle of the provider's own. */
  NSPLookupServiceBegin(
    lpProviderId: string,
    lpqsRestrictions: WSAQUERYSET,
    lpServiceClassInfo: WSASERVICECLASSINFO | null,
    dwControlFlags: number,
    lphLookup: Ref,
  ): Answer;
  /** Fills in the next result; WSA_E_NO_MORE after the last one, WSAEFAULT when it needs a larger buffer. */
  NSPLookupServiceNext(
    hLookup: number,
    dwControlFlags: number,
    lpdwBufferLength: Ref,
    lpqsResults: WSAQUERYSET,
  ): Answer;
  /** Ends a lookup; a Next that waits ends with WSA_E_CANCELLED. */
  NSPLookupServiceEnd(hLookup: number): Answer;
  /** Registers a service, or takes it back (NSP-REG-*). */
  NSPSetService(
    lpProviderId: string,
    lpServiceClassInfo: WSASERVICECLASSINFO | null,
    lpqsRegInfo: WSAQUERYSET,
    essOperation: number,
    dwControlFlags: number,
  ): Answer;
  /** Keeps a class of services; WSAEOPNOTSUPP of a provider that keeps none. */
  NSPInstallServiceClass(lpProviderId: string, lpServiceClassInfo: WSASERVICECLASSINFO): Answer;
  NSPRemoveServiceClass(lpProviderId: string, lpServiceClassId: string): Answer;
  /** Fills in the class whose id `lpServiceClassInfo` has; WSAEFAULT when it needs a larger buffer. */
  NSPGetServiceClassInfo(
    lpProviderId: string,
    lpdwBufSize: Ref,
    lpServiceClassInfo: WSASERVICECLASSINFO,
  ): Answer;
  /** SIO_NSP_NOTIFY_CHANGE of a lookup. With `lpCompletion` null it answers when something has changed. */
  NSPIoctl?(
    hLookup: number,
    dwControlCode: number,
    lpvInBuffer: Uint8Array | null,
    cbInBuffer: number,
    lpvOutBuffer: Uint8Array | null,
    cbOutBuffer: number,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
    lpThreadId: WSATHREADID | null,
  ): Answer;
}

/** The entries that every provider has. */
export const NSP_ENTRIES = [
  'NSPCleanup',
  'NSPLookupServiceBegin',
  'NSPLookupServiceNext',
  'NSPLookupServiceEnd',
  'NSPSetService',
  'NSPInstallServiceClass',
  'NSPRemoveServiceClass',
  'NSPGetServiceClassInfo',
] as const satisfies readonly (keyof NSP_ROUTINE)[];

/** `cbSize` of the whole C table, and of the one without NSPIoctl (x64). */
export const NSP_ROUTINE_LEN = 88;
export const NSP_ROUTINE_LEN_WITHOUT_IOCTL = 80;

/**
 * A provider's export. Fills in `lpnspRoutines`, whose `cbSize` the caller has set to the size that it knows; the provider sets it to
 * how far it filled the table, and entries behind that are not called. Each NSPStartup needs its own NSPCleanup.
 * @returns 0 or minus a WSA code: WSAEINVAL when the table is too small, WSASYSCALLFAILURE
 */
export type NSPStartup = (lpProviderId: string, lpnspRoutines: Partial<NSP_ROUTINE>) => Answer;
