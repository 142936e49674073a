import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../src/base/index.ts';
import {
  DropReason,
  hasRouterAlert,
  IgmpHeader,
  IgmpRecord,
  IgmpType,
  igmpCode,
  isMldType,
  MldHeader,
  MldRecord,
  MldType,
  mldMaxResponse,
  parseIgmp,
  parseMld,
  readIgmpRecord,
  readMldRecord,
  sealIgmp,
  writeIgmp,
  writeIgmpRecord,
  writeIgmpReport,
  writeMld,
  writeMldRecord,
  writeMldReport,
} from '../../../src/wire/index.ts';

describe('IGMP', () => {
  const header = new IgmpHeader();
  const parse = (hex: string): number => {
    const bytes = fromHex(hex);
    if (bytes.length >= 8) sealIgmp(bytes, 0, bytes.length);
    return parseIgmp(bytes, 0, bytes.length, header);
  };

  test.each([
    ['1', '1100 0000 00000000', { version: 1, maxResponseMs: 10_000, group: 0, count: 0 }],
    ['2', '1164 0000 00000000', { version: 2, maxResponseMs: 10_000 }],
    ['2, with a short time', '1105 0000 ef010101', { version: 2, maxResponseMs: 500, group: 0xef010101 | 0 }],
    [
      '3',
      '1164 0000 ef010101 0a 7d 0002 0a000001 0a000002',
      { version: 3, suppressesProcessing: true, robustness: 2, intervalMs: 125_000, count: 2, listAt: 12 },
    ],
    [
      '3, later fields ignored',
      '1100 0000 00000000 02 00 0000 ffff',
      { version: 3, maxResponseMs: 0, count: 0 },
    ],
  ])('RFC 3376 §7.1 a query of version %s', (_version, hex, fields) => {
    expect(parse(hex)).toBe(DropReason.none);
    expect(header).toMatchObject({ type: IgmpType.query, ...fields });
  });

  test.each([
    ['between two versions', '1164 0000 00000000 00', DropReason.igmpTruncated],
    [
      'with more sources than there are',
      '1164 0000 ef010101 02 7d 0002 0a000001 0a0000',
      DropReason.igmpTruncated,
    ],
    ['about a host', '1164 0000 0a000001', DropReason.igmpGroup],
    ['a report about a host', '1600 0000 0a000001', DropReason.igmpGroup],
    [
      'a report with a record that is cut',
      '2200 0000 0000 0001 04000001 ef010101 0a0000',
      DropReason.igmpTruncated,
    ],
    [
      'a report with fewer records than it says',
      '2200 0000 0000 0002 04000000 ef010101',
      DropReason.igmpTruncated,
    ],
    ['a type of routers', '1300 0000 00000000', DropReason.igmpTypeUnknown],
    ['seven bytes', '11640000000000', DropReason.igmpTruncated],
  ])('RFC 3376 §4 %s is dropped', (_what, hex, reason) => {
    expect(parse(hex)).toBe(reason);
  });

  test('RFC 3376 §4.1.2 the checksum covers the whole message', () => {
    const bytes = fromHex('1164 0000 00000000 02 7d 0000 00000000');
    sealIgmp(bytes, 0, 12);
    bytes[15] = 1;
    expect(parseIgmp(bytes, 0, 16, header)).toBe(DropReason.igmpChecksum);
  });

  test('RFC 3376 §4.1.1 codes from 128 on are mantissa and exponent', () => {
    expect([0, 127, 128, 0x8f, 0x90, 0xff].map(igmpCode)).toEqual([0, 127, 128, 248, 256, 31_744]);
  });

  test('messages of versions 1 and 2 are written as they are read', () => {
    const bytes = new Uint8Array(8);
    expect(writeIgmp(bytes, 0, IgmpType.reportV2, 0, 0xef010203 | 0)).toBe(8);
    expect(toHex(bytes)).toBe('1600f8faef010203');
    expect(parseIgmp(bytes, 0, 8, header)).toBe(DropReason.none);
    expect(header).toMatchObject({ type: IgmpType.reportV2, version: 2, group: 0xef010203 | 0 });
  });

  test('records are written as they are read, auxiliary data is passed over', () => {
    const bytes = new Uint8Array(40);
    let at = writeIgmpReport(bytes, 0, 2);
    at = writeIgmpRecord(bytes, at, 4, 0xef010101 | 0, 0);
    bytes[9] = 1;
    at = writeIgmpRecord(bytes, at + 4, 3, 0xef010102 | 0, 1);
    bytes.set([10, 0, 0, 1], at);
    sealIgmp(bytes, 0, at + 4);
    expect(parseIgmp(bytes, 0, at + 4, header)).toBe(DropReason.none);
    const record = new IgmpRecord();
    const second = readIgmpRecord(bytes, header.listAt, header.end, record);
    expect(record).toMatchObject({ type: 4, group: 0xef010101 | 0, sourceCount: 0 });
    expect(readIgmpRecord(bytes, second, header.end, record)).toBe(header.end);
    expect(record).toMatchObject({ type: 3, group: 0xef010102 | 0, sourceCount: 1, sourcesAt: at });
  });

  test.each([
    ['none', '', false],
    ['alone', '94040000', true],
    ['behind others', '01 07040400 94040000 00 00 00', true],
    ['behind the end', '00 94040000 000000', false],
  ])('RFC 2113 a router alert: %s', (_where, options, isThere) => {
    const bytes = fromHex(`${'00'.repeat(20)}${options}`);
    expect(hasRouterAlert(bytes, 0, bytes.length)).toBe(isThere);
  });
});

