/**
 * What an observer may know of sockets and sessions: for netstat and status.
 */

import type { PeerIdentity } from '../port/index.ts';

/** One socket, for netstat. */
export interface SocketView {
  /** The stack's endpoint id. */
  readonly id: number;
  /** SOCK_*, IPPROTO_*. */
  readonly type: number;
  readonly protocol: number;
  /** RFC 9293's name for a stream, empty for others. */
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes not yet acknowledged or sent, and bytes not yet read. */
  readonly sendQueue: number;
  readonly receiveQueue: number;
  /** Who made it. */
  readonly uid: number;
  /** Processes that hold a descriptor; none for a socket that still sends after its last close. */
  readonly pids: readonly number[];
}

/** One session, for status. */
export interface AfdSessionView {
  readonly identity: PeerIdentity;
  readonly sockets: number;
  readonly pendingRequests: number;
  readonly bytes: number;
}
