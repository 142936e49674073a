/**
 * `winsockd trace PID`: every call of an application in every layer, while it runs.
 *
 *     12:30:15.250417  s=264  tls: WSPSend(s=264, lpBuffers=[5 "hello"], dwBufferCount=1, dwFlags=0, …) = 5  310 µs
 *     12:30:15.250602  s=264    MSAFD base provider: WSPSend(s=264, lpBuffers=[27 1703…], …) = 27  94 µs
 *
 * A call that takes its time is told when it begins, and again when it ends.
 */

import { WSA_IO_PENDING, wsaErrorName } from '../../abi/index.ts';
import { callText } from '../../layers/trace/index.ts';
import type { CallLine, CallRecord } from '../../port/index.ts';
import type { Invocation } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { followLines } from '../follow-lines.ts';
import { plural, printable, table } from '../render.ts';

export interface CallsOptions {
  readonly seconds?: number;
  readonly for?: number;
  readonly count?: number;
  readonly socket?: number;
  readonly layer?: string;
  readonly errors?: boolean;
}

/** What one layer was seen to do. */
interface LayerFigures {
  readonly layer: string;
  readonly depth: number;
  calls: number;
  errors: number;
  us: number;
}

export async function traceCalls(invocation: Invocation<CallsOptions>, pid: number): Promise<ExitCode> {
  const { context, options } = invocation;
  const { stdout } = context;
  const { for: length, seconds = length, count = Number.POSITIVE_INFINITY } = options;
  const isJson = options.json === true;
  const summary = new Summary();
  const began = context.now();
  const query = seconds === undefined ? '' : `?seconds=${seconds}`;
  await followLines(invocation, `/v1/processes/${pid}/calls${query}`, (text) => {
    const line = JSON.parse(text) as CallLine;
    if ('call' in line) {
      if (!isMeant(line, options)) return true;
      summary.add(line);
      stdout.write(isJson ? `${text}\n` : callLine(line));
      return summary.calls < count;
    }
    if ('lost' in line) summary.lost += line.lost;
    if (isJson) stdout.write(`${text}\n`);
    else stdout.write(noteLine(line));
    return true;
  });
  const elapsed = (context.now() - began) / 1000;
  if (isJson) stdout.write(`${JSON.stringify({ summary: summary.toJSON(), seconds: elapsed })}\n`);
  else stdout.write(summary.text(pid, elapsed));
  return ExitCode.ok;
}

function isMeant(record: CallRecord, { socket, layer, errors }: CallsOptions): boolean {
  if (socket !== undefined && record.s !== socket) return false;
  if (layer !== undefined && record.layer.toLowerCase() !== layer.toLowerCase()) return false;
  return errors !== true || isFailure(record);
}

/** An operation that goes on has not failed. */
function isFailure({ error }: CallRecord): boolean {
  return error !== undefined && error !== PENDING;
}

/** One line a call, indented by how deep its layer is. */
export function callLine(record: CallRecord): string {
  const { time, depth, layer, s } = record;
  const clock = new Date(time).toISOString().slice(11, 23);
  const micros = String(Math.floor((time * 1000) % 1000)).padStart(3, '0');
  const socket = (s === 0 ? '' : `s=${s}`).padEnd(SOCKET_WIDTH);
  return `${clock}${micros}  ${socket}  ${'  '.repeat(depth)}${printable(`${layer}: ${callText(record)}`)}\n`;
}

function noteLine(line: Exclude<CallLine, CallRecord>): string {
  if ('lost' in line)
    return `… ${plural(line.lost, 'call')} missing: they came faster than they could be told\n`;
  return 'gone' in line ? 'the process is gone\n' : '';
}

class Summary {
  calls = 0;
  lost = 0;
  readonly #errors = new Map<string, number>();
  readonly #layers = new Map<string, LayerFigures>();

  /** A call counts when it is answered. */
  add(record: CallRecord): void {
    const { event, depth, layer, error, us = 0 } = record;
    if (event === 'begin') return;
    const key = `${depth} ${layer}`;
    let figures = this.#layers.get(key);
    if (figures === undefined) {
      figures = { layer, depth, calls: 0, errors: 0, us: 0 };
      this.#layers.set(key, figures);
    }
    if (isFailure(record)) {
      figures.errors++;
      this.#errors.set(error as string, (this.#errors.get(error as string) ?? 0) + 1);
    }
    if (event === 'done') return;
    this.calls++;
    figures.calls++;
    figures.us += us;
  }

  toJSON(): object {
    const layers = this.#rows();
    return { calls: this.calls, lost: this.lost, errors: Object.fromEntries(this.#errors), layers };
  }

  text(pid: number, seconds: number): string {
    const { calls, lost } = this;
    const missing = lost === 0 ? '' : `, ${lost} missing`;
    const errors = [...this.#errors].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
    const failed = errors.length === 0 ? '' : `\nerrors: ${errors.join(', ')}`;
    const head = `\n${plural(calls, 'call')} of process ${pid} in ${seconds.toFixed(1)} s${missing}${failed}\n`;
    if (this.#layers.size === 0) return head;
    return `${head}\n${table(this.#rows(), [
      { title: 'Layer', value: ({ layer, depth }) => `${'  '.repeat(depth)}${layer}` },
      { title: 'Calls', align: 'right', value: (row) => row.calls },
      { title: 'Errors', align: 'right', value: (row) => row.errors },
      { title: 'Mean µs', align: 'right', value: (row) => (row.us / Math.max(row.calls, 1)).toFixed(1) },
    ])}`;
  }

  #rows(): LayerFigures[] {
    return [...this.#layers.values()].sort((a, b) => a.depth - b.depth);
  }
}

const PENDING = wsaErrorName(WSA_IO_PENDING);
/** Room for `s=1234`. */
const SOCKET_WIDTH = 6;
