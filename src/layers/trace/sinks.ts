/**
 * Where a trace goes: the standard error, a file, or a TCP port of the machine. None of them throws, keeps the application alive,
 * or holds it up: what cannot be written is dropped, and counted in the next line that can.
 */

import { openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { pid } from 'node:process';
import { jsonLine, textLine } from './format.ts';
import type { TraceRecord, TraceSink } from './trace-record.ts';

export type TraceFormat = 'text' | 'json';

/** Bytes that may wait for a reader at a port. */
const WAITING_LIMIT = 1 << 20;
const STDERR = 2;

export function stderrSink(format: TraceFormat = 'text'): TraceSink {
  return toDescriptor(() => STDERR, format);
}

/** Adds to a file, which only its owner may read. @param path `%p` in it is the process id */
export function fileSink(path: string, format: TraceFormat = 'json'): TraceSink {
  return toDescriptor(() => openSync(path.replaceAll('%p', String(pid)), 'a', 0o600), format);
}

/** Sends to whoever listens at that port, over the machine's own network. */
export function portSink(host: string, port: number, format: TraceFormat = 'json'): TraceSink {
  const socket = connect({ host, port });
  socket.on('error', () => socket.destroy());
  socket.unref();
  return counted(format, (line) => {
    if (socket.destroyed || socket.writableLength > WAITING_LIMIT) return false;
    socket.write(line);
    return true;
  });
}

/** The sink that the environment asks for. */
export function sinkOf(environment: { readonly [name: string]: string | undefined }): TraceSink {
  const target = environment['WINSOCKD_TRACE'] || 'stderr';
  const asked = environment['WINSOCKD_TRACE_FORMAT'];
  const format = asked === 'text' || asked === 'json' ? asked : undefined;
  if (target === 'stderr') return stderrSink(format);
  const port = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(target);
  if (port === null) return fileSink(target, format);
  return portSink(port[1] ?? port[2] ?? '', Math.min(Number(port[3]), 0xffff), format);
}

/** @param open is asked at the first record */
function toDescriptor(open: () => number, format: TraceFormat): TraceSink {
  let descriptor = -1;
  return counted(format, (line) => {
    try {
      if (descriptor < 0) descriptor = open();
      writeSync(descriptor, line);
      return true;
    } catch {
      return false;
    }
  });
}

/** @param write @returns whether it took the line */
function counted(format: TraceFormat, write: (line: string) => boolean): TraceSink {
  const lineOf = format === 'json' ? jsonLine : textLine;
  let dropped = 0;
  return (record: TraceRecord) => {
    if (
      dropped > 0 &&
      write(`${format === 'json' ? JSON.stringify({ dropped }) : `… ${dropped} records dropped`}\n`)
    ) {
      dropped = 0;
    }
    if (!write(`${lineOf(record)}\n`)) dropped++;
  };
}
