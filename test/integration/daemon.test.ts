/**
 * The daemon as a process of its own: on a TUN device in a namespace, seen by the kernel, by /proc and by its clients, however
 * it or they end.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { AF_INET, SOCKADDR_IN_LEN, WSAENETDOWN, writeSockaddr } from '../../src/abi/index.ts';
import { IpAddress } from '../../src/base/index.ts';
import { connectRemote, type RemotePort } from '../../src/ipc/index.ts';
import {
  type AfdCompletion,
  AfdOp,
  type AfdRequest,
  type ReadyMessage,
  type SocketStatus,
  type WaitingMessage,
} from '../../src/port/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

/** Of this run alone: who holds a name is looked for in all namespaces. */
const DEVICE = `wskd${process.pid}`;
const NOBODY = 65_534;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;

let rooms: string;
let space: Namespace;
const children: ChildProcess[] = [];
const folders: string[] = [];

/** A started daemon. */
interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly socket: string;
  readonly control: string;
}

/** How a process ended. */
function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal ?? -1)));
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'wsk-daemon-'));
  chmodSync(path, 0o755);
  folders.push(path);
  return path;
}

/** Starts a daemon and gives what it says on its ready descriptor. */
async function start(settings: object): Promise<{
  child: ChildProcess;
  message: ReadyMessage;
  waits: WaitingMessage[];
  stderr: () => string;
}> {
  const env = {
    ...process.env,
    WINSOCKD_CONFIG_JSON: JSON.stringify({ readyFd: 3, logLevel: 'warn', ...settings }),
  };
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [join(rooms, 'daemon/main.js')], { env, stdio: [...stdio] });
  children.push(child);
  let text = '';
  let errors = '';
  child.stderr?.on('data', (part) => {
    errors += part;
  });
  const pipe = child.stdio[3] as NodeJS.ReadableStream;
  await new Promise<void>((done) => {
    pipe.on('data', (part) => {
      text += part;
    });
    pipe.on('end', done);
  });
  if (text === '') throw new Error(`the daemon said nothing: ${errors}`);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { child, message: lines.at(-1), waits: lines.slice(0, -1), stderr: () => errors };
}

/** Starts a daemon on a device of the test's namespace. */
async function startOnTun(settings: object = {}): Promise<Started> {
  const directory = join(folder(), 'run');
  const { child, message } = await start({
    tun: DEVICE,
    netns: space.name,
    address: ['10.77.0.2/24'],
    hostAddress: ['10.77.0.1/24'],
    socket: join(directory, 'winsockd.sock'),
    control: join(directory, 'control.sock'),
    ...settings,
  });
  if (!message.ready) throw new Error(message.error);
  return { child, ...message };
}

function ask<T>(control: string, method: string, path: string): Promise<T> {
  return new Promise((done, reject) => {
    const asked = request({ socketPath: control, method, path }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => done(JSON.parse(text)));
    });
    asked.on('error', reject);
    asked.end();
  });
}

function call(port: RemotePort, fields: Partial<AfdRequest> & { op: AfdOp }): Promise<AfdCompletion> {
  return new Promise((done) => {
    port.onComplete = done;
    const request = { id: 1, descriptor: 0, flags: 0, a: 0, b: 0, address: null, data: null, into: null };
    port.submit({ ...request, ...fields });
  });
}

async function listenOn(port: RemotePort, number: number): Promise<number> {
  const { value: descriptor } = await call(port, {
    op: AfdOp.socket,
    a: AF_INET,
    b: SOCK_STREAM,
    flags: IPPROTO_TCP,
  });
  const address = new Uint8Array(SOCKADDR_IN_LEN);
  writeSockaddr(address, 0, IpAddress.anyV4, number);
  const { error } = await call(port, { op: AfdOp.bind, descriptor, address });
  if (error !== 0) return -error;
  return -(await call(port, { op: AfdOp.listen, descriptor, a: 5 })).error;
}

async function eventually(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`${what}: not within 10 s`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** The distinct values of a field of `status` over all threads of a process. */
function statusOf(pid: number, field: string): string[] {
  const values = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const text = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
    return new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(text)?.[1] ?? '';
  });
  return [...new Set(values)];
}

