/**
 * Windows Mobile's list of layered providers, installed: on the device every installer runs at each boot, the lowest order first, and builds
 * its chains on those that it finds; importing does the same.
 */

import { WSAEINVAL } from '../abi/index.ts';
import { installChains } from './chain-changes.ts';
import { readMobileProviders } from './mobile-list.ts';
import type { CatalogState, ChangeContext, ChangeOutcome } from './state.ts';

/** Installs each over all protocols together (WM-06). One that is there already, by name and path, is left as it is. */
export function importMobile(
  state: CatalogState,
  text: string,
  context: ChangeContext,
): ChangeOutcome | number {
  const providers = readMobileProviders(text);
  if ('why' in providers) return WSAEINVAL;
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
      true,
    );
    if (typeof outcome === 'number') return outcome;
    next = outcome.state;
    ids.push(...outcome.ids);
  }
  return { state: next, ids, previous: 0 };
}
