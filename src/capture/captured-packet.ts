/** What a capture is made of, for readers and writers alike. */

/** Which way a packet went, as the host sees it. */
export type Direction = 'in' | 'out' | 'unknown';

/** An interface of a capture that was read. */
export interface ReadInterface {
  readonly linkType: number;
  /** 0: no limit. */
  readonly snapLength: number;
  /** Empty when the file does not say; a pcap never does. */
  readonly name: string;
  readonly description: string;
}

/** A packet of a capture that was read. `bytes` is a view of the file's bytes. */
export interface CapturedPacket {
  readonly interface: ReadInterface;
  /** Since 1970; `null` when the file does not say (a Simple Packet Block). */
  readonly timeNs: bigint | null;
  readonly bytes: Uint8Array;
  /** Bytes on the wire; more than `bytes` has when it was cut. */
  readonly originalLength: number;
  readonly direction: Direction;
  /** All comments, in order. */
  readonly comments: readonly string[];
}
