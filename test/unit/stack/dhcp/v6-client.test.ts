/** The DHCPv6 client's exchanges: RFC 8415 §15 to §18. */

import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../../src/base/index.ts';
import { DhcpV6Option, DhcpV6Status, DropReason } from '../../../../src/wire/index.ts';
import { addressBytes, ip, LEASED, SERVER_DUID, V6Rig } from './v6-support.ts';

const FOREVER = 0xffffffff;
const OTHER_DUID = fromHex('00030001020000000009');
const NAMES = [
  { code: DhcpV6Option.dnsServers, value: addressBytes('2001:db8::53', '2001:db8::54') },
  { code: DhcpV6Option.domainSearch, value: fromHex('036c616e00 04686f6d65 0461727061 00') },
];

describe('RFC 8415 §18.2.1 Solicit', () => {
  test('goes out within a second, with identifiers, an association without addresses, and what is wanted to know', () => {
    const rig = new V6Rig();
    expect(rig.state).toBe('INIT');
    const solicit = rig.next(1010);
    expect(solicit).toMatchObject({ type: 'solicit', elapsed: 0, isRapidCommit: false, addresses: [] });
    expect(solicit.clientId).toBe('00030001020000000002');
    expect(solicit.serverId).toBeUndefined();
    // §21.7: SOL_MAX_RT is to be asked for.
    expect(solicit.requested).toEqual([23, 24, 82]);
    expect(rig.state).toBe('SOLICIT');
  });

  test('§15: 1 s and a little, doubled up to an hour, a tenth more or less; the elapsed time says since when', () => {
    const rig = new V6Rig();
    const first = rig.next(1010);
    rig.pass(4 * 3_600_000);
    const all = [first, ...rig.sent()];
    const gaps = all.slice(1).map(({ at }, i) => at - (all[i]?.at as number));
    expect(gaps[0]).toBeGreaterThan(1000);
    expect(gaps[0]).toBeLessThanOrEqual(1100);
    for (const [i, gap] of gaps.slice(1, 11).entries()) {
      expect(gap / (gaps[i] as number)).toBeGreaterThanOrEqual(1.89);
      expect(gap / (gaps[i] as number)).toBeLessThanOrEqual(2.11);
    }
    const last = gaps.at(-1) as number;
    expect(last).toBeGreaterThanOrEqual(0.9 * 3_600_000 - 1);
    expect(last).toBeLessThanOrEqual(1.1 * 3_600_000 + 1);
    expect(new Set(all.map(({ transactionId }) => transactionId)).size).toBe(1);
    expect(all[1]?.elapsed).toBe(Math.floor((gaps[0] as number) / 10));
    expect(all.at(-1)?.elapsed).toBe(0xffff);
  });

  test('the best of the advertisements that come within the first wait is chosen', () => {
    const rig = new V6Rig();
    const solicit = rig.next();
    rig.answer(solicit, { preference: 1, serverId: OTHER_DUID });
    rig.answer(solicit, { preference: 9 });
    rig.answer(solicit, { preference: 5, serverId: OTHER_DUID });
    expect(rig.sent()).toEqual([]);
    rig.pass(1100);
    expect(rig.sent()).toMatchObject([
      { type: 'request', serverId: toHex(SERVER_DUID), addresses: [LEASED] },
    ]);
  });

  test('a preference of 255 is not waited after, nor any advertisement once the first wait is over', () => {
    const rig = new V6Rig();
    rig.answer(rig.next(), { preference: 255 });
    expect(rig.sent()).toMatchObject([{ type: 'request' }]);
    const late = new V6Rig();
    const solicit = late.next();
    late.pass(1200);
    expect(late.sent()).toHaveLength(1);
    late.answer(solicit);
    expect(late.sent()).toMatchObject([{ type: 'request' }]);
  });

  test('§18.2.1: with rapid commit two messages do; without having asked for it a REPLY is none', () => {
    const rig = new V6Rig('stateful', { rapidCommit: true });
    const solicit = rig.next();
    expect(solicit.isRapidCommit).toBe(true);
    expect(rig.answer(solicit, { type: 'reply' })).toBe(DropReason.dhcpUnexpected);
    expect(rig.answer(solicit, { type: 'reply', isRapidCommit: true })).toBe(0);
    expect(rig.state).toBe('BOUND');
    const other = new V6Rig();
    expect(other.answer(other.next(), { type: 'reply', isRapidCommit: true })).toBe(
      DropReason.dhcpUnexpected,
    );
  });

  test('§21.24: SOL_MAX_RT counts from the next wait on, also of a server without addresses', () => {
    const rig = new V6Rig();
    const solicit = rig.next();
    const limit = { code: DhcpV6Option.solMaxRt, value: fromHex('0000003c') };
    const none = { addresses: null, status: DhcpV6Status.noAddrsAvail, options: [limit] };
    expect(rig.answer(solicit, none)).toBe(DropReason.dhcpRefused);
    rig.pass(600_000);
    const times = rig.sent().map(({ at }) => at);
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(66_001);
  });

  test('one of less than a minute, or of more than a day, is not believed', () => {
    for (const hex of ['0000003b', '00015181', '0000']) {
      const rig = new V6Rig();
      const value = fromHex(hex);
      rig.answer(rig.next(), { addresses: null, options: [{ code: DhcpV6Option.solMaxRt, value }] });
      rig.pass(2 * 3_600_000);
      const times = rig.sent().map(({ at }) => at);
      const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
      expect(Math.max(...gaps)).toBeGreaterThan(1_000_000);
    }
  });

  test('without a link-local address nothing is sent, and nothing counted', () => {
    const rig = new V6Rig('stateful', { hasSource: false });
    rig.pass(10_000);
    expect(rig.sent()).toEqual([]);
    rig.addLinkLocal();
    expect(rig.next()).toMatchObject({ type: 'solicit', elapsed: 0 });
  });
});

