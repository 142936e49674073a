/**
 * What all commands share: `--json`, `--control`, `--watch`, and the way from commander's callback to an exit code.
 */

import { Command, Option } from 'commander';
import { CONTROL_PATH_VARIABLE, DEFAULT_CONTROL_PATH } from '../port/index.ts';
import type { Context } from './context.ts';
import { ControlClient } from './control-client.ts';
import { ExitCode, usageError } from './exit-codes.ts';
import { isForPeople } from './render.ts';
import { readDuration, readNumber } from './units.ts';

/** One run of the command line; the command that ran leaves its exit code here. */
export interface Session {
  readonly context: Context;
  exitCode: ExitCode;
}

/** What a handler is given. `options` and `args` are as the command declared them. */
export interface Invocation<Options> {
  readonly context: Context;
  readonly client: ControlClient;
  readonly options: Options & { readonly json?: boolean };
  readonly args: readonly string[];
  /** Whether the option was typed, as opposed to a default. */
  isGiven(option: string): boolean;
  /** Prints `value` as JSON under `--json`, else the text. */
  print(value: unknown, text: () => string): void;
}

/** A command that asks the daemon or the machine: `--json`, `--control`, and a handler that answers the exit code. */
export function leaf<Options>(
  session: Session,
  name: string,
  summary: string,
  handler: (invocation: Invocation<Options>) => Promise<ExitCode>,
): Command {
  const { context } = session;
  return new Command(name)
    .description(summary)
    .addOption(new Option('--json', 'answer in JSON'))
    .addOption(
      new Option('--control <path>', `the daemon’s control socket; also ${CONTROL_PATH_VARIABLE}`).default(
        context.environment[CONTROL_PATH_VARIABLE] || DEFAULT_CONTROL_PATH,
      ),
    )
    .action(async (...all: unknown[]) => {
      const command = all.at(-1) as Command;
      const options = command.optsWithGlobals() as Options & { json?: boolean; control: string };
      session.exitCode = await handler({
        context,
        client: new ControlClient(options.control, context.signal),
        options,
        args: command.args,
        isGiven: (option) => command.getOptionValueSource(option) === 'cli',
        print: (value, text) => {
          context.stdout.write(options.json === true ? `${JSON.stringify(value, null, 2)}\n` : text());
        },
      });
    });
}

/** An option with a duration, in ms: `0.2` (seconds), `200ms`; no more than a day unless less is said. */
export function durationOption(
  flags: string,
  description: string,
  defaultMs: number,
  { least = 0, most = DAY } = {},
): Option {
  const option = new Option(flags, description).default(defaultMs, `${defaultMs / 1000} s`);
  return option.argParser((text) => {
    const what = option.long ?? flags;
    const ms = readDuration(what, text, 's');
    if (ms < least || ms > most)
      throw usageError(what, text, `a duration from ${least} ms to ${most / 1000} s`);
    return ms;
  });
}

/** More than anybody waits, and less than timers can count, ms. */
const DAY = 86_400_000;

/** Adds `--watch [seconds]`. */
export function watchOption(): Option {
  return new Option('--watch [seconds]', 'show it again every so many seconds, until interrupted')
    .preset('2')
    .argParser((text) => readNumber('--watch', text, 0.1, 86_400));
}

export interface Watchable {
  readonly watch?: number;
}

/**
 * Shows what `look` finds, once or with `--watch` until interrupted. Watching, a terminal is cleared before each time, and
 * JSON comes as one document a line.
 */
export async function showOrWatch<T>(
  { context, options, print }: Invocation<Watchable>,
  look: () => Promise<T>,
  text: (value: T) => string,
): Promise<ExitCode> {
  const { watch } = options;
  if (watch === undefined) {
    const value = await look();
    print(value, () => text(value));
    return ExitCode.ok;
  }
  for (let round = 0; !context.signal.aborted; round++) {
    const value = await unlessAborted(context, look);
    if (value === undefined) break;
    if (options.json === true) context.stdout.write(`${JSON.stringify(value)}\n`);
    else context.stdout.write((isForPeople(context) ? CLEAR : round === 0 ? '' : '\n') + text(value));
    await context.sleep(watch * 1000);
  }
  return ExitCode.ok;
}

/** What `ask` answers, or `undefined` when the user interrupted it. */
export async function unlessAborted<T>({ signal }: Context, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Cursor home, rest of the screen cleared. */
const CLEAR = '\u001b[H\u001b[J';
