/**
 * DNS records of any type, for the provider `Tcpip`: one result a record, with its data as a blob; of SRV records the services,
 * with where to connect to.
 */

import { type CSADDR_INFO, NS_DNS, querySet, WSANO_DATA, type WSAQUERYSET } from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import type { NameAnswer, ResourceRecord } from '../port/index.ts';
import { RecordType, recordData } from './dns-names.ts';
import { endOf, optionsOf, type Question } from './host-lookup.ts';
import type { Found } from './name-lookup.ts';
import { TCPIP_NAME_SPACE_ID } from './name-space-ids.ts';

/** Most records that become results. */
const RECORDS_MAX = 256;
/** Most hosts of a service whose addresses are asked for. */
const TARGETS_MAX = 16;

/** Records of `rrType` of a name. */
export async function findRecords(
  question: Question,
  name: string,
  rrType: number,
  signal: AbortSignal,
): Promise<Found> {
  const { names, flags, restrictions } = question;
  const answer = await names.resolve({ name, types: [rrType], ...optionsOf(flags) }, signal);
  if (answer.status !== 'found') return -(answer.error === 0 ? WSANO_DATA : answer.error);
  const records = answer.records.filter(({ type }) => type === rrType).slice(0, RECORDS_MAX);
  const results: WSAQUERYSET[] = [];
  for (const record of byPriority(records)) {
    const ends = record.kind === 'service' ? await endsOf(question, record, results.length, signal) : [];
    results.push(
      querySet({
        lpszServiceInstanceName: nameIn(record),
        lpServiceClassId: restrictions.lpServiceClassId,
        dwNameSpace: NS_DNS,
        lpNSProviderId: TCPIP_NAME_SPACE_ID,
        lpszQueryString: record.name,
        dwNumberOfCsAddrs: ends.length,
        lpcsaBuffer: ends.length === 0 ? null : ends,
        lpBlob: recordData(record),
      }),
    );
  }
  return results;
}

/** RFC 2782: the lowest priority first, of one priority the heaviest; of mail servers the most preferred. */
function byPriority(records: readonly ResourceRecord[]): ResourceRecord[] {
  const rank = (record: ResourceRecord): number => {
    if (record.kind === 'service') return record.priority * 0x1_0000 + (0xffff - record.weight);
    return record.kind === 'mail' ? record.preference : 0;
  };
  return [...records].sort((a, b) => rank(a) - rank(b));
}

/** The name that a record leads to, or its own. */
function nameIn(record: ResourceRecord): string {
  switch (record.kind) {
    case 'name':
    case 'service':
      return record.target;
    case 'mail':
      return record.exchange;
    default:
      return record.name;
  }
}

async function endsOf(
  { names, flags, restrictions }: Question,
  record: ResourceRecord & { readonly kind: 'service' },
  index: number,
  signal: AbortSignal,
): Promise<CSADDR_INFO[]> {
  if (index >= TARGETS_MAX || signal.aborted) return [];
  const answer = await names.resolve(
    { name: `${record.target}.`, types: [RecordType.AAAA, RecordType.A], ...optionsOf(flags) },
    signal,
  );
  const protocol = /(^|\.)_udp\./i.test(restrictions.lpszServiceInstanceName ?? '') ? 'udp' : 'tcp';
  return addressesIn(answer).map((address) => endOf(address, record.port, protocol));
}

function addressesIn({ records }: NameAnswer): IpAddress[] {
  return records.flatMap((record) => (record.kind === 'address' ? record.address : []));
}
