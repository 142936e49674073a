/** DHCPv4 messages in bytes. */

import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../src/base/index.ts';
import {
  DhcpV4Message,
  DhcpV4Option,
  DropReason,
  encodeDhcpV4,
  isDomainName,
  parseDhcpV4,
  parseDomainNames,
} from '../../../src/wire/index.ts';

const FIELDS = {
  op: 2,
  htype: 1,
  xid: 0x12345678,
  secs: 7,
  isBroadcast: true,
  ciaddr: 0x0a000001,
  yiaddr: 0x0a000002,
  siaddr: 0x0a000003,
  giaddr: 0x0a000004,
  chaddr: fromHex('020000000001'),
};

/** A message whose options field, and perhaps `file` and `sname`, are these bytes. */
function message(options: string, file = '', sname = ''): Uint8Array {
  const head = encodeDhcpV4(FIELDS, []).slice(0, 240);
  head.set(fromHex(file), 108);
  head.set(fromHex(sname), 44);
  return Uint8Array.from([...head, ...fromHex(options)]);
}

function parsed(bytes: Uint8Array): { verdict: number; options: Record<number, string>; type: number } {
  const into = new DhcpV4Message();
  const verdict = parseDhcpV4(bytes, 0, bytes.length, into);
  return {
    verdict,
    type: into.type,
    options: Object.fromEntries([...into.options].map(([code, value]) => [code, toHex(value)])),
  };
}

describe('RFC 2131 §2 The message', () => {
  test('every field is written where it is read', () => {
    const bytes = encodeDhcpV4(FIELDS, [
      [DhcpV4Option.messageType, Uint8Array.of(2)],
      [DhcpV4Option.hostName, fromHex('616263')],
    ]);
    const into = new DhcpV4Message();
    expect(parseDhcpV4(bytes, 0, bytes.length, into)).toBe(DropReason.none);
    expect(into).toMatchObject({ ...FIELDS, type: 2 });
    expect(toHex(bytes.subarray(0, 28))).toBe(
      '02010600 12345678 00078000 0a000001 0a000002 0a000003 0a000004'.replaceAll(' ', ''),
    );
    expect(toHex(bytes.subarray(236, 250))).toBe('63825363 350102 0c03616263 ff00'.replaceAll(' ', ''));
  });

  test('RFC 1542 §2.1: no message has less than 300 bytes', () => {
    expect(encodeDhcpV4(FIELDS, [])).toHaveLength(300);
  });

  test('what is too short, has no cookie or a hardware address of more than 16 bytes is malformed', () => {
    const whole = message('350102ff');
    const cut = whole.slice(0, 239);
    const noCookie = whole.slice();
    noCookie[236] = 0;
    const longAddress = whole.slice();
    longAddress[2] = 17;
    for (const bytes of [cut, noCookie, longAddress, new Uint8Array(0)])
      expect(parsed(bytes).verdict).toBe(DropReason.dhcpMalformed);
  });

  test('a message may lie anywhere in a buffer, and its options outlive it', () => {
    const bytes = message('0c0161ff');
    const buffer = new Uint8Array(bytes.length + 20).fill(0xee);
    buffer.set(bytes, 9);
    const into = new DhcpV4Message();
    expect(parseDhcpV4(buffer, 9, 9 + bytes.length, into)).toBe(DropReason.none);
    buffer.fill(0);
    expect(into.options.get(12)).toEqual(fromHex('61'));
    expect(into.chaddr).toEqual(FIELDS.chaddr);
  });
});

