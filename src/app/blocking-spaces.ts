/**
 * Name-space providers that a thread of `winsockd/winsock` announces.
 *
 * The functions of the table run in the thread that has announced it, in the Winsock call that it sleeps in when a client asks, or in
 * its next one; a thread that does other work keeps its clients waiting. NSPv2LookupServiceNextEx and NSPv2SetServiceEx may answer a
 * promise, which settles while the thread is in no call; the other functions answer at once (a promise of theirs is WSAEOPNOTSUPP).
 * Who finishes a NextEx later does so in the same thread. The provider goes with its thread.
 */

import {
  SOCKET_ERROR,
  WSA_IO_PENDING,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  type WSAQUERYSET2,
  WSASYSCALLFAILURE,
} from '../abi/index.ts';
import { NSPV2_ENTRIES, type NSPV2_ROUTINE, type Ref, readVersion2 } from '../spi/index.ts';
import {
  admitting,
  type BlockingCall,
  callAndKeepError,
  callIndex,
  chainClient,
  WSASetLastError,
} from './blocking-call.ts';
import { Callback } from './callbacks.ts';
import type { Mailbox } from './mailbox.ts';
import { layOut, placesOf, SPACE_ENTRIES, SPACE_MEMORY_LEN, type SpaceEntry } from './marshal-spaces.ts';

/** A NextEx that is to be finished later: where its provider puts the result. */
interface WaitingNext {
  readonly hLookup: number;
  readonly length: Ref;
  readonly results: WSAQUERYSET2;
}

/** A provider that this thread has announced. */
interface OwnTable {
  readonly providerId: string;
  readonly routines: NSPV2_ROUTINE;
  readonly places: readonly Mailbox[];
  /** What the provider calls its clients' sessions, by number. */
  readonly sessions: Map<number, unknown>;
  readonly waiting: Map<number, WaitingNext>;
  /** It was taken back: it ends with its last session. */
  isOver: boolean;
}

const tables = new Map<number, OwnTable>();
let lastSession = 0;

const STARTUP = NSPV2_ENTRIES.indexOf('NSPv2Startup');
const NEXT = NSPV2_ENTRIES.indexOf('NSPv2LookupServiceNextEx');
const END = NSPV2_ENTRIES.indexOf('NSPv2LookupServiceEnd');
const SET = NSPV2_ENTRIES.indexOf('NSPv2SetServiceEx');
const RUNDOWN = NSPV2_ENTRIES.indexOf('NSPv2ClientSessionRundown');

const ADVERTISE = callIndex('WSAAdvertiseProvider');
/** Announces a name-space provider of version 2, whose functions are this thread's. */
export const WSAAdvertiseProvider = admitting('WSAAdvertiseProvider', SOCKET_ERROR, (id, table) => {
  const routines = typeof table === 'object' && table !== null ? readVersion2(table) : null;
  if (id === null || routines === null || typeof routines === 'number')
    return ended(callAndKeepError(ADVERTISE, [id, 0, 0]));
  const memory = new SharedArrayBuffer(SPACE_MEMORY_LEN);
  const shared = chainClient().share(memory);
  if (shared === 0) {
    WSASetLastError(WSAENOBUFS);
    return SOCKET_ERROR;
  }
  chainClient().handlers.set(Callback.nameSpace, ({ numbers }) => {
    const [which = 0, entry = 0, place = 0] = numbers;
    return run(tables.get(which), entry, place);
  });
  const number = chainClient().operations.newNumber();
  const providerId = id.toUpperCase();
  const own = {
    providerId,
    routines,
    places: placesOf(memory),
    sessions: new Map(),
    waiting: new Map(),
    isOver: false,
  };
  tables.set(number, own);
  const answer = callAndKeepError(ADVERTISE, [id, number, shared]);
  if (answer < 0) tables.delete(number);
  // One of an earlier start: it is over.
  else
    for (const [key, each] of [...tables])
      if (each !== own && each.providerId === providerId) tables.delete(key);
  return ended(answer);
});

const UNADVERTISE = callIndex('WSAUnadvertiseProvider');
/** Takes such a provider back. */
export const WSAUnadvertiseProvider = admitting('WSAUnadvertiseProvider', SOCKET_ERROR, (id) => {
  const answer = callAndKeepError(UNADVERTISE, [id]);
  for (const [number, own] of [...tables]) {
    if (answer < 0 || own.providerId !== id?.toUpperCase()) continue;
    own.isOver = true;
    if (own.sessions.size === 0) tables.delete(number);
  }
  return ended(answer);
});

