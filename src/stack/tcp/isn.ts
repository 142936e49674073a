/**
 * Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 §7.1): ISN = M + F(tuple, secret).
 *
 * F is SipHash-2-4 (Aumasson and Bernstein, 2012) over both addresses and ports. One half of its 64 bits moves the sequence
 * numbers, the other the timestamps, so an observer of one connection learns nothing about another's, while successive
 * connections of one pair still have rising numbers, which is what TIME-WAIT reuse builds on (RFC 6191).
 */

import { type IpAddress, i32le } from '../../base/index.ts';

/** M ticks every 4 µs (RFC 9293 §3.4.1, MUST-8). */
const ISN_TICKS_PER_MS = 250;

/** State v0 … v3 of SipHash as pairs of high and low words. */
const v = new Int32Array(8);

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
  start(i32le(secret, 0), i32le(secret, 4), i32le(secret, 8), i32le(secret, 12));
  block(local.w1, local.w0);
  block(local.w3, local.w2);
  block(remote.w1, remote.w0);
  block(remote.w3, remote.w2);
  // The last block carries the message's length, 36, in its top byte.
  block(36 << 24, (localPort << 16) | remotePort);
  finish();
}

/** SipHash-2-4 of whole bytes, for checking this implementation against the published vectors. */
export function sipHash(key: Uint8Array, bytes: Uint8Array): { readonly high: number; readonly low: number } {
  start(i32le(key, 0), i32le(key, 4), i32le(key, 8), i32le(key, 12));
  const padded = new Uint8Array((bytes.length & ~7) + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  for (let at = 0; at < padded.length; at += 8) block(i32le(padded, at + 4), i32le(padded, at));
  finish();
  return { high: tupleHash.timestamp, low: tupleHash.sequence };
}

function start(k0Low: number, k0High: number, k1Low: number, k1High: number): void {
  v[0] = k0High ^ 0x736f6d65;
  v[1] = k0Low ^ 0x70736575;
  v[2] = k1High ^ 0x646f7261;
  v[3] = k1Low ^ 0x6e646f6d;
  v[4] = k0High ^ 0x6c796765;
  v[5] = k0Low ^ 0x6e657261;
  v[6] = k1High ^ 0x74656462;
  v[7] = k1Low ^ 0x79746573;
}

function block(high: number, low: number): void {
  v[6] = (v[6] as number) ^ high;
  v[7] = (v[7] as number) ^ low;
  round();
  round();
  v[0] = (v[0] as number) ^ high;
  v[1] = (v[1] as number) ^ low;
}

function finish(): void {
  v[5] = (v[5] as number) ^ 0xff;
  for (let i = 0; i < 4; i++) round();
  tupleHash.timestamp = (v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number);
  tupleHash.sequence = (v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number);
}

/** SipRound; indexes name the high words of v0 … v3. */
function round(): void {
  add(0, 2);
  rotate(2, 13);
  xor(2, 0);
  swap(0);
  add(4, 6);
  rotate(6, 16);
  xor(6, 4);
  add(0, 6);
  rotate(6, 21);
  xor(6, 0);
  add(4, 2);
  rotate(2, 17);
  xor(2, 4);
  swap(4);
}

/** a += b */
function add(a: number, b: number): void {
  const low = ((v[a + 1] as number) >>> 0) + ((v[b + 1] as number) >>> 0);
  v[a + 1] = low | 0;
  v[a] = (v[a] as number) + (v[b] as number) + (low > 0xffffffff ? 1 : 0);
}

/** a ^= b */
function xor(a: number, b: number): void {
  v[a] = (v[a] as number) ^ (v[b] as number);
  v[a + 1] = (v[a + 1] as number) ^ (v[b + 1] as number);
}

/** Rotates left by fewer than 32 bits. */
function rotate(a: number, bits: number): void {
  const high = v[a] as number;
  const low = v[a + 1] as number;
  v[a] = (high << bits) | (low >>> (32 - bits));
  v[a + 1] = (low << bits) | (high >>> (32 - bits));
}

/** Rotates by 32 bits. */
function swap(a: number): void {
  const high = v[a] as number;
  v[a] = v[a + 1] as number;
  v[a + 1] = high;
}
