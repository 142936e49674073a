/**
 * What a connection with ECN remembers, and nothing of it in one without: made when the handshake has agreed on ECN.
 *
 * Each side plays two parts. As data receiver it tells the peer what the network did to the peer's packets; as data sender it
 * reads what the peer tells of its own. The two forms of feedback are in `classic.ts` (RFC 3168: one bit, repeated until it was
 * heard) and `accurate.ts` (RFC 9768: counters).
 */

import { TCP_AE, TCP_CWR, TCP_ECE } from '../../../wire/index.ts';

/** The three flags; after the handshake of AccECN they are the ACE field, three bits from `ACE_SHIFT` on. */
export const ECN_FLAGS = TCP_AE | TCP_CWR | TCP_ECE;
export const ACE_SHIFT = 6;
export const ACE_MASK = 7;

/** What a stack or an endpoint wants of ECN: see `TcpOptions.ecn`. */
export type EcnMode = 'off' | 'passive' | 'classic' | 'accurate';

/** The form of feedback in force. */
export const EcnFeedback = {
  none: 0,
  /** RFC 3168. */
  classic: 1,
  /** RFC 9768. */
  accurate: 2,
} as const;

/** The form's names, as `TcpInfo` tells them. */
export type EcnName = 'none' | 'classic' | 'accurate';

/** First values of r.cep and s.cep, and of the counters of ECT bytes (RFC 9768 §3.2.1): none is what a broken path would write. */
export const FIRST_CEP = 5;
export const FIRST_ECT_BYTES = 1;

export class EcnState {
  /** `EcnFeedback.classic` or `accurate`: never changes (RFC 9768 §3.1.5). */
  readonly feedback: number;
  /** New text goes out with ECT(0). Cleared for good when the path mangles the field, or the handshake says that it may. */
  isEctUsed = true;

  // Data sender: the reaction, once a window.
  /** The window was reduced, and what was in flight then is not acknowledged yet: before `reducedUntil`. */
  isReduced = false;
  reducedUntil = 0;
  /** Marks were reported since the last loss episode began: it was not for nothing. */
  isEpisodeMarked = false;
  /** Classic: the next new text says CWR. */
  isCwrDue = false;

  // Data receiver.
  /** Classic: ECE on every ACK until the peer says CWR. */
  isEchoing = false;
  /** The packet before said CE. */
  wasMarked = false;

  // Accurate, data receiver: RFC 9768 §3.2's r.cep, r.ceb, r.e0b, r.e1b.
  rCep = FIRST_CEP;
  rCeb = 0;
  rE0b = FIRST_ECT_BYTES;
  rE1b = FIRST_ECT_BYTES;
  /** CE marks since the last ACK left. */
  marksSinceAck = 0;
  /** IP-ECN of the latest SYN or SYN-ACK, told by the handshake encoding of the three flags. */
  handshakeEcn = 0;
  /** A client's next ACK without text carries the handshake encoding (RFC 9768 §3.2.2.1). */
  isHandshakeAckDue = false;
  /** Both SYNs crossed: the peer's next segment is a SYN-ACK, whose flags are no counter. */
  isCrossing = false;
  /** The peer saw CE on our SYN or SYN-ACK. */
  isHandshakeMarked = false;

  // The option that is sent.
  /** A byte counter has grown since the option was last sent. */
  isOptionDue = false;
  /** Until the first text has left every segment has it: whether the path lets it through has to be seen. */
  isOptionTested = false;
  /** The first segment of text carried the option and was lost: it is not sent any more. */
  isOptionOff = false;

  // Accurate, data sender: s.cep, s.ceb; low bits of the others are all that is needed of them.
  sCep = FIRST_CEP;
  sCeb = 0;
  /** Marks that ACE has told since the last option: its bytes will tell of them again. */
  marksSinceOption = 0;
  /** The peer's options arrive. */
  isOptionSeen = false;
  /** Its first option had zeros, or ACE was zero at first: the path rewrites them. */
  isOptionIgnored = false;
  isFeedbackIgnored = false;
  /** A segment after the handshake has been looked at. */
  isAceChecked = false;
  /** The newest segment with feedback: sequence number, and timestamp. */
  newestSeq = 0;
  newestTsVal = 0;
  /** Rounds at the start in which every packet was reported as marked, and where the one under way ends. */
  markedRounds = 0;
  roundEnd = 0;

  // Counts for `TcpInfo`.
  /** Packets that arrived with CE; packets of ours that the peer reports as marked. */
  ceReceived = 0;
  ceDelivered = 0;

  constructor(feedback: number) {
    this.feedback = feedback;
  }
}
