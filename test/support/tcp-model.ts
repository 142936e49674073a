/**
 * A reference machine of TCP: RFC 9293 §3.10 for one connection, as plain as its text, with the rules of RFC 5961 (an exact
 * RST, challenge ACKs, old ACKs), RFC 1337 (a RST in TIME-WAIT) and without split handshakes. It shares nothing with `src/`.
 *
 * It says what a host that stands still in time must do: the state, the numbers, and the segments that it must send. It has
 * no timers, options, congestion window or urgent data; what these add (retransmissions) is for others to judge. Text is at
 * most a few bytes, so that all of it fits into a segment.
 */

export type ModelState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** A segment of the peer. `flags` holds letters of `SFRA`. */
export interface ModelSegment {
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly length: number;
  readonly window: number;
}

/** What the host must send at once upon what happened. */
export interface ModelOutput {
  /** A RST with this number, and with this acknowledgement unless it is `null`. */
  readonly reset: { readonly seq: number; readonly ack: number | null } | null;
  /** Some segment that acknowledges RCV.NXT. */
  readonly isAckDue: boolean;
  /** SYN or SYN-ACK. */
  readonly isSynDue: boolean;
}

/** Why the user's connection ended. */
export type ModelFailure = 'none' | 'refused' | 'reset' | 'aborted';

const SENDING: readonly ModelState[] = ['ESTABLISHED', 'CLOSE-WAIT'];
const RECEIVING: readonly ModelState[] = ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'];

export class TcpModel {
  state: ModelState;
  /** SND.UNA, SND.NXT, SND.WND, SND.WL1, SND.WL2, MAX.SND.WND, ISS. */
  una = 0;
  nxt = 0;
  wnd = 0;
  #wl1 = 0;
  #wl2 = 0;
  maxWnd = 0;
  iss = 0;
  /** RCV.NXT, IRS. */
  rcvNxt = 0;
  irs = 0;
  /** The right edge of the window that was offered: RCV.NXT + RCV.WND. Taken from what the host sends. */
  edge = 0;
  #firstWindow = 0;
  failure: ModelFailure = 'none';
  /** Bytes that the user can read; after a good end too. */
  unread = 0;
  hasPeerClosed = false;
  /** Text that waits to be sent. */
  queued = 0;
  readonly isPassive: boolean;
  #isFinQueued = false;
  #isFinSent = false;
  /** The user has let go of it. */
  isOrphan = false;
  #isSynAckedAlone = false;
  /** Text and FIN that came before what precedes them. */
  readonly #early = new Set<number>();
  #finAt: number | null = null;
  #reset: ModelOutput['reset'] = null;
  #isAckDue = false;
  #isSynDue = false;

  /** A listener for ever (each connection goes back to LISTEN), or a host that has not connected yet. */
  constructor(isPassive: boolean) {
    this.isPassive = isPassive;
    this.state = isPassive ? 'LISTEN' : 'CLOSED';
  }

