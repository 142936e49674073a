/**
 * How the structures that Winsock calls read and fill in lie in a mailbox.
 */

import {
  type fd_set,
  type MSG,
  readWSANETWORKEVENTS,
  readWSAPROTOCOL_INFOW,
  type TIMEVAL,
  type WSADATA,
  type WSANETWORKEVENTS,
  WSANETWORKEVENTS_LEN,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
  writeWSANETWORKEVENTS,
  writeWSAPROTOCOL_INFOW,
} from '../abi/index.ts';
import type { Ref, WSAPOLLFD } from '../spi/index.ts';
import { WSA_DESCRIPTION, WSA_SYSTEM_STATUS } from '../winsock/index.ts';
import {
  anyReferenceKind,
  infoKind,
  placeKind,
  setKind,
  structureKind,
  structuresKind,
  writableKind,
} from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { numbersAt } from './marshal.ts';
import { aligned, NULL, nullable, PRESENT, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

/** A set of sockets; it comes back no larger. */
export const set: Slot<fd_set | null> = nullable({
  kind: setKind,
  size: (value) => WORD + WORD * value.fd_array.length,
  put: (box, at, value) => putNumbers(box, at, value.fd_array),
  take: (box, at) => ({ fd_array: numbersAt(box, at) }),
  give: (box, at, value) => putNumbers(box, at, value.fd_array),
  collect: (box, at, value) => {
    value.fd_array = numbersAt(box, at);
  },
});

function putNumbers(box: Mailbox, at: number, values: readonly number[]): void {
  putNumber(box, at, values.length);
  for (let i = 0; i < values.length; i++) putNumber(box, at + WORD + WORD * i, values[i] as number);
}

export const time: Slot<TIMEVAL | null> = nullable({
  kind: structureKind('tv_sec', 'tv_usec'),
  size: () => 2 * WORD,
  put(box, at, value) {
    putNumber(box, at, value.tv_sec);
    putNumber(box, at + WORD, value.tv_usec);
  },
  take: (box, at) => ({ tv_sec: takeNumber(box, at), tv_usec: takeNumber(box, at + WORD) }),
});

/** Bytes of a WSAPOLLFD here. */
const POLLFD_LEN = 3 * WORD;

export const pollfds: Slot<WSAPOLLFD[] | null> = nullable({
  kind: structuresKind('fd', 'events'),
  size: (value) => WORD + POLLFD_LEN * value.length,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, { fd, events }] of value.entries()) {
      putNumber(box, at + WORD + POLLFD_LEN * i, fd);
      putNumber(box, at + WORD + POLLFD_LEN * i + WORD, events);
    }
  },
  take: (box, at) =>
    Array.from({ length: takeNumber(box, at) }, (_, i) => ({
      fd: takeNumber(box, at + WORD + POLLFD_LEN * i),
      events: takeNumber(box, at + WORD + POLLFD_LEN * i + WORD),
      revents: 0,
    })),
  give(box, at, value) {
    for (const [i, { revents }] of value.entries()) {
      putNumber(box, at + WORD + POLLFD_LEN * i + 2 * WORD, revents);
    }
  },
  collect(box, at, value) {
    for (const [i, fd] of value.entries()) {
      fd.revents = takeNumber(box, at + WORD + POLLFD_LEN * i + 2 * WORD);
    }
  },
});

/** What WSAEnumNetworkEvents fills in. */
export const networkEvents: Slot<WSANETWORKEVENTS | null> = nullable({
  kind: writableKind('lNetworkEvents'),
  size: () => aligned(WSANETWORKEVENTS_LEN),
  put: () => {},
  take: () => ({ lNetworkEvents: 0, iErrorCode: [] }),
  give(box, at, value) {
    writeWSANETWORKEVENTS(box.body, at, value);
  },
  collect(box, at, value) {
    const events = readWSANETWORKEVENTS(box.body, at);
    if (events !== null) Object.assign(value, events);
  },
});

const infoSlot: Slot<WSAPROTOCOL_INFO> = {
  kind: infoKind,
  size: () => aligned(WSAPROTOCOL_INFOW_LEN),
  put(box, at, value) {
    writeWSAPROTOCOL_INFOW(box.body, at, value);
  },
  take: (box, at) => readInfo(box, at),
};

/** 628 bytes are always there, so that reading cannot fail. */
function readInfo(box: Mailbox, at: number): WSAPROTOCOL_INFO {
  return readWSAPROTOCOL_INFOW(box.body, at) as WSAPROTOCOL_INFO;
}

