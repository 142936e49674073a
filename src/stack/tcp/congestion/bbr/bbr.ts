/**
 * BBR, version 3 (draft-ietf-ccwg-bbr-06): keeps a model of the path (`path-model.ts`) and sends at the rate at which the path
 * delivers, with little more in flight than it holds. A loss is a hint about the model, not a command to halve.
 *
 *     Startup ──full──▶ Drain ──▶ ProbeBW:  down ──▶ cruise ──▶ refill ──▶ up ──┐
 *        ▲                          ▲         ▲                                  │
 *        └────── ProbeRTT ◀── 5 s ──┴─────────┴──────────────────────────────────┘
 *
 * Functions follow the draft's pseudocode in name and order; `probe-bw.ts` has the cycle of ProbeBW.
 *
 * Deviation: the draft looks at each lost packet; here losses are judged once an ACK, by what was in flight when the segment left
 * that the ACK reports last. Losses that a timer finds count at once, and are judged with the next ACK that reports something.
 * Deviation: idle time counts from a retransmission timeout on, not from the first moment without data in flight: below that the
 * model is not stale.
 */

import type { AckSample } from '../ack-sample.ts';
import {
  type CongestionControl,
  type CongestionSignal,
  initialWindow,
  MAX_CWND,
  NO_THRESHOLD,
} from '../control.ts';
import { BETA, isInflightTooHigh, LOSS_THRESH, PathModel, UNBOUNDED } from './path-model.ts';
import { Phase, ProbeCycle } from './probe-bw.ts';

/** By {@link Phase}: the pacing gain, and the gain of the window. */
const PACING_GAIN = [2.77, 0.5, 0.9, 1, 1, 1.25, 1];
const CWND_GAIN = [2, 2, 2, 2, 2, 2.25, 0.5];
/** BBR.PacingMarginPercent: 1 % below the bandwidth on average, so that queues drain. */
const PACING_MARGIN = 0.99;
/** BBR.MinPipeCwnd, segments. */
const MIN_PIPE_CWND = 4;
/** BBRStartupFullLossCnt. */
const STARTUP_LOSS_EVENTS = 6;
const DRAIN_ROUNDS = 3;
/** BBR.ProbeRTTDuration, ms. */
const PROBE_RTT_DURATION = 200;
/** BBR.send_quantum: a millisecond's worth within bounds. */
const MAX_QUANTUM = 65_536;
/** Quanta that offload and delayed ACKs keep busy. */
const OFFLOAD_QUANTA = 3;

export class Bbr implements CongestionControl {
  readonly name = 'bbr';
  readonly isModelBased = true;
  isPaced = true;
  smss = 536;
  cwnd = 536;
  ssthresh = NO_THRESHOLD;
  pacingRate = 0;
  readonly model = new PathModel();
  readonly cycle = new ProbeCycle(this.model);
  #now = 0;
  #hasRtt = false;
  #priorCwnd = 0;
  #isInRecovery = false;
  /** Rounds when fast recovery began. */
  #recoveryRound = 0;
  /** The retransmission timer ran out, and what was in flight then is not yet repaired. */
  #isAfterTimeout = false;
  #drainStartRound = 0;
  #isIdleRestart = false;
  /** Of ProbeRTT: until when it lasts, 0 before little enough is in flight. */
  #probeRttDone = 0;
  #isProbeRttRoundDone = false;
  /** C.delivered and C.lost, and until when samples are not of the path's limit because ProbeRTT held back. */
  #totalDelivered = 0;
  #totalLost = -1;
  /** Bytes lost of which it is not yet judged whether they are too many. */
  #unjudgedLost = 0;
  #appLimitedUntil = 0;
  #lastTxInFlight = 0;
  // To undo a spurious episode.
  #undoPhase = -1;
  #undoBwShortterm = 0;
  #undoInflightShortterm = 0;
  #undoInflightLongterm = 0;

  /** A {@link Phase}. */
  get phase(): number {
    return this.cycle.phase;
  }

  start(smss: number, isSynLost: boolean, rtt: number, now: number): void {
    this.smss = smss;
    this.cwnd = isSynLost ? smss : initialWindow(smss);
    this.#now = now;
    this.model.minRtt.start(rtt, now);
    this.model.aggregation.restart(now);
    this.#hasRtt = rtt > 0;
    this.#initPacingRate(rtt);
    this.cycle.enterStartup();
  }

