/**
 * Records as text: a line of JSON, or one for people.
 *
 *     12.041 trace #7 WSPConnect(s=8, name=10.0.0.2:80, namelen=16, …) begins
 *     12.988 trace #7 WSPConnect = 0  947 µs
 *     13.102 trace #8 WSPRecv(s=8, lpBuffers=[1460], dwBufferCount=1, lpFlags=0, …) = 5 {lpBuffers=[5 "hello"], lpFlags=0}  3 µs
 */

import type { TraceRecord, TraceValue, TraceValues } from './trace-record.ts';

/** A record as one line of JSON, without its end. */
export function jsonLine(record: TraceRecord): string {
  return JSON.stringify(record);
}

/** A record as a line for people, without its end. */
export function textLine(record: TraceRecord): string {
  const { t, n, layer } = record;
  return `${t.toFixed(3)} ${layer} #${n} ${callText(record)}`;
}

/** What is told of a call, wherever it comes from: `WSPRecv(s=8, …) = 5 {lpFlags=0}  3 µs` */
export function callText({ event, call, args, result, error, out, us }: ToldCall): string {
  let line = call;
  if (args !== undefined) line += `(${listText(args)})`;
  if (event === 'begin') return `${line} begins`;
  if (event === 'done') line += ' done';
  line += ` = ${error ?? result}`;
  if (out !== undefined && Object.keys(out).length > 0) line += ` {${listText(out)}}`;
  return us === undefined ? line : `${line}  ${us} µs`;
}

type ToldCall = Pick<TraceRecord, 'event' | 'call' | 'args' | 'result' | 'error' | 'out' | 'us'>;

function listText(values: TraceValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(', ');
}

function valueText(value: TraceValue): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  const values = value as TraceValues;
  const { len, text, hex } = values;
  if (typeof len !== 'number') return `{${listText(values)}}`;
  if (typeof text === 'string') return `${len} ${JSON.stringify(text)}${text.length < len ? '…' : ''}`;
  return typeof hex === 'string' ? `${len} ${hex}${hex.length / 2 < len ? '…' : ''}` : String(len);
}
