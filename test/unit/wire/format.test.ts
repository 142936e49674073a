import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, type Medium } from '../../../src/base/index.ts';
import { formatFrame, formatTcpFlags, formatTcpOptions } from '../../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  tcpOptions,
  tcpPacket,
  udpPacket,
} from '../../support/segment.ts';
import { describeTshark, pcapngOf, tcpdump } from '../../support/tshark.ts';
import { arpReply, arpRequest, OWN_MAC, PEER_MAC } from '../stack/neighbor/support.ts';

const format = (bytes: Uint8Array, medium: Medium = 'ip'): string =>
  formatFrame(bytes, 0, bytes.length, medium);

/** The start of a packet, as an ICMP error quotes it. */
const quote = (packet: Uint8Array): Uint8Array => packet.slice(0, 28);

/** One of every kind that tcpdump says in the same words. */
const SAME_AS_TCPDUMP: readonly (readonly [string, Uint8Array])[] = [
  [
    'a SYN with all its options',
    tcpPacket({
      flags: 'S',
      seq: 0xfedcba98,
      sourcePort: 49_152,
      destinationPort: 7,
      options: tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [4_000_000_000, 0], windowShift: 8 }),
    }),
  ],
  [
    'a SYN-ACK',
    tcpPacket({ flags: 'S.', seq: 1, ack: 0xffffffff, sourcePort: 7, options: tcpOptions({ mss: 536 }) }),
  ],
  ['data', tcpPacket({ flags: 'P.', seq: 4_294_967_290, ack: 9, payload: 100, destinationPort: 9 })],
  ['a bare ACK', tcpPacket({ flags: '.', ack: 77, window: 0 })],
  ['a FIN', tcpPacket({ flags: 'F.', seq: 5, ack: 6 })],
  ['a RST', tcpPacket({ flags: 'R', seq: 5, window: 0 })],
  ['a RST with ACK', tcpPacket({ flags: 'R.', seq: 5, ack: 1 })],
  ['urgent data', tcpPacket({ flags: 'P.U', urgentPointer: 3, payload: 5, destinationPort: 9 })],
  ['ECN bits', tcpPacket({ flags: 'S.EW' })],
  ['no flags at all', tcpPacket({ flags: 0 })],
  [
    'SACK blocks beside timestamps',
    tcpPacket({
      ack: 1,
      options: tcpOptions({
        timestamps: [1, 2],
        sack: [
          [10, 20],
          [4_294_967_290, 5],
        ],
      }),
    }),
  ],
  [
    'a Fast Open cookie',
    tcpPacket({ flags: 'S', options: tcpOptions({ fastOpen: fromHex('0102030405060708') }) }),
  ],
  [
    'a request for a Fast Open cookie',
    tcpPacket({ flags: 'S', options: tcpOptions({ fastOpen: new Uint8Array(0) }) }),
  ],
  ['an unknown option and End of Option List', tcpPacket({ options: fromHex('4d04abcd 00000000') })],
  ['UDP', udpPacket({ payload: 33, destinationPort: 9 })],
  ['UDP without payload', udpPacket({ destinationPort: 9 })],
  ['an echo request', icmpPacket({ echoId: 65_535, sequence: 3, payload: 56 })],
  ['an echo reply', icmpPacket({ type: 0, echoId: 1, sequence: 65_535, payload: 56 })],
  ['net unreachable', icmpPacket({ type: 3, code: 0, rest: 0, payload: quote(udpPacket()) })],
  [
    'host unreachable',
    icmpPacket({ type: 3, code: 1, rest: 0, payload: quote(udpPacket({ dst: '192.0.2.9' })) }),
  ],
  [
    'protocol unreachable',
    icmpPacket({ type: 3, code: 2, rest: 0, payload: quote(ipv4Packet(132, new Uint8Array(8))) }),
  ],
  [
    'UDP port unreachable',
    icmpPacket({ type: 3, code: 3, rest: 0, payload: quote(udpPacket({ destinationPort: 9 })) }),
  ],
  [
    'TCP port unreachable',
    icmpPacket({ type: 3, code: 3, rest: 0, payload: quote(tcpPacket({ destinationPort: 9 })) }),
  ],
  ['fragmentation needed', icmpPacket({ type: 3, code: 4, rest: 1400, payload: quote(tcpPacket()) })],
  [
    'fragmentation needed from an old router',
    icmpPacket({ type: 3, code: 4, rest: 0, payload: quote(tcpPacket()) }),
  ],
  ['admin prohibited', icmpPacket({ type: 3, code: 13, rest: 0, payload: quote(tcpPacket()) })],
  ['time exceeded', icmpPacket({ type: 11, code: 0, rest: 0, payload: quote(udpPacket()) })],
  ['reassembly time exceeded', icmpPacket({ type: 11, code: 1, rest: 0, payload: quote(udpPacket()) })],
  ['a redirect', icmpPacket({ type: 5, code: 1, rest: 0xc0a80001 | 0, payload: quote(udpPacket()) })],
  ['a parameter problem', icmpPacket({ type: 12, code: 0, rest: 20 << 24, payload: quote(udpPacket()) })],
  ['source quench', icmpPacket({ type: 4, code: 0, rest: 0, payload: quote(udpPacket()) })],
];

