/** `winsockd impair add|show|remove`: a worse network, on purpose. */

import { Command } from 'commander';
import type { ImpairmentSettings, ImpairmentStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session, showOrWatch, type Watchable, watchOption } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import {
  formatProbability,
  formatRate,
  readDuration,
  readInteger,
  readProbability,
  readRate,
} from '../units.ts';

interface LinkOptions {
  readonly link?: string;
}

interface AddOptions extends LinkOptions {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly corrupt?: number;
  readonly mark?: number;
  readonly markAbove?: number;
  readonly rate?: number;
  readonly seed?: number;
}

export function impairCommand(session: Session): Command {
  return new Command('impair')
    .description('lose, delay, reorder, repeat, damage, mark or slow packets')
    .addCommand(addCommand(session))
    .addCommand(showCommand(session))
    .addCommand(removeCommand(session));
}

function addCommand(session: Session): Command {
  return withLink(
    leaf<AddOptions>(session, 'add', 'impair a link, or change how; what is not named stays', add),
  )
    .option('--delay <time>', 'later by so much, such as 50ms', (text) => readDuration('--delay', text))
    .option('--jitter <time>', 'and up to so much more', (text) => readDuration('--jitter', text))
    .option('--loss <part>', 'lose this part, such as 1%', (text) => readProbability('--loss', text))
    .option('--duplicate <part>', 'send this part twice', (text) => readProbability('--duplicate', text))
    .option('--reorder <part>', 'let this part overtake others', (text) => readProbability('--reorder', text))
    .option('--corrupt <part>', 'flip a bit in this part', (text) => readProbability('--corrupt', text))
    .option('--mark <part>', 'mark congestion on this part of what allows it (ECN)', (text) =>
      readProbability('--mark', text),
    )
    .option('--rate <rate>', 'not faster than this, such as 1mbit', (text) => readRate('--rate', text))
    .option('--mark-above <bytes>', 'with a rate: mark what finds so much waiting', (text) =>
      readInteger('--mark-above', text, 0, 1 << 30),
    )
    .option('--seed <number>', 'the same seed gives the same fates', (text) =>
      readInteger('--seed', text, 0, 0xffff_ffff),
    );
}

function showCommand(session: Session): Command {
  return withLink(
    leaf<LinkOptions & Watchable>(
      session,
      'show',
      'list what is impaired, and the fates of packets',
      (invocation) => {
        const { client, options } = invocation;
        return showOrWatch(
          invocation,
          async () => {
            if (options.link !== undefined)
              return [await client.get<ImpairmentStatus>(routeOf(options.link))];
            return client.get<ImpairmentStatus[]>('/v1/impairments');
          },
          (all) => all.map(statusText).join('') || 'there is no link to impair\n',
        );
      },
    ).addOption(watchOption()),
  );
}

function removeCommand(session: Session): Command {
  return withLink(
    leaf<LinkOptions>(session, 'remove', 'leave a link’s packets alone again', async (invocation) => {
      const { name } = await findLink(invocation);
      const status = await invocation.client.ask<ImpairmentStatus>('DELETE', routeOf(name));
      invocation.print(status, () => statusText(status));
      return ExitCode.ok;
    }),
  );
}

async function add(invocation: Invocation<AddOptions>): Promise<ExitCode> {
  const { client, options, print } = invocation;
  const { rate, delay, jitter, loss, duplicate, reorder, corrupt, mark, markAbove, seed } = options;
  const given = {
    delay,
    jitter,
    loss,
    duplicate,
    reorder,
    corrupt,
    mark,
    rateBytesPerSec: rate,
    markAboveBytes: markAbove,
    seed,
  };
  const wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (Object.keys(wanted).length === 0) {
    throw new CliError(
      ExitCode.usage,
      'usage',
      'say how: --delay, --loss or another; winsockd impair add --help',
    );
  }
  const { name, settings } = await findLink(invocation);
  const body: ImpairmentSettings = { ...settings, ...wanted };
  const status = await client.ask<ImpairmentStatus>('PUT', routeOf(name), { body });
  print(status, () => statusText(status));
  return ExitCode.ok;
}

/** The link that `--link` names, or the only one; with what it has now. */
async function findLink({
  client,
  options,
}: Invocation<LinkOptions>): Promise<{ readonly name: string; readonly settings: ImpairmentSettings }> {
  const all = await client.get<ImpairmentStatus[]>('/v1/impairments');
  const names = all.map(({ link }) => link);
  const { link = names.length === 1 ? names[0] : undefined } = options;
  const found = all.find((status) => status.link === link);
  if (found !== undefined) return { name: found.link, settings: found.settings };
  if (names.length === 0) throw new CliError(ExitCode.no, 'no-link', 'the daemon has no link to impair');
  const problem = link === undefined ? 'there are several links' : `there is no link "${link}"`;
  throw new CliError(ExitCode.usage, 'usage', `${problem}; choose one with --link: ${names.join(', ')}`);
}

function statusText({ link, settings, fates }: ImpairmentStatus): string {
  const parts = settingTexts(settings);
  const counts = Object.entries(fates).filter(([, count]) => count > 0);
  const lines = [`${link}: ${parts.length === 0 ? 'not impaired' : parts.join(', ')}`];
  if (counts.length > 0)
    lines.push(`  packets: ${counts.map(([fate, count]) => `${count} ${fate}`).join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function settingTexts({
  delay,
  jitter,
  rateBytesPerSec,
  markAboveBytes,
  seed,
  ...parts
}: ImpairmentSettings): string[] {
  const texts: string[] = [];
  if (delay) texts.push(`delay ${delay}ms`);
  if (jitter) texts.push(`jitter ${jitter}ms`);
  for (const name of PROBABILITIES) {
    const value = parts[name];
    if (value) texts.push(`${name} ${formatProbability(value)}`);
  }
  if (rateBytesPerSec) texts.push(`rate ${formatRate(rateBytesPerSec)}`);
  if (markAboveBytes) texts.push(`mark above ${markAboveBytes} bytes`);
  if (texts.length > 0 && seed !== undefined) texts.push(`seed ${seed}`);
  return texts;
}

function withLink(command: Command): Command {
  return command.option('--link <name>', 'which link; the only one unless given');
}

function routeOf(link: string): string {
  return `/v1/impairments/${encodeURIComponent(link)}`;
}

const PROBABILITIES = ['loss', 'duplicate', 'reorder', 'corrupt', 'mark'] as const;
