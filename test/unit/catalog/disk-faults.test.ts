/**
 * A change of every kind, with the end of the process, a power cut, another writer or a fault of the disk at each of its system calls in
 * turn: who comes next finds the old catalog or the new one, whole, and what was answered is there.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  WSA_NOT_ENOUGH_MEMORY,
  WSAEACCES,
  WSAEINVAL,
  WSANO_RECOVERY,
  WSASYSCALLFAILURE,
} from '../../../src/abi/index.ts';
import { DiskJournal } from '../../../src/catalog/disk/disk-journal.ts';
import { type FileCalls, nodeFileCalls } from '../../../src/catalog/disk/file-calls.ts';
import { CatalogKeeper, openCatalog } from '../../../src/catalog/index.ts';
import type { CatalogAnswer, CatalogChange, CatalogSnapshot } from '../../../src/port/index.ts';
import { BEFORE, CHANGES, SERIAL } from './every-change.ts';
import { Killed, type Loss, MemoryFolder, type Step, stepped, systemError } from './faulty-files.ts';
import { DEFAULTS, guid, install, layer } from './support.ts';

const WHO = { uid: 0, pid: 1, program: 'test' };
const OTHER = install(30, layer('of the other one'));
const KINDS = Object.entries(CHANGES) as [CatalogChange['kind'], CatalogChange][];

/** How GUIDs begin that chains are given. */
const GIVEN = new RegExp(`${guid(900_000).slice(0, -4)}....`, 'g');

let marks = 0;

function keeperOver(files: FileCalls, directory = '/catalog'): CatalogKeeper {
  const journal = new DiskJournal({ directory, defaults: DEFAULTS, newMark: () => `mark-${++marks}`, files });
  const newGuid = (): string => guid(900_000 + (++marks % 1000));
  return new CatalogKeeper({ journal, defaults: DEFAULTS, newGuid, now: () => 1 });
}

/** What is in a catalog, whatever its serial, and whichever GUIDs its chains were given. */
function contents({ serial: _, ...rest }: CatalogSnapshot): string {
  return JSON.stringify(rest).replaceAll(GIVEN, '');
}

const FULL = new MemoryFolder();
const maker = keeperOver(FULL);
for (const change of BEFORE) maker.apply(change, WHO);
const OLD = contents(maker.read());

/** The same catalog after changes without a fault. */
function catalogAfter(...changes: readonly CatalogChange[]): string {
  const keeper = keeperOver(FULL.copy());
  for (const change of changes) keeper.apply(change, WHO);
  return contents(keeper.read());
}

/** Makes a change until it is killed. @returns how it was answered; `null`: it was not */
function attempt(
  files: FileCalls,
  change: CatalogChange,
  before: (step: Step) => void,
): CatalogAnswer | null {
  let isKilled = false;
  const watched = (step: Step): void => {
    try {
      before(step);
    } catch (error) {
      isKilled ||= error instanceof Killed;
      throw error;
    }
  };
  const answer = keeperOver(stepped(files, watched)).apply(change, WHO);
  // What it does with an end of its own, it does no more.
  return isKilled ? null : answer;
}

/** Changes a folder with the end of the process at each step in turn. @returns for each: `-` the old catalog, `+` the new one */
function killedEverywhere(change: CatalogChange, loss: Loss | null, half: boolean): string {
  const changed = catalogAfter(change);
  let outcomes = '';
  for (let last = 0, isDone = false; !isDone; last++) {
    const folder = FULL.copy();
    const answer = attempt(folder, change, (step) => {
      if (step.number !== last) return;
      if (half) step.half();
      throw new Killed();
    });
    isDone = answer !== null;
    if (loss !== null) folder.cutPower(loss);
    const after = keeperOver(folder);
    const { serial } = after.read();
    expect(contents(after.read())).toBe(serial === SERIAL ? OLD : changed);
    outcomes += serial === SERIAL ? '-' : '+';
    // The trail tells of every state, and the next change is made as if nothing had been.
    const trail = (until: number): number[] => Array.from({ length: until }, (_, i) => until - i);
    expect(after.history().map((record) => record.serial)).toEqual(trail(serial));
    expect(after.apply(OTHER, WHO)).toMatchObject({ error: 0, serial: serial + 1 });
    expect(after.history().map((record) => record.serial)).toEqual(trail(serial + 1));
  }
  return outcomes;
}

