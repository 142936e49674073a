/**
 * The control API: HTTP on a Unix socket. The command line and the dashboard are its clients. `docs/control.md` lists it.
 *
 * Answers are JSON, but for `/metrics`, for the capture stream (pcapng), and for ping (one JSON value a line, as it happens).
 * Errors are `{ "error": { "code", "message" } }` with a fitting status.
 */

import { existsSync, lstatSync, rmSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { IpAddress } from '../base/index.ts';
import type { ImpairSettings } from '../link/index.ts';
import { DEFAULT_CATALOG } from '../spi/index.ts';
import { ExitCode, StartError } from './errors.ts';
import { createMetrics } from './metrics.ts';
import { PingRun } from './ping.ts';
import type { Account } from './privileges.ts';
import type { DaemonState } from './state.ts';
import { VERSION } from './version.ts';
import { clientRows, counterValues, dropRows, interfaceRows, routeRows, socketRows } from './views.ts';

/** What `/v1/status` answers. */
export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSec: number;
  readonly device: { readonly kind: string; readonly name: string };
  readonly socket: string;
  readonly control: string;
  readonly interfaces: ReturnType<typeof interfaceRows>;
  readonly clients: ReturnType<typeof clientRows>;
  readonly sockets: number;
  readonly drops: number;
  readonly residentBytes: number;
  readonly hasDroppedPrivileges: boolean;
  readonly isCapturing: boolean;
  readonly isImpaired: boolean;
}

/** Past this, a capture stream's reader loses packets rather than the daemon its memory. */
const STREAM_BACKLOG = 8 << 20;
const BODY_LIMIT = 64 * 1024;

const direction = z.enum(['in', 'out', 'both']).default('both');
const pingBody = z.strictObject({
  host: z.string(),
  count: z.number().int().min(0).max(1_000_000).default(4),
  intervalMs: z.number().min(1).max(3_600_000).default(1000),
  timeoutMs: z.number().min(1).max(3_600_000).default(1000),
  size: z.number().int().min(0).max(65_507).default(56),
});
const captureBody = z.strictObject({ file: z.string().startsWith('/', 'an absolute path') });
const chance = z.number().min(0).max(1).optional();
const amount = z.number().min(0).optional();
const impairBody = z.strictObject({
  direction,
  seed: z.number().int().optional(),
  loss: chance,
  delay: amount,
  jitter: amount,
  jitterReorders: z.boolean().optional(),
  reorder: chance,
  reorderBy: amount,
  duplicate: chance,
  corrupt: chance,
  corruptBits: amount,
  rateBytesPerSec: amount,
  queueBytes: amount,
});