describePrivileged('the daemon as a process', () => {
  beforeAll(() => {
    rooms = compileRooms('daemon');
    symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules'));
    space = createNamespace();
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await ended(child);
    }
  });

  afterAll(() => {
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  test('is reached by ping of the kernel, and ends on SIGTERM with code 0 and nothing left', async () => {
    const { child, socket } = await startOnTun();
    const ping = await space.run(['ping', '-c', '2', '-i', '0.2', '-W', '2', '10.77.0.2']);
    expect(ping.stdout).toContain('2 received');
    expect(space.ipJson('link', 'show').map(({ ifname }) => ifname)).toContain(DEVICE);
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(0);
    expect(readdirSync(join(socket, '..'))).toEqual([]);
    expect(space.ipJson('link', 'show').map(({ ifname }) => ifname)).not.toContain(DEVICE);
  });

  test.each(['SIGINT', 'SIGHUP'] as const)('ends in good order on %s, sent twice at once', async (signal) => {
    const { child, socket } = await startOnTun();
    child.kill(signal);
    child.kill(signal);
    expect(await ended(child)).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  test('has given up every right in every thread once it serves, and still carries packets', async () => {
    const { child, pid, socket, control } = await startOnTun({ user: 'nobody' });
    expect(pid).toBe(child.pid);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect([set, statusOf(pid, set)]).toEqual([set, ['0000000000000000']]);
    }
    expect(statusOf(pid, 'NoNewPrivs')).toEqual(['1']);
    expect(statusOf(pid, 'Groups').map((groups) => groups.trim())).toEqual(['']);
    expect(statusOf(pid, 'Uid')).toEqual([Array(4).fill(NOBODY).join('\t')]);
    expect(statusOf(pid, 'Gid')).toEqual([Array(4).fill(NOBODY).join('\t')]);
    expect(await ask(control, 'GET', '/v1/status')).toMatchObject({ uid: NOBODY, hasPrivileges: false });
    const ping = await space.run(['ping', '-c', '1', '-W', '2', '10.77.0.2']);
    expect(ping.stdout).toContain('1 received');
    // The files go, though root made their folder's parent.
    await ask(control, 'POST', '/v1/shutdown');
    expect(await ended(child)).toBe(0);
    expect(readdirSync(join(socket, '..'))).toEqual([]);
  });

  test('a second one on the same device is refused with the first one’s pid, and on the same socket too', async () => {
    const first = await startOnTun();
    const other = join(folder(), 's');
    const device = { tun: DEVICE, netns: space.name, socket: other, control: `${other}.c` };
    const onDevice = await start(device);
    expect(onDevice.message).toMatchObject({ ready: false });
    expect((onDevice.message as { error: string }).error).toContain(`pid ${first.pid}`);
    expect(await ended(onDevice.child)).toBe(1);
    const onSocket = await start({ memory: true, socket: first.socket, control: `${other}.c` });
    expect((onSocket.message as { error: string }).error).toContain(`process ${first.pid}`);
    expect(await ended(onSocket.child)).toBe(1);
    expect(existsSync(`${other}.lock`)).toBe(false);
    const ping = await space.run(['ping', '-c', '1', '-W', '2', '10.77.0.2']);
    expect(ping.stdout).toContain('1 received');
  });

  test('RFC 5227, RFC 4862 §5.4: on an Ethernet it is ready when its addresses are, and says why it is not before', async () => {
    const directory = folder();
    const { message, waits, child } = await start({
      ...{ tap: DEVICE, netns: space.name, address: ['10.78.0.2/24', 'fd00:78::2/64'] },
      ...{ hostAddress: ['10.78.0.1/24', 'fd00:78::1/64'] },
      ...{ socket: join(directory, 's'), control: join(directory, 'c') },
    });
    expect(message).toMatchObject({ ready: true, pid: child.pid });
    expect(message).not.toHaveProperty('missing');
    const reasons = waits.flatMap(({ waiting }) => waiting);
    expect(reasons).toContain(`${DEVICE}: asking whether somebody else has 10.78.0.2`);
    expect(reasons).toContain(`${DEVICE}: asking whether somebody else has fd00:78::2`);
    // The very first packets are answered.
    const [v4, v6] = await Promise.all(
      ['10.78.0.2', 'fd00:78::2'].map((to) => space.run(['ping', '-c', '1', '-W', '3', to])),
    );
    expect(v4?.stdout).toContain('1 received');
    expect(v6?.stdout).toContain('1 received');
  }, 30_000);

  test('the wait for addresses has a bound, and what is missing then is said', async () => {
    const directory = folder();
    const { message } = await start({
      ...{ tap: DEVICE, netns: space.name, dhcp: true, readyWait: 1 },
      ...{ socket: join(directory, 's'), control: join(directory, 'c') },
    });
    expect(message).toMatchObject({
      ready: true,
      missing: [`${DEVICE}: no DHCP server has granted an address yet`],
    });
  });

  test('what it keeps for the next start is its user’s, and nobody else’s to read', async () => {
    const stateDirectory = join(folder(), 'state');
    const { child } = await startOnTun({ user: 'nobody', stateDirectory });
    const file = join(stateDirectory, 'state.json');
    expect([statSync(file).uid, statSync(file).mode & 0o777, statSync(stateDirectory).mode & 0o777]).toEqual([
      NOBODY,
      0o600,
      0o700,
    ]);
    const before = readFileSync(file, 'utf8');
    child.kill('SIGTERM');
    await ended(child);
    await startOnTun({ user: 'nobody', stateDirectory });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('wrong settings are told to whoever waits, with exit code 2', async () => {
    const { child, message, stderr } = await start({ memory: true, mtu: 1 });
    expect(message).toMatchObject({ ready: false, exitCode: 2, error: expect.stringContaining('--mtu: 1') });
    expect(await ended(child)).toBe(2);
    expect(stderr()).toContain('68 to 65535');
  });

  test('a namespace that does not exist is named, with what to type', async () => {
    const path = join(folder(), 's');
    const { child, message } = await start({
      tun: DEVICE,
      netns: 'wsk-none',
      socket: path,
      control: `${path}.c`,
    });
    expect((message as { error: string }).error).toContain('wsk-none');
    expect(await ended(child)).toBe(1);
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  test('a client that is killed leaves no socket, no port and no session', async () => {
    const { socket, control } = await startOnTun();
    const code = `
      const { connectRemote } = await import(${JSON.stringify(pathToFileURL(join(rooms, 'ipc/index.js')).href)});
      const port = await connectRemote(${JSON.stringify(socket)});
      let id = 0;
      const call = (fields) => new Promise((done) => {
        port.onComplete = done;
        port.submit({ id: ++id, descriptor: 0, flags: 0, a: 0, b: 0, address: null, data: null, into: null, ...fields });
      });
      const { value: descriptor } = await call({ op: 1, a: 2, b: 1, flags: 6 });
      const address = new Uint8Array(16);
      address.set([2, 0, 0x1f, 0x90]);
      await call({ op: 3, descriptor, address });
      await call({ op: 4, descriptor, a: 5 });
      const accepting = call({ op: 5, descriptor });
      process.stdout.write('listening');
      await accepting;
    `;
    const client = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(client);
    await new Promise((done) => client.stdout?.once('data', done));
    expect(await ask<SocketStatus[]>(control, 'GET', '/v1/sockets')).toMatchObject([
      { localPort: 8080, state: 'LISTEN', pids: [client.pid] },
    ]);
    client.kill('SIGKILL');
    await ended(client);
    await eventually(
      'no sockets',
      async () => (await ask<SocketStatus[]>(control, 'GET', '/v1/sockets')).length === 0,
    );
    expect(await ask(control, 'GET', '/v1/status')).toMatchObject({ sessions: 0, sockets: 0 });
    const port = await connectRemote(socket);
    expect(await listenOn(port, 8080)).toBe(-0);
    port.close();
  });

  test('killed, it gives every pending call WSAENETDOWN; the next one takes its place', async () => {
    const first = await startOnTun();
    const port = await connectRemote(first.socket);
    expect(port.serverPid).toBe(first.pid);
    const { value: descriptor } = await call(port, { op: AfdOp.socket, a: AF_INET, b: 2, flags: 17 });
    const address = new Uint8Array(SOCKADDR_IN_LEN);
    writeSockaddr(address, 0, IpAddress.anyV4, 7);
    await call(port, { op: AfdOp.bind, descriptor, address });
    const pending = call(port, { op: AfdOp.recv, descriptor, into: new Uint8Array(100) });
    first.child.kill('SIGKILL');
    expect(await pending).toMatchObject({ error: WSAENETDOWN });
    expect(await ended(first.child)).toBe('SIGKILL');
    expect(existsSync(first.socket)).toBe(true);
    const second = await startOnTun({ socket: first.socket, control: first.control });
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second.control, 'GET', '/v1/status')).toMatchObject({ pid: second.pid });
  });
});
