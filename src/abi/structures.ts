/**
 * The small structures of winsock2.h as typed objects with their byte layouts (x64 sizes, SEM section 6).
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';
import { FD_MAX_EVENTS, FD_SETSIZE } from './flags.ts';

export const WSADATA_LEN = 408;
export const WSADESCRIPTION_LEN = 256;
export const WSASYS_STATUS_LEN = 128;

/** What WSAStartup fills in. */
export interface WSADATA {
  /** Low byte major, high byte minor: 0x0202 is 2.2. */
  wVersion: number;
  wHighVersion: number;
  iMaxSockets: number;
  iMaxUdpDg: number;
  szDescription: string;
  szSystemStatus: string;
}

/** Writes a WSADATA as 64-bit Windows lays it out; `lpVendorInfo` is null. @returns where it ends. */
export function writeWSADATA(into: Uint8Array, at: number, data: WSADATA): number {
  into.fill(0, at, at + WSADATA_LEN);
  putU16le(into, at, data.wVersion);
  putU16le(into, at + 2, data.wHighVersion);
  putU16le(into, at + 4, data.iMaxSockets);
  putU16le(into, at + 6, data.iMaxUdpDg);
  putText(into, at + 16, data.szDescription, WSADESCRIPTION_LEN);
  putText(into, at + 16 + WSADESCRIPTION_LEN + 1, data.szSystemStatus, WSASYS_STATUS_LEN);
  return at + WSADATA_LEN;
}

export const WSANETWORKEVENTS_LEN = 4 + 4 * FD_MAX_EVENTS;

/** What WSAEnumNetworkEvents fills in. */
export interface WSANETWORKEVENTS {
  /** FD_* bits that were recorded. */
  lNetworkEvents: number;
  /** Ten WSA codes, by FD_*_BIT. */
  iErrorCode: number[];
}

/** Writes a WSANETWORKEVENTS. @returns where it ends. */
export function writeWSANETWORKEVENTS(into: Uint8Array, at: number, events: WSANETWORKEVENTS): number {
  putI32le(into, at, events.lNetworkEvents);
  for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
    putI32le(into, at + 4 + 4 * bit, events.iErrorCode[bit] ?? 0);
  }
  return at + WSANETWORKEVENTS_LEN;
}

/** Reads a WSANETWORKEVENTS; `null` when it is short. */
export function readWSANETWORKEVENTS(bytes: Uint8Array, at = 0): WSANETWORKEVENTS | null {
  if (bytes.length - at < WSANETWORKEVENTS_LEN) return null;
  const iErrorCode: number[] = [];
  for (let bit = 0; bit < FD_MAX_EVENTS; bit++) iErrorCode.push(i32le(bytes, at + 4 + 4 * bit));
  return { lNetworkEvents: i32le(bytes, at), iErrorCode };
}

export const LINGER_LEN = 4;

/** Value of SO_LINGER. */
export interface LINGER {
  /** Non-zero: closing lingers. Kept as the unsigned 16-bit number that was given. */
  l_onoff: number;
  /** Seconds. */
  l_linger: number;
}

/** Writes a LINGER. @returns where it ends. */
export function writeLINGER(into: Uint8Array, at: number, linger: LINGER): number {
  putU16le(into, at, linger.l_onoff);
  putU16le(into, at + 2, linger.l_linger);
  return at + LINGER_LEN;
}

/** Reads a LINGER; `null` when it is short. */
export function readLINGER(bytes: Uint8Array, at = 0): LINGER | null {
  if (bytes.length - at < LINGER_LEN) return null;
  return { l_onoff: u16le(bytes, at), l_linger: u16le(bytes, at + 2) };
}

export const TIMEVAL_LEN = 8;

/** A duration given to select. */
export interface TIMEVAL {
  tv_sec: number;
  tv_usec: number;
}

/** Reads a TIMEVAL; `null` when it is short. */
export function readTIMEVAL(bytes: Uint8Array, at = 0): TIMEVAL | null {
  if (bytes.length - at < TIMEVAL_LEN) return null;
  return { tv_sec: i32le(bytes, at), tv_usec: i32le(bytes, at + 4) };
}

/** Writes a TIMEVAL. @returns where it ends. */
export function writeTIMEVAL(into: Uint8Array, at: number, time: TIMEVAL): number {
  putI32le(into, at, time.tv_sec);
  putI32le(into, at + 4, time.tv_usec);
  return at + TIMEVAL_LEN;
}

/** Milliseconds of a TIMEVAL, rounded up; -1 when it is negative or its microseconds are out of range (SEM-SEL-06). */
export function timevalToMs(time: TIMEVAL): number {
  if (!(time.tv_sec >= 0 && time.tv_usec >= 0 && time.tv_usec <= 999_999)) return -1;
  return time.tv_sec * 1000 + Math.ceil(time.tv_usec / 1000);
}

/** A set of sockets as Winsock keeps it: a list, not a bit mask. Order is the order of FD_SET. */
export interface fd_set {
  fd_array: number[];
}

/** Bytes of an `fd_set` of the header's size: u_int count, padding, 64 SOCKETs of 8 bytes. */
export const FD_SET_LEN = 8 + 8 * FD_SETSIZE;

/** Empties a set. @returns it; without one a new one */
export function FD_ZERO(set?: fd_set): fd_set {
  if (!isSet(set)) return { fd_array: [] };
  set.fd_array.length = 0;
  return set;
}

/** Adds a socket; no second time. More than FD_SETSIZE are taken (SEM-SEL-04). */
export function FD_SET(socket: number, set: fd_set): void {
  if (isSet(set) && !set.fd_array.includes(socket)) set.fd_array.push(socket);
}

/** Takes a socket out. */
export function FD_CLR(socket: number, set: fd_set): void {
  const at = isSet(set) ? set.fd_array.indexOf(socket) : -1;
  if (at >= 0) set.fd_array.splice(at, 1);
}

/** Whether a socket is in the set. */
export function FD_ISSET(socket: number, set: fd_set): boolean {
  return isSet(set) && set.fd_array.includes(socket);
}

/** Whether something is a set that can be changed. */
function isSet(set: unknown): set is fd_set {
  if (typeof set !== 'object' || set === null) return false;
  const array: unknown = Reflect.get(set, 'fd_array');
  return Array.isArray(array) && !Object.isFrozen(array);
}

/** Latin-1 text, cut to `limit` characters, over zeroed bytes. */
function putText(into: Uint8Array, at: number, text: string, limit: number): void {
  const length = Math.min(text.length, limit);
  for (let i = 0; i < length; i++) into[at + i] = text.charCodeAt(i);
}
