/** DHCP as the control API tells it: a real stack, and a server of the test's. */

import { expect, test } from '@jest/globals';
import { dhcpInterfaces, dhcpStatus, releaseDhcp, renewDhcp } from '../../../src/daemon/dhcp.ts';
import { OFFERED, SERVER } from '../../support/dhcp-server.ts';
import { bind, type ClientUnderTest, makeClient } from '../stack/dhcp/support.ts';

/** 2026-11-23T05:00:00Z at the start of the stack's time. */
const EPOCH = Date.UTC(2026, 10, 23, 5);

/** An answer to who has an address. */
const TOLD = { type: 'ack', yiaddr: '0.0.0.0', leaseSec: null } as const;

/** A scheduler whose time passes when somebody waits: each wait serves the client's server. */
function served(client: ClientUnderTest, serve: boolean) {
  return {
    now: () => client.now,
    after: (ms: number, task: () => void) => {
      queueMicrotask(() => {
        client.pass(ms);
        for (const request of serve ? client.sent() : []) {
          if (request.type === 'inform') client.answer(request, { ...TOLD, dst: request.src });
          else if (request.type !== 'release') client.answer(request);
        }
        task();
      });
      return () => {};
    },
  };
}

test('an interface with a client tells state, lease and dates; without one there is nothing to tell', () => {
  const client = makeClient();
  expect(dhcpStatus(makeClient(null).stack)).toEqual([]);
  bind(client, { routers: [SERVER], dns: ['10.0.0.3'], options: [[121, '080b 0a000002']] });
  expect(dhcpStatus(client.stack, () => EPOCH + client.now)).toEqual([
    {
      interface: 'test',
      index: client.index,
      v4: {
        state: 'BOUND',
        mode: 'stateful',
        informedBy: null,
        usesLinkLocal: false,
        attempts: 0,
        lease: {
          address: `${OFFERED}/24`,
          server: SERVER,
          obtained: '2026-11-23T05:00:01.000Z',
          renews: expect.stringMatching(/^2026-11-23T05:/),
          rebinds: expect.stringMatching(/^2026-11-23T05:/),
          expires: '2026-11-23T06:00:01.000Z',
          routers: [SERVER],
          routes: [{ destination: '11.0.0.0/8', gateway: '10.0.0.2' }],
          dnsServers: ['10.0.0.3'],
          domainName: '',
          searchList: [],
          ntpServers: [],
          mtu: 0,
        },
      },
      v6: null,
    },
  ]);
});

test('what never ends has no date', () => {
  const client = makeClient();
  bind(client, { leaseSec: 0xffffffff });
  expect(dhcpStatus(client.stack)[0]?.v4?.lease).toMatchObject({
    renews: null,
    rebinds: null,
    expires: null,
  });
});

test('a renewal is waited for, and a release; a name chooses the interface', async () => {
  const client = makeClient();
  const scheduler = served(client, true);
  const interfaces = dhcpInterfaces(client.stack, 'test');
  expect(interfaces).toHaveLength(1);
  expect(dhcpInterfaces(client.stack, 'other')).toEqual([]);
  expect(await renewDhcp(client.stack, scheduler, { interfaces }, 30_000)).toBe(true);
  expect(client.v4.state).toBe('BOUND');
  expect(await releaseDhcp(client.stack, scheduler, { interfaces }, 30_000)).toBe(true);
  expect(client.v4.state).toBe('RELEASED');
});

test('without a server the waiting ends', async () => {
  const client = makeClient();
  const scheduler = served(client, false);
  expect(await renewDhcp(client.stack, scheduler, { interfaces: dhcpInterfaces(client.stack) }, 5000)).toBe(
    false,
  );
  expect(client.v4.state).toBe('SELECTING');
});

test('a family chooses among the clients of an interface, and only that one is waited for', async () => {
  const client = makeClient();
  const scheduler = served(client, true);
  client.stack.startDhcp(client.index, { family: 6 });
  const interfaces = dhcpInterfaces(client.stack, 'test', 4);
  // No DHCPv6 server answers.
  expect(await renewDhcp(client.stack, scheduler, { interfaces, family: 4 }, 30_000)).toBe(true);
  expect(await renewDhcp(client.stack, scheduler, { interfaces, family: 6 }, 1000)).toBe(false);
  expect(await releaseDhcp(client.stack, scheduler, { interfaces, family: 6 }, 1000)).toBe(true);
  expect([client.v4.state, client.stack.dhcpStatus(client.index).v6?.state]).toEqual(['BOUND', 'RELEASED']);
  expect(dhcpInterfaces(makeClient().stack, undefined, 6)).toEqual([]);
});

test('RFC 2131 §3.4 of a host with an address of its own: who has told it the rest', async () => {
  const client = makeClient({ mode: 'stateless' }, { addresses: ['10.0.0.2/24'] });
  expect(dhcpStatus(client.stack)[0]?.v4).toMatchObject({ mode: 'stateless', informedBy: null, lease: null });
  const scheduler = served(client, true);
  const interfaces = dhcpInterfaces(client.stack);
  expect(await renewDhcp(client.stack, scheduler, { interfaces }, 30_000)).toBe(true);
  expect(dhcpStatus(client.stack)[0]?.v4).toMatchObject({
    state: 'INFORMED',
    informedBy: SERVER,
    lease: null,
  });
});
