/**
 * `winsockd route print|add|delete`: the routes of the stack, in Windows' words and with prefixes.
 *
 *     winsockd route add 10.0.0.0 mask 255.0.0.0 10.1.1.1 metric 5 if 2
 *     winsockd route add 10.0.0.0/8 10.1.1.1
 *     winsockd route delete 10.0.0.0/8
 */

import { Command, Option } from 'commander';
import type { IpFamily } from '../../base/index.ts';
import type { RouteStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { isForPeople, table } from '../render.ts';
import { readRouteWords } from './route-words.ts';

interface RouteFlags {
  readonly ['4']?: boolean;
  readonly ['6']?: boolean;
  readonly p?: boolean;
}

export function routeCommand(session: Session): Command {
  const print = leaf<RouteFlags>(session, 'print', 'list the routes', printRoutes).argument(
    '[destination]',
    'those whose destination begins so; * is anything',
  );
  const add = leaf<RouteFlags>(session, 'add', 'add a route', addRoute).argument(
    '<words...>',
    'DESTINATION [mask MASK] [GATEWAY] [metric N] [if INTERFACE]; the destination may be a prefix',
  );
  const remove = leaf<RouteFlags>(session, 'delete', 'remove the routes to a destination', removeRoute)
    .alias('del')
    .argument('<words...>', 'DESTINATION [mask MASK] [GATEWAY] [if INTERFACE]');
  const route = new Command('route').description('the routes of the stack');
  for (const command of [print, add, remove]) route.addCommand(withFlags(command));
  return withFlags(route);
}

/** The routes as a table, in the order in which they were given; those whose gateway is silent are marked. */
export function routesText(routes: readonly RouteStatus[], isBold: boolean): string {
  return table(
    routes,
    [
      { title: 'Network Destination', value: ({ destination }) => destination },
      { title: 'Gateway', value: gatewayText },
      { title: 'Interface', value: (route) => route.interface },
      { title: 'Metric', align: 'right', value: ({ metric }) => metric },
    ],
    isBold,
  );
}

function gatewayText({ gateway, isSilent }: RouteStatus): string {
  return isSilent ? `${gateway} (silent)` : (gateway ?? 'On-link');
}

/** Windows has them before the verb, others behind it. */
function withFlags(command: Command): Command {
  return command
    .option('-4', 'IPv4 only')
    .option('-6', 'IPv6 only')
    .addOption(new Option('-p', 'persistent').hideHelp());
}

async function printRoutes({
  client,
  context,
  options,
  args,
  print,
}: Invocation<RouteFlags>): Promise<ExitCode> {
  const all = await client.get<RouteStatus[]>('/v1/routes');
  const begin = (args[0] ?? '').replace(/\*.*$/, '');
  const routes = all.filter(
    ({ destination }) => isOfFamily(destination, options) && destination.startsWith(begin),
  );
  print(routes, () => routesText(routes, isForPeople(context)));
  return ExitCode.ok;
}

async function addRoute({ client, options, args, print }: Invocation<RouteFlags>): Promise<ExitCode> {
  refusePersistence(options);
  const body = readRouteWords(args, familyOf(options));
  checkFamily(body.destination, options);
  const routes = await client.ask<RouteStatus[]>('POST', '/v1/routes', { body });
  print(routes, () => ' OK!\n');
  return ExitCode.ok;
}

async function removeRoute({ client, options, args, print }: Invocation<RouteFlags>): Promise<ExitCode> {
  refusePersistence(options);
  const { destination, gateway, interface: named } = readRouteWords(args, familyOf(options));
  checkFamily(destination, options);
  const body = {
    destination,
    ...(gateway === undefined ? {} : { gateway }),
    ...(named === undefined ? {} : { interface: named }),
  };
  const routes = await client.ask<RouteStatus[]>('DELETE', '/v1/routes', { body });
  print(routes, () => ' OK!\n');
  return ExitCode.ok;
}

function refusePersistence({ p }: RouteFlags): void {
  if (p !== true) return;
  throw new CliError(
    ExitCode.usage,
    'usage',
    'route -p: the daemon keeps no routes over its end; put them where it is started, or leave out -p',
  );
}

/** What `default` means. */
function familyOf(options: RouteFlags): IpFamily {
  return options['6'] === true && options['4'] !== true ? 6 : 4;
}

function checkFamily(destination: string, options: RouteFlags): void {
  if (isOfFamily(destination, options)) return;
  throw new CliError(ExitCode.usage, 'usage', `${destination} is not of the family that -4 or -6 asks for`);
}

function isOfFamily(destination: string, options: RouteFlags): boolean {
  const isV6 = destination.includes(':');
  return options['4'] === options['6'] || (isV6 ? options['6'] === true : options['4'] === true);
}
