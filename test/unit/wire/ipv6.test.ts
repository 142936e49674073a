import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../src/base/index.ts';
import {
  DropReason,
  formatFrame,
  IcmpV6Header,
  IcmpV6Problem,
  IcmpV6Type,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_DESTINATION_OPTIONS,
  IPV6_HOP_BY_HOP,
  IPV6_NO_NEXT_HEADER,
  IPV6_ROUTING,
  Ipv6Extensions,
  Ipv6Header,
  MAX_EXTENSION_HEADERS,
  parseIcmpV6,
  parseIpv6,
  parseQuotedIpv6,
  skipIpv6Extensions,
  walkIpv6Extensions,
  writeIpv6,
} from '../../../src/wire/index.ts';
import {
  destinationOptions,
  type ExtensionFields,
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  readPacket6,
  tcp6Packet,
  udp6Packet,
  v6,
} from '../../support/segment6.ts';

const PAYLOAD = Uint8Array.from({ length: 24 }, (_, i) => i);

function parse(bytes: Uint8Array): { readonly reason: DropReason; readonly header: Ipv6Header } {
  const header = new Ipv6Header();
  return { reason: parseIpv6(bytes, 0, bytes.length, header), header };
}

function walk(bytes: Uint8Array): { readonly reason: DropReason; readonly chain: Ipv6Extensions } {
  const { header } = parse(bytes);
  const chain = new Ipv6Extensions();
  return { reason: walkIpv6Extensions(bytes, header, chain), chain };
}

const withExtensions = (...extensions: ExtensionFields[]): Uint8Array =>
  ipv6Packet(IPPROTO_UDP, PAYLOAD, { extensions });

describe('RFC 8200 §3 the header', () => {
  test('every field is written where the figure has it', () => {
    const into = new Uint8Array(40);
    expect(writeIpv6(into, 0, 0xa5, 0x12345, 0x0102, 17, 63, v6('2001:db8::1'), v6('fe80::2'))).toBe(40);
    expect(toHex(into)).toBe(
      '6a512345' + // version, traffic class, flow label
        '0102113f' + // payload length, next header, hop limit
        '20010db8000000000000000000000001' +
        'fe800000000000000000000000000002',
    );
  });

  test('what was written is read', () => {
    const packet = ipv6Packet(99, PAYLOAD, {
      trafficClass: 0xfc,
      flowLabel: 0xfffff,
      hops: 255,
      src: '1::2:3',
    });
    const { reason, header } = parse(packet);
    expect(reason).toBe(DropReason.none);
    expect(header).toMatchObject({
      trafficClass: 0xfc,
      flowLabel: 0xfffff,
      hopLimit: 255,
      nextHeader: 99,
      src0: 0x10000,
      src3: 0x20003,
      payloadAt: 40,
      end: packet.length,
    });
  });

  test('link padding is past the end', () => {
    const packet = new Uint8Array([...ipv6Packet(99, PAYLOAD), 0, 0, 0, 0]);
    expect(parse(packet).header.end).toBe(40 + PAYLOAD.length);
  });

  test.each([
    ['cut in the header', (p: Uint8Array) => p.subarray(0, 39), DropReason.ipv6Truncated],
    ['of version 5', (p: Uint8Array) => Uint8Array.of(0x50, ...p.subarray(1)), DropReason.ipVersion],
    ['cut behind the header', (p: Uint8Array) => p.subarray(0, p.length - 1), DropReason.ipv6PayloadLength],
  ])('a packet %s is refused', (_name, change, reason) => {
    expect(parse(change(ipv6Packet(99, PAYLOAD))).reason).toBe(reason);
  });
});

