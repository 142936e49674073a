/**
 * Congestion control as a strategy: it says how many bytes may be in flight, and perhaps how fast they may leave; loss recovery
 * (`recovery.ts`) tells it what happened. Windows count bytes (RFC 5681 §3.1), so that a super-segment weighs what it carries.
 *
 * Times are ms of stack time, rates bytes per ms.
 */

import type { AckSample } from './ack-sample.ts';

/** What made the sender slow down. */
export type CongestionSignal = 'loss' | 'ecn';

export interface CongestionControl {
  readonly name: string;
  /**
   * It keeps a model of the path and sets `cwnd` in fast recovery too. For all others proportional rate reduction (RFC 9937)
   * does: it steers `cwnd` to the `ssthresh` that `onCongestion` has set.
   */
  readonly isModelBased: boolean;
  /** Sender's maximum segment size; lowered when the path's MTU falls. */
  smss: number;
  /** Congestion window, bytes. */
  cwnd: number;
  /** Slow-start threshold, bytes. */
  ssthresh: number;
  /** How fast to send; 0: it does not say, and a connection that is to be paced derives it from `cwnd` and the round trip. */
  pacingRate: number;
  /** Segments leave spread over the round trip (`pacing.ts`), so that no window leaves as one burst. Set by the control or for it. */
  isPaced: boolean;
  /**
   * The handshake is complete, and `smss` known.
   * @param isSynLost whether a SYN was sent more than once: then one segment to begin with (RFC 5681 §3.1)
   * @param rtt of the handshake, negative when it was not measured
   */
  start(smss: number, isSynLost: boolean, rtt: number, now: number): void;
  /** An acknowledgement delivered something, or something turned out to be lost, perhaps by a timer; in whatever phase. */
  onAck(sample: AckSample): void;
  /** A congestion episode begins with `flightSize` bytes outstanding: fast recovery, or an echo of CE (at most once a window). */
  onCongestion(signal: CongestionSignal, flightSize: number, now: number): void;
  /** Everything that was outstanding when the episode began is acknowledged; after a timeout only model-based controls are told. */
  onRecovered(flightSize: number, now: number): void;
  /** The retransmission timer ran out; `isFirst` for the first time without progress between. */
  onTimeout(flightSize: number, isFirst: boolean, now: number): void;
  /** What the last episode took for a loss was none (Eifel, F-RTO, DSACK): back to the state before it, as RFC 4015 allows. */
  onSpurious(flightSize: number, now: number): void;
  /** About to send again after `idle` ms with nothing in flight (RFC 5681 §4.1, RFC 7661). */
  onRestart(idle: number, rto: number, now: number): void;
}

/** Makes the control of one connection. */
export type CongestionControlFactory = () => CongestionControl;

/** RFC 5681 §3.1: a slow-start threshold that is "arbitrarily high". */
export const NO_THRESHOLD = 0x3fffffff;
/** Windows past it could not be used (RFC 7323 §2.3), and have to stay small integers. */
export const MAX_CWND = 0x3fffffff;

/** RFC 6928 §2: min(10·SMSS, max(2·SMSS, 14600)). */
export function initialWindow(smss: number): number {
  return Math.min(10 * smss, Math.max(2 * smss, 14_600));
}
