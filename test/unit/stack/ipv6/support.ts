/** A host under test with IPv6, in virtual time. */

import type { PoolAllocator } from '../../../../src/base/index.ts';
import type { InterfaceOptions } from '../../../../src/stack/index.ts';
import { type ReadPacket6, readPacket6 } from '../../../support/segment6.ts';
import { type HostUnderTest, makeHost } from '../support.ts';

export interface Host6UnderTest extends HostUnderTest {
  /** All packets that wait to be sent, read. */
  out6(): ReadPacket6[];
}

/** A host with the addresses fd00::2/64 and fe80::2/64, and a default route to fd00::1. */
export function makeHost6(
  options: Partial<InterfaceOptions> = {},
  allocator?: PoolAllocator,
): Host6UnderTest {
  const addresses = ['fd00::2/64', 'fe80::2/64'];
  const host = makeHost({ addresses, ...options }, allocator);
  if (options.addresses === undefined) {
    host.stack.addRoute({ destination: '::/0', gateway: 'fd00::1', interfaceIndex: host.index });
  }
  return Object.assign(host, { out6: () => host.outBytes().map(readPacket6) });
}

/** Carries packets both ways until nothing is left. */
export function exchange(a: HostUnderTest, b: HostUnderTest): void {
  for (let rounds = 0; rounds < 1000; rounds++) {
    const forth = a.outBytes();
    for (const packet of forth) b.in(packet);
    const back = b.outBytes();
    for (const packet of back) a.in(packet);
    if (forth.length + back.length === 0) return;
    a.stack.flushEvents();
    b.stack.flushEvents();
  }
  throw new Error('two hosts talk without end');
}
