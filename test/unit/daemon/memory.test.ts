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
import { AfdOp, type AfdRequest, type PingAnswer } from '../../../src/port/index.ts';

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
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        answer += part;
      });
      response.on('end', () => {
        const isJson = String(response.headers['content-type']).startsWith('application/json');
        resolve({ status: response.statusCode ?? 0, text: answer, json: isJson ? JSON.parse(answer) : null });
      });
    });
    asked.on('error', reject);
    asked.end(text);
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

describe('RFC 6724 §2.1 the policy table over the control API', () => {
  const path = '/v1/prefix-policies';
  const rows = async (): Promise<string[]> =>
    (await ask('GET', path)).json.map(
      (row: { prefix: string; precedence: number; label: number }) =>
        `${row.prefix} ${row.precedence} ${row.label}`,
    );

  test('a row is added, changed in part, and removed, however its prefix is written', async () => {
    const before = await rows();
    expect(before).toContain('::/0 40 1');
    expect(before).toHaveLength(9);
    expect((await ask('POST', path, { prefix: 'fd00::/8', precedence: 45, label: 14 })).status).toBe(200);
    expect(await rows()).toEqual([...before, 'fd00::/8 45 14']);
    expect(await ask('POST', path, { prefix: 'FD00:0::/8', precedence: 1, label: 1 })).toMatchObject({
      status: 409,
      json: { error: { code: 'exists' } },
    });
    expect((await ask('PATCH', path, { prefix: 'fd00:0::/8', label: 15 })).json).toContainEqual({
      prefix: 'fd00::/8',
      precedence: 45,
      label: 15,
    });
    expect((await ask('DELETE', path, { prefix: 'fd00::/8' })).json).toHaveLength(9);
    expect(await rows()).toEqual(before);
  });

  test.each<[method: string, body: object, status: number, words: string]>([
    ['POST', { prefix: 'fd00::/129', precedence: 1, label: 1 }, 400, 'no prefix'],
    ['POST', { prefix: 'fd00::/8', precedence: 1 }, 400, 'label'],
    ['POST', { prefix: 'fd00::/8', precedence: 1, label: 65_536 }, 400, 'label'],
    ['POST', { prefix: 'fd00::/8', precedence: 1, label: 1, metric: 1 }, 400, 'metric'],
    ['PATCH', { prefix: 'fd77::/16', label: 1 }, 404, 'no policy for fd77::/16'],
    ['PATCH', { prefix: 7 }, 400, 'prefix'],
    ['DELETE', { prefix: 'fd77::/16' }, 404, 'no policy for fd77::/16'],
    ['DELETE', {}, 400, 'prefix'],
  ])('%s %j is refused with %i', async (method, body, status, words) => {
    const before = await rows();
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.json.error.message).toContain(words);
    expect(await rows()).toEqual(before);
  });

  test('the settings’ rows are the table from the start; rows that are none together are refused', async () => {
    const paths = { socket: join(directory, 'policy', 's'), control: join(directory, 'policy', 'c') };
    const more = { ...flags, ...paths, log: join(directory, 'log2') };
    const prefixPolicies = ['::/0=40:1', '::ffff:0:0/96=100:4'];
    const other = await startDaemon(loadConfig({ flags: { ...more, prefixPolicies } }), hooks);
    const answer = await ask('GET', path, undefined, paths.control);
    await other.stop();
    expect(answer.json).toEqual([
      { prefix: '::/0', precedence: 40, label: 1 },
      { prefix: '::ffff:0:0/96', precedence: 100, label: 4 },
    ]);
    const twice = { ...more, prefixPolicies: ['::/0=40:1', '0::/0=41:1'] };
    await expect(startDaemon(loadConfig({ flags: twice }), hooks)).rejects.toThrow('two address policies');
  });
});

