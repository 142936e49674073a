/** The whole daemon on the in-process network: no privilege, no device. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AF_INET, SOCKADDR_IN_LEN, writeSockaddr } from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { type Daemon, loadConfig, startDaemon } from '../../../src/daemon/index.ts';
import { connectRemote } from '../../../src/ipc/index.ts';
import { AfdOp, type AfdRequest } from '../../../src/port/index.ts';

const hooks = { giveUpPrivileges: () => false };
const directory = mkdtempSync(join(tmpdir(), 'wsk-daemon-'));
const socket = join(directory, 'run', 'winsockd.sock');
const control = join(directory, 'run', 'control.sock');
const log = join(directory, 'log');
const flags = {
  memory: true,
  address: ['10.77.0.2/24'],
  hostAddress: ['10.77.0.1/24'],
  socket,
  control,
  log,
  logLevel: 'debug',
};

interface Answer {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the API answers is what is tested
  json: any;
}

function ask(method: string, path: string, body?: unknown, socketPath = control): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        const isJson = String(response.headers['content-type']).startsWith('application/json');
        resolve({ status: response.statusCode ?? 0, text, json: isJson ? JSON.parse(text) : null });
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function ping(body: object) {
  const { text } = await ask('POST', '/v1/ping', { intervalMs: 5, timeoutMs: 300, ...body });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

let daemon: Daemon;

beforeAll(async () => {
  daemon = await startDaemon(loadConfig({ flags }), hooks);
});

afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a daemon in memory', () => {
  test('says who it is', async () => {
    const { json } = await ask('GET', '/v1/status');
    expect(json).toMatchObject({
      pid: process.pid,
      device: { kind: 'memory', name: 'memory0' },
      socket,
      control,
      clients: [],
    });
    expect(json.interfaces.at(-1)).toMatchObject({ name: 'memory0', isUp: true, mtu: 1500 });
    expect(json.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('its sockets are for its own user unless asked otherwise', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(control).mode & 0o777).toBe(0o600);
  });

  test.each(['127.0.0.1', 'localhost', '10.77.0.2', '10.77.0.1'])(
    'pings %s by its own ICMP',
    async (host) => {
      const events = await ping({ host, count: 3, size: 100 });
      expect(events.map(({ kind }) => kind)).toEqual(['reply', 'reply', 'reply', 'statistics']);
      expect(events[0]).toMatchObject({ sequence: 1, bytes: 100, isDamaged: false });
      expect(events[3]).toMatchObject({ sent: 3, received: 3 });
    },
  );

  test('a ping without an answer times out, and one without a route says so', async () => {
    expect(await ping({ host: '10.77.0.99', count: 1, timeoutMs: 30 })).toMatchObject([
      { kind: 'timeout', sequence: 1 },
      { kind: 'statistics', sent: 1, received: 0, minMs: 0 },
    ]);
    expect(await ping({ host: '192.0.2.1', count: 1 })).toMatchObject([
      { kind: 'unsent', error: 'networkUnreachable' },
      { kind: 'statistics', received: 0 },
    ]);
  });

  test('a ping of a name, and a body that is none, are refused', async () => {
    expect(await ask('POST', '/v1/ping', { host: 'example' })).toMatchObject({
      status: 400,
      json: { error: { code: 'badHost' } },
    });
    expect(await ask('POST', '/v1/ping', { host: '127.0.0.1', count: -1 })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/v1/ping', { host: '127.0.0.1', colour: 1 })).toMatchObject({ status: 400 });
    expect((await ask('GET', '/v1/nothing')).json).toMatchObject({ error: { code: 'notFound' } });
  });

  test('serves an application, shows its sockets, and cleans up after it', async () => {
    const port = await connectRemote(socket, { name: 'tester' });
    const call = (fields: Partial<AfdRequest> & { op: AfdOp }): Promise<number> =>
      new Promise((resolve, reject) => {
        port.onComplete = ({ error, value }) =>
          error === 0 ? resolve(value) : reject(new Error(`WSA ${error}`));
        const request = {
          id: 1,
          descriptor: 0,
          flags: 0,
          a: 0,
          b: 0,
          address: null,
          data: null,
          into: null,
          ...fields,
        };
        port.submit(request);
      });
    const descriptor = await call({ op: AfdOp.socket, a: 2, b: 1, flags: 6 });
    const address = new Uint8Array(SOCKADDR_IN_LEN);
    writeSockaddr(address, 0, IpAddress.anyV4, 8080);
    await call({ op: AfdOp.bind, descriptor, address });
    await call({ op: AfdOp.listen, descriptor, a: 5 });
    expect(address[0]).toBe(AF_INET);
    const { json } = await ask('GET', '/v1/sockets');
    expect(json.sockets).toMatchObject([{ protocol: 'tcp', state: 'LISTEN', localPort: 8080 }]);
    expect((await ask('GET', '/v1/status')).json.clients).toMatchObject([{ name: 'tester', sockets: 1 }]);
    port.close();
    for (let i = 0; i < 100; i++) {
      if ((await ask('GET', '/v1/sockets')).json.sockets.length === 0) break;
    }
    expect((await ask('GET', '/v1/sockets')).json.sockets).toEqual([]);
  });

  test('counts drops by reason with the rule, and lists all reasons when asked', async () => {
    await ping({ host: '192.0.2.1', count: 1 });
    const { json } = await ask('GET', '/v1/drops?all=true');
    expect(json.drops.length).toBeGreaterThan(30);
    expect(json.drops.find((row: { reason: string }) => row.reason === 'ipChecksum')).toMatchObject({
      source: 'RFC 1122 §3.2.1.2',
    });
    const { drops } = (await ask('GET', '/v1/drops')).json;
    for (const { count } of drops) expect(count).toBeGreaterThan(0);
  });

  test('shows interfaces, routes, counters, catalog and metrics', async () => {
    expect((await ask('GET', '/v1/interfaces')).json.interfaces.at(-1)).toMatchObject({
      addresses: [{ address: '10.77.0.2', prefixLength: 24 }],
    });
    expect((await ask('GET', '/v1/routes')).json.routes).toContainEqual(
      expect.objectContaining({ destination: '10.77.0.0', prefixLength: 24, gateway: null }),
    );
    expect((await ask('GET', '/v1/counters')).json.counters.icmpOutEchos).toBeGreaterThan(0);
    expect((await ask('GET', '/v1/catalog')).json.catalog[0]).toMatchObject({ dwCatalogEntryId: 1001 });
    const { text } = await ask('GET', '/metrics');
    expect(text).toMatch(/^winsockd_icmp_out_echos_total [1-9]/m);
    expect(text).toMatch(/^winsockd_clients 0$/m);
    const again = (await ask('GET', '/metrics')).text;
    const figure = (from: string) => /^winsockd_icmp_out_echos_total (\d+)$/m.exec(from)?.[1];
    expect(figure(again)).toBe(figure(text));
  });

  test('captures to a file until it is stopped, with a comment a packet', async () => {
    const file = join(directory, 'out.pcapng');
    expect((await ask('POST', '/v1/capture', { file })).json).toMatchObject({ isRunning: true, file });
    await ping({ host: '10.77.0.1', count: 2 });
    const stopped = (await ask('DELETE', '/v1/capture')).json;
    expect(stopped).toMatchObject({ isRunning: false, file, lost: 0, error: null });
    const bytes = readFileSync(file);
    expect(bytes.length).toBe(stopped.bytes);
    expect(bytes.toString('latin1')).toContain('echo request');
    const before = bytes.length;
    await ping({ host: '10.77.0.1', count: 1 });
    expect(readFileSync(file).length).toBe(before);
    expect(daemon.config.memory).toBe(true);
  });

  test('a capture to where it may not write is refused', async () => {
    const { status, json } = await ask('POST', '/v1/capture', {
      file: join(directory, 'none', 'out.pcapng'),
    });
    expect(status).toBe(400);
    expect(json.error.message).toContain('cannot write');
    expect(await ask('POST', '/v1/capture', { file: 'relative' })).toMatchObject({ status: 400 });
  });

  test('streams a capture to whoever asks', async () => {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const asked = request({ socketPath: control, path: '/v1/capture/stream' }, (response) => {
        const parts: Buffer[] = [];
        response.on('error', () => {});
        response.on('data', (part: Buffer) => {
          parts.push(part);
          const whole = Buffer.concat(parts);
          if (whole.toString('latin1').includes('echo request')) {
            asked.destroy();
            resolve(whole);
          } else if (parts.length === 1) {
            void ping({ host: '10.77.0.1', count: 1 });
          }
        });
      });
      asked.on('error', (error) => reject(error));
      asked.end();
    });
    expect(bytes.readUInt32LE(0)).toBe(0x0a0d0d0a);
    for (let i = 0; i < 100; i++) if ((await ask('GET', '/v1/capture')).json.streams === 0) break;
    expect((await ask('GET', '/v1/capture')).json.streams).toBe(0);
  });

  test('impairs its link and lets go of it again', async () => {
    const { json } = await ask('PUT', '/v1/impair', { loss: 1, direction: 'out', seed: 7 });
    expect(json).toMatchObject({
      isActive: true,
      seed: 7,
      out: { settings: { loss: 1 } },
      in: { settings: { loss: 0 } },
    });
    expect(await ping({ host: '10.77.0.1', count: 1, timeoutMs: 20 })).toMatchObject([
      { kind: 'timeout' },
      {},
    ]);
    expect((await ask('GET', '/v1/impair')).json.out.counters.lost).toBeGreaterThan(0);
    expect((await ask('DELETE', '/v1/impair')).json).toMatchObject({ isActive: false });
    expect(await ping({ host: '10.77.0.1', count: 1 })).toMatchObject([{ kind: 'reply' }, {}]);
    expect(await ask('PUT', '/v1/impair', { loss: 2 })).toMatchObject({ status: 400 });
    expect(await ask('DELETE', '/v1/impair?direction=up')).toMatchObject({ status: 400 });
  });

  test('a second daemon on the same socket or control is refused with its pid', async () => {
    const other = join(directory, 'run', 'other.sock');
    for (const change of [{ control: other }, { socket: other }]) {
      const second = startDaemon(loadConfig({ flags: { ...flags, ...change } }), hooks);
      await expect(second).rejects.toThrow(`process ${process.pid}`);
    }
    expect((await ask('GET', '/v1/status')).status).toBe(200);
    expect(readdirSync(join(directory, 'run')).sort()).toEqual([
      'control.sock',
      'control.sock.lock',
      'winsockd.sock',
      'winsockd.sock.lock',
    ]);
  });
});

describe('the end', () => {
  test('asked for through the API, leaves no file and settles in good order', async () => {
    const paths = { socket: join(directory, 'end', 's'), control: join(directory, 'end', 'c') };
    const one = await startDaemon(loadConfig({ flags: { ...flags, ...paths } }), hooks);
    expect((await ask('POST', '/v1/shutdown', undefined, paths.control)).json).toMatchObject({
      isStopping: true,
    });
    expect(await one.stopped).toBe(null);
    expect(readdirSync(join(directory, 'end'))).toEqual([]);
    await one.stop();
  });

  test('a start that fails leaves no file either', async () => {
    const paths = { socket: join(directory, 'bad', 's'), control: join(directory, 'bad', 'c') };
    const config = loadConfig({
      flags: { ...flags, ...paths, capture: join(directory, 'none', 'x.pcapng') },
    });
    await expect(startDaemon(config, hooks)).rejects.toThrow('ENOENT');
    expect(readdirSync(join(directory, 'bad'))).toEqual([]);
  });

  test('a lock that a dead process left is taken over', async () => {
    const paths = { socket: join(directory, 'stale', 's'), control: join(directory, 'stale', 'c') };
    const { mkdirSync, writeFileSync } = await import('node:fs');
    mkdirSync(join(directory, 'stale'));
    // Our own pid with another start time: the number was given to another process since.
    writeFileSync(`${paths.socket}.lock`, `${process.pid} 1\n`);
    writeFileSync(`${paths.control}.lock`, 'no lock at all');
    const one = await startDaemon(loadConfig({ flags: { ...flags, ...paths } }), hooks);
    await one.stop();
    expect(readdirSync(join(directory, 'stale'))).toEqual([]);
  });
});
