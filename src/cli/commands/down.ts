/** `winsockd down`: ends the daemon in good order, and waits until it has gone. */

import type { Command } from 'commander';
import type { DaemonStatus } from '../../port/index.ts';
import { durationOption, leaf, type Session } from '../command.ts';
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
      // It removes its control socket last.
      while (context.machine.access(client.path) !== 'missing') {
        if (context.signal.aborted) return ExitCode.interrupted;
        if (context.now() >= end) throw stillThere(pid, options.timeout);
        await context.sleep(POLL_MS);
      }
      print({ pid, ended: true }, () => `winsockd, process ${pid}, has ended\n`);
      return ExitCode.ok;
    },
  ).addOption(durationOption('--timeout <time>', 'how long to wait for its end', 10_000));
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
