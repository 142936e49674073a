/**
 * What a name-space provider hands back, read once and checked: it is somebody else's code. A copy has the documented types, its
 * counts agree with its arrays, and it is bounded. Getters that throw, and values that change, harm nobody.
 */

import {
  type AFPROTOCOLS,
  type CSADDR_INFO,
  parseGuid,
  WSA_IO_PENDING,
  WSAEFAULT,
  type WSANSCLASSINFO,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  type WSAQUERYSET2,
  WSAQUERYSET2_LEN,
  type WSASERVICECLASSINFO,
  WSASYSCALLFAILURE,
  type WSAVERSION,
} from '../abi/index.ts';
import { copyOf, copyOrNull } from '../base/index.ts';

/** Most bytes of a packed result; what needs more is no result. */
export const RESULT_MAX = 1 << 20;
const TEXT_MAX = 32_767;
const BLOB_MAX = 1 << 19;
const SOCKADDR_MAX = 256;
const PROTOCOLS_MAX = 256;
const ENDS_MAX = 4096;
const CLASS_INFOS_MAX = 256;
/** No code of Windows' that a provider may answer is larger. */
const CODE_MAX = 0xffff;

/** The value is not what it has to be. */
class NotThat extends Error {}

/**
 * A provider's answer: 0, or minus a WSA code. Anything else is WSASYSCALLFAILURE: positive numbers too, for a code without its sign
 * is no success, and −1, which says that a code is to be found elsewhere.
 */
export function checkedAnswer(value: unknown): number {
  if (value === 0) return 0;
  const isCode = Number.isInteger(value) && (value as number) < -1 && (value as number) >= -CODE_MAX;
  return isCode && value !== -WSA_IO_PENDING ? (value as number) : -WSASYSCALLFAILURE;
}

/** A need that a provider states with WSAEFAULT: more than it was given, and not more than a result may take. */
export function checkedNeed(answer: number, room: number, need: unknown): number {
  if (answer !== -WSAEFAULT) return answer;
  const isNeed = Number.isInteger(need) && (need as number) > room && (need as number) <= RESULT_MAX;
  return isNeed ? answer : -WSASYSCALLFAILURE;
}

/** A copy of a result; `null` when it is none. */
export function checkedQuerySet(value: WSAQUERYSET): WSAQUERYSET | null {
  return orNull(() => ({
    ...membersOf(value),
    dwSize: WSAQUERYSET_LEN,
    lpServiceClassId: guid(value.lpServiceClassId),
  }));
}

/** The same of a provider of version 2, whose results have no class: they are of the one that was asked for. */
export function checkedQuerySet2(value: WSAQUERYSET2, lpServiceClassId: string | null): WSAQUERYSET | null {
  return orNull(() => ({ ...membersOf(value), dwSize: WSAQUERYSET_LEN, lpServiceClassId }));
}

/** A copy of a class of services; `null` when it is none. */
export function checkedClassInfo(value: WSASERVICECLASSINFO): WSASERVICECLASSINFO | null {
  return orNull(() => ({
    lpServiceClassId: guid(value.lpServiceClassId) ?? refuse(),
    lpszServiceClassName: text(value.lpszServiceClassName),
    lpClassInfos: list(value.lpClassInfos, null, CLASS_INFOS_MAX, classInfo) ?? [],
  }));
}

/** What a reference of ours holds now; `undefined` when it can't be read. */
export function checkedRef(ref: { readonly value: unknown }): unknown {
  return orNull(() => ref.value) ?? undefined;
}

/** A copy of a program's query set, for a provider to keep or to spoil. @throws {TypeError} for what can't be read */
export function copyOfQuerySet(set: WSAQUERYSET): WSAQUERYSET {
  return {
    ...set,
    lpVersion: set.lpVersion && { ...set.lpVersion },
    lpafpProtocols: set.lpafpProtocols?.map((each) => ({ ...each })) ?? null,
    lpcsaBuffer:
      set.lpcsaBuffer?.map((each) => ({
        ...each,
        LocalAddr: copyOrNull(each.LocalAddr),
        RemoteAddr: copyOrNull(each.RemoteAddr),
      })) ?? null,
    lpBlob: copyOrNull(set.lpBlob),
  };
}