  onAck(sample: AckSample): void {
    const { model, cycle } = this;
    this.#now = sample.now;
    this.#totalDelivered = sample.totalDelivered;
    if (!this.#hasRtt && sample.srtt > 0) {
      this.#hasRtt = true;
      this.#initPacingRate(sample.srtt);
    }
    const isAppLimited = sample.isAppLimited || sample.priorDelivered < this.#appLimitedUntil;
    this.#noteLosses(sample, isAppLimited);
    if (sample.delivered === 0) return;
    this.#lastTxInFlight = sample.txInFlight;
    model.update(sample, isAppLimited, cycle.isProbing, this.cwnd);
    const { rounds, aggregation } = model;
    aggregation.update(sample, model.bw, this.cwnd, rounds.count, model.isFullBwReached);
    model.checkFullBw(sample, isAppLimited);
    this.#checkStartupDone(sample);
    this.#checkDrainDone(sample.inFlight);
    cycle.update(sample, isAppLimited, this);
    model.minRtt.update(sample.rtt, sample.now);
    this.#checkProbeRtt(sample);
    model.finish(sample);
    this.#setPacingRate(PACING_GAIN[cycle.phase] as number);
    this.#setCwnd(sample);
  }

  onCongestion(signal: CongestionSignal, _flightSize: number, now: number): void {
    this.#now = now;
    if (signal === 'ecn') {
      this.#onMarked();
      return;
    }
    this.#saveCwnd();
    this.#saveState();
    this.#isInRecovery = true;
    this.#recoveryRound = this.model.rounds.count;
  }

  onRecovered(): void {
    this.#isInRecovery = false;
    this.#isAfterTimeout = false;
    this.#restoreCwnd();
  }

  onTimeout(_flightSize: number, isFirst: boolean): void {
    if (isFirst) {
      this.#saveCwnd();
      this.#saveState();
    }
    this.#isInRecovery = false;
    this.#isAfterTimeout = true;
    this.cwnd = this.smss;
  }

