/**
 * Every Winsock call has a page: what it answers, its errors, its source, and an example. The examples are run here as they stand.
 */

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { Windows, type Winsock } from '../../../src/winsock/index.ts';
import {
  compiled,
  type DocumentedCall,
  documentedCalls,
  type PreparedExample,
  prepare,
  typeErrors,
} from './examples.ts';

let current: Winsock | null = null;
const processWindows = new Windows();
// The process's Winsock is one, and lives in real time: here it is that of the example's own hosts.
jest.unstable_mockModule('../../../src/app/process-winsock.ts', () => ({
  processWindows,
  attachTo() {},
  attachedTo: () => null,
  chosenAttachment: () => ({}),
  attachedWinsock: () => current,
  processWinsock: async () => current,
  setBackground() {},
}));
const api = (await import('../../../src/app/async.ts')) as Record<string, unknown>;
const { openExampleHosts } = await import('./example-hosts.ts');

const FOLDER = 'src/app/async';
/** Where calls are that need no attachment and are the same in both faces. */
const SHARED = ['src/winsock/byte-order.ts', 'src/app/address-text.ts'];
const SCOPE = ['peer', 's', 't', 'listener', 'u', 'v', 'at'];

const calls: DocumentedCall[] = [...readdirSync(FOLDER).map((file) => `${FOLDER}/${file}`), ...SHARED]
  .flatMap(documentedCalls)
  .filter(({ name }) => typeof api[name] === 'function');

interface Example {
  readonly call: DocumentedCall;
  readonly title: string;
  readonly prepared: PreparedExample;
}

const examples: Example[] = calls.flatMap((call) =>
  call.examples.map((code, i) => ({
    call,
    title: i === 0 ? call.name : `${call.name}, example ${i + 1}`,
    prepared: prepare(code),
  })),
);

describe('the comments of the Winsock calls', () => {
  test('there are such calls', () => {
    expect(calls.length).toBeGreaterThan(0);
  });

  test.each(calls)('$name tells errors and source, and has an example that calls it', (call) => {
    expect(call.comment).toMatch(/^ \* Errors: \S/m);
    expect(call.comment).toMatch(/^ \* Source: \S/m);
    const own = examples.filter((example) => example.call === call);
    expect(own.some(({ prepared }) => prepared.calls.has(call.name))).toBe(true);
    for (const { prepared } of own) expect(prepared.checks).toBeGreaterThan(0);
  });
});

describe('the examples of the Winsock calls', () => {
  test('compile', () => {
    const errors = typeErrors(resolve('test/unit/docs/all-examples.ts'), asModule(examples));
    expect(errors).toEqual([]);
  }, 120_000);

  test.each(examples)('$title', async ({ prepared }) => {
    const hosts = await openExampleHosts(processWindows);
    current = hosts.winsock;
    let checked = 0;
    const check = (actual: unknown, expected: unknown): void => {
      checked++;
      expect(actual).toEqual(expected);
    };
    const scope: Record<string, unknown> = { ...api, ...hosts.scope, check };
    try {
      const names = Object.keys(scope);
      const run = new Function(...names, `${compiled(prepared.body)}\nreturn example();`);
      await run(...names.map((name) => scope[name]));
    } finally {
      current = null;
      hosts.close();
    }
    expect(checked).toBeGreaterThanOrEqual(prepared.checks);
  });
});

/** All examples as one module, for the compiler. */
function asModule(all: readonly Example[]): string {
  const values = new Set(all.flatMap(({ prepared }) => [...prepared.names]));
  const types = new Set(all.flatMap(({ prepared }) => [...prepared.types]));
  const imported = [
    ...[...values].filter((name) => Object.hasOwn(api, name)),
    ...[...types].filter((name) => !Object.hasOwn(globalThis, name)).map((name) => `type ${name}`),
  ];
  const functions = all.map(
    ({ prepared }, i) => `export async function example${i}() {\n${prepared.body}\n}`,
  );
  return `import { ${imported.join(', ')} } from '../../../src/app/async.ts';
import type { ExampleScope } from './example-hosts.ts';
declare function check(actual: unknown, expected: unknown): void;
declare const scope: ExampleScope;
export const { ${SCOPE.join(', ')} } = scope;
${functions.join('\n')}
`;
}
