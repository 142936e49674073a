/**
 * What one connection counts for its observers alone (`counting.ts` does the counting): the part of RFC 4898's objects that
 * nothing else in TCP needs. Counts are nouns of that RFC without their prefix; sizes are bytes, times ms.
 *
 * Plain numbers in one object of a stable shape, small integers for as long as they can be.
 */

export class ConnectionCounts {
  /** This side sent the first SYN. */
  isActiveOpen = false;
  /** Packets with text, those sent again included; of a super-segment each. */
  dataSegsOut = 0;
  dataSegsIn = 0;
  /** SYNs sent again. */
  synRetrans = 0;
  /** Runs of the retransmission timer that were the first without progress between; the others only lengthen an episode. */
  timeoutEpisodes = 0;
  /** Packets with text that arrived before text that goes ahead of it. */
  outOfOrderPktsIn = 0;
  /** Duplicate ACKs sent because text came early. */
  dupAcksOut = 0;
  /** Segments with SACK blocks, and the blocks. */
  sacksRcvd = 0;
  sackBlocksRcvd = 0;
  /** ACKs that report packets as marked, and how often the window was reduced for it. */
  eceAcksIn = 0;
  ecnSignals = 0;
  /** ACKs that report text which had arrived before (RFC 2883). */
  dsackDups = 0;

  /** Offered windows: the last and the largest, and how often one that was open closed. */
  curRwinSent = 0;
  maxRwinSent = 0;
  zeroRwinSent = 0;
  /** How often the peer's did. */
  zeroRwinRcvd = 0;

  /** Round trips: the last sample, the largest, the sum, and how many. */
  sampleRtt = 0;
  maxRtt = 0;
  sumRtt = 0;
  countRtt = 0;
  /** The timeout after each sample; 0 before the first. */
  maxRto = 0;
  minRto = 0;

  /** The congestion window and threshold that were last seen. */
  cwnd = 0;
  ssthresh = 0;
  /** The largest window of slow start, and of congestion avoidance. */
  maxSsCwnd = 0;
  maxCaCwnd = 0;
  /** Thresholds but the initial one; 0 while there was no other. */
  maxSsthresh = 0;
  minSsthresh = 0;
  /** How often slow start, and congestion avoidance, opened the window. */
  slowStart = 0;
  congAvoid = 0;
  /** Most bytes that were in flight. */
  maxPipeSize = 0;

  /** SMSS has been between these. */
  maxMss = 0;
  minMss = 0;
  /** Most bytes that waited to be acknowledged or sent, and to be read or put in order. */
  maxAppWQueue = 0;
  maxAppRQueue = 0;
  maxReasmQueue = 0;
}
