import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../src/base/index.ts';
import {
  DropReason,
  formatTcpFlags,
  formatTcpOptions,
  isChecksumRight,
  markCongestion,
  parseTcpOptions,
  TCP_OPTION_ACC_ECN,
  TcpHeader,
  writeAccEcnOption,
} from '../../../src/wire/index.ts';
import { tcpPacket } from '../../support/segment.ts';

function read(hex: string): { verdict: DropReason; header: TcpHeader } {
  const header = new TcpHeader();
  const bytes = fromHex(hex.replaceAll(' ', ''));
  return { verdict: parseTcpOptions(bytes, 0, bytes.length, header), header };
}

describe('RFC 9768 §3.2.3 The AccECN Option', () => {
  test.each([
    ['172 of three fields', 'ac0b 000001 000203 040506 01', 3, false, [1, 0x203, 0x40506]],
    ['174 of three fields', 'ae0b 040506 000203 000001 01', 3, true, [1, 0x203, 0x40506]],
    ['172 of two', 'ac08 000001 ffffff', 2, false, [1, 0xffffff, 0]],
    ['174 of two', 'ae08 000002 ffffff', 2, true, [0, 0xffffff, 2]],
    ['172 of one', 'ac05 800000 010101', 1, false, [0x800000, 0, 0]],
    ['174 of one', 'ae05 800000 010101', 1, true, [0, 0, 0x800000]],
    ['172 of none', 'ac02 0101', 0, false, [0, 0, 0]],
    ['172 of two and two bytes more', 'ac0a 000001 000002 ffff 0101', 2, false, [1, 2, 0]],
    ['174 of three and five bytes more', 'ae10 000001 000002 000003 ffffffffff', 3, true, [3, 2, 1]],
  ])('RFC 9768 §3.2.3 kind %s is read', (_what, hex, count, isOrder1, [e0b, ceb, e1b]) => {
    const { verdict, header } = read(hex);
    expect(verdict).toBe(DropReason.none);
    expect(header.options).toBe(TCP_OPTION_ACC_ECN);
    expect(header).toMatchObject({
      accEcnCount: count,
      isAccEcnOrder1: isOrder1,
      ee0b: e0b,
      eceb: ceb,
      ee1b: e1b,
    });
  });

  test.each([
    [172, 3, 'ac0b000001000002ffffff01'],
    [174, 3, 'ae0bffffff00000200000101'],
    [172, 2, 'ac08000001000002'],
    [174, 2, 'ae08ffffff000002'],
    [172, 0, 'ac020101'],
  ])(
    'RFC 9768 §3.2.3.1 kind %i with %i fields holds the 24 low bits, and NOPs up to four bytes',
    (kind, fields, hex) => {
      const bytes = new Uint8Array(12);
      const end = writeAccEcnOption(bytes, 0, kind, fields, 0x7f000001, 2, -1);
      expect(toHex(bytes.subarray(0, end))).toBe(hex);
    },
  );

  test('RFC 9768 §3.2.3 both orders are printed as they stand', () => {
    const text = (hex: string): string => formatTcpOptions(fromHex(hex), 0, hex.length / 2);
    expect(text('ac0b000001000002000003')).toBe('accecn e0b 1 ceb 2 e1b 3');
    expect(text('ae08000003000002')).toBe('accecn e1b 3 ceb 2');
    expect(text('ac02')).toBe('accecn');
    expect(formatTcpFlags(0x1c2)).toBe('SEWe');
  });
});

describe('RFC 3168 §5 the ECN field', () => {
  test.each([0, 1, 2, 3])(
    'RFC 3168 §5 codepoint %i is marked as CE unless it is Not-ECT, and the header stays right',
    (ecn) => {
      const packet = tcpPacket({ trafficClass: 0xb8 | ecn, payload: 10 });
      expect(markCongestion(packet, 0, packet.length)).toBe(ecn !== 0);
      expect(packet[1]).toBe(ecn === 0 ? 0xb8 : 0xbb);
      expect(isChecksumRight(packet, 0, 20, 0)).toBe(true);
    },
  );

  test('RFC 3168 §5 IPv6 has it in the low bits of its traffic class', () => {
    const packet = new Uint8Array(40);
    packet.set([0x6b, 0x8f, 0xff, 0xff]);
    expect(markCongestion(packet, 0, 40)).toBe(false);
    packet[1] = 0xaf;
    expect(markCongestion(packet, 0, 40)).toBe(true);
    expect([...packet.subarray(0, 4)]).toEqual([0x6b, 0xbf, 0xff, 0xff]);
  });

  test('RFC 3168 §5 what is no whole IP header is left alone', () => {
    const bytes = new Uint8Array(40).fill(0xff);
    expect(markCongestion(bytes, 0, 40)).toBe(false);
    expect(markCongestion(bytes.fill(0x4f), 25, 40)).toBe(false);
    expect(bytes.every((byte) => byte === 0x4f)).toBe(true);
  });
});
