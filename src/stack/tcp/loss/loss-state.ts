/**
 * What loss recovery remembers of a connection, each part with the names of its RFC; what is done with it is in the files named
 * after the parts. Sizes are bytes, times ms.
 */

/** How much was delivered, and when: see `delivery-rate.ts`. */
export class DeliveryRate {
  /** C.delivered: bytes acknowledged or SACKed. */
  delivered = 0;
  /** C.lost: bytes that were given up; those sent again and lost again count twice. */
  lost = 0;
  /** C.delivered_time: when the last bytes were delivered. */
  deliveredAt = -0.5;
  /** C.first_send_time: when the first of the present flight was sent. */
  firstSentAt = -0.5;
  /** C.app_limited: until this much is delivered, samples are limited by the application; 0: they are not. */
  appLimitedUntil = 0;
}

/** RFC 5681 §3.2, RFC 6675 §2: DupThresh. */
export const DUP_THRESH = 3;
/** RACK.reo_wnd_persist: recoveries without a duplicate report after which the window shrinks again (§6.2 step 4). */
export const REO_WND_PERSIST = 16;
/** For how long the least round trip is remembered, ms (§6.2 step 1 leaves it open): a route that got longer is learnt. */
const MIN_RTT_WINDOW = 300_000;

/** RACK.* of RFC 8985: see `rack.ts`. */
export class Rack {
  /** RACK.xmit_ts and RACK.end_seq: the delivered segment that had been sent last. */
  xmitAt = -0.5;
  endSeq = 0;
  /** RACK.rtt: the round trip of the segment that was delivered last, ms. */
  rtt = 0.5;
  /** RACK.fack: the highest byte that was delivered; valid once `xmitAt` is. */
  fack = 0;
  isReorderingSeen = false;
  /** RACK.reo_wnd_mult and RACK.reo_wnd_persist. */
  reoWndMult = 1;
  reoWndPersist = REO_WND_PERSIST;
  /** RACK.dsack_round: until it is acknowledged, further duplicate reports say nothing new. */
  hasDsackRound = false;
  dsackRound = 0;
  /** The least round trip of this window of time and of the one before. */
  #minRtt = Number.POSITIVE_INFINITY;
  #minRttBefore = Number.POSITIVE_INFINITY;
  #minRttSince = 0.5;

  get minRtt(): number {
    return Math.min(this.#minRtt, this.#minRttBefore);
  }

  /** Step 1. */
  takeRtt(rtt: number, now: number): void {
    if (now - this.#minRttSince > MIN_RTT_WINDOW) {
      this.#minRttBefore = this.#minRtt;
      this.#minRtt = rtt;
      this.#minRttSince = now;
    } else if (rtt < this.#minRtt) this.#minRtt = rtt;
  }
}

/** TLP.* of RFC 8985: see `tail-loss-probe.ts`. */
export class TailLossProbe {
  /** A probe is out, and was sent when SND.NXT was `endSeq` (TLP.end_seq). */
  isOut = false;
  endSeq = 0;
  /** TLP.is_retrans: it was a copy. */
  isRetransmission = false;
}

/** The state variables of RFC 9937: see `prr.ts`. */
export class Prr {
  /** Outstanding when recovery began. */
  recoverFs = 0;
  prrDelivered = 0;
  prrOut = 0;
}

/** F-RTO's steps (RFC 5682 §2.1, §3.1). */
export const Frto = {
  off: 0,
  /** The first segment was sent again; the next ACK decides how to go on. */
  resent: 1,
  /** That ACK moved SND.UNA: new data instead of more copies, and the next ACK tells. */
  probing: 2,
} as const;

/** What is remembered of an episode to find out that it was spurious. */
export class SpuriousCheck {
  frto: number = Frto.off;
  /** RFC 3522's RetransmitTS: TSval of the first retransmission, which was of the byte `retransmitSeq`, when `hasRetransmitTs`. */
  retransmitTs = 0;
  retransmitSeq = 0;
  hasRetransmitTs = false;
  /** Bytes sent again that no duplicate report has mentioned yet; negative while nothing was sent again. */
  unreported = -1;
  /** The way is another one since: what arrived by the old one says nothing of what is lost on it. */
  isOff = false;
  /** SND.UNA when it began: duplicates of older data belong to older episodes. */
  sndUna = 0;
}

/** What is remembered of an episode of loss. */
export class LossEpisode {
  readonly reason: number;
  readonly prr = new Prr();
  readonly check = new SpuriousCheck();

  /** @param reason a `LossReason` */
  constructor(reason: number) {
    this.reason = reason;
  }
}
