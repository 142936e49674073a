/**
 * What a stream layer knows of its sockets: how they were made, how they wait, and the connection whose bytes the layer keeps.
 */

import { FIONBIO } from '../../abi/index.ts';
import type { Layer, WSPPROC_TABLE, WSPUPCALLTABLE } from '../../spi/index.ts';
import { Connection } from './connection.ts';
import type { StreamPlan } from './contract.ts';
import { NO_REGISTRATION, type Registration } from './event-records.ts';
import { cancelPending, type Pending } from './operations.ts';

/** A stream socket of the layer. */
export interface Stream {
  readonly s: number;
  /** WSA_FLAG_* */
  readonly flags: number;
  isNonBlocking: boolean;
  registration: Registration;
  connection: Connection | null;
  /** Overlapped operations of the layer. */
  readonly pending: Set<Pending>;
}

/** The sockets of a layer in each process, of all its chains: a select may name sockets of several. */
export type StreamTables = WeakMap<WSPUPCALLTABLE, Map<number, Stream>>;

/** The sockets of one chain, beside which those of the layer's other chains can be seen. */
export class Streams {
  readonly next: WSPPROC_TABLE;
  readonly layer: Layer;
  readonly #all: Map<number, Stream>;
  /** Those of this chain. */
  readonly #own = new Set<number>();

  constructor(next: WSPPROC_TABLE, layer: Layer, tables: StreamTables) {
    this.next = next;
    this.layer = layer;
    this.#all = tables.get(layer.upcalls) ?? new Map<number, Stream>();
    tables.set(layer.upcalls, this.#all);
  }

  get(s: number): Stream | undefined {
    return this.#all.get(s);
  }

  /** The connection of a socket whose bytes the layer keeps. */
  connection(s: number): Connection | null {
    return this.#all.get(s)?.connection ?? null;
  }

  /** A socket was made; an accepted one is as its listener. */
  add(s: number, flags: number, listener: Stream | null = null): void {
    this.#own.add(s);
    this.#all.set(s, {
      s,
      flags,
      isNonBlocking: listener?.isNonBlocking ?? false,
      registration: listener?.registration ?? NO_REGISTRATION,
      connection: null,
      pending: new Set(),
    });
  }

  remove(s: number): void {
    this.#own.delete(s);
    this.#all.delete(s);
  }

  /** Winsock is given up: nothing goes out any more. */
  end(): void {
    for (const s of [...this.#own]) {
      void this.connection(s)?.close(0);
      this.remove(s);
    }
  }

  /** Keeps the bytes of a socket's connection from now on. */
  keep(stream: Stream, plan: StreamPlan, isConnect: boolean): Connection {
    const connection = new Connection(this.next, this.layer, stream.s, plan, isConnect);
    stream.connection = connection;
    connection.events.register(stream.registration);
    this.layer.ws2.keepReadiness(stream.s, {
      poll: () => connection.pollBits,
      watch(changed) {
        connection.observers.add(changed);
        return () => void connection.observers.delete(changed);
      },
      cancel: (lpOverlapped, thread) => cancelPending(stream.pending, lpOverlapped, thread),
    });
    return connection;
  }

  /** Makes the socket below silent and blocking: events and the mode are the layer's now. @returns minus a WSA code */
  async quiet({ s, isNonBlocking, registration }: Stream): Promise<number> {
    const { next } = this;
    if (registration.mask !== 0) {
      const ended = await next.WSPEventSelect(s, 0, 0);
      if (ended < 0) return ended;
    }
    if (!isNonBlocking) return 0;
    const off = new Uint8Array(4);
    return next.WSPIoctl(s, FIONBIO, off, off.length, null, 0, null, null, null);
  }
}
