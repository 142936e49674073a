/**
 * What an application may do and how much of it: decided by who runs the sockets, not by the sockets.
 */

import type { BehaviorProfile, PeerIdentity } from '../port/index.ts';

/** Bounds of one session. */
export interface AfdLimits {
  /** Descriptors open at once; past it WSAEMFILE. */
  readonly sockets: number;
  /** Requests pending at once; past it WSAENOBUFS. Waits for the events of a socket count apart: as many as there may be sockets. */
  readonly pendingRequests: number;
  /** Bytes of buffers of pending requests, and bytes taken from sends that no send buffer had room for; past it WSAENOBUFS. */
  readonly bytes: number;
}

/** What a session gets that was opened without limits. */
export const DEFAULT_LIMITS: AfdLimits = { sockets: 16_384, pendingRequests: 65_536, bytes: 256 << 20 };

/** Decisions of whoever runs the sockets. */
export interface AfdPolicy {
  /** Whether a client may open raw sockets (RAW-02). */
  mayOpenRaw(identity: PeerIdentity): boolean;
  /** Whether a process exists, which a socket is to be duplicated for; absent: all positive ids do. */
  readonly processExists?: (pid: number) => boolean;
  /** What sessions say of whose behaviour applications should show; absent: 'windows'. */
  readonly profile?: BehaviorProfile;
  /** A session's `onComplete` threw. Absent: ignored, since nobody but that session is harmed. */
  readonly onFault?: (error: unknown) => void;
}

/** The policy of a process that is its own and only client. */
export const EMBEDDED_POLICY: AfdPolicy = { mayOpenRaw: () => true };

/** The policy of a daemon: raw sockets are for root. */
export const DAEMON_POLICY: AfdPolicy = { mayOpenRaw: (identity) => identity.uid === 0 };
