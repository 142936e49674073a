/**
 * What a lookup comes to, and what Winsock calls it.
 */

import {
  WSA_E_CANCELLED,
  WSAHOST_NOT_FOUND,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSATRY_AGAIN,
} from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import type { CacheEntry } from './cache.ts';
import type { DnsRecord } from './message.ts';

/**
 * `temporary`: nobody answered, or nobody could say now; `failed`: the question can't be asked, such as of what is no name.
 */
export type LookupStatus = 'found' | 'noData' | 'noName' | 'temporary' | 'failed' | 'cancelled';

/** Where an answer comes from. `local`: what every host knows, such as `localhost` and itself. */
export type AnswerSource = 'local' | 'hosts' | 'cache' | 'dns' | 'mdns' | 'llmnr';

export interface LookupAnswer {
  readonly status: LookupStatus;
  /** The full name that was asked for. */
  readonly name: string;
  /** Where its aliases end. */
  readonly canonicalName: string;
  /** Aliases in order, then what was asked for; of a negative answer only the aliases. */
  readonly records: readonly DnsRecord[];
  readonly source: AnswerSource;
  /** Who said so, where it was asked just now. */
  readonly server: IpAddress | null;
  readonly isAuthoritative: boolean;
  /** The SOA record of a negative answer. */
  readonly authority: DnsRecord | null;
}

/** Parameters that most lookups leave out. */
export interface LookupOptions {
  /** Ends it; the answer is then `cancelled`. */
  readonly signal?: AbortSignal;
  /** Doesn't look into the cache; the answer still goes there. */
  readonly bypassCache?: boolean;
  /** Who may answer, `NameOrigin` bits. Default all. */
  readonly origins?: number;
}

export function answerOf(
  name: string,
  status: LookupStatus,
  source: AnswerSource,
  parts: Partial<LookupAnswer> = {},
): LookupAnswer {
  return {
    status,
    name,
    canonicalName: name,
    records: [],
    source,
    server: null,
    isAuthoritative: false,
    authority: null,
    ...parts,
  };
}

/** An answer out of the cache. */
export function answerOfEntry({ name, status, canonicalName, records }: CacheEntry): LookupAnswer {
  const authority = status === 'found' ? undefined : records.find(({ kind }) => kind === 'authority');
  return answerOf(name, status === 'failure' ? 'temporary' : status, 'cache', {
    canonicalName,
    records: authority === undefined ? records : records.filter((record) => record !== authority),
    authority: authority ?? null,
  });
}

/** The Winsock code of a status, 0 for `found` (API-gethostbyname, SEM-GAI-03). */
export function winsockErrorOf(status: LookupStatus): number {
  return ERRORS[status];
}

const ERRORS: Readonly<Record<LookupStatus, number>> = {
  found: 0,
  noName: WSAHOST_NOT_FOUND,
  noData: WSANO_DATA,
  temporary: WSATRY_AGAIN,
  failed: WSANO_RECOVERY,
  cancelled: WSA_E_CANCELLED,
};
