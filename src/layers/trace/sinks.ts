/**
 * Where a trace goes. Records that cannot be written are dropped, and counted in the next line that can.
 */

import { linesToFile, linesToPort, linesToStderr, type WriteLine } from '../lines.ts';
import { jsonLine, textLine } from './format.ts';
import type { TraceRecord, TraceSink } from './trace-record.ts';

export type TraceFormat = 'text' | 'json';

export function stderrSink(format: TraceFormat = 'text'): TraceSink {
  return counted(format, linesToStderr());
}

/** Adds to a file, which only its owner may read. @param path `%p` in it is the process id */
export function fileSink(path: string, format: TraceFormat = 'json'): TraceSink {
  return counted(format, linesToFile(path));
}

/** Sends to whoever listens at that port, over the machine's own network. */
export function portSink(host: string, port: number, format: TraceFormat = 'json'): TraceSink {
  return counted(format, linesToPort(host, port));
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

function counted(format: TraceFormat, write: WriteLine): TraceSink {
  const lineOf = format === 'json' ? jsonLine : textLine;
  let dropped = 0;
  return (record: TraceRecord) => {
    if (dropped > 0) {
      const said = format === 'json' ? JSON.stringify({ dropped }) : `… ${dropped} records dropped`;
      if (write(`${said}\n`)) dropped = 0;
    }
    if (!write(`${lineOf(record)}\n`)) dropped++;
  };
}
