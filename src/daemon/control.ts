/**
 * The control API of `port/control-api.ts`, served over HTTP on a Unix socket.
 */

import { existsSync, lstatSync, rmSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { IpAddress, parseMac } from '../base/index.ts';
import { threadPrivileges } from '../native/index.ts';
import {
  type DaemonStatus,
  type ImpairmentSettings,
  type ResolveRequest,
  TCP_TRACE_EVENTS,
} from '../port/index.ts';
import { addCatalog } from './catalog-control.ts';
import { dhcpInterfaces, dhcpStatus, releaseDhcp, renewDhcp } from './dhcp.ts';
import { sendEcho } from './echo.ts';
import { ExitCode, StartError } from './errors.ts';
import { groupStatus } from './groups-view.ts';
import type { Impairment } from './impairment.ts';
import { createMetrics } from './metrics.ts';
import { NameRequestError } from './names.ts';
import { forgetNeighbors, interfacesFor, neighborStatus } from './neighbors.ts';
import { addPrefixPolicies } from './prefix-policy.ts';
import type { Account } from './privileges.ts';
import { sendProbe } from './probe.ts';
import { badRequest, checked, RequestError } from './request-error.ts';
import { addRouting } from './routing-control.ts';
import type { DaemonState } from './state.ts';
import { addTcpSettings } from './tcp-control.ts';
import { VERSION } from './version.ts';
import { counterStatus, dropStatus, interfaceStatus, routeStatus, socketStatus, tcpStatus } from './views.ts';
import { addWatches } from './watch-control.ts';

/** Past this, the reader of a stream loses packets or events rather than the daemon its memory. */
const STREAM_BACKLOG = 8 << 20;
const BODY_LIMIT = 64 * 1024;

const chance = z.number().min(0).max(1).optional();
const port = z.coerce.number().int().min(0).max(65_535).optional();
const seconds = z.coerce
  .number()
  .min(0)
  .max(86_400 * 7)
  .optional();
const amount = z.number().min(0).max(1e12).optional();
const schemas = {
  ping: z.strictObject({
    address: z.string(),
    size: z.number().int().min(0).max(65_507).default(56),
    timeoutMs: z.number().min(1).max(3_600_000).default(1000),
    ttl: z.number().int().min(1).max(255).optional(),
    sequence: z.number().int().min(0).max(65_535).default(1),
    dontFragment: z.boolean().default(false),
    recordRoute: z.number().int().min(0).max(9).default(0),
    timestamps: z.number().int().min(0).max(4).default(0),
    method: z.enum(['icmp', 'udp']).default('icmp'),
    port: z.number().int().min(1).max(65_535).default(33_434),
  }),
  resolve: z.strictObject({
    name: z.string().max(1025),
    type: z.string().max(16).optional(),
    server: z.string().max(64).optional(),
    port: z.number().int().min(1).max(65_535).optional(),
    tcp: z.boolean().optional(),
  }),
  dhcp: z.strictObject({
    interface: z.string().optional(),
    family: z.union([z.literal(4), z.literal(6)]).optional(),
    timeoutMs: z.number().min(0).max(600_000).default(30_000),
  }),
  capture: z.strictObject({
    path: z.string().startsWith('/', 'an absolute path'),
    maxBytes: z.number().int().min(4096).optional(),
  }),
  impairment: z.strictObject({
    loss: chance,
    duplicate: chance,
    reorder: chance,
    corrupt: chance,
    mark: chance,
    delay: amount,
    jitter: amount,
    rateBytesPerSec: amount,
    markAboveBytes: amount,
    seed: z.number().int().min(0).max(0xffff_ffff).optional(),
  }),
  neighbor: z.strictObject({ mac: z.string(), interface: z.number().int().min(1).optional() }),
  neighborQuery: z.object({ interface: z.coerce.number().int().min(1).optional() }),
  tcp: z.object({ port }),
  trace: z.object({
    port,
    events: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(TCP_TRACE_EVENTS)))
      .optional(),
    seconds,
  }),
  stream: z.object({ seconds }),
};

