/**
 * A TCP connection of the stack and one of the host, joined: bytes both ways with back-pressure, each side's FIN and RST handed
 * to the other. At most one chunk waits here in each direction; the rest waits where it came from.
 */

import type { Socket } from 'node:net';
import { type Endpoint, EndpointEvent, StackError, type TcpEndpoint } from '../../stack/index.ts';
import { EndpointOwner } from './endpoint-owner.ts';

/** What has gone over relays of one kind. */
export interface RelayFigures {
  bytesToHost: number;
  bytesToStack: number;
}

/** Most bytes taken out of the stack at once. */
const CHUNK_BYTES = 65_536;

export class TcpRelay extends EndpointOwner {
  readonly #endpoint: TcpEndpoint;
  readonly #socket: Socket;
  readonly #figures: RelayFigures;
  readonly #onEnd: (relay: TcpRelay) => void;
  /** What the host gave and the stack has no room for yet. */
  #rest: Uint8Array | null = null;
  #isHostFull = false;
  /** The end has been handed on: of the host's stream to the stack, and of the stack's to the host. */
  #hasHostEnded = false;
  #hasStackEnded = false;
  #isHostClosed = false;
  #isOver = false;

  /**
   * Both connections are there, and are the relay's from now on.
   * @param socket with `allowHalfOpen`, its events not listened to yet
   * @param onEnd called once, when both are gone
   */
  constructor(
    endpoint: TcpEndpoint,
    socket: Socket,
    figures: RelayFigures,
    onEnd: (relay: TcpRelay) => void,
  ) {
    super();
    this.#endpoint = endpoint;
    this.#socket = socket;
    this.#figures = figures;
    this.#onEnd = onEnd;
    endpoint.context = this;
    socket.setNoDelay(true);
    endpoint.noDelay = true;
    socket.on('data', (chunk: Buffer) => this.#toStack(chunk));
    socket.on('drain', () => {
      this.#isHostFull = false;
      this.#toHost();
    });
    socket.on('end', () => this.#hostEnded());
    socket.on('error', () => this.#fail());
    socket.on('close', () => this.#hostClosed());
    this.#toHost();
  }

  /** Resets both sides. */
  close(): void {
    this.#fail();
  }

  override happened(_endpoint: Endpoint, events: number): void {
    if ((events & EndpointEvent.failed) !== 0) {
      this.#fail();
      return;
    }
    if ((events & EndpointEvent.writable) !== 0) this.#flush();
    if ((events & (EndpointEvent.readable | EndpointEvent.peerClosed)) !== 0) this.#toHost();
  }

  #toHost(): void {
    const endpoint = this.#endpoint;
    while (!this.#isOver && !this.#isHostFull && !this.#hasStackEnded) {
      if (endpoint.readableBytes === 0) {
        if (!endpoint.atEnd) return;
        this.#hasStackEnded = true;
        this.#socket.end();
        return;
      }
      const chunk = Buffer.allocUnsafe(Math.min(endpoint.readableBytes, CHUNK_BYTES));
      const length = endpoint.read(chunk, 0, chunk.length);
      if (length <= 0) return;
      this.#figures.bytesToHost += length;
      this.#isHostFull = !this.#socket.write(chunk.subarray(0, length));
    }
  }

  #toStack(chunk: Uint8Array): void {
    const written = this.#endpoint.write(chunk, 0, chunk.length);
    if (written < 0 && written !== StackError.wouldBlock) {
      this.#fail();
      return;
    }
    const taken = Math.max(0, written);
    this.#figures.bytesToStack += taken;
    this.#rest = taken < chunk.length ? chunk.subarray(taken) : null;
    if (this.#rest !== null) this.#socket.pause();
  }

  /** The stack has room again. */
  #flush(): void {
    const rest = this.#rest;
    if (rest === null || this.#isOver) return;
    this.#toStack(rest);
    if (this.#rest !== null || this.#isOver) return;
    if (this.#hasHostEnded) this.#endpoint.shutdownWrite();
    if (this.#isHostClosed) this.#finish();
    else this.#socket.resume();
  }

  #hostEnded(): void {
    this.#hasHostEnded = true;
    if (this.#rest === null && !this.#isOver) this.#endpoint.shutdownWrite();
  }

  #hostClosed(): void {
    if (this.#isOver) return;
    this.#isHostClosed = true;
    if (!this.#hasHostEnded || !this.#hasStackEnded) this.#fail();
    else if (this.#rest === null) this.#finish();
  }

  /** One side failed: the other is reset. */
  #fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endpoint.context = null;
    this.#endpoint.abort();
    this.#endpoint.close();
    this.#socket.resetAndDestroy();
    this.#onEnd(this);
  }

  #finish(): void {
    this.#isOver = true;
    this.#endpoint.context = null;
    this.#endpoint.close();
    this.#onEnd(this);
  }
}
