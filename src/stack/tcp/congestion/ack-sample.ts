/**
 * What one acknowledgement said, for congestion control: counts of this ACK, and a sample of the rate at which the path
 * delivers (draft-ietf-ccwg-bbr, "Delivery Rate Samples"). Loss recovery fills it.
 *
 * Sizes are bytes, times ms of stack time (fractions included), rates bytes per ms.
 */

/** One for all connections of a stack, filled anew for each ACK: nobody keeps it. */
export class AckSample {
  now = 0;
  /** How far SND.UNA moved. */
  acked = 0;
  /** Newly known to have arrived, acknowledged or SACKed: PRR's DeliveredData, BBR's RS.newly_acked. */
  delivered = 0;
  /** Newly declared lost: RS.newly_lost. */
  lost = 0;
  /** Newly reported as marked CE; with RFC 3168's echo alone, all that was delivered while the echo lasts. */
  marked = 0;
  /** In the network (RFC 6675's pipe) before the ACK and after it. */
  priorInFlight = 0;
  inFlight = 0;
  /** Round-trip sample of this ACK; negative when it brought none. */
  rtt = -1;
  /** Smoothed and least round-trip time of the connection so far; 0 before the first sample. */
  srtt = 0;
  minRtt = 0;
  /** The window, not the application or the peer, held the sender back (RFC 7661 §4.1). */
  isCwndLimited = false;
  /** Fast recovery is under way: proportional rate reduction sets the window of controls that are not model-based. */
  isInRecovery = false;

  /** C.delivered and C.lost of the connection, this ACK included. */
  totalDelivered = 0;
  totalLost = 0;
  /** RS.prior_delivered: C.delivered when the packet that was delivered last had been sent. */
  priorDelivered = 0;
  /** RS.delivered over RS.interval, ms; the interval is 0 when there is no valid sample. */
  rateDelivered = 0;
  rateInterval = 0;
  /** RS.is_app_limited: the application had too little to send, so the rate says little about the path. */
  isAppLimited = false;
  /** RS.tx_in_flight and RS.lost: in flight when that packet was sent, and lost since. */
  txInFlight = 0;
  lostSince = 0;

  /** Bytes per ms; 0 without a sample. */
  get deliveryRate(): number {
    return this.rateInterval > 0 ? this.rateDelivered / this.rateInterval : 0;
  }
}
