/**
 * Reads classic pcap files (draft-ietf-opsawg-pcap), in both byte orders, with microseconds or nanoseconds.
 *
 *     header:  | magic | version 2.4 | 0 | 0 | snap length | link type |
 *     packet:  | seconds | fraction | captured length | original length | bytes |
 */

import { i32, i32le, u16, u16le } from '../base/index.ts';
import { CaptureError } from './capture-error.ts';
import type { CapturedPacket, ReadInterface } from './captured-packet.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4 | 0;
const MAGIC_NANOSECONDS = 0xa1b23c4d | 0;
const HEADER_LEN = 24;
const RECORD_LEN = 16;
/** A packet larger than this is a broken length: the snap length of tcpdump and Wireshark. */
const MAX_PACKET = 262_144;

/** Whether a file that starts with this word (read in network order) is a pcap. */
export function isPcapMagic(word: number): boolean {
  return isMagic(word) || isMagic(swapWord(word));
}

/** The packets of a pcap file. @throws {CaptureError} */
export function* readPcap(file: Uint8Array): Generator<CapturedPacket> {
  if (file.length < HEADER_LEN)
    throw new CaptureError('truncated', file.length, 'the file header is cut short');
  const isBig = isMagic(i32(file, 0));
  const magic = isBig ? i32(file, 0) : i32le(file, 0);
  if (!isMagic(magic)) throw new CaptureError('not-a-capture', 0, 'not a pcap');
  const word = (at: number): number => (isBig ? i32(file, at) : i32le(file, at)) >>> 0;
  const major = isBig ? u16(file, 4) : u16le(file, 4);
  if (major !== 2) throw new CaptureError('not-a-capture', 4, `pcap version ${major} is not known`);
  const nsPerUnit = magic === MAGIC_NANOSECONDS ? 1n : 1000n;
  // The upper bits of the link type say whether frames end with a check sequence.
  const from: ReadInterface = {
    linkType: word(20) & 0xffff,
    snapLength: word(16),
    name: '',
    description: '',
  };
  for (let at = HEADER_LEN; at < file.length; ) {
    if (file.length - at < RECORD_LEN)
      throw new CaptureError('truncated', at, 'a packet header is cut short');
    const length = word(at + 8);
    if (length > MAX_PACKET) throw new CaptureError('malformed', at + 8, `a packet of ${length} bytes`);
    const bytesAt = at + RECORD_LEN;
    if (file.length - bytesAt < length) throw new CaptureError('truncated', at, 'a packet is cut short');
    yield {
      interface: from,
      timeNs: BigInt(word(at)) * 1_000_000_000n + BigInt(word(at + 4)) * nsPerUnit,
      bytes: file.subarray(bytesAt, bytesAt + length),
      originalLength: word(at + 12),
      direction: 'unknown',
      comments: [],
    };
    at = bytesAt + length;
  }
}

function isMagic(word: number): boolean {
  return word === MAGIC_MICROSECONDS || word === MAGIC_NANOSECONDS;
}

function swapWord(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
