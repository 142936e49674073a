/**
 * Frames between a link over a real device and the kernel: echo, TCP and UDP, with offloads and without.
 */

import { createHash } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createFrameBatch,
  FRAME_NEEDS_CSUM,
  GSO_TCPV4,
  GSO_UDP_L4,
  i32,
  type Prefix,
  parsePrefix,
  TX_COLUMNS,
  u16,
} from '../../src/base/index.ts';
import { TapLink, type TapLinkOptions, TunLink, type TunLinkOptions } from '../../src/link/device/index.ts';
import { type DeviceOptions, OFFLOAD_ALL } from '../../src/native/index.ts';
import {
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  pseudoHeaderSumV4,
  sealPartial,
  TCP_CHECKSUM_OFFSET,
  UDP_CHECKSUM_OFFSET,
  writeIpv4,
  writeTcp,
  writeUdp,
} from '../../src/wire/index.ts';
import { type Connection, DevicePeer, type SeenFrame, transmitBatchOf } from '../support/device-peer.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { icmpPacket, readPacket, tcpPacket, v4 } from '../support/segment.ts';

const KERNEL = '10.0.0.1';
const OURS = '10.0.0.2';

let space: Namespace;
const links: TunLink[] = [];
const taps: TapLink[] = [];

afterEach(() => {
  for (const link of [...links.splice(0), ...taps.splice(0)]) link.close();
});

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
}

function openTun(options: DeviceOptions & TunLinkOptions = {}): TunLink {
  const link = TunLink.create({ namespace: space.name, ...options });
  links.push(link);
  link.device.addAddress(prefix(`${KERNEL}/24`));
  link.device.addAddress(prefix('fd00::1/64'));
  link.device.isUp = true;
  return link;
}

function openTap(options: DeviceOptions & TapLinkOptions = {}): TapLink {
  const link = TapLink.create({ namespace: space.name, ...options });
  taps.push(link);
  link.device.addAddress(prefix(`${KERNEL}/24`));
  link.device.isUp = true;
  return link;
}

/** Runs a Node program in the namespace. */
const program = (code: string, timeoutMs = 15_000) => space.run([process.execPath, '-e', code], timeoutMs);

/*
 * What a test asked for. The kernel sends more of its own accord: router solicitations, multicast reports, and segments of
 * an earlier test's connection, since every device here has the same address.
 */
const isOf =
  (protocol: number) =>
  ({ bytes }: SeenFrame): boolean =>
    (bytes[0] as number) >> 4 === 4 && bytes[9] === protocol;
const isTcp = isOf(IPPROTO_TCP);
const isUdp = isOf(IPPROTO_UDP);
const isIcmp = isOf(IPPROTO_ICMP);
const isEchoReply = (frame: SeenFrame): boolean => isIcmp(frame) && frame.bytes[20] === 0;

/** Waits, turn by turn of the event loop, until `isDone`; at most five seconds. */
async function settled(isDone: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!isDone() && Date.now() < end) await new Promise((resolve) => setImmediate(resolve));
  expect(isDone()).toBe(true);
}

