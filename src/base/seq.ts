/**
 * Arithmetic on 32-bit sequence numbers, which wrap (RFC 9293 §3.4). The only place where they are compared.
 *
 * A sequence number is a `| 0` integer, −2³¹ … 2³¹−1; print it with `>>> 0`. Comparisons hold for numbers less than 2³¹
 * apart.
 */

/** `a + n`, modulo 2³². */
export function seqAdd(a: number, n: number): number {
  return (a + n) | 0;
}

/** How far `a` is ahead of `b`: negative when it is behind. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

/** `a < b`. */
export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** `a ≤ b`. */
export function seqLeq(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** `a > b`. */
export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** `a ≥ b`. */
export function seqGeq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** The later of two. */
export function seqMax(a: number, b: number): number {
  return ((a - b) | 0) >= 0 ? a : b;
}

/** The earlier of two. */
export function seqMin(a: number, b: number): number {
  return ((a - b) | 0) <= 0 ? a : b;
}
