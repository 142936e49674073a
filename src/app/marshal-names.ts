/**
 * How the structures of the name functions lie in a mailbox: packed, as `abi/packed` says.
 */

import {
  type ADDRINFOEX,
  type addrinfo,
  type hostent,
  noHints,
  PackedReader,
  Packer,
  packADDRINFOEX,
  packAddrinfo,
  packHostent,
  packProtoent,
  packServent,
  packWSANAMESPACE_INFOEX,
  packWSAQUERYSET,
  packWSAQUERYSET2,
  packWSASERVICECLASSINFO,
  type protoent,
  querySet,
  readADDRINFOEX,
  readAddrinfo,
  readHostent,
  readProtoent,
  readServent,
  readWSANAMESPACE_INFOEX,
  readWSAQUERYSET,
  readWSAQUERYSET2,
  readWSASERVICECLASSINFO,
  type servent,
  type WSANAMESPACE_INFO,
  type WSANAMESPACE_INFOEX,
  type WSAQUERYSET,
  type WSAQUERYSET2,
  WSAQUERYSET2_LEN,
  type WSASERVICECLASSINFO,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { Ref } from '../spi/index.ts';
import type { PROTOCOL_INFO } from '../winsock/index.ts';
import { anyReferenceKind, placeKind, structureKind, writableKind } from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { nullable, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

/** Room for a packed structure that comes back; nothing that Winsock itself gives is larger. */
export const PACKED_ROOM = 64 * 1024;

/** How a structure is packed and read. */
interface Packing<T> {
  pack(value: T): Uint8Array;
  read(bytes: Uint8Array): T | null;
}

function putPacked(box: Mailbox, at: number, bytes: Uint8Array): void {
  putNumber(box, at, bytes.length);
  box.body.set(bytes, at + WORD);
}

function takePacked(box: Mailbox, at: number): Uint8Array {
  return box.body.slice(at + WORD, at + WORD + takeNumber(box, at));
}

/** A structure whose members are of the wrong kinds is not there. */
function packedOrNothing<T>(pack: (value: T) => Uint8Array, value: T): Uint8Array {
  try {
    return pack(value);
  } catch {
    return EMPTY;
  }
}

/** A structure that goes in; one that does not fit arrives as NULL. */
function packedInput<T>({ pack, read }: Packing<T>): Slot<T | null> {
  return nullable<T>({
    kind: structureKind(),
    size: () => WORD + PACKED_ROOM,
    put(box, at, value) {
      const bytes = packedOrNothing(pack, value);
      if (bytes.length <= PACKED_ROOM) putPacked(box, at, bytes);
      else putNumber(box, at, 0);
    },
    take: (box, at) => read(takePacked(box, at)) as T,
  });
}

/** A place for a structure that comes out. */
function packedReference<T>({ pack, read }: Packing<T>): Slot<Ref<T | null> | null> {
  return nullable<Ref<T | null>>({
    kind: anyReferenceKind,
    size: () => WORD + PACKED_ROOM,
    put: (box, at) => putNumber(box, at, 0),
    take: () => ({ value: null }),
    give(box, at, { value }) {
      const bytes = value === null ? null : pack(value);
      if (bytes !== null && bytes.length <= PACKED_ROOM) putPacked(box, at, bytes);
    },
    collect(box, at, value) {
      value.value = read(takePacked(box, at));
    },
  });
}

/** A structure of the caller's that a call fills in: `empty` goes in. */
function packedInto<T extends object>({ pack, read }: Packing<T>, empty: () => T): Slot<T | null> {
  return nullable<T>({
    kind: writableKind(),
    size: () => WORD + PACKED_ROOM,
    put: (box, at) => putNumber(box, at, 0),
    take: empty,
    give(box, at, value) {
      const bytes = pack(value);
      if (bytes.length <= PACKED_ROOM) putPacked(box, at, bytes);
    },
    collect(box, at, value) {
      Object.assign(value, read(takePacked(box, at)) ?? {});
    },
  });
}

/** Hints: four numbers, and whether they say more than they may. */
export const hints: Slot<addrinfo | null> = nullable<addrinfo>({
  kind: structureKind('ai_flags', 'ai_family', 'ai_socktype', 'ai_protocol'),
  size: () => 5 * WORD,
  put(box, at, value) {
    const { ai_flags, ai_family, ai_socktype, ai_protocol, ...others } = value;
    const numbers = [
      ai_flags,
      ai_family,
      ai_socktype,
      ai_protocol,
      Object.values(others).some(Boolean) ? 1 : 0,
    ];
    for (const [i, number] of numbers.entries()) putNumber(box, at + WORD * i, number);
  },
  take(box, at) {
    const [ai_flags = 0, ai_family = 0, ai_socktype = 0, ai_protocol = 0, ai_addrlen = 0] = [
      0, 1, 2, 3, 4,
    ].map((i) => takeNumber(box, at + WORD * i));
    return { ...noHints(), ai_flags, ai_family, ai_socktype, ai_protocol, ai_addrlen };
  },
});

/** An array that a listing fills: its count, then its packed bytes. */
function packedList<T>(
  pack: (values: readonly T[]) => Uint8Array,
  read: (bytes: Uint8Array, count: number) => T[],
): Slot<T[] | null> {
  return nullable<T[]>({
    kind: placeKind,
    size: () => 2 * WORD + PACKED_ROOM,
    put(box, at) {
      putNumber(box, at, 0);
      putNumber(box, at + WORD, 0);
    },
    take: () => [],
    give(box, at, value) {
      const bytes = pack(value);
      if (bytes.length > PACKED_ROOM) return;
      putNumber(box, at, value.length);
      putPacked(box, at + WORD, bytes);
    },
    collect(box, at, value) {
      value.length = 0;
      value.push(...read(takePacked(box, at + WORD), takeNumber(box, at)));
    },
  });
}

const addrinfoPacking: Packing<addrinfo> = { pack: packAddrinfo, read: readAddrinfo };
const addrinfoExPacking: Packing<ADDRINFOEX> = { pack: packADDRINFOEX, read: readADDRINFOEX };
const querySetPacking: Packing<WSAQUERYSET> = {
  pack: (set) => packWSAQUERYSET(set, 'W'),
  read: (bytes) => readWSAQUERYSET(bytes, 'W'),
};
const querySet2Packing: Packing<WSAQUERYSET2> = {
  pack: (set) => packWSAQUERYSET2(set, 'W'),
  read: (bytes) => readWSAQUERYSET2(bytes, 'W'),
};
const classPacking: Packing<WSASERVICECLASSINFO> = {
  pack: (info) => packWSASERVICECLASSINFO(info, 'W'),
  read: (bytes) => readWSASERVICECLASSINFO(bytes, 'W'),
};

export const addrinfoReference = packedReference(addrinfoPacking);
export const addrinfoExReference = packedReference(addrinfoExPacking);
export const hostentReference = packedReference<hostent>({ pack: packHostent, read: readHostent });
export const serventReference = packedReference<servent>({ pack: packServent, read: readServent });
export const protoentReference = packedReference<protoent>({ pack: packProtoent, read: readProtoent });
export const querySetInput = packedInput(querySetPacking);
export const querySetInto = packedInto(querySetPacking, querySet);
export const querySet2Input = packedInput(querySet2Packing);
export const querySet2Into = packedInto(querySet2Packing, () => {
  const { lpServiceClassId: _, ...members } = querySet();
  return { ...members, dwSize: WSAQUERYSET2_LEN };
});
export const classInput = packedInput(classPacking);
export const classInto = packedInto(classPacking, () => ({
  lpServiceClassId: '',
  lpszServiceClassName: null,
  lpClassInfos: [],
}));
export const nameSpacesEx = packedList<WSANAMESPACE_INFOEX>(
  (values) => packWSANAMESPACE_INFOEX(values, 'W'),
  (bytes, count) => readWSANAMESPACE_INFOEX(bytes, count, 'W'),
);
export const nameSpaces = packedList<WSANAMESPACE_INFO>(
  (values) =>
    packWSANAMESPACE_INFOEX(
      values.map((info) => ({ ...info, ProviderSpecific: null })),
      'W',
    ),
  (bytes, count) =>
    readWSANAMESPACE_INFOEX(bytes, count, 'W').map(({ ProviderSpecific: _, ...info }) => info),
);

/** What EnumProtocols fills: seven numbers and a name each. */
export const protocolInfos = packedList<PROTOCOL_INFO>(
  (values) => {
    const out = new Packer('W');
    const first = out.reserve(PROTOCOL_INFO_LEN * values.length);
    for (const [i, { lpProtocol, ...numbers }] of values.entries()) {
      const at = first + PROTOCOL_INFO_LEN * i;
      for (const [k, member] of NUMBERS.entries()) out.i32(at + 4 * k, numbers[member]);
      out.text(at + 32, lpProtocol);
    }
    return out.bytes.slice();
  },
  (bytes, count) => {
    const from = new PackedReader(bytes, 'W');
    return Array.from({ length: count }, (_, i) => {
      const at = PROTOCOL_INFO_LEN * i;
      const numbers = Object.fromEntries(NUMBERS.map((member, k) => [member, from.u32(at + 4 * k)]));
      return { ...(numbers as Omit<PROTOCOL_INFO, 'lpProtocol'>), lpProtocol: from.text(at + 32) ?? '' };
    });
  },
);
const PROTOCOL_INFO_LEN = 40;
const NUMBERS = [
  'dwServiceFlags',
  'iAddressFamily',
  'iMaxSockAddr',
  'iMinSockAddr',
  'iSocketType',
  'iProtocol',
  'dwMessageSize',
] as const;
