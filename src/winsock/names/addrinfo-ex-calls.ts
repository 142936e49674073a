/**
 * getaddrinfo over chosen name spaces, at once or overlapped, with a time limit and a handle to cancel it.
 *
 * An overlapped request is told of by its event or its completion routine, which is called as soon as it is done, in no particular
 * wait. A routine is called for what pended only: a call that answers 0 at once has said everything (as Microsoft's example has it). `lpOverlapped.Internal` is WSS_OPERATION_IN_PROGRESS meanwhile and the WSA code after.
 */

import {
  type ADDRINFOEX,
  parseGuid,
  type TIMEVAL,
  timevalToMs,
  WSA_E_CANCELLED,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEFAULT,
  WSAEINPROGRESS,
  WSAEINVAL,
  WSAETIMEDOUT,
  WSANOTINITIALISED,
  WSS_OPERATION_IN_PROGRESS,
} from '../../abi/index.ts';
import type { Answer, Ref, WSAOVERLAPPED } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { resultOf } from './addrinfo-calls.ts';
import { type AddressQuestion, readHints } from './addrinfo-hints.ts';
import { type Resolved, resolve } from './resolve.ts';

/** Called when an overlapped request for names is done. */
export type LPLOOKUPSERVICE_COMPLETION_ROUTINE = (
  dwError: number,
  dwBytes: number,
  lpOverlapped: WSAOVERLAPPED,
) => void;

/** Most requests of a process that pend at once. */
const PENDING_MAX = 4096;

