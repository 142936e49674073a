/** A catalog in a folder: what is kept, what others do to it at the same time, and what a broken one loses. */

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WSAEINVAL, WSANO_RECOVERY } from '../../../src/abi/index.ts';
import { DiskJournal } from '../../../src/catalog/disk/disk-journal.ts';
import { type FileCalls, nodeFileCalls } from '../../../src/catalog/disk/file-calls.ts';
import { CatalogKeeper, openCatalog, STATES_KEPT } from '../../../src/catalog/index.ts';
import { DEFAULTS, guid, install, installChains, layer, TCP } from './support.ts';

let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'wsk-catalog-')), 'catalog');
});

afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const WHO = { uid: 1000, pid: 42, program: 'installer' };
const open = (): CatalogKeeper => openCatalog({ directory, defaults: DEFAULTS });
const stateFile = (serial: number): string =>
  join(directory, `catalog-${String(serial).padStart(12, '0')}.json`);

/** A keeper over system calls of the test's. */
const over = (files: FileCalls, mark = 'm'): CatalogKeeper =>
  new CatalogKeeper({
    journal: new DiskJournal({
      directory,
      defaults: DEFAULTS,
      newMark: () => `${mark}${Math.trunc(performance.now() * 1000)}`,
      files,
    }),
    defaults: DEFAULTS,
    newGuid: () => guid(77),
    now: () => 1_700_000_000_000,
  });

