/**
 * One application's session with its host's names: questions checked, bounded in time, cancelled with the session.
 */

import {
  WSA_E_CANCELLED,
  WSAEACCES,
  WSAEINVAL,
  WSAENOBUFS,
  WSAETIMEDOUT,
  WSASERVICE_NOT_FOUND,
} from '../abi/index.ts';
import type { IpAddress, Scheduler } from '../base/index.ts';
import {
  displayName,
  Gate,
  isHostName,
  isServiceOffer,
  type LookupAnswer,
  RecordType,
  type RegisteredService,
  type Resolver,
  readTypedName,
  reverseName,
  type TypedName,
  winsockErrorOf,
} from '../names/index.ts';
import {
  NAME_BYTES_MAX,
  NAME_TYPES_MAX,
  type NameAnswer,
  NameFlag,
  NameOrigin,
  type NamePort,
  type NameQuery,
  type NameQueryOptions,
  noAnswer,
  type OfferedService,
  type OwnHost,
  type RegisterAnswer,
} from '../port/index.ts';
import type { NameLookup, NameLookupRequest } from './lookup.ts';
import type { Member } from './space-broker.ts';

/** The host whose names are asked for. */
export interface AskedHost {
  readonly resolver: Resolver;
  readonly scheduler: Scheduler;
  describe(): OwnHost;
  /** @returns a service that is offered from now on, or the code why it can't be */
  offer(service: OfferedService): RegisteredService | number;
  lookup(request: NameLookupRequest): Promise<NameLookup>;
  /** @returns 0 or the code why it can't be called that */
  rename(name: string): number;
}

/** Questions of one application at once: it is not to keep all others waiting. */
const MAX_QUESTIONS = 64;
/** Services of one application. */
const MAX_SERVICES = 64;

export class NameSession implements NamePort {
  readonly #host: AskedHost;
  readonly spaces: Member;
  readonly #mayRename: boolean;
  readonly #onClosed: () => void;
  readonly #services = new Map<number, RegisteredService>();
  readonly #gate = new Gate(MAX_QUESTIONS);
  #lastId = 0;
  /** Questions under way: they end with the session. */
  readonly #asking = new Set<AbortController>();
  #isClosed = false;

  constructor(host: AskedHost, mayRename: boolean, spaces: Member, onClosed: () => void) {
    this.#host = host;
    this.spaces = spaces;
    this.#mayRename = mayRename;
    this.#onClosed = onClosed;
  }

  resolve(query: NameQuery, signal?: AbortSignal): Promise<NameAnswer> {
    const { name, flags = 0 } = query;
    if (name.length > NAME_BYTES_MAX || !areTypes(query.types))
      return Promise.resolve(noAnswer(name, WSAEINVAL));
    const typed = readTypedName(name, true);
    if (typed === null) return Promise.resolve(noAnswer(name));
    const isFull = (flags & NameFlag.full) !== 0;
    const types = this.#configured(query.types, flags);
    if (types.length === 0)
      return Promise.resolve({ ...noAnswer(name, winsockErrorOf('noData'), 'noData'), name: typed.name });
    return this.#ask(isFull ? { ...typed, isAbsolute: true } : typed, types, query, signal);
  }

  async reverse(
    address: IpAddress,
    options: NameQueryOptions = {},
    signal?: AbortSignal,
  ): Promise<NameAnswer> {
    const typed = { name: reverseName(address), isAbsolute: true };
    const answer = await this.#ask(typed, [RecordType.PTR], options, signal);
    if (answer.status !== 'found') return answer;
    // The owner of an address writes there what he likes: only what may be a host's name is taken.
    const isTaken = (record: NameAnswer['records'][number]): boolean =>
      record.kind !== 'name' || record.type !== RecordType.PTR || isHostName(record.target);
    const records = answer.records.filter(isTaken);
    if (records.some(({ type }) => type === RecordType.PTR)) return { ...answer, records };
    return { ...answer, records, status: 'noName', error: winsockErrorOf('noName') };
  }