/** The API over a state, not listening yet. */
export function createControl(state: DaemonState): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true });
  app.addHook('onRequest', async () => {
    if (state.isStopping)
      throw new RequestError(409, 'stopping', 'the daemon is ending; start it again: winsockd up');
  });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const { statusCode = 500, message } = error;
    // What the HTTP library refuses has its own codes; ours are words.
    const code = error instanceof RequestError ? error.code : statusCode < 500 ? 'badRequest' : 'internal';
    if (statusCode >= 500) state.fault(error);
    void reply.status(statusCode).send({ error: { code, message } });
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url} does not exist`;
    void reply.status(404).send({ error: { code: 'notFound', message } });
  });
  addViews(app, state);
  addRouting(app, state);
  addPrefixPolicies(app, state.stack);
  addNeighbors(app, state);
  addPing(app, state);
  addNames(app, state);
  addDhcp(app, state);
  addCapture(app, state);
  addTrace(app, state);
  addWatches(app, state);
  addTcpSettings(app, state.stack);
  addImpairments(app, state);
  return app;
}

/**
 * Listens on a path that this process has locked: a socket that lies there is a dead one's.
 * @throws {StartError} when the path is taken by something else, or cannot be had.
 */
export async function listenControl(
  app: FastifyInstance,
  path: string,
  mode: number,
  owner: Account,
): Promise<void> {
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) {
      throw new StartError(`${path} exists and is no socket; choose another path with --control`);
    }
    rmSync(path);
  }
  // Routes are made ready first, so that the file is made within the call below and under its umask.
  await app.ready();
  const umask = process.umask(0o177);
  try {
    await app.listen({ path });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isRight = code === 'EACCES' || code === 'EPERM';
    throw new StartError(
      `cannot listen on ${path} (${code}: ${message}); choose another path with --control`,
      isRight ? ExitCode.notPermitted : ExitCode.no,
    );
  } finally {
    process.umask(umask);
  }
  if (owner.uid !== undefined || owner.gid !== undefined) {
    await chown(path, owner.uid ?? process.getuid?.() ?? 0, owner.gid ?? process.getgid?.() ?? 0);
  }
  await chmod(path, mode);
}

function addViews(app: FastifyInstance, state: DaemonState): void {
  const { stack, afd } = state;
  app.get('/v1/status', () => status(state));
  app.get('/v1/sockets', () => socketStatus(stack, afd));
  app.get('/v1/tcp', (request) => tcpStatus(stack, afd, checked(schemas.tcp, request.query).port));
  app.get('/v1/interfaces', () => interfaceStatus(stack));
  app.get('/v1/groups', () => groupStatus(stack));
  app.get('/v1/routes', () => routeStatus(stack));
  app.get('/v1/drops', () => dropStatus(stack.counters));
  app.get('/v1/counters', () => counterStatus(stack.counters));
  addCatalog(app, state);
  app.post('/v1/shutdown', (_request, reply) => {
    // The answer leaves first.
    reply.raw.once('finish', () => state.shutDown());
    return {};
  });
  const metrics = createMetrics(state);
  app.get('/metrics', async (_request, reply) => {
    void reply.type(metrics.contentType);
    return await metrics.metrics();
  });
}

function status({ config, stack, ipc, linkStatuses, uptimeSec }: DaemonState): DaemonStatus {
  return {
    version: VERSION,
    pid: process.pid,
    uptimeSeconds: uptimeSec,
    socketPath: config.socket,
    controlPath: config.control,
    uid: process.geteuid?.() ?? -1,
    hasPrivileges: hasPrivileges(),
    sessions: ipc.sessions.length,
    sockets: [...stack.endpoints()].length,
    links: linkStatuses,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** Whether any thread of this process can still do what its user alone could not. */
function hasPrivileges(): boolean {
  if (process.platform !== 'linux') return process.geteuid?.() === 0;
  return threadPrivileges().some(({ effective, permitted }) => !/^0*$/.test(effective + permitted));
}

function addNeighbors(app: FastifyInstance, { stack }: DaemonState): void {
  app.get('/v1/neighbors', () => neighborStatus(stack));
  app.put('/v1/neighbors/:address', (request) => {
    const { mac: text, interface: wanted } = checked(schemas.neighbor, request.body ?? {});
    const address = addressIn(request);
    const mac = parseMac(text);
    if (mac === null) throw badRequest(`mac: ${text} is no hardware address such as 02:00:00:00:00:01`);
    const [found] = interfacesFor(stack, address, wanted);
    if (found === undefined) throw new RequestError(404, 'notFound', 'there is no such Ethernet interface');
    try {
      stack.addNeighbor(found.index, address, mac);
    } catch (error) {
      throw badRequest((error as Error).message);
    }
    return {};
  });
  app.delete('/v1/neighbors/:address', (request) => {
    const { address: text } = request.params as { address: string };
    const address = text === '*' ? null : addressIn(request);
    const { interface: wanted } = checked(schemas.neighborQuery, request.query);
    const removed = forgetNeighbors(stack, interfacesFor(stack, null, wanted), address);
    if (removed === 0 && address !== null) {
      throw new RequestError(404, 'notFound', `${text} is no neighbour that is known`);
    }
    return { removed };
  });
}

function addressIn(request: FastifyRequest): IpAddress {
  const { address: text } = request.params as { address: string };
  const address = IpAddress.parse(text);
  if (address === null) throw badRequest(`address: ${text} is no internet address`);
  return address;
}

function addPing(app: FastifyInstance, { stack, scheduler }: DaemonState): void {
  app.post('/v1/ping', (request) => {
    const { address: text, ttl = 0, method, port, ...rest } = checked(schemas.ping, request.body ?? {});
    const address = IpAddress.parse(text);
    if (address === null)
      throw badRequest(`address: ${text} is no internet address; names are not looked up`);
    if (rest.recordRoute > 0 && rest.timestamps > 0)
      throw badRequest('recordRoute: a header has no room for timestamps beside it');
    if (address.family === 6 && rest.recordRoute + rest.timestamps > 0)
      throw badRequest('recordRoute: IPv6 has no such options, nor timestamps');
    const asked = { ...rest, address, ttl };
    return method === 'udp'
      ? sendProbe(stack, scheduler, { ...asked, port })
      : sendEcho(stack, scheduler, asked);
  });
}

function addNames(app: FastifyInstance, { names }: DaemonState): void {
  app.get('/v1/names', () => names.status);
  app.post('/v1/resolve', (request, reply) => {
    const ended = new AbortController();
    // Whoever asked has hung up: nobody needs the answer.
    reply.raw.once('close', () => ended.abort());
    return names.resolve(resolveRequest(request.body), ended.signal).catch((error: unknown) => {
      throw error instanceof NameRequestError ? badRequest(error.message) : error;
    });
  });
  app.get('/v1/dns-cache', () => names.cached());
  app.delete('/v1/dns-cache', () => ({ entries: names.cache.flush() }));
}

function resolveRequest(body: unknown): ResolveRequest {
  const { name, ...rest } = checked(schemas.resolve, body ?? {});
  return { name, ...(definedOf(rest) as Omit<ResolveRequest, 'name'>) };
}

function addDhcp(app: FastifyInstance, { stack, scheduler }: DaemonState): void {
  app.get('/v1/dhcp', () => dhcpStatus(stack));
  for (const [verb, ask, failure] of DHCP_VERBS) {
    app.post(`/v1/dhcp/${verb}`, async (request) => {
      const { interface: name, family, timeoutMs } = checked(schemas.dhcp, request.body ?? {});
      const interfaces = dhcpInterfaces(stack, name, family);
      if (interfaces.length === 0) throw noDhcp(name, family);
      if (!(await ask(stack, scheduler, { interfaces, family }, timeoutMs)))
        throw new RequestError(409, 'noAnswer', failure);
      return dhcpStatus(stack).filter(({ index }) => interfaces.some((asked) => asked.index === index));
    });
  }
}

const DHCP_VERBS = [
  ['renew', renewDhcp, 'no DHCP server has answered in time; the host goes on asking'],
  ['release', releaseDhcp, 'the DHCP server could not be told in time'],
] as const;

function noDhcp(name: string | undefined, family: number | undefined): RequestError {
  const where = name === undefined ? 'no interface has' : `there is no interface ${name} with`;
  const what =
    family === 6
      ? 'DHCPv6 client; routers say whether there is to be one'
      : 'DHCP client; start the daemon with --dhcp';
  return new RequestError(404, 'notFound', `${where} a ${what}`);
}

function addCapture(app: FastifyInstance, state: DaemonState): void {
  const { captures } = state;
  app.get('/v1/capture', (request, reply) => streamCapture(state, request, reply));
  app.post('/v1/capture', (request) => {
    const { path, maxBytes } = checked(schemas.capture, request.body ?? {});
    try {
      return captures.start(path, maxBytes);
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      const isRight = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
      const hint =
        'the daemon writes it, with the rights of its user; "winsockd capture -w - > FILE" writes it with yours';
      throw new RequestError(
        isRight ? 403 : 400,
        isRight ? 'notPermitted' : 'badRequest',
        `${message}; ${hint}`,
      );
    }
  });
  app.delete('/v1/capture', () => captures.stop());
}

function streamCapture(state: DaemonState, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { seconds: length } = checked(schemas.stream, request.query);
  return sendStream(state, reply.type('application/x-pcapng'), length, (stream) =>
    // The block is the writer's own memory, reused for the next.
    state.captures.stream({ write: (block) => offer(stream, () => Buffer.from(block)) }),
  );
}

function addTrace(app: FastifyInstance, state: DaemonState): void {
  app.get('/v1/trace', (request, reply) => {
    const { seconds: length, ...filter } = checked(schemas.trace, request.query);
    return sendStream(state, reply.type('application/x-ndjson'), length, (stream) =>
      state.traces.stream({ write: (lines) => offer(stream, () => lines) }, filter),
    );
  });
}

/** Answers with what `start` writes, until the client hangs up or the time is over. @param start answers what ends it */
function sendStream(
  { scheduler }: DaemonState,
  reply: FastifyReply,
  length: number | undefined,
  start: (stream: PassThrough) => () => void,
): FastifyReply {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  const end = start(stream);
  const timer = length === undefined ? null : scheduler.after(length * 1000, () => stream.end());
  stream.on('close', () => {
    timer?.();
    end();
  });
  return reply.send(stream);
}

/** Writes to a stream whose reader keeps up. @returns whether it did */
function offer(stream: PassThrough, chunk: () => Buffer | string): boolean {
  if (stream.destroyed || stream.writableEnded || stream.writableLength > STREAM_BACKLOG) return false;
  stream.write(chunk());
  return true;
}

function addImpairments(app: FastifyInstance, state: DaemonState): void {
  const { impairments } = state;
  const find = (request: FastifyRequest): Impairment => {
    const { link: named } = request.params as { link: string };
    const found = impairments.find(({ link }) => link.name === named);
    if (found !== undefined) return found;
    const names = impairments.map(({ link }) => link.name).join(', ');
    throw new RequestError(404, 'notFound', `there is no link ${named}; there is ${names}`);
  };
  app.get('/v1/impairments', () => impairments.map((impairment) => impairment.status));
  app.get('/v1/impairments/:link', (request) => find(request).status);
  app.put('/v1/impairments/:link', (request) => {
    const found = find(request);
    const settings = checked(schemas.impairment, request.body ?? {});
    found.set(definedOf(settings) as ImpairmentSettings);
    return found.status;
  });
  app.delete('/v1/impairments/:link', (request) => {
    const found = find(request);
    found.set({});
    return found.status;
  });
}

/** The members that are there. */
function definedOf(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