describe('a catalog on disk', () => {
  test('before the first change there is nothing but the defaults, and no file', () => {
    const keeper = open();
    expect(keeper.read()).toMatchObject({ serial: 0, entries: DEFAULTS.entries, skipped: [] });
    expect(keeper.history()).toEqual([]);
    keeper.close();
    expect(existsSync(stateFile(1))).toBe(false);
  });

  test('what was changed is there for the next who opens it, blobs and all', () => {
    const keeper = open();
    expect(keeper.apply(installChains(1), WHO)).toMatchObject({ error: 0, serial: 1, ids: [1007, 1008] });
    keeper.apply(
      {
        kind: 'install-name-space',
        providerId: guid(2),
        identifier: 'N',
        path: '/n.mjs',
        dwNameSpace: 12,
        version: 1,
        isV2: true,
        blob: Uint8Array.of(0, 255),
      },
      WHO,
    );
    const before = keeper.read();
    keeper.close();
    const again = open();
    expect(again.read()).toEqual(before);
    again.close();
  });

  test('a change that is refused leaves no trace', () => {
    const keeper = open();
    expect(keeper.apply({ kind: 'remove-entry', id: 5 }, WHO)).toMatchObject({ error: WSAEINVAL, serial: 0 });
    expect(keeper.history()).toEqual([]);
    keeper.close();
  });

  test('the audit trail says who, when and what, newest first', () => {
    const keeper = open();
    keeper.apply(installChains(1), WHO);
    keeper.apply({ kind: 'restore', serial: 0 }, { ...WHO, program: 'undo\u001b[31m' });
    expect(keeper.history()).toMatchObject([
      { serial: 2, kind: 'restore', what: 'restored the catalog of serial 0', isKept: true },
      { serial: 1, kind: 'install-chains', who: WHO, isKept: true },
    ]);
    keeper.close();
    const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).serial)).toEqual([1, 2]);
    expect(open().history()[0]?.who.program).toBe('undo?[31m');
  });

  test('every earlier state that is kept can be restored, and no more than those are kept', () => {
    const keeper = open();
    for (let n = 1; n <= STATES_KEPT + 6; n++) {
      const isActive = n % 2 === 0;
      keeper.apply(
        { kind: 'enable-name-space', providerId: DEFAULTS.nameSpaces[0]?.providerId ?? '', isActive },
        WHO,
      );
    }
    expect(readdirSync(directory).filter((name) => name.startsWith('catalog-'))).toHaveLength(STATES_KEPT);
    expect(keeper.history()).toHaveLength(STATES_KEPT + 6);
    expect(keeper.history().filter(({ isKept }) => isKept)).toHaveLength(STATES_KEPT);
    expect(keeper.apply({ kind: 'restore', serial: 6 }, WHO).error).toBe(WSAEINVAL);
    expect(keeper.apply({ kind: 'restore', serial: 67 }, WHO).error).toBe(0);
    expect(keeper.read().nameSpaces[0]?.isActive).toBe(false);
    keeper.close();
  });

  test('two writers: both changes are made, each on what is there', () => {
    const [a, b] = [open(), open()];
    expect(a.apply(install(1, layer('A')), WHO).ids).toEqual([1007]);
    expect(b.apply(install(2, layer('B')), WHO).ids).toEqual([1008]);
    expect(a.apply(install(2, layer('B')), WHO).error).toBe(WSANO_RECOVERY);
    expect(a.read()).toEqual(b.read());
    a.close();
    b.close();
  });

  test('a writer that was overtaken between reading and writing applies its change to what the other one made', () => {
    const other = open();
    const files = nodeFileCalls();
    let races = 0;
    const racing: FileCalls = {
      ...files,
      link(from, to) {
        if (races++ < 3) other.apply(install(races, layer(`other ${races}`)), WHO);
        files.link(from, to);
      },
    };
    const keeper = over(racing);
    expect(keeper.apply(install(9, layer('late')), WHO)).toMatchObject({ error: 0, serial: 4, ids: [1010] });
    expect(keeper.read().entries).toHaveLength(6 + 4);
    expect(readdirSync(directory).filter((name) => name.startsWith('.new'))).toEqual([]);
    other.close();
    keeper.close();
  });

  test('a writer that slept until its number was used and removed again is late too', () => {
    const other = open();
    const files = nodeFileCalls();
    let hasSlept = false;
    const sleeping: FileCalls = {
      ...files,
      link(from, to) {
        if (!hasSlept) {
          hasSlept = true;
          for (let n = 0; n < STATES_KEPT + 5; n++) {
            const what = n % 2 === 0 ? installChains(1) : ({ kind: 'reset', what: 'all' } as const);
            expect(other.apply(what, WHO).error).toBe(0);
          }
        }
        files.link(from, to);
      },
    };
    const keeper = over(sleeping);
    const answer = keeper.apply(install(9, layer('late')), WHO);
    expect(answer).toMatchObject({ error: 0, serial: STATES_KEPT + 6 });
    expect(
      open()
        .read()
        .entries.some(({ info }) => info.szProtocol === 'late'),
    ).toBe(true);
    expect(existsSync(stateFile(1))).toBe(false);
    other.close();
    keeper.close();
  });

  test('a full disk, and a folder that may not be written, are codes', () => {
    const failing = (code: string): FileCalls => ({
      ...nodeFileCalls(),
      write() {
        throw Object.assign(new Error(code), { code });
      },
    });
    expect(over(failing('ENOSPC')).apply(installChains(1), WHO).error).toBe(8);
    expect(over(failing('EACCES')).apply(installChains(1), WHO).error).toBe(WSANO_RECOVERY);
    expect(over(failing('EIO')).apply(installChains(1), WHO).error).toBe(10107);
    expect(readdirSync(directory)).toEqual([]);
    expect(open().read().serial).toBe(0);
  });

  test('CFG-FAIL-11 watchers hear of changes of this process', () => {
    const keeper = open();
    const heard: number[] = [];
    const stop = keeper.watch((serial) => heard.push(serial));
    keeper.apply(installChains(1), WHO);
    keeper.apply(installChains(2), WHO);
    stop();
    keeper.apply({ kind: 'reset', what: 'all' }, WHO);
    expect(heard).toEqual([1, 2]);
    keeper.close();
  });
});

