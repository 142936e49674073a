/**
 * docs/winsock-status.md as text: the lists joined with the tests that name their ids.
 */

import type { Chapter, Entry, Status } from './lists.ts';

/** What the page says, and what is wrong with the lists. */
export interface StatusPage {
  readonly page: string;
  /** To work by the list, and no test names it. */
  readonly unproved: readonly string[];
  /** Named by a test, and in no list. */
  readonly unknown: readonly string[];
}

export function makeStatus(
  chapters: readonly Chapter[],
  named: ReadonlyMap<string, ReadonlySet<string>>,
): StatusPage {
  const listed = new Set(chapters.flatMap(({ entries }) => entries.map(({ id }) => id)));
  const unproved = chapters.flatMap(({ entries }) =>
    entries.filter(({ id, status }) => needsTest(status) && !named.has(id)).map(({ id }) => id),
  );
  const unknown = [...named]
    .filter(([id]) => !listed.has(id) && !isGroup(id, listed))
    .map(([id, files]) => `${id}: ${[...files].join(', ')}`);
  const page = [
    ...INTRODUCTION,
    ...chapters.map((chapter) => summaryRow(chapter, named)),
    '',
    ...chapters.flatMap((chapter) => section(chapter, named)),
  ];
  return { page: `${page.join('\n').trimEnd()}\n`, unproved, unknown };
}

/** `SEM-BIND`, of rules that are numbered: names none of them. */
function isGroup(id: string, listed: ReadonlySet<string>): boolean {
  return [...listed].some((other) => other.startsWith(`${id}-`));
}

function summaryRow({ title, entries }: Chapter, named: ReadonlyMap<string, unknown>): string {
  const count = (status: string): string => {
    const all = entries.filter((entry) => statusOf(entry, named.has(entry.id)) === status).length;
    return all === 0 ? '' : String(all);
  };
  const anchor = title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
  return `| [${title}](#${anchor}) | ${STATUSES.map(count).join(' | ')} |`;
}

function section({ title, entries }: Chapter, named: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [
    `## ${title}`,
    '',
    '| id | about | status | tests |',
    '| --- | --- | --- | --- |',
    ...entries.map((entry) => {
      const files = named.get(entry.id);
      const status = statusOf(entry, files !== undefined);
      const said = status === 'works' || entry.reason === '' ? status : `${status}: ${entry.reason}`;
      return `| ${entry.id} | ${entry.text} | ${said} | ${files === undefined ? '' : links(files)} |`;
    }),
    '',
  ];
}

/** What comes later as a chapter may be there in part already. */
function statusOf({ status }: Entry, hasTest: boolean): string {
  if (status === 'later' && hasTest) return 'works';
  return needsTest(status) && !hasTest ? '**no test**' : status;
}

function needsTest(status: Status): boolean {
  return status === 'works' || status === 'stored';
}

/** The first few: a code that everybody expects need not name every test. */
const MOST_LINKS = 6;

function links(files: ReadonlySet<string>): string {
  const all = [...files];
  const shown = all.slice(0, MOST_LINKS).map((file) => `[${shortName(file)}](../test/${file})`);
  return all.length > MOST_LINKS
    ? `${shown.join(', ')} and ${all.length - MOST_LINKS} more`
    : shown.join(', ');
}

function shortName(file: string): string {
  return file.replace(/(?:\.test)?\.ts$/, '');
}

const STATUSES = ['works', 'stored', '**no test**', 'not supported', 'not planned', 'later'];

const INTRODUCTION = [
  '# Winsock, id by id',
  '',
  'Written by `scripts/winsock-status` from the lists in [`test/winsock-status`](../test/winsock-status) and the tests; a test keeps it true.',
  'Every function, rule, option, control code, structure and error code of Winsock 2.2 has an id. *works*: a test names it, and passes in',
  'the gate; a function counts as named by the conformance tests that call it, an error code by those that expect it. *stored*: it can be set and read back, and changes nothing. The profile is that of',
  'Windows 10 and 11, unless a test says `windows-mobile`.',
  '',
  `| | ${STATUSES.join(' | ').replaceAll('**', '')} |`,
  `| --- | ${STATUSES.map(() => '---:').join(' | ')} |`,
];