describe('RFC 8200 §4 extension headers', () => {
  test('the chain leads to the upper layer, and says where that is named', () => {
    const packet = withExtensions(hopByHop(5, 2, 0, 0), destinationOptions(), fragmentHeader(0, false));
    const { reason, chain } = walk(packet);
    expect(reason).toBe(DropReason.none);
    expect(chain).toMatchObject({ protocol: IPPROTO_UDP, payloadAt: 64, protocolAt: 56, routerAlert: 0 });
  });

  test('without extension headers it is the payload', () => {
    expect(walk(ipv6Packet(99, PAYLOAD)).chain).toMatchObject({ protocol: 99, payloadAt: 40, protocolAt: 6 });
  });

  test('RFC 8200 §4.7: no next header is where the chain ends', () => {
    const packet = ipv6Packet(IPV6_NO_NEXT_HEADER, PAYLOAD, { extensions: [destinationOptions()] });
    expect(walk(packet)).toMatchObject({ reason: 0, chain: { protocol: IPV6_NO_NEXT_HEADER } });
  });

  test('§4.1: hop-by-hop options anywhere but first are an unknown header, at the field that names them', () => {
    const { reason, chain } = walk(withExtensions(destinationOptions(), hopByHop()));
    expect(reason).toBe(DropReason.ipv6ExtensionOrder);
    expect(chain).toMatchObject({ problemCode: IcmpV6Problem.nextHeader, problemPointer: 40 });
  });

  test.each([
    [0x1e, DropReason.none, -1, false],
    [0x5e, DropReason.ipv6OptionUnknown, -1, false],
    [0x9e, DropReason.ipv6OptionUnknown, IcmpV6Problem.option, true],
    [0xde, DropReason.ipv6OptionUnknown, IcmpV6Problem.option, false],
  ])(
    '§4.2: an unknown option of type %i does what its two highest bits say',
    (type, reason, code, forGroups) => {
      for (const extension of [hopByHop(type, 0), destinationOptions(type, 0)]) {
        const walked = walk(withExtensions(extension));
        expect(walked.reason).toBe(reason);
        expect(walked.chain).toMatchObject({
          problemCode: code,
          isProblemForGroups: forGroups,
          problemPointer: code < 0 ? 0 : 42,
        });
      }
    },
  );

  test('§4.4, RFC 5095: a routing header of any type is refused while segments are left, and else passed over', () => {
    const routing = (type: number, left: number): ExtensionFields => ({
      protocol: IPV6_ROUTING,
      bytes: Uint8Array.of(0, 2, type, left, ...new Uint8Array(20)),
    });
    for (const type of [0, 2, 3, 4, 253]) {
      const { reason, chain } = walk(withExtensions(routing(type, 1)));
      expect(reason).toBe(DropReason.ipv6Routing);
      expect(chain).toMatchObject({ problemCode: IcmpV6Problem.headerField, problemPointer: 42 });
      expect(walk(withExtensions(routing(type, 0)))).toMatchObject({ reason: 0, chain: { payloadAt: 64 } });
    }
  });

  test.each([
    [
      'more headers than are looked at',
      Array.from({ length: 9 }, () => destinationOptions()),
      IcmpV6Problem.tooManyHeaders,
    ],
    [
      'a chain that is too long',
      [
        destinationOptions(0x1e, 250, ...PAYLOAD, ...new Uint8Array(226)),
        destinationOptions(0x1e, 250, ...new Uint8Array(250)),
        destinationOptions(),
      ],
      IcmpV6Problem.chainTooLong,
    ],
    [
      'more options in a header than are looked at',
      [destinationOptions(...Array.from({ length: 9 }, () => [0x1e, 0]).flat())],
      IcmpV6Problem.tooManyOptions,
    ],
    [
      'more padding than aligns anything',
      [destinationOptions(1, 6, 0, 0, 0, 0, 0, 0)],
      IcmpV6Problem.optionTooBig,
    ],
    [
      'as much padding in single bytes',
      [destinationOptions(...new Uint8Array(14))],
      IcmpV6Problem.optionTooBig,
    ],
  ])('RFC 8504 §5.3: %s', (_name, extensions, code) => {
    const { reason, chain } = walk(withExtensions(...extensions));
    expect(reason).toBe(DropReason.ipv6ExtensionLimit);
    expect(chain.problemCode).toBe(code);
  });

  test('as many headers as are looked at are walked', () => {
    const extensions = Array.from({ length: MAX_EXTENSION_HEADERS }, () => destinationOptions());
    expect(walk(withExtensions(...extensions)).reason).toBe(DropReason.none);
  });

  test.each([
    ['a header past the end', Uint8Array.of(0, 4, 1, 4, 0, 0, 0, 0)],
    ['an option past its header', Uint8Array.of(0, 0, 0x1e, 5, 0, 0, 0, 0)],
    ['an option without a length', Uint8Array.of(0, 0, 0x1e, 3, 0, 0, 0, 0x1e)],
  ])('%s is malformed', (_name, bytes) => {
    const packet = ipv6Packet(99, new Uint8Array(8), {
      extensions: [{ protocol: IPV6_DESTINATION_OPTIONS, bytes }],
    });
    expect(walk(packet).reason).toBe(DropReason.ipv6Extension);
  });

  test('a chain that the packet ends in is malformed, wherever it ends', () => {
    const whole = withExtensions(hopByHop(5, 2, 0, 0), destinationOptions());
    for (let end = 41; end < 56; end++) {
      const cut = whole.slice(0, end);
      cut[5] = end - 40;
      expect(walk(cut).reason).toBe(DropReason.ipv6Extension);
    }
  });

  test('RFC 2711: a router alert has two bytes, in hop-by-hop options', () => {
    expect(walk(withExtensions(hopByHop(5, 2, 0x12, 0x34))).chain.routerAlert).toBe(0x1234);
    expect(walk(withExtensions(hopByHop(5, 3, 0, 0, 0))).reason).toBe(DropReason.ipv6Extension);
    expect(walk(withExtensions(destinationOptions(5, 2, 0, 0))).chain.routerAlert).toBe(-1);
  });
});

