/** DHCPv4 clients and servers on a simulated LAN: loss, two servers, refusals, servers that go away. */

import { describe, expect, test } from '@jest/globals';
import { createNetwork, type Network, type SimHost } from '../../src/sim/index.ts';
import { SimDhcpServer } from './dhcp-server.ts';

const MINUTE = 60_000;

interface Client {
  readonly host: SimHost;
  readonly index: number;
  readonly state: string | undefined;
  readonly address: string;
}

/** A host on `segment` that asks for an address. */
function clientOn(
  network: Network,
  segment: ReturnType<Network['segment']>,
  name = 'client',
  impair = {},
): Client {
  const host = network.host({ name });
  const index = network.connect(host, segment, { impair });
  host.stack.startDhcp(index);
  return {
    host,
    index,
    get state() {
      return host.stack.dhcpStatus(index).v4?.state;
    },
    get address() {
      const view = host.stack.interfaces.find((held) => held.index === index);
      const held = view?.addresses.filter(({ origin }) => origin === 'dhcp') ?? [];
      return held.map(({ address }) => `${address}`).join();
    },
  };
}

function lan(seed: number) {
  const network = createNetwork({ seed });
  return { network, segment: network.segment({ medium: 'ethernet' }) };
}

describe('RFC 2131 on a LAN', () => {
  test.each([1, 2, 3, 4, 5])(
    'seed %i: with a third of the packets lost every client gets an address of its own',
    async (seed) => {
      const { network, segment } = lan(seed);
      const server = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100 });
      const harsh = { loss: 0.33, duplicate: 0.1, delay: 20, jitter: 30, jitterReorders: true };
      const clients = Array.from({ length: 8 }, (_, i) => clientOn(network, segment, `client${i}`, harsh));
      await network.run(() => clients.every(({ state }) => state === 'BOUND'), { limit: 60 * MINUTE });
      const addresses = clients.map(({ address }) => address);
      expect(new Set(addresses).size).toBe(8);
      expect(new Set(server.leases.values())).toEqual(new Set(addresses));
    },
  );

  test('of two servers one is chosen, and the other one is told so by the request', async () => {
    const { network, segment } = lan(7);
    const near = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100 });
    const far = new SimDhcpServer(network, segment, {
      address: '10.0.0.2',
      first: 200,
      impair: { delay: 50 },
    });
    const client = clientOn(network, segment);
    await network.run(() => client.state === 'BOUND');
    await network.run(network.now + 1000);
    expect(client.address).toBe('10.0.0.100');
    expect([near.leases.size, far.leases.size]).toEqual([1, 0]);
    expect(far.seen).toEqual(['discover', 'request']);
  });

  test('a lease is renewed for as long as the server lives; the address never goes', async () => {
    const { network, segment } = lan(8);
    const server = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100, leaseSec: 600 });
    const client = clientOn(network, segment);
    await network.run(() => client.state === 'BOUND');
    for (let i = 0; i < 120; i++) {
      await network.run(network.now + MINUTE);
      expect(client.address).toBe('10.0.0.100');
    }
    // Each renewal after about five minutes, and nothing else.
    expect(server.seen.slice(0, 2)).toEqual(['discover', 'request']);
    expect(server.seen.filter((type) => type === 'discover')).toHaveLength(1);
    expect(server.seen.length).toBeGreaterThan(22);
    expect(server.seen.length).toBeLessThan(30);
  });

  test('the server dies: RENEWING, REBINDING, the address goes at the end of its time; another server gives another one', async () => {
    const { network, segment } = lan(9);
    const first = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100, leaseSec: 600 });
    const client = clientOn(network, segment);
    await network.run(() => client.state === 'BOUND');
    const boundAt = network.now;
    first.isSilent = true;
    await network.run(() => client.state === 'RENEWING');
    await network.run(() => client.state === 'REBINDING');
    expect(client.address).toBe('10.0.0.100');
    await network.run(() => client.address === '');
    expect(network.now - boundAt).toBeLessThanOrEqual(600_000);
    expect(network.now - boundAt).toBeGreaterThan(590_000);
    const second = new SimDhcpServer(network, segment, { address: '10.0.0.2', first: 200 });
    await network.run(() => client.state === 'BOUND');
    expect(client.address).toBe('10.0.0.200');
    expect(second.leases.size).toBe(1);
  });

  test('a server that refuses a renewal takes the address away; the next exchange gives one again', async () => {
    const { network, segment } = lan(10);
    const server = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100, leaseSec: 600 });
    const client = clientOn(network, segment);
    await network.run(() => client.state === 'BOUND');
    server.isRefusing = true;
    client.host.stack.renewDhcp(client.index);
    await network.run(() => client.address === '');
    server.isRefusing = false;
    await network.run(() => client.state === 'BOUND');
    expect(client.address).toBe('10.0.0.100');
  });

  test('traffic flows with what was leased, and ends with the release', async () => {
    const { network, segment } = lan(11);
    const server = new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100 });
    const client = clientOn(network, segment);
    await network.run(() => client.state === 'BOUND');
    const pinged = await network.run(client.host.ping('10.0.0.1'));
    expect(`${pinged.source}`).toBe('10.0.0.1');
    client.host.stack.releaseDhcp(client.index);
    await network.run(() => client.state === 'RELEASED');
    expect([client.address, server.leases.size]).toEqual(['', 0]);
  });

  test('one seed, one run', async () => {
    const run = async () => {
      const { network, segment } = lan(12);
      new SimDhcpServer(network, segment, { address: '10.0.0.1', first: 100 });
      const client = clientOn(network, segment, 'client', { loss: 0.3, delay: 5, jitter: 9 });
      await network.run(() => client.state === 'BOUND', { limit: 60 * MINUTE });
      return network.now;
    };
    expect(await run()).toBe(await run());
  });
});
