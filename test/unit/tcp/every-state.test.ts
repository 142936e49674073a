/** Every state × every kind of segment × every edge of the window × every kind of ACK, against the RFC (`oracle.ts`). */

import { describe, expect, test } from '@jest/globals';
import type { EitherPacket } from '../../support/packets.ts';
import { type OracleSegment, type OracleState, type Outcome, oracle } from './oracle.ts';
import { LATER_STATES, StateLab, WINDOW } from './states.ts';
import { family, overBothFamilies, type Scripted } from './support.ts';

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

/** The path that a segment takes does not depend on the family below: of IPv6 every third case is tried, in turn of all columns. */
const IPV6_STRIDE = 3;

/** In the place of what was seen where the oracle leaves it open. */
const EITHER = { reply: 'either' } as const;

/** How a fresh connection of each case begins, and what the oracle has to know. */
interface Case {
  readonly name: string;
  readonly rcvWnd: number;
  readonly inFlight: number;
  make(lab: StateLab): Scripted;
}

const CASES: Case[] = [
  { name: 'CLOSED', rcvWnd: 0, inFlight: 0, make: (lab) => lab.stranger(false) },
  { name: 'LISTEN', rcvWnd: 0, inFlight: 0, make: (lab) => lab.stranger(true) },
  { name: 'SYN-SENT', rcvWnd: 0, inFlight: 1, make: (lab) => lab.opening(false) },
  { name: 'SYN-RECEIVED', rcvWnd: WINDOW, inFlight: 1, make: (lab) => lab.opening(true) },
  ...LATER_STATES.map((name) => ({
    name,
    rcvWnd: ['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'].includes(name) ? WINDOW - 1 : WINDOW,
    inFlight: ['FIN-WAIT-1', 'CLOSING', 'LAST-ACK'].includes(name) ? 1 : 0,
    make: (lab: StateLab) => lab.inState(name),
  })),
  { name: 'TIME-WAIT', rcvWnd: WINDOW - 1, inFlight: 0, make: (lab) => lab.timeWait() },
];

function replyOf(packets: readonly EitherPacket[]): string {
  const [first, second] = packets;
  if (first === undefined) return 'nothing';
  if (second !== undefined) return `${packets.length} segments`;
  if (first.flags?.includes('R') === true) return 'RST';
  if (first.flags?.includes('S') === true) return 'SYN-ACK';
  return first.payload.length === 0 ? 'ACK' : 'text';
}

/** What one segment does, in the oracle's words; a number in an answer that is wrong is told in the place of the answer. */
function whatHappens(c: Scripted, seg: OracleSegment, flags: string): Outcome {
  const { seq, ack } = c;
  c.in({ flags, seq: seq + seg.seq, ack: seg.isAck ? ack + seg.ack : 0, payload: seg.text });
  const packets = c.host.out();
  const [answer] = packets;
  const { state } = c.socket;
  let reply = replyOf(packets);
  // RFC 9293 §3.5.2: where the RST has to lie for the peer to take it.
  if (reply === 'RST' && seg.isAck && !isSame(answer?.seq, ack + seg.ack)) reply = `RST at ${answer?.seq}`;
  if (reply === 'ACK' && state !== 'ESTABLISHED' && (((answer?.ack ?? 0) - seq) | 0) < 0)
    reply = `ACK of ${answer?.ack}`;
  return { reply, state, isError: c.socket.error !== 0, readable: c.socket.readableBytes } as Outcome;
}

const isSame = (a = 0, b: number): boolean => (a | 0) === (b | 0);

/** All segments of a kind, at each edge, with each ACK that is of interest. */
function segmentsOf({ flags, text }: (typeof KINDS)[Kind]): OracleSegment[] {
  const isAck = flags.includes('.');
  const bits = { isSyn: flags.includes('S'), isAck, isRst: flags.includes('R'), isFin: flags.includes('F') };
  return EDGES.flatMap((seq) => (isAck ? ACKS : [0]).map((ack) => ({ ...bits, text, seq, ack })));
}

overBothFamilies(() => {
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
        const stride = family().family === 4 ? 1 : IPV6_STRIDE;
        const lab = new StateLab();
        const rows = segmentsOf(KINDS[kind])
          .filter((_, i) => i % stride === 0)
          .map((seg) => {
            const wanted = oracle(at, seg);
            const seen = whatHappens(make(lab), seg, KINDS[kind].flags);
            const isOpen = wanted.reply === 'either' && (seen.reply === 'ACK' || seen.reply === 'nothing');
            const { seq, ack } = seg;
            return { wanted: { seq, ack, ...wanted }, seen: { seq, ack, ...seen, ...(isOpen && EITHER) } };
          });
        expect(rows.map(({ seen }) => seen)).toEqual(rows.map(({ wanted }) => wanted));
      },
    );
  });
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
