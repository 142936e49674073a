/**
 * `NamePort` over a client's connection. Questions are requests beside those of the sockets, with ids from the other end of their
 * range.
 */

import {
  NO_ERROR,
  sockaddrOf,
  WSA_E_CANCELLED,
  WSA_OPERATION_ABORTED,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSANO_RECOVERY,
} from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import {
  type AfdCompletion,
  type AfdOp,
  type AfdRequest,
  NAME_BYTES_MAX,
  NAME_TYPES_MAX,
  type NameAnswer,
  NameOrigin,
  type NamePort,
  type NameQuery,
  type NameQueryOptions,
  noAnswer,
  type OfferedService,
  type OwnHost,
  type RegisterAnswer,
  SERVICE_SUBTYPES_MAX,
  SERVICE_TEXTS_MAX,
  type SpacePort,
} from '../port/index.ts';
import {
  decodeAnswer,
  decodeHost,
  decodeSpaceCall,
  encodeQuestion,
  encodeService,
  encodeSpaceCall,
} from './name-messages.ts';
import { NameOp } from './protocol.ts';

/** What carries the requests. */
export interface NameCarrier {
  /** Whether a request with this id pends. */
  isPending(id: number): boolean;
  /** @returns the completion when the request ended at once; otherwise `completed` is told */
  submit(request: AfdRequest): AfdCompletion | null;
  cancel(id: number): void;
}

const LAST_ID = 0x7fff_ffff;
const NOTHING = new Uint8Array(0);

export class RemoteNames implements NamePort {
  readonly #carrier: NameCarrier;
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  #lastId = LAST_ID;

  constructor(carrier: NameCarrier) {
    this.#carrier = carrier;
  }

  async resolve(query: NameQuery, signal?: AbortSignal): Promise<NameAnswer> {
    const { name, types } = query;
    if (types.length > NAME_TYPES_MAX || name.length > NAME_BYTES_MAX) return noAnswer(name, WSAEINVAL);
    return this.#ask({ ...requestOf(NameOp.resolve, query), data: encodeQuestion(query) }, name, signal);
  }

  async reverse(
    address: IpAddress,
    options: NameQueryOptions = {},
    signal?: AbortSignal,
  ): Promise<NameAnswer> {
    const request = { ...requestOf(NameOp.reverse, options), address: sockaddrOf(address, 0) };
    return this.#ask(request, address.toString(), signal);
  }

  async host(): Promise<OwnHost | null> {
    const { error, data } = await this.#call(requestOf(NameOp.host, {}), undefined);
    return error === NO_ERROR && data !== null ? decodeHost(data) : null;
  }

  async register(service: OfferedService, signal?: AbortSignal): Promise<RegisterAnswer> {
    const { instance } = service;
    const refused = (error: number): RegisterAnswer => ({ error, id: 0, instance });
    if (signal?.aborted === true) return refused(WSA_E_CANCELLED);
    if (!fitsMessage(service)) return refused(WSAEINVAL);
    const request = { ...requestOf(NameOp.register, {}), data: encodeService(service) };
    const { error, value, data } = await this.#call(request, signal);
    if (error !== NO_ERROR) return refused(error === WSA_OPERATION_ABORTED ? WSA_E_CANCELLED : error);
    return { error, id: value, instance: data === null ? instance : Buffer.from(data).toString('utf8') };
  }

  async deregister(id: number): Promise<number> {
    const { error } = await this.#call({ ...requestOf(NameOp.deregister, {}), a: id | 0 }, undefined);
    return error;
  }

