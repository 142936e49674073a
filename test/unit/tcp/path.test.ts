/** What a connection does while there is no way to its peer. */

import { describe, expect, test } from '@jest/globals';
import { EndpointEvent, StackError } from '../../../src/stack/index.ts';
import { acceptOne, family, makeTcpHost, overBothFamilies, peer } from './support.ts';

const HOUR = 3_600_000;
/** The way to the peer: that of the subnet. */
const onLink = () => ({ destination: family().prefix });

/** Time passes to the end, whatever is sent on the way. */
function passAll(host: ReturnType<typeof makeTcpHost>, ms: number): void {
  for (const end = host.now + ms; host.now < end; ) host.pass(end - host.now);
}

overBothFamilies(() => {
  describe('RFC 1122 §4.2.3.9 a destination without a route', () => {
    test('given an idle connection, when its route goes and text is written, then it fails in the end', () => {
      const { host, socket } = acceptOne(makeTcpHost());
      host.stack.removeRoute({ ...onLink(), interfaceIndex: host.index });
      expect(socket.write(new Uint8Array(100), 0, 100)).toBe(100);
      passAll(host, HOUR);
      expect(socket.state).toBe('CLOSED');
      expect(socket.error).toBe(StackError.networkUnreachable);
      expect(host.eventsOf(socket) & EndpointEvent.failed).toBe(EndpointEvent.failed);
      expect(host.allocator.inUse).toBe(0);
    });

    test('given an idle connection, when its route comes back, then what waited is sent', () => {
      const { host, socket } = acceptOne(makeTcpHost());
      host.stack.removeRoute({ ...onLink(), interfaceIndex: host.index });
      socket.write(new Uint8Array(100), 0, 100);
      expect(host.pass(1000)).toEqual([]);
      host.stack.addRoute({ ...onLink(), interfaceIndex: host.index });
      const sent = host.pass(120_000);
      expect(sent.reduce((sum, packet) => sum + packet.payload.length, 0)).toBeGreaterThan(0);
      expect(socket.error).toBe(0);
    });

    test('given a connect whose route goes before the SYN has left, then the connect fails in the end', () => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(host.family.family);
      expect(socket.connect(peer(), 80)).toBe(0);
      host.stack.removeRoute({ ...onLink(), interfaceIndex: host.index });
      expect(host.out()).toEqual([]);
      passAll(host, HOUR);
      expect(socket.state).toBe('CLOSED');
      expect(socket.error).toBe(StackError.networkUnreachable);
    });
  });
});
