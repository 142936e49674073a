import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, GSO_TCPV4, GSO_UDP_L4 } from '../../../src/base/index.ts';
import { SegmentCutter } from '../../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  tcpOptions,
  tcpPacket,
  udpPacket,
} from '../../support/segment.ts';
import { complaints, describeTshark, pcapngOf, tsharkFields } from '../../support/tshark.ts';

const port = fc.integer({ min: 40_000, max: 60_000 });
const address = fc.tuple(
  fc.integer({ min: 1, max: 126 }),
  fc.nat(255),
  fc.nat(255),
  fc.integer({ min: 1, max: 254 }),
);
/** Letters: what looks like nothing that tshark knows and would look into. */
const payload = fc.uint8Array({ maxLength: 600 }).map((bytes) => bytes.map((byte) => 0x61 + (byte % 26)));
const network = {
  src: address.map((bytes) => bytes.join('.')),
  dst: address.map((bytes) => bytes.join('.')),
  ttl: fc.integer({ min: 1, max: 255 }),
  trafficClass: fc.nat(255),
  id: fc.nat(65_535),
  dontFragment: fc.boolean(),
};

/** Random values of a kind, always the same. */
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(arbitrary, { seed: 7, numRuns: count });

const segments = sample(
  fc.record({
    ...network,
    sourcePort: port,
    destinationPort: port,
    seq: fc.nat(0xffffffff),
    ack: fc.nat(0xffffffff),
    window: fc.nat(65_535),
    flags: fc.constantFrom('S', 'S.', '.', 'P.', 'F.', 'R.'),
    payload,
    timestamps: fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
  }),
  300,
);

