/**
 * WSAPROTOCOL_INFO: one entry of the provider catalog, and its two byte layouts.
 *
 *      0 dwServiceFlags1 … 4   16 dwProviderFlags   20 ProviderId (GUID)   36 dwCatalogEntryId
 *     40 ProtocolChain: ChainLen, ChainEntries[7]   72 iVersion   76 iAddressFamily   80 iMaxSockAddr   84 iMinSockAddr
 *     88 iSocketType   92 iProtocol   96 iProtocolMaxOffset   100 iNetworkByteOrder   104 iSecurityScheme
 *    108 dwMessageSize   112 dwProviderReserved   116 szProtocol[256], CHAR (A: 372 bytes) or WCHAR (W: 628 bytes)
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';
import { MAX_PROTOCOL_CHAIN, WSAPROTOCOL_LEN } from './flags.ts';
import { formatGuid, GUID_LEN, writeGuid } from './guid.ts';

export const WSAPROTOCOL_INFOA_LEN = 372;
export const WSAPROTOCOL_INFOW_LEN = 628;
const NAME_AT = 116;
/** `dwMessageSize` of a protocol of messages without a limit. */
export const MESSAGE_SIZE_UNLIMITED = 0xffff_ffff;

/** A catalog entry as a typed object. DWORDs are unsigned numbers. */
export interface WSAPROTOCOL_INFO {
  /** XP1_* bits. */
  readonly dwServiceFlags1: number;
  readonly dwServiceFlags2: number;
  readonly dwServiceFlags3: number;
  readonly dwServiceFlags4: number;
  /** PFL_* bits. */
  readonly dwProviderFlags: number;
  /** The provider's GUID in its text form without braces, upper case. */
  readonly ProviderId: string;
  readonly dwCatalogEntryId: number;
  /** 0 a layer, 1 a base provider, more: a chain, whose entries follow. */
  readonly ChainLen: number;
  /** Catalog ids from the top layer to the base; as many as were set, at most 7. */
  readonly ChainEntries: readonly number[];
  readonly iVersion: number;
  readonly iAddressFamily: number;
  readonly iMaxSockAddr: number;
  readonly iMinSockAddr: number;
  readonly iSocketType: number;
  readonly iProtocol: number;
  readonly iProtocolMaxOffset: number;
  readonly iNetworkByteOrder: number;
  readonly iSecurityScheme: number;
  /** 0 a stream, 1 depends on the destination, 0xFFFFFFFF no limit, else bytes. */
  readonly dwMessageSize: number;
  /** The cookie of a duplicated socket, else 0. */
  readonly dwProviderReserved: number;
  readonly szProtocol: string;
}

/** Writes the 628 bytes of a WSAPROTOCOL_INFOW. @returns where it ends. */
export function writeWSAPROTOCOL_INFOW(into: Uint8Array, at: number, info: WSAPROTOCOL_INFO): number {
  into.fill(0, at, at + WSAPROTOCOL_INFOW_LEN);
  writeMembers(into, at, info);
  const length = Math.min(info.szProtocol.length, WSAPROTOCOL_LEN);
  for (let i = 0; i < length; i++) putU16le(into, at + NAME_AT + 2 * i, info.szProtocol.charCodeAt(i));
  return at + WSAPROTOCOL_INFOW_LEN;
}

/** Writes the 372 bytes of a WSAPROTOCOL_INFOA; characters outside Latin-1 become `?`. @returns where it ends. */
export function writeWSAPROTOCOL_INFOA(into: Uint8Array, at: number, info: WSAPROTOCOL_INFO): number {
  into.fill(0, at, at + WSAPROTOCOL_INFOA_LEN);
  writeMembers(into, at, info);
  const length = Math.min(info.szProtocol.length, WSAPROTOCOL_LEN);
  for (let i = 0; i < length; i++) {
    const code = info.szProtocol.charCodeAt(i);
    into[at + NAME_AT + i] = code < 0x100 ? code : QUESTION_MARK;
  }
  return at + WSAPROTOCOL_INFOA_LEN;
}

