/**
 * Lookups over the name spaces (NSP-RULE-*), and the list of who provides them.
 */

import {
  LUP_CONTAINERS,
  LUP_NOCONTAINERS,
  NSP_NOTIFY_APC,
  NSP_NOTIFY_EVENT,
  NSP_NOTIFY_HWND,
  NSP_NOTIFY_IMMEDIATELY,
  NSP_NOTIFY_PORT,
  ntStatusOf,
  packWSANAMESPACE_INFO,
  packWSANAMESPACE_INFOEX,
  parseGuid,
  type TextForm,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  type WSANAMESPACE_INFO,
  type WSANAMESPACE_INFOEX,
  WSANOTINITIALISED,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  WSS_OPERATION_IN_PROGRESS,
} from '../../abi/index.ts';
import type { NameSpaceEntry } from '../../port/index.ts';
import { type Answer, nameSpaceInfo, type Ref, type WSACOMPLETION } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { NameLookup } from './lookup.ts';

/** Most lookups that a process has open. */
const LOOKUPS_MAX = 4096;

export function lookupCalls(process: WinsockProcess) {
  const { naming } = process;

  const next = (
    hLookup: number,
    dwControlFlags: number,
    lpdwBufferLength: Ref | null,
    lpqsResults: WSAQUERYSET | null,
    form: TextForm,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    const lookup = naming.lookups.get(hLookup);
    if (lookup === undefined) return -WSA_INVALID_HANDLE;
    if (lpdwBufferLength === null || lpqsResults === null) return -WSAEFAULT;
    return lookup.next(dwControlFlags, lpdwBufferLength, lpqsResults, form);
  };

  const enumerate = async <T>(
    lpdwBufferLength: Ref | null,
    lpnspBuffer: T[] | null,
    infoOf: (entry: NameSpaceEntry) => T,
    pack: (infos: readonly T[]) => Uint8Array,
  ): Promise<number> => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (lpdwBufferLength === null) return -WSAEFAULT;
    const infos = (await naming.spaces.list()).map(infoOf);
    const needed = pack(infos).length;
    if (lpnspBuffer === null || lpdwBufferLength.value < needed) {
      lpdwBufferLength.value = needed;
      return -WSAEFAULT;
    }
    lpnspBuffer.length = 0;
    lpnspBuffer.push(...infos);
    return infos.length;
  };

  const providers = (
    lpdwBufferLength: Ref | null,
    buffer: WSANAMESPACE_INFO[] | null,
    form: TextForm,
  ): Answer => {
    const infoOf = (entry: NameSpaceEntry): WSANAMESPACE_INFO => {
      const { ProviderSpecific: _, ...info } = nameSpaceInfo(entry);
      return info;
    };
    return enumerate(lpdwBufferLength, buffer, infoOf, (infos) => packWSANAMESPACE_INFO(infos, form));
  };

  const providersEx = (
    lpdwBufferLength: Ref | null,
    buffer: WSANAMESPACE_INFOEX[] | null,
    form: TextForm,
  ): Answer =>
    enumerate(lpdwBufferLength, buffer, nameSpaceInfo, (infos) => packWSANAMESPACE_INFOEX(infos, form));

  return {
    /** Takes a question to every name space that it is for. @param lphLookup gets the handle of the lookup */
    WSALookupServiceBegin(
      lpqsRestrictions: WSAQUERYSET | null,
      dwControlFlags: number,
      lphLookup: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpqsRestrictions === null || lphLookup === null) return -WSAEFAULT;
      const error = checkRestrictions(lpqsRestrictions, dwControlFlags);
      if (error !== 0) return -error;
      if (naming.lookups.size >= LOOKUPS_MAX) return -WSA_NOT_ENOUGH_MEMORY;
      return NameLookup.begin(naming.spaces, { ...lpqsRestrictions }, dwControlFlags).then((lookup) => {
        if (typeof lookup === 'number') return lookup;
        const handle = naming.newHandle();
        naming.lookups.set(handle, lookup);
        lphLookup.value = handle;
        return 0;
      });
    },

    /** The next result; WSA_E_NO_MORE after the last. @param lpdwBufferLength bytes of room; of need with WSAEFAULT */
    WSALookupServiceNext: (
      hLookup: number,
      dwControlFlags: number,
      lpdwBufferLength: Ref | null,
      lpqsResults: WSAQUERYSET | null,
    ): Answer => next(hLookup, dwControlFlags, lpdwBufferLength, lpqsResults, 'W'),
    /** The same, counted in the A form. */
    WSALookupServiceNextA: (
      hLookup: number,
      dwControlFlags: number,
      lpdwBufferLength: Ref | null,
      lpqsResults: WSAQUERYSET | null,
    ): Answer => next(hLookup, dwControlFlags, lpdwBufferLength, lpqsResults, 'A'),

    /** Ends a lookup; a Next that waits ends with WSA_E_CANCELLED. */
    WSALookupServiceEnd(hLookup: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const lookup = naming.lookups.get(hLookup);
      if (lookup === undefined) return -WSA_INVALID_HANDLE;
      naming.lookups.delete(hLookup);
      return lookup.end().then(() => 0);
    },

    /**
     * Asks a name space to tell of changes (SIO_NSP_NOTIFY_CHANGE). Without `lpCompletion` it waits for one.
     * @returns WSA_IO_PENDING when the completion tells; WSAEWOULDBLOCK when NSP_NOTIFY_IMMEDIATELY finds no change
     */
    WSANSPIoctl(
      hLookup: number,
      dwControlCode: number,
      lpvInBuffer: Uint8Array | null,
      cbInBuffer: number,
      lpvOutBuffer: Uint8Array | null,
      cbOutBuffer: number,
      lpcbBytesReturned: Ref | null,
      lpCompletion: WSACOMPLETION | null = null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const lookup = naming.lookups.get(hLookup);
      if (lookup === undefined) return -WSA_INVALID_HANDLE;
      const [input, output] = [part(lpvInBuffer, cbInBuffer), part(lpvOutBuffer, cbOutBuffer)];
      if (lpcbBytesReturned === null || input === undefined || output === undefined) return -WSAEFAULT;
      const isNow = lpCompletion?.Type === NSP_NOTIFY_IMMEDIATELY;
      const tell = lpCompletion === null || isNow ? null : announcer(process, lpCompletion);
      if (typeof tell === 'number') return tell;
      const answer = lookup.ioctl(
        dwControlCode,
        input,
        output,
        lpcbBytesReturned,
        isNow ? lpCompletion : null,
      );
      if (answer === null) return -WSAEOPNOTSUPP;
      if (tell === null || (typeof answer === 'number' && answer < 0)) return answer;
      tell.begin();
      if (typeof answer === 'number') {
        tell.end(answer);
        return answer;
      }
      void answer.then((late) => tell.end(late));
      return -WSA_IO_PENDING;
    },

    /** Lists the name-space providers, inactive ones too. @returns how many; WSAEFAULT with the length needed */
    WSAEnumNameSpaceProviders: (
      lpdwBufferLength: Ref | null,
      lpnspBuffer: WSANAMESPACE_INFO[] | null,
    ): Answer => providers(lpdwBufferLength, lpnspBuffer, 'W'),
    /** The same, counted in the A form. */
    WSAEnumNameSpaceProvidersA: (
      lpdwBufferLength: Ref | null,
      lpnspBuffer: WSANAMESPACE_INFO[] | null,
    ): Answer => providers(lpdwBufferLength, lpnspBuffer, 'A'),
    /** The same with each provider's own data. */
    WSAEnumNameSpaceProvidersEx: (
      lpdwBufferLength: Ref | null,
      lpnspBuffer: WSANAMESPACE_INFOEX[] | null,
    ): Answer => providersEx(lpdwBufferLength, lpnspBuffer, 'W'),
    WSAEnumNameSpaceProvidersExA: (
      lpdwBufferLength: Ref | null,
      lpnspBuffer: WSANAMESPACE_INFOEX[] | null,
    ): Answer => providersEx(lpdwBufferLength, lpnspBuffer, 'A'),
  };
}

