/**
 * Records frames as they cross between a link and a stack, as packets that a wire would carry.
 *
 * Frames may be super-segments with partial checksums, which no wire knows and tshark would complain about. What is written
 * is a copy: super-segments cut into packets (unless told not to) and checksums completed. The frames are not changed.
 */

import type { FrameBatch, TransmitBatch } from '../base/index.ts';
import { FramePackets, linkHeaderLength } from '../wire/index.ts';
import type { Direction } from './captured-packet.ts';
import type { CaptureInterface, PcapngWriter } from './pcapng-writer.ts';

export interface FrameCaptureOptions {
  /** Whether super-segments are cut into packets (default), or written whole, as a capture on a device shows them. */
  readonly splitSegments?: boolean;
}

export class FrameCapture {
  readonly #writer: PcapngWriter;
  readonly #packets: FramePackets;
  /** Bytes of link header on each interface. */
  readonly #linkLengths: number[] = [];

  constructor(writer: PcapngWriter, options: FrameCaptureOptions = {}) {
    this.#writer = writer;
    this.#packets = new FramePackets(options.splitSegments ?? true);
  }

  /** Adds an interface. @returns its number in the capture */
  addInterface(description: CaptureInterface): number {
    const id = this.#writer.addInterface(description);
    this.#linkLengths[id] = linkHeaderLength(description.medium);
    return id;
  }

  /** Records frame `index` of a batch that came in. `timeMs` since 1970; `comment` may be empty. */
  received(interfaceId: number, timeMs: number, batch: FrameBatch, index: number, comment: string): void {
    this.#packets.beginInbound(batch, index, this.#linkLengths[interfaceId] ?? 0);
    this.#write(interfaceId, timeMs, 'in', comment);
  }

  /** Records frame `index` of a batch that goes out. */
  sent(interfaceId: number, timeMs: number, batch: TransmitBatch, index: number, comment: string): void {
    this.#packets.beginOutbound(batch, index, this.#linkLengths[interfaceId] ?? 0);
    this.#write(interfaceId, timeMs, 'out', comment);
  }

  #write(interfaceId: number, timeMs: number, direction: Direction, comment: string): void {
    const packets = this.#packets;
    while (packets.next()) {
      const { bytes, at, length, taken, count } = packets;
      const text =
        count === 1 || comment === ''
          ? comment
          : `${comment} (packet ${taken} of a super-segment of ${count})`;
      this.#writer.writePacket(interfaceId, timeMs, bytes, at, length, direction, text);
    }
  }
}
