/** Name spaces, categories, applications, templates of quality of service. */

import { describe, expect, test } from '@jest/globals';
import { NS_DNS, WSAEINVAL } from '../../../src/abi/index.ts';
import type { CatalogChange, QosTemplate } from '../../../src/port/index.ts';
import { Bench, guid, installChains } from './support.ts';

type InstallNameSpace = Extract<CatalogChange, { kind: 'install-name-space' }>;

const space = (n: number): InstallNameSpace => ({
  kind: 'install-name-space',
  providerId: guid(n),
  identifier: `space ${n}`,
  path: '/nsp.mjs',
  dwNameSpace: NS_DNS,
  version: 1,
  isV2: false,
  blob: null,
});

const providerIds = (bench: Bench): string[] => bench.state.nameSpaces.map(({ providerId }) => providerId);

describe('name spaces', () => {
  test('CFG-WSCInstallNameSpace, CFG-WSCInstallNameSpaceEx at the end, active, with its blob', () => {
    const bench = new Bench();
    const blob = Uint8Array.of(1, 2, 3);
    bench.apply({ ...space(1), blob });
    blob.fill(0);
    expect(bench.state.nameSpaces.at(-1)).toEqual({
      providerId: guid(1),
      identifier: 'space 1',
      path: '/nsp.mjs',
      dwNameSpace: NS_DNS,
      version: 1,
      isV2: false,
      isActive: true,
      blob: Uint8Array.of(1, 2, 3),
    });
  });

  test.each<[string, Partial<InstallNameSpace>]>([
    ['an id that is no GUID', { providerId: 'x' }],
    ['an id that is there', { providerId: guid(5) }],
    ['no identifier', { identifier: '' }],
    ['no path', { path: '' }],
    ['NS_ALL', { dwNameSpace: 0 }],
    ['a blob without end', { blob: new Uint8Array(5000) }],
  ])('CFG-WSCInstallNameSpace refuses %s', (_, wrong) => {
    const bench = new Bench();
    bench.apply(space(5));
    expect(bench.apply({ ...space(1), ...wrong })).toBe(WSAEINVAL);
  });

  test('CFG-WSCUnInstallNameSpace, CFG-WSCEnableNSProvider, CFG-WSCWriteNameSpaceOrder', () => {
    const bench = new Bench();
    bench.apply(space(1));
    const order = providerIds(bench).reverse();
    expect(bench.apply({ kind: 'write-name-space-order', providerIds: order })).toEqual([]);
    expect(providerIds(bench)).toEqual(order);
    expect(bench.apply({ kind: 'write-name-space-order', providerIds: order.slice(1) })).toBe(WSAEINVAL);
    expect(bench.apply({ kind: 'enable-name-space', providerId: guid(1), isActive: false })).toEqual([]);
    expect(bench.state.nameSpaces[0]?.isActive).toBe(false);
    expect(bench.apply({ kind: 'enable-name-space', providerId: guid(2), isActive: false })).toBe(WSAEINVAL);
    expect(bench.apply({ kind: 'uninstall-name-space', providerId: guid(1) })).toEqual([]);
    expect(providerIds(bench)).toEqual(order.slice(1));
    expect(bench.apply({ kind: 'uninstall-name-space', providerId: guid(1) })).toBe(WSAEINVAL);
  });
});

describe('layers and applications', () => {
  test('CFG-WSCSetProviderInfo categories are those of a layered entry', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    expect(bench.apply({ kind: 'set-lsp-categories', providerId: guid(1), categories: 0x8000_0008 })).toEqual(
      [],
    );
    expect(bench.state.lspCategories).toEqual({ [guid(1)]: 0x8000_0008 });
    const chain = bench.info(1008).ProviderId;
    expect(bench.apply({ kind: 'set-lsp-categories', providerId: chain, categories: 8 })).toBe(WSAEINVAL);
  });

  test('CFG-WSCSetApplicationCategory by path and command line; what is said no more goes', () => {
    const bench = new Bench();
    const change = (categories: number | null, extra = ''): CatalogChange => ({
      kind: 'set-application-category',
      path: '/bin/app',
      extra,
      categories,
    });
    bench.apply(change(8));
    bench.apply(change(1, '-x'));
    bench.apply({ kind: 'permit-providers', path: '/bin/app', extra: '', providers: [guid(1)] });
    expect(bench.state.applications).toEqual([
      { path: '/bin/app', extra: '', permittedLspCategories: 8, permittedProviders: [guid(1)] },
      { path: '/bin/app', extra: '-x', permittedLspCategories: 1, permittedProviders: null },
    ]);
    bench.apply(change(null));
    expect(bench.state.applications[0]?.permittedLspCategories).toBeNull();
    bench.apply({ kind: 'permit-providers', path: '/bin/app', extra: '', providers: null });
    expect(bench.state.applications).toHaveLength(1);
    expect(bench.apply({ ...change(1), path: '' } as CatalogChange)).toBe(WSAEINVAL);
    expect(bench.apply({ kind: 'permit-providers', path: '/a', extra: '', providers: ['none'] })).toBe(
      WSAEINVAL,
    );
  });

  test('CFG-WSCInstallQOSTemplate one of a name, replaced and removed', () => {
    const bench = new Bench();
    const template: QosTemplate = {
      providerId: guid(1),
      name: Uint8Array.of(65),
      sending: Array(8).fill(1),
      receiving: Array(8).fill(2),
      providerSpecific: null,
    };
    bench.apply({ kind: 'install-qos-template', template });
    bench.apply({ kind: 'install-qos-template', template: { ...template, sending: Array(8).fill(3) } });
    expect(bench.state.qosTemplates).toHaveLength(1);
    expect(bench.state.qosTemplates[0]?.sending[0]).toBe(3);
    const short = { ...template, sending: [1] };
    expect(bench.apply({ kind: 'install-qos-template', template: short })).toBe(WSAEINVAL);
    const remove: CatalogChange = {
      kind: 'remove-qos-template',
      providerId: guid(1),
      name: Uint8Array.of(65),
    };
    expect(bench.apply(remove)).toEqual([]);
    expect(bench.apply(remove)).toBe(WSAEINVAL);
  });
});
