/** Segments that are larger than a connection's share of a turn: paths of the largest MTU. */

import { describe, expect, test } from '@jest/globals';
import { OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6 } from '../../../src/base/index.ts';
import { tcpOptions } from '../../support/segment.ts';
import { acceptOne, family, makeTcpHost, overBothFamilies } from './support.ts';

const MTU = 65_535;
/** Without the IP header and TCP's. */
const mssOf = () => MTU - family().headerLength - 20;

overBothFamilies(() => {
  describe('RFC 9293 §3.7.1 an MSS of nearly 64 KiB', () => {
    test.each([
      ['without offloads', 0],
      ['with segmentation offload', OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6],
    ])('%s: full segments leave at once, no timer is waited for', (_mode, offload) => {
      const MSS = mssOf();
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
});
