/**
 * A name-space provider from one function that finds names. It sees to the rest of the contract: the table and its size, nested
 * starts, handles, buffers that are too short, LUP_* masks, ends of lookups that wait, change notices, sessions.
 *
 *     // phone-book.mjs, to be installed with WSCInstallNameSpace
 *     const PHONES = new Map([['alice', '10.0.0.21']]);
 *     export const { NSPStartup } = defineNameSpace({
 *       find({ name }) {
 *         const address = PHONES.get(name);
 *         return address === undefined ? [] : [{ addresses: [{ address }] }];
 *       },
 *     });
 */

import {
  WSA_INVALID_HANDLE,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  type WSAQUERYSET2,
  WSAQUERYSET2_LEN,
  WSASERVICE_NOT_FOUND,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import { ClassStore } from './class-store.ts';
import { ChangeNotices } from './name-changes.ts';
import { type FindResults, type Found, Lookups, type Stream } from './name-lookup.ts';
import { type NameQuestion, type NameResult, questionOf, resultSet } from './name-question.ts';
import type { NSPStartup } from './name-space.ts';
import { type NameSpaceCode, startupOf } from './name-space-startup.ts';
import { type NSPV2_ROUTINE, NSPV2_ROUTINE_LEN } from './name-space-v2.ts';
import type { Answer, Ref } from './types.ts';

/** What `find` may answer: results, at once, later or one by one; minus a WSA code: it has none, and why. */
export type NameResults = number | Iterable<NameResult> | AsyncIterable<NameResult>;

/** A service that is to be registered, or taken back. */
export interface NameService<Session = undefined> {
  /** The whole query set: `lpcsaBuffer` says what the service binds (NSP-REG-04). */
  readonly info: WSAQUERYSET2;
  /** `null` in version 2. */
  readonly classId: string | null;
  /** RNRSERVICE_*. */
  readonly operation: number;
  /** SERVICE_MULTIPLE. */
  readonly flags: number;
  readonly session: Session | undefined;
}

/** A name space. What throws has failed, and the other name spaces answer. */
export interface NameSpaceDefinition<Session = undefined> {
  /** NS_* of its results; absent: 0. */
  readonly dwNameSpace?: number;
  /** Whether a question is one for this name space; absent: every one is. It is asked before `find`, at Begin. */
  takes?(question: NameQuestion<Session>): boolean;
  /** Finds names. It is called at the first Next of a lookup. */
  find(question: NameQuestion<Session>): NameResults | Promise<NameResults>;
  /** Registers services; absent: the name space is a static one (NSP-REG-05). */
  set?(service: NameService<Session>): Answer;
  /**
   * Tells of changes of what a question finds, from its Begin to its End (SIO_NSP_NOTIFY_CHANGE); version 1 only.
   * @returns ends it
   */
  watch?(question: NameQuestion<Session>, changed: () => void): () => void;
  /** Keeps classes of services, in memory; version 1 only. */
  readonly keepsClasses?: boolean;
  /** The first start, or the first client. */
  start?(providerId: string): void;
  /** The last cleanup, or the last client. */
  stop?(): void;
  /** Version 2: a client begins. @returns what its questions carry */
  open?(providerId: string): Session;
  /** Version 2: its session is over. */
  close?(session: Session): void;
}

/** A provider in both versions: a module exports the one that its catalog entry says. */
export interface DefinedNameSpace {
  readonly NSPStartup: NSPStartup;
  readonly NSPv2Routine: NSPV2_ROUTINE;
}

/** Makes a provider of a definition. */
export function defineNameSpace<Session = undefined>(
  definition: NameSpaceDefinition<Session>,
): DefinedNameSpace {
  return {
    NSPStartup: startupOf((providerId) => version1(definition, providerId)),
    NSPv2Routine: version2(definition),
  };
}

function version1<Session>(definition: NameSpaceDefinition<Session>, providerId: string): NameSpaceCode {
  const lookups = new Lookups();
  const notices = new ChangeNotices();
  const classes = new ClassStore();
  const watches = new Map<number, () => void>();
  const unwatch = (hLookup: number): void => {
    const end = watches.get(hLookup);
    watches.delete(hLookup);
    end?.();
  };
  definition.start?.(providerId);
  return {
    end() {
      for (const hLookup of [...watches.keys()]) unwatch(hLookup);
      lookups.endAll();
      notices.endAll();
      definition.stop?.();
    },

    NSPLookupServiceBegin(id, restrictions, _classInfo, flags, lphLookup) {
      const { lpServiceClassId } = restrictions;
      const handle = begin(lookups, definition, id, restrictions, lpServiceClassId, flags, undefined);
      if (handle < 0) return handle;
      if (definition.watch !== undefined) {
        const question = questionOf<Session>(
          restrictions,
          lpServiceClassId,
          flags,
          lookups.signalOf(handle),
          undefined,
        );
        notices.begin(handle);
        watches.set(
          handle,
          definition.watch(question, () => notices.changed(handle)),
        );
      }
      lphLookup.value = handle;
      return 0;
    },
    NSPLookupServiceNext: (hLookup, flags, length, results) => lookups.next(hLookup, flags, length, results),
    NSPLookupServiceEnd(hLookup) {
      if (!lookups.has(hLookup)) return -WSA_INVALID_HANDLE;
      unwatch(hLookup);
      notices.end(hLookup);
      return lookups.end(hLookup);
    },

    NSPSetService: (_id, _classInfo, info, operation, flags) =>
      definition.set?.({ info, classId: info.lpServiceClassId, operation, flags, session: undefined }) ??
      -WSAEOPNOTSUPP,

    NSPInstallServiceClass: (_id, info) =>
      definition.keepsClasses === true ? classes.install(info) : -WSAEOPNOTSUPP,
    NSPRemoveServiceClass: (_id, classId) =>
      definition.keepsClasses === true ? classes.remove(classId) : -WSATYPE_NOT_FOUND,
    NSPGetServiceClassInfo: (_id, length, into) => classes.get(length, into),
    ...(definition.watch === undefined
      ? {}
      : {
          NSPIoctl: (hLookup, code, _in, _cbIn, _out, _cbOut, lpcbBytesReturned, lpCompletion) =>
            notices.ioctl(hLookup, code, lpcbBytesReturned, lpCompletion),
        }),
  };
}

function version2<Session>(definition: NameSpaceDefinition<Session>): NSPV2_ROUTINE {
  const lookups = new Lookups();
  let sessions = 0;
  // The one that the provider gave out comes back.
  const own = (session: unknown): Session | undefined => session as Session | undefined;
  return {
    cbSize: NSPV2_ROUTINE_LEN,
    dwMajorVersion: 2,
    dwMinorVersion: 0,
    NSPv2Startup(providerId, ppvClientSessionArg) {
      if (sessions === 0) definition.start?.(providerId);
      ppvClientSessionArg.value = definition.open?.(providerId);
      sessions++;
      return 0;
    },
    NSPv2Cleanup: () => (sessions > 0 ? 0 : -WSAEINVAL),
    NSPv2LookupServiceBegin(id, restrictions, flags, session, lphLookup) {
      const handle = begin(lookups, definition, id, restrictions, null, flags, own(session));
      if (handle < 0) return handle;
      lphLookup.value = handle;
      return 0;
    },
    NSPv2LookupServiceNextEx(_hAsyncCall, hLookup, flags, length, results) {
      const into = { ...results, lpServiceClassId: null };
      const room: Ref = { value: length.value + NO_CLASS };
      const finish = (answer: number): number => {
        const { lpServiceClassId: _, ...members } = into;
        if (answer === 0) Object.assign(results, members, { dwSize: results.dwSize });
        if (answer === -WSAEFAULT) length.value = room.value - NO_CLASS;
        return answer;
      };
      const answer = lookups.next(hLookup, flags, room, into);
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },
    NSPv2LookupServiceEnd: (hLookup) => lookups.end(hLookup),
    NSPv2SetServiceEx: (_hAsyncCall, _id, info, operation, flags, session) =>
      definition.set?.({ info, classId: null, operation, flags, session: own(session) }) ?? -WSAEOPNOTSUPP,
    NSPv2ClientSessionRundown(_id, session) {
      if (sessions === 0) return -WSAEINVAL;
      if (definition.open !== undefined) definition.close?.(session as Session);
      if (--sessions === 0) {
        lookups.endAll();
        definition.stop?.();
      }
      return 0;
    },
  };
}

/** @returns the handle, or minus a WSA code */
function begin<Session>(
  lookups: Lookups,
  definition: NameSpaceDefinition<Session>,
  providerId: string,
  restrictions: WSAQUERYSET2,
  classId: string | null,
  flags: number,
  session: Session | undefined,
): number {
  const ask = (signal: AbortSignal): NameQuestion<Session> =>
    questionOf(restrictions, classId, flags, signal, session);
  if (definition.takes?.(ask(NEVER)) === false) return -WSASERVICE_NOT_FOUND;
  const find: FindResults = (signal) => {
    const question = ask(signal);
    const set = (result: NameResult): WSAQUERYSET | null =>
      resultSet(question, result, definition.dwNameSpace ?? 0, providerId);
    const found = definition.find(question);
    return found instanceof Promise ? found.then((late) => shaped(late, set)) : shaped(found, set);
  };
  const handle = lookups.begin(flags, find);
  return handle === 0 ? -WSA_NOT_ENOUGH_MEMORY : handle;
}

/** A query set with a pointer to no class is longer than one without that pointer. */
const NO_CLASS = WSAQUERYSET_LEN - WSAQUERYSET2_LEN;

/** The signal of a question that nobody has begun yet. */
const NEVER = new AbortController().signal;

function shaped(found: NameResults, set: (result: NameResult) => WSAQUERYSET | null): Found | Stream {
  if (typeof found === 'number') return found;
  return Symbol.asyncIterator in found ? inTime(found, set) : inOrder(found, set);
}

/** Results as they are asked for, so that a list without an end is one too. */
function* inOrder(
  found: Iterable<NameResult>,
  set: (result: NameResult) => WSAQUERYSET | null,
): Generator<WSAQUERYSET, void, void> {
  for (const result of found) {
    const wanted = set(result);
    if (wanted !== null) yield wanted;
  }
}

/** The same, of results that take their time. */
async function* inTime(
  found: AsyncIterable<NameResult>,
  set: (result: NameResult) => WSAQUERYSET | null,
): AsyncGenerator<WSAQUERYSET, void, void> {
  for await (const result of found) {
    const wanted = set(result);
    if (wanted !== null) yield wanted;
  }
}
