/**
 * What links over real devices say that their queue takes, so that TCP offers no more (`Link.receiveQueue`).
 */

import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { TapLink, TunLink } from '../../src/link/device/index.ts';
import { Device } from '../../src/native/index.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

describePrivileged('Link.receiveQueue of devices', () => {
  let space: Namespace;
  const open: { close(): void }[] = [];
  beforeAll(() => {
    space = createNamespace();
  });
  afterEach(() => {
    for (const link of open.splice(0)) link.close();
  });

  test.each([
    ['TUN', TunLink],
    ['TAP', TapLink],
  ])('a %s that was just made queues 2000 packets, of which three quarters count', (_, kind) => {
    const link = kind.create({ namespace: space.name, offload: 0, mtu: 1400 });
    open.push(link);
    expect(link.receiveQueue).toBe(0.75 * 2000 * 1400);
  });

  test('one that others made keeps the length that they gave it', () => {
    const device = Device.open('tun', { namespace: space.name, offload: 0 });
    device.queueLength = 64;
    const link = new TunLink(device);
    open.push(link);
    expect(link.receiveQueue).toBe(0.75 * 64 * 1500);
  });

  test('with segmentation offload there is no bound', () => {
    const link = TunLink.create({ namespace: space.name });
    open.push(link);
    expect(link.receiveQueue).toBe(0);
  });
});
