import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY, fromHex, putU16, u16 } from '../../../src/base/index.ts';
import {
  checksum,
  DROP_REASON_COUNT,
  DROP_REASON_INFO,
  DropReason,
  dropReasonInfo,
  dropReasons,
  ETHERTYPE_IPV4,
  EthernetHeader,
  IcmpV4Header,
  IcmpV4Type,
  IPPROTO_UDP,
  Ipv4Header,
  icmpEchoWord,
  isIcmpV4Error,
  isUdpChecksumRight,
  parseEthernet,
  parseIcmpV4,
  parseQuotedIpv4,
  parseUdp,
  pseudoHeaderSumV4,
  quotedEchoId,
  sealUdp,
  sumBytes,
  UdpHeader,
  writeEthernet,
  writeIcmpV4,
  writeUdp,
} from '../../../src/wire/index.ts';
import { icmpPacket, udpPacket } from '../../support/segment.ts';

describe('RFC 894 Ethernet II', () => {
  const parse = (hex: string) => {
    const bytes = fromHex(hex);
    const header = new EthernetHeader();
    return { verdict: parseEthernet(bytes, 0, bytes.length, header), header };
  };

  test('what is written is read back, at any place of an array', () => {
    const high = fc.nat(65_535);
    fc.assert(
      fc.property(
        high,
        fc.integer(),
        high,
        fc.integer(),
        fc.integer({ min: 0x8101, max: 0xffff }),
        fc.nat(9),
        (dh, dl, sh, sl, type, at) => {
          const bytes = new Uint8Array(at + 14 + 5);
          expect(writeEthernet(bytes, at, dh, dl, sh, sl, type)).toBe(at + 14);
          const header = new EthernetHeader();
          expect(parseEthernet(bytes, at, bytes.length, header)).toBe(DropReason.none);
          expect(header).toMatchObject({
            destinationHigh: dh,
            destinationLow: dl,
            sourceHigh: sh,
            sourceLow: sl,
            etherType: type,
            vlan: -1,
            payloadAt: at + 14,
          });
        },
      ),
    );
  });

  test('addresses are in the order destination, source', () => {
    const { header } = parse('010203040506 0a0b0c0d0e0f 0800');
    expect(header).toMatchObject({ destinationHigh: 0x0102, destinationLow: 0x03040506, sourceHigh: 0x0a0b });
  });

  test.each([
    ['ffffffffffff', true, true],
    ['01005e000001', true, false],
    ['333300000001', true, false],
    ['020000000001', false, false],
  ])('destination %s: group %s, broadcast %s', (mac, isGroup, isBroadcast) => {
    const { header } = parse(`${mac} 020000000002 0800`);
    expect([header.isGroup, header.isBroadcast]).toEqual([isGroup, isBroadcast]);
  });

  test('802.1Q the type behind a tag counts, and the tag is told', () => {
    const { verdict, header } = parse('020000000001 020000000002 8100 6005 0800 45');
    expect(verdict).toBe(DropReason.none);
    expect(header).toMatchObject({ etherType: ETHERTYPE_IPV4, vlan: 5, payloadAt: 18 });
  });

  test('a tag does not stay in a reused header object', () => {
    const header = new EthernetHeader();
    const tagged = fromHex('020000000001 020000000002 8100 0005 0800');
    parseEthernet(tagged, 0, tagged.length, header);
    const plain = fromHex('020000000001 020000000002 0800');
    parseEthernet(plain, 0, plain.length, header);
    expect(header).toMatchObject({ vlan: -1, payloadAt: 14 });
  });

  test.each([
    ['13 bytes', '020000000001 020000000002 08'],
    ['a tag cut short', '020000000001 020000000002 8100 0005 08'],
    ['nothing', ''],
  ])('%s is frameTruncated', (_name, hex) => {
    expect(parse(hex).verdict).toBe(DropReason.frameTruncated);
  });

  test('an 802.3 length in the place of a type is etherTypeUnknown', () => {
    expect(parse('0180c2000000 020000000002 05ff 4242').verdict).toBe(DropReason.etherTypeUnknown);
    expect(parse('0180c2000000 020000000002 0600').verdict).toBe(DropReason.none);
  });
});

