/**
 * What the command line says by its exit code, and the error that carries one.
 */

/** Exit codes of every command; the same as the daemon's own. */
export const ExitCode = {
  ok: 0,
  /** The command worked and its answer is no: nothing came back, a script failed, something must be fixed. */
  no: 1,
  /** The command line is wrong, or a value on it. */
  usage: 2,
  /** No daemon answers at the control socket. */
  noDaemon: 3,
  /** The kernel or the daemon refuses it to this user. */
  notPermitted: 4,
  /** Ended by SIGINT before there was an answer, as shells number it. */
  interrupted: 130,
} as const;
export type ExitCode = number;

/** A command that ends without its answer. `message` says cause and remedy; `code` is stable, for `--json`. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** A value on the command line that cannot be: `what` it is for, what it was, and what is taken. */
export function usageError(what: string, given: string, allowed: string): CliError {
  return new CliError(ExitCode.usage, 'usage', `${what}: "${given}" is not ${allowed}`);
}
