/** `winsockd trace`: what happens inside of TCP connections, while it happens. */

import type { IncomingMessage } from 'node:http';
import { type Command, Option } from 'commander';
import { TCP_TRACE_EVENTS, type TcpTraceLine } from '../../port/index.ts';
import { type Invocation, leaf, type Session, unlessAborted } from '../command.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { plural, printable } from '../render.ts';
import { readInteger, readNumber } from '../units.ts';

interface TraceOptions {
  readonly port?: number;
  readonly events?: string;
  readonly seconds?: number;
}

export function traceCommand(session: Session): Command {
  return leaf<TraceOptions>(session, 'trace', 'tell what happens inside of TCP connections', trace)
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
    .option('--seconds <count>', 'end after so long, not when interrupted', (text) =>
      readNumber('--seconds', text, 0.1, 86_400),
    );
}

/** Interrupting is how a trace ends. */
async function trace(invocation: Invocation<TraceOptions>): Promise<ExitCode> {
  const { context, client, options } = invocation;
  const lines = await unlessAborted(context, () => client.stream(`/v1/trace${queryOf(options)}`));
  if (lines === undefined) return ExitCode.ok;
  try {
    for await (const line of linesOf(lines)) {
      if (options.json === true) context.stdout.write(`${line}\n`);
      else context.stdout.write(textOf(JSON.parse(line) as TcpTraceLine));
    }
  } catch (error) {
    if (context.signal.aborted) return ExitCode.ok;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    throw new CliError(
      ExitCode.noDaemon,
      'daemon-gone',
      'the daemon went away; what came until then is shown',
    );
  }
  return ExitCode.ok;
}

/** The lines of a body, as they come. */
async function* linesOf(body: IncomingMessage): AsyncGenerator<string> {
  body.setEncoding('utf8');
  let rest = '';
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function queryOf({ port, events, seconds }: TraceOptions): string {
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

function readEvents(text: string): string {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!TCP_TRACE_EVENTS.some((known) => known === name)) {
      throw usageError('--events', name, `one of ${TCP_TRACE_EVENTS.join(', ')}`);
    }
  }
  return names.join(',');
}
