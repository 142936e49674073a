/**
 * Reads capture files: pcapng or classic pcap, told apart by their first bytes.
 */

import { i32 } from '../base/index.ts';
import { CaptureError } from './capture-error.ts';
import type { CapturedPacket } from './captured-packet.ts';
import { isPcapMagic, readPcap } from './pcap-reader.ts';
import { BLOCK_SECTION_HEADER } from './pcapng-format.ts';
import { readPcapng } from './pcapng-reader.ts';

/**
 * Reads the packets of a capture file one after the other.
 * @throws {CaptureError} when it can't be read on; packets before that have been given
 */
export function readCapture(file: Uint8Array): Generator<CapturedPacket> {
  if (file.length < 4) throw new CaptureError('not-a-capture', 0, 'too short for a capture');
  const magic = i32(file, 0);
  if (magic === BLOCK_SECTION_HEADER) return readPcapng(file);
  if (isPcapMagic(magic)) return readPcap(file);
  throw new CaptureError('not-a-capture', 0, 'neither pcapng nor pcap');
}
