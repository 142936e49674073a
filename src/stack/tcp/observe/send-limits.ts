/**
 * What holds a sender back, and for how long (RFC 4898 tcpEStatsPerfSndLim*, the SndLim members of TCP_INFO_v1): each time that
 * transmission stops, the reason becomes the connection's state until it stops for another one. So the three times add up to
 * the time in which it could send, and the three sums of bytes to the text that has left, retransmissions included.
 */

/** Why transmission stopped. */
export const SendLimit = {
  /** It has not begun, or is over: the FIN is acknowledged, or the connection has failed. */
  none: -1,
  /** The peer's window is full. */
  rwin: 0,
  /** The congestion window is, or the pace does not allow more yet. */
  cwnd: 1,
  /** There is nothing to send, or Nagle's algorithm waits for more. */
  snd: 2,
} as const;

export class SendLimits {
  /** A `SendLimit`. */
  current: number = SendLimit.none;
  /** When the state was entered, and how much text had left by then. */
  #since = 0;
  #bytesBefore = 0;
  /** Transitions into a state from one of the others. */
  transRwin = 0;
  transCwnd = 0;
  transSnd = 0;
  // What former periods of each state add up to.
  #timeRwin = 0;
  #timeCwnd = 0;
  #timeSnd = 0;
  #bytesRwin = 0;
  #bytesCwnd = 0;
  #bytesSnd = 0;

  /**
   * Transmission has begun, has stopped for a reason, or is over.
   * @param bytesOut text that has left so far
   */
  enter(limit: number, now: number, bytesOut: number): void {
    const before = this.current;
    if (limit === before) return;
    this.#settle(now, bytesOut);
    this.current = limit;
    this.#since = now;
    this.#bytesBefore = bytesOut;
    // The first state was not entered from another.
    if (before === SendLimit.none) return;
    if (limit === SendLimit.rwin) this.transRwin++;
    else if (limit === SendLimit.cwnd) this.transCwnd++;
    else if (limit === SendLimit.snd) this.transSnd++;
  }

  /** Milliseconds in a state until `now`. */
  time(limit: number, now: number): number {
    const running = limit === this.current ? now - this.#since : 0;
    return running + pick(limit, this.#timeRwin, this.#timeCwnd, this.#timeSnd);
  }

  /** Bytes of text that left in a state, of `bytesOut` in all. */
  bytes(limit: number, bytesOut: number): number {
    const running = limit === this.current ? bytesOut - this.#bytesBefore : 0;
    return running + pick(limit, this.#bytesRwin, this.#bytesCwnd, this.#bytesSnd);
  }

  /** Adds the period that ends. */
  #settle(now: number, bytesOut: number): void {
    const time = now - this.#since;
    const bytes = bytesOut - this.#bytesBefore;
    if (this.current === SendLimit.rwin) {
      this.#timeRwin += time;
      this.#bytesRwin += bytes;
    } else if (this.current === SendLimit.cwnd) {
      this.#timeCwnd += time;
      this.#bytesCwnd += bytes;
    } else if (this.current === SendLimit.snd) {
      this.#timeSnd += time;
      this.#bytesSnd += bytes;
    }
  }
}

function pick(limit: number, rwin: number, cwnd: number, snd: number): number {
  return limit === SendLimit.rwin ? rwin : limit === SendLimit.cwnd ? cwnd : snd;
}
