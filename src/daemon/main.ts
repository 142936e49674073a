/**
 * The daemon as a program: starts, tells that it is ready, serves until a signal or the control API ends it.
 */

import type { DaemonConfig } from './config.ts';
import { ExitCode, exitCodeOf } from './errors.ts';
import { Notifier } from './notify.ts';
import { startDaemon } from './supervisor.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the daemon in this process.
 * @param onReady told once it serves
 * @returns the exit code, when it has stopped and left nothing behind
 * @throws what kept it from starting
 */
export async function runDaemon(config: DaemonConfig, onReady: () => void = () => {}): Promise<ExitCode> {
  const notifier = new Notifier(config.readyFd, process.env);
  const daemon = await startDaemon(config).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    notifier.ready({ ready: false, error: text, exitCode: exitCodeOf(error) });
    throw error;
  });
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    // Asked twice: the orderly way does not end.
    if (++signals > 1) process.exit(ExitCode.no);
    daemon.log.info({ signal }, 'signal');
    notifier.stopping();
    void daemon.stop();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  notifier.ready({ ready: true, pid: process.pid, socket: config.socket, control: config.control });
  onReady();
  const cause = await daemon.stopped;
  for (const signal of SIGNALS) process.off(signal, onSignal);
  return cause === null ? ExitCode.ok : ExitCode.no;
}