describe('RFC 768 UDP', () => {
  const datagram = (length: number, total: number): Uint8Array => {
    const bytes = new Uint8Array(total);
    writeUdp(bytes, 0, 1025, 53, length);
    return bytes;
  };
  const parse = (bytes: Uint8Array) => {
    const header = new UdpHeader();
    return { verdict: parseUdp(bytes, 0, bytes.length, header), header };
  };

  test('what is written is read back and verifies, at any place of an array', () => {
    fc.assert(
      fc.property(
        fc.nat(65_535),
        fc.nat(65_535),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(9),
        fc.integer(),
        (from, to, payload, at, src) => {
          const bytes = new Uint8Array(at + 8 + payload.length);
          expect(writeUdp(bytes, at, from, to, 8 + payload.length)).toBe(at + 8);
          bytes.set(payload, at + 8);
          const pseudo = pseudoHeaderSumV4(src, ~src, IPPROTO_UDP, 8 + payload.length);
          sealUdp(bytes, at, sumBytes(payload, 0, payload.length, pseudo));
          const header = new UdpHeader();
          expect(parseUdp(bytes, at, bytes.length, header)).toBe(DropReason.none);
          expect(header).toMatchObject({
            sourcePort: from,
            destinationPort: to,
            payloadAt: at + 8,
            end: bytes.length,
          });
          expect(header.checksum).not.toBe(0);
          expect(isUdpChecksumRight(bytes, at, header, pseudo)).toBe(true);
          expect(isUdpChecksumRight(bytes, at, header, pseudo + 1)).toBe(false);
        },
      ),
    );
  });

  test('a datagram ends where its length says, not where the packet ends', () => {
    expect(parse(datagram(10, 20))).toMatchObject({
      verdict: DropReason.none,
      header: { payloadAt: 8, end: 10 },
    });
  });

  test('no payload is a datagram too', () => {
    expect(parse(datagram(8, 8))).toMatchObject({
      verdict: DropReason.none,
      header: { payloadAt: 8, end: 8 },
    });
  });

  test.each([0, 1, 7])('%i bytes are udpTruncated', (length) => {
    expect(parse(datagram(8, 8).subarray(0, length)).verdict).toBe(DropReason.udpTruncated);
  });

  test.each([0, 7, 13, 65_535])('a length of %i in 12 bytes is udpLength', (length) => {
    expect(parse(datagram(length, 12)).verdict).toBe(DropReason.udpLength);
  });

  test('a computed checksum of zero is sent as ffff, because zero means none', () => {
    const bytes = datagram(10, 10);
    // The payload is chosen so that all 16-bit words add up to ffff.
    putU16(bytes, 8, checksum(bytes, 0, 10));
    sealUdp(bytes, 0, sumBytes(bytes, 8, 2));
    expect(u16(bytes, 6)).toBe(0xffff);
    expect(isUdpChecksumRight(bytes, 0, parse(bytes).header, 0)).toBe(true);
  });

  test('a datagram without a checksum counts as right', () => {
    const bytes = udpPacket({ payload: 'abc', hasChecksum: false }).slice(20);
    const { header } = parse(bytes);
    expect(header.checksum).toBe(0);
    expect(isUdpChecksumRight(bytes, 0, header, 1)).toBe(true);
  });

  test('random bytes never throw, and never give an offset outside the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.option(fc.nat(48)), (bytes, length) => {
        if (length !== null && bytes.length >= 8) putU16(bytes, 4, length);
        const { verdict, header } = parse(bytes);
        if (length !== null && bytes.length >= 8) {
          expect(verdict === DropReason.none).toBe(length >= 8 && length <= bytes.length);
        }
        if (verdict !== DropReason.none) return;
        expect(header.payloadAt).toBeLessThanOrEqual(header.end);
        expect(header.end).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('RFC 792 ICMP', () => {
  const parse = (bytes: Uint8Array, header = new IcmpV4Header()) => {
    return { verdict: parseIcmpV4(bytes, 0, bytes.length, header), header };
  };
  const message = (type: number, code: number, rest: number, data: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(8 + data.length);
    writeIcmpV4(bytes, 0, type, code, rest, sumBytes(data, 0, data.length));
    bytes.set(data, 8);
    return bytes;
  };

  test('what is written is read back and verifies', () => {
    const type = fc.constantFrom(...Object.values(IcmpV4Type));
    fc.assert(
      fc.property(
        type,
        fc.nat(255),
        fc.integer(),
        fc.uint8Array({ maxLength: 200 }),
        (type, code, rest, data) => {
          const { verdict, header } = parse(message(type, code, rest, data));
          expect(verdict).toBe(DropReason.none);
          expect(header).toMatchObject({ type, code, rest, payloadAt: 8, end: 8 + data.length });
        },
      ),
    );
  });

  test('an echo request, byte for byte', () => {
    expect(message(8, 0, icmpEchoWord(0x1234, 0xfffe), Uint8Array.of(0xab))).toEqual(
      fromHex('08 00 3acc 1234 fffe ab'),
    );
  });

  test('an echo tells identifier and sequence number', () => {
    const { header } = parse(message(0, 0, icmpEchoWord(0xffff, 0x8001), EMPTY));
    expect([header.id, header.sequence, header.isError]).toEqual([0xffff, 0x8001, false]);
  });

  test('RFC 1191 §4 fragmentation needed tells the next-hop MTU', () => {
    const { header } = parse(message(3, 4, 1400, udpPacket()));
    expect([header.mtu, header.isError]).toEqual([1400, true]);
  });

  test('a redirect tells its gateway, a parameter problem its pointer', () => {
    expect(parse(message(5, 1, 0xc0a80001 | 0, udpPacket())).header.gateway).toBe(0xc0a80001 | 0);
    expect(parse(message(12, 0, 20 << 24, udpPacket())).header.pointer).toBe(20);
  });

  test('RFC 1122 §3.2.2 unreachable, quench, redirect, time exceeded and parameter problem are errors', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter(isIcmpV4Error);
    expect(errors).toEqual([3, 4, 5, 11, 12]);
  });

  test.each([0, 7])('%i bytes are icmpTruncated', (length) => {
    expect(parse(message(8, 0, 0, EMPTY).subarray(0, length)).verdict).toBe(DropReason.icmpTruncated);
  });

  test('the checksum covers all data: a byte changed anywhere is icmpChecksum', () => {
    const bytes = message(
      8,
      0,
      1,
      Uint8Array.from({ length: 101 }, (_, i) => i),
    );
    for (let at = 4; at < bytes.length; at++) {
      const copy = bytes.slice();
      copy[at] = (copy[at] as number) ^ 0x40;
      expect(parse(copy).verdict).toBe(DropReason.icmpChecksum);
    }
  });

  test.each([1, 2, 6, 7, 19, 31, 32, 40, 160, 255])('RFC 1122 §3.2.2 type %i is icmpTypeUnknown', (type) => {
    expect(parse(message(type, 0, 0, EMPTY)).verdict).toBe(DropReason.icmpTypeUnknown);
  });

  test('the quoted packet of an error is read in place', () => {
    const quoted = udpPacket({ src: '10.0.0.2', dst: '10.0.0.9', sourcePort: 4000, payload: 100 }).slice(
      0,
      28,
    );
    const bytes = message(3, 3, 0, quoted);
    const { header } = parse(bytes);
    const ip = new Ipv4Header();
    expect(parseQuotedIpv4(bytes, header.payloadAt, header.quoteEnd, ip)).toBe(DropReason.none);
    expect(ip).toMatchObject({ src: 0x0a000002, dst: 0x0a000009, payloadAt: 28, end: 36 });
    expect(u16(bytes, ip.payloadAt)).toBe(4000);
  });

  test('the identifier of a quoted echo request is found', () => {
    const bytes = message(11, 0, 0, icmpPacket({ echoId: 77 }));
    const ip = new Ipv4Header();
    parseQuotedIpv4(bytes, 8, bytes.length, ip);
    expect(quotedEchoId(bytes, ip.payloadAt)).toBe(77);
  });

  test('RFC 4884 §4 the quote ends where the length attribute says, before the extensions', () => {
    const data = new Uint8Array(128 + 12);
    data.set(udpPacket({ payload: 100 }));
    const { header } = parse(message(11, 0, 32 << 16, data));
    expect([header.quoteEnd, header.end]).toEqual([8 + 128, 8 + 140]);
  });

  test.each([
    ['below 128 bytes', 31],
    ['past the message', 36],
  ])('a length attribute %s is ignored (RFC 4884 §5.5)', (_name, words) => {
    const { header } = parse(message(3, 1, words << 16, new Uint8Array(140)));
    expect(header.quoteEnd).toBe(header.end);
  });

  test('random bytes never throw, and never give an offset outside the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isSealed) => {
        if (isSealed && bytes.length >= 8) {
          putU16(bytes, 2, 0);
          putU16(bytes, 2, checksum(bytes, 0, bytes.length));
        }
        const { verdict, header } = parse(bytes);
        if (verdict !== DropReason.none) return;
        expect(header.payloadAt).toBeLessThanOrEqual(header.quoteEnd);
        expect(header.quoteEnd).toBeLessThanOrEqual(header.end);
        expect(header.end).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('drop reasons', () => {
  test('every reason has a number of its own below DROP_REASON_COUNT', () => {
    const numbers = Object.values(DropReason);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThan(DROP_REASON_COUNT);
    expect(DropReason.none).toBe(0);
  });

  test('every reason but none has a source and one sentence that ends with a full stop', () => {
    for (const [name, { source, text }] of Object.entries(DROP_REASON_INFO)) {
      if (name !== 'none') expect(source).toMatch(/^(RFC \d+|IEEE 802|RAW-\d+)/);
      expect(text).toMatch(/^[A-Z].*\.$|^[A-Z].*\)\.$/);
    }
  });

  test('a number gives its reason, and an unused number null', () => {
    expect(dropReasonInfo(DropReason.tcpPaws)).toMatchObject({ name: 'tcpPaws', source: 'RFC 7323 §5.3' });
    expect(dropReasonInfo(127)).toBeNull();
  });

  test('the list has every reason once, in order, without none', () => {
    const numbers = dropReasons().map(({ number }) => number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers).toHaveLength(Object.keys(DropReason).length - 1);
  });
});