test('a state directory belongs to one daemon at a time, and is free after it', async () => {
  const start = (name: string) => {
    const paths = { socket: join(directory, name, 's'), control: join(directory, name, 'c') };
    const more = { stateDirectory: join(directory, 'state'), log: join(directory, 'log3') };
    return startDaemon(loadConfig({ flags: { ...flags, ...paths, ...more } }), hooks);
  };
  const first = await start('one');
  await expect(start('two')).rejects.toThrow('--state-directory');
  await first.stop();
  expect(readdirSync(join(directory, 'state'))).toEqual(['catalog', 'state.json']);
  await (await start('two')).stop();
});

describe('routing over the control API', () => {
  const route = { destination: '203.0.113.0/24', gateway: '10.77.0.1' };

  test('a route is added over the interface that reaches its gateway, shown with the sum of metrics, and removed', async () => {
    const { json } = await ask('POST', '/v1/routes', { ...route, metric: 5 });
    expect(json).toContainEqual(
      expect.objectContaining({
        ...route,
        metric: 30,
        origin: 'manual',
        lifetimeSec: null,
        interface: 'memory0',
      }),
    );
    expect(await ask('POST', '/v1/routes', route)).toMatchObject({
      status: 409,
      json: { error: { code: 'exists' } },
    });
    const left = await ask('DELETE', '/v1/routes', { destination: route.destination });
    expect(left.json).not.toContainEqual(expect.objectContaining({ destination: route.destination }));
    expect((await ask('DELETE', '/v1/routes', { destination: route.destination })).status).toBe(404);
  });

  test.each([
    [{ destination: '10.0.0.0/99', gateway: '10.77.0.1' }, 'destination'],
    [{ destination: '10.0.0.0/8', gateway: '::1' }, 'gateway'],
    [{ destination: '10.0.0.0/8' }, 'interface'],
    [{ destination: '10.0.0.0/8', gateway: '192.0.2.1' }, 'gateway'],
    [{ destination: '10.0.0.0/8', gateway: '224.0.0.1', interface: 2 }, 'gateway'],
    [{ destination: '::/0', gateway: '::1', interface: 2 }, 'gateway'],
    [{ destination: '::/0', gateway: '::' }, 'interface'],
    [{ destination: '10.0.0.0/8', gateway: '10.77.0.1', metric: -1 }, 'metric'],
    [{ destination: '10.0.0.0/8', colour: 'red' }, 'body'],
  ])('%p is refused with 400, naming the field', async (body, field) => {
    const { status, json } = await ask('POST', '/v1/routes', body);
    expect([status, json.error.message.split(':')[0]]).toEqual([400, field]);
  });

  test.each([[{ gateway: '0.0.0.0', interface: 2 }], [{ gateway: '10.77.0.2' }]])(
    'a route by way of %p is to the link itself, as Windows has it',
    async (way) => {
      const { json } = await ask('POST', '/v1/routes', { destination: '198.51.100.0/24', ...way });
      expect(json).toContainEqual(
        expect.objectContaining({ destination: '198.51.100.0/24', gateway: null, interface: 'memory0' }),
      );
      const wrong = { destination: '198.51.100.0/24', gateway: '10.77.0.9' };
      expect((await ask('DELETE', '/v1/routes', wrong)).status).toBe(404);
      expect((await ask('DELETE', '/v1/routes', { ...wrong, ...way })).status).toBe(200);
    },
  );

  test('RFC 4007 §6 a link-local gateway is on the link of its interface, whether its zone is named or not', async () => {
    const body = { destination: '2001:db8:7::/48', gateway: 'fe80::7', interface: 2 };
    const { json } = await ask('POST', '/v1/routes', body);
    expect(json).toContainEqual(expect.objectContaining({ gateway: 'fe80::7%2', interface: 'memory0' }));
    expect((await ask('POST', '/v1/routes', body)).status).toBe(409);
    expect((await ask('POST', '/v1/routes', { ...body, gateway: 'fe80::7%3' })).status).toBe(400);
    expect((await ask('DELETE', '/v1/routes', { ...body, gateway: 'fe80::7%3' })).status).toBe(404);
    expect((await ask('DELETE', '/v1/routes', { ...body, interface: undefined })).status).toBe(200);
  });

  test('an interface is switched, and one that is not there is not', async () => {
    const { json } = await ask('PATCH', '/v1/interfaces/2', { isForwarding: true, metric: 40 });
    expect(json).toMatchObject({ index: 2, isForwarding: true, metric: 40, weakHostSend: false });
    await ask('PATCH', '/v1/interfaces/2', { isForwarding: false, metric: 25 });
    expect((await ask('PATCH', '/v1/interfaces/9', { metric: 40 })).status).toBe(404);
    expect((await ask('PATCH', '/v1/interfaces/2', { metric: 0 })).status).toBe(400);
    expect((await ask('PATCH', '/v1/interfaces/1', { isUp: false })).status).toBe(400);
  });

  test('addresses are translated, ports mapped, and all that ended', async () => {
    expect((await ask('GET', '/v1/nat')).json).toEqual({
      interface: null,
      interfaceIndex: null,
      outsideAddress: null,
      inside: [],
      filtering: null,
      mappings: [],
    });
    const map = { protocol: 'tcp', outsidePort: 8080, insideAddress: '192.168.5.9', insidePort: 80 };
    expect(await ask('POST', '/v1/nat/port-maps', map)).toMatchObject({
      status: 409,
      json: { error: { code: 'off' } },
    });
    expect((await ask('PUT', '/v1/nat', { interface: 'memory0' })).json).toMatchObject({
      interface: 'memory0',
      interfaceIndex: 2,
      outsideAddress: '10.77.0.2',
      filtering: 'addressDependent',
    });
    expect((await ask('POST', '/v1/nat/port-maps', map)).json.mappings).toEqual([
      { ...map, isStatic: true, sessions: 0 },
    ]);
    for (const bad of [map, { ...map, outsidePort: 1, insideAddress: '::1' }, { ...map, outsidePort: 0 }]) {
      expect((await ask('POST', '/v1/nat/port-maps', bad)).status).toBe(400);
    }
    expect((await ask('DELETE', '/v1/nat/port-maps/udp/8080')).status).toBe(404);
    expect((await ask('DELETE', '/v1/nat/port-maps/tcp/99999')).status).toBe(400);
    expect((await ask('DELETE', '/v1/nat/port-maps/tcp/8080')).json.mappings).toEqual([]);
    for (const [body, status] of [
      [{ interface: 'nowhere' }, 404],
      [{ interface: 1 }, 400],
      [{}, 400],
      [{ interface: 2, filtering: 'some' }, 400],
      [{ interface: 2, maxMappings: 0 }, 400],
    ] as const) {
      expect((await ask('PUT', '/v1/nat', body)).status).toBe(status);
    }
    expect((await ask('DELETE', '/v1/nat')).json.interface).toBeNull();
    expect((await ask('DELETE', '/v1/nat')).status).toBe(404);
  });

  test('a port of this machine is forwarded, listed and taken away', async () => {
    const body = {
      protocol: 'tcp',
      listen: { side: 'host', port: 0 },
      target: { side: 'stack', port: 80 },
    };
    const { json } = await ask('POST', '/v1/forwards', body);
    expect(json).toMatchObject({
      protocol: 'tcp',
      listen: { side: 'host', address: '127.0.0.1' },
      target: { side: 'stack', address: '10.77.0.2', port: 80 },
    });
    expect(json.listen.port).toBeGreaterThan(0);
    expect((await ask('GET', '/v1/forwards')).json).toEqual([json]);
    const taken = { ...body, listen: { side: 'host', port: json.listen.port } };
    expect(await ask('POST', '/v1/forwards', taken)).toMatchObject({
      status: 409,
      json: { error: { code: 'addressInUse' } },
    });
    expect((await ask('DELETE', `/v1/forwards/${json.id}`)).json).toMatchObject({ id: json.id });
    expect((await ask('DELETE', `/v1/forwards/${json.id}`)).status).toBe(404);
  });
});

