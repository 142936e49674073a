/**
 * `winsockd netsh interface ipv4|ipv6 show|set|add|delete …`: interfaces, addresses and routes in netsh's words.
 *
 *     winsockd netsh interface ipv4 show interfaces
 *     winsockd netsh interface ipv4 set interface 2 forwarding=enabled weakhostsend=enabled metric=5
 *     winsockd netsh interface ipv4 add route prefix=10.0.0.0/8 interface=2 nexthop=10.1.1.1
 */

import { Command } from 'commander';
import type { InterfaceRequest, InterfaceStatus, RouteStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { fields, isForPeople, table } from '../render.ts';
import { readInteger } from '../units.ts';
import { showJoins } from './netsh-joins.ts';
import { changePrefixPolicy, showPrefixPolicies } from './netsh-prefix-policy.ts';
import { netshTcpCommand } from './netsh-tcp.ts';

type Family = 4 | 6;
type SwitchName =
  | 'isForwarding'
  | 'weakHostSend'
  | 'weakHostReceive'
  | 'sendsRedirects'
  | 'acceptsRedirects'
  | 'isUp';

/** netsh's words for what is switched with `enabled` and `disabled`. */
const SWITCHES: Readonly<Record<string, SwitchName>> = {
  forwarding: 'isForwarding',
  weakhostsend: 'weakHostSend',
  weakhostreceive: 'weakHostReceive',
  sendredirects: 'sendsRedirects',
  icmpredirects: 'acceptsRedirects',
  admin: 'isUp',
};

export function netshInterfaceCommand(session: Session): Command {
  const root = new Command('interface').alias('int').description('interfaces, addresses and routes');
  root.addCommand(familyCommand(session, 'ipv4', 4)).addCommand(familyCommand(session, 'ipv6', 6));
  root.addCommand(netshTcpCommand(session));
  const setAdmin = new Command('set').description('switch an interface on or off');
  root.addCommand(setAdmin.addCommand(setInterface(session)));
  return root;
}

function familyCommand(session: Session, name: string, family: Family): Command {
  const command = new Command(name).description(`what concerns IPv${family}`);
  if (name === 'ipv4') command.alias('ip');
  const show = new Command('show').description('list what is set');
  show.addCommand(showInterfaces(session)).addCommand(showAddresses(session, family));
  show.addCommand(showRoute(session, family)).addCommand(showJoins(session, family));
  const set = new Command('set').description('change what is set').addCommand(setInterface(session));
  const add = new Command('add')
    .description('add what is not there yet')
    .addCommand(changeRoute(session, 'POST'));
  const remove = new Command('delete')
    .description('remove what is there')
    .addCommand(changeRoute(session, 'DELETE'));
  if (family === 6) {
    show.addCommand(showPrefixPolicies(session));
    set.addCommand(changePrefixPolicy(session, 'PATCH', 'change a row of the table of address selection'));
    add.addCommand(changePrefixPolicy(session, 'POST', 'add one'));
    remove.addCommand(changePrefixPolicy(session, 'DELETE', 'remove one'));
  }
  return command.addCommand(show).addCommand(set).addCommand(add).addCommand(remove);
}

function showInterfaces(session: Session): Command {
  const command = leaf(
    session,
    'interfaces',
    'list the interfaces; one of them whole',
    async (invocation) => {
      const { client, args, context, print } = invocation;
      const all = await client.get<InterfaceStatus[]>('/v1/interfaces');
      if (args[0] === undefined) {
        print(all, () => interfacesText(all, isForPeople(context)));
        return ExitCode.ok;
      }
      const one = find(all, args[0]);
      print(one, () => interfaceText(one));
      return ExitCode.ok;
    },
  );
  return command.alias('interface').argument('[interface]', 'its index or name');
}

function showAddresses(session: Session, family: Family): Command {
  return leaf(session, 'addresses', 'list the addresses', async ({ client, context, print }) => {
    const all = await client.get<InterfaceStatus[]>('/v1/interfaces');
    const rows = all.flatMap(({ index, name, addresses }) =>
      addresses.filter((text) => isOfFamily(text, family)).map((address) => ({ index, name, address })),
    );
    const columns = [
      { title: 'Idx', align: 'right' as const, value: (row: (typeof rows)[number]) => row.index },
      { title: 'Address', value: (row: (typeof rows)[number]) => row.address },
      { title: 'Interface', value: (row: (typeof rows)[number]) => row.name },
    ];
    print(rows, () => table(rows, columns, isForPeople(context)));
    return ExitCode.ok;
  }).alias('ipaddresses');
}

function showRoute(session: Session, family: Family): Command {
  return leaf(session, 'route', 'list the routes', async ({ client, context, print }) => {
    const all = await client.get<RouteStatus[]>('/v1/routes');
    const routes = all.filter(({ destination }) => isOfFamily(destination, family));
    print(routes, () => routesText(routes, isForPeople(context)));
    return ExitCode.ok;
  });
}

function setInterface(session: Session): Command {
  return leaf(session, 'interface', 'switch what is named', async (invocation) => {
    const { client, args, print } = invocation;
    const { named, words } = readWords(args, 'interface');
    const body = settingsOf(words);
    const all = await client.get<InterfaceStatus[]>('/v1/interfaces');
    const { index } = find(all, named);
    const now = await client.ask<InterfaceStatus>('PATCH', `/v1/interfaces/${index}`, { body });
    print(now, () => 'Ok.\n\n');
    return ExitCode.ok;
  }).argument(
    '<words...>',
    'INTERFACE and settings such as forwarding=enabled, metric=5, weakhostsend=enabled',
  );
}

function changeRoute(session: Session, method: 'POST' | 'DELETE'): Command {
  return leaf(session, 'route', 'a route', (invocation) => sendRoute(invocation, method)).argument(
    '<words...>',
    'prefix=10.0.0.0/8 interface=2 nexthop=10.1.1.1 metric=5, or the first three in this order',
  );
}

async function sendRoute(
  { client, args, print }: Invocation<unknown>,
  method: 'POST' | 'DELETE',
): Promise<ExitCode> {
  const words = new Map<string, string>();
  const order = ['prefix', 'interface', 'nexthop'];
  for (const [i, arg] of args.entries()) {
    const at = arg.indexOf('=');
    words.set(at < 0 ? (order[i] ?? arg) : arg.slice(0, at).toLowerCase(), arg.slice(at + 1));
  }
  for (const word of words.keys()) {
    if (![...order, 'metric', 'store'].includes(word))
      throw usageError('route', word, 'prefix, interface, nexthop or metric');
  }
  if (words.get('store') === 'persistent') {
    throw new CliError(ExitCode.usage, 'usage', 'store=persistent: the daemon keeps no routes over its end');
  }
  const named = words.get('interface');
  const gateway = words.get('nexthop');
  const metric = words.get('metric');
  const body = {
    destination: words.get('prefix') ?? '',
    ...(gateway === undefined ? {} : { gateway }),
    ...(named === undefined ? {} : { interface: /^\d+$/.test(named) ? Number(named) : named }),
    ...(metric === undefined || method === 'DELETE'
      ? {}
      : { metric: readInteger('metric', metric, 0, 9999) }),
  };
  const routes = await client.ask<RouteStatus[]>(method, '/v1/routes', { body });
  print(routes, () => 'Ok.\n\n');
  return ExitCode.ok;
}

/** The interface, by its place or by its word, and the other words. */
function readWords(args: readonly string[], subject: string): { named: string; words: readonly string[] } {
  const [first = '', ...rest] = args;
  const named = first.replace(/^(interface|name)=/i, '');
  if (named.includes('=')) throw usageError(subject, first, 'an interface’s index or name');
  return { named, words: rest };
}

function settingsOf(words: readonly string[]): InterfaceRequest {
  const settings: { -readonly [K in keyof InterfaceRequest]: InterfaceRequest[K] } = {};
  for (const word of words) {
    const [key = '', value = ''] = word.toLowerCase().split('=');
    const name = Object.hasOwn(SWITCHES, key) ? SWITCHES[key] : undefined;
    if (key === 'metric') settings.metric = readInteger('metric', value, 1, 9999);
    else if (name !== undefined) settings[name] = readSwitch(key, value);
    else
      throw usageError('setting', word, `one of metric, ${Object.keys(SWITCHES).join(', ')} with its value`);
  }
  if (words.length === 0)
    throw usageError('setting', '', 'given: name at least one, such as forwarding=enabled');
  return settings;
}

function readSwitch(key: string, value: string): boolean {
  if (value === 'enabled' || value === 'enable') return true;
  if (value === 'disabled' || value === 'disable') return false;
  throw usageError(key, value, 'enabled or disabled');
}

function find(all: readonly InterfaceStatus[], named: string): InterfaceStatus {
  const found = all.find(({ index, name }) => String(index) === named || name === named);
  if (found !== undefined) return found;
  const names = all.map(({ name }) => name).join(', ');
  throw new CliError(ExitCode.no, 'notFound', `there is no interface ${named}; there is ${names}`);
}

function interfacesText(all: readonly InterfaceStatus[], isBold: boolean): string {
  return table(
    all,
    [
      { title: 'Idx', align: 'right', value: ({ index }) => index },
      { title: 'Met', align: 'right', value: ({ metric }) => metric },
      { title: 'MTU', align: 'right', value: ({ mtu }) => mtu },
      { title: 'State', value: ({ isUp }) => (isUp ? 'connected' : 'disconnected') },
      { title: 'Name', value: ({ name }) => name },
    ],
    isBold,
  );
}

function interfaceText(one: InterfaceStatus): string {
  const shown = (isOn: boolean): string => (isOn ? 'enabled' : 'disabled');
  return fields([
    ['Interface', one.name],
    ['IfIndex', one.index],
    ['State', one.isUp ? 'connected' : 'disconnected'],
    ['Metric', one.metric],
    ['Link MTU', `${one.mtu} bytes`],
    ['Forwarding', shown(one.isForwarding)],
    ['Weak Host Sends', shown(one.weakHostSend)],
    ['Weak Host Receives', shown(one.weakHostReceive)],
    ['Sends Redirects', shown(one.sendsRedirects)],
    ['ICMP Redirects', shown(one.acceptsRedirects)],
  ]);
}

function routesText(routes: readonly RouteStatus[], isBold: boolean): string {
  return table(
    routes,
    [
      { title: 'Publish', value: () => 'No' },
      { title: 'Type', value: ({ origin }) => origin },
      { title: 'Met', align: 'right', value: ({ metric }) => metric },
      { title: 'Prefix', value: ({ destination }) => destination },
      { title: 'Idx', align: 'right', value: ({ interfaceIndex }) => interfaceIndex },
      { title: 'Gateway/Interface Name', value: (route) => route.gateway ?? route.interface },
    ],
    isBold,
  );
}

function isOfFamily(text: string, family: Family): boolean {
  return text.includes(':') === (family === 6);
}
