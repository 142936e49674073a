import { describe, expect, test } from '@jest/globals';
import { flattenFrame, IpAddress } from '../../src/base/index.ts';
import { createNetwork, type Network, type SimHost } from '../../src/sim/index.ts';
import { formatFrame } from '../../src/wire/index.ts';

/** What is on the wire, as lines of tcpdump. */
function listen(network: Network, segment: ReturnType<Network['segment']>): string[] {
  const lines: string[] = [];
  const bytes = new Uint8Array(2000);
  segment.tap = (batch, index) => {
    const length = flattenFrame(batch, index, bytes, 0);
    lines.push(`${Math.round(network.now)} ${formatFrame(bytes, 0, length, 'ethernet')}`);
  };
  return lines;
}

function addressesOf(host: SimHost): string[] {
  return host.stack.interfaces
    .filter(({ isLoopback }) => !isLoopback)
    .flatMap(({ addresses }) => addresses.map(({ address, state }) => `${address} ${state}`));
}

describe('hosts on an Ethernet', () => {
  test('RFC 826: two hosts find each other, and the asked one learns from the question', async () => {
    const network = createNetwork({ seed: 3 });
    const wire = network.segment({ medium: 'ethernet' });
    const a = network.host({ name: 'a', segment: wire, addresses: ['10.0.0.1/24'] });
    network.host({ name: 'b', segment: wire, addresses: ['10.0.0.2/24'] });
    await network.run(20_000);
    const lines = listen(network, wire);
    const reply = await network.run(a.ping('10.0.0.2'));
    expect(reply.type).toBe(0);
    expect(lines.map((line) => line.split(' ').slice(1, 4).join(' '))).toEqual([
      'ARP, Request who-has',
      'ARP, Reply 10.0.0.2',
      'IP 10.0.0.1 >',
      'IP 10.0.0.2 >',
    ]);
  });

  test('RFC 4861 §7.3: a long transfer asks once; the stale entries are polled when the hosts speak again', async () => {
    const network = createNetwork({ seed: 4 });
    const wire = network.segment({ medium: 'ethernet' });
    const server = network.host({ name: 'server', segment: wire, addresses: ['10.0.0.1/24'] });
    const client = network.host({
      name: 'client',
      segment: wire,
      addresses: ['10.0.0.2/24'],
      impair: { delay: 20 },
    });
    await network.run(20_000);
    const listener = server.tcp.listen(80);
    const [stream, peer] = await network.run(
      Promise.all([client.tcp.connect('10.0.0.1', 80), listener.accept()]),
    );
    const lines = listen(network, wire);
    for (let i = 0; i < 120; i++) {
      await network.run(network.now + 1000);
      await network.run(Promise.all([stream.write(Uint8Array.of(i)), peer.read(1)]));
    }
    // The server only acknowledges: nothing proves to it that the client hears that, so it polls.
    const requests = lines.filter((line) => line.includes('Request'));
    expect(requests.every((line) => line.includes('tell 10.0.0.1'))).toBe(true);
    expect(requests.length).toBeLessThanOrEqual(6);
    expect(requests.length).toBeGreaterThan(0);
  });

  test('forty hosts that all speak with each other', async () => {
    const network = createNetwork({ seed: 5 });
    const wire = network.segment({ medium: 'ethernet' });
    const hosts = Array.from({ length: 40 }, (_, i) =>
      network.host({ name: `h${i}`, segment: wire, addresses: [`10.0.0.${i + 1}/24`] }),
    );
    await network.run(20_000);
    // In rounds: all at once is more than the wire carries.
    for (let k = 1; k < 40; k++) {
      const pings = hosts.map((from, i) => from.ping(`10.0.0.${((i + k) % 40) + 1}`));
      const replies = await network.run(Promise.all(pings));
      expect(replies.every(({ type }) => type === 0)).toBe(true);
    }
    expect(hosts.every(({ stack }) => stack.neighbors(2).length === 39)).toBe(true);
  });

  test('a host that goes and comes with another card is found again after its announcement', async () => {
    const network = createNetwork({ seed: 6 });
    const wire = network.segment({ medium: 'ethernet' });
    const a = network.host({ name: 'a', segment: wire, addresses: ['10.0.0.1/24'] });
    const b = network.host({ name: 'b', segment: wire, addresses: ['10.0.0.2/24'] });
    await network.run(20_000);
    await network.run(a.ping('10.0.0.2'));
    b.close();
    network.host({ name: 'b2', segment: wire, addresses: ['10.0.0.2/24'] });
    await network.run(network.now + 20_000);
    expect((await network.run(a.ping('10.0.0.2'))).type).toBe(0);
  });

  test('a host that is gone is reported as unreachable', async () => {
    const network = createNetwork({ seed: 7 });
    const wire = network.segment({ medium: 'ethernet' });
    const a = network.host({ name: 'a', segment: wire, addresses: ['10.0.0.1/24'] });
    await network.run(20_000);
    const reply = await network.run(a.ping('10.0.0.9', { timeout: 10_000 }));
    expect(reply).toMatchObject({ type: 3, code: 1, source: IpAddress.parse('10.0.0.1') });
    expect(Math.round(network.now)).toBe(23_000);
  });

  test('RFC 5227 §2.1: of two hosts with one address the later does not get it', async () => {
    const network = createNetwork({ seed: 8 });
    const wire = network.segment({ medium: 'ethernet' });
    const first = network.host({ name: 'first', segment: wire, addresses: ['10.0.0.1/24'] });
    await network.run(20_000);
    const second = network.host({ name: 'second', segment: wire, addresses: ['10.0.0.1/24'] });
    await network.run(network.now + 20_000);
    expect(addressesOf(first)).toEqual(['10.0.0.1 preferred']);
    expect(addressesOf(second)).toEqual(['10.0.0.1 duplicate']);
  });

  test('RFC 5227 §2.1.1: of hosts that want one address at once at most one gets it', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const network = createNetwork({ seed });
      const wire = network.segment({ medium: 'ethernet' });
      const hosts = Array.from({ length: 4 }, (_, i) =>
        network.host({ name: `h${i}`, segment: wire, addresses: ['10.0.0.1/24'] }),
      );
      await network.run(60_000);
      const winners = hosts.filter((host) => addressesOf(host)[0] === '10.0.0.1 preferred');
      expect(winners.length).toBeLessThanOrEqual(1);
    }
  });

  test('RFC 3927: thirty hosts without a server give themselves different addresses and reach each other', async () => {
    const network = createNetwork({ seed: 9 });
    const wire = network.segment({ medium: 'ethernet' });
    const hosts = Array.from({ length: 30 }, (_, i) => network.host({ name: `h${i}`, segment: wire }));
    for (const host of hosts) host.stack.enableAutoIp(2);
    await network.run(60_000);
    const addresses = hosts.map((host) => addressesOf(host)[0]?.split(' ')[0] as string);
    expect(new Set(addresses).size).toBe(30);
    const [first] = hosts as [SimHost];
    const replies = await network.run(Promise.all(addresses.slice(1).map((to) => first.ping(to))));
    expect(replies.every(({ type }) => type === 0)).toBe(true);
  });
});