/** The same without its class. */
export function copyAsQuerySet2(set: WSAQUERYSET): WSAQUERYSET2 {
  const { lpServiceClassId: _, ...members } = copyOfQuerySet(set);
  return { ...members, dwSize: WSAQUERYSET2_LEN };
}

/** A copy of a class of services. */
export function copyOfClassInfo(info: WSASERVICECLASSINFO): WSASERVICECLASSINFO {
  return {
    ...info,
    lpClassInfos: info.lpClassInfos.map((each) => ({ ...each, lpValue: copyOf(each.lpValue) })),
  };
}

function membersOf(value: WSAQUERYSET2): WSAQUERYSET2 {
  const lpafpProtocols = list(value.lpafpProtocols, value.dwNumberOfProtocols, PROTOCOLS_MAX, protocol);
  const lpcsaBuffer = list(value.lpcsaBuffer, value.dwNumberOfCsAddrs, ENDS_MAX, end);
  return {
    dwSize: 0,
    lpszServiceInstanceName: text(value.lpszServiceInstanceName),
    lpVersion: version(value.lpVersion),
    lpszComment: text(value.lpszComment),
    dwNameSpace: word(value.dwNameSpace) >>> 0,
    lpNSProviderId: guid(value.lpNSProviderId),
    lpszContext: text(value.lpszContext),
    dwNumberOfProtocols: lpafpProtocols?.length ?? 0,
    lpafpProtocols,
    lpszQueryString: text(value.lpszQueryString),
    dwNumberOfCsAddrs: lpcsaBuffer?.length ?? 0,
    lpcsaBuffer,
    dwOutputFlags: word(value.dwOutputFlags) >>> 0,
    lpBlob: bytes(value.lpBlob, BLOB_MAX),
  };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function refuse(): never {
  throw new NotThat();
}

function word(value: unknown): number {
  const isWord =
    Number.isInteger(value) && (value as number) >= -0x8000_0000 && (value as number) <= 0xffff_ffff;
  return isWord ? (value as number) | 0 : refuse();
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' && value.length <= TEXT_MAX && !value.includes('\0') ? value : refuse();
}

function guid(value: unknown): string | null {
  const id = text(value);
  return id === null || parseGuid(id) !== null ? id : refuse();
}

function bytes(value: unknown, max: number): Uint8Array | null {
  if (value === null || value === undefined) return null;
  const isBytes = ArrayBuffer.isView(value) && value instanceof Uint8Array && value.length <= max;
  return isBytes ? new Uint8Array(value) : refuse();
}

function version(value: WSAVERSION | null): WSAVERSION | null {
  if (value === null || value === undefined) return null;
  return { dwVersion: word(value.dwVersion) >>> 0, ecHow: word(value.ecHow) };
}

/** @param count what the structure says; `null`: all there are */
function list<T>(values: unknown, count: unknown, max: number, copy: (value: T) => T): T[] | null {
  if (count === 0) return null;
  if (!Array.isArray(values)) return count === null ? null : refuse();
  const length = count === null ? values.length : word(count);
  if (length < 0 || length > values.length || length > max) return refuse();
  return Array.from({ length }, (_, i) => copy(values[i]));
}

function protocol({ iAddressFamily, iProtocol }: AFPROTOCOLS): AFPROTOCOLS {
  return { iAddressFamily: word(iAddressFamily), iProtocol: word(iProtocol) };
}

function end({ LocalAddr, RemoteAddr, iSocketType, iProtocol }: CSADDR_INFO): CSADDR_INFO {
  return {
    LocalAddr: bytes(LocalAddr, SOCKADDR_MAX),
    RemoteAddr: bytes(RemoteAddr, SOCKADDR_MAX),
    iSocketType: word(iSocketType),
    iProtocol: word(iProtocol),
  };
}

function classInfo({ lpszName, dwNameSpace, dwValueType, lpValue }: WSANSCLASSINFO): WSANSCLASSINFO {
  return {
    lpszName: text(lpszName) ?? refuse(),
    dwNameSpace: word(dwNameSpace) >>> 0,
    dwValueType: word(dwValueType) >>> 0,
    lpValue: bytes(lpValue, BLOB_MAX) ?? refuse(),
  };
}
