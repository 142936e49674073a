/** What a stranger, a forgetful host or a misbehaving peer cannot do: RFC 5961, RFC 1337, RFC 6191, RFC 7323 §5. */

import { describe, expect, test } from '@jest/globals';
import { type Endpoint, StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { type TcpFields, tcpOptions } from '../../support/segment.ts';
import {
  acceptOne,
  anyAddress,
  connectOne,
  FULL_SYN,
  family,
  listenOn,
  makeTcpHost,
  must,
  overBothFamilies,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  peer,
  type Scripted,
  type TcpHost,
} from './support.ts';

/** Timestamp option of the peer. */
function stamp(tsVal: number): Pick<TcpFields, 'options'> {
  return { options: tcpOptions({ timestamps: [tsVal, 0] }) };
}

/** How many segments the host answers to `count` times the same. */
function answers(c: Scripted, count: number, fields: TcpFields): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += c.exchange(fields).length;
  return sum;
}

function toTimeWait(c: Scripted): void {
  c.socket.close();
  c.host.out();
  c.ack++;
  c.in({ flags: 'F.' });
  c.seq++;
  c.host.out();
}

/** The connection's states, with the listener's left out. */
function states(host: TcpHost): string[] {
  const isConnection = (endpoint: Endpoint): boolean => endpoint.remotePort === PEER_PORT;
  return [...host.stack.endpoints()].filter(isConnection).map((endpoint) => Reflect.get(endpoint, 'state'));
}

