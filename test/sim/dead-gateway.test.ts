/**
 * A network that two routers join to another, and hosts that go on by way of the one when the other dies: RFC 1122 §3.3.1.4 and §3.3.1.5,
 * RFC 4861 §6.3.6. Neighbour unreachability detection finds it out (RFC 4861 §7.3).
 *
 *     client ─┬─ first ──┬─ server
 *             └─ second ─┘
 */

import { afterEach, describe, expect, test } from '@jest/globals';
import { createNetwork, type Network, type SimHost } from '../../src/sim/index.ts';
import type { RouteOptions } from '../../src/stack/index.ts';

let network: Network;

afterEach(() => network.close());

interface Site {
  readonly client: SimHost;
  readonly server: SimHost;
  readonly first: SimHost;
  readonly second: SimHost;
}

const FAMILIES = {
  4: {
    near: '10.1.0',
    far: '10.3.0',
    address: (net: string, host: number) => `${net}.${host}/24`,
    gateway: (net: string, host: number) => `${net}.${host}`,
    everywhere: '0.0.0.0/0',
    server: '10.3.0.2',
  },
  6: {
    near: 'fd01',
    far: 'fd03',
    address: (net: string, host: number) => `${net}::${host}/64`,
    // As hosts know their routers: by link-local addresses.
    gateway: (_net: string, host: number) => `fe80::${host}`,
    everywhere: '::/0',
    server: 'fd03::2',
  },
} as const;

const FIRST = 11;
const SECOND = 12;
/** Of link-local addresses every host has one on each link. */
const linkLocal = (family: 4 | 6, host: number): string[] => (family === 6 ? [`fe80::${host}/64`] : []);

/** Both ends prefer the first router. */
async function makeSite(family: 4 | 6, seed = 7): Promise<Site> {
  network = createNetwork({ seed });
  const { near, far, address } = FAMILIES[family];
  const wires = [near, far].map((net) => ({ net, wire: network.segment({ medium: 'ethernet' }) }));
  const [client, server] = wires.map(({ net, wire }) => {
    const host = network.host({
      name: net,
      segment: wire,
      addresses: [address(net, 2), ...linkLocal(family, 2)],
      impair: { delay: 5 },
    });
    routes(host, family, net);
    return host;
  }) as [SimHost, SimHost];
  const [first, second] = [FIRST, SECOND].map((last) => {
    const router = network.host({ name: `router ${last}` });
    for (const { net, wire } of wires) {
      network.connect(router, wire, { addresses: [address(net, last), ...linkLocal(family, last)] });
    }
    for (const { index, isLoopback } of router.stack.interfaces) {
      if (!isLoopback) router.stack.setInterface(index, { isForwarding: true, sendsRedirects: false });
    }
    return router;
  }) as [SimHost, SimHost];
  // Addresses are there once nobody else has claimed them.
  await network.run(20_000);
  return { client, server, first, second };
}

function routes(host: SimHost, family: 4 | 6, net: string): void {
  for (const last of [FIRST, SECOND]) host.stack.addRoute(routeVia(family, net, last));
}

/** A default route of a host of `net`. */
function routeVia(family: 4 | 6, net: string, last: number, metric = last === FIRST ? 10 : 20): RouteOptions {
  const { everywhere, gateway } = FAMILIES[family];
  const via = gateway(net, last);
  return {
    destination: everywhere,
    gateway: family === 6 ? `${via}%2` : via,
    interfaceIndex: 2,
    metric,
  };
}

/** Switches all of a router's interfaces: it is gone, without a word. */
function power(router: SimHost, isUp: boolean): void {
  for (const { index, isLoopback } of router.stack.interfaces) {
    if (!isLoopback) router.stack.setInterface(index, { isUp });
  }
}

const forwarded = ({ stack }: SimHost): number => stack.counters.ipOutForwDatagrams;

/** Whether an echo comes back within a second. */
async function answers(host: SimHost, address: string): Promise<boolean> {
  const reply = await network.run(host.ping(address, { timeout: 1000 }).catch(() => null));
  return reply?.type === 0 || reply?.type === 129 || (reply !== null && String(reply.source) === address);
}

