/**
 * Numbers as the names that winsock2.h gives them: flags, ioctls, options, small sets.
 */

import * as abi from '../../abi/index.ts';

type AbiName = keyof typeof abi;

/** A set of flags by name, lowest first. */
export type FlagNames = readonly (readonly [bit: number, name: string])[];

/** `MSG_PEEK|MSG_OOB`; bits without a name as one number in hex; `0` for none. */
export function flagText(names: FlagNames, value: number): string {
  let rest = value >>> 0;
  const found: string[] = [];
  for (const [bit, name] of names) {
    if ((rest & bit) === 0) continue;
    found.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) found.push(hex(rest));
  return found.length === 0 ? '0' : found.join('|');
}

/** `0x8004667e` */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** `FIONBIO` for 0x8004667e; the number in hex for a code without a name. */
export function ioctlName(code: number): string {
  return IOCTLS.get(code >>> 0) ?? hex(code);
}

/** `SOL_SOCKET`, `IPPROTO_TCP`. */
export function levelName(level: number): string {
  return level === abi.SOL_SOCKET ? 'SOL_SOCKET' : protocolName(level);
}

/** `IPPROTO_TCP` for 6. */
export function protocolName(protocol: number): string {
  if (protocol === abi.FROM_PROTOCOL_INFO) return 'FROM_PROTOCOL_INFO';
  return PROTOCOLS.get(protocol) ?? String(protocol);
}

/** `AF_INET` for 2. */
export function familyName(family: number): string {
  return family === abi.FROM_PROTOCOL_INFO ? 'FROM_PROTOCOL_INFO' : abi.addressFamilyName(family);
}

/** `SOCK_STREAM` for 1. */
export function typeName(type: number): string {
  if (type === abi.FROM_PROTOCOL_INFO) return 'FROM_PROTOCOL_INFO';
  return TYPES.get(type) ?? String(type);
}

/** `SD_SEND` for 1. */
export function howName(how: number): string {
  return HOWS.get(how) ?? String(how);
}

/** `SO_REUSEADDR`; those that have no layout are numbers. */
export function optionText(level: number, option: number): string {
  return abi.optionLayout(level, option)?.name ?? String(option);
}

/** `AcceptEx` and the like for the GUID of an extension function; the GUID itself when it is not known. */
export function extensionName(guid: string): string {
  return EXTENSIONS.get(guid) ?? guid;
}

/** The header's constants by name. */
const CONSTANTS: ReadonlyMap<string, unknown> = new Map(Object.entries(abi));

function numberOf(name: AbiName): number {
  return Number(CONSTANTS.get(name));
}

function flags(...names: AbiName[]): FlagNames {
  return names.map((name) => [numberOf(name), name]);
}

function values(...names: AbiName[]): ReadonlyMap<number, string> {
  return new Map(names.map((name) => [numberOf(name), name]));
}

/** All numbers of the header whose name fits, the first of a number by name. */
function numbersNamed(pattern: RegExp): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const [name, value] of CONSTANTS) {
    if (typeof value !== 'number' || !pattern.test(name)) continue;
    const code = value >>> 0;
    if (!found.has(code)) found.set(code, name);
  }
  return found;
}

export const MESSAGE_FLAGS = flags(
  'MSG_OOB',
  'MSG_PEEK',
  'MSG_DONTROUTE',
  'MSG_WAITALL',
  'MSG_INTERRUPT',
  'MSG_PUSH_IMMEDIATE',
  'MSG_TRUNC',
  'MSG_CTRUNC',
  'MSG_BCAST',
  'MSG_MCAST',
  'MSG_ERRQUEUE',
  'MSG_PARTIAL',
);

export const NETWORK_EVENTS = flags(
  'FD_READ',
  'FD_WRITE',
  'FD_OOB',
  'FD_ACCEPT',
  'FD_CONNECT',
  'FD_CLOSE',
  'FD_QOS',
  'FD_GROUP_QOS',
  'FD_ROUTING_INTERFACE_CHANGE',
  'FD_ADDRESS_LIST_CHANGE',
);

export const SOCKET_FLAGS = flags(
  'WSA_FLAG_OVERLAPPED',
  'WSA_FLAG_MULTIPOINT_C_ROOT',
  'WSA_FLAG_MULTIPOINT_C_LEAF',
  'WSA_FLAG_MULTIPOINT_D_ROOT',
  'WSA_FLAG_MULTIPOINT_D_LEAF',
  'WSA_FLAG_ACCESS_SYSTEM_SECURITY',
  'WSA_FLAG_NO_HANDLE_INHERIT',
  'WSA_FLAG_REGISTERED_IO',
);

/** JL_BOTH is the third bit, not both of the others. */
export const JOIN_FLAGS = flags('JL_SENDER_ONLY', 'JL_RECEIVER_ONLY', 'JL_BOTH');

export const TRANSMIT_FLAGS = flags(
  'TF_DISCONNECT',
  'TF_REUSE_SOCKET',
  'TF_WRITE_BEHIND',
  'TF_USE_SYSTEM_THREAD',
  'TF_USE_KERNEL_APC',
);

export const POLL_EVENTS = flags(
  'POLLERR',
  'POLLHUP',
  'POLLNVAL',
  'POLLWRNORM',
  'POLLWRBAND',
  'POLLRDNORM',
  'POLLRDBAND',
  'POLLPRI',
);

const TYPES = values('SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_RAW', 'SOCK_RDM', 'SOCK_SEQPACKET');
const HOWS = values('SD_RECEIVE', 'SD_SEND', 'SD_BOTH');
const PROTOCOLS = numbersNamed(/^IPPROTO_(?!MAX)/);
/** One number has two names where a later header gave it away anew; the name of today comes first by the alphabet. */
const IOCTLS = numbersNamed(/^(SIO_|SIOC|FIO|SO_SSL_(GET|SET|PERFORM)_)/);
const EXTENSIONS: ReadonlyMap<string, string> = new Map(
  [...CONSTANTS].flatMap(([name, value]) =>
    name.startsWith('WSAID_') && typeof value === 'string' ? [[value, name] as const] : [],
  ),
);