  /** Takes what is due. */
  output(): ModelOutput {
    const output = { reset: this.#reset, isAckDue: this.#isAckDue, isSynDue: this.#isSynDue };
    this.#reset = null;
    this.#isAckDue = false;
    this.#isSynDue = false;
    return output;
  }

  /** The host's initial number and its first window are its own choice: told when its SYN or SYN-ACK is seen. */
  sentSyn(seq: number, window: number): void {
    this.iss = seq;
    this.una = seq;
    this.nxt = (seq + 1) | 0;
    this.#firstWindow = window;
    if (this.state !== 'SYN-SENT') this.edge = (this.rcvNxt + window) | 0;
  }

  /** The window is the host's own choice too: told with each segment that it sends. It never shrinks. */
  offered(edge: number): void {
    if (lt(this.edge, edge)) this.edge = edge;
  }

  // §3.10.1 to §3.10.5: the user's calls. Each may be called in any state.

  open(): void {
    if (this.state !== 'CLOSED') return;
    this.state = 'SYN-SENT';
    this.#isSynDue = true;
  }

  /** Before the connection is there it is an error, as in Winsock, and not queued. @returns whether the bytes were taken */
  send(length: number): boolean {
    if (this.#isFinQueued || !SENDING.includes(this.state)) return false;
    this.queued += length;
    this.#transmit();
    return true;
  }

  receive(): void {
    this.unread = 0;
  }

  /** Closes the sending side only. */
  shutdown(): void {
    if (this.state !== 'SYN-RECEIVED' && !SENDING.includes(this.state)) return;
    this.#isFinQueued = true;
    if (this.state === 'ESTABLISHED') this.state = 'FIN-WAIT-1';
    else if (this.state === 'CLOSE-WAIT') this.state = 'LAST-ACK';
    this.#transmit();
  }

  /** Closes both: with text unread, the peer hears that it was lost (SHLD-3). */
  close(): void {
    this.isOrphan = true;
    if (this.state === 'SYN-SENT') this.#end('aborted');
    else if (this.unread > 0 && this.state !== 'TIME-WAIT') this.abort();
    else this.shutdown();
  }

  abort(): void {
    this.isOrphan = true;
    const tells = ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT'];
    // With text or the FIN unsent, CLOSING and LAST-ACK are only names of what is to come.
    const isUnsent = this.#isFinQueued && !this.#isFinSent;
    if (tells.includes(this.state) || isUnsent) this.#reset = { seq: this.nxt, ack: null };
    if (this.state !== 'TIME-WAIT' && this.state !== 'LISTEN') this.#end('aborted');
  }

  /** §3.10.7: a segment arrives. */
  arrives(seg: ModelSegment): void {
    switch (this.state) {
      case 'CLOSED':
        this.#closed(seg);
        break;
      case 'LISTEN':
        this.#listen(seg);
        break;
      case 'SYN-SENT':
        this.#synSent(seg);
        break;
      default:
        this.#otherwise(seg);
    }
  }

  // §3.10.7.1
  #closed(seg: ModelSegment): void {
    if (has(seg, 'R')) return;
    this.#reset = has(seg, 'A')
      ? { seq: seg.ack, ack: null }
      : { seq: 0, ack: (seg.seq + lengthOf(seg)) | 0 };
  }

  // §3.10.7.2
  #listen(seg: ModelSegment): void {
    if (has(seg, 'R')) return;
    if (has(seg, 'A')) {
      this.#reset = { seq: seg.ack, ack: null };
      return;
    }
    if (has(seg, 'S')) this.#begin(seg);
  }

  // §3.10.7.3
  #synSent(seg: ModelSegment): void {
    const isAcked = has(seg, 'A');
    if (isAcked && !(lt(this.iss, seg.ack) && leq(seg.ack, this.nxt))) {
      if (!has(seg, 'R')) this.#reset = { seq: seg.ack, ack: null };
      return;
    }
    if (has(seg, 'R')) {
      if (isAcked) this.#end('refused');
      return;
    }
    if (!has(seg, 'S')) {
      this.#isSynAckedAlone ||= isAcked;
      return;
    }
    // Who has our SYN answers with SYN and ACK: a split handshake is refused by silence.
    if (!isAcked && this.#isSynAckedAlone) return;
    this.#takeSyn(seg);
    if (!isAcked) {
      this.state = 'SYN-RECEIVED';
      this.#isSynDue = true;
      return;
    }
    this.#establish(seg);
    this.#isAckDue = true;
    const behind = { ...seg, seq: (seg.seq + 1) | 0, flags: seg.flags.replace('S', '') };
    this.#text(behind);
    this.#fin(behind);
    this.#transmit();
  }