describe.each([4, 6] as const)('IPv%d', (family) => {
  const { server: there } = FAMILIES[family];

  test('RFC 1122 §3.3.1.4, §3.3.1.5, RFC 4861 §6.3.6 a connection goes on by way of the other router, whole', async () => {
    const { client, server, first, second } = await makeSite(family);
    const listener = server.tcp.listen(80, { address: there });
    const [stream, peer] = await network.run(Promise.all([client.tcp.connect(there, 80), listener.accept()]));
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31) & 0xff);
    const heard: Uint8Array[] = [];
    const exchange = async (): Promise<void> => {
      const [, got] = await network.run(Promise.all([stream.write(bytes), peer.read(bytes.length)]));
      heard.push(got as Uint8Array);
    };
    await exchange();
    expect([forwarded(first) > 0, forwarded(second)]).toEqual([true, 0]);
    power(first, false);
    const diedAt = network.now;
    for (let i = 0; i < 20; i++) {
      await exchange();
      await network.run(network.now + 500);
    }
    expect(forwarded(second)).toBeGreaterThan(20);
    // Both ends have to find out, the one after the other: after timeouts in vain here, and copies there, 3 s of polls each. And the
    // twenty exchanges take their ten seconds.
    expect(network.now - diedAt).toBeLessThan(30_000);
    expect(stream.endpoint.state).toBe('ESTABLISHED');
  });

  test('RFC 9293 MUST-20 whoever only acknowledges finds out too, by the copies that come', async () => {
    const { client, server, first } = await makeSite(family);
    const listener = server.tcp.listen(80, { address: there });
    const [stream, peer] = await network.run(Promise.all([client.tcp.connect(there, 80), listener.accept()]));
    // The client goes by the other: all that it sends arrives.
    client.stack.removeRoute(routeVia(family, FAMILIES[family].near, FIRST));
    power(first, false);
    const diedAt = network.now;
    await network.run(Promise.all([stream.write(new Uint8Array(5000)), peer.read(5000)]));
    expect(stream.endpoint.unsentBytes).toBe(5000);
    while (stream.endpoint.unsentBytes > 0 && network.now < diedAt + 300_000) {
      await network.run(network.now + 500);
    }
    expect(network.now - diedAt).toBeLessThan(15_000);
  });

  test('RFC 1122 §3.3.1.5 a stalled connection uses a route that is added within moments, at its first wait', async () => {
    const { client, server, first, second } = await makeSite(family);
    const listener = server.tcp.listen(80, { address: there });
    const [stream, peer] = await network.run(Promise.all([client.tcp.connect(there, 80), listener.accept()]));
    const there2 = routeVia(family, FAMILIES[family].near, SECOND);
    const back2 = routeVia(family, FAMILIES[family].far, SECOND);
    client.stack.removeRoute(there2);
    server.stack.removeRoute(back2);
    power(first, false);
    const reading = peer.read(5000);
    await network.run(stream.write(new Uint8Array(5000)));
    await network.run(network.now + 120_000);
    // By now it would wait for a minute.
    expect(stream.endpoint.info().rto).toBeGreaterThan(50_000);
    server.stack.addRoute(back2);
    client.stack.addRoute(there2);
    const addedAt = network.now;
    await network.run(reading);
    expect(network.now - addedAt).toBeLessThan(3000);
    expect(forwarded(second)).toBeGreaterThan(0);
  });

  test('a route that flaps does not have a stalled connection flood the link', async () => {
    const { client, server, first, second } = await makeSite(family);
    const listener = server.tcp.listen(80, { address: there });
    const [stream] = await network.run(Promise.all([client.tcp.connect(there, 80), listener.accept()]));
    power(first, false);
    power(second, false);
    await network.run(stream.write(new Uint8Array(5000)));
    await network.run(network.now + 60_000);
    const before = stream.endpoint.info().retransSegs;
    for (let i = 0; i < 600; i++) {
      const route = routeVia(family, FAMILIES[family].near, i % 2 === 0 ? FIRST : SECOND, 1);
      client.stack.addRoute(route);
      await network.run(network.now + 100);
      client.stack.removeRoute(route);
    }
    // A minute from the least timeout is eight copies; three new ways of a peer that is not heard make it begin anew.
    expect(stream.endpoint.info().retransSegs - before).toBeLessThan(32);
  });

  test('the routes stay, and the first router is used again once it answers, with nothing lost on the way back', async () => {
    const { client, server, first, second } = await makeSite(family);
    const before = client.stack.routes.length;
    power(first, false);
    // Both ends find out while somebody speaks.
    for (let i = 0; i < 60; i++) await answers(client, there);
    expect(await answers(client, there)).toBe(true);
    expect(client.stack.routes.length).toBe(before);
    const silent = (): (string | null)[] =>
      client.stack.routes.flatMap(({ isSilent, gateway }) => (isSilent ? [String(gateway)] : []));
    expect(silent()).toEqual([
      expect.stringContaining(FAMILIES[family].gateway(FAMILIES[family].near, FIRST)),
    ]);
    // While it is dead it is asked for, and nobody's packets wait for that.
    for (let i = 0; i < 150; i++) {
      expect(await answers(client, there)).toBe(true);
      await network.run(network.now + 1000);
    }
    power(first, true);
    const used = forwarded(second);
    for (let i = 0; i < 100; i++) {
      expect(await answers(client, there)).toBe(true);
      await network.run(network.now + 1000);
    }
    expect(silent()).toEqual([]);
    const [byFirst, bySecond] = [forwarded(first), forwarded(second)];
    expect(bySecond).toBeGreaterThan(used);
    for (let i = 0; i < 5; i++) expect(await answers(client, there)).toBe(true);
    expect([forwarded(first) - byFirst, forwarded(second) - bySecond]).toEqual([10, 0]);
    expect(server.stack.routes.length).toBe(before);
  });

  test('when all are dead each is tried in turn, so that whichever comes back is found', async () => {
    const { client, first, second } = await makeSite(family);
    for (const revived of [second, first]) {
      power(first, false);
      power(second, false);
      for (let i = 0; i < 100; i++) await answers(client, there);
      expect(await answers(client, there)).toBe(false);
      power(revived, true);
      let tries = 0;
      while (tries < 60 && !(await answers(client, there))) tries++;
      expect(tries).toBeLessThan(60);
    }
  });

  test('a host without another gateway asks on, and the first that answers is used', async () => {
    const { client, server, first, second } = await makeSite(family);
    for (const host of [client, server]) {
      const { everywhere } = FAMILIES[family];
      const gone = host.stack.routes.find(({ prefixLength, metric }) => prefixLength === 0 && metric === 20);
      host.stack.removeRoute({ destination: everywhere, gateway: String(gone?.gateway), interfaceIndex: 2 });
    }
    power(first, false);
    for (let i = 0; i < 60; i++) await answers(client, there);
    power(first, true);
    let tries = 0;
    while (tries < 20 && !(await answers(client, there))) tries++;
    expect(tries).toBeLessThan(20);
    expect(forwarded(second)).toBe(0);
  });
});
