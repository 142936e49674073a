/** route, forward and netsh interface: what is typed, what is asked of the daemon, and what is shown. */

import { afterEach, describe, expect, test } from '@jest/globals';
import type { ForwardStatus, NatStatus } from '../../../src/port/index.ts';
import { INTERFACES, ROUTES } from './answers.ts';
import { FakeDaemon, type Route } from './harness.ts';

let daemon: FakeDaemon | undefined;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

/** A daemon that takes a request, and what it was asked. */
async function taking(route: string, answer: object, others: Readonly<Record<string, Route>> = {}) {
  const bodies: unknown[] = [];
  const server = await fake({
    ...others,
    [route]: (asked: { body: unknown }) => {
      bodies.push(asked.body);
      return answer;
    },
  });
  return { cli: (args: string) => server.cli(args), bodies };
}

describe('winsockd route add', () => {
  test.each([
    [
      '10.0.0.0 mask 255.0.0.0 10.1.1.1 metric 5 if 2',
      { destination: '10.0.0.0/8', gateway: '10.1.1.1', metric: 5, interface: 2 },
    ],
    ['10.0.0.0 MASK 255.0.0.0 10.1.1.1', { destination: '10.0.0.0/8', gateway: '10.1.1.1' }],
    ['10.0.0.0/8 10.1.1.1', { destination: '10.0.0.0/8', gateway: '10.1.1.1' }],
    ['10.1.2.3 10.1.1.1', { destination: '10.1.2.3/32', gateway: '10.1.1.1' }],
    ['0.0.0.0 mask 0.0.0.0 10.1.1.1', { destination: '0.0.0.0/0', gateway: '10.1.1.1' }],
    ['default via 10.1.1.1 dev tap0', { destination: '0.0.0.0/0', gateway: '10.1.1.1', interface: 'tap0' }],
    ['default via fe80::1 dev tap0', { destination: '::/0', gateway: 'fe80::1', interface: 'tap0' }],
    ['-6 default dev tap0', { destination: '::/0', interface: 'tap0' }],
    ['-4 192.0.2.0/24 if 2', { destination: '192.0.2.0/24', interface: 2 }],
    ['2001:db8::/32 fe80::1 if 2 -6', { destination: '2001:db8::/32', gateway: 'fe80::1', interface: 2 }],
  ])('%s', async (words, body) => {
    const { cli, bodies } = await taking('POST /v1/routes', ROUTES);
    expect(await cli(`route add ${words}`)).toMatchObject({ code: 0, out: ' OK!\n' });
    expect(bodies).toEqual([body]);
  });

  test.each([
    ['add 10.0.0.0 mask 255.0.255.0 10.1.1.1', 'mask'],
    ['add 10.1.0.0 mask 255.0.0.0 10.1.1.1', '(Destination & Mask) != Destination'],
    ['add 10.0.0.0/8 mask 255.0.0.0 10.1.1.1', 'mask'],
    ['add here 10.1.1.1', 'destination'],
    ['add 10.0.0.0/8 there', 'gateway'],
    ['add 10.0.0.0/8 10.1.1.1 10.1.1.2', 'one of the words mask, metric or if'],
    ['add 10.0.0.0/8 10.1.1.1 metric', 'metric'],
    ['-p add 10.0.0.0/8 10.1.1.1', 'keeps no routes'],
    ['add 10.0.0.0/8 10.1.1.1 -p', 'keeps no routes'],
    ['-6 add 10.0.0.0/8 10.1.1.1', 'family'],
  ])('%s is refused in words', async (words, text) => {
    const { cli, bodies } = await taking('POST /v1/routes', ROUTES);
    const { code, err } = await cli(`route ${words}`);
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(bodies).toEqual([]);
  });
});

describe('winsockd route delete and print', () => {
  test('a destination is enough; a gateway and an interface narrow it', async () => {
    const { cli, bodies } = await taking('DELETE /v1/routes', ROUTES);
    await cli('route delete 10.0.0.0/8');
    await cli('route delete 10.0.0.0 mask 255.0.0.0 10.1.1.1 if 2');
    expect(bodies).toEqual([
      { destination: '10.0.0.0/8' },
      { destination: '10.0.0.0/8', gateway: '10.1.1.1', interface: 2 },
    ]);
  });

  test('what is printed is narrowed by family and by a beginning with a star', async () => {
    const server = await fake({ 'GET /v1/routes': ROUTES });
    expect(await server.json('route print 10.*')).toEqual([ROUTES[0]]);
    expect(await server.json('route print -6')).toEqual([]);
    expect(await server.json('route -4 print')).toEqual(ROUTES);
  });

  test.each(['route print', 'netstat -r'])('%s marks a gateway that does not answer', async (args) => {
    const routes = ROUTES.map((route) => ({ ...route, isSilent: route.gateway !== null }));
    const server = await fake({ 'GET /v1/routes': routes });
    const { out } = await server.cli(args);
    expect(out).toMatch(/0\.0\.0\.0\/0 +10\.77\.0\.1 \(silent\) +tap0/);
    expect(out).toMatch(/10\.77\.0\.0\/24 +On-link +tap0/);
  });
});

