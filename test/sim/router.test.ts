/** Routers of the simulator's hosts: forwarding, path MTU and redirects end to end, and two hosts behind a translator. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { createNetwork, type Network, parseAddress, type SimHost, SimStream } from '../../src/sim/index.ts';

let network: Network;

afterEach(() => network.close());

/** Makes a host pass packets on, on all of its interfaces. */
function forwards(host: SimHost): void {
  for (const { index, isLoopback } of host.stack.interfaces) {
    if (!isLoopback) host.stack.setInterface(index, { isForwarding: true });
  }
}

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);

async function transfer(from: SimHost, to: SimHost, address: string): Promise<string> {
  const listener = to.tcp.listen(80);
  const [stream, accepted] = await Promise.all([from.tcp.connect(address, 80), listener.accept()]);
  const sending = stream.write(BYTES).then(() => stream.end());
  const got = await accepted.readAll();
  await sending;
  listener.close();
  expect(accepted).toBeInstanceOf(SimStream);
  expect(Buffer.compare(got, BYTES)).toBe(0);
  return String(accepted.endpoint.remoteAddress);
}

describe('RFC 1812 a chain of routers', () => {
  /** left — r1 — r2 — right, the middle wire narrower than the others. */
  function chain(loss = 0): { left: SimHost; right: SimHost; r1: SimHost; r2: SimHost } {
    network = createNetwork({ seed: 3 });
    const [a, b, c] = [network.segment(), network.segment({ mtu: 900 }), network.segment()];
    const left = network.host({ name: 'left', segment: a, addresses: ['10.1.0.2/24'], gateway: '10.1.0.1' });
    const right = network.host({
      name: 'right',
      segment: c,
      addresses: ['10.3.0.2/24'],
      gateway: '10.3.0.1',
    });
    const r1 = network.host({ name: 'r1', segment: a, addresses: ['10.1.0.1/24'] });
    network.connect(r1, b, {
      addresses: ['10.2.0.1/24'],
      gateway: '10.2.0.2',
      impair: { loss, delay: 5 },
    });
    const r2 = network.host({ name: 'r2', segment: b, addresses: ['10.2.0.2/24'], gateway: '10.2.0.1' });
    network.connect(r2, c, { addresses: ['10.3.0.1/24'] });
    forwards(r1);
    forwards(r2);
    return { left, right, r1, r2 };
  }

  test('carries a transfer whole over loss, and the sender learns the narrow wire’s MTU', async () => {
    const { left, right } = chain(0.01);
    expect(await network.run(transfer(left, right, '10.3.0.2'))).toBe('10.1.0.2');
    expect(left.stack.counters.icmpInMsgs).toBeGreaterThan(0);
  });

  test('each router is found by the TTL that runs out there', async () => {
    const { left } = chain();
    const hops: string[] = [];
    for (let ttl = 1; ttl <= 3; ttl++) {
      const echo = left.stack.openIcmp();
      echo.ttl = ttl;
      echo.sendEcho(parseAddress('10.3.0.2'), ttl, new Uint8Array(8));
      await network.run(network.now + 100);
      hops.push(String(echo.takeReply()?.source));
      echo.close();
    }
    expect(hops).toEqual(['10.1.0.1', '10.2.0.2', '10.3.0.2']);
  });

  test('when a router’s wire goes down, hosts hear that there is no way', async () => {
    const { left, r1 } = chain();
    r1.stack.setInterface(3, { isUp: false });
    const reply = await network.run(left.ping('10.3.0.2'));
    expect([String(reply.source), reply.type, reply.code]).toEqual(['10.1.0.1', 3, 0]);
  });
});

describe('RFC 4787, RFC 5382 two hosts behind a translator', () => {
  function home(): { first: SimHost; second: SimHost; server: SimHost; router: SimHost } {
    network = createNetwork({ seed: 4 });
    const [inside, outside] = [network.segment(), network.segment()];
    const first = network.host({
      name: 'first',
      segment: inside,
      addresses: ['10.0.0.7/24'],
      gateway: '10.0.0.1',
    });
    const second = network.host({
      name: 'second',
      segment: inside,
      addresses: ['10.0.0.8/24'],
      gateway: '10.0.0.1',
    });
    const router = network.host({ name: 'router', segment: inside, addresses: ['10.0.0.1/24'] });
    const index = network.connect(router, outside, { addresses: ['192.0.2.1/24'], impair: { delay: 10 } });
    // It knows nothing of 10/8: all that it sees is the router's.
    const server = network.host({ name: 'server', segment: outside, addresses: ['192.0.2.9/24'] });
    forwards(router);
    router.stack.setNat({
      interfaceIndex: index,
      portMaps: [{ protocol: 'tcp', outsidePort: 80, insideAddress: '10.0.0.7', insidePort: 80 }],
    });
    return { first, second, server, router };
  }

  test('both reach the server, which sees the outside address', async () => {
    const { first, second, server, router } = home();
    for (const host of [first, second]) {
      expect(await network.run(transfer(host, server, '192.0.2.9'))).toBe('192.0.2.1');
    }
    expect(router.stack.natMappings.filter(({ isStatic }) => !isStatic)).toHaveLength(2);
    expect((await network.run(first.ping('192.0.2.9'))).type).toBe(0);
  });

  test('RFC 4787 REQ-9, RFC 5382 REQ-8 one reaches the other by the outside address', async () => {
    const { first, second } = home();
    expect(await network.run(transfer(second, first, '192.0.2.1'))).toBe('192.0.2.1');
  });

  test('a port map lets the server in; nothing else does', async () => {
    const { first, server } = home();
    expect(await network.run(transfer(server, first, '192.0.2.1'))).toBe('192.0.2.9');
    await expect(network.run(server.tcp.connect('192.0.2.1', 81))).rejects.toThrow(/connectionRefused/);
  });
});
