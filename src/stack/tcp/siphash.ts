/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash behind sequence numbers, SYN cookies and Fast Open cookies. It
 * works on 32-bit halves of its 64-bit words, in one state of the module, so that hashing allocates nothing.
 */

import { i32le, putI32 } from '../../base/index.ts';

/** State v0 … v3 as pairs of high and low words. */
const v = new Int32Array(8);

/** The 64 bits of the last finished hash. */
export const sipResult = { high: 0, low: 0 };

/** SipHash-2-4 of whole bytes, for checking this implementation against the published vectors. */
export function sipHash(key: Uint8Array, bytes: Uint8Array): { readonly high: number; readonly low: number } {
  sipStart(i32le(key, 0), i32le(key, 4), i32le(key, 8), i32le(key, 12));
  const padded = new Uint8Array((bytes.length & ~7) + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  for (let at = 0; at < padded.length; at += 8) sipBlock(i32le(padded, at + 4), i32le(padded, at));
  sipFinish();
  return { high: sipResult.high, low: sipResult.low };
}

/** Begins a hash under a key of two 64-bit words. */
export function sipStart(k0Low: number, k0High: number, k1Low: number, k1High: number): void {
  v[0] = k0High ^ 0x736f6d65;
  v[1] = k0Low ^ 0x70736575;
  v[2] = k1High ^ 0x646f7261;
  v[3] = k1Low ^ 0x6e646f6d;
  v[4] = k0High ^ 0x6c796765;
  v[5] = k0Low ^ 0x6e657261;
  v[6] = k1High ^ 0x74656462;
  v[7] = k1Low ^ 0x79746573;
}

/** Takes one 64-bit word of the message; the last one carries the message's length in bytes in its top byte. */
export function sipBlock(high: number, low: number): void {
  v[6] = (v[6] as number) ^ high;
  v[7] = (v[7] as number) ^ low;
  round();
  round();
  v[0] = (v[0] as number) ^ high;
  v[1] = (v[1] as number) ^ low;
}

/** Ends the hash and leaves it in {@link sipResult}. */
export function sipFinish(): void {
  v[5] = (v[5] as number) ^ 0xff;
  for (let i = 0; i < 4; i++) round();
  sipResult.high = (v[0] as number) ^ (v[2] as number) ^ (v[4] as number) ^ (v[6] as number);
  sipResult.low = (v[1] as number) ^ (v[3] as number) ^ (v[5] as number) ^ (v[7] as number);
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

/** A key of its own for one use of a secret, so that what is told of one use says nothing about another. 16 bytes. */
export function deriveKey(secret: Uint8Array, use: string): Uint8Array {
  const message = Uint8Array.from(`${use}#`, (letter) => letter.charCodeAt(0));
  const key = new Uint8Array(16);
  for (let half = 0; half < 2; half++) {
    message[message.length - 1] = half;
    const { high, low } = sipHash(secret, message);
    putI32(key, 8 * half, low);
    putI32(key, 8 * half + 4, high);
  }
  return key;
}
