/** What forwards count. */

export interface ForwardFigures {
  bytesToHost: number;
  bytesToStack: number;
  /** Connections, or flows of datagrams: now, all in all, and those that could not be made. */
  active: number;
  total: number;
  failed: number;
  /** Why the last one failed; empty when none has. */
  lastError: string;
}

export function noFigures(): ForwardFigures {
  return { bytesToHost: 0, bytesToStack: 0, active: 0, total: 0, failed: 0, lastError: '' };
}

/** Notes one that could not be made. */
export function countFailure(figures: ForwardFigures, why: string): void {
  figures.failed++;
  figures.lastError = why;
}
