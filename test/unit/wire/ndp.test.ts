import { describe, expect, test } from '@jest/globals';
import { fromHex, IpAddress, toHex } from '../../../src/base/index.ts';
import {
  DropReason,
  type NdpAddresses,
  NdpMessage,
  NdpOption,
  parseNdp,
  readRouterAdvertisement,
  writeLinkAddressOption,
  writeNonceOption,
} from '../../../src/wire/index.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;

/** The addresses of a packet. */
function between(source: string, destination: string): NdpAddresses {
  const { w0: src0, w1: src1, w2: src2, w3: src3 } = ip(source);
  const { w0: dst0, w1: dst1, w2: dst2, w3: dst3 } = ip(destination);
  return { src0, src1, src2, src3, dst0, dst1, dst2, dst3 };
}

function parse(
  hex: string,
  from = 'fe80::1',
  to = 'fe80::2',
  hopLimit = 255,
): { readonly reason: DropReason; readonly message: NdpMessage } {
  const bytes = fromHex(hex);
  const message = new NdpMessage();
  return { reason: parseNdp(bytes, 0, bytes.length, between(from, to), hopLimit, message), message };
}

const TARGET = '20010db8000000000000000000000005';
const NS = `87000000 00000000 ${TARGET}`;
const NA = `88000000 60000000 ${TARGET}`;
const RS = '85000000 00000000';
const RA = '86000000 40000708 00007530 000003e8';
const REDIRECT = `89000000 00000000 fe800000000000000000000000000009 ${TARGET}`;
const SLLA = ' 0101 020000000001';
const TLLA = ' 0201 020000000002';
/** ff02::1:ff00:5 */
const SOLICITED_NODE = 'ff02::1:ff00:5';

describe('RFC 4861 what is believed', () => {
  test.each([
    ['RS', RS, 'fe80::1', 'ff02::2'],
    ['RA', RA, 'fe80::1', 'ff02::1'],
    ['NS', NS, 'fe80::1', SOLICITED_NODE],
    ['NA', NA, 'fe80::1', 'fe80::2'],
    ['redirect', REDIRECT, 'fe80::1', 'fe80::2'],
  ])(
    '§6.1, §7.1, §8.1: a good %s is; one with another hop limit, code or length is not',
    (_name, hex, from, to) => {
      expect(parse(hex, from, to).reason).toBe(DropReason.none);
      expect(parse(hex, from, to, 254).reason).toBe(DropReason.ndpHopLimit);
      expect(parse(hex.replace(/^(..)00/, '$101'), from, to).reason).toBe(DropReason.ndpMalformed);
      const short = fromHex(hex).slice(0, -1);
      const reason = parseNdp(short, 0, short.length, between(from, to), 255, new NdpMessage());
      expect(reason).toBe(DropReason.ndpMalformed);
    },
  );

  test.each([
    ['§6.1.1: an RS from nobody with a link-layer address', RS + SLLA, '::', 'ff02::2'],
    ['§6.1.2: an RA from a global address', RA, '2001:db8::1', 'ff02::1'],
    ['§7.1.1: an NS about a group', NS.replace(TARGET, `ff02${'0'.repeat(27)}1`), 'fe80::1', 'fe80::2'],
    ['§7.1.1: an NS from nobody to one host', NS, '::', '2001:db8::5'],
    ['§7.1.1: an NS from nobody to another group', NS, '::', 'ff02::1:ff00:6'],
    ['§7.1.1: an NS from nobody with a link-layer address', NS + SLLA, '::', SOLICITED_NODE],
    ['§7.1.2: an NA about a group', NA.replace(TARGET, `ff02${'0'.repeat(27)}1`), 'fe80::1', 'fe80::2'],
    ['§7.1.2: a solicited NA to a group', NA, 'fe80::1', 'ff02::1'],
    ['§8.1: a redirect from a global address', REDIRECT, '2001:db8::1', 'fe80::2'],
    ['§8.1: a redirect of a group', REDIRECT.replace(TARGET, `ff02${'0'.repeat(27)}1`), 'fe80::1', 'fe80::2'],
    [
      '§8.1: a redirect to a router by another than its link-local address',
      REDIRECT.replace('fe80', 'fd00'),
      'fe80::1',
      'fe80::2',
    ],
  ])('%s is not', (_name, hex, from, to) => {
    expect(parse(hex, from, to).reason).toBe(DropReason.ndpAddress);
  });

  test('§7.1.1, §8.1: an NS from nobody to the group of its target, and a redirect to the destination itself, are', () => {
    expect(parse(NS, '::', SOLICITED_NODE).reason).toBe(DropReason.none);
    const onLink = REDIRECT.replace('fe800000000000000000000000000009', TARGET);
    expect(parse(onLink).reason).toBe(DropReason.none);
  });

  test('§4.6: an option without a length, or with more than is there, spoils the message; an unknown one does not', () => {
    expect(parse(`${NS} 0100 020000000001`).reason).toBe(DropReason.ndpOption);
    expect(parse(`${NS} 0102 020000000001`).reason).toBe(DropReason.ndpOption);
    expect(parse(`${NS} 01`).reason).toBe(DropReason.ndpOption);
    const { reason, message } = parse(`${NS} fa01 0102030405ff${SLLA}`);
    expect(reason).toBe(DropReason.none);
    expect(message).toMatchObject({
      hasSourceMac: true,
      sourceHigh: 0x0200,
      sourceLow: 1,
      hasTargetMac: false,
    });
  });

  test('as many options as no message has are not walked', () => {
    expect(parse(NS + ' fa01 000000000000'.repeat(64)).reason).toBe(DropReason.none);
    expect(parse(NS + ' fa01 000000000000'.repeat(65)).reason).toBe(DropReason.ndpOption);
  });
});

