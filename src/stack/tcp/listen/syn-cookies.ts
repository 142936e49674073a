/**
 * SYN cookies (RFC 4987 §3.6): under a flood a SYN-ACK's own sequence number says all that the SYN queue would have remembered,
 * and the ACK brings it back. Nothing is kept.
 *
 *     ISS    = 29 bits of SipHash(key, both addresses and ports, IRS, time slot) | 3 bits: which MSS of a table
 *     TSval  = our timestamp clock, its lowest 6 bits replaced:  e | s | wwww
 *              wwww the peer's window shift, 15: no window scaling; s: SACK; e: RFC 3168's ECN
 *
 * Without timestamps the options besides MSS are lost, as RFC 4987 says of cookies; with them nothing is. A cookie is good in
 * its own time slot and the next, so for one to two minutes; a random ACK is taken for one with probability 2^-28.
 */

import { type IpAddress, i32le, seqDiff } from '../../../base/index.ts';
import { TCP_OPTION_TIMESTAMPS } from '../../../wire/index.ts';
import type { Host, Path } from '../../host.ts';
import type { WindowBudget } from '../buffers/window-budget.ts';
import type { TcpConfig, TcpSettings } from '../config.ts';
import { readEcnCookie } from '../ecn/half-open.ts';
import { EcnFeedback } from '../ecn/state.ts';
import { hashTuple, tupleHash } from '../isn.ts';
import { timestampAt } from '../options.ts';
import type { Segment } from '../segment.ts';
import { deriveKey, sipBlock, sipFinish, sipResult, sipStart } from '../siphash.ts';
import { type Handshake, offerWindow } from './handshake.ts';

/** How long a time slot lasts, ms, and how many back a cookie may be from. */
const SLOT_MS = 64_000;
const OLDEST_SLOT = 1;
/** After this long, ms, no cookie that was sent is good any more. */
export const COOKIE_LIFETIME = (OLDEST_SLOT + 1) * SLOT_MS;

/** The largest that is not above the peer's is used; the least is the least that is believed at all. */
const MSS_TABLE: readonly number[] = [48, 536, 1220, 1300, 1400, 1440, 1460, 8940];
const MSS_BITS = 3;

const SHIFT_MASK = 0x0f;
const NO_SHIFT = 0x0f;
const SACK_BIT = 0x10;
const ECN_BIT = 0x20;
const OPTION_MASK = 0x3f;
const OPTION_STEP = OPTION_MASK + 1;
const MAX_SHIFT = 14;

export class SynCookies {
  readonly #host: Host;
  readonly #config: TcpConfig;
  readonly #key: Uint8Array;

  constructor(host: Host, config: TcpConfig) {
    this.#host = host;
    this.#config = config;
    this.#key = deriveKey(host.secret, 'SYN cookies');
  }

  /** Puts a cookie into `handshake`, read from a SYN, as its sequence number. @returns the SYN-ACK's TSval */
  bake(handshake: Handshake, path: Path, localPort: number, remotePort: number): number {
    let index = MSS_TABLE.length - 1;
    while (index > 0 && (MSS_TABLE[index] as number) > handshake.peerMss) index--;
    // RFC 3168's form leaves no trace in the ACK; AccECN does.
    const isForgotten = !handshake.isTimestamped && handshake.ecnFeedback === EcnFeedback.classic;
    if (isForgotten) handshake.ecnFeedback = EcnFeedback.none;
    const hash = this.#hash(path.source, localPort, path.destination, remotePort, handshake.irs, this.#slot);
    handshake.iss = hash ^ index;
    const clock = timestampAt(this.#host.now, handshake.tsOffset);
    const value = (clock & ~OPTION_MASK) | optionBits(handshake);
    // Never ahead of the clock: the connection's timestamps must not run backwards.
    return seqDiff(value, clock) > 0 ? (value - OPTION_STEP) | 0 : value;
  }

  /**
   * Reads the handshake back that an ACK for a listener completes.
   * @returns whether the ACK brings a cookie of ours that is still good
   */
  open(
    into: Handshake,
    path: Path,
    seg: Segment,
    settings: TcpSettings,
    budget: WindowBudget | null,
  ): boolean {
    const { source, destination } = path;
    into.iss = (seg.ack - 1) | 0;
    into.irs = (seg.seq - 1) | 0;
    const index = this.#mssIndex(into, source, seg.destinationPort, destination, seg.sourcePort);
    if (index < 0) return false;
    hashTuple(this.#host.secret, source, seg.destinationPort, destination, seg.sourcePort);
    into.tsOffset = tupleHash.timestamp;
    into.isTimestamped = settings.timestamps && (seg.options & TCP_OPTION_TIMESTAMPS) !== 0;
    const age = seqDiff(timestampAt(this.#host.now, into.tsOffset), seg.tsEcr);
    if (into.isTimestamped && (age < 0 || age > COOKIE_LIFETIME + OPTION_STEP)) return false;
    const bits = into.isTimestamped ? seg.tsEcr & OPTION_MASK : NO_SHIFT;
    const shift = bits & SHIFT_MASK;
    const isScaled = this.#config.windowScaling && shift <= MAX_SHIFT;
    into.peerMss = MSS_TABLE[index] as number;
    into.tsRecent = into.isTimestamped ? seg.tsVal : 0;
    into.sndWindShift = isScaled ? shift : 0;
    into.isSackEnabled = this.#config.sack && (bits & SACK_BIT) !== 0;
    readEcnCookie(into, settings.ecn, (bits & ECN_BIT) !== 0, seg);
    into.sndWnd = 0;
    into.sentAt = -1;
    into.retransmissions = 0;
    offerWindow(into, this.#host, this.#config, settings, budget, isScaled);
    return true;
  }

  get #slot(): number {
    return Math.floor(this.#host.now / SLOT_MS) | 0;
  }

  /** @returns which MSS the cookie says, -1 when it is none of ours */
  #mssIndex(
    { iss, irs }: Handshake,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): number {
    const slot = this.#slot;
    for (let age = 0; age <= OLDEST_SLOT; age++) {
      const index = this.#hash(local, localPort, remote, remotePort, irs, (slot - age) | 0) ^ iss;
      if (index >>> MSS_BITS === 0) return index;
    }
    return -1;
  }

  #hash(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
    irs: number,
    slot: number,
  ): number {
    const key = this.#key;
    sipStart(i32le(key, 0), i32le(key, 4), i32le(key, 8), i32le(key, 12));
    sipBlock(local.w1, local.w0);
    sipBlock(local.w3, local.w2);
    sipBlock(remote.w1, remote.w0);
    sipBlock(remote.w3, remote.w2);
    sipBlock(irs, (localPort << 16) | remotePort);
    // The last block carries the message's length, 44, in its top byte.
    sipBlock(44 << 24, slot);
    sipFinish();
    return sipResult.low;
  }
}

function optionBits(handshake: Handshake): number {
  const shift = handshake.rcvWindShift > 0 ? handshake.sndWindShift : NO_SHIFT;
  return (
    shift |
    (handshake.isSackEnabled ? SACK_BIT : 0) |
    (handshake.ecnFeedback === EcnFeedback.classic ? ECN_BIT : 0)
  );
}
