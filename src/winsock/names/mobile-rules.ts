/**
 * What of the name functions Windows Mobile does not have (windows-mobile.md §1.3): ws2.dll exports no such function, and a program that
 * calls it all the same learns WSAEOPNOTSUPP.
 */

import { WSAEOPNOTSUPP, WSANOTINITIALISED } from '../../abi/index.ts';
import type { Answer } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';

const ABSENT: readonly string[] = [
  'GetHostNameW',
  'GetAddrInfoW',
  'GetNameInfoW',
  'GetAddrInfoEx',
  'GetAddrInfoExA',
  'GetAddrInfoExCancel',
  'GetAddrInfoExOverlappedResult',
  'SetAddrInfoEx',
  'WSALookupServiceNextA',
  'WSANSPIoctl',
  'WSAEnumNameSpaceProvidersA',
  'WSAEnumNameSpaceProvidersEx',
  'WSAEnumNameSpaceProvidersExA',
  'WSAInstallServiceClass',
  'WSARemoveServiceClass',
  'WSAGetServiceClassInfo',
  'WSAGetServiceClassInfoA',
  'WSAGetServiceClassNameByClassId',
  'WSAAdvertiseProvider',
  'WSAUnadvertiseProvider',
  'WSAProviderCompleteAsyncCall',
  'WSAAsyncGetHostByAddr',
  'WSAAsyncGetServByName',
  'WSAAsyncGetServByPort',
  'WSAAsyncGetProtoByName',
  'WSAAsyncGetProtoByNumber',
];

/** The same calls, without those, in a process of that profile. */
export function withMobileRules<T extends object>(process: WinsockProcess, calls: T): T {
  if (process.profile !== 'windows-mobile') return calls;
  const absent = (): Answer => (process.startups === 0 ? -WSANOTINITIALISED : -WSAEOPNOTSUPP);
  return { ...calls, ...Object.fromEntries(ABSENT.map((name) => [name, absent])) };
}