describe('the end of a process in the middle of a change', () => {
  test.each(KINDS)('%s: at each system call, writes cut short', (_kind, change) => {
    // The old catalog up to the link, the new one from there on.
    expect(killedEverywhere(change, null, true)).toMatch(/^-{5,}\+{5,}$/);
  });

  test.each<[Loss | null, boolean]>([
    [null, false],
    ['names', true],
    ['bytes', true],
    ['both', false],
    ['both', true],
  ])('a power cut takes %s, writes cut short: %s', (loss, half) => {
    expect(killedEverywhere(CHANGES['install-chains'], loss, half)).toMatch(/^-{5,}\+{5,}$/);
  });

  test('another process changes the catalog before it', () => {
    const change = CHANGES['install-chains'];
    for (let last = 0, isDone = false; !isDone; last++) {
      for (let meanwhile = 0; meanwhile <= last; meanwhile++) {
        const folder = FULL.copy();
        let hasOther = false;
        const answer = attempt(folder, change, ({ number }) => {
          if (number === meanwhile) hasOther = keeperOver(folder).apply(OTHER, WHO).error === 0;
          if (number === last) throw new Killed();
        });
        isDone = answer !== null;
        expect(hasOther).toBe(!isDone || meanwhile < last);
        const { serial, entries, skipped } = keeperOver(folder).read();
        const names = entries.map(({ info }) => info.szProtocol);
        expect(skipped).toEqual([]);
        expect(names.includes('of the other one')).toBe(hasOther);
        expect(names.includes('LSP 4')).toBe(serial === SERIAL + (hasOther ? 2 : 1));
        if (isDone) expect(names).toContain('LSP 4');
      }
    }
  });
});

describe('two processes at once', () => {
  test.each(KINDS)('%s, with the other one’s change before each system call', (_kind, change) => {
    for (let meanwhile = 0, isDone = false; !isDone; meanwhile++) {
      const folder = FULL.copy();
      isDone = true;
      const answer = attempt(folder, change, ({ number }) => {
        if (number !== meanwhile) return;
        isDone = false;
        expect(keeperOver(folder).apply(OTHER, WHO).error).toBe(0);
      });
      const after = keeperOver(folder);
      const order = after
        .history()
        .filter(({ serial }) => serial > SERIAL)
        .map((record) => (record.kind === change.kind && record.what !== nameOfOther ? change : OTHER))
        .reverse();
      expect(contents(after.read())).toBe(catalogAfter(...order));
      // An order of all entries is none once there is another entry.
      const isRefused = answer?.error === WSAEINVAL && change.kind === 'write-order';
      expect(order.length).toBe((isDone ? 1 : 2) - (isRefused ? 1 : 0));
      expect(answer?.error).toBe(isRefused ? WSAEINVAL : 0);
    }
  });
});

/** What the trail says of {@link OTHER}. */
const nameOfOther = ((): string => {
  const keeper = keeperOver(new MemoryFolder());
  keeper.apply(OTHER, WHO);
  return keeper.history()[0]?.what ?? '';
})();