  host(): Promise<OwnHost | null> {
    return Promise.resolve(this.#isClosed ? null : this.#host.describe());
  }

  async register(service: OfferedService, signal?: AbortSignal): Promise<RegisterAnswer> {
    const refused = (error: number): RegisterAnswer => ({ error, id: 0, instance: service.instance });
    if (!isServiceOffer(service)) return refused(WSAEINVAL);
    if (this.#isClosed || signal?.aborted === true) return refused(WSA_E_CANCELLED);
    if (this.#services.size >= MAX_SERVICES) return refused(WSAENOBUFS);
    const offered = this.#host.offer(service);
    if (typeof offered === 'number') return refused(offered);
    const id = ++this.#lastId;
    this.#services.set(id, offered);
    // Withdrawn, it is established at once: it has nothing more to wait for.
    const onAbort = (): void => {
      this.#withdraw(id);
    };
    signal?.addEventListener('abort', onAbort);
    await offered.established;
    signal?.removeEventListener('abort', onAbort);
    return this.#services.has(id) ? { error: 0, id, instance: offered.instance } : refused(WSA_E_CANCELLED);
  }

  deregister(id: number): Promise<number> {
    return Promise.resolve(this.#withdraw(id) ? 0 : WSASERVICE_NOT_FOUND);
  }

  rename(name: string): Promise<number> {
    if (this.#isClosed) return Promise.resolve(WSA_E_CANCELLED);
    return Promise.resolve(this.#mayRename ? this.#host.rename(name) : WSAEACCES);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const abort of this.#asking) abort.abort();
    this.spaces.close();
    for (const id of [...this.#services.keys()]) this.#withdraw(id);
    this.#onClosed();
  }

  #withdraw(id: number): boolean {
    const service = this.#services.get(id);
    this.#services.delete(id);
    service?.withdraw();
    return service !== undefined;
  }

  /** Those of the types that are to be asked for. */
  #configured(types: readonly number[], flags: number): readonly number[] {
    if ((flags & NameFlag.addressConfig) === 0) return types;
    const { addresses } = this.#host.describe();
    const has = (family: number): boolean => addresses.some(({ address }) => address.family === family);
    return types.filter((type) => (type !== RecordType.A || has(4)) && (type !== RecordType.AAAA || has(6)));
  }

  async #ask(
    typed: TypedName,
    types: readonly number[],
    { origins = NameOrigin.all, timeoutMs = 0 }: NameQueryOptions,
    outer: AbortSignal | undefined,
  ): Promise<NameAnswer> {
    const { resolver, scheduler } = this.#host;
    const abort = new AbortController();
    const onAbort = (): void => abort.abort();
    if (this.#isClosed || outer?.aborted === true) return noAnswer(typed.name, WSA_E_CANCELLED, 'cancelled');
    this.#asking.add(abort);
    outer?.addEventListener('abort', onAbort);
    let isLate = false;
    const cancelTimer =
      timeoutMs > 0
        ? scheduler.after(timeoutMs, () => {
            isLate = true;
            abort.abort();
          })
        : null;
    const options = { signal: abort.signal, origins };
    const looked = (await this.#gate.enter(abort.signal))
      ? await this.#host
          .lookup({ typed, types, origins, ask: (name, type) => resolver.query(name, type, options) })
          .finally(() => this.#gate.leave())
      : null;
    cancelTimer?.();
    outer?.removeEventListener('abort', onAbort);
    this.#asking.delete(abort);
    const answer =
      looked === null
        ? noAnswer(typed.name, WSA_E_CANCELLED, 'cancelled')
        : answerOf(looked.best, looked.records);
    return isLate && answer.status === 'cancelled'
      ? { ...answer, status: 'temporary', error: WSAETIMEDOUT }
      : answer;
  }
}

function answerOf(best: LookupAnswer, records: NameAnswer['records']): NameAnswer {
  const { status, name, canonicalName, source, isAuthoritative } = best;
  return {
    status,
    error: winsockErrorOf(status),
    name,
    displayName: displayName(name),
    canonicalName,
    origin: NameOrigin[source],
    isAuthoritative,
    records,
  };
}

/** Transfers, and what has a meaning only in a message's other parts, are no types to ask for. */
function areTypes(types: readonly number[]): boolean {
  const isType = (type: number): boolean =>
    Number.isInteger(type) &&
    type > 0 &&
    type <= 0xffff &&
    type !== OPT &&
    (type < FIRST_META || type >= RecordType.ANY);
  return types.length > 0 && types.length <= NAME_TYPES_MAX && types.every(isType);
}

const OPT = 41;
/** TKEY, TSIG, IXFR, AXFR and the like; ANY ends them. */
const FIRST_META = 249;
