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
  WSAEWOULDBLOCK,
  WSANO_DATA,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../../abi/index.ts';
import {
  type Answer,
  firstError,
  type NameSpaceLookup,
  type NameSpaces,
  type Ref,
  type WSACOMPLETION,
} from '../../spi/index.ts';

/** A provider that accepted the question. */
interface Part {
  readonly lookup: NameSpaceLookup;
  /** Results that it gave. */
  given: number;
  /** An ioctl that waits for a change. */
  watch: { readonly dwControlCode: number; readonly answer: Promise<number> } | null;
}

/** Room that nobody's result exceeds: for calls that count in another form than the provider does. */
const LARGE = 1 << 24;
/** Most results of one provider, to an application's lookup and to a question of ws2_32's own. */
const PART_MAX = 1 << 16;
const OWN_PART_MAX = 1024;

export class NameLookup {
  readonly #parts: readonly Part[];
  readonly #partMax: number;
  #current = 0;
  #error = 0;
  #isEnded = false;
  /** Ends what waits. */
  #cancel: (answer: number) => void = () => {};
  readonly #cancelled: Promise<number>;
  /** A result that did not fit: the provider counted in another form, or not at all. */
  #kept: WSAQUERYSET | null = null;
  /** The Next before: they take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: readonly Part[], partMax: number) {
    this.#parts = parts;
    this.#partMax = partMax;
    this.#cancelled = new Promise((resolve) => {
      this.#cancel = resolve;
    });
  }

  /** Asks every active provider that fits; one that accepts is enough. @returns minus a WSA code when none does */
  static async begin(
    spaces: NameSpaces,
    restrictions: WSAQUERYSET,
    dwControlFlags: number,
    partMax = PART_MAX,
  ): Promise<NameLookup | number> {
    const parts: Part[] = [];
    let error = 0;
    for (const entry of await spaces.matching(restrictions.dwNameSpace, restrictions.lpNSProviderId)) {
      const provider = await spaces.start(entry);
      const lookup =
        typeof provider === 'number' ? provider : await provider.begin(restrictions, dwControlFlags);
      if (typeof lookup === 'number') error = firstError(error, lookup);
      else parts.push({ lookup, given: 0, watch: null });
    }
    if (parts.length > 0) return new NameLookup(parts, partMax);
    return error === 0 ? -WSANO_DATA : error;
  }

  /** WSALookupServiceNext. */
  next(
    dwControlFlags: number,
    lpdwBufferLength: Ref,
    lpqsResults: WSAQUERYSET,
    form: TextForm,
  ): Promise<number> {
    const next = this.#turn.then(() => this.#give(dwControlFlags, lpdwBufferLength, lpqsResults, form));
    this.#turn = next.catch(() => 0);
    return next;
  }

