/**
 * BBR's phases, and the cycle of ProbeBW through four of them: drain what probing has queued (down), send at the rate of the path
 * (cruise), fill the pipe without a queue (refill), and find out whether there is more bandwidth (up).
 */

import type { AckSample } from '../ack-sample.ts';
import { isInflightTooHigh, type PathModel, UNBOUNDED } from './path-model.ts';

/** BBR.state; the draft's ProbeBW_DOWN, ProbeBW_CRUISE, … without their prefix. */
export const Phase = {
  startup: 0,
  drain: 1,
  down: 2,
  cruise: 3,
  refill: 4,
  up: 5,
  probeRtt: 6,
} as const;

/** BBR.ack_phase: what the ACKs that come now are the answer to. */
const AckPhase = {
  /** Not to probing. */
  init: 0,
  refilling: 1,
  probeStarting: 2,
  probeFeedback: 3,
  probeStopping: 4,
} as const;

/** The least wait between two probes, and how much longer it may be, ms. */
const PROBE_WAIT = 2000;
const PROBE_WAIT_SPREAD = 1000;
/** Most rounds between two probes: so many does a Reno flow need to make up for a loss. */
const RENO_ROUNDS = 63;
const MOST_PROBE_ROUNDS = 30;

/** What the cycle asks of its control. */
interface Inflight {
  readonly smss: number;
  readonly cwnd: number;
  readonly inflightWithHeadroom: number;
  readonly targetInflight: number;
  inflight(gain: number): number;
}

export class ProbeCycle {
  readonly #model: PathModel;
  phase = Phase.startup as number;
  #ackPhase = AckPhase.init as number;
  /** BBR.is_bw_probe_sample: losses now are of what a probe has sent. */
  isProbeSample = false;
  #cycleStamp = 0;
  #probeWait = 0;
  /** Rounds when the last probe ended. */
  #probeEndRound = 0;
  /** BBR.prev_probe_too_high and BBR.prev_probe_precautionary. */
  #wasTooHigh = false;
  #wasPrecautionary = false;
  #probeUpAckedPerInc = UNBOUNDED;
  #probeUpAcked = 0;
  #probeUpRounds = 0;

  constructor(model: PathModel) {
    this.#model = model;
  }

  /** IsInAProbeBWState. */
  get isInCycle(): boolean {
    return this.phase >= Phase.down && this.phase <= Phase.up;
  }

  /** IsProbingBW. */
  get isProbing(): boolean {
    return this.phase === Phase.startup || this.phase === Phase.refill || this.phase === Phase.up;
  }

  enterStartup(): void {
    this.phase = Phase.startup;
  }

  enterProbeRtt(totalDelivered: number): void {
    this.phase = Phase.probeRtt;
    this.#ackPhase = AckPhase.probeStopping;
    this.#model.rounds.restart(totalDelivered);
  }

  /** Probing has met more loss than it may: once a probe. */
  noteTooHigh(): void {
    this.#wasTooHigh = true;
    this.isProbeSample = false;
  }

  startDown(now: number, totalDelivered: number): void {
    const { rounds } = this.#model;
    this.#model.resetCongestionSignals();
    this.#probeUpAckedPerInc = UNBOUNDED;
    this.#pickProbeWait(now, totalDelivered);
    this.#cycleStamp = now;
    this.#ackPhase = AckPhase.probeStopping;
    rounds.restart(totalDelivered);
    this.phase = Phase.down;
  }

  startRefill(totalDelivered: number): void {
    this.#model.resetShortTerm();
    this.#probeUpRounds = 0;
    this.#probeUpAcked = 0;
    this.#wasPrecautionary = false;
    this.#ackPhase = AckPhase.refilling;
    this.#model.rounds.restart(totalDelivered);
    this.phase = Phase.refill;
  }

