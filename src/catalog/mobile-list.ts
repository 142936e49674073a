/**
 * Windows Mobile's list of layered providers (WM-07): keys `[HKEY_LOCAL_MACHINE\Comm\WS2\LSP\NAME]` with `Dll` and `Order`. Other keys of an
 * export are passed over; in those of the list every line has to be right, for a provider that is misread breaks every socket.
 *
 * Source: windows-mobile.md 1.6
 */

import { MAX_PATH, MAX_PROTOCOL_CHAIN, WSAPROTOCOL_LEN } from '../abi/index.ts';
import {
  type RegistryData,
  type RegistryProblem,
  readRegistryLine,
  registryLines,
  registryString,
} from './registry-text.ts';
import { DWORD_MAX } from './state.ts';

/** A provider that an installer would install. */
export interface MobileProvider {
  readonly name: string;
  readonly path: string;
  /** 0xFFFFFFFF when the key has none: last. */
  readonly order: number;
}

/** A key that is being read. */
interface ListKey {
  readonly name: string;
  /** Where it begins. */
  readonly line: number;
  path: string;
  order: number;
}

/** Most characters that are read unless the caller says more: what a change of the catalog may carry. */
export const MOBILE_TEXT_MAX = 256 * 1024;
const LIST = 'HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP';
/** A key of the list itself, or of the list that the published installer of older devices walks. */
const KEY = /^HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\(?:LSP_INSTALL\\)?([^\\]+)$/i;
/** The folder of the second of them. */
const INSTALLER = /^LSP_INSTALL$/i;
const CONTROL = /\p{Cc}/u;
const REG_EXPAND_SZ = 2;
/** Above a base provider. */
const MOST_LAYERS = MAX_PROTOCOL_CHAIN - 1;

/** The providers in the order in which they are installed: by `Order`, and of equal ones as they are written. */
export function readMobileProviders(
  text: string,
  most: number = MOBILE_TEXT_MAX,
): readonly MobileProvider[] | RegistryProblem {
  if (text.length > most) return problem(0, `it has more than ${most} characters`);
  const keys = new Map<string, ListKey>();
  let current: ListKey | null = null;
  let hasBegun = false;
  let isWide = true;
  for (const { line, text: content } of registryLines(text)) {
    const read = readRegistryLine(content);
    if (read.kind === 'nothing') continue;
    if (read.kind === 'head') {
      isWide = read.isWide;
    } else if (read.kind === 'key') {
      current = keyOf(keys, read.path, line, read.isRemoved);
    } else if (read.kind === 'unknown') {
      if (content.startsWith('[')) return problem(line, read.why);
      if (!hasBegun) return problem(line, 'this is no registry export');
      if (current !== null) return problem(line, read.why);
    } else if (current !== null) {
      const why = setValue(current, read.name, read.data, isWide);
      if (why !== '') return problem(line, why);
    }
    hasBegun = true;
  }
  return checked([...keys.values()]);
}

/** Those providers as text that {@link readMobileProviders} reads. */
export function writeMobileProviders(providers: readonly MobileProvider[]): string {
  const keys = providers.map(
    ({ name, path, order }) =>
      `[${LIST}\\${name}]\n"Dll"=${registryString(path)}\n"Order"=dword:${order.toString(16).padStart(8, '0')}\n`,
  );
  return keys.join('\n');
}

/** The key of the list that a path names, begun or gone on with; `null`: it is none. A registry does not tell letters' cases apart. */
function keyOf(keys: Map<string, ListKey>, path: string, line: number, isRemoved: boolean): ListKey | null {
  const name = KEY.exec(path)?.[1];
  if (name === undefined || INSTALLER.test(name)) return null;
  const id = name.toLowerCase();
  if (isRemoved) {
    keys.delete(id);
    return null;
  }
  const key = keys.get(id) ?? { name, line, path: '', order: DWORD_MAX };
  keys.set(id, key);
  return key;
}

/** @returns why the value can't be; empty when it can */
function setValue(key: ListKey, name: string, data: RegistryData, isWide: boolean): string {
  switch (name.toLowerCase()) {
    case 'dll': {
      const text = data.type === 'removed' ? '' : textOf(data, isWide);
      if (text === null) return '"Dll" has to be a string';
      if (text === '' && data.type !== 'removed') return '"Dll" is empty';
      if (text.length >= MAX_PATH || CONTROL.test(text)) {
        return `"Dll" is no path of fewer than ${MAX_PATH} characters`;
      }
      key.path = text;
      return '';
    }
    case 'order':
      if (data.type !== 'dword' && data.type !== 'removed') return '"Order" has to be a dword';
      key.order = data.type === 'dword' ? data.number : DWORD_MAX;
      return '';
    default:
      return '';
  }
}

/** A string, or one with variables of the environment, which is written as bytes. */
function textOf(data: RegistryData, isWide: boolean): string | null {
  if (data.type === 'string') return data.text;
  if (data.type !== 'hex' || data.of !== REG_EXPAND_SZ) return null;
  const text = new TextDecoder(isWide ? 'utf-16le' : 'windows-1252').decode(data.bytes);
  return text.replace(/\0+$/, '');
}

function checked(keys: readonly ListKey[]): readonly MobileProvider[] | RegistryProblem {
  if (keys.length === 0) return problem(0, `it has no key below ${LIST}`);
  for (const { name, line, path } of keys) {
    if (path === '') return problem(line, `the key ${name} has no "Dll"`);
    if (name.length > WSAPROTOCOL_LEN)
      return problem(line, `the key’s name has more than ${WSAPROTOCOL_LEN} characters`);
  }
  const sorted = keys.toSorted((a, b) => a.order - b.order);
  const tooMany = sorted[MOST_LAYERS];
  if (tooMany !== undefined) {
    const { line, name } = tooMany;
    return problem(
      line,
      `${name} would be number ${MOST_LAYERS + 1} above a base provider: ${MOST_LAYERS} are the most`,
    );
  }
  return sorted.map(({ name, path, order }) => ({ name, path, order }));
}

function problem(line: number, why: string): RegistryProblem {
  return { line, why };
}
