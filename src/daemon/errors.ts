/**
 * Why the daemon does not start: what was wrong, what is allowed, and what a script may conclude.
 */

/** Exit codes of the daemon and of every command. */
export const ExitCode = {
  ok: 0,
  /** The answer is no; or the daemon could not start for a reason that has no code of its own. */
  no: 1,
  usage: 2,
  daemonNotThere: 3,
  notPermitted: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A setting that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Where it was found: a flag, an environment variable, or a file and the key in it. */
  readonly path: string;
  readonly value: unknown;
  /** What would be right, in words. */
  readonly allowed: string;

  constructor(path: string, value: unknown, allowed: string) {
    const shown = value === undefined ? 'missing' : JSON.stringify(value);
    super(`${path}: ${shown} is not possible; allowed: ${allowed}`);
    this.path = path;
    this.value = value;
    this.allowed = allowed;
  }
}

/** The daemon cannot run here and now. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.no) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a failed start exits with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof StartError) return error.exitCode;
  if (error instanceof ConfigError) return ExitCode.usage;
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  return ['EPERM', 'EACCES', 'notPermitted'].includes(code) ? ExitCode.notPermitted : ExitCode.no;
}