describe('RFC 8415 §18.2.2 Request', () => {
  test('a REPLY configures addresses without a prefix, and names', () => {
    const rig = new V6Rig();
    rig.bind({ options: NAMES });
    expect(rig.addresses).toEqual([`${LEASED}/128`]);
    expect(rig.names).toEqual(['dhcpv6: 2001:db8::53,2001:db8::54; lan,home.arpa']);
    const { lease } = rig.client.status;
    expect(lease).toMatchObject({ expiresAt: rig.now + 5_000_000, renewAt: rig.now + 1_500_000 });
    expect(lease?.rebindAt).toBe(rig.now + 2_400_000);
  });

  test('ten times without an answer, then all begins anew', () => {
    const rig = new V6Rig();
    rig.answer(rig.next(), { preference: 255 });
    rig.pass(400_000);
    const types = rig.sent().map(({ type }) => type);
    expect(types.slice(0, 11)).toEqual([...Array(10).fill('request'), 'solicit']);
  });

  test('a REPLY of another server is not taken', () => {
    const rig = new V6Rig();
    rig.answer(rig.next(), { preference: 255 });
    const request = rig.next();
    expect(rig.answer(request, { serverId: OTHER_DUID })).toBe(DropReason.dhcpUnexpected);
    expect(rig.answer(request)).toBe(0);
  });

  test('§18.2.10: UnspecFail is no answer; NotOnLink and NoAddrsAvail begin anew, less and less often', () => {
    const rig = new V6Rig();
    rig.answer(rig.next(), { preference: 255 });
    const request = rig.next();
    expect(rig.answer(request, { status: DhcpV6Status.unspecFail, addresses: null })).toBe(0);
    expect(rig.next(2000).type).toBe('request');
    expect(rig.answer(request, { status: DhcpV6Status.notOnLink, addresses: null })).toBe(
      DropReason.dhcpRefused,
    );
    let solicits = 0;
    for (const end = rig.now + 600_000; rig.now < end; rig.pass(100)) {
      for (const message of rig.sent()) {
        if (message.type === 'solicit') solicits++;
        if (message.type === 'solicit') rig.answer(message, { preference: 255 });
        else rig.answer(message, { addresses: [], iaStatus: DhcpV6Status.noAddrsAvail });
      }
    }
    expect(solicits).toBeGreaterThan(5);
    expect(solicits).toBeLessThan(20);
  });
});

