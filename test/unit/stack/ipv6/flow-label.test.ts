import { expect, test } from '@jest/globals';
import { flowLabel } from '../../../../src/stack/ipv6/flow-label.ts';
import { tcp6Packet } from '../../../support/segment6.ts';
import { ip, makeHost, pattern } from '../support.ts';
import { makeHost6 } from './support.ts';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER_SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
const FROM = ip('fd00::2');

const TCP = 6;
const UDP = 17;

/** Labels of flows between the same two addresses: 1000 ports of one side and two of the other. */
function labels(secret: Uint8Array): number[] {
  return Array.from({ length: 2000 }, (_, i) =>
    flowLabel(secret, FROM, ip('fd00::7'), UDP, 1024 + (i >> 1), i & 1),
  );
}

test('RFC 8200 §6, RFC 6437 §3: the packets of a flow have one label, those to others have others', () => {
  const host = makeHost6();
  const udp = host.stack.openUdp(6);
  const send = (to: string, length = 10): number[] => {
    expect(udp.send(pattern(length), 0, length, ip(to), 53)).toBe(length);
    return host.out6().map((packet) => packet.flowLabel);
  };
  const [first = 0] = send('fd00::7');
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThanOrEqual(0xfffff);
  expect(send('fd00::7')).toEqual([first]);
  expect(send('fd00::8')).not.toEqual([first]);
  // Fragments too, and after the routes have changed.
  expect(send('fd00::7', 3000)).toEqual([first, first, first]);
  host.stack.addRoute({ destination: 'fd01::/64', interfaceIndex: host.index });
  expect(send('fd00::7')).toEqual([first]);
});

test('RFC 6437 §3: labels are spread evenly, and are never zero', () => {
  const all = labels(SECRET);
  expect(Math.min(...all)).toBeGreaterThan(0);
  expect(Math.max(...all)).toBeLessThanOrEqual(0xfffff);
  // Two of 2000 in 2^20 are the same now and then: about two pairs are to be expected.
  expect(new Set(all).size).toBeGreaterThan(1985);
  const buckets = new Array<number>(16).fill(0);
  for (const label of all) buckets[label & 15] = (buckets[label & 15] as number) + 1;
  expect(Math.min(...buckets)).toBeGreaterThan(70);
  expect(Math.max(...buckets)).toBeLessThan(190);
});

test('RFC 6437 §3: who has another secret can not tell a label', () => {
  const others = labels(OTHER_SECRET);
  const same = labels(SECRET).filter((label, i) => label === others[i]);
  expect(same.length).toBeLessThan(3);
  const [mine, yours] = [7, 8].map((seed) => {
    const host = makeHost({ addresses: ['fd00::2/64'] }, undefined, seed);
    host.stack.openUdp(6).send(pattern(1), 0, 1, ip('fd00::7'), 53);
    return host.outBytes().map((packet) => packet.subarray(0, 4).join());
  });
  expect(mine).toHaveLength(1);
  expect(mine).not.toEqual(yours);
});

test('RFC 6437 §3: a flow has a direction', () => {
  const to = ip('fd00::7');
  expect(flowLabel(SECRET, FROM, to, TCP, 7, 7)).not.toBe(flowLabel(SECRET, to, FROM, TCP, 7, 7));
  expect(flowLabel(SECRET.slice(), FROM, to, TCP, 7, 8)).toBe(flowLabel(SECRET, FROM, to, TCP, 7, 8));
});

