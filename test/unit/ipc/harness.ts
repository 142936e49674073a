/** A server over `EchoPort`s on a path of its own, and callers for both ends of the wire. */

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectOptions,
  connectRemote,
  createIpcServer,
  FrameDecoder,
  HEADER_LEN,
  HELLO_HEAD_LEN,
  type Hello,
  IPC_MAGIC,
  type IpcServer,
  type IpcServerOptions,
  MessageType,
  type RemotePort,
  readGoodbye,
  writeHeader,
  writeHello,
} from '../../../src/ipc/index.ts';
import type { AfdCompletion, AfdOp, AfdRequest } from '../../../src/port/index.ts';
import { EchoPort } from './echo-port.ts';

export const HELLO: Hello = {
  magic: IPC_MAGIC,
  versionMin: 1,
  versionMax: 1,
  capabilities: 0,
  maxMessage: 65536,
  window: 0xffff_ffff,
};

/** One test's server; `close` removes everything. */
export class Harness {
  readonly directory = mkdtempSync(join(tmpdir(), 'wsk-ipc-'));
  readonly path = join(this.directory, 'socket');
  readonly ports: EchoPort[] = [];
  readonly events: { event: string; fields: Record<string, unknown> }[] = [];
  readonly #clients: { close(): void }[] = [];
  server!: IpcServer;

  static async start(options: Partial<IpcServerOptions> = {}): Promise<Harness> {
    const harness = new Harness();
    harness.server = await createIpcServer(harness.options(options));
    return harness;
  }

  options(options: Partial<IpcServerOptions> = {}): IpcServerOptions {
    return {
      path: this.path,
      identify: () => ({ pid: 1234, uid: 1000, gid: 1000 }),
      openSession: (identity) => {
        const port = new EchoPort(identity);
        this.ports.push(port);
        return port;
      },
      log: (_level, event, fields) => this.events.push({ event, fields }),
      ...options,
    };
  }

  async client(options: ConnectOptions = {}): Promise<Caller> {
    const port = await connectRemote(this.path, options);
    this.#clients.push(port);
    return new Caller(port);
  }

  async raw(): Promise<RawClient> {
    const client = await RawClient.connect(this.path);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Promises over an `AfdPort`. */
export class Caller {
  readonly port: RemotePort;
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  completed: AfdCompletion[] = [];
  #lastId = 0;

  constructor(port: RemotePort) {
    this.port = port;
    port.onComplete = (completion) => {
      this.completed.push(completion);
      this.#waiting.get(completion.id)?.(completion);
      this.#waiting.delete(completion.id);
    };
  }

  get lastId(): number {
    return this.#lastId;
  }

  call(op: AfdOp, fields: Partial<AfdRequest> = {}): Promise<AfdCompletion> {
    const id = ++this.#lastId;
    const request = { ...requestOf(id, op), ...fields };
    return new Promise((resolve) => {
      const completion = this.port.submit(request);
      if (completion === null) this.#waiting.set(request.id, resolve);
      else resolve({ ...completion });
    });
  }
}

export function requestOf(id: number, op: AfdOp): AfdRequest {
  return { id, op, descriptor: 0, flags: 0, a: 0, b: 0, address: null, data: null, into: null };
}

/** A whole message as bytes. */
export function message(
  type: number,
  id = 0,
  head: Uint8Array = new Uint8Array(0),
  bulk: Uint8Array = new Uint8Array(0),
  flags = 0,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_LEN + head.length + bulk.length);
  writeHeader(bytes, 0, bytes.length, type, flags, id, head.length);
  bytes.set(head, HEADER_LEN);
  bytes.set(bulk, HEADER_LEN + head.length);
  return bytes;
}

export function helloMessage(fields: Partial<Hello> = {}, name = 'raw'): Uint8Array {
  const head = new Uint8Array(HELLO_HEAD_LEN);
  writeHello(head, { ...HELLO, ...fields });
  return message(MessageType.hello, 0, head, Buffer.from(name));
}

export interface RawMessage {
  type: number;
  id: number;
  flags: number;
  head: Uint8Array;
  bulk: Uint8Array;
}

/** Cuts a stream into messages with all their bytes. */
export class Collector {
  readonly messages: RawMessage[] = [];
  readonly decoder = new FrameDecoder(
    {
      frameStarted: () => {},
      frameHead: (header, bytes, at) => {
        const head = Uint8Array.prototype.slice.call(bytes, at, at + header.head);
        const { type, id, flags } = header;
        this.messages.push({ type, id, flags, head, bulk: new Uint8Array(0) });
      },
      frameBulk: (_header, bytes, at, length) => {
        const last = this.messages.at(-1) as RawMessage;
        last.bulk = Buffer.concat([last.bulk, bytes.subarray(at, at + length)]);
      },
    },
    1 << 30,
  );
}

/** A client that writes any bytes. */
export class RawClient {
  readonly socket: Socket;
  readonly #collector = new Collector();
  readonly closed: Promise<void>;
  #arrived: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#collector.decoder.push(chunk);
      this.#arrived();
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  static connect(path: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawClient(socket)));
    });
  }

  get messages(): RawMessage[] {
    return this.#collector.messages;
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Waits until `count` messages are there. */
  async until(count: number): Promise<RawMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.messages;
  }

  /** Waits for the end. @returns the GOODBYE's reason (-1: none) and text. */
  async goodbye(): Promise<{ reason: number; text: string }> {
    await this.closed;
    const last = this.messages.at(-1);
    if (last?.type !== MessageType.goodbye) return { reason: -1, text: '' };
    return {
      reason: readGoodbye(last.head, 0, last.head.length),
      text: Buffer.from(last.bulk).toString('utf8'),
    };
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Lets everything that is ready happen, `turns` times. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for `condition` in turns of the event loop, a bounded number of them. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the awaited condition did not come');
}
