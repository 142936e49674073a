/**
 * What installers do to a machine, done here with the functions that they use: how sockets fail, that nothing is repaired by itself, and
 * what mends it (CFG-FAIL-01, -03, -07, -08; CFG-SEQ-04 … CFG-SEQ-06). Each process is a new one, as after a restart of a program.
 */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  WSAEINVAL,
  WSAEPROVIDERFAILEDINIT,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { ProviderFailure } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { passThrough } from '../support/chains.ts';
import { chainOf, guid, ids, installed, layerOf, named, stored } from './catalog-support.ts';
import { ok, overRoomFor, type Pair } from './support.ts';

const AT_ONCE = { tv_sec: 0, tv_usec: 0 };
const streamOf = (ws: Winsock) => ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
const datagramOf = (ws: Winsock) => ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

overRoomFor(2, 'a catalog that installers have been at', (open) => {
  /** A machine with the layers `/a.mjs` and `/b.mjs` on its disk, and the ones of the attachment installed. */
  async function machine(): Promise<{
    pair: Pair;
    installer: Winsock;
    calls: string[];
    failures: ProviderFailure[];
    start(): Promise<Winsock>;
    install(n: number, over: WSAPROTOCOL_INFO): Promise<WSAPROTOCOL_INFO>;
  }> {
    const pair = await open();
    pair.attachment.freshCatalog();
    const calls: string[] = [];
    const failures: ProviderFailure[] = [];
    const spy = (layer: string) =>
      passThrough({ handles: 'own' }, (call) => call === 'WSPSocket' && calls.push(layer)).startup;
    const modules = new Map([
      ['/a.mjs', spy('a')],
      ['/b.mjs', spy('b')],
    ]);
    const start = () =>
      installed(pair, {
        loadProvider: (path) => modules.get(path) ?? pair.attachment.loadProvider(path),
        observer: { failed: (failure) => void failures.push(failure) },
      });
    const installer = await start();
    return {
      pair,
      installer,
      calls,
      failures,
      start,
      /** Installs layer n over an entry, first of all, step by step. @returns its chain */
      async install(n, over) {
        const path = n === 1 ? '/a.mjs' : '/b.mjs';
        await ok(installer.WSCInstallProvider(guid(n), path, [layerOf(over, `lsp ${n}`)]));
        const { dwCatalogEntryId } = named(await stored(installer), `lsp ${n}`);
        await ok(
          installer.WSCInstallProvider(guid(n + 5), path, [chainOf(over, dwCatalogEntryId, `lsp ${n}`)]),
        );
        const entries = await stored(installer);
        const chain = entries.at(-1) as WSAPROTOCOL_INFO;
        const others = ids(entries).filter((id) => id !== chain.dwCatalogEntryId);
        expect(await installer.WSCWriteProviderOrder([chain.dwCatalogEntryId, ...others])).toBe(0);
        return chain;
      },
    };
  }
  const top = async (ws: Winsock, protocol: number): Promise<WSAPROTOCOL_INFO> => {
    const found = (await stored(ws)).find(
      ({ ChainLen, iAddressFamily, iProtocol }) =>
        ChainLen > 0 && iAddressFamily === AF_INET && iProtocol === protocol,
    );
    if (found === undefined) throw new Error(`nothing serves ${protocol}`);
    return found;
  };

  test('CFG-FAIL-01, SPI-START-07 without its layer’s own entry a chain fails every socket, until the chain is removed', async () => {
    const { pair, installer, failures, start, install } = await machine();
    const chain = await install(1, await top(installer, IPPROTO_TCP));
    await ok(streamOf(await start()));
    await ok(installer.WSCDeinstallProvider(guid(1)));
    // Nothing repairs itself: one process after the other fails.
    for (let n = 1; n <= 2; n++) {
      const ws = await start();
      expect(await streamOf(ws)).toBe(-WSAEPROVIDERFAILEDINIT);
      await ok(datagramOf(ws));
      expect(failures).toHaveLength(n);
    }
    expect(failures[0]?.entry.dwCatalogEntryId).toBe(chain.dwCatalogEntryId);
    expect(failures[0]?.reason).toContain('removed');
    await ok(installer.WSCDeinstallProvider(chain.ProviderId));
    await ok(streamOf(await start()));
    pair.attachment.freshCatalog();
  });

  test('CFG-FAIL-03 a layer in the middle that is installed anew has another id, and what stands above it is broken', async () => {
    const { pair, installer, calls, failures, start, install } = await machine();
    const below = await top(installer, IPPROTO_TCP);
    const lower = await install(1, below);
    const upper = await install(2, lower);
    await ok(streamOf(await start()));
    expect(calls.splice(0)).toEqual(['b', 'a']);
    for (const id of [lower.ProviderId, guid(1)]) await ok(installer.WSCDeinstallProvider(id));
    expect(await streamOf(await start())).toBe(-WSAEPROVIDERFAILEDINIT);
    const again = await install(1, below);
    expect(again.dwCatalogEntryId).toBeGreaterThan(upper.dwCatalogEntryId);
    const entries = await stored(installer);
    const others = ids(entries).filter((id) => id !== upper.dwCatalogEntryId);
    expect(await installer.WSCWriteProviderOrder([upper.dwCatalogEntryId, ...others])).toBe(0);
    failures.splice(0);
    expect(await streamOf(await start())).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(failures[0]?.entry.dwCatalogEntryId).toBe(upper.dwCatalogEntryId);
    // The upper one is installed again, too.
    for (const id of [upper.ProviderId, guid(2)]) await ok(installer.WSCDeinstallProvider(id));
    await install(2, again);
    await ok(streamOf(await start()));
    expect(calls).toEqual(['b', 'a']);
    pair.attachment.freshCatalog();
  });

  test('CFG-SEQ-06 who removes a layer takes it out of the chains above first, and they go on', async () => {
    const { pair, installer, calls, start, install } = await machine();
    const below = await top(installer, IPPROTO_TCP);
    const lower = await install(1, below);
    const upper = await install(2, lower);
    const [own = 0] = upper.ChainEntries;
    const without = {
      ...upper,
      ChainLen: below.ChainLen + 1,
      ChainEntries: [own, below.dwCatalogEntryId, ...below.ChainEntries.slice(1)],
    };
    await ok(installer.WSCUpdateProvider(upper.ProviderId, '/b.mjs', [without]));
    for (const id of [lower.ProviderId, guid(1)]) await ok(installer.WSCDeinstallProvider(id));
    expect((await stored(installer))[0]).toEqual({ ...without, dwCatalogEntryId: upper.dwCatalogEntryId });
    await ok(streamOf(await start()));
    expect(calls).toEqual(['b']);
    pair.attachment.freshCatalog();
  });

  test('CFG-SEQ-04, SEM-SEL-07 over a part of a family select fails for sockets of both; over all of it, it does not', async () => {
    const { pair, installer, start, install } = await machine();
    await install(1, await top(installer, IPPROTO_TCP));
    const half = await start();
    const waits = async (ws: Winsock) => {
      const fd_array = [await ok(streamOf(ws)), await ok(datagramOf(ws))];
      return ws.select(0, null, { fd_array }, null, AT_ONCE);
    };
    expect(await waits(half)).toBe(-WSAEINVAL);
    pair.attachment.freshCatalog();
    await ok(installer.WSCInstallProviderAndChains(guid(1), '/a.mjs', 'whole', 0));
    expect(await waits(await start())).toBe(1);
    pair.attachment.freshCatalog();
  });

  test('CFG-SEQ-05, CFG-FAIL-07, CAT-CHAIN-02, CAT-CHAIN-04 an installation that is refused half-way is taken back whole', async () => {
    const { pair, installer } = await machine();
    const before = await stored(installer);
    const tcp = await top(installer, IPPROTO_TCP);
    await ok(installer.WSCInstallProvider(guid(1), '/a.mjs', [layerOf(tcp, 'lsp')]));
    const { dwCatalogEntryId: id } = named(await stored(installer), 'lsp');
    const good = chainOf(tcp, id, 'lsp');
    for (const [ChainLen, ...ChainEntries] of [
      [3, id, id, tcp.dwCatalogEntryId],
      [2, id, 0x7fff_0000],
      [2, tcp.dwCatalogEntryId, id],
      [2, id, id],
    ] as const) {
      const bad = { ...good, ChainLen, ChainEntries };
      expect(await installer.WSCInstallProvider(guid(6), '/a.mjs', [good, bad])).toBe(-WSAEINVAL);
    }
    await ok(installer.WSCDeinstallProvider(guid(1)));
    expect(await stored(installer)).toEqual(before);
    pair.attachment.freshCatalog();
  });

  test('CFG-FAIL-08, CFG-WSCEnumProtocols32, CFG-WSCInstallProvider64_32 there is one catalog: what one kind of program installs, the other sees', async () => {
    const { pair, installer: ws } = await machine();
    const other = async (): Promise<WSAPROTOCOL_INFO[]> => {
      const entries: WSAPROTOCOL_INFO[] = [];
      await ok(ws.WSCEnumProtocols32(null, entries, { value: 1e6 }));
      return entries;
    };
    const before = await stored(ws);
    const tcp = await top(ws, IPPROTO_TCP);
    await ok(ws.WSCInstallProvider64_32(guid(1), '/a.mjs', [layerOf(tcp, 'both')]));
    await ok(ws.WSCInstallProvider(guid(2), '/b.mjs', [layerOf(tcp, 'one')]));
    expect(await other()).toEqual(await stored(ws));
    expect((await other()).slice(-2).map(({ szProtocol }) => szProtocol)).toEqual(['both', 'one']);
    await ok(ws.WSCDeinstallProvider32(guid(1)));
    await ok(ws.WSCDeinstallProvider32(guid(2)));
    expect([await other(), await stored(ws)]).toEqual([before, before]);
    pair.attachment.freshCatalog();
  });
});
