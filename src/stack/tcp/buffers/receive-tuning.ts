/**
 * How large the receive buffer is: dynamic right-sizing. The peer can have no more in flight than the window, so the window
 * has to cover what a round trip delivers. What that is shows in what the user takes: the bytes it has copied out since a
 * round trip ago. The limit of the ring becomes a multiple of that, so that the sender's window, never ours, is what holds
 * a transfer back; a user who reads slowly copies little, and gets no larger buffer to let lie.
 *
 * The receiver sees the round trip too (RFC 7323 §4.1): text that echoes a timestamp for the first time was sent upon the
 * ACK that carried it. Without timestamps it is the time in which a whole window arrives, which is never less.
 *
 * A buffer whose size the user has set stays as it is. The limit never falls: a window that was offered is kept (SHLD-14).
 */

import { seqDiff, seqGeq } from '../../../base/index.ts';
import { mostUsefulBuffer } from '../config.ts';
import { noteBuffers } from '../observe/counting.ts';
import { timestampNow } from '../options.ts';
import type { Tcb } from '../tcb.ts';
import { ReceiveMeasure } from './receive-measure.ts';

/** Text that a connection has to bring before it is measured at all: short exchanges cost nothing. */
const MEASURED_AFTER = 32_768;
/** In steady state: twice what a round trip brings, since an ACK and the window it opens take half of one each. */
const STEADY_FACTOR = 2;
/** A sender that grew by half since the last round doubles per round trip, and is measured a round trip late. */
const GROWING_FACTOR = 4;
/** A reader that leaves a quarter of what it took, or takes that many round trips, doesn't keep up. */
const READER_LAG = 4;
/** Segments on top, for what the sender's bursts and our delayed ACKs shift. */
const SLACK_SEGMENTS = 16;

/** Text that is new to us arrived in order: it may tell how long a round trip takes. */
export function sampleReceiverRtt(tcb: Tcb, tsEcr: number): void {
  const measure = tcb.receiveMeasure;
  if (measure === null) return;
  if (!tcb.isTimestamped) {
    if (seqGeq(tcb.rcvNxt, measure.windowEnd)) measure.sampleWindow(tcb.host.now, tcb.rcvAdv);
    return;
  }
  // What follows with the same echo left later.
  if (tsEcr === measure.lastEcho || tsEcr === 0) return;
  measure.lastEcho = tsEcr;
  const elapsed = seqDiff(timestampNow(tcb), tsEcr);
  if (elapsed >= 0 && elapsed <= tcb.config.maxRto) measure.sample(elapsed);
}

/** The user has taken bytes out: once a round trip, what it took decides on the size of the buffer. */
export function tuneReceiveBuffer(tcb: Tcb): void {
  if (tcb.settings.isReceiveBufferFixed) return;
  const copiedTo = (tcb.rcvNxt - tcb.rx.used) | 0;
  const measure = tcb.receiveMeasure;
  if (measure === null) {
    if (tcb.bytesIn >= MEASURED_AFTER) beginMeasuring(tcb, copiedTo);
    return;
  }
  const { now } = tcb.host;
  const elapsed = now - measure.since;
  if (measure.rtt < 0 || elapsed < measure.rtt) return;
  const copied = seqDiff(copiedTo, measure.copiedTo);
  const keepsUp = READER_LAG * tcb.rx.used <= copied;
  // It may be in the midst of taking what is there. If not, the transfer waits for the reader and not for the window.
  if (!keepsUp && elapsed < READER_LAG * measure.rtt) return;
  const isGrowing = 2 * copied > 3 * measure.copied;
  measure.since = now;
  measure.copiedTo = copiedTo;
  measure.copied = copied;
  if (!keepsUp) return;
  const wanted = (isGrowing ? GROWING_FACTOR : STEADY_FACTOR) * copied + SLACK_SEGMENTS * tcb.rmss;
  enlarge(tcb, Math.min(wanted, mostUsefulBuffer(measure.rtt)));
}

function beginMeasuring(tcb: Tcb, copiedTo: number): void {
  tcb.receiveMeasure = new ReceiveMeasure(tcb.host.now, copiedTo, tcb.rcvAdv);
  // The handshake was a round trip as well.
  if (tcb.rtt.hasSample) tcb.receiveMeasure.sample(tcb.rtt.srtt);
}

function enlarge(tcb: Tcb, wanted: number): void {
  const { rx, env, config } = tcb;
  if (env.memory.isPressed) return;
  const limit = Math.min(wanted, config.receiveBufferMax);
  if (limit <= rx.limit) return;
  rx.limit = limit;
  noteBuffers(tcb);
}
