/**
 * WSPSelect of a layer with its own handles (CAT-LOAD-08): the sets go down with the lower sockets, and come back with the own ones.
 */

import { type fd_set, type TIMEVAL, WSAENOTSOCK } from '../abi/index.ts';
import type { OwnHandles } from './own-handles.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer } from './types.ts';

export function selectOwn(
  handles: OwnHandles,
  fallback: WSPPROC_TABLE,
  nfds: number,
  sets: readonly (fd_set | null)[],
  timeout: TIMEVAL | null,
): Answer {
  /** As they are now: a socket may be closed meanwhile, and its handle be another's. */
  const ownOf = new Map<number, number>();
  /** The same set may stand in several places (SEM-SEL-05). */
  const lowerSets = new Map<fd_set, fd_set>();
  let { WSPSelect } = fallback;
  for (const set of sets) {
    if (set === null || lowerSets.has(set)) continue;
    const lower: number[] = [];
    for (const handle of set.fd_array) {
      const socket = handles.get(handle);
      if (socket === undefined) return -WSAENOTSOCK;
      if (ownOf.size === 0) ({ WSPSelect } = socket.next);
      ownOf.set(socket.lower, handle);
      lower.push(socket.lower);
    }
    // Each place has a set of its own below: what is left may differ.
    lowerSets.set(set, { fd_array: lower });
  }
  const below = sets.map((set) => {
    const lower = set === null ? undefined : lowerSets.get(set);
    return lower === undefined ? null : { fd_array: [...lower.fd_array] };
  });
  const [reads = null, writes = null, others = null] = below;
  const finish = (answer: number): number => {
    if (answer < 0) return answer;
    for (const [i, set] of sets.entries()) {
      const left = below[i]?.fd_array ?? [];
      if (set !== null) set.fd_array = left.map((lower) => ownOf.get(lower) ?? 0);
    }
    return answer;
  };
  const answer = WSPSelect(nfds, reads, writes, others, timeout);
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}
