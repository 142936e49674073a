/** docs/ipc.md is what a foreign client is written from: its example and its tables are held against the code here. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { fromHex } from '../../../src/base/index.ts';
import {
  CatalogOp,
  DEFAULT_LIMITS,
  GoodbyeReason,
  MessageType,
  NameOp,
  WatchOp,
  writeWelcome,
} from '../../../src/ipc/index.ts';
import { AfdOp } from '../../../src/port/index.ts';
import { eventually, Harness, message } from './harness.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/ipc.md', import.meta.url), 'utf8');
const run = promisify(execFile);

let harness: Harness;

/** Rows of the tables whose first cell matches `first`. */
function rows(first: RegExp): string[][] {
  const cells = DOCUMENT.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return cells.map((row) => row.slice(1, -1)).filter((row) => first.test(row[0] ?? ''));
}

/** What one side says in the example, in order. */
function example(side: 'client' | 'server'): Uint8Array[] {
  const block = /```\n(client[\s\S]*?)```/.exec(DOCUMENT)?.[1] ?? '';
  const turnsTaken = block.split(/^(?=client|server)/m).filter((turn) => turn.startsWith(side));
  return turnsTaken.map((turn) =>
    fromHex(
      turn
        .split('\n')
        .map((line) => line.slice(8, 66))
        .join(' '),
    ),
  );
}

describe('docs/ipc.md', () => {
  afterEach(() => harness?.close());

  test('names every message type with its number', () => {
    const listed = Object.fromEntries(
      rows(/^0x[0-9a-f]{2}$/).map(([number, name]) => [name, Number(number)]),
    );
    const spoken = Object.fromEntries(
      Object.entries(MessageType).map(([name, number]) => [name.toUpperCase(), number]),
    );
    expect(listed).toEqual(spoken);
  });

  test('names every operation with its number', () => {
    const isOp = (row: string[]): boolean => row.length === 4 && /^(?![iu]\d+$)[a-z]\w+$/i.test(row[1] ?? '');
    const listed = Object.fromEntries(
      rows(/^\d+$/)
        .filter(isOp)
        .map(([number, name]) => [name, Number(number)]),
    );
    delete listed['length'];
    expect(listed).toEqual({ ...AfdOp, ...NameOp, ...CatalogOp, ...WatchOp });
  });

  test('names every reason', () => {
    const listed = rows(/^\d+$/)
      .filter((row) => row.length === 2)
      .map((row) => Number(row[0]));
    expect(listed).toEqual(Object.values(GoodbyeReason));
  });

  test("the example's client gets the example's answers", async () => {
    harness = await Harness.start();
    const raw = await harness.raw();
    const [hello, request, goodbye] = example('client') as [Uint8Array, Uint8Array, Uint8Array];
    const [welcome, completion] = example('server') as [Uint8Array, Uint8Array];
    raw.write(hello);
    await raw.until(1);
    const head = new Uint8Array(40);
    writeWelcome(head, {
      magic: 0x444b5357,
      version: 1,
      capabilities: 0,
      serverPid: 1234,
      profile: 0,
      limits: DEFAULT_LIMITS,
    });
    expect(welcome).toEqual(message(MessageType.welcome, 0, head));
    const heard = raw.messages[0];
    expect(heard?.head.length).toBe(40);
    expect(harness.server.sessions[0]?.name).toBe('demo.');
    raw.write(request);
    const [, answer] = await raw.until(2);
    expect(message(answer?.type ?? 0, answer?.id, answer?.head, answer?.bulk)).toEqual(completion);
    raw.write(goodbye);
    expect(await raw.goodbye()).toEqual({ reason: 0, text: '' });
  });

  test.each([13, 3_000_000])('a Python client written from it sends and receives %i bytes', async (count) => {
    harness = await Harness.start();
    const script = new URL('./client.py', import.meta.url).pathname;
    const { stdout } = await run('python3', [script, harness.path, String(count)]);
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({ version: 1, pid: process.pid, descriptor: 1, taken: count, equal: true });
    expect(seen).toMatchObject({ peer: '02000007c00002010000000000000000', bad: 10038, closed: 0 });
    if (count > DEFAULT_LIMITS.window) expect(seen.credits).toBeGreaterThan(0);
    await eventually(() => harness.server.sessions.length === 0);
  });
});