/** A request that cannot be served as it is. */
class RequestError extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** The API over a state, not listening yet: `inject` serves tests. */
export function createControl(state: DaemonState): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const { statusCode = 500, code = 'internal', message } = error;
    void reply.status(statusCode).send({ error: { code, message } });
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url} does not exist`;
    void reply.status(404).send({ error: { code: 'notFound', message } });
  });
  addViews(app, state);
  addPing(app, state);
  addCapture(app, state);
  addImpair(app, state);
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
    if (!lstatSync(path).isSocket())
      throw new StartError(`${path} exists and is no socket; choose another path with --control`);
    rmSync(path);
  }
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
  const { stack, afd, ipc } = state;
  app.get('/v1/status', () => status(state));
  app.get('/v1/sockets', () => ({ sockets: socketRows(stack, afd, ipc.sessions) }));
  app.get('/v1/interfaces', () => ({ interfaces: interfaceRows(stack) }));
  app.get('/v1/routes', () => ({ routes: routeRows(stack) }));
  app.get('/v1/drops', (request) => {
    const { all } = request.query as { all?: string };
    return { drops: dropRows(stack.counters, all === 'true' || all === '1') };
  });
  app.get('/v1/counters', () => ({ counters: counterValues(stack.counters) }));
  app.get('/v1/catalog', () => ({ catalog: DEFAULT_CATALOG }));
  app.post('/v1/shutdown', (_request, reply) => {
    // The answer leaves first.
    reply.raw.once('finish', () => state.shutDown());
    return { pid: process.pid, isStopping: true };
  });
  const metrics = createMetrics(state);
  app.get('/metrics', async (_request, reply) => {
    void reply.type(metrics.contentType);
    return await metrics.metrics();
  });
}

function status(state: DaemonState): StatusView {
  const { config, stack, ipc, device } = state;
  return {
    version: VERSION,
    pid: process.pid,
    uptimeSec: state.uptimeSec,
    device,
    socket: config.socket,
    control: config.control,
    interfaces: interfaceRows(stack),
    clients: clientRows(ipc.sessions),
    sockets: [...stack.endpoints()].length,
    drops: dropRows(stack.counters, false).reduce((sum, { count }) => sum + count, 0),
    residentBytes: process.memoryUsage.rss(),
    hasDroppedPrivileges: state.hasDroppedPrivileges,
    isCapturing: state.captures.status.isRunning,
    isImpaired: state.impairment.view.isActive,
  };
}

function addPing(app: FastifyInstance, state: DaemonState): void {
  app.post('/v1/ping', (request, reply) => {
    const { host, ...rest } = checked(pingBody, request);
    const address = IpAddress.parse(host === 'localhost' ? '127.0.0.1' : host);
    if (address === null || address.family !== 4) {
      throw new RequestError(400, 'badHost', `${host} is no IPv4 address; names are not looked up yet`);
    }
    const lines = new PassThrough();
    const run = new PingRun(state.stack, state.scheduler, { address, ...rest }, (event) => {
      lines.write(`${JSON.stringify(event)}\n`);
      if (event.kind === 'statistics') lines.end();
    });
    lines.on('close', () => run.end());
    return reply.type('application/x-ndjson').send(lines);
  });
}

function addCapture(app: FastifyInstance, state: DaemonState): void {
  const { captures } = state;
  app.get('/v1/capture', () => captures.status);
  app.post('/v1/capture', (request) => {
    const { file } = checked(captureBody, request);
    try {
      return captures.start(file);
    } catch (error) {
      const { code = 'failed', message } = error as NodeJS.ErrnoException;
      const isRight = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
      const hint = 'the daemon writes it, with the rights of its user; "-w -" lets this command write it';
      throw new RequestError(isRight ? 403 : 400, code, `cannot write ${file}: ${message}; ${hint}`);
    }
  });
  app.delete('/v1/capture', () => captures.stop());
  app.get('/v1/capture/stream', (_request, reply) => streamCapture(state, reply));
}

function streamCapture(state: DaemonState, reply: FastifyReply): FastifyReply {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  const end = state.captures.stream({
    write(block) {
      if (stream.destroyed || stream.writableLength > STREAM_BACKLOG) return false;
      // The block is the writer's own memory, reused for the next.
      stream.write(Buffer.from(block));
      return true;
    },
  });
  stream.on('close', end);
  return reply.type('application/x-pcapng').send(stream);
}

function addImpair(app: FastifyInstance, state: DaemonState): void {
  const { impairment } = state;
  app.get('/v1/impair', () => impairment.view);
  app.put('/v1/impair', (request) => {
    const { direction: way, seed, ...settings } = checked(impairBody, request);
    const named = Object.entries(settings).filter(([, value]) => value !== undefined);
    impairment.change(Object.fromEntries(named) as ImpairSettings, way, seed);
    return impairment.view;
  });
  app.delete('/v1/impair', (request) => {
    const query = z.object({ direction }).safeParse(request.query);
    if (!query.success) throw new RequestError(400, 'badRequest', 'direction: in, out or both');
    impairment.clear(query.data.direction);
    return impairment.view;
  });
}

/** The request's body. @throws {RequestError} 400 that names the field. */
function checked<T extends z.ZodType>(schema: T, request: FastifyRequest): z.output<T> {
  const result = schema.safeParse(request.body ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RequestError(400, 'badRequest', `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}
