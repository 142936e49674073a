import { expect, test } from '@jest/globals';
import { tcpOptions } from '../../support/segment.ts';
import { acceptOne, FULL_SYN, makeTcpHost } from './support.ts';

test('RFC 7323 §5.3 a segment whose ACK is not acceptable does not move the clock that PAWS compares with', () => {
  const c = acceptOne(makeTcpHost(), FULL_SYN);
  c.exchange({ ack: c.ack + 100_000, options: tcpOptions({ timestamps: [1_000_000, 0] }) });
  c.exchange({ payload: 'abcd', options: tcpOptions({ timestamps: [1001, 0] }) });
  expect(c.socket.readableBytes).toBe(4);
});
