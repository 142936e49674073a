// Bytes of an idle TCP connection in the stack: control block, endpoint, table entry, path and timers; no buffers, since
// those are given back when empty. Both ends live in this process, so the growth is halved.
//
//     npm run build && node --expose-gc bench/micro/tcp-memory.mjs [connections] [dist]

import { pathToFileURL } from 'node:url';

const count = Number(process.argv[2] ?? 5000);
const dist = new URL(process.argv[3] ? pathToFileURL(`${process.argv[3]}/`) : '../../dist/', import.meta.url);
const { createStack } = await import(new URL('stack/index.js', dist));
const { IpAddress, PoolAllocator, SeededRandom } = await import(new URL('base/index.js', dist));

const time = { now: 0 };
const clock = { now: () => time.now };
const allocators = [new PoolAllocator(), new PoolAllocator()];
const stacks = allocators.map((allocator, i) => {
  const stack = createStack({ clock, random: new SeededRandom(i + 1), allocator });
  stack.addInterface({ name: 'pair', mtu: 1500, addresses: [`10.0.0.${i + 1}/24`] });
  return stack;
});
const interfaceOf = (stack) => stack.interfaces.find((iface) => !iface.isLoopback).index;

/** Moves packets until neither side has any. */
function settle() {
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (const [i, stack] of stacks.entries()) {
      let packet = stack.takePacket(interfaceOf(stack));
      while (packet !== null) {
        stacks[1 - i].inputPacket(interfaceOf(stacks[1 - i]), packet);
        isMoving = true;
        packet = stack.takePacket(interfaceOf(stack));
      }
      stack.flushEvents();
    }
  }
}

/** Bytes in use after collection. */
function memory() {
  for (let i = 0; i < 4; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const sockets = [];
/** Opens `n` connections; with text once each way, so that timers and buffers have been used. */
function open(n) {
  for (let i = 0; i < n; i++) {
    const client = stacks[0].openTcp();
    client.connect(IpAddress.parse('10.0.0.2'), 80);
    settle();
    const server = listener.accept();
    const bytes = new Uint8Array(100);
    client.write(bytes, 0, 100);
    settle();
    server.read(bytes, 0, 100);
    server.write(bytes, 0, 100);
    settle();
    client.read(bytes, 0, 100);
    sockets.push(client, server);
  }
  time.now += 60_000;
  for (const stack of stacks) stack.advance();
  settle();
}

const listener = stacks[1].openTcp();
listener.bind(IpAddress.anyV4, 80);
listener.listen(128);
open(500);
const before = memory();
open(count);
const bytes = (memory() - before) / (2 * count);
console.log(`${count} idle connections, ${Math.round(bytes)} bytes each`);
console.log(`buffers in use: ${allocators.map((allocator) => allocator.inUse).join(' and ')}`);
if (bytes > 4096) process.exitCode = 1;
