// The forwarding benchmark: the kernel talks to the kernel through a router between them, which is the kernel itself or our
// stack, one after the other in every round, so that a machine whose speed drifts slows all of them alike. Medians and ratios
// count, single figures do not. Needs root, nftables for the kernel's translation; `scripts/setup` first. Usage:
//
//   node bench/forward.mjs [--rounds 3] [--seconds 2] [--only NAME,NAME] [--json FILE]
//
// The kernel's router stands between two veth pairs, ours between two TUN devices. CPU s/GB is user and system time of our
// process, kernel work in its system calls included; the kernel's own forwarding is nobody's process. Packets a second are UDP
// datagrams of 64 bytes that arrived, without offloads that would merge them.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  cleanUp,
  client,
  cpuSeconds,
  digits,
  here,
  ip,
  median,
  namespace,
  removeNamespace,
  run,
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
const SERVER = '10.9.2.1';
const NOBODY = 4999;

/** Two veth pairs and the kernel between them. */
const kernelRouter = (name, translates) => ({
  name,
  async start() {
    const [left, router, right] = [namespace(), namespace(), namespace()];
    for (const [i, ns, device] of [
      [1, left, 'l0'],
      [2, right, 'r0'],
    ]) {
      ip('-n', router, 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'dev0', 'netns', ns);
      ip('-n', router, 'addr', 'add', `10.9.${i}.2/24`, 'dev', device);
      ip('-n', router, 'link', 'set', device, 'up');
      ip('-n', ns, 'addr', 'add', `10.9.${i}.1/24`, 'dev', 'dev0');
      ip('-n', ns, 'link', 'set', 'dev0', 'up');
      ip('-n', ns, 'route', 'add', 'default', 'via', `10.9.${i}.2`);
    }
    run('ip', 'netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    if (translates) {
      const rules =
        'table ip n { chain c { type nat hook postrouting priority 100; oifname "r0" masquerade; }; }';
      run('ip', 'netns', 'exec', router, 'nft', rules);
    }
    return { left, right, device: 'dev0', pid: null, spaces: [left, router, right], stop: async () => {} };
  },
});

/** Two TUN devices and our stack between them. */
const ourRouter = (name, ...flags) => ({
  name,
  async start(core) {
    const [left, right] = [namespace(), namespace()];
    const argv = [join(here, 'router.mjs'), '--left', left, '--right', right, ...flags];
    const child = await start('node', argv, core);
    for (const ns of [left, right]) ip('-n', ns, 'route', 'add', 'default', 'dev', 'tun0');
    const spaces = [left, right];
    return { left, right, device: 'tun0', pid: child.pid, spaces, stop: () => stop(child) };
  },
});

const all = [
  kernelRouter('kernel', false),
  kernelRouter('kernel NAT', true),
  ourRouter('winsockd'),
  ourRouter('winsockd NAT', '--nat'),
  ourRouter('winsockd plain', '--no-offload'),
  ourRouter('winsockd plain NAT', '--no-offload', '--nat'),
];
const cases = options.only === undefined ? all : all.filter((c) => options.only.split(',').includes(c.name));

/** Of the router's process; the kernel's router is none. */
const cpuOf = ({ pid }) => (pid === null ? Number.NaN : cpuSeconds(pid));

async function bulk(path, mode, port, flows) {
  const before = cpuOf(path);
  const argv = [mode, SERVER, String(port), String(seconds)];
  const results = await Promise.all(Array.from({ length: flows }, () => client(path.left, argv)));
  const gbps = results.reduce((sum, r) => sum + r.gbps, 0);
  // CPU is read over warm-up and measurement, bytes only over the measurement.
  return { gbps, cpuPerGb: (cpuOf(path) - before) / ((gbps * (seconds + 0.5)) / 8) };
}

/** Packets that the right side has received so far. */
function received({ right, device }) {
  const { stats64 } = JSON.parse(ip('-n', right, '-j', '-s', 'link', 'show', device))[0];
  return stats64.rx.packets;
}

async function packetRate(path) {
  const before = received(path);
  const cpuBefore = cpuOf(path);
  const startedAt = performance.now();
  await client(path.left, ['udpblast', SERVER, String(NOBODY), String(seconds), '64']);
  const count = received(path) - before;
  const perSec = count / ((performance.now() - startedAt) / 1000);
  return { perSec, cpuMicroseconds: ((cpuOf(path) - cpuBefore) * 1e6) / count };
}

async function measure(routerCase) {
  const result = {};
  for (const core of [undefined, 0]) {
    const path = await routerCase.start(core);
    const server = await start('ip', ['netns', 'exec', path.right, tcpbench, 'serve', SERVER], core);
    try {
      if (core === undefined) {
        result.there = await bulk(path, 'send', 9, 1);
        result.back = await bulk(path, 'recv', 19, 1);
        result.there8 = await bulk(path, 'send', 9, 8);
        await sleep(500);
        result.packets = await packetRate(path);
      } else {
        result.rtt = (await client(path.left, ['rtt', SERVER, '7', '20000'], core)).p50_us;
      }
    } finally {
      await stop(server);
      await path.stop();
      for (const ns of path.spaces) removeNamespace(ns);
    }
  }
  return result;
}

const HEADER = [
  'router',
  'left to right Gbit/s',
  'CPU s/GB',
  'right to left Gbit/s',
  'CPU s/GB',
  'left to right ×8',
  'RTT µs, one core',
  'packets/s',
  'CPU µs/packet',
];
const KEYS = ['there', 'thereCpu', 'back', 'backCpu', 'there8', 'rtt', 'packets', 'packetCpu'];

try {
  const results = new Map(cases.map((c) => [c.name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const c of cases) {
      process.stderr.write(`round ${round}/${rounds}: ${c.name}\n`);
      results.get(c.name).push(await measure(c));
    }
  }
  const figures = new Map();
  for (const [name, measured] of results) {
    const of = (pick) => median(measured.map(pick));
    figures.set(name, {
      there: of((m) => m.there.gbps),
      thereCpu: of((m) => m.there.cpuPerGb),
      back: of((m) => m.back.gbps),
      backCpu: of((m) => m.back.cpuPerGb),
      there8: of((m) => m.there8.gbps),
      rtt: of((m) => m.rtt),
      packets: of((m) => m.packets.perSec),
      packetCpu: of((m) => m.packets.cpuMicroseconds),
    });
  }
  const precision = { rtt: 1, packets: 0, packetCpu: 1 };
  const rows = [...figures].map(([name, f]) => [
    name,
    ...KEYS.map((key) => digits(f[key], precision[key] ?? 2)),
  ]);
  for (const [name, f] of figures) {
    const base = figures.get(name.includes('NAT') ? 'kernel NAT' : 'kernel');
    if (base === undefined || f === base) continue;
    rows.push([
      `${name} ÷ ${name.includes('NAT') ? 'kernel NAT' : 'kernel'}`,
      ...KEYS.map((key) => digits(f[key] / base[key], 2)),
    ]);
  }
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const machine = `${cpus().length} × ${cpus()[0].model}; Linux ${kernel}; Node ${process.version}`;
  console.log(`\n${rounds} rounds of ${seconds} s, medians; ${machine}\n`);
  console.log(table(HEADER, rows));
  if (options.json !== undefined) {
    const document = {
      rounds,
      seconds,
      figures: Object.fromEntries(figures),
      raw: Object.fromEntries(results),
    };
    writeFileSync(options.json, JSON.stringify(document, null, 2));
  }
} finally {
  cleanUp();
}
