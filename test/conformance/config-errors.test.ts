/** What the configuration functions refuse (9.3), each by its code and with nothing changed; and whom every change wakes. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_UDP,
  LSP_FIREWALL,
  NS_DNS,
  ProviderInfoLspCategories,
  SOCK_STREAM,
  WSAEACCES,
  WSAEFAULT,
  WSAEINVAL,
  WSANO_RECOVERY,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { Answer, QOS } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { guid, ids, layerOf, named, stored } from './catalog-support.ts';
import { ok, overEveryAttachment, type Pair, wsadata } from './support.ts';

const TCPIP = '22059D40-7E9E-11CF-AE5A-00AA00A7112B';
const FLOW = {
  TokenRate: 1,
  TokenBucketSize: 1,
  PeakBandwidth: 1,
  Latency: 1,
  DelayVariation: 1,
  ServiceType: 1,
  MaxSduSize: 1,
  MinimumPolicedSize: 1,
};
const FLOWS: QOS = { SendingFlowspec: FLOW, ReceivingFlowspec: FLOW, ProviderSpecific: null };
const NAME = Buffer.from('voice');

/** A change of each kind, in an order in which each is possible, on a catalog that has the layered provider 1. */
function changes(ws: Winsock, tcp: WSAPROTOCOL_INFO): readonly (readonly [string, number, () => Answer])[] {
  const layer = layerOf(tcp, 'lsp');
  const order = async (): Promise<number> => ws.WSCWriteProviderOrder(ids(await stored(ws)).reverse());
  const spaces = async (): Promise<number> => {
    const list: { NSProviderId: string }[] = [];
    await ws.WSCEnumNameSpaceProviders({ value: 1e5 }, list as never);
    return ws.WSCWriteNameSpaceOrder(list.map(({ NSProviderId }) => NSProviderId).reverse());
  };
  const info = Uint8Array.of(LSP_FIREWALL, 0, 0, 0);
  return [
    ['CFG-WSCInstallProvider', 0, () => ws.WSCInstallProvider(guid(2), '/2', [layer])],
    ['CFG-WSCInstallProvider64_32', 0, () => ws.WSCInstallProvider64_32(guid(3), '/3', [layer])],
    [
      'CFG-WSCInstallProviderAndChains',
      0,
      () => ws.WSCInstallProviderAndChains(guid(4), '/4', 'four', 0, [tcp]),
    ],
    [
      'CFG-WSCInstallProviderAndChains64_32',
      0,
      () => ws.WSCInstallProviderAndChains64_32(guid(5), '/5', null, 'five', 0, [tcp]),
    ],
    [
      'CFG-WSCUpdateProvider',
      0,
      () => ws.WSCUpdateProvider(guid(1), '/new', [{ ...layer, szProtocol: 'a' }]),
    ],
    [
      'CFG-WSCUpdateProvider32',
      0,
      () => ws.WSCUpdateProvider32(guid(1), '/newer', [{ ...layer, szProtocol: 'b' }]),
    ],
    ['CFG-WSCSetProviderInfo', 0, () => ws.WSCSetProviderInfo(guid(1), ProviderInfoLspCategories, info)],
    [
      'CFG-WSCSetProviderInfo32',
      0,
      () => ws.WSCSetProviderInfo32(guid(1), ProviderInfoLspCategories, Uint8Array.of(1, 0, 0, 0)),
    ],
    [
      'CFG-WSCSetApplicationCategory',
      0,
      () => ws.WSCSetApplicationCategory('/app', 4, null, 0, LSP_FIREWALL),
    ],
    ['CFG-WSCWriteProviderOrder', 0, order],
    ['CFG-WSCDeinstallProvider', 0, () => ws.WSCDeinstallProvider(guid(1))],
    ['CFG-WSCDeinstallProvider32', 0, () => ws.WSCDeinstallProvider32(guid(2))],
    ['CFG-WSCInstallQOSTemplate', 1, () => ws.WSCInstallQOSTemplate(guid(1), NAME, FLOWS)],
    ['CFG-WSCInstallQOSTemplate', 1, () => ws.WSCRemoveQOSTemplate(guid(1), NAME)],
    ['CFG-WSCInstallNameSpace', 0, () => ws.WSCInstallNameSpace('n', '/n', NS_DNS, 1, guid(6))],
    ['CFG-WSCInstallNameSpaceEx', 0, () => ws.WSCInstallNameSpaceEx('x', '/x', NS_DNS, 1, guid(7), null)],
    ['CFG-WSCEnableNSProvider', 0, () => ws.WSCEnableNSProvider(guid(6), false)],
    ['CFG-WSCWriteNameSpaceOrder', 0, spaces],
    ['CFG-WSCUnInstallNameSpace', 0, () => ws.WSCUnInstallNameSpace(guid(6))],
  ];
}

