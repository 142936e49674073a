/** `winsockd trace`: what happens inside of TCP connections, while it happens; with a process, the calls that it makes. */

import { type Command, Option } from 'commander';
import { TCP_TRACE_EVENTS, type TcpTraceLine } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { followLines } from '../follow-lines.ts';
import { plural, printable } from '../render.ts';
import { readInteger, readNumber } from '../units.ts';
import { type CallsOptions, traceCalls } from './trace-calls.ts';

interface TraceOptions extends CallsOptions {
  readonly port?: number;
  readonly events?: string;
}

export function traceCommand(session: Session): Command {
  const summary = 'tell the calls of a process in every layer, or what happens inside of TCP connections';
  return leaf<TraceOptions>(session, 'trace', summary, trace)
    .argument('[pid]', 'the application; without one, TCP connections are traced')
    .addOption(
      new Option('--port <number>', 'connections with this port on one of the sides only').argParser((text) =>
        readInteger('--port', text, 1, 65_535),
      ),
    )
    .option(
      '--events <names>',
      `some kinds only, with commas between: ${TCP_TRACE_EVENTS.join(', ')}`,
      readEvents,
    )
    .option('--seconds <count>', 'end after so long, not when interrupted; also --for', readSeconds)
    .addOption(new Option('--for <seconds>').argParser(readSeconds).hideHelp())
    .option('--count <number>', 'of a process: end after so many calls', (text) =>
      readInteger('--count', text, 1, 1_000_000_000),
    )
    .option('--socket <number>', 'of a process: calls on that socket only', (text) =>
      readInteger('--socket', text, 1, 0xffff_ffff),
    )
    .option('--layer <name>', 'of a process: calls of that layer only')
    .option('--errors', 'of a process: failed calls only');
}

/** Interrupting is how a trace ends. */
async function trace(invocation: Invocation<TraceOptions>): Promise<ExitCode> {
  const [pid] = invocation.args;
  if (pid !== undefined) {
    for (const name of ['port', 'events'] as const) {
      if (invocation.isGiven(name)) throw usageError(`--${name}`, 'with a process', 'for its calls');
    }
    return traceCalls(invocation, readInteger('pid', pid, 1, 0x7fff_ffff));
  }
  for (const name of ['count', 'socket', 'layer', 'errors'] as const) {
    if (invocation.isGiven(name)) throw usageError(`--${name}`, 'without a process', 'for TCP connections');
  }
  const { context, options } = invocation;
  await followLines(invocation, `/v1/trace${queryOf(options)}`, (line) => {
    if (options.json === true) context.stdout.write(`${line}\n`);
    else context.stdout.write(textOf(JSON.parse(line) as TcpTraceLine));
    return true;
  });
  return ExitCode.ok;
}

function queryOf({ port, events, for: length, seconds = length }: TraceOptions): string {
  const query = new URLSearchParams();
  if (port !== undefined) query.set('port', String(port));
  if (events !== undefined) query.set('events', events);
  if (seconds !== undefined) query.set('seconds', String(seconds));
  return query.size === 0 ? '' : `?${query}`;
}

/** `12:00:00.123  10.77.0.2:80 ↔ 10.77.0.1:40000  cwnd 14600 ssthresh ∞` */
function textOf(line: TcpTraceLine): string {
  if (!('event' in line)) {
    return line.dropped === 0 ? '' : `… ${plural(line.dropped, 'event')} missing: this reader was too slow\n`;
  }
  const { time, local, remote, text } = line;
  const clock = new Date(time).toISOString().slice(11, 23);
  return `${clock}  ${printable(`${local} ↔ ${remote}  ${text}`)}\n`;
}

function readSeconds(text: string): number {
  return readNumber('--seconds', text, 0.1, 86_400);
}

function readEvents(text: string): string {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!TCP_TRACE_EVENTS.some((known) => known === name)) {
      throw usageError('--events', name, `one of ${TCP_TRACE_EVENTS.join(', ')}`);
    }
  }
  return names.join(',');
}
