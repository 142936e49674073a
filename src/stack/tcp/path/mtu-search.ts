/**
 * Packetization-layer path MTU discovery (RFC 4821, RFC 8899): finding out by sending, for paths on which large packets vanish
 * and no ICMP says so ("black holes").
 *
 * RFC 8899's states (§5.2), and what they are here:
 *
 *     DISABLED         no `MtuSearch`: the path's MTU, as ICMP tells it
 *     BASE             the retransmission timer ran out repeatedly on full segments: segments of BASE_PLPMTU, until recovery ends
 *     SEARCHING        a probe now and then: one segment of new text that is larger than the others
 *     SEARCH_COMPLETE  no `MtuSearch`: what was found is the path's estimate for all (`pmtu-cache.ts`), and ages as PMTU_RAISE_TIMER
 *     ERROR            not even BASE_PLPMTU gets through: small packets that routers may cut; over IPv4 only
 *
 * A search also begins when an estimate has aged: then only a probe is lost if the path is as narrow as before. A probe takes
 * part in everything that a segment does, but when it alone is lost that is no sign of congestion (RFC 4821 §7.4).
 */

import { seqDiff, seqGeq } from '../../../base/index.ts';
import { TcpEvent, trace } from '../observe/trace.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { largestUseful, textIn, updateSmss } from './mss.ts';
import { basePlpmtu, leastPlpmtu, MtuSearch } from './mtu-probe.ts';

/** RFC 8899 §5.1.2 MAX_PROBES: a size is given up after so many lost probes. */
const MAX_PROBES = 3;
/**
 * Timeouts in a row, without progress, after which full segments are suspected to vanish; and when such have been acknowledged
 * before, so that it is more likely that the path is bad for all.
 */
const BLACK_HOLE_TIMEOUTS = 2;
const PROVEN_TIMEOUTS = 5;
/** Segments that follow a probe, so that its loss shows by what arrives after it (RFC 4821 §7.4). */
const FOLLOWERS = 4;

/** `TcpOptions.mtuProbing` 'always': nothing is believed of the path but BASE_PLPMTU. Called when options are agreed. */
export function beginSearch(tcb: Tcb): void {
  if (tcb.config.mtuProbing === 'always' && canProbe(tcb)) search(tcb, basePlpmtu(tcb.path), false);
}

/** The way is another one: that full segments vanished on the old one says nothing of it. */
export function abandonSearch(tcb: Tcb): void {
  if (tcb.mtuSearch === null) return;
  forgetProbe(tcb, tcb.mtuSearch);
  tcb.mtuSearch = null;
  beginSearch(tcb);
  applySearch(tcb);
}

/** The path's MTU rose, from `before`: larger segments are tried, not believed. */
export function searchUp(tcb: Tcb, before: number): void {
  if (tcb.mtuSearch === null && canProbe(tcb)) search(tcb, before, false);
}

/** The path's MTU is not what it was: sizes beyond it need not be tried. */
export function boundSearch(tcb: Tcb): void {
  const { mtuSearch } = tcb;
  if (mtuSearch === null) return;
  const most = largestUseful(tcb);
  mtuSearch.maxPlpmtu = Math.min(mtuSearch.maxPlpmtu, most);
  mtuSearch.plpmtu = Math.min(mtuSearch.plpmtu, most);
  if (mtuSearch.isComplete) endSearch(tcb, mtuSearch);
}

/**
 * The retransmission timer ran out again: RFC 8899 §4.3, RFC 4821 §7.7.
 * @returns whether segments have become smaller
 */
export function suspectBlackHole(tcb: Tcb): boolean {
  const { mtuSearch } = tcb;
  if (mtuSearch !== null) forgetProbe(tcb, mtuSearch);
  const patience = tcb.maxTextAcked >= tcb.smss ? PROVEN_TIMEOUTS : BLACK_HOLE_TIMEOUTS;
  if (tcb.config.mtuProbing === 'off' || tcb.retransmissions % patience !== 0) return false;
  const base = basePlpmtu(tcb.path);
  const isBelowBase = textIn(tcb, base) >= tcb.smss;
  const size = isBelowBase ? leastPlpmtu(tcb.path) : base;
  const text = Math.min(tcb.smss, seqDiff(tcb.sndFin, tcb.sndUna), tcb.flightSize);
  if (text <= textIn(tcb, size)) return false;
  // What was acknowledged so far proves nothing any more.
  tcb.maxTextSent = 0;
  tcb.maxTextAcked = 0;
  search(tcb, size, true);
  return true;
}

