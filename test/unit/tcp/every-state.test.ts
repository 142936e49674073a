/** Every state × every kind of segment × every edge of the window × every kind of ACK, against the RFC (`oracle.ts`). */

import { describe, expect, test } from '@jest/globals';
import type { EitherPacket } from '../../support/packets.ts';
import { type OracleSegment, type OracleState, oracle } from './oracle.ts';
import { inState, LATER_STATES, opening, WINDOW } from './states.ts';
import { makeTcpHost, PORT, type Scripted, scripted } from './support.ts';

const KINDS = {
  RST: { flags: 'R', text: 0 },
  'RST with ACK': { flags: 'R.', text: 0 },
  'RST with text': { flags: 'R', text: 2 },
  SYN: { flags: 'S', text: 0 },
  'SYN and ACK': { flags: 'S.', text: 0 },
  ACK: { flags: '.', text: 0 },
  text: { flags: 'P.', text: 2 },
  'text without ACK': { flags: 'P', text: 2 },
  FIN: { flags: 'F.', text: 0 },
  'text and FIN': { flags: 'FP.', text: 2 },
} as const;
type Kind = keyof typeof KINDS;
const KIND_NAMES = Object.keys(KINDS) as Kind[];

const MAX_SND_WND = 65_535;
const FAR = 0x4000_0000;
/** Far before, before, left edge, inside, right edge, past, far past. */
const EDGES = [-FAR, -2, -1, 0, 1, WINDOW - 3, WINDOW - 2, WINDOW - 1, WINDOW, WINDOW + 1, FAR];
/** Too old by a little and by far, the oldest good one, nothing new, all, too new. */
const ACKS = [-FAR, -MAX_SND_WND - 1, -MAX_SND_WND, -3, -2, -1, 0, 1, 2, FAR];

/** A fresh connection for each case: how it begins, and what the oracle has to know. */
interface Case {
  readonly name: string;
  readonly rcvWnd: number;
  readonly inFlight: number;
  make(): Scripted;
}

function closedPort(): Scripted {
  const host = makeTcpHost();
  return scripted(host, host.stack.openTcp(), 1000, 2000, new Uint8Array(0), 65_535);
}

function listening(): Scripted {
  const host = makeTcpHost();
  const socket = host.stack.openTcp();
  socket.bind(socket.localAddress, PORT);
  socket.listen(4);
  return scripted(host, socket, 1000, 2000, new Uint8Array(0), 65_535);
}

const CASES: Case[] = [
  { name: 'CLOSED', rcvWnd: 0, inFlight: 0, make: closedPort },
  { name: 'LISTEN', rcvWnd: 0, inFlight: 0, make: listening },
  { name: 'SYN-SENT', rcvWnd: 0, inFlight: 1, make: () => opening(false) },
  { name: 'SYN-RECEIVED', rcvWnd: WINDOW, inFlight: 1, make: () => opening(true) },
  ...LATER_STATES.map((name) => ({
    name,
    rcvWnd: ['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'].includes(name) ? WINDOW - 1 : WINDOW,
    inFlight: ['FIN-WAIT-1', 'CLOSING', 'LAST-ACK'].includes(name) ? 1 : 0,
    make: () => inState(name),
  })),
  { name: 'TIME-WAIT', rcvWnd: WINDOW - 1, inFlight: 0, make: timeWait },
];

/** One that we opened: nobody listens on its port. */
function timeWait(): Scripted {
  const c = opening(false);
  c.in({ flags: 'S.', seq: c.seq - 1, ack: c.ack + 1 });
  c.host.out();
  c.ack += 2;
  c.socket.shutdownWrite();
  c.host.out();
  c.exchange({ flags: 'F.' });
  c.seq++;
  return c;
}

function replyOf(packets: readonly EitherPacket[]): string {
  const [first, second] = packets;
  if (first === undefined) return 'nothing';
  if (second !== undefined) return `${packets.length} segments`;
  if (first.flags?.includes('R') === true) return 'RST';
  if (first.flags?.includes('S') === true) return 'SYN-ACK';
  return first.payload.length === 0 ? 'ACK' : 'text';
}

/** What one segment does, in the oracle's words; a wrong number in an answer is told too. */
function whatHappens(c: Scripted, seg: OracleSegment, flags: string): object {
  const before = { seq: c.seq | 0, ack: c.ack | 0 };
  c.in({ flags, seq: c.seq + seg.seq, ack: seg.isAck ? c.ack + seg.ack : 0, payload: seg.text });
  const packets = c.host.out();
  const reply = replyOf(packets);
  const answer = packets[0];
  // RFC 9293 §3.5.2: where the RST has to lie for the peer to take it.
  if (reply === 'RST' && seg.isAck) expect((answer?.seq ?? 0) | 0).toBe((before.ack + seg.ack) | 0);
  if (reply === 'ACK' && c.socket.state !== 'ESTABLISHED')
    expect(((answer?.ack ?? 0) - before.seq) | 0).toBeGreaterThanOrEqual(0);
  return {
    reply,
    state: c.socket.state,
    isError: c.socket.error !== 0,
    readable: c.socket.readableBytes,
  };
}

describe.each(CASES)('$name', ({ name, rcvWnd, inFlight, make }) => {
  const at: OracleState = {
    name,
    rcvWnd,
    inFlight,
    maxSndWnd: MAX_SND_WND,
    acked: name === 'FIN-WAIT-2' ? 2 : 1,
  };

  test.each(KIND_NAMES)(
    'RFC 9293 §3.10.7, RFC 5961 §3, §4, §5: %s at each edge of the window, with each ACK',
    (kind) => {
      const { flags, text } = KINDS[kind];
      const isAck = flags.includes('.');
      for (const seq of EDGES) {
        for (const ack of isAck ? ACKS : [0]) {
          const seg: OracleSegment = {
            isSyn: flags.includes('S'),
            isAck,
            isRst: flags.includes('R'),
            isFin: flags.includes('F'),
            text,
            seq,
            ack,
          };
          const wanted = oracle(at, seg);
          const seen = whatHappens(make(), seg, flags);
          const open = wanted.reply === 'either' ? { reply: expect.stringMatching(/^(ACK|nothing)$/) } : {};
          expect({ seq, ack, ...seen }).toEqual({ seq, ack, ...wanted, ...open });
        }
      }
    },
  );
});

test('RFC 9293 §3.10.7 the table has every state', () => {
  expect(CASES.map(({ name }) => name).sort()).toEqual([
    'CLOSE-WAIT',
    'CLOSED',
    'CLOSING',
    'ESTABLISHED',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'LAST-ACK',
    'LISTEN',
    'SYN-RECEIVED',
    'SYN-SENT',
    'TIME-WAIT',
  ]);
});
