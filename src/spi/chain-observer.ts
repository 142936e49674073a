/**
 * Who watches chains: what the trace, `doctor` and the watchdog are told about layers. Types only.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { ProviderCall, WatchedProvider } from './call-tap.ts';
import type { WSPPROC_TABLE } from './provider.ts';

/** A layer that is started in a chain, and what it has done. */
export interface LayerRecord extends WatchedProvider {
  /** By the handle that the layer above uses. */
  readonly sockets: Map<number, SocketRecord>;
}

/** What went through a layer on one socket: the calls that the layer makes itself, not those that it leaves to the one below. */
export interface SocketRecord {
  calls: number;
  /** Bytes of calls that were answered with them; those of overlapped operations that pended are not among them. */
  bytesSent: number;
  bytesReceived: number;
  /** Time in the layer and all below it, ms, without the time that it waited. */
  ms: number;
}

/** A layer did what no provider may. */
export interface LayerFault {
  readonly layer: string;
  readonly path: string;
  /** `callback`: what it has left with ws2_32, of an event, a window or a handle of its own. */
  readonly call: ProviderCall | 'WSPStartup' | 'callback';
  /** The socket that fails from now on; 0 when the call was about none. */
  readonly s: number;
  readonly kind: 'threw' | 'nonsense' | 'silent';
  /** What it threw or answered. */
  readonly detail: string;
}

/** A provider that could not be started. */
export interface ProviderFailure {
  readonly entry: WSAPROTOCOL_INFO;
  /** What the socket call answered, a WSA code. */
  readonly error: number;
  /** Why, for people. */
  readonly reason: string;
}

/** Each member is optional; none may throw. */
export interface ChainObserver {
  started?(layer: LayerRecord): void;
  failed?(failure: ProviderFailure): void;
  fault?(fault: LayerFault): void;
  /** A layer's code runs, and has come back: for a watchdog. They are nested as the layers are. */
  enter?(layer: LayerRecord, call: keyof WSPPROC_TABLE): void;
  leave?(layer: LayerRecord, call: keyof WSPPROC_TABLE): void;
  /** A call was answered. @param ms as in {@link SocketRecord} */
  called?(
    layer: LayerRecord,
    call: keyof WSPPROC_TABLE,
    args: readonly unknown[],
    answer: number,
    ms: number,
  ): void;
}