  /** UpdateProbeBWCyclePhase. */
  update(sample: AckSample, isAppLimited: boolean, control: Inflight): void {
    const model = this.#model;
    if (!model.isFullBwReached) return;
    if (this.#adaptLongTerm(sample, isAppLimited, control)) return;
    switch (this.phase) {
      case Phase.down:
        if (this.#isTimeToProbe(sample, control)) this.startRefill(sample.totalDelivered);
        else if (isTimeToCruise(sample.inFlight, control)) this.phase = Phase.cruise;
        break;
      case Phase.cruise:
        if (this.#isTimeToProbe(sample, control)) this.startRefill(sample.totalDelivered);
        break;
      case Phase.refill:
        if (!model.isRoundStart) break;
        this.isProbeSample = true;
        this.#startUp(sample, control);
        break;
      case Phase.up:
        if (!this.#isTimeToGoDown(sample, control)) break;
        this.#wasTooHigh = false;
        this.startDown(sample.now, sample.totalDelivered);
        break;
      default:
        break;
    }
  }

  #startUp(sample: AckSample, control: Inflight): void {
    this.#ackPhase = AckPhase.probeStarting;
    this.#model.rounds.restart(sample.totalDelivered);
    this.#model.resetFullBw(sample.deliveryRate);
    this.phase = Phase.up;
    this.#raiseSlope(control);
  }

  /** AdaptLongTermModel. @returns whether it has changed the phase */
  #adaptLongTerm(sample: AckSample, isAppLimited: boolean, control: Inflight): boolean {
    const model = this.#model;
    if (model.isRoundStart) {
      if (this.#ackPhase === AckPhase.probeStarting) this.#ackPhase = AckPhase.probeFeedback;
      else if (this.#ackPhase === AckPhase.probeStopping && this.#endFeedback(sample, isAppLimited))
        return true;
    }
    if (model.inflightLongterm === UNBOUNDED || isInflightTooHigh(sample)) return false;
    if (sample.txInFlight > model.inflightLongterm) model.inflightLongterm = sample.txInFlight;
    if (this.phase === Phase.up) this.#probeUpward(sample, control);
    return false;
  }

  /** A round trip after the end of a probe: no more answers to it. @returns whether the next one follows at once */
  #endFeedback(sample: AckSample, isAppLimited: boolean): boolean {
    this.isProbeSample = false;
    this.#ackPhase = AckPhase.init;
    if (!this.isInCycle) return false;
    if (!isAppLimited) this.#model.advanceMaxBw();
    if (!this.#wasPrecautionary || this.#wasTooHigh) return false;
    this.startRefill(sample.totalDelivered);
    return true;
  }

  /** IsTimeToProbeBW. */
  #isTimeToProbe(sample: AckSample, control: Inflight): boolean {
    if (sample.now > this.#cycleStamp + this.#probeWait) return true;
    // IsRenoCoexistenceProbeTime: no more often than Reno would lose.
    const renoRounds = Math.min(control.targetInflight / control.smss, RENO_ROUNDS);
    return this.#model.rounds.count - this.#probeEndRound >= renoRounds;
  }

  /** IsTimeToGoDown. */
  #isTimeToGoDown(sample: AckSample, control: Inflight): boolean {
    const model = this.#model;
    if (this.#wasTooHigh && sample.inFlight >= model.inflightLongterm) {
      this.#wasPrecautionary = true;
      return true;
    }
    if (isLimitedBy(model.inflightLongterm, sample, control)) {
      model.resetFullBw(sample.deliveryRate);
      return false;
    }
    return model.isFullBwNow;
  }

  /** ProbeInflightLongtermUpward. */
  #probeUpward(sample: AckSample, control: Inflight): void {
    const model = this.#model;
    if (!isLimitedBy(model.inflightLongterm, sample, control)) return;
    this.#probeUpAcked += sample.delivered;
    if (this.#probeUpAcked >= this.#probeUpAckedPerInc) {
      const steps = Math.floor(this.#probeUpAcked / this.#probeUpAckedPerInc);
      this.#probeUpAcked -= steps * this.#probeUpAckedPerInc;
      model.inflightLongterm += steps * control.smss;
    }
    if (model.isRoundStart) this.#raiseSlope(control);
  }

  /** RaiseInflightLongtermSlope: by 1, 2, 4, … segments a round trip. */
  #raiseSlope(control: Inflight): void {
    const growth = 2 ** this.#probeUpRounds;
    this.#probeUpRounds = Math.min(this.#probeUpRounds + 1, MOST_PROBE_ROUNDS);
    this.#probeUpAckedPerInc = Math.max(control.cwnd / growth, control.smss);
  }

  /**
   * PickProbeWait, by chance so that flows do not probe in step. What was delivered so far, and when, is chance enough, and the
   * same in each run of a simulation.
   */
  #pickProbeWait(now: number, totalDelivered: number): void {
    const chance = (Math.imul((totalDelivered ^ (now * 1024)) | 0, 0x9e3779b1) >>> 8) / 0x1000000;
    this.#probeEndRound = this.#model.rounds.count - (chance < 0.5 ? 0 : 1);
    this.#probeWait = PROBE_WAIT + PROBE_WAIT_SPREAD * ((chance * 2) % 1);
  }
}

/** IsTimeToCruise: nothing queued any more, and room for others. */
function isTimeToCruise(inFlight: number, control: Inflight): boolean {
  return inFlight <= control.inflightWithHeadroom && inFlight <= control.inflight(1);
}

/** The window is full, and `bound` is what keeps it from growing. */
function isLimitedBy(bound: number, sample: AckSample, control: Inflight): boolean {
  const { cwnd, smss } = control;
  return cwnd >= Math.floor(bound) && sample.inFlight + sample.delivered + smss >= cwnd;
}
