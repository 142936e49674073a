/** What a client was granted before its host was started anew. */

import { describe, expect, test } from '@jest/globals';
import { ConfigChange, type DhcpMemory } from '../../../../src/stack/index.ts';
import { OFFERED, SERVER } from '../../../support/dhcp-server.ts';
import { bind, type ClientUnderTest, ip, makeClient } from './support.ts';
import { LEASED, SERVER as SERVER6, V6Rig } from './v6-support.ts';

/** A lease that was granted by messages, `ageMs` ago. */
function granted(ageMs = 0, leaseSec = 3600): DhcpMemory {
  const before = makeClient();
  bind(before, { leaseSec, routers: [SERVER], dns: ['10.0.0.53'] });
  const { message, server } = before.v4.lease as DhcpMemory;
  return { message, server, obtainedAt: 1000 - ageMs };
}

/** A host that was told of it. Its clock begins at 1 s. */
function restarted(memory: DhcpMemory, options = {}): ClientUnderTest {
  const client = makeClient(null);
  client.stack.recallDhcp(client.index, 4, memory);
  client.stack.startDhcp(client.index, options);
  return client;
}

describe('RFC 2131 §3.2 a lease of before a restart', () => {
  test('is asked for (INIT-REBOOT), and is whole when the server says yes', () => {
    const client = restarted(granted());
    const request = client.request();
    expect(request).toMatchObject({ type: 'request', requested: OFFERED, ciaddr: '0.0.0.0' });
    expect(request.server).toBeUndefined();
    expect(client.addresses).toEqual([]);
    expect(client.answer(request, { routers: [SERVER] })).toBe(0);
    expect([client.v4.state, client.addresses]).toEqual(['BOUND', [`${OFFERED}/24`]]);
  });

  test('§3.2, 4: when nobody answers, what is left of it is used, with all that it said', () => {
    const client = restarted(granted(600_000));
    client.pass(32_000);
    expect(client.v4).toMatchObject({ state: 'BOUND', lease: { expiresAt: 3_001_000 } });
    expect(client.routes).toEqual([`0.0.0.0/0 via ${SERVER}`]);
    const view = client.stack.interfaces.find(({ index }) => index === client.index);
    expect(`${view?.names[0]?.servers}`).toBe('10.0.0.53');
    // T1 counts from when it was granted.
    expect(client.v4.lease?.renewAt).toBeLessThan(1_201_001);
  });

  test('whose T1 is past is renewed at once', () => {
    const client = restarted(granted(2_000_000));
    client.pass(31_500);
    client.sent();
    client.pass(1000);
    expect(client.v4.state).toBe('RENEWING');
  });

  test('a DHCPNAK forgets it, and says so', () => {
    const client = restarted(granted());
    expect(client.v4.remembered).not.toBeNull();
    expect(client.answer(client.request(), { type: 'nak' })).toBe(0);
    expect(client.v4.remembered).toBeNull();
    expect(client.request().type).toBe('discover');
  });

  test('that is over is a wish: the DHCPDISCOVER names the address', () => {
    for (const obtainedAt of [1000 - 3_600_000, -1e15]) {
      const client = restarted({ ...granted(), obtainedAt });
      expect(client.request()).toMatchObject({ type: 'discover', requested: OFFERED });
    }
  });

  test('is told of once: the next client knows nothing of it', () => {
    const client = restarted(granted());
    client.request();
    client.stack.startDhcp(client.index);
    expect(client.request().type).toBe('discover');
  });

  test.each<[what: string, change: (memory: DhcpMemory) => Partial<DhcpMemory>]>([
    ['nothing', () => ({ message: new Uint8Array(0) })],
    ['noise', () => ({ message: new Uint8Array(300).fill(0x5a) })],
    ['half of it', ({ message }) => ({ message: message.slice(0, 200) })],
    [
      'another client’s',
      ({ message }) => ({ message: message.map((byte, i) => (i === 29 ? byte ^ 1 : byte)) }),
    ],
    ['a request', ({ message }) => ({ message: message.map((byte, i) => (i === 0 ? 1 : byte)) })],
    ['an offer', ({ message }) => ({ message: message.map((byte, i) => (i === 242 ? 2 : byte)) })],
    [
      'an address that no host has',
      ({ message }) => ({ message: message.map((byte, i) => (i === 16 ? 127 : byte)) }),
    ],
  ])('that is %s is ignored', (_what, change) => {
    const memory = granted();
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    const lan = { medium: 'ethernet', mac, detectDuplicates: false } as const;
    // On an Ethernet, where a message has the client's hardware address.
    const before = makeClient({}, lan);
    bind(before);
    const real = before.v4.lease as DhcpMemory;
    const client = makeClient(null, lan);
    client.stack.recallDhcp(client.index, 4, { ...memory, ...real, ...change(real) });
    client.stack.startDhcp(client.index);
    const request = client.request();
    expect(request.type).toBe('discover');
    expect(request.requested).toBeUndefined();
  });

  test('is remembered while it is not in use, and told of when it changes', () => {
    const seen: number[] = [];
    const client = makeClient(null, {}, (changes) => seen.push(changes & ConfigChange.leases));
    client.stack.startDhcp(client.index);
    const told = (): boolean => {
      client.stack.flushEvents();
      return seen.splice(0).some((bits) => bits !== 0);
    };
    expect([client.v4.remembered, told()]).toEqual([null, false]);
    bind(client);
    expect(client.v4.remembered).toBe(client.v4.lease);
    expect(told()).toBe(true);
    client.stack.stopDhcp(client.index);
    expect(client.v4.remembered?.address.toString()).toBe(OFFERED);
    expect(told()).toBe(false);
    client.stack.renewDhcp(client.index);
    client.answer(client.request());
    client.stack.releaseDhcp(client.index);
    client.pass(200);
    expect([client.v4.remembered, told()]).toEqual([null, true]);
  });
});

