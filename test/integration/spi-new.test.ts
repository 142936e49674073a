/**
 * A provider that `winsockd spi new` made, against the package as it is built: its own test passes, and a wrong signature is no
 * program.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spi-new-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules', 'winsockd'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes a provider. @returns its folder */
function made(name: string, ...more: string[]): string {
  execFileSync(process.execPath, [resolve('dist/cli/main.js'), 'spi', 'new', name, ...more], { cwd: folder });
  return join(folder, name);
}

describe.each([
  ['of system handles', 'shared-tap', []],
  ['of its own handles', 'own-tap', ['--own-handles']],
])('a provider %s', (_kind, name, options) => {
  test('its own test passes', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--test'], {
      cwd: made(name, ...options),
      encoding: 'utf8',
      // What node's runner tells its children would make this one report to jest.
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
      timeout: 60_000,
    });
    expect(stdout).toMatch(/pass 1/);
    expect(status).toBe(0);
  }, 70_000);

  test('it is typed: as it is it compiles, and with its arguments in the wrong order it does not', () => {
    const config = {
      compilerOptions: {
        module: 'NodeNext',
        target: 'ES2022',
        types: ['node'],
        typeRoots: [resolve('node_modules/@types')],
        strict: true,
        checkJs: true,
        allowJs: true,
        noEmit: true,
        skipLibCheck: true,
      },
      include: ['*.mjs'],
    };
    const home = join(folder, name);
    writeFileSync(join(home, 'tsconfig.json'), JSON.stringify(config));
    const compile = () =>
      spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', home], {
        encoding: 'utf8',
      });
    expect(compile().stdout).toBe('');
    const module = join(home, `${name}.mjs`);
    const text = readFileSync(module, 'utf8');
    writeFileSync(
      module,
      text.replace('next.WSPConnect(s, name, namelen', 'next.WSPConnect(s, namelen, name'),
    );
    expect(compile().stdout).toMatch(/error TS2345/);
  }, 120_000);
});
