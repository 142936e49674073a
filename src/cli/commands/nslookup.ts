/**
 * `winsockd nslookup NAME [SERVER]`: asks a name server from inside the stack, in the look of Windows' nslookup. As there, the
 * cache and the hosts file are passed by.
 */

import type { Command } from 'commander';
import { IpAddress } from '../../base/index.ts';
import type { NameRecord, ResolveAnswer, ResolveRequest } from '../../port/index.ts';
import { durationOption, type Invocation, leaf, type Session } from '../command.ts';
import type { ControlClient } from '../control-client.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { printable } from '../render.ts';
import { readInteger } from '../units.ts';

interface NslookupOptions {
  readonly type?: string;
  readonly port?: number;
  readonly tcp?: boolean;
  /** ms */
  readonly timeout: number;
  readonly cache?: boolean;
}

/** What `nslookup --json` answers. */
export interface NslookupReport {
  readonly server: { readonly name: string | null; readonly address: string } | null;
  readonly answer: ResolveAnswer;
}

export function nslookupCommand(session: Session): Command {
  return leaf<NslookupOptions>(session, 'nslookup', 'ask a name server from inside the stack', nslookup)
    .argument('<name>', 'a name, or an address whose name is asked for')
    .argument('[server]', 'whom to ask; the first that is configured unless given')
    .option('--type <type>', 'A, AAAA, MX, TXT, TYPE65, …; A and AAAA unless given; also -type= and -q=')
    .option('--port <number>', 'the server’s port', (text) => readInteger('--port', text, 1, 65_535))
    .option('--tcp', 'ask over TCP at once; also -vc')
    .option('--cache', 'ask as applications do: hosts file, cache, all servers')
    .addOption(durationOption('--timeout <time>', 'how long the answer may take', 15_000));
}

async function nslookup(invocation: Invocation<NslookupOptions>): Promise<ExitCode> {
  const { client, args, options, print } = invocation;
  const [name = '', serverText] = args;
  const usesCache = options.cache === true;
  const server =
    usesCache || serverText === undefined ? null : await serverAddress(client, serverText, options);
  const { type } = options;
  const answer = await ask(client, options, {
    name,
    ...(type === undefined ? {} : { type: type.toUpperCase() }),
    ...(usesCache ? {} : { server: server ?? 'default' }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.tcp === true ? { tcp: true } : {}),
  });
  const report: NslookupReport = {
    server:
      answer.server === null
        ? null
        : { name: await nameOf(client, answer.server, options), address: answer.server },
    answer,
  };
  print(report, () => reportText(report, name));
  return answer.status === 'found' ? ExitCode.ok : ExitCode.no;
}

function ask(client: ControlClient, options: NslookupOptions, body: ResolveRequest): Promise<ResolveAnswer> {
  return client.ask<ResolveAnswer>('POST', '/v1/resolve', { body, timeoutMs: options.timeout });
}

/** The address of the server named on the command line. */
async function serverAddress(client: ControlClient, text: string, options: NslookupOptions): Promise<string> {
  if (IpAddress.parse(text) !== null) return text;
  const { records } = await ask(client, options, { name: text });
  const found = records.find(({ type }) => type === 'A') ?? records.find(({ type }) => type === 'AAAA');
  if (found !== undefined) return found.data;
  throw new CliError(ExitCode.no, 'no-server', `can't find address for server ${text}: no such name`);
}

/** The server's name, as its own reverse says; `null` when nobody knows. */
async function nameOf(
  client: ControlClient,
  address: string,
  options: NslookupOptions,
): Promise<string | null> {
  const known = await ask(client, options, { name: address, type: 'PTR' }).catch(() => null);
  const pointer = known?.records.find(({ type }) => type === 'PTR');
  return pointer === undefined ? null : printable(pointer.data);
}

function reportText({ server, answer }: NslookupReport, asked: string): string {
  const serverName = server?.name ?? 'UnKnown';
  const head = server === null ? '' : `Server:  ${serverName}\nAddress:  ${server.address}\n\n`;
  const { status, isAuthoritative, types } = answer;
  if (status === 'temporary') return `${head}*** Request to ${serverName} timed-out or failed\n`;
  if (status === 'noName')
    return `${head}*** ${serverName} can't find ${printable(asked)}: Non-existent domain\n`;
  if (status === 'noData')
    return `${head}*** No ${types.join(' or ')} records available for ${printable(answer.displayName)}\n`;
  if (status !== 'found') return `${head}*** ${serverName} can't find ${printable(asked)}: ${status}\n`;
  const isDirect = answer.source === 'dns';
  const note = isDirect && !isAuthoritative ? 'Non-authoritative answer:\n' : '';
  return `${head}${note}${answerText(answer, asked)}\n`;
}

function answerText(answer: ResolveAnswer, asked: string): string {
  const { records } = answer;
  const addresses = records.filter(({ type }) => type === 'A' || type === 'AAAA').map(({ data }) => data);
  const isPointer = IpAddress.parse(asked) !== null;
  if (isPointer && addresses.length === 0) {
    const names = records.filter(({ type }) => type === 'PTR').map(({ data }) => data);
    if (names.length > 0) return addressBlock(names[0] as string, [asked], names.slice(1));
  }
  const others = records.filter(({ type }) => !['A', 'AAAA', 'CNAME'].includes(type));
  if (addresses.length > 0) {
    const aliases = records.filter(({ type }) => type === 'CNAME').map(({ name }) => name);
    return addressBlock(answer.canonicalName, addresses, aliases) + others.map(recordLines).join('');
  }
  return records.map(recordLines).join('');
}

function addressBlock(name: string, addresses: readonly string[], aliases: readonly string[]): string {
  const label = addresses.length === 1 ? 'Address:  ' : 'Addresses:  ';
  const alias = aliases.length === 0 ? '' : `Aliases:  ${aliases.map(printable).join('\n\t  ')}\n`;
  return `Name:    ${printable(name)}\n${label}${addresses.join('\n\t  ')}\n${alias}`;
}

/** One record as Windows writes it. */
function recordLines({ name, type, data }: NameRecord): string {
  const owner = printable(name);
  const shown = printable(data);
  const words = shown.split(' ');
  switch (type) {
    case 'CNAME':
      return `${owner}\tcanonical name = ${shown}\n`;
    case 'NS':
      return `${owner}\tnameserver = ${shown}\n`;
    case 'PTR':
      return `${owner}\tname = ${shown}\n`;
    case 'MX':
      return `${owner}\tMX preference = ${words[0]}, mail exchanger = ${words[1]}\n`;
    case 'TXT':
      return `${owner}\ttext =\n\n\t${shown}\n`;
    case 'SRV':
      return (
        `${owner}\tSRV service location:\n` +
        `\t  priority       = ${words[0]}\n\t  weight         = ${words[1]}\n` +
        `\t  port           = ${words[2]}\n\t  svr hostname   = ${words[3]}\n`
      );
    case 'SOA':
      return (
        `${owner}\n\tprimary name server = ${words[0]}\n\tresponsible mail addr = ${words[1]}\n` +
        `\tserial  = ${words[2]}\n\trefresh = ${words[3]}\n\tretry   = ${words[4]}\n` +
        `\texpire  = ${words[5]}\n\tdefault TTL = ${words[6]}\n`
      );
    default:
      return `${owner}\t${type} = ${shown}\n`;
  }
}
