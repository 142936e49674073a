/**
 * Watching processes in the control API. A trace shows what an application sends: it is for root and the application's own user, whoever
 * else may use the control socket.
 */

import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Scheduler } from '../base/index.ts';
import type { CallLine, ChainStatus } from '../port/index.ts';
import { whoAsks } from './catalog-control.ts';
import { checked, RequestError } from './request-error.ts';
import type { DaemonState } from './state.ts';
import type { CallReader } from './watches.ts';

/** Past this a reader is waited for, bytes. */
const BACKLOG = 1 << 20;
/** How long one may not read at all, ms. */
const PATIENCE_MS = 10_000;

const schemas = {
  pid: z.object({ pid: z.coerce.number().int().min(1).max(0x7fff_ffff) }),
  calls: z.object({ seconds: z.coerce.number().min(0).max(86_400).optional() }),
  chain: z.object({ seconds: z.coerce.number().min(0).max(3600).default(1) }),
};

/** @param who the user that has sent a request */
export function addWatches(
  app: FastifyInstance,
  { watches, scheduler }: Pick<DaemonState, 'watches' | 'scheduler'>,
  who: (request: FastifyRequest) => { readonly uid: number } = whoAsks,
): void {
  const permitted = (request: FastifyRequest): number => {
    const { pid } = checked(schemas.pid, request.params);
    const process = watches.processes.find((one) => one.pid === pid);
    const { uid } = who(request);
    const isMine = process !== undefined && (uid === 0 || uid === process.uid);
    if (isMine) return pid;
    if (process !== undefined) {
      const message = `process ${pid} is of user ${process.uid}: only that user and root may watch it`;
      throw new RequestError(403, 'notPermitted', message);
    }
    throw new RequestError(404, 'notFound', notThere(pid, watches.processes));
  };
  app.get('/v1/processes', () => watches.processes);
  app.get('/v1/processes/:pid/calls', (request, reply) => {
    const pid = permitted(request);
    const { seconds } = checked(schemas.calls, request.query);
    const lines = new CallLines(scheduler);
    lines.write({ watching: pid });
    const end = watches.watch(pid, lines);
    const timer = seconds === undefined ? null : scheduler.after(seconds * 1000, () => lines.stream.end());
    lines.stream.on('close', () => {
      timer?.();
      end();
    });
    return reply.type('application/x-ndjson').send(lines.stream);
  });
  app.get('/v1/processes/:pid/chain', async (request, reply): Promise<ChainStatus> => {
    const pid = permitted(request);
    const { seconds } = checked(schemas.chain, request.query);
    const ended = new Promise<void>((resolve) => {
      const cancel = scheduler.after(seconds * 1000, resolve);
      reply.raw.once('close', () => {
        cancel();
        resolve();
      });
    });
    return { pid, seconds, ...(await watches.figures(pid, ended)) };
  });
}

function notThere(pid: number, processes: readonly { readonly pid: number }[]): string {
  const others = processes.map((one) => one.pid).sort((a, b) => a - b);
  const there = others.length === 0 ? 'none is' : `connected are ${others.join(', ')}`;
  return `process ${pid} is not connected to this daemon, or by a library that can't be watched; ${there}`;
}

/** One reader, as lines of JSON. */
class CallLines implements CallReader {
  readonly stream = new PassThrough({ highWaterMark: BACKLOG });
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  write(line: CallLine): void {
    if (!this.stream.destroyed && !this.stream.writableEnded) this.stream.write(`${JSON.stringify(line)}\n`);
  }

  calls(...[client, lost, calls]: Parameters<CallReader['calls']>): void {
    if (lost > 0) this.write({ lost });
    for (const call of calls) this.write({ ...call, client });
  }

  whenReady(): Promise<void> | null {
    const { stream } = this;
    if (!stream.writableNeedDrain) return null;
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(PATIENCE_MS, () => stream.destroy());
      const settle = (): void => {
        cancel();
        stream.off('drain', settle);
        stream.off('close', settle);
        resolve();
      };
      stream.on('drain', settle);
      stream.on('close', settle);
    });
  }

  gone(): void {
    this.write({ gone: true });
    this.stream.end();
  }
}