/** A catalog entry that goes in. */
export const info: Slot<WSAPROTOCOL_INFO | null> = nullable(infoSlot);

/** A place for one that comes out. */
export const infoReference: Slot<Ref<WSAPROTOCOL_INFO | null> | null> = nullable<
  Ref<WSAPROTOCOL_INFO | null>
>({
  kind: anyReferenceKind,
  size: () => WORD + aligned(WSAPROTOCOL_INFOW_LEN),
  put: (box, at) => putNumber(box, at, NULL),
  take: () => ({ value: null }),
  give(box, at, { value }) {
    putNumber(box, at, value === null ? NULL : PRESENT);
    if (value !== null) infoSlot.put(box, at + WORD, value);
  },
  collect(box, at, value) {
    value.value = takeNumber(box, at) === NULL ? null : readInfo(box, at + WORD);
  },
});

/** Most entries that WSAEnumProtocols and WSCEnumProtocols bring back; the latter lists all that a catalog holds. */
const INFOS_MAX = 64;
const STORED_INFOS_MAX = 512;

/** An array that a listing fills with at most so many entries. */
const listOfInfos = (most: number): Slot<WSAPROTOCOL_INFO[]> => ({
  kind: placeKind,
  size: () => WORD + most * aligned(WSAPROTOCOL_INFOW_LEN),
  put: (box, at) => putNumber(box, at, 0),
  take: () => [],
  give(box, at, value) {
    const count = Math.min(value.length, most);
    putNumber(box, at, count);
    for (let i = 0; i < count; i++) {
      infoSlot.put(box, at + WORD + i * aligned(WSAPROTOCOL_INFOW_LEN), value[i] as WSAPROTOCOL_INFO);
    }
  },
  collect(box, at, value) {
    value.length = 0;
    const count = takeNumber(box, at);
    for (let i = 0; i < count; i++) value.push(readInfo(box, at + WORD + i * aligned(WSAPROTOCOL_INFOW_LEN)));
  },
});

export const infos: Slot<WSAPROTOCOL_INFO[] | null> = nullable(listOfInfos(INFOS_MAX));
export const storedInfos: Slot<WSAPROTOCOL_INFO[] | null> = nullable(listOfInfos(STORED_INFOS_MAX));

/** What WSAStartup fills in; its texts are this project's own and need not travel. */
export const data: Slot<WSADATA | null> = nullable({
  kind: writableKind(),
  size: () => 4 * WORD,
  put: (box, at) => putNumber(box, at, 0),
  take: () => ({
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  }),
  give(box, at, value) {
    putNumber(box, at, value.wVersion);
    putNumber(box, at + WORD, value.wHighVersion);
    putNumber(box, at + 2 * WORD, value.iMaxSockets);
    putNumber(box, at + 3 * WORD, value.iMaxUdpDg);
  },
  collect(box, at, value) {
    value.wVersion = takeNumber(box, at);
    value.wHighVersion = takeNumber(box, at + WORD);
    value.iMaxSockets = takeNumber(box, at + 2 * WORD);
    value.iMaxUdpDg = takeNumber(box, at + 3 * WORD);
    value.szDescription = WSA_DESCRIPTION;
    value.szSystemStatus = WSA_SYSTEM_STATUS;
  },
});

/** A message that comes out of a queue. */
export const message: Slot<MSG | null> = nullable({
  kind: writableKind(),
  size: () => 5 * WORD,
  put: (box, at, value) => putMessage(box, at, value),
  take: (box, at) => takeMessage(box, at),
  give: (box, at, value) => putMessage(box, at, value),
  collect(box, at, value) {
    Object.assign(value, takeMessage(box, at));
  },
});

function putMessage(
  box: Mailbox,
  at: number,
  { hwnd, message: number, wParam, lParam, time: posted }: MSG,
): void {
  for (const [i, value] of [hwnd, number, wParam, lParam, posted].entries())
    putNumber(box, at + WORD * i, value);
}

function takeMessage(box: Mailbox, at: number): MSG {
  return {
    hwnd: takeNumber(box, at),
    message: takeNumber(box, at + WORD),
    wParam: takeNumber(box, at + 2 * WORD),
    lParam: takeNumber(box, at + 3 * WORD),
    time: takeNumber(box, at + 4 * WORD),
  };
}
