/** The configuration functions over the blocking face: each in a program of its own, asleep in its calls. */

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

jest.setTimeout(120_000);

let programs: BlockingPrograms;

beforeAll(() => {
  programs = blockingPrograms();
});

afterAll(() => programs.dispose());

const LIST = `
  const id = '00000000-0000-4000-8000-000000000001';
  const list = (protocols = null) => {
    const [entries, room] = [[], { value: 1e7 }];
    return ws.WSCEnumProtocols(protocols, entries, room) < 0 ? null : entries;
  };
`;

test('CFG-WSCInstallProvider, CFG-WSCEnumProtocols, CFG-WSCUpdateProvider, CFG-WSCGetProviderPath before any WSAStartup', async () => {
  const said = await programs.run(
    'providers',
    `${LIST}
     const [tcp] = list();
     say(list().length, ws.WSAGetLastError(), tcp.szProtocol);
     const layer = { ...tcp, ChainLen: 0, szProtocol: 'layer', ProviderId: 'not read' };
     say(ws.WSCInstallProvider(id, '%HOME%/l.mjs', [layer]), ws.WSAGetLastError());
     say(ws.WSCInstallProvider(id, '%HOME%/l.mjs', [layer]), ws.WSAGetLastError());
     say(ws.WSCInstallProvider(id, null, [layer]), ws.WSAGetLastError());
     say(ws.WSCInstallProvider(id, '/x', [7]), ws.WSAGetLastError());
     say(ws.WSCUpdateProvider(id, '/new.mjs', [{ ...layer, szProtocol: 'newer', ProviderId: '' }]));
     const path = { value: '' };
     say(ws.WSCGetProviderPath(id, path, { value: 260 }), path.value, list().at(-1).szProtocol, list().at(-1).ProviderId);
     const ids = list().map((each) => each.dwCatalogEntryId);
     say(ws.WSCWriteProviderOrder(ids.reverse()), ws.WSCWriteProviderOrder([1]), list()[0].szProtocol);
     say(ws.WSCDeinstallProvider(id), ws.WSCDeinstallProvider(id), ws.WSAGetLastError());
     const entry = { value: 0 };
     say(ws.WSCInstallProviderAndChains(id, '/l.mjs', 'chained', 0, null, undefined, entry), entry.value, list([6, 0])[0].szProtocol);
     say(ws.WSAStartup(0x202, data), ws.WSAEnumProtocols([6], [], { value: 1e5 }));`,
  );
  expect(said).toEqual([
    [6, 0, 'MSAFD Tcpip [TCP/IP]'],
    [0, 0],
    [-1, 11003],
    [-1, 10014],
    [-1, 10014],
    [0],
    [0, '/new.mjs', 'newer', '00000000-0000-4000-8000-000000000001'],
    [0, 10022, 'newer'],
    [0, -1, 10022],
    [0, 1008, 'chained over [MSAFD Tcpip [TCP/IPv6]]'],
    [0, 4],
  ]);
});

