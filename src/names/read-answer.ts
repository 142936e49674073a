/**
 * What a server's answer says about a question, and nothing else: of all its records only those count that lie on the way from
 * the name that was asked for (RFC 5452 §6, RFC 2181 §5.4.1). The rest is neither believed nor kept.
 */

import { type DnsMessage, type DnsRecord, Rcode, RecordType } from './message.ts';
import { foldName, isWithin, sameName } from './name.ts';

/** Most aliases that are followed from one name. */
export const MAX_ALIASES = 16;

/**
 * `partial`: aliases lead to a name of which the answer says nothing: `canonicalName` has to be asked for. `lame`: the server
 * knows nothing and does not ask others, or says what can't be.
 */
export type ReadStatus = 'found' | 'noData' | 'noName' | 'partial' | 'lame';

export interface AnswerReading {
  readonly status: ReadStatus;
  /** Where the aliases end. */
  readonly canonicalName: string;
  /** Aliases in order, then the records that were asked for. */
  readonly records: readonly DnsRecord[];
  /** The SOA record that says how long there is none (RFC 2308 §3); `null` when it holds for this question alone. */
  readonly authority: DnsRecord | null;
}

/** Reads a response with rcode 0 or 3 to a question. */
export function readAnswer(message: DnsMessage, name: string, type: number): AnswerReading {
  const chain: DnsRecord[] = [];
  const visited = new Set([foldName(name)]);
  let current = name;
  for (;;) {
    const here = message.answers.filter((record) => sameName(record.name, current));
    const wanted = here.filter((record) => record.type === type || type === RecordType.ANY);
    if (wanted.length > 0) return reading('found', current, [...chain, ...wanted]);
    const alias = here.find((record) => record.type === RecordType.CNAME);
    if (alias?.kind !== 'name') break;
    chain.push(alias);
    current = alias.target;
    if (visited.has(foldName(current)) || chain.length > MAX_ALIASES) return reading('lame', current, []);
    visited.add(foldName(current));
  }
  const authority = authorityOf(message, current);
  // The code speaks of the last name of the chain (RFC 6604 §3).
  if (message.rcode === Rcode.nxDomain) return reading('noName', current, chain, authority);
  if (authority !== null) return reading('noData', current, chain, authority);
  if (chain.length > 0) return reading('partial', current, chain);
  // A referral (RFC 2308 §2.2): it names other servers, and would not ask them.
  const isReferral = message.authorities.some((record) => record.type === RecordType.NS);
  if (isReferral && !message.isAuthoritative && !message.recursionAvailable)
    return reading('lame', current, []);
  return reading('noData', current, chain);
}

/** RFC 2308 §5: for how long a negative answer holds, seconds. */
export function negativeTtl(authority: DnsRecord | null): number {
  return authority?.kind === 'authority' ? Math.min(authority.ttl, authority.soa.minimum) : 0;
}

/** The SOA of the zone that `name` lies in. */
function authorityOf(message: DnsMessage, name: string): DnsRecord | null {
  return (
    message.authorities.find((record) => record.kind === 'authority' && isWithin(name, record.name)) ?? null
  );
}

function reading(
  status: ReadStatus,
  canonicalName: string,
  records: readonly DnsRecord[],
  authority: DnsRecord | null = null,
): AnswerReading {
  return { status, canonicalName, records, authority };
}
