/**
 * A name-space provider of version 2: the entries of NSPV2_ROUTINE, which it announces itself (WSAAdvertiseProvider) or exports.
 *
 * It knows its clients: each has a session, whose value is the provider's own. It may finish NextEx and SetServiceEx later. Such a
 * call answers nothing (`undefined`, the `void` of C) and ends with WSAProviderCompleteAsyncCall; what it answers instead, at once or
 * as a promise, is its end as well. Query sets have no class (STR-WSAQUERYSET2).
 */

import type { WSAQUERYSET2 } from '../abi/index.ts';
import type { Answer, Ref } from './types.ts';

/** What ends a call that may be finished later; `undefined`: WSAProviderCompleteAsyncCall will. */
export type AsyncAnswer = number | undefined | Promise<number | undefined>;

/** The entries of a provider, in the order of the C table. */
export interface NSPV2_ROUTINE {
  /** {@link NSPV2_ROUTINE_LEN}. */
  cbSize: number;
  /** 2. */
  dwMajorVersion: number;
  dwMinorVersion: number;
  /** A client begins. @param ppvClientSessionArg gets whatever the provider wants to be given with the client's calls */
  NSPv2Startup(lpProviderId: string, ppvClientSessionArg: Ref<unknown>): Answer;
  /** It is done with the provider. */
  NSPv2Cleanup(lpProviderId: string, pvClientSessionArg: unknown): Answer;
  /** Takes a question; nobody is asked yet. `lphLookup` gets a handle of the provider's own. */
  NSPv2LookupServiceBegin(
    lpProviderId: string,
    lpqsRestrictions: WSAQUERYSET2,
    dwControlFlags: number,
    lpvClientSessionArg: unknown,
    lphLookup: Ref,
  ): Answer;
  /** Fills in the next result, now or later. */
  NSPv2LookupServiceNextEx(
    hAsyncCall: number,
    hLookup: number,
    dwControlFlags: number,
    lpdwBufferLength: Ref,
    lpqsResults: WSAQUERYSET2,
  ): AsyncAnswer;
  /** Ends a lookup. A NextEx that waits has been ended already: its handle is none any more. */
  NSPv2LookupServiceEnd(hLookup: number): Answer;
  /** Registers a service, or takes it back, now or later. */
  NSPv2SetServiceEx(
    hAsyncCall: number,
    lpProviderId: string,
    lpqsRegInfo: WSAQUERYSET2,
    essOperation: number,
    dwControlFlags: number,
    lpvClientSessionArg: unknown,
  ): AsyncAnswer;
  /** The client's session is over, with NSPv2Cleanup before it or without: the last call that carries its value. */
  NSPv2ClientSessionRundown(lpProviderId: string, pvClientSessionArg: unknown): Answer;
}

/** The entries that every provider has. */
export const NSPV2_ENTRIES = [
  'NSPv2Startup',
  'NSPv2Cleanup',
  'NSPv2LookupServiceBegin',
  'NSPv2LookupServiceNextEx',
  'NSPv2LookupServiceEnd',
  'NSPv2SetServiceEx',
  'NSPv2ClientSessionRundown',
] as const satisfies readonly (keyof NSPV2_ROUTINE)[];

/** `cbSize` of the C table (x64). */
export const NSPV2_ROUTINE_LEN = 72;
