/** `ipconfig` of an interface that DHCP has configured. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { formatDate } from '../../../src/cli/commands/ipconfig-dhcp.ts';
import type { DhcpInterfaceStatus, InterfaceStatus } from '../../../src/port/index.ts';
import { INTERFACES } from './answers.ts';
import { FakeDaemon, type Route, refuse } from './harness.ts';

/** Of this machine's time zone, whatever it is. */
const OBTAINED = new Date(2026, 10, 23, 5, 4, 9);
const EXPIRES = new Date(2026, 10, 23, 17, 4, 9);

const INTERFACE: InterfaceStatus = {
  ...(INTERFACES[1] as InterfaceStatus),
  addresses: ['192.168.5.20/24', 'fe80::2/64', '2001:db8::20/128'],
  addressDetails: [
    { address: '192.168.5.20', prefixLength: 24, origin: 'dhcp', state: 'preferred' },
    { address: 'fe80::2', prefixLength: 64, origin: 'linkLocal', state: 'preferred' },
    { address: '2001:db8::20', prefixLength: 128, origin: 'dhcp', state: 'tentative' },
  ],
  gateway: '192.168.5.1',
  dnsServers: ['192.168.5.1', '2001:db8::53'],
  searchList: ['lan'],
};

const TIMES = {
  obtained: OBTAINED.toISOString(),
  renews: EXPIRES.toISOString(),
  rebinds: EXPIRES.toISOString(),
  expires: EXPIRES.toISOString(),
};
const CLIENT: DhcpInterfaceStatus = {
  interface: 'tap0',
  index: 2,
  v4: {
    state: 'BOUND',
    mode: 'stateful',
    informedBy: null,
    usesLinkLocal: false,
    attempts: 0,
    lease: {
      address: '192.168.5.20/24',
      server: '192.168.5.1',
      ...TIMES,
      routers: ['192.168.5.1'],
      routes: [],
      dnsServers: ['192.168.5.1'],
      domainName: 'lan',
      searchList: [],
      ntpServers: [],
      mtu: 0,
    },
  },
  v6: {
    state: 'BOUND',
    mode: 'stateful',
    duid: '0003000102000a4d0002',
    iaid: 172_818_434,
    attempts: 0,
    lease: null,
  },
};

let daemon: FakeDaemon | null = null;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start({ 'GET /v1/interfaces': [INTERFACE], 'GET /v1/dhcp': [CLIENT], ...routes });
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = null;
});

