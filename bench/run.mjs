// The whole-path benchmark: every stack serves echo (7), discard (9) and source (19) to the same kernel client, one after
// the other in every round, so that a machine whose speed drifts slows all of them alike. Medians and ratios count, single
// figures do not. Needs root; `scripts/setup` first. Usage:
//
//   node bench/run.mjs [--rounds 3] [--seconds 2] [--only NAME,NAME] [--json FILE]
//
// CPU s/GB is user and system time of the stack's process for each gigabyte; a write to a TUN device runs the kernel's
// receive path in the writer, so it includes kernel work.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  children,
  cleanUp,
  client,
  compile,
  cpuSeconds,
  digits,
  here,
  ip,
  median,
  namespace,
  removeNamespace,
  start,
  stop,
  table,
  tcpbench,
} from './lab.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const rssBytes = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

async function bulk(stack, mode, port, flows) {
  const before = cpuSeconds(stack.pid);
  const results = await Promise.all(
    Array.from({ length: flows }, () =>
      client(stack.clientNs, [mode, stack.address, String(port), String(seconds)]),
    ),
  );
  const cpu = cpuSeconds(stack.pid) - before;
  const gbps = results.reduce((sum, r) => sum + r.gbps, 0);
  // CPU is read over warm-up and measurement, bytes only over the measurement.
  const gigabytes = (gbps * (seconds + 0.5)) / 8 || Number.NaN;
  return { gbps, cpuPerGb: cpu / gigabytes };
}

/** What one round measures of a stack that has just been started. */
async function measure(stackCase) {
  const stack = await stackCase.start();
  const result = {};
  try {
    result.receive = await bulk(stack, 'send', 9, 1);
    result.send = await bulk(stack, 'recv', 19, 1);
    result.receive8 = await bulk(stack, 'send', 9, 8);
    result.send8 = await bulk(stack, 'recv', 19, 8);
    // What the eight left behind (resets for all that was in flight) is not the next test's affair.
    await sleep(500);
    result.connPerSec = (
      await client(stack.clientNs, ['conn', stack.address, '7', String(seconds), '16'])
    ).per_s;
  } finally {
    await stack.stop();
  }
  const pinned = await stackCase.start(0);
  try {
    result.rtt = (await client(pinned.clientNs, ['rtt', pinned.address, '7', '20000'], 0)).p50_us;
  } finally {
    await pinned.stop();
  }
  return result;
}

/** Growth of a process by idle connections, bytes each. */
async function idleBytes(stackCase, connections = 5000) {
  const stack = await stackCase.start();
  try {
    await client(stack.clientNs, ['conn', stack.address, '7', '0.5', '16']);
    const before = rssBytes(stack.pid);
    const child = spawn(
      'ip',
      ['netns', 'exec', stack.clientNs, tcpbench, 'idle', stack.address, '7', String(connections)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    children.add(child);
    await new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => line === 'READY' && resolve());
    });
    const grown = rssBytes(stack.pid) - before;
    child.stdin.end();
    await new Promise((resolve) => child.once('exit', resolve));
    children.delete(child);
    return grown / connections;
  } finally {
    await stack.stop();
  }
}