describe('RFC 2132 Options', () => {
  test('pads are passed over, nothing counts behind the end, and an end may be missing', () => {
    expect(parsed(message('00 00 0c0161 00 ff 0c0162')).options).toEqual({ 12: '61' });
    expect(parsed(message('0c0161')).options).toEqual({ 12: '61' });
  });

  test('an option without a length, or past the end, is malformed', () => {
    for (const options of ['0c', '0c02 61', '350102 0cff00'])
      expect(parsed(message(options)).verdict).toBe(DropReason.dhcpMalformed);
  });

  test('a message type of another length is none', () => {
    expect(parsed(message('35020202ff')).type).toBe(0);
    expect(parsed(message('350102ff')).type).toBe(2);
  });

  test('§9.3: option 52 says that file, sname or both hold options; file counts before sname', () => {
    const file = '0c0161 ff';
    const sname = '0f0162 0c0163 ff';
    expect(parsed(message('340101 ff', file, sname)).options).toEqual({ 12: '61', 52: '01' });
    expect(parsed(message('340102 ff', file, sname)).options).toEqual({ 12: '63', 15: '62', 52: '02' });
    expect(parsed(message('340103 0c0160 ff', file, sname)).options).toEqual({
      12: '606163',
      15: '62',
      52: '03',
    });
    expect(parsed(message('ff', file, sname)).options).toEqual({});
  });

  test('§9.3: an overload in an overloaded field means nothing', () => {
    expect(parsed(message('340101 ff', '340102 ff', '0c0161 ff')).options[12]).toBeUndefined();
  });

  test('a malformed overloaded field makes the message malformed', () => {
    expect(parsed(message('340102 ff', '', 'ff'.repeat(0) + '0c3f'.padEnd(128, '61'))).verdict).toBe(
      DropReason.dhcpMalformed,
    );
  });
});

describe('RFC 3396 Long options', () => {
  test('§5: a long value is written in parts of at most 255 bytes', () => {
    const value = Uint8Array.from({ length: 600 }, (_, i) => i);
    const bytes = encodeDhcpV4(FIELDS, [[121, value]]);
    expect([bytes[241], bytes[240 + 257 + 1], bytes[240 + 514 + 1]]).toEqual([255, 255, 90]);
    expect(parsed(bytes).options[121]).toBe(toHex(value));
  });

  test('§7: parts are joined in their order, through all fields, whatever lies between', () => {
    expect(
      parsed(message('340103 7902 0102 0c0161 790103 ff', '790104 ff', '79020506 ff')).options[121],
    ).toBe('010203040506');
  });

  test('an option without a value is there', () => {
    expect(parsed(message('5000 ff')).options).toEqual({ 80: '' });
    const written = encodeDhcpV4(FIELDS, [[80, new Uint8Array(0)]]);
    expect(parsed(written).options).toEqual({ 80: '' });
  });
});

describe('RFC 1035 §3.1 Domain names', () => {
  const names = (hex: string, isCompressed = true) => {
    const bytes = fromHex(hex);
    return parseDomainNames(bytes, 0, bytes.length, isCompressed);
  };

  test('a list, with and without pointers', () => {
    expect(names('016100 0162016300')).toEqual(['a', 'b.c']);
    expect(names('016100 0162c000')).toEqual(['a', 'b.a']);
    expect(names('')).toEqual([]);
  });

  test('the root, and names that no host has, are left out', () => {
    expect(names('00 03612062 00 016100 012d00 015f00')).toEqual(['a', '_']);
  });

  test('no pointers where there is no compression, none forward, none to itself, no circle', () => {
    expect(names('016100 0162c000', false)).toBeNull();
    expect(names('c002 016100')).toBeNull();
    expect(names('c000')).toBeNull();
    expect(names('0161c000')).toBeNull();
    expect(names('0161c004 c000')).toBeNull();
  });

  test('labels that are longer than what is there, or than 63; names longer than 255', () => {
    expect(names('0261')).toBeNull();
    expect(names('0161')).toBeNull();
    expect(names(`40${'61'.repeat(64)}00`)).toBeNull();
    expect(names(`${`3f${'61'.repeat(63)}`.repeat(4)}00`)).toBeNull();
    expect(names(`${`3d${'61'.repeat(61)}`.repeat(4)}00`)).toHaveLength(1);
  });

  test('in text: letters, digits, hyphens inside and underscores', () => {
    for (const good of ['lan', 'a-b.example', '_dns.x', '1.2']) expect(isDomainName(good)).toBe(true);
    for (const bad of ['', '.', 'a..b', '-a', 'a-', 'a b', 'ä', 'a'.repeat(64), 'a.'.repeat(127)])
      expect(isDomainName(bad)).toBe(false);
  });
});