describe('a daemon in memory', () => {
  test('says who it is', async () => {
    const { json } = await ask('GET', '/v1/status');
    expect(json).toMatchObject({
      pid: process.pid,
      socketPath: socket,
      controlPath: control,
      sessions: 0,
      sockets: 0,
    });
    expect(json.links).toEqual([
      {
        name: 'memory0',
        kind: 'memory',
        mtu: 1500,
        offload: ['csum', 'tso4', 'tso6'],
        hostAddresses: ['10.77.0.1/24'],
        namespace: null,
      },
    ]);
    expect(json.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(json.uid).toBe(process.geteuid?.());
    expect(json.uptimeSeconds).toBeGreaterThan(0);
  });

  test('its sockets are for its own user unless asked otherwise', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(control).mode & 0o777).toBe(0o600);
  });

  test.each(['127.0.0.1', '10.77.0.2', '10.77.0.1'])('pings %s by its own ICMP', async (address) => {
    const answer = await ping({ address, size: 100, sequence: 9 });
    expect(answer).toMatchObject({ result: 'reply', from: address, bytes: 100, message: '' });
    expect(answer.ttl).toBeGreaterThan(0);
    expect(answer.rttMs).toBeGreaterThanOrEqual(0);
  });

  test('a ping without an answer times out, and one without a route says so', async () => {
    expect(await ping({ address: '10.77.0.99', timeoutMs: 30 })).toMatchObject({
      result: 'timeout',
      from: null,
    });
    expect(await ping({ address: '192.0.2.1' })).toMatchObject({
      result: 'unreachable',
      message: 'not sent: networkUnreachable',
    });
  });

  test('many pings at once each get their own answer', async () => {
    const sizes = Array.from({ length: 20 }, (_, i) => i * 50);
    const answers = await Promise.all(sizes.map((size) => ping({ address: '10.77.0.1', size })));
    expect(answers.map(({ bytes }) => bytes)).toEqual(sizes);
    expect((await ask('GET', '/v1/sockets')).json).toEqual([]);
  });

  test.each([
    [{ address: 'example' }, 'names are not looked up'],
    [{ address: '127.0.0.1', size: 65_508 }, 'size'],
    [{ address: '127.0.0.1', colour: 1 }, 'colour'],
    [{}, 'address'],
  ])('a ping of %j is refused with the field', async (body, words) => {
    const { status, json } = await ask('POST', '/v1/ping', body);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 'badRequest', message: expect.stringContaining(words) });
  });

  test('a route that does not exist is named', async () => {
    expect(await ask('GET', '/v1/nothing')).toMatchObject({
      status: 404,
      json: { error: { code: 'notFound', message: 'GET /v1/nothing does not exist' } },
    });
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
    expect(json).toMatchObject([{ protocol: 'tcp', state: 'LISTEN', localPort: 8080, tcp: null }]);
    expect((await ask('GET', '/v1/status')).json).toMatchObject({ sessions: 1, sockets: 1 });
    expect((await ask('GET', '/metrics')).text).toMatch(/^winsockd_clients 1$/m);
    port.close();
    for (let i = 0; i < 100; i++) {
      if ((await ask('GET', '/v1/sockets')).json.length === 0) break;
    }
    expect((await ask('GET', '/v1/sockets')).json).toEqual([]);
  });

  test('counts drops by reason with the rule, the most frequent first', async () => {
    // UDP to a port without a socket, from our own stack: dropped, and answered.
    const port = await connectRemote(socket);
    const done = (request: Partial<AfdRequest> & { op: AfdOp }): Promise<number> =>
      new Promise((resolve) => {
        port.onComplete = ({ value }) => resolve(value);
        port.submit({
          id: 1,
          descriptor: 0,
          flags: 0,
          a: 0,
          b: 0,
          address: null,
          data: null,
          into: null,
          ...request,
        });
      });
    const descriptor = await done({ op: AfdOp.socket, a: AF_INET, b: 2, flags: 17 });
    const address = new Uint8Array(SOCKADDR_IN_LEN);
    writeSockaddr(address, 0, IpAddress.loopbackV4, 9);
    await done({ op: AfdOp.send, descriptor, data: Uint8Array.of(1), address });
    port.close();
    const { json } = await ask('GET', '/v1/drops');
    expect(json).toContainEqual(
      expect.objectContaining({ reason: 'udpNoListener', source: expect.stringContaining('RFC') }),
    );
    const counts = json.map(({ count }: { count: number }) => count);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test('has no neighbours on a link without hardware addresses, and none can be set', async () => {
    expect((await ask('GET', '/v1/neighbors')).json).toEqual([]);
    const set = (body: object): Promise<Answer> => ask('PUT', '/v1/neighbors/10.77.0.9', body);
    expect(await set({ mac: '02:00:00:00:00:09' })).toMatchObject({ status: 404 });
    expect(await set({ mac: 'nonsense' })).toMatchObject({ status: 400 });
    expect(await set({})).toMatchObject({ status: 400 });
    expect(await ask('DELETE', '/v1/neighbors/10.77.0.9')).toMatchObject({ status: 404 });
    expect(await ask('DELETE', '/v1/neighbors/nobody')).toMatchObject({ status: 400 });
    expect((await ask('DELETE', '/v1/neighbors/*')).json).toEqual({ removed: 0 });
  });

  test('the catalog is changed, told and restored; what can not be is 409 with its name', async () => {
    const change = (body: unknown): Promise<Answer> => ask('POST', '/v1/catalog/changes', body);
    const install = {
      kind: 'install-chains',
      providerId: '00000000-0000-4000-8000-000000000001',
      path: '/opt/layer.mjs',
      name: 'layer',
      serviceFlags: 0,
      over: null,
    };
    expect(await change(install)).toMatchObject({ status: 200, json: { error: 0, serial: 1 } });
    expect(await change(install)).toMatchObject({ status: 409, json: { error: { code: 'WSANO_RECOVERY' } } });
    expect(await change({ kind: 'format' })).toMatchObject({ status: 400 });
    expect((await ask('GET', '/v1/catalog')).json[0]).toMatchObject({
      entryType: 'Layered Chain Entry',
      providerPath: '/opt/layer.mjs',
      protocolChain: [1007, 1001],
    });
    expect((await ask('GET', '/v1/catalog/history')).json).toMatchObject([
      { serial: 1, kind: 'install-chains', who: { uid: process.getuid?.() ?? 0 }, isKept: true },
    ]);
    expect(await change({ kind: 'restore', serial: 0 })).toMatchObject({ json: { serial: 2 } });
    expect((await ask('GET', '/v1/catalog/snapshot')).json).toMatchObject({ serial: 2, skipped: [] });
  });

  test('shows interfaces, routes, counters, catalog and metrics', async () => {
    expect((await ask('GET', '/v1/interfaces')).json.at(-1)).toMatchObject({
      name: 'memory0',
      addresses: ['10.77.0.2/24'],
      gateway: null,
      isUp: true,
    });
    expect((await ask('GET', '/v1/routes')).json).toContainEqual(
      expect.objectContaining({ destination: '10.77.0.0/24', gateway: null, interface: 'memory0' }),
    );
    expect((await ask('GET', '/v1/counters')).json.icmpOutEchos).toBeGreaterThan(0);
    expect((await ask('GET', '/v1/catalog')).json[0]).toMatchObject({
      entryType: 'Base Service Provider',
      catalogEntryId: 1001,
      serviceFlags: 0x20066,
      protocolChainLength: 1,
      protocolChain: [],
    });
    const { text } = await ask('GET', '/metrics');
    expect(text).toMatch(/^winsockd_icmp_out_echos_total [1-9]/m);
    expect(text).toMatch(/^winsockd_drops_total\{reason="udpNoListener",source="[^"]+"\} 1$/m);
    const figure = (from: string) => /^winsockd_icmp_out_echos_total (\d+)$/m.exec(from)?.[1];
    expect(figure((await ask('GET', '/metrics')).text)).toBe(figure(text));
  });

  test('captures to a file until it is stopped, with a comment a packet', async () => {
    const path = join(directory, 'out.pcapng');
    expect((await ask('POST', '/v1/capture', { path })).json).toMatchObject({
      isRunning: true,
      path,
      packets: 0,
    });
    await ping({ address: '10.77.0.1' });
    await ping({ address: '10.77.0.1' });
    const stopped = (await ask('DELETE', '/v1/capture')).json;
    expect(stopped).toMatchObject({ isRunning: false, path, packets: 4 });
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(stopped.bytes);
    expect(bytes.toString('latin1')).toContain('echo request');
    await ping({ address: '10.77.0.1' });
    expect(readFileSync(path).length).toBe(stopped.bytes);
    expect((await ask('DELETE', '/v1/capture')).json).toEqual(stopped);
  });

  test('a capture ends at the size that was asked for', async () => {
    const path = join(directory, 'small.pcapng');
    await ask('POST', '/v1/capture', { path, maxBytes: 4096 });
    for (let i = 0; i < 6; i++) await ping({ address: '10.77.0.1', size: 1000 });
    const { json } = await ask('DELETE', '/v1/capture');
    expect(json.bytes).toBeLessThanOrEqual(4096);
    expect(json.packets).toBeGreaterThan(0);
    expect(json.packets).toBeLessThan(12);
    expect(readFileSync(path).length).toBe(json.bytes);
  });

  test('a capture to where it may not write, or to nowhere absolute, is refused', async () => {
    const { status, json } = await ask('POST', '/v1/capture', {
      path: join(directory, 'none', 'out.pcapng'),
    });
    expect(status).toBe(400);
    expect(json.error.message).toContain('the daemon writes it');
    expect(await ask('POST', '/v1/capture', { path: 'relative' })).toMatchObject({ status: 400 });
    expect(await ask('GET', '/v1/capture?seconds=-1')).toMatchObject({ status: 400 });
  });

  test('streams a capture to whoever asks, for as long as they ask', async () => {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const asked = request({ socketPath: control, path: '/v1/capture?seconds=0.2' }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => {
          if (parts.push(part) === 1) void ping({ address: '10.77.0.1' });
        });
        response.on('end', () => resolve(Buffer.concat(parts)));
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(bytes.readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(bytes.toString('latin1')).toContain('echo request');
  });

  test('impairs its link and lets go of it again', async () => {
    const url = '/v1/impairments/memory0';
    const { json } = await ask('PUT', url, { loss: 1, delay: 5, seed: 7 });
    expect(json).toMatchObject({ link: 'memory0', settings: { loss: 1, delay: 5, seed: 7 } });
    expect(await ping({ address: '10.77.0.1', timeoutMs: 20 })).toMatchObject({ result: 'timeout' });
    const [shown] = (await ask('GET', '/v1/impairments')).json;
    expect(shown.fates.lost).toBeGreaterThan(0);
    // What a PUT does not name is off.
    expect((await ask('PUT', url, { delay: 1 })).json.settings).toEqual({ delay: 1, seed: 7 });
    expect(await ping({ address: '10.77.0.1' })).toMatchObject({ result: 'reply' });
    expect((await ask('DELETE', url)).json.settings).toEqual({ seed: 7 });
    expect(await ask('PUT', url, { loss: 2 })).toMatchObject({ status: 400 });
    expect((await ask('GET', url)).json.settings).toEqual({ seed: 7 });
    expect(await ask('GET', '/v1/impairments/other')).toMatchObject({ status: 404 });
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
    expect((await ask('POST', '/v1/shutdown', undefined, paths.control)).json).toEqual({});
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
