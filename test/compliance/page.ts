/**
 * docs/compliance.md as text: the requirement lists joined with the tests that name them, and the deviations that the
 * source tells of itself.
 */

import { readdirSync, readFileSync } from 'node:fs';
import type { Requirement, Rfc, Status } from './requirements.ts';
import type { NamedId } from './test-ids.ts';

const SOURCE_ROOT = new URL('../../src/', import.meta.url);

/** What the page says, and what is wrong with the lists. */
export interface Compliance {
  readonly page: string;
  /** `met` in the list, and no test names it. */
  readonly unproved: readonly string[];
  /** Named by a test, of an RFC that is listed, and not in its list. */
  readonly unknown: readonly string[];
}

export function makeCompliance(rfcs: readonly Rfc[], tests: readonly NamedId[]): Compliance {
  const unproved: string[] = [];
  const unknown: string[] = [];
  const chapters = rfcs.map((rfc) => {
    const mine = tests.filter((test) => test.rfc === rfc.number);
    const filesOf = assign(rfc, mine, unknown);
    const isProved = ({ id, status }: Requirement): boolean => status !== 'met' || filesOf.has(id);
    unproved.push(...rfc.requirements.filter((r) => !isProved(r)).map(({ id }) => `RFC ${rfc.number} ${id}`));
    return { rfc, filesOf };
  });
  const page = [
    ...INTRODUCTION,
    ...chapters.map(({ rfc, filesOf }) => summaryRow(rfc, filesOf)),
    '',
    ...chapters.flatMap(({ rfc, filesOf }) => chapter(rfc, filesOf)),
    '## Deviations in the source',
    '',
    'Where the code does something else than an RFC says on purpose, a comment there starts with `Deviation:`.',
    '',
    ...sourceDeviations(),
  ];
  return { page: `${page.join('\n')}\n`, unproved, unknown: [...new Set(unknown)].sort() };
}

/** The test files by the requirement that they prove: the id itself, or the nearest listed section around it. */
function assign(rfc: Rfc, tests: readonly NamedId[], unknown: string[]): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>();
  const ids = new Set(rfc.requirements.map(({ id }) => id));
  for (const { id, file, title } of tests) {
    const known = id === '' ? (rfc.requirements.find(({ isWhole }) => isWhole)?.id ?? '') : nearest(id, ids);
    if (known === null) {
      // A section of labelled requirements, or one that only has listed parts, proves none by itself.
      if (!rfc.requirements.some(({ section }) => `${section}.`.startsWith(`${id}.`))) {
        unknown.push(`RFC ${rfc.number} ${id}: ${file}: ${title}`);
      }
      continue;
    }
    const mine = files.get(known) ?? new Set();
    files.set(known, mine.add(file));
  }
  return files;
}

function nearest(id: string, ids: ReadonlySet<string>): string | null {
  for (let at = id; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), 0))) if (ids.has(at)) return at;
  return null;
}

function summaryRow({ number, title, requirements }: Rfc, filesOf: ReadonlyMap<string, unknown>): string {
  const count = (status: Status): number =>
    requirements.filter((r) => statusOf(r, filesOf.has(r.id)) === status).length;
  const counts = STATUSES.map(count).map((n) => (n === 0 ? '' : String(n)));
  return `| [RFC ${number}](#rfc-${number}) | ${title} | ${counts.join(' | ')} |`;
}

function chapter(rfc: Rfc, filesOf: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const whole = filesOf.get('');
  return [
    `## RFC ${rfc.number}`,
    '',
    `${rfc.title} · [text](https://www.rfc-editor.org/rfc/rfc${rfc.number})`,
    ...(whole === undefined ? [] : ['', `Tests of it as a whole: ${links(whole)}`]),
    '',
    '| id | requirement | status | tests |',
    '| --- | --- | --- | --- |',
    ...rfc.requirements.map((requirement) => {
      const { id, section, text, reason } = requirement;
      const name = id === section ? id : `${id} ${section}`;
      const files = filesOf.get(id);
      const found = statusOf(requirement, files !== undefined);
      const said = reason === '' ? found : `${found}: ${reason}`;
      return `| ${name} | ${text} | ${said} | ${files === undefined ? '' : links(files)} |`;
    }),
    '',
  ];
}

/** What the page says: a list that says `untested` does not know of a newer test. */
function statusOf({ status }: Requirement, hasTest: boolean): string {
  if (status === 'untested' && hasTest) return 'met';
  return status === 'met' && !hasTest ? '**no test**' : status;
}

function links(files: ReadonlySet<string>): string {
  return [...files].map((file) => `[${shortName(file)}](../test/${file})`).join(', ');
}

/** `unit/tcp/open`, `fast-retransmit.pkt`. */
function shortName(file: string): string {
  return file.replace(/\.test\.ts$/, '').replace(/^packet\/scripts\//, '');
}

function sourceDeviations(): string[] {
  const paths = readdirSync(SOURCE_ROOT, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  return paths.sort().flatMap((path) => {
    if (!path.endsWith('.ts')) return [];
    const text = readFileSync(new URL(path, SOURCE_ROOT), 'utf8');
    return deviationsIn(text).map((deviation) => `- [${path}](../src/${path}): ${deviation}`);
  });
}

/** The sentences behind each `Deviation:` of a source, up to the end of its comment or paragraph. */
export function deviationsIn(source: string): string[] {
  const found: string[] = [];
  let current: string[] | null = null;
  const close = (): void => {
    if (current !== null) found.push(current.join(' '));
    current = null;
  };
  for (const line of source.split('\n')) {
    const comment = /^\s*(?:\/\*\*?|\*(?!\/)|\/\/)\s?(.*)$/.exec(line)?.[1];
    const text = comment?.replace(/\s*\*\/\s*$/, '').trim() ?? '';
    const start = text.indexOf('Deviation: ');
    if (start >= 0) {
      close();
      current = [text.slice(start + 'Deviation: '.length)];
    } else if (text === '' || text.startsWith('@')) close();
    else if (current !== null) (current as string[]).push(text);
    if (line.includes('*/')) close();
  }
  close();
  return found;
}

const STATUSES: readonly Status[] = ['met', 'untested', 'deviates', 'not applicable'];

const INTRODUCTION = [
  '# Compliance',
  '',
  'What each RFC requires, what this stack does about it, and the tests that prove it. The page is written by',
  '`scripts/compliance` from the lists in [`test/compliance`](../test/compliance) and from the names of the tests: a test that',
  'proves a requirement starts with its id (`RFC 9293 MUST-23 …`, `RFC 8985 §7.2 …`). Change a list or a test, then run it.',
  '',
  '- *met*: required, done, and a test names it',
  '- *untested*: done, and no test names it yet',
  '- *deviates*: something else is done, for the reason given',
  '- *not applicable*: about something that a host of this kind does not have',
  '',
  '| RFC | | met | untested | deviates | n/a |',
  '| --- | --- | ---: | ---: | ---: | ---: |',
];
