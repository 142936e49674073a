/**
 * Changes of what is said about layers and applications: categories, lists of permitted providers, templates of quality of service.
 */

import { LAYERED_PROTOCOL, WSA_NOT_ENOUGH_MEMORY, WSAEINVAL } from '../abi/index.ts';
import { copyOf, copyOrNull } from '../base/index.ts';
import type { ApplicationEntry, QosTemplate } from '../port/index.ts';
import { guidText } from './entry-rules.ts';
import {
  type CatalogState,
  type ChangeOf,
  type ChangeOutcome,
  changed,
  DWORD_MAX,
  MAX_APPLICATIONS,
  MAX_BLOB,
  MAX_COMMAND,
  MAX_TEMPLATES,
} from './state.ts';

/** DWORDs of a FLOWSPEC. */
export const FLOWSPEC_DWORDS = 8;
/** Providers that an application may be limited to. */
export const MAX_PERMITTED = 64;

/** CFG-WSCSetProviderInfo, of a provider that has a layered entry. */
export function setLspCategories(
  state: CatalogState,
  change: ChangeOf<'set-lsp-categories'>,
): ChangeOutcome | number {
  const { categories } = change;
  const providerId = guidText(change.providerId);
  const layer = state.entries.find(
    ({ info }) => info.ProviderId === providerId && info.ChainLen === LAYERED_PROTOCOL,
  );
  if (layer === undefined || !isDword(categories)) return WSAEINVAL;
  const lspCategories = { ...state.lspCategories, [layer.info.ProviderId]: categories };
  return changed({ ...state, lspCategories });
}

/** CFG-WSCSetApplicationCategory. */
export function setApplicationCategory(
  state: CatalogState,
  { path, extra, categories }: ChangeOf<'set-application-category'>,
): ChangeOutcome | number {
  if (categories !== null && !isDword(categories)) return WSAEINVAL;
  const before = applicationOf(state, path, extra);
  const outcome = withApplication(state, { ...before, permittedLspCategories: categories });
  if (typeof outcome === 'number') return outcome;
  return { ...outcome, previous: before.permittedLspCategories ?? 0 };
}

/** The list of layered providers that an application loads at most. */
export function permitProviders(
  state: CatalogState,
  { path, extra, providers }: ChangeOf<'permit-providers'>,
): ChangeOutcome | number {
  if (providers !== null && providers.length > MAX_PERMITTED) return WSAEINVAL;
  const permitted: string[] = [];
  for (const provider of providers ?? []) {
    const guid = guidText(provider);
    if (guid === null) return WSAEINVAL;
    if (!permitted.includes(guid)) permitted.push(guid);
  }
  const permittedProviders = providers === null ? null : permitted;
  return withApplication(state, { ...applicationOf(state, path, extra), permittedProviders });
}

/** CFG-WSCInstallQOSTemplate. */
export function installQosTemplate(
  state: CatalogState,
  change: ChangeOf<'install-qos-template'>,
): ChangeOutcome | number {
  const { name, sending, receiving, providerSpecific } = change.template;
  const providerId = guidText(change.template.providerId);
  if (providerId === null || name.length === 0 || name.length > MAX_BLOB) return WSAEINVAL;
  if (!isFlow(sending) || !isFlow(receiving) || (providerSpecific?.length ?? 0) > MAX_BLOB) return WSAEINVAL;
  const others = state.qosTemplates.filter((template) => !isTemplate(template, providerId, name));
  if (others.length >= MAX_TEMPLATES) return WSA_NOT_ENOUGH_MEMORY;
  const added: QosTemplate = {
    providerId,
    name: copyOf(name),
    sending: [...sending],
    receiving: [...receiving],
    providerSpecific: copyOrNull(providerSpecific),
  };
  return changed({ ...state, qosTemplates: [...others, added] });
}

export function removeQosTemplate(
  state: CatalogState,
  { providerId, name }: ChangeOf<'remove-qos-template'>,
): ChangeOutcome | number {
  const guid = guidText(providerId);
  const qosTemplates = state.qosTemplates.filter((template) => !isTemplate(template, guid, name));
  return qosTemplates.length === state.qosTemplates.length ? WSAEINVAL : changed({ ...state, qosTemplates });
}

function applicationOf(state: CatalogState, path: string, extra: string): ApplicationEntry {
  const present = state.applications.find((each) => each.path === path && each.extra === extra);
  return present ?? { path, extra, permittedLspCategories: null, permittedProviders: null };
}

/** One about which nothing is said any more goes. */
function withApplication(state: CatalogState, application: ApplicationEntry): ChangeOutcome | number {
  const { path, extra, permittedLspCategories, permittedProviders } = application;
  if (path.length === 0 || path.length > MAX_COMMAND || extra.length > MAX_COMMAND) return WSAEINVAL;
  const at = state.applications.findIndex((each) => each.path === path && each.extra === extra);
  const applications = [...state.applications];
  const isEmpty = permittedLspCategories === null && permittedProviders === null;
  if (at >= 0 && isEmpty) applications.splice(at, 1);
  else if (at >= 0) applications[at] = application;
  else if (isEmpty) return changed(state);
  else if (applications.length >= MAX_APPLICATIONS) return WSA_NOT_ENOUGH_MEMORY;
  else applications.push(application);
  return changed({ ...state, applications });
}

function isTemplate(template: QosTemplate, providerId: string | null, name: Uint8Array): boolean {
  return (
    template.providerId === providerId &&
    template.name.length === name.length &&
    template.name.every((byte, i) => byte === name[i])
  );
}

function isFlow(flow: readonly number[]): boolean {
  return flow.length === FLOWSPEC_DWORDS && flow.every(isDword);
}

function isDword(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= DWORD_MAX;
}
