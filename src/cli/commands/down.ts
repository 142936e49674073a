/** `winsockd down`: ends the daemon in good order, and waits until it has gone. */

import type { Command } from 'commander';
import type { DaemonStatus } from '../../port/index.ts';
import { durationOption, leaf, type Session } from '../command.ts';
import type { Context } from '../context.ts';
import { type ControlClient, isGone } from '../control-client.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

interface DownOptions {
  readonly timeout: number;
}

export function downCommand(session: Session): Command {
  return leaf<DownOptions>(
    session,
    'down',
    'end the daemon in good order',
    async ({ context, client, options, print }) => {
      const { pid } = await client.get<DaemonStatus>('/v1/status');
      await askToEnd(client);
      const end = context.now() + options.timeout;
      while (await isServing(context, client)) {
        if (context.signal.aborted) return ExitCode.interrupted;
        if (context.now() >= end) throw stillThere(pid, options.timeout);
        await context.sleep(POLL_MS);
      }
      print({ pid, ended: true }, () => `winsockd, process ${pid}, has ended\n`);
      return ExitCode.ok;
    },
  ).addOption(durationOption('--timeout <time>', 'how long to wait for its end', 10_000));
}

/**
 * Whether the daemon is still there. It removes its control socket last; one that gave up its privileges may not be allowed to,
 * and then leaves a socket where nobody answers.
 */
async function isServing(context: Context, client: ControlClient): Promise<boolean> {
  if (context.machine.access(client.path) === 'missing') return false;
  try {
    await client.get('/v1/status');
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** A daemon that ends faster than it answers has done what was asked. */
async function askToEnd(client: ControlClient): Promise<void> {
  try {
    await client.ask('POST', '/v1/shutdown');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function stillThere(pid: number, timeoutMs: number): CliError {
  return new CliError(
    ExitCode.no,
    'still-there',
    `the daemon was asked to end and still runs after ${timeoutMs / 1000} s; look at its log, or end it: kill ${pid}`,
  );
}

const POLL_MS = 20;
