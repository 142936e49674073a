/**
 * What runs beneath the provider catalog: a layered provider that refuses everything keeps its applications from every socket, and
 * the host goes on to answer, route and configure itself.
 */

import { afterEach, expect, test } from '@jest/globals';
import {
  AF_INET,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  WSAEACCES,
  type WSAPROTOCOL_INFO,
} from '../../../src/abi/index.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { flattenFrame, fromHex, transmitLength, u16 } from '../../../src/base/index.ts';
import { DnsProxy, ProxyServer } from '../../../src/names/index.ts';
import { createNetwork, parseAddress } from '../../../src/sim/index.ts';
import {
  Catalog,
  DEFAULT_CATALOG,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../../src/spi/index.ts';
import { createWinsock } from '../../../src/winsock/index.ts';
import { ETHERTYPE_IPV4, IPPROTO_IGMP } from '../../../src/wire/index.ts';
import { SimDhcpServer } from '../../sim/dhcp-server.ts';

const PATH = '/providers/refuser.js';
const PROVIDER = '{5F1B1F4E-0B5C-4F6A-9B0E-7C1A4D0A9E77}';

/** Every function of its table answers WSAEACCES. */
const refuser: WSPStartup = (version, data, _entry, _upcalls, table) => {
  data.wVersion = version;
  data.wHighVersion = version;
  const refuse = (): number => -WSAEACCES;
  for (const name of WSP_ENTRIES) (table as Record<keyof WSPPROC_TABLE, unknown>)[name] = refuse;
  return 0;
};

/** The refuser's chain before each base entry. */
function refusingCatalog(): Catalog {
  const chains = DEFAULT_CATALOG.map(
    (entry, i): WSAPROTOCOL_INFO => ({
      ...entry,
      ProviderId: PROVIDER,
      dwCatalogEntryId: 2000 + i,
      ChainLen: 2,
      ChainEntries: [3000, entry.dwCatalogEntryId],
      szProtocol: `refuser over ${entry.szProtocol}`,
    }),
  );
  return new Catalog([...chains, ...DEFAULT_CATALOG], new Map([[PROVIDER, PATH]]));
}

let host: LocalHost | null = null;

afterEach(() => {
  host?.close();
  host = null;
});

test('CAT-LOAD-01 a layer that refuses everything leaves ICMP, routing and the stack’s own traffic as they are', async () => {
  const network = createNetwork({ seed: 5 });
  const wire = network.segment();
  host = createLocalHost({
    scheduler: network.time,
    links: [{ link: wire.port({ name: 'ours' }), addresses: ['10.0.0.1/24'] }],
  });
  const peer = network.host({ name: 'peer', segment: wire, addresses: ['10.0.0.2/24'], gateway: '10.0.0.1' });
  const ws = createWinsock({
    port: host.openSession(),
    scheduler: network.time,
    catalog: refusingCatalog(),
    loadProvider: (path) => (path === PATH ? refuser : null),
  });
  expect(await ws.WSAStartup(0x0202, { wVersion: 0, wHighVersion: 0 } as never)).toBe(0);
  for (const [type, protocol] of [
    [SOCK_STREAM, 6],
    [SOCK_DGRAM, 17],
    [SOCK_RAW, 1],
  ] as const) {
    expect(await ws.socket(AF_INET, type, protocol)).toBe(-WSAEACCES);
  }
  expect([...host.host.stack.endpoints()]).toEqual([]);
  // A peer's ping, a refusal of a port that nobody has, and a packet that is passed on.
  const reply = await network.run(peer.ping('10.0.0.1'));
  expect([String(reply.source), reply.type]).toEqual(['10.0.0.1', 0]);
  await expect(network.run(peer.tcp.connect('10.0.0.1', 80))).rejects.toThrow(/connectionRefused/);
  host.host.stack.setInterface(2, { isForwarding: true });
  const unreachable = await network.run(peer.ping('192.0.2.1'));
  expect([String(unreachable.source), unreachable.type]).toEqual(['10.0.0.1', 3]);
  network.close();
});

test('CAT-LOAD-01 nor does it hold up DHCP, group reports or the DNS proxy', async () => {
  const network = createNetwork({ seed: 6 });
  const wire = network.segment({ medium: 'ethernet' });
  const server = new SimDhcpServer(network, wire, { address: '10.0.0.1', first: 100 });
  host = createLocalHost({ scheduler: network.time, links: [{ link: wire.port({ name: 'ours' }) }] });
  const { stack } = host.host;
  const ws = createWinsock({
    port: host.openSession(),
    scheduler: network.time,
    catalog: refusingCatalog(),
    loadProvider: (path) => (path === PATH ? refuser : null),
  });
  expect(await ws.WSAStartup(0x0202, { wVersion: 0, wHighVersion: 0 } as never)).toBe(0);
  expect(await ws.socket(AF_INET, SOCK_DGRAM, 17)).toBe(-WSAEACCES);

  stack.startDhcp(2);
  await network.run(() => stack.dhcpStatus(2).v4?.state === 'BOUND', { limit: 60_000 });
  expect(server.seen).toContain('request');
  expect(stack.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => `${address}`))).toContain(
    '10.0.0.100',
  );

  // IGMPv3 reports that leave the host, by the address they go to.
  const reports: string[] = [];
  wire.tap = (batch, i) => {
    const frame = new Uint8Array(transmitLength(batch, i));
    flattenFrame(batch, i, frame, 0);
    if (u16(frame, 12) === ETHERTYPE_IPV4 && frame[23] === IPPROTO_IGMP) {
      reports.push(`${frame.subarray(26, 30).join('.')} > ${frame.subarray(30, 34).join('.')}`);
    }
  };
  expect(stack.openUdp().joinGroup(parseAddress('239.1.1.1'), {})).toBe(0);
  await network.run(network.now + 5000);
  expect(new Set(reports)).toEqual(new Set(['10.0.0.100 > 224.0.0.22']));

  const { names } = host;
  const proxy = new DnsProxy({
    network: names.network,
    resolver: names.resolver,
    names: () => [{ name: 'printer', address: parseAddress('10.0.0.9') }],
  });
  const doors = ProxyServer.open(proxy, names.network, parseAddress('10.0.0.100'));
  const asker = network.host({ name: 'asker', segment: wire, addresses: ['10.0.0.3/24'] });
  await network.run(network.now + 20_000);
  const socket = asker.udp.open();
  // A question with the number 0x1234: printer, A, IN.
  socket.send(fromHex('123401000001000000000000077072696e7465720000010001'), '10.0.0.100', 53);
  const { bytes } = await network.run(socket.receive());
  expect([...bytes.subarray(0, 2), ...bytes.subarray(-4)]).toEqual([0x12, 0x34, 10, 0, 0, 9]);
  doors?.close();
  network.close();
});