/** Text of the probe to send now, more than SMSS; 0: none. `usable`: what the windows leave. */
export function dueProbe(tcb: Tcb, available: number, usable: number): number {
  const { mtuSearch } = tcb;
  if (mtuSearch === null) return 0;
  if (mtuSearch.probedSize > 0) {
    if (!mtuSearch.isProbeLost) return 0;
    // When more than the probe was lost, that proves nothing (RFC 4821 §7.6.3).
    if (tcb.recovery === Recovery.open) probeFailed(tcb, mtuSearch);
    else forgetProbe(tcb, mtuSearch);
  }
  if (tcb.mtuSearch === null || tcb.recovery !== Recovery.open) return 0;
  const text = textIn(tcb, mtuSearch.candidate);
  const isRoom = usable >= text && available >= text + FOLLOWERS * tcb.smss;
  return isRoom && tcb.early.count === 0 && tcb.urgentOut === null && text > tcb.smss ? text : 0;
}

/** The probe left, with the last `length` bytes before SND.NXT. */
export function noteProbeSent(tcb: Tcb, length: number): void {
  const { mtuSearch } = tcb;
  if (mtuSearch === null) return;
  mtuSearch.probedSize = mtuSearch.candidate;
  mtuSearch.probeStart = (tcb.sndNxt - length) | 0;
  mtuSearch.probeEnd = tcb.sndNxt;
  mtuSearch.isProbeLost = false;
}

/** SND.UNA has moved on: the probe may have arrived. */
export function noteProbeAcked(tcb: Tcb, mtuSearch: MtuSearch): void {
  if (mtuSearch.probedSize === 0 || mtuSearch.isProbeLost || !seqGeq(tcb.sndUna, mtuSearch.probeEnd)) return;
  mtuSearch.plpmtu = mtuSearch.probedSize;
  mtuSearch.probedSize = 0;
  mtuSearch.probeCount = 0;
  if (mtuSearch.isComplete) endSearch(tcb, mtuSearch);
  else applySearch(tcb);
}

/** The probe that is out says nothing any more. */
export function forgetProbe(tcb: Tcb, mtuSearch: MtuSearch): void {
  mtuSearch.probedSize = 0;
  // What of its text is acknowledged later went in smaller segments.
  tcb.maxTextSent = Math.min(tcb.maxTextSent, tcb.smss);
}

function probeFailed(tcb: Tcb, mtuSearch: MtuSearch): void {
  const size = mtuSearch.probedSize;
  forgetProbe(tcb, mtuSearch);
  if (++mtuSearch.probeCount < MAX_PROBES) return;
  mtuSearch.probeCount = 0;
  mtuSearch.isSuspect = true;
  mtuSearch.isEdge = true;
  mtuSearch.maxPlpmtu = Math.min(mtuSearch.maxPlpmtu, size - 1);
  if (mtuSearch.isComplete) endSearch(tcb, mtuSearch);
}

function canProbe(tcb: Tcb): boolean {
  return tcb.config.mtuProbing !== 'off' && tcb.settings.mtuDiscovery !== 'dont';
}

function search(tcb: Tcb, plpmtu: number, isSuspect: boolean): void {
  const most = largestUseful(tcb);
  if (plpmtu >= most) return;
  tcb.mtuSearch = new MtuSearch(tcb.path, plpmtu, most, isSuspect);
  applySearch(tcb);
}

/** All is known: what is less than the path's MTU becomes the estimate of everyone who sends there. */
function endSearch(tcb: Tcb, mtuSearch: MtuSearch): void {
  const { plpmtu, isError } = mtuSearch;
  tcb.mtuSearch = null;
  if (plpmtu < largestUseful(tcb)) {
    // At the least size nothing is known of what gets through uncut.
    tcb.host.lowerPathMtu(tcb.path, isError ? leastPlpmtu(tcb.path) - 1 : plpmtu);
  }
  applySearch(tcb);
}

function applySearch(tcb: Tcb): void {
  updateSmss(tcb);
  trace(tcb, TcpEvent.pathMtu, tcb.mtuSearch === null ? tcb.mtu : tcb.mtuSearch.plpmtu, tcb.smss);
}