  // §3.10.7.4
  #otherwise(seg: ModelSegment): void {
    // First, the sequence number. RFC 5961 judges a RST and a SYN by themselves.
    if (has(seg, 'R')) {
      this.#resetArrives(seg);
      return;
    }
    if (has(seg, 'S') && this.#synArrives(seg)) return;
    if (!has(seg, 'S') && !this.#isAcceptable(seg)) {
      this.#isAckDue = true;
      if (this.state === 'TIME-WAIT') return;
      // "Special allowance should be made to accept valid ACKs" when the window is closed.
      if (!(this.edge === this.rcvNxt && seg.seq === this.rcvNxt)) return;
      this.#ack({ ...seg, length: 0, flags: seg.flags.replace('F', '') });
      this.#transmit();
      return;
    }
    // Nothing more is to come, and an ACK alone asks for nothing.
    if (this.state === 'TIME-WAIT') return;
    // Fifth, the ACK; seventh, the text; eighth, the FIN.
    if (!has(seg, 'A') || !this.#ack(seg)) return;
    this.#text(seg);
    this.#fin(seg);
    this.#transmit();
  }

  /** Second step, RFC 5961 §3.2. */
  #resetArrives(seg: ModelSegment): void {
    // RFC 1337: TIME-WAIT does not end before its time.
    if (this.state === 'TIME-WAIT') return;
    if (seg.seq !== this.rcvNxt) {
      if (this.#isInWindow(seg.seq)) this.#isAckDue = true;
      return;
    }
    if (this.state === 'SYN-RECEIVED') this.#end('refused');
    else if (this.state === 'CLOSING' || this.state === 'LAST-ACK') this.#end('none');
    else this.#end('reset');
  }

  /** Fourth step, RFC 5961 §4.2. @returns whether that was all */
  #synArrives(seg: ModelSegment): boolean {
    if (this.state === 'TIME-WAIT' && this.isPassive && !has(seg, 'A') && lt(this.rcvNxt, seg.seq)) {
      // MAY-2: a new connection.
      this.#end('none');
      this.#begin(seg);
      return true;
    }
    if (this.state === 'SYN-RECEIVED' && this.isPassive && seg.seq !== this.irs) {
      // "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state."
      if (this.#isAcceptable(seg)) this.#end('refused');
      else this.#isAckDue = true;
      return true;
    }
    if (this.state === 'SYN-RECEIVED' && seg.seq === this.irs && !(this.isPassive && has(seg, 'A'))) {
      if (!has(seg, 'A')) {
        // The answer was lost: it is sent again.
        this.#isSynDue = true;
        return true;
      }
      if (this.isPassive) {
        this.#isAckDue = true;
        return true;
      }
      // The other half of a simultaneous open; what is behind the SYN counts.
      this.#otherwise({ ...seg, seq: (seg.seq + 1) | 0, flags: seg.flags.replace('S', '') });
      return true;
    }
    // "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state."
    if (this.state === 'SYN-RECEIVED' && this.isPassive && this.#isAcceptable(seg)) this.#end('refused');
    else this.#isAckDue = true;
    return true;
  }

  /** Fifth step. @returns whether to go on */
  #ack(seg: ModelSegment): boolean {
    if (this.state === 'SYN-RECEIVED') {
      if (!(lt(this.una, seg.ack) && leq(seg.ack, this.nxt))) {
        this.#reset = { seq: seg.ack, ack: null };
        return false;
      }
      this.#establish(seg);
    }
    // RFC 5961 §5.2; and before ISS nothing was sent. No model lives long enough for it to come around again.
    const oldest = (this.una - Math.max(1, this.maxWnd)) | 0;
    if (lt(this.nxt, seg.ack) || lt(seg.ack, oldest) || lt(seg.ack, this.iss)) {
      this.#isAckDue = true;
      return false;
    }
    if (lt(this.una, seg.ack)) this.una = seg.ack;
    if (
      leq(this.una, seg.ack) &&
      (lt(this.#wl1, seg.seq) || (this.#wl1 === seg.seq && leq(this.#wl2, seg.ack)))
    ) {
      this.#takeWindow(seg);
    }
    if (!this.#isFinSent || this.una !== this.nxt) return true;
    if (this.state === 'FIN-WAIT-1') this.state = 'FIN-WAIT-2';
    else if (this.state === 'CLOSING') this.state = 'TIME-WAIT';
    else if (this.state === 'LAST-ACK') this.#end('none');
    else return true;
    return this.state === 'FIN-WAIT-2';
  }

  /** Seventh step. */
  #text(seg: ModelSegment): void {
    if (seg.length === 0 || !RECEIVING.includes(this.state)) return;
    this.#isAckDue = true;
    let taken = 0;
    for (let i = 0; i < seg.length; i++) {
      const at = (seg.seq + i) | 0;
      const isBehindFin = this.#finAt !== null && leq(this.#finAt, at);
      if (leq(this.rcvNxt, at) && lt(at, this.edge) && !isBehindFin) {
        this.#early.add(at);
        taken++;
      }
    }
    if (taken > 0 && this.isOrphan) {
      this.abort();
      return;
    }
    while (this.#early.delete(this.rcvNxt)) {
      this.rcvNxt = (this.rcvNxt + 1) | 0;
      this.unread++;
    }
  }

  /** Eighth step. */
  #fin(seg: ModelSegment): void {
    if (!RECEIVING.includes(this.state)) return;
    let at = (seg.seq + seg.length) | 0;
    // Text behind an early FIN is none. Of two FINs of a confused peer the last counts.
    if (seg.length > 0 && this.#finAt !== null && lt(this.#finAt, at)) at = this.#finAt;
    // It is cut off with text that does not fit.
    if (has(seg, 'F') && leq(this.rcvNxt, at) && leq(at, this.edge)) {
      this.#finAt = at;
      this.#isAckDue = true;
    }
    if (this.#finAt !== this.rcvNxt) return;
    this.rcvNxt = (this.rcvNxt + 1) | 0;
    this.hasPeerClosed = true;
    this.#isAckDue = true;
    if (this.state === 'ESTABLISHED') this.state = 'CLOSE-WAIT';
    else this.state = this.state === 'FIN-WAIT-1' ? 'CLOSING' : 'TIME-WAIT';
  }

  #isAcceptable(seg: ModelSegment): boolean {
    const length = lengthOf(seg);
    if (length === 0) return this.#isInWindow(seg.seq);
    // In TIME-WAIT nothing more is taken.
    if (this.edge === this.rcvNxt || this.state === 'TIME-WAIT') return false;
    const last = (seg.seq + length - 1) | 0;
    const isInside = (at: number): boolean => leq(this.rcvNxt, at) && lt(at, this.edge);
    // Table 6 does not name a segment that begins before the window and ends behind it; it has text for all of it.
    return isInside(seg.seq) || isInside(last) || (lt(seg.seq, this.rcvNxt) && leq(this.edge, last));
  }

  #isInWindow(seq: number): boolean {
    if (this.state === 'TIME-WAIT') return seq === this.rcvNxt;
    return seq === this.rcvNxt || (leq(this.rcvNxt, seq) && lt(seq, this.edge));
  }

  /** LISTEN → SYN-RECEIVED. */
  #begin(seg: ModelSegment): void {
    this.state = 'SYN-RECEIVED';
    this.failure = 'none';
    this.unread = 0;
    this.hasPeerClosed = false;
    this.#takeSyn(seg);
    this.#isSynDue = true;
  }

  #takeSyn(seg: ModelSegment): void {
    this.irs = seg.seq;
    this.rcvNxt = (seg.seq + 1) | 0;
    this.edge = (this.rcvNxt + this.#firstWindow) | 0;
  }

  #establish(seg: ModelSegment): void {
    this.state = 'ESTABLISHED';
    this.una = seg.ack;
    this.#takeWindow(seg);
    if (this.#isFinQueued) this.state = 'FIN-WAIT-1';
  }

  #takeWindow(seg: ModelSegment): void {
    this.wnd = seg.window;
    this.maxWnd = Math.max(this.maxWnd, seg.window);
    this.#wl1 = seg.seq;
    this.#wl2 = seg.ack;
  }