describe('RFC 8200 §4.5 fragment headers', () => {
  test('the walk ends at a fragment header, which says what is carried', () => {
    const packet = withExtensions(hopByHop(5, 2, 0, 0), fragmentHeader(1448, true, 0x12345678));
    expect(walk(packet)).toMatchObject({
      reason: DropReason.none,
      chain: {
        isFragment: true,
        fragmentAt: 48,
        fragmentNamedAt: 40,
        fragmentOffset: 1448,
        moreFragments: true,
        id: 0x12345678,
        protocol: IPPROTO_UDP,
        payloadAt: 56,
      },
    });
  });

  test('RFC 6946: a fragment that is all of its packet is none', () => {
    expect(walk(withExtensions(fragmentHeader(0, false))).chain.isFragment).toBe(false);
  });

  test('a second fragment header is refused', () => {
    expect(walk(withExtensions(fragmentHeader(0, false), fragmentHeader(0, false))).reason).toBe(
      DropReason.ipv6ExtensionOrder,
    );
  });

  test.each([
    ['TCP header', IPPROTO_TCP, 19, 20],
    ['UDP header', IPPROTO_UDP, 7, 8],
    ['header of destination options', IPV6_DESTINATION_OPTIONS, 15, 24],
  ])('RFC 7112 §5: a first fragment has the whole %s', (_name, protocol, short, enough) => {
    const first = (length: number): Uint8Array => {
      const body = new Uint8Array(length);
      if (protocol === IPV6_DESTINATION_OPTIONS) body.set([IPPROTO_UDP, 1, 1, 4]);
      return ipv6Packet(protocol, body, { extensions: [fragmentHeader(0, true)] });
    };
    const refused = walk(first(short));
    expect(refused.reason).toBe(DropReason.ipv6HeaderChain);
    expect(refused.chain).toMatchObject({ problemCode: IcmpV6Problem.incompleteChain, problemPointer: 0 });
    expect(walk(first(enough)).reason).toBe(DropReason.none);
  });
});

describe('RFC 4443 §3 quotes', () => {
  test('the upper layer of a quoted packet is found behind its extension headers, cut or not', () => {
    const packet = withExtensions(hopByHop(0xde, 0), fragmentHeader(0, true));
    const header = new Ipv6Header();
    const chain = new Ipv6Extensions();
    expect(parseQuotedIpv6(packet, 0, 64, header)).toBe(DropReason.none);
    expect(skipIpv6Extensions(packet, header, chain)).toBe(DropReason.none);
    expect(chain).toMatchObject({ protocol: IPPROTO_UDP, payloadAt: 56 });
    expect(header.end).toBe(64);
  });

  test.each([
    ['a later fragment', withExtensions(fragmentHeader(8, true)), DropReason.icmpQuoteUnknown],
    [
      'a chain that is cut',
      withExtensions(hopByHop(), hopByHop()).subarray(0, 50),
      DropReason.ipv6HeaderChain,
    ],
  ])('%s names no upper layer', (_name, packet, reason) => {
    const header = new Ipv6Header();
    parseQuotedIpv6(packet, 0, packet.length, header);
    expect(skipIpv6Extensions(packet, header, new Ipv6Extensions())).toBe(reason);
  });

  test('a quote that is no IPv6 header is refused', () => {
    const packet = ipv6Packet(99, PAYLOAD);
    expect(parseQuotedIpv6(packet, 0, 39, new Ipv6Header())).toBe(DropReason.icmpTruncated);
    packet[0] = 0x45;
    expect(parseQuotedIpv6(packet, 0, 60, new Ipv6Header())).toBe(DropReason.icmpQuoteUnknown);
  });
});

