/**
 * The examples in the comments of the Winsock calls: found in the sources, and made into functions.
 *
 * A comment behind a statement, `// → value`, says what the statement's value is, or that of the constant that it declares.
 */

import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** An exported call with its comment. */
export interface DocumentedCall {
  readonly name: string;
  readonly file: string;
  readonly comment: string;
  /** The code of its `@example`s. */
  readonly examples: readonly string[];
}

/** An example as a function's body: what it says of values is a call of `check`. */
export interface PreparedExample {
  readonly body: string;
  /** How many values it tells. */
  readonly checks: number;
  /** What it calls by a plain name. */
  readonly calls: ReadonlySet<string>;
  /** All its identifiers, and those of types. */
  readonly names: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

/** The exported functions of a file, constants that are functions included. */
export function documentedCalls(file: string): DocumentedCall[] {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const calls: DocumentedCall[] = [];
  for (const statement of source.statements) {
    const name = exportedName(statement);
    if (name === null) continue;
    const [comment = ''] = ts
      .getJSDocCommentsAndTags(statement)
      .map((node) => (ts.isJSDoc(node) ? node.getText(source) : ''));
    const examples = ts
      .getJSDocTags(statement.kind === ts.SyntaxKind.VariableStatement ? declared(statement) : statement)
      .filter(({ tagName }) => tagName.text === 'example')
      .map((tag) => fenced(ts.getTextOfJSDocComment(tag.comment) ?? ''));
    calls.push({ name, file, comment, examples });
  }
  return calls;
}

function declared(statement: ts.Statement): ts.Node {
  return ts.isVariableStatement(statement)
    ? (statement.declarationList.declarations[0] ?? statement)
    : statement;
}

function exportedName(statement: ts.Statement): string | null {
  const isExported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return null;
  if (ts.isFunctionDeclaration(statement)) return statement.name?.text ?? null;
  const node = declared(statement);
  return ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) ? node.name.text : null;
}

/** The code between the fences; '' when there are none. */
function fenced(text: string): string {
  return /^```ts\n([\s\S]*)\n```$/.exec(text.trim())?.[1] ?? '';
}

/** Makes what an example says of its values executable. */
export function prepare(code: string): PreparedExample {
  const edits: Edit[] = [];
  visit(code, (node) => {
    if (!ts.isExpressionStatement(node) && !ts.isVariableStatement(node)) return;
    const told = valueBehind(code, node.end);
    if (told !== null) edits.push(...checkOf(node, told));
  });
  let body = code;
  for (const { at, text } of edits.sort((a, b) => b.at - a.at)) {
    body = body.slice(0, at) + text + body.slice(at);
  }
  const calls = new Set<string>();
  const names = new Set<string>();
  const types = new Set<string>();
  let checks = 0;
  visit(body, (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      calls.add(node.expression.text);
      if (node.expression.text === 'check') checks++;
    }
    if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) types.add(node.typeName.text);
    else if (ts.isIdentifier(node)) names.add(node.text);
  });
  return { body, checks, calls, names, types };
}

function visit(code: string, each: (node: ts.Node) => void): void {
  const go = (node: ts.Node): void => {
    each(node);
    node.forEachChild(go);
  };
  go(ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true));
}

/** Text to be put into code. */
interface Edit {
  readonly at: number;
  readonly text: string;
}

/** What `// →` behind a statement says. */
function valueBehind(code: string, end: number): string | null {
  for (const { pos, end: stop } of ts.getTrailingCommentRanges(code, end) ?? []) {
    const told = /^\/\/ → (.+)$/.exec(code.slice(pos, stop));
    if (told?.[1] !== undefined) return told[1];
  }
  return null;
}

function checkOf(node: ts.ExpressionStatement | ts.VariableStatement, value: string): Edit[] {
  if (ts.isVariableStatement(node)) {
    const name = node.declarationList.declarations[0]?.name.getText() ?? '';
    return [{ at: node.end, text: ` check(${name}, ${value});` }];
  }
  return [
    { at: node.expression.getStart(), text: 'check(' },
    { at: node.expression.end, text: `, ${value})` },
  ];
}

/** The body as JavaScript. */
export function compiled(body: string): string {
  return ts.transpileModule(`async function example() {\n${body}\n}`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}

/**
 * Checks the types of a source that exists in memory only.
 * @param file where it would be
 * @returns the errors
 */
export function typeErrors(file: string, text: string): string[] {
  const config = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, process.cwd());
  const checked = { ...options, noEmit: true, noUnusedLocals: false, incremental: false };
  const host = ts.createCompilerHost(checked, true);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? text : readFile(name));
  host.getSourceFile = (name, version, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, version, true)
      : getSourceFile.call(host, name, version, ...rest);
  const program = ts.createProgram([file], checked, host);
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText, start = 0 }) => {
      const line = text.slice(0, start).split('\n').length - 1;
      return `${text.split('\n')[line]}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    },
  );
}