test('RFC 6437 §3: addresses, protocol and both ports make a flow', () => {
  const to = ip('fd00::7');
  const all = [
    flowLabel(SECRET, FROM, to, TCP, 1000, 80),
    flowLabel(SECRET, FROM, to, UDP, 1000, 80),
    flowLabel(SECRET, FROM, to, TCP, 1001, 80),
    flowLabel(SECRET, FROM, to, TCP, 1000, 81),
    flowLabel(SECRET, FROM, to, TCP, 80, 1000),
    flowLabel(SECRET, FROM, ip('fd00::8'), TCP, 1000, 80),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test('RFC 6437 §3: each connection has its own, the same from the SYN to the last answer', () => {
  const host = makeHost6();
  const listener = host.stack.openTcp(6);
  listener.bind(ip('::'), 80);
  listener.listen(4);
  /** A connection of the peer, aborted at its end: the labels of all our segments. */
  const converse = (sourcePort: number): readonly number[] => {
    const fields = { sourcePort, destinationPort: 80 };
    host.in(tcp6Packet({ ...fields, flags: 'S', seq: 100 }));
    const [synAck] = host.out6();
    const ack = ((synAck?.seq ?? 0) + 1) | 0;
    const seen = [synAck];
    host.in(tcp6Packet({ ...fields, flags: '.', seq: 101, ack }));
    host.in(tcp6Packet({ ...fields, flags: 'P.', seq: 101, ack, payload: 'hello' }));
    host.pass(500);
    const server = listener.accept();
    expect(server?.write(pattern(5000), 0, 5000)).toBe(5000);
    seen.push(...host.out6());
    server?.abort();
    seen.push(...host.out6());
    // Nobody is there any more: that RST belongs to the same flow.
    host.in(tcp6Packet({ ...fields, flags: '.', seq: 106, ack }));
    seen.push(...host.out6());
    expect(seen.map((packet) => packet?.flags)).toEqual(expect.arrayContaining(['S.', '.', 'R.', 'R']));
    return [...new Set(seen.map((packet) => packet?.flowLabel ?? 0))];
  };
  const first = converse(4000);
  const second = converse(4001);
  expect(first).toHaveLength(1);
  expect(second).toHaveLength(1);
  expect(second).not.toEqual(first);
  const client = host.stack.openTcp(6);
  client.connect(ip('fd00::1'), 80);
  const [syn] = host.out6();
  host.in(
    tcp6Packet({
      sourcePort: 80,
      destinationPort: syn?.sourcePort ?? 0,
      flags: 'S.',
      seq: 7,
      ack: ((syn?.seq ?? 0) + 1) | 0,
    }),
  );
  expect(client.state).toBe('ESTABLISHED');
  expect(host.out6().map((packet) => packet.flowLabel)).toEqual([syn?.flowLabel]);
});

test('RFC 6437 §3: a server’s datagrams to each client have a label of their own, in whatever order', () => {
  const host = makeHost6();
  const udp = host.stack.openUdp(6);
  const labelTo = (address: string, port: number): number | undefined => {
    expect(udp.send(pattern(9), 0, 9, ip(address), port)).toBe(9);
    return host.out6()[0]?.flowLabel;
  };
  const clients = [
    ['fd00::7', 1],
    ['fd00::7', 2],
    ['fd00::8', 1],
    ['fe80::7', 1],
  ] as const;
  const before = clients.map(([address, port]) => labelTo(address, port));
  expect(new Set(before).size).toBe(clients.length);
  expect(clients.map(([address, port]) => labelTo(address, port))).toEqual(before);
  // Another socket is another flow.
  const other = host.stack.openUdp(6);
  other.send(pattern(9), 0, 9, ip('fd00::7'), 1);
  expect(host.out6()[0]?.flowLabel).not.toBe(before[0]);
});

test('RFC 6437 §3: what has no ports has one label between two addresses', () => {
  const host = makeHost6();
  const raw = host.stack.openRaw(253, 6);
  raw.send(pattern(8), 0, 8, ip('fd00::7'), 0);
  raw.send(pattern(8), 0, 8, ip('fd00::8'), 0);
  raw.send(pattern(8), 0, 8, ip('fd00::7'), 0);
  const [a, b, c] = host.out6().map((packet) => packet.flowLabel);
  expect(a).toBeGreaterThan(0);
  expect(c).toBe(a);
  expect(b).not.toBe(a);
});
