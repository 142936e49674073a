/**
 * How a process's calls reach whoever watches it: what is wanted goes to the process, reports come back. Types and their numbers; how
 * reports look on the wire is ipc's (docs/ipc.md, "Watching").
 */

import type { PeerIdentity } from './afd-port.ts';

/** What is wanted of a process, as bits. */
export const Watch = {
  nothing: 0,
  /** Every call, with its arguments. */
  calls: 1,
  /** What goes through each layer, by socket. */
  figures: 2,
} as const;

/** A value as it is shown: a number or text, or a structure of them. */
export type WatchValue = null | boolean | number | string | WatchList | WatchValues;
export type WatchList = readonly WatchValue[];
export interface WatchValues {
  readonly [name: string]: WatchValue;
}

/**
 * What a report tells of a call: `call`, it was made and is answered; `begin`, it is not answered yet; `end`, one that had begun is
 * answered; `done`, the overlapped operation that it began is done.
 */
export const CALL_EVENTS = ['call', 'begin', 'end', 'done'] as const;
export type CallEvent = (typeof CALL_EVENTS)[number];

/** A call of a provider in a chain. */
export interface CallRecord {
  /** When the call was made, or for `end` and `done` ended: ms since 1970, with fractions. */
  readonly time: number;
  /** Counts the calls of the process: `begin`, `end` and `done` of one call have the same. */
  readonly n: number;
  readonly event: CallEvent;
  /** How many layers stand above; the provider's name, and the chain that it was called in. */
  readonly depth: number;
  readonly layer: string;
  readonly chain: string;
  readonly call: string;
  /** The socket that it is about, or has made; 0: none. */
  readonly s: number;
  /** Arguments by name, as they were when the call was made. */
  readonly args?: WatchValues;
  /** What it answered, or the name of its error; neither of `begin`. */
  readonly result?: number;
  readonly error?: string;
  /** What it wrote. */
  readonly out?: WatchValues;
  /** µs from the call to this; absent of `begin`. */
  readonly us?: number;
}

/** What went through a provider on one socket while somebody wanted to know. */
export interface ChainFigures {
  readonly s: number;
  /** The catalog entry that the socket was made from. */
  readonly protocol: string;
  readonly depth: number;
  readonly layer: string;
  readonly calls: number;
  /** Calls and operations that failed. */
  readonly errors: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** µs until the calls were answered, waiting included; and until they returned. Both with all that is below. */
  readonly us: number;
  readonly busyUs: number;
}

/** What a process tells at a time. */
export type WatchReport =
  | {
      readonly kind: 'calls';
      /** How many are missing before these: the process made them faster than they could be told. */
      readonly lost: number;
      readonly calls: readonly CallRecord[];
    }
  | {
      readonly kind: 'figures';
      /** Of all sockets, from when they were wanted until now. */
      readonly rows: readonly ChainFigures[];
      /** Sockets and layers that had no room. */
      readonly omitted: number;
      /** They are not wanted any more: these are the last. */
      readonly isLast: boolean;
    };

/** A process's side. */
export interface WatchPort {
  /** Told what is wanted from now on, as bits of {@link Watch}, whenever that changes; at once when something is already. */
  onWanted: ((what: number) => void) | null;
  /** Hands a report over. Settles when it was taken, and the next one can be; `false`: nobody takes any. */
  report(bytes: Uint8Array): Promise<boolean>;
}

/** A client that can be watched, for the other side. */
export interface WatchedClient {
  readonly identity: PeerIdentity;
  /** What it calls itself; its own claim. */
  readonly name: string;
  want(what: number): void;
}

/** Takes the reports of one client. */
export interface WatchSession {
  /**
   * Takes a report, as it came over the wire.
   * @returns 0, or the WSA code that it is refused with; settles when the next one may come. Its bytes are borrowed until it returns
   */
  report(bytes: Uint8Array): Promise<number>;
  close(): void;
}
