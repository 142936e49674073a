import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const SRC = join(import.meta.dirname, '../../src');

/** What a file imports or re-exports, as written; what only its types need is erased and does not count. */
const IMPORT =
  /^(?:import|export)\s+(?!type\s)(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** Everything that loading `entry` loads: the project's files, and the names of all other modules with who asks for them. */
function loaded(entry: string): { files: Set<string>; others: string[] } {
  const files = new Set<string>();
  const others: string[] = [];
  const waiting = [join(SRC, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(SRC, file);
    if (files.has(name)) continue;
    files.add(name);
    for (const [, fixed, dynamic] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const specifier = (fixed ?? dynamic) as string;
      if (specifier.startsWith('.')) waiting.push(join(dirname(file), specifier));
      else others.push(`${name}: ${specifier}`);
    }
  }
  return { files, others };
}

describe('entry points that run outside of Node too', () => {
  test.each([
    'abi/index.ts',
    'capture/index.ts',
    'link/index.ts',
    'sim/index.ts',
    'spi/index.ts',
    'stack/index.ts',
    'wire/index.ts',
  ])('%s loads no module but the project’s own', (entry) => {
    const { files, others } = loaded(entry);
    expect(others).toEqual([]);
    expect(files.size).toBeGreaterThan(5);
  });

  test('sim is a whole host: its stack, links and driver are among what was looked at', () => {
    const { files } = loaded('sim/index.ts');
    expect([...files]).toEqual(
      expect.arrayContaining(['stack/tcp/tcb.ts', 'link/memory.ts', 'engine/driver.ts', 'base/frames.ts']),
    );
    expect([...files].filter((name) => /^(native|link\/device)\//.test(name))).toEqual([]);
  });

  test.each([
    ['link/device/index.ts', 'native/load.ts: node:module'],
    ['capture/files/index.ts', 'capture/files/pcapng-file.ts: node:fs'],
  ])('the walk finds what needs Node: %s', (entry, expected) => {
    expect(loaded(entry).others).toContain(expected);
  });
});