  async #give(
    dwControlFlags: number,
    lpdwBufferLength: Ref,
    lpqsResults: WSAQUERYSET,
    form: TextForm,
  ): Promise<number> {
    if (this.#isEnded) return -WSA_E_CANCELLED;
    let flags = dwControlFlags;
    if (this.#kept !== null && (flags & LUP_FLUSHPREVIOUS) !== 0) {
      this.#kept = null;
      // It was this result that did not fit, and none that the provider still has.
      flags &= ~LUP_FLUSHPREVIOUS;
    }
    if (this.#kept === null) {
      const length: Ref = { value: form === 'W' ? lpdwBufferLength.value : LARGE };
      const result = await this.#next(flags, length);
      if (result === -WSAEFAULT) lpdwBufferLength.value = length.value;
      if (typeof result === 'number') return result;
      this.#kept = result;
    }
    const needed = packWSAQUERYSET(this.#kept, form).length;
    if (lpdwBufferLength.value < needed) {
      lpdwBufferLength.value = needed;
      return -WSAEFAULT;
    }
    Object.assign(lpqsResults, this.#kept);
    this.#kept = null;
    return 0;
  }

  async #next(dwControlFlags: number, length: Ref): Promise<WSAQUERYSET | number> {
    let flags = dwControlFlags;
    for (let part = this.#parts[this.#current]; part !== undefined; part = this.#parts[++this.#current]) {
      const result =
        part.given >= this.#partMax
          ? -WSA_E_NO_MORE
          : await Promise.race([this.#cancelled, part.lookup.next(flags, length)]);
      // What was to be discarded was of this provider.
      flags &= ~LUP_FLUSHPREVIOUS;
      if (this.#isEnded) return -WSA_E_CANCELLED;
      if (typeof result !== 'number') {
        part.given++;
        // What failed before is no longer worth a word.
        this.#error = -WSA_E_NO_MORE;
        return result;
      }
      if (result === -WSAEFAULT) return result;
      if (result === -WSAECANCELLED) this.#error = firstError(this.#error, -WSA_E_CANCELLED);
      else if (result !== -WSA_E_NO_MORE && result !== -WSAENOMORE)
        this.#error = firstError(this.#error, result);
    }
    const error = this.#error;
    this.#error = -WSA_E_NO_MORE;
    return error === 0 ? -WSA_E_NO_MORE : error;
  }

  /**
   * WSANSPIoctl, to every provider that has it: the first that succeeds tells, else the first error.
   * @param lpCompletion `null`: it waits
   * @returns `null` when no provider has it
   */
  ioctl(
    dwControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
  ): Answer | null {
    const answers: Answer[] = [];
    for (const part of this.#parts) {
      const { lookup, watch } = part;
      const answer =
        lpCompletion === null && watch?.dwControlCode === dwControlCode
          ? watch.answer
          : lookup.ioctl(dwControlCode, input, output, lpcbBytesReturned, lpCompletion);
      if (answer === null) continue;
      answers.push(answer);
      if (lpCompletion !== null || typeof answer === 'number') continue;
      part.watch = { dwControlCode, answer };
      void answer.then(() => {
        part.watch = null;
      });
    }
    const waiting = answers.filter((answer) => typeof answer !== 'number');
    const settled = answers.filter((answer) => typeof answer === 'number');
    if (settled.includes(0)) return 0;
    if (waiting.length === 0) return settled.length === 0 ? null : errorOf(settled);
    return Promise.race([this.#cancelled, firstSuccess(waiting, settled)]);
  }

  /** WSALookupServiceEnd; what waits ends with WSA_E_CANCELLED. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancel(-WSA_E_CANCELLED);
    await Promise.all(this.#parts.map(({ lookup }) => lookup.end()));
  }
}

/** Success as soon as one of them succeeds; else an error. @param settled errors that are there already */
async function firstSuccess(
  waiting: readonly Promise<number>[],
  settled: readonly number[],
): Promise<number> {
  const success = waiting.map(async (each) => ((await each) === 0 ? 0 : Promise.reject(new Error('failed'))));
  try {
    return await Promise.any(success);
  } catch {
    return errorOf([...settled, ...(await Promise.all(waiting))]);
  }
}

/** That nothing has changed for one counts more than that another cannot tell. */
function errorOf(errors: readonly number[]): number {
  return errors.includes(-WSAEWOULDBLOCK) ? -WSAEWOULDBLOCK : errors.reduce(firstError, 0);
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
  const beginning = NameLookup.begin(spaces, querySet(restrictions), dwControlFlags, OWN_PART_MAX);
  const lookup = signal === undefined ? await beginning : await unlessAborted(beginning, signal);
  if (typeof lookup === 'number') return lookup;
  const end = (): void => void lookup.end();
  signal?.addEventListener('abort', end);
  const results: WSAQUERYSET[] = [];
  let answer = 0;
  while (answer === 0) {
    const result = querySet();
    answer = await lookup.next(0, { value: LARGE }, result, 'W');
    if (answer === 0) results.push(result);
  }
  signal?.removeEventListener('abort', end);
  await lookup.end();
  if (answer === -WSA_E_CANCELLED && signal?.aborted === true) return answer;
  if (results.length > 0) return results;
  return answer === -WSA_E_NO_MORE ? -WSASERVICE_NOT_FOUND : answer;
}

/** A lookup that was begun; who aborts does not wait for providers that think about it. */
function unlessAborted(
  beginning: Promise<NameLookup | number>,
  signal: AbortSignal,
): Promise<NameLookup | number> {
  return new Promise((resolve) => {
    const abort = (): void => resolve(-WSA_E_CANCELLED);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    void beginning.then((lookup) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted && typeof lookup !== 'number') void lookup.end();
      resolve(signal.aborted ? -WSA_E_CANCELLED : lookup);
    });
  });
}