describeTshark('formatFrame says what tcpdump says', () => {
  const lines = tcpdump(pcapngOf(SAME_AS_TCPDUMP.map(([, packet]) => packet)));
  test.each(SAME_AS_TCPDUMP.map(([name, packet], i) => [name, packet, i] as const))(
    '%s',
    (_name, packet, i) => {
      expect(format(packet)).toBe(lines[i]);
    },
  );

  test('an Ethernet frame is described by what it carries', () => {
    const frame = ethernetFrame(udpPacket({ payload: 3, destinationPort: 9 }));
    expect(format(frame, 'ethernet')).toBe(tcpdump(pcapngOf([frame], 'ethernet'))[0]);
  });
});

const ARP_FRAMES: readonly (readonly [string, Uint8Array])[] = [
  ['an ARP request', arpRequest()],
  ['an ARP request to one station', arpRequest({ to: PEER_MAC, targetMac: OWN_MAC })],
  ['an ARP reply', arpReply()],
  ['an ARP probe', arpRequest({ sender: '0.0.0.0' })],
  ['an ARP announcement', arpRequest({ target: '10.0.0.1' })],
];

describeTshark('formatFrame says of ARP what tcpdump says', () => {
  const lines = tcpdump(
    pcapngOf(
      ARP_FRAMES.map(([, frame]) => frame),
      'ethernet',
    ),
  );
  test.each(ARP_FRAMES.map(([name, frame], i) => [name, frame, i] as const))('%s', (_name, frame, i) => {
    expect(format(frame, 'ethernet')).toBe(lines[i]);
  });
});