overBothFamilies(() => {
  describe('RFC 5961 §3 resets', () => {
    test('RFC 9293 SHLD-2 a RST with text resets when its number is exact', () => {
      const c = acceptOne(makeTcpHost());
      c.in({ flags: 'R', payload: 'because' });
      expect(c.socket.error).toBe(StackError.connectionReset);
    });

    test('RFC 9293 MUST-66 an exact RST with text counts although the window is closed', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 1000 }));
      c.exchange({ payload: 1000 });
      c.seq += 1000;
      c.in({ flags: 'R', payload: 'because' });
      expect(c.socket.state).toBe('CLOSED');
    });

    test('RFC 9293 §3.5.3, RFC 5961 §3.2 a RST before the window is dropped, even when its text reaches into it', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.in({ flags: 'R', seq: c.seq - 3, payload: 10 })).toBe(DropReason.tcpOutOfWindow);
      expect(c.host.out()).toEqual([]);
      expect(c.socket.state).toBe('ESTABLISHED');
    });

    test('RFC 5961 §3.2 RST and SYN together are a RST', () => {
      const c = acceptOne(makeTcpHost());
      c.in({ flags: 'RS' });
      expect(c.socket.state).toBe('CLOSED');
    });

    test('RFC 7323 §3.2 a RST of ours has the timestamps that were agreed on', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      c.socket.abort();
      expect(c.host.out()).toMatchObject([{ flags: 'R.', options: expect.stringContaining('TS val') }]);
    });
  });

  describe('RFC 5961 §4 SYNs', () => {
    test('RFC 5961 §4.2 one out of the window is challenged as seldom as one within', () => {
      const c = acceptOne(makeTcpHost());
      expect(answers(c, 40, { flags: 'S', seq: c.seq + 0x4000_0000 })).toBe(10);
    });

    test('RFC 9293 §3.5.1 one without the timestamps that were agreed on, or with older ones, is challenged too', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      expect(c.exchange({ flags: 'S', seq: 77, options: PLAIN_SYN })).toMatchObject([
        { flags: '.', ack: c.seq },
      ]);
      const older = tcpOptions({ mss: 1460, timestamps: [1, 0] });
      expect(c.exchange({ flags: 'S', seq: 77, options: older })).toMatchObject([{ flags: '.', ack: c.seq }]);
    });

    test('RFC 9293 §3.5 our ACK of the handshake was lost: the SYN-ACK again is answered with an ACK', () => {
      const c = connectOne(makeTcpHost());
      expect(c.exchange({ flags: 'S.', seq: PEER_ISN, options: PLAIN_SYN })).toMatchObject([
        { flags: '.', seq: c.ack >>> 0, ack: c.seq },
      ]);
      expect(c.socket.state).toBe('ESTABLISHED');
    });
  });

  describe('RFC 9293 §3.5.1 half-open connections', () => {
    test('figure 9: a peer that has forgotten us opens anew, is challenged, and its RST ends ours', () => {
      const c = acceptOne(makeTcpHost());
      const [challenge] = c.exchange({ flags: 'S', seq: 400, options: PLAIN_SYN });
      expect(challenge).toMatchObject({ flags: '.', seq: c.ack >>> 0, ack: c.seq });
      c.in({ flags: 'R', seq: challenge?.ack ?? 0 });
      expect(c.socket.error).toBe(StackError.connectionReset);
      expect(c.exchange({ flags: 'S', seq: 400, ack: 0, options: PLAIN_SYN })).toMatchObject([
        { flags: 'S.', ack: 401 },
      ]);
    });

    test('figure 9, the other side: we have forgotten, our SYN is challenged, we reset and go on', () => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(family().family);
      must(socket.bind(anyAddress(), PORT));
      must(socket.connect(peer(), PEER_PORT));
      const iss = host.out()[0]?.seq ?? 0;
      host.in({ flags: '.', seq: 300, ack: 100 });
      expect(host.out()).toMatchObject([{ flags: 'R', seq: 100 }]);
      expect(socket.state).toBe('SYN-SENT');
      expect(host.pass(5000)).toMatchObject([{ flags: 'S', seq: iss }]);
      host.in({ flags: 'S.', seq: PEER_ISN, ack: iss + 1, options: PLAIN_SYN });
      expect(socket.state).toBe('ESTABLISHED');
    });

    test('figure 10: text for a connection that we do not have is reset', () => {
      const host = makeTcpHost();
      host.in({ flags: '.', seq: 300, ack: 100, payload: 10 });
      expect(host.out()).toMatchObject([{ flags: 'R', seq: 100 }]);
    });

    test('figure 11: an old SYN for a listener is answered, and the peer’s RST leaves it as it was', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'S', seq: 90, options: PLAIN_SYN });
      expect(host.out()).toMatchObject([{ flags: 'S.', ack: 91 }]);
      host.in({ flags: 'R', seq: 91 });
      expect(states(host)).toEqual([]);
      expect(listener.state).toBe('LISTEN');
      host.in({ flags: 'S', seq: 100, options: PLAIN_SYN });
      expect(host.out()).toMatchObject([{ flags: 'S.', ack: 101 }]);
    });
  });

  describe('split handshakes', () => {
    function opening(): {
      host: TcpHost;
      in: (fields: TcpFields) => number;
      state: () => string;
      iss: number;
    } {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(family().family);
      must(socket.bind(anyAddress(), PORT));
      must(socket.connect(peer(), PEER_PORT));
      const iss = host.out()[0]?.seq ?? 0;
      return { host, in: host.in, state: () => socket.state, iss };
    }

    test('RFC 9293 §3.10.7.3 an ACK of our SYN alone opens nothing, and a lone SYN after it is not taken', () => {
      const c = opening();
      expect(c.in({ flags: '.', seq: 0, ack: c.iss + 1 })).toBe(DropReason.tcpOutOfWindow);
      expect(c.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN })).toBe(DropReason.tcpSynInWindow);
      expect(c.host.out()).toEqual([]);
      expect(c.state()).toBe('SYN-SENT');
    });

    test('RFC 9293 §3.5 a peer that mends its ways with SYN and ACK is let in', () => {
      const c = opening();
      c.in({ flags: '.', seq: 0, ack: c.iss + 1 });
      c.in({ flags: 'S.', seq: PEER_ISN, ack: c.iss + 1, options: PLAIN_SYN });
      expect(c.state()).toBe('ESTABLISHED');
    });

    test('RFC 9293 MUST-10 a lone SYN is a simultaneous open, which only an ACK of our SYN completes', () => {
      const c = opening();
      c.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
      expect(c.host.out()).toMatchObject([{ flags: 'S.', seq: c.iss, ack: PEER_ISN + 1 }]);
      c.in({ flags: '.', seq: PEER_ISN + 1, ack: c.iss, payload: 5 });
      expect(c.host.out()).toMatchObject([{ flags: 'R', seq: c.iss }]);
      expect(c.state()).toBe('SYN-RECEIVED');
      c.in({ flags: '.', seq: PEER_ISN + 1, ack: c.iss + 1 });
      expect(c.state()).toBe('ESTABLISHED');
    });
  });

  describe('RFC 5961 §7 answers that could go on for ever', () => {
    test('RFC 7323 §5.3 old ACKs without text are answered ten times a second, text each time', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      expect(answers(c, 40, stamp(1))).toBe(10);
      expect(answers(c, 40, { ...stamp(1), payload: 'a' })).toBe(40);
    });

    test('RFC 9293 §3.10.7.4 two sides that are out of step by a byte do not exchange ACKs without end', () => {
      const c = acceptOne(makeTcpHost());
      expect(answers(c, 40, { seq: c.seq - 1 })).toBe(10);
      c.host.pass(1000);
      expect(answers(c, 40, { seq: c.seq - 1 })).toBe(10);
    });

    test('RFC 9293 §3.10.7.4 nor does TIME-WAIT', () => {
      const c = acceptOne(makeTcpHost());
      toTimeWait(c);
      expect(answers(c, 40, { seq: c.seq + 9 })).toBe(10);
      c.host.pass(1000);
      expect(answers(c, 40, { flags: 'S', seq: c.seq - 9 })).toBe(10);
    });
  });

  describe('RFC 5961 §5 ACKs of a misbehaving receiver', () => {
    test('RFC 5961 §5.2 an optimistic ACK of what was not sent opens no window, gives no sample, and its text is not taken', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(new Uint8Array(3000), 0, 3000);
      c.host.out();
      const before = c.socket.info();
      expect(c.in({ ack: c.ack + 3001, window: 1, payload: 'x' })).toBe(DropReason.tcpAckUnacceptable);
      expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
      const after = c.socket.info();
      expect([after.cwnd, after.srtt, after.sndWnd]).toEqual([before.cwnd, before.srtt, before.sndWnd]);
      expect(c.socket.readableBytes).toBe(0);
      expect(c.socket.unsentBytes).toBe(3000);
    });

    test('RFC 5961 §5.2 an ACK no older than the largest window is harmless, older ones are challenged, as any of before our SYN', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 20_000);
      const first = c.ack;
      // Nothing is acknowledged yet.
      expect(c.in({ ack: first - 1 })).toBe(DropReason.none);
      expect(c.in({ ack: first - 2, payload: 'x' })).toBe(DropReason.tcpAckUnacceptable);
      for (let sent = 0; sent < 30_000; sent += 10_000) {
        c.socket.write(new Uint8Array(10_000), 0, 10_000);
        c.host.out();
        c.ack += 10_000;
        c.in();
        if (sent > 0) continue;
        // Less is acknowledged than a window.
        expect(c.in({ ack: first - 1 })).toBe(DropReason.none);
        expect(c.exchange({ ack: first - 2 })).toMatchObject([{ flags: '.', ack: c.seq }]);
      }
      expect(c.in({ ack: c.ack - 20_000 })).toBe(DropReason.none);
      expect(c.host.out()).toEqual([]);
      expect(c.in({ ack: c.ack - 20_001 })).toBe(DropReason.tcpAckUnacceptable);
      expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
      expect(c.socket.readableBytes).toBe(0);
    });

    test('RFC 5961 §5.2 text with an ACK older than any window is not taken', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.in({ ack: c.ack - 70_000, payload: 'x' })).toBe(DropReason.tcpAckUnacceptable);
      expect(c.socket.readableBytes).toBe(0);
    });

    test('RFC 9293 §3.8.4 what a stranger sends does not count as a sign of life', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.keepAliveTime = 10_000;
      c.socket.keepAliveCount = 2;
      c.socket.keepAlive = true;
      for (let i = 0; i < 14 && c.socket.error === 0; i++) {
        c.host.pass(1000);
        c.in({ ack: c.ack + 999 });
        c.in({ seq: c.seq + 0x4000_0000, payload: 'x' });
        c.in({ flags: 'S' });
      }
      expect(c.socket.error).toBe(StackError.networkReset);
    });
  });

  describe('RFC 9293 §3.10.7.4 a FIN before text that came early', () => {
    test('RFC 9293 §3.10.7.4 what lies behind the FIN was never part of the stream, and is no longer reported', () => {
      const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, sackPermitted: true }));
      expect(c.exchange({ seq: c.seq + 10, payload: 5 })[0]?.options).toContain('sack');
      const [ack] = c.exchange({ flags: 'F.', payload: 3 });
      expect(ack).toMatchObject({ ack: c.seq + 4, options: '' });
      expect(c.socket.readableBytes).toBe(3);
    });
  });

  describe('RFC 1337 TIME-WAIT assassination', () => {
    test.each([
      ['a RST', { flags: 'R' }],
      ['a RST with text', { flags: 'R', payload: 4 }],
      ['an old ACK', { seq: -5 }],
      ['old text', { seq: -5, payload: 3 }],
      ['new text', { payload: 3 }],
      ['text and FIN further on', { flags: 'F.', seq: 5, payload: 3 }],
      ['a SYN and ACK', { flags: 'S.', seq: 5 }],
    ] as const)('RFC 1337 §3 %s does not end it, and does not make it longer', (_, fields: TcpFields) => {
      const c = acceptOne(makeTcpHost({ msl: 500 }));
      toTimeWait(c);
      c.host.pass(900);
      c.in({ ...fields, seq: c.seq + (fields.seq ?? 0) });
      expect(states(c.host)).toEqual(['TIME-WAIT']);
      c.host.pass(100);
      expect(states(c.host)).toEqual([]);
    });

    test('RFC 7323 §3.2 segments without the timestamps that were agreed on are not answered', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      toTimeWait(c);
      expect(c.in({ flags: 'F.', seq: c.seq - 1, options: new Uint8Array(0) })).toBe(DropReason.tcpPaws);
      expect(c.host.out()).toEqual([]);
    });

    test('RFC 7323 §5.3 a FIN with an older timestamp is answered, and 2 MSL do not begin anew', () => {
      const c = acceptOne(makeTcpHost({ msl: 500 }), FULL_SYN);
      toTimeWait(c);
      c.host.pass(900);
      expect(c.in({ flags: 'F.', seq: c.seq - 1, ...stamp(1) })).toBe(DropReason.tcpPaws);
      c.host.pass(100);
      expect(states(c.host)).toEqual([]);
    });
  });

  describe('RFC 6191 TIME-WAIT reuse', () => {
    /** What the SYN has, what the old connection had, and whether it is taken. Numbers are relative to the last ones seen. */
    test.each([
      { had: 'them', was: FULL_SYN, tsVal: 1001, seq: -9, isNew: true },
      { had: 'them', was: FULL_SYN, tsVal: 1000, seq: 9, isNew: true },
      { had: 'them', was: FULL_SYN, tsVal: 1000, seq: -9, isNew: false },
      { had: 'them', was: FULL_SYN, tsVal: 999, seq: 9, isNew: false },
      { had: 'them', was: FULL_SYN, tsVal: null, seq: 9, isNew: true },
      { had: 'them', was: FULL_SYN, tsVal: null, seq: -9, isNew: false },
      { had: 'none', was: PLAIN_SYN, tsVal: 0xf000_0000, seq: -9, isNew: true },
      { had: 'none', was: PLAIN_SYN, tsVal: null, seq: 9, isNew: true },
      { had: 'none', was: PLAIN_SYN, tsVal: null, seq: 0, isNew: false },
    ])(
      'RFC 6191 §2 a SYN with timestamp $tsVal and number $seq is new: $isNew, when the old connection had $had',
      (row) => {
        const c = acceptOne(makeTcpHost(), row.was);
        toTimeWait(c);
        const options =
          row.tsVal === null ? PLAIN_SYN : tcpOptions({ mss: 1460, timestamps: [row.tsVal, 0] });
        const [answer] = c.exchange({ flags: 'S', seq: c.seq + row.seq, ack: 0, options });
        expect(answer?.flags).toBe(row.isNew ? 'S.' : '.');
        expect(states(c.host)).toEqual([row.isNew ? 'SYN-RECEIVED' : 'TIME-WAIT']);
      },
    );

    test('RFC 6191 §2 a host without timestamps of its own does not go by those of a SYN', () => {
      const c = acceptOne(makeTcpHost({ timestamps: false }));
      toTimeWait(c);
      const options = tcpOptions({ mss: 1460, timestamps: [5, 0] });
      expect(c.exchange({ flags: 'S', seq: c.seq - 9, options })).toMatchObject([{ flags: '.' }]);
    });

    test('RFC 1337 §3 a SYN to a port that nobody listens on does not end it', () => {
      const c = connectOne(makeTcpHost());
      toTimeWait(c);
      expect(c.exchange({ flags: 'S', seq: c.seq + 1000, ack: 0 })).toMatchObject([
        { flags: '.', ack: c.seq },
      ]);
      expect(states(c.host)).toEqual(['TIME-WAIT']);
    });
  });

  describe('RFC 7323 §5 PAWS', () => {
    test('RFC 7323 §5.3 R3 a segment out of the window does not change TS.Recent', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      c.exchange({ ...stamp(9000), seq: c.seq + 0x4000_0000, payload: 'a' });
      expect(c.exchange({ ...stamp(1500), payload: 'b' })[0]?.options).toContain('ecr 1500');
    });

    test('RFC 7323 §4.3 R3 text behind a hole does not change it, the text that fills the hole does', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      expect(c.exchange({ ...stamp(1500), seq: c.seq + 10, payload: 10 })[0]?.options).toContain('ecr 1000');
      expect(c.exchange({ ...stamp(1400), payload: 10 })[0]?.options).toContain('ecr 1400');
    });

    test('RFC 7323 §5.5 an idle connection takes any timestamp after 24 days, not before', () => {
      const day = 24 * 3600 * 1000;
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      c.exchange({ ...stamp(0x3000_0000), payload: 'a' });
      c.seq++;
      c.host.now += 23 * day;
      expect(c.in({ ...stamp(7), payload: 'b' })).toBe(DropReason.tcpPaws);
      c.host.now += 2 * day;
      expect(c.in({ ...stamp(7), payload: 'b' })).toBe(DropReason.none);
      expect(c.in({ ...stamp(6), seq: c.seq + 1, payload: 'c' })).toBe(DropReason.tcpPaws);
    });
  });
});
