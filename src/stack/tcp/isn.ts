/**
 * Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 §7.1): ISN = M + F(tuple, secret).
 *
 * F is SipHash-2-4 (Aumasson and Bernstein, 2012) over both addresses and ports. One half of its 64 bits moves the sequence
 * numbers, the other the timestamps, so an observer of one connection learns nothing about another's, while successive
 * connections of one pair still have rising numbers, which is what TIME-WAIT reuse builds on (RFC 6191).
 */

import { type IpAddress, i32le } from '../../base/index.ts';
import { sipBlock, sipFinish, sipResult, sipStart } from './siphash.ts';

/** M ticks every 4 µs (RFC 9293 §3.4.1, MUST-8). */
const ISN_TICKS_PER_MS = 250;

/** The results of the last {@link hashTuple}. */
export const tupleHash = {
  /** F for the sequence number. */
  sequence: 0,
  /** Offset of the connection's timestamp clock. */
  timestamp: 0,
};

/** The initial sequence number at `now` (ms) for a tuple that was just hashed. */
export function initialSequence(now: number): number {
  return (tupleHash.sequence + Math.floor(now * ISN_TICKS_PER_MS)) | 0;
}

/** Hashes a connection's tuple with the first 16 bytes of `secret` into {@link tupleHash}. */
export function hashTuple(
  secret: Uint8Array,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
): void {
  sipStart(i32le(secret, 0), i32le(secret, 4), i32le(secret, 8), i32le(secret, 12));
  sipBlock(local.w1, local.w0);
  sipBlock(local.w3, local.w2);
  sipBlock(remote.w1, remote.w0);
  sipBlock(remote.w3, remote.w2);
  // The last block carries the message's length, 36, in its top byte.
  sipBlock(36 << 24, (localPort << 16) | remotePort);
  sipFinish();
  tupleHash.sequence = sipResult.low;
  tupleHash.timestamp = sipResult.high;
}
