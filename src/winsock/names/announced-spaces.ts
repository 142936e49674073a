/**
 * The other end of `remote-space`: providers of version 2 that this process announces, and the clients of other processes that call
 * them. A client has a session, begun by its first call, and lookups of its own.
 */

import {
  querySet,
  WSA_INVALID_HANDLE,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  WSAQUERYSET2_LEN,
} from '../../abi/index.ts';
import { SPACE_CALL_MAX, type SpaceCall, type SpacePort } from '../../port/index.ts';
import { type NameSpaceLookup, RESULT_CLASS_LEN, type Ref, type StartedNameSpace } from '../../spi/index.ts';
import { decodeRequest, encodeReply, SpaceOp, type SpaceReply, type SpaceRequest } from './space-messages.ts';

/** Begins a session with a provider of this process. */
export type BeginSession = (providerId: string) => Promise<StartedNameSpace | number>;

/** A client of another process, at one provider. */
interface Session {
  readonly provider: Promise<StartedNameSpace | number>;
  readonly lookups: Map<number, NameSpaceLookup>;
  /** It has said that it is done. */
  isDone: boolean;
}

const LOOKUPS_MAX = 1024;

export class AnnouncedSpaces {
  readonly #port: SpacePort;
  readonly #begin: BeginSession;
  readonly #sessions = new Map<string, Session>();
  #lastHandle = 0;
  #isTaking = false;

  constructor(port: SpacePort, begin: BeginSession) {
    this.#port = port;
    this.#begin = begin;
  }

  /** @returns 0 or minus a WSA code */
  async announce(providerId: string): Promise<number> {
    const error = await this.#port.announce(providerId);
    if (error !== 0) return -error;
    if (!this.#isTaking) void this.#take();
    return 0;
  }

  withdraw(providerId: string): void {
    void this.#port.withdraw(providerId);
    for (const [key, session] of [...this.#sessions])
      if (key.endsWith(` ${providerId}`)) this.#drop(key, session);
  }

  /** Takes calls for as long as the session with the host lasts. */
  async #take(): Promise<void> {
    this.#isTaking = true;
    for (;;) {
      const call = await this.#port.nextCall();
      if (call.error !== 0) break;
      void this.#serve(call);
    }
    this.#isTaking = false;
  }

  async #serve({ call, client, providerId, data }: SpaceCall): Promise<void> {
    if (call === 0) {
      for (const [key, session] of [...this.#sessions])
        if (key.startsWith(`${client} `)) this.#drop(key, session);
      return;
    }
    const request = decodeRequest(data);
    const reply =
      request === null
        ? failed(WSAEINVAL)
        : await this.#answer(`${client} ${providerId}`, providerId, request);
    const bytes = encodeReply(reply);
    await this.#port.answerCall(
      call,
      bytes.length > SPACE_CALL_MAX ? encodeReply(failed(WSAENOBUFS)) : bytes,
    );
  }

  async #answer(key: string, providerId: string, request: SpaceRequest): Promise<SpaceReply> {
    const { op, flags, handle, operation } = request;
    const known = this.#sessions.get(key);
    if (op === SpaceOp.cleanup || op === SpaceOp.rundown) {
      if (known !== undefined && op === SpaceOp.cleanup) known.isDone = true;
      if (known !== undefined && op === SpaceOp.rundown) this.#drop(key, known);
      return DONE;
    }
    const session = known ?? { provider: this.#begin(providerId), lookups: new Map(), isDone: false };
    this.#sessions.set(key, session);
    const provider = await session.provider;
    if (typeof provider === 'number') {
      this.#sessions.delete(key);
      return { ...DONE, code: provider };
    }
    const set: WSAQUERYSET = { ...querySet(), ...request.set, dwSize: WSAQUERYSET_LEN };
    switch (op) {
      case SpaceOp.startup:
        return DONE;
      case SpaceOp.begin: {
        if (session.lookups.size >= LOOKUPS_MAX) return failed(WSA_NOT_ENOUGH_MEMORY);
        const lookup = await provider.begin(set, flags);
        if (typeof lookup === 'number') return { ...DONE, code: lookup };
        this.#lastHandle = (this.#lastHandle % 0x7fff_ffff) + 1;
        session.lookups.set(this.#lastHandle, lookup);
        return { ...DONE, value: this.#lastHandle };
      }
      case SpaceOp.next:
        return nextOf(session.lookups.get(handle), request);
      case SpaceOp.end: {
        const lookup = session.lookups.get(handle);
        session.lookups.delete(handle);
        return lookup === undefined ? failed(WSA_INVALID_HANDLE) : { ...DONE, code: await lookup.end() };
      }
      case SpaceOp.set:
        return { ...DONE, code: await provider.setService(set, operation, flags) };
      default:
        return failed(WSAEOPNOTSUPP);
    }
  }

  /** Ends a session, with its lookups. */
  #drop(key: string, session: Session): void {
    this.#sessions.delete(key);
    void session.provider.then(async (provider) => {
      if (typeof provider === 'number') return;
      await Promise.all([...session.lookups.values()].map((lookup) => lookup.end()));
      await provider.cleanup(!session.isDone);
    });
  }
}

const DONE: SpaceReply = { code: 0, value: 0, set: null };

function failed(error: number): SpaceReply {
  return { ...DONE, code: -error };
}

async function nextOf(
  lookup: NameSpaceLookup | undefined,
  { flags, room }: SpaceRequest,
): Promise<SpaceReply> {
  if (lookup === undefined) return failed(WSA_INVALID_HANDLE);
  // The class that a result has here is not told.
  const length: Ref = { value: room + RESULT_CLASS_LEN };
  const result = await lookup.next(flags, length);
  if (result === -WSAEFAULT) return { code: -WSAEFAULT, value: length.value - RESULT_CLASS_LEN, set: null };
  if (typeof result === 'number') return { ...DONE, code: result };
  const { lpServiceClassId: _, ...set } = result;
  return { ...DONE, set: { ...set, dwSize: WSAQUERYSET2_LEN } };
}