  async rename(name: string): Promise<number> {
    if (name.length > NAME_BYTES_MAX) return WSAEINVAL;
    const { error } = await this.#call(
      { ...requestOf(NameOp.rename, {}), data: Buffer.from(name) },
      undefined,
    );
    return error;
  }

  readonly spaces: SpacePort = {
    announce: (providerId) => this.#space(NameOp.announce, Buffer.from(providerId)),
    withdraw: (providerId) => this.#space(NameOp.withdraw, Buffer.from(providerId)),
    nextCall: async (signal) => {
      const { error, value, data } = await this.#call(requestOf(NameOp.nextCall, {}), signal);
      const call = error === NO_ERROR && data !== null ? decodeSpaceCall(value, data) : null;
      return (
        call ?? {
          error: error === NO_ERROR ? WSANO_RECOVERY : error,
          call: 0,
          client: 0,
          providerId: '',
          data: NOTHING,
        }
      );
    },
    answerCall: (call, data) => this.#space(NameOp.answerCall, data, call),
    callProvider: async (providerId, bytes, signal) => {
      const request = { ...requestOf(NameOp.callProvider, {}), data: encodeSpaceCall(0, providerId, bytes) };
      const { error, data } = await this.#call(request, signal);
      return { error, data: data ?? NOTHING };
    },
  };

  async #space(op: NameOp, data: Uint8Array, a = 0): Promise<number> {
    const { error } = await this.#call({ ...requestOf(op, {}), data, a }, undefined);
    return error;
  }

  /** Takes the completion of a request. @returns whether it is one of these */
  completed(completion: AfdCompletion): boolean {
    const settle = this.#waiting.get(completion.id);
    if (settle === undefined) return false;
    this.#waiting.delete(completion.id);
    settle(completion);
    return true;
  }

  close(): void {
    for (const id of this.#waiting.keys()) this.#carrier.cancel(id);
  }

  async #ask(request: AfdRequest, name: string, signal: AbortSignal | undefined): Promise<NameAnswer> {
    if (signal?.aborted === true) return noAnswer(name, WSA_E_CANCELLED, 'cancelled');
    const { error, data } = await this.#call(request, signal);
    if (error === WSA_OPERATION_ABORTED) return noAnswer(name, WSA_E_CANCELLED, 'cancelled');
    // An older daemon, which knows no questions about names.
    if (error === WSAEOPNOTSUPP) return noAnswer(name);
    const answer = data === null ? null : decodeAnswer(data, error);
    return answer ?? noAnswer(name, error === NO_ERROR ? WSANO_RECOVERY : error);
  }

  #call(request: AfdRequest, signal: AbortSignal | undefined): Promise<AfdCompletion> {
    const id = this.#nextId();
    request.id = id;
    return new Promise((resolve) => {
      const onAbort = (): void => this.#carrier.cancel(id);
      this.#waiting.set(id, (completion) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(completion);
      });
      const completion = this.#carrier.submit(request);
      if (completion !== null) this.completed(completion);
      else signal?.addEventListener('abort', onAbort);
    });
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId <= 1 ? LAST_ID : this.#lastId - 1;
    } while (this.#carrier.isPending(this.#lastId));
    return this.#lastId;
  }
}

/** Whether its lengths can be told; what they mean is looked at on the other side. */
function fitsMessage({ instance, type, subtypes, port, texts }: OfferedService): boolean {
  const isShort = (text: { readonly length: number }): boolean => text.length <= NAME_BYTES_MAX;
  return (
    [instance, type, ...subtypes, ...texts].every(isShort) &&
    subtypes.length <= SERVICE_SUBTYPES_MAX &&
    texts.length <= SERVICE_TEXTS_MAX &&
    port >= 0 &&
    port <= 0xffff
  );
}

function requestOf(op: NameOp, options: NameQueryOptions): AfdRequest {
  const { flags = 0, timeoutMs = 0, origins = NameOrigin.all } = options;
  const a = Math.min(Math.max(0, Math.trunc(timeoutMs)), 0x7fff_ffff);
  // The record is that of a socket operation, its number one of the names'.
  return {
    id: 0,
    op: op as number as AfdOp,
    descriptor: 0,
    flags,
    a,
    b: origins,
    address: null,
    data: null,
    into: null,
  };
}
