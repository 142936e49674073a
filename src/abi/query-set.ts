/**
 * WSAQUERYSET and what it is made of: a question to a name space and one of its results (x64 layouts, packed: see `packed`).
 *
 *      0 dwSize   8 lpszServiceInstanceName   16 lpServiceClassId   24 lpVersion   32 lpszComment   40 dwNameSpace
 *     48 lpNSProviderId   56 lpszContext   64 dwNumberOfProtocols   72 lpafpProtocols   80 lpszQueryString
 *     88 dwNumberOfCsAddrs   96 lpcsaBuffer   104 dwOutputFlags   112 lpBlob                                      120
 *
 *     WSAVERSION   0 dwVersion  4 ecHow  8      AFPROTOCOLS  0 iAddressFamily  4 iProtocol  8      BLOB  0 cbSize  8 pBlobData  16
 *     CSADDR_INFO  0 LocalAddr  16 RemoteAddr (SOCKET_ADDRESS: 0 lpSockaddr  8 iSockaddrLength)  32 iSocketType  36 iProtocol  40
 */

import { type CSADDR_INFO, CSADDR_INFO_LEN } from './address-structures.ts';
import { PackedReader, Packer, POINTER_LEN, type TextForm } from './packed.ts';

export const WSAQUERYSET_LEN = 120;
export const WSAQUERYSET2_LEN = 112;
const CLASS_AT = 16;
export const WSAVERSION_LEN = 8;
export const AFPROTOCOLS_LEN = 8;
export const BLOB_LEN = 16;

/** A version that is wanted, or offered. */
export interface WSAVERSION {
  dwVersion: number;
  /** COMP_EQUAL or COMP_NOTLESS. */
  ecHow: number;
}

/** Protocols that a result may be for. */
export interface AFPROTOCOLS {
  iAddressFamily: number;
  iProtocol: number;
}

/** A question, or a result. */
export interface WSAQUERYSET extends WSAQUERYSET2 {
  /** A GUID in its text form without braces, as all of these. */
  lpServiceClassId: string | null;
}

/** The same without a class: what providers of version 2 get. */
export interface WSAQUERYSET2 {
  /** 120, or 112 of a WSAQUERYSET2: the caller says which structure it means. */
  dwSize: number;
  lpszServiceInstanceName: string | null;
  lpVersion: WSAVERSION | null;
  lpszComment: string | null;
  /** NS_*. */
  dwNameSpace: number;
  lpNSProviderId: string | null;
  lpszContext: string | null;
  dwNumberOfProtocols: number;
  lpafpProtocols: AFPROTOCOLS[] | null;
  lpszQueryString: string | null;
  dwNumberOfCsAddrs: number;
  lpcsaBuffer: CSADDR_INFO[] | null;
  /** RESULT_* bits. */
  dwOutputFlags: number;
  lpBlob: Uint8Array | null;
}

/** A query set with nothing in it but its size. */
export function querySet(members: Partial<WSAQUERYSET> = {}): WSAQUERYSET {
  return {
    dwSize: WSAQUERYSET_LEN,
    lpszServiceInstanceName: null,
    lpServiceClassId: null,
    lpVersion: null,
    lpszComment: null,
    dwNameSpace: 0,
    lpNSProviderId: null,
    lpszContext: null,
    dwNumberOfProtocols: 0,
    lpafpProtocols: null,
    lpszQueryString: null,
    dwNumberOfCsAddrs: 0,
    lpcsaBuffer: null,
    dwOutputFlags: 0,
    lpBlob: null,
    ...members,
  };
}

/** The packed bytes of a query set. Their number is what a lookup's buffer needs. */
export function packWSAQUERYSET(set: WSAQUERYSET, form: TextForm): Uint8Array {
  const out = new Packer(form);
  out.reserve(WSAQUERYSET_LEN);
  out.guidPointer(CLASS_AT, set.lpServiceClassId);
  return packMembers(out, set, POINTER_LEN);
}

/** The packed bytes of a WSAQUERYSET2, which has no class. */
export function packWSAQUERYSET2(set: WSAQUERYSET2, form: TextForm): Uint8Array {
  const out = new Packer(form);
  out.reserve(WSAQUERYSET2_LEN);
  return packMembers(out, set, 0);
}

