/**
 * What a stream layer knows of its sockets: how they were made, how they wait, and the connection whose bytes the layer keeps.
 */

import { FIONBIO, SOCK_STREAM, WSA_OPERATION_ABORTED } from '../../abi/index.ts';
import type {
  Answer,
  IoManager,
  Layer,
  OperationHost,
  WSPPROC_TABLE,
  WSPUPCALLTABLE,
} from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { Connection } from './connection.ts';
import type { StreamPlan, StreamRules } from './contract.ts';
import { NO_REGISTRATION, type Registration } from './event-records.ts';
import { cancelOperations, type OverlappedSocket } from './operations.ts';

/** A stream socket of the layer. `operations` are those that the layer itself has under way. */
export interface Stream extends OverlappedSocket {
  /** The chain that it was made in: an extension function may be called with sockets of any. */
  readonly chain: Streams;
  isNonBlocking: boolean;
  registration: Registration;
  connection: Connection | null;
}

/** The sockets of a layer in each process, of all its chains: a select may name sockets of several. */
export type StreamTables = WeakMap<WSPUPCALLTABLE, Map<number, Stream>>;

/** The sockets of one chain, beside which those of the layer's other chains can be seen. */
export class Streams implements OperationHost {
  readonly next: WSPPROC_TABLE;
  readonly layer: Layer;
  readonly rules: StreamRules;
  readonly io: IoManager;
  readonly upcalls: WSPUPCALLTABLE;
  isEnding = false;
  /** Those of all chains. */
  readonly all: Map<number, Stream>;
  /** Those of this chain. */
  readonly #own = new Set<number>();

  constructor(next: WSPPROC_TABLE, layer: Layer, tables: StreamTables, rules: StreamRules) {
    this.next = next;
    this.layer = layer;
    this.rules = rules;
    this.io = layer.ws2.io;
    this.upcalls = layer.upcalls;
    this.all = tables.get(layer.upcalls) ?? new Map<number, Stream>();
    tables.set(layer.upcalls, this.all);
  }

  get(s: number): Stream | undefined {
    return this.all.get(s);
  }

  /** The connection of a socket whose bytes the layer keeps. */
  connection(s: number): Connection | null {
    return this.all.get(s)?.connection ?? null;
  }

  /** A socket was made; an accepted one is as its listener. */
  add(s: number, flags: number, listener: Stream | null = null): void {
    const stream: Stream = {
      chain: this,
      handle: s,
      type: SOCK_STREAM,
      flags,
      isNonBlocking: listener?.isNonBlocking ?? false,
      registration: listener?.registration ?? NO_REGISTRATION,
      connection: null,
      operations: new Set(),
    };
    this.#own.add(s);
    this.all.set(s, stream);
    this.layer.ws2.keepOperations(s, (lpOverlapped, thread) =>
      cancelOperations(stream, lpOverlapped, thread),
    );
  }

  remove(s: number): void {
    this.#own.delete(s);
    this.all.delete(s);
  }

  /** Winsock is given up: nothing goes out any more. */
  end(): void {
    this.isEnding = true;
    for (const s of [...this.#own]) {
      for (const operation of [...(this.get(s)?.operations ?? [])]) operation.abandon();
      void this.connection(s)?.close(0);
      this.remove(s);
    }
    this.isEnding = false;
  }

  /** Keeps the bytes of a socket's connection from now on. */
  keep(stream: Stream, plan: StreamPlan, isConnect: boolean): Connection {
    const connection = new Connection(this.next, this.layer, stream.handle, plan, isConnect);
    connection.carriedError = stream.connection?.socketError ?? 0;
    stream.connection = connection;
    connection.events.register(stream.registration, false);
    this.layer.ws2.keepReadiness(stream.handle, {
      poll: () => connection.pollBits,
      watch(changed) {
        connection.observers.add(changed);
        return () => void connection.observers.delete(changed);
      },
    });
    return connection;
  }

  /** Makes the socket below silent and blocking: events and the mode are the layer's now. @returns minus a WSA code */
  quiet({ handle, isNonBlocking, registration }: Stream): Answer {
    const silent = registration.mask === 0 ? 0 : this.next.WSPEventSelect(handle, 0, 0);
    return whenAnswered(silent, (answer) =>
      answer < 0 || !isNonBlocking ? answer : this.#setMode(handle, 0),
    );
  }

  /** The connection is over, and the socket below as new: it has its mode and its events back. */
  async letGo(stream: Stream): Promise<number> {
    const { handle, connection, registration, isNonBlocking } = stream;
    await connection?.close(0);
    if (this.get(handle) !== stream) return -WSA_OPERATION_ABORTED;
    stream.connection = null;
    this.layer.ws2.keepReadiness(handle, null);
    const { mask, hEvent, hWnd, wMsg } = registration;
    if (mask !== 0) {
      const { next } = this;
      return hEvent !== 0
        ? next.WSPEventSelect(handle, hEvent, mask)
        : next.WSPAsyncSelect(handle, hWnd, wMsg, mask);
    }
    return isNonBlocking ? this.#setMode(handle, 1) : 0;
  }

  #setMode(s: number, isNonBlocking: number): Answer {
    const mode = Uint8Array.of(isNonBlocking, 0, 0, 0);
    return this.next.WSPIoctl(s, FIONBIO, mode, mode.length, null, 0, null, null, null);
  }
}
