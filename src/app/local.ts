/**
 * A host inside this process: a stack on links of your choice, and the sockets over it.
 *
 *     const wire = new MemorySegment({ scheduler: time });
 *     const host = createLocalHost({ scheduler: time, links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }] });
 *     const ws = host.winsock();          // a Winsock of its own; or attachTo({ local: host }) for the process's
 *
 * 127.0.0.1 is there without any link.
 */

import { getegid, geteuid, pid } from 'node:process';
import { type Afd, createAfd, EMBEDDED_POLICY, observeEndpoint } from '../afd/index.ts';
import type { Random, Scheduler } from '../base/index.ts';
import { createHost, type HostOptions, RealTime, type RunningHost, SystemRandom } from '../engine/index.ts';
import type { AfdPort, BehaviorProfile, PeerIdentity } from '../port/index.ts';
import { createWinsock, type Winsock } from '../winsock/index.ts';
import type { LocalSockets } from './attach.ts';

/** What a local host is made of: see `createHost`. Its endpoints are the sockets'. */
export type LocalHostOptions = Omit<HostOptions, 'observer'>;

/** A stack with its sockets. */
export interface LocalHost extends LocalSockets {
  readonly host: RunningHost;
  readonly afd: Afd;
  /** A session, this process's unless another identity is given. */
  openSession(identity?: PeerIdentity): AfdPort;
  /** A Winsock with a session of its own. */
  winsock(profile?: BehaviorProfile): Winsock;
  /** Ends everything at once. */
  close(): void;
}

/** Makes a host of this process, and lets it live. */
export function createLocalHost(options: LocalHostOptions = {}): LocalHost {
  const scheduler: Scheduler = options.scheduler ?? new RealTime();
  const random: Random = options.random ?? new SystemRandom();
  const host = createHost({ ...options, scheduler, random, observer: observeEndpoint });
  const afd = createAfd({
    stack: host.stack,
    scheduler,
    random,
    policy: EMBEDDED_POLICY,
    ...(options.allocator === undefined ? {} : { allocator: options.allocator }),
  });
  return {
    host,
    afd,
    openSession: (identity = ownIdentity()) => afd.openSession(identity),
    winsock: (profile) => createWinsock({ port: afd.openSession(ownIdentity()), scheduler, profile }),
    close() {
      afd.close();
      host.close();
    },
  };
}

/** This process; user and group are 0 where the system has none. */
function ownIdentity(): PeerIdentity {
  return { pid, uid: geteuid?.() ?? 0, gid: getegid?.() ?? 0 };
}
