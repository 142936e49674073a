/**
 * The parts of a catalog as JSON values: one writer and one reader for each. Files, IPC messages and the control API carry these.
 */

import {
  GUID_LEN,
  MAX_PATH,
  MAX_PROTOCOL_CHAIN,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_LEN,
} from '../abi/index.ts';
import { toHex } from '../base/index.ts';
import type {
  ApplicationEntry,
  CatalogEntry,
  NameSpaceEntry,
  ProtocolTriple,
  QosTemplate,
} from '../port/index.ts';
import { FLOWSPEC_DWORDS, MAX_PERMITTED } from './application-changes.ts';
import type { CheckedReader } from './checked.ts';
import { guidText, kept } from './entry-rules.ts';
import { DWORD_MAX, INT_MAX, MAX_BLOB, MAX_COMMAND } from './state.ts';

/** What `JSON.stringify` takes. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

export function writeInfo(info: WSAPROTOCOL_INFO): Json {
  return { ...kept(info, info.ProviderId, info.dwCatalogEntryId) };
}

export function readInfo(reader: CheckedReader, value: unknown, where: string): WSAPROTOCOL_INFO {
  const object = reader.object(value, where);
  const int = (member: string): number =>
    reader.int(object[member], `${where}.${member}`, -INT_MAX - 1, INT_MAX);
  const dword = (member: string): number => reader.int(object[member], `${where}.${member}`, 0, DWORD_MAX);
  const chain = reader.list(object['ChainEntries'], `${where}.ChainEntries`, MAX_PROTOCOL_CHAIN);
  const ChainLen = reader.int(object['ChainLen'], `${where}.ChainLen`, 0, MAX_PROTOCOL_CHAIN);
  if (ChainLen > 1 && chain.length !== ChainLen) {
    reader.problem ??= `${where}.ChainEntries is not as long as ChainLen says`;
  }
  return {
    dwServiceFlags1: dword('dwServiceFlags1'),
    dwServiceFlags2: dword('dwServiceFlags2'),
    dwServiceFlags3: dword('dwServiceFlags3'),
    dwServiceFlags4: dword('dwServiceFlags4'),
    dwProviderFlags: dword('dwProviderFlags'),
    ProviderId: readGuid(reader, object['ProviderId'], `${where}.ProviderId`),
    dwCatalogEntryId: dword('dwCatalogEntryId'),
    ChainLen,
    ChainEntries: chain.map((id) => reader.int(id, `${where}.ChainEntries`, 0, DWORD_MAX)),
    iVersion: int('iVersion'),
    iAddressFamily: int('iAddressFamily'),
    iMaxSockAddr: int('iMaxSockAddr'),
    iMinSockAddr: int('iMinSockAddr'),
    iSocketType: int('iSocketType'),
    iProtocol: int('iProtocol'),
    iProtocolMaxOffset: int('iProtocolMaxOffset'),
    iNetworkByteOrder: int('iNetworkByteOrder'),
    iSecurityScheme: int('iSecurityScheme'),
    dwMessageSize: dword('dwMessageSize'),
    dwProviderReserved: dword('dwProviderReserved'),
    szProtocol: reader.text(object['szProtocol'], `${where}.szProtocol`, WSAPROTOCOL_LEN),
  };
}

export function writeEntry({ info, path }: CatalogEntry): Json {
  return { path, info: writeInfo(info) };
}

export function readEntry(reader: CheckedReader, value: unknown, where: string): CatalogEntry {
  const object = reader.object(value, where);
  return {
    info: readInfo(reader, object['info'], `${where}.info`),
    path: readPath(reader, object['path'], `${where}.path`),
  };
}

export function writeNameSpace(space: NameSpaceEntry): Json {
  return { ...space, blob: hexOf(space.blob) };
}

export function readNameSpace(reader: CheckedReader, value: unknown, where: string): NameSpaceEntry {
  const object = reader.object(value, where);
  return {
    providerId: readGuid(reader, object['providerId'], `${where}.providerId`),
    identifier: reader.text(object['identifier'], `${where}.identifier`, WSAPROTOCOL_LEN),
    dwNameSpace: reader.int(object['dwNameSpace'], `${where}.dwNameSpace`, 0, DWORD_MAX),
    version: reader.int(object['version'], `${where}.version`, 0, DWORD_MAX),
    isActive: reader.flag(object['isActive'], `${where}.isActive`),
    isV2: reader.flag(object['isV2'], `${where}.isV2`),
    path: readPath(reader, object['path'], `${where}.path`),
    blob: reader.optional(object['blob'], (blob) => reader.bytes(blob, `${where}.blob`, MAX_BLOB)),
  };
}

export function writeApplication(application: ApplicationEntry): Json {
  return { ...application };
}

export function readApplication(reader: CheckedReader, value: unknown, where: string): ApplicationEntry {
  const object = reader.object(value, where);
  return {
    path: reader.text(object['path'], `${where}.path`, MAX_COMMAND),
    extra: reader.text(object['extra'], `${where}.extra`, MAX_COMMAND),
    permittedLspCategories: reader.optional(object['permittedLspCategories'], (flags) =>
      reader.int(flags, `${where}.permittedLspCategories`, 0, DWORD_MAX),
    ),
    permittedProviders: reader.optional(object['permittedProviders'], (list) =>
      readGuids(reader, list, `${where}.permittedProviders`, MAX_PERMITTED),
    ),
  };
}

export function writeTemplate({ name, providerSpecific, ...template }: QosTemplate): Json {
  return { ...template, name: toHex(name), providerSpecific: hexOf(providerSpecific) };
}

export function readTemplate(reader: CheckedReader, value: unknown, where: string): QosTemplate {
  const object = reader.object(value, where);
  const flow = (member: string): number[] =>
    reader
      .list(object[member], `${where}.${member}`, FLOWSPEC_DWORDS)
      .map((each) => reader.int(each, `${where}.${member}`, 0, DWORD_MAX));
  return {
    providerId: readGuid(reader, object['providerId'], `${where}.providerId`),
    name: reader.bytes(object['name'], `${where}.name`, MAX_BLOB),
    sending: flow('sending'),
    receiving: flow('receiving'),
    providerSpecific: reader.optional(object['providerSpecific'], (bytes) =>
      reader.bytes(bytes, `${where}.providerSpecific`, MAX_BLOB),
    ),
  };
}

export function readTriple(reader: CheckedReader, value: unknown, where: string): ProtocolTriple {
  const object = reader.object(value, where);
  const int = (member: string): number =>
    reader.int(object[member], `${where}.${member}`, -INT_MAX - 1, INT_MAX);
  return {
    iAddressFamily: int('iAddressFamily'),
    iSocketType: int('iSocketType'),
    iProtocol: int('iProtocol'),
  };
}

export function readGuid(reader: CheckedReader, value: unknown, where: string): string {
  const guid = guidText(reader.text(value, where, 2 * GUID_LEN + 6));
  if (guid === null) reader.problem ??= `${where} is no GUID`;
  return guid ?? '';
}

export function readGuids(reader: CheckedReader, value: unknown, where: string, most: number): string[] {
  return reader.list(value, where, most).map((guid) => readGuid(reader, guid, where));
}

/** A module's path, or `''`: built in. */
function readPath(reader: CheckedReader, value: unknown, where: string): string {
  return reader.text(value, where, MAX_PATH - 1);
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toHex(bytes);
}
