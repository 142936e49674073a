/**
 * What of DNS the name-space provider has to know: types of records, and records as bytes (RFC 1035 §3.3, RFC 2782), without
 * compression.
 */

import type { ResourceRecord } from '../port/index.ts';

export const RecordType = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, SRV: 33 } as const;

const encoder = new TextEncoder();

/** The data of a record as it is on the wire. */
export function recordData(record: ResourceRecord): Uint8Array {
  const bytes: number[] = [];
  const u16 = (value: number): number => bytes.push((value >>> 8) & 0xff, value & 0xff);
  const u32 = (value: number): void => {
    u16(value >>> 16);
    u16(value);
  };
  const name = (text: string): void => {
    for (const label of text === '' ? [] : text.split('.')) {
      const part = encoder.encode(label).subarray(0, 63);
      bytes.push(part.length, ...part);
    }
    bytes.push(0);
  };
  switch (record.kind) {
    case 'address': {
      const { address } = record;
      for (const word of address.family === 4
        ? [address.w3]
        : [address.w0, address.w1, address.w2, address.w3])
        u32(word);
      break;
    }
    case 'name':
      name(record.target);
      break;
    case 'service':
      for (const value of [record.priority, record.weight, record.port]) u16(value);
      name(record.target);
      break;
    case 'mail':
      u16(record.preference);
      name(record.exchange);
      break;
    case 'text':
      for (const text of record.texts) bytes.push(text.length & 0xff, ...text.subarray(0, 255));
      break;
    case 'authority': {
      const { soa } = record;
      name(soa.mname);
      name(soa.rname);
      for (const value of [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]) u32(value);
      break;
    }
    case 'other':
      return record.data.slice();
  }
  return Uint8Array.from(bytes);
}
