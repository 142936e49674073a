/**
 * Functions of the application that the chain thread has the calling thread run while that sleeps in a call.
 */

/** Which function. */
export const Callback = {
  /** The condition function of the WSAAccept that sleeps: `numbers` context, `first` the caller's sockaddr, `second` the callee's. */
  condition: 1,
  /** The thread's 1.1 blocking hook: answers 1 to be called again at once. */
  blockingHook: 2,
  /** A completion routine: `numbers` the operation's number, code, bytes, flags. */
  completion: 3,
  /** Certificates for a validation hook, in pieces: `numbers` which handshake. */
  sslCertificates: 4,
  /** The validation hook: `numbers` which handshake, its pointer, dwType, pvArg, dwFlags. */
  sslValidate: 5,
  /** The hook that hands in certificates: `numbers` which handshake, its pointer, dwType, pvArg, dwFlags. Answers how many bytes there are. */
  sslIdentity: 6,
  /** The next of those bytes: `numbers` which handshake, from where. They are the reply. */
  sslIdentityPart: 7,
  /** A function of a name-space provider that the thread has announced: `numbers` the provider's, which function, where its arguments lie. */
  nameSpace: 8,
} as const;
export type Callback = (typeof Callback)[keyof typeof Callback];

/** What the function is told. */
export interface CallbackMessage {
  /** A {@link Callback}. */
  readonly kind: number;
  readonly numbers: readonly number[];
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** The answer of a function that threw, or that is not there. */
export const UNDECIDED = -1;
