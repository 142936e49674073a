/** The daemon's catalog: what it has at first, and whether it outlives the daemon, by profile. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { openDaemonCatalog } from '../../../src/daemon/catalog.ts';
import { loadConfig } from '../../../src/daemon/index.ts';
import { catalogEntryStatus } from '../../../src/daemon/views.ts';

const folder = mkdtempSync(join(tmpdir(), 'wsk-daemon-catalog-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WHO = { uid: 0, pid: 0, program: 'test' };
const LAYER = {
  kind: 'install-chains',
  providerId: '00000000-0000-4000-8000-000000000001',
  path: '/lsp.mjs',
  name: 'lsp',
  serviceFlags: 0,
  over: null,
} as const;

function openCatalog(state: string, more: object): ReturnType<typeof openDaemonCatalog>['keeper'] {
  const config = loadConfig({ flags: { memory: true, stateDirectory: join(folder, state), ...more } });
  return openDaemonCatalog(config, {}, pino({ enabled: false })).keeper;
}
const names = (keeper: ReturnType<typeof openCatalog>): string[] =>
  keeper.read().entries.map(({ info }) => info.szProtocol);

describe('the catalog of a daemon', () => {
  test('is kept in its state directory, and is there the next time', () => {
    const first = openCatalog('windows', {});
    expect(first.apply(LAYER, WHO).error).toBe(0);
    first.close();
    const next = openCatalog('windows', {});
    expect(names(next)[0]).toBe('lsp over [MSAFD Tcpip [TCP/IP]]');
    next.close();
  });

  test('WM-03, CAT-WM of Windows Mobile ends with it: every installer runs at each start', () => {
    const first = openCatalog('mobile', { profile: 'windows-mobile' });
    expect(names(first)).toEqual([
      'WSPM TCP/IPv4',
      'WSPM UDP/IPv4',
      'WSPM TCP/IPv6',
      'WSPM UDP/IPv6',
      'WSPM RAW/IPv4',
    ]);
    expect(catalogEntryStatus(first.read().entries[0] as never)).toMatchObject({
      description: 'WSPM TCP/IPv4',
      providerPath: 'wspm.dll',
    });
    expect(first.apply(LAYER, WHO).error).toBe(0);
    expect(names(first)[0]).toBe('lsp over [WSPM TCP/IPv4]');
    first.close();
    const next = openCatalog('mobile', { profile: 'windows-mobile' });
    expect(names(next)).toHaveLength(5);
    next.close();
    expect(readdirSync(folder)).not.toContain('mobile');
  });

  test('CAT-WM a folder of the other profile keeps its chains, over the base entries of this one', () => {
    const catalog = join(folder, 'shared');
    const first = openCatalog('a', { catalog });
    expect(first.apply(LAYER, WHO).error).toBe(0);
    first.close();
    const mobile = openCatalog('b', { catalog, profile: 'windows-mobile' });
    const { entries, skipped } = mobile.read();
    const base = entries
      .filter(({ info }) => info.ChainLen === 1)
      .map(({ info }) => [info.dwCatalogEntryId, info.szProtocol]);
    expect(base).toEqual([
      [1001, 'WSPM TCP/IPv4'],
      [1002, 'WSPM UDP/IPv4'],
      [1003, 'WSPM RAW/IPv4'],
      [1004, 'WSPM TCP/IPv6'],
      [1005, 'WSPM UDP/IPv6'],
    ]);
    const ends = entries.filter(({ info }) => info.ChainLen === 2).map(({ info }) => info.ChainEntries[1]);
    expect(ends).toEqual([1001, 1002, 1003, 1004, 1005, 1006]);
    // There are no raw sockets of IPv6: that one is named.
    expect(skipped.map(({ what }) => what).join('\n')).toContain('MSAFD Tcpip [RAW/IPv6]');
    mobile.close();
    const back = openCatalog('c', { catalog });
    expect(names(back)).toContain('MSAFD Tcpip [RAW/IPv6]');
    expect(back.read().entries[0]?.info.ChainEntries[1]).toBe(1001);
    back.close();
  });
});