const FORWARD: ForwardStatus = {
  id: 3,
  protocol: 'tcp',
  listen: { side: 'host', address: '127.0.0.1', port: 40_001 },
  target: { side: 'stack', address: '10.77.0.2', port: 80 },
  active: 1,
  total: 7,
  failed: 2,
  lastError: '10.77.0.2:80: connection refused',
  bytesToHost: 2048,
  bytesToStack: 512,
};

describe('winsockd forward', () => {
  test.each([
    ['host:8080 stack:80', 'tcp', { side: 'host', port: 8080 }, { side: 'stack', port: 80 }],
    [
      '--udp stack:53 host:127.0.0.1:5353',
      'udp',
      { side: 'stack', port: 53 },
      { side: 'host', address: '127.0.0.1', port: 5353 },
    ],
    [
      'host:[::1]:0 stack:10.77.0.2:80',
      'tcp',
      { side: 'host', address: '::1', port: 0 },
      { side: 'stack', address: '10.77.0.2', port: 80 },
    ],
  ])('add %s', async (words, protocol, listen, target) => {
    const { cli, bodies } = await taking('POST /v1/forwards', FORWARD);
    const { code, out } = await cli(`forward add ${words}`);
    expect(bodies).toEqual([{ protocol, listen, target }]);
    // The port that was found is told.
    expect([code, out]).toEqual([0, 'forward 3: tcp host:127.0.0.1:40001 → stack:10.77.0.2:80\n']);
  });

  test.each([
    'add 8080 stack:80',
    'add host:99999 stack:80',
    'add host:1 stack:0',
    'add host:::1:1 stack:80',
    'remove x',
  ])('%s is a usage error', async (words) => {
    const { cli } = await taking('POST /v1/forwards', FORWARD);
    expect((await cli(`forward ${words}`)).code).toBe(2);
  });

  test('list and remove', async () => {
    const server = await fake({ 'GET /v1/forwards': [FORWARD], 'DELETE /v1/forwards/3': FORWARD });
    const { out } = await server.cli('forward list');
    expect(out.split('\n')[1]).toMatch(
      /^ *3 +tcp +host:127\.0\.0\.1:40001 +stack:10\.77\.0\.2:80 +1 +7 +2 +2\.0 KiB +512 B/,
    );
    expect(await server.json('forward list')).toEqual([FORWARD]);
    expect((await server.cli('forward remove 3')).out).toContain('removed forward 3');
    expect((await server.cli('forward remove 4')).code).toBe(1);
  });
});

const NAT: NatStatus = {
  interface: 'wan0',
  interfaceIndex: 3,
  outsideAddress: '192.0.2.1',
  inside: ['lan0', 'lan1'],
  filtering: 'addressDependent',
  mappings: [
    {
      protocol: 'tcp',
      insideAddress: '192.168.5.9',
      insidePort: 80,
      outsidePort: 8080,
      isStatic: true,
      sessions: 0,
    },
    {
      protocol: 'udp',
      insideAddress: '192.168.5.7',
      insidePort: 5000,
      outsidePort: 5000,
      isStatic: false,
      sessions: 2,
    },
  ],
};
const NO_NAT: NatStatus = {
  interface: null,
  interfaceIndex: null,
  outsideAddress: null,
  inside: [],
  filtering: null,
  mappings: [],
};

