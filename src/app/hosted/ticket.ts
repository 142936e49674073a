/**
 * An operation of the application's, from its request to its completion.
 */

import { WSA_OPERATION_ABORTED, WSAEINTR } from '../../abi/index.ts';
import type { AfdCompletion, AfdOp, AfdRequest } from '../../port/index.ts';
import type { WinsockThread } from '../../winsock/index.ts';

export class Ticket implements AfdRequest {
  readonly id: number;
  readonly op: AfdOp;
  readonly descriptor: number;
  /** The request's flags; what the completion has of its own is in `outFlags`. */
  readonly flags: number;
  readonly a: number;
  readonly b: number;
  readonly address: Uint8Array | null;
  readonly data: Uint8Array | null;
  readonly into: Uint8Array | null;
  /** The thread that its calls are made in, so that they can be cancelled by themselves. */
  readonly thread: WinsockThread;

  outFlags = 0;
  outAddress: Uint8Array | null = null;
  outData: Uint8Array | null = null;
  /** The completion's value when the call failed: bytes of a message that was cut, or that an option needs. */
  failedValue = 0;
  isCancelled = false;
  /** Asks for its early end. */
  cancel: () => void = () => {};
  /** Says that it pends, to whoever waits to hear it. */
  pends: () => void = () => {};

  constructor(request: AfdRequest, thread: WinsockThread) {
    this.id = request.id;
    this.op = request.op;
    this.descriptor = request.descriptor;
    this.flags = request.flags;
    this.a = request.a;
    this.b = request.b;
    this.address = request.address;
    this.data = request.data;
    this.into = request.into;
    this.thread = thread;
  }

  /** The completion, of 0 or more as the value or minus a WSA code. */
  completion(answer: number): AfdCompletion {
    const { id, outFlags: flags, outAddress: address, outData: data } = this;
    if (answer >= 0) return { id, error: 0, value: answer, flags, address, data };
    // A blocking call that was cancelled was interrupted, as its provider sees it.
    const error = this.isCancelled && answer === -WSAEINTR ? WSA_OPERATION_ABORTED : -answer;
    return { id, error, value: this.failedValue, flags, address, data };
  }
}