/** The members that both have. @param at by how much those behind the class lie further on than in a WSAQUERYSET2 */
function packMembers(out: Packer, set: WSAQUERYSET2, at: number): Uint8Array {
  out.i32(0, set.dwSize);
  out.text(8, set.lpszServiceInstanceName);
  if (set.lpVersion) {
    const version = out.reserve(WSAVERSION_LEN);
    out.i32(version, set.lpVersion.dwVersion);
    out.i32(version + 4, set.lpVersion.ecHow);
    out.point(at + 16, version);
  }
  out.text(at + 24, set.lpszComment);
  out.i32(at + 32, set.dwNameSpace);
  out.guidPointer(at + 40, set.lpNSProviderId);
  out.text(at + 48, set.lpszContext);
  packProtocols(out, at + 56, (set.lpafpProtocols ?? []).slice(0, set.dwNumberOfProtocols));
  out.text(at + 72, set.lpszQueryString);
  packAddresses(out, at + 80, (set.lpcsaBuffer ?? []).slice(0, set.dwNumberOfCsAddrs));
  out.i32(at + 96, set.dwOutputFlags);
  if (set.lpBlob) {
    const blob = out.reserve(BLOB_LEN);
    out.i32(blob, set.lpBlob.length);
    out.copy(blob + 8, set.lpBlob);
    out.point(at + 104, blob);
  }
  return out.bytes.slice();
}

function packProtocols(out: Packer, at: number, protocols: readonly AFPROTOCOLS[]): void {
  out.i32(at, protocols.length);
  if (protocols.length === 0) return;
  const first = out.reserve(AFPROTOCOLS_LEN * protocols.length);
  out.point(at + 8, first);
  for (const [i, { iAddressFamily, iProtocol }] of protocols.entries()) {
    out.i32(first + AFPROTOCOLS_LEN * i, iAddressFamily);
    out.i32(first + AFPROTOCOLS_LEN * i + 4, iProtocol);
  }
}

function packAddresses(out: Packer, at: number, addresses: readonly CSADDR_INFO[]): void {
  out.i32(at, addresses.length);
  if (addresses.length === 0) return;
  const first = out.reserve(CSADDR_INFO_LEN * addresses.length);
  out.point(at + 8, first);
  for (const [i, { LocalAddr, RemoteAddr, iSocketType, iProtocol }] of addresses.entries()) {
    const place = first + CSADDR_INFO_LEN * i;
    out.copy(place, LocalAddr);
    out.i32(place + 8, LocalAddr?.length ?? 0);
    out.copy(place + 16, RemoteAddr);
    out.i32(place + 24, RemoteAddr?.length ?? 0);
    out.i32(place + 32, iSocketType);
    out.i32(place + 36, iProtocol);
  }
}

/** Reads a packed query set; `null` for bytes that are too short to be one. */
export function readWSAQUERYSET(bytes: Uint8Array, form: TextForm): WSAQUERYSET | null {
  const from = new PackedReader(bytes, form);
  if (!from.has(0, WSAQUERYSET_LEN)) return null;
  return { ...readMembers(from, POINTER_LEN), lpServiceClassId: from.guidPointer(CLASS_AT) };
}

/** Reads a packed WSAQUERYSET2. */
export function readWSAQUERYSET2(bytes: Uint8Array, form: TextForm): WSAQUERYSET2 | null {
  const from = new PackedReader(bytes, form);
  return from.has(0, WSAQUERYSET2_LEN) ? readMembers(from, 0) : null;
}

function readMembers(from: PackedReader, at: number): WSAQUERYSET2 {
  const protocols = arrayAt(from, at + 56, AFPROTOCOLS_LEN).map((place) => ({
    iAddressFamily: from.i32(place),
    iProtocol: from.i32(place + 4),
  }));
  const addresses = arrayAt(from, at + 80, CSADDR_INFO_LEN).map((place) => ({
    LocalAddr: from.copy(place, from.u32(place + 8)),
    RemoteAddr: from.copy(place + 16, from.u32(place + 24)),
    iSocketType: from.i32(place + 32),
    iProtocol: from.i32(place + 36),
  }));
  const version = from.target(at + 16, WSAVERSION_LEN);
  const blob = from.target(at + 104, BLOB_LEN);
  return {
    dwSize: from.u32(0),
    lpszServiceInstanceName: from.text(8),
    lpVersion: version < 0 ? null : { dwVersion: from.u32(version), ecHow: from.i32(version + 4) },
    lpszComment: from.text(at + 24),
    dwNameSpace: from.u32(at + 32),
    lpNSProviderId: from.guidPointer(at + 40),
    lpszContext: from.text(at + 48),
    dwNumberOfProtocols: protocols.length,
    lpafpProtocols: protocols.length === 0 ? null : protocols,
    lpszQueryString: from.text(at + 72),
    dwNumberOfCsAddrs: addresses.length,
    lpcsaBuffer: addresses.length === 0 ? null : addresses,
    dwOutputFlags: from.u32(at + 96),
    lpBlob: blob < 0 ? null : from.copy(blob + 8, from.u32(blob)),
  };
}

/** Where the elements of an array stand whose count is at `at` and whose pointer is eight bytes on. */
function arrayAt(from: PackedReader, at: number, length: number): number[] {
  const count = from.u32(at);
  const first = from.target(at + 8, count * length);
  return first < 0 ? [] : Array.from({ length: count }, (_, i) => first + length * i);
}
