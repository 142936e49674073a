/**
 * Categories of layered providers: which layers an application loads (CAT-LSPCAT-01 … 04).
 */

import { BASE_PROTOCOL, LSP_SYSTEM, type WSAPROTOCOL_INFO } from '../abi/index.ts';

export interface LayerCategories {
  /** What each layered provider is, LSP_* bits by the GUID of its layered entry; none: "all other". */
  readonly ofProviders: ReadonlyMap<string, number>;
  /** What the application permits; `null`: it was never categorized, and loads all. */
  readonly permitted: number | null;
  /** The only layered providers that it loads, by the GUID of their layered entry; `null`: its category decides alone. */
  readonly providers: readonly string[] | null;
}

/** CAT-LSPCAT-01 … 03: whether an application loads a layer of these categories. */
export function isPermitted(layer: number, permitted: number | null): boolean {
  if (permitted === null) return true;
  const [own, application] = [layer >>> 0, permitted >>> 0];
  if (own === 0 || (own & ~application) !== 0) return false;
  return (application & LSP_SYSTEM) === 0 || (own & LSP_SYSTEM) !== 0;
}

/** Whether an entry has no layer that the application is exempt from. */
export function mayLoad(
  entry: WSAPROTOCOL_INFO,
  entries: readonly WSAPROTOCOL_INFO[],
  { ofProviders, permitted, providers }: LayerCategories,
): boolean {
  if (entry.ChainLen <= BASE_PROTOCOL) return true;
  const byId = (id: number | undefined): WSAPROTOCOL_INFO | undefined =>
    entries.find(({ dwCatalogEntryId }) => dwCatalogEntryId === id);
  return entry.ChainEntries.slice(0, entry.ChainLen).every((id) => {
    let member = byId(id);
    // A chain stands for the layer on top of it (CAT-CHAIN-03).
    if (member !== undefined && member.ChainLen > BASE_PROTOCOL) member = byId(member.ChainEntries[0]);
    if (member?.ChainLen === BASE_PROTOCOL) return true;
    const guid = member?.ProviderId ?? '';
    return (
      isPermitted(ofProviders.get(guid) ?? 0, permitted) && (providers === null || providers.includes(guid))
    );
  });
}