overEveryAttachment('the errors of the configuration functions', (open) => {
  async function fresh(): Promise<Pair> {
    const pair = await open();
    pair.attachment.hosts.a.catalog.apply(
      { kind: 'reset', what: 'all' },
      { uid: 0, pid: 0, program: 'test' },
    );
    return pair;
  }
  const state = ({ attachment }: Pair): unknown => attachment.hosts.a.catalog.read();

  test('CFG-WSCInstallProviderAndChains wrong arguments, names, GUIDs and protocols; nothing to stand over', async () => {
    const pair = await fresh();
    const { a } = pair;
    const tcp = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    const install = (path: string, name: string | null, list: WSAPROTOCOL_INFO[] | null, flags = 0) =>
      a.WSCInstallProviderAndChains(guid(1), path, name, flags, list);
    await ok(a.WSCInstallProviderAndChains(guid(2), '/2.mjs', 'two', 0, [tcp]));
    const before = state(pair);
    expect(await install('p'.repeat(260), 'one', [tcp])).toBe(-WSAEINVAL);
    expect(await install('', 'one', [tcp])).toBe(-WSAEINVAL);
    expect(await install('/1.mjs', '', [tcp])).toBe(-WSAEINVAL);
    expect(await install('/1.mjs', null, [tcp])).toBe(-WSAEFAULT);
    // Another layered provider has the name; the GUID is another's.
    expect(await install('/1.mjs', 'two', [tcp])).toBe(-WSAEINVAL);
    expect(await a.WSCInstallProviderAndChains(guid(2), '/other.mjs', 'one', 0, [tcp])).toBe(-WSAEINVAL);
    // No entry is a stream of UDP.
    expect(await install('/1.mjs', 'one', [{ ...tcp, iProtocol: IPPROTO_UDP }])).toBe(-WSAEINVAL);
    expect(await install('/1.mjs', 'one', [tcp, { ...tcp, iAddressFamily: 99 }])).toBe(-WSAEINVAL);
    expect(await install('/1.mjs', 'one', [tcp], 1)).toBe(-WSAEINVAL);
    expect(state(pair)).toEqual(before);
    await ok(install('/1.mjs', 'n'.repeat(255), [tcp]));
    // Of the list only family, type and protocol are read, and the topmost match is layered over.
    const [chain] = await stored(a);
    const two = (await stored(a)).find(({ szProtocol }) => szProtocol.startsWith('two over'));
    expect(chain).toMatchObject({ iAddressFamily: AF_INET, iSocketType: SOCK_STREAM, ChainLen: 3 });
    expect(chain?.ChainEntries[1]).toBe(two?.dwCatalogEntryId);
  });

  test('CFG-WSCWriteProviderOrder anything but a permutation of all ids is WSAEINVAL', async () => {
    const pair = await fresh();
    const before = state(pair);
    const write = pair.a.WSCWriteProviderOrder;
    const all = ids(await stored(pair.a));
    const [first = 0, ...others] = all;
    for (const wrong of [
      [],
      others,
      [...all, first],
      [first, first, ...others.slice(1)],
      [...others, 4711],
      [...others, Number.NaN],
    ])
      expect(await write(wrong)).toBe(WSAEINVAL);
    expect(await write(all, all.length - 1)).toBe(WSAEINVAL);
    expect(await write(all, all.length + 1)).toBe(WSAEINVAL);
    expect(state(pair)).toEqual(before);
  });

  test('CFG-WSCInstallNameSpace, CFG-WSCInstallNameSpaceEx, CFG-WSCUnInstallNameSpace, CFG-WSCEnableNSProvider pointers and GUIDs', async () => {
    const pair = await fresh();
    const { a } = pair;
    const before = state(pair);
    const installs = [
      a.WSCInstallNameSpace,
      a.WSCInstallNameSpace32,
      a.WSCInstallNameSpaceEx,
      a.WSCInstallNameSpaceEx32,
    ];
    for (const install of installs) {
      expect(await install(null, '/n', NS_DNS, 1, guid(1))).toBe(-WSAEFAULT);
      expect(await install('n', null, NS_DNS, 1, guid(1))).toBe(-WSAEFAULT);
      expect(await install('n', '/n', NS_DNS, 1, null)).toBe(-WSAEFAULT);
      expect(await install('n', '/n', NS_DNS, 1, 'no guid')).toBe(-WSAEINVAL);
      // One that is there already.
      expect(await install('n', '/n', NS_DNS, 1, TCPIP)).toBe(-WSAEINVAL);
    }
    for (const change of [
      (id: string | null) => a.WSCUnInstallNameSpace(id),
      (id: string | null) => a.WSCUnInstallNameSpace32(id),
      (id: string | null) => a.WSCEnableNSProvider(id, true),
      (id: string | null) => a.WSCEnableNSProvider32(id, true),
    ]) {
      expect([await change(guid(1)), await change('?'), await change(null)]).toEqual([
        -WSAEINVAL,
        -WSAEINVAL,
        -WSAEFAULT,
      ]);
    }
    expect(state(pair)).toEqual(before);
  });

  test('CFG-WSCInstallProvider, CFG-WSCUpdateProvider, CFG-WSCSetProviderInfo, CFG-WSCSetApplicationCategory, CFG-WSCEnableNSProvider no writer works without the right', async () => {
    const pair = await fresh();
    const tcp = named(await stored(pair.a), 'MSAFD Tcpip [TCP/IP]');
    await ok(pair.a.WSCInstallProvider(guid(1), '/1', [layerOf(tcp, 'lsp')]));
    const before = state(pair);
    const ws = await pair.processOn('a', 4711);
    for (const [id, , change] of changes(ws, tcp)) {
      const answer = Math.abs(await change());
      expect([id, answer]).toEqual([
        id,
        id.startsWith('CFG-WSCInstallNameSpace') ? WSAEACCES : WSANO_RECOVERY,
      ]);
    }
    expect(state(pair)).toEqual(before);
  });

  test('CFG-FAIL-11, API-WSAProviderConfigChange every change wakes who waits, and one that is refused does not', async () => {
    const pair = await fresh();
    const { a, processOn } = pair;
    const tcp = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    await ok(a.WSCInstallProvider(guid(1), '/1', [layerOf(tcp, 'lsp')]));
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    const other = await processOn('a');
    await ok(other.WSAStartup(0x0202, wsadata()));
    for (const [id, value, change] of changes(other, tcp)) {
      let isAwake = false;
      const waiting = Promise.resolve(a.WSAProviderConfigChange(handle)).then((answer) => {
        isAwake = true;
        return answer;
      });
      expect(await other.WSCDeinstallProvider(guid(9))).toBe(-WSAEINVAL);
      await new Promise((resolve) => setImmediate(resolve));
      expect([id, isAwake]).toEqual([id, false]);
      expect([id, await change()]).toEqual([id, value]);
      expect([id, await waiting]).toEqual([id, 0]);
    }
  });
});
