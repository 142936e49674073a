/** The DHCPv4 client's exchanges with a server: RFC 2131 §3 and §4. */

import { describe, expect, test } from '@jest/globals';
import { DropReason } from '../../../../src/wire/index.ts';
import { OFFERED, SERVER } from '../../../support/dhcp-server.ts';
import { bind, ip, MAC, makeClient } from './support.ts';

const MINUTE = 60_000;
const ETHERNET = { medium: 'ethernet', mac: MAC } as const;

describe('RFC 2131 §3.1 Client-server interaction: allocating a network address', () => {
  test('§4.1: a DHCPDISCOVER goes from 0.0.0.0 to 255.255.255.255', () => {
    const client = makeClient({ hostName: 'bench' });
    expect(client.request()).toMatchObject({
      type: 'discover',
      src: '0.0.0.0',
      dst: '255.255.255.255',
      ciaddr: '0.0.0.0',
      hostName: 'bench',
      maxSize: 1500,
    });
    expect(client.v4).toMatchObject({ state: 'SELECTING', lease: null });
  });

  test('§4.3.2: the DHCPREQUEST names the server and the offered address, in the same exchange', () => {
    const client = makeClient();
    const discover = client.request();
    client.pass(1000);
    expect(client.answer(discover)).toBe(0);
    expect(client.request()).toMatchObject({
      type: 'request',
      dst: '255.255.255.255',
      xid: discover.xid,
      secs: discover.secs,
      requested: OFFERED,
      server: SERVER,
      ciaddr: '0.0.0.0',
    });
  });

  test('an acknowledged lease configures address, routes and names', () => {
    const client = makeClient();
    bind(client, {
      routers: [SERVER],
      dns: ['10.0.0.3', '10.0.0.4'],
      options: [
        [15, '6c616e00'],
        [42, '0a000005'],
      ],
    });
    expect(client.addresses).toEqual([`${OFFERED}/24`]);
    expect(client.routes).toEqual([`0.0.0.0/0 via ${SERVER}`]);
    const view = client.stack.interfaces.find(({ index }) => index === client.index);
    expect(
      view?.names.map(({ origin, servers, searchList }) => [origin, `${servers}`, `${searchList}`]),
    ).toEqual([['dhcp', '10.0.0.3,10.0.0.4', 'lan']]);
    expect(view?.addresses).toMatchObject([
      { origin: 'dhcp', state: 'preferred', validUntil: 3_601_000, preferredUntil: 3_601_000 },
    ]);
    const { lease } = client.v4;
    expect(lease).toMatchObject({
      prefixLength: 24,
      domainName: 'lan',
      obtainedAt: 1000,
      expiresAt: 3_601_000,
    });
    expect(`${lease?.ntpServers}`).toBe('10.0.0.5');
  });

  test('the first good offer is taken: another server’s comes to nothing', () => {
    const client = makeClient();
    const discover = client.request();
    expect(client.answer(discover, { server: '10.0.0.9', yiaddr: '10.0.0.60' })).toBe(0);
    expect(client.answer(discover)).toBe(DropReason.dhcpUnexpected);
    expect(client.request()).toMatchObject({ server: '10.0.0.9', requested: '10.0.0.60' });
  });

  test('an acknowledgement of a server that was not chosen is not taken', () => {
    const client = makeClient();
    client.answer(client.request());
    const request = client.request();
    expect(client.answer(request, { server: '10.0.0.9' })).toBe(DropReason.dhcpUnexpected);
    expect(client.v4.state).toBe('REQUESTING');
    expect(client.answer(request)).toBe(0);
    expect(client.v4.state).toBe('BOUND');
  });

  test('§3.1, 5: four requests without an answer, and all begins anew', () => {
    const client = makeClient();
    const discover = client.request();
    client.answer(discover);
    client.pass(66_000);
    const sent = client.sent().slice(0, 5);
    expect(sent.map(({ type }) => type)).toEqual(['request', 'request', 'request', 'request', 'discover']);
    expect(sent[4]?.xid).not.toBe(discover.xid);
  });

  test('a DHCPNAK to a request: INIT, and a new exchange at once', () => {
    const client = makeClient();
    client.answer(client.request());
    const request = client.request();
    expect(client.answer(request, { type: 'nak' })).toBe(0);
    expect(client.request()).toMatchObject({ type: 'discover' });
  });

  test('a server that always offers and then refuses does not make a flood: the waits double', () => {
    const client = makeClient();
    let rounds = 0;
    for (const end = client.now + 10 * MINUTE; client.now < end; client.pass(500)) {
      for (const sent of client.sent()) {
        if (sent.type === 'discover') rounds++;
        client.answer(sent, sent.type === 'discover' ? {} : { type: 'nak' });
      }
    }
    expect(rounds).toBeGreaterThan(5);
    expect(rounds).toBeLessThan(20);
  });
});

