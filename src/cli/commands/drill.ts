/** `winsockd drill FILE…`: packet scripts against the stack, in virtual time. Needs no daemon and no rights. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { formatTrace, runScript, type ScriptResult } from '../../sim/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { type Column, table } from '../render.ts';

interface DrillOptions {
  readonly trace?: boolean;
  readonly kernel?: boolean;
  readonly summary?: boolean;
}

/** One script of `drill --json`, which answers a list of them. */
export interface DrillReport {
  readonly file: string;
  readonly passed: boolean;
  /** It asks for something that does not exist here, and was not judged. */
  readonly unsupported: boolean;
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
    .argument('<file...>', 'the scripts, or folders of them')
    .option('-t, --trace', 'show every packet, both ways')
    .option(
      '-k, --kernel',
      'scripts for a kernel: heed their sysctl lines, do not compare a kernel’s own habits',
    )
    .option('-s, --summary', 'a line for each script, and counts by folder');
}

async function drill({ context, options, args, print }: Invocation<DrillOptions>): Promise<ExitCode> {
  const isKernel = options.kernel === true;
  // All are read before the first runs: a wrong name is found at once.
  const files = args.flatMap((file) => scriptsIn(context.directory, file));
  const scripts = files.map((file) => ({ file, text: readScript(resolve(context.directory, file), file) }));
  const results = scripts.map(({ file, text }) => runScript(text, { name: file, isKernel }));
  // A kernel's scripts ask for what only a kernel has; ours may not.
  const failures = results.filter(
    ({ passed, isUnsupported }) => !passed && !(isKernel && isUnsupported),
  ).length;
  print(results.map(reportOf), () => {
    if (options.summary === true) return summary(results);
    const texts = results.map((result) => resultText(result, options.trace === true));
    if (results.length > 1) texts.push(`${results.length - failures} ok, ${failures} failed\n`);
    return texts.join('');
  });
  return failures === 0 ? ExitCode.ok : ExitCode.no;
}

/** A file itself; of a folder the scripts in it and below, in order. */
function scriptsIn(directory: string, file: string): string[] {
  const path = resolve(directory, file);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [file];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.pkt'),
  );
  if (names.length === 0)
    throw new CliError(ExitCode.usage, 'usage', `${file}: there is no script in this folder`);
  return names.sort().map((name) => join(file, name));
}

function readScript(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES')
      throw new CliError(ExitCode.notPermitted, 'not-permitted', `${shown} cannot be read by this user`);
    const cause = code === 'ENOENT' ? 'there is no such file' : message;
    throw new CliError(ExitCode.usage, 'usage', `${shown}: ${cause}`);
  }
}

type Verdict = 'ok' | 'failed' | 'not judged';

function verdictOf({ passed, isUnsupported }: ScriptResult): Verdict {
  return passed ? 'ok' : isUnsupported ? 'not judged' : 'failed';
}

/** A line for each script with the first line of why not, then how many of each folder. */
function summary(results: readonly ScriptResult[]): string {
  const lines = table(results, [
    { title: 'verdict', value: verdictOf },
    { title: 'script', value: ({ name }) => name },
    { title: 'because', value: ({ name, error }) => because(name, error?.message ?? '') },
  ]);
  const folders = [...new Set(results.map(({ name }) => dirname(name)))];
  const rows = [...folders, ''].map((folder) => ({
    folder: folder === '' ? 'all' : folder,
    of: results.filter(({ name }) => folder === '' || dirname(name) === folder).map(verdictOf),
  }));
  const count = (verdict: Verdict): Column<(typeof rows)[number]> => ({
    title: verdict,
    align: 'right',
    value: ({ of }) => of.filter((each) => each === verdict).length,
  });
  const counts = table(rows, [
    { title: 'folder', value: ({ folder }) => folder },
    count('ok'),
    count('failed'),
    count('not judged'),
  ]);
  return `${lines}\n${counts}`;
}

/** `22: the flags differs`, and what was seen for what. */
function because(name: string, message: string): string {
  const [first = '', ...details] = message.replace(`${name}:`, '').split('\n');
  const values = details.map((detail) => detail.replace(/^\s*(expected|seen): +/, ''));
  return values.length === 2 ? `${first}: ${values[1]} for ${values[0]}` : first;
}

function resultText(result: ScriptResult, hasTrace: boolean): string {
  const { name, passed, error, notes, trace, duration } = result;
  const lines = [`${passed ? 'ok' : 'failed'} ${name} (${(duration / 1000).toFixed(3)} s of virtual time)`];
  const details = [...(error === null ? [] : [error.message]), ...notes.map((note) => `note: ${note}`)];
  if (hasTrace && trace.length > 0) details.push(formatTrace(trace));
  for (const detail of details) lines.push(...detail.split('\n').map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

function reportOf({ name, passed, isUnsupported, error, notes, trace, duration }: ScriptResult): DrillReport {
  return {
    file: name,
    passed,
    unsupported: isUnsupported,
    error:
      error === null
        ? null
        : { line: error.line, message: error.message, expected: error.expected, seen: error.actual },
    notes,
    duration,
    trace,
  };
}
