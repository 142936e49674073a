/**
 * A stream socket as its parts see it: what sending, receiving and closing share.
 */

import type { TcpEndpoint } from '../stack/index.ts';
import type { AfdContext, Orphan } from './context.ts';
import type { NetworkEvents } from './events.ts';
import type { RequestQueue } from './request.ts';
import type { SocketOptions } from './socket-options.ts';
import type { SocketState } from './socket-state.ts';

/** The socket that a part belongs to. */
export interface StreamHost extends Orphan {
  readonly context: AfdContext;
  readonly endpoint: TcpEndpoint;
  readonly options: SocketOptions;
  readonly events: NetworkEvents;
  readonly receives: RequestQueue;
  readonly sends: RequestQueue;
  /** Accepts, a connect, a lingering close. */
  readonly others: RequestQueue;
  readonly state: SocketState;
  readonly isNonBlocking: boolean;
  readonly isPeerClosed: boolean;
  readonly isReceiveShut: boolean;
  isSendShut: boolean;
  readonly isClosed: boolean;
  /** Bytes not acknowledged, and bytes not yet in the send buffer. */
  readonly sendQueue: number;
  /** Whether a request with these flags may pend. */
  mayWait(flags: number): boolean;
  /** Code of a call on a broken connection. */
  takeBrokenError(): number;
  /** FIN behind what is to be sent. */
  finishSending(): void;
  /** Ends the connection and lets go of it. */
  end(isAbortive: boolean): void;
  /** Something changed outside of any call into the room. */
  settled(): void;
}
