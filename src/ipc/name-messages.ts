/**
 * Questions about names and their answers as the bytes of REQUEST and COMPLETION: one writer and one reader for each. The layouts
 * are in `docs/ipc.md`. Readers answer `null` to what contradicts itself.
 */

import { readSockaddr, sockaddrOf } from '../abi/index.ts';
import {
  NAME_BYTES_MAX,
  NAME_TYPES_MAX,
  type NameAnswer,
  type NameQuery,
  type OfferedService,
  type OwnAddress,
  type OwnHost,
  type ResolveStatus,
  type ResourceRecord,
  SERVICE_SUBTYPES_MAX,
  SERVICE_TEXTS_MAX,
  type SpaceCall,
} from '../port/index.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';

/** In the order of their numbers on the wire. */
const STATUSES: readonly ResolveStatus[] = ['found', 'noData', 'noName', 'temporary', 'failed', 'cancelled'];
/** Of records, likewise. */
const KINDS: readonly ResourceRecord['kind'][] = [
  'address',
  'name',
  'service',
  'mail',
  'text',
  'authority',
  'other',
];
const IS_AUTHORITATIVE = 1;

/** The data of a resolve request: what of a query does not fit into the request's fields. */
export function encodeQuestion({ name, types }: NameQuery): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(types.length);
  for (const type of types) writer.u16(type);
  writer.raw(Buffer.from(name));
  return writer.bytes.slice();
}

export function decodeQuestion(bytes: Uint8Array): Pick<NameQuery, 'name' | 'types'> | null {
  const reader = new ByteReader(bytes);
  const count = reader.u16();
  if (count > NAME_TYPES_MAX) return null;
  const types: number[] = [];
  for (let i = 0; i < count; i++) types.push(reader.u16());
  if (reader.hasFailed || reader.left > NAME_BYTES_MAX) return null;
  return { name: reader.text(reader.left), types };
}

/** The data of the completion of a question. Its error is in the head. */
export function encodeAnswer(answer: NameAnswer): Uint8Array {
  const { status, origin, isAuthoritative, records, name, displayName, canonicalName } = answer;
  const writer = new ByteWriter();
  writer.u8(STATUSES.indexOf(status));
  writer.u8(origin);
  writer.u8(isAuthoritative ? IS_AUTHORITATIVE : 0);
  writer.u8(0);
  writer.u32(records.length);
  writer.text(name);
  writer.text(displayName);
  writer.text(canonicalName);
  for (const record of records) {
    writer.u16(record.type);
    writer.u16(KINDS.indexOf(record.kind) + 1);
    writer.u32(record.ttl);
    writer.text(record.name);
    writer.block(recordData(record));
  }
  return writer.bytes;
}

export function decodeAnswer(bytes: Uint8Array, error: number): NameAnswer | null {
  const reader = new ByteReader(bytes);
  const status = STATUSES[reader.u8()];
  const origin = reader.u8();
  const flags = reader.u8();
  reader.u8();
  const count = reader.u32();
  const name = reader.text();
  const displayName = reader.text();
  const canonicalName = reader.text();
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count && !reader.hasFailed; i++) {
    const type = reader.u16();
    const kind = KINDS[reader.u16() - 1];
    const ttl = reader.u32();
    const head = { name: reader.text(), type, ttl };
    const record = kind === undefined ? null : readRecord(head, kind, new ByteReader(reader.block()));
    if (record === null) return null;
    records.push(record);
  }
  if (status === undefined || !reader.isDone) return null;
  const isAuthoritative = (flags & IS_AUTHORITATIVE) !== 0;
  return { status, error, name, displayName, canonicalName, origin, isAuthoritative, records };
}

/** The data of a register request. */
export function encodeService({ instance, type, subtypes, port, texts }: OfferedService): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(port);
  writer.text(instance);
  writer.text(type);
  writer.u16(subtypes.length);
  for (const subtype of subtypes) writer.text(subtype);
  writer.u16(texts.length);
  for (const text of texts) writer.block(text);
  return writer.bytes.slice();
}

export function decodeService(bytes: Uint8Array): OfferedService | null {
  const reader = new ByteReader(bytes);
  const port = reader.u16();
  const instance = reader.text();
  const type = reader.text();
  const subtypeCount = reader.u16();
  if (subtypeCount > SERVICE_SUBTYPES_MAX) return null;
  const subtypes = Array.from({ length: subtypeCount }, () => reader.text());
  const textCount = reader.u16();
  if (textCount > SERVICE_TEXTS_MAX) return null;
  const texts = Array.from({ length: textCount }, () => reader.block());
  return reader.isDone ? { instance, type, subtypes, port, texts } : null;
}

