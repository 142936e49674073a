/** IGMP for tests: queries and reports as bytes, and what was sent as one line of text a record. */

import { formatV4, fromHex, i32, putI32, putU16 } from '../../src/base/index.ts';
import {
  DropReason,
  hasRouterAlert,
  IGMP_HEADER_LEN,
  IGMPV3_QUERY_LEN,
  IgmpHeader,
  IgmpRecord,
  IgmpType,
  IPPROTO_IGMP,
  Ipv4Header,
  parseIgmp,
  parseIpv4,
  readIgmpRecord,
  sealIgmp,
  writeIgmp,
} from '../../src/wire/index.ts';
import { ipv4Packet, type PacketFields, PEER, v4 } from './segment.ts';

const ROUTER_ALERT = fromHex('94040000');

export interface QueryFields extends PacketFields {
  /** Default 3. */
  readonly version?: 1 | 2 | 3;
  /** Default: a general query. */
  readonly group?: string;
  readonly sources?: readonly string[];
  /** The code; default 100, which is 10 s. */
  readonly maxResponse?: number;
  readonly robustness?: number;
  readonly interval?: number;
  /** Default true. */
  readonly hasAlert?: boolean;
}

/** A query from 10.0.0.1, as a good router sends it. */
export function igmpQuery(fields: QueryFields = {}): Uint8Array {
  const { version = 3, group, sources = [], maxResponse = 100, hasAlert = version > 1 } = fields;
  const groupWord = group === undefined ? 0 : v4(group);
  const length = version === 3 ? IGMPV3_QUERY_LEN + 4 * sources.length : IGMP_HEADER_LEN;
  const message = new Uint8Array(length);
  writeIgmp(message, 0, IgmpType.query, version === 1 ? 0 : maxResponse, groupWord);
  if (version === 3) {
    message[8] = fields.robustness ?? 2;
    message[9] = fields.interval ?? 125;
    putU16(message, 10, sources.length);
    for (const [i, source] of sources.entries()) putI32(message, IGMPV3_QUERY_LEN + 4 * i, v4(source));
  }
  sealIgmp(message, 0, length);
  return ipv4Packet(IPPROTO_IGMP, message, {
    ttl: 1,
    dst: group ?? '224.0.0.1',
    ...(hasAlert ? { ipOptions: ROUTER_ALERT } : {}),
    ...fields,
  });
}

/** Another host's report of version 1 or 2. */
export function igmpReport(group: string, version: 1 | 2 = 2, src = PEER): Uint8Array {
  const message = new Uint8Array(IGMP_HEADER_LEN);
  writeIgmp(message, 0, version === 1 ? IgmpType.reportV1 : IgmpType.reportV2, 0, v4(group));
  return ipv4Packet(IPPROTO_IGMP, message, { ttl: 1, src, dst: group, ipOptions: ROUTER_ALERT });
}

const RECORDS = ['', 'IS_IN', 'IS_EX', 'TO_IN', 'TO_EX', 'ALLOW', 'BLOCK'] as const;

/**
 * A report of ours in words: `TO_EX 239.1.1.1 {10.0.0.9}` for each record of version 3, `v2 report 239.1.1.1`,
 * `leave 239.1.1.1`. @throws {Error} when it is not as every report must be (RFC 3376 §4, RFC 2236 §2)
 */
export function readReport(packet: Uint8Array): string[] {
  const ip = new Ipv4Header();
  const igmp = new IgmpHeader();
  must(parseIpv4(packet, 0, packet.length, ip) === DropReason.none, 'IPv4');
  must(ip.protocol === IPPROTO_IGMP && ip.ttl === 1, 'protocol or TTL');
  must(hasRouterAlert(packet, ip.headerAt, ip.payloadAt) && ip.trafficClass === 0xc0, 'alert or class');
  must(parseIgmp(packet, ip.payloadAt, ip.end, igmp) === DropReason.none, 'IGMP');
  const group = formatV4(igmp.group);
  const dst = formatV4(ip.dst);
  switch (igmp.type) {
    case IgmpType.reportV3:
      must(dst === '224.0.0.22', dst);
      return readRecords(packet, igmp);
    case IgmpType.leave:
      must(dst === '224.0.0.2', dst);
      return [`leave ${group}`];
    default:
      must(dst === group, dst);
      return [`v${igmp.version} report ${group}`];
  }
}

function readRecords(packet: Uint8Array, igmp: IgmpHeader): string[] {
  const record = new IgmpRecord();
  const lines: string[] = [];
  let at = igmp.listAt;
  for (let i = 0; i < igmp.count; i++) {
    at = readIgmpRecord(packet, at, igmp.end, record);
    const sources = Array.from({ length: record.sourceCount }, (_, n) =>
      formatV4(i32(packet, record.sourcesAt + 4 * n)),
    );
    lines.push(`${RECORDS[record.type] ?? '?'} ${formatV4(record.group)} {${sources.join(' ')}}`);
  }
  must(at === igmp.end, 'bytes behind the records');
  return lines;
}

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not a report as it must be: ${what}`);
}
