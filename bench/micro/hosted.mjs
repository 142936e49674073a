// What the provider host costs: an application in C that goes to the daemon, one that goes through a host without layers, one through a
// host with a layer that makes every call itself. All have the same daemon and do the same in turns, so that what the machine does beside
// meets all alike. Needs gcc, no rights.
//
//     npm run build && node bench/micro/hosted.mjs [MB] [rounds]

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const megabytes = Number(process.argv[2] ?? 512);
const rounds = Number(process.argv[3] ?? 5);
const CALLS = 20_000;
const XP1_IFS_HANDLES = 0x20000;

const root = new URL('../../', import.meta.url);
const dist = (path) => fileURLToPath(new URL(`dist/${path}`, root));
const source = (path) => fileURLToPath(new URL(path, root));
const { connectRemote } = await import(dist('ipc/index.js'));
const { CONFIG_JSON_VARIABLE } = await import(dist('port/index.js'));

const folder = mkdtempSync(join(tmpdir(), 'wsk-bench-'));
const socket = join(folder, 'winsockd.sock');
const client = join(folder, 'hosted-load');
const layer = join(folder, 'layer.mjs');
const children = [];

execFileSync('gcc', [
  '-O2',
  '-pthread',
  '-I',
  source('test/support/c'),
  '-o',
  client,
  source('bench/peers/hosted-load.c'),
]);
writeFileSync(
  layer,
  `import { defineLayer, WSP_ENTRIES } from '${new URL('dist/spi/index.js', root)}';
   export const WSPStartup = defineLayer((next) =>
     Object.fromEntries(WSP_ENTRIES.map((name) => [name, (...args) => next[name](...args)])));`,
);

async function startDaemon() {
  const settings = {
    memory: true,
    address: ['10.77.0.2/24'],
    hostAddress: ['10.77.0.1/24'],
    socket,
    control: join(folder, 'control.sock'),
    logLevel: 'error',
  };
  const daemon = spawn(process.execPath, [dist('daemon/main.js')], {
    env: { ...process.env, [CONFIG_JSON_VARIABLE]: JSON.stringify(settings) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(daemon);
  while (!existsSync(socket)) await delay(20);
  return daemon;
}

async function startClient(name, ...args) {
  const child = spawn(client, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name}: it has ended`);
    return Number(value.split(' ')[1]);
  };
  const host = await answer();
  const pids = [child.pid, daemon.pid, ...(host === 0 ? [] : [host])];
  return {
    name,
    /** Does it; nanoseconds of the clock, and of CPU in all processes. */
    async run(what, count) {
      const before = cpuOf(pids);
      child.stdin.write(`${what} ${count}\n`);
      const wall = await answer();
      return { wall, cpu: cpuOf(pids) - before };
    },
    calls: [],
    transfers: [],
  };
}

/** Nanoseconds that all threads of the processes have run. */
function cpuOf(pids) {
  let sum = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return sum;
}

async function install() {
  const port = await connectRemote(socket);
  const { error } = await port.catalog.apply({
    kind: 'install-chains',
    providerId: 'B0000000-0000-0000-0000-000000000001',
    path: layer,
    name: 'every call',
    serviceFlags: XP1_IFS_HANDLES,
    over: null,
  });
  port.close();
  if (error !== 0) throw new Error(`the layer was not installed: ${error}`);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const program = [process.execPath, dist('app/hosted/main.js'), '--socket', socket];
const daemon = await startDaemon();
const clients = [
  await startClient('the daemon itself', 'daemon', socket),
  await startClient('a host without layers', 'host', ...program),
];
await install();
clients.push(await startClient('a host with one layer', 'host', ...program));

const bytes = megabytes * 2 ** 20;
for (const each of clients) {
  await each.run('calls', CALLS);
  await each.run('bytes', Math.min(bytes, 2 ** 27));
}
for (let round = 0; round < rounds; round++) {
  for (const each of clients) {
    each.calls.push(await each.run('calls', CALLS));
    each.transfers.push(await each.run('bytes', bytes));
  }
}
const [plain] = clients;
const ratio = (each, list, of) => median(each[list].map((one, i) => one[of] / plain[list][i][of])).toFixed(2);
console.log('| through | µs a call | CPU µs a call | ÷ | CPU s/GB | ÷ | Gbit/s |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const each of clients) {
  const wall = median(each.calls.map((one) => one.wall)) / CALLS / 1000;
  const cpu = median(each.calls.map((one) => one.cpu)) / CALLS / 1000;
  const perGigabyte = median(each.transfers.map((one) => one.cpu)) / 1e9 / (bytes / 2 ** 30);
  const rate = (bytes * 8) / median(each.transfers.map((one) => one.wall));
  console.log(
    `| ${each.name} | ${wall.toFixed(1)} | ${cpu.toFixed(1)} | ${ratio(each, 'calls', 'cpu')} ` +
      `| ${perGigabyte.toFixed(2)} | ${ratio(each, 'transfers', 'cpu')} | ${rate.toFixed(2)} |`,
  );
}
for (const child of children) child.kill('SIGKILL');
rmSync(folder, { recursive: true });