describe('RFC 8415 §18.2.3 addresses of before a restart', () => {
  /** A client that was told of a REPLY of `ageMs` ago. */
  const restarted6 = (ageMs = 0, options: { readonly message?: Uint8Array } = {}): V6Rig => {
    const before = new V6Rig();
    before.bind();
    const { message, server } = before.client.status.lease as DhcpMemory;
    const rig = new V6Rig(null);
    rig.recall(options.message ?? message, server, rig.now - ageMs);
    rig.client.start('stateful');
    return rig;
  };

  test('are asked about, and used when they fit the link', () => {
    const rig = restarted6();
    const confirm = rig.next(1010);
    expect(confirm).toMatchObject({ type: 'confirm', addresses: [LEASED] });
    expect(rig.answer(confirm, { addresses: null, status: 0 })).toBe(0);
    expect([rig.state, rig.addresses]).toEqual(['BOUND', [`${LEASED}/128`]]);
    expect(rig.client.status.lease?.server).toBe(SERVER6);
  });

  test('are used without an answer, for what is left of their lifetimes', () => {
    const rig = restarted6(1_000_000);
    rig.pass(11_100);
    expect([rig.state, rig.addresses]).toEqual(['BOUND', [`${LEASED}/128`]]);
    expect(rig.client.status.lease?.addresses[0]?.validUntil).toBeLessThan(rig.now + 7_200_000 - 1_000_000);
  });

  test('that are over are not asked about', () => {
    expect(restarted6(100_000_000).next(1010)).toMatchObject({ type: 'solicit', addresses: [] });
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['noise', new Uint8Array(80).fill(0x77)],
    ['an advertisement', Uint8Array.of(2, 0, 0, 0)],
  ])('that are %s are ignored', (_what, message) => {
    expect(restarted6(0, { message }).next(1010)).toMatchObject({ type: 'solicit', addresses: [] });
  });

  test('one that somebody else has is not remembered', () => {
    const rig = new V6Rig();
    rig.bind({
      addresses: [
        [LEASED, 3000, 5000],
        ['2001:db8::51', 3000, 5000],
      ],
    });
    rig.client.conflict(ip(LEASED));
    expect(rig.client.status.remembered?.message).toHaveLength(0);
  });
});