describe('winsockd nat', () => {
  test.each([
    ['wan0', { interface: 'wan0' }],
    ['3 --filtering address-and-port', { interface: '3', filtering: 'addressAndPortDependent' }],
    [
      'wan0 --max-mappings 10 --max-mappings-per-host 5',
      { interface: 'wan0', maxMappings: 10, maxMappingsPerHost: 5 },
    ],
  ])('enable %s', async (words, body) => {
    const { cli, bodies } = await taking('PUT /v1/nat', NAT);
    const { code, out } = await cli(`nat enable ${words}`);
    expect(bodies).toEqual([body]);
    expect([code, out]).toEqual([
      0,
      'Outside    wan0 (192.0.2.1)\nInside     lan0, lan1\nFiltering  address\nMappings   2 mappings\n',
    ]);
  });

  test.each([
    ['8080 192.168.5.9:80', 'tcp', 8080, 80],
    ['--udp 53 192.168.5.9:5353', 'udp', 53, 5353],
  ])('add %s', async (words, protocol, outsidePort, insidePort) => {
    const { cli, bodies } = await taking('POST /v1/nat/port-maps', NAT);
    const { code, out } = await cli(`nat add ${words}`);
    expect(bodies).toEqual([{ protocol, outsidePort, insideAddress: '192.168.5.9', insidePort }]);
    expect([code, out]).toEqual([0, `${protocol} 192.0.2.1:${outsidePort} → 192.168.5.9:${insidePort}\n`]);
  });

  test.each([
    'add 0 192.168.5.9:80',
    'add 80',
    'add 80 192.168.5.9',
    'add 80 [::1]:80',
    'add 80 host:80',
    'add 80 192.168.5.9:99999',
    'remove x',
    'enable',
    'enable wan0 --filtering some',
    'enable wan0 --max-mappings 0',
  ])('%s is a usage error', async (words) => {
    const { cli, bodies } = await taking('POST /v1/nat/port-maps', NAT);
    expect((await cli(`nat ${words}`)).code).toBe(2);
    expect(bodies).toEqual([]);
  });

  test('list shows how it is set and what is mapped; --port-maps what was mapped by hand', async () => {
    const server = await fake({ 'GET /v1/nat': NAT });
    const { out } = await server.cli('nat list');
    expect(out.split('\n').slice(5)).toEqual([
      expect.stringMatching(/^Proto +Inside +Outside +Type +Peers/),
      expect.stringMatching(/^tcp +192\.168\.5\.9:80 +192\.0\.2\.1:8080 +port map +0/),
      expect.stringMatching(/^udp +192\.168\.5\.7:5000 +192\.0\.2\.1:5000 +dynamic +2/),
      '',
    ]);
    expect(await server.json('nat list')).toEqual(NAT);
    expect(await server.json('nat list --port-maps')).toEqual({ ...NAT, mappings: [NAT.mappings[0]] });
  });

  test('that nothing is passed on is said: else nobody knows why nothing is translated', async () => {
    const server = await fake({ 'GET /v1/nat': { ...NAT, inside: [], outsideAddress: null } });
    const { out } = await server.cli('nat list');
    expect(out).toContain('Inside     nothing: no other interface forwards');
    expect(out).toContain('Outside    wan0 (no IPv4 address yet)');
  });

  test('remove and disable', async () => {
    const server = await fake({
      'GET /v1/nat': NO_NAT,
      'DELETE /v1/nat': NO_NAT,
      'DELETE /v1/nat/port-maps/udp/53': NAT,
    });
    expect((await server.cli('nat remove --udp 53')).out).toBe('removed the port map of udp port 53\n');
    expect((await server.cli('nat remove 53')).code).toBe(1);
    expect((await server.cli('nat disable')).out).toBe('addresses are not translated\n');
    expect((await server.cli('nat list')).out).toBe('addresses are not translated\n');
  });
});

