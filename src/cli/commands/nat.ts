/**
 * `winsockd nat`: the stack as a router that translates addresses (NAT44), and ports of the outside that lead to hosts inside.
 *
 *     winsockd nat enable wan0
 *     winsockd nat add 8080 192.168.5.9:80
 *     winsockd nat add --udp 53 192.168.5.9:53
 *     winsockd nat list
 *     winsockd nat remove 8080
 */

import { Command, Option } from 'commander';
import type { NatMappingStatus, NatStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { fields, isForPeople, plural, table } from '../render.ts';
import { readInteger } from '../units.ts';

interface EnableOptions {
  readonly filtering?: string;
  readonly maxMappings?: number;
  readonly maxMappingsPerHost?: number;
}

interface ProtocolOptions {
  readonly udp?: boolean;
}

interface ListOptions {
  readonly portMaps?: boolean;
}

export function natCommand(session: Session): Command {
  return new Command('nat')
    .description('translate addresses of hosts inside, and map ports to them')
    .addCommand(enableCommand(session))
    .addCommand(leaf(session, 'disable', 'end it; what is mapped is forgotten', disable))
    .addCommand(
      leaf<ProtocolOptions>(session, 'add', 'map a port of the outside to a host inside', addPortMap)
        .argument('<port>', 'a port of the outside address')
        .argument('<target>', 'where that leads, inside: ADDRESS:PORT')
        .option('--udp', 'datagrams rather than connections'),
    )
    .addCommand(
      leaf<ListOptions>(session, 'list', 'how it is set, and what is mapped', list).option(
        '--port-maps',
        'only what was mapped by hand',
      ),
    )
    .addCommand(
      leaf<ProtocolOptions>(session, 'remove', 'end a port map, with what uses it', removePortMap)
        .argument('<port>', 'the port of the outside address')
        .option('--udp', 'datagrams rather than connections'),
    );
}

function enableCommand(session: Session): Command {
  const filtering = new Option('--filtering <kind>', 'whose packets come in through a mapping').choices([
    ...FILTERINGS.keys(),
  ]);
  return leaf<EnableOptions>(session, 'enable', 'translate what is passed on by an interface', enable)
    .argument('<interface>', 'the one to the outside, by name or index')
    .addOption(filtering)
    .option('--max-mappings <count>', 'most mappings in all', (text) =>
      readInteger('--max-mappings', text, 1, 65_536),
    )
    .option('--max-mappings-per-host <count>', 'and for each host inside', (text) =>
      readInteger('--max-mappings-per-host', text, 1, 65_536),
    );
}

async function enable({ client, args, options, print }: Invocation<EnableOptions>): Promise<ExitCode> {
  const { filtering, maxMappings, maxMappingsPerHost } = options;
  const body = {
    interface: args[0] ?? '',
    ...(filtering === undefined ? {} : { filtering: FILTERINGS.get(filtering) }),
    ...(maxMappings === undefined ? {} : { maxMappings }),
    ...(maxMappingsPerHost === undefined ? {} : { maxMappingsPerHost }),
  };
  const now = await client.ask<NatStatus>('PUT', '/v1/nat', { body });
  print(now, () => stateText(now));
  return ExitCode.ok;
}

async function disable({ client, print }: Invocation<unknown>): Promise<ExitCode> {
  const now = await client.ask<NatStatus>('DELETE', '/v1/nat');
  print(now, () => stateText(now));
  return ExitCode.ok;
}

async function addPortMap({ client, args, options, print }: Invocation<ProtocolOptions>): Promise<ExitCode> {
  const [port = '', target = ''] = args;
  const outsidePort = readInteger('port', port, 1, 65_535);
  const [, insideAddress, insidePort = ''] = /^([\d.]+):(\d+)$/.exec(target) ?? [];
  if (insideAddress === undefined)
    throw usageError('target', target, 'an IPv4 address and port such as 192.168.5.9:80');
  const protocol = protocolOf(options);
  const body = {
    protocol,
    outsidePort,
    insideAddress,
    insidePort: readInteger('target', insidePort, 1, 65_535),
  };
  const now = await client.ask<NatStatus>('POST', '/v1/nat/port-maps', { body });
  const outside = `${now.outsideAddress ?? now.interface}:${outsidePort}`;
  print(now, () => `${protocol} ${outside} → ${target}\n`);
  return ExitCode.ok;
}

async function removePortMap({
  client,
  args,
  options,
  print,
}: Invocation<ProtocolOptions>): Promise<ExitCode> {
  const port = readInteger('port', args[0] ?? '', 1, 65_535);
  const protocol = protocolOf(options);
  const now = await client.ask<NatStatus>('DELETE', `/v1/nat/port-maps/${protocol}/${port}`);
  print(now, () => `removed the port map of ${protocol} port ${port}\n`);
  return ExitCode.ok;
}

async function list({ client, context, options, print }: Invocation<ListOptions>): Promise<ExitCode> {
  const all = await client.get<NatStatus>('/v1/nat');
  const shown = all.mappings.filter(({ isStatic }) => isStatic || options.portMaps !== true);
  print({ ...all, mappings: shown }, () => {
    const mappings = shown.length === 0 ? '' : `\n${mappingsText(all, shown, isForPeople(context))}`;
    return stateText(all) + mappings;
  });
  return ExitCode.ok;
}

function protocolOf({ udp }: ProtocolOptions): 'tcp' | 'udp' {
  return udp === true ? 'udp' : 'tcp';
}

function stateText(nat: NatStatus): string {
  if (nat.interface === null) return 'addresses are not translated\n';
  const [filtering = ''] = [...FILTERINGS].find(([, name]) => name === nat.filtering) ?? [];
  return fields([
    ['Outside', `${nat.interface} (${nat.outsideAddress ?? 'no IPv4 address yet'})`],
    ['Inside', nat.inside.length === 0 ? 'nothing: no other interface forwards' : nat.inside.join(', ')],
    ['Filtering', filtering],
    ['Mappings', plural(nat.mappings.length, 'mapping')],
  ]);
}

function mappingsText(
  { outsideAddress }: NatStatus,
  mappings: readonly NatMappingStatus[],
  isBold: boolean,
): string {
  return table(
    mappings,
    [
      { title: 'Proto', value: ({ protocol }) => protocol },
      { title: 'Inside', value: ({ insideAddress, insidePort }) => `${insideAddress}:${insidePort}` },
      { title: 'Outside', value: ({ outsidePort }) => `${outsideAddress ?? '*'}:${outsidePort}` },
      { title: 'Type', value: ({ isStatic }) => (isStatic ? 'port map' : 'dynamic') },
      { title: 'Peers', align: 'right', value: ({ sessions }) => sessions },
    ],
    isBold,
  );
}

/** The command line's words for what RFC 4787 §5 names. */
const FILTERINGS: ReadonlyMap<string, NonNullable<NatStatus['filtering']>> = new Map([
  ['endpoint-independent', 'endpointIndependent'],
  ['address', 'addressDependent'],
  ['address-and-port', 'addressAndPortDependent'],
]);
