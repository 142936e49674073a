/** A catalog with something of everything in it, and a change of every kind that it can take. */

import { LSP_FIREWALL, NS_DNS } from '../../../src/abi/index.ts';
import type { ChangeOf } from '../../../src/catalog/state.ts';
import type { CatalogChange, QosTemplate } from '../../../src/port/index.ts';
import { Bench, DEFAULTS, guid, install, installChains, layer } from './support.ts';

const nameSpace = (n: number): ChangeOf<'install-name-space'> => ({
  kind: 'install-name-space',
  providerId: guid(n),
  identifier: `space ${n}`,
  path: '/nsp.mjs',
  dwNameSpace: NS_DNS,
  version: 1,
  isV2: false,
  blob: Uint8Array.of(n),
});

const template = (n: number): QosTemplate => ({
  providerId: guid(n),
  name: Uint8Array.of(n),
  sending: Array(8).fill(1),
  receiving: Array(8).fill(2),
  providerSpecific: null,
});

/** Makes the catalog, a serial each. */
export const BEFORE: readonly CatalogChange[] = [
  install(1, layer('old')),
  installChains(2),
  { kind: 'set-application-category', path: '/bin/old', extra: '', categories: LSP_FIREWALL },
  nameSpace(5),
  { kind: 'install-qos-template', template: template(6) },
];

const before = new Bench();
for (const change of BEFORE) before.apply(change);
const LAYER_OF_CHAINS = before.state.entries.find(({ info }) => info.ProviderId === guid(2));

/** One of each kind. */
export const CHANGES: { readonly [Kind in CatalogChange['kind']]: ChangeOf<Kind> } = {
  'install-provider': install(3, layer('new')) as ChangeOf<'install-provider'>,
  'install-chains': installChains(4) as ChangeOf<'install-chains'>,
  'update-provider': {
    kind: 'update-provider',
    providerId: guid(1),
    path: '/newer.mjs',
    entries: [layer('newer')],
  },
  'deinstall-provider': { kind: 'deinstall-provider', providerId: guid(1) },
  'remove-entry': { kind: 'remove-entry', id: LAYER_OF_CHAINS?.info.dwCatalogEntryId ?? 0 },
  'write-order': { kind: 'write-order', ids: [...before.ids].reverse() },
  'set-lsp-categories': { kind: 'set-lsp-categories', providerId: guid(1), categories: LSP_FIREWALL },
  'set-application-category': {
    kind: 'set-application-category',
    path: '/bin/new',
    extra: '-x',
    categories: LSP_FIREWALL,
  },
  'permit-providers': { kind: 'permit-providers', path: '/bin/old', extra: '', providers: [guid(1)] },
  'install-name-space': nameSpace(7),
  'uninstall-name-space': { kind: 'uninstall-name-space', providerId: guid(5) },
  'enable-name-space': { kind: 'enable-name-space', providerId: guid(5), isActive: false },
  'write-name-space-order': {
    kind: 'write-name-space-order',
    providerIds: before.state.nameSpaces.map(({ providerId }) => providerId).reverse(),
  },
  'install-qos-template': { kind: 'install-qos-template', template: template(8) },
  'remove-qos-template': { kind: 'remove-qos-template', providerId: guid(6), name: Uint8Array.of(6) },
  reset: { kind: 'reset', what: 'all' },
  restore: { kind: 'restore', serial: 2 },
  'import-mobile': {
    kind: 'import-mobile',
    text: '[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\phone]\n"Dll"="phone.mjs"\n"Order"=dword:1\n',
  },
};

/** How many states {@link BEFORE} makes. */
export const SERIAL = BEFORE.length;
export { DEFAULTS };
