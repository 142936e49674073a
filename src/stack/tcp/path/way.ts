/**
 * A connection whose peer is silent, and the way to that peer: the network layer is told of the silence, so that it looks whether the
 * next hop is still there (RFC 1122 §3.3.1.4, R1 of RFC 9293 §3.8.3); and when the way becomes another, or is there again, the
 * connection tries it soon, instead of at the end of a timeout that has doubled on the way that was dead.
 *
 *     timeouts in vain ──R1──► the next hop is asked ──no answer──► another route ──► sent again, the timeout as at first
 *
 * A route that flaps can't be used to have a connection flood the network: the routes are looked at once a second at most, only
 * connections that are stalled try again, each once for a change that matters to it, and a few times until its peer is heard.
 */

import { randomFraction, type TimerOwner, type TimerQueue } from '../../../base/index.ts';
import { Cause, type Host, type Path } from '../../host.ts';
import { acknowledgeNow } from '../acknowledge.ts';
import { armTimeout } from '../loss/retransmission-timer.ts';
import { type Tcb, TcpTimer } from '../tcb.ts';
import { abandonSearch } from './mtu-search.ts';

/** RFC 9293 SHLD-10: after so many timeouts the network layer is told. */
export const R1 = 3;
/** Likewise, after so many copies of text that we have acknowledged: what is lost are our ACKs. */
const REPEATS = 3;
/** How often a stalled connection tries a new way before its peer is heard. */
export const MAX_WAY_CHANGES = 3;
/** Until a new way is tried, ms: less, where the timeout is. */
const LONGEST_WAIT = 1000;
/** Least time between looks at the connections, ms. */
export const WAY_CHECK_INTERVAL = 1000;

/** The timer ran out `times` times in a row. */
export function noteSilence(tcb: Tcb, times: number): void {
  if (times >= R1) tcb.path.doubt(tcb.host.now);
}

/** Text came again that was acknowledged before: perhaps our ACKs get lost on the way. */
export function noteRepeatedText(tcb: Tcb): void {
  if (tcb.repeatedAt !== tcb.rcvNxt) {
    tcb.repeatedAt = tcb.rcvNxt;
    tcb.repeats = 0;
    tcb.wayChanges = 0;
  }
  if (++tcb.repeats >= REPEATS) tcb.path.doubt(tcb.host.now);
}

/** Looks at the connections after routes, addresses or interfaces have changed. */
export class WayWatch implements TimerOwner {
  readonly #host: Host;
  readonly #connections: () => Iterable<Tcb>;
  readonly #timers: TimerQueue;
  #timer = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(host: Host, connections: () => Iterable<Tcb>) {
    this.#host = host;
    this.#timers = host.timers;
    this.#connections = connections;
  }

  changed(): void {
    if (this.#timer < 0) this.#timer = this.#timers.create(this, 0);
    if (this.#timers.isArmed(this.#timer)) return;
    this.#timers.arm(this.#timer, Math.max(this.#host.now, this.#lookedAt + WAY_CHECK_INTERVAL));
  }

  timeout(_kind: number, now: number): void {
    this.#lookedAt = now;
    for (const tcb of this.#connections()) {
      if (isStalled(tcb) && tcb.wayChanges < MAX_WAY_CHANGES) tryAgain(tcb);
    }
  }
}

/** Whether the peer owes an answer that is overdue, or has not got one of ours, or there was no way to it. */
function isStalled(tcb: Tcb): boolean {
  if (tcb.state === 'CLOSED' || tcb.state === 'TIME-WAIT') return false;
  return tcb.isWayless || tcb.retransmissions > 0 || tcb.persistBackoff > 0 || hasRepeats(tcb);
}

function hasRepeats(tcb: Tcb): boolean {
  return tcb.repeats >= REPEATS && tcb.repeatedAt === tcb.rcvNxt;
}

function tryAgain(tcb: Tcb): void {
  const { host } = tcb;
  const path = host.pathTo(tcb.localAddress, tcb.remoteAddress);
  if (path === null || !(tcb.isWayless || isNews(tcb, path))) return;
  tcb.wayChanges++;
  if (hasRepeats(tcb)) acknowledgeNow(tcb, Cause.duplicateAck);
  // Not all connections at once: the new way may be a narrow one.
  const wait = randomFraction(host.random) * Math.min(LONGEST_WAIT, tcb.rtt.base);
  if (tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED') tcb.isSynDue = true;
  else if (tcb.flightSize > 0) retransmitSoon(tcb, wait);
  else if (tcb.isArmed(TcpTimer.persist)) {
    tcb.persistBackoff = 0;
    tcb.unansweredProbes = Math.min(1, tcb.unansweredProbes);
    tcb.arm(TcpTimer.persist, wait);
  }
  tcb.requestOutput();
}

/** By another next hop, or one that was found after we last sent. */
function isNews(tcb: Tcb, path: Path): boolean {
  const { path: held } = tcb;
  if (path.interfaceIndex !== held.interfaceIndex || path.nextHopSince > tcb.lastSentAt) return true;
  return path.nextHop !== null && held.nextHop !== null && !path.nextHop.equals(held.nextHop);
}

/**
 * What was found out by timeouts was found out about another way: how long to wait, and which size gets through. That it timed out
 * is remembered, R2 begins anew; and whether the timeouts were right is asked no more, since what had arrived by the old way before
 * it died says nothing of what is lost on it.
 */
function retransmitSoon(tcb: Tcb, wait: number): void {
  if (tcb.retransmissions === 0) return;
  tcb.retransmissions = 1;
  if (tcb.episode !== null) tcb.episode.check.isOff = true;
  tcb.rtt.endBackOff();
  abandonSearch(tcb);
  if (tcb.host.now + wait < tcb.rtoAt) armTimeout(tcb, wait);
}
