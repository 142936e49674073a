/**
 * The cells of the matrix: which paths, which flows, for how long.
 */

import type { FlowOptions, PathOptions } from './bottleneck.ts';

export interface Cell {
  readonly path: PathOptions;
  readonly flows: readonly FlowOptions[];
  /** What differs between the flows, in words; empty for one flow. */
  readonly note: string;
  /** Measured from here on, and until when, virtual ms. */
  readonly from: number;
  readonly end: number;
}

/** One flow: bandwidth × round trip × buffer, clean; then what loss and reordering make of it. */
export const SINGLE: readonly Cell[] = [
  ...[
    [2, 20, 1],
    [2, 100, 1],
    [2, 300, 1],
    [20, 20, 1],
    [20, 100, 0.1],
    [20, 100, 0.5],
    [20, 100, 1],
    [20, 100, 4],
    [20, 300, 1],
    [100, 20, 1],
    [100, 100, 1],
  ].map(([megabits = 0, rtt = 0, buffer = 0]) => single({ megabits, rtt, buffer })),
  ...[0.0001, 0.001, 0.01, 0.05].flatMap((loss) => [
    single({ megabits: 20, rtt: 20, buffer: 1, loss }),
    single({ megabits: 20, rtt: 100, buffer: 1, loss }),
  ]),
  ...[0.01, 0.1].flatMap((reorder) => [
    single({ megabits: 20, rtt: 20, buffer: 1, reorder }),
    single({ megabits: 20, rtt: 100, buffer: 1, reorder }),
  ]),
  single({ megabits: 20, rtt: 100, buffer: 1, loss: 0.01, reorder: 0.05 }),
];

/** Two flows that share a bottleneck, measured when both had time to find their share. */
export const SHARED: readonly Cell[] = [
  shared({ megabits: 10, rtt: 20, buffer: 1 }, 'together', [{}, {}]),
  shared({ megabits: 10, rtt: 100, buffer: 1 }, 'together', [{}, {}]),
  shared({ megabits: 10, rtt: 100, buffer: 0.25 }, 'together', [{}, {}]),
  shared({ megabits: 10, rtt: 20, buffer: 1 }, 'the second 5 s later', [{}, { start: 5000 }]),
  shared({ megabits: 10, rtt: 100, buffer: 1 }, 'the second 5 s later', [{}, { start: 5000 }]),
  shared({ megabits: 10, rtt: 20, buffer: 1 }, 'round trips of 20 and 80 ms', [{}, { rtt: 80 }]),
  shared({ megabits: 10, rtt: 40, buffer: 1, loss: 0.001 }, 'together', [{}, {}]),
  shared({ megabits: 10, rtt: 40, buffer: 1, loss: 0.01 }, 'together', [{}, {}]),
];

function single(path: PathOptions): Cell {
  // Slow start is over soon after a few dozen round trips; a fast path shows its steady state sooner.
  return { path, flows: [{}], note: '', from: 2000, end: path.megabits > 50 ? 12_000 : 22_000 };
}

function shared(path: PathOptions, note: string, flows: readonly FlowOptions[]): Cell {
  return { path, flows, note, from: 10_000, end: 30_000 };
}
