/**
 * Readiness: select (SEM-SEL-*) and WSAPoll (SEM-POLL-*).
 */

import {
  BASE_PROTOCOL,
  FD_ISSET,
  type fd_set,
  type TIMEVAL,
  WSAEINVAL,
  WSAENOTSOCK,
  WSANOTINITIALISED,
} from '../abi/index.ts';
import { type Answer, isBaseProvider, type StartedProvider, type WSAPOLLFD } from '../spi/index.ts';
import { pollAsked } from './past-the-table.ts';
import type { WinsockProcess } from './process.ts';

/** What FD_ISSET is made of in C. @returns 1 when `s` is in the set, else 0 */
export function __WSAFDIsSet(s: number, fdset: fd_set): number {
  return FD_ISSET(s, fdset) ? 1 : 0;
}

export function selectCalls(process: WinsockProcess) {
  return {
    /**
     * Waits until a socket of the sets is ready, and leaves the ready ones in them.
     * @param nfds is ignored
     * @param timeout `null`: no end
     * @returns how many entries are left in all sets; 0 when the time ran out
     */
    select(
      nfds: number,
      readfds: fd_set | null,
      writefds: fd_set | null = null,
      exceptfds: fd_set | null = null,
      timeout: TIMEVAL | null = null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const provider = ownerOf(process, [readfds, writefds, exceptfds]);
      if (typeof provider === 'number') return provider;
      return provider.table.WSPSelect(nfds, readfds, writefds, exceptfds, timeout);
    },

    /**
     * Waits until one of the sockets has what it is asked for, and sets every `revents`.
     * @param timeout ms; negative: no end
     * @returns how many have any; 0 when the time ran out
     */
    WSAPoll(fdArray: WSAPOLLFD[] | null, fds: number, timeout: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return pollAsked(process, fdArray, fds, timeout);
    },
  };
}

/**
 * Who serves a select: the sockets' one provider, or, when all have real handles, the one below them all (SEM-SEL-07). Windows
 * Mobile does not mix providers at all (WM-05).
 * @returns minus a WSA code when a handle is dead, nothing is asked, or the owners cannot be mixed
 */
function ownerOf(process: WinsockProcess, sets: readonly (fd_set | null)[]): StartedProvider | number {
  let owner: StartedProvider | null = null;
  let isMixed = false;
  let areAllIfs = true;
  for (const set of sets) {
    if (set === null) continue;
    for (const handle of set.fd_array) {
      const socket = process.handles.socket(handle);
      if (socket === null) return -WSAENOTSOCK;
      const { provider } = socket;
      areAllIfs &&= provider.isIfs && !socket.isOwn;
      if (provider === owner) continue;
      isMixed ||= owner !== null && ownerId(process, provider) !== ownerId(process, owner);
      owner ??= provider;
    }
  }
  if (owner === null) return -WSAEINVAL;
  return isMixed && (!areAllIfs || process.profile === 'windows-mobile') ? -WSAEINVAL : owner;
}

/**
 * Whose sockets an entry's are. On Windows Mobile its ProviderId says it, which all entries of one provider share (WM-06). On the desktop
 * each chain has a GUID of its own (CAT-CHAIN-07), so there the layer on top says it; the base provider is one under all its names.
 */
function ownerId({ profile }: WinsockProcess, { entry }: StartedProvider): number | string {
  if (profile === 'windows-mobile') return entry.ProviderId;
  if (entry.ChainLen > BASE_PROTOCOL) return entry.ChainEntries[0] ?? entry.dwCatalogEntryId;
  return isBaseProvider(entry.ProviderId) ? 0 : entry.ProviderId;
}
