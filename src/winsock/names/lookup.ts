/**
 * One lookup over all the name spaces that a question goes to: begun with each, results one provider after the other
 * (NSP-RULE-02).
 */

import {
  LUP_FLUSHPREVIOUS,
  packWSAQUERYSET,
  querySet,
  type TextForm,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSAECANCELLED,
  WSAEFAULT,
  WSAENOMORE,
  WSANO_DATA,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
  type WSASERVICECLASSINFO,
} from '../../abi/index.ts';
import type {
  Answer,
  NameSpaces,
  NSP_ROUTINE,
  Ref,
  StartedNameSpace,
  WSACOMPLETION,
} from '../../spi/index.ts';
import { answerOf } from './unreadable.ts';

/** A provider that accepted the question, and its own handle of it. */
interface Part {
  readonly routines: NSP_ROUTINE;
  readonly handle: number;
}

/** Room that nobody's result exceeds: for calls that count in another form than the provider does. */
const LARGE = 1 << 24;
/** Most results that a question of ws2_32's own takes. */
const RESULTS_MAX = 1024;

export class NameLookup {
  readonly #parts: readonly Part[];
  #current = 0;
  #error = 0;
  #isEnded = false;
  /** A result that did not fit in the A form, which a provider does not count in. */
  #kept: WSAQUERYSET | null = null;

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Asks every active provider that fits; one that accepts is enough. @returns minus a WSA code when none does */
  static async begin(
    spaces: NameSpaces,
    restrictions: WSAQUERYSET,
    dwControlFlags: number,
  ): Promise<NameLookup | number> {
    const parts: Part[] = [];
    let error = 0;
    for (const entry of spaces.matching(restrictions.dwNameSpace, restrictions.lpNSProviderId)) {
      const provider = spaces.start(entry);
      const answer =
        typeof provider === 'number' ? provider : await begun(provider, restrictions, dwControlFlags);
      if (typeof answer === 'number') error ||= answer;
      else parts.push(answer);
    }
    if (parts.length > 0) return new NameLookup(parts);
    return error === 0 ? -WSANO_DATA : error;
  }

  /** WSALookupServiceNext. */
  async next(
    dwControlFlags: number,
    lpdwBufferLength: Ref,
    lpqsResults: WSAQUERYSET,
    form: TextForm,
  ): Promise<number> {
    if (form === 'W') return this.#next(dwControlFlags, lpdwBufferLength, lpqsResults);
    if ((dwControlFlags & LUP_FLUSHPREVIOUS) !== 0) this.#kept = null;
    if (this.#kept === null) {
      const result = querySet();
      const answer = await this.#next(dwControlFlags, { value: LARGE }, result);
      if (answer < 0) return answer;
      this.#kept = result;
    }
    const length = packWSAQUERYSET(this.#kept, form).length;
    if (lpdwBufferLength.value < length) {
      lpdwBufferLength.value = length;
      return -WSAEFAULT;
    }
    Object.assign(lpqsResults, this.#kept);
    this.#kept = null;
    return 0;
  }

  async #next(dwControlFlags: number, lpdwBufferLength: Ref, lpqsResults: WSAQUERYSET): Promise<number> {
    for (;;) {
      const part = this.#parts[this.#current];
      if (this.#isEnded) return -WSA_E_CANCELLED;
      if (part === undefined) break;
      const { routines, handle } = part;
      const answer = await answerOf(() =>
        routines.NSPLookupServiceNext(handle, dwControlFlags, lpdwBufferLength, lpqsResults),
      );
      if (this.#isEnded || answer === -WSA_E_CANCELLED || answer === -WSAECANCELLED) return -WSA_E_CANCELLED;
      if (answer >= 0) {
        // What failed before is no longer worth a word.
        this.#error = -WSA_E_NO_MORE;
        return 0;
      }
      if (answer === -WSAEFAULT) return answer;
      if (answer !== -WSA_E_NO_MORE && answer !== -WSAENOMORE) this.#error ||= answer;
      this.#current++;
    }
    const error = this.#error;
    this.#error = -WSA_E_NO_MORE;
    return error === 0 ? -WSA_E_NO_MORE : error;
  }

  /** WSANSPIoctl: of the provider whose results are being given out, or the next one that knows the code. */
  ioctl(
    dwControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
  ): Answer | null {
    for (const { routines, handle } of this.#parts) {
      if (routines.NSPIoctl === undefined) continue;
      return routines.NSPIoctl(
        handle,
        dwControlCode,
        input,
        input?.length ?? 0,
        output,
        output?.length ?? 0,
        lpcbBytesReturned,
        lpCompletion,
        null,
      );
    }
    return null;
  }

  /** WSALookupServiceEnd; a Next that waits ends with WSA_E_CANCELLED. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await Promise.all(
      this.#parts.map(({ routines, handle }) => answerOf(() => routines.NSPLookupServiceEnd(handle))),
    );
  }
}

async function begun(
  { entry, routines }: StartedNameSpace,
  restrictions: WSAQUERYSET,
  dwControlFlags: number,
): Promise<Part | number> {
  const { NSProviderId } = entry;
  const handle: Ref = { value: 0 };
  const info = await classOf(routines, NSProviderId, restrictions.lpServiceClassId);
  const answer = await answerOf(() =>
    routines.NSPLookupServiceBegin(NSProviderId, restrictions, info, dwControlFlags, handle),
  );
  return answer < 0 ? answer : { routines, handle: handle.value };
}

/** What a provider knows of a class; ws2_32 hands it along when there is something. */
export async function classOf(
  routines: NSP_ROUTINE,
  providerId: string,
  lpServiceClassId: string | null,
): Promise<WSASERVICECLASSINFO | null> {
  if (lpServiceClassId === null) return null;
  const info: WSASERVICECLASSINFO = { lpServiceClassId, lpszServiceClassName: null, lpClassInfos: [] };
  const answer = await answerOf(() => routines.NSPGetServiceClassInfo(providerId, { value: LARGE }, info));
  return answer < 0 ? null : info;
}

/**
 * A question of ws2_32's own: all its results at once.
 * @returns minus a WSA code when nothing was found; WSA_E_CANCELLED when `signal` aborts
 */
export async function lookUp(
  spaces: NameSpaces,
  restrictions: Partial<WSAQUERYSET>,
  dwControlFlags: number,
  signal?: AbortSignal,
): Promise<WSAQUERYSET[] | number> {
  const lookup = await NameLookup.begin(spaces, querySet(restrictions), dwControlFlags);
  if (typeof lookup === 'number') return lookup;
  const end = (): void => void lookup.end();
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end);
  const results: WSAQUERYSET[] = [];
  let answer = 0;
  while (results.length < RESULTS_MAX) {
    const result = querySet();
    answer = await lookup.next(0, { value: LARGE }, result, 'W');
    if (answer < 0) break;
    results.push(result);
  }
  signal?.removeEventListener('abort', end);
  await lookup.end();
  if (answer === -WSA_E_CANCELLED) return answer;
  if (results.length > 0) return results;
  return answer === -WSA_E_NO_MORE ? -WSASERVICE_NOT_FOUND : answer;
}