describeTshark('tshark judges what the writers write', () => {
  test('300 random TCP segments: every field is read as it was written, no complaint', () => {
    const file = pcapngOf(
      segments.map(({ timestamps, payload, ...fields }) =>
        // A SYN or RST with data is unusual enough for an expert's note; it carries none here.
        tcpPacket({
          ...fields,
          payload: /[SR]/.test(fields.flags) ? '' : payload,
          options: tcpOptions({ timestamps }),
        }),
      ),
    );
    const rows = tsharkFields(file, [
      'ip.src',
      'ip.dst',
      'ip.ttl',
      'ip.dsfield',
      'ip.id',
      'ip.flags.df',
      'tcp.srcport',
      'tcp.dstport',
      'tcp.seq_raw',
      'tcp.ack_raw',
      'tcp.window_size_value',
      'tcp.options.timestamp.tsval',
      'tcp.options.timestamp.tsecr',
      'ip.checksum.status',
      'tcp.checksum.status',
    ]);
    expect(rows).toEqual(
      segments.map((s) => [
        s.src,
        s.dst,
        String(s.ttl),
        `0x${s.trafficClass.toString(16).padStart(2, '0')}`,
        `0x${s.id.toString(16).padStart(4, '0')}`,
        s.dontFragment ? '1' : '0',
        String(s.sourcePort),
        String(s.destinationPort),
        String(s.seq),
        String(s.ack),
        String(s.window),
        String(s.timestamps[0]),
        String(s.timestamps[1]),
        '1',
        '1',
      ]),
    );
  });

  test('300 random UDP datagrams, with and without checksum: no complaint, every byte of payload', () => {
    const datagrams = sample(
      fc.record({ ...network, sourcePort: port, destinationPort: port, payload, hasChecksum: fc.boolean() }),
      300,
    );
    const file = pcapngOf(datagrams.map((fields) => udpPacket(fields)));
    expect(complaints(file)).toEqual([]);
    const rows = tsharkFields(file, ['udp.srcport', 'udp.dstport', 'udp.length', 'udp.checksum.status']);
    expect(rows).toEqual(
      datagrams.map(({ sourcePort, destinationPort, payload, hasChecksum }) => [
        String(sourcePort),
        String(destinationPort),
        String(8 + payload.length),
        hasChecksum ? '1' : '3',
      ]),
    );
  });

  test('ICMP messages of every kind: no complaint', () => {
    const quoted = udpPacket({ payload: 40, destinationPort: 50_000 }).slice(0, 28);
    const messages = [
      icmpPacket({ echoId: 9, sequence: 1, payload: 56 }),
      icmpPacket({ type: 0, echoId: 9, sequence: 1, payload: 56, src: '10.0.0.2', dst: '10.0.0.1' }),
      ...[0, 1, 2, 3, 5, 9, 10, 13].map((code) => icmpPacket({ type: 3, code, rest: 0, payload: quoted })),
      icmpPacket({ type: 3, code: 4, rest: 1400, payload: quoted }),
      icmpPacket({ type: 11, code: 0, rest: 0, payload: quoted }),
      icmpPacket({ type: 12, code: 0, rest: 20 << 24, payload: quoted }),
    ];
    const file = pcapngOf(messages);
    expect(tsharkFields(file, ['icmp.checksum.status']).map(([status]) => status?.split(',')[0])).toEqual(
      messages.map(() => '1'),
    );
    expect(complaints(file)).toEqual([]);
    expect(tsharkFields(file, ['icmp.mtu'], '-Y', 'icmp.code == 4')).toEqual([['1400']]);
  });

  test('IP options: recognised by tshark as by us', () => {
    const options = [
      ['07 0b 04 00000000 00000000', '7'],
      ['44 0c 05 00 00000000 00000000', '68'],
      ['94 04 0000', '148'],
      ['83 07 04 0a000009', '131'],
    ] as const;
    const packets = options.map(([hex]) => ipv4Packet(253, new Uint8Array(8), { ipOptions: fromHex(hex) }));
    const rows = tsharkFields(pcapngOf(packets), ['ip.opt.type', 'ip.checksum.status']);
    expect(rows.map(([types, status]) => [types?.split(',')[0], status])).toEqual(
      options.map(([, type]) => [type, '1']),
    );
    expect(complaints(pcapngOf(packets))).toEqual([]);
  });

  test('TCP options of a SYN and SACK blocks are read as they were written', () => {
    const file = pcapngOf([
      tcpPacket({
        flags: 'S',
        seq: 1,
        options: tcpOptions({ mss: 8960, sackPermitted: true, timestamps: [1, 0], windowShift: 14 }),
      }),
      tcpPacket({
        ack: 5,
        seq: 2,
        options: tcpOptions({
          timestamps: [2, 1],
          sack: [
            [100, 200],
            [300, 400],
            [500, 600],
          ],
        }),
      }),
      tcpPacket({
        flags: 'S',
        sourcePort: 9,
        options: tcpOptions({ fastOpen: fromHex('0102030405060708') }),
      }),
    ]);
    const fields = ['mss_val', 'wscale.shift', 'sack_le', 'sack_re', 'tfo.cookie'];
    expect(
      tsharkFields(
        file,
        [...fields.map((field) => `tcp.options.${field}`), '_ws.malformed'],
        '-o',
        'tcp.relative_sequence_numbers:FALSE',
      ),
    ).toEqual([
      ['8960', '14', '', '', '', ''],
      ['', '', '100,300,500', '200,400,600', '', ''],
      ['', '', '', '', '0102030405060708', ''],
    ]);
  });

  test('a super-segment cut into packets is one stream without a gap or a complaint', () => {
    const cutter = new SegmentCutter();
    const packets: Uint8Array[] = [
      tcpPacket({ flags: 'S', seq: 999, sourcePort: 50_000, destinationPort: 50_001 }),
    ];
    packets.push(
      tcpPacket({
        flags: 'S.',
        seq: 499,
        ack: 1000,
        src: '10.0.0.2',
        dst: '10.0.0.1',
        sourcePort: 50_001,
        destinationPort: 50_000,
      }),
    );
    const whole = tcpPacket({
      flags: 'FP.',
      seq: 1000,
      ack: 500,
      sourcePort: 50_000,
      destinationPort: 50_001,
      payload: 60_000,
      id: 65_530,
    });
    for (let i = 0; i < cutter.begin(whole, 0, whole.length, 0, GSO_TCPV4, 1460); i++) {
      const packet = new Uint8Array(cutter.lengthOf(i));
      cutter.write(i, packet, 0);
      packets.push(packet);
    }
    const file = pcapngOf(packets);
    expect(complaints(file)).toEqual([]);
    expect(tsharkFields(file, ['frame.number'], '-Y', 'tcp.analysis.flags')).toEqual([]);
    const lengths = tsharkFields(file, ['tcp.len']).map(([length]) => Number(length));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(60_000);
  });

  test('UDP super-segments and Ethernet frames: no complaint', () => {
    const cutter = new SegmentCutter();
    const whole = ethernetFrame(udpPacket({ payload: 5000, sourcePort: 50_000, destinationPort: 50_001 }));
    const frames: Uint8Array[] = [ethernetFrame(tcpPacket({ flags: 'S' }))];
    for (let i = 0; i < cutter.begin(whole, 0, whole.length, 14, GSO_UDP_L4, 1472); i++) {
      const frame = new Uint8Array(cutter.lengthOf(i));
      cutter.write(i, frame, 0);
      frames.push(frame);
    }
    const file = pcapngOf(frames, 'ethernet');
    expect(complaints(file)).toEqual([]);
    expect(tsharkFields(file, ['udp.length', 'udp.checksum.status'], '-Y', 'udp')).toEqual([
      ['1480', '1'],
      ['1480', '1'],
      ['1480', '1'],
      ['592', '1'],
    ]);
  });

  test('the judge can tell: one bit turned in any word of a segment is complained of', () => {
    const packets = Array.from({ length: 28 }, (_, i) => {
      const packet = tcpPacket({ payload: 40, sourcePort: 50_000 + i, destinationPort: 50_100 });
      const at = 24 + i * 2;
      packet[at] = (packet[at] as number) ^ 0x10;
      return packet;
    });
    expect(complaints(pcapngOf(packets)).length).toBe(packets.length);
  });
});
