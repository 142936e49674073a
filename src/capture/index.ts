/**
 * capture: packets to and from capture files, which Wireshark, tshark and tcpdump read and write.
 *
 * **Writing.** A {@link PcapngWriter} turns packets into blocks and hands each block to a {@link ByteSink}; where the bytes go
 * is the sink's business (`capture/files` has one for files). {@link FrameCapture} records the frames of link batches:
 * super-segments are cut into the packets that a wire would carry and partial checksums completed, in a copy. A packet's
 * comment says what its bytes don't: whose it is, why it was sent or dropped.
 *
 *     const writer = new PcapngWriter({ write: (block) => parts.push(block.slice()) }, { application: 'example' });
 *     const id = writer.addInterface({ name: 'wsk0', medium: 'ip' });
 *     writer.writePacket(id, Date.now(), packet, 0, packet.length, 'in', 'dropped: tcpPaws');
 *
 * A block is borrowed until `write` returns. Times are milliseconds since 1970, written in nanoseconds. Writing throws only
 * for a caller's bug (an interface that is not there), and what a sink throws.
 *
 * **Reading.** {@link readCapture} gives the packets of a pcapng or pcap file one after the other, as views of its bytes:
 *
 *     for (const { bytes, interface: { linkType }, comments } of readCapture(file)) …
 *
 * Lengths are checked before they are trusted; a file that can't be read on throws a {@link CaptureError}, after the packets
 * before that place. Memory is bounded by the interfaces of a section.
 *
 * Nothing here knows Node: files are in `capture/files`.
 */

export { CaptureError, type CaptureFault } from './capture-error.ts';
export type { CapturedPacket, Direction, ReadInterface } from './captured-packet.ts';
export { FrameCapture, type FrameCaptureOptions } from './frame-capture.ts';
export * from './linktype.ts';
export {
  type ByteSink,
  type CaptureInterface,
  MAX_SNAP_LENGTH,
  type PcapngOptions,
  PcapngWriter,
  type SectionInfo,
} from './pcapng-writer.ts';
export { readCapture } from './read.ts';
