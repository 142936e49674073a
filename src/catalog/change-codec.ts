/**
 * Changes, answers and audit records as JSON values. A change that cannot be one is `null`: WSAEINVAL to whoever sent it.
 */

import { MAX_PATH, WSAPROTOCOL_LEN } from '../abi/index.ts';
import { toHex } from '../base/index.ts';
import type { CatalogAnswer, CatalogChange, CatalogRecord } from '../port/index.ts';
import { MAX_PERMITTED } from './application-changes.ts';
import { CheckedReader } from './checked.ts';
import { printable } from './describe.ts';
import {
  type Json,
  readGuid,
  readGuids,
  readInfo,
  readTemplate,
  readTriple,
  writeInfo,
  writeTemplate,
} from './part-codec.ts';
import { DWORD_MAX, MAX_BLOB, MAX_COMMAND, MAX_ENTRIES, MAX_NAME_SPACES } from './state.ts';

/** Every kind of change. */
export const CHANGE_KINDS = [
  'install-provider',
  'install-chains',
  'update-provider',
  'deinstall-provider',
  'remove-entry',
  'write-order',
  'set-lsp-categories',
  'set-application-category',
  'permit-providers',
  'install-name-space',
  'uninstall-name-space',
  'enable-name-space',
  'write-name-space-order',
  'install-qos-template',
  'remove-qos-template',
  'reset',
  'restore',
  'import-mobile',
] as const satisfies readonly [CatalogChange['kind'], ...CatalogChange['kind'][]];

const MAX_IMPORT = 256 * 1024;
const MAX_TRIPLES = 64;
/** Of one install. */
const MAX_INSTALLED = 256;
const MAX_SERIAL = Number.MAX_SAFE_INTEGER;

export function writeChange(change: CatalogChange): Json {
  switch (change.kind) {
    case 'install-provider':
    case 'update-provider':
      return { ...change, entries: change.entries.map(writeInfo) };
    case 'install-chains':
      return { ...change, over: change.over === null ? null : change.over.map((triple) => ({ ...triple })) };
    case 'install-name-space':
      return { ...change, blob: change.blob === null ? null : toHex(change.blob) };
    case 'install-qos-template':
      return { kind: change.kind, template: writeTemplate(change.template) };
    case 'remove-qos-template':
      return { ...change, name: toHex(change.name) };
    default:
      return { ...change };
  }
}

/** @returns `null` when the value is no change, or a member has the wrong form */
export function readChange(value: unknown): CatalogChange | null {
  const reader = new CheckedReader();
  const change = changeOf(reader, reader.object(value, 'change'));
  return reader.problem === null ? change : null;
}

export function writeAnswer(answer: CatalogAnswer): Json {
  return { ...answer, ids: [...answer.ids] };
}

export function readAnswer(value: unknown): CatalogAnswer | null {
  const reader = new CheckedReader();
  const object = reader.object(value, 'answer');
  const answer = {
    error: reader.int(object['error'], 'error', 0, DWORD_MAX),
    serial: reader.int(object['serial'], 'serial', 0, MAX_SERIAL),
    ids: reader.list(object['ids'], 'ids', MAX_ENTRIES).map((id) => reader.int(id, 'ids', 0, DWORD_MAX)),
    previous: reader.int(object['previous'], 'previous', 0, DWORD_MAX),
  };
  return reader.problem === null ? answer : null;
}

export function writeRecord(record: CatalogRecord): Json {
  return { ...record, who: { ...record.who } };
}

export function readRecord(value: unknown): CatalogRecord | null {
  const reader = new CheckedReader();
  const object = reader.object(value, 'record');
  const who = reader.object(object['who'], 'who');
  const record: CatalogRecord = {
    serial: reader.int(object['serial'], 'serial', 0, MAX_SERIAL),
    when: reader.int(object['when'], 'when', 0, 8.64e15),
    who: {
      uid: reader.int(who['uid'], 'uid', -1, DWORD_MAX),
      pid: reader.int(who['pid'], 'pid', 0, DWORD_MAX),
      program: printable(reader.text(who['program'], 'program', MAX_COMMAND), PROGRAM_MAX),
    },
    kind: reader.oneOf(object['kind'], 'kind', CHANGE_KINDS),
    what: printable(reader.text(object['what'], 'what', MAX_COMMAND), WHAT_MAX),
    isKept: object['isKept'] === true,
  };
  return reader.problem === null ? record : null;
}

