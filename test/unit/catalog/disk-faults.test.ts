/** The end of a process at every system call of a change: the next one finds the old catalog or the new one, whole. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DiskJournal } from '../../../src/catalog/disk/disk-journal.ts';
import { type FileCalls, nodeFileCalls } from '../../../src/catalog/disk/file-calls.ts';
import { CatalogKeeper, openCatalog } from '../../../src/catalog/index.ts';
import { DEFAULTS, guid, install, layer } from './support.ts';

/** The process is gone: nothing that it would do afterwards happens. */
class Killed extends Error {}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wsk-faults-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const WHO = { uid: 0, pid: 1, program: 'test' };

/**
 * Calls that end with the process before their `last`th writing one.
 * @param half a write that is cut short by the end
 */
function dying(last: number, half: boolean): { files: FileCalls; count: () => number } {
  const real = nodeFileCalls();
  let count = 0;
  let isDead = false;
  const step =
    <Args extends unknown[], Result>(call: (...args: Args) => Result, isWrite = false) =>
    (...args: Args): Result => {
      if (!isDead && count++ === last) {
        isDead = true;
        if (half && isWrite) {
          const [fd, text] = args as unknown as [number, string];
          real.write(fd, text.slice(0, text.length / 2));
        }
      }
      if (isDead) throw new Killed();
      return call(...args);
    };
  const alive =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      if (isDead) throw new Killed();
      return call(...args);
    };
  return {
    count: () => count,
    files: {
      list: alive(real.list),
      read: alive(real.read),
      makeDirectory: step(real.makeDirectory),
      create: step(real.create),
      openForAppend: step(real.openForAppend),
      openDirectory: step(real.openDirectory),
      write: step(real.write, true),
      sync: step(real.sync),
      // The kernel closes what a dead process had open.
      close: real.close,
      link: step(real.link),
      rename: step(real.rename),
      remove: step(real.remove),
    },
  };
}

function attempt(last: number, half: boolean): number {
  const { files, count } = dying(last, half);
  const journal = new DiskJournal({
    directory,
    defaults: DEFAULTS,
    newMark: () => `mark-${last}-${half}`,
    files,
  });
  const keeper = new CatalogKeeper({ journal, defaults: DEFAULTS, newGuid: () => guid(1), now: () => 1 });
  try {
    keeper.apply(install(2, layer('new')), WHO);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  return count();
}

describe('a process that is ended in the middle of a change', () => {
  test.each([false, true])('at each system call in turn, writes cut short: %s', (half) => {
    let outcomes = '';
    for (let last = 0; ; last++) {
      rmSync(directory, { recursive: true, force: true });
      const before = openCatalog({ directory, defaults: DEFAULTS });
      before.apply(install(1, layer('old')), WHO);
      before.close();
      const calls = attempt(last, half);
      const after = openCatalog({ directory, defaults: DEFAULTS });
      const { entries, serial, skipped } = after.read();
      const names = entries.map(({ info }) => info.szProtocol);
      expect(skipped).toEqual([]);
      expect(names.slice(0, 7)).toEqual([...DEFAULTS.entries.map(({ info }) => info.szProtocol), 'old']);
      expect(names.slice(7)).toEqual(serial === 1 ? [] : ['new']);
      outcomes += serial;
      // The trail tells of every state, and the next change is made as if nothing had been.
      expect(after.history().map((record) => record.serial)).toEqual(serial === 1 ? [1] : [2, 1]);
      expect(after.apply(install(3, layer('next')), WHO).error).toBe(0);
      expect(after.history().map((record) => record.serial)).toEqual(serial === 1 ? [2, 1] : [3, 2, 1]);
      after.close();
      if (calls <= last) break;
    }
    // Old states up to the link, new ones from there on.
    expect(outcomes).toMatch(/^1{5,}2{5,}$/);
  });

  test('its temporary file is removed by the next writer, that of a living process is not', () => {
    const keeper = openCatalog({ directory, defaults: DEFAULTS });
    const { files } = dying(3, false);
    // No process has a number like this one.
    files.link(...leftBehind(files, `.new-${2 ** 30}-x`));
    leftBehind(nodeFileCalls(), `.new-${process.ppid}-x`);
    keeper.apply(install(1, layer('A')), WHO);
    expect(readdirSync(directory).filter((name) => name.startsWith('.new'))).toEqual([
      `.new-${process.ppid}-x`,
    ]);
    keeper.close();
  });
});

function leftBehind(files: FileCalls, name: string): [string, string] {
  const path = join(directory, name);
  files.close(files.create(path));
  return [path, join(directory, 'other')];
}
