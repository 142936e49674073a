// The codecs alone: checksum rates by size and alignment, nanoseconds to parse and to write a packet, and the bytes of heap
// that each takes (none, on the packet path).
//
//     npm run build && node --expose-gc bench/micro/wire.mjs [dist]

import { pathToFileURL } from 'node:url';

const dist = new URL(process.argv[2] ? pathToFileURL(`${process.argv[2]}/`) : '../../dist/', import.meta.url);
const base = await import(new URL('base/index.js', dist));
const wire = await import(new URL('wire/index.js', dist));

const ROUNDS = 7;
const ROUND_MS = 40;

/** Median nanoseconds a call, and heap bytes a call over all rounds. */
function measure(call) {
  let calls = 1000;
  const run = () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    return performance.now() - start;
  };
  for (let took = run(); took < ROUND_MS; took = run())
    calls = Math.ceil(calls * Math.max(2, (0.7 * ROUND_MS) / took));
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const times = Array.from({ length: ROUNDS }, run).sort((a, b) => a - b);
  const heap = process.memoryUsage().heapUsed - before;
  return { ns: (times[ROUNDS >> 1] * 1e6) / calls, heap: Math.max(0, heap) / (calls * ROUNDS) };
}

function report(name, bytes, call) {
  const { ns, heap } = measure(call);
  const rate = bytes === 0 ? '' : `${(bytes / ns).toFixed(2)} GB/s`;
  console.log(
    `${name.padEnd(44)} ${ns.toFixed(1).padStart(9)} ns ${rate.padStart(12)} ${heap.toFixed(2).padStart(8)} B heap`,
  );
}

const arena = Uint8Array.from({ length: 1 << 17 }, (_, i) => i * 31);
const other = Uint8Array.from({ length: 1 << 17 }, (_, i) => i * 17);
let sink = 0;

for (const length of [20, 40, 64, 128, 1460, 9000, 65_160]) {
  for (const [name, at] of [
    ['aligned', 64],
    ['odd', 65],
  ]) {
    report(`checksum ${length} B ${name}`, length, () => {
      sink ^= wire.checksum(arena, at, length);
    });
  }
}
report('checksum 1460 B, two arrays in turn', 2920, () => {
  sink ^= wire.checksum(arena, 64, 1460) ^ wire.checksum(other, 64, 1460);
});

const SRC = 0x0a000001;
const DST = 0x0a000002;
const OPTIONS = 12;
const PAYLOAD = 1448;
const packet = new Uint8Array(20 + 20 + OPTIONS + PAYLOAD);

function writePacket() {
  const at = wire.writeIpv4(
    packet,
    0,
    0,
    packet.length,
    7,
    wire.IPV4_DONT_FRAGMENT,
    64,
    wire.IPPROTO_TCP,
    SRC,
    DST,
  );
  const optionsAt = wire.writeTcp(packet, at, 1025, 80, 1, 2, wire.TCP_ACK, 65_535, 0, OPTIONS);
  wire.writeTimestampsOption(packet, optionsAt, 3, 4);
  return at;
}

function writeSealed() {
  const at = writePacket();
  const pseudo = wire.pseudoHeaderSumV4(SRC, DST, wire.IPPROTO_TCP, packet.length - at);
  wire.sealTcp(packet, at, 20 + OPTIONS, wire.sumBytes(packet, at + 32, PAYLOAD, pseudo));
}

const ip = new wire.Ipv4Header();
const tcp = new wire.TcpHeader();

function parsePacket() {
  sink ^= wire.parseIpv4(packet, 0, packet.length, ip);
  sink ^= wire.parseTcp(packet, ip.payloadAt, ip.end, tcp) ^ tcp.seq;
}

function parseVerified() {
  parsePacket();
  const pseudo = wire.pseudoHeaderSumV4(ip.src, ip.dst, wire.IPPROTO_TCP, ip.end - ip.payloadAt);
  sink ^= wire.isTcpChecksumRight(packet, ip.payloadAt, ip.end, pseudo) ? 1 : 0;
}

writeSealed();
report('write IPv4 + TCP + timestamps, no checksum', 0, writePacket);
report('write the same, checksum of 1448 B payload', 0, writeSealed);
report('parse IPv4 + TCP + timestamps', 0, parsePacket);
report('parse the same, checksum verified', 0, parseVerified);

const segment = new Uint8Array(52 + 65_160);
segment.set(packet.subarray(0, 52));
const cutter = new wire.SegmentCutter();
const room = new Uint8Array(2048);
report('cut 65160 B into 45 packets, checksums full', 65_160, () => {
  const count = cutter.begin(segment, 0, segment.length, 0, base.GSO_TCPV4, PAYLOAD);
  for (let i = 0; i < count; i++) sink ^= cutter.write(i, room, 0);
});
if (sink === 0.5) console.log(sink);
