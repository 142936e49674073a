/**
 * The numbers of the pcapng format (draft-ietf-opsawg-pcapng).
 *
 *     block:   | type u32 | total length u32 | body, padded to 4 | total length u32 |
 *     option:  | code u16 | length u16 | value, padded to 4 |    code 0 ends the list
 */

/** Block types. */
export const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
export const BLOCK_INTERFACE_DESCRIPTION = 1;
export const BLOCK_SIMPLE_PACKET = 3;
export const BLOCK_INTERFACE_STATISTICS = 5;
export const BLOCK_ENHANCED_PACKET = 6;

/** In a section's header: read in the other byte order, the section was written in it. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Bytes of a block without a body. */
export const BLOCK_FRAME_LEN = 12;

/** Options of every block. */
export const OPT_END = 0;
export const OPT_COMMENT = 1;

/** Options of a section header. */
export const SHB_HARDWARE = 2;
export const SHB_OS = 3;
export const SHB_USERAPPL = 4;

/** Options of an interface description. */
export const IF_NAME = 2;
export const IF_DESCRIPTION = 3;
export const IF_MAC_ADDR = 6;
export const IF_TSRESOL = 9;
export const IF_TSOFFSET = 14;

/** Options of an enhanced packet. */
export const EPB_FLAGS = 2;

/** Options of interface statistics. */
export const ISB_IFRECV = 4;
export const ISB_IFDROP = 5;

/** Direction bits of `EPB_FLAGS`. */
export const DIRECTION_MASK = 3;
export const DIRECTION_INBOUND = 1;
export const DIRECTION_OUTBOUND = 2;

/** The larger multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
