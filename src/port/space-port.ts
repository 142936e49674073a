/**
 * SpacePort: how lookups reach a name-space provider of version 2 that runs in a process of its own (NSP2-Advertise). A part of a
 * session with the host's names; types only.
 *
 * A provider announces itself, takes calls and answers them. What is in a call is the affair of the two ws2_32 at its ends. Whoever is
 * of the same user as the provider reaches it, and a provider of user 0 is reached by all: nobody's names are answered by strangers.
 */

/** Most bytes of a call or an answer. */
export const SPACE_CALL_MAX = 1 << 16;

/** A call of a client's. */
export interface SpaceCall {
  /** 0; WSA_E_CANCELLED when the session is over, or why there is no call. */
  readonly error: number;
  /** What the answer goes to; 0: the client has gone, and there is nothing to answer. */
  readonly call: number;
  /** Which client: a number of its session. */
  readonly client: number;
  readonly providerId: string;
  readonly data: Uint8Array;
}

/** What a call came to. */
export interface SpaceAnswer {
  /** 0; WSASERVICE_NOT_FOUND: nobody has announced that provider; WSASYSCALLFAILURE: it has gone; WSAENOBUFS: too many wait. */
  readonly error: number;
  readonly data: Uint8Array;
}

export interface SpacePort {
  /** @returns 0; WSANO_RECOVERY when a provider of this user has that id already, WSAENOBUFS, WSAEINVAL */
  announce(providerId: string): Promise<number>;
  /** @returns 0, or WSAEINVAL when this session has announced no such provider */
  withdraw(providerId: string): Promise<number>;
  /** The next call for a provider of this session. One waits at a time. */
  nextCall(signal?: AbortSignal): Promise<SpaceCall>;
  /** @returns 0, or WSAEINVAL for a call that is none any more */
  answerCall(call: number, data: Uint8Array): Promise<number>;
  /** Makes a call. */
  callProvider(providerId: string, data: Uint8Array, signal?: AbortSignal): Promise<SpaceAnswer>;
}
