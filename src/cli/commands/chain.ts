/**
 * `winsockd chain PID [SOCKET]`: what goes through each layer of an application's sockets. Without a process: which there are.
 *
 *     Socket  Protocol                        Layer                    Calls  Errors  Sent   Received  Total µs  Mean µs
 *     264     MSAFD Tcpip [TCP/IP] over [tls]  tls                        12       0  5.0 KiB  1.2 KiB    3,120    260.0
 *                                                MSAFD base provider      31       2  5.3 KiB  1.4 KiB    2,410     77.7
 */

import type { Command } from 'commander';
import type { ChainStatus, ProcessStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session, unlessAborted } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { type Column, formatBytes, isForPeople, plural, table } from '../render.ts';
import { readInteger, readNumber } from '../units.ts';

interface ChainOptions {
  readonly for: number;
}

type Row = ChainStatus['rows'][number];

/** The daemon answers when the time is over. */
const MARGIN_MS = 10_000;

export function chainCommand(session: Session): Command {
  return leaf<ChainOptions>(
    session,
    'chain',
    'what goes through each layer of a process’s sockets',
    showChain,
  )
    .argument('[pid]', 'the application; without one, those that can be watched are listed')
    .argument('[socket]', 'one socket only')
    .option('--for <seconds>', 'count for so long', (text) => readNumber('--for', text, 0, 3600), 1);
}

async function showChain(invocation: Invocation<ChainOptions>): Promise<ExitCode> {
  const { client, context, options, args, print } = invocation;
  if (args[0] === undefined) return listProcesses(invocation);
  const pid = readInteger('pid', args[0], 1, 0x7fff_ffff);
  const wanted = args[1] === undefined ? null : readInteger('socket', args[1], 1, 0xffff_ffff);
  const { for: seconds } = options;
  const status = await unlessAborted(context, () =>
    client.ask<ChainStatus>('GET', `/v1/processes/${pid}/chain?seconds=${seconds}`, {
      timeoutMs: seconds * 1000 + MARGIN_MS,
    }),
  );
  if (status === undefined) return ExitCode.interrupted;
  const rows = status.rows.filter(({ s }) => wanted === null || s === wanted);
  print({ ...status, rows }, () => chainText({ ...status, rows }, isForPeople(context)));
  return rows.length > 0 || wanted === null ? ExitCode.ok : ExitCode.no;
}

async function listProcesses({ client, context, print }: Invocation<unknown>): Promise<ExitCode> {
  const processes = await client.get<ProcessStatus[]>('/v1/processes');
  const columns: Column<ProcessStatus>[] = [
    { title: 'PID', align: 'right', value: ({ pid }) => pid },
    { title: 'User', align: 'right', value: ({ uid }) => uid },
    { title: 'Connections', align: 'right', value: ({ connections }) => connections },
    { title: 'Watched', value: ({ isWatched }) => (isWatched ? 'yes' : 'no') },
    { title: 'Name', value: ({ name }) => name },
  ];
  print(processes, () => table(processes, columns, isForPeople(context)));
  return ExitCode.ok;
}

export function chainText({ pid, seconds, rows, omitted }: ChainStatus, isBold: boolean): string {
  if (rows.length === 0) return `process ${pid} has no such socket\n`;
  const isFirst = new Set<Row>();
  let last: Row | null = null;
  for (const row of rows) {
    if (last === null || last.s !== row.s || last.client !== row.client) isFirst.add(row);
    last = row;
  }
  const hasClients = new Set(rows.map(({ client }) => client)).size > 1;
  const columns: Column<Row>[] = [
    { title: 'Socket', value: (row) => (isFirst.has(row) ? row.s : '') },
    { title: 'Protocol', value: (row) => (isFirst.has(row) ? row.protocol : '') },
    { title: 'Layer', value: ({ layer, depth }) => `${'  '.repeat(depth)}${layer}` },
    { title: 'Calls', align: 'right', value: ({ calls }) => calls },
    { title: 'Errors', align: 'right', value: ({ errors }) => errors },
    { title: 'Sent', align: 'right', value: ({ bytesSent }) => formatBytes(bytesSent) },
    { title: 'Received', align: 'right', value: ({ bytesReceived }) => formatBytes(bytesReceived) },
    { title: 'Total µs', align: 'right', value: ({ us }) => us },
    { title: 'Busy µs', align: 'right', value: ({ busyUs }) => busyUs },
    { title: 'Mean µs', align: 'right', value: ({ us, calls }) => (us / Math.max(calls, 1)).toFixed(1) },
  ];
  // Each face of a process has a Winsock of its own, and with it its own handles.
  if (hasClients) columns.unshift({ title: 'Via', align: 'right', value: ({ client }) => client });
  const head = `process ${pid}, counted for ${seconds} s\n\n`;
  const rest = omitted === 0 ? '' : `… and ${plural(omitted, 'row')} more\n`;
  return `${head}${table(rows, columns, isBold)}${rest}`;
}
