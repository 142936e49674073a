/**
 * TransmitFile and TransmitPackets of the base provider: how its sockets send for `transmit`, by requests of the port.
 */

import { SOCK_STREAM, WSA_OPERATION_ABORTED, WSAENOTSOCK } from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AFD_OVERLAPPED, AfdOp } from '../port/index.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { ExtensionFunctions } from './extensions.ts';
import { type TransmitSink, transmitFile, transmitPackets } from './transmit.ts';

export function baseTransmitExtensions(
  base: BaseState,
): Pick<ExtensionFunctions, 'TransmitFile' | 'TransmitPackets'> {
  return {
    TransmitFile(hSocket, ...rest) {
      const socket = base.sockets.get(hSocket);
      if (socket === undefined) return -WSAENOTSOCK;
      return transmitFile(base, socket, new RequestSink(base, socket), ...rest);
    },

    TransmitPackets(hSocket, ...rest) {
      const socket = base.sockets.get(hSocket);
      if (socket === undefined) return -WSAENOTSOCK;
      return transmitPackets(base, socket, new RequestSink(base, socket), ...rest);
    },
  };
}

class RequestSink implements TransmitSink {
  readonly #base: BaseState;
  readonly #socket: BaseSocket;
  /** Id of the request that is under way; 0: none. */
  #request = 0;
  #isCancelled = false;

  constructor(base: BaseState, socket: BaseSocket) {
    this.#base = base;
    this.#socket = socket;
  }

  /** A stream that sends nothing says whether it could; a datagram socket has to have a peer. */
  ready(): Promise<number> {
    return this.#socket.type === SOCK_STREAM ? this.send(EMPTY) : this.#ask(AfdOp.getPeerName, EMPTY, 0);
  }

  send(bytes: Uint8Array): Promise<number> {
    return this.#ask(AfdOp.send, bytes, 0);
  }

  disconnect(reuse: number): Promise<number> {
    return this.#ask(AfdOp.disconnect, null, reuse);
  }

  cancel(): void {
    this.#isCancelled = true;
    if (this.#request !== 0) this.#base.calls.cancel(this.#request);
  }

  /** Makes one request that waits for its end, whatever the socket's mode. */
  #ask(op: AfdOp, data: Uint8Array | null, a: number): Promise<number> {
    // A descriptor that was closed may be another socket's by now.
    const isOpen = this.#base.sockets.get(this.#socket.handle) === this.#socket;
    if (this.#isCancelled || !isOpen) return Promise.resolve(-WSA_OPERATION_ABORTED);
    return new Promise((resolve) => {
      const call = this.#base.calls.prepare(op, this.#socket);
      call.request.flags = AFD_OVERLAPPED;
      call.request.data = data;
      call.request.a = a;
      const settle = (answer: number): void => {
        this.#request = 0;
        resolve(answer);
      };
      const answer = this.#base.calls.begin(call, settle);
      if (answer !== null) resolve(answer);
      else this.#request = call.request.id;
    });
  }
}
