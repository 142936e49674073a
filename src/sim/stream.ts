/**
 * TCP on a simulated host, in promises that are kept as virtual time goes on.
 */

import type { IpAddress } from '../base/index.ts';
import { EndpointEvent, StackError, type TcpEndpoint } from '../stack/index.ts';
import { checked, EndpointError } from './endpoint-error.ts';
import { PendingCalls, type SettleListener } from './pending.ts';

/** Most bytes that one `read` answers when the caller does not say. */
const READ_BYTES = 64 << 10;

const FAILURE = EndpointEvent.failed | EndpointEvent.closed;

/** A connection. Its `endpoint` is the stack's own, for everything that is not here. */
export class SimStream {
  readonly endpoint: TcpEndpoint;
  readonly #opening: PendingCalls;
  readonly #reads: PendingCalls;
  readonly #writes: PendingCalls;
  readonly #ends: PendingCalls;
  #isClosed = false;
  #isEnded = false;

  constructor(endpoint: TcpEndpoint, listener: SettleListener) {
    this.endpoint = endpoint;
    this.#opening = new PendingCalls(listener);
    this.#reads = new PendingCalls(listener);
    this.#writes = new PendingCalls(listener);
    this.#ends = new PendingCalls(listener);
    endpoint.context = this;
  }

  /** Connects. Called once, by `SimHost.tcp.connect`. */
  open(address: IpAddress, port: number): Promise<this> {
    const { endpoint } = this;
    return this.#opening.run<this>(() => {
      if (endpoint.state === 'CLOSED') {
        checked('connect', endpoint.error);
        checked('connect', endpoint.connect(address, port));
        return undefined;
      }
      const isOpening = endpoint.state === 'SYN-SENT' || endpoint.state === 'SYN-RECEIVED';
      return isOpening ? undefined : this;
    });
  }

  /** The next bytes, at most `max` of them, or `null` after the peer's FIN. */
  read(max = READ_BYTES): Promise<Uint8Array | null> {
    return this.#reads.run(() => {
      const room = Math.min(max, Math.max(1, this.endpoint.readableBytes));
      const bytes = new Uint8Array(room);
      const got = this.endpoint.read(bytes, 0, room);
      if (got === StackError.wouldBlock) return undefined;
      return checked('read', got) === 0 ? null : bytes.subarray(0, got);
    });
  }

  /** Exactly `length` bytes. @throws {EndpointError} `connectionReset` when the stream ends before. */
  async readExactly(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const part = await this.read(length - at);
      if (part === null)
        throw new EndpointError(`read of ${length} bytes, ended at ${at}`, StackError.notConnected);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Everything up to the peer's FIN. */
  async readAll(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let part = await this.read(); part !== null; part = await this.read()) {
      parts.push(part);
      length += part.length;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Queues all of `bytes`, which are borrowed until then; resolves when the send buffer has taken the last. */
  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    await this.#writes.run(() => {
      while (at < bytes.length) {
        const taken = this.endpoint.write(bytes, at, bytes.length - at);
        if (taken === StackError.wouldBlock || taken === 0) return undefined;
        at += checked('write', taken);
      }
      return at;
    });
  }

  /** Sends FIN behind what is queued. */
  end(): void {
    checked('shutdown', this.endpoint.shutdownWrite());
  }

  /** Resolves when everything sent was acknowledged, FIN included; call `end` before. Rejects when the connection fails. */
  async ended(): Promise<void> {
    await this.#ends.run(() => {
      checked('connection', this.endpoint.error);
      return this.#isEnded || this.endpoint.state === 'CLOSED' || this.endpoint.state === 'TIME-WAIT'
        ? true
        : undefined;
    });
  }

  /** Ends it in good order, without waiting; idempotent. The stream must not be used after. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.endpoint.close();
    this.#failAll('closed');
  }

  /** Ends it with RST. */
  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.endpoint.abort();
    this.#failAll('aborted');
  }

  /** What happened on the endpoint. Called by the host. */
  happened(events: number): void {
    if (this.#isClosed) return;
    if ((events & FAILURE) !== 0) this.#isEnded = true;
    this.#opening.retry();
    this.#reads.retry();
    this.#writes.retry();
    this.#ends.retry();
  }

  #failAll(call: string): void {
    const error = new EndpointError(call, StackError.connectionAborted);
    for (const calls of [this.#opening, this.#reads, this.#writes, this.#ends]) calls.failAll(error);
  }
}

/** A listening port. */
export class SimListener {
  readonly endpoint: TcpEndpoint;
  readonly #listener: SettleListener;
  readonly #accepts: PendingCalls;
  #isClosed = false;

  constructor(endpoint: TcpEndpoint, listener: SettleListener) {
    this.endpoint = endpoint;
    this.#listener = listener;
    this.#accepts = new PendingCalls(listener);
    endpoint.context = this;
  }

  /** The next connection. */
  accept(): Promise<SimStream> {
    return this.#accepts.run(() => {
      const endpoint = this.endpoint.accept();
      return endpoint === null ? undefined : new SimStream(endpoint, this.#listener);
    });
  }

  /** Stops listening; idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.endpoint.close();
    this.#accepts.failAll(new EndpointError('accept', StackError.connectionAborted));
  }

  happened(): void {
    if (!this.#isClosed) this.#accepts.retry();
  }
}
