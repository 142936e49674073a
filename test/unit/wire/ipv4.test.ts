import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import ipPacket from 'ip-packet';
import { EMPTY, formatV4, fromHex, putU16 } from '../../../src/base/index.ts';
import {
  DropReason,
  IPV4_DONT_FRAGMENT,
  IPV4_MORE_FRAGMENTS,
  IPV4_OPTION_OTHER,
  IPV4_OPTION_RECORD_ROUTE,
  IPV4_OPTION_ROUTER_ALERT,
  IPV4_OPTION_SOURCE_ROUTE,
  IPV4_OPTION_TIMESTAMP,
  Ipv4Header,
  isChecksumRight,
  parseIpv4,
  parseQuotedIpv4,
  sealIpv4,
  writeIpv4,
} from '../../../src/wire/index.ts';
import { ipv4Packet, tcpPacket } from '../../support/segment.ts';

/** Parses a packet that starts `before` bytes into an array, and ends `after` bytes before its end. */
function parse(packet: Uint8Array, header = new Ipv4Header()): { verdict: number; header: Ipv4Header } {
  return { verdict: parseIpv4(packet, 0, packet.length, header), header };
}

/** A valid packet whose header is then changed and sealed anew. */
function changed(change: (packet: Uint8Array) => void, options: Uint8Array = EMPTY): Uint8Array {
  const packet = ipv4Packet(17, new Uint8Array(16), { ipOptions: options });
  change(packet);
  sealIpv4(packet, 0, ((packet[0] as number) & 0xf) * 4);
  return packet;
}

const fields = fc.record({
  trafficClass: fc.nat(255),
  id: fc.nat(65_535),
  ttl: fc.nat(255),
  protocol: fc.nat(255),
  src: fc.integer(),
  dst: fc.integer(),
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  offset: fc.nat(0x1fff),
  payload: fc.uint8Array({ maxLength: 100 }),
});

describe('RFC 791 §3.1 the IPv4 header', () => {
  test('what is written is read back, at any place of an array', () => {
    fc.assert(
      fc.property(fields, fc.nat(9), fc.nat(9), (f, before, after) => {
        const bytes = new Uint8Array(before + 20 + f.payload.length + after).fill(0xee);
        const flags = (f.dontFragment ? IPV4_DONT_FRAGMENT : 0) | (f.moreFragments ? IPV4_MORE_FRAGMENTS : 0);
        const length = 20 + f.payload.length;
        const end = writeIpv4(
          bytes,
          before,
          f.trafficClass,
          length,
          f.id,
          flags | f.offset,
          f.ttl,
          f.protocol,
          f.src,
          f.dst,
        );
        expect(end).toBe(before + 20);
        const header = new Ipv4Header();
        expect(parseIpv4(bytes, before, bytes.length, header)).toBe(DropReason.none);
        const { payload, offset, ...plain } = f;
        expect(header).toMatchObject({
          ...plain,
          fragmentOffset: offset * 8,
          totalLength: length,
          headerLength: 20,
          headerAt: before,
          payloadAt: before + 20,
          end: before + 20 + payload.length,
          options: 0,
        });
      }),
    );
  });

  test('the independent codec of the package ip-packet reads what we write', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const packet = Buffer.alloc(20 + f.payload.length);
        const flags = (f.dontFragment ? IPV4_DONT_FRAGMENT : 0) | (f.moreFragments ? IPV4_MORE_FRAGMENTS : 0);
        const fragment = flags | f.offset;
        writeIpv4(packet, 0, f.trafficClass, packet.length, f.id, fragment, f.ttl, f.protocol, f.src, f.dst);
        packet.set(f.payload, 20);
        const theirs = ipPacket.decode({ buffer: packet, start: 0, end: packet.length });
        expect(theirs).toMatchObject({
          version: 4,
          ihl: 5,
          dscp: f.trafficClass >> 2,
          ecn: f.trafficClass & 3,
          length: packet.length,
          identification: f.id,
          flags: (f.dontFragment ? 2 : 0) | (f.moreFragments ? 1 : 0),
          fragmentOffset: f.offset,
          ttl: f.ttl,
          protocol: f.protocol,
          sourceIp: formatV4(f.src),
          destinationIp: formatV4(f.dst),
        });
        expect(ipPacket.checksum(Buffer.from(packet))).toBe(theirs.checksum);
      }),
    );
  });

  test('we read what ip-packet writes', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const packet = Buffer.alloc(20 + f.payload.length);
        ipPacket.encode(
          { buffer: packet, start: 0, end: packet.length },
          {
            version: 4,
            dscp: f.trafficClass >> 2,
            ecn: f.trafficClass & 3,
            identification: f.id,
            flags: (f.dontFragment ? 2 : 0) | (f.moreFragments ? 1 : 0),
            fragmentOffset: f.offset,
            ttl: f.ttl,
            protocol: f.protocol,
            sourceIp: formatV4(f.src),
            destinationIp: formatV4(f.dst),
            data: Buffer.from(f.payload),
          },
        );
        ipPacket.checksum(packet);
        const { verdict, header } = parse(packet);
        expect(verdict).toBe(DropReason.none);
        const { payload, offset, ...plain } = f;
        expect(header).toMatchObject({ ...plain, fragmentOffset: offset * 8, end: 20 + payload.length });
      }),
    );
  });

  test('link padding behind the total length is not part of the packet', () => {
    const packet = ipv4Packet(17, new Uint8Array(8));
    const padded = new Uint8Array(46);
    padded.set(packet);
    expect(parse(padded).header.end).toBe(28);
  });

  test('a reused header object keeps nothing of the packet before', () => {
    const header = new Ipv4Header();
    parse(
      ipv4Packet(17, new Uint8Array(8), {
        ipOptions: fromHex('94 04 00 00  07 07 04 00000000'),
        moreFragments: true,
        dontFragment: true,
      }),
      header,
    );
    expect(header.options).not.toBe(0);
    parse(ipv4Packet(6, new Uint8Array(8)), header);
    expect({ ...header }).toEqual({
      ...new Ipv4Header(),
      protocol: 6,
      src: 0x0a000001,
      dst: 0x0a000002,
      ttl: 64,
      totalLength: 28,
      headerLength: 20,
      payloadAt: 20,
      end: 28,
    });
  });

  test('a fragment is one with more to come or an offset', () => {
    const read = (fields: object) => parse(ipv4Packet(17, new Uint8Array(8), fields)).header.isFragment;
    expect(read({})).toBe(false);
    expect(read({ dontFragment: true })).toBe(false);
    expect(read({ moreFragments: true })).toBe(true);
    expect(read({ fragmentOffset: 8 })).toBe(true);
  });
});

