/**
 * Calls with arguments that a compiler would not let through: any value in any place, among them handles, buffers and structures that are
 * right, so that a call gets past its first checks.
 */

import fc from 'fast-check';

/** Any function. */
export type AnyFunction = (...args: readonly unknown[]) => unknown;

/** A module whose functions are called. */
export type Face = Readonly<Record<string, unknown>>;

/** What is there when a call is made. */
export interface Handles {
  readonly socket: number;
  readonly stream: number;
  readonly event: number;
  readonly port: number;
  readonly window: number;
}

/** An argument, made anew for each call out of the handles that are there. */
type Make = (handles: Handles) => unknown;

class Thrower {
  get value(): number {
    throw new Error('this page is not there');
  }
  get length(): number {
    throw new Error('nor this one');
  }
}

const always = (make: Make): fc.Arbitrary<Make> => fc.constant(make);

/** Values of every kind, wrong ones first. */
const argument: fc.Arbitrary<Make> = fc.oneof(
  fc
    .anything({
      withBigInt: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      maxDepth: 2,
    })
    .map((value) => () => value),
  fc
    .constantFrom<unknown>(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1.5,
      -1,
      2 ** 53,
      2 ** 31,
      2 ** 32,
      -(2 ** 31),
      5n,
      1e300,
      true,
      null,
      undefined,
    )
    .map((value) => () => value),
  fc
    .constantFrom<unknown>(
      Symbol('s'),
      Symbol.iterator,
      () => 1,
      () => {
        throw new Error('a routine');
      },
      class {},
      /x/,
    )
    .map((value) => () => value),
  always(() => new Thrower()),
  always(() => Object.freeze({ value: 0, fd_array: Object.freeze([]), Internal: 0, hEvent: 0 })),
  always(() => Object.freeze([])),
  always(() => ({ value: Symbol('v') })),
  always(() => new Array(5)),
  always(() => [{ fd: 5n, events: Symbol('e') }]),
  fc.nat(40).map((value) => () => value),
  fc
    .constantFrom('', '127.0.0.1', 'localhost', '::1', '127.0.0.1:9', 'tcp', '0', 'x'.repeat(300))
    .map((value) => () => value),
  always((handles) => handles.socket),
  always((handles) => handles.stream),
  always((handles) => handles.event),
  always((handles) => handles.port),
  always((handles) => handles.window),
  always(() => new Uint8Array(16)),
  always(() => Uint8Array.of(2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
  always(() => new Uint8Array(0)),
  always(() => [new Uint8Array(4), new Uint8Array(0)]),
  always(() => ({ value: 16 })),
  always(() => ({ value: null })),
  always(({ event }) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: event })),
  always(({ socket }) => ({ fd_array: [socket] })),
  always(({ socket }) => [{ fd: socket, events: 0x300, revents: 0 }]),
  always(({ event }) => [event]),
  always(() => ({ tv_sec: 0, tv_usec: 1000 })),
  always(() => ({ tv_sec: 5n, tv_usec: Number.NaN })),
  always(() => []),
);

/** One call: the function's name and its arguments. */
export interface AnyCall {
  readonly name: string;
  readonly args: readonly Make[];
}

/** Calls of the functions of those names; the earlier arguments of a call are more often right. */
export function anyCall(names: readonly string[]): fc.Arbitrary<AnyCall> {
  const first = fc.oneof(
    always((handles) => handles.socket),
    always((handles) => handles.stream),
    argument,
  );
  return fc.record({
    name: fc.constantFrom(...names),
    args: fc
      .tuple(first, fc.array(argument, { maxLength: 10 }))
      .chain(([head, tail]) => fc.nat(11).map((length) => [head, ...tail].slice(0, length))),
  });
}

/** What of the room of numbers and layouts is C's; the rest are codecs of this project's own, whose errors are exceptions. */
const MACROS = /^(FD_|WSAGET|WSAMAKE|_WSAIO|SOMAXCONN_HINT)/;
/** Other functions of its own. */
const OWN = new Set(['attachTo', 'attachedTo', 'asyncWinsock', 'WinsockError']);

/** The functions of a face that stand for C's. @param abi the room of numbers and layouts, which a face exports too */
export function functionsOf(face: Face, abi: Face): string[] {
  return Object.keys(face).filter(
    (name) =>
      typeof face[name] === 'function' && !OWN.has(name) && (MACROS.test(name) || face[name] !== abi[name]),
  );
}

/** Where a call is told how long to wait, whatever happens. */
const WAIT_AT: Readonly<Record<string, number>> = { SleepEx: 0, WaitForSingleObjectEx: 1 };
/** The longest wait, ms. */
const WAIT_MAX = 10;

/** The arguments of a call. */
export function argumentsOf({ name, args }: AnyCall, handles: Handles): unknown[] {
  const made = args.map((make) => make(handles));
  const at = WAIT_AT[name];
  // A wait of 49 days is right, but too long.
  if (at !== undefined && typeof made[at] === 'number') made[at] = Math.min(Math.abs(made[at]), WAIT_MAX);
  return made;
}