describe('RFC 4443 §2 ICMPv6 messages', () => {
  test('the checksum covers the addresses', () => {
    const packet = icmp6Packet({ payload: 'abc' });
    expect(readPacket6(packet)).toMatchObject({ type: IcmpV6Type.echoRequest, rest: 0x10001 });
    packet[39] = 3;
    expect(() => readPacket6(packet)).toThrow('icmpChecksum');
  });

  test('a message shorter than a header is refused', () => {
    expect(parseIcmpV6(new Uint8Array(7), 0, 7, 0, new IcmpV6Header())).toBe(DropReason.icmpTruncated);
  });

  test('RFC 4884 §4.5: the length of a quote is in units of eight bytes', () => {
    const message = new Uint8Array(8 + 128 + 8);
    message.set([IcmpV6Type.timeExceeded, 0, 0, 0, 16]);
    let sum = 0;
    for (let i = 0; i < message.length; i += 2)
      sum += ((message[i] as number) << 8) | (message[i + 1] as number);
    const header = new IcmpV6Header();
    expect(parseIcmpV6(message, 0, message.length, 0xffff - sum, header)).toBe(DropReason.none);
    expect(header).toMatchObject({ payloadAt: 8, quoteEnd: 136, end: 144 });
  });
});

describe('formatFrame', () => {
  const line = (packet: Uint8Array): string => formatFrame(packet, 0, packet.length, 'ip');
  const packets: [string, Uint8Array, string][] = [
    ['UDP', udp6Packet({ payload: 5 }), 'IP6 fd00::1.1025 > fd00::2.53: UDP, length 5'],
    [
      'TCP',
      tcp6Packet({ flags: 'S', seq: 7, window: 100 }),
      'IP6 fd00::1.1025 > fd00::2.80: Flags [S], seq 7, win 100, length 0',
    ],
    [
      'an echo request',
      icmp6Packet({ payload: 8 }),
      'IP6 fd00::1 > fd00::2: ICMP6, echo request, id 1, seq 1, length 16',
    ],
    [
      'packet too big',
      icmp6Packet({ type: 2, rest: 1280, payload: 8 }),
      'IP6 fd00::1 > fd00::2: ICMP6, packet too big, mtu 1280, length 16',
    ],
    [
      'port unreachable',
      icmp6Packet({ type: 1, code: 4, rest: 0, payload: udp6Packet({ payload: 2 }) }),
      'IP6 fd00::1 > fd00::2: ICMP6, destination unreachable, unreachable port, fd00::2 udp port 53, length 58',
    ],
    [
      'a parameter problem',
      icmp6Packet({ type: 4, code: 1, rest: 40, payload: 8 }),
      'IP6 fd00::1 > fd00::2: ICMP6, parameter problem, next header - octet 40, length 16',
    ],
    [
      'a neighbor solicitation',
      icmp6Packet({ type: 135, rest: 0, payload: fromHex('fe800000000000000000000000000001') }),
      'IP6 fd00::1 > fd00::2: ICMP6, neighbor solicitation, who has fe80::1, length 24',
    ],
    [
      'extension headers',
      icmp6Packet({ type: 131, rest: 0, extensions: [hopByHop(5, 2, 0, 0)] }),
      'IP6 fd00::1 > fd00::2: HBH ICMP6, multicast listener report, length 8',
    ],
    [
      'a later fragment',
      withExtensions(fragmentHeader(1448, true, 7)),
      'IP6 fd00::1 > fd00::2: frag 7:24@1448+',
    ],
    [
      'a first fragment',
      ipv6Packet(IPPROTO_UDP, Uint8Array.of(4, 1, 0, 53, 4, 8, 0, 0), {
        extensions: [fragmentHeader(0, true, 7)],
      }),
      'IP6 fd00::1.1025 > fd00::2.53: UDP, length 1024 (frag 7:8@0+)',
    ],
    [
      'no payload',
      ipv6Packet(IPV6_NO_NEXT_HEADER, new Uint8Array(0)),
      'IP6 fd00::1 > fd00::2: no next header',
    ],
    ['another protocol', ipv6Packet(132, PAYLOAD), 'IP6 fd00::1 > fd00::2: ip-proto-132 24'],
    [
      'what is malformed',
      ipv6Packet(IPV6_HOP_BY_HOP, new Uint8Array(4)),
      'IP6 fd00::1 > fd00::2: malformed (ipv6Extension), length 4',
    ],
    ['a cut header', ipv6Packet(99, PAYLOAD).subarray(0, 20), 'IP6 malformed (ipv6Truncated), length 20'],
  ];

  test.each(packets)('%s', (_name, packet, text) => {
    expect(line(packet)).toBe(text);
  });
});
