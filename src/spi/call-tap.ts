/**
 * The place where somebody can look at every call of every provider of a process while it runs, layers and base provider alike.
 *
 * Nobody looks unless a {@link CallWatcher} is set; a call then costs one look at a field. It can be set and taken away at any time:
 * calls that began before are not told.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { ExtensionFunctions } from './extensions.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAOVERLAPPED } from './types.ts';

/** The calls of a provider, and the extension functions that are reached by pointers. */
export type ProviderCall = keyof WSPPROC_TABLE | keyof ExtensionFunctions;

/** A provider that was started in a chain. */
export interface WatchedProvider {
  /** What it calls itself, and where it was loaded from. */
  readonly name: string;
  readonly path: string;
  /** The protocol info that it was started with. */
  readonly chain: WSAPROTOCOL_INFO;
  /** How many layers stand above it. */
  readonly depth: number;
}

/** Looks at calls. It may neither throw of itself nor call Winsock. */
export interface CallWatcher {
  /**
   * A call is made of a provider.
   * @param args borrowed until it is answered; lists of buffers only until `make` returns
   * @param make makes it; to be called once, and its answer is the answer
   */
  watch(provider: WatchedProvider, call: ProviderCall, args: readonly unknown[], make: () => Answer): Answer;
  /** An overlapped operation is done, and its record filled. @param answer its bytes, or minus a WSA code */
  ended(lpOverlapped: WSAOVERLAPPED, answer: number): void;
}

export class CallTap {
  watcher: CallWatcher | null = null;
  /** How many layers' WSPStartup run now, one within the other: as many stand above whatever is started next. */
  starting = 0;
  /** What was started since whoever starts chains has last looked. */
  readonly started: WatchedProvider[] = [];
  /** How many layers stand above the base provider of a socket: for its extension functions, which all chains share. */
  depthOf: (s: number) => number = () => 0;
}

type AnyCall = (...args: readonly unknown[]) => Answer;

/** The base provider's table, so that its calls can be watched. */
export function tapTable(table: WSPPROC_TABLE, tap: CallTap, provider: WatchedProvider): WSPPROC_TABLE {
  const tapped: { [name: string]: AnyCall } = {};
  for (const [name, call] of Object.entries(table) as [ProviderCall, AnyCall][]) {
    // As many parameters as the longest call has: a list of arguments would cost a tenth of a call that is answered at once.
    tapped[name] = (a, b, c, d, e, f, g, h, i, j) =>
      tap.watcher === null
        ? call(a, b, c, d, e, f, g, h, i, j)
        : tap.watcher.watch(provider, name, [a, b, c, d, e, f, g, h, i, j], () =>
            call(a, b, c, d, e, f, g, h, i, j),
          );
  }
  return tapped as unknown as WSPPROC_TABLE;
}

/** The base provider's extension functions, likewise. @param infoOf the entry of a socket; `null` when it has none */
export function tapExtensions(
  functions: ExtensionFunctions,
  tap: CallTap,
  name: string,
  infoOf: (s: number) => WSAPROTOCOL_INFO | null,
): ExtensionFunctions {
  const tapped: { [name: string]: AnyCall } = {};
  for (const [call, make] of Object.entries(functions) as [ProviderCall, AnyCall][]) {
    tapped[call] = (...args) => {
      const { watcher } = tap;
      const s = typeof args[0] === 'number' ? args[0] : 0;
      const chain = watcher === null ? null : infoOf(s);
      if (watcher === null || chain === null) return make(...args);
      const provider: WatchedProvider = { name, path: '', chain, depth: tap.depthOf(s) };
      return watcher.watch(provider, call, args, () => make(...args));
    };
  }
  return tapped as unknown as ExtensionFunctions;
}
