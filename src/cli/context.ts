/**
 * What every command is given, and the options that all of them have.
 */

import type { Command } from 'commander';
import { DEFAULT_CONTROL, type ExitCode } from '../daemon/index.ts';
import { ControlClient } from './control-client.ts';
import type { Terminal } from './terminal.ts';

/** Names the control socket for all commands. */
export const CONTROL_VARIABLE = 'WINSOCKD_CONTROL';

export interface Context {
  readonly terminal: Terminal;
  /** What the process ends with, unless a command fails. */
  exitCode: ExitCode;
}

/** Options that {@link withCommon} adds. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly control?: string;
}

/** Adds `--json` and `--control`. */
export function withCommon(command: Command): Command {
  return command
    .option('--json', 'print JSON with a stable shape')
    .option('--control <path>', `the daemon's control socket (or ${CONTROL_VARIABLE}; default ${DEFAULT_CONTROL})`);
}

/** The client for a command's options. */
export function clientOf(context: Context, options: CommonOptions): ControlClient {
  return new ControlClient(options.control ?? context.terminal.environment[CONTROL_VARIABLE] ?? DEFAULT_CONTROL);
}

/** Prints an answer: as JSON, or as `render` words it. */
export function print<T>(context: Context, options: CommonOptions, value: T, render: (value: T) => string): void {
  context.terminal.out(options.json === true ? `${JSON.stringify(value, null, 2)}\n` : render(value));
}