test('CFG-WSCSetProviderInfo, CFG-WSCSetApplicationCategory, CFG-WSCInstallQOSTemplate, API-WSAGetQOSByName values come back through their pointers', async () => {
  const said = await programs.run(
    'rules',
    `${LIST}
     ws.WSCInstallProviderAndChains(id, '/l.mjs', 'l', 0);
     say(ws.WSCSetProviderInfo(id, 0, Uint8Array.of(8, 0, 0, 0)), ws.WSCSetProviderInfo(id, 1, new Uint8Array(4)), ws.WSAGetLastError());
     const [info, size] = [new Uint8Array(4), { value: 2 }];
     say(ws.WSCGetProviderInfo(id, 0, info, size), ws.WSAGetLastError(), size.value);
     say(ws.WSCGetProviderInfo(id, 0, info, size), info[0]);
     const before = { value: -1 };
     say(ws.WSCSetApplicationCategory('/app', 4, null, 0, 8, before), before.value);
     say(ws.WSCSetApplicationCategory('/app', 4, null, 0, 0x80000000, before), before.value);
     say(ws.WSCGetApplicationCategory('/app', 4, '', 0, before), before.value);
     const flow = { TokenRate: 1, TokenBucketSize: 2, PeakBandwidth: 3, Latency: 4, DelayVariation: 5, ServiceType: 2, MaxSduSize: 7, MinimumPolicedSize: 8 };
     const qos = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
     say(ws.WSCInstallQOSTemplate(id, Buffer.from('a'), qos), ws.WSCRemoveQOSTemplate(id, Buffer.from('b')), ws.WSAGetLastError());
     ws.WSAStartup(0x202, data);
     const base = list([17]).find((each) => each.ChainLen === 1);
     const s = ws.WSASocket(2, 2, 17, base);
     ws.WSCInstallQOSTemplate(base.ProviderId, Buffer.from('voice'), { ...qos, ProviderSpecific: Uint8Array.of(4, 5) });
     const zero = Object.fromEntries(Object.keys(flow).map((name) => [name, 0]));
     const got = { SendingFlowspec: zero, ReceivingFlowspec: zero, ProviderSpecific: null };
     say(ws.WSAGetQOSByName(s, Buffer.from('voice'), got), got.SendingFlowspec.MinimumPolicedSize, [...got.ProviderSpecific]);
     const names = Buffer.alloc(7);
     say(ws.WSAGetQOSByName(s, names, null), names.toString('latin1'), ws.WSAGetQOSByName(s, Buffer.from('?'), got), ws.WSAGetLastError());
     say(ws.WSAGetQOSByName(s, Buffer.from('voice'), Object.freeze({ ...got })), ws.WSAGetLastError());`,
  );
  expect(said).toEqual([
    [0, -1, 120],
    [-1, 10014, 4],
    [0, 8],
    [0, 0],
    [0, 8],
    [0, 0x8000_0000],
    [1, 0, 10022],
    [1, 8, [4, 5]],
    [1, 'voice\0\0', 0, 10022],
    [0, 10014],
  ]);
});

test('CFG-WSCInstallNameSpace, CFG-WSCWriteNameSpaceOrder, API-WSAProviderConfigChange name spaces, and a thread that sleeps until there is a change', async () => {
  const said = await programs.run(
    'spaces',
    `${LIST}
     ws.WSAStartup(0x202, data);
     say(ws.WSCInstallNameSpaceEx('mine', '/n.mjs', 12, 2, id, Uint8Array.of(5)), ws.WSCInstallNameSpace('mine', '/n.mjs', 12, 1, id), ws.WSAGetLastError());
     const spaces = [];
     say(ws.WSCEnumNameSpaceProvidersEx({ value: 1e5 }, spaces), [...spaces.at(-1).ProviderSpecific]);
     const ids = spaces.map((each) => each.NSProviderId).reverse();
     say(ws.WSCWriteNameSpaceOrder(ids), ws.WSCWriteNameSpaceOrder([]), ws.WSCWriteNameSpaceOrder(null, 1));
     say(ws.WSCEnableNSProvider(id, false), ws.WSCUnInstallNameSpace(id), ws.WSCUnInstallNameSpace(id), ws.WSAGetLastError());
     const handle = { value: 0 };
     say(ws.WSAProviderConfigChange(handle), handle.value > 0, ws.WSAProviderConfigChange({ value: 4 }), ws.WSAGetLastError());
     const hEvent = ws.WSACreateEvent();
     const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
     say(ws.WSAProviderConfigChange(handle, record), ws.WSAGetLastError());
     ws.WSCInstallProviderAndChains(id, '/l.mjs', 'l', 0);
     say(ws.WSAWaitForMultipleEvents(1, [hEvent], true, 10000, false), record.Internal);
     ws.WSCDeinstallProvider(id);
     say(ws.WSAProviderConfigChange(handle));`,
  );
  expect(said).toEqual([
    [0, -1, 10022],
    [4, [5]],
    [0, 10022, 10022],
    [0, 0, -1, 10022],
    [0, true, -1, 6],
    [-1, 997],
    [0, 0],
    [0],
  ]);
});
