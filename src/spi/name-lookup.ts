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

/** Finds what a lookup is to hand out: the results, whole, or minus a WSA code. Results may come one by one. */
export type FindResults = (signal: AbortSignal) => Found | Stream | Promise<Found | Stream>;
export type Found = readonly WSAQUERYSET[] | number;
/** Results one by one; it is closed when the lookup ends. */
export type Stream = AsyncIterator<WSAQUERYSET> | Iterator<WSAQUERYSET>;

/** One lookup. */
interface Lookup {
  readonly dwControlFlags: number;
  readonly find: FindResults;
  readonly abort: AbortController;
  /** What was found, once it was. */
  found: Found | Stream | null;
  next: number;
  /** A result that did not fit into the buffer. */
  kept: WSAQUERYSET | null;
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
    this.#open.set(this.#lastHandle, { dwControlFlags, find, abort, found: null, next: 0, kept: null });
    return this.#lastHandle;
  }

  /** NSPLookupServiceNext. */
  next(hLookup: number, dwControlFlags: number, lpdwBufferLength: Ref, into: WSAQUERYSET): Answer {
    const lookup = this.#open.get(hLookup);
    if (lookup === undefined) return -WSA_INVALID_HANDLE;
    if (lookup.kept !== null && (dwControlFlags & LUP_FLUSHPREVIOUS) !== 0) lookup.kept = null;
    const result = lookup.kept ?? pull(lookup);
    return result instanceof Promise
      ? result.then((late) =>
          lookup.abort.signal.aborted ? -WSA_E_CANCELLED : give(lookup, late, lpdwBufferLength, into),
        )
      : give(lookup, result, lpdwBufferLength, into);
  }

  /** NSPLookupServiceEnd. */
  end(hLookup: number): number {
    const lookup = this.#open.get(hLookup);
    if (lookup === undefined) return -WSA_INVALID_HANDLE;
    this.#open.delete(hLookup);
    lookup.abort.abort();
    if (isStream(lookup.found)) void closed(lookup.found);
    return 0;
  }

  has(hLookup: number): boolean {
    return this.#open.has(hLookup);
  }

  /** Aborts when the lookup ends. @throws {RangeError} for a handle that is none */
  signalOf(hLookup: number): AbortSignal {
    const lookup = this.#open.get(hLookup);
    if (lookup === undefined) throw new RangeError('no such lookup');
    return lookup.abort.signal;
  }

  /** Ends all. */
  endAll(): void {
    for (const handle of [...this.#open.keys()]) this.end(handle);
  }
}

/** The next result; minus a WSA code, WSA_E_NO_MORE after the last. */
function pull(lookup: Lookup): WSAQUERYSET | number | Promise<WSAQUERYSET | number> {
  if (lookup.found !== null) return taken(lookup, lookup.found);
  const finding = lookup.find(lookup.abort.signal);
  const keep = (found: Found | Stream): WSAQUERYSET | number | Promise<WSAQUERYSET | number> => {
    if (!isStream(found)) {
      lookup.found = found;
      return taken(lookup, found);
    }
    if (lookup.abort.signal.aborted) {
      void closed(found);
      return -WSA_E_CANCELLED;
    }
    lookup.found = found;
    return taken(lookup, found);
  };
  return finding instanceof Promise ? finding.then(keep) : keep(finding);
}

function taken(lookup: Lookup, found: Found | Stream): WSAQUERYSET | number | Promise<WSAQUERYSET | number> {
  if (typeof found === 'number') return found;
  if (!isStream(found)) return found[lookup.next++] ?? -WSA_E_NO_MORE;
  const step = found.next();
  return step instanceof Promise ? step.then(resultOf) : resultOf(step);
}

function resultOf({ done, value }: IteratorResult<WSAQUERYSET>): WSAQUERYSET | number {
  return done === true ? -WSA_E_NO_MORE : value;
}

function give(
  lookup: Lookup,
  result: WSAQUERYSET | number,
  lpdwBufferLength: Ref,
  into: WSAQUERYSET,
): number {
  if (typeof result === 'number') return result;
  const wanted = only(result, lookup.dwControlFlags);
  const length = packWSAQUERYSET(wanted, 'W').length;
  if (lpdwBufferLength.value < length) {
    lookup.kept = result;
    lpdwBufferLength.value = length;
    return -WSAEFAULT;
  }
  lookup.kept = null;
  Object.assign(into, wanted);
  return 0;
}

function isStream(found: Found | Stream | null): found is Stream {
  return typeof found === 'object' && found !== null && 'next' in found;
}

/** Whoever wrote the stream may have something to tidy up; what comes of that is theirs. */
async function closed(stream: Stream): Promise<void> {
  try {
    await stream.return?.();
  } catch {
    // It is closed all the same.
  }
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
