/**
 * What one ACK brought, while it is being worked on: the scoreboard collects it, and RACK, F-RTO, the round-trip time and the
 * delivery rate are derived from it.
 */

/** One for all connections: an ACK is worked off before the next is looked at. */
class AckNews {
  /** A segment that had not been sent again was delivered: when the latest such one had been sent; negative for none. */
  originalSentAt = -1;
  /** The end of the highest of those. */
  originalEnd = 0;
  /** Something that had been sent again was delivered: the ACK may have waited for the copy (Karn). */
  isResentDelivered = false;
  /** An original from before the timeout, of which a copy was not sent, arrived (RFC 5682). */
  isOriginalFromBefore = false;
  /** The peer reports a duplicate (RFC 2883): its edges. */
  isDuplicateReported = false;
  duplicateStart = 0;
  duplicateEnd = 0;

  // The delivered segment that had been sent last (draft-ietf-ccwg-bbr), and what the connection knew when it left.
  hasLatest = false;
  latestSentAt = 0;
  latestEnd = 0;
  delivered = 0;
  deliveredAt = 0;
  firstSentAt = 0;
  lost = 0;
  inFlight = 0;
  isAppLimited = false;

  clear(): void {
    this.originalSentAt = -1;
    this.isResentDelivered = false;
    this.isOriginalFromBefore = false;
    this.isDuplicateReported = false;
    this.hasLatest = false;
  }
}

export const news = new AckNews();
