/**
 * A client's requests about the catalog in the server: each becomes a call of its `CatalogPort`, and the answer the completion. They
 * pend like any operation and end with the client.
 */

import {
  NO_ERROR,
  WSA_OPERATION_ABORTED,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENOBUFS,
  WSANO_RECOVERY,
} from '../abi/index.ts';
import { type Json, readChange, writeAnswer, writeRecord, writeSnapshot } from '../catalog/index.ts';
import type { AfdCompletion, CatalogPort } from '../port/index.ts';
import { decodeJson, encodeJson } from './catalog-messages.ts';
import type { PendingRequest } from './pending-request.ts';
import { CatalogOp } from './protocol.ts';

/** What a request came to. */
interface Outcome {
  readonly error: number;
  readonly value: number;
  readonly data: Uint8Array | null;
}

/** What of a serial fits into a completion's value. */
const SERIAL_MASK = 0x7fff_ffff;

export class CatalogRequests {
  readonly #port: CatalogPort;
  readonly #maxTransfer: number;
  readonly #complete: (completion: AfdCompletion) => void;
  /** What pends, and how each is given up. */
  readonly #pending = new Map<number, () => void>();

  /** @param complete takes the completion of each request, once */
  constructor(port: CatalogPort, maxTransfer: number, complete: (completion: AfdCompletion) => void) {
    this.#port = port;
    this.#maxTransfer = maxTransfer;
    this.#complete = complete;
  }

  start(request: PendingRequest): void {
    this.#pending.set(request.id, () => {});
    if ((request.op as number) === CatalogOp.watch) {
      this.#watch(request);
      return;
    }
    const asked = this.#ask(request);
    request.dropData();
    asked.then(
      (outcome) => this.#done(request, outcome),
      () => this.#done(request, failure(WSANO_RECOVERY)),
    );
  }

  /** A watch ends early; what is being read or changed is answered as it is. @returns whether the request is one of these */
  cancel(id: number): boolean {
    const giveUp = this.#pending.get(id);
    giveUp?.();
    return giveUp !== undefined;
  }

  /** Ends all that pends, and the session. */
  close(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    this.#port.close();
    for (const [id] of pending) this.#complete(completionOf(id, failure(WSA_OPERATION_ABORTED)));
  }

  async #ask(request: PendingRequest): Promise<Outcome> {
    switch (request.op as number) {
      case CatalogOp.read: {
        const snapshot = await this.#port.read();
        if (snapshot === null) return failure(WSAENETDOWN);
        return success(snapshot.serial, writeSnapshot(snapshot));
      }
      case CatalogOp.apply: {
        const change = readChange(decodeJson(request.data));
        if (change === null) return failure(WSAEINVAL);
        const answer = await this.#port.apply(change);
        const { value, data } = success(answer.serial, writeAnswer(answer));
        return { error: answer.error, value, data };
      }
      default:
        return success(0, (await this.#port.history()).map(writeRecord));
    }
  }

  /** Pends until the catalog has another serial than the one that the client knows. */
  #watch(request: PendingRequest): void {
    const tell = (serial: number): void => {
      if ((serial & SERIAL_MASK) === request.a) return;
      stop();
      this.#done(request, { error: NO_ERROR, value: serial & SERIAL_MASK, data: null });
    };
    const stop = this.#port.watch(tell);
    this.#pending.set(request.id, () => {
      stop();
      this.#done(request, failure(WSA_OPERATION_ABORTED));
    });
    // What has changed before somebody watched.
    void (async () => {
      const snapshot = await this.#port.read();
      if (snapshot !== null && this.#pending.has(request.id)) tell(snapshot.serial);
    })();
  }

  #done(request: PendingRequest, outcome: Outcome): void {
    if (!this.#pending.delete(request.id)) return;
    const { data } = outcome;
    const fits = data === null || (data.length <= this.#maxTransfer && request.charge(data.length));
    this.#complete(completionOf(request.id, fits ? outcome : failure(WSAENOBUFS)));
  }
}

function success(serial: number, value: Json): Outcome {
  return { error: NO_ERROR, value: serial & SERIAL_MASK, data: encodeJson(value) };
}

function failure(error: number): Outcome {
  return { error, value: 0, data: null };
}

function completionOf(id: number, { error, value, data }: Outcome): AfdCompletion {
  return { id, error, value, flags: 0, address: null, data };
}
