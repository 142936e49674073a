/** `winsockd spi new`: what is written, and what is left alone. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cli } from './harness.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spi-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Lines that are neither empty nor only a comment. */
function linesOfCode(path: string): number {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => !/^\s*(\/\/.*|\/\*.*\*\/)?$/.test(line)).length;
}

const machine = { packageFile: '/opt/winsockd/package.json' };

describe('winsockd spi new', () => {
  test('a module and its test, 30 lines of code together, and a package, in a folder of that name', async () => {
    const { code, out } = await cli('spi new wire-tap', { directory, machine });
    expect(code).toBe(0);
    const folder = join(directory, 'wire-tap');
    expect(readdirSync(folder).sort()).toEqual(['package.json', 'wire-tap.mjs', 'wire-tap.test.mjs']);
    const module = join(folder, 'wire-tap.mjs');
    expect(out).toContain(`winsockd catalog install ${module} --name wire-tap --ifs\n`);
    expect(linesOfCode(module) + linesOfCode(join(folder, 'wire-tap.test.mjs'))).toBeLessThanOrEqual(30);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect(dependencies).toEqual({ winsockd: 'file:/opt/winsockd' });
  });

  test('--name-space: a provider of names, in 30 lines with its test', async () => {
    const { out } = await cli('spi new book --name-space', { directory, machine });
    const module = join(directory, 'book', 'book.mjs');
    expect(out).toContain(`winsockd catalog install-name-space ${module} --name book\n`);
    expect(linesOfCode(module) + linesOfCode(join(directory, 'book', 'book.test.mjs'))).toBeLessThanOrEqual(
      30,
    );
    expect((await cli('spi new other --name-space --own-handles', { directory, machine })).code).toBe(2);
  });

  test('--own-handles is installed without --ifs', async () => {
    const { out } = await cli('spi new tap --own-handles', { directory, machine });
    expect(out).toContain(`winsockd catalog install ${join(directory, 'tap', 'tap.mjs')} --name tap\n`);
  });

  test('--directory and --json', async () => {
    const { out } = await cli(['spi', 'new', 'tap', '--directory', 'here', '--own-handles', '--json'], {
      directory,
      machine,
    });
    expect(JSON.parse(out)).toEqual({
      name: 'tap',
      directory: join(directory, 'here'),
      files: ['tap.mjs', 'tap.test.mjs', 'package.json'],
    });
    expect(readFileSync(join(directory, 'here', 'tap.mjs'), 'utf8')).toContain("handles: 'own'");
  });

  test('what is there already stays as it is', async () => {
    writeFileSync(join(directory, 'tap.mjs'), 'mine');
    const { code, err } = await cli(['spi', 'new', 'tap', '--directory', '.'], { directory, machine });
    expect(code).toBe(1);
    expect(err).toContain('it stays as it is');
    expect(readFileSync(join(directory, 'tap.mjs'), 'utf8')).toBe('mine');
  });

  test.each(['../up', 'Tap', '9lives', '', 'a'.repeat(65), "x';"])('%j is no name', async (name) => {
    const { code } = await cli(['spi', 'new', name], { directory, machine });
    expect(code).toBe(2);
    expect(readdirSync(directory)).toEqual([]);
  });
});
