/** Many connections at once, in virtual time. */

import { expect, test } from '@jest/globals';
import { IpAddress } from '../../src/base/index.ts';
import { createNetwork } from '../../src/sim/index.ts';
import { type Endpoint, EndpointEvent, type TcpEndpoint } from '../../src/stack/index.ts';

const COUNT = 10_000;
const ROUNDS = 3;
const AT_ONCE = 500;
const SERVER = IpAddress.parse('10.0.0.2') as IpAddress;

test('RFC 9293 §3.3 10,000 connections at once each get their messages echoed, and leave nothing behind', async () => {
  const network = createNetwork();
  const wire = network.segment();
  const bytes = new Uint8Array(200);
  let open = 0;
  let echoed = 0;
  let closed = 0;
  const server = network.host({
    name: 'server',
    segment: wire,
    addresses: ['10.0.0.2/16'],
    observer: (endpoint, events) => {
      const tcp = endpoint as TcpEndpoint;
      if ((events & EndpointEvent.acceptable) !== 0) while (tcp.accept() !== null) open++;
      if (tcp.state === 'LISTEN') return;
      const length = tcp.read(bytes, 0, bytes.length);
      if (length > 0) tcp.write(bytes, 0, length);
      else if (length === 0) tcp.close();
    },
  });
  const converse = (endpoint: Endpoint, events: number): void => {
    const tcp = endpoint as TcpEndpoint;
    const rounds = tcp.context as { left: number };
    if ((events & EndpointEvent.closed) !== 0) closed++;
    else if (tcp.read(bytes, 0, 100) === 100) {
      echoed++;
      rounds.left--;
      if (rounds.left > 0) tcp.write(bytes, 0, 100);
    }
  };
  const client = network.host({
    name: 'client',
    segment: wire,
    addresses: ['10.0.0.1/16'],
    observer: converse,
  });
  const listener = server.stack.openTcp();
  listener.bind(IpAddress.anyV4, 7);
  listener.listen(AT_ONCE);
  const all: TcpEndpoint[] = [];
  while (all.length < COUNT) {
    for (let i = 0; i < AT_ONCE; i++) {
      const endpoint = client.stack.openTcp();
      endpoint.context = { left: ROUNDS };
      expect(endpoint.connect(SERVER, 7)).toBe(0);
      all.push(endpoint);
    }
    await network.run(network.now + 20);
  }
  expect(open).toBe(COUNT);
  for (const endpoint of all) endpoint.write(bytes, 0, 100);
  await network.run(network.now + 5000);
  expect(echoed).toBe(ROUNDS * COUNT);
  expect(client.allocator.inUse + server.allocator.inUse).toBe(0);
  for (const endpoint of all) endpoint.close();
  await network.run(network.now + 300_000);
  listener.close();
  expect(closed).toBe(COUNT);
  expect([...client.stack.endpoints(), ...server.stack.endpoints()]).toEqual([]);
  network.close();
}, 60_000);