/** One line that the stack under test answers to SIGUSR2. */
function heapFigures(stack) {
  return new Promise((resolve) => {
    createInterface({ input: stack.child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
    stack.child.kill('SIGUSR2');
  });
}

/** What the garbage collector does on the steady bulk path of a warm connection's stack. */
async function garbage(stackCase) {
  const stack = await stackCase.start();
  const rows = [];
  try {
    for (const [name, mode, port] of [
      ['receive', 'send', '9'],
      ['send', 'recv', '19'],
    ]) {
      const once = () => client(stack.clientNs, [mode, stack.address, port, String(seconds)]);
      await once();
      const before = await heapFigures(stack);
      const { gbps } = await once();
      const after = await heapFigures(stack);
      rows.push({
        name,
        gigabytes: (gbps * (seconds + 0.5)) / 8,
        collections: after.collections,
        gcMs: after.gcMs,
        heapGrowth: after.heapUsed - before.heapUsed,
      });
    }
  } finally {
    await stack.stop();
  }
  return rows;
}

/** A stack behind a TUN device: `launch(ns, device, address)` gives command and arguments. */
const tunCase = (name, launch, { ownDevice }) => ({
  name,
  async start(core) {
    const ns = namespace();
    const child = await start(...launch(ns), core);
    if (!ownDevice) {
      ip('-n', ns, 'addr', 'add', '10.9.0.1/24', 'dev', 'tun0');
      ip('-n', ns, 'link', 'set', 'tun0', 'up', 'txqueuelen', '1000');
    }
    return {
      child,
      pid: child.pid,
      address: '10.9.0.2',
      clientNs: ns,
      stop: async () => {
        await stop(child);
        removeNamespace(ns);
      },
    };
  },
});

const vethCase = {
  name: 'kernel veth',
  async start(core) {
    const near = namespace();
    const far = namespace();
    ip('-n', near, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', far);
    for (const [ns, address] of [
      [near, '10.9.0.1/24'],
      [far, '10.9.0.2/24'],
    ]) {
      ip('-n', ns, 'addr', 'add', address, 'dev', 'veth0');
      ip('-n', ns, 'link', 'set', 'veth0', 'up');
    }
    const child = await start('ip', ['netns', 'exec', far, tcpbench, 'serve', '10.9.0.2'], core);
    return {
      pid: child.pid,
      address: '10.9.0.2',
      clientNs: near,
      stop: async () => {
        await stop(child);
        for (const ns of [near, far]) removeNamespace(ns);
      },
    };
  },
};

const lwip = compile('lwip-tun', '-llwip');
const ours =
  (...flags) =>
  (ns) => ['node', [join(here, 'serve.mjs'), '--netns', ns, ...flags]];
const all = [
  vethCase,
  tunCase('lwIP', (ns) => ['ip', ['netns', 'exec', ns, lwip, 'tun0', '10.9.0.2']], { ownDevice: false }),
  tunCase('winsockd', ours(), { ownDevice: true }),
  tunCase('winsockd plain', ours('--no-offload'), { ownDevice: true }),
];
const cases = options.only === undefined ? all : all.filter((c) => options.only.split(',').includes(c.name));

const HEADER = [
  'stack',
  'receive Gbit/s',
  'CPU s/GB',
  'send Gbit/s',
  'CPU s/GB',
  'receive ×8',
  'send ×8',
  'RTT µs, one core',
  'conn/s ×16',
  'B/idle conn',
];

try {
  const results = new Map(cases.map((c) => [c.name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const c of cases) {
      process.stderr.write(`round ${round}/${rounds}: ${c.name}\n`);
      results.get(c.name).push(await measure(c));
    }
  }
  const idle = new Map();
  for (const c of cases) idle.set(c.name, c === vethCase ? Number.NaN : await idleBytes(c));

  const figures = new Map();
  for (const [name, measured] of results) {
    const of = (pick) => median(measured.map(pick));
    figures.set(name, {
      receive: of((m) => m.receive.gbps),
      receiveCpu: of((m) => m.receive.cpuPerGb),
      send: of((m) => m.send.gbps),
      sendCpu: of((m) => m.send.cpuPerGb),
      receive8: of((m) => m.receive8.gbps),
      send8: of((m) => m.send8.gbps),
      rtt: of((m) => m.rtt),
      connPerSec: of((m) => m.connPerSec),
      idle: idle.get(name),
    });
  }
  const heapCase = tunCase('heap', ours('--heap'), { ownDevice: true });
  const heap = cases.some((c) => c.name === 'winsockd') ? await garbage(heapCase) : [];
  const row = (name, f) => [
    name,
    digits(f.receive, 2),
    digits(f.receiveCpu, 2),
    digits(f.send, 2),
    digits(f.sendCpu, 2),
    digits(f.receive8, 2),
    digits(f.send8, 2),
    digits(f.rtt, 1),
    digits(f.connPerSec, 0),
    digits(f.idle, 0),
  ];
  const rows = [...figures].map(([name, f]) => row(name, f));
  const base = figures.get('lwIP');
  if (base !== undefined) {
    for (const [name, f] of figures) {
      if (name === 'lwIP') continue;
      const ratio = Object.fromEntries(Object.keys(f).map((key) => [key, f[key] / base[key]]));
      rows.push([
        `${name} ÷ lwIP`,
        ...row('', ratio)
          .slice(1, -1)
          .map((_, i) => {
            const keys = [
              'receive',
              'receiveCpu',
              'send',
              'sendCpu',
              'receive8',
              'send8',
              'rtt',
              'connPerSec',
            ];
            return digits(ratio[keys[i]], 2);
          }),
        digits(ratio.idle, 2),
      ]);
    }
  }
  console.log(
    `\n${rounds} rounds of ${seconds} s, medians; ${cpus().length} × ${cpus()[0].model}; Node ${process.version}\n`,
  );
  console.log(table(HEADER, rows));
  for (const { name, gigabytes, collections, gcMs, heapGrowth } of heap) {
    console.log(
      `\nheap, ${name}: ${gigabytes.toFixed(1)} GB moved, ${collections} collections, ${gcMs} ms in them, heap grew by ${(heapGrowth / 1024).toFixed(0)} KB`,
    );
  }
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      JSON.stringify(
        { rounds, seconds, heap, figures: Object.fromEntries(figures), raw: Object.fromEntries(results) },
        null,
        2,
      ),
    );
} finally {
  cleanUp();
}
