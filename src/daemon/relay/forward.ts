/** What a forward is made of, and what it answers. */

import type { IpAddress, Scheduler } from '../../base/index.ts';
import type { Stack } from '../../stack/index.ts';
import type { ForwardFigures } from './figures.ts';

/** A place in numbers. */
export interface Place {
  readonly address: IpAddress;
  readonly port: number;
}

/** One of the four kinds: TCP or UDP, from the host or from the stack. */
export interface Forward {
  readonly figures: ForwardFigures;
  /** Begins to listen. @returns the port. Rejects with a `ForwardError` */
  open(): Promise<number>;
  close(): void;
}

export interface ForwardParts {
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  readonly listen: Place;
  readonly target: Place;
}

/** Most connections, and flows of datagrams, of one forward at a time. */
export const MAX_CONNECTIONS = 4096;
export const MAX_FLOWS = 1024;
