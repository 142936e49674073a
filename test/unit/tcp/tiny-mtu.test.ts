/** The least MTU that a link may have: options must leave room for text, and fit into a packet themselves. */

import { describe, expect, test } from '@jest/globals';
import { type TcpFields, tcpOptions } from '../../support/segment.ts';
import { CE, connectEcn, ECT0, ECT1, type EcnPeer } from './ecn-support.ts';
import { PEER_ISN } from './support.ts';

interface Choice {
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly accurate: boolean;
}

const BOTH = [true, false];
const CHOICES: readonly Choice[] = BOTH.flatMap((sack) =>
  BOTH.flatMap((timestamps) => BOTH.map((accurate) => ({ sack, timestamps, accurate }))),
);

/** A connection over a link of `mtu` bytes. @param sizes gets the length of each packet that the host sends */
function open(mtu: number, { sack, timestamps, accurate }: Choice, sizes: number[]): EcnPeer {
  const options = tcpOptions({
    mss: 1460,
    ...(sack ? { sackPermitted: true } : {}),
    ...(timestamps ? { timestamps: [900, 0] as [number, number] } : {}),
  });
  const c = connectEcn({ ecn: 'accurate' }, accurate ? 'S.W' : 'S.', { options }, { mtu });
  const { stack } = c.host;
  const take = stack.takePacket.bind(stack);
  stack.takePacket = (index) => {
    const packet = take(index);
    if (packet !== null) sizes.push(packet.length);
    return packet;
  };
  return c;
}

describe('RFC 9293 §3.7.1, RFC 6691 §2 segments of links with the least MTU', () => {
  test.each([68, 72, 76, 80, 88].flatMap((mtu) => CHOICES.map((choice) => ({ mtu, ...choice }))))(
    'text flows beside all the options that there may be, %o',
    ({ mtu, ...choice }) => {
      const sizes: number[] = [];
      const c = open(mtu, choice, sizes);
      const stamped: TcpFields = choice.timestamps ? { options: tcpOptions({ timestamps: [1000, 0] }) } : {};
      c.socket.noDelay = true;
      // Early text in pieces, marked in every way, and each comes twice: all that options could tell.
      for (const [i, trafficClass] of [ECT0, ECT1, CE, ECT0, ECT1].entries()) {
        const early = { seq: PEER_ISN + 10 + 20 * i, payload: 'early', trafficClass, ...stamped };
        c.send(early);
        expect(c.send(early)).not.toEqual([]);
      }
      let sent = 0;
      for (let turn = 0; turn < 100 && sent < 200; turn++) {
        const leaving = turn === 0 ? c.write(200) : c.send({ ack: (c.ack + sent) | 0, ...stamped });
        for (const { payload } of leaving) sent += payload.length;
      }
      expect(sent).toBe(200);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(mtu);
    },
  );

  test('RFC 2018 §3 where segments are tiny bare ACKs still have the SACK blocks that fit', () => {
    const c = open(68, { sack: true, timestamps: true, accurate: false }, []);
    const stamped: TcpFields = { options: tcpOptions({ timestamps: [1000, 0] }) };
    const [ack] = c.send({ seq: PEER_ISN + 10, payload: 'early', ...stamped });
    expect(ack?.options).toContain('sack 1');
  });

  test('a user’s bound that leaves no room is no standstill', () => {
    const c = open(1500, { sack: true, timestamps: true, accurate: true }, []);
    c.socket.userMtu = 40;
    c.socket.noDelay = true;
    expect(c.write(8).map(({ payload }) => payload.length)).toEqual([8]);
  });
});
