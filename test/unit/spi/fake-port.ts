/**
 * An `AfdPort` that does as it is told: it keeps what was asked, and a test says what comes back and when.
 */

import type { AfdCompletion, AfdPort, AfdRequest } from '../../../src/port/index.ts';
import { AfdOp } from '../../../src/port/index.ts';

/** What a test says about a request: its completion, or `null` to let it pend. */
export type Script = (request: AfdRequest) => Partial<AfdCompletion> | null;

export class FakePort implements AfdPort {
  /** Copies of all requests, in their order. */
  readonly requests: AfdRequest[] = [];
  readonly cancelled: number[] = [];
  readonly pending = new Map<number, AfdRequest>();
  script: Script;
  onComplete: (completion: AfdCompletion) => void = () => {};
  isClosed = false;
  #nextDescriptor = 1;

  constructor(script: Script = () => ({})) {
    this.script = script;
  }

  submit(request: AfdRequest): AfdCompletion | null {
    this.requests.push({ ...request });
    const answer =
      request.op === AfdOp.socket && this.script(request)?.error === undefined
        ? { value: this.#nextDescriptor++ }
        : this.script(request);
    if (answer === null) {
      this.pending.set(request.id, request);
      return null;
    }
    return completion(request.id, answer);
  }

  cancel(id: number): void {
    this.cancelled.push(id);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The last request of an operation. */
  last(op: AfdOp): AfdRequest {
    const found = this.requests.filter((request) => request.op === op).at(-1);
    if (found === undefined) throw new Error(`no request with op ${op}`);
    return found;
  }

  /** Ends the oldest pending request of an operation. */
  complete(op: AfdOp, answer: Partial<AfdCompletion>): void {
    const request = [...this.pending.values()].find((candidate) => candidate.op === op);
    if (request === undefined) throw new Error(`nothing pends with op ${op}`);
    this.pending.delete(request.id);
    this.onComplete(completion(request.id, answer));
  }
}

function completion(id: number, answer: Partial<AfdCompletion>): AfdCompletion {
  return { id, error: 0, value: 0, flags: 0, address: null, data: null, ...answer };
}
