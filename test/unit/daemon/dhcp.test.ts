/** DHCP as the control API tells it: a real stack, and a server of the test's. */

import { expect, test } from '@jest/globals';
import { dhcpInterfaces, dhcpStatus, releaseDhcp, renewDhcp } from '../../../src/daemon/dhcp.ts';
import { OFFERED, SERVER } from '../../support/dhcp-server.ts';
import { bind, type ClientUnderTest, makeClient } from '../stack/dhcp/support.ts';

/** 2026-11-23T05:00:00Z at the start of the stack's time. */
const EPOCH = Date.UTC(2026, 10, 23, 5);

/** A scheduler whose time passes when somebody waits: each wait serves the client's server. */
function served(client: ClientUnderTest, serve: boolean) {
  return {
    now: () => client.now,
    after: (ms: number, task: () => void) => {
      queueMicrotask(() => {
        client.pass(ms);
        if (serve)
          for (const request of client.sent()) if (request.type !== 'release') client.answer(request);
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
  expect(await renewDhcp(client.stack, scheduler, interfaces, 30_000)).toBe(true);
  expect(client.v4.state).toBe('BOUND');
  expect(await releaseDhcp(client.stack, scheduler, interfaces, 30_000)).toBe(true);
  expect(client.v4.state).toBe('RELEASED');
});

test('without a server the waiting ends', async () => {
  const client = makeClient();
  const scheduler = served(client, false);
  expect(await renewDhcp(client.stack, scheduler, dhcpInterfaces(client.stack), 5000)).toBe(false);
  expect(client.v4.state).toBe('SELECTING');
});
