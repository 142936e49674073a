/** Rules of one sentence that stand beside others. */

import { describe, expect, test } from '@jest/globals';
import type { EitherPacket } from '../../support/packets.ts';
import { acceptEcn, NOT_ECT } from './ecn-support.ts';
import { acceptOne, FULL_SYN, makeTcpHost } from './support.ts';

const tsVal = (packet?: EitherPacket): number => Number(/TS val (\d+)/.exec(packet?.options ?? '')?.[1]);

describe('details', () => {
  test('RFC 7323 §5.4 the clock of timestamps ticks once a millisecond', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.socket.noDelay = true;
    const values = [0, 1, 10, 1000].map((ms) => {
      c.host.now += ms;
      c.socket.write(new Uint8Array(1), 0, 1);
      const value = tsVal(c.host.out().at(-1));
      c.ack++;
      c.exchange();
      return value;
    });
    expect(values.map((value) => (value - (values[0] as number)) | 0)).toEqual([0, 1, 11, 1011]);
  });

  test('RFC 3168 §6.1.4 an ACK without text is not ECN-capable', () => {
    const peer = acceptEcn({}, 'SEW');
    const acks = [...peer.send({ payload: 1400 }), ...peer.send({ payload: 1400 }), ...peer.host.pass(100)];
    expect(acks.length).toBeGreaterThan(0);
    for (const ack of acks) expect(ack).toMatchObject({ payload: { length: 0 }, trafficClass: NOT_ECT });
  });
});
