// What waiting costs: a call that needs none, one hop to the chain thread, readiness of many sockets, and a ping-pong of one byte
// by blocking calls, embedded and over IPC. Two processes at most; all traffic is on the stack's own loopback.
//
//     npm run build && node bench/micro/waiting.mjs [sockets]

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const dist = new URL('../../dist/', import.meta.url);
const load = (path) => import(new URL(path, dist));
const count = Number(process.argv[2] ?? 1000);
const ROUNDS = 20_000;
const PORT = 7000;
const POLLIN = 0x300;
const AT_ONCE = { tv_sec: 0, tv_usec: 0 };
const data = () => ({});

function at(port) {
  return Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}

function show(what, microseconds) {
  console.log(`${what.padEnd(64)} ${microseconds.toFixed(2).padStart(10)} µs`);
}

/** Median of seven series, µs a call. */
async function measure(rounds, call) {
  const series = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    for (let n = 0; n < rounds; n++) await call();
    series.push((1000 * (performance.now() - start)) / rounds);
  }
  return series.sort((a, b) => a - b)[3];
}

function measureSync(rounds, call) {
  const series = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    for (let n = 0; n < rounds; n++) call();
    series.push((1000 * (performance.now() - start)) / rounds);
  }
  return series.sort((a, b) => a - b)[3];
}

async function promises(where, port) {
  const { createWinsock, MAKEWORD } = await load('winsock/index.js');
  const { asyncWinsock } = await load('app/async.js');
  const raw = createWinsock({ port });
  const ws = asyncWinsock(raw);
  await ws.WSAStartup(MAKEWORD(2, 2), data());
  const s = await ws.socket(2, 2, 17);
  await ws.bind(s, at(0));
  const value = new Uint8Array(4);
  const length = { value: 4 };
  const isEmbedded = where === 'embedded';
  if (isEmbedded)
    show(
      'promise face: getsockopt without the promise',
      measureSync(100_000, () => raw.getsockopt(s, 0xffff, 0x1006, value, length)),
    );
  show(
    `promise face, ${where}: getsockopt`,
    await measure(isEmbedded ? 100_000 : 2000, () => ws.getsockopt(s, 0xffff, 0x1006, value, length)),
  );
  show(
    `promise face, ${where}: select of 1, ready`,
    await measure(isEmbedded ? 20_000 : 2000, () => ws.select(0, null, { fd_array: [s] }, null, AT_ONCE)),
  );
  const sockets = [];
  for (let i = 0; i < count; i++) {
    sockets.push(await ws.socket(2, 2, 17));
    await ws.bind(sockets[i], at(0));
  }
  show(
    `promise face, ${where}: select of ${count}, none ready`,
    await measure(300, () => ws.select(0, { fd_array: [...sockets] }, null, null, AT_ONCE)),
  );
  show(
    `promise face, ${where}: select of ${count}, all ready`,
    await measure(300, () => ws.select(0, null, { fd_array: [...sockets] }, null, AT_ONCE)),
  );
  const fds = sockets.map((fd) => ({ fd, events: POLLIN, revents: 0 }));
  show(
    `promise face, ${where}: WSAPoll of ${count}, none ready`,
    await measure(300, () => ws.WSAPoll(fds, count, 0)),
  );
  const name = new Uint8Array(16);
  const bytes = new Uint8Array(9);
  let turn = 0;
  /** A datagram to the next of the sockets. */
  const tell = async () => {
    turn = (turn + 1) % count;
    await ws.getsockname(sockets[turn], name, { value: 16 });
    name.set([127, 0, 0, 1], 4);
    await ws.sendto(s, bytes, 1, 0, name);
  };
  const bySelect = await measure(300, async () => {
    await tell();
    const reads = { fd_array: [...sockets] };
    await ws.select(0, reads, null, null, null);
    await ws.recv(reads.fd_array[0], bytes);
  });
  const ports = await ws.CreateIoCompletionPort(-1);
  const receive = (one) =>
    raw.WSARecv(
      one,
      [new Uint8Array(9)],
      1,
      null,
      { value: 0 },
      { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 },
    );
  for (const one of sockets) {
    await ws.CreateIoCompletionPort(one, ports, one);
    await receive(one);
  }
  const [moved, key, record] = [{ value: 0 }, { value: 0 }, { value: null }];
  const byPort = await measure(300, async () => {
    await tell();
    await ws.GetQueuedCompletionStatus(ports, moved, key, record, 0xffff_ffff);
    await receive(key.value);
  });
  show(`promise face, ${where}: a datagram to one of ${count}, by select and recv`, bySelect);
  show(`promise face, ${where}: the same by completion port`, byPort);
  await ws.WSACleanup();
}