describe('formatFrame', () => {
  test.each([
    ['an IP packet cut short', tcpPacket().slice(0, 12), 'IP malformed (ipTruncated), length 12'],
    ['a wrong IP checksum', tcpPacket().fill(9, 10, 11), 'IP malformed (ipChecksum), length 40'],
    [
      'a TCP header cut short',
      ipv4Packet(6, new Uint8Array(12)),
      'IP 10.0.0.1.0 > 10.0.0.2.0: truncated-tcp 12',
    ],
    [
      'a protocol without a codec',
      ipv4Packet(253, new Uint8Array(12)),
      'IP 10.0.0.1 > 10.0.0.2: ip-proto-253 12',
    ],
    ['ports cut short', ipv4Packet(17, new Uint8Array(3)), 'IP 10.0.0.1 > 10.0.0.2: truncated-udp 3'],
    [
      'a bad UDP length',
      ipv4Packet(17, new Uint8Array(8)),
      'IP 10.0.0.1.0 > 10.0.0.2.0: malformed (udpLength)',
    ],
    [
      'a later fragment',
      ipv4Packet(17, new Uint8Array(16), { fragmentOffset: 1480, id: 7 }),
      'IP 10.0.0.1 > 10.0.0.2: frag 7:16@1480',
    ],
    [
      'a first fragment',
      (() => {
        const whole = udpPacket({ payload: 100, destinationPort: 9 });
        return ipv4Packet(17, whole.slice(20, 52), { moreFragments: true, id: 7 });
      })(),
      'IP 10.0.0.1.1025 > 10.0.0.2.9: UDP, length 100 (frag 7:32@0+)',
    ],
    [
      'IPv6',
      fromHex(
        `60000000 0008 11 40 ${'20010db8000000000000000000000001'} ${'20010db8000000000000000000000002'} 0000000000080000`,
      ),
      'IP6 2001:db8::1.0 > 2001:db8::2.0: UDP, length 0',
    ],
    [
      'a wrong ICMP checksum',
      icmpPacket().fill(7, 24, 25),
      'IP 10.0.0.1 > 10.0.0.2: ICMP type 8 code 0 (wrong icmp cksum), length 8',
    ],
    [
      'an ICMP message cut short',
      ipv4Packet(1, new Uint8Array(4)),
      'IP 10.0.0.1 > 10.0.0.2: ICMP truncated, length 4',
    ],
    [
      'an error that quotes nothing',
      icmpPacket({ type: 3, code: 3, rest: 0 }),
      'IP 10.0.0.1 > 10.0.0.2: ICMP ? port ? unreachable, length 8',
    ],
  ])('%s', (_name, packet, text) => {
    expect(format(packet)).toBe(text);
  });

  test.each([
    [
      'another EtherType',
      ethernetFrame(new Uint8Array(28), 'ffffffffffff', '020000000001', 0x88cc),
      '02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype 0x88cc, length 42',
    ],
    [
      'ARP of another network',
      ethernetFrame(new Uint8Array(28), 'ffffffffffff', '020000000001', 0x0806),
      'ARP, not for IPv4 over Ethernet, length 28',
    ],
    [
      'ARP cut short',
      ethernetFrame(new Uint8Array(27), 'ffffffffffff', '020000000001', 0x0806),
      'ARP, truncated, length 27',
    ],
    [
      'an 802.3 frame',
      ethernetFrame(new Uint8Array(38), '0180c2000000', '020000000001', 38),
      '02:00:00:00:00:01 > 01:80:c2:00:00:00, 802.3, length 52',
    ],
    ['a frame cut short', new Uint8Array(9), 'malformed (frameTruncated), length 9'],
  ])('%s', (_name, frame, text) => {
    expect(format(frame, 'ethernet')).toBe(text);
  });

  test('only the range that was given is described', () => {
    const packet = udpPacket({ payload: 3, destinationPort: 9 });
    const arena = new Uint8Array(packet.length + 20).fill(0x45);
    arena.set(packet, 8);
    expect(formatFrame(arena, 8, packet.length, 'ip')).toBe(format(packet));
  });

  test('flags and options can be written alone', () => {
    expect([formatTcpFlags(0), formatTcpFlags(0xff)]).toEqual(['none', 'FSRP.UEW']);
    expect(formatTcpOptions(fromHex('02 00 0000'), 0, 4)).toBe('[bad opt 2]');
    expect(formatTcpOptions(fromHex('fe04f989'), 0, 4)).toBe('exp-tfo cookiereq');
    expect(formatTcpOptions(fromHex('1e02'), 0, 2)).toBe('unknown-30');
    expect(formatTcpOptions(fromHex('0203 01'), 0, 3)).toBe('unknown-2 0x01');
  });

  test('no bytes make it throw, and it is always one line', () => {
    const packet = fc.constantFrom(...SAME_AS_TCPDUMP.map(([, bytes]) => bytes), new Uint8Array(60));
    const change = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(
        packet,
        change,
        fc.nat(90),
        fc.constantFrom<Medium>('ip', 'ethernet'),
        (bytes, changes, length, medium) => {
          const changed = bytes.slice(0, length);
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
          expect(format(changed, medium)).toMatch(/^[^\n]+$/);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
