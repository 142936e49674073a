import { describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../../src/base/index.ts';
import { MAX_ROUTES } from '../../../../src/stack/route/table.ts';
import { HOUR, ip, Lab, prefix } from './support.ts';

const router = (last: number): IpAddress => new IpAddress(6, 0xfe800000 | 0, 0, 0, last, 2);

describe('RFC 4861 §6.3.4', () => {
  test('a router is a default route for its lifetime, which every advertisement renews', () => {
    const lab = new Lab();
    lab.hear({ lifetime: 10_000 });
    expect(lab.routes).toEqual(['::/0 via fe80::1%2 256']);
    lab.pass(9000);
    lab.hear({ lifetime: 10_000 });
    lab.pass(9999);
    expect(lab.routes).toHaveLength(1);
    lab.pass(1);
    expect(lab.routes).toEqual([]);
  });

  test('a lifetime of zero takes the router off the list at once, and leaves its prefixes', () => {
    const lab = new Lab();
    lab.hear({ prefixes: [prefix('2001:db8::')] });
    lab.hear({ lifetime: 0 });
    expect(lab.routes).toEqual(['2001:db8::/64 via null 256']);
    expect(lab.addresses).toHaveLength(1);
  });

  test('on-link prefixes have routes for their valid lifetime; without the flag nothing changes', () => {
    const lab = new Lab();
    lab.hear({
      lifetime: 0,
      prefixes: [prefix('2001:db8::', { isAutonomous: false, validLifetime: 5000, preferredLifetime: 0 })],
    });
    lab.hear({
      lifetime: 0,
      prefixes: [
        prefix('2001:db8::', {
          isAutonomous: false,
          isOnLink: false,
          validLifetime: 0,
          preferredLifetime: 0,
        }),
      ],
    });
    lab.pass(4999);
    expect(lab.routes).toEqual(['2001:db8::/64 via null 256']);
    lab.pass(1);
    expect(lab.routes).toEqual([]);
  });

  test('§6.3.4: the link-local prefix is none of a router’s, nor one of groups', () => {
    const lab = new Lab();
    lab.hear({ lifetime: 0, prefixes: [prefix('fe80::'), prefix('ff05::')] });
    expect(lab.routes).toEqual([]);
  });

  test('several routers are kept, to a bound', () => {
    const lab = new Lab();
    for (let i = 1; i <= 40; i++) lab.hear({ router: router(i) });
    expect(lab.routes).toHaveLength(16);
    expect(lab.routes[0]).toBe('::/0 via fe80::1%2 256');
  });

  test('§6.3.6: of routers one that answers comes first; when none does, others are asked for once', () => {
    const lab = new Lab();
    for (const last of [1, 2]) lab.hear({ router: router(last) });
    lab.pass(5000);
    const asked = lab.solicited.length;
    const fail = (last: number): void => {
      lab.topology.routes.neighborFailed(lab.iface, router(last), lab.now);
      lab.autoconf.neighborFailed();
    };
    fail(1);
    lab.pass(5000);
    expect(lab.routes).toEqual(['::/0 via fe80::2%2 256', '::/0 via fe80::1%2 256']);
    expect(lab.solicited.length).toBe(asked);
    fail(2);
    fail(1);
    lab.pass(2000);
    expect(lab.routes).toEqual(['::/0 via fe80::2%2 256', '::/0 via fe80::1%2 256']);
    expect(lab.solicited.length).toBe(asked + 1);
    // Heard of again, it comes first.
    lab.topology.routes.gateways.answered(lab.iface, router(1));
    expect(lab.routes[0]).toBe('::/0 via fe80::1%2 256');
    // A link that comes up again is a new one.
    fail(1);
    expect(lab.routes[0]).toBe('::/0 via fe80::2%2 256');
    for (const isUp of [false, true]) lab.topology.configure(lab.iface.index, { isUp });
    expect(lab.topology.routes.gateways.hasSuspects).toBe(false);
  });

  test('RFC 4191 §3.2: a router that answers counts more than a longer prefix by one that does not', () => {
    const lab = new Lab();
    const route = { prefix: ip('2001:db8:7::'), length: 48, preference: 'high', lifetime: HOUR } as const;
    lab.hear({ router: router(1), routes: [route] });
    lab.hear({ router: router(2) });
    const { routes } = lab.topology;
    const way = (): string => String(routes.lookup(ip('2001:db8:7::1'), null)?.gateway);
    expect(way()).toBe('fe80::1%2');
    routes.neighborFailed(lab.iface, router(1), lab.now);
    expect(way()).toBe('fe80::2%2');
    routes.neighborFailed(lab.iface, router(2), lab.now);
    expect(way()).toBe('fe80::1%2');
  });

  test('§7.2.5: a neighbour that says it is no router any more is none', () => {
    const lab = new Lab();
    lab.hear({ router: router(1) });
    lab.hear({ router: router(2) });
    lab.autoconf.routerGone(router(1));
    expect(lab.routes).toEqual(['::/0 via fe80::2%2 256']);
  });
});

describe('RFC 4191', () => {
  test('§3.2: the preferred router goes first, whoever came first', () => {
    const lab = new Lab();
    lab.hear({ router: router(1), preference: 'low' });
    lab.hear({ router: router(2), preference: 'medium' });
    lab.hear({ router: router(3), preference: 'high' });
    expect(lab.routes.map((route) => route.split(' ')[2])).toEqual(['fe80::3%2', 'fe80::2%2', 'fe80::1%2']);
    lab.hear({ router: router(1), preference: 'high' });
    expect(lab.routes.map((route) => route.split(' ')[2])).toEqual(['fe80::3%2', 'fe80::1%2', 'fe80::2%2']);
  });

  test('§2.3: more specific routes, with lifetimes of their own', () => {
    const lab = new Lab();
    const route = { prefix: ip('2001:db8:9::'), length: 48, preference: 'medium' as const, lifetime: 5000 };
    lab.hear({ lifetime: 0, routes: [route] });
    expect(lab.routes).toEqual(['2001:db8:9::/48 via fe80::1%2 256']);
    lab.pass(5000);
    expect(lab.routes).toEqual([]);
    lab.hear({ lifetime: 0, routes: [route] });
    lab.hear({ lifetime: 0, routes: [{ ...route, lifetime: 0 }] });
    expect(lab.routes).toEqual([]);
  });
});

describe('RFC 7559 §2', () => {
  test('routers are asked after a second at most, then after 4 s, 8 s, … until one answers', () => {
    const lab = new Lab();
    lab.autoconf.start();
    lab.pass(70_000);
    const [first = 0, ...later] = lab.solicited;
    expect(first).toBeLessThanOrEqual(1000);
    expect(later).toHaveLength(4);
    const gaps = later.map((at, i) => at - (lab.solicited[i] as number));
    for (const [i, gap] of gaps.entries()) {
      const wanted = 4000 * 2 ** i;
      expect(gap).toBeGreaterThan(wanted * 0.7);
      expect(gap).toBeLessThan(wanted * 1.4);
    }
    lab.hear();
    const asked = lab.solicited.length;
    lab.pass(1_000_000);
    expect(lab.solicited).toHaveLength(asked);
  });

  test('RFC 4861 §6.3.7: one that speaks before it is asked is asked once all the same', () => {
    const lab = new Lab();
    lab.autoconf.start();
    lab.hear();
    expect(lab.solicited).toEqual([]);
    lab.pass(1000);
    expect(lab.solicited).toHaveLength(1);
    lab.pass(1_000_000);
    expect(lab.solicited).toHaveLength(1);
  });

  test('an interval is never longer than an hour and a tenth', () => {
    const lab = new Lab();
    lab.autoconf.start();
    lab.pass(48 * HOUR);
    const gaps = lab.solicited.slice(1).map((at, i) => at - (lab.solicited[i] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * HOUR);
    expect(Math.max(...gaps)).toBeGreaterThan(0.9 * HOUR);
  });

  test('when the last router is gone, they are asked for again', () => {
    const lab = new Lab();
    lab.hear({ lifetime: 5000 });
    lab.pass(4999);
    expect(lab.solicited).toEqual([]);
    lab.pass(2000);
    expect(lab.solicited).toHaveLength(1);
  });

  test('a router for nobody does not end the asking', () => {
    const lab = new Lab();
    lab.autoconf.start();
    lab.hear({ lifetime: 0 });
    lab.pass(10_000);
    expect(lab.solicited.length).toBeGreaterThanOrEqual(2);
  });
});

describe('RFC 8106', () => {
  const names = (lab: Lab): string =>
    lab.iface.names
      .map(({ servers, searchList }) => `${servers.join(',')} ${searchList.join(',')}`)
      .join(';');

  test('§5.1, §5.2: servers and domains come with lifetimes, and go with them', () => {
    const lab = new Lab();
    lab.hear({
      nameServers: [{ servers: [ip('2001:db8::53'), ip('2001:db8::54')], lifetime: 5000 }],
      searchLists: [{ domains: ['lab.example', 'example'], lifetime: 9000 }],
    });
    expect(names(lab)).toBe('2001:db8::53,2001:db8::54 lab.example,example');
    lab.pass(5000);
    expect(names(lab)).toBe(' lab.example,example');
    lab.pass(4000);
    expect(lab.iface.names).toEqual([]);
  });

  test('§5.1: a lifetime of zero ends it at once, others stay', () => {
    const lab = new Lab();
    lab.hear({ nameServers: [{ servers: [ip('2001:db8::53'), ip('2001:db8::54')], lifetime: 50_000 }] });
    lab.hear({ nameServers: [{ servers: [ip('2001:db8::53')], lifetime: 0 }] });
    expect(names(lab)).toBe('2001:db8::54 ');
  });

  test('§5.3.1: a bounded number is kept', () => {
    const lab = new Lab();
    const servers = Array.from({ length: 30 }, (_, i) => ip(`2001:db8::${i + 1}`));
    lab.hear({ nameServers: [{ servers, lifetime: 50_000 }] });
    expect(lab.iface.names[0]?.servers).toHaveLength(8);
  });
});

test('RFC 4861 §4.2: the flags for DHCPv6 are told when they change', () => {
  const lab = new Lab();
  lab.hear();
  lab.hear({ hasOtherConfig: true });
  lab.hear({ hasOtherConfig: true });
  lab.hear({ isManaged: true, hasOtherConfig: true });
  expect(lab.flags).toEqual(['false true', 'true true']);
});

test('a storm of advertisements is not worked off', () => {
  const lab = new Lab();
  let taken = 0;
  for (let i = 0; i < 10_000; i++) if (lab.hear({ router: router(i + 1) })) taken++;
  expect(taken).toBe(50);
  lab.pass(1000);
  expect(lab.hear()).toBe(true);
});

test('a routing table that is full takes none of them, and all of them once there is room', () => {
  const lab = new Lab();
  const { routes } = lab.topology;
  const fill = (i: number) => ({
    destination: `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`,
    interfaceIndex: lab.iface.index,
  });
  for (let i = 0; routes.routes.length < MAX_ROUTES; i++) routes.add(fill(i), lab.iface);
  const say = () => lab.hear({ lifetime: 10_000, prefixes: [prefix('2001:db8::')] });
  say();
  // The address of the prefix comes all the same, and with it the way to its subnet.
  expect(routes.routes.filter(({ origin }) => origin === 'router')).toEqual([]);
  for (let i = 0; i < 5; i++) routes.remove(fill(i));
  say();
  expect(routes.routes.filter(({ origin }) => origin === 'router')).toHaveLength(2);
});
