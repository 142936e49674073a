/**
 * What the running daemon consists of, for the control API and the metrics.
 */

import type { Afd } from '../afd/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { IpcServer } from '../ipc/index.ts';
import type { LinkStatus } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import type { Captures } from './captures.ts';
import type { DaemonCatalog } from './catalog.ts';
import type { DaemonConfig } from './config.ts';
import type { Forwards } from './forwards.ts';
import type { Impairment } from './impairment.ts';
import type { DaemonNames } from './names.ts';
import type { Share } from './share.ts';
import type { TcpTraces } from './tcp-traces.ts';
import type { Watches } from './watches.ts';

export interface DaemonState {
  readonly config: DaemonConfig;
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  readonly afd: Afd;
  readonly ipc: IpcServer;
  readonly names: DaemonNames;
  readonly catalog: DaemonCatalog;
  readonly captures: Captures;
  readonly traces: TcpTraces;
  /** Who watches which application's calls. */
  readonly watches: Watches;
  /** One for each link. */
  readonly impairments: readonly Impairment[];
  readonly forwards: Forwards;
  /** The way through the host's own sockets; `null` without one. */
  readonly share: Share | null;
  /** The devices, and the kernel's side of them. */
  readonly linkStatuses: readonly LinkStatus[];
  /** The stop has begun: what it serves may be gone. */
  readonly isStopping: boolean;
  readonly uptimeSec: number;
  /** Something threw that should not. */
  fault(error: unknown): void;
  /** Ends the daemon, after the answer that announces it. */
  shutDown(): void;
}