describe('a fault of the disk', () => {
  /** By 9.3: what each function documents. What is this project's own has all of them. */
  const general = { forbidden: WSANO_RECOVERY, full: WSA_NOT_ENOUGH_MEMORY, failed: WSASYSCALLFAILURE };
  const documented: Partial<Record<CatalogChange['kind'], Partial<typeof general>>> = {
    'deinstall-provider': { failed: WSANO_RECOVERY },
    'write-order': { failed: WSANO_RECOVERY },
    'set-lsp-categories': { failed: WSANO_RECOVERY },
    'set-application-category': { failed: WSANO_RECOVERY },
    'install-name-space': { forbidden: WSAEACCES },
    'uninstall-name-space': { full: WSASYSCALLFAILURE },
    'enable-name-space': { full: WSASYSCALLFAILURE },
    'write-name-space-order': { full: WSANO_RECOVERY, failed: WSANO_RECOVERY },
  };
  const faults = { EROFS: 'forbidden', ENOSPC: 'full', EIO: 'failed' } as const;
  const further = { EACCES: 'forbidden', EPERM: 'forbidden', EDQUOT: 'full', ENOMEM: 'full' } as const;

  test.each(KINDS)('%s: full at each system call, read-only, not permitted, broken', (kind, change) => {
    const changed = catalogAfter(change);
    const all = kind === 'install-provider' ? { ...faults, ...further } : faults;
    for (const [code, fault] of Object.entries(all)) {
      const expected = { ...general, ...documented[kind] }[fault];
      let outcomes = '';
      // Where the fault begins makes no difference between kinds but for what is answered.
      const isEverywhere = fault === 'full' || kind === 'install-provider';
      for (let from = 0, isDone = false; !isDone && (isEverywhere || from === 0); from++) {
        const folder = FULL.copy();
        isDone = true;
        let isBroken = true;
        const keeper = keeperOver(
          stepped(folder, (step) => {
            if (!isBroken || step.number < from) return;
            isDone = false;
            if (code === 'ENOSPC') step.half();
            throw systemError(code);
          }),
        );
        const { error, serial } = keeper.apply(change, WHO);
        expect([0, expected]).toContain(error);
        expect(serial).toBe(error === 0 ? SERIAL + 1 : SERIAL);
        expect(contents(keeperOver(folder).read())).toBe(error === 0 ? changed : OLD);
        outcomes += error === 0 ? '+' : '-';
        // Once the disk is well again, so is all the rest.
        isBroken = false;
        expect(keeper.apply(OTHER, WHO)).toMatchObject({ error: 0, serial: serial + 1 });
        expect(keeper.history().map((record) => record.serial)[0]).toBe(serial + 1);
        expect(keeper.history()).toHaveLength(serial + 1);
      }
      expect(outcomes).toMatch(isEverywhere ? /^-{5,}\+{5,}$/ : /^-$/);
    }
  });

  test('that passes leaves no temporary file', () => {
    for (let at = 0, isDone = false; !isDone; at++) {
      const folder = FULL.copy();
      isDone = true;
      const files = stepped(folder, ({ number }) => {
        if (number !== at) return;
        isDone = false;
        throw systemError('ENOSPC');
      });
      const { error } = keeperOver(files).apply(CHANGES['install-chains'], WHO);
      const left = folder.list().filter((name) => name.startsWith('.new'));
      // But for the removal itself, once the change is made.
      expect(left.length).toBe(error === 0 && left.length > 0 ? 1 : 0);
    }
  });
});

describe('on a real disk', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'wsk-faults-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('the end of a process at each system call in turn, writes cut short', () => {
    let outcomes = '';
    for (let last = 0, isDone = false; !isDone; last++) {
      rmSync(directory, { recursive: true, force: true });
      isDone = true;
      const files = stepped(nodeFileCalls(), (step) => {
        if (step.number !== last) return;
        isDone = false;
        step.half();
        throw new Killed();
      });
      keeperOver(files, directory).apply(install(2, layer('new')), WHO);
      const after = openCatalog({ directory, defaults: DEFAULTS });
      const { entries, serial, skipped } = after.read();
      expect(skipped).toEqual([]);
      expect(entries.slice(DEFAULTS.entries.length).map(({ info }) => info.szProtocol)).toEqual(
        serial === 0 ? [] : ['new'],
      );
      outcomes += serial;
      expect(after.apply(install(3, layer('next')), WHO).error).toBe(0);
      expect(after.history().map((record) => record.serial)).toEqual(serial === 0 ? [1] : [2, 1]);
      after.close();
    }
    expect(outcomes).toMatch(/^0{5,}1{5,}$/);
  });

  test('a temporary file is removed by the next writer, that of a living process is not', () => {
    const keeper = openCatalog({ directory, defaults: DEFAULTS });
    const files = nodeFileCalls();
    // No process has the first number.
    for (const owner of [2 ** 30, process.ppid])
      files.close(files.create(join(directory, `.new-${owner}-x`)));
    keeper.apply(install(1, layer('A')), WHO);
    expect(readdirSync(directory).filter((name) => name.startsWith('.new'))).toEqual([
      `.new-${process.ppid}-x`,
    ]);
    keeper.close();
  });
});
