/** Segments that are larger than a connection's share of a turn: paths of the largest MTU. */

import { describe, expect, test } from '@jest/globals';
import { OFFLOAD_CSUM, OFFLOAD_TSO4 } from '../../../src/base/index.ts';
import { tcpOptions } from '../../support/segment.ts';
import { acceptOne, makeTcpHost } from './support.ts';

const MTU = 65_535;
const MSS = MTU - 40;

describe('RFC 9293 §3.7.1 an MSS of 65,495', () => {
  test.each([
    ['without offloads', 0],
    ['with segmentation offload', OFFLOAD_CSUM | OFFLOAD_TSO4],
  ])('%s: full segments leave at once, no timer is waited for', (_mode, offload) => {
    const host = makeTcpHost({}, { mtu: MTU, offload });
    const options = tcpOptions({ mss: MSS, windowShift: 7 });
    const connection = acceptOne(host, options, 65_535);
    connection.socket.write(new Uint8Array(3 * MSS), 0, 3 * MSS);
    const lengths = host.out().map(({ payload }) => payload.length);
    for (let sent = lengths.reduce((sum, n) => sum + n, 0); sent < 3 * MSS; ) {
      const more = connection.exchange({ ack: (connection.ack + sent) | 0 });
      const length = more.reduce((sum, { payload }) => sum + payload.length, 0);
      expect(length).toBeGreaterThan(0);
      lengths.push(...more.map(({ payload }) => payload.length));
      sent += length;
    }
    expect(lengths).toEqual([MSS, MSS, MSS]);
  });
});