describe('RFC 2131 §4.1 Retransmission', () => {
  test('4, 8, 16, 32, 64, 64 s, each up to a second more or less, and not the same for all', () => {
    const client = makeClient();
    const times: number[] = [];
    for (const end = client.now + 300_000; client.now < end; client.pass(10)) {
      if (client.sent().length > 0) times.push(client.now);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    for (const [i, base] of [4, 8, 16, 32, 64, 64].entries()) {
      expect(Math.abs((gaps[i] as number) - base * 1000)).toBeLessThanOrEqual(1010);
    }
    expect(gaps.every((gap) => gap % 1000 === 0)).toBe(false);
  });

  test('§2: secs are the seconds since the exchange began', () => {
    const client = makeClient();
    client.pass(20_000);
    const seconds = client.sent().map(({ secs }) => secs);
    expect(seconds[0]).toBe(0);
    expect(seconds[1]).toBeGreaterThanOrEqual(3);
    expect(seconds[2]).toBeGreaterThan(seconds[1] as number);
  });
});

describe('RFC 2131 §4.1 Answers to who has no address', () => {
  test('on Ethernet the broadcast flag is clear: a unicast answer to an address not had yet is taken', () => {
    const client = makeClient({ linkLocalFallback: false }, ETHERNET);
    const discover = client.request();
    expect(discover).toMatchObject({
      isBroadcast: false,
      chaddr: '020000000002',
      clientId: '01020000000002',
    });
    expect(client.answer(discover, { dst: OFFERED })).toBe(0);
    expect(client.v4.state).toBe('REQUESTING');
  });

  test('on a link without hardware addresses it is set, and the client is known by its identifier', () => {
    const client = makeClient();
    const discover = client.request();
    expect(discover).toMatchObject({ isBroadcast: true, chaddr: '' });
    expect(discover.clientId).toMatch(/^ff000000020004[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  test('the flag can be asked for', () => {
    expect(makeClient({ broadcast: true }, ETHERNET).request().isBroadcast).toBe(true);
  });

  test('without a client, or once it is bound, such packets are not for this host', () => {
    const stopped = makeClient();
    const discover = stopped.request();
    stopped.stack.stopDhcp(stopped.index);
    expect(stopped.answer(discover, { dst: OFFERED })).toBe(DropReason.ipNotForUs);
    const bound = makeClient();
    const request = bind(bound);
    expect(bound.answer(request, { dst: '10.0.0.51' })).toBe(DropReason.ipNotForUs);
  });

  test('only its own port is taken for an address that is not there', () => {
    const client = makeClient();
    expect(client.answer(client.request(), { dst: OFFERED, destinationPort: 69 })).toBe(
      DropReason.ipNotForUs,
    );
  });
});

describe('RFC 2131 §4.4.1 What answers the client', () => {
  const refused = (change: object): number => {
    const client = makeClient({ clientId: 'hardware' }, ETHERNET);
    return client.answer(client.request(), change);
  };

  test('another exchange’s number, a request, another client’s hardware address', () => {
    expect(refused({ xid: 1 })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ op: 1 })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ chaddr: '020000000003' })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ chaddr: '' })).toBe(DropReason.dhcpUnexpected);
  });

  test('RFC 6842 §3: another client’s identifier; our own is taken', () => {
    expect(refused({ options: [[61, '01020000000003']] })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ options: [[61, '01020000000002']] })).toBe(0);
  });

  test('a type that has no place in the state', () => {
    expect(refused({ type: 'ack' })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ type: 'nak' })).toBe(DropReason.dhcpUnexpected);
    expect(refused({ type: 'release' })).toBe(DropReason.dhcpUnexpected);
  });
});