describe('winsockd netsh interface', () => {
  const set = (words: string) =>
    taking('PATCH /v1/interfaces/2', INTERFACES[1] as object, { 'GET /v1/interfaces': INTERFACES }).then(
      async ({ cli, bodies }) => ({ ...(await cli(`netsh interface ${words}`)), bodies }),
    );

  test.each([
    ['ipv4 set interface 2 forwarding=enabled', { isForwarding: true }],
    [
      'ipv4 set interface interface=tap0 weakhostsend=enabled weakhostreceive=disabled metric=5',
      { weakHostSend: true, weakHostReceive: false, metric: 5 },
    ],
    [
      'ip set interface tap0 icmpredirects=disabled sendredirects=enabled',
      { acceptsRedirects: false, sendsRedirects: true },
    ],
    ['set interface name=tap0 admin=disabled', { isUp: false }],
  ])('%s', async (words, body) => {
    expect(await set(words)).toMatchObject({ code: 0, out: 'Ok.\n\n', bodies: [body] });
  });

  test.each([
    'ipv4 set interface 2',
    'ipv4 set interface 2 forwarding=maybe',
    'ipv4 set interface 2 colour=red',
    'ipv4 set interface metric=3',
  ])('%s is a usage error', async (words) => {
    expect(await set(words)).toMatchObject({ code: 2, bodies: [] });
  });

  test('an interface that is not there is named, with those that are', async () => {
    const { code, err } = await set('ipv4 set interface eth7 metric=3');
    expect([code, err]).toEqual([1, 'winsockd: there is no interface eth7; there is lo, tap0\n']);
  });

  test('show interfaces, one interface, addresses and routes', async () => {
    const server = await fake({ 'GET /v1/interfaces': INTERFACES, 'GET /v1/routes': ROUTES });
    expect((await server.cli('netsh interface ipv4 show interfaces')).out.split('\n')).toEqual([
      'Idx  Met    MTU  State      Name',
      '  1   75  65535  connected  lo',
      '  2   25   1500  connected  tap0',
      '',
    ]);
    expect((await server.cli('netsh int ipv4 show interface tap0')).out).toContain(
      'Forwarding          disabled',
    );
    expect((await server.cli('netsh interface ipv6 show addresses')).out).toContain('fd00::2/64');
    expect((await server.cli('netsh interface ipv6 show addresses')).out).not.toContain('10.77.0.2');
    expect((await server.cli('netsh interface ipv4 show route')).out).toMatch(
      /No +manual +35 +0\.0\.0\.0\/0 +2 +10\.77\.0\.1/,
    );
  });

  test('RFC 6724 §2.1 show prefixpolicies, the highest precedence first', async () => {
    const rows = [
      { prefix: '::ffff:0:0/96', precedence: 35, label: 4 },
      { prefix: '::1/128', precedence: 50, label: 0 },
    ];
    const server = await fake({ 'GET /v1/prefix-policies': rows });
    for (const word of ['prefixpolicies', 'prefixpolicy']) {
      const { out } = await server.cli(`netsh interface ipv6 show ${word}`);
      expect(out).toMatch(/Precedence +Label +Prefix\n.*\n? +50 +0 +::1\/128\n +35 +4 +::ffff:0:0\/96\n/);
    }
    const { out } = await server.cli('netsh int ipv6 show prefixpolicies --json');
    expect(JSON.parse(out)).toEqual([rows[1], rows[0]]);
    expect((await server.cli('netsh interface ipv4 show prefixpolicies')).code).toBe(2);
  });

  test.each([
    [
      'add',
      'POST',
      'prefix=fd00::/8 precedence=45 label=14',
      { prefix: 'fd00::/8', precedence: 45, label: 14 },
    ],
    ['add', 'POST', 'fd00::/8 45 14 active', { prefix: 'fd00::/8', precedence: 45, label: 14 }],
    ['set', 'PATCH', 'fd00::/8 Label=15', { prefix: 'fd00::/8', label: 15 }],
    ['set', 'PATCH', 'prefix=fd00::/8 46 15', { prefix: 'fd00::/8', precedence: 46, label: 15 }],
    ['delete', 'DELETE', 'fd00::/8', { prefix: 'fd00::/8' }],
    ['delete', 'DELETE', 'prefix=fd00::/8 store=active', { prefix: 'fd00::/8' }],
  ])('RFC 6724 §2.1 %s prefixpolicy asks %s with %s', async (verb, method, words, body) => {
    const { cli, bodies } = await taking(`${method} /v1/prefix-policies`, []);
    expect(await cli(`netsh interface ipv6 ${verb} prefixpolicy ${words}`)).toMatchObject({
      code: 0,
      out: 'Ok.\n\n',
    });
    expect(bodies).toEqual([body]);
  });

  test.each([
    ['add', 'fd00::/8 45', 'label'],
    ['add', 'fd00::/8 45 high', 'label'],
    ['add', 'fd00::/8 65536 1', 'precedence'],
    ['add', 'fd00::/8 1 1 persistent', 'store=persistent'],
    ['set', 'fd00::/8 metric=1', 'prefixpolicy'],
    ['delete', 'label=1', 'prefix'],
  ])('%s prefixpolicy %s is refused in words', async (verb, words, text) => {
    const { cli, bodies } = await taking('POST /v1/prefix-policies', []);
    const { code, err } = await cli(`netsh interface ipv6 ${verb} prefixpolicy ${words}`);
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(bodies).toEqual([]);
  });

  test('add and delete route, with words and by place', async () => {
    const { cli, bodies } = await taking('POST /v1/routes', ROUTES);
    await cli('netsh interface ipv4 add route prefix=10.0.0.0/8 interface=2 nexthop=10.1.1.1 metric=7');
    await cli('netsh interface ipv4 add route 10.0.0.0/8 tap0 10.1.1.1');
    expect(bodies).toEqual([
      { destination: '10.0.0.0/8', interface: 2, gateway: '10.1.1.1', metric: 7 },
      { destination: '10.0.0.0/8', interface: 'tap0', gateway: '10.1.1.1' },
    ]);
    expect((await cli('netsh interface ipv4 add route 10.0.0.0/8 tap0 10.1.1.1 store=persistent')).code).toBe(
      2,
    );
  });
});
