/**
 * Name-space providers of users, installed in the process of a test: what its catalog says, and their modules.
 */

import { LUP_RETURN_ALL, querySet, WSA_E_NO_MORE, type WSAQUERYSET } from '../../../src/abi/index.ts';
import type { NameSpaceEntry } from '../../../src/port/index.ts';
import { DEFAULT_NAME_SPACES, type NameSpaceModule, type Ref } from '../../../src/spi/index.ts';
import { MAKEWORD, type Winsock, type WinsockOptions } from '../../../src/winsock/index.ts';
import { type Pair, wsadata } from '../support.ts';

/** A class of services of nobody's. */
export const CLASS = '5F7E1A11-0000-4000-8000-000000000001';
/** The name space of the first user provider; the next ones count up. */
export const USER_NAME_SPACE = 100;

export const idOf = (i: number): string => `00000000-0000-0000-0000-00000000000${i + 1}`;

/** The catalog entry of the i-th user provider, whose path is its name. */
export function entryOf(name: string, i: number, members: Partial<NameSpaceEntry> = {}): NameSpaceEntry {
  return {
    providerId: idOf(i),
    identifier: name,
    dwNameSpace: USER_NAME_SPACE + i,
    version: 1,
    isActive: true,
    isV2: false,
    path: name,
    blob: null,
    ...members,
  };
}

/** What installs providers, before the built-in ones or behind them; their modules by name. */
export function installed(
  modules: Readonly<Record<string, NameSpaceModule>>,
  {
    members = {},
    isBehind = false,
  }: { members?: Record<string, Partial<NameSpaceEntry>>; isBehind?: boolean } = {},
): Partial<WinsockOptions> {
  const own = Object.keys(modules).map((name, i) =>
    entryOf(name, i, { isV2: modules[name]?.NSPStartup === undefined, ...members[name] }),
  );
  const all = isBehind ? [...DEFAULT_NAME_SPACES, ...own] : [...own, ...DEFAULT_NAME_SPACES];
  return {
    nameSpaces: () => all,
    loadNameSpace: async (path) => modules[path] ?? Promise.reject(new Error('no such module')),
  };
}

/** A process on host a with providers, started. */
export async function processWith({ processOn }: Pair, options: Partial<WinsockOptions>): Promise<Winsock> {
  const ws = await processOn('a', 0, undefined, options);
  await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
  return ws;
}

/** Begins a lookup of the class. @returns its handle, or minus a WSA code */
export async function begin(
  ws: Winsock,
  members: Partial<WSAQUERYSET> = {},
  flags: number = LUP_RETURN_ALL,
): Promise<number> {
  const handle: Ref = { value: 0 };
  const answer = await ws.WSALookupServiceBegin(
    querySet({ lpServiceClassId: CLASS, ...members }),
    flags,
    handle,
  );
  return answer < 0 ? answer : handle.value;
}

/** All results of a lookup, and what ended it. */
export async function resultsOf(
  ws: Winsock,
  members: Partial<WSAQUERYSET> = {},
  flags: number = LUP_RETURN_ALL,
): Promise<{ results: WSAQUERYSET[]; error: number }> {
  const handle = await begin(ws, members, flags);
  const results: WSAQUERYSET[] = [];
  for (let error = handle < 0 ? -handle : 0; ; ) {
    if (error !== 0) {
      if (handle > 0) await ws.WSALookupServiceEnd(handle);
      return { results, error };
    }
    const result = querySet();
    error = -(await ws.WSALookupServiceNext(handle, 0, { value: 1 << 20 }, result));
    if (error === 0) results.push(result);
  }
}

/** The names of a lookup that succeeds; else minus a WSA code. */
export async function namesOf(
  ws: Winsock,
  members: Partial<WSAQUERYSET> = {},
): Promise<(string | null)[] | number> {
  const { results, error } = await resultsOf(ws, members);
  if (results.length === 0 || error !== WSA_E_NO_MORE) return -error;
  return results.map(({ lpszServiceInstanceName }) => lpszServiceInstanceName);
}