  /** HandleSpuriousLossDetection. */
  onSpurious(): void {
    const { model, cycle } = this;
    this.#isInRecovery = false;
    this.#isAfterTimeout = false;
    this.#restoreCwnd();
    model.isLossInRound = false;
    model.resetFullBw(0);
    model.bwShortterm = Math.max(model.bwShortterm, this.#undoBwShortterm);
    model.inflightShortterm = Math.max(model.inflightShortterm, this.#undoInflightShortterm);
    model.inflightLongterm = Math.max(model.inflightLongterm, this.#undoInflightLongterm);
    const phase = this.#undoPhase;
    this.#undoPhase = -1;
    if (phase === Phase.startup && cycle.phase !== Phase.startup) {
      model.isFullBwReached = false;
      if (cycle.phase !== Phase.probeRtt) cycle.enterStartup();
    } else if (phase === Phase.up && cycle.phase !== Phase.up && cycle.phase !== Phase.probeRtt) {
      cycle.startRefill(this.#totalDelivered);
    }
  }

  /** HandleRestartFromIdle. */
  onRestart(_idle: number, _rto: number, now: number): void {
    this.#now = now;
    this.#isIdleRestart = true;
    this.model.aggregation.restart(now);
    if (this.cycle.isInCycle) this.#setPacingRate(1);
    else if (this.phase === Phase.probeRtt) this.#checkProbeRttDone();
  }

  /** Inflight(): what fills the path `gain` times, with room for offload and delayed ACKs; bytes. */
  inflight(gain: number): number {
    return this.#quantizationBudget(this.#bdpMultiple(gain));
  }

  /** InflightWithHeadroom(). */
  get inflightWithHeadroom(): number {
    const { inflightLongterm } = this.model;
    if (inflightLongterm === UNBOUNDED) return UNBOUNDED;
    const headroom = Math.max(this.smss, 0.15 * inflightLongterm);
    return Math.max(inflightLongterm - headroom, this.#minPipeCwnd);
  }

  /**
   * TargetInflight(): the product of bandwidth and delay, unless congestion cut the window.
   *
   * Deviation: not the window that a timeout has left, which says nothing of the path: with it a single loss in the first round
   * trips after would bound what is in flight to next to nothing for many probes.
   */
  get targetInflight(): number {
    return Math.min(this.model.bdp, this.#isAfterTimeout ? Math.max(this.cwnd, this.#priorCwnd) : this.cwnd);
  }

  get #minPipeCwnd(): number {
    return MIN_PIPE_CWND * this.smss;
  }

  #bdpMultiple(gain: number): number {
    return this.model.minRtt.value === UNBOUNDED ? initialWindow(this.smss) : gain * this.model.bdp;
  }

  #quantizationBudget(inflightCap: number): number {
    const quantum = Math.max(Math.min(this.pacingRate, MAX_QUANTUM), 2 * this.smss);
    const cap = Math.max(inflightCap, OFFLOAD_QUANTA * quantum, this.#minPipeCwnd);
    return this.phase === Phase.up ? cap + 2 * this.smss : cap;
  }

  // Losses.

  /** HandleLostPacket, for all that was found lost since the last ACK. */
  #noteLosses(sample: AckSample, isAppLimited: boolean): void {
    const { model, cycle } = this;
    const total = sample.totalLost + sample.lost;
    const lost = this.#totalLost < 0 ? sample.lost : total - this.#totalLost;
    this.#totalLost = total;
    if (lost > 0) {
      this.#unjudgedLost += lost;
      if (model.noteLoss(sample.totalDelivered)) this.#saveState();
    }
    const size = this.#unjudgedLost;
    if (size === 0 || sample.delivered === 0) return;
    this.#unjudgedLost = 0;
    if (!cycle.isProbeSample || !isInflightTooHigh(sample)) return;
    const { txInFlight, lostSince } = sample;
    this.#handleInflightTooHigh(inflightAtLoss(txInFlight, lostSince + sample.lost, size), isAppLimited);
  }

  #handleInflightTooHigh(txInFlight: number, isAppLimited: boolean): void {
    const { model, cycle } = this;
    cycle.noteTooHigh();
    if (!isAppLimited) model.inflightLongterm = Math.max(txInFlight, this.targetInflight * BETA);
    if (cycle.phase !== Phase.up) return;
    this.#undoPhase = Phase.up;
    cycle.startDown(this.#now, this.#totalDelivered);
  }

  /**
   * An echo of CE, at most once a round trip: congestion as a loss is (RFC 8311 §4.1); the draft leaves open how much. While
   * probing it ends the probe; else the round counts as one with loss.
   */
  #onMarked(): void {
    const { model, cycle } = this;
    if (model.noteLoss(this.#totalDelivered)) this.#saveState();
    if (cycle.phase === Phase.startup) this.#leaveStartup();
    else if (cycle.isProbeSample) this.#handleInflightTooHigh(BETA * this.#lastTxInFlight, false);
  }

  // States.

  #checkStartupDone(sample: AckSample): void {
    const { model, cycle } = this;
    if (cycle.phase !== Phase.startup) return;
    if (this.#hasStartupHighLoss(sample)) this.#leaveStartup();
    else if (model.isFullBwReached) this.#enterDrain();
  }

  /** CheckStartupHighLoss: a round of recovery, several losses in it, and more than the threshold. */
  #hasStartupHighLoss(sample: AckSample): boolean {
    const { model } = this;
    return (
      this.#isInRecovery &&
      model.isLossRoundStart &&
      model.rounds.count > this.#recoveryRound &&
      model.lossEvents >= STARTUP_LOSS_EVENTS &&
      isInflightTooHigh(sample)
    );
  }

  /** The pipe is full, as congestion says. */
  #leaveStartup(): void {
    const { model } = this;
    this.#undoPhase = Phase.startup;
    model.isFullBwReached = true;
    model.inflightLongterm = Math.max(model.bdp, model.inflightLatest);
    this.#enterDrain();
  }

  #enterDrain(): void {
    this.cycle.phase = Phase.drain;
    this.#drainStartRound = this.model.rounds.count;
  }

  #checkDrainDone(inFlight: number): void {
    if (this.cycle.phase !== Phase.drain) return;
    const isOverdue = this.model.rounds.count > this.#drainStartRound + DRAIN_ROUNDS;
    if (inFlight <= this.inflight(1) || isOverdue) this.cycle.startDown(this.#now, this.#totalDelivered);
  }

  #checkProbeRtt(sample: AckSample): void {
    const { model, cycle } = this;
    if (cycle.phase !== Phase.probeRtt && model.minRtt.isExpired && !this.#isIdleRestart) {
      this.#saveCwnd();
      cycle.enterProbeRtt(sample.totalDelivered);
      this.#probeRttDone = 0;
    }
    if (cycle.phase === Phase.probeRtt) this.#handleProbeRtt(sample);
    this.#isIdleRestart = false;
  }

