/**
 * Starting a provider of version 1: NSPStartup, the checks of its table, and the calls over it.
 */

import {
  querySet,
  WSAEFAULT,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROVIDERFAILEDINIT,
  type WSAQUERYSET,
  type WSASERVICECLASSINFO,
  WSASYSCALLFAILURE,
} from '../abi/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import {
  NSP_ENTRIES,
  type NSP_ROUTINE,
  NSP_ROUTINE_LEN,
  NSP_ROUTINE_LEN_WITHOUT_IOCTL,
  type NSPStartup,
  type WSACOMPLETION,
} from './name-space.ts';
import {
  checkedClassInfo,
  checkedNeed,
  checkedQuerySet,
  checkedRef,
  copyOfClassInfo,
  copyOfQuerySet,
} from './name-space-check.ts';
import { isFault, type ProviderGuard } from './name-space-guard.ts';
import type { NameSpaceLookup, StartedNameSpace } from './started-name-space.ts';
import type { Answer, Ref } from './types.ts';

/** Room that no class exceeds. */
const LARGE = 1 << 24;

/**
 * Starts a provider.
 * @returns minus a WSA code: its own, WSAEPROVIDERFAILEDINIT when it broke, WSAEINVALIDPROCTABLE for a table with a hole,
 * WSAEINVALIDPROVIDER for another version
 */
export async function startVersion1(
  entry: NameSpaceEntry,
  startup: NSPStartup,
  guard: ProviderGuard,
): Promise<StartedNameSpace | number> {
  const { providerId } = entry;
  const table: Partial<NSP_ROUTINE> = { cbSize: NSP_ROUTINE_LEN };
  const answer = await guard.call(() => startup(providerId, table));
  if (answer < 0) return isFault(answer) ? -WSAEPROVIDERFAILEDINIT : answer;
  const routines = readTable(table);
  if (typeof routines !== 'number') return new Version1(entry, routines, guard);
  // It was started, and has to learn that it is not wanted.
  await guard.call(() => table.NSPCleanup?.(providerId));
  return routines;
}

/** The entries as they are now: what the provider does to its table later is nobody's affair. */
function readTable(table: Partial<NSP_ROUTINE>): NSP_ROUTINE | number {
  try {
    const { cbSize = 0, dwMajorVersion = 0, dwMinorVersion = 0, NSPIoctl } = table;
    if (!Number.isInteger(cbSize) || cbSize < NSP_ROUTINE_LEN_WITHOUT_IOCTL) return -WSAEINVALIDPROCTABLE;
    const hasIoctl = cbSize >= NSP_ROUTINE_LEN && typeof NSPIoctl === 'function';
    const routines: Partial<NSP_ROUTINE> = {
      cbSize,
      dwMajorVersion,
      dwMinorVersion,
      ...(hasIoctl ? { NSPIoctl: NSPIoctl.bind(table) } : {}),
    };
    for (const name of NSP_ENTRIES) {
      const call: unknown = table[name];
      if (typeof call !== 'function') return -WSAEINVALIDPROCTABLE;
      Object.assign(routines, { [name]: call.bind(table) });
    }
    return dwMajorVersion === 1 ? (routines as NSP_ROUTINE) : -WSAEINVALIDPROVIDER;
  } catch {
    return -WSAEINVALIDPROCTABLE;
  }
}

class Version1 implements StartedNameSpace {
  readonly entry: NameSpaceEntry;
  readonly #routines: NSP_ROUTINE;
  readonly #guard: ProviderGuard;

  constructor(entry: NameSpaceEntry, routines: NSP_ROUTINE, guard: ProviderGuard) {
    this.entry = entry;
    this.#routines = routines;
    this.#guard = guard;
  }

  async begin(restrictions: WSAQUERYSET, dwControlFlags: number): Promise<NameSpaceLookup | number> {
    const wanted = copyOfQuerySet(restrictions);
    const info = await this.#classOf(wanted.lpServiceClassId);
    const handle: Ref = { value: 0 };
    const answer = await this.#guard.call(() =>
      this.#routines.NSPLookupServiceBegin(this.entry.providerId, wanted, info, dwControlFlags, handle),
    );
    if (answer < 0) return answer;
    const hLookup = checkedRef(handle);
    return typeof hLookup === 'number'
      ? new Version1Lookup(this.#routines, this.#guard, hLookup)
      : -WSASYSCALLFAILURE;
  }

