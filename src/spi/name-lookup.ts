/**
 * What the built-in name-space providers have in common: lookups that find all their results at the first Next, hand them out one by
 * one, and can be ended while they wait (NSP-RULE-05).
 */

import {
  LUP_FLUSHPREVIOUS,
  LUP_RETURN_ADDR,
  LUP_RETURN_ALIASES,
  LUP_RETURN_BLOB,
  LUP_RETURN_COMMENT,
  LUP_RETURN_NAME,
  LUP_RETURN_QUERY_STRING,
  LUP_RETURN_TYPE,
  LUP_RETURN_VERSION,
  packWSAQUERYSET,
  querySet,
  RESULT_IS_ALIAS,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSA_INVALID_HANDLE,
  WSAEFAULT,
  type WSAQUERYSET,
} from '../abi/index.ts';
import type { Answer, Ref } from './types.ts';

/** Finds what a lookup is to hand out: the results, whole, or minus a WSA code. */
export type FindResults = (signal: AbortSignal) => Found | Promise<Found>;
export type Found = readonly WSAQUERYSET[] | number;

/** One lookup. */
interface Lookup {
  readonly dwControlFlags: number;
  readonly find: FindResults;
  readonly abort: AbortController;
  /** What was found, once it was. */
  found: Found | null;
  next: number;
  /** The last result did not fit into the buffer. */
  didNotFit: boolean;
}

/** Most lookups of a process that are open at once in one provider. */
const LOOKUPS_MAX = 4096;

export class Lookups {
  readonly #open = new Map<number, Lookup>();
  #lastHandle = 0;

  /** @returns the handle, or 0 when there are too many */
  begin(dwControlFlags: number, find: FindResults): number {
    if (this.#open.size >= LOOKUPS_MAX) return 0;
    this.#lastHandle = (this.#lastHandle + 1) % 0x7fff_ffff || 1;
    const abort = new AbortController();
    this.#open.set(this.#lastHandle, { dwControlFlags, find, abort, found: null, next: 0, didNotFit: false });
    return this.#lastHandle;
  }

  /** NSPLookupServiceNext. */
  next(hLookup: number, dwControlFlags: number, lpdwBufferLength: Ref, into: WSAQUERYSET): Answer {
    const lookup = this.#open.get(hLookup);
    if (lookup === undefined) return -WSA_INVALID_HANDLE;
    if (lookup.found !== null) return give(lookup, lookup.found, dwControlFlags, lpdwBufferLength, into);
    const found = lookup.find(lookup.abort.signal);
    const finish = (results: Found): number => {
      if (lookup.abort.signal.aborted) return -WSA_E_CANCELLED;
      lookup.found = results;
      return give(lookup, results, dwControlFlags, lpdwBufferLength, into);
    };
    return found instanceof Promise ? found.then(finish) : finish(found);
  }

  /** NSPLookupServiceEnd. */
  end(hLookup: number): number {
    const lookup = this.#open.get(hLookup);
    if (lookup === undefined) return -WSA_INVALID_HANDLE;
    this.#open.delete(hLookup);
    lookup.abort.abort();
    return 0;
  }

  has(hLookup: number): boolean {
    return this.#open.has(hLookup);
  }

  /** Ends all. */
  endAll(): void {
    for (const handle of [...this.#open.keys()]) this.end(handle);
  }
}

function give(
  lookup: Lookup,
  found: Found,
  dwControlFlags: number,
  lpdwBufferLength: Ref,
  into: WSAQUERYSET,
): number {
  if (typeof found === 'number') return found;
  if (lookup.didNotFit && (dwControlFlags & LUP_FLUSHPREVIOUS) !== 0) lookup.next++;
  lookup.didNotFit = false;
  const result = found[lookup.next];
  if (result === undefined) return -WSA_E_NO_MORE;
  const wanted = only(result, lookup.dwControlFlags);
  const length = packWSAQUERYSET(wanted, 'W').length;
  if (lpdwBufferLength.value < length) {
    lookup.didNotFit = true;
    lpdwBufferLength.value = length;
    return -WSAEFAULT;
  }
  lookup.next++;
  Object.assign(into, wanted);
  return 0;
}

/** What of a result the LUP_RETURN_* flags ask for; the rest is empty. */
function only(result: WSAQUERYSET, flags: number): WSAQUERYSET {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return querySet({
    dwNameSpace: result.dwNameSpace,
    lpNSProviderId: result.lpNSProviderId,
    lpszContext: result.lpszContext,
    dwOutputFlags: result.dwOutputFlags,
    ...(has(LUP_RETURN_NAME) || (has(LUP_RETURN_ALIASES) && (result.dwOutputFlags & RESULT_IS_ALIAS) !== 0)
      ? { lpszServiceInstanceName: result.lpszServiceInstanceName }
      : {}),
    ...(has(LUP_RETURN_TYPE) ? { lpServiceClassId: result.lpServiceClassId } : {}),
    ...(has(LUP_RETURN_VERSION) ? { lpVersion: result.lpVersion } : {}),
    ...(has(LUP_RETURN_COMMENT) ? { lpszComment: result.lpszComment } : {}),
    ...(has(LUP_RETURN_ADDR)
      ? { dwNumberOfCsAddrs: result.dwNumberOfCsAddrs, lpcsaBuffer: result.lpcsaBuffer }
      : {}),
    ...(has(LUP_RETURN_BLOB) ? { lpBlob: result.lpBlob } : {}),
    ...(has(LUP_RETURN_QUERY_STRING) ? { lpszQueryString: result.lpszQueryString } : {}),
  });
}
