/** Hostile neighbours: ARP messages at random, bent and true, while packets are sent to and fro. */

import { describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createTransmitBatch,
  fromHex,
  IpAddress,
  randomBelow,
  SeededRandom,
} from '../../src/base/index.ts';
import { createStack, dropReasonInfo } from '../../src/stack/index.ts';
import { arpReply, arpRequest, OTHER_MAC, OWN_MAC, PEER_MAC } from '../unit/stack/neighbor/support.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const ROUNDS = 20_000;

const MACS = [
  PEER_MAC,
  PEER_MAC,
  OTHER_MAC,
  PEER_MAC,
  OTHER_MAC,
  OWN_MAC,
  'ff:ff:ff:ff:ff:ff',
  '01:00:5e:00:00:01',
  '00:00:00:00:00:00',
];

function message(random: SeededRandom): Uint8Array {
  const pick = <T>(values: readonly T[]): T => values[randomBelow(random, values.length)] as T;
  const address = (): string =>
    pick(['10.0.0.1', '10.0.0.2', '0.0.0.0', '255.255.255.255', '224.0.0.1', '127.0.0.1', '169.254.3.4']);
  const near = (): string =>
    `10.${randomBelow(random, 8)}.${randomBelow(random, 256)}.${randomBelow(random, 256)}`;
  const make = pick([arpRequest, arpReply]);
  const frame = make({
    to: pick([OWN_MAC, 'ff:ff:ff:ff:ff:ff']),
    sender: randomBelow(random, 2) === 0 ? near() : address(),
    senderMac: pick(MACS),
    target: pick(['10.0.0.2', '10.0.0.2', near(), address()]),
    targetMac: pick(MACS),
  });
  for (let i = randomBelow(random, 3) - 1; i > 0; i--) frame[14 + randomBelow(random, 28)] = random.next();
  return randomBelow(random, 10) === 0 ? frame.slice(0, randomBelow(random, frame.length + 1)) : frame;
}

describe(`hostile neighbours (FUZZ_SEED=${SEED})`, () => {
  test('ARP at random never throws, the cache and the queues stay bounded, every drop has a reason', () => {
    const random = new SeededRandom(SEED);
    let now = 0;
    const stack = createStack({
      clock: { now: () => now },
      random: new SeededRandom(SEED + 1),
      observer: () => {},
    });
    const index = stack.addInterface({
      name: 'fuzz',
      mtu: 1500,
      medium: 'ethernet',
      mac: fromHex('020000000002'),
    });
    stack.addAddress(index, '10.0.0.2/8', { detectDuplicates: false, conflictDefense: 'always' });
    stack.enableAutoIp(index);
    stack.addNeighbor(index, IpAddress.v4(0x0a000063), fromHex('020000000063'));
    const udp = stack.openUdp();
    const bytes = new Uint8Array(4000);
    const batch = createTransmitBatch(64);
    let used = 0;
    let sentFrames = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const verdict = stack.inputPacket(index, message(random));
      if (verdict === 0) used++;
      expect(dropReasonInfo(verdict)).not.toBeNull();
      if (randomBelow(random, 3) === 0) {
        udp.send(
          bytes,
          0,
          randomBelow(random, bytes.length),
          IpAddress.v4(0x0a000000 | randomBelow(random, 1 << 19)),
          9,
        );
      }
      if (randomBelow(random, 50) === 0) {
        const added = IpAddress.v4(0x0a000200 + randomBelow(random, 4));
        if (randomBelow(random, 2) === 0) stack.addAddress(index, `${added}/8`);
        else stack.removeAddress(index, added);
      }
      now += randomBelow(random, 200);
      stack.advance();
      for (let i = 0; i < 4 && stack.output(index, batch) > 0; i++) {
        sentFrames += batch.count;
        clearTransmitBatch(batch);
      }
      stack.flushEvents();
    }
    const neighbors = stack.neighbors(index);
    expect(neighbors.length).toBeLessThanOrEqual(1024 + 1);
    expect(neighbors.find(({ isStatic }) => isStatic)?.mac).toEqual(fromHex('020000000063'));
    for (const { mac } of neighbors) expect(mac === null || ((mac[0] as number) & 1) === 0).toBe(true);
    expect(used).toBeGreaterThan(ROUNDS / 20);
    expect(sentFrames).toBeGreaterThan(ROUNDS / 10);
    udp.close();
    stack.removeInterface(index);
    expect(stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });
});
