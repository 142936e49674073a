/** `winsockd netstat`: the sockets of the stack, whose they are, its counters and its routes. */

import type { Command } from 'commander';
import type { CounterStatus, RouteStatus, SocketStatus, TcpConnectionStatus } from '../../port/index.ts';
import { leaf, type Session, showOrWatch, type Watchable, watchOption } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { type Column, fields, isForPeople, orDash, table } from '../render.ts';
import { readInteger } from '../units.ts';
import { routesText } from './route.ts';

interface NetstatOptions extends Watchable {
  readonly all?: boolean;
  readonly numeric?: boolean;
  readonly owner?: boolean;
  readonly extend?: boolean;
  readonly statistics?: boolean;
  readonly routes?: boolean;
  readonly protocol?: string;
  readonly tcpInfo?: boolean;
  readonly port?: number;
}

export function netstatCommand(session: Session): Command {
  return leaf<NetstatOptions>(session, 'netstat', 'list sockets, counters or routes', (invocation) => {
    const { client, options, context } = invocation;
    const isBold = isForPeople(context);
    if (options.routes === true) {
      return showOrWatch(
        invocation,
        () => client.get<RouteStatus[]>('/v1/routes'),
        (routes) => routesText(routes, isBold),
      );
    }
    if (options.statistics === true) {
      return showOrWatch(invocation, () => client.get<CounterStatus>('/v1/counters'), countersText);
    }
    if (options.tcpInfo === true) {
      const query = options.port === undefined ? '' : `?port=${options.port}`;
      return showOrWatch(
        invocation,
        () => client.get<TcpConnectionStatus[]>(`/v1/tcp${query}`),
        (connections) => tcpInfoText(connections, isBold),
      );
    }
    const wanted = (socket: SocketStatus): boolean =>
      (options.all === true || !isWaiting(socket)) &&
      (options.protocol === undefined || socket.protocol === options.protocol) &&
      (options.port === undefined || socket.localPort === options.port || socket.remotePort === options.port);
    return showOrWatch(
      invocation,
      async () => (await client.get<SocketStatus[]>('/v1/sockets')).filter(wanted),
      (sockets) => socketsText(sockets, options, isBold),
    );
  })
    .option('-a, --all', 'also sockets that listen or have no peer')
    .option('-n, --numeric', 'addresses and ports as numbers (they always are)')
    .option('-o, --owner', 'the processes that hold each socket')
    .option('-e, --extend', 'what TCP knows of each connection')
    .option('-i, --tcp-info', 'all figures of each TCP connection instead: TCP_INFO and RFC 4898')
    .option('--port <number>', 'sockets with this port on one of the sides only', (text) =>
      readInteger('--port', text, 1, 65_535),
    )
    .option('-s, --statistics', 'the counters of RFC 4293, 4022 and 4113 instead')
    .option('-r, --routes', 'the routes instead')
    .option('-p, --protocol <name>', 'one protocol only: tcp, udp, icmp or raw', readProtocol)
    .addOption(watchOption());
}

/** Sockets as Windows lists them, plus queues and what was asked for. */
function socketsText(sockets: readonly SocketStatus[], options: NetstatOptions, isBold: boolean): string {
  const columns: Column<SocketStatus>[] = [
    { title: 'Proto', value: ({ protocol }) => protocol.toUpperCase() },
    { title: 'Local Address', value: ({ localAddress, localPort }) => endpointText(localAddress, localPort) },
    { title: 'Foreign Address', value: peerText },
    { title: 'State', value: ({ state }) => state ?? '' },
    { title: 'Recv-Q', align: 'right', value: ({ receiveQueue }) => receiveQueue },
    { title: 'Send-Q', align: 'right', value: ({ sendQueue }) => sendQueue },
  ];
  if (options.owner === true)
    columns.push({ title: 'PID', align: 'right', value: ({ pids }) => orDash(pids) });
  if (options.extend === true) columns.push({ title: 'TCP', value: tcpText });
  return `Active Connections\n\n${table(sockets, columns, isBold)}`;
}

function tcpText({ tcp }: SocketStatus): string {
  if (tcp === null) return '';
  const { cwnd, srttMs, rtoMs, retransmits } = tcp;
  return `cwnd ${cwnd} srtt ${srttMs.toFixed(1)} ms rto ${rtoMs.toFixed(0)} ms retransmits ${retransmits}`;
}

/** A block for each connection: its addresses and state, then a table of names and values for each of its tables. */
function tcpInfoText(connections: readonly TcpConnectionStatus[], isBold: boolean): string {
  return connections
    .map((connection) => {
      const { localAddress, localPort, remoteAddress, remotePort, state } = connection;
      const local = endpointText(localAddress, localPort);
      const title = `${local} ↔ ${endpointText(remoteAddress, remotePort)}  ${state}`;
      const tables = TABLES.map(
        ([name, heading]) => `\n${heading}\n${fields(Object.entries(connection[name]).map(figureText))}`,
      );
      return `${isBold ? `\u001b[1m${title}\u001b[22m` : title}\n${tables.join('')}`;
    })
    .join('\n');
}

/** Times have fractions of a ms that nobody can measure. */
function figureText([name, value]: readonly [string, number | string | boolean]): [string, string] {
  return [`  ${name}`, typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : String(value)];
}

const TABLES = [
  ['info', 'Connection (TCP_INFO)'],
  ['perf', 'Performance (RFC 4898 tcpEStatsPerf)'],
  ['path', 'Path (RFC 4898 tcpEStatsPath)'],
  ['stack', 'Algorithms (RFC 4898 tcpEStatsStack)'],
  ['app', 'Application (RFC 4898 tcpEStatsApp)'],
] as const;

function countersText(counters: CounterStatus): string {
  const rows = Object.entries(counters);
  return table(rows, [
    { title: 'Counter', value: ([name]) => name },
    { title: 'Count', align: 'right', value: ([, count]) => count },
  ]);
}

/** `10.0.0.2:80`, `[::1]:80` */
function endpointText(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** A peer that is not there is `*:*` for datagrams, as Windows has it. */
function peerText({ protocol, remoteAddress, remotePort }: SocketStatus): string {
  const isNobody = remotePort === 0 && (protocol !== 'tcp' || remoteAddress === '');
  return isNobody ? '*:*' : endpointText(remoteAddress, remotePort);
}

/** Without `-a` only sockets with a peer are listed. */
function isWaiting({ state, remotePort, protocol }: SocketStatus): boolean {
  return protocol === 'tcp' ? state === 'LISTEN' || state === 'CLOSED' : remotePort === 0;
}

function readProtocol(text: string): string {
  const name = text.toLowerCase();
  if (!PROTOCOLS.includes(name)) throw usageError('--protocol', text, `one of ${PROTOCOLS.join(', ')}`);
  return name;
}

const PROTOCOLS = ['tcp', 'udp', 'icmp', 'raw'];
