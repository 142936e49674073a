// Many connections at once: all of them with traffic, over a memory link between two hosts in this process. Says how many messages
// are echoed a second and how long one takes, how late the event loop's timers are meanwhile, and what a connection costs in memory:
// idle, with traffic, and with a kilobyte unread at the server.
//
//     npm run build && node --expose-gc bench/many.mjs [connections] [seconds] [bytes a message] [dist]

import { pathToFileURL } from 'node:url';

const count = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 5);
const messageLength = Number(process.argv[4] ?? 512);
const dist = new URL(process.argv[5] ? pathToFileURL(`${process.argv[5]}/`) : '../dist/', import.meta.url);
const base = await import(new URL('base/index.js', dist));
const { createHost, RealTime } = await import(new URL('engine/index.js', dist));
const { MemorySegment } = await import(new URL('link/index.js', dist));
const { EndpointEvent } = await import(new URL('stack/index.js', dist));

const AT_ONCE = 256;
const WARM_UP_MS = 1000;
const message = new Uint8Array(messageLength).fill(7);
const scratch = new Uint8Array(1 << 16);
const scheduler = new RealTime();
const wire = new MemorySegment({ scheduler, offload: base.OFFLOAD_CSUM | base.OFFLOAD_TSO4 });
const allocators = [new base.PoolAllocator(), new base.PoolAllocator()];
const [clients, servers] = ['10.0.0.1', '10.0.0.2'].map((address, i) =>
  createHost({
    scheduler,
    defer: queueMicrotask,
    allocator: allocators[i],
    links: [{ link: wire.port(), addresses: [`${address}/16`] }],
    observer: (endpoint, events) => endpoint.context?.(endpoint, events),
  }),
);

let isReading = true;
let isRunning = false;
let isClosing = false;
let echoed = 0;
let opened = 0;
const accepted = [];
const waits = [];

const listener = servers.stack.openTcp();
listener.bind(base.IpAddress.anyV4, 7);
listener.listen(2 * AT_ONCE);
listener.context = () => {
  for (let child = listener.accept(); child !== null; child = listener.accept()) {
    child.noDelay = true;
    child.context = echo;
    accepted.push(child);
  }
};

function echo(endpoint) {
  while (isReading) {
    const length = endpoint.read(scratch, 0, scratch.length);
    if (length <= 0) return;
    endpoint.write(scratch, 0, length);
  }
}

/** A client that sends the next message when the one before has come back. */
function openClient() {
  const endpoint = clients.stack.openTcp();
  let waiting = 0;
  let sentAt = 0;
  const say = () => {
    waiting = messageLength;
    sentAt = performance.now();
    endpoint.write(message, 0, messageLength);
  };
  endpoint.noDelay = true;
  endpoint.context = (_, events) => {
    if (isClosing) return;
    if ((events & EndpointEvent.failed) !== 0) throw new Error(`connection failed: ${endpoint.error}`);
    if ((events & EndpointEvent.connected) !== 0) opened++;
    for (;;) {
      const length = endpoint.read(scratch, 0, scratch.length);
      if (length <= 0) return;
      waiting -= length;
      if (waiting > 0 || !isRunning) continue;
      echoed++;
      if ((echoed & 15) === 0) waits.push(performance.now() - sentAt);
      say();
    }
  };
  const result = endpoint.connect(base.IpAddress.parse('10.0.0.2'), 7);
  if (result < 0) throw new Error(`connect: ${result}`);
  return { endpoint, say };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Bytes in use after collection, without what is kept for the next taker. */
function memory() {
  for (const allocator of allocators) allocator.trim?.();
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The quantile `q` of unsorted figures. */
const quantile = (figures, q) => figures.sort((a, b) => a - b)[Math.floor(q * (figures.length - 1))] ?? 0;

const before = memory();
const start = performance.now();
const all = [];
while (opened < count) {
  while (all.length < count && all.length - opened < AT_ONCE) all.push(openClient());
  await pause(0);
}
const openMs = performance.now() - start;
await pause(300);
const idle = (memory() - before) / (2 * count);

isRunning = true;
for (const { say } of all) say();
await pause(WARM_UP_MS);
echoed = 0;
waits.length = 0;
// How late a timer of 10 ms is: what the loop's other users feel.
const lateness = [];
let expected = performance.now() + 10;
const ticker = setInterval(() => {
  lateness.push(Math.max(0, performance.now() - expected));
  expected = performance.now() + 10;
}, 10);
const cpu = process.cpuUsage();
const began = performance.now();
await pause(seconds * 1000);
isRunning = false;
const took = (performance.now() - began) / 1000;
const used = process.cpuUsage(cpu);
clearInterval(ticker);
await pause(500);
const active = (memory() - before) / (2 * count);

isReading = false;
const text = new Uint8Array(1024);
for (const { endpoint } of all) endpoint.write(text, 0, text.length);
await pause(1000);
const unread = accepted.filter((endpoint) => endpoint.readableBytes >= 1024).length;
const holding = (memory() - before) / (2 * count);
const held = allocators.map(({ inUse }) => Math.round(inUse / count));

console.log(
  `${count} connections opened in ${Math.round(openMs)} ms, ${Math.round((1000 * openMs) / count)} µs each`,
);
console.log(
  `${Math.round(echoed / took)} messages of ${messageLength} bytes echoed a second, ` +
    `${((used.user + used.system) / echoed).toFixed(1)} µs CPU each, ` +
    `wait ${quantile(waits, 0.5).toFixed(1)} ms (median), ${quantile(waits, 0.99).toFixed(1)} ms (99 %)`,
);
console.log(
  `a timer is late by ${quantile(lateness, 0.5).toFixed(1)} ms (median), ${quantile(lateness, 0.99).toFixed(1)} ms (99 %)`,
);
console.log(
  `bytes an end: ${Math.round(idle)} idle, ${Math.round(active)} after traffic, ` +
    `${Math.round(holding)} with 1 KB unread at ${unread} servers (buffers ${held[0]} and ${held[1]})`,
);
isClosing = true;
clients.close();
servers.close();