/** Two threads that sleep in recv and wake each other with one byte. */
async function pingPong(where, attachment) {
  const ws = await load('app/blocking.js');
  ws.attachTo(attachment);
  ws.WSAStartup(ws.MAKEWORD(2, 2), data());
  const value = new Uint8Array(4);
  const length = { value: 4 };
  const listener = ws.socket(2, 1, 6);
  ws.bind(listener, at(PORT));
  ws.listen(listener, 5);
  show(
    `blocking face, ${where}: getsockopt`,
    measureSync(5000, () => ws.getsockopt(listener, 0xffff, 0x1006, value, length)),
  );
  const worker = new Worker(new URL(import.meta.url), { workerData: 'echo' });
  const s = ws.accept(listener);
  ws.setsockopt(s, 6, 1, Uint8Array.of(1, 0, 0, 0));
  const byte = new Uint8Array(1);
  const time = measureSync(ROUNDS / 10, () => {
    ws.send(s, byte);
    ws.recv(s, byte);
  });
  show(`blocking face, ${where}: ping-pong of one byte, both threads asleep`, time);
  ws.closesocket(s);
  await worker.terminate();
  process.exit(0);
}

async function echo() {
  const ws = await load('app/blocking.js');
  const s = ws.socket(2, 1, 6);
  ws.connect(s, at(PORT));
  ws.setsockopt(s, 6, 1, Uint8Array.of(1, 0, 0, 0));
  const byte = new Uint8Array(1);
  while (ws.recv(s, byte) > 0) ws.send(s, byte);
}

/** A daemon without a device: a stack and its IPC server. */
async function daemon(path) {
  const { createLocalHost } = await load('app/local.js');
  const { createIpcServer } = await load('ipc/index.js');
  const host = createLocalHost();
  await createIpcServer({
    path,
    identify: () => ({ pid: 1, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
  });
  process.send('ready');
}

function run(...args) {
  return new Promise((resolve) => {
    spawn(process.execPath, [new URL(import.meta.url).pathname, String(count), ...args], {
      stdio: 'inherit',
    }).on('exit', resolve);
  });
}

const [, , , part, where] = process.argv;
if (!isMainThread && workerData === 'echo') await echo();
else if (part === 'daemon') await daemon(where);
else if (part === 'embedded') await pingPong('embedded', { module: where });
else if (part === 'remote') await pingPong('over IPC', { socketPath: where });
else if (part === 'promises') {
  if (where === 'embedded') {
    const { createLocalHost } = await load('app/local.js');
    const host = createLocalHost();
    await promises('embedded', host.openSession());
    host.close();
  } else {
    const { connectRemote } = await load('ipc/index.js');
    const port = await connectRemote(where);
    await promises('over IPC', port);
    port.close();
  }
  process.exit(0);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-bench-'));
  const module = join(folder, 'sockets.mjs');
  writeFileSync(
    module,
    `import { createLocalHost } from ${JSON.stringify(new URL('app/local.js', dist).href)};\nexport const sockets = () => createLocalHost();`,
  );
  const path = join(folder, 'daemon');
  const server = spawn(process.execPath, [new URL(import.meta.url).pathname, String(count), 'daemon', path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await new Promise((resolve) => server.once('message', resolve));
  await run('promises', 'embedded');
  await run('promises', path);
  await run('embedded', module);
  await run('remote', path);
  server.kill();
  rmSync(folder, { recursive: true });
}
