/**
 * A server with one client, whose connection is there already: what a provider host is to its application.
 */

import type { Socket } from 'node:net';
import { PoolAllocator } from '../base/index.ts';
import {
  type AfdPort,
  type BehaviorProfile,
  type CatalogPort,
  type NamePort,
  NO_CATALOG,
  NO_NAMES,
  type PeerIdentity,
} from '../port/index.ts';
import type { IpcLog } from './log.ts';
import { DEFAULT_LIMITS, type GoodbyeReason, type IpcLimits } from './protocol.ts';
import { IpcSession, type SessionHost, type SessionView } from './session.ts';

export interface ConnectionOptions {
  /** Who is at the other end. */
  readonly identity: PeerIdentity;
  /** What it reaches; closed with the connection. */
  readonly port: AfdPort;
  readonly names?: NamePort;
  readonly catalog?: CatalogPort;
  readonly profile?: BehaviorProfile;
  readonly limits?: Partial<IpcLimits>;
  /** How long the client may take for its HELLO, ms. */
  readonly handshakeTimeoutMs?: number;
  readonly log?: IpcLog;
  /** Told once, when the connection is gone. */
  readonly onEnd: () => void;
}

export interface ServedConnection {
  readonly view: SessionView;
  /** Says GOODBYE and ends the connection. Idempotent. */
  end(reason: GoodbyeReason, text: string): void;
}

const HANDSHAKE_TIMEOUT_MS = 5000;

/** Serves the client at the other end of `socket` until either ends. */
export function serveConnection(socket: Socket, options: ConnectionOptions): ServedConnection {
  const { identity, port, names = NO_NAMES, catalog = NO_CATALOG, onEnd } = options;
  const host: SessionHost = {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    profile: options.profile ?? 'windows',
    allocator: new PoolAllocator(),
    log: options.log ?? ((): void => {}),
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
    openSession: () => port,
    openNames: () => names,
    openCatalog: () => catalog,
    openWatch: () => null,
    refuseFor: () => 'a provider host serves its own application only',
    sessionEnded: onEnd,
  };
  return new IpcSession(1, identity, socket, host);
}
