/**
 * What a stream layer says about a connection: where it goes below, what is exchanged before the application's bytes, and how bytes
 * are changed on their way. Types only.
 *
 * Numbers are answers as everywhere in the SPI: 0 or more the value, below 0 minus a WSA code.
 */

import type { Answer, WSPPROC_TABLE } from '../../spi/index.ts';

/**
 * The bytes of the socket below. One read and one write at a time. Below means the next provider: another layer, or the network.
 */
export interface Pipe {
  /** Waits for bytes. @returns how many are in `into`; 0: the peer has ended; minus a WSA code */
  read(into: Uint8Array): Promise<number>;
  /** Waits until all bytes are taken; they are borrowed until then. @returns 0, or minus a WSA code */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * A connection's bytes as its application sees them. A {@link Pipe} that can be ended.
 *
 * The toolkit makes one `read` and one `write` at a time, of `CHUNK` bytes at most, and `end` after the last `write`. It reads ahead until
 * `QUEUE_LIMIT` bytes wait for the application, so a codec holds nobody back by itself. `into` and `bytes` are the codec's until it answers.
 */
export interface Codec extends Pipe {
  /** Tells the peer that no more will be sent. The socket below is shut down afterwards. @returns 0, or minus a WSA code */
  end(): Promise<number>;
  /** Lets go of everything at once; a read or write that waits answers an error. */
  destroy(): void;
}

/** What becomes of one connection. */
export interface StreamPlan {
  /** Where the socket below connects to; absent: where the application said. */
  readonly address?: Uint8Array;
  /** Makes the socket below ready to be connected. @returns minus a WSA code: it cannot be */
  prepare?(): Answer;
  /** What getpeername tells; absent: what the socket below tells. */
  readonly peer?: Uint8Array;
  /** Longest time for `open`, ms. */
  readonly limit: number;
  /** Runs once the socket below is connected. @returns the codec, or minus a WSA code for a connection that failed */
  open(pipe: Pipe): Promise<Codec | number>;
}

/** A layer over stream sockets, as it is written with this room's toolkit. */
export interface StreamRules {
  /**
   * Asked at each connect, ConnectEx included.
   * @returns the plan; `null`: the connection is not this layer's business; minus a WSA code: it fails at once
   */
  connect(s: number, name: Uint8Array): StreamPlan | null | number;
  /** Asked for each accepted connection. @returns as `connect`, whose number fails the accept */
  accept?(listener: number, s: number): StreamPlan | null | number;
  /** Whether AcceptEx on a listener, too, asks `accept`; otherwise it is the provider's below. */
  keepsAccepted?(listener: number): boolean;
  /** A socket that was kept has no connection any more and may get another (TF_REUSE_SOCKET). */
  renewed?(s: number): void;
  /** A socket is gone. */
  closed?(s: number): void;
}

/** Makes the calls of a stream layer. `takeOver` gives a connected socket a codec later on. */
export interface StreamLayer {
  readonly table: Partial<WSPPROC_TABLE>;
  /**
   * Puts a codec over a connection that was plain so far.
   * @returns 0 when it is open; minus WSAEWOULDBLOCK where that goes on; minus the code that it failed with
   */
  takeOver(s: number, plan: StreamPlan): Promise<number> | number;
  /** How `takeOver` or an accept's `open` ended: 0, minus a code; minus WSAEINPROGRESS while it goes on; `null`: none was begun. */
  outcome(s: number): number | null;
}
