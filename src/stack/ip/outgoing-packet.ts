/** A packet of a transport, on its way out. */

import { EMPTY } from '../../base/index.ts';
import type { Path } from '../host.ts';
import { NO_USER_MTU } from './packet-size.ts';

/** A packet that waits in a ring, and how far it has been sent. Reused for packet after packet. */
export class OutgoingPacket {
  path: Path | null = null;
  protocol = 0;
  /** Bytes behind the IP header. */
  length = 0;
  ttl = 0;
  trafficClass = 0;
  /** See `Path.writeHeader`. */
  flowLabel = 0;
  dontFragment = false;
  /** Sent to find out the path's MTU: only the link's counts. */
  isProbe = false;
  userMtu = NO_USER_MTU;
  cause = 0;
  owner: object | null = null;
  /** How many of the first bytes go behind the IP header in the header slab: those of the transport's header. */
  inlineLength = 0;
  /** The packet brings an IP header of its own, of `inlineLength` bytes; `length` counts it. */
  hasOwnHeader = false;
  /** IPv4 options, padded; `EMPTY`: none. What of them later fragments carry. */
  options: Uint8Array = EMPTY;
  copiedOptions: Uint8Array = EMPTY;
  /** Where the checksum field is in the transport's header when it is partial, -1 when it is whole. */
  checksumOffset = -1;
  /** Payload bytes of each datagram when the link is to cut the packet (USO); 0 when it is one. */
  segmentSize = 0;
  /** It is cut here all the same: the link can't any more, or what it would make is too large for the path. */
  isCut = false;
  /** Bytes that earlier fragments carried, of a packet that is cut payload bytes that earlier datagrams did; their identification. */
  progress = 0;
  identification = 0;
}
