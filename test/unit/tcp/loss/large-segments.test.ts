import { expect, test } from '@jest/globals';
import { tcpOptions } from '../../../support/segment.ts';
import { acceptOne, makeTcpHost } from '../support.ts';

test('RFC 2018 §3 with a segment larger than the share of a turn, SACK blocks still leave', () => {
  const host = makeTcpHost({}, { mtu: 65_535 });
  const c = acceptOne(host, tcpOptions({ mss: 65_495, sackPermitted: true }));
  const base = c.seq;
  const [ack] = c.exchange({ seq: base + 10, payload: 'early' });
  expect(ack).toMatchObject({ ack: base, options: `nop,nop,sack 1 {${base + 10}:${base + 15}}` });
});