describe('ipconfig /all', () => {
  test('has the shape that Windows prints', async () => {
    const { out } = await (await fake({})).cli('ipconfig /all');
    expect(out.split('\n')).toEqual([
      '',
      'IP Configuration',
      '',
      '',
      'Ethernet adapter tap0:',
      '',
      '   Connection-specific DNS Suffix. . : lan',
      '   Description . . . . . . . . . . . : winsockd TAP tap0',
      '   Interface Index . . . . . . . . . : 2',
      '   Physical Address. . . . . . . . . : 02-00-0A-4D-00-02',
      '   DHCP Enabled. . . . . . . . . . . : Yes',
      '   MTU . . . . . . . . . . . . . . . : 1500',
      '   IPv4 Address. . . . . . . . . . . : 192.168.5.20(Preferred)',
      '   Subnet Mask . . . . . . . . . . . : 255.255.255.0',
      '   Link-local IPv6 Address . . . . . : fe80::2/64(Preferred)',
      '   IPv6 Address. . . . . . . . . . . : 2001:db8::20/128(Tentative)',
      '   Lease Obtained. . . . . . . . . . : Monday, November 23, 2026 5:04:09 AM',
      '   Lease Expires . . . . . . . . . . : Monday, November 23, 2026 5:04:09 PM',
      '   Default Gateway . . . . . . . . . : 192.168.5.1',
      '   DHCP Server . . . . . . . . . . . : 192.168.5.1',
      '   DHCPv6 IAID . . . . . . . . . . . : 172818434',
      '   DHCPv6 Client DUID. . . . . . . . : 00-03-00-01-02-00-0A-4D-00-02',
      '   DNS Servers . . . . . . . . . . . : 192.168.5.1',
      '                                       2001:db8::53',
      '   Received. . . . . . . . . . . . . : 12 packets, 3400 bytes',
      '   Sent. . . . . . . . . . . . . . . : 11 packets, 2900 bytes',
      '',
    ]);
  });

  test('a lease for ever never expires; an address that the host gave itself says so', async () => {
    const lease = CLIENT.v4?.lease;
    const forever = { ...CLIENT, v4: { ...CLIENT.v4, lease: { ...lease, expires: null } } };
    const own = { address: '169.254.7.8', prefixLength: 16, origin: 'linkLocal', state: 'preferred' };
    const iface = { ...INTERFACE, addresses: ['169.254.7.8/16'], addressDetails: [own] };
    const { out } = await (await fake({ 'GET /v1/dhcp': [forever], 'GET /v1/interfaces': [iface] })).cli(
      'ipconfig /all',
    );
    expect(out).toContain('   Lease Expires . . . . . . . . . . : Never\n');
    expect(out).toContain('   Autoconfiguration IPv4 Address. . : 169.254.7.8(Preferred)\n');
  });

  test('all routers are listed, and a temporary address says that it is one', async () => {
    const temporary = { address: '2001:db8::99', prefixLength: 64, origin: 'temporary', state: 'preferred' };
    const iface = {
      ...INTERFACE,
      addresses: ['2001:db8::99/64'],
      addressDetails: [temporary],
      gateways: ['fe80::1%2', '192.168.5.1'],
    };
    const { out } = await (await fake({ 'GET /v1/interfaces': [iface] })).cli('ipconfig /all');
    expect(out).toContain('   Temporary IPv6 Address. . . . . . : 2001:db8::99/64(Preferred)\n');
    expect(out).toContain(
      '   Default Gateway . . . . . . . . . : fe80::1%2\n                                       192.168.5.1\n',
    );
  });

  test('--json adds each interface’s client', async () => {
    expect(await (await fake({})).json('ipconfig /all')).toEqual([{ ...INTERFACE, dhcp: CLIENT }]);
  });
});

describe('ipconfig /renew and /release', () => {
  const ROUTES = { 'POST /v1/dhcp/renew': [CLIENT], 'POST /v1/dhcp/release': [CLIENT] };

  test.each([
    ['/renew', 'renew', 4],
    ['-renew', 'renew', 4],
    ['--renew', 'renew', 4],
    ['/RELEASE', 'release', 4],
    ['-release', 'release', 4],
    ['/renew6', 'renew', 6],
    ['--renew6', 'renew', 6],
    ['/Release6', 'release', 6],
    ['-release6', 'release', 6],
  ])('%s asks for all interfaces, and shows them after it', async (flag, verb, family) => {
    const { out, code } = await (await fake(ROUTES)).cli(`ipconfig ${flag}`);
    expect(daemon?.asked[0]).toMatchObject({
      method: 'POST',
      url: `/v1/dhcp/${verb}`,
      body: { timeoutMs: 60_000, family },
    });
    expect(code).toBe(0);
    expect(out).toContain(
      'Ethernet adapter tap0:\n\n   Connection-specific DNS Suffix. . : lan\n   IPv4 Address',
    );
  });

  test('a name asks for one; --json is the API’s answer', async () => {
    expect(await (await fake(ROUTES)).json('ipconfig /renew tap0')).toEqual([CLIENT]);
    expect(daemon?.asked[0]?.body).toMatchObject({ interface: 'tap0' });
  });

  test('without an answer of a server it says so, and fails', async () => {
    const silent: Route = (_asked, response) =>
      refuse(response, 409, 'noAnswer', 'no DHCP server has answered in time');
    const { code, err, out } = await (await fake({ 'POST /v1/dhcp/renew': silent })).cli('ipconfig /renew');
    expect(code).toBe(1);
    expect(err).toContain('no DHCP server has answered in time');
    expect(out).toBe('');
  });
});

test('dates are Windows’ long form, with twelve hours', () => {
  const text = (hour: number) => formatDate(new Date(2027, 0, 2, hour, 0, 7).toISOString());
  expect([text(0), text(11), text(12), text(23)]).toEqual([
    'Saturday, January 2, 2027 12:00:07 AM',
    'Saturday, January 2, 2027 11:00:07 AM',
    'Saturday, January 2, 2027 12:00:07 PM',
    'Saturday, January 2, 2027 11:00:07 PM',
  ]);
});
