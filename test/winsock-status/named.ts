/**
 * Which ids of Winsock's surface the tests name: in the titles of tests and in the rows of their tables, that is in any string of
 * a test's source; comments don't count. A function is named by a conformance test that calls it too, an error code by one that
 * expects it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const TEST_ROOT = new URL('../', import.meta.url);
/** Whose calls and constants count. */
const CONFORMANCE = /^conformance\//;
const SOURCES = /^(?:conformance\/.*|.*\.test)\.ts$/;
const ID =
  /\b(?:API|SEM|OPT|IOC|STR|ERR|SPI|CAT|CFG|NSP2?|RAW|IRDA|SSL|WM)-[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*/g;

/** The test files by the id that they name. */
export function readNamed(known: ReadonlySet<string>, root = TEST_ROOT): Map<string, Set<string>> {
  const named = new Map<string, Set<string>>();
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  for (const path of paths.sort()) {
    // The page's own test has ids that are none.
    if (!SOURCES.test(path) || path.startsWith('unit/docs/')) continue;
    for (const id of idsIn(readFileSync(new URL(path, root), 'utf8'), CONFORMANCE.test(path), known)) {
      named.set(id, (named.get(id) ?? new Set()).add(path));
    }
  }
  return named;
}

/** The ids that one source names. @param isConformance calls and constants count too */
export function idsIn(source: string, isConformance: boolean, known: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      for (const [id] of node.text.matchAll(ID)) found.add(id);
    } else if (isConformance && ts.isIdentifier(node) && !ts.isImportSpecifier(node.parent)) {
      for (const id of [`ERR-${node.text}`, `API-${node.text}`]) {
        if (known.has(id) && (id.startsWith('ERR') || isCalled(node))) found.add(id);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.ES2022, true));
  return found;
}

/** `ws.accept(…)` or `accept(…)`. */
function isCalled(name: ts.Identifier): boolean {
  const { parent } = name;
  const callee = ts.isPropertyAccessExpression(parent) && parent.name === name ? parent : name;
  return ts.isCallExpression(callee.parent) && callee.parent.expression === callee;
}