export function addrinfoExCalls(process: WinsockProcess) {
  const { naming } = process;

  /** Runs to the end or to the time limit. */
  const withTimeout = (
    found: Promise<Resolved | number>,
    abort: AbortController,
    timeoutMs: number,
  ): Promise<Resolved | number> => {
    if (timeoutMs <= 0) return found;
    let isLate = false;
    const cancel = process.scheduler.after(timeoutMs, () => {
      isLate = true;
      abort.abort();
    });
    return found.then((result) => {
      cancel();
      return isLate && result === -WSA_E_CANCELLED ? -WSAETIMEDOUT : result;
    });
  };

  /** Goes on without the caller. */
  const pend = (
    finding: Promise<Resolved | number>,
    abort: AbortController,
    finish: (found: Resolved | number) => number,
    lpOverlapped: WSAOVERLAPPED,
    routine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null,
    lpHandle: Ref | null,
  ): number => {
    const handle = naming.newHandle();
    if (lpHandle !== null) lpHandle.value = handle;
    begin(lpOverlapped);
    let isAbandoned = false;
    naming.pending.set(handle, {
      cancel: () => abort.abort(),
      abandon() {
        isAbandoned = true;
        abort.abort();
      },
    });
    void finding.then((found) => {
      naming.pending.delete(handle);
      if (isAbandoned) return;
      end(finish(found), lpOverlapped, routine);
    });
    return -WSA_IO_PENDING;
  };

  const begin = (lpOverlapped: WSAOVERLAPPED): void => {
    process.handles.event(lpOverlapped.hEvent)?.reset();
    lpOverlapped.Internal = WSS_OPERATION_IN_PROGRESS;
    lpOverlapped.InternalHigh = 0;
  };

  const end = (
    answer: number,
    lpOverlapped: WSAOVERLAPPED,
    routine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null,
  ): void => {
    lpOverlapped.Internal = Math.max(-answer, 0);
    process.handles.event(lpOverlapped.hEvent)?.set();
    routine?.(lpOverlapped.Internal, 0, lpOverlapped);
  };

  const ask = (
    pName: string | null,
    pServiceName: string | null,
    dwNameSpace: number,
    lpNspId: string | null,
    hints: ADDRINFOEX | null,
    ppResult: Ref<ADDRINFOEX | null> | null,
    timeout: TIMEVAL | null,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null,
    lpHandle: Ref | null,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (ppResult === null) return -WSAEFAULT;
    ppResult.value = null;
    if (lpOverlapped === null && (lpCompletionRoutine !== null || lpHandle !== null)) return -WSAEINVAL;
    if (lpCompletionRoutine !== null && typeof lpCompletionRoutine !== 'function') return -WSAEFAULT;
    // One of the two tells.
    if (lpCompletionRoutine !== null && lpOverlapped !== null && lpOverlapped.hEvent !== 0) return -WSAEINVAL;
    if (lpNspId !== null && parseGuid(lpNspId) === null) return -WSAEINVAL;
    const timeoutMs = timeout === null ? 0 : timevalToMs(timeout);
    if (timeoutMs < 0) return -WSAEINVAL;
    const question = readHints(pName, pServiceName, hints, naming.services, process.profile);
    if (typeof question === 'number') return question;
    if (naming.pending.size >= PENDING_MAX) return -WSA_NOT_ENOUGH_MEMORY;

    const finish = (found: Resolved | number): number => {
      if (typeof found === 'number') return found;
      ppResult.value = listOf(question, found);
      return 0;
    };
    const abort = new AbortController();
    const found = resolve(naming.spaces, question, { dwNameSpace, lpNspId }, abort.signal);
    if (!(found instanceof Promise)) {
      const answer = finish(found);
      if (answer === 0 && lpOverlapped !== null) {
        begin(lpOverlapped);
        end(0, lpOverlapped, null);
      }
      return answer;
    }
    const finding = withTimeout(found, abort, timeoutMs);
    if (lpOverlapped === null) return finding.then(finish);
    return pend(finding, abort, finish, lpOverlapped, lpCompletionRoutine, lpHandle);
  };

  return {
    /**
     * Addresses of a name, of chosen name spaces.
     * @param dwNameSpace NS_ALL or one; `lpNspId` names one provider instead
     * @param timeout the lookup's limit: WSAETIMEDOUT
     * @param lpHandle gets what GetAddrInfoExCancel takes
     * @returns 0; WSA_IO_PENDING when `lpOverlapped` tells of the end
     */
    GetAddrInfoEx: (
      pName: string | null,
      pServiceName: string | null,
      dwNameSpace: number,
      lpNspId: string | null,
      hints: ADDRINFOEX | null,
      ppResult: Ref<ADDRINFOEX | null> | null,
      timeout: TIMEVAL | null = null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null = null,
      lpHandle: Ref | null = null,
    ): Answer =>
      ask(
        pName ?? null,
        pServiceName ?? null,
        dwNameSpace,
        lpNspId ?? null,
        hints ?? null,
        ppResult,
        timeout,
        lpOverlapped,
        lpCompletionRoutine,
        lpHandle,
      ),

    /** The narrow form has no limit, is not overlapped and has no handle: those have to be null. */
    GetAddrInfoExA(
      pName: string | null,
      pServiceName: string | null,
      dwNameSpace: number,
      lpNspId: string | null,
      hints: ADDRINFOEX | null,
      ppResult: Ref<ADDRINFOEX | null> | null,
      timeout: TIMEVAL | null = null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null = null,
      lpNameHandle: Ref | null = null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const isReserved =
        timeout !== null || lpOverlapped !== null || lpCompletionRoutine !== null || lpNameHandle !== null;
      if (isReserved) return -WSAEINVAL;
      return ask(
        pName ?? null,
        pServiceName ?? null,
        dwNameSpace,
        lpNspId ?? null,
        hints ?? null,
        ppResult,
        null,
        null,
        null,
        null,
      );
    },

    /** Cancels an overlapped request, which then ends with WSA_E_CANCELLED. */
    GetAddrInfoExCancel(lpHandle: Ref | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const cancel = lpHandle === null ? undefined : naming.pending.get(lpHandle.value)?.cancel;
      if (cancel === undefined) return -WSA_INVALID_HANDLE;
      cancel();
      return 0;
    },

    /** How an overlapped request ended; WSAEINPROGRESS while it has not. */
    GetAddrInfoExOverlappedResult(lpOverlapped: WSAOVERLAPPED | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpOverlapped === null) return -WSAEINVAL;
      const { Internal } = lpOverlapped;
      if (Internal === WSS_OPERATION_IN_PROGRESS) return -WSAEINPROGRESS;
      return Internal === 0 ? 0 : -Internal;
    },
  };
}

function listOf(
  question: AddressQuestion,
  { addresses, canonicalName, providerId }: Resolved,
): ADDRINFOEX | null {
  let first: ADDRINFOEX | null = null;
  for (const address of [...addresses].reverse()) {
    first = {
      ...resultOf(question, address),
      ai_canonname: null,
      ai_blob: null,
      ai_bloblen: 0,
      ai_provider: providerId,
      ai_next: first,
    };
  }
  if (first !== null) first.ai_canonname = canonicalName;
  return first;
}