describe('malformed IPv4 headers', () => {
  test.each([0, 1, 19])('%i bytes are ipTruncated', (length) => {
    expect(parse(tcpPacket().subarray(0, length)).verdict).toBe(DropReason.ipTruncated);
  });

  test.each([0, 5, 6, 15])('RFC 1122 §3.2.1.1 version %i is ipVersion', (version) => {
    const packet = changed((bytes) => {
      bytes[0] = (version << 4) | 5;
    });
    expect(parse(packet).verdict).toBe(DropReason.ipVersion);
  });

  test.each([0, 1, 4])('a header of %i words is ipHeaderLength', (words) => {
    const packet = changed((bytes) => {
      bytes[0] = 0x40 | words;
    });
    expect(parse(packet).verdict).toBe(DropReason.ipHeaderLength);
  });

  test('a header that reaches past the bytes there are is ipHeaderLength', () => {
    const packet = ipv4Packet(17, EMPTY);
    packet[0] = 0x46;
    expect(parse(packet).verdict).toBe(DropReason.ipHeaderLength);
  });

  test.each([0, 19, 37, 65_535])(
    'a total length of %i in a packet of 36 bytes is ipTotalLength',
    (length) => {
      expect(parse(changed((bytes) => putU16(bytes, 2, length))).verdict).toBe(DropReason.ipTotalLength);
    },
  );

  test('RFC 1122 §3.2.1.2 a header with one bit turned is dropped, whichever bit', () => {
    for (let bit = 0; bit < 160; bit++) {
      const packet = tcpPacket();
      packet[bit >> 3] = (packet[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(parse(packet).verdict).not.toBe(DropReason.none);
    }
  });

  test('a turned bit in an address is ipChecksum', () => {
    const packet = tcpPacket();
    packet[15] = (packet[15] as number) ^ 1;
    expect(parse(packet).verdict).toBe(DropReason.ipChecksum);
  });

  test('random bytes never throw, and never give an offset outside the packet', () => {
    const header = new Ipv4Header();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(15), fc.boolean(), (bytes, ihl, isSealed) => {
        if (bytes.length >= 20 && isSealed) {
          bytes[0] = 0x40 | ihl;
          bytes[2] = 0;
          if (ihl * 4 <= bytes.length) sealIpv4(bytes, 0, ihl * 4);
        }
        if (parseIpv4(bytes, 0, bytes.length, header) !== DropReason.none) return;
        expect(header.payloadAt).toBeGreaterThanOrEqual(20);
        expect(header.end).toBeGreaterThanOrEqual(header.payloadAt);
        expect(header.end).toBeLessThanOrEqual(bytes.length);
        expect(Math.max(header.sourceRouteAt, header.recordRouteAt, header.timestampAt)).toBeLessThan(60);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 791 §3.1, RFC 1122 §3.2.1.8 IP options', () => {
  const parseOptions = (hex: string) => parse(ipv4Packet(17, new Uint8Array(8), { ipOptions: fromHex(hex) }));

  test.each([
    ['no operation and end', '01 01 01 00', 0],
    ['record route', '07 07 04 00000000', IPV4_OPTION_RECORD_ROUTE],
    ['record route that is full', '07 07 08 0a000001', IPV4_OPTION_RECORD_ROUTE],
    ['record route of nine addresses', `07 27 04 ${'00'.repeat(36)}`, IPV4_OPTION_RECORD_ROUTE],
    ['timestamps only', '44 0c 05 00 00000000 00000000', IPV4_OPTION_TIMESTAMP],
    ['timestamps with addresses', '44 0c 05 01 0a000001 00000000', IPV4_OPTION_TIMESTAMP],
    ['timestamps of given addresses', '44 0c 0d 03 0a000001 00000001', IPV4_OPTION_TIMESTAMP],
    ['loose source route', '83 07 04 0a000003', IPV4_OPTION_SOURCE_ROUTE],
    ['strict source route', '89 07 08 0a000003', IPV4_OPTION_SOURCE_ROUTE],
    ['router alert (RFC 2113)', '94 04 0000', IPV4_OPTION_ROUTER_ALERT],
    ['security (RFC 1108), not known here', '82 04 ab 00', IPV4_OPTION_OTHER],
    ['several', '94 04 0000  01  07 07 04 00000000', IPV4_OPTION_ROUTER_ALERT | IPV4_OPTION_RECORD_ROUTE],
  ])('%s is recognised', (_name, hex, bits) => {
    const { verdict, header } = parseOptions(hex);
    expect(verdict).toBe(DropReason.none);
    expect(header.options).toBe(bits);
  });

  test('the places of options are noted', () => {
    const { header } = parseOptions(
      '01 94 04 0000  07 07 04 00000000  44 08 05 00 00000000  83 07 04 0a000003',
    );
    expect(header).toMatchObject({
      routerAlertAt: 21,
      recordRouteAt: 25,
      timestampAt: 32,
      sourceRouteAt: 40,
    });
  });

  test('what follows End of Option List is not looked at', () => {
    expect(parseOptions('00 07 01 ff').verdict).toBe(DropReason.none);
  });

  test.each([
    ['a kind without a length', '01 01 01 07', 24],
    ['length 0', '07 00 00 00', 21],
    ['length 1', '82 01 00 00', 21],
    ['a length one past the header', '82 05 00 00', 21],
    ['a length far past the header', '82 ff 00 00', 21],
    ['record route with half an address', '07 05 04 0000 010101', 21],
    ['record route whose pointer is below 4', '07 07 03 00000000', 22],
    ['record route whose pointer is inside an address', '07 07 05 00000000', 22],
    ['record route whose pointer is past its end', '07 07 0c 00000000', 22],
    ['record route too short for a pointer', '07 02 0000', 21],
    ['timestamps whose pointer is below 5', '44 08 04 00 00000000', 22],
    ['timestamps with flags that do not exist', '44 08 05 02 00000000', 23],
    ['timestamps with half an entry', '44 08 05 01 00000000', 21],
    ['router alert of a wrong length', '94 05 000000 000000', 21],
    ['two source routes', '83 07 04 0a000003 83 07 04 0a000003', 27],
  ])('%s is ipOptions, and the pointer names the byte', (_name, hex, pointer) => {
    const { verdict, header } = parseOptions(hex);
    expect(verdict).toBe(DropReason.ipOptions);
    expect(header.problemPointer).toBe(pointer);
  });

  test('options that are no multiple of 4 bytes are padded with End of Option List and sealed', () => {
    const bytes = new Uint8Array(40).fill(0xff);
    const end = writeIpv4(bytes, 0, 0, 28, 1, 0, 64, 6, 1, 2, fromHex('07 07 04 00000000'));
    expect(end).toBe(28);
    expect(bytes[27]).toBe(0);
    expect(isChecksumRight(bytes, 0, 28)).toBe(true);
    expect(parse(bytes.subarray(0, 28)).header.payloadAt).toBe(28);
  });
});

describe('RFC 792 quoted packets', () => {
  const header = new Ipv4Header();

  test('a quote cut to 8 bytes of payload is read, whatever its checksum and TTL', () => {
    const quote = tcpPacket({ payload: 1000 }).slice(0, 28);
    quote[8] = 0;
    expect(parseQuotedIpv4(quote, 0, 28, header)).toBe(DropReason.none);
    expect(header).toMatchObject({ payloadAt: 20, end: 28, totalLength: 1040, protocol: 6 });
  });

  test('a quote with padding behind ends where the packet ends', () => {
    const quote = new Uint8Array(100);
    quote.set(tcpPacket());
    expect(parseQuotedIpv4(quote, 0, 100, header)).toBe(DropReason.none);
    expect(header.end).toBe(40);
  });

  test.each([0, 19, 27])('%i bytes are icmpTruncated', (length) => {
    expect(parseQuotedIpv4(tcpPacket(), 0, length, header)).toBe(DropReason.icmpTruncated);
  });

  test.each([
    ['another version', 0, 0x65],
    ['a header length below 5 words', 0, 0x44],
  ])('%s is icmpQuoteUnknown', (_name, at, value) => {
    const quote = tcpPacket();
    quote[at] = value;
    expect(parseQuotedIpv4(quote, 0, quote.length, header)).toBe(DropReason.icmpQuoteUnknown);
  });

  test('a total length that leaves no room for 8 bytes is icmpQuoteUnknown', () => {
    const quote = tcpPacket();
    putU16(quote, 2, 27);
    expect(parseQuotedIpv4(quote, 0, quote.length, header)).toBe(DropReason.icmpQuoteUnknown);
  });
});
