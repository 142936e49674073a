/**
 * What the running daemon consists of, for the control API and the metrics.
 */

import type { Afd } from '../afd/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { IpcServer } from '../ipc/index.ts';
import type { Stack } from '../stack/index.ts';
import type { Captures } from './captures.ts';
import type { DaemonConfig } from './config.ts';
import type { Impairment } from './impairment.ts';

export interface DaemonState {
  readonly config: DaemonConfig;
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  readonly afd: Afd;
  readonly ipc: IpcServer;
  readonly captures: Captures;
  readonly impairment: Impairment;
  /** `tun`, `tap` or `memory`, and its name. */
  readonly device: { readonly kind: string; readonly name: string };
  /** Whether rights were given up after the device was open. */
  readonly hasDroppedPrivileges: boolean;
  readonly uptimeSec: number;
  /** Ends the daemon, after the answer that announces it. */
  shutDown(): void;
}
