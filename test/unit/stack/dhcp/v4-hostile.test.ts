/** What DHCPv4 servers say that no host can use: refused, counted, and without effect. */

import { describe, expect, test } from '@jest/globals';
import { DropReason } from '../../../../src/wire/index.ts';
import { type Answer, OFFERED, SERVER } from '../../../support/dhcp-server.ts';
import { udpPacket } from '../../../support/segment.ts';
import { bind, makeClient } from './support.ts';

describe('RFC 2131 §4.3.1 offers that no host can use', () => {
  const OFFERS: readonly [string, Answer][] = [
    ['no address', { yiaddr: '0.0.0.0' }],
    ['this network', { yiaddr: '0.1.2.3' }],
    ['loopback', { yiaddr: '127.0.0.1', mask: '255.0.0.0' }],
    ['multicast', { yiaddr: '224.0.0.1' }],
    ['class E', { yiaddr: '240.0.0.1' }],
    ['the limited broadcast', { yiaddr: '255.255.255.255' }],
    ['link-local', { yiaddr: '169.254.1.2', mask: '255.255.0.0' }],
    ['the subnet itself', { yiaddr: '10.0.0.0' }],
    ['the subnet’s broadcast', { yiaddr: '10.0.0.255' }],
    ['the server’s own', { yiaddr: SERVER }],
    ['a mask of nothing', { mask: '0.0.0.0' }],
    ['a mask shorter than a class A', { mask: '254.0.0.0' }],
    ['a mask with a hole', { mask: '255.0.255.0' }],
    ['a mask of the wrong length', { mask: null, options: [[1, 'ffffff']] }],
    ['a mask twice', { options: [[1, 'ffffff00']] }],
    ['a lease of no time', { leaseSec: 0 }],
    ['a lease without a time', { leaseSec: null }],
    ['a lease time twice', { options: [[51, '00000e10']] }],
    ['a lease time of two bytes', { leaseSec: null, options: [[51, '0e10']] }],
    ['no server', { server: null }],
    ['a server that is a group', { server: '224.0.0.1', src: SERVER }],
    ['a server that is nobody', { server: '0.0.0.0', src: SERVER }],
    ['a server that is named twice', { options: [[54, '0a000001']] }],
  ];

  test.each(OFFERS)('%s', (_name, answer) => {
    const client = makeClient();
    const discover = client.request();
    expect(client.answer(discover, { ...answer, dst: '255.255.255.255' })).toBe(DropReason.dhcpRefused);
    expect(client.stack.counters.drops[DropReason.dhcpRefused]).toBe(1);
    expect(client.sent()).toEqual([]);
    expect(client.v4.state).toBe('SELECTING');
    // The next one is taken.
    expect(client.answer(discover)).toBe(0);
  });

  test('an address that another interface has, or this one by hand', () => {
    const client = makeClient();
    client.stack.addInterface({ name: 'other', mtu: 1500, addresses: ['192.168.7.7/24'] });
    client.stack.addAddress(client.index, '10.9.9.9/24');
    const discover = client.request();
    const broadcast = { dst: '255.255.255.255' };
    expect(client.answer(discover, { yiaddr: '192.168.7.7', ...broadcast })).toBe(DropReason.dhcpRefused);
    expect(client.answer(discover, { yiaddr: '10.9.9.9', ...broadcast })).toBe(DropReason.dhcpRefused);
  });

  test('an acknowledgement of another address than was asked for', () => {
    const client = makeClient();
    client.answer(client.request());
    const request = client.request();
    expect(client.answer(request, { yiaddr: '10.0.0.51' })).toBe(DropReason.dhcpRefused);
    expect(client.addresses).toEqual([]);
  });

  test('a DHCPNAK without a server', () => {
    const client = makeClient();
    client.answer(client.request());
    expect(client.answer(client.request(), { type: 'nak', server: null })).toBe(DropReason.dhcpRefused);
    expect(client.v4.state).toBe('REQUESTING');
  });

  test('a renewal that is refused leaves the lease as it was', () => {
    const client = makeClient();
    bind(client, { leaseSec: 1000, t1Sec: 400, t2Sec: 800 });
    client.pass(400_500);
    const request = client.request();
    for (const answer of [{ leaseSec: 0 }, { yiaddr: '10.0.0.9' }, { mask: '255.0.255.0' }]) {
      expect(client.answer(request, { ...answer, dst: OFFERED })).toBe(DropReason.dhcpRefused);
    }
    expect(client.v4).toMatchObject({ state: 'RENEWING', lease: { expiresAt: 1_001_000 } });
  });
});