describe('RFC 2131 §3.2 Reusing a previously allocated network address', () => {
  test('INIT-REBOOT: the request names the address and no server', () => {
    const client = makeClient({ requestedAddress: ip('10.0.0.77') });
    const request = client.request();
    expect(request).toMatchObject({ type: 'request', requested: '10.0.0.77', ciaddr: '0.0.0.0' });
    expect(request.server).toBeUndefined();
    expect(client.v4.state).toBe('REBOOTING');
    expect(client.answer(request, { yiaddr: '10.0.0.77' })).toBe(0);
    expect(client.addresses).toEqual(['10.0.0.77/24']);
  });

  test('a DHCPNAK: the address is not for this network, and all begins anew without it', () => {
    const client = makeClient({ requestedAddress: ip('10.0.0.77') });
    expect(client.answer(client.request(), { type: 'nak' })).toBe(0);
    const discover = client.request();
    expect(discover.type).toBe('discover');
    expect(discover.requested).toBeUndefined();
  });

  test('without an answer a DHCPDISCOVER asks for the address', () => {
    const client = makeClient({ requestedAddress: ip('10.0.0.77') });
    client.pass(31_500);
    const sent = client.sent();
    expect(sent.map(({ type }) => type)).toEqual(['request', 'request', 'request', 'discover']);
    expect(sent[3]?.requested).toBe('10.0.0.77');
  });

  test('after a stop the lease is asked for again; an answer for another address is refused', () => {
    const client = makeClient();
    bind(client, { routers: [SERVER] });
    client.stack.stopDhcp(client.index);
    expect(client.v4.state).toBe('STOPPED');
    expect([client.addresses, client.routes]).toEqual([[], []]);
    client.stack.renewDhcp(client.index);
    const request = client.request();
    expect(request).toMatchObject({ type: 'request', requested: OFFERED });
    expect(client.answer(request, { yiaddr: '10.0.0.99' })).toBe(DropReason.dhcpRefused);
    expect(client.answer(request)).toBe(0);
    expect(client.v4.state).toBe('BOUND');
  });

  test('§3.2, 4: when nobody answers, what is left of the lease is used', () => {
    const client = makeClient();
    bind(client, { leaseSec: 600 });
    client.stack.stopDhcp(client.index);
    client.pass(60_000);
    client.stack.renewDhcp(client.index);
    client.pass(32_000);
    expect(client.v4).toMatchObject({ state: 'BOUND', lease: { expiresAt: 601_000 } });
    expect(client.addresses).toEqual([`${OFFERED}/24`]);
  });

  test('§3.7: when the link comes up again, which may be another one, the lease is asked for again', () => {
    const client = makeClient();
    const { stack, index } = client;
    bind(client, { routers: [SERVER] });
    stack.setInterface(index, { isUp: false });
    client.pass(1000);
    stack.setInterface(index, { isUp: true });
    const request = client.request();
    expect(request).toMatchObject({ type: 'request', requested: OFFERED });
    expect([client.v4.state, client.addresses]).toEqual(['REBOOTING', []]);
    expect(client.answer(request, { routers: [SERVER] })).toBe(0);
    expect(client.addresses).toEqual([`${OFFERED}/24`]);
    // It was up already: nothing follows.
    stack.setInterface(index, { isUp: true });
    expect(client.sent()).toEqual([]);
  });

  test('§3.7: one that still looks for a server asks at once, and one that was stopped stays so', () => {
    const client = makeClient();
    const { stack, index } = client;
    client.pass(100_000);
    client.sent();
    for (const isUp of [false, true]) stack.setInterface(index, { isUp });
    expect(client.request()).toMatchObject({ type: 'discover' });
    stack.stopDhcp(index);
    for (const isUp of [false, true]) stack.setInterface(index, { isUp });
    client.pass(100_000);
    expect(client.sent()).toEqual([]);
  });

  test('a lease that has run out meanwhile is only a wish', () => {
    const client = makeClient();
    bind(client, { leaseSec: 60 });
    client.stack.stopDhcp(client.index);
    client.pass(61_000);
    client.stack.renewDhcp(client.index);
    // No DHCPREQUEST, which a server that has forgotten us would leave unanswered (§4.3.2).
    expect(client.request()).toMatchObject({ type: 'discover', requested: OFFERED });
    expect(client.v4.state).toBe('SELECTING');
    expect(client.addresses).toEqual([]);
  });
});

