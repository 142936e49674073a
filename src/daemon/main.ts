/**
 * The daemon's executable: `node dist/daemon/main.js [--config FILE]`. `winsockd up` and the systemd unit start it.
 *
 * Settings come from the file, the environment (`WINSOCKD_…`) and WINSOCKD_CONFIG_JSON. Exit codes are those of the command
 * line: 0 ended in good order, 1 failed, 2 settings, 4 not permitted. The cause is one line on standard error.
 */

import { closeSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CONFIG_JSON_VARIABLE, type ReadyMessage } from '../port/index.ts';
import { type DaemonConfig, loadConfig } from './config.ts';
import { ConfigError, type ExitCode, exitCodeOf } from './errors.ts';
import { runDaemon } from './run.ts';

process.title = 'winsockd';
// Set, not exit(): the log's last lines leave first.
process.exitCode = await main();

async function main(): Promise<ExitCode> {
  let config: DaemonConfig;
  try {
    config = loadConfig({ environment: process.env, ...readArguments() });
  } catch (error) {
    tellReadyFd(error);
    return failed(error);
  }
  return await runDaemon(config).catch(failed);
}

function failed(error: unknown): ExitCode {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`winsockd: ${text}\n`);
  return exitCodeOf(error);
}

function readArguments(): { readonly file?: string } {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    return values.config === undefined ? {} : { file: values.config };
  } catch (error) {
    throw new ConfigError(
      'arguments',
      process.argv.slice(2).join(' '),
      `--config FILE only (${(error as Error).message})`,
    );
  }
}

/** Settings that are wrong are told to whoever waits, too, though the descriptor is one of them. */
function tellReadyFd(error: unknown): void {
  try {
    const { readyFd } = JSON.parse(process.env[CONFIG_JSON_VARIABLE] ?? '{}') as { readyFd?: unknown };
    if (typeof readyFd !== 'number') return;
    const message: ReadyMessage = {
      ready: false,
      error: (error as Error).message,
      exitCode: exitCodeOf(error),
    };
    writeSync(readyFd, `${JSON.stringify(message)}\n`);
    closeSync(readyFd);
  } catch {
    // Nobody waits, or nobody can be told.
  }
}
