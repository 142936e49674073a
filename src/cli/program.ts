/** The command tree, and one run of it. */

import { Command, CommanderError } from 'commander';
import type { Session } from './command.ts';
import { arpCommand } from './commands/arp.ts';
import { captureCommand } from './commands/capture.ts';
import { catalogCommand } from './commands/catalog.ts';
import { chainCommand } from './commands/chain.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { drillCommand } from './commands/drill.ts';
import { dropsCommand } from './commands/drops.ts';
import { forwardCommand } from './commands/forward.ts';
import { impairCommand } from './commands/impair.ts';
import { ipconfigCommand } from './commands/ipconfig.ts';
import { natCommand } from './commands/nat.ts';
import { netshCommand } from './commands/netsh.ts';
import { netstatCommand } from './commands/netstat.ts';
import { nslookupCommand } from './commands/nslookup.ts';
import { pingCommand } from './commands/ping.ts';
import { routeCommand } from './commands/route.ts';
import { spiCommand } from './commands/spi.ts';
import { sporderCommand } from './commands/sporder.ts';
import { statusCommand } from './commands/status.ts';
import { traceCommand } from './commands/trace.ts';
import { traceRouteCommand, tracertCommand } from './commands/traceroute.ts';
import { upCommand } from './commands/up.ts';
import type { Context } from './context.ts';
import { CliError, ExitCode } from './exit-codes.ts';
import { normaliseWindowsFlags } from './windows-flags.ts';

/**
 * Runs one command line.
 * @param args without the program's name
 * @returns the exit code; never throws for what a user, a daemon or a machine can cause
 */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const session: Session = { context, exitCode: ExitCode.ok };
  const program = createProgram(session);
  try {
    await program.parseAsync(normaliseWindowsFlags(args), { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return tell(error, context, args.includes('--json'));
  }
}

function createProgram(session: Session): Command {
  const { stdout, stderr, machine } = session.context;
  const program = new Command('winsockd')
    .description('Winsock 2.2 with its whole protocol stack, in userland')
    .version(versionIn(machine.readText(machine.packageFile)));
  for (const create of COMMANDS) program.addCommand(create(session));
  program.addHelpText('after', EXIT_CODES);
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(--help lists what there is)')
      .configureOutput({
        writeOut: (text) => void stdout.write(text),
        writeErr: (text) => void stderr.write(text),
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  }
  return program;
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const inner of command.commands) yield* everyCommand(inner);
}

/** Says what went wrong. @returns the exit code for it */
function tell(error: unknown, { stderr, signal }: Context, isJson: boolean): ExitCode {
  // commander has already said its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof CliError) {
    const { code, message, exitCode } = error;
    stderr.write(isJson ? `${JSON.stringify({ error: { code, message } })}\n` : `winsockd: ${message}\n`);
    return exitCode;
  }
  if (signal.aborted) return ExitCode.interrupted;
  throw error;
}

/** `1.2.3` */
function versionIn(packageText: string | null): string {
  const { version } = JSON.parse(packageText ?? '{}') as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}

const COMMANDS = [
  upCommand,
  statusCommand,
  downCommand,
  pingCommand,
  traceRouteCommand,
  tracertCommand,
  nslookupCommand,
  netstatCommand,
  ipconfigCommand,
  routeCommand,
  forwardCommand,
  natCommand,
  arpCommand,
  captureCommand,
  traceCommand,
  chainCommand,
  impairCommand,
  dropsCommand,
  drillCommand,
  netshCommand,
  sporderCommand,
  catalogCommand,
  spiCommand,
  doctorCommand,
];

const EXIT_CODES = `
Exit codes: 0 done, 1 the answer is no, 2 usage, 3 no daemon, 4 not permitted.`;
