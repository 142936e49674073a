/** `winsockd capture`: packets as pcapng, written by the daemon or streamed to here. */

import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { CaptureRequest, CaptureStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session, unlessAborted } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { plural } from '../render.ts';
import { readInteger, readNumber } from '../units.ts';

interface CaptureOptions {
  readonly write?: string;
  readonly stop?: boolean;
  readonly seconds?: number;
  readonly follow?: boolean;
  readonly maxBytes?: number;
}

export function captureCommand(session: Session): Command {
  return leaf<CaptureOptions>(
    session,
    'capture',
    'write packets as pcapng, each with the reason for its fate',
    (invocation) => {
      const { write, stop, seconds, follow } = invocation.options;
      if (stop === true) {
        if (write !== undefined) throw usage('--stop ends the file that was begun, and takes no -w');
        return end(invocation);
      }
      if (write === undefined)
        throw usage('name a file with -w FILE, stream with -w -, or end a file with --stop');
      const isStreamed = write === '-' || seconds !== undefined || follow === true;
      return isStreamed ? stream(invocation, write) : begin(invocation, write);
    },
  )
    .option(
      '-w, --write <file>',
      'where to: the daemon writes it until --stop; "-" streams to standard output',
    )
    .option('--stop', 'end the file that the daemon writes')
    .option('--seconds <count>', 'stream for so long instead', (text) =>
      readNumber('--seconds', text, 0.1, 86_400),
    )
    .option('--follow', 'stream until interrupted instead: this process writes the file')
    .option('--max-bytes <count>', 'end the daemon’s file at this size', (text) =>
      readInteger('--max-bytes', text, 1024, Number.MAX_SAFE_INTEGER),
    );
}

async function begin(
  { context, client, options, print }: Invocation<CaptureOptions>,
  file: string,
): Promise<ExitCode> {
  const { maxBytes } = options;
  const body: CaptureRequest = {
    path: resolve(context.directory, file),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  const status = await client.ask<CaptureStatus>('POST', '/v1/capture', { body });
  print(status, () => `capturing to ${status.path ?? body.path}; end it: winsockd capture --stop\n`);
  return ExitCode.ok;
}

async function end({ client, print }: Invocation<CaptureOptions>): Promise<ExitCode> {
  const status = await client.ask<CaptureStatus>('DELETE', '/v1/capture');
  print(
    status,
    () =>
      `${status.path ?? 'the capture'}: ${plural(status.packets, 'packet')}, ${plural(status.bytes, 'byte')}\n`,
  );
  return ExitCode.ok;
}

/** Interrupting is how a stream ends: what came until then is whole, for the daemon writes block by block. */
async function stream(
  { context, client, options }: Invocation<CaptureOptions>,
  file: string,
): Promise<ExitCode> {
  const query = options.seconds === undefined ? '' : `?seconds=${options.seconds}`;
  const packets = await unlessAborted(context, () => client.stream(`/v1/capture${query}`));
  if (packets === undefined) return ExitCode.ok;
  const to: Writable = file === '-' ? context.stdout : createWriteStream(resolve(context.directory, file));
  try {
    await pipeline(packets, to, { end: file !== '-' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whoever read standard output has enough.
    if (context.signal.aborted || (file === '-' && code === 'EPIPE')) return ExitCode.ok;
    throw streamError(error as NodeJS.ErrnoException, file);
  }
  return ExitCode.ok;
}

function streamError(error: NodeJS.ErrnoException, file: string): Error {
  switch (error.code) {
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new CliError(
        ExitCode.noDaemon,
        'daemon-gone',
        'the daemon went away; what came until then was written',
      );
    case 'EACCES':
    case 'EPERM':
      return new CliError(ExitCode.notPermitted, 'not-permitted', `${file} cannot be written by this user`);
    default:
      return error.code === undefined
        ? error
        : new CliError(ExitCode.no, error.code, `${file}: ${error.message}`);
  }
}

function usage(message: string): CliError {
  return new CliError(ExitCode.usage, 'usage', message);
}
