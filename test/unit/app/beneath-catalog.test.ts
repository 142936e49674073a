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
import { createNetwork } from '../../../src/sim/index.ts';
import {
  Catalog,
  DEFAULT_CATALOG,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../../src/spi/index.ts';
import { createWinsock } from '../../../src/winsock/index.ts';

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
