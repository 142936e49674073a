/** `winsockd ping`: echo requests by the stack's own ICMP endpoint. */

import { type Command, Option } from 'commander';
import type { PingAnswer, PingRequest } from '../../port/index.ts';
import { durationOption, type Invocation, leaf, type Session, unlessAborted } from '../command.ts';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-codes.ts';
import { plural, printable } from '../render.ts';
import { readInteger } from '../units.ts';
import { addressOf } from './target.ts';

interface PingOptions {
  /** 0: until interrupted. */
  readonly count: number;
  /** ms */
  readonly interval: number;
  readonly size: number;
  readonly ttl?: number;
  /** ms */
  readonly timeout: number;
  readonly dontFragment?: boolean;
  readonly recordRoute?: number;
  readonly timestamps?: number;
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/** What `ping --json` answers; times in ms. */
export interface PingReport {
  readonly address: string;
  readonly transmitted: number;
  readonly received: number;
  /** 0 … 1 */
  readonly loss: number;
  readonly rtt: {
    readonly min: number;
    readonly avg: number;
    readonly max: number;
    readonly mdev: number;
  } | null;
  readonly answers: readonly PingAnswer[];
}

/** How long an answer may be waited for, ms. */
export const ECHO_WAIT = { least: 1, most: 3_600_000 } as const;

export function pingCommand(session: Session): Command {
  return leaf<PingOptions>(session, 'ping', 'send echo requests from the stack', ping)
    .argument('<target>', 'whom to ask: an address or a name')
    .addOption(
      new Option('-n, --count <count>', 'how many; 0 means until interrupted')
        .default(4)
        .argParser((text) => readInteger('--count', text, 0, 1_000_000)),
    )
    .addOption(
      new Option('-c <count>', 'the same as -n').argParser((text) => readInteger('-c', text, 0, 1_000_000)),
    )
    .addOption(
      durationOption('-i, --interval <time>', 'time between two, such as 0.2 (seconds) or 200ms', 1000),
    )
    .option('-s, --size <bytes>', 'bytes of payload', (text) => readInteger('--size', text, 0, 65_507), 56)
    .option('-l <bytes>', 'the same as -s', (text) => readInteger('-l', text, 0, 65_507))
    .option('-t, --ttl <hops>', 'time to live', (text) => readInteger('--ttl', text, 1, 255))
    .addOption(durationOption('-W, --timeout <time>', 'how long to wait for each answer', 1000, ECHO_WAIT))
    .option('-f, --dont-fragment', 'nobody on the way may cut the packet')
    .option('-r, --record-route <count>', 'room for so many hops to note themselves (IPv4)', (text) =>
      readInteger('--record-route', text, 1, 9),
    )
    .option('--timestamps <count>', 'room for so many hops to note the time (IPv4); also /s', (text) =>
      readInteger('--timestamps', text, 1, 4),
    )
    .option('-4', 'the address is to be IPv4')
    .option('-6', 'the address is to be IPv6');
}

async function ping(
  invocation: Invocation<PingOptions & { readonly c?: number; readonly l?: number }>,
): Promise<ExitCode> {
  const { context, client, args } = invocation;
  const { c, l, ...given } = invocation.options;
  const options: PingOptions = { ...given, count: c ?? given.count, size: l ?? given.size };
  const [target = ''] = args;
  const address = await addressOf(client, target, given, 'ping');
  const isText = given.json !== true;
  const whom = target === address ? address : `${printable(target)} (${address})`;
  if (isText) context.stdout.write(`PING ${whom}: ${options.size} data bytes\n`);
  const answers: PingAnswer[] = [];
  const begin = context.now();
  for (let sequence = 1; options.count === 0 || sequence <= options.count; sequence++) {
    const sentAt = context.now();
    const answer = await unlessAborted(context, () =>
      client.ask<PingAnswer>('POST', '/v1/ping', question(address, sequence, options)),
    );
    if (answer === undefined) break;
    answers.push(answer);
    if (isText) context.stdout.write(answerText(answer, sequence));
    if (sequence !== options.count) await pause(context, sentAt + options.interval);
    if (context.signal.aborted) break;
  }
  const report = summarise(address, answers);
  invocation.print(report, () => reportText(report, context.now() - begin));
  return report.received > 0 ? ExitCode.ok : ExitCode.no;
}

function question(
  address: string,
  sequence: number,
  { size, timeout, ttl, dontFragment, recordRoute, timestamps }: PingOptions,
): { body: PingRequest; timeoutMs: number } {
  const body: PingRequest = {
    address,
    size,
    timeoutMs: timeout,
    sequence: sequence & 0xffff,
    ...(ttl === undefined ? {} : { ttl }),
    ...(dontFragment === true ? { dontFragment } : {}),
    ...(recordRoute === undefined ? {} : { recordRoute }),
    ...(timestamps === undefined ? {} : { timestamps }),
  };
  return { body, timeoutMs: timeout + 10_000 };
}

/** Requests go out at a steady pace: a slow answer takes from the pause after it. */
async function pause(context: Context, until: number): Promise<void> {
  const rest = until - context.now();
  if (rest > 0) await context.sleep(rest);
}

function answerText(answer: PingAnswer, sequence: number): string {
  const { result, from, bytes, ttl, rttMs, message } = answer;
  if (result === 'reply') {
    const line = `${bytes} bytes from ${from}: icmp_seq=${sequence} ttl=${ttl} time=${ms(rttMs)} ms\n`;
    return line + routeText(answer);
  }
  if (result === 'timeout') return `no answer for icmp_seq ${sequence}\n`;
  return `${from === null ? '' : `from ${from}: `}icmp_seq=${sequence} ${message}\n`;
}

/** What hops have noted in the options, in the look of Windows' ping. */
function routeText({ route = [], stamps = [] }: PingAnswer): string {
  const noted = route.length === 0 ? '' : `    Route: ${route.join(' ->\n           ')}\n`;
  if (stamps.length === 0) return noted;
  const times = stamps.map(({ address, time }) => `${address} : ${time}`);
  return `${noted}Timestamp: ${times.join(' ->\n           ')}\n`;
}

function summarise(address: string, answers: readonly PingAnswer[]): PingReport {
  const times = answers.filter(({ result }) => result === 'reply').map(({ rttMs }) => rttMs);
  const avg = mean(times);
  return {
    address,
    transmitted: answers.length,
    received: times.length,
    loss: answers.length === 0 ? 0 : 1 - times.length / answers.length,
    rtt:
      times.length === 0
        ? null
        : {
            min: Math.min(...times),
            avg,
            max: Math.max(...times),
            mdev: Math.sqrt(Math.max(0, mean(times.map((time) => time * time)) - avg * avg)),
          },
    answers,
  };
}

function reportText({ address, transmitted, received, loss, rtt }: PingReport, elapsed: number): string {
  const percent = Number((loss * 100).toFixed(1));
  const text =
    `\n--- ${address} ping statistics ---\n` +
    `${plural(transmitted, 'packet')} transmitted, ${received} received, ${percent}% packet loss, time ${Math.round(elapsed)} ms\n`;
  if (rtt === null) return text;
  return `${text}rtt min/avg/max/mdev = ${ms(rtt.min)}/${ms(rtt.avg)}/${ms(rtt.max)}/${ms(rtt.mdev)} ms\n`;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ms(time: number): string {
  return time.toFixed(3);
}