const COMPLETE = callIndex('WSAProviderCompleteAsyncCall');
/** Ends a call that a name-space provider of version 2 finishes later. */
export const WSAProviderCompleteAsyncCall: BlockingCall<'WSAProviderCompleteAsyncCall'> = admitting(
  'WSAProviderCompleteAsyncCall',
  SOCKET_ERROR,
  (hAsyncCall, iRetCode) => {
    const own = [...tables.values()].find(({ waiting }) => waiting.has(hAsyncCall));
    const { length = null, results = null } = own?.waiting.get(hAsyncCall) ?? {};
    const answer = callAndKeepError(COMPLETE, [hAsyncCall, iRetCode, length, results]);
    if (answer === 0) own?.waiting.delete(hAsyncCall);
    return ended(answer);
  },
);

function ended(answer: number): number {
  return answer < 0 ? SOCKET_ERROR : answer;
}

/** Runs a function of a provider, with the arguments that lie in a place. @returns its answer; minus WSA_IO_PENDING: later */
function run(own: OwnTable | undefined, index: number, place: number): number {
  const entry = SPACE_ENTRIES[index];
  const box = own?.places[place];
  if (own === undefined || entry === undefined || box === undefined) return -WSASYSCALLFAILURE;
  try {
    return runIn(own, entry, index, box);
  } catch {
    return -WSASYSCALLFAILURE;
  }
}

function runIn(own: OwnTable, entry: SpaceEntry, index: number, box: Mailbox): number {
  const args: unknown[] = [];
  let at = 0;
  for (const slot of entry.slots) {
    const value: unknown = slot.take(box, at);
    at += slot.size(value as never);
    args.push(value);
  }
  const [first, second] = args as [number, number];
  const session = index === RUNDOWN ? second : 0;
  if (entry.sessionAt >= 0) args[entry.sessionAt] = own.sessions.get(args[entry.sessionAt] as number);
  const opened: Ref<unknown> = { value: null };
  if (index === STARTUP) args[1] = opened;
  if (index === NEXT)
    own.waiting.set(first, { hLookup: second, length: args[3] as Ref, results: args[4] as WSAQUERYSET2 });
  if (index === END)
    for (const [call, next] of [...own.waiting]) if (next.hLookup === first) own.waiting.delete(call);
  const answer = answerOf(own, entry, index, args);
  if (index === NEXT && answer !== -WSA_IO_PENDING) own.waiting.delete(first);
  if (session !== 0) {
    own.sessions.delete(session);
    if (own.isOver && own.sessions.size === 0)
      for (const [number, each] of [...tables]) if (each === own) tables.delete(number);
  }
  if (answer === -WSA_IO_PENDING) return answer;
  if (index === STARTUP) {
    args[1] = { value: answer >= 0 ? ++lastSession : 0 };
    if (answer >= 0) own.sessions.set(lastSession, opened.value);
  }
  const places = layOut(entry, args);
  for (const [i, slot] of entry.slots.entries()) slot.give?.(box, places[i] as number, args[i] as never);
  return answer;
}

/** What a function says: a code of Winsock's, or that it says it later. */
function answerOf(own: OwnTable, { name }: SpaceEntry, index: number, args: readonly unknown[]): number {
  const isLater = index === NEXT || index === SET;
  let answer: unknown;
  try {
    answer = (own.routines[name] as (...given: readonly unknown[]) => unknown)(...args);
  } catch {
    return -WSASYSCALLFAILURE;
  }
  if (isLater && (answer === undefined || answer === -WSA_IO_PENDING)) return -WSA_IO_PENDING;
  if (answer instanceof Promise) {
    if (isLater) void finish(args[0] as number, answer);
    else answer.catch(() => {});
    return isLater ? -WSA_IO_PENDING : -WSAEOPNOTSUPP;
  }
  return typeof answer === 'number' && Number.isInteger(answer) ? answer : -WSASYSCALLFAILURE;
}

/** Ends a call whose answer was promised. */
async function finish(hAsyncCall: number, promise: Promise<unknown>): Promise<void> {
  let code: unknown = WSASYSCALLFAILURE;
  try {
    code = await promise;
  } catch {
    // A provider that throws has failed.
  }
  // Nothing promised: the provider ends it itself.
  if (code === undefined || code === -WSA_IO_PENDING) return;
  const isCode = typeof code === 'number' && Number.isInteger(code);
  WSAProviderCompleteAsyncCall(hAsyncCall, isCode ? (code as number) : WSASYSCALLFAILURE);
}