  async setService(info: WSAQUERYSET, essOperation: number, dwControlFlags: number): Promise<number> {
    const given = copyOfQuerySet(info);
    const classInfo = await this.#classOf(given.lpServiceClassId);
    return this.#guard.call(() =>
      this.#routines.NSPSetService(this.entry.providerId, classInfo, given, essOperation, dwControlFlags),
    );
  }

  installClass(info: WSASERVICECLASSINFO): Promise<number> {
    const given = copyOfClassInfo(info);
    return this.#guard.call(() => this.#routines.NSPInstallServiceClass(this.entry.providerId, given));
  }

  removeClass(lpServiceClassId: string): Promise<number> {
    return this.#guard.call(() =>
      this.#routines.NSPRemoveServiceClass(this.entry.providerId, lpServiceClassId),
    );
  }

  async classInfo(lpServiceClassId: string): Promise<WSASERVICECLASSINFO | number> {
    const into: WSASERVICECLASSINFO = { lpServiceClassId, lpszServiceClassName: null, lpClassInfos: [] };
    const answer = await this.#guard.call(() =>
      this.#routines.NSPGetServiceClassInfo(this.entry.providerId, { value: LARGE }, into),
    );
    if (answer < 0) return answer === -WSAEFAULT ? -WSASYSCALLFAILURE : answer;
    return checkedClassInfo(into) ?? -WSASYSCALLFAILURE;
  }

  async cleanup(): Promise<void> {
    await this.#guard.call(() => this.#routines.NSPCleanup(this.entry.providerId), true);
  }

  /** What the provider knows of a class; ws2_32 hands it along when there is something (NSP-LookupServiceBegin). */
  async #classOf(lpServiceClassId: string | null): Promise<WSASERVICECLASSINFO | null> {
    const info = lpServiceClassId === null ? -1 : await this.classInfo(lpServiceClassId);
    return typeof info === 'number' ? null : info;
  }
}

class Version1Lookup implements NameSpaceLookup {
  readonly #routines: NSP_ROUTINE;
  readonly #guard: ProviderGuard;
  readonly #hLookup: number;

  constructor(routines: NSP_ROUTINE, guard: ProviderGuard, hLookup: number) {
    this.#routines = routines;
    this.#guard = guard;
    this.#hLookup = hLookup;
  }

  async next(dwControlFlags: number, length: Ref): Promise<WSAQUERYSET | number> {
    const room = length.value;
    const need: Ref = { value: room };
    const into = querySet();
    const answer = await this.#guard.call(() =>
      this.#routines.NSPLookupServiceNext(this.#hLookup, dwControlFlags, need, into),
    );
    if (answer === 0) return checkedQuerySet(into) ?? -WSASYSCALLFAILURE;
    const needed = checkedRef(need);
    if (checkedNeed(answer, room, needed) === -WSAEFAULT) length.value = needed as number;
    return checkedNeed(answer, room, needed);
  }

  end(): Promise<number> {
    return this.#guard.call(() => this.#routines.NSPLookupServiceEnd(this.#hLookup), true);
  }

  ioctl(
    dwControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
  ): Answer | null {
    const { NSPIoctl } = this.#routines;
    if (NSPIoctl === undefined) return null;
    const [cbInBuffer, cbOutBuffer] = [input?.length ?? 0, output?.length ?? 0];
    const returned: Ref = { value: 0 };
    const tell = (answer: number): number => {
      const count = checkedRef(returned);
      const isCount = Number.isInteger(count) && (count as number) >= 0 && (count as number) <= cbOutBuffer;
      lpcbBytesReturned.value = isCount ? (count as number) : 0;
      return answer;
    };
    const answer = this.#guard.callWithoutLimit(() =>
      NSPIoctl(
        this.#hLookup,
        dwControlCode,
        input,
        cbInBuffer,
        output,
        cbOutBuffer,
        returned,
        lpCompletion,
        null,
      ),
    );
    return typeof answer === 'number' ? tell(answer) : answer.then(tell);
  }
}
