import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseChapter, readChapters } from '../../winsock-status/lists.ts';
import { idsIn, readNamed } from '../../winsock-status/named.ts';
import { makeStatus } from '../../winsock-status/page.ts';

const PAGE = new URL('../../../docs/winsock-status.md', import.meta.url);

describe('docs/winsock-status.md', () => {
  const chapters = readChapters();
  const known = new Set(chapters.flatMap(({ entries }) => entries.map(({ id }) => id)));
  const status = makeStatus(chapters, readNamed(known));

  test('is written when asked for, by scripts/winsock-status', () => {
    if (process.env['WINSOCK_STATUS'] !== 'write') return;
    writeFileSync(PAGE, status.page);
    process.stdout.write(
      [...status.unproved.map((id) => `no test: ${id}`), ...status.unknown, ''].join('\n'),
    );
  });

  test('is what the lists and the tests say', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(status.page);
  });

  test('given an id that a test names, a list has it', () => {
    expect(status.unknown).toEqual([]);
  });

  test('given an id that works, a test names it', () => {
    expect(status.unproved).toEqual([]);
  });
});

describe('the page', () => {
  const chapter = parseChapter('# Options\nOPT-A | 1\nOPT-B | 2 | not planned: so\nOPT-C', 'x');

  test('given ids with and without tests, each has its status', () => {
    const { page, unproved, unknown } = makeStatus(
      [chapter],
      new Map([
        ['OPT-A', new Set(['conformance/a.test.ts'])],
        ['OPT-Z', new Set(['b.test.ts'])],
      ]),
    );
    expect(page).toContain('| OPT-A | 1 | works | [conformance/a](../test/conformance/a.test.ts) |');
    expect(page).toContain('| OPT-B | 2 | not planned: so |  |');
    expect(page).toContain('| OPT-C |  | **no test** |  |');
    expect(page).toContain('| [Options](#options) | 1 |  | 1 |  | 1 |  |');
    expect([unproved, unknown]).toEqual([['OPT-C'], ['OPT-Z: b.test.ts']]);
  });

  test('given what is stored only, it needs a test as well', () => {
    const stored = parseChapter('# Options\nOPT-A | 1 | stored: why\nOPT-B | 2 | stored: why', 'x');
    const { page, unproved } = makeStatus([stored], new Map([['OPT-A', new Set(['a.test.ts'])]]));
    expect(page).toContain('| OPT-A | 1 | stored: why | [a](../test/a.test.ts) |');
    expect(unproved).toEqual(['OPT-B']);
  });

  test('given a chapter for later, what has a test works already', () => {
    const later = parseChapter('# Chains | later: soon\nCAT-1 | x\nCAT-2 | y', 'x');
    const { page, unproved } = makeStatus([later], new Map([['CAT-1', new Set(['a.test.ts'])]]));
    expect(page).toContain('| CAT-1 | x | works |');
    expect(page).toContain('| CAT-2 | y | later: soon |');
    expect(unproved).toEqual([]);
  });
});

describe('the lists', () => {
  test.each([
    ['Options', 'no title'],
    ['# Options\nno id', 'no id'],
    ['# Options\nOPT-A\nOPT-A', 'twice the same id'],
    ['# Options\nOPT-A | x | fine', 'no such status'],
    ['# Options\nOPT-A | x | later', 'no reason'],
  ])('given %j, they are refused for %s', (text) => {
    expect(() => parseChapter(text, 'x.txt')).toThrow(/^x\.txt:\d/);
  });
});

describe('ids of tests', () => {
  const known = new Set(['API-accept', 'API-bind', 'ERR-WSAEINVAL', 'OPT-A']);
  const source = `
    import { accept, WSAEINVAL } from 'x';
    // SEM-NO-01
    test('SEM-A-01, OPT-A a title', () => {});
    const rows = [{ id: 'OPT-SO_X' }, \`IOC-\${x} IOC-Y\`];
    ws.accept(s);
    const f = ws.bind;
    expect(e).toBe(WSAEINVAL);`;

  test('given titles and tables, strings count and comments do not', () => {
    expect([...idsIn(source, false, known)].sort()).toEqual(['IOC-Y', 'OPT-A', 'OPT-SO_X', 'SEM-A-01']);
  });

  test('given a conformance test, its calls and constants count too', () => {
    const ids = idsIn(source, true, known);
    expect([ids.has('API-accept'), ids.has('API-bind'), ids.has('ERR-WSAEINVAL')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(idsIn("import { WSAEINVAL } from 'x';", true, known).size).toBe(0);
  });
});