describe('RFC 2131 §4.4.5 Reacquisition and expiration', () => {
  const LEASE = { leaseSec: 1000, t1Sec: 400, t2Sec: 800 };

  test('T1: a request to the server alone, from the address, without options 50 and 54', () => {
    const client = makeClient();
    const bound = bind(client, LEASE);
    client.pass(399_000);
    expect(client.sent()).toEqual([]);
    client.pass(1500);
    const request = client.request();
    expect(request).toMatchObject({
      type: 'request',
      src: OFFERED,
      dst: SERVER,
      ciaddr: OFFERED,
      isBroadcast: false,
    });
    expect([request.server, request.requested]).toEqual([undefined, undefined]);
    expect(request.xid).not.toBe(bound.xid);
    expect(client.v4.state).toBe('RENEWING');
  });

  test('an acknowledgement gives new time, counted from the request; the address is not taken away for a moment', () => {
    const client = makeClient();
    bind(client, LEASE);
    client.pass(400_500);
    const request = client.request();
    client.pass(300);
    expect(client.answer(request, { ...LEASE, dst: OFFERED })).toBe(0);
    expect(client.v4).toMatchObject({ state: 'BOUND', lease: { obtainedAt: 401_000, expiresAt: 1_401_000 } });
    expect(client.stack.interfaces.find(({ index }) => index === client.index)?.addresses).toMatchObject([
      { validUntil: 1_401_000 },
    ]);
  });

  test('half of the time that is left to T2, but a minute at least, between requests', () => {
    const client = makeClient();
    bind(client, LEASE);
    client.pass(799_500);
    const xids = new Set(client.sent().map(({ xid }) => xid));
    // At 400, 600, 700, 760 s.
    expect(xids.size).toBe(4);
  });

  test('T2: from now on all servers are asked', () => {
    const client = makeClient();
    bind(client, LEASE);
    client.pass(799_500);
    client.sent();
    client.pass(1000);
    expect(client.request()).toMatchObject({
      type: 'request',
      src: OFFERED,
      dst: '255.255.255.255',
      ciaddr: OFFERED,
    });
    expect(client.v4.state).toBe('REBINDING');
  });

  test('in REBINDING another server may answer; in RENEWING not', () => {
    const client = makeClient();
    bind(client, LEASE);
    client.pass(400_500);
    expect(client.answer(client.request(), { ...LEASE, server: '10.0.0.9', dst: OFFERED })).toBe(
      DropReason.dhcpUnexpected,
    );
    client.pass(400_000);
    const rebind = client.sent().at(-1);
    expect(client.v4.state).toBe('REBINDING');
    expect(client.answer(rebind as never, { ...LEASE, server: '10.0.0.9', dst: OFFERED })).toBe(0);
    expect(client.v4).toMatchObject({ state: 'BOUND' });
    expect(`${client.v4.lease?.server}`).toBe('10.0.0.9');
  });

  test('the end: everything of the lease goes, and all begins anew', () => {
    const client = makeClient();
    bind(client, { ...LEASE, routers: [SERVER], dns: [SERVER], options: [[26, '0514']] });
    const view = () => client.stack.interfaces.find(({ index }) => index === client.index);
    expect(view()).toMatchObject({ mtu: 1300 });
    client.pass(999_900);
    expect(client.addresses).toEqual([`${OFFERED}/24`]);
    client.sent();
    client.pass(200);
    expect([client.addresses, client.routes, view()?.names, view()?.mtu]).toEqual([[], [], [], 1500]);
    expect(client.v4).toMatchObject({ state: 'SELECTING', lease: null });
    expect(client.request().type).toBe('discover');
  });

  test('a DHCPNAK to a renewal takes the address away at once', () => {
    const client = makeClient();
    bind(client, LEASE);
    client.pass(400_500);
    expect(client.answer(client.request(), { type: 'nak', dst: OFFERED })).toBe(0);
    expect(client.addresses).toEqual([]);
    expect(client.v4.state).toBe('SELECTING');
  });

  test('T1 and T2 are half and seven eighths of the lease when the server does not say, less a little that differs', () => {
    const client = makeClient();
    bind(client, { leaseSec: 1000 });
    const { renewAt = 0, rebindAt = 0, obtainedAt = 0 } = client.v4.lease ?? {};
    expect((renewAt - obtainedAt) / 1_000_000).toBeLessThan(0.5);
    expect((renewAt - obtainedAt) / 1_000_000).toBeGreaterThan(0.48);
    expect((rebindAt - obtainedAt) / 1_000_000).toBeLessThan(0.875);
    expect((rebindAt - obtainedAt) / 1_000_000).toBeGreaterThan(0.84);
  });

  test('a lease for ever is never renewed by itself', () => {
    const client = makeClient();
    bind(client, { leaseSec: 0xffffffff });
    expect(client.v4.lease).toMatchObject({ renewAt: Infinity, expiresAt: Infinity });
    client.pass(30 * 86_400_000);
    expect(client.stack.nextDeadline).toBe(Infinity);
    expect(client.sent()).toEqual([]);
    expect(client.stack.renewDhcp(client.index)).toBe(true);
    expect(client.v4.state).toBe('RENEWING');
  });
});

