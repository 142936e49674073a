/**
 * What an argument of a Winsock call may be, kind by kind: the door of both faces. A program in JavaScript can give anything for
 * anything. A number that is none counts as NaN, which the call's own checks refuse; booleans count as 0 and 1, `null` as 0, and a fraction
 * loses its part behind the point, as C would have it. Anything else of a wrong kind is a pointer to memory that can't be read, or
 * be written: WSAEFAULT.
 *
 * A {@link Kind} answers the argument as the call shall see it, or {@link WRONG}. A number or a length that is left out stays left out,
 * for the call has its own idea of what stands for it; any other pointer is `null`.
 */

import { NSP_NOTIFY_APC, NSP_NOTIFY_EVENT, NSP_NOTIFY_PORT } from '../abi/index.ts';
import { FLOWSPEC_MEMBERS } from '../spi/index.ts';

/** An argument that can't be read. */
export const WRONG = Symbol('wrong');

export type Kind = (value: unknown) => unknown;

/** Most elements of a list. */
const LIST_MAX = 1 << 20;

/** A number that goes in: handles, flags, lengths. */
export const numberKind: Kind = (value) => {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : Number.NaN;
  if (value === undefined) return undefined;
  if (value === null) return 0;
  return typeof value === 'boolean' ? Number(value) : Number.NaN;
};

/** A BOOL. */
export const boolKind: Kind = (value) => (value === undefined ? undefined : Boolean(value));

/** Anything at all. */
export const anyKind: Kind = (value) => value;

/** What passes a test, or `null`. */
function pointerTo(isReadable: (value: unknown) => boolean): Kind {
  return (value) => {
    if (value === null || value === undefined) return null;
    return isReadable(value) ? value : WRONG;
  };
}

export const textKind = pointerTo((value: unknown) => typeof value === 'string');
export const functionKind = pointerTo((value: unknown) => typeof value === 'function');

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
export const bytesKind = pointerTo(isBytes);

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length <= LIST_MAX;
}

/** Whether every element passes; holes don't. */
function all(list: readonly unknown[], isRight: (value: unknown) => boolean): boolean {
  for (let i = 0; i < list.length; i++) if (!isRight(list[i])) return false;
  return true;
}

/** Whether something is a list of what passes. */
function isListOf(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return isList(value) && all(value, isRight);
}

export const bytesListKind = pointerTo((value: unknown) => isListOf(value, isBytes));

/** Numbers in an array that a call reads. */
export const numbersKind: Kind = (value) => {
  if (value === null || value === undefined) return null;
  if (!isList(value)) return WRONG;
  return all(value, Number.isSafeInteger)
    ? value
    : Array.from(value, (element) => numberKind(element) ?? Number.NaN);
};

