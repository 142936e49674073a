/**
 * hostent, servent and protoent: what the BSD name functions answer, and their packed bytes (see `packed`; x64 layouts).
 *
 *     hostent   0 h_name   8 h_aliases   16 h_addrtype (16 bits)   18 h_length (16 bits)   24 h_addr_list          32
 *     servent   0 s_name   8 s_aliases   16 s_proto   24 s_port (16 bits, network order)                           32
 *     protoent  0 p_name   8 p_aliases   16 p_proto (16 bits)                                                      24
 *
 * Their texts are CHAR whatever the form of what they lie in.
 */

import { PackedReader, Packer } from './packed.ts';

export const HOSTENT_LEN = 32;
export const SERVENT_LEN = 32;
export const PROTOENT_LEN = 24;

/** A host: its name, other names, and addresses of one family. */
export interface hostent {
  h_name: string;
  h_aliases: string[];
  /** AF_INET or AF_INET6. */
  h_addrtype: number;
  /** Bytes of an address: 4 or 16. */
  h_length: number;
  /** Addresses in network order. */
  h_addr_list: Uint8Array[];
}

/** A service at a port. */
export interface servent {
  s_name: string;
  s_aliases: string[];
  /** In network order: `ntohs(s_port)` is the port. */
  s_port: number;
  /** `tcp` or `udp`. */
  s_proto: string;
}

/** A protocol of IP. */
export interface protoent {
  p_name: string;
  p_aliases: string[];
  /** Host order. */
  p_proto: number;
}

/** The packed bytes of a hostent. */
export function packHostent(host: hostent): Uint8Array {
  const out = new Packer('A');
  const at = out.reserve(HOSTENT_LEN);
  out.u16(at + 16, host.h_addrtype);
  out.u16(at + 18, host.h_length);
  out.text(at, host.h_name);
  out.list(at + 8, host.h_aliases, (place, alias) => out.text(place, alias));
  out.list(at + 24, host.h_addr_list, (place, address) => out.copy(place, address, 4));
  return out.bytes.slice();
}

/** Reads a packed hostent; `null` for bytes that are none. */
export function readHostent(bytes: Uint8Array): hostent | null {
  const from = new PackedReader(bytes, 'A');
  if (!from.has(0, HOSTENT_LEN)) return null;
  const h_name = from.text(0);
  const h_length = from.u16(18);
  if (h_name === null) return null;
  return {
    h_name,
    h_aliases: texts(from, 8),
    h_addrtype: from.u16(16),
    h_length,
    h_addr_list: from.list(24).flatMap((place) => from.copy(place, h_length) ?? []),
  };
}

/** The packed bytes of a servent. */
export function packServent(service: servent): Uint8Array {
  const out = new Packer('A');
  const at = out.reserve(SERVENT_LEN);
  out.u16(at + 24, service.s_port);
  out.text(at, service.s_name);
  out.list(at + 8, service.s_aliases, (place, alias) => out.text(place, alias));
  out.text(at + 16, service.s_proto);
  return out.bytes.slice();
}

/** Reads a packed servent; `null` for bytes that are none. */
export function readServent(bytes: Uint8Array): servent | null {
  const from = new PackedReader(bytes, 'A');
  if (!from.has(0, SERVENT_LEN)) return null;
  const s_name = from.text(0);
  const s_proto = from.text(16);
  if (s_name === null || s_proto === null) return null;
  return { s_name, s_aliases: texts(from, 8), s_port: from.u16(24), s_proto };
}

/** The packed bytes of a protoent. */
export function packProtoent(protocol: protoent): Uint8Array {
  const out = new Packer('A');
  const at = out.reserve(PROTOENT_LEN);
  out.u16(at + 16, protocol.p_proto);
  out.text(at, protocol.p_name);
  out.list(at + 8, protocol.p_aliases, (place, alias) => out.text(place, alias));
  return out.bytes.slice();
}

/** Reads a packed protoent; `null` for bytes that are none. */
export function readProtoent(bytes: Uint8Array): protoent | null {
  const from = new PackedReader(bytes, 'A');
  if (!from.has(0, PROTOENT_LEN)) return null;
  const p_name = from.text(0);
  return p_name === null ? null : { p_name, p_aliases: texts(from, 8), p_proto: from.u16(16) };
}

function texts(from: PackedReader, at: number): string[] {
  return from.list(at).flatMap((place) => from.text(place) ?? []);
}
