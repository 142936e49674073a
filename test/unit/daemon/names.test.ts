/** Names over the control API of a whole daemon on the in-process network. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Daemon, loadConfig, startDaemon } from '../../../src/daemon/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'wsk-names-'));
const control = join(directory, 'control.sock');
const hosts = join(directory, 'hosts');
let daemon: Daemon;

// biome-ignore lint/suspicious/noExplicitAny: what the API answers is what is tested
function ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: any }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath: control, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

beforeAll(async () => {
  writeFileSync(hosts, '10.3.0.1 nas\nfd00::9 pair\n10.3.0.2 pair\n10.77.0.9 pair\nbroken\n');
  daemon = await startDaemon(
    loadConfig({
      flags: {
        memory: true,
        address: ['10.77.0.2/24'],
        hostAddress: ['10.77.0.1/24'],
        socket: join(directory, 'winsockd.sock'),
        control,
        log: join(directory, 'log'),
        hostsFile: hosts,
        hostName: 'lab-host',
        searchList: ['lab.example.'],
      },
    }),
    { giveUpPrivileges: () => false },
  );
});

afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('what the configuration says of names', async () => {
  expect((await ask('GET', '/v1/names')).json).toMatchObject({
    hostName: 'lab-host',
    servers: [],
    searchList: ['lab.example'],
    hostsFile: hosts,
    badHostsLines: 1,
    cache: { entries: 0 },
  });
});

test.each([
  [{ name: 'lab-host' }, { status: 'found', source: 'local', records: [{ type: 'A', data: '10.77.0.2' }] }],
  [
    { name: 'nas', type: 'A' },
    { status: 'found', source: 'hosts', records: [{ data: '10.3.0.1' }] },
  ],
  [{ name: '127.0.0.1' }, { status: 'found', types: ['PTR'], records: [{ data: 'localhost' }] }],
  [{ name: 'x.invalid' }, { status: 'noName', error: 11001 }],
  [{ name: 'www' }, { status: 'temporary', error: 11002, name: 'www.lab.example' }],
])('POST /v1/resolve %j', async (body, expected) => {
  expect((await ask('POST', '/v1/resolve', body)).json).toMatchObject(expected);
});

test('RFC 6724 §6: addresses are answered in the order in which to try them', async () => {
  const { json } = await ask('POST', '/v1/resolve', { name: 'pair' });
  const data = json.records.map((record: { data: string }) => record.data);
  // What has the longest prefix in common with our address, and what nothing leads to at the end.
  expect(data).toEqual(['10.77.0.9', '10.3.0.2', 'fd00::9']);
});

test.each([
  [{}, 'name'],
  [{ name: 'a..b' }, 'name'],
  [{ name: 'x', type: 'NONSENSE' }, 'type'],
  [{ name: 'x', type: 'OPT' }, 'type'],
  [{ name: 'x', type: 'TYPE252' }, 'type'],
  [{ name: 'x', server: 'dns.example' }, 'server'],
  [{ name: 'x', server: 'default' }, 'server'],
  [{ name: 'x', port: 0 }, 'port'],
  [{ name: 'x', other: 1 }, 'other'],
])('POST /v1/resolve %j is refused, and says why', async (body, field) => {
  const { status, json } = await ask('POST', '/v1/resolve', body);
  expect(status).toBe(400);
  expect(json.error.message).toContain(field);
});

test('the cache is shown and forgotten', async () => {
  expect((await ask('GET', '/v1/dns-cache')).json).toEqual([]);
  expect((await ask('DELETE', '/v1/dns-cache')).json).toEqual({ entries: 0 });
});