describe('options that are as good as none', () => {
  const configured = (answer: Answer) => {
    const client = makeClient();
    bind(client, answer);
    return client;
  };

  test('RFC 2132 §3.5: routers that are no hosts, our own address, or of a broken length', () => {
    expect(
      configured({ routers: ['0.0.0.0', '224.0.0.1', '127.0.0.1', OFFERED, '10.0.0.2'] }).routes,
    ).toEqual(['0.0.0.0/0 via 10.0.0.2']);
    expect(configured({ options: [[3, '0a0000']] }).routes).toEqual([]);
  });

  test('RFC 2132 §5.1: an MTU below 576 or above the link’s', () => {
    const mtuOf = (hex: string) => {
      const { stack, index } = configured({ options: [[26, hex]] });
      return stack.interfaces.find((held) => held.index === index)?.mtu;
    };
    expect([mtuOf('0044'), mtuOf('ffff'), mtuOf('05'), mtuOf('0240')]).toEqual([1500, 1500, 1500, 576]);
  });

  test('RFC 2132 §9.11: T1 and T2 out of order, or past the end', () => {
    for (const [t1Sec, t2Sec] of [
      [800, 400],
      [400, 400],
      [400, 1000],
      [0, 0],
    ] as const) {
      const { lease } = configured({ leaseSec: 1000, t1Sec, t2Sec }).v4;
      const { renewAt = 0, rebindAt = 0, expiresAt = 0 } = lease ?? {};
      expect(renewAt).toBeLessThan(rebindAt);
      expect(rebindAt).toBeLessThan(expiresAt);
      expect(rebindAt).toBeGreaterThan(800_000);
    }
  });

  test('a T1 alone counts, when T2 leaves it room', () => {
    expect(configured({ leaseSec: 1000, t1Sec: 100 }).v4.lease?.renewAt).toBe(101_000);
  });

  test('RFC 2132 §3.17: a domain name that is none', () => {
    for (const hex of ['00', '2e2e', '612062', 'ff', '61'.repeat(254)]) {
      expect(configured({ options: [[15, hex]] }).v4.lease?.domainName).toBe('');
    }
    expect(configured({ options: [[15, '6c616e2e00']] }).v4.lease?.domainName).toBe('lan');
  });

  test('a class decides the subnet when the server does not say (RFC 950)', () => {
    for (const [yiaddr, length] of [
      ['10.1.2.3', 8],
      ['172.16.1.2', 16],
      ['192.168.1.2', 24],
    ] as const) {
      expect(configured({ yiaddr, mask: null }).addresses).toEqual([`${yiaddr}/${length}`]);
    }
  });

  test('lists are cut', () => {
    const many = Array.from({ length: 60 }, (_, i) => `10.0.0.${100 + i}`);
    const client = configured({ dns: many, routers: many });
    expect(client.v4.lease?.dnsServers).toHaveLength(8);
    expect(client.routes).toHaveLength(4);
  });
});

describe('RFC 3442 Classless static routes', () => {
  const routesOf = (hex: string, answer: Answer = {}) => {
    const client = makeClient();
    bind(client, { routers: [SERVER], ...answer, options: [[121, hex]] });
    return client.routes;
  };

  test('are asked for before routers, and count instead of them', () => {
    const parameters = makeClient().request().parameters ?? [];
    expect(parameters).toContain(121);
    expect(parameters.indexOf(121)).toBeLessThan(parameters.indexOf(3));
    expect(routesOf('08 0b 0a000002  18 c0a805 0a000003  00 0a000004')).toEqual([
      '192.168.5.0/24 via 10.0.0.3',
      '11.0.0.0/8 via 10.0.0.2',
      '0.0.0.0/0 via 10.0.0.4',
    ]);
  });

  test('a router 0.0.0.0 means the link; bits past the prefix are cleared', () => {
    expect(routesOf('20 0a010101 00000000')).toEqual(['10.1.1.1/32 via null']);
    expect(routesOf('09 0bff 0a000002')).toEqual(['11.128.0.0/9 via 10.0.0.2']);
  });

  test('a router beyond the subnet is on the link: a mask of 32 bits with a router', () => {
    const client = makeClient();
    bind(client, { mask: '255.255.255.255', routers: ['10.9.9.1'] });
    expect(client.addresses).toEqual([`${OFFERED}/32`]);
    expect(client.routes).toEqual(['10.9.9.1/32 via null', '0.0.0.0/0 via 10.9.9.1']);
  });

  test('a malformed list is none: routers count; those to loopback and groups are left out', () => {
    expect(routesOf('21 0a000000 00 0a000002')).toEqual(['0.0.0.0/0 via 10.0.0.1']);
    expect(routesOf('18 0a0000')).toEqual(['0.0.0.0/0 via 10.0.0.1']);
    expect(routesOf('08 7f 0a000002  04 e0 0a000002  08 0b e0000001  08 0c 0a000002')).toEqual([
      '12.0.0.0/8 via 10.0.0.2',
    ]);
  });

  test('a renewal with other routes replaces them', () => {
    const client = makeClient();
    const times = { leaseSec: 1000, t1Sec: 400, t2Sec: 800 };
    bind(client, { ...times, options: [[121, '080b0a000002 080c0a000002']] });
    client.pass(400_500);
    client.answer(client.request(), {
      ...times,
      dst: OFFERED,
      options: [[121, '080c0a000002 080d0a000002']],
    });
    expect(client.routes).toEqual(['12.0.0.0/8 via 10.0.0.2', '13.0.0.0/8 via 10.0.0.2']);
  });
});

