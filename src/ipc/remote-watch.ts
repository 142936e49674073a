/**
 * `WatchPort` over a client's connection: the daemon says what it wants to know, reports go as requests beside those of the sockets.
 */

import { NO_ERROR } from '../abi/index.ts';
import { type AfdCompletion, type AfdOp, type AfdRequest, Watch, type WatchPort } from '../port/index.ts';
import { WatchOp } from './protocol.ts';
import type { CatalogCarrier } from './remote-catalog.ts';

const LAST_ID = 0x7fff_ffff;

export class RemoteWatch implements WatchPort {
  readonly #carrier: CatalogCarrier;
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  #lastId = LAST_ID;
  #wanted: number = Watch.nothing;
  #onWanted: ((what: number) => void) | null = null;

  constructor(carrier: CatalogCarrier) {
    this.#carrier = carrier;
  }

  get onWanted(): ((what: number) => void) | null {
    return this.#onWanted;
  }

  set onWanted(tell: ((what: number) => void) | null) {
    this.#onWanted = tell;
    if (this.#wanted !== Watch.nothing) tell?.(this.#wanted);
  }

  /** The daemon has said it. */
  wants(what: number): void {
    this.#wanted = what;
    this.#onWanted?.(what);
  }

  async report(bytes: Uint8Array): Promise<boolean> {
    const id = this.#nextId();
    // The record is that of a socket operation, its number one of its own.
    const request: AfdRequest = {
      id,
      op: WatchOp.report as number as AfdOp,
      descriptor: 0,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data: bytes,
      into: null,
    };
    const completed = new Promise<AfdCompletion>((resolve) => this.#waiting.set(id, resolve));
    // A process that has nothing else to do may end.
    this.#carrier.background(1);
    const completion = this.#carrier.submit(request);
    if (completion !== null) this.completed(completion);
    const { error } = await completed;
    this.#carrier.background(-1);
    return error === NO_ERROR;
  }

  /** Takes the completion of a request. @returns whether it is one of these */
  completed(completion: AfdCompletion): boolean {
    const settle = this.#waiting.get(completion.id);
    if (settle === undefined) return false;
    this.#waiting.delete(completion.id);
    settle(completion);
    return true;
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId <= 1 ? LAST_ID : this.#lastId - 1;
    } while (this.#carrier.isPending(this.#lastId));
    return this.#lastId;
  }
}
