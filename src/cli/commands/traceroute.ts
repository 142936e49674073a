/**
 * `winsockd traceroute` and `winsockd tracert`: the hops on the way to a destination, found by packets whose TTL runs out. Two dialects
 * of one command: Unix' sends datagrams and counts seconds, Windows' sends echo requests and counts milliseconds.
 */

import { type Command, Option } from 'commander';
import type { PingAnswer, PingRequest, ResolveAnswer } from '../../port/index.ts';
import { durationOption, type Invocation, leaf, type Session, unlessAborted } from '../command.ts';
import type { ControlClient } from '../control-client.ts';
import { ExitCode } from '../exit-codes.ts';
import { printable } from '../render.ts';
import { readInteger } from '../units.ts';
import { ECHO_WAIT } from './ping.ts';
import { addressOf } from './target.ts';

interface TraceOptions {
  readonly numeric?: boolean;
  readonly maxHops: number;
  readonly firstHop: number;
  readonly queries: number;
  /** ms */
  readonly timeout: number;
  readonly icmp?: boolean;
  readonly port: number;
  readonly size: number;
  readonly dontFragment?: boolean;
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/** One distance: what became of each packet with that TTL. */
export interface TraceHop {
  readonly ttl: number;
  /** Who answered, with names where they are known. */
  readonly from: readonly { readonly address: string; readonly name: string | null }[];
  readonly answers: readonly PingAnswer[];
}

/** What `traceroute --json` answers. */
export interface TraceReport {
  readonly target: string;
  readonly address: string;
  readonly method: 'icmp' | 'udp';
  readonly maxHops: number;
  readonly hops: readonly TraceHop[];
  readonly isReached: boolean;
}

/** Longest wait for a name of a hop, ms: the hop is shown without. */
const NAME_TIMEOUT = 3000;

export function traceRouteCommand(session: Session): Command {
  return declare(session, { name: 'traceroute', timeout: 5000, numeric: '-n', maxHops: '-m' })
    .option('-I, --icmp', 'send echo requests rather than datagrams')
    .addOption(new Option('-U, --udp', 'send datagrams (the default)'))
    .option('-p, --port <number>', 'port of the first datagram; each has the next', readPort, 33_434);
}

export function tracertCommand(session: Session): Command {
  const dialect = { name: 'tracert', timeout: 4000, numeric: '-d', maxHops: '-h' };
  return declare(session, dialect, { icmp: true, port: 33_434 });
}

/** What the two commands call their flags, and how long they wait, ms. */
interface Dialect {
  readonly name: string;
  readonly timeout: number;
  readonly numeric: string;
  readonly maxHops: string;
}

function declare(session: Session, dialect: Dialect, fixed: Partial<TraceOptions> = {}): Command {
  const { name, timeout } = dialect;
  const handler = (invocation: Invocation<TraceOptions>): Promise<ExitCode> =>
    trace({ ...invocation, options: { ...invocation.options, ...fixed } }, name);
  return leaf<TraceOptions>(session, name, 'the hops on the way to a destination', handler)
    .argument('<target>', 'an address or a name')
    .option(`${dialect.numeric}, --numeric`, 'do not look names of hops up')
    .option(
      `${dialect.maxHops}, --max-hops <count>`,
      'how far to look',
      (text) => readInteger('--max-hops', text, 1, 255),
      30,
    )
    .option('-f, --first-hop <ttl>', 'where to begin', (text) => readInteger('--first-hop', text, 1, 255), 1)
    .option(
      '-q, --queries <count>',
      'packets for each hop',
      (text) => readInteger('--queries', text, 1, 10),
      3,
    )
    .addOption(durationOption('-w, --timeout <time>', 'how long to wait for each answer', timeout, ECHO_WAIT))
    .option('-s, --size <bytes>', 'bytes of payload', (text) => readInteger('--size', text, 0, 65_507), 32)
    .option('-F, --dont-fragment', 'nobody on the way may cut the packets')
    .option('-4', 'the target is to be IPv4')
    .option('-6', 'the target is to be IPv6')
    .helpOption('--help', 'display help for command');
}

function readPort(text: string): number {
  return readInteger('--port', text, 1, 65_535);
}

async function trace(invocation: Invocation<TraceOptions>, command: string): Promise<ExitCode> {
  const { context, client, args, options, print } = invocation;
  const [target = ''] = args;
  const address = await addressOf(client, target, options, command);
  const method = options.icmp === true ? 'icmp' : 'udp';
  const isText = options.json !== true;
  if (isText) context.stdout.write(headText(target, address, options));
  const hops: TraceHop[] = [];
  let isReached = false;
  for (let ttl = options.firstHop; ttl <= options.maxHops && !isReached; ttl++) {
    const hop = await unlessAborted(context, () => askHop(client, address, ttl, method, options));
    if (hop === undefined) break;
    hops.push(hop);
    if (isText) context.stdout.write(hopText(hop));
    isReached = hop.answers.some(({ result }) => result === 'reply');
    if (hop.answers.some(({ result }) => result === 'unreachable' || result === 'error')) break;
  }
  const report: TraceReport = { target, address, method, maxHops: options.maxHops, hops, isReached };
  print(report, () => (isReached ? '\nTrace complete.\n' : '\nThe destination was not reached.\n'));
  return isReached ? ExitCode.ok : ExitCode.no;
}

/** Sends the packets of one distance, one after the other. */
async function askHop(
  client: ControlClient,
  address: string,
  ttl: number,
  method: 'icmp' | 'udp',
  { queries, timeout, port, size, dontFragment, numeric }: TraceOptions,
): Promise<TraceHop> {
  const answers: PingAnswer[] = [];
  for (let i = 0; i < queries; i++) {
    const sequence = (ttl - 1) * queries + i;
    const body: PingRequest = {
      address,
      ttl,
      size,
      timeoutMs: timeout,
      sequence: sequence & 0xffff,
      ...(method === 'udp' ? { method, port: 1 + ((port - 1 + sequence) % 65_535) } : {}),
      ...(dontFragment === true ? { dontFragment } : {}),
    };
    answers.push(await client.ask<PingAnswer>('POST', '/v1/ping', { body, timeoutMs: timeout + 10_000 }));
  }
  const addresses = [...new Set(answers.flatMap(({ from }) => (from === null ? [] : [from])))];
  const from = await Promise.all(
    addresses.map(async (hop) => ({
      address: hop,
      name: numeric === true ? null : await nameOf(client, hop),
    })),
  );
  return { ttl, from, answers };
}

/** A hop's name; `null` when nobody knows it soon. */
async function nameOf(client: ControlClient, address: string): Promise<string | null> {
  const body = { name: address, type: 'PTR' };
  const known = await client
    .ask<ResolveAnswer>('POST', '/v1/resolve', { body, timeoutMs: NAME_TIMEOUT })
    .catch(() => null);
  const pointer = known?.records.find(({ type }) => type === 'PTR');
  return pointer === undefined ? null : printable(pointer.data);
}

function headText(target: string, address: string, { maxHops, size }: TraceOptions): string {
  const name = target === address ? address : `${printable(target)} [${address}]`;
  return `Tracing route to ${name}, ${maxHops} hops at most, ${size} data bytes\n\n`;
}

function hopText({ ttl, from, answers }: TraceHop): string {
  const times = answers.map(({ from: who, rttMs }) =>
    who === null ? '*'.padStart(11) : `${rttMs.toFixed(3)} ms`.padStart(11),
  );
  const who = from.map(({ address, name }) => (name === null ? address : `${name} [${address}]`)).join(', ');
  const last = answers.at(-1);
  const isOdd = last !== undefined && (last.result === 'unreachable' || last.result === 'error');
  const reason = isOdd ? `  ${last.message}` : '';
  return `${String(ttl).padStart(3)}${times.join('')}  ${who === '' ? 'no answer in time' : who}${reason}\n`;
}
