/**
 * A network that two routers join to another, and hosts that go on by way of the one when the other dies: RFC 1122 §3.3.1.4 and §3.3.1.5,
 * RFC 4861 §6.3.6. Neighbour unreachability detection finds it out (RFC 4861 §7.3).
 *
 *     client ─┬─ first ──┬─ server
 *             └─ second ─┘
 */

import { afterEach, describe, expect, test } from '@jest/globals';
import { createNetwork, type Network, type SimHost } from '../../src/sim/index.ts';

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
  const { everywhere, gateway } = FAMILIES[family];
  for (const [last, metric] of [
    [FIRST, 10],
    [SECOND, 20],
  ] as const) {
    const via = gateway(net, last);
    host.stack.addRoute({
      destination: everywhere,
      gateway: family === 6 ? `${via}%2` : via,
      interfaceIndex: 2,
      metric,
    });
  }
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
    // Both ends have to find out, the one after the other: the entry is stale after 45 s at most, then 5 s of delay and 3 s of
    // polls. What is lost meanwhile TCP repeats at twice the interval each time.
    expect(network.now - diedAt).toBeLessThan(300_000);
    expect(stream.endpoint.state).toBe('ESTABLISHED');
  });

  test('the routes stay, and the first router is used again once it answers, with nothing lost on the way back', async () => {
    const { client, server, first, second } = await makeSite(family);
    const before = client.stack.routes.length;
    power(first, false);
    // Both ends find out while somebody speaks.
    for (let i = 0; i < 60; i++) await answers(client, there);
    expect(await answers(client, there)).toBe(true);
    expect(client.stack.routes.length).toBe(before);
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
