/**
 * Windows Mobile's list of layered providers (WM-07): keys `[HKEY_LOCAL_MACHINE\Comm\WS2\LSP\NAME]` with `Dll` and `Order`, as text that
 * a registry editor exports. On the device every installer runs at each boot, the lowest order first, and builds its chains on those
 * that it finds; importing does the same.
 */

import { WSAEINVAL } from '../abi/index.ts';
import { installChains } from './chain-changes.ts';
import { type CatalogState, type ChangeContext, type ChangeOutcome, DWORD_MAX } from './state.ts';

/** A provider that an installer would install. */
export interface MobileProvider {
  readonly name: string;
  readonly path: string;
  /** 0xFFFFFFFF when the key has none: last. */
  readonly order: number;
}

const MAX_TEXT = 256 * 1024;
/** A key of the list itself, or of the list that the published installer of older devices walks. */
const KEY = /^\[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\(?:LSP_INSTALL\\)?([^\\\]]+)\]$/i;
const VALUE = /^"([^"\\]*)"\s*=\s*(?:"((?:[^"\\]|\\.)*)"|dword:([0-9a-f]{1,8}))$/i;

/** Reads the keys, sorted as they are installed. `null` when the text is too long, or a key has no `Dll`. */
export function readMobileProviders(text: string): MobileProvider[] | null {
  if (text.length > MAX_TEXT) return null;
  const keys = new Map<string, { path: string; order: number }>();
  let current: { path: string; order: number } | null = null;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line.startsWith('[')) {
      const name = KEY.exec(line)?.[1];
      current = name === undefined || /^LSP_INSTALL$/i.test(name) ? null : { path: '', order: DWORD_MAX };
      if (name !== undefined && current !== null) keys.set(name, current);
      continue;
    }
    const value = current === null ? null : VALUE.exec(line);
    if (current === null || value === null) continue;
    const [, name = '', string, dword] = value;
    if (/^Dll$/i.test(name) && string !== undefined) current.path = string.replace(/\\(.)/g, '$1');
    if (/^Order$/i.test(name) && dword !== undefined) current.order = Number.parseInt(dword, 16);
  }
  const providers = [...keys].map(([name, key]) => ({ name, ...key }));
  if (providers.some(({ path }) => path === '')) return null;
  return providers.sort((a, b) => a.order - b.order);
}

/** Installs each over all protocols together (WM-06). One that is there already, by name and path, is left as it is. */
export function importMobile(
  state: CatalogState,
  text: string,
  context: ChangeContext,
): ChangeOutcome | number {
  const providers = readMobileProviders(text);
  if (providers === null || providers.length === 0) return WSAEINVAL;
  const ids: number[] = [];
  let next = state;
  for (const { name, path } of providers) {
    if (next.entries.some((entry) => entry.info.szProtocol === name && entry.path === path)) continue;
    const outcome = installChains(
      next,
      {
        kind: 'install-chains',
        providerId: context.newGuid(),
        path,
        name,
        serviceFlags: 0,
        over: null,
      },
      context,
    );
    if (typeof outcome === 'number') return outcome;
    next = outcome.state;
    ids.push(...outcome.ids);
  }
  return { state: next, ids, previous: 0 };
}