describePrivileged('TunLink and the kernel', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  test.each([
    ['with offloads', OFFLOAD_ALL, OURS],
    ['plain', 0, OURS],
    ['with offloads', OFFLOAD_ALL, 'fd00::2'],
    ['plain', 0, 'fd00::2'],
  ])('ping %s (%#): every echo request is answered', async (_mode, offload, target) => {
    const link = openTun({ offload });
    const peer = new DevicePeer(link);
    const { stdout } = await space.run(['ping', '-c5', '-i0.05', '-W2', '-s', '1000', target]);
    expect(stdout).toContain('5 received');
    expect([link.dropped, peer.failures]).toEqual([0, []]);
  });

  test('every frame starts at a multiple of 4, whatever the lengths before it were', async () => {
    const peer = new DevicePeer(openTun());
    await space.run(['ping', '-f', '-l', '20', '-c', '60', '-s', '57', OURS]);
    const echoes = peer.frames.filter(isIcmp);
    expect(echoes.length).toBe(60);
    expect(echoes.filter(({ offset }) => offset % 4 !== 0)).toEqual([]);
  });

  test('a megabyte of kernel TCP arrives in super-segments with a partial checksum', async () => {
    const peer = new DevicePeer(openTun());
    const { status, stderr } = await program(`
      const socket = require('net').connect(80, '${OURS}', () => socket.end(Buffer.alloc(1_000_000, 7)));
      socket.setTimeout(8000, () => process.exit(3));
      socket.on('finish', () => setTimeout(() => process.exit(0), 300));`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(peer.received).toBe(1_000_000);
    const supers = peer.frames.filter(({ gsoType }) => gsoType !== 0);
    expect(Math.max(...supers.map(({ bytes }) => bytes.length))).toBeGreaterThan(20_000);
    for (const frame of supers) {
      expect(frame).toMatchObject({
        gsoType: GSO_TCPV4,
        flags: FRAME_NEEDS_CSUM,
        csumStart: 20,
        csumOffset: 16,
      });
      expect(frame.gsoSize).toBeLessThanOrEqual(1460);
    }
  });

  test('plain, the same megabyte arrives in packets of the MTU with right checksums', async () => {
    const peer = new DevicePeer(openTun({ offload: 0, mtu: 1400 }));
    const { status } = await program(`
      const socket = require('net').connect(80, '${OURS}', () => socket.end(Buffer.alloc(1_000_000, 7)));
      socket.setTimeout(8000, () => process.exit(3));
      socket.on('finish', () => setTimeout(() => process.exit(0), 300));`);
    expect(status).toBe(0);
    expect(peer.received).toBe(1_000_000);
    const frames = peer.frames.filter(isTcp);
    expect(Math.max(...frames.map(({ bytes }) => bytes.length))).toBe(1400);
    for (const { gsoType, flags, bytes } of frames) {
      expect([gsoType, flags]).toEqual([0, 0]);
      expect(readPacket(bytes).protocol).toBe(IPPROTO_TCP); // which throws on a wrong checksum
    }
  });

  /** A super-segment of `payload`, which lies in two ranges of a ring, with a partial checksum. */
  function superSegment(connection: Connection, length: number) {
    const header = new Uint8Array(40);
    const [source, destination] = [v4(connection.local), v4(connection.remote)];
    writeIpv4(header, 0, 0, 40 + length, 1, IPV4_DONT_FRAGMENT, 64, IPPROTO_TCP, source, destination);
    writeTcp(
      header,
      20,
      connection.localPort,
      connection.remotePort,
      connection.seq,
      connection.ack,
      0x18,
      65535,
      0,
      0,
    );
    sealPartial(
      header,
      20 + TCP_CHECKSUM_OFFSET,
      pseudoHeaderSumV4(source, destination, IPPROTO_TCP, 20 + length),
    );
    const csum = { flags: FRAME_NEEDS_CSUM, csumStart: 20, csumOffset: TCP_CHECKSUM_OFFSET };
    return { header, ...csum, gsoType: GSO_TCPV4, gsoSize: 1460 };
  }

  test('a gather write of 64 KB in two payload ranges reaches a kernel socket byte for byte', async () => {
    const link = openTun();
    const peer = new DevicePeer(link);
    const payload = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) >> 3);
    const length = 65_000;
    // The ring wraps: 30,001 bytes at its end, the rest at its start.
    const ranges = [39_999, 30_001, 0, length - 30_001] as const;
    const sent = Buffer.concat([payload.subarray(39_999), payload.subarray(0, length - 30_001)]);
    peer.onAccept = (connection) => {
      expect(link.transmit(transmitBatchOf({ ...superSegment(connection, length), payload, ranges }))).toBe(
        true,
      );
    };
    const { stdout } = await program(`
      const hash = require('crypto').createHash('sha256');
      let got = 0;
      const socket = require('net').connect(80, '${OURS}');
      socket.setTimeout(5000, () => { console.log('only', got); process.exit(3); });
      socket.on('data', (data) => {
        hash.update(data);
        if ((got += data.length) === ${length}) { console.log(hash.digest('hex')); process.exit(0); }
      });`);
    expect(stdout.trim()).toBe(createHash('sha256').update(sent).digest('hex'));
    expect(link.dropped).toBe(0);
  });

  test('a UDP super-segment becomes ten datagrams at a kernel socket', async () => {
    const link = openTun();
    const peer = new DevicePeer(link);
    peer.onDatagram = (localPort, remotePort) => {
      const header = new Uint8Array(28);
      const [source, destination] = [v4(OURS), v4(KERNEL)];
      writeIpv4(header, 0, 0, 28 + 9_500, 1, IPV4_DONT_FRAGMENT, 64, IPPROTO_UDP, source, destination);
      writeUdp(header, 20, localPort, remotePort, 8 + 9_500);
      sealPartial(
        header,
        20 + UDP_CHECKSUM_OFFSET,
        pseudoHeaderSumV4(source, destination, IPPROTO_UDP, 8 + 9_500),
      );
      link.transmit(
        transmitBatchOf({
          header,
          payload: new Uint8Array(9_500).fill(5),
          flags: FRAME_NEEDS_CSUM,
          csumStart: 20,
          csumOffset: UDP_CHECKSUM_OFFSET,
          gsoType: GSO_UDP_L4,
          gsoSize: 1_000,
        }),
      );
    };
    const { stdout } = await program(`
      const socket = require('dgram').createSocket('udp4');
      const lengths = [];
      socket.on('message', (data) => { lengths.push(data.length); if (lengths.length === 10) { console.log(lengths.join()); process.exit(0); } });
      socket.bind(5000, () => socket.send('go', 7, '${OURS}'));
      setTimeout(() => { console.log(lengths.join()); process.exit(3); }, 5000);`);
    expect(stdout.trim()).toBe([...Array(9).fill(1000), 500].join());
  });

  test('frames to an interface that is down are dropped and counted, and those after "up" arrive', async () => {
    const link = openTun();
    const peer = new DevicePeer(link);
    const echo = () =>
      transmitBatchOf({ header: new Uint8Array(0), payload: icmpPacket({ src: OURS, dst: KERNEL }) });
    link.device.isUp = false;
    expect(link.transmit(echo())).toBe(true);
    expect(link.dropped).toBe(1);
    link.device.isUp = true;
    expect(link.transmit(echo())).toBe(true);
    await settled(() => peer.frames.some(isEchoReply));
    expect(link.dropped).toBe(1);
  });

  test('a frame that the device dislikes is dropped alone: the others of its batch arrive', async () => {
    const link = openTun();
    const peer = new DevicePeer(link);
    const good = { header: new Uint8Array(0), payload: icmpPacket({ src: OURS, dst: KERNEL }) };
    link.transmit(transmitBatchOf(good, { header: Uint8Array.of(0x10, 0, 0, 0) }, good));
    await settled(() => peer.frames.filter(isEchoReply).length === 2);
    expect(link.dropped).toBe(1);
  });

  test('a hundred frames go out in one batch, in order', async () => {
    const link = openTun();
    const peer = new DevicePeer(link);
    const frames = Array.from({ length: 100 }, (_, sequence) => ({
      header: icmpPacket({ src: OURS, dst: KERNEL, echoId: 9, sequence }),
    }));
    expect(link.transmit(transmitBatchOf(...frames))).toBe(true);
    const replies = () => peer.frames.filter(isEchoReply);
    await settled(() => replies().length === 100);
    expect(replies().map(({ bytes }) => u16(bytes, 26))).toEqual(frames.map((_, i) => i));
  });

  test('a backlog at the device is read in bounded batches, and other work gets its turn in between', async () => {
    const link = openTun({ batchFrames: 16, batchesPerTurn: 2 });
    // 200 datagrams wait before anybody reads.
    space.exec(
      process.execPath,
      '-e',
      `const socket = require('dgram').createSocket('udp4'); let left = 200;
       const next = () => left-- === 0 ? process.exit() : socket.send('x', 7, '${OURS}', next);
       next();`,
    );
    const peer = new DevicePeer(link);
    const turns: number[] = [];
    let seen = 0;
    await settled(() => {
      turns.push(peer.batches.length - seen);
      seen = peer.batches.length;
      return peer.frames.filter(isUdp).length === 200;
    });
    expect(Math.max(...peer.batches)).toBe(16);
    expect(Math.max(...turns)).toBe(2);
    expect(turns.filter((count) => count > 0).length).toBeGreaterThanOrEqual(6);
  });

  test('an interface that is deleted ends the link with one EBADFD, and what is sent after that is counted', async () => {
    const link = openTun({ name: 'wskend' });
    const peer = new DevicePeer(link);
    space.exec('ip', 'link', 'delete', 'wskend');
    const frame = transmitBatchOf({ header: tcpPacket() });
    expect(link.transmit(frame)).toBe(true);
    expect(peer.failures).toEqual([]); // never from inside transmit
    await settled(() => peer.failures.length > 0);
    expect(link.transmit(frame)).toBe(true);
    expect(link.dropped).toBe(2);
    expect(peer.failures).toEqual([expect.objectContaining({ code: 'EBADFD' })]);
    expect(link.device.isClosed).toBe(true);
  });

  test.each([
    ['a header outside of the slab', { table: 0, value: 1_000_000 }],
    ['a negative offset', { table: 0, value: -1 }],
    ['a header longer than the slab', { table: 1, value: 65_000 }],
    ['a length of 2³¹ − 1 behind an offset', { table: 3, value: 0x7fffffff }],
    ['a payload outside of its array', { table: 2, value: 5 }],
    ['a second range outside of its array', { table: 5, value: 41 }],
    ['a checksum field behind the end', { table: 9, value: 59 }],
    ['a segment size of nothing', { table: 8, value: 0 }],
    ['an unknown kind of super-segment', { table: 7, value: 3 }],
    ['a segment size of more than 16 bits', { table: 8, value: 65_536 }],
  ])('%s is a RangeError and nothing is sent', async (_what, { table, value }) => {
    const link = openTun();
    const peer = new DevicePeer(link);
    const good = { header: icmpPacket({ src: OURS, dst: KERNEL }) };
    const batch = transmitBatchOf(good, {
      header: tcpPacket({ src: OURS, dst: KERNEL }),
      payload: new Uint8Array(20),
      flags: FRAME_NEEDS_CSUM,
      csumStart: 20,
      csumOffset: 16,
      gsoType: GSO_TCPV4,
      gsoSize: 10,
    });
    batch.table[12 + table] = value;
    expect(() => link.transmit(batch)).toThrow(expect.objectContaining({ name: 'RangeError' }));
    // Nor is the good frame before it, which the kernel would answer before the one sent now.
    link.transmit(transmitBatchOf({ header: icmpPacket({ src: OURS, dst: KERNEL, echoId: 77 }) }));
    await settled(() => peer.frames.some(isEchoReply));
    expect(u16(peer.frames.find(isEchoReply)?.bytes as Uint8Array, 24)).toBe(77);
  });

  test('whatever numbers a table holds, a write sends, refuses or throws a RangeError, and the device lives on', () => {
    const { device } = openTun();
    device.isUp = false; // what is well-formed by chance goes nowhere
    const number = fc.oneof(
      fc.integer({ min: -3, max: 200 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    const change = fc.tuple(fc.nat({ max: TX_COLUMNS - 1 }), number);
    // A good row with up to three cells changed: header 40, payload in two ranges, partial checksum, segments of 10.
    const row = fc.array(change, { maxLength: 3 }).map((changes) => {
      const cells = [0, 40, 10, 20, 0, 10, FRAME_NEEDS_CSUM, GSO_TCPV4, 10, 20, 16, 0];
      for (const [column, value] of changes) cells[column] = value;
      return cells;
    });
    let written = 0;
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.nat({ max: 300 }),
        (rows, payloadLength) => {
          const batch = transmitBatchOf(
            ...rows.map(() => ({ header: new Uint8Array(40), payload: new Uint8Array(payloadLength) })),
          );
          batch.table.set(rows.flat());
          try {
            written += device.writeBatch(batch);
          } catch (error) {
            expect(error).toMatchObject({ name: 'RangeError' });
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(0);
    expect(device.dropped).toBe(written);
  });

  test('more frames than the table has rows, or a payload that is no Uint8Array, is refused', () => {
    const { device } = openTun();
    const batch = transmitBatchOf({ header: tcpPacket(), payload: new Uint8Array(1) });
    batch.count = 2;
    expect(() => device.writeBatch(batch)).toThrow(expect.objectContaining({ name: 'RangeError' }));
    batch.count = 1;
    batch.payloads[0] = 'text' as never;
    expect(() => device.writeBatch(batch)).toThrow(expect.objectContaining({ name: 'TypeError' }));
    expect(() => device.writeBatch(batch, 2)).toThrow(expect.objectContaining({ name: 'RangeError' }));
  });

  test('an arena without room for the largest frame is refused', () => {
    const { device } = openTun();
    expect(() => device.readBatch(createFrameBatch(4, 65_599))).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    );
    expect(device.readBatch(createFrameBatch(4, 65_602))).toBeGreaterThanOrEqual(0);
  });
});

describePrivileged('TapLink and the kernel', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  test('frames start so that the IP header behind Ethernet is 4-aligned, and ask for our address', async () => {
    const link = openTap();
    const peer = new DevicePeer(link);
    await space.run(['ping', '-c1', '-W1', OURS]);
    expect(peer.frames.length).toBeGreaterThan(0);
    expect(peer.frames.filter(({ offset }) => (offset + 14) % 4 !== 0)).toEqual([]);
    const request = peer.frames.find(({ bytes }) => u16(bytes, 12) === 0x0806);
    expect(i32(request?.bytes as Uint8Array, 38)).toBe(v4(OURS));
  });

  test('our hardware address is another than the kernel’s, or the one given', () => {
    const link = openTap();
    const kernels = link.device.mac as Uint8Array;
    expect(link.mac).toHaveLength(6);
    expect(Array.from(link.mac as Uint8Array)).not.toEqual(Array.from(kernels));
    const given = openTap({ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), name: 'wsktap2' });
    expect(Array.from(given.mac as Uint8Array)).toEqual([2, 0, 0, 0, 0, 1]);
  });

  test('a link is of its device’s kind, and states the MTU that it set', () => {
    const link = openTap({ mtu: 9000 });
    expect([link.medium, link.mtu, link.offload, link.device.mtu]).toEqual([
      'ethernet',
      9000,
      OFFLOAD_ALL,
      9000,
    ]);
    expect(() => new TunLink(link.device)).toThrow(TypeError);
  });
});
