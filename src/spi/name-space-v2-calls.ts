/**
 * Starting a provider of version 2: its client session, and the calls over its table, of which two may be finished later.
 *
 * Its query sets carry no class, so that it cannot tell a question about an address or a service of the services database from one
 * about a host: it is not asked those (WSASERVICE_NOT_FOUND), but everything else.
 */

import {
  GUID_LEN,
  querySet,
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_SERVICEBYNAME,
  WSA_E_CANCELLED,
  WSA_IO_PENDING,
  WSAEFAULT,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEOPNOTSUPP,
  WSAEPROVIDERFAILEDINIT,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  WSAQUERYSET2_LEN,
  WSASERVICE_NOT_FOUND,
  type WSASERVICECLASSINFO,
  WSASYSCALLFAILURE,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import { beginAsyncCall, endAsyncCall } from './async-calls.ts';
import { checkedNeed, checkedQuerySet2, checkedRef, copyAsQuerySet2 } from './name-space-check.ts';
import { isFault, type ProviderGuard } from './name-space-guard.ts';
import { NSPV2_ENTRIES, type NSPV2_ROUTINE, NSPV2_ROUTINE_LEN } from './name-space-v2.ts';
import type { NameSpaceLookup, StartedNameSpace } from './started-name-space.ts';
import type { Ref } from './types.ts';

/** Questions that a name alone does not ask. */
const NEEDS_CLASS: readonly string[] = [
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_SERVICEBYNAME,
];

/** What the class takes that ws2_32 adds to a result: a pointer, and the GUID behind the structure. */
export const RESULT_CLASS_LEN = WSAQUERYSET_LEN - WSAQUERYSET2_LEN + GUID_LEN;

/** The entries of a table as they are now; minus a WSA code for one that is none: WSAEINVALIDPROCTABLE, WSAEINVALIDPROVIDER. */
export function readVersion2(table: NSPV2_ROUTINE): NSPV2_ROUTINE | number {
  try {
    const { cbSize, dwMajorVersion, dwMinorVersion } = table;
    if (!Number.isInteger(cbSize) || cbSize < NSPV2_ROUTINE_LEN) return -WSAEINVALIDPROCTABLE;
    const routines: Partial<NSPV2_ROUTINE> = { cbSize, dwMajorVersion, dwMinorVersion };
    for (const name of NSPV2_ENTRIES) {
      const call: unknown = table[name];
      if (typeof call !== 'function') return -WSAEINVALIDPROCTABLE;
      Object.assign(routines, { [name]: call.bind(table) });
    }
    return dwMajorVersion === 2 ? (routines as NSPV2_ROUTINE) : -WSAEINVALIDPROVIDER;
  } catch {
    return -WSAEINVALIDPROCTABLE;
  }
}

/** Begins a session with a provider. @param routines of {@link readVersion2} */
export async function startVersion2(
  entry: NameSpaceEntry,
  routines: NSPV2_ROUTINE,
  guard: ProviderGuard,
): Promise<StartedNameSpace | number> {
  const session: Ref<unknown> = { value: null };
  const answer = await guard.call(() => routines.NSPv2Startup(entry.providerId, session));
  if (answer < 0) return isFault(answer) ? -WSAEPROVIDERFAILEDINIT : answer;
  return new Version2(entry, routines, guard, checkedRef(session));
}

/** What a session and its lookups share. */
interface Session {
  readonly routines: NSPV2_ROUTINE;
  readonly guard: ProviderGuard;
  /** It is over: the provider is not called any more. */
  isOver: boolean;
  /** Calls that may be finished later, and have not been. */
  readonly calls: Set<number>;
}

class Version2 implements StartedNameSpace {
  readonly entry: NameSpaceEntry;
  readonly #session: Session;
  /** The provider's own value of the session. */
  readonly #value: unknown;

  constructor(entry: NameSpaceEntry, routines: NSPV2_ROUTINE, guard: ProviderGuard, value: unknown) {
    this.entry = entry;
    this.#session = { routines, guard, isOver: false, calls: new Set() };
    this.#value = value;
  }

  async begin(restrictions: WSAQUERYSET, dwControlFlags: number): Promise<NameSpaceLookup | number> {
    const { lpServiceClassId } = restrictions;
    if (NEEDS_CLASS.includes(lpServiceClassId?.toUpperCase() ?? '')) return -WSASERVICE_NOT_FOUND;
    const { routines, guard } = this.#session;
    const { providerId } = this.entry;
    const wanted = copyAsQuerySet2(restrictions);
    const handle: Ref = { value: 0 };
    const answer = await guard.call(() =>
      routines.NSPv2LookupServiceBegin(providerId, wanted, dwControlFlags, this.#value, handle),
    );
    if (answer < 0) return answer;
    const hLookup = checkedRef(handle);
    return typeof hLookup === 'number'
      ? new Version2Lookup(this.#session, hLookup, lpServiceClassId)
      : -WSASYSCALLFAILURE;
  }

  setService(info: WSAQUERYSET, essOperation: number, dwControlFlags: number): Promise<number> {
    const given = copyAsQuerySet2(info);
    const { routines } = this.#session;
    return finishedLater(this.#session, (hAsyncCall) =>
      routines.NSPv2SetServiceEx(
        hAsyncCall,
        this.entry.providerId,
        given,
        essOperation,
        dwControlFlags,
        this.#value,
      ),
    );
  }

  /** Classes are version 1's. */
  installClass(): Promise<number> {
    return Promise.resolve(-WSAEOPNOTSUPP);
  }

  removeClass(): Promise<number> {
    return Promise.resolve(-WSATYPE_NOT_FOUND);
  }

  classInfo(): Promise<WSASERVICECLASSINFO | number> {
    return Promise.resolve(-WSATYPE_NOT_FOUND);
  }

  async cleanup(isGone: boolean): Promise<void> {
    const { providerId } = this.entry;
    const { routines, guard, calls } = this.#session;
    this.#session.isOver = true;
    for (const hAsyncCall of calls) endAsyncCall(hAsyncCall, -WSASYSCALLFAILURE);
    if (!isGone) await guard.call(() => routines.NSPv2Cleanup(providerId, this.#value), true);
    await guard.call(() => routines.NSPv2ClientSessionRundown(providerId, this.#value), true);
  }
}

class Version2Lookup implements NameSpaceLookup {
  readonly #session: Session;
  readonly #hLookup: number;
  readonly #lpServiceClassId: string | null;
  /** The NextEx that is under way; 0: none. */
  #hAsyncCall = 0;

  constructor(session: Session, hLookup: number, lpServiceClassId: string | null) {
    this.#session = session;
    this.#hLookup = hLookup;
    this.#lpServiceClassId = lpServiceClassId;
  }

  async next(dwControlFlags: number, length: Ref): Promise<WSAQUERYSET | number> {
    const room = Math.max(length.value - RESULT_CLASS_LEN, 0);
    const need: Ref = { value: room };
    const into = copyAsQuerySet2(querySet());
    const { routines } = this.#session;
    const answer = await finishedLater(this.#session, (hAsyncCall) => {
      this.#hAsyncCall = hAsyncCall;
      return routines.NSPv2LookupServiceNextEx(hAsyncCall, this.#hLookup, dwControlFlags, need, into);
    });
    this.#hAsyncCall = 0;
    if (answer === 0) return checkedQuerySet2(into, this.#lpServiceClassId) ?? -WSASYSCALLFAILURE;
    const needed = checkedRef(need);
    if (checkedNeed(answer, room, needed) === -WSAEFAULT)
      length.value = (needed as number) + RESULT_CLASS_LEN;
    return checkedNeed(answer, room, needed);
  }

  end(): Promise<number> {
    const { routines, guard, isOver } = this.#session;
    endAsyncCall(this.#hAsyncCall, -WSA_E_CANCELLED);
    if (isOver) return Promise.resolve(0);
    return guard.call(() => routines.NSPv2LookupServiceEnd(this.#hLookup), true);
  }

  ioctl(): null {
    return null;
  }
}

/** A call that its provider ends with what it answers, or with WSAProviderCompleteAsyncCall: whichever comes first. */
async function finishedLater(
  { guard, calls, isOver }: Session,
  call: (hAsyncCall: number) => unknown,
): Promise<number> {
  if (isOver) return -WSASYSCALLFAILURE;
  const pending = beginAsyncCall();
  if (typeof pending === 'number') return pending;
  const { hAsyncCall, completed } = pending;
  calls.add(hAsyncCall);
  const answer = await guard.call(async () => {
    const answered = Promise.resolve(call(hAsyncCall)).then((value) =>
      isPending(value) ? completed : value,
    );
    return Promise.race([completed, answered]);
  });
  calls.delete(hAsyncCall);
  endAsyncCall(hAsyncCall, answer);
  return answer;
}

function isPending(value: unknown): boolean {
  return value === undefined || value === -WSA_IO_PENDING;
}