/** Reads a WSAPROTOCOL_INFOW at `at`; `null` when there are fewer than 628 bytes. */
export function readWSAPROTOCOL_INFOW(bytes: Uint8Array, at = 0): WSAPROTOCOL_INFO | null {
  if (bytes.length - at < WSAPROTOCOL_INFOW_LEN) return null;
  let name = '';
  for (let i = 0; i <= WSAPROTOCOL_LEN; i++) {
    const code = u16le(bytes, at + NAME_AT + 2 * i);
    if (code === 0) break;
    name += String.fromCharCode(code);
  }
  return readMembers(bytes, at, name);
}

/** Reads a WSAPROTOCOL_INFOA at `at`; `null` when there are fewer than 372 bytes. */
export function readWSAPROTOCOL_INFOA(bytes: Uint8Array, at = 0): WSAPROTOCOL_INFO | null {
  if (bytes.length - at < WSAPROTOCOL_INFOA_LEN) return null;
  let name = '';
  for (let i = 0; i <= WSAPROTOCOL_LEN; i++) {
    const code = bytes[at + NAME_AT + i] as number;
    if (code === 0) break;
    name += String.fromCharCode(code);
  }
  return readMembers(bytes, at, name);
}

const QUESTION_MARK = 0x3f;
const GUID_AT = 20;
const ID_AT = GUID_AT + GUID_LEN;
const CHAIN_AT = 40;
const VERSION_AT = 72;

function writeMembers(into: Uint8Array, at: number, info: WSAPROTOCOL_INFO): void {
  putI32le(into, at, info.dwServiceFlags1);
  putI32le(into, at + 4, info.dwServiceFlags2);
  putI32le(into, at + 8, info.dwServiceFlags3);
  putI32le(into, at + 12, info.dwServiceFlags4);
  putI32le(into, at + 16, info.dwProviderFlags);
  writeGuid(into, at + GUID_AT, info.ProviderId);
  putI32le(into, at + ID_AT, info.dwCatalogEntryId);
  putI32le(into, at + CHAIN_AT, info.ChainLen);
  const entries = Math.min(info.ChainEntries.length, MAX_PROTOCOL_CHAIN);
  for (let i = 0; i < entries; i++) putI32le(into, at + CHAIN_AT + 4 + 4 * i, info.ChainEntries[i] as number);
  let end = at + VERSION_AT;
  for (const member of INT_MEMBERS) {
    putI32le(into, end, info[member]);
    end += 4;
  }
}

/** The members from `iVersion` to `dwProviderReserved`, in their order. */
const INT_MEMBERS = [
  'iVersion',
  'iAddressFamily',
  'iMaxSockAddr',
  'iMinSockAddr',
  'iSocketType',
  'iProtocol',
  'iProtocolMaxOffset',
  'iNetworkByteOrder',
  'iSecurityScheme',
  'dwMessageSize',
  'dwProviderReserved',
] as const;

function readMembers(bytes: Uint8Array, at: number, szProtocol: string): WSAPROTOCOL_INFO {
  const int = (offset: number): number => i32le(bytes, at + offset);
  const dword = (offset: number): number => int(offset) >>> 0;
  const ChainLen = int(CHAIN_AT);
  const ChainEntries: number[] = [];
  // Base and layered entries leave the array unset (CAT-CHAIN-02).
  const entries = ChainLen > 1 ? Math.min(ChainLen, MAX_PROTOCOL_CHAIN) : 0;
  for (let i = 0; i < entries; i++) ChainEntries.push(dword(CHAIN_AT + 4 + 4 * i));
  return {
    dwServiceFlags1: dword(0),
    dwServiceFlags2: dword(4),
    dwServiceFlags3: dword(8),
    dwServiceFlags4: dword(12),
    dwProviderFlags: dword(16),
    ProviderId: formatGuid(bytes, at + GUID_AT),
    dwCatalogEntryId: dword(ID_AT),
    ChainLen,
    ChainEntries,
    iVersion: int(72),
    iAddressFamily: int(76),
    iMaxSockAddr: int(80),
    iMinSockAddr: int(84),
    iSocketType: int(88),
    iProtocol: int(92),
    iProtocolMaxOffset: int(96),
    iNetworkByteOrder: int(100),
    iSecurityScheme: int(104),
    dwMessageSize: dword(108),
    dwProviderReserved: dword(112),
    szProtocol,
  };
}
