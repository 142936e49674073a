/**
 * The layers record and replay: what is written of a connection, and that it plays again without a network.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SD_SEND, WSAECONNREFUSED, WSAECONNRESET } from '../../../src/abi/index.ts';
import { parseRecording, RECORDER_LIMITS, type Recording, record } from '../../../src/layers/record/index.ts';
import { type ReplayOptions, readRecordings, replay } from '../../../src/layers/replay/index.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../../support/layered-hosts.ts';
import { ADDRESS_A, ADDRESS_B } from '../attachment.ts';
import { bound, listening, name, nameIn, ok, receiveText, tcp, text } from '../support.ts';

let hosts: LayeredHosts;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(async () => {
  await hosts.close();
  rmSync(folder, { recursive: true });
});

function recording(more: Partial<Parameters<typeof record>[0]> = {}): void {
  hosts = layeredHosts([{ startup: record({ folder, ...more }), isIfs: false }]);
}

function replaying(recordings: readonly Recording[], more: ReplayOptions = {}): void {
  hosts = layeredHosts([{ startup: replay({ recordings, ...more }), isIfs: true }]);
}

/** All that went one way. */
function bytesOf({ events }: Recording, way: 'in' | 'out'): Buffer {
  return Buffer.concat(events.flatMap((event) => (event.way === way && event.bytes ? [event.bytes] : [])));
}

/** A recording of a client, written by hand. */
function script(lines: readonly object[], remote = '10.0.0.2:80', role = 'client'): Recording {
  const header = { format: 'winsockd-recording', version: 1, role, local: '10.0.0.1:80', remote };
  return parseRecording(`${[header, ...lines].map((line) => JSON.stringify(line)).join('\n')}\n`);
}

describe('record', () => {
  test.each(ECHO_CLIENTS)(
    'an echo exchange with %s is as ever, and written both ways to the byte',
    async (_model, client) => {
      recording();
      const bytes = pattern(20_000);
      expect(await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
      expect(hosts.faults).toEqual([]);
      const [file = ''] = readdirSync(folder);
      expect(file).toMatch(/^\d+-0001-client-10\.0\.0\.2-\d+\.wsrec$/);
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      const [written] = readRecordings(folder);
      expect(written).toMatchObject({ role: 'client', isCut: false });
      expect(written?.remote).toMatch(/^10\.0\.0\.2:\d+$/);
      for (const way of ['in', 'out'] as const) {
        expect(bytesOf(written as Recording, way)).toEqual(Buffer.from(bytes));
        expect(written?.events.filter((event) => event.way === way && event.isEnd)).toHaveLength(1);
      }
    },
  );

  test('an accepted connection is written from the server’s side, text as text', async () => {
    recording();
    const { s: listener, port } = await listening(hosts.a);
    const client = await tcp(hosts.b);
    const accepting = hosts.a.accept(listener);
    await ok(hosts.b.connect(client, name(ADDRESS_A, port)));
    const server = await ok(accepting);
    await ok(hosts.b.send(client, text('question\n')));
    expect(await receiveText(hosts.a, server)).toBe('question\n');
    await ok(hosts.a.send(server, Uint8Array.of(0xff, 0)));
    await ok(hosts.b.recv(client, new Uint8Array(9)));
    await ok(hosts.a.closesocket(server));
    const lines = readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8').split('\n');
    expect(JSON.parse(lines[0] ?? '').role).toBe('server');
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ way: 'in', text: 'question\n' });
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ way: 'out', base64: '/wA=' });
  });

  test('only connections with a wanted port, and no more bytes and files than the limits say', async () => {
    recording({ ports: [7], limits: { ...RECORDER_LIMITS, fileBytes: 600, files: 1 } });
    const { s: listener } = await bound(hosts.b, tcp, ADDRESS_B, 7);
    await ok(hosts.b.listen(listener, 5));
    for (let round = 1; round <= 2; round++) {
      const s = await tcp(hosts.a);
      await ok(hosts.a.connect(s, name(ADDRESS_B, 7)));
      const peer = await ok(hosts.b.accept(listener));
      await ok(hosts.a.send(s, pattern(1000)));
      await ok(hosts.b.recv(peer, new Uint8Array(2000)));
      expect(readdirSync(folder)).toHaveLength(1);
    }
    const other = await listening(hosts.b);
    const s = await tcp(hosts.a);
    await ok(hosts.a.connect(s, name(ADDRESS_B, other.port)));
    expect(readdirSync(folder)).toHaveLength(1);
    const [written] = readRecordings(folder);
    expect(written?.isCut).toBe(true);
    expect(statSync(join(folder, readdirSync(folder)[0] ?? '')).size).toBeLessThanOrEqual(600);
  });
});

