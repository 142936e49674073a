/**
 * Writes pcapng: turns packets into blocks and hands each block to a sink. Knows no file.
 *
 * One section, little-endian, with timestamps in nanoseconds. Blocks are built in one buffer that is reused, so that a
 * running capture allocates nothing; a sink that keeps bytes copies them.
 */

import type { Medium } from '../base/index.ts';
import { BlockBuilder } from './block-builder.ts';
import type { Direction } from './captured-packet.ts';
import { linkTypeOf } from './linktype.ts';
import {
  BLOCK_ENHANCED_PACKET,
  BLOCK_INTERFACE_DESCRIPTION,
  BLOCK_INTERFACE_STATISTICS,
  BLOCK_SECTION_HEADER,
  BYTE_ORDER_MAGIC,
  DIRECTION_INBOUND,
  DIRECTION_OUTBOUND,
  EPB_FLAGS,
  IF_DESCRIPTION,
  IF_MAC_ADDR,
  IF_NAME,
  IF_TSRESOL,
  ISB_IFDROP,
  ISB_IFRECV,
  OPT_COMMENT,
  SHB_HARDWARE,
  SHB_OS,
  SHB_USERAPPL,
} from './pcapng-format.ts';

/** Takes the bytes of a capture in order. Each piece is one whole block, borrowed until `write` returns. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** What a section says about where it was made; all optional. */
export interface SectionInfo {
  readonly hardware?: string;
  readonly os?: string;
  readonly application?: string;
  readonly comment?: string;
}

/** An interface that packets are recorded of. */
export interface CaptureInterface {
  readonly name: string;
  readonly medium: Medium;
  readonly description?: string;
  /** Six bytes. */
  readonly mac?: Uint8Array | null;
}

export interface PcapngOptions extends SectionInfo {
  /** Most bytes kept of a packet, 1 … 262,144. */
  readonly snapLength?: number;
}

/** The largest snap length, which tcpdump and Wireshark use too. */
export const MAX_SNAP_LENGTH = 262_144;

const NO_SECTION_LENGTH = -1;
/** 10⁻⁹ s. */
const NANOSECONDS = Uint8Array.of(9);

export class PcapngWriter {
  readonly #sink: ByteSink;
  readonly #section: SectionInfo;
  readonly #snapLength: number;
  readonly #interfaces: CaptureInterface[] = [];
  readonly #block = new BlockBuilder();
  /** Packets recorded so far. */
  packetsWritten = 0;

  /** Writes the section's header at once. @throws {RangeError} when the snap length is out of range */
  constructor(sink: ByteSink, options: PcapngOptions = {}) {
    const snapLength = options.snapLength ?? MAX_SNAP_LENGTH;
    if (!Number.isInteger(snapLength) || snapLength < 1 || snapLength > MAX_SNAP_LENGTH) {
      throw new RangeError(`snapLength ${snapLength} is not in 1 … ${MAX_SNAP_LENGTH}`);
    }
    this.#sink = sink;
    this.#section = options;
    this.#snapLength = snapLength;
    this.#writeSection();
  }

  /** Describes an interface. @returns its number, for the packets of it */
  addInterface(description: CaptureInterface): number {
    this.#interfaces.push(description);
    this.#writeInterface(description);
    return this.#interfaces.length - 1;
  }

  /** Writes the section's header and all interfaces anew: at the start of a further file. Their numbers stay. */
  restart(): void {
    this.#writeSection();
    for (const description of this.#interfaces) this.#writeInterface(description);
  }

  /**
   * Records the packet `bytes[at … at + length]`.
   * @param interfaceId what `addInterface` answered
   * @param timeMs since 1970, fractions count down to a nanosecond
   * @param comment shown by Wireshark beside the packet; the empty string: none
   * @throws {RangeError} when there is no such interface
   */
  writePacket(
    interfaceId: number,
    timeMs: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    direction: Direction = 'unknown',
    comment = '',
  ): void {
    this.#requireInterface(interfaceId);
    this.packetsWritten++;
    const kept = Math.min(length, this.#snapLength);
    const block = this.#block;
    block.begin(BLOCK_ENHANCED_PACKET);
    block.u32(interfaceId);
    block.time(timeMs);
    block.u32(kept);
    block.u32(length);
    block.bytes(bytes, at, kept);
    if (direction !== 'unknown') {
      block.optionU32(EPB_FLAGS, direction === 'in' ? DIRECTION_INBOUND : DIRECTION_OUTBOUND);
    }
    if (comment !== '') block.optionText(OPT_COMMENT, comment);
    this.#sink.write(block.end());
  }

  /** Says how many packets an interface received and dropped until `timeMs`: usually the last block of it. */
  writeStatistics(interfaceId: number, timeMs: number, received: number, dropped: number): void {
    this.#requireInterface(interfaceId);
    const block = this.#block;
    block.begin(BLOCK_INTERFACE_STATISTICS);
    block.u32(interfaceId);
    block.time(timeMs);
    block.optionU64(ISB_IFRECV, received);
    block.optionU64(ISB_IFDROP, dropped);
    this.#sink.write(block.end());
  }

  #writeSection(): void {
    const { hardware, os, application, comment } = this.#section;
    const block = this.#block;
    block.begin(BLOCK_SECTION_HEADER);
    block.u32(BYTE_ORDER_MAGIC);
    block.u16(1);
    block.u16(0);
    block.u32(NO_SECTION_LENGTH);
    block.u32(NO_SECTION_LENGTH);
    if (hardware !== undefined) block.optionText(SHB_HARDWARE, hardware);
    if (os !== undefined) block.optionText(SHB_OS, os);
    if (application !== undefined) block.optionText(SHB_USERAPPL, application);
    if (comment !== undefined) block.optionText(OPT_COMMENT, comment);
    this.#sink.write(block.end());
  }

  #writeInterface({ name, medium, description, mac }: CaptureInterface): void {
    const block = this.#block;
    block.begin(BLOCK_INTERFACE_DESCRIPTION);
    block.u16(linkTypeOf(medium));
    block.u16(0);
    block.u32(this.#snapLength);
    block.optionText(IF_NAME, name);
    if (description !== undefined) block.optionText(IF_DESCRIPTION, description);
    if (mac != null) block.optionBytes(IF_MAC_ADDR, mac);
    block.optionBytes(IF_TSRESOL, NANOSECONDS);
    this.#sink.write(block.end());
  }

  #requireInterface(id: number): void {
    if (this.#interfaces[id] === undefined) throw new RangeError(`the capture has no interface ${id}`);
  }
}
