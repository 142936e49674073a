import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { deviationsIn, makeCompliance } from '../../compliance/page.ts';
import { parseList, readRequirements } from '../../compliance/requirements.ts';
import { idsIn, readTestIds, testTitles } from '../../compliance/test-ids.ts';

const PAGE = new URL('../../../docs/compliance.md', import.meta.url);

describe('docs/compliance.md', () => {
  const compliance = makeCompliance(readRequirements(), readTestIds());

  test('is written when asked for, by scripts/compliance', () => {
    if (process.env['COMPLIANCE'] !== 'write') return;
    writeFileSync(PAGE, compliance.page);
    process.stdout.write(
      [...compliance.unproved.map((id) => `no test: ${id}`), ...compliance.unknown, ''].join('\n'),
    );
  });

  test('is what the lists and the names of the tests say', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(compliance.page);
  });

  test('given an id that a test names, a list has it', () => {
    expect(compliance.unknown).toEqual([]);
  });

  test('given a requirement that is met, a test names it', () => {
    expect(compliance.unproved).toEqual([]);
  });

  test('has every RFC of the lists', () => {
    const page = readFileSync(PAGE, 'utf8');
    for (const { number, title } of readRequirements())
      expect(page).toContain(`| [RFC ${number}](#rfc-${number}) | ${title} |`);
  });
});

describe('the page', () => {
  const [rfc] = parseList(
    '# RFC 1 One\n§2 | a\nMUST-3 §2.1 | b\n§4.1 | c | untested\n§5 | d | deviates: so',
    'x',
  );
  const named = (id: string, file = 'unit/a.test.ts') => ({ rfc: 1, id, file, title: `RFC 1 ${id}` });
  const made = (...ids: string[]) =>
    makeCompliance(
      rfc === undefined ? [] : [rfc],
      ids.map((id) => named(id)),
    );

  test('given a met requirement without a test, it is unproved and the page says so', () => {
    expect(made('§2').unproved).toEqual(['RFC 1 MUST-3']);
    expect(made('§2', 'MUST-3').unproved).toEqual([]);
    expect(made('§2').page).toContain('| MUST-3 §2.1 | b | **no test** |  |');
    expect(made('§2').page).toContain('| §2 | a | met | [unit/a](../test/unit/a.test.ts) |');
    expect(made().page).toContain('| §5 | d | deviates: so |  |');
  });

  test('given an id that is not listed, it is unknown unless it is a part or a chapter of what is', () => {
    expect(made('§9', 'MUST-1').unknown).toHaveLength(2);
    expect(made('§2.7.1', '§4', '').unknown).toEqual([]);
    expect(made('§2.7.1', 'MUST-3').unproved).toEqual([]);
    expect(made('§20', 'MUST-30').unknown).toHaveLength(2);
  });

  test('given a test of the RFC as a whole, it proves what the RFC is about', () => {
    const rfcs = parseList('# RFC 1 One\n- §2 | a\n§3 | b', 'x');
    expect(makeCompliance(rfcs, [named('')]).unproved).toEqual(['RFC 1 §3']);
    expect(makeCompliance(rfcs, [named('§2.1')]).unproved).toEqual(['RFC 1 §3']);
  });

  test('given an RFC that is not listed, its ids are nobody’s business', () => {
    expect(makeCompliance(rfc === undefined ? [] : [rfc], [{ ...named('§77'), rfc: 2 }]).unknown).toEqual([]);
  });
});

describe('the lists', () => {
  test.each([
    ['§1 | x', 'no RFC before it'],
    ['# RFC 1 One\n§1 x', 'no column'],
    ['# RFC 1 One\n§1 | x | fine', 'no such status'],
    ['# RFC 1 One\n§1 | x | deviates', 'no reason'],
    ['# RFC 1 One\n§1 | x | untested: because', 'a reason that is none'],
    ['# RFC 1 One\n§1 | x\n§1 | y', 'twice the same id'],
  ])('given %j, they are refused for %s', (text) => {
    expect(() => parseList(text, 'x.txt')).toThrow(/^x\.txt:\d/);
  });

  test('given all columns, each is read', () => {
    expect(parseList('# RFC 9 A b\n\nMUST-1 §A.2 | T, u. | not applicable: v\n- §3 | W.', 'x')).toEqual([
      {
        number: 9,
        title: 'A b',
        requirements: [
          {
            id: 'MUST-1',
            section: '§A.2',
            isWhole: false,
            text: 'T, u.',
            status: 'not applicable',
            reason: 'v',
          },
          { id: '§3', section: '§3', isWhole: true, text: 'W.', status: 'met', reason: '' },
        ],
      },
    ]);
  });
});

describe('ids of tests', () => {
  test.each([
    ['RFC 9293 §3.8.3 MUST-20 it gives up', ['9293 §3.8.3', '9293 MUST-20']],
    ['RFC 6298 §2.1, §5.5 and RFC 9293 §3.8.1: a SYN', ['6298 §2.1', '6298 §5.5', '9293 §3.8.1']],
    ['RFC 2018 and 6675 SACK', ['2018 ', '6675 ']],
    ['RFC 9293 §3.10.7.4 RFC 5961 §5.2(b) an ACK', ['9293 §3.10.7.4', '5961 §5.2']],
    ['RFC 6528 numbers MUST-14 and RFC 7323, 2018: options', ['6528 ', '9293 MUST-14', '7323 ', '2018 ']],
    ['RFC 4787 REQ-5, REQ-6 and RFC 5382 REQ-5', ['4787 REQ-5', '4787 REQ-6', '5382 REQ-5']],
    ['§3.1 and REQ-1 of nothing', []],
  ])('given %j, each belongs to its RFC', (title, ids) => {
    expect(idsIn(title).map(({ rfc, id }) => `${rfc} ${id}`)).toEqual(ids);
  });

  test('given tests in describes, tables and templates, each title is whole', () => {
    const source = `
      describe('a', () => {
        test('4.1 b', () => {});
        for (const x of y) test(\`c \${x} d\`, () => { expect(test).toBe('e'); });
        describe.each([1])('f', () => { test.each(['g'])('h %s', () => {}); });
      });
      function helper() { test('i', () => {}); }`;
    expect(testTitles(source)).toEqual(['a §4.1 b', 'a c … d', 'a f h %s', 'i']);
  });
});

describe('deviations of the source', () => {
  test('given comments of all kinds, the sentences of each are taken and no more', () => {
    const source = `
/**
 * A module.
 *
 * Deviation: first,
 * goes on.
 *
 * Not this.
 * Deviation: second.
 */
  /** Deviation: third. */
  code(); // Deviation: is no comment of its own
// Deviation: fourth
// goes on
code();`;
    expect(deviationsIn(source)).toEqual(['first, goes on.', 'second.', 'third.', 'fourth goes on']);
  });
});
