// The whole-path benchmark: every stack serves echo (7), discard (9) and source (19) to the same kernel client, one after
// the other in every round, so that a machine whose speed drifts slows all of them alike. Medians and ratios count, single
// figures do not. Needs root; `scripts/setup` first. Usage:
//
//   node bench/run.mjs [--rounds 3] [--seconds 2] [--only NAME,NAME] [--json FILE]
//
// CPU s/GB is user and system time of the stack's process for each gigabyte; a write to a TUN device runs the kernel's
// receive path in the writer, so it includes kernel work.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
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
const build = mkdtempSync(join(tmpdir(), 'winsockd-bench-'));
const namespaces = [];
const children = new Set();

const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const ip = (...args) => run('ip', ...args);

function namespace(name) {
  ip('netns', 'add', name);
  namespaces.push(name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  // The connection test would run out of ports, and its ports out of TIME-WAIT.
  for (const setting of ['ipv4.tcp_max_tw_buckets=0', 'ipv4.ip_local_port_range=1024 65535']) {
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', `net.${setting}`);
  }
  return name;
}

function compile(name, ...flags) {
  const output = join(build, name);
  run(
    'gcc',
    '-O2',
    '-D_GNU_SOURCE',
    '-I/usr/include/lwip',
    '-o',
    output,
    join(here, 'peers', `${name}.c`),
    ...flags,
  );
  return output;
}

/** Starts a stack and waits for the line READY. */
async function start(command, args, core) {
  const pinned = core === undefined ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const child = spawn(pinned[0], pinned.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.on('exit', () => children.delete(child));
  await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'READY') resolve();
    });
  });
  return child;
}

/** User and system seconds of a process, all threads. `ip netns exec` and `taskset` replace themselves. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const rssBytes = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

async function stop(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** One run of the client; resolves to its JSON line. */
function client(ns, args, core) {
  const pinned = core === undefined ? [] : ['taskset', '-c', String(core)];
  const child = spawn('ip', ['netns', 'exec', ns, ...pinned, tcpbench, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    // Not 'exit': its output may still be on the way then.
    child.on('close', (code) => {
      children.delete(child);
      if (code === 0 && text.includes('\n')) resolve(JSON.parse(text.split('\n')[0]));
      else reject(new Error(`tcpbench ${args} ended with ${code} and said ${JSON.stringify(text)}`));
    });
  });
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

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

let serial = 0;

/** A stack behind a TUN device: `launch(ns, device, address)` gives command and arguments. */
const tunCase = (name, launch, { ownDevice }) => ({
  name,
  async start(core) {
    const id = ++serial;
    const ns = namespace(`wsb${process.pid % 10000}-${id}`);
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
        ip('netns', 'del', namespaces.splice(namespaces.indexOf(ns), 1)[0]);
      },
    };
  },
});

const vethCase = {
  name: 'kernel veth',
  async start(core) {
    const id = ++serial;
    const near = namespace(`wsb${process.pid % 10000}-${id}a`);
    const far = namespace(`wsb${process.pid % 10000}-${id}b`);
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
        for (const ns of [near, far]) ip('netns', 'del', namespaces.splice(namespaces.indexOf(ns), 1)[0]);
      },
    };
  },
};

const tcpbench = compile('tcpbench');
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

function table(rows) {
  const header = [
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
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

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
  const digits = (value, n) => (Number.isNaN(value) ? '–' : value.toFixed(n));
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
  console.log(table(rows));
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
  for (const child of children) child.kill('SIGKILL');
  for (const ns of namespaces) ip('netns', 'del', ns);
  rmSync(build, { recursive: true, force: true });
}