/** Characters of a record's texts. */
export const PROGRAM_MAX = 200;
const WHAT_MAX = 400;

function changeOf(reader: CheckedReader, object: Readonly<Record<string, unknown>>): CatalogChange {
  const kind = reader.oneOf(object['kind'], 'kind', CHANGE_KINDS);
  const guid = (): string => readGuid(reader, object['providerId'], 'providerId');
  const path = (): string => reader.text(object['path'], 'path', MAX_COMMAND);
  const extra = (): string => reader.text(object['extra'], 'extra', MAX_COMMAND);
  const dword = (member: string): number => reader.int(object[member], member, 0, DWORD_MAX);
  switch (kind) {
    case 'install-provider':
    case 'update-provider': {
      const position = object['position'] === 'front' ? ({ position: 'front' } as const) : {};
      const entries = reader
        .list(object['entries'], 'entries', MAX_INSTALLED)
        .map((info, i) => readInfo(reader, info, `entries[${i}]`));
      const change = { providerId: guid(), path: path(), entries };
      return kind === 'install-provider' ? { kind, ...change, ...position } : { kind, ...change };
    }
    case 'install-chains': {
      const over = reader.optional(object['over'], (list) =>
        reader.list(list, 'over', MAX_TRIPLES).map((triple, i) => readTriple(reader, triple, `over[${i}]`)),
      );
      const name = reader.text(object['name'], 'name', MAX_COMMAND);
      return { kind, providerId: guid(), path: path(), name, serviceFlags: dword('serviceFlags'), over };
    }
    case 'deinstall-provider':
    case 'uninstall-name-space':
      return { kind, providerId: guid() };
    case 'remove-entry':
      return { kind, id: dword('id') };
    case 'write-order': {
      const ids = reader.list(object['ids'], 'ids', 2 * MAX_ENTRIES);
      return { kind, ids: ids.map((id) => reader.int(id, 'ids', 0, DWORD_MAX)) };
    }
    case 'set-lsp-categories':
      return { kind, providerId: guid(), categories: dword('categories') };
    case 'set-application-category': {
      const categories = reader.optional(object['categories'], () => dword('categories'));
      return { kind, path: path(), extra: extra(), categories };
    }
    case 'permit-providers': {
      const providers = reader.optional(object['providers'], (list) =>
        readGuids(reader, list, 'providers', MAX_PERMITTED),
      );
      return { kind, path: path(), extra: extra(), providers };
    }
    case 'install-name-space':
      return {
        kind,
        providerId: guid(),
        identifier: reader.text(object['identifier'], 'identifier', MAX_COMMAND),
        path: reader.text(object['path'], 'path', MAX_PATH + WSAPROTOCOL_LEN),
        dwNameSpace: dword('dwNameSpace'),
        version: dword('version'),
        isV2: reader.flag(object['isV2'], 'isV2'),
        blob: reader.optional(object['blob'], (blob) => reader.bytes(blob, 'blob', 2 * MAX_BLOB)),
      };
    case 'enable-name-space':
      return { kind, providerId: guid(), isActive: reader.flag(object['isActive'], 'isActive') };
    case 'write-name-space-order':
      return {
        kind,
        providerIds: readGuids(reader, object['providerIds'], 'providerIds', 2 * MAX_NAME_SPACES),
      };
    case 'install-qos-template':
      return { kind, template: readTemplate(reader, object['template'], 'template') };
    case 'remove-qos-template':
      return { kind, providerId: guid(), name: reader.bytes(object['name'], 'name', 2 * MAX_BLOB) };
    case 'reset':
      return { kind, what: reader.oneOf(object['what'], 'what', ['all', 'layers']) };
    case 'restore':
      return { kind, serial: reader.int(object['serial'], 'serial', 0, MAX_SERIAL) };
    case 'import-mobile':
      return { kind, text: reader.text(object['text'], 'text', MAX_IMPORT) };
  }
}
