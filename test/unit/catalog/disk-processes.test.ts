/** Processes of their own that change one catalog: several at once, and some that are killed with SIGKILL wherever they are. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openCatalog } from '../../../src/catalog/index.ts';
import { compileRooms } from '../../support/compiled.ts';
import { DEFAULTS } from './support.ts';

jest.setTimeout(120_000);

let folder: string;
let program: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wsk-writers-'));
  const rooms = compileRooms('catalog', 'spi');
  program = join(folder, 'writer.mjs');
  writeFileSync(
    program,
    `
import { writeSync } from 'node:fs';
const { openCatalog } = await import('${rooms}/catalog/index.js');
const { catalogDefaults } = await import('${rooms}/spi/index.js');
const [directory, name, count] = process.argv.slice(2);
const defaults = catalogDefaults('windows');
const keeper = openCatalog({ directory, defaults });
const info = { ...defaults.entries[0].info, ChainLen: 0, ChainEntries: [] };
for (let n = 0; n < Number(count); n++) {
  const providerId = '0000' + name + '-0000-4000-8000-' + String(n).padStart(12, '0');
  const entries = [{ ...info, szProtocol: name + n }];
  const change = { kind: 'install-provider', providerId, path: '/x', entries };
  const { error } = keeper.apply(change, { uid: 0, pid: process.pid, program: name });
  // Said before the next one begins: what was answered is not lost.
  writeSync(1, error + ' ' + name + n + '\\n');
}
`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Writer {
  readonly child: ChildProcess;
  /** Names that were answered with 0. */
  readonly done: string[];
  readonly ended: Promise<void>;
  onLine: () => void;
}

function start(directory: string, name: string, count: number): Writer {
  const child = spawn(process.execPath, [program, directory, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const done: string[] = [];
  const writer: Writer = {
    child,
    done,
    onLine: () => {},
    ended: new Promise((resolve) => child.once('close', () => resolve())),
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      expect(line).toMatch(/^0 /);
      done.push(line.slice(2));
      writer.onLine();
    }
  });
  return writer;
}

const namesIn = (directory: string): string[] => {
  const keeper = openCatalog({ directory, defaults: DEFAULTS });
  const { entries, skipped } = keeper.read();
  expect(skipped).toEqual([]);
  keeper.close();
  return entries.map(({ info }) => info.szProtocol);
};

test('four processes at once: every change is made, once, with ids of its own', async () => {
  const directory = join(folder, 'four');
  const writers = ['aaaa', 'bbbb', 'cccc', 'dddd'].map((name) => start(directory, name, 25));
  await Promise.all(writers.map(({ ended }) => ended));
  const names = namesIn(directory).slice(DEFAULTS.entries.length);
  expect(names.sort()).toEqual(writers.flatMap(({ done }) => done).sort());
  expect(names).toHaveLength(100);
  const keeper = openCatalog({ directory, defaults: DEFAULTS });
  const ids = keeper.read().entries.map(({ info }) => info.dwCatalogEntryId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(keeper.history().map(({ serial }) => serial)).toEqual(
    Array.from({ length: 100 }, (_, i) => 100 - i),
  );
  keeper.close();
});

test('a process that is killed loses nothing that it was told is done, and leaves the catalog whole', async () => {
  const directory = join(folder, 'killed');
  let expected: string[] = [];
  for (let round = 0; round < 8; round++) {
    const writer = start(directory, `eee${round}`, 200);
    writer.onLine = () => {
      // Somewhere in the change after this one.
      if (writer.done.length === 3 + round) writer.child.kill('SIGKILL');
    };
    await writer.ended;
    expect(writer.child.signalCode).toBe('SIGKILL');
    const names = namesIn(directory).slice(DEFAULTS.entries.length);
    const before = expected.length;
    expect(names.slice(0, before)).toEqual(expected);
    // What it was told is there; one more may be, whose answer it did not live to tell.
    const added = names.slice(before);
    expect(added.slice(0, writer.done.length)).toEqual(writer.done);
    expected = names;
  }
});
