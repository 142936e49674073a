/**
 * A client's questions about names in the server: each becomes one of its `NamePort` session, and its answer the completion. They
 * pend like any operation and end with the client.
 */

import {
  NO_ERROR,
  readSockaddr,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSANO_RECOVERY,
  WSASERVICE_NOT_FOUND,
} from '../abi/index.ts';
import {
  type AfdCompletion,
  NAME_BYTES_MAX,
  type NameAnswer,
  type NamePort,
  type NameQueryOptions,
  type SpacePort,
} from '../port/index.ts';
import {
  decodeQuestion,
  decodeService,
  decodeSpaceCall,
  encodeAnswer,
  encodeHost,
  encodeSpaceCall,
} from './name-messages.ts';
import type { PendingRequest } from './pending-request.ts';
import { NameOp } from './protocol.ts';

/** What a question came to: an error, and bytes when there is something to say. */
interface Outcome {
  readonly error: number;
  readonly value: number;
  readonly data: Uint8Array | null;
}

export class NameRequests {
  readonly #port: NamePort;
  readonly #maxTransfer: number;
  readonly #complete: (completion: AfdCompletion) => void;
  readonly #pending = new Map<number, AbortController>();

  /** @param complete takes the completion of each request, once */
  constructor(port: NamePort, maxTransfer: number, complete: (completion: AfdCompletion) => void) {
    this.#port = port;
    this.#maxTransfer = maxTransfer;
    this.#complete = complete;
  }

  start(request: PendingRequest): void {
    const { id } = request;
    const abort = new AbortController();
    this.#pending.set(id, abort);
    const asked = this.#ask(request, abort.signal);
    // What was asked has been read: a question that waits long holds no memory for it.
    request.dropData();
    asked.then(
      (outcome) => this.#done(request, outcome),
      () => this.#done(request, failure(WSANO_RECOVERY)),
    );
  }

  /** @returns whether the request is one of these */
  cancel(id: number): boolean {
    const abort = this.#pending.get(id);
    abort?.abort();
    return abort !== undefined;
  }

  /** Ends all that pends, and the session. */
  close(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [id, abort] of pending) {
      abort.abort();
      this.#complete(completionOf(id, failure(WSA_OPERATION_ABORTED)));
    }
    this.#port.close();
  }

  async #ask(request: PendingRequest, signal: AbortSignal): Promise<Outcome> {
    // A REQUEST's fields are signed: there is no time before now.
    const options: NameQueryOptions = { flags: request.flags, timeoutMs: request.a, origins: request.b };
    if (request.a < 0) return failure(WSAEINVAL);
    switch (request.op as number) {
      case NameOp.resolve: {
        const question = request.data === null ? null : decodeQuestion(request.data);
        if (question === null) return failure(WSAEINVAL);
        return outcomeOf(await this.#port.resolve({ ...question, ...options }, signal));
      }
      case NameOp.reverse: {
        const sockaddr = request.address === null ? null : readSockaddr(request.address);
        if (sockaddr === null) return failure(WSAEFAULT);
        return outcomeOf(await this.#port.reverse(sockaddr.address, options, signal));
      }
      case NameOp.register: {
        const service = request.data === null ? null : decodeService(request.data);
        if (service === null) return failure(WSAEINVAL);
        const { error, id, instance } = await this.#port.register(service, signal);
        return error === NO_ERROR ? { error, value: id, data: Buffer.from(instance) } : failure(error);
      }
      case NameOp.deregister:
        return failure(await this.#port.deregister(request.a));
      case NameOp.rename: {
        const { data } = request;
        if (data === null || data.length > NAME_BYTES_MAX) return failure(WSAEINVAL);
        return failure(await this.#port.rename(Buffer.from(data).toString('utf8')));
      }
      case NameOp.announce:
      case NameOp.withdraw:
      case NameOp.nextCall:
      case NameOp.answerCall:
      case NameOp.callProvider:
        return spaceOutcome(this.#port.spaces, request, signal);
      default: {
        const host = await this.#port.host();
        if (host === null) return failure(WSANO_RECOVERY);
        return { error: NO_ERROR, value: host.addresses.length, data: encodeHost(host) };
      }
    }
  }

  #done(request: PendingRequest, outcome: Outcome): void {
    if (!this.#pending.delete(request.id)) return;
    const { data } = outcome;
    const fits = data === null || (data.length <= this.#maxTransfer && request.charge(data.length));
    this.#complete(completionOf(request.id, fits ? outcome : failure(WSAENOBUFS)));
  }
}

/** What name-space providers in other processes, and their clients, ask for. */
async function spaceOutcome(
  spaces: SpacePort | undefined,
  request: PendingRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const { op, data, a } = request;
  if (spaces === undefined) return failure(WSASERVICE_NOT_FOUND);
  const bytes = data === null ? new Uint8Array(0) : Uint8Array.from(data);
  switch (op as number) {
    case NameOp.announce:
      return failure(await spaces.announce(Buffer.from(bytes).toString('latin1')));
    case NameOp.withdraw:
      return failure(await spaces.withdraw(Buffer.from(bytes).toString('latin1')));
    case NameOp.answerCall:
      return failure(await spaces.answerCall(a, bytes));
    case NameOp.nextCall: {
      const { error, call, client, providerId, data: said } = await spaces.nextCall(signal);
      if (error !== NO_ERROR) return failure(error);
      return { error, value: call, data: encodeSpaceCall(client, providerId, said) };
    }
    default: {
      const call = decodeSpaceCall(0, bytes);
      if (call === null) return failure(WSAEINVAL);
      const answer = await spaces.callProvider(call.providerId, call.data, signal);
      return { error: answer.error, value: 0, data: answer.data };
    }
  }
}

function outcomeOf(answer: NameAnswer): Outcome {
  return { error: answer.error, value: answer.records.length, data: encodeAnswer(answer) };
}

function failure(error: number): Outcome {
  return { error, value: 0, data: null };
}

function completionOf(id: number, { error, value, data }: Outcome): AfdCompletion {
  return { id, error, value, flags: 0, address: null, data };
}
