/**
 * What a receiver measures of a path to size its buffer (`receive-tuning.ts`): the round trip, and what the user takes in one.
 */

/** Timestamps tick in ms: a shorter round trip isn't seen by them. */
const LEAST_RTT = 1;
/** The weight of a new sample is 1/8, as RFC 6298's α. */
const SMOOTHING = 8;

/** Of one connection; made when it begins to receive in bulk. Times are ms, positions sequence numbers. */
export class ReceiveMeasure {
  /** Smoothed round-trip time as the receiver sees it; negative before the first sample. */
  rtt = -0.5;
  /** When the round began that is being measured, and up to where the user had copied then. */
  since = 0.5;
  copiedTo: number;
  /** What was copied in the round before, bytes. */
  copied = 0;
  /** The echo that was last taken for a sample. */
  lastEcho = 0;
  /** Without timestamps: when all up to here has arrived, a window has, since then. */
  windowEnd: number;
  windowSince = 0.5;

  constructor(now: number, copiedTo: number, windowEnd: number) {
    this.since = now;
    this.copiedTo = copiedTo;
    this.windowEnd = windowEnd;
    this.windowSince = now;
  }

  /** A round trip took `elapsed`. */
  sample(elapsed: number): void {
    const sample = Math.max(LEAST_RTT, elapsed);
    this.rtt = this.rtt < 0 ? sample : this.rtt + (sample - this.rtt) / SMOOTHING;
  }

  /** A window arrived; the next ends at `windowEnd`. The least time is the nearest to a round trip, which none is below. */
  sampleWindow(now: number, windowEnd: number): void {
    const sample = Math.max(LEAST_RTT, now - this.windowSince);
    if (this.rtt < 0 || sample < this.rtt) this.rtt = sample;
    this.windowEnd = windowEnd;
    this.windowSince = now;
  }
}