/** Whether a member can stand for a number: what is missing counts as NaN. */
function isNumeric(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function of(value: object, member: string): unknown {
  return Reflect.get(value, member);
}

function isWritable(value: unknown): value is object {
  return isObject(value) && !Object.isFrozen(value);
}

function hasNumbers(value: object, members: readonly string[]): boolean {
  return members.every((member) => isNumeric(of(value, member)));
}

/** A structure of numbers that goes in. */
export function structureKind(...members: readonly string[]): Kind {
  return pointerTo((value: unknown) => isObject(value) && hasNumbers(value, members));
}

/** A structure that comes out, and whose numbers perhaps go in. */
export function writableKind(...members: readonly string[]): Kind {
  return pointerTo(
    (value: unknown) => isWritable(value) && hasNumbers(value, members) && canSet(value, members),
  );
}

/** A place for one value of any kind. */
export const anyReferenceKind = pointerTo((value: unknown) => isWritable(value) && canSet(value, ['value']));

/** Whether members can be written: they get the value that they have. */
function canSet(value: object, members: readonly string[]): boolean {
  return members.every((member) => Reflect.set(value, member, of(value, member)));
}

/** An array that a call fills. */
export const placeKind = pointerTo((value: unknown) => Array.isArray(value) && !Object.isFrozen(value));

/** An array of structures that a call reads and writes. */
export function structuresKind(...members: readonly string[]): Kind {
  const isRight = (value: unknown): boolean => isWritable(value) && hasNumbers(value, members);
  return pointerTo((value: unknown) => isListOf(value, isRight));
}

/** A number behind a pointer. */
export const referenceKind = writableKind('value');

/** The length of what stands before it: left out, it is all of that. */
export const lengthReferenceKind: Kind = (value) => (value === undefined ? undefined : referenceKind(value));

/** A set of sockets, which comes back; what is no number in it is no socket. */
export const setKind = pointerTo((value: unknown) => {
  if (!isWritable(value)) return false;
  const array = of(value, 'fd_array');
  return isList(array) && !Object.isFrozen(array);
});

/** A buffer behind a pointer. */
export const bufferReferenceKind = pointerTo(
  (value: unknown) => isWritable(value) && isBytes(of(value, 'value')),
);

export const recordKind = writableKind('Internal', 'InternalHigh', 'Offset', 'OffsetHigh', 'hEvent', 'Tag');

const INFO_NUMBERS = [
  'dwServiceFlags1',
  'dwServiceFlags2',
  'dwServiceFlags3',
  'dwServiceFlags4',
  'dwProviderFlags',
  'dwCatalogEntryId',
  'ChainLen',
  'iVersion',
  'iAddressFamily',
  'iMaxSockAddr',
  'iMinSockAddr',
  'iSocketType',
  'iProtocol',
  'iProtocolMaxOffset',
  'iNetworkByteOrder',
  'iSecurityScheme',
  'dwMessageSize',
  'dwProviderReserved',
];

/** A WSAPROTOCOL_INFO that goes in. */
export const infoKind = pointerTo(
  (value: unknown) =>
    isObject(value) &&
    hasNumbers(value, INFO_NUMBERS) &&
    typeof of(value, 'ProviderId') === 'string' &&
    typeof of(value, 'szProtocol') === 'string' &&
    isListOf(of(value, 'ChainEntries'), isNumeric),
);

/** A list of them, and a list of texts, which a call only reads. */
export const infosKind = pointerTo((value: unknown) =>
  isListOf(value, (info) => isObject(info) && infoKind(info) !== WRONG),
);
export const textsKind = pointerTo((value: unknown) => isListOf(value, (text) => typeof text === 'string'));

function isFlow(value: unknown): boolean {
  return isObject(value) && hasNumbers(value, FLOWSPEC_MEMBERS);
}

function isNothingOr(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === null || value === undefined || isRight(value);
}

export const qosKind = pointerTo(
  (value: unknown) =>
    isWritable(value) &&
    isFlow(of(value, 'SendingFlowspec')) &&
    isFlow(of(value, 'ReceivingFlowspec')) &&
    isNothingOr(of(value, 'ProviderSpecific'), isBytes),
);

/** One that comes out. */
export const qosResultKind: Kind = (value) => {
  const seen = qosKind(value);
  if (seen === null || seen === WRONG) return seen;
  return canSet(seen as object, ['SendingFlowspec', 'ReceivingFlowspec', 'ProviderSpecific']) ? seen : WRONG;
};

/** A WSAMSG. */
export const messageKind = pointerTo(
  (value: unknown) =>
    isWritable(value) &&
    hasNumbers(value, ['namelen', 'dwBufferCount', 'ControlLength', 'dwFlags']) &&
    isNothingOr(of(value, 'name'), isBytes) &&
    isNothingOr(of(value, 'Control'), isBytes) &&
    isNothingOr(of(value, 'lpBuffers'), (list) => isListOf(list, isBytes)),
);

/** A file to send: a path, a descriptor, or an object with one. */
function isSource(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'number' ||
    (isObject(value) && typeof of(value, 'fd') === 'number')
  );
}
export const sourceKind = pointerTo(isSource);

export const transmitBuffersKind = pointerTo(
  (value: unknown) =>
    isObject(value) && isNothingOr(of(value, 'Head'), isBytes) && isNothingOr(of(value, 'Tail'), isBytes),
);

function isElement(value: unknown): boolean {
  return (
    isObject(value) &&
    hasNumbers(value, ['dwElFlags', 'cLength', 'nFileOffset']) &&
    isNothingOr(of(value, 'pBuffer'), isBytes) &&
    isNothingOr(of(value, 'hFile'), isSource)
  );
}
export const elementsKind = pointerTo((value: unknown) => isListOf(value, isElement));

/** How a change of a name space is to be told: with a record where its kind has one. */
export const completionKind = pointerTo((value: unknown) => {
  if (!isObject(value) || !hasNumbers(value, ['Type', 'hWnd', 'uMsg', 'context', 'hPort', 'Key']))
    return false;
  const kind = Number(of(value, 'Type'));
  const record = of(value, 'lpOverlapped');
  const hasRecord = kind === NSP_NOTIFY_EVENT || kind === NSP_NOTIFY_PORT || kind === NSP_NOTIFY_APC;
  if (hasRecord && (!isObject(record) || recordKind(record) === WRONG)) return false;
  return kind !== NSP_NOTIFY_APC || typeof of(value, 'lpfnCompletionProc') === 'function';
});

/** How a completion queue of registered I/O is to tell. */
export const notificationKind = pointerTo(
  (value: unknown) =>
    isObject(value) &&
    hasNumbers(value, ['Type', 'EventHandle', 'IocpHandle', 'CompletionKey']) &&
    isNothingOr(of(value, 'Overlapped'), (record) => recordKind(record) !== WRONG),
);

/**
 * The arguments of a call as it shall see them; what no kind is given for stays as it is.
 * @returns `null` when one of them can't be read
 */
export function admitted(kinds: readonly Kind[], args: readonly unknown[]): readonly unknown[] | null {
  const seen: unknown[] = [];
  try {
    const count = Math.max(args.length, kinds.length);
    for (let i = 0; i < count; i++) {
      const kind = kinds[i];
      const value = kind === undefined ? args[i] : kind(args[i]);
      if (value === WRONG) return null;
      seen.push(value);
    }
  } catch {
    // A getter that throws: a page that isn't there.
    return null;
  }
  return seen;
}
