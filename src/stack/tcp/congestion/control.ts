/**
 * Congestion control as a strategy: it says how many bytes may be in flight, and loss recovery (`recovery.ts`) tells it what
 * happened. Windows count bytes (RFC 5681 §3.1), so that a super-segment weighs what it carries.
 */

export interface CongestionControl {
  readonly name: string;
  /** Sender's maximum segment size; lowered when the path's MTU falls. */
  smss: number;
  /** Congestion window, bytes. */
  cwnd: number;
  /** Slow-start threshold, bytes. */
  ssthresh: number;
  /**
   * The handshake is complete, and `smss` known.
   * @param isSynLost whether a SYN was sent more than once: then one segment to begin with (RFC 5681 §3.1)
   */
  start(smss: number, isSynLost: boolean): void;
  /**
   * New data was acknowledged outside of recovery.
   * @param acked bytes newly acknowledged
   * @param isCwndLimited whether the window, and not the application, held the sender back (RFC 7661 §4.1)
   */
  onAck(acked: number, isCwndLimited: boolean): void;
  /** Loss was detected by acknowledgements: fast recovery starts with `flightSize` bytes outstanding. */
  onLoss(flightSize: number): void;
  /** Everything that was outstanding at the loss is acknowledged. */
  onRecovered(flightSize: number): void;
  /** The retransmission timer ran out; `isFirst` for the first time without progress between. */
  onTimeout(flightSize: number, isFirst: boolean): void;
  /** Nothing was sent for longer than a retransmission timeout (RFC 5681 §4.1). */
  onIdle(): void;
}

/** Makes the control of one connection. */
export type CongestionControlFactory = () => CongestionControl;

/** RFC 6928 §2: min(10·SMSS, max(2·SMSS, 14600)). */
export function initialWindow(smss: number): number {
  return Math.min(10 * smss, Math.max(2 * smss, 14_600));
}
