/**
 * Service classes and name spaces as the calls about them carry them (x64 layouts, packed: see `packed`).
 *
 *     WSASERVICECLASSINFO   0 lpServiceClassId   8 lpszServiceClassName   16 dwCount   24 lpClassInfos                 32
 *     WSANSCLASSINFO        0 lpszName   8 dwNameSpace   12 dwValueType   16 dwValueSize   24 lpValue                  32
 *     WSANAMESPACE_INFO     0 NSProviderId   16 dwNameSpace   20 fActive   24 dwVersion   32 lpszIdentifier            40
 *     WSANAMESPACE_INFOEX   the same, then 40 ProviderSpecific (BLOB)                                                 56
 */

import { formatGuid } from './guid.ts';
import { PackedReader, Packer, type TextForm } from './packed.ts';

export const WSASERVICECLASSINFO_LEN = 32;
export const WSANSCLASSINFO_LEN = 32;
export const WSANAMESPACE_INFO_LEN = 40;
export const WSANAMESPACE_INFOEX_LEN = 56;

/** One parameter of a service class in a name space: `TcpPort` and the like. */
export interface WSANSCLASSINFO {
  lpszName: string;
  dwNameSpace: number;
  /** REG_DWORD 4, REG_BINARY 3, REG_SZ 1. */
  dwValueType: number;
  lpValue: Uint8Array;
}

/** A class of services. */
export interface WSASERVICECLASSINFO {
  lpServiceClassId: string;
  lpszServiceClassName: string | null;
  lpClassInfos: WSANSCLASSINFO[];
}

/** A name-space provider. */
export interface WSANAMESPACE_INFO {
  readonly NSProviderId: string;
  readonly dwNameSpace: number;
  readonly fActive: boolean;
  readonly dwVersion: number;
  readonly lpszIdentifier: string;
}

/** The same with the provider's own data. */
export interface WSANAMESPACE_INFOEX extends WSANAMESPACE_INFO {
  readonly ProviderSpecific: Uint8Array | null;
}

/** The packed bytes of a service class. */
export function packWSASERVICECLASSINFO(info: WSASERVICECLASSINFO, form: TextForm): Uint8Array {
  const out = new Packer(form);
  const at = out.reserve(WSASERVICECLASSINFO_LEN);
  out.guidPointer(at, info.lpServiceClassId);
  out.text(at + 8, info.lpszServiceClassName);
  out.i32(at + 16, info.lpClassInfos.length);
  if (info.lpClassInfos.length > 0) {
    const first = out.reserve(WSANSCLASSINFO_LEN * info.lpClassInfos.length);
    out.point(at + 24, first);
    for (const [i, parameter] of info.lpClassInfos.entries()) {
      const place = first + WSANSCLASSINFO_LEN * i;
      out.text(place, parameter.lpszName);
      out.i32(place + 8, parameter.dwNameSpace);
      out.i32(place + 12, parameter.dwValueType);
      out.i32(place + 16, parameter.lpValue.length);
      out.copy(place + 24, parameter.lpValue);
    }
  }
  return out.bytes.slice();
}

/** Reads a packed service class; `null` for bytes that are none. */
export function readWSASERVICECLASSINFO(bytes: Uint8Array, form: TextForm): WSASERVICECLASSINFO | null {
  const from = new PackedReader(bytes, form);
  if (!from.has(0, WSASERVICECLASSINFO_LEN)) return null;
  const lpServiceClassId = from.guidPointer(0);
  if (lpServiceClassId === null) return null;
  const count = from.u32(16);
  const first = from.target(24, WSANSCLASSINFO_LEN * count);
  const lpClassInfos = Array.from({ length: first < 0 ? 0 : count }, (_, i): WSANSCLASSINFO => {
    const at = first + WSANSCLASSINFO_LEN * i;
    return {
      lpszName: from.text(at) ?? '',
      dwNameSpace: from.u32(at + 8),
      dwValueType: from.u32(at + 12),
      lpValue: from.copy(at + 24, from.u32(at + 16)) ?? new Uint8Array(0),
    };
  });
  return { lpServiceClassId, lpszServiceClassName: from.text(8), lpClassInfos };
}

/** The packed bytes of a list of name-space providers: the structures in a row, then what they point to. */
export function packWSANAMESPACE_INFO(infos: readonly WSANAMESPACE_INFO[], form: TextForm): Uint8Array {
  const out = new Packer(form);
  const first = out.reserve(WSANAMESPACE_INFO_LEN * infos.length);
  for (const [i, info] of infos.entries()) packProvider(out, first + WSANAMESPACE_INFO_LEN * i, info);
  return out.bytes.slice();
}

/** The same of the extended structure. */
export function packWSANAMESPACE_INFOEX(infos: readonly WSANAMESPACE_INFOEX[], form: TextForm): Uint8Array {
  const out = new Packer(form);
  const first = out.reserve(WSANAMESPACE_INFOEX_LEN * infos.length);
  for (const [i, info] of infos.entries()) {
    const at = first + WSANAMESPACE_INFOEX_LEN * i;
    packProvider(out, at, info);
    out.i32(at + 40, info.ProviderSpecific?.length ?? 0);
    out.copy(at + 48, info.ProviderSpecific);
  }
  return out.bytes.slice();
}

function packProvider(out: Packer, at: number, info: WSANAMESPACE_INFO): void {
  out.guid(at, info.NSProviderId);
  out.i32(at + 16, info.dwNameSpace);
  out.i32(at + 20, info.fActive ? 1 : 0);
  out.i32(at + 24, info.dwVersion);
  out.text(at + 32, info.lpszIdentifier);
}

/** Reads `count` packed providers, as many as are there. */
export function readWSANAMESPACE_INFO(bytes: Uint8Array, count: number, form: TextForm): WSANAMESPACE_INFO[] {
  const from = new PackedReader(bytes, form);
  return places(from, count, WSANAMESPACE_INFO_LEN).map((at) => readProvider(from, at));
}

/** Reads `count` packed extended ones. */
export function readWSANAMESPACE_INFOEX(
  bytes: Uint8Array,
  count: number,
  form: TextForm,
): WSANAMESPACE_INFOEX[] {
  const from = new PackedReader(bytes, form);
  return places(from, count, WSANAMESPACE_INFOEX_LEN).map((at) => ({
    ...readProvider(from, at),
    ProviderSpecific: from.copy(at + 48, from.u32(at + 40)),
  }));
}

function places(from: PackedReader, count: number, length: number): number[] {
  const all: number[] = [];
  for (let i = 0; i < count && from.has(i * length, length); i++) all.push(i * length);
  return all;
}

function readProvider(from: PackedReader, at: number): WSANAMESPACE_INFO {
  return {
    NSProviderId: formatGuid(from.bytes, at),
    dwNameSpace: from.u32(at + 16),
    fActive: from.i32(at + 20) !== 0,
    dwVersion: from.u32(at + 24),
    lpszIdentifier: from.text(at + 32) ?? '',
  };
}
