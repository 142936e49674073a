/** The whole daemon on the in-process network: no privilege, no device. */

import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Daemon, loadConfig, startDaemon } from '../../../src/daemon/index.ts';
import type { PingAnswer } from '../../../src/port/index.ts';

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

async function ping(body: object): Promise<PingAnswer> {
  return (await ask('POST', '/v1/ping', { timeoutMs: 300, ...body })).json;
}

let daemon: Daemon;

beforeAll(async () => {
  daemon = await startDaemon(loadConfig({ flags }), hooks);
});

afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('echo requests and probes of a daemon', () => {
  test('RFC 1122 §3.2.2.6 a ping notes the route, or the times, of those on the way', async () => {
    const noted = await ping({ address: '10.77.0.1', recordRoute: 3 });
    expect(noted).toMatchObject({ result: 'reply', route: ['10.77.0.1'] });
    const stamped = await ping({ address: '10.77.0.1', timestamps: 2 });
    expect(stamped.stamps).toMatchObject([{ address: '10.77.0.1', isOfDay: false }]);
    expect((await ask('POST', '/v1/ping', { address: '::1', recordRoute: 3 })).status).toBe(400);
    expect(
      (await ask('POST', '/v1/ping', { address: '10.77.0.1', recordRoute: 3, timestamps: 1 })).status,
    ).toBe(400);
  });

  test('pings ::1 by its own ICMPv6', async () => {
    expect(await ping({ address: '::1', size: 100 })).toMatchObject({
      result: 'reply',
      from: '::1',
      bytes: 100,
    });
  });

  test('a packet that may not be cut and is too long is not sent', async () => {
    const answer = await ping({ address: '10.77.0.1', size: 1473, dontFragment: true });
    expect(answer).toMatchObject({ result: 'error', message: 'packet needs to be fragmented but DF set' });
  });

  test.each(['10.77.0.1', '127.0.0.1', '::1'])(
    'a datagram to a closed port of %s is answered',
    async (address) => {
      const answer = await ping({ address, method: 'udp', port: 33_435 });
      expect(answer).toMatchObject({ result: 'reply', from: address, message: 'port unreachable' });
    },
  );

  test('a datagram that nobody answers times out, and leaves no socket behind', async () => {
    const answer = await ping({ address: '10.77.0.99', method: 'udp', port: 33_435, timeoutMs: 30 });
    expect(answer).toMatchObject({ result: 'timeout', from: null });
    expect((await ask('GET', '/v1/status')).json.sockets).toBe(0);
  });
});