  /** Sends what waits, and the FIN behind it, as far as the window allows. A window here is closed or large. */
  #transmit(): void {
    if (this.state === 'SYN-SENT' || this.state === 'SYN-RECEIVED' || this.state === 'CLOSED') return;
    if (!lt(this.nxt, (this.una + this.wnd) | 0)) return;
    this.nxt = (this.nxt + this.queued) | 0;
    this.queued = 0;
    if (!this.#isFinQueued || this.#isFinSent) return;
    this.#isFinSent = true;
    this.nxt = (this.nxt + 1) | 0;
  }

  #end(failure: ModelFailure): void {
    this.state = this.isPassive ? 'LISTEN' : 'CLOSED';
    this.failure = failure;
    // "All segment queues should be flushed": what ended well can still be read.
    if (failure !== 'none') this.unread = 0;
    this.#isAckDue = false;
    this.queued = 0;
    this.maxWnd = 0;
    this.#isFinQueued = false;
    this.#isFinSent = false;
    this.isOrphan = false;
    this.#early.clear();
    this.#finAt = null;
  }
}

function has(seg: ModelSegment, flag: 'S' | 'F' | 'R' | 'A'): boolean {
  return seg.flags.includes(flag);
}

/** SEG.LEN: SYN and FIN count. */
function lengthOf(seg: ModelSegment): number {
  return seg.length + (has(seg, 'S') ? 1 : 0) + (has(seg, 'F') ? 1 : 0);
}

/** Comparisons in the circle of 2³² numbers. */
function lt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

function leq(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}
