/**
 * Between lookups and the name-space providers that run in processes of their own: who has announced what, and the calls that are
 * under way. See `SpacePort`.
 */

import {
  WSA_E_CANCELLED,
  WSAEINVAL,
  WSAENOBUFS,
  WSANO_RECOVERY,
  WSASERVICE_NOT_FOUND,
  WSASYSCALLFAILURE,
} from '../abi/index.ts';
import { SPACE_CALL_MAX, type SpaceAnswer, type SpaceCall, type SpacePort } from '../port/index.ts';

/** Providers of one session, calls that wait for one provider, clients that it is told of. */
const ANNOUNCED_MAX = 64;
const CALLS_MAX = 256;
const CLIENTS_MAX = 4096;
const GUID = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;
const NOTHING = new Uint8Array(0);

export class SpaceBroker {
  readonly #members = new Set<Member>();
  #lastClient = 0;
  #lastCall = 0;

  /** A session's part. @param uid whose it is */
  open(uid: number): Member {
    const member = new Member(this, uid, ++this.#lastClient);
    this.#members.add(member);
    return member;
  }

  close(member: Member): void {
    this.#members.delete(member);
    for (const other of this.#members) other.clientGone(member.client);
  }

  nextCallId(): number {
    this.#lastCall = (this.#lastCall % 0x7fff_ffff) + 1;
    return this.#lastCall;
  }

  /** Whether a provider of that user has the id. */
  has(uid: number, providerId: string): boolean {
    return [...this.#members].some((member) => member.uid === uid && member.announced.has(providerId));
  }

  /** Who answers for a provider to a client of that user: one of the same user before one of user 0. */
  providerFor(uid: number, providerId: string): Member | null {
    const all = [...this.#members].filter(({ announced }) => announced.has(providerId));
    return all.find((member) => member.uid === uid) ?? all.find((member) => member.uid === 0) ?? null;
  }
}

/** A session: a client, and perhaps a provider. */
export class Member implements SpacePort {
  readonly uid: number;
  readonly client: number;
  readonly announced = new Set<string>();
  readonly #broker: SpaceBroker;
  readonly #queue: SpaceCall[] = [];
  readonly #waiting = new Map<
    number,
    { readonly providerId: string; readonly settle: (answer: SpaceAnswer) => void }
  >();
  /** Clients that have called, and are to be told of when they go. */
  readonly #clients = new Set<number>();
  #taker: ((call: SpaceCall) => void) | null = null;
  #isClosed = false;

  constructor(broker: SpaceBroker, uid: number, client: number) {
    this.#broker = broker;
    this.uid = uid;
    this.client = client;
  }

  async announce(providerId: string): Promise<number> {
    if (this.#isClosed || !GUID.test(providerId)) return WSAEINVAL;
    if (this.#broker.has(this.uid, providerId)) return WSANO_RECOVERY;
    if (this.announced.size >= ANNOUNCED_MAX) return WSAENOBUFS;
    this.announced.add(providerId);
    return 0;
  }

  async withdraw(providerId: string): Promise<number> {
    if (!this.announced.delete(providerId)) return WSAEINVAL;
    this.#fail((each) => each === providerId);
    return 0;
  }

  nextCall(signal?: AbortSignal): Promise<SpaceCall> {
    if (this.#isClosed || this.#taker !== null || signal?.aborted === true)
      return Promise.resolve(noCall(WSA_E_CANCELLED));
    const call = this.#queue.shift();
    if (call !== undefined) return Promise.resolve(call);
    return new Promise((resolve) => {
      this.#taker = resolve;
      const abort = (): void => {
        if (this.#taker === resolve) this.#taker = null;
        resolve(noCall(WSA_E_CANCELLED));
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  async answerCall(call: number, data: Uint8Array): Promise<number> {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined || data.length > SPACE_CALL_MAX) return WSAEINVAL;
    this.#waiting.delete(call);
    waiting.settle({ error: 0, data });
    return 0;
  }

  callProvider(providerId: string, data: Uint8Array, signal?: AbortSignal): Promise<SpaceAnswer> {
    const provider = this.#isClosed ? null : this.#broker.providerFor(this.uid, providerId);
    if (provider === null) return Promise.resolve(failed(WSASERVICE_NOT_FOUND));
    if (data.length > SPACE_CALL_MAX) return Promise.resolve(failed(WSAEINVAL));
    return provider.called(this.client, providerId, data, signal);
  }

  /** A client's call. */
  called(
    client: number,
    providerId: string,
    data: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SpaceAnswer> {
    const isKnown = this.#clients.has(client);
    if (this.#waiting.size >= CALLS_MAX || (!isKnown && this.#clients.size >= CLIENTS_MAX))
      return Promise.resolve(failed(WSAENOBUFS));
    this.#clients.add(client);
    return new Promise((settle) => {
      const call = this.#broker.nextCallId();
      this.#waiting.set(call, { providerId, settle });
      const abort = (): void => {
        this.#waiting.delete(call);
        settle(failed(WSA_E_CANCELLED));
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#hand({ error: 0, call, client, providerId, data });
    });
  }

  /** A client's session is over. */
  clientGone(client: number): void {
    if (!this.#clients.delete(client)) return;
    this.#hand({ error: 0, call: 0, client, providerId: '', data: NOTHING });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.announced.clear();
    this.#queue.length = 0;
    this.#fail(() => true);
    this.#taker?.(noCall(WSA_E_CANCELLED));
    this.#taker = null;
    this.#broker.close(this);
  }

  #hand(call: SpaceCall): void {
    const taker = this.#taker;
    this.#taker = null;
    if (taker === null) this.#queue.push(call);
    else taker(call);
  }

  /** Ends calls that nobody will answer. */
  #fail(isOf: (providerId: string) => boolean): void {
    for (const [call, { providerId, settle }] of [...this.#waiting]) {
      if (!isOf(providerId)) continue;
      this.#waiting.delete(call);
      settle(failed(WSASYSCALLFAILURE));
    }
  }
}

function failed(error: number): SpaceAnswer {
  return { error, data: NOTHING };
}

function noCall(error: number): SpaceCall {
  return { error, call: 0, client: 0, providerId: '', data: NOTHING };
}
