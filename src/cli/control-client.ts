/**
 * The control API from the asking side: HTTP over the daemon's Unix socket. Every failure is a {@link CliError} that says
 * what to type.
 */

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { DEFAULT_CONTROL_PATH } from '../port/index.ts';
import { CliError, ExitCode } from './exit-codes.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface AskOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** How long the daemon may take to answer, ms. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Asks one daemon. Keeps no connection between questions. */
export class ControlClient {
  readonly path: string;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param path the control socket
   * @param signal gives up what is under way
   */
  constructor(path: string, signal?: AbortSignal) {
    this.path = path;
    this.#signal = signal;
  }

  /**
   * The JSON that `route` answers.
   * @throws {CliError} `noDaemon`, `notPermitted`, `usage` (the daemon's 400), else `no`
   */
  async ask<T>(method: Method, route: string, options: AskOptions = {}): Promise<T> {
    const response = await this.#send(method, route, options);
    const text = await readAll(response, this.path);
    if (!isSuccess(response)) throw refusal(response, text, this.path);
    return parseAnswer(text, route) as T;
  }

  get<T>(route: string): Promise<T> {
    return this.ask('GET', route);
  }

  /** The body of `route` as it comes. It ends with an error when the daemon goes away. */
  async stream(route: string): Promise<IncomingMessage> {
    const response = await this.#send('GET', route, {});
    if (!isSuccess(response)) throw refusal(response, await readAll(response, this.path), this.path);
    response.socket.setTimeout(0);
    return response;
  }

  #send(method: Method, route: string, options: AskOptions): Promise<IncomingMessage> {
    const { body, timeoutMs = 10_000 } = options;
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      let call: ClientRequest;
      try {
        call = request({
          socketPath: this.path,
          method,
          path: route,
          timeout: timeoutMs,
          ...(this.#signal === undefined ? {} : { signal: this.#signal }),
          headers: {
            accept: 'application/json',
            connection: 'close',
            ...(bytes === null ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
          },
        });
      } catch (error) {
        reject(transportError(error as NodeJS.ErrnoException, this.path));
        return;
      }
      call.on('response', resolve);
      call.on('timeout', () => call.destroy(timedOut(this.path, timeoutMs)));
      call.on('error', (error) => reject(transportError(error, this.path)));
      call.end(bytes ?? undefined);
    });
  }
}

/** What to type to start a daemon that listens at `path`. */
export function startCommand(path: string): string {
  return path === DEFAULT_CONTROL_PATH ? 'winsockd up --daemon' : `winsockd up --daemon --control ${path}`;
}

/** No daemon listens at `path`. */
export function noDaemon(path: string): CliError {
  return new CliError(
    ExitCode.noDaemon,
    'no-daemon',
    `no daemon answers at ${path}; start one: ${startCommand(path)}`,
  );
}

/** Whether the error says that there is no daemon, as opposed to one that refuses. */
export function isNoDaemon(error: unknown): boolean {
  return error instanceof CliError && error.code === 'no-daemon';
}

/** Whether the error says that there is no daemon any more. */
export function isGone(error: unknown): boolean {
  return isNoDaemon(error) || (error instanceof CliError && error.code === 'daemon-gone');
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function readAll(response: IncomingMessage, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER)
        throw new CliError(ExitCode.no, 'bad-answer', `${path} answers more than ${MAX_ANSWER} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw transportError(error as NodeJS.ErrnoException, path);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(text: string, route: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new CliError(
      ExitCode.no,
      'bad-answer',
      `what answers ${route} is no JSON: is another program listening at the control socket?`,
    );
  }
}

/** The daemon answered, and said no. */
function refusal({ statusCode = 0 }: IncomingMessage, text: string, path: string): CliError {
  const exitCode =
    statusCode === 400 ? ExitCode.usage : statusCode === 403 ? ExitCode.notPermitted : ExitCode.no;
  let code = `http-${statusCode}`;
  let message = `${path} answers ${statusCode}`;
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string') code = error.code;
    if (typeof error?.message === 'string') message = error.message;
  } catch {
    // Not the daemon's own form: the number has to do.
  }
  return new CliError(exitCode, code, message);
}

function transportError(error: NodeJS.ErrnoException, path: string): Error {
  if (error instanceof CliError || error.name === 'AbortError') return error;
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
    case 'ENOTDIR':
      return noDaemon(path);
    case 'EACCES':
    case 'EPERM':
      return new CliError(
        ExitCode.notPermitted,
        'not-permitted',
        `this user may not use ${path}; run the command with sudo, or as the user that the daemon runs as`,
      );
    case 'ECONNRESET':
    case 'EPIPE':
      return new CliError(
        ExitCode.noDaemon,
        'daemon-gone',
        `the daemon at ${path} went away before it answered`,
      );
    default:
      return new CliError(ExitCode.no, error.code ?? 'transport', `${path}: ${error.message}`);
  }
}

function timedOut(path: string, timeoutMs: number): CliError {
  return new CliError(
    ExitCode.noDaemon,
    'daemon-silent',
    `the daemon at ${path} did not answer for ${timeoutMs / 1000} s; look at its log`,
  );
}

/** A bound on what is kept of an answer: 64 MiB hold half a million sockets. */
const MAX_ANSWER = 64 * 1024 * 1024;