describe('a catalog that is broken', () => {
  const withState = (change: (file: Record<string, never>) => void): CatalogKeeper => {
    const keeper = open();
    keeper.apply(installChains(1), WHO);
    keeper.close();
    const file = JSON.parse(readFileSync(stateFile(1), 'utf8'));
    change(file);
    writeFileSync(stateFile(1), JSON.stringify(file));
    return open();
  };
  const why = (keeper: CatalogKeeper): string =>
    keeper
      .read()
      .skipped.map(({ what, why }) => `${what}: ${why}`)
      .join('\n');
  const names = (keeper: CatalogKeeper): string[] => keeper.read().entries.map(({ info }) => info.szProtocol);

  test('the state before it is used, and the next change goes on behind it', () => {
    const keeper = open();
    keeper.apply(installChains(1), WHO);
    keeper.apply(installChains(2), WHO);
    keeper.close();
    writeFileSync(stateFile(2), '{"format":');
    const again = open();
    expect(again.read()).toMatchObject({
      serial: 2,
      skipped: [{ what: 'catalog-000000000002.json', why: 'it is no JSON' }],
    });
    expect(again.read().entries).toHaveLength(8);
    expect(again.apply(installChains(3), WHO)).toMatchObject({ error: 0, serial: 3 });
    expect(again.read()).toMatchObject({ serial: 3, skipped: [] });
    again.close();
  });

  test('an entry that is broken is left out and named', () => {
    const keeper = withState((file: Record<string, unknown>) => {
      const entries = file['entries'] as { info: Record<string, unknown> }[];
      if (entries[0] !== undefined) entries[0].info['iProtocol'] = 'tcp';
    });
    expect(why(keeper)).toContain('entries[0]: entries[0].info.iProtocol is not a whole number');
    expect(names(keeper)).not.toContain('LSP 1 over [MSAFD Tcpip [TCP/IP]]');
    expect(names(keeper)).toContain('LSP 1');
  });

  test('base providers are there, whatever the file says of them', () => {
    const keeper = withState((file: Record<string, unknown>) => {
      const entries = file['entries'] as { path: string; info: Record<string, unknown> }[];
      file['entries'] = entries.flatMap((entry) => {
        if (entry.info['dwCatalogEntryId'] === 1001) return [];
        if (entry.info['dwCatalogEntryId'] === 1002) entry.info['iProtocol'] = 6;
        if (entry.info['dwCatalogEntryId'] === 1003) entry.path = '/evil.mjs';
        return [entry];
      });
    });
    const { entries } = keeper.read();
    for (const base of DEFAULTS.entries) expect(entries).toContainEqual(base);
    expect(entries.filter(({ info }) => info.ProviderId === TCP.ProviderId)).toHaveLength(3);
    expect(why(keeper)).toContain('it claims to be a built-in provider');
    expect(why(keeper)).toContain('the base provider was missing, and is there again');
  });

  test('ids that are used twice, and a next id that is too low', () => {
    const keeper = withState((file: Record<string, unknown>) => {
      const entries = file['entries'] as unknown[];
      entries.push(entries[0]);
      file['nextId'] = 1002;
    });
    expect(why(keeper)).toContain('another entry has the id 1008');
    expect(keeper.apply(install(2, layer('B')), WHO).ids).toEqual([1009]);
  });

  test('a newer format is refused clearly, and stays as it is', () => {
    const keeper = withState((file: Record<string, unknown>) => {
      file['version'] = 2;
    });
    const before = readFileSync(stateFile(1), 'utf8');
    expect(keeper.read().entries).toEqual(DEFAULTS.entries);
    expect(why(keeper)).toContain('its format is version 2, and this program knows 1');
    expect(keeper.apply(installChains(1), WHO).error).toBe(WSANO_RECOVERY);
    expect(readFileSync(stateFile(1), 'utf8')).toBe(before);
    expect(readdirSync(directory).filter((name) => name.startsWith('catalog-'))).toHaveLength(1);
  });

  test('a file that others may write is not believed, nor a name that leads nowhere', () => {
    const keeper = withState(() => {});
    keeper.close();
    chmodSync(stateFile(1), 0o666);
    symlinkSync('nowhere', stateFile(2));
    const again = open();
    expect(again.read().entries).toEqual(DEFAULTS.entries);
    expect(why(again)).toContain('others than its owner may write it');
    expect(why(again)).toContain('it is not there');
    expect(again.apply(installChains(1), WHO)).toMatchObject({ error: 0, serial: 3 });
  });
});
