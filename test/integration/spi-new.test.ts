/**
 * Providers that `winsockd spi new` made, against the package as it is built: their own tests pass, and a wrong signature is no
 * program.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WSP_ENTRIES } from '../../src/spi/index.ts';

/** What is made: its name, the options, and a change that makes it wrong. */
const MADE = [
  ['shared-tap', [], 'next.WSPConnect(s, name, namelen', 'next.WSPConnect(s, namelen, name'],
  ['own-tap', ['--own-handles'], 'WSPConnect(s, name', 'WSPConect(s, name'],
  ['phones', ['--name-space'], 'addresses.map((address) => ({ address }))', 'addresses'],
] as const;

const NAMES: readonly string[] = MADE.map(([name]) => name);

const COMPILER_OPTIONS = {
  module: 'NodeNext',
  target: 'ES2022',
  types: ['node'],
  typeRoots: [resolve('node_modules/@types')],
  strict: true,
  checkJs: true,
  allowJs: true,
  noEmit: true,
  skipLibCheck: true,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spi-new-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules', 'winsockd'));
  for (const [name, options] of MADE) {
    execFileSync(process.execPath, [resolve('dist/cli/main.js'), 'spi', 'new', name, ...options], {
      cwd: folder,
    });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(NAMES)(
  'the test of %s passes',
  (name) => {
    const { status, stdout } = spawnSync(process.execPath, ['--test'], {
      cwd: join(folder, name),
      encoding: 'utf8',
      // What node's runner tells its children would make this one report to jest.
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
      timeout: 60_000,
    });
    expect(stdout).toMatch(/pass 1/);
    expect(status).toBe(0);
  },
  70_000,
);

describe('their types', () => {
  /** What tsc says of all that is in the folder. */
  function compiled(): string {
    return spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', '.'], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout;
  }

  beforeAll(() => {
    const config = { compilerOptions: COMPILER_OPTIONS, include: ['*/*.mjs', '*.mjs'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  });

  test('as they are they compile', () => {
    expect(compiled()).toBe('');
  }, 120_000);

  test('with a mistake they do not, nor does a wrong signature of any of the 30 calls', () => {
    for (const [name, , right, wrong] of MADE) {
      const module = join(folder, name, `${name}.mjs`);
      writeFileSync(module, readFileSync(module, 'utf8').replace(right, wrong));
    }
    const calls = WSP_ENTRIES.map(
      (name) => `export const ${name} = defineLayer(() => ({ ${name}: (/** @type {symbol} */ s) => 0 }));\n`,
    );
    writeFileSync(
      join(folder, 'every.mjs'),
      `import { defineLayer } from 'winsockd/spi';\n${calls.join('')}`,
    );
    const said = compiled();
    for (const [name] of MADE) expect(said).toMatch(new RegExp(`^${name}/${name}\\.mjs\\(.*error TS`, 'm'));
    const lines = [...said.matchAll(/^every\.mjs\((\d+),.*error TS/gm)].map(([, line]) => Number(line));
    expect(lines).toEqual(WSP_ENTRIES.map((_, i) => i + 2));
  }, 120_000);
});
