/**
 * Places that a call writes besides its answer: what a layer may leave there, and find there. ws2_32 and the faces above it read them as
 * what they are in C, so that something else is nonsense as much as a wrong answer is.
 */

import { ntStatusOf, WSAENETDOWN, type WSANETWORKEVENTS } from '../abi/index.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Ref, WSAOVERLAPPED } from './types.ts';

/** What a place is, of an argument that is not NULL. */
interface PlaceKind<T> {
  isRight(place: T): boolean;
  /** Makes it what it may be. */
  mend(place: T): void;
}

/** A reference whose value is of some type. */
const referenceTo = (isRight: (value: unknown) => boolean, otherwise: unknown): PlaceKind<Ref<unknown>> => ({
  isRight: (place) => isRight(place.value),
  mend(place) {
    place.value = otherwise;
  },
});
const number = referenceTo(isNumber, 0);
const text = referenceTo((value) => typeof value === 'string', '');
const structure = referenceTo((value) => typeof value === 'object', null);
const bytes = referenceTo((value) => value === null || value instanceof Uint8Array, null);
const sockets: PlaceKind<{ fd_array: unknown }> = {
  isRight: ({ fd_array }) => Array.isArray(fd_array) && fd_array.every(isNumber),
  mend(set) {
    set.fd_array = [];
  },
};
const record: PlaceKind<WSAOVERLAPPED> = {
  isRight: ({ Internal, InternalHigh, Offset, hEvent }) =>
    isNumber(Internal) && isNumber(InternalHigh) && isNumber(Offset) && isNumber(hEvent),
  mend(place) {
    place.Internal = ntStatusOf(WSAENETDOWN);
    place.InternalHigh = 0;
    place.Offset = 0;
    if (!isNumber(place.hEvent)) place.hEvent = 0;
  },
};
const events: PlaceKind<WSANETWORKEVENTS> = {
  isRight: ({ lNetworkEvents, iErrorCode }) => isNumber(lNetworkEvents) && Array.isArray(iErrorCode),
  mend(place) {
    place.lNetworkEvents = 0;
    place.iErrorCode = [];
  },
};

type Place = readonly [at: number, kind: PlaceKind<never>];

/** By call: which arguments are what. */
const PLACES: { readonly [K in keyof WSPPROC_TABLE]?: readonly Place[] } = {
  WSPAccept: [[2, number]],
  WSPAddressToString: [
    [3, text],
    [4, number],
  ],
  WSPConnect: [[4, bytes]],
  WSPDuplicateSocket: [[2, structure]],
  WSPEnumNetworkEvents: [[2, events]],
  WSPGetOverlappedResult: [
    [1, record],
    [3, number],
  ],
  WSPGetPeerName: [[2, number]],
  WSPGetSockName: [[2, number]],
  WSPGetSockOpt: [[4, number]],
  WSPIoctl: [
    [6, record],
    [9, number],
  ],
  WSPJoinLeaf: [[4, bytes]],
  WSPRecv: [
    [3, number],
    [4, record],
  ],
  WSPRecvDisconnect: [[1, bytes]],
  WSPRecvFrom: [
    [3, number],
    [5, number],
    [6, record],
  ],
  WSPSelect: [
    [1, sockets],
    [2, sockets],
    [3, sockets],
  ],
  WSPSend: [[4, record]],
  WSPSendTo: [[6, record]],
  WSPStringToAddress: [[4, number]],
};

/** The places of one call; made once, for all times that it is made. */
export class Places {
  readonly #count: number;
  readonly #at: readonly number[];
  readonly #kinds: readonly PlaceKind<unknown>[];

  /** @param name a call without any may have any name */
  constructor(name: string) {
    const places = (PLACES as { readonly [call: string]: readonly Place[] })[name] ?? [];
    this.#count = places.length;
    this.#at = places.map(([at]) => at);
    this.#kinds = places.map(([, kind]) => kind as PlaceKind<unknown>);
  }

  /** Whether all hold what they may. */
  areRight(args: readonly unknown[]): boolean {
    for (let i = 0; i < this.#count; i++) if (!this.#isRight(args, i)) return false;
    return true;
  }

  /** Makes those right that are not, for whoever reads them next. */
  mend(args: readonly unknown[]): void {
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isRight(args, i)) this.#kinds[i]?.mend(args[this.#at[i] as number]);
    }
  }

  #isRight(args: readonly unknown[], i: number): boolean {
    const place = args[this.#at[i] as number] ?? null;
    return place === null || (this.#kinds[i] as PlaceKind<unknown>).isRight(place);
  }
}

/** A member that nobody has written is the application's. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || value === undefined;
}
