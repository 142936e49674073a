/**
 * The control API's client: HTTP over the daemon's Unix socket.
 */

import { type IncomingMessage, request } from 'node:http';
import { ExitCode } from '../daemon/index.ts';
import { CliError } from './errors.ts';

/** How long an answer's first byte may take, ms. A stream may then be silent for as long as it likes. */
const TIMEOUT_MS = 10_000;
/** Longest JSON answer. */
const ANSWER_MAX = 64 << 20;

export class ControlClient {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Asks for JSON. @throws {CliError} with the daemon's own words, or what to type when there is none. */
  async json<T>(method: string, url: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, url, body);
    return JSON.parse(await readText(response)) as T;
  }

  /** Asks for lines of JSON and gives each to `onLine`. @param onStart gets what ends it early */
  async lines(url: string, body: unknown, onLine: (value: unknown) => void, onStart: (end: () => void) => void): Promise<void> {
    const response = await this.#send('POST', url, body);
    onStart(() => response.destroy());
    let rest = '';
    response.setEncoding('utf8');
    await drain(response, (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (line !== '') onLine(JSON.parse(line));
    });
  }

  /** Asks for bytes and gives each piece to `onBytes`. */
  async bytes(url: string, onBytes: (bytes: Uint8Array) => void, onStart: (end: () => void) => void): Promise<void> {
    const response = await this.#send('GET', url, undefined);
    onStart(() => response.destroy());
    await drain(response, onBytes);
  }

  async #send(method: string, url: string, body: unknown): Promise<IncomingMessage> {
    const response = await this.#open(method, url, body);
    const { statusCode = 500 } = response;
    if (statusCode < 400) return response;
    throw refusal(statusCode, await readText(response));
  }

  #open(method: string, url: string, body: unknown): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const asked = request({ socketPath: this.path, method, path: url, headers, agent: false }, (response) => {
        asked.setTimeout(0);
        resolve(response);
      });
      asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      asked.on('error', (error) => reject(connectError(this.path, error)));
      asked.end(text);
    });
  }
}

/** Resolves at the end of a response, however it ends. */
function drain(response: IncomingMessage, onData: (part: never) => void): Promise<void> {
  return new Promise((resolve) => {
    response.on('data', onData);
    response.on('error', () => {});
    response.on('close', () => resolve());
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) {
    text += part;
    if (text.length > ANSWER_MAX) throw new CliError(ExitCode.no, 'tooLong', 'the answer is longer than any of the daemon');
  }
  return text;
}

function refusal(statusCode: number, text: string): CliError {
  let code = 'refused';
  let message = text;
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    code = String(error?.code ?? code);
    message = String(error?.message ?? message);
  } catch {
    // Not JSON: what was said is the best there is.
  }
  const exitCode = statusCode === 403 ? ExitCode.notPermitted : statusCode < 500 ? ExitCode.usage : ExitCode.no;
  return new CliError(exitCode, code, message);
}

function connectError(path: string, error: Error): CliError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new CliError(
      ExitCode.daemonNotThere,
      'daemonNotThere',
      `no daemon answers at ${path}; start one: winsockd up --daemon --control ${path}`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CliError(
      ExitCode.notPermitted,
      'notPermitted',
      `${path} may not be opened by this user; ask as the daemon's: sudo winsockd … --control ${path}`,
    );
  }
  return new CliError(ExitCode.no, 'failed', `cannot talk to ${path}: ${error.message}; see: winsockd doctor`);
}