describe('RFC 3397 Domain search', () => {
  const searched = (hex: string) => {
    const client = makeClient();
    bind(client, {
      options: [
        [15, '6c616e'],
        [119, hex],
      ],
    });
    return client.stack.interfaces
      .find(({ index }) => index === client.index)
      ?.names.flatMap(({ searchList }) => searchList);
  };

  test('names with compression, instead of the domain name', () => {
    expect(searched('03656e67 056170706c65 03636f6d 00 096d61726b6574696e67 c004')).toEqual([
      'eng.apple.com',
      'marketing.apple.com',
    ]);
  });

  test('pointers that lead nowhere, forward or in circles, and names that end too late: the domain name counts', () => {
    for (const hex of ['c000', 'c005', '0161c000', '3f61', '0161c0', '4061', '016100c003']) {
      expect(searched(hex)).toEqual(['lan']);
    }
  });

  test('an option of more than 255 bytes comes in parts (RFC 3396)', () => {
    const name = (letter: string) => `20${letter.charCodeAt(0).toString(16).repeat(32)}00`;
    const client = makeClient();
    bind(client, { options: [[119, [...'abcdefghij'].map(name).join('')]] });
    expect(client.v4.lease?.searchList).toHaveLength(10);
    expect(client.v4.lease?.searchList[9]).toBe('j'.repeat(32));
  });
});

describe('RFC 2563 Auto-configuration', () => {
  test('a DHCPDISCOVER says that the host could; an offer of nothing that forbids it is heeded', () => {
    const client = makeClient();
    const discover = client.request();
    expect(discover.autoConfigure).toBe(1);
    const none = { yiaddr: '0.0.0.0', leaseSec: null, mask: null, dst: '255.255.255.255' };
    expect(client.answer(discover, { ...none, options: [[116, '00']] })).toBe(0);
    client.pass(60_000);
    expect(client.v4).toMatchObject({ state: 'SELECTING', usesLinkLocal: false });
  });

  test('without a word of a server a link-local address is taken after a while, and given up for a lease', () => {
    const client = makeClient();
    client.pass(10_000);
    expect(client.v4.usesLinkLocal).toBe(false);
    client.pass(5000);
    expect(client.v4).toMatchObject({ state: 'SELECTING', usesLinkLocal: true });
    const discover = client.sent().at(-1);
    client.answer(discover as never);
    client.answer(client.request());
    expect(client.v4).toMatchObject({ state: 'BOUND', usesLinkLocal: false });
  });

  test('but not when the user does not want it', () => {
    const client = makeClient({ linkLocalFallback: false });
    client.pass(120_000);
    expect(client.v4.usesLinkLocal).toBe(false);
  });
});

test('bytes that are no message are malformed, and counted', () => {
  const client = makeClient();
  client.request();
  const send = (payload: Uint8Array): number =>
    client.in(
      udpPacket({ src: SERVER, dst: '255.255.255.255', sourcePort: 67, destinationPort: 68, payload }),
    );
  expect(send(new Uint8Array(0))).toBe(DropReason.dhcpMalformed);
  expect(send(new Uint8Array(300))).toBe(DropReason.dhcpMalformed);
  expect(client.stack.counters.drops[DropReason.dhcpMalformed]).toBe(2);
});
