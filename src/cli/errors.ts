/**
 * How commands fail: with an exit code and a sentence that ends with what to type.
 */

import { ExitCode } from '../daemon/index.ts';

/** Ends a command. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** For programs, in `--json`. */
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** A wrong word on the command line. */
export function usageError(message: string): CliError {
  return new CliError(ExitCode.usage, 'usage', message);
}
