/**
 * One connection between the host under test and the script's peer: its ports, and how the script's small numbers map to
 * those on the wire.
 *
 * Scripts count sequence numbers from the initial ones: `S 0:0(0)`, then `1:1001(1000)`. The peer's start somewhere in the
 * 32 bits, so that scripts meet the wrap too; the host's are learned from its SYN.
 */

import type { Random } from '../../base/index.ts';

export class Flow {
  /** 0 until known. */
  localPort: number;
  remotePort: number;
  /** Add to a number of the script to get that of the wire. */
  readonly remoteOffset: number;
  localOffset = 0;
  /** The same for the host's timestamps; `null` until the first was seen. */
  timestampOffset: number | null = null;
  /** Whether the host has sent on it: then its ports are certain. */
  isKnown = false;

  constructor(localPort: number, remotePort: number, random: Random) {
    this.localPort = localPort;
    this.remotePort = remotePort;
    this.remoteOffset = random.next();
  }

  /** The wire's number for the peer's `seq`, and back. */
  toWireRemote(seq: number): number {
    return (seq + this.remoteOffset) | 0;
  }

  fromWireRemote(seq: number): number {
    return (seq - this.remoteOffset) >>> 0;
  }

  /** The wire's number for the host's `seq`, and back. */
  toWireLocal(seq: number): number {
    return (seq + this.localOffset) | 0;
  }

  fromWireLocal(seq: number): number {
    return (seq - this.localOffset) >>> 0;
  }
}

/** The byte at `offset` of what the peer (or the host) sends: so that a byte out of place is noticed. */
export function patternByte(offset: number): number {
  return (offset ^ (offset >>> 8) ^ (offset >>> 16)) & 0xff;
}

/** `length` bytes of the pattern from `offset` on. */
export function pattern(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(offset + i);
  return bytes;
}