  #handleProbeRtt(sample: AckSample): void {
    const { model } = this;
    // MarkConnectionAppLimited(): what is sent now says little about the path.
    this.#appLimitedUntil = sample.totalDelivered + sample.inFlight;
    if (this.#probeRttDone === 0) {
      if (sample.inFlight > this.#probeRttCwnd) return;
      this.#probeRttDone = sample.now + PROBE_RTT_DURATION;
      this.#isProbeRttRoundDone = false;
      model.rounds.restart(sample.totalDelivered);
      return;
    }
    if (model.isRoundStart) this.#isProbeRttRoundDone = true;
    if (this.#isProbeRttRoundDone) this.#checkProbeRttDone();
  }

  #checkProbeRttDone(): void {
    const { model, cycle } = this;
    if (this.#probeRttDone === 0 || this.#now <= this.#probeRttDone) return;
    model.minRtt.scheduleNext(this.#now);
    this.#restoreCwnd();
    model.resetShortTerm();
    if (!model.isFullBwReached) {
      cycle.enterStartup();
      return;
    }
    cycle.startDown(this.#now, this.#totalDelivered);
    cycle.phase = Phase.cruise;
  }

  get #probeRttCwnd(): number {
    return Math.max(this.#bdpMultiple(CWND_GAIN[Phase.probeRtt] as number), this.#minPipeCwnd);
  }

  // What follows from it all.

  #initPacingRate(rtt: number): void {
    const nominal = initialWindow(this.smss) / (rtt > 0 ? rtt : 1);
    this.pacingRate = (PACING_GAIN[Phase.startup] as number) * nominal;
  }

  #setPacingRate(gain: number): void {
    const rate = gain * this.model.bw * PACING_MARGIN;
    if (rate > 0 && (this.model.isFullBwReached || rate > this.pacingRate)) this.pacingRate = rate;
  }

  #setCwnd(sample: AckSample): void {
    const { model } = this;
    const gained = this.#bdpMultiple(CWND_GAIN[this.phase] as number) + model.aggregation.extraAcked;
    const maxInflight = this.#quantizationBudget(gained);
    let { cwnd } = this;
    if (model.isFullBwReached) cwnd = Math.min(cwnd + sample.delivered, maxInflight);
    else if (cwnd < maxInflight || sample.totalDelivered < initialWindow(this.smss)) cwnd += sample.delivered;
    cwnd = Math.max(cwnd, this.#minPipeCwnd);
    if (this.phase === Phase.probeRtt) cwnd = Math.min(cwnd, this.#probeRttCwnd);
    this.cwnd = Math.floor(Math.min(cwnd, this.#volumeCap, MAX_CWND));
  }

  /** BoundCwndForModel. */
  get #volumeCap(): number {
    const { model, cycle } = this;
    let cap = UNBOUNDED;
    if (cycle.phase === Phase.cruise || cycle.phase === Phase.probeRtt) cap = this.inflightWithHeadroom;
    else if (cycle.isInCycle) cap = model.inflightLongterm;
    return Math.max(Math.min(cap, model.inflightShortterm), this.#minPipeCwnd);
  }

  #saveCwnd(): void {
    const isModulated = this.#isInRecovery || this.#isAfterTimeout || this.phase === Phase.probeRtt;
    this.#priorCwnd = isModulated ? Math.max(this.#priorCwnd, this.cwnd) : this.cwnd;
  }

  #restoreCwnd(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
  }

  /** SaveStateUponLoss. */
  #saveState(): void {
    const { model } = this;
    this.#saveCwnd();
    this.#undoPhase = -1;
    this.#undoBwShortterm = model.bwShortterm;
    this.#undoInflightShortterm = model.inflightShortterm;
    this.#undoInflightLongterm = model.inflightLongterm;
  }
}

/** InflightAtLoss: what was in flight when the losses passed the threshold, the last `size` lost bytes being one "packet". */
function inflightAtLoss(txInFlight: number, lost: number, size: number): number {
  const inflightPrev = txInFlight - size;
  const lostPrev = lost - size;
  const lostPrefix = (LOSS_THRESH * inflightPrev - lostPrev) / (1 - LOSS_THRESH);
  return inflightPrev + Math.max(0, lostPrefix);
}