describe('RFC 8415 §18.2.4, §18.2.5 Renew and Rebind', () => {
  const TIMES = { t1: 1000, t2: 2000 };

  test('at T1 the server is asked, at T2 all are; 10 s doubled up to 10 minutes', () => {
    const rig = new V6Rig();
    rig.bind(TIMES);
    const boundAt = rig.now;
    rig.pass(999_000);
    expect(rig.sent()).toEqual([]);
    rig.pass(1_000_500);
    const renewals = rig.sent();
    expect(renewals[0]).toMatchObject({ type: 'renew', serverId: toHex(SERVER_DUID), addresses: [LEASED] });
    expect(renewals.every(({ type }) => type === 'renew')).toBe(true);
    expect((renewals[0]?.at as number) - boundAt).toBe(1_000_000);
    expect(Math.abs((renewals[1]?.at as number) - (renewals[0]?.at as number) - 10_000)).toBeLessThanOrEqual(
      1000,
    );
    expect(rig.state).toBe('RENEW');
    rig.pass(1000);
    const rebind = rig.next();
    expect(rebind).toMatchObject({ type: 'rebind', addresses: [LEASED] });
    expect(rebind.serverId).toBeUndefined();
  });

  test('a REPLY gives new times, without taking the address away; a new server’s after a REBIND', () => {
    const rig = new V6Rig();
    rig.bind(TIMES);
    rig.pass(1_000_500);
    expect(rig.answer(rig.next(), TIMES)).toBe(0);
    expect(rig.client.status.lease).toMatchObject({ obtainedAt: rig.now, expiresAt: rig.now + 5_000_000 });
    expect(rig.addresses).toEqual([`${LEASED}/128`]);
    rig.pass(2_000_500);
    expect(rig.answer(rig.sent().at(-1) as never, { ...TIMES, serverId: OTHER_DUID })).toBe(0);
    expect(rig.client.status.lease?.serverDuid).toEqual(OTHER_DUID);
  });

  test('the valid lifetime ends: the address goes, and all begins anew', () => {
    const rig = new V6Rig();
    rig.bind(TIMES);
    rig.pass(5_000_100);
    expect(rig.addresses).toEqual([]);
    expect(rig.state).toBe('SOLICIT');
    expect(rig.names).toEqual([]);
  });

  test('§18.2.10.1: an address whose valid lifetime is 0 is not ours any more', () => {
    const rig = new V6Rig();
    rig.bind({
      ...TIMES,
      addresses: [
        [LEASED, 3000, 5000],
        ['2001:db8::51', 3000, 5000],
      ],
    });
    expect(rig.addresses).toHaveLength(2);
    rig.pass(1_000_500);
    rig.answer(rig.next(), {
      ...TIMES,
      addresses: [
        [LEASED, 0, 0],
        ['2001:db8::51', 3000, 5000],
      ],
    });
    expect(rig.addresses).toEqual(['2001:db8::51/128']);
  });

  test('§18.2.10.1: NoBinding: the server is asked to know of us', () => {
    const rig = new V6Rig();
    rig.bind(TIMES);
    rig.pass(1_000_500);
    rig.answer(rig.next(), { addresses: [], iaStatus: DhcpV6Status.noBinding });
    expect(rig.next()).toMatchObject({ type: 'request', serverId: toHex(SERVER_DUID), addresses: [LEASED] });
    expect(rig.addresses).toEqual([`${LEASED}/128`]);
  });

  test('a REPLY that says no, or nothing of us, changes nothing', () => {
    const rig = new V6Rig();
    rig.bind(TIMES);
    rig.pass(1_000_500);
    const renew = rig.next();
    for (const bad of [
      { status: DhcpV6Status.unspecFail },
      { addresses: null },
      { iaid: 8 },
      { iaStatus: 77 },
    ]) {
      expect(rig.answer(renew, bad)).toBe(DropReason.dhcpRefused);
    }
    expect(rig.state).toBe('RENEW');
    expect(rig.addresses).toEqual([`${LEASED}/128`]);
  });

  test('lifetimes for ever need no renewal', () => {
    const rig = new V6Rig();
    rig.bind({ addresses: [[LEASED, FOREVER, FOREVER]] });
    rig.pass(365 * 86_400_000);
    expect(rig.sent()).toEqual([]);
    expect(rig.addresses).toHaveLength(1);
  });

  test('no server makes us ask every moment', () => {
    const rig = new V6Rig();
    rig.bind({ t1: 1, t2: 1, addresses: [[LEASED, 3000, 5000]] });
    rig.pass(4990);
    expect(rig.sent()).toEqual([]);
  });
});

