/**
 * Names to addresses as `getaddrinfo` wants them: both families at once, in the order in which to try them.
 */

import { IpAddress, type IpFamily } from '../base/index.ts';
import type { AnswerSource, LookupAnswer, LookupOptions, LookupStatus } from './answer.ts';
import { type DnsRecord, RecordType, recordText } from './message.ts';
import { foldName, isHostName, readTypedName } from './name.ts';
import type { Resolver } from './resolver.ts';

export interface ResolveOptions extends LookupOptions {
  /** 0, the default: both. */
  readonly family?: IpFamily | 0;
  /** Takes no names, only text that is an address (AI_NUMERICHOST). */
  readonly isNumeric?: boolean;
  /** Asks only for families that an interface has an address of (AI_ADDRCONFIG). */
  readonly families?: { readonly hasV4: boolean; readonly hasV6: boolean };
  /** Destination address selection (RFC 6724 §6). Default: as they came, IPv6 first. */
  readonly sort?: (addresses: readonly IpAddress[]) => readonly IpAddress[];
}

export interface ResolvedAddresses {
  readonly status: LookupStatus;
  readonly canonicalName: string;
  readonly addresses: readonly IpAddress[];
  readonly source: AnswerSource;
}

/**
 * Looks up the addresses of a name, or reads an address.
 *
 * Where one family's question fails and the other's is answered, what there is counts. Never rejects.
 */
export async function resolveAddresses(
  resolver: Resolver,
  text: string,
  options: ResolveOptions = {},
): Promise<ResolvedAddresses> {
  const { family = 0, sort = (addresses) => addresses, families } = options;
  const literal = IpAddress.parse(text);
  if (literal !== null) {
    const isWanted = family === 0 || literal.family === family;
    return {
      status: isWanted ? 'found' : 'noName',
      canonicalName: text,
      addresses: isWanted ? [literal] : [],
      source: 'local',
    };
  }
  const typed = readTypedName(text);
  if (typed === null || typed.name === '' || options.isNumeric === true)
    return { status: 'noName', canonicalName: text, addresses: [], source: 'local' };
  const types = [
    ...(family !== 4 && families?.hasV6 !== false ? [RecordType.AAAA] : []),
    ...(family !== 6 && families?.hasV4 !== false ? [RecordType.A] : []),
  ];
  if (types.length === 0)
    return { status: 'noData', canonicalName: typed.name, addresses: [], source: 'local' };
  const answers = await resolver.search(
    typed,
    (name) => Promise.all(types.map((type) => resolver.query(name, type, options))),
    statusOf,
  );
  const found = answers.filter(({ status }) => status === 'found');
  const addresses = found.flatMap(({ records }) =>
    records.flatMap((record) => (record.kind === 'address' ? record.address : [])),
  );
  const first = found[0] ?? (answers[0] as LookupAnswer);
  return {
    status: statusOf(answers),
    canonicalName: first.canonicalName,
    addresses: sort(distinct(addresses)),
    source: first.source,
  };
}

/**
 * The name of an address (`getnameinfo`), or `null`. Only what may be a host's name is taken: the owner of the address writes
 * there what he likes.
 */
export async function resolveName(
  resolver: Resolver,
  address: IpAddress,
  options: LookupOptions = {},
): Promise<{
  readonly status: LookupStatus;
  readonly name: string | null;
  readonly aliases: readonly string[];
}> {
  const { status, records } = await resolver.reverse(address, options);
  const names = records.flatMap((record) =>
    record.kind === 'name' && record.type === RecordType.PTR && isHostName(record.target)
      ? record.target
      : [],
  );
  const [name = null, ...aliases] = names;
  return { status: status === 'found' && name === null ? 'noName' : status, name, aliases };
}

/** Records with those that are addresses last, in the order that `sort` gives them: what leads to them, aliases, comes first. */
export function sortAddressRecords(
  records: readonly DnsRecord[],
  sort: (addresses: readonly IpAddress[]) => readonly IpAddress[],
): DnsRecord[] {
  const places = new Map<string, DnsRecord[]>();
  const others: DnsRecord[] = [];
  const addresses: IpAddress[] = [];
  for (const record of records) {
    if (record.kind !== 'address') {
      others.push(record);
      continue;
    }
    const key = record.address.toString();
    const same = places.get(key);
    if (same === undefined) {
      places.set(key, [record]);
      addresses.push(record.address);
    } else same.push(record);
  }
  return [...others, ...sort(addresses).flatMap((address) => places.get(address.toString()) ?? [])];
}

/** Each record once: aliases come with the answer for each type. */
export function distinctRecords(records: readonly DnsRecord[]): DnsRecord[] {
  const seen = new Set<string>();
  return records.filter((record) => {
    const key = `${foldName(record.name)} ${record.type} ${recordText(record)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What the answers for several types of one name come to. */
function statusOf(answers: readonly LookupAnswer[]): LookupStatus {
  for (const status of ORDER) if (answers.some((answer) => answer.status === status)) return status;
  return 'noName';
}

function distinct(addresses: readonly IpAddress[]): IpAddress[] {
  return addresses.filter((address, i) => addresses.findIndex((other) => other.equals(address)) === i);
}

/** The first of these that occurs speaks for all. */
const ORDER: readonly LookupStatus[] = ['cancelled', 'found', 'temporary', 'failed', 'noData', 'noName'];
