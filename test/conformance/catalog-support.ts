/** Catalogs as installers see and make them. */

import { LAYERED_PROTOCOL, PFL_HIDDEN, type WSAPROTOCOL_INFO, XP1_IFS_HANDLES } from '../../src/abi/index.ts';
import { MAKEWORD, type Winsock, type WinsockOptions } from '../../src/winsock/index.ts';
import { INSTALLED } from './attachment.ts';
import { ok, type Pair, wsadata } from './support.ts';

export const guid = (n: number): string => `0000000${n}-1111-2222-3333-444444444444`;

/** Everything that the catalog holds. */
export async function stored(ws: Winsock): Promise<WSAPROTOCOL_INFO[]> {
  const entries: WSAPROTOCOL_INFO[] = [];
  await ok(ws.WSCEnumProtocols(null, entries, { value: 1e6 }));
  return entries;
}

export const named = (entries: readonly WSAPROTOCOL_INFO[], name: string): WSAPROTOCOL_INFO => {
  const found = entries.find(({ szProtocol }) => szProtocol === name);
  if (found === undefined) throw new Error(`no entry ${name}`);
  return found;
};

export const ids = (entries: readonly WSAPROTOCOL_INFO[]): number[] =>
  entries.map(({ dwCatalogEntryId }) => dwCatalogEntryId);

/** An LSP's own entry, made of a base entry (CFG-SEQ-01). */
export const layerOf = (base: WSAPROTOCOL_INFO, name: string): WSAPROTOCOL_INFO => ({
  ...base,
  dwServiceFlags1: base.dwServiceFlags1 & ~XP1_IFS_HANDLES,
  dwProviderFlags: base.dwProviderFlags | PFL_HIDDEN,
  ChainLen: LAYERED_PROTOCOL,
  szProtocol: name,
});

/** A chain over an entry (CFG-SEQ-02). */
export const chainOf = (below: WSAPROTOCOL_INFO, layer: number, name: string): WSAPROTOCOL_INFO => ({
  ...below,
  ChainLen: below.ChainLen + 1,
  ChainEntries: [layer, below.dwCatalogEntryId, ...below.ChainEntries.slice(1)],
  szProtocol: `${name} over [${below.szProtocol}]`,
});

/** What applications see. */
export async function visible(ws: Winsock): Promise<WSAPROTOCOL_INFO[]> {
  const entries: WSAPROTOCOL_INFO[] = [];
  await ok(ws.WSAEnumProtocols(null, entries, { value: 1e6 }));
  return entries;
}

/** A started process of host a that has its layers from the catalog of the host. */
export async function installed({ processOn }: Pair, more: Partial<WinsockOptions> = {}): Promise<Winsock> {
  const ws = await processOn('a', 0, undefined, { ...INSTALLED, ...more });
  await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
  return ws;
}