describe('RFC 8415 §18.2.3 Confirm', () => {
  const stopped = () => {
    const rig = new V6Rig();
    rig.bind({ options: NAMES });
    rig.client.stop();
    expect([rig.state, rig.addresses, rig.names]).toEqual(['STOPPED', [], []]);
    rig.client.start('stateful');
    return rig;
  };

  test('after a stop the addresses of the lease are asked about; yes brings them back', () => {
    const rig = stopped();
    const confirm = rig.next(1010);
    expect(confirm).toMatchObject({ type: 'confirm', addresses: [LEASED], requested: [] });
    expect(confirm.serverId).toBeUndefined();
    expect(rig.answer(confirm, { addresses: null, status: DhcpV6Status.success })).toBe(0);
    expect([rig.state, rig.addresses]).toEqual(['BOUND', [`${LEASED}/128`]]);
  });

  test('RFC 8415 §18.2.12: when the link comes up again they are asked about too', () => {
    const rig = new V6Rig();
    rig.bind();
    rig.client.linkUp();
    expect(rig.addresses).toEqual([]);
    const confirm = rig.next(1010);
    expect(confirm).toMatchObject({ type: 'confirm', addresses: [LEASED] });
    rig.answer(confirm, { addresses: null, status: DhcpV6Status.notOnLink });
    expect(rig.next()).toMatchObject({ type: 'solicit', addresses: [] });
    // Without a lease all begins at once, and a client that was stopped stays so.
    rig.pass(200_000);
    rig.sent();
    rig.client.linkUp();
    expect(rig.next(1010)).toMatchObject({ type: 'solicit' });
    rig.client.stop();
    rig.client.linkUp();
    rig.pass(100_000);
    expect(rig.sent()).toEqual([]);
  });

  test('NotOnLink forgets them', () => {
    const rig = stopped();
    rig.answer(rig.next(1010), { addresses: null, status: DhcpV6Status.notOnLink });
    expect(rig.next()).toMatchObject({ type: 'solicit', addresses: [] });
    expect(rig.addresses).toEqual([]);
  });

  test('ten seconds without an answer: they are used', () => {
    const rig = stopped();
    rig.pass(11_100);
    expect(rig.sent().every(({ type }) => type === 'confirm')).toBe(true);
    expect([rig.state, rig.addresses]).toEqual(['BOUND', [`${LEASED}/128`]]);
  });
});

describe('RFC 8415 §18.2.7, §18.2.8 Release and Decline', () => {
  test('what is released is not used from now on, and the server is told up to four times', () => {
    const rig = new V6Rig();
    rig.bind({ options: NAMES });
    rig.client.release();
    expect([rig.state, rig.addresses, rig.names]).toEqual(['RELEASE', [], []]);
    expect(rig.next()).toMatchObject({ type: 'release', serverId: toHex(SERVER_DUID), addresses: [LEASED] });
    rig.pass(60_000);
    expect(rig.sent()).toHaveLength(3);
    expect(rig.state).toBe('RELEASED');
    rig.client.renew();
    expect(rig.next()).toMatchObject({ type: 'solicit', addresses: [] });
  });

  test('an answer ends it', () => {
    const rig = new V6Rig();
    rig.bind();
    rig.client.stop(true);
    expect(rig.answer(rig.next(), { addresses: null })).toBe(0);
    expect(rig.state).toBe('STOPPED');
    rig.pass(60_000);
    expect(rig.sent()).toEqual([]);
  });

  test('an address that somebody else has is declined; others stay', () => {
    const rig = new V6Rig();
    rig.bind({
      addresses: [
        [LEASED, 3000, 5000],
        ['2001:db8::51', 3000, 5000],
      ],
    });
    rig.client.conflict(ip(LEASED));
    const decline = rig.next();
    expect(decline).toMatchObject({ type: 'decline', serverId: toHex(SERVER_DUID), addresses: [LEASED] });
    expect(rig.addresses).toEqual(['2001:db8::51/128']);
    rig.answer(decline, { addresses: null });
    expect([rig.state, rig.addresses]).toEqual(['BOUND', ['2001:db8::51/128']]);
  });

  test('with none left all begins anew', () => {
    const rig = new V6Rig();
    rig.bind();
    rig.client.conflict(ip('2001:db8::99'));
    expect(rig.state).toBe('BOUND');
    rig.client.conflict(ip(LEASED));
    rig.pass(60_000);
    expect(
      rig
        .sent()
        .map(({ type }) => type)
        .slice(0, 5),
    ).toEqual(['decline', 'decline', 'decline', 'decline', 'solicit']);
  });
});