describe('RFC 4861 what is read', () => {
  test('§4.4: flags and target', () => {
    const { message } = parse(`88000000 a0000000 ${TARGET}${TLLA}`);
    expect(message).toMatchObject({ isRouter: true, isSolicited: false, isOverride: true });
    expect(message).toMatchObject({ target0: 0x20010db8, target3: 5, hasTargetMac: true, targetLow: 2 });
  });

  test('§4.5: both addresses and the packet that caused a redirect', () => {
    const { message } = parse(`${REDIRECT} 0402 000000000000 6000000000000000`);
    expect(message).toMatchObject({ target0: 0xfe800000 | 0, target3: 9, destination0: 0x20010db8 });
    expect(message).toMatchObject({ redirectedAt: 48, redirectedEnd: 56 });
  });

  test('RFC 3971 §5.3.2: a nonce', () => {
    const { message } = parse(`${NS} 0e01 010203040506`, '::', SOLICITED_NODE);
    expect(message).toMatchObject({ nonceAt: 26, nonceLength: 6 });
  });

  test('nothing of the message before stays', () => {
    const message = new NdpMessage();
    const first = fromHex(`${NS}${SLLA} 0e01 010203040506`);
    parseNdp(first, 0, first.length, between('fe80::1', 'fe80::2'), 255, message);
    const second = fromHex(RS);
    parseNdp(second, 0, second.length, between('fe80::1', 'ff02::2'), 255, message);
    expect(message).toMatchObject({ target0: 0, hasSourceMac: false, nonceAt: -1, nonceLength: 0 });
  });
});

describe('what is written', () => {
  test('RFC 4861 §4.3 and RFC 3971 §5.3.2: the options of a solicitation, one behind the other', () => {
    const bytes = new Uint8Array(16);
    const at = writeLinkAddressOption(bytes, 0, NdpOption.sourceLinkAddress, 0x0200, 1);
    expect(writeNonceOption(bytes, at, Uint8Array.of(1, 2, 3, 4, 5, 6))).toBe(16);
    expect(toHex(bytes)).toBe('01010200000000010e01010203040506');
  });
});

