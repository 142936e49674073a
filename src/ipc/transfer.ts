/**
 * Transfers that are larger than the server takes in one request, on the client's side: sent or received in pieces under
 * one id, so that the caller sees a single operation.
 *
 * While a large transfer runs, what the same descriptor is asked to do later in the same direction waits behind it, or its
 * bytes would come to lie between the pieces.
 */

import { MSG_PEEK, MSG_WAITALL, NO_ERROR, WSA_OPERATION_ABORTED, WSAEWOULDBLOCK } from '../abi/index.ts';
import { type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';

/** A large transfer under way. */
interface Transfer {
  readonly request: AfdRequest;
  readonly key: number;
  /** Bytes that are done. */
  done: number;
  isCancelled: boolean;
  /** What waits behind it. */
  readonly behind: AfdRequest[];
}

/** Sends one piece of a request: its bytes from `from` on. */
export type SubmitPiece = (request: AfdRequest, from: number, length: number) => void;

export class LargeTransfers {
  readonly #maxTransfer: number;
  readonly #submit: SubmitPiece;
  readonly #byKey = new Map<number, Transfer>();
  readonly #byId = new Map<number, Transfer>();

  constructor(maxTransfer: number, submit: SubmitPiece) {
    this.#maxTransfer = maxTransfer;
    this.#submit = submit;
  }

  /** Takes the request over when it is large, or has to wait behind a large one. @returns whether it did. */
  takes(request: AfdRequest): boolean {
    const key = keyOf(request);
    if (key === 0) return false;
    const ahead = this.#byKey.size === 0 ? undefined : this.#byKey.get(key);
    if (ahead !== undefined) {
      ahead.behind.push(request);
      return true;
    }
    if (!this.#isLarge(request)) return false;
    this.#begin(request, key, []);
    return true;
  }

  /**
   * Looks at the completion of a piece.
   * @returns what to complete the request with, or `null` when another piece is under way.
   */
  pieceCompleted(completion: AfdCompletion): AfdCompletion | null {
    const transfer = this.#byId.get(completion.id);
    if (transfer === undefined) return completion;
    const { request } = transfer;
    const total = lengthOf(request);
    const asked = Math.min(this.#maxTransfer, total - transfer.done);
    const { error, value } = completion;
    if (error === NO_ERROR) {
      transfer.done += value;
      if (value === asked && transfer.done < total && !transfer.isCancelled) {
        this.#submit(request, transfer.done, Math.min(this.#maxTransfer, total - transfer.done));
        return null;
      }
    }
    this.#end(transfer);
    const isPartial = transfer.isCancelled && transfer.done < total;
    // A non-blocking socket took a part: that part is the result, as it is within one request.
    if (error === WSAEWOULDBLOCK && transfer.done > 0)
      return { ...completion, error: NO_ERROR, value: transfer.done };
    if (error !== NO_ERROR) return completion;
    return isPartial
      ? { ...completion, error: WSA_OPERATION_ABORTED, value: 0 }
      : { ...completion, value: transfer.done };
  }

  /** @returns whether the request had not been sent, so that it is cancelled already. */
  cancel(request: AfdRequest): boolean {
    const transfer = this.#byId.get(request.id);
    if (transfer !== undefined) {
      transfer.isCancelled = true;
      return false;
    }
    const behind = this.#byKey.get(keyOf(request))?.behind;
    const place = behind === undefined ? -1 : behind.indexOf(request);
    if (place < 0) return false;
    behind?.splice(place, 1);
    return true;
  }

  /** How much of a request goes into its only message: receives that may be short are cut. */
  clampInto(request: AfdRequest): number {
    return request.into === null ? 0 : Math.min(request.into.length, this.#maxTransfer);
  }

  /** Bytes of the request that were done by earlier pieces. */
  offsetOf(id: number): number {
    if (this.#byId.size === 0) return 0;
    return this.#byId.get(id)?.done ?? 0;
  }

  #isLarge(request: AfdRequest): boolean {
    if (request.op === AfdOp.recv && (request.flags & (MSG_WAITALL | MSG_PEEK)) !== MSG_WAITALL) return false;
    return request.op !== AfdOp.shutdown && lengthOf(request) > this.#maxTransfer;
  }

  #begin(request: AfdRequest, key: number, behind: AfdRequest[]): void {
    const transfer: Transfer = { request, key, done: 0, isCancelled: false, behind };
    this.#byKey.set(key, transfer);
    this.#byId.set(request.id, transfer);
    this.#submit(request, 0, this.#maxTransfer);
  }

  #end(transfer: Transfer): void {
    this.#byId.delete(transfer.request.id);
    this.#byKey.delete(transfer.key);
    const { behind } = transfer;
    while (behind.length > 0) {
      const next = behind.shift() as AfdRequest;
      if (this.#isLarge(next)) {
        this.#begin(next, transfer.key, behind);
        return;
      }
      this.#submit(next, 0, lengthOf(next));
    }
  }
}

/** What shares an order: a descriptor's sending direction, or its receiving one. 0: nothing does. */
function keyOf(request: AfdRequest): number {
  if (request.op === AfdOp.send || request.op === AfdOp.shutdown) return request.descriptor * 2 + 2;
  return request.op === AfdOp.recv ? request.descriptor * 2 + 3 : 0;
}

function lengthOf(request: AfdRequest): number {
  const bytes = request.op === AfdOp.recv ? request.into : request.data;
  return bytes === null ? 0 : bytes.length;
}
