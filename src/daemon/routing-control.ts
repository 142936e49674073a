/**
 * The routing part of the control API: routes are added and removed, interfaces switched, ports forwarded.
 */

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { IpAddress, parsePrefix } from '../base/index.ts';
import type { ForwardPlace, InterfaceRequest } from '../port/index.ts';
import type { RouteView, Stack } from '../stack/index.ts';
import { asked, interfaceNamed, notThere } from './control-words.ts';
import { addNat } from './nat-control.ts';
import { badRequest, checked, RequestError } from './request-error.ts';
import type { DaemonState } from './state.ts';
import { interfaceStatus, routeStatus } from './views.ts';

const port = z.number().int().min(0).max(65_535);
const place = z.strictObject({ side: z.enum(['host', 'stack']), address: z.string().optional(), port });
const metric = z.number().int().min(0).max(9999);
const schemas = {
  route: z.strictObject({
    destination: z.string(),
    gateway: z.string().optional(),
    interface: z.union([z.number().int(), z.string()]).optional(),
    metric: metric.optional(),
  }),
  settings: z.strictObject({
    isUp: z.boolean().optional(),
    metric: metric.min(1).optional(),
    isForwarding: z.boolean().optional(),
    weakHostSend: z.boolean().optional(),
    weakHostReceive: z.boolean().optional(),
    sendsRedirects: z.boolean().optional(),
    acceptsRedirects: z.boolean().optional(),
  }),
  forward: z.strictObject({ protocol: z.enum(['tcp', 'udp']), listen: place, target: place }),
  id: z.object({ id: z.coerce.number().int().min(1) }),
  index: z.object({ index: z.coerce.number().int().min(1) }),
};

/** What `route add` means by no metric. */
const ADDED_METRIC = 1;

export function addRouting(app: FastifyInstance, state: DaemonState): void {
  const { stack } = state;
  app.post('/v1/routes', (request) => {
    addRoute(stack, checked(schemas.route, request.body ?? {}));
    return routeStatus(stack);
  });
  app.delete('/v1/routes', (request) => {
    removeRoute(stack, checked(schemas.route, request.body ?? {}));
    return routeStatus(stack);
  });
  app.patch('/v1/interfaces/:index', (request) => {
    const { index } = checked(schemas.index, request.params);
    const settings = checked(schemas.settings, request.body ?? {});
    if (!stack.interfaces.some((view) => view.index === index)) throw notThere(`interface ${index}`);
    const named = Object.entries(settings).filter(([, value]) => value !== undefined);
    asked(() => stack.setInterface(index, Object.fromEntries(named) as InterfaceRequest));
    return interfaceStatus(stack).find((one) => one.index === index);
  });
  addForwards(app, state);
  addNat(app, state);
}

function addForwards(app: FastifyInstance, { forwards }: DaemonState): void {
  app.get('/v1/forwards', () => forwards.list);
  app.post('/v1/forwards', (request) => {
    const { protocol, listen, target } = checked(schemas.forward, request.body ?? {});
    return forwards.add({ protocol, listen: present(listen), target: present(target) });
  });
  app.delete('/v1/forwards/:id', (request) => {
    const { id } = checked(schemas.id, request.params);
    const removed = forwards.remove(id);
    if (removed === null) throw notThere(`forward ${id}`);
    return removed;
  });
}

type RouteBody = z.output<typeof schemas.route>;

function addRoute(
  stack: Stack,
  { destination, gateway, interface: named, metric = ADDED_METRIC }: RouteBody,
): void {
  const prefix = readDestination(destination);
  const { via, own } = readGateway(stack, gateway, prefix.address.family);
  const interfaceIndex =
    named === undefined ? own || interfaceFor(stack, via) : interfaceNamed(stack, named).index;
  const isThere = stack.routes.some(
    (route) =>
      isTo(route, prefix) &&
      route.interfaceIndex === interfaceIndex &&
      sameGateway(route, via) &&
      route.table === 0,
  );
  if (isThere) throw new RequestError(409, 'exists', `there is such a route to ${destination} already`);
  asked(() =>
    stack.addRoute({
      destination,
      ...(via === null ? {} : { gateway: String(via) }),
      interfaceIndex,
      metric,
    }),
  );
}

/** Removes all routes to the destination that fit what else is said. */
function removeRoute(stack: Stack, { destination, gateway, interface: named }: RouteBody): void {
  const prefix = readDestination(destination);
  const { via } = readGateway(stack, gateway, prefix.address.family);
  const index = named === undefined ? 0 : interfaceNamed(stack, named).index;
  const meant = stack.routes.filter(
    (route) =>
      isTo(route, prefix) &&
      (gateway === undefined || sameGateway(route, via)) &&
      (index === 0 || route.interfaceIndex === index),
  );
  if (meant.length === 0) throw notThere(`route to ${destination}`);
  for (const route of meant) {
    const { interfaceIndex, gateway: held, table } = route;
    const options = { destination, interfaceIndex, table };
    stack.removeRoute(held === null ? options : { ...options, gateway: String(held) });
  }
}

function readDestination(text: string): { readonly address: IpAddress; readonly length: number } {
  const prefix = parsePrefix(text);
  if (prefix === null) throw badRequest(`destination: ${text} is no prefix such as 10.0.0.0/8`);
  return prefix;
}

/** Who to send to, `null`: the destination itself, on the link of `own` if that is not 0. */
interface Way {
  readonly via: IpAddress | null;
  readonly own: number;
}

/** As Windows has it: the any-address, and one of our own, mean that the destination is on the link. */
function readGateway(stack: Stack, text: string | undefined, family: number): Way {
  const address = text === undefined ? null : IpAddress.parse(text);
  if (text !== undefined && address?.family !== family)
    throw badRequest(`gateway: ${text} is no IPv${family} address, as the destination is`);
  if (address === null || address.isAny) return { via: null, own: 0 };
  if (!address.isHost || address.isLoopback)
    throw badRequest(`gateway: no router can have the address ${text}`);
  const own = stack.interfaceOf(address);
  return { via: own === 0 ? address : null, own };
}

/** The interface on whose link the gateway is. */
function interfaceFor(stack: Stack, gateway: IpAddress | null): number {
  if (gateway === null) throw badRequest('interface: needed for a route without a gateway');
  const route = stack.routeTo(gateway);
  const found =
    route === null ? undefined : stack.interfaces.find(({ index }) => index === route.interfaceIndex);
  if (found === undefined || found.isLoopback) {
    throw badRequest(`gateway: ${gateway} can not be reached over any interface; name one`);
  }
  return found.index;
}

function isTo(route: RouteView, prefix: { readonly address: IpAddress; readonly length: number }): boolean {
  return route.prefixLength === prefix.length && route.destination.equals(prefix.address);
}

/** A link-local one that was named without its zone is meant on the route's own link. */
function sameGateway({ gateway, interfaceIndex }: RouteView, via: IpAddress | null): boolean {
  if (gateway === null || via === null) return gateway === via;
  return gateway.equals(via.zone === 0 ? via.inZone(interfaceIndex) : via);
}

/** Without a key that says nothing. */
function present({ side, address, port }: z.output<typeof place>): ForwardPlace {
  return address === undefined ? { side, port } : { side, address, port };
}
