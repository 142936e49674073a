/**
 * What sessions and endpoints see of the room that they live in.
 */

import type { BufferAllocator, Scheduler } from '../base/index.ts';
import type { Stack } from '../stack/index.ts';
import type { ChangeNotices } from './change-notices.ts';
import type { Completions } from './completions.ts';
import type { AfdPolicy } from './policy.ts';
import type { PortReservations } from './port-reservations.ts';
import type { SocketView } from './views.ts';

/** An endpoint that no descriptor refers to any more, and that still has bytes to send. */
export interface Orphan {
  close(flags: number): number;
  describe(pids: readonly number[]): SocketView;
}

/** One afd's shared parts. */
export interface AfdContext {
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  /** Memory for bytes that a send buffer had no room for. */
  readonly allocator: BufferAllocator;
  readonly policy: AfdPolicy;
  readonly completions: Completions;
  readonly orphans: Set<Orphan>;
  readonly notices: ChangeNotices;
  readonly reservations: PortReservations;
}