describe('RFC 4861 §4.2 a router advertisement', () => {
  const router = new IpAddress(6, 0xfe800000 | 0, 0, 0, 1, 7);
  const read = (hex: string) => {
    const bytes = fromHex(hex);
    expect(parseNdp(bytes, 0, bytes.length, between('fe80::1', 'ff02::1'), 255, new NdpMessage())).toBe(0);
    return readRouterAdvertisement(bytes, 0, bytes.length, router);
  };

  test('its header', () => {
    expect(read('86000000 40c80708 00007530 000003e8')).toEqual({
      router,
      ...{ hopLimit: 64, isManaged: true, hasOtherConfig: true, preference: 'high', lifetime: 1_800_000 },
      ...{ reachableTime: 30_000, retransTimer: 1000, mtu: 0 },
      ...{ prefixes: [], routes: [], nameServers: [], searchLists: [] },
    });
  });

  test('RFC 4191 §2.2: the reserved preference is medium, and so is that of who is no default router', () => {
    expect(read('86000000 00100708 00000000 00000000').preference).toBe('medium');
    expect(read('86000000 00180708 00000000 00000000').preference).toBe('low');
    expect(read('86000000 00180000 00000000 00000000').preference).toBe('medium');
  });

  test('§4.6.2: prefixes, with the bits past their length cleared', () => {
    const option = '0304 40c0 ffffffff 00000e10 00000000 20010db8000100020003000400050006';
    expect(
      read(RA + option).prefixes.map(({ prefix, ...rest }) => ({ prefix: `${prefix}`, ...rest })),
    ).toEqual([
      {
        prefix: '2001:db8:1:2::',
        ...{ length: 64, isOnLink: true, isAutonomous: true },
        ...{ validLifetime: Number.POSITIVE_INFINITY, preferredLifetime: 3_600_000 },
      },
    ]);
  });

  test('§4.6.4: the MTU', () => {
    expect(read(`${RA} 0501 0000 000005dc`).mtu).toBe(1500);
  });

  test('RFC 4191 §2.3: routes of 0, 8 and 16 bytes of prefix', () => {
    const routes = read(
      `${RA} 1801 0008 00000e10  1802 3018 00000e10 20010db800010000  1803 8000 ffffffff 20010db8000000000000000000000009`,
    ).routes;
    expect(routes.map((r) => `${r.prefix}/${r.length} ${r.preference} ${r.lifetime}`)).toEqual([
      '::/0 high 3600000',
      '2001:db8:1::/48 low 3600000',
      '2001:db8::9/128 medium Infinity',
    ]);
  });

  test('RFC 8106 §5.1, §5.2: servers, and domains padded with zeros', () => {
    const ra = read(
      `${RA} 1905 0000 00000258 20010db8000000000000000000000053 fe800000000000000000000000000001` +
        `1f03 0000 0000000a 03 6c6162 07 6578616d706c65 00 000000`,
    );
    expect(ra.nameServers.map((s) => `${s.servers} ${s.lifetime}`)).toEqual([
      '2001:db8::53,fe80::1%7 600000',
    ]);
    expect(ra.searchLists).toEqual([{ domains: ['lab.example'], lifetime: 10_000 }]);
  });

  test.each([
    [
      'a prefix of more than 128 bits',
      '0304 81c0 00000e10 00000e10 00000000 20010db8000100020003000400050006',
    ],
    ['a prefix option that is too short', '0302 40c0 00000e10 00000e10 00000000'],
    ['a route whose prefix is not there', '1801 4000 00000e10'],
    ['a route with the reserved preference', '1802 4010 00000e10 20010db800010000'],
    ['servers that do not fill the option', '1902 0000 00000258 20010db800000000'],
    ['domains that are none', '1f02 0000 0000000a 3f61626364656667'],
    ['an MTU option of another length', '0502 0000 000005dc 0000000000000000'],
  ])('%s: passed over', (_name, option) => {
    const { mtu, prefixes, routes, nameServers, searchLists } = read(`${RA} ${option}`);
    expect([mtu, prefixes, routes, nameServers, searchLists]).toEqual([0, [], [], [], []]);
  });
});
