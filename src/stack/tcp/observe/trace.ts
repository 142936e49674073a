/**
 * The event stream of connections: what a test, a trace or a dashboard wants to see happen. Nobody listening costs one look
 * at a field; `event-record.ts` turns what an observer is told into objects and text.
 */

import type { Endpoint, TcpObserver } from '../../api.ts';

/** Kinds of events, and what `a` and `b` are. Sizes are bytes, times ms. */
export const TcpEvent = {
  /** a, b: index in `TCP_STATES` of the state before and after. */
  state: 0,
  /** a: cwnd, b: ssthresh, after either has changed. */
  window: 1,
  /** a: smoothed round-trip time, b: the sample. */
  rtt: 2,
  /** An episode begins. a: a `LossReason`, b: bytes lost by then. */
  lossStart: 3,
  /** It is over. a: its `LossReason`, b: 1 when it was undone as spurious. */
  lossEnd: 4,
  /** The retransmission timer ran out. a: the timeout, b: how often in a row. */
  timeout: 5,
  /** A tail-loss probe left. a: its sequence number, b: its length. */
  tailProbe: 6,
  /** Congestion was echoed. a: bytes marked, b: cwnd after. */
  congestionEcho: 7,
  /** The largest packet changed. a: the path's MTU, b: SMSS. */
  pathMtu: 8,
  /** A buffer's limit was tuned. a: the send limit, b: the receive limit. */
  buffer: 9,
} as const;

/** Why a loss episode began. */
export const LossReason = {
  /** Duplicate ACKs of a peer without SACK (RFC 6582). */
  duplicateAcks: 0,
  /** The scoreboard (RFC 6675). */
  sack: 1,
  /** Time, against what was delivered after it (RFC 8985 RACK). */
  rack: 2,
  /** A tail-loss probe filled a hole (RFC 8985 §7.4). */
  tailProbe: 3,
  timeout: 4,
} as const;

/** A connection as it is seen here: a `Tcb`. */
interface Traced {
  readonly env: { readonly observer: TcpObserver | null };
  readonly endpoint: Endpoint;
}

/** Tells of an event, if anybody listens. */
export function trace(tcb: Traced, event: number, a: number, b: number): void {
  const { observer } = tcb.env;
  if (observer !== null) observer(tcb.endpoint, event, a, b);
}
