/**
 * Changes of the name-space catalog: WSCInstallNameSpace and its siblings.
 */

import { WSA_NOT_ENOUGH_MEMORY, WSAEINVAL, WSAPROTOCOL_LEN } from '../abi/index.ts';
import { copyOrNull } from '../base/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import { guidText, isModulePath } from './entry-rules.ts';
import { permuted } from './protocol-changes.ts';
import {
  type CatalogState,
  type ChangeOf,
  type ChangeOutcome,
  changed,
  DWORD_MAX,
  MAX_BLOB,
  MAX_NAME_SPACES,
} from './state.ts';

/** At the end, and active (CFG-WSCInstallNameSpace, CFG-WSCInstallNameSpaceEx). */
export function installNameSpace(
  state: CatalogState,
  change: ChangeOf<'install-name-space'>,
): ChangeOutcome | number {
  const { identifier, path, dwNameSpace, version, isV2, blob } = change;
  const { nameSpaces } = state;
  const providerId = guidText(change.providerId);
  if (providerId === null || !isModulePath(path)) return WSAEINVAL;
  if (identifier.length === 0 || identifier.length > WSAPROTOCOL_LEN) return WSAEINVAL;
  // NS_ALL is a question, not a space.
  if (!isDword(dwNameSpace) || dwNameSpace === 0 || !isDword(version)) return WSAEINVAL;
  if (blob !== null && blob.length > MAX_BLOB) return WSAEINVAL;
  if (nameSpaces.some((space) => space.providerId === providerId)) return WSAEINVAL;
  if (nameSpaces.length >= MAX_NAME_SPACES) return WSA_NOT_ENOUGH_MEMORY;
  const added: NameSpaceEntry = {
    providerId,
    identifier,
    dwNameSpace,
    version,
    isActive: true,
    isV2,
    path,
    blob: copyOrNull(blob),
  };
  return changed({ ...state, nameSpaces: [...nameSpaces, added] });
}

/** CFG-WSCUnInstallNameSpace; the built-in ones too: `reset` brings them back. */
export function uninstallNameSpace(
  state: CatalogState,
  change: ChangeOf<'uninstall-name-space'>,
): ChangeOutcome | number {
  const providerId = guidText(change.providerId);
  const nameSpaces = state.nameSpaces.filter((space) => space.providerId !== providerId);
  return nameSpaces.length === state.nameSpaces.length ? WSAEINVAL : changed({ ...state, nameSpaces });
}

/** CFG-WSCEnableNSProvider. */
export function enableNameSpace(
  state: CatalogState,
  change: ChangeOf<'enable-name-space'>,
): ChangeOutcome | number {
  const providerId = guidText(change.providerId);
  const present = state.nameSpaces.find((space) => space.providerId === providerId);
  if (present === undefined) return WSAEINVAL;
  const { isActive } = change;
  if (present.isActive === isActive) return changed(state);
  const nameSpaces = state.nameSpaces.map((space) => (space === present ? { ...space, isActive } : space));
  return changed({ ...state, nameSpaces });
}

/** CFG-WSCWriteNameSpaceOrder. */
export function writeNameSpaceOrder(
  state: CatalogState,
  change: ChangeOf<'write-name-space-order'>,
): ChangeOutcome | number {
  const keys = change.providerIds.map(guidText);
  const order = permuted<NameSpaceEntry, string | null>(state.nameSpaces, keys, (space) => space.providerId);
  return order === null ? WSAEINVAL : changed({ ...state, nameSpaces: order });
}

function isDword(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= DWORD_MAX;
}
