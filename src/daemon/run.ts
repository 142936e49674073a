/**
 * The daemon as a program: starts, tells that it is ready, serves until a signal or the control API ends it.
 */

import type { DaemonConfig } from './config.ts';
import { ExitCode, exitCodeOf } from './errors.ts';
import { Notifier } from './notify.ts';
import { startDaemon } from './supervisor.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A signal that comes sooner than this after the first is the same wish told twice, by the terminal and by a parent; ms. */
const SAME_WISH_MS = 1000;

/**
 * Runs the daemon in this process.
 * @returns the exit code, when it has stopped and left nothing behind
 * @throws what kept it from starting
 */
export async function runDaemon(config: DaemonConfig): Promise<ExitCode> {
  const notifier = new Notifier(config.readyFd, process.env);
  const daemon = await startDaemon(config).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    notifier.ready({ ready: false, error: text, exitCode: exitCodeOf(error) });
    throw error;
  });
  let firstAt = Number.NaN;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    // Asked for again: the orderly way takes too long for somebody.
    if (now - firstAt > SAME_WISH_MS) process.exit(ExitCode.no);
    if (Number.isNaN(firstAt)) {
      firstAt = now;
      daemon.log.info({ signal }, 'signal');
      void daemon.stop();
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  void daemon.stopping.then(() => notifier.stopping());
  const missing = await Promise.race([
    daemon.whenUsable((reasons) => {
      daemon.log.info({ missing: reasons }, 'waiting');
      notifier.waiting(reasons);
    }),
    daemon.stopping.then(() => null),
  ]);
  if (missing !== null) {
    const { socket, control } = config;
    if (missing.length === 0) daemon.log.info('ready');
    else daemon.log.warn({ missing }, 'ready, but not all addresses can be used');
    const ready = { ready: true, pid: process.pid, socket, control } as const;
    notifier.ready(missing.length === 0 ? ready : { ...ready, missing });
  } else {
    notifier.ready({ ready: false, error: 'ended before it was ready', exitCode: ExitCode.no });
  }
  const cause = await daemon.stopped;
  for (const signal of SIGNALS) process.off(signal, onSignal);
  return cause === null ? ExitCode.ok : ExitCode.no;
}
