/**
 * `CatalogPort` over a client's connection: the daemon's catalog. Requests stand beside those of the sockets, with ids from the other end
 * of their range. What cannot be understood is an error, never an exception.
 */

import { NO_ERROR, WSANO_RECOVERY } from '../abi/index.ts';
import { readAnswer, readRecord, readSnapshot, writeChange } from '../catalog/index.ts';
import type {
  AfdCompletion,
  AfdOp,
  AfdRequest,
  CatalogAnswer,
  CatalogChange,
  CatalogPort,
  CatalogRecord,
  CatalogSnapshot,
} from '../port/index.ts';
import { decodeJson, encodeJson } from './catalog-messages.ts';
import { CatalogOp } from './protocol.ts';

/** What carries the requests. */
export interface CatalogCarrier {
  isPending(id: number): boolean;
  /** @returns the completion when the request ended at once; otherwise `completed` is told */
  submit(request: AfdRequest): AfdCompletion | null;
  cancel(id: number): void;
  /** Adds to the number of pending requests that don't keep the process alive. */
  background(delta: number): void;
}

const LAST_ID = 0x7fff_ffff;
/** Records that are believed of a daemon. */
const MAX_RECORDS = 10_000;

export class RemoteCatalog implements CatalogPort {
  readonly #carrier: CatalogCarrier;
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  #lastId = LAST_ID;

  constructor(carrier: CatalogCarrier) {
    this.#carrier = carrier;
  }

  async read(): Promise<CatalogSnapshot | null> {
    const { error, data } = await this.#call(CatalogOp.read);
    return error === NO_ERROR ? readSnapshot(decodeJson(data)) : null;
  }

  async apply(change: CatalogChange): Promise<CatalogAnswer> {
    const { error, value, data } = await this.#call(CatalogOp.apply, encodeJson(writeChange(change)));
    const answer = readAnswer(decodeJson(data));
    if (answer !== null && answer.error === error) return answer;
    return { error: error === NO_ERROR ? WSANO_RECOVERY : error, serial: value, ids: [], previous: 0 };
  }

  watch(tell: (serial: number) => void): () => void {
    let isOver = false;
    let id = 0;
    const follow = async (): Promise<void> => {
      // What was there before is not told.
      let known = ((await this.read())?.serial ?? 0) & LAST_ID;
      while (!isOver) {
        const asked = this.#call(CatalogOp.watch, null, known);
        id = this.#lastId;
        this.#carrier.background(1);
        const { error, value } = await asked;
        this.#carrier.background(-1);
        if (error !== NO_ERROR) return;
        known = value;
        if (!isOver) tell(known);
      }
    };
    void follow();
    return () => {
      isOver = true;
      if (id !== 0) this.#carrier.cancel(id);
    };
  }

  async history(): Promise<readonly CatalogRecord[]> {
    const { data } = await this.#call(CatalogOp.history);
    const list = decodeJson(data);
    if (!Array.isArray(list)) return [];
    return list
      .slice(0, MAX_RECORDS)
      .map(readRecord)
      .filter((record): record is CatalogRecord => record !== null);
  }

  close(): void {
    for (const id of this.#waiting.keys()) this.#carrier.cancel(id);
  }

  /** Takes the completion of a request. @returns whether it is one of these */
  completed(completion: AfdCompletion): boolean {
    const settle = this.#waiting.get(completion.id);
    if (settle === undefined) return false;
    this.#waiting.delete(completion.id);
    settle(completion);
    return true;
  }

  #call(op: CatalogOp, data: Uint8Array | null = null, a = 0): Promise<AfdCompletion> {
    const id = this.#nextId();
    // The record is that of a socket operation, its number one of the catalog's.
    const request: AfdRequest = {
      id,
      op: op as number as AfdOp,
      descriptor: 0,
      flags: 0,
      a,
      b: 0,
      address: null,
      data,
      into: null,
    };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const completion = this.#carrier.submit(request);
      if (completion !== null) this.completed(completion);
    });
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId <= 1 ? LAST_ID : this.#lastId - 1;
    } while (this.#carrier.isPending(this.#lastId));
    return this.#lastId;
  }
}
