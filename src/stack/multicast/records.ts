/**
 * Group records of IGMPv3 and MLDv2 (RFC 3376 §4.2, RFC 3810 §5.2), which are the same but for the length of an address.
 */

import type { IpAddress } from '../../base/index.ts';
import type { SourceSet } from './source-set.ts';

/** RFC 3376 §4.2.12, RFC 3810 §5.2.12. */
export const RecordType = {
  modeIsInclude: 1,
  modeIsExclude: 2,
  changeToInclude: 3,
  changeToExclude: 4,
  allowNewSources: 5,
  blockOldSources: 6,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export interface GroupRecord {
  readonly type: RecordType;
  readonly group: IpAddress;
  readonly sources: readonly IpAddress[];
}

export function makeRecord(type: RecordType, group: IpAddress, sources: SourceSet): GroupRecord {
  return { type, group, sources: [...sources.values()] };
}

/**
 * Distributes records over as many reports as it takes (RFC 3376 §4.2.16, RFC 3810 §5.2.15): a source list that is too long
 * goes on in the next, except that of an EXCLUDE record, which is cut: what it leaves out is merely not blocked.
 *
 * @param room bytes for records in one report
 * @param addressLength 4 or 16
 */
export function packRecords(
  records: readonly GroupRecord[],
  room: number,
  addressLength: number,
): GroupRecord[][] {
  const reports: GroupRecord[][] = [];
  let report: GroupRecord[] = [];
  let left = room;
  const most = Math.max(1, Math.floor((room - recordLength(0, addressLength)) / addressLength));
  for (const record of records) {
    for (const part of partsOf(record, most)) {
      const length = recordLength(part.sources.length, addressLength);
      if (length > left && report.length > 0) {
        reports.push(report);
        report = [];
        left = room;
      }
      report.push(part);
      left -= length;
    }
  }
  if (report.length > 0) reports.push(report);
  return reports;
}

/** Bytes of a record: type, auxiliary length, count, group, sources. */
export function recordLength(sources: number, addressLength: number): number {
  return 4 + addressLength + sources * addressLength;
}

function partsOf(record: GroupRecord, most: number): GroupRecord[] {
  const { type, group, sources } = record;
  if (sources.length <= most) return [record];
  if (type === RecordType.modeIsExclude || type === RecordType.changeToExclude) {
    return [{ type, group, sources: sources.slice(0, most) }];
  }
  const parts: GroupRecord[] = [];
  for (let at = 0; at < sources.length; at += most) {
    parts.push({ type, group, sources: sources.slice(at, at + most) });
  }
  return parts;
}