/** NSP-RULE-01. */
function checkRestrictions(set: WSAQUERYSET, dwControlFlags: number): number {
  const containers = LUP_CONTAINERS | LUP_NOCONTAINERS;
  if (set.dwSize !== WSAQUERYSET_LEN) return WSAEINVAL;
  if (set.lpServiceClassId === null || parseGuid(set.lpServiceClassId) === null) return WSAEINVAL;
  if (set.lpNSProviderId !== null && parseGuid(set.lpNSProviderId) === null) return WSAEINVAL;
  return (dwControlFlags & containers) === containers ? WSAEINVAL : 0;
}

/** The bytes of a buffer; `undefined` when it is shorter than it is said to be. */
function part(buffer: Uint8Array | null, length: number): Uint8Array | null | undefined {
  if (buffer === null) return length > 0 ? undefined : null;
  return length >= 0 && length <= buffer.length ? buffer.subarray(0, length) : undefined;
}

/** How a completion is told; minus a WSA code where it can't be. */
function announcer(
  process: WinsockProcess,
  completion: WSACOMPLETION,
): { begin(): void; end(answer: number): void } | number {
  switch (completion.Type) {
    case NSP_NOTIFY_HWND: {
      const { hWnd, uMsg, context } = completion;
      return {
        begin() {},
        end: (answer) => void process.postMessage(hWnd, uMsg, context, Math.max(-answer, 0)),
      };
    }
    case NSP_NOTIFY_EVENT: {
      const { lpOverlapped } = completion;
      return {
        begin() {
          process.handles.event(lpOverlapped.hEvent)?.reset();
          lpOverlapped.Internal = WSS_OPERATION_IN_PROGRESS;
        },
        end(answer) {
          lpOverlapped.Internal = Math.max(-answer, 0);
          process.handles.event(lpOverlapped.hEvent)?.set();
        },
      };
    }
    case NSP_NOTIFY_PORT: {
      const { lpOverlapped, hPort, Key } = completion;
      const port = process.handles.port(hPort);
      if (port === null) return -WSA_INVALID_HANDLE;
      return {
        begin() {
          lpOverlapped.Internal = WSS_OPERATION_IN_PROGRESS;
        },
        end(answer) {
          lpOverlapped.Internal = Math.max(-answer, 0);
          port.post({ key: Key, lpOverlapped, bytes: 0, status: ntStatusOf(lpOverlapped.Internal) });
        },
      };
    }
    case NSP_NOTIFY_APC: {
      const { lpOverlapped, lpfnCompletionProc } = completion;
      const { apcs } = process.thread;
      return {
        begin() {
          lpOverlapped.Internal = WSS_OPERATION_IN_PROGRESS;
        },
        end(answer) {
          lpOverlapped.Internal = Math.max(-answer, 0);
          apcs.add(() => lpfnCompletionProc(lpOverlapped.Internal, 0, lpOverlapped, 0));
        },
      };
    }
    default:
      return -WSAEOPNOTSUPP;
  }
}
