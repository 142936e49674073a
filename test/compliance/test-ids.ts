/**
 * Which requirements the tests name: the titles of all tests, read from their sources, and the RFC ids in them.
 *
 * `RFC 9293 §3.8.3 MUST-20 …` names a section and a label; `RFC 2018 and 6675 …` names two RFCs. A section belongs
 * to the RFC before it, and so does a label `REQ-1`, which several RFCs have; other labels are RFC 9293's. A test inherits the
 * ids of the `describe`s around it. A packet script's title is its first comment.
 */

import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** A test and one of the ids in its title. */
export interface NamedId {
  readonly rfc: number;
  /** `MUST-1`, `§4.2`, or empty: the RFC as a whole. */
  readonly id: string;
  /** From `test/`: `unit/tcp/open.test.ts`. */
  readonly file: string;
  readonly title: string;
}

/** The RFC whose labels nobody else has, so that they are its own wherever they stand. */
const LABELLED = 9293;
const TEST_ROOT = new URL('../', import.meta.url);

/** The ids that all tests and packet scripts name. */
export function readTestIds(root = TEST_ROOT): NamedId[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  return files.sort().flatMap((file) => {
    if (!/\.test\.ts$|\.pkt$/.test(file)) return [];
    const text = readFileSync(new URL(file, root), 'utf8');
    const titles = file.endsWith('.pkt') ? scriptTitle(text) : testTitles(text);
    return titles.flatMap((title) => idsIn(title).map((named) => ({ ...named, file, title })));
  });
}

/** The ids in one title. An RFC with sections or labels behind it is not also named as a whole. */
export function idsIn(title: string): { rfc: number; id: string }[] {
  const found: { rfc: number; id: string }[] = [];
  let rfc = 0;
  for (const [token] of title.matchAll(
    /virtio|RFC \d+|(?<=RFC \d+(?: and |, ))\d{3,4}\b|§[A-Z0-9]+(?:\.[0-9]+)*|\b(?:MUST|SHLD|MAY|REC|REQ)-\d+/g,
  )) {
    const number = /^(?:RFC )?(\d+)$/.exec(token)?.[1];
    // Sections of another standard.
    if (token === 'virtio') rfc = 0;
    else if (number !== undefined) {
      rfc = Number(number);
      found.push({ rfc, id: '' });
    } else if (!/^(?:§|REQ-)/.test(token)) found.push({ rfc: LABELLED, id: token });
    else if (rfc !== 0) {
      if (found.at(-1)?.id === '') found.pop();
      found.push({ rfc, id: token });
    }
  }
  return found;
}

/** Titles of the tests in a source, each with those of the `describe`s around it; `…` stands for what is filled in. */
export function testTitles(source: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node, prefix: string): void => {
    const call = titledCall(node);
    if (call === null) {
      ts.forEachChild(node, (child) => visit(child, prefix));
      return;
    }
    // A title that starts with numbers means a section.
    const own = call.title.replace(/^(?=\d+(?:\.\d+)+ )/, '§');
    const title = prefix === '' ? own : `${prefix} ${own}`;
    if (call.isTest) titles.push(title);
    else for (const argument of call.rest) visit(argument, title);
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.ES2022), '');
  return titles;
}

function scriptTitle(text: string): string[] {
  const title = /^\/\/ (.+)$/m.exec(text)?.[1];
  return title === undefined ? [] : [title];
}

interface TitledCall {
  readonly title: string;
  readonly isTest: boolean;
  readonly rest: readonly ts.Expression[];
}

/** `test('…', …)`, `describe('…', …)` and their `.each(…)` forms. */
function titledCall(node: ts.Node): TitledCall | null {
  if (!ts.isCallExpression(node)) return null;
  const [first, ...rest] = node.arguments;
  const name = calledName(node.expression);
  if (first === undefined || rest.length === 0 || !/^(test|it|describe)/.test(name)) return null;
  const title = textOf(first);
  return title === null ? null : { title, isTest: !name.startsWith('describe'), rest };
}

/** The name at the root of `test`, `test.skip`, `test.each(table)`, `` describe.each`…` ``. */
function calledName(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression))
    return calledName(expression.expression);
  return ts.isTaggedTemplateExpression(expression) ? calledName(expression.tag) : '';
}

function textOf(node: ts.Expression): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}
