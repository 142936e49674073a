// What the benchmarks of whole paths share: namespaces, the peers' programs, clients, CPU time. Everything that was made is
// taken away by `cleanUp`.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
const build = mkdtempSync(join(tmpdir(), 'winsockd-bench-'));
const namespaces = [];
export const children = new Set();
let serial = 0;

export const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
export const ip = (...args) => run('ip', ...args);

/** A fresh namespace with loopback up. @returns its name */
export function namespace() {
  const name = `wsb${process.pid % 10_000}-${++serial}`;
  ip('netns', 'add', name);
  namespaces.push(name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  // The connection test would run out of ports, and its ports out of TIME-WAIT.
  for (const setting of ['ipv4.tcp_max_tw_buckets=0', 'ipv4.ip_local_port_range=1024 65535']) {
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', `net.${setting}`);
  }
  return name;
}

export function removeNamespace(name) {
  ip('netns', 'del', namespaces.splice(namespaces.indexOf(name), 1)[0]);
}

/** Compiles a peer. @returns the program */
export function compile(name, ...flags) {
  const output = join(build, name);
  const source = join(here, 'peers', `${name}.c`);
  run('gcc', '-O2', '-D_GNU_SOURCE', '-I/usr/include/lwip', '-o', output, source, ...flags);
  return output;
}

export const tcpbench = compile('tcpbench');

/** Starts a stack and waits for the line READY. @param core the only one that it may run on */
export async function start(command, args, core) {
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

export async function stop(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** User and system seconds of a process, all threads. `ip netns exec` and `taskset` replace themselves. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** One run of the client; resolves to its JSON line. */
export function client(ns, args, core) {
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

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A number for a table; what was not measured is a dash. */
export const digits = (value, n) => (Number.isNaN(value) ? '–' : value.toFixed(n));

export function table(header, rows) {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function cleanUp() {
  for (const child of children) child.kill('SIGKILL');
  for (const ns of namespaces) ip('netns', 'del', ns);
  rmSync(build, { recursive: true, force: true });
}
