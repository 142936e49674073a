/**
 * addrinfo and ADDRINFOEX: hints for getaddrinfo and the list that it answers, and its packed bytes (see `packed`; x64).
 *
 *     0 ai_flags   4 ai_family   8 ai_socktype   12 ai_protocol   16 ai_addrlen (64 bits)   24 ai_canonname   32 ai_addr
 *     addrinfo: 40 ai_next (48)      ADDRINFOEX: 40 ai_blob   48 ai_bloblen   56 ai_provider (GUID)   64 ai_next (72)
 */

import { GUID_LEN } from './guid.ts';
import { PackedReader, Packer, type TextForm } from './packed.ts';

export const ADDRINFO_LEN = 48;
export const ADDRINFOEX_LEN = 72;

/** A hint, or one result and the next. Both forms, A and W, look so. */
export interface addrinfo {
  /** AI_* bits. */
  ai_flags: number;
  ai_family: number;
  ai_socktype: number;
  ai_protocol: number;
  /** Bytes of `ai_addr`. */
  ai_addrlen: number;
  ai_canonname: string | null;
  /** A sockaddr. */
  ai_addr: Uint8Array | null;
  ai_next: addrinfo | null;
}

/** The same with what a name space adds. */
export interface ADDRINFOEX {
  ai_flags: number;
  ai_family: number;
  ai_socktype: number;
  ai_protocol: number;
  ai_addrlen: number;
  ai_canonname: string | null;
  ai_addr: Uint8Array | null;
  ai_blob: Uint8Array | null;
  ai_bloblen: number;
  /** The GUID of the name space that it is from. */
  ai_provider: string | null;
  ai_next: ADDRINFOEX | null;
}

/** A hint with nothing said. */
export function noHints(): addrinfo {
  return {
    ai_flags: 0,
    ai_family: 0,
    ai_socktype: 0,
    ai_protocol: 0,
    ai_addrlen: 0,
    ai_canonname: null,
    ai_addr: null,
    ai_next: null,
  };
}

/** A list as an array. */
export function addrinfos<T extends { ai_next: T | null }>(first: T | null): T[] {
  const all: T[] = [];
  for (let info = first; info !== null && all.length < RESULTS_MAX; info = info.ai_next) all.push(info);
  return all;
}

/** Most results in a list. */
export const RESULTS_MAX = 4096;

/** The packed bytes of a list. */
export function packAddrinfo(first: addrinfo, form: TextForm = 'W'): Uint8Array {
  const out = new Packer(form);
  let link = -1;
  for (const info of addrinfos(first)) {
    const at = out.reserve(ADDRINFO_LEN);
    if (link >= 0) out.point(link, at);
    packMembers(out, at, info);
    link = at + 40;
  }
  return out.bytes.slice();
}

/** The packed bytes of an extended list. */
export function packADDRINFOEX(first: ADDRINFOEX, form: TextForm = 'W'): Uint8Array {
  const out = new Packer(form);
  let link = -1;
  for (const info of addrinfos(first)) {
    const at = out.reserve(ADDRINFOEX_LEN);
    if (link >= 0) out.point(link, at);
    packMembers(out, at, info);
    out.copy(at + 40, info.ai_blob);
    out.i32(at + 48, info.ai_bloblen);
    out.guidPointer(at + 56, info.ai_provider);
    link = at + 64;
  }
  return out.bytes.slice();
}

function packMembers(out: Packer, at: number, info: addrinfo | ADDRINFOEX): void {
  out.i32(at, info.ai_flags);
  out.i32(at + 4, info.ai_family);
  out.i32(at + 8, info.ai_socktype);
  out.i32(at + 12, info.ai_protocol);
  out.i32(at + 16, info.ai_addrlen);
  out.text(at + 24, info.ai_canonname);
  out.copy(at + 32, info.ai_addr);
}

/** Reads a packed list; `null` for bytes that are none. */
export function readAddrinfo(bytes: Uint8Array, form: TextForm = 'W'): addrinfo | null {
  const from = new PackedReader(bytes, form);
  return linked(from, ADDRINFO_LEN, (at): addrinfo => ({ ...readMembers(from, at), ai_next: null }));
}

/** Reads a packed extended list; `null` for bytes that are none. */
export function readADDRINFOEX(bytes: Uint8Array, form: TextForm = 'W'): ADDRINFOEX | null {
  const from = new PackedReader(bytes, form);
  return linked(from, ADDRINFOEX_LEN, (at): ADDRINFOEX => {
    const ai_bloblen = from.u32(at + 48);
    const ai_provider = from.target(at + 56, GUID_LEN) < 0 ? null : from.guidPointer(at + 56);
    const ai_blob = from.copy(at + 40, ai_bloblen);
    return { ...readMembers(from, at), ai_blob, ai_bloblen, ai_provider, ai_next: null };
  });
}

function readMembers(from: PackedReader, at: number): Omit<addrinfo, 'ai_next'> {
  const ai_addrlen = from.u32(at + 16);
  return {
    ai_flags: from.i32(at),
    ai_family: from.i32(at + 4),
    ai_socktype: from.i32(at + 8),
    ai_protocol: from.i32(at + 12),
    ai_addrlen,
    ai_canonname: from.text(at + 24),
    ai_addr: from.copy(at + 32, ai_addrlen),
  };
}

/** Follows the last member of each structure, which leads to the next: forward only, so that no list is endless. */
function linked<T extends { ai_next: T | null }>(
  from: PackedReader,
  length: number,
  read: (at: number) => T,
): T | null {
  if (!from.has(0, length)) return null;
  const first = read(0);
  let last = first;
  let at = 0;
  for (let count = 1; count < RESULTS_MAX; count++) {
    const next = from.target(at + length - 8, length);
    if (next <= at) break;
    last.ai_next = read(next);
    last = last.ai_next;
    at = next;
  }
  return first;
}