describe('MLD', () => {
  const header = new MldHeader();
  const group = 'ff050000000000000000000000010003';
  const parse = (hex: string): number => {
    const bytes = fromHex(hex);
    return parseMld(bytes, 0, bytes.length, header);
  };

  test.each([
    ['1', `8200 0000 2710 0000 ${'00'.repeat(16)}`, { version: 1, maxResponseMs: 10_000, isGeneral: true }],
    [
      '1 about a group',
      `8200 0000 03e8 0000 ${group}`,
      { version: 1, maxResponseMs: 1000, isGeneral: false },
    ],
    [
      '2',
      `8200 0000 2710 0000 ${group} 0b 7d 0001 ${'20'.repeat(16)}`,
      { version: 2, robustness: 3, intervalMs: 125_000, suppressesProcessing: true, count: 1, listAt: 28 },
    ],
  ])('RFC 3810 §8.1 a query of version %s', (_version, hex, fields) => {
    expect(parse(hex)).toBe(DropReason.none);
    expect(header).toMatchObject({ type: MldType.query, ...fields });
  });

  test.each([
    ['between two versions', `8200 0000 2710 0000 ${group} 0b 7d`, DropReason.mldTruncated],
    ['shorter than a group', '8200 0000 2710 0000 ff05', DropReason.mldTruncated],
    [
      'with more sources than there are',
      `8200 0000 2710 0000 ${group} 0b 7d 0001 20`,
      DropReason.mldTruncated,
    ],
    ['about a host', `8200 0000 2710 0000 fe80${'00'.repeat(14)}`, DropReason.mldGroup],
    ['a report about no group', `8300 0000 0000 0000 ${'00'.repeat(16)}`, DropReason.mldGroup],
    ['a report with a record that is cut', `8f00 0000 0000 0001 04000001 ${group}`, DropReason.mldTruncated],
    ['something else', `8500 0000 0000 0000 ${group}`, DropReason.icmpTypeUnknown],
  ])('RFC 3810 §5 %s is dropped', (_what, hex, reason) => {
    expect(parse(hex)).toBe(reason);
  });

  test('RFC 3810 §5.1.3 codes from 32,768 on are mantissa and exponent', () => {
    expect([0, 0x7fff, 0x8000, 0xffff].map(mldMaxResponse)).toEqual([0, 32_767, 32_768, 8_387_584]);
  });

  test('messages are written as they are read', () => {
    const bytes = new Uint8Array(60);
    expect(writeMld(bytes, 0, MldType.done, 0)).toBe(24);
    bytes.set(fromHex(group), 8);
    expect(parseMld(bytes, 0, 24, header)).toBe(DropReason.none);
    expect(header).toMatchObject({ type: MldType.done, version: 1, groupAt: 8 });

    let at = writeMldReport(bytes, 0, 1);
    at = writeMldRecord(bytes, at, 3, 1);
    bytes.set(fromHex(group), at - 16);
    expect(parseMld(bytes, 0, at + 16, header)).toBe(DropReason.none);
    const record = new MldRecord();
    expect(readMldRecord(bytes, header.listAt, header.end, record)).toBe(header.end);
    expect(record).toMatchObject({ type: 3, groupAt: 12, sourceCount: 1, sourcesAt: 28 });
  });

  test('its types among ICMPv6’s', () => {
    expect([129, 130, 131, 132, 133, 142, 143].filter(isMldType)).toEqual([130, 131, 132, 143]);
  });
});
