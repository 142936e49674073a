/**
 * The small things of winsock2.h and windef.h that programs use everywhere: parts of words, classes of IPv4 addresses, other names of
 * the same numbers.
 */

import {
  AF_APPLETALK,
  AF_BTH,
  AF_INET,
  AF_INET6,
  AF_IPX,
  AF_IRDA,
  AF_NETBIOS,
  AF_UNIX,
  AF_UNSPEC,
  INADDR_ANY,
} from './families.ts';

/** The low byte of a word: the major version in `wVersion`. */
export function LOBYTE(word: number): number {
  return word & 0xff;
}

/** The next byte: the minor version. */
export function HIBYTE(word: number): number {
  return (word >>> 8) & 0xff;
}

/** The low 16 bits of a DWORD. */
export function LOWORD(dword: number): number {
  return dword & 0xffff;
}

/** Its high 16 bits. */
export function HIWORD(dword: number): number {
  return (dword >>> 16) & 0xffff;
}

/** A DWORD of two words. */
export function MAKELONG(low: number, high: number): number {
  return ((low & 0xffff) | (high << 16)) >>> 0;
}

/** Protocol families: the address families by another name. */
export const PF_UNSPEC = AF_UNSPEC;
export const PF_UNIX = AF_UNIX;
export const PF_INET = AF_INET;
export const PF_IPX = AF_IPX;
export const PF_APPLETALK = AF_APPLETALK;
export const PF_NETBIOS = AF_NETBIOS;
export const PF_INET6 = AF_INET6;
export const PF_IRDA = AF_IRDA;
export const PF_BTH = AF_BTH;

/** INADDR_ANY. */
export const ADDR_ANY = INADDR_ANY;

/** Whether an address, in the host's order, is of a class, or a group's. */
export function IN_CLASSA(address: number): boolean {
  return address >>> 31 === 0;
}

export function IN_CLASSB(address: number): boolean {
  return address >>> 30 === 0b10;
}

export function IN_CLASSC(address: number): boolean {
  return address >>> 29 === 0b110;
}

export function IN_CLASSD(address: number): boolean {
  return address >>> 28 === 0b1110;
}

export const IN_MULTICAST = IN_CLASSD;

/** What the waits of kernel32 answer. */
export const WAIT_OBJECT_0 = 0;
export const WAIT_FAILED = 0xffff_ffff;

/** What all codes of Winsock are above. */
export const WSABASEERR = 10_000;