/** The data of the completion of `host`. */
export function encodeHost({ name, domain, addresses }: OwnHost): Uint8Array {
  const writer = new ByteWriter();
  writer.text(name);
  writer.text(domain);
  writer.u16(addresses.length);
  for (const { address, interfaceIndex } of addresses) {
    writer.u32(interfaceIndex);
    writer.block(sockaddrOf(address, 0));
  }
  return writer.bytes;
}

export function decodeHost(bytes: Uint8Array): OwnHost | null {
  const reader = new ByteReader(bytes);
  const name = reader.text();
  const domain = reader.text();
  const count = reader.u16();
  const addresses: OwnAddress[] = [];
  for (let i = 0; i < count && !reader.hasFailed; i++) {
    const interfaceIndex = reader.u32();
    const sockaddr = readSockaddr(reader.block());
    if (sockaddr === null) return null;
    addresses.push({ address: sockaddr.address, interfaceIndex });
  }
  return reader.isDone ? { name, domain, addresses } : null;
}

function recordData(record: ResourceRecord): Uint8Array {
  if (record.kind === 'address') return sockaddrOf(record.address, 0);
  if (record.kind === 'other') return record.data;
  const writer = new ByteWriter();
  switch (record.kind) {
    case 'name':
      writer.text(record.target);
      break;
    case 'service':
      writer.u16(record.priority);
      writer.u16(record.weight);
      writer.u16(record.port);
      writer.text(record.target);
      break;
    case 'mail':
      writer.u16(record.preference);
      writer.text(record.exchange);
      break;
    case 'text':
      for (const text of record.texts) writer.block(text);
      break;
    case 'authority': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.soa;
      for (const number of [serial, refresh, retry, expire, minimum]) writer.u32(number);
      writer.text(mname);
      writer.text(rname);
    }
  }
  return writer.bytes;
}

function readRecord(
  head: { readonly name: string; readonly type: number; readonly ttl: number },
  kind: ResourceRecord['kind'],
  reader: ByteReader,
): ResourceRecord | null {
  const record = readData(head, kind, reader);
  return record !== null && reader.isDone ? record : null;
}

function readData(
  head: { readonly name: string; readonly type: number; readonly ttl: number },
  kind: ResourceRecord['kind'],
  reader: ByteReader,
): ResourceRecord | null {
  switch (kind) {
    case 'address': {
      const sockaddr = readSockaddr(reader.raw(reader.left));
      return sockaddr === null ? null : { ...head, kind, address: sockaddr.address };
    }
    case 'name':
      return { ...head, kind, target: reader.text() };
    case 'service': {
      const [priority, weight, port] = [reader.u16(), reader.u16(), reader.u16()];
      return { ...head, kind, priority, weight, port, target: reader.text() };
    }
    case 'mail':
      return { ...head, kind, preference: reader.u16(), exchange: reader.text() };
    case 'text': {
      const texts: Uint8Array[] = [];
      while (reader.left > 0 && !reader.hasFailed) texts.push(reader.block());
      return { ...head, kind, texts };
    }
    case 'authority': {
      const serial = reader.u32();
      const refresh = reader.u32();
      const retry = reader.u32();
      const expire = reader.u32();
      const minimum = reader.u32();
      const [mname, rname] = [reader.text(), reader.text()];
      return { ...head, kind, soa: { mname, rname, serial, refresh, retry, expire, minimum } };
    }
    case 'other':
      return { ...head, kind, data: reader.raw(reader.left) };
  }
}

/** A call to a name-space provider: the client's session, the provider's id, what the call says. */
export function encodeSpaceCall(client: number, providerId: string, data: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(client);
  writer.text(providerId);
  writer.raw(data);
  return writer.bytes.slice();
}

export function decodeSpaceCall(call: number, bytes: Uint8Array): SpaceCall | null {
  const reader = new ByteReader(bytes);
  const client = reader.u32();
  const providerId = reader.text();
  if (reader.hasFailed) return null;
  return { error: 0, call, client, providerId, data: bytes.slice(bytes.length - reader.left) };
}
