/**
 * The requirement lists in this folder, read: one file a group of RFCs, one requirement a line.
 *
 *     # RFC 9293 Transmission Control Protocol (TCP)
 *     MUST-1 §3.1 | The window is an unsigned number.
 *     MUST-51 §3.9.2.1 | … | not applicable: source routes are dropped (RFC 7126)
 *
 * A requirement is known by its RFC's own label where there is one (RFC 9293; `REQ-1` of RFC 4787), else by its section; `-`
 * before the section stands for what the RFC is about, which tests that name nothing but its number prove too. The third
 * column is the status: nothing for `met`, which needs a test that names the id, or `untested`, `deviates: why`, `not applicable: why`.
 */

import { readdirSync, readFileSync } from 'node:fs';

export type Status = 'met' | 'untested' | 'deviates' | 'not applicable';

export interface Requirement {
  /** A label such as `MUST-1`, or a section such as `§4.2`; unique in its RFC. */
  readonly id: string;
  /** `§3.1`. */
  readonly section: string;
  /** What the RFC as a whole is about. */
  readonly isWhole: boolean;
  /** What is required, in our words. */
  readonly text: string;
  readonly status: Status;
  /** Why not met; empty when it is. */
  readonly reason: string;
}

export interface Rfc {
  readonly number: number;
  readonly title: string;
  readonly requirements: readonly Requirement[];
}

/** Section as RFCs print it: `§3.10.7.4`, `§A.2`. */
const SECTION = '§[A-Z0-9]+(?:\\.[0-9]+)*';
const LINE = new RegExp(
  `^(?:((?:MUST|SHLD|MAY|REC|REQ)-\\d+|-) )?(${SECTION}) \\| ([^|]+?)(?: \\| ([^|]+))?$`,
);
const STATUS = /^(untested|deviates|not applicable)(?:: (.+))?$/;

/** All RFCs of the lists, by number. */
export function readRequirements(folder = new URL('.', import.meta.url)): readonly Rfc[] {
  const lists = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  return lists
    .flatMap((name) => parseList(readFileSync(new URL(name, folder), 'utf8'), name))
    .sort((a, b) => a.number - b.number);
}

/** @throws {Error} that names the line which cannot be read */
export function parseList(text: string, file: string): Rfc[] {
  const rfcs: { number: number; title: string; requirements: Requirement[] }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const head = /^# RFC (\d+) (.+)$/.exec(line);
    if (head !== null) {
      rfcs.push({ number: Number(head[1]), title: head[2] as string, requirements: [] });
      continue;
    }
    const requirement = parseLine(line);
    const rfc = rfcs.at(-1);
    if (requirement === null || rfc === undefined)
      throw new Error(`${file}:${index + 1} is no requirement: ${line}`);
    if (rfc.requirements.some(({ id }) => id === requirement.id)) {
      throw new Error(`${file}:${index + 1} ${requirement.id} stands there twice`);
    }
    rfc.requirements.push(requirement);
  }
  return rfcs;
}

function parseLine(line: string): Requirement | null {
  const [, label, section = '', text = '', last] = LINE.exec(line) ?? [];
  if (section === '') return null;
  const isWhole = label === '-';
  const named = { id: isWhole ? section : (label ?? section), section, isWhole, text };
  if (last === undefined) return { ...named, status: 'met', reason: '' };
  const [, status, reason = ''] = STATUS.exec(last) ?? [];
  // Only `untested` explains itself.
  if (status === undefined || (reason === '') !== (status === 'untested')) return null;
  return { ...named, status: status as Status, reason };
}
