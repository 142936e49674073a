/**
 * What RFC 9293 §3.10.7, as RFC 5961 amends it, says about one segment, in any state: written down from the text, step by step,
 * with nothing of the implementation, so that every state can be tried with every segment.
 *
 * Numbers are relative: `seq` to RCV.NXT, `ack` to SND.UNA.
 */

/** A segment that arrives. */
export interface OracleSegment {
  readonly isSyn: boolean;
  readonly isAck: boolean;
  readonly isRst: boolean;
  readonly isFin: boolean;
  readonly text: number;
  readonly seq: number;
  readonly ack: number;
}

/** Where the connection stands. */
export interface OracleState {
  readonly name: string;
  readonly rcvWnd: number;
  /** SND.NXT − SND.UNA: 1 while our SYN or FIN is not acknowledged. */
  readonly inFlight: number;
  /** MAX.SND.WND */
  readonly maxSndWnd: number;
  /** SND.UNA − ISS */
  readonly acked: number;
}

/** What has to follow. */
export interface Outcome {
  /** `either`: the RFC leaves it open whether there is an ACK. */
  readonly reply: 'nothing' | 'ACK' | 'RST' | 'SYN-ACK' | 'either';
  readonly state: string;
  /** The user hears of a failure. */
  readonly isError: boolean;
  /** Bytes that the user can read. */
  readonly readable: number;
}

function outcome(reply: Outcome['reply'], state: string, readable = 0, isError = false): Outcome {
  return { reply, state, readable, isError };
}

/** The whole of §3.10.7. */
export function oracle(at: OracleState, seg: OracleSegment): Outcome {
  switch (at.name) {
    case 'CLOSED':
      return outcome(seg.isRst ? 'nothing' : 'RST', 'CLOSED');
    case 'LISTEN':
      if (seg.isRst) return outcome('nothing', 'LISTEN');
      if (seg.isAck) return outcome('RST', 'LISTEN');
      return outcome(seg.isSyn ? 'SYN-ACK' : 'nothing', 'LISTEN');
    case 'SYN-SENT':
      return synSent(at, seg);
    case 'TIME-WAIT':
      return timeWait(at, seg);
    default:
      return otherStates(at, seg);
  }
}

/** §3.10.7.3 */
function synSent(at: OracleState, seg: OracleSegment): Outcome {
  const isAcceptable = seg.isAck && seg.ack > 0 && seg.ack <= at.inFlight;
  if (seg.isAck && !isAcceptable) return outcome(seg.isRst ? 'nothing' : 'RST', at.name);
  if (seg.isRst) return isAcceptable ? outcome('nothing', 'CLOSED', 0, true) : outcome('nothing', at.name);
  if (!seg.isSyn) return outcome('nothing', at.name);
  return isAcceptable ? outcome('ACK', 'ESTABLISHED') : outcome('SYN-ACK', 'SYN-RECEIVED');
}

/** The four lines of table 6. */
function isInWindow(at: OracleState, seg: OracleSegment): boolean {
  const length = seg.text + (seg.isSyn ? 1 : 0) + (seg.isFin ? 1 : 0);
  if (length === 0) return at.rcvWnd === 0 ? seg.seq === 0 : seg.seq >= 0 && seg.seq < at.rcvWnd;
  if (at.rcvWnd === 0) return false;
  const last = seg.seq + length - 1;
  return (seg.seq >= 0 && seg.seq < at.rcvWnd) || (last >= 0 && last < at.rcvWnd);
}

/** TIME-WAIT, with RFC 1337's rule for RST, and without a listener that a SYN could be for. */
function timeWait(at: OracleState, seg: OracleSegment): Outcome {
  if (seg.isRst) return outcome('nothing', at.name);
  if (seg.isSyn) return outcome('ACK', at.name);
  if (!isInWindow(at, seg)) return outcome('ACK', at.name);
  return outcome(seg.text > 0 || seg.isFin || seg.seq > 0 ? 'either' : 'nothing', at.name);
}

/** §3.10.7.4 */
function otherStates(at: OracleState, seg: OracleSegment): Outcome {
  const isOpening = at.name === 'SYN-RECEIVED';
  // Figure 8: the peer's SYN again, alone or as the other half of a simultaneous open.
  if (isOpening && seg.isSyn && !seg.isRst && seg.seq === -1) {
    if (!seg.isAck) return outcome('SYN-ACK', at.name);
    return checkAck(at, { ...seg, isSyn: false, seq: 0 });
  }
  // RFC 5961 §4: irrespective of the number. §3: a RST by its number alone.
  if (seg.isRst) return checkReset(at, seg);
  if (seg.isSyn && !isOpening) return outcome('ACK', at.name);
  if (!isInWindow(at, seg)) return outcome('ACK', at.name);
  if (seg.isSyn) return outcome('ACK', at.name);
  if (!seg.isAck) return outcome('nothing', at.name);
  return checkAck(at, seg);
}

function checkReset(at: OracleState, seg: OracleSegment): Outcome {
  if (seg.seq < 0 || (seg.seq > 0 && seg.seq >= at.rcvWnd)) return outcome('nothing', at.name);
  if (seg.seq > 0) return outcome('ACK', at.name);
  const isOver = at.name === 'CLOSING' || at.name === 'LAST-ACK';
  return outcome('nothing', 'CLOSED', 0, !isOver);
}

function checkAck(at: OracleState, seg: OracleSegment): Outcome {
  const isNew = seg.ack > 0 && seg.ack <= at.inFlight;
  if (at.name === 'SYN-RECEIVED') {
    if (!isNew) return outcome('RST', at.name);
    return textAndFin({ ...at, name: 'ESTABLISHED' }, seg);
  }
  // RFC 5961 §5.2; and nothing was sent before ISS.
  if (seg.ack > at.inFlight || seg.ack < -Math.min(at.maxSndWnd, at.acked)) return outcome('ACK', at.name);
  if (!isNew) return textAndFin(at, seg);
  switch (at.name) {
    case 'FIN-WAIT-1':
      return textAndFin({ ...at, name: 'FIN-WAIT-2' }, seg);
    case 'CLOSING':
      return outcome('either', 'TIME-WAIT');
    case 'LAST-ACK':
      return outcome('nothing', 'CLOSED');
    default:
      return textAndFin(at, seg);
  }
}

/** Seventh and eighth. What arrives early is kept, and acknowledged. */
function textAndFin(at: OracleState, seg: OracleSegment): Outcome {
  if (!['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'].includes(at.name)) {
    return outcome(seg.isFin ? 'either' : 'nothing', at.name);
  }
  if (seg.text === 0 && !seg.isFin) return outcome('nothing', at.name);
  const end = Math.min(seg.seq + seg.text, at.rcvWnd);
  const readable = seg.seq <= 0 ? Math.max(0, end) : 0;
  const isFinTaken = seg.isFin && seg.seq <= 0 && seg.seq + seg.text === readable && readable < at.rcvWnd;
  if (!isFinTaken) return outcome('ACK', at.name, readable);
  const after = { ESTABLISHED: 'CLOSE-WAIT', 'FIN-WAIT-1': 'CLOSING', 'FIN-WAIT-2': 'TIME-WAIT' }[at.name];
  return outcome('ACK', after ?? at.name, readable);
}
