/**
 * The AccECN options (RFC 9768 §3.2.3): how many bytes arrived under each codepoint, as 24 low bits of three counters. The two
 * kinds differ in the order of the fields, so that the one which never changes can be left out at the end.
 *
 *     kind 172, order 0   | 172 | length | EE0B (3) | ECEB (3) | EE1B (3) |
 *     kind 174, order 1   | 174 | length | EE1B (3) | ECEB (3) | EE0B (3) |
 *
 * Lengths 11, 8, 5 and 2 hold three fields to none. Of any other length, the whole fields that fit count and the rest is padding.
 */

/** Kinds (IANA "TCP Option Kind Numbers"). */
export const TCPOPT_ACC_ECN0 = 172;
export const TCPOPT_ACC_ECN1 = 174;

/** Bytes that the writer puts for three, two and no fields, padding included. */
export const TCPOPT_ACC_ECN_FULL_LEN = 12;
export const TCPOPT_ACC_ECN_PAIR_LEN = 8;
export const TCPOPT_ACC_ECN_EMPTY_LEN = 4;

/** What an option of either kind said. */
export interface AccEcnFields {
  /** Fields present, 0 … 3. */
  accEcnCount: number;
  /** The first field is EE1B: kind 174. */
  isAccEcnOrder1: boolean;
  /** 24 bits each; right where `accEcnCount` and the order say that they are present. */
  ee0b: number;
  eceb: number;
  ee1b: number;
}

const NOP = 1;

/** Reads the option at `at`, whose `length` lies inside the header. */
export function readAccEcnOption(
  bytes: Uint8Array,
  at: number,
  kind: number,
  length: number,
  into: AccEcnFields,
): void {
  const count = Math.min(3, Math.trunc((length - 2) / 3));
  const isOrder1 = kind === TCPOPT_ACC_ECN1;
  into.accEcnCount = count;
  into.isAccEcnOrder1 = isOrder1;
  const first = count > 0 ? u24(bytes, at + 2) : 0;
  const third = count > 2 ? u24(bytes, at + 8) : 0;
  into.eceb = count > 1 ? u24(bytes, at + 5) : 0;
  into.ee0b = isOrder1 ? third : first;
  into.ee1b = isOrder1 ? first : third;
}

/**
 * Writes an option, padded with NOPs to a multiple of 4.
 * @param kind which order
 * @param fields how many of the three: 3, 2 or 0, for 12, 8 or 4 bytes
 * @returns the end
 */
export function writeAccEcnOption(
  into: Uint8Array,
  at: number,
  kind: number,
  fields: number,
  e0b: number,
  ceb: number,
  e1b: number,
): number {
  into[at] = kind;
  into[at + 1] = 2 + 3 * fields;
  let next = at + 2;
  if (fields > 0) {
    const isOrder1 = kind === TCPOPT_ACC_ECN1;
    next = putU24(into, next, isOrder1 ? e1b : e0b);
    next = putU24(into, next, ceb);
    if (fields > 2) next = putU24(into, next, isOrder1 ? e0b : e1b);
  }
  while (((next - at) & 3) !== 0) into[next++] = NOP;
  return next;
}

function u24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

function putU24(into: Uint8Array, at: number, value: number): number {
  into[at] = value >> 16;
  into[at + 1] = value >> 8;
  into[at + 2] = value;
  return at + 3;
}
