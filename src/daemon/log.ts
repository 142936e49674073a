/**
 * The daemon's log: lines of JSON, to standard error or a file.
 */

import { closeSync, openSync } from 'node:fs';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import type { DaemonConfig } from './config.ts';
import { ExitCode, StartError } from './errors.ts';
import type { Undo } from './undo.ts';

/** @throws {StartError} for a file that can't be written */
export function openLog(config: DaemonConfig, undo: Undo): Logger {
  let fd = 2;
  if (config.log !== undefined) {
    try {
      fd = openSync(config.log, 'a', 0o640);
    } catch (error) {
      throw new StartError(
        `cannot write the log ${config.log}: ${(error as Error).message}`,
        ExitCode.notPermitted,
      );
    }
    const file = fd;
    undo.add(() => closeSync(file));
  }
  const level: LevelWithSilent = config.logLevel;
  const destination = pino.destination({ dest: fd, sync: true });
  return pino({ level, base: { pid: process.pid } }, destination);
}
