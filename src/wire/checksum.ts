/**
 * The internet checksum (RFC 1071): the 16-bit one's complement sum over headers and payload, in whatever pieces they lie.
 *
 * A *sum* here is a small positive integer in network order that has not been complemented: sums of several pieces are
 * added with `+` and folded once, at the end. A *checksum* is the folded and complemented sum, as it stands in a header.
 *
 * Long ranges are read as 32-bit words in the machine's own order and summed in one double, which is exact up to 2²¹ words
 * (8 MB): the one's complement sum does not depend on byte order but for a swap at the end (RFC 1071 §2(B)), and a range
 * that starts at an odd address only swaps once more. `bench/micro/wire.mjs` has the figures.
 */

/** Shorter ranges are summed by bytes: cheaper than finding the words of their buffer. */
const WORDS_FROM = 64;

/** Whether the machine stores the low byte of a word first. */
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** How far the byte at an even address is shifted in the machine's own 16-bit order, and at an odd address. */
const EVEN_SHIFT = IS_LITTLE_ENDIAN ? 0 : 8;
const ODD_SHIFT = 8 - EVEN_SHIFT;

/** The words of each byte array's whole buffer: made once an array, found again by its identity. */
const wordsOf = new WeakMap<Uint8Array, Uint32Array>();
let lastBytes: Uint8Array | null = null;
let lastWords: Uint32Array = new Uint32Array(0);

/**
 * Adds the bytes `at … at + length` to the sum `initial`, as if an even number of bytes went before them.
 *
 * @param length up to 4 MB; a last odd byte counts as if a zero followed (RFC 1071 §1)
 * @returns `initial` plus a number of 16 bits: fold it once, after everything is added
 */
export function sumBytes(bytes: Uint8Array, at: number, length: number, initial = 0): number {
  return initial + (length < WORDS_FROM ? sumShort(bytes, at, length) : sumLong(bytes, at, length));
}

/**
 * As {@link sumBytes} for a range that is `position` bytes into what is summed: the second part of a ring's range, when
 * its first part may have had an odd length.
 */
export function sumBytesAt(
  position: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  initial: number,
): number {
  const sum = sumBytes(bytes, at, length);
  return initial + ((position & 1) === 0 ? sum : swap(fold(sum)));
}

/** Brings a sum to 16 bits by adding its carries in. This is what a partial checksum field holds. */
export function fold(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** The checksum of `bytes[at … at + length]` added to the sum `initial`, ready to be written. */
export function checksum(bytes: Uint8Array, at: number, length: number, initial = 0): number {
  return ~fold(sumBytes(bytes, at, length, initial)) & 0xffff;
}

/** Whether a range that contains its own checksum is intact; `initial` is the pseudo-header's sum. */
export function isChecksumRight(bytes: Uint8Array, at: number, length: number, initial = 0): boolean {
  return fold(sumBytes(bytes, at, length, initial)) === 0xffff;
}

/**
 * The new value of a checksum field after a 16-bit field that it covers changed from `before` to `after`
 * (RFC 1624 §3, equation 3, which also holds when the result is zero).
 */
export function updateChecksum(field: number, before: number, after: number): number {
  return ~fold((~field & 0xffff) + (~before & 0xffff) + (after & 0xffff)) & 0xffff;
}

/** As {@link updateChecksum} for a 32-bit field that starts at an even offset of what is summed. */
export function updateChecksum32(field: number, before: number, after: number): number {
  return ~fold((~field & 0xffff) + sumWord(~before) + sumWord(after)) & 0xffff;
}

/** The sum of a 32-bit word, such as an IPv4 address. */
export function sumWord(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/**
 * The sum of TCP's and UDP's pseudo-header over IPv4 (RFC 9293 §3.1, RFC 768).
 * @param length of transport header and payload; with 0 the sum can be kept for a path, and each length added later
 */
export function pseudoHeaderSumV4(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return sumWord(source) + sumWord(destination) + protocol + length;
}

/** The sum of the pseudo-header over IPv6 (RFC 8200 §8.1), addresses as words; `length` as for IPv4. */
export function pseudoHeaderSumV6(
  src0: number,
  src1: number,
  src2: number,
  src3: number,
  dst0: number,
  dst1: number,
  dst2: number,
  dst3: number,
  protocol: number,
  length: number,
): number {
  const source = sumWord(src0) + sumWord(src1) + sumWord(src2) + sumWord(src3);
  const destination = sumWord(dst0) + sumWord(dst1) + sumWord(dst2) + sumWord(dst3);
  return source + destination + protocol + sumWord(length);
}

function sumShort(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length;
  const pairsEnd = end - 1;
  let sum = 0;
  let i = at;
  for (; i < pairsEnd; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] as number);
  if (i < end) sum += (bytes[i] as number) << 8;
  return fold(sum);
}

function sumLong(bytes: Uint8Array, at: number, length: number): number {
  if (bytes !== lastBytes) findWords(bytes);
  const words = lastWords;
  const base = bytes.byteOffset;
  const start = base + at;
  const end = start + length;
  const wordsStart = (start + 3) & ~3;
  const wordsEnd = end & ~3;
  // Single bytes before and after the whole words count by where they lie in memory.
  let edges = 0;
  for (let i = start; i < wordsStart; i++) {
    edges += (bytes[i - base] as number) << ((i & 1) === 0 ? EVEN_SHIFT : ODD_SHIFT);
  }
  for (let i = wordsEnd; i < end; i++) {
    edges += (bytes[i - base] as number) << ((i & 1) === 0 ? EVEN_SHIFT : ODD_SHIFT);
  }
  const sum = foldWords(edges + sumWords(words, wordsStart >> 2, wordsEnd >> 2));
  // An even address on a little-endian machine and an odd one on a big-endian machine have the halves the wrong way.
  return ((start & 1) === 0) === IS_LITTLE_ENDIAN ? swap(sum) : sum;
}

/** Words `from … to` in one double, eight at a time: measured twice as fast as one by one. */
function sumWords(words: Uint32Array, from: number, to: number): number {
  let sum = 0;
  let i = from;
  for (const unrolledEnd = to - 7; i < unrolledEnd; i += 8) {
    sum +=
      (words[i] as number) +
      (words[i + 1] as number) +
      ((words[i + 2] as number) + (words[i + 3] as number)) +
      ((words[i + 4] as number) +
        (words[i + 5] as number) +
        ((words[i + 6] as number) + (words[i + 7] as number)));
  }
  for (; i < to; i++) sum += words[i] as number;
  return sum;
}

/** 53 bits to 16. */
function foldWords(sum: number): number {
  const high = Math.floor(sum / 0x1_0000_0000);
  const low = sum >>> 0;
  return fold((low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16));
}

/** Exchanges the bytes of a 16-bit number. */
function swap(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

function findWords(bytes: Uint8Array): void {
  let words = wordsOf.get(bytes);
  if (words === undefined) {
    words = new Uint32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
    wordsOf.set(bytes, words);
  }
  lastBytes = bytes;
  lastWords = words;
}
