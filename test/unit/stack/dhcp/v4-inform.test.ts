import { describe, expect, test } from '@jest/globals';
import type { DhcpOptions } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { SERVER } from '../../../support/dhcp-server.ts';
import { type ClientUnderTest, ip, MAC, makeClient } from './support.ts';

const OWN = '10.0.0.2';
const INFORM: DhcpOptions = { mode: 'stateless' };
/** As a server answers who has an address: without one, and without a lease. */
const TOLD = { type: 'ack', yiaddr: '0.0.0.0', leaseSec: null, dns: ['10.0.0.53'], dst: OWN } as const;

function informing(): ClientUnderTest {
  return makeClient(INFORM, { addresses: [`${OWN}/24`] });
}

const names = (client: ClientUnderTest): string[] =>
  client.stack.interfaces
    .filter(({ index }) => index === client.index)
    .flatMap((view) => view.names.map(({ origin, servers }) => `${origin} ${servers}`));

describe('RFC 2131 §3.4 a host with an address of its own', () => {
  test('§4.4.3: the DHCPINFORM goes to all from the address, which it names; it asks for no lease times', () => {
    const request = informing().request();
    expect(request).toMatchObject({ type: 'inform', ciaddr: OWN, src: OWN, dst: '255.255.255.255' });
    expect([request.requested, request.server, request.isBroadcast]).toEqual([undefined, undefined, false]);
    expect(request.parameters).toEqual([6, 15, 119, 42]);
  });

  test('the answer’s names are taken over; address, routes and MTU stay the user’s', () => {
    const client = informing();
    const options = [
      [15, '6c6162'],
      [26, '0240'],
    ] as const;
    expect(client.answer(client.request(), { ...TOLD, routers: [SERVER], options })).toBe(0);
    expect(client.v4).toMatchObject({ mode: 'stateless', state: 'INFORMED', lease: null, remembered: null });
    expect(client.v4.information).toMatchObject({ domainName: 'lab', searchList: [] });
    expect(`${client.v4.information?.server}`).toBe(SERVER);
    expect(names(client)).toEqual(['dhcp 10.0.0.53']);
    expect([client.addresses, client.routes]).toEqual([[`${OWN}/24`], []]);
    expect(client.stack.interfaces.find(({ index }) => index === client.index)?.mtu).toBe(1500);
    // Nothing more is asked.
    client.pass(100_000_000);
    expect(client.sent()).toEqual([]);
  });

  test('§4.3.5: lease times of a server that does not know better change nothing', () => {
    const client = informing();
    expect(client.answer(client.request(), { ...TOLD, yiaddr: '10.0.0.99', leaseSec: 60 })).toBe(0);
    client.pass(120_000);
    expect([client.v4.state, client.addresses]).toEqual(['INFORMED', [`${OWN}/24`]]);
  });

  test('§4.4.3: four times without an answer, then not for five minutes', () => {
    const client = informing();
    client.pass(65_000);
    expect(client.sent().map(({ type }) => type)).toEqual(['inform', 'inform', 'inform', 'inform']);
    client.pass(250_000);
    expect(client.sent()).toEqual([]);
    client.pass(60_000);
    expect(client.sent().map(({ type }) => type)).toContain('inform');
  });

  test('what answers something else is not taken', () => {
    const client = informing();
    const request = client.request();
    expect(client.answer(request, { ...TOLD, xid: request.xid ^ 1 })).toBe(DropReason.dhcpUnexpected);
    expect(client.answer(request, { ...TOLD, type: 'offer' })).toBe(DropReason.dhcpUnexpected);
    expect(client.answer(request, { ...TOLD, type: 'nak' })).toBe(DropReason.dhcpUnexpected);
    expect(client.answer(request, { ...TOLD, op: 1 })).toBe(DropReason.dhcpUnexpected);
    expect(client.answer(request, { ...TOLD, server: null })).toBe(DropReason.dhcpRefused);
    expect(client.answer(request, TOLD)).toBe(0);
    expect(client.answer(request, TOLD)).toBe(DropReason.dhcpUnexpected);
  });

  test('waits for an address, asks anew from the next, and forgets what it knew without any', () => {
    const client = makeClient(INFORM);
    client.pass(10_000);
    expect([client.v4.state, client.sent()]).toEqual(['INIT', []]);
    client.stack.addAddress(client.index, `${OWN}/24`);
    client.answer(client.request(), TOLD);
    expect(client.v4.state).toBe('INFORMED');
    client.stack.addAddress(client.index, '10.0.0.3/24');
    expect(client.sent()).toEqual([]);
    client.stack.removeAddress(client.index, ip(OWN));
    expect(client.request().ciaddr).toBe('10.0.0.3');
    client.stack.removeAddress(client.index, ip('10.0.0.3'));
    expect([client.v4.state, names(client)]).toEqual(['INIT', []]);
  });

  test('an address is asked from when nobody else has it', () => {
    const lan = { medium: 'ethernet', mac: MAC, addresses: [`${OWN}/24`], detectDuplicates: true } as const;
    const client = makeClient(INFORM, lan);
    expect(client.v4.state).toBe('INIT');
    client.pass(10_000);
    expect(client.v4.state).toBe('INFORMING');
  });

  test('renewed it asks anew; released and stopped it forgets; the next client is in its place', () => {
    const client = informing();
    client.answer(client.request(), TOLD);
    expect(client.stack.renewDhcp(client.index, 4)).toBe(true);
    expect(client.stack.renewDhcp(client.index, 6)).toBe(false);
    expect(client.request().type).toBe('inform');
    expect(names(client)).toEqual(['dhcp 10.0.0.53']);
    expect(client.stack.releaseDhcp(client.index)).toBe(true);
    expect([client.v4.state, names(client)]).toEqual(['STOPPED', []]);
    client.stack.renewDhcp(client.index);
    client.answer(client.request(), TOLD);
    client.stack.startDhcp(client.index);
    expect([client.request().type, names(client)]).toEqual(['discover', []]);
    client.stack.startDhcp(client.index, INFORM);
    client.request();
    client.stack.removeInterface(client.index);
    client.pass(1_000_000);
    expect(client.allocator.inUse).toBe(0);
  });
});
