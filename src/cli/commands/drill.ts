/** `winsockd drill FILE…`: packet scripts against the stack, in virtual time. Needs no daemon and no rights. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatTrace, runScript, type ScriptResult } from '../../sim/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

interface DrillOptions {
  readonly trace?: boolean;
}

/** One script of `drill --json`, which answers a list of them. */
export interface DrillReport {
  readonly file: string;
  readonly passed: boolean;
  /** What was not as expected; `line` is 1-based. */
  readonly error: {
    readonly line: number;
    readonly message: string;
    readonly expected: string | null;
    readonly seen: string | null;
  } | null;
  readonly notes: readonly string[];
  /** Virtual time, ms. */
  readonly duration: number;
  readonly trace: ScriptResult['trace'];
}

export function drillCommand(session: Session): Command {
  return leaf<DrillOptions>(
    session,
    'drill',
    'run packet scripts in packetdrill’s language, in virtual time',
    drill,
  )
    .argument('<file...>', 'the scripts')
    .option('-t, --trace', 'show every packet, both ways');
}

async function drill({ context, options, args, print }: Invocation<DrillOptions>): Promise<ExitCode> {
  // All are read before the first runs: a wrong name is found at once.
  const scripts = args.map((file) => ({ file, text: readScript(resolve(context.directory, file), file) }));
  const results = scripts.map(({ file, text }) => runScript(text, { name: file }));
  const failures = results.filter(({ passed }) => !passed).length;
  print(results.map(reportOf), () => {
    const texts = results.map((result) => resultText(result, options.trace === true));
    if (results.length > 1) texts.push(`${results.length - failures} ok, ${failures} failed\n`);
    return texts.join('');
  });
  return failures === 0 ? ExitCode.ok : ExitCode.no;
}

function readScript(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES')
      throw new CliError(ExitCode.notPermitted, 'not-permitted', `${shown} cannot be read by this user`);
    const cause =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'this is a directory; name its files'
          : message;
    throw new CliError(ExitCode.usage, 'usage', `${shown}: ${cause}`);
  }
}

function resultText(result: ScriptResult, hasTrace: boolean): string {
  const { name, passed, error, notes, trace, duration } = result;
  const lines = [`${passed ? 'ok' : 'failed'} ${name} (${(duration / 1000).toFixed(3)} s of virtual time)`];
  const details = [...(error === null ? [] : [error.message]), ...notes.map((note) => `note: ${note}`)];
  if (hasTrace && trace.length > 0) details.push(formatTrace(trace));
  for (const detail of details) lines.push(...detail.split('\n').map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

function reportOf({ name, passed, error, notes, trace, duration }: ScriptResult): DrillReport {
  return {
    file: name,
    passed,
    error:
      error === null
        ? null
        : { line: error.line, message: error.message, expected: error.expected, seen: error.actual },
    notes,
    duration,
    trace,
  };
}
