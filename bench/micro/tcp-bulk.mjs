// TCP alone: two stacks in one process hand each other super-segments, without a device or a copy between them but the one
// into the receive ring (and one that stands for the device). What it shows is the cost of the protocol per GB, and that the
// steady state makes no garbage.
//
//     npm run build && node --expose-gc bench/micro/tcp-bulk.mjs [GB] [mtu] [plain|offload] [dist]

import { pathToFileURL } from 'node:url';

const gigabytes = Number(process.argv[2] ?? 4);
const mtu = Number(process.argv[3] ?? 1500);
const hasOffload = (process.argv[4] ?? 'offload') === 'offload';
const dist = new URL(process.argv[5] ? pathToFileURL(`${process.argv[5]}/`) : '../../dist/', import.meta.url);
const { createStack } = await import(new URL('stack/index.js', dist));
const base = await import(new URL('base/index.js', dist));

const clock = { now: () => performance.now() };
const offload = hasOffload ? base.OFFLOAD_CSUM | base.OFFLOAD_TSO4 : 0;
const stacks = [1, 2].map((host) => {
  const stack = createStack({ clock, random: new base.SeededRandom(host) });
  stack.addInterface({ name: 'pair', mtu, offload, addresses: [`10.0.0.${host}/24`] });
  return stack;
});
const indexes = stacks.map((stack) => stack.interfaces.find((iface) => !iface.isLoopback).index);
const tx = base.createTransmitBatch(64);
const rx = base.createFrameBatch(64, 64 * 65_600);

/** Moves one batch. @returns whether there was one */
function move(from) {
  base.clearTransmitBatch(tx);
  if (stacks[from].output(indexes[from], tx) === 0) return false;
  let end = 0;
  rx.count = tx.count;
  for (let i = 0; i < tx.count; i++) {
    const at = end;
    end = base.flattenFrame(tx, i, rx.bytes, at);
    const row = i * base.FRAME_COLUMNS;
    rx.table[row + base.FRAME_OFFSET] = at;
    rx.table[row + base.FRAME_LENGTH] = end - at;
    rx.table[row + base.FRAME_FLAGS] = tx.table[i * base.TX_COLUMNS + base.TX_FLAGS];
    rx.table[row + base.FRAME_GSO_TYPE] = tx.table[i * base.TX_COLUMNS + base.TX_GSO_TYPE];
    rx.table[row + base.FRAME_GSO_SIZE] = tx.table[i * base.TX_COLUMNS + base.TX_GSO_SIZE];
    end = (end + 3) & ~3;
  }
  stacks[1 - from].input(indexes[1 - from], rx);
  return true;
}

const listener = stacks[1].openTcp();
listener.bind(base.IpAddress.anyV4, 80);
listener.listen(1);
const client = stacks[0].openTcp();
client.connect(base.IpAddress.parse('10.0.0.2'), 80);
for (let i = 0; i < 4; i++) move(i & 1);
const server = listener.accept();

const chunk = new Uint8Array(1 << 18).fill(7);
const sink = new Uint8Array(1 << 20);
/** Sends `bytes` bytes. @returns seconds of CPU */
function run(bytes) {
  const start = process.cpuUsage();
  let received = 0;
  while (received < bytes) {
    while (client.write(chunk, 0, chunk.length) > 0);
    const isMoving = move(0);
    stacks[1].flushEvents();
    received += Math.max(0, server.read(sink, 0, sink.length));
    const isBack = move(1);
    stacks[0].flushEvents();
    if (!isMoving && !isBack) for (const stack of stacks) stack.advance();
  }
  const used = process.cpuUsage(start);
  return (used.user + used.system) / 1e6;
}

run(2e8);
globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
const seconds = run(gigabytes * 1e9);
const garbage = process.memoryUsage().heapUsed - heapBefore;
const info = client.info();
console.log(
  `mtu ${mtu} ${hasOffload ? 'offload' : 'plain'}: ${(seconds / gigabytes).toFixed(3)} CPU s/GB both sides, ` +
    `${((8 * gigabytes) / seconds).toFixed(1)} Gbit/s, ${info.segmentsOut} segments, ${info.segmentsIn} ACKs, ` +
    `${info.retransSegs} again, heap ${Math.round(garbage / 1024)} KB`,
);
