/** The queue of ICMP errors of a UDP endpoint: its bounds, and the memory that it takes. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { createQueuedIcmpError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason, IcmpV4Type, IcmpV6Type } from '../../../src/wire/index.ts';
import { FAMILY_PACKETS } from '../../support/packets.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

describe.each(FAMILY_PACKETS)('OPT-IP_RECVERR, OPT-IPV6_RECVERR over IPv$family', (packets) => {
  const { family, peer, prefix, headerLength } = packets;
  const type = family === 4 ? IcmpV4Type.timeExceeded : IcmpV6Type.timeExceeded;
  const error = createQueuedIcmpError();
  let host: HostUnderTest;
  let udp: UdpEndpoint;
  let quoted: Uint8Array;

  beforeEach(() => {
    host = makeHost({ addresses: [prefix] });
    udp = host.stack.openUdp(family);
    udp.send(pattern(1400), 0, 1400, ip(peer), 53);
    quoted = host.outBytes()[0] as Uint8Array;
  });

  function answer(length: number): void {
    const payload = quoted.slice(0, headerLength + 8 + length);
    host.in(packets.icmp({ src: packets.neighbor(99), type, code: 0, rest: 0, payload }));
  }

  function take(length = 2000): number {
    return udp.errors.take(new Uint8Array(length), 0, length, error, false);
  }

  function want(isOn: boolean): void {
    if (family === 4) udp.errors.takesV4 = isOn;
    else udp.errors.takesV6 = isOn;
  }

  test('without the option nothing is kept', () => {
    answer(8);
    expect([udp.errors.count, take(), host.allocator.inUse]).toEqual([0, -1, 0]);
  });

  test('the other family’s option is not for it', () => {
    if (family === 4) udp.errors.takesV6 = true;
    else udp.errors.takesV4 = true;
    answer(8);
    expect(udp.errors.count).toBe(0);
  });

  test('a quote of nothing but the headers is an error without payload', () => {
    want(true);
    answer(0);
    expect(take()).toBe(0);
    expect(error).toMatchObject({
      family,
      destination: ip(peer),
      destinationPort: 53,
      type,
      code: 0,
      length: 0,
    });
  });

  test('a quote is kept up to 1280 bytes', () => {
    want(true);
    answer(1400);
    expect([take(100), error.length]).toEqual([100, 1280]);
  });

  test('64 errors wait, of large ones 64 KB: what comes then is dropped, counted', () => {
    want(true);
    for (let i = 0; i < 70; i++) answer(8);
    expect(udp.errors.count).toBe(64);
    expect(host.stack.counters.drops[DropReason.icmpErrorQueueFull]).toBe(6);
    while (take() >= 0);
    for (let i = 0; i < 70; i++) answer(1280);
    expect(udp.errors.count).toBe(Math.floor(65_536 / (1280 + 36)));
    expect(host.allocator.inUse).toBeLessThanOrEqual(65_536);
    expect(take()).toBe(1280);
    answer(1280);
    expect(udp.errors.count).toBe(Math.floor(65_536 / (1280 + 36)));
  });

  test('the memory is given back: when all are taken, with the option off, and with the endpoint', () => {
    const start = host.allocator.inUse;
    want(true);
    answer(8);
    expect(host.allocator.inUse).toBeGreaterThan(start);
    expect(take()).toBe(8);
    expect(host.allocator.inUse).toBe(start);
    answer(8);
    want(false);
    expect([host.allocator.inUse, udp.errors.count]).toEqual([start, 0]);
    want(true);
    answer(8);
    udp.close();
    expect([host.allocator.inUse, udp.errors.count]).toEqual([start, 0]);
  });
});
