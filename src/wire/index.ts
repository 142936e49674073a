/**
 * wire: the codecs. Bytes in, numbers out; numbers in, bytes out. One protocol a file; knows no connection, route or clock.
 *
 * **Parsing.** `parseX(bytes, at, end, into)` reads the header that starts at `at` of something that ends at `end`, fills the
 * caller's header object and answers a {@link DropReason}: 0 means good. Malformed input never throws. After 0 every offset
 * in the header object lies in `at … end` and in order (`at ≤ payloadAt ≤ end`), so nothing downstream checks a length
 * again; after anything else, only what the function's comment names may be read. Header objects are flat, of one shape,
 * made once and filled anew for each packet: nothing is allocated, and nothing in them outlives the next packet. The bytes
 * are borrowed: offsets point into them.
 *
 *     const ip = new Ipv4Header();   const tcp = new TcpHeader();            // once
 *     if (parseIpv4(bytes, at, end, ip) !== DropReason.none) return;         // per packet
 *     if (parseTcp(bytes, ip.payloadAt, ip.end, tcp) !== DropReason.none) return;
 *     const pseudo = pseudoHeaderSumV4(ip.src, ip.dst, IPPROTO_TCP, ip.end - ip.payloadAt);
 *     if (!isTcpChecksumRight(bytes, ip.payloadAt, ip.end, pseudo)) return;  // unless the frame's checksum is trusted
 *     handle(tcp.seq, bytes, tcp.payloadAt, tcp.payloadLength);
 *
 * Checked by the parsers: lengths, versions, options, the checksums of IPv4 and ICMP. Not checked: transport checksums,
 * which a device may have verified (`isTcpChecksumRight`, `isUdpChecksumRight`), and addresses, which are the host's.
 *
 * **Writing.** `writeX(into, at, fields…)` writes a header at `into[at]` and answers where the next one goes. The caller has
 * made sure of the room (`X_HEADER_LEN`, `TX_HEADER_ROOM`) and that fields are in range: excess bits are cut off. A transport
 * header is written with checksum 0 and sealed last, with the sums of what lies elsewhere:
 *
 *     const tcpAt = writeIpv4(into, at, 0, 20 + 20 + length, id, IPV4_DONT_FRAGMENT, 64, IPPROTO_TCP, src, dst);
 *     writeTcp(into, tcpAt, 1025, 80, seq, ack, TCP_ACK, window, 0, 0);
 *     const pseudo = pseudoHeaderSumV4(src, dst, IPPROTO_TCP, 20 + length);
 *     sealTcp(into, tcpAt, 20, sumBytes(payload, from, length, pseudo));      // full: the payload lies in a send buffer
 *     sealPartial(into, tcpAt + TCP_CHECKSUM_OFFSET, pseudo);                 // or partial: the device completes it
 *
 * **Numbers.** Addresses, sequence numbers and timestamps are `| 0` integers; print them with `>>> 0`. Offsets and lengths
 * are bytes. Sums and checksums: see `checksum.ts`.
 *
 * Super-segments (see `base/frames`) are cut into packets by {@link SegmentCutter}; {@link completeChecksum} does what a
 * device does to a partial checksum; {@link FramePackets} does both for a frame of a batch. {@link formatFrame} is one line
 * of text about a frame.
 */

export * from './acc-ecn-option.ts';
export * from './arp.ts';
export * from './checksum.ts';
export * from './dhcpv4.ts';
export * from './dhcpv6.ts';
export * from './domain-names.ts';
export * from './drop-reason.ts';
export * from './drop-reason-info.ts';
export * from './ecn.ts';
export * from './ethernet.ts';
export { formatFrame } from './format.ts';
export { formatTcpFlags, formatTcpOptions } from './format-tcp.ts';
export * from './frame-packets.ts';
export * from './icmpv4.ts';
export * from './icmpv6.ts';
export * from './igmp.ts';
export * from './ipv4.ts';
export * from './ipv4-options.ts';
export * from './ipv6.ts';
export * from './ipv6-extensions.ts';
export * from './mld.ts';
export * from './ndp.ts';
export * from './router-advertisement.ts';
export * from './segment-offload.ts';
export * from './tcp.ts';
export * from './tcp-options.ts';
export * from './udp.ts';
