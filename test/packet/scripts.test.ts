import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { formatTrace, runScript } from '../../src/sim/index.ts';

const folder = new URL('scripts/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.pkt'));

/** The first comment of a script: what it shows, with the label of its RFC. */
function title(text: string): string {
  return /^\/\/ (.+)$/m.exec(text)?.[1] ?? 'has no title';
}

describe.each([4, 6] as const)('packet scripts over IPv%i', (family) => {
  test('the folder holds the scripts', () => {
    expect(files.length).toBeGreaterThanOrEqual(20);
  });

  for (const file of files) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    test(`${file}: ${title(text)}`, () => {
      const result = runScript(text, { name: `test/packet/scripts/${file}`, family });
      if (result.error !== null) throw new Error(`${result.error.message}\n\n${formatTrace(result.trace)}`);
      expect(result.passed).toBe(true);
      expect(title(text)).toMatch(/RFC \d+|SEM-/);
    });
  }
});
