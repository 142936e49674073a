/**
 * Answers that need nobody else: of what every host knows, and of the hosts file.
 */

import type { IpAddress } from '../base/index.ts';
import { answerOf, type LookupAnswer } from './answer.ts';
import { type DnsRecord, RecordType } from './message.ts';
import { addressOfReverse } from './name.ts';

/** TTL of what this host says itself, seconds: as Windows gives what is in its hosts file. */
const LOCAL_TTL_SEC = 86_400;

export function isAddressType(type: number): boolean {
  return type === RecordType.A || type === RecordType.AAAA || type === RecordType.ANY;
}

/** Addresses as the answer to a question for them; `noData` for other types, and where there are none. */
export function addressAnswer(
  name: string,
  type: number,
  addresses: readonly IpAddress[],
  source: 'local' | 'hosts',
  canonicalName: string,
): LookupAnswer {
  const records = addresses
    .map((address): DnsRecord => {
      const recordType = address.family === 4 ? RecordType.A : RecordType.AAAA;
      return { kind: 'address', name, type: recordType, ttl: LOCAL_TTL_SEC, address };
    })
    .filter((record) => type === record.type || type === RecordType.ANY);
  return answerOf(name, records.length > 0 ? 'found' : 'noData', source, { canonicalName, records });
}

export function pointerAnswer(
  name: string,
  type: number,
  targets: readonly string[],
  source: 'local' | 'hosts',
): LookupAnswer {
  if (type !== RecordType.PTR && type !== RecordType.ANY) return answerOf(name, 'noData', source);
  const records = targets.map(
    (target): DnsRecord => ({ kind: 'name', name, type: RecordType.PTR, ttl: LOCAL_TTL_SEC, target }),
  );
  return answerOf(name, 'found', source, { records });
}

export function sameAddress(a: IpAddress, b: IpAddress | null): boolean {
  return (
    b !== null && a.family === b.family && a.w0 === b.w0 && a.w1 === b.w1 && a.w2 === b.w2 && a.w3 === b.w3
  );
}

/** The reverse of 169.254/16 or fe80::/10 belongs to the link (RFC 6762 §4). */
export function isLinkLocalReverse(name: string): boolean {
  const address = addressOfReverse(name);
  if (address === null) return false;
  return address.isLinkLocal;
}
