/** Watching processes in the control API: who may, who is told what, and a reader that does not read. */

import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { addWatches } from '../../../src/daemon/watch-control.ts';
import { Watches } from '../../../src/daemon/watches.ts';
import { writeCalls, writeFigures } from '../../../src/ipc/index.ts';
import type { CallRecord, ChainFigures, WatchSession } from '../../../src/port/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import { eventually } from '../ipc/harness.ts';

const USER = 1000;
const PID = 4711;
const CALL: CallRecord = {
  time: 1,
  n: 1,
  event: 'call',
  depth: 0,
  layer: 'base',
  chain: 'TCP',
  call: 'WSPSend',
  s: 264,
  args: { lpBuffers: 'x'.repeat(200) },
  result: 5,
  us: 3,
};
const ROW: ChainFigures = {
  s: 264,
  protocol: 'TCP',
  depth: 0,
  layer: 'base',
  calls: 1,
  errors: 0,
  bytesSent: 5,
  bytesReceived: 0,
  us: 3,
  busyUs: 3,
};

let folder: string;
let time: VirtualTime;
let watches: Watches;
let app: FastifyInstance;
let asker: number;
let wanted: number[];
let session: WatchSession;
const asked = new Set<ClientRequest>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wsk-watches-'));
  time = new VirtualTime();
  watches = new Watches(time);
  app = Fastify({ forceCloseConnections: true });
  asker = USER;
  addWatches(app, { watches, scheduler: time }, () => ({ uid: asker }));
  await app.listen({ path: join(folder, 'control') });
  wanted = [];
  session = open(PID, USER);
});

afterEach(async () => {
  for (const one of asked) one.destroy();
  asked.clear();
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(pid: number, uid: number): WatchSession {
  const identity = { pid, uid, gid: uid };
  return watches.open({ identity, name: 'test', want: (what) => void wanted.push(what) });
}

function get(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const one = request({ socketPath: join(folder, 'control'), path }, resolve).on('error', reject);
    asked.add(one);
    one.end();
  });
}

async function status(path: string): Promise<number | undefined> {
  const response = await get(path);
  response.destroy();
  return response.statusCode;
}

/** A report of `count` calls. */
function reportOf(count: number): Uint8Array {
  let left = count;
  return writeCalls(0, () => (left-- > 0 ? CALL : null));
}

describe('who may watch a process', () => {
  test.each([
    ['its own user', USER, 200],
    ['root', 0, 200],
    ['another user', 1001, 403],
  ])('%s', async (_who, uid, expected) => {
    asker = uid;
    expect(await status(`/v1/processes/${PID}/calls?seconds=1`)).toBe(expected);
  });

  test('one that is connected as two users is for root', async () => {
    open(PID, 1001);
    expect(await status(`/v1/processes/${PID}/calls`)).toBe(403);
    asker = 0;
    expect(await status(`/v1/processes/${PID}/calls`)).toBe(200);
  });

  test.each([
    ['/v1/processes/9/calls', 404],
    ['/v1/processes/9/chain', 404],
    ['/v1/processes/x/calls', 400],
    [`/v1/processes/${PID}/calls?seconds=-1`, 400],
  ])('%s is %i', async (path, expected) => {
    expect(await status(path)).toBe(expected);
  });
});

test('a process is asked while somebody reads, and no longer', async () => {
  const response = await get(`/v1/processes/${PID}/calls`);
  await eventually(() => wanted.length === 1);
  expect(await session.report(reportOf(2))).toBe(0);
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await eventually(() => text.split('\n').length === 4);
  expect(
    text
      .split('\n')
      .slice(0, 3)
      .map((line) => JSON.parse(line)),
  ).toEqual([{ watching: PID }, { ...CALL, client: 1 }, { ...CALL, client: 1 }]);
  response.destroy();
  await eventually(() => wanted.length === 2);
  expect(wanted).toEqual([1, 0]);
  expect(await session.report(reportOf(1))).toBe(0);
});

test('a reader that does not read holds the process back, and is let go after 10 s', async () => {
  (await get(`/v1/processes/${PID}/calls`)).pause();
  await eventually(() => wanted.length === 1);
  let taken = 0;
  let report = session.report(reportOf(150));
  // A reader that is waited for has a timer.
  while (time.pending === 0) {
    report = report.then((code) => {
      taken++;
      return code;
    });
    const before = taken;
    await eventually(() => taken > before || time.pending > 0);
    if (taken > before) report = session.report(reportOf(150));
  }
  expect(taken).toBeLessThan(500);
  time.step(time.now() + 9000);
  expect(wanted).toEqual([1]);
  expect(time.step(time.now() + 10_000)).toBe(true);
  expect(await report).toBe(0);
  await eventually(() => wanted.length === 2);
  expect(wanted).toEqual([1, 0]);
});

test('figures are the last that each client tells; one that says nothing is waited for a second', async () => {
  const silent = open(PID, USER);
  const asking = get(`/v1/processes/${PID}/chain?seconds=2`);
  await eventually(() => wanted.length === 2);
  await session.report(writeFigures([{ ...ROW, calls: 7 }], false));
  await silent.report(writeFigures([{ ...ROW, calls: 1 }], false));
  time.step();
  await eventually(() => wanted.length === 4);
  await session.report(writeFigures([{ ...ROW, calls: 9 }], true));
  expect(time.step()).toBe(true);
  expect(time.now()).toBe(3000);
  const response = await asking;
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  expect(JSON.parse(text)).toEqual({
    pid: PID,
    seconds: 2,
    omitted: 0,
    rows: [
      { ...ROW, calls: 9, client: 1 },
      { ...ROW, calls: 1, client: 2 },
    ],
  });
  expect(wanted).toEqual([2, 2, 0, 0]);
});
