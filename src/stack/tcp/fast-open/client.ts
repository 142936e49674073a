/**
 * Fast Open by a client (RFC 7413 §4.2.1): with a cookie of the server's the SYN brings the first text, without one it asks for a
 * cookie. What the SYN-ACK does not acknowledge of the text counts as never sent, and follows at once.
 *
 * A SYN that has to be sent again has neither option nor text: that it was not answered may be their fault (§4.1.3.1).
 */

import { EMPTY, seqDiff } from '../../../base/index.ts';
import { TCP_MAX_OPTIONS_LEN, TCP_OPTION_FAST_OPEN, TCPOPT_TIMESTAMPS_LEN } from '../../../wire/index.ts';
import { EndpointEvent, StackError } from '../../api.ts';
import { tell } from '../lifecycle.ts';
import { synOptionsLength } from '../options.ts';
import { updateSmss } from '../path/mss.ts';
import type { Segment } from '../segment.ts';
import type { OpeningWatcher, Tcb } from '../tcb.ts';

/**
 * Prepares the first SYN of `tcb`: sets its Fast Open option.
 * @returns bytes of text that the SYN takes along
 */
export function beginFastOpen(tcb: Tcb): number {
  const { fastOpenCache } = tcb.env;
  if (!tcb.settings.fastOpen || fastOpenCache.isBlocked(tcb.remoteAddress)) return 0;
  const server = fastOpenCache.find(tcb.remoteAddress);
  tcb.fastOpenOption = server === null ? EMPTY : server.cookie;
  if (synOptionsLength(tcb) > TCP_MAX_OPTIONS_LEN) tcb.fastOpenOption = null;
  if (server === null || tcb.fastOpenOption === null || tcb.tx.used === 0) {
    // Nothing to send with it: the cookie can wait for a connection that has something.
    if (server !== null) tcb.fastOpenOption = null;
    if (tcb.fastOpenOption !== null) tcb.opening = new Attempt(0);
    return 0;
  }
  const length = Math.max(0, Math.min(tcb.tx.used, synRoom(tcb, server.mss)));
  tcb.opening = new Attempt(length);
  return length;
}

/** Text that fits into a SYN to a server that has announced `mss` before (RFC 7413 §4.1.3, RFC 6691 §2). */
function synRoom(tcb: Tcb, mss: number): number {
  const { peerMss } = tcb;
  tcb.peerMss = mss;
  updateSmss(tcb);
  tcb.peerMss = peerMss;
  return tcb.smss + (tcb.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0) - synOptionsLength(tcb);
}

/** A SYN of the peer has crossed ours: it takes no text, and ours is sent after the handshake. */
export function withdrawSynText(tcb: Tcb): void {
  const next = (tcb.iss + 1) | 0;
  tcb.bytesOut -= seqDiff(tcb.sndNxt, next);
  tcb.sndNxt = next;
  tcb.opening = null;
  tcb.fastOpenOption = null;
}

/** What is awaited of one SYN. */
class Attempt implements OpeningWatcher {
  readonly #textLength: number;

  /** @param textLength bytes of text in the SYN; 0: it asks for a cookie */
  constructor(textLength: number) {
    this.#textLength = textLength;
  }

  established(tcb: Tcb, seg: Segment): void {
    const hasCookie = (seg.options & TCP_OPTION_FAST_OPEN) !== 0 && seg.fastOpenLength > 0;
    const { fastOpenCache } = tcb.env;
    if (hasCookie) {
      const cookie = seg.bytes.subarray(seg.fastOpenAt, seg.fastOpenAt + seg.fastOpenLength);
      fastOpenCache.store(tcb.remoteAddress, cookie, tcb.peerMss);
    }
    if (this.#textLength === 0) return;
    const taken = this.#takeText(tcb, seg);
    const { counters } = tcb.host;
    if (taken > 0) {
      counters.tcpFastOpenActive++;
      fastOpenCache.succeeded(tcb.remoteAddress);
      return;
    }
    counters.tcpFastOpenActiveFail++;
    // With a new cookie it was the old one that was wrong.
    if (!hasCookie) fastOpenCache.failed(tcb.remoteAddress);
  }

  failed(tcb: Tcb): void {
    if (this.#textLength === 0) return;
    tcb.host.counters.tcpFastOpenActiveFail++;
    if (tcb.error === StackError.timedOut) tcb.env.fastOpenCache.failed(tcb.remoteAddress);
  }

  /** @returns bytes of the SYN's text that are acknowledged */
  #takeText(tcb: Tcb, seg: Segment): number {
    const taken = Math.max(0, seqDiff(seg.ack, tcb.sndUna));
    tcb.sndUna = (tcb.sndUna + taken) | 0;
    tcb.bytesOut -= this.#textLength - taken;
    tcb.sndNxt = tcb.sndUna;
    if (taken === 0) return 0;
    tcb.tx.discard(taken);
    tcb.txStart = tcb.sndUna;
    if (tcb.tx.used === 0) tell(tcb, EndpointEvent.drained);
    return taken;
  }
}
