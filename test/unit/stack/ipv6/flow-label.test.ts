import { expect, test } from '@jest/globals';
import { flowLabel } from '../../../../src/stack/ipv6/flow-label.ts';
import { ip, makeHost, pattern } from '../support.ts';
import { makeHost6 } from './support.ts';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER_SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
const FROM = ip('fd00::2');

/** Labels of flows from one address to 2000 others. */
function labels(secret: Uint8Array): number[] {
  return Array.from({ length: 2000 }, (_, i) => flowLabel(secret, FROM, ip(`fd00::1:${i.toString(16)}`)));
}

test('RFC 6437 §3: the packets of a flow have one label, those to others have others', () => {
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
  expect(flowLabel(SECRET, FROM, ip('fd00::7'))).not.toBe(flowLabel(SECRET, ip('fd00::7'), FROM));
  expect(flowLabel(SECRET.slice(), FROM, ip('fd00::7'))).toBe(flowLabel(SECRET, FROM, ip('fd00::7')));
});
