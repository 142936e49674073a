/** `winsockd route print`: the routes of the stack. */

import { Command } from 'commander';
import type { RouteStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { isForPeople, table } from '../render.ts';

export function routeCommand(session: Session): Command {
  const print = leaf(session, 'print', 'list the routes', async (invocation) => {
    const routes = await invocation.client.get<RouteStatus[]>('/v1/routes');
    invocation.print(routes, () => routesText(routes, isForPeople(invocation.context)));
    return ExitCode.ok;
  });
  return new Command('route').description('the routes of the stack').addCommand(print);
}

/** The routes as a table, in the order in which they were given. */
export function routesText(routes: readonly RouteStatus[], isBold: boolean): string {
  return table(
    routes,
    [
      { title: 'Network Destination', value: ({ destination }) => destination },
      { title: 'Gateway', value: ({ gateway }) => gateway ?? 'On-link' },
      { title: 'Interface', value: (route) => route.interface },
      { title: 'Metric', align: 'right', value: ({ metric }) => metric },
    ],
    isBold,
  );
}