describe('RFC 2131 §4.4.6 DHCPRELEASE', () => {
  test('goes to the server from the address, which is taken away when it has left; until a renewal nothing happens', () => {
    const client = makeClient();
    bind(client, { routers: [SERVER] });
    expect(client.stack.releaseDhcp(client.index)).toBe(true);
    expect(client.request()).toMatchObject({
      type: 'release',
      src: OFFERED,
      dst: SERVER,
      ciaddr: OFFERED,
      server: SERVER,
    });
    expect(client.v4.state).toBe('RELEASING');
    client.pass(100);
    expect([client.v4.state, client.addresses, client.routes]).toEqual(['RELEASED', [], []]);
    client.pass(10 * MINUTE);
    expect(client.sent()).toEqual([]);
    expect(client.stack.releaseDhcp(client.index)).toBe(false);
    expect(client.stack.renewDhcp(client.index)).toBe(true);
    expect(client.request().type).toBe('discover');
  });

  test('`stopDhcp` may release too', () => {
    const client = makeClient();
    bind(client);
    client.stack.stopDhcp(client.index, { release: true });
    expect(client.request().type).toBe('release');
    client.pass(100);
    expect([client.v4.state, client.addresses]).toEqual(['STOPPED', []]);
  });
});

describe('the client as part of the host', () => {
  test('no endpoint of its own is among those of applications, and none can take its port’s messages', () => {
    const client = makeClient(null);
    const { stack, index } = client;
    const app = stack.openUdp();
    app.broadcast = true;
    expect(app.bind(ip('0.0.0.0'), 68)).toBe(0);
    stack.startDhcp(index);
    expect([...stack.endpoints()]).toEqual([app]);
    bind(client);
    expect([...stack.endpoints()]).toEqual([app]);
    expect(app.nextLength).toBe(-1);
    expect(client.events).toEqual([]);
  });

  test('a layered provider sees sockets only: without a client the port is an application’s', () => {
    const client = makeClient();
    const discover = client.request();
    client.stack.stopDhcp(client.index);
    const app = client.stack.openUdp();
    app.bind(ip('0.0.0.0'), 68);
    expect(client.answer(discover)).toBe(0);
    expect(app.nextLength).toBeGreaterThan(240);
  });

  test('an interface that goes takes its client along', () => {
    const client = makeClient();
    client.stack.removeInterface(client.index);
    expect(client.stack.dhcpStatus(client.index)).toEqual({ v4: null, v6: null });
    expect(client.stack.nextDeadline).toBe(Infinity);
  });

  test('the loopback interface, interfaces that are not there and options that cannot be are the caller’s bugs', () => {
    const { stack, index } = makeClient(null);
    expect(() => stack.startDhcp(1)).toThrow(RangeError);
    expect(() => stack.startDhcp(99)).toThrow(RangeError);
    expect(() => stack.startDhcp(index, { hostName: 'no name' })).toThrow(RangeError);
    expect(() => stack.startDhcp(index, { clientId: Uint8Array.of(1) })).toThrow(RangeError);
    expect(() => stack.startDhcp(index, { duid: new Uint8Array(131) })).toThrow(RangeError);
    expect(() => stack.startDhcp(index, { requestedAddress: ip('::1') })).toThrow(RangeError);
    expect(stack.renewDhcp(index)).toBe(false);
    expect(stack.releaseDhcp(index)).toBe(false);
  });
});