describe('replay', () => {
  test.each(ECHO_CLIENTS)(
    'a recorded echo exchange plays for an application of %s, and nothing goes to the wire',
    async (_model, client) => {
      recording();
      const bytes = pattern(20_000);
      await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes);
      const recordings = readRecordings(folder);
      await hosts.close();
      replaying(recordings);
      const port = Number(recordings[0]?.remote.split(':')[1]);
      expect(await client(hosts.a, name(ADDRESS_B, port), bytes)).toEqual(Buffer.from(bytes));
      expect(hosts.frames).toEqual([]);
      expect(hosts.faults).toEqual([]);
    },
  );

  const GREETING = [
    { t: 0, way: 'in', text: 'hello\n' },
    { t: 500, way: 'out', text: 'who?\n' },
    { t: 1500, way: 'in', text: 'me\n' },
    { t: 1500, way: 'in', end: true },
  ];

  test('the peer speaks at its time, and not before it was asked; getpeername tells the recorded place', async () => {
    replaying([script(GREETING)]);
    const s = await tcp(hosts.a);
    await ok(hosts.a.connect(s, name('10.0.0.2', 80)));
    const peer = new Uint8Array(16);
    await ok(hosts.a.getpeername(s, peer, { value: 16 }));
    expect(nameIn(peer)).toEqual({ address: '10.0.0.2', port: 80 });
    expect(await receiveText(hosts.a, s)).toBe('hello\n');
    const asked = hosts.time.now();
    await ok(hosts.a.send(s, text('who?\n')));
    expect(await receiveText(hosts.a, s)).toBe('me\n');
    expect(hosts.time.now() - asked).toBeGreaterThan(1000);
    expect(await hosts.a.recv(s, new Uint8Array(9))).toBe(0);
  });

  test('faster by a factor, and where the application leaves the recording is told', async () => {
    const left: number[] = [];
    replaying([script(GREETING)], { speed: 0, departed: (_recording, at) => void left.push(at) });
    const began = hosts.time.now();
    const s = await tcp(hosts.a);
    await ok(hosts.a.connect(s, name('10.0.0.2', 80)));
    await receiveText(hosts.a, s);
    await ok(hosts.a.send(s, text('what\n')));
    expect(await receiveText(hosts.a, s)).toBe('me\n');
    expect(left).toEqual([2]);
    expect(hosts.time.now() - began).toBeLessThan(1000);
  });

  test('a recorded reset is a reset, and the next connection gets the next recording', async () => {
    replaying([
      script([
        { t: 0, way: 'out', text: 'x' },
        { t: 1, way: 'in', error: 'WSAECONNRESET' },
      ]),
      script([{ t: 0, way: 'in', text: 'second' }]),
    ]);
    const first = await tcp(hosts.a);
    await ok(hosts.a.connect(first, name('10.0.0.2', 80)));
    await ok(hosts.a.send(first, text('x')));
    expect(await hosts.a.recv(first, new Uint8Array(9))).toBe(-WSAECONNRESET);
    const second = await tcp(hosts.a);
    await ok(hosts.a.connect(second, name('10.0.0.2', 80)));
    expect(await receiveText(hosts.a, second)).toBe('second');
  });

  test('what was not recorded is refused, or goes out', async () => {
    replaying([]);
    const s = await tcp(hosts.a);
    expect(await hosts.a.connect(s, name(ADDRESS_B, 80))).toBe(-WSAECONNREFUSED);
    expect(hosts.frames).toEqual([]);
    await hosts.close();
    replaying([], { others: 'pass' });
    const { port } = await listening(hosts.b);
    await ok(hosts.a.connect(await tcp(hosts.a), name(ADDRESS_B, port)));
  });

  test('an application that listens is visited by the recorded clients', async () => {
    const visit = script(
      [
        { t: 0, way: 'in', text: 'GET /\n' },
        { t: 9, way: 'out', text: '200\n' },
        { t: 10, way: 'in', end: true },
      ],
      '10.0.0.9:5000',
      'server',
    );
    const left: number[] = [];
    replaying([visit, visit], { departed: (_recording, at) => void left.push(at) });
    const { s: listener } = await bound(hosts.a, tcp, '0.0.0.0', 80);
    await ok(hosts.a.listen(listener, 5));
    for (const answer of ['200\n', '404\n']) {
      const s = await ok(hosts.a.accept(listener));
      expect(await receiveText(hosts.a, s)).toBe('GET /\n');
      await ok(hosts.a.send(s, text(answer)));
      expect(await hosts.a.recv(s, new Uint8Array(9))).toBe(0);
      await ok(hosts.a.shutdown(s, SD_SEND));
      await ok(hosts.a.closesocket(s));
    }
    expect(left).toEqual([0]);
    expect(hosts.frames).toEqual([]);
  });
});
