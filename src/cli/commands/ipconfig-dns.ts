/** `ipconfig /flushdns` and `/displaydns`: the resolver's cache, as Windows shows it. */

import type { Command } from 'commander';
import type { NameRecord, ResolveAnswer } from '../../port/index.ts';
import type { Invocation } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { plural, printable } from '../render.ts';

/** The flags, among those of `ipconfig`. */
export interface DnsFlags {
  readonly flushdns?: boolean;
  readonly displaydns?: boolean;
}

/** Adds the flags to `ipconfig`. */
export function addDnsOptions(command: Command): Command {
  return command
    .option('--flushdns', 'forget what the resolver has learnt; also /flushdns')
    .option('--displaydns', 'show what the resolver has learnt; also /displaydns');
}

/** Does what the flags say. @returns `null` when they say nothing */
export async function runDnsFlags({
  client,
  options,
  print,
}: Invocation<DnsFlags>): Promise<ExitCode | null> {
  if (options.flushdns === true) {
    const { entries } = await client.ask<{ readonly entries: number }>('DELETE', '/v1/dns-cache');
    print(
      { entries },
      () =>
        `\nIP Configuration\n\nSuccessfully flushed the DNS Resolver Cache (${plural(entries, 'name')}).\n`,
    );
    return ExitCode.ok;
  }
  if (options.displaydns !== true) return null;
  const entries = await client.get<ResolveAnswer[]>('/v1/dns-cache');
  print(entries, () => `\nIP Configuration\n\n${entries.map(entryText).join('\n')}`);
  return ExitCode.ok;
}

function entryText({ name, status, types, records }: ResolveAnswer): string {
  const head = `    ${printable(name)}\n    ----------------------------------------\n`;
  if (status === 'noName') return `${head}    Name does not exist.\n`;
  if (status === 'noData') return `${head}    No records of type ${types.join(', ')}\n`;
  if (status !== 'found') return `${head}    No server could answer for type ${types.join(', ')}\n`;
  return `${head}${records.map(recordText).join('\n\n')}\n`;
}

function recordText({ name, type, typeNumber, ttl, data }: NameRecord): string {
  const rows: readonly (readonly [string, string | number])[] = [
    ['Record Name', printable(name)],
    ['Record Type', typeNumber],
    ['Time To Live', ttl],
    ['Section', 'Answer'],
    [LABELS[type] ?? `${type} Record`, printable(data)],
  ];
  return rows.map(([label, value]) => `    ${dotted(label)}: ${value}`).join('\n');
}

/** `Record Name . . . . . `: up to the colon's column. */
function dotted(label: string): string {
  return label
    .padEnd(label.length + 1 - (label.length % 2))
    .padEnd(VALUE_COLUMN, ' .')
    .concat(' ');
}

const VALUE_COLUMN = 21;
const LABELS: Readonly<Record<string, string>> = {
  A: 'A (Host) Record',
  AAAA: 'AAAA Record',
  CNAME: 'CNAME Record',
  PTR: 'PTR Record',
};