describe('RFC 8415 §18.2.6 Information-request', () => {
  test('asks for what there is to know, without an association', () => {
    const rig = new V6Rig('stateless');
    const request = rig.next(1010);
    expect(request).toMatchObject({ type: 'informationRequest', requested: [23, 24, 32, 83] });
    expect(request.addresses).toBeUndefined();
    expect(rig.answer(request, { addresses: null, options: NAMES })).toBe(0);
    expect([rig.state, rig.names, rig.addresses]).toEqual([
      'INFORMED',
      ['dhcpv6: 2001:db8::53,2001:db8::54; lan,home.arpa'],
      [],
    ]);
  });

  test('§21.23: asks anew after a day, or when the server says, but not within ten minutes', () => {
    const refresh = (hex: string | null) => {
      const rig = new V6Rig('stateless');
      const time = hex === null ? [] : [{ code: DhcpV6Option.informationRefreshTime, value: fromHex(hex) }];
      rig.answer(rig.next(1010), { addresses: null, options: time });
      return (rig.client.status.lease?.renewAt ?? 0) - rig.now;
    };
    expect(refresh(null)).toBe(86_400_000);
    expect(refresh('00000e10')).toBe(3_600_000);
    expect(refresh('00000001')).toBe(600_000);
    expect(refresh('ffffffff')).toBe(Infinity);
  });

  test('what was told stays while it is asked anew', () => {
    const rig = new V6Rig('stateless');
    rig.answer(rig.next(1010), { addresses: null, options: NAMES });
    rig.pass(86_400_100);
    expect(rig.next()).toMatchObject({ type: 'informationRequest' });
    expect(rig.names).toHaveLength(1);
    rig.client.stop();
    expect(rig.names).toEqual([]);
  });

  test('a client goes on in the other mode when a router says so', () => {
    const rig = new V6Rig('stateless');
    rig.next(1010);
    rig.client.start('stateful');
    expect(rig.next(1010).type).toBe('solicit');
    expect(rig.client.status.mode).toBe('stateful');
  });
});

describe('RFC 8415 §16 Message validation', () => {
  test('another transaction, another client, no server, twice the same option', () => {
    const rig = new V6Rig();
    const solicit = rig.next();
    expect(rig.answer(solicit, { transactionId: solicit.transactionId ^ 1 })).toBe(DropReason.dhcpUnexpected);
    for (const bad of [
      { clientId: OTHER_DUID },
      { clientId: null },
      { serverId: null },
      { serverId: fromHex('00') },
    ])
      expect(rig.answer(solicit, bad)).toBe(DropReason.dhcpRefused);
    const twice = { options: [{ code: DhcpV6Option.serverId, value: SERVER_DUID }] };
    expect(rig.answer(solicit, twice)).toBe(DropReason.dhcpRefused);
  });

  test('§16.11: Reconfigure was not agreed to; messages for servers are none for a client', () => {
    const rig = new V6Rig();
    const request = rig.bind();
    expect(rig.answer(request, { type: 'reconfigure' })).toBe(DropReason.dhcpUnexpected);
    const other = new V6Rig();
    expect(other.answer(other.next(), { type: 'request' })).toBe(DropReason.dhcpUnexpected);
  });

  test('§21.4, §21.6: T1 after T2, preferred longer than valid, and addresses that no host has', () => {
    const bad: readonly (readonly [string, number, number])[] = [
      [LEASED, 5001, 5000],
      ['fe80::5', 1, 2],
      ['ff02::1', 1, 2],
      ['::1', 1, 2],
      ['::', 1, 2],
      ['::ffff:10.0.0.1', 1, 2],
      [LEASED, 0, 0],
    ];
    for (const address of bad) {
      const rig = new V6Rig();
      expect(rig.answer(rig.next(), { addresses: [address] })).toBe(DropReason.dhcpRefused);
    }
    const rig = new V6Rig();
    expect(rig.answer(rig.next(), { t1: 200, t2: 100 })).toBe(DropReason.dhcpRefused);
  });

  test('an association with an option that ends past it', () => {
    const rig = new V6Rig();
    const broken = { code: DhcpV6Option.iaNa, value: fromHex('00000007 00000000 00000000 00050018 20') };
    expect(rig.answer(rig.next(), { addresses: null, options: [broken] })).toBe(DropReason.dhcpRefused);
  });

  test('lists are cut, and name servers that no host can be are left out', () => {
    const rig = new V6Rig();
    const many = Array.from(
      { length: 40 },
      (_, i) => [`2001:db8::${(i + 16).toString(16)}`, 10, 20] as const,
    );
    const servers = addressBytes('::', '::1', 'ff02::1', ...many.map(([address]) => address));
    rig.bind({ addresses: many, options: [{ code: DhcpV6Option.dnsServers, value: servers }] });
    expect(rig.addresses).toHaveLength(8);
    expect(rig.client.status.lease?.dnsServers).toHaveLength(8);
    expect(`${rig.client.status.lease?.dnsServers[0]}`).toBe('2001:db8::10');
  });
});
