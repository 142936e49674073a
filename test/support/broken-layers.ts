/**
 * Layers that break: each way of breaking, in any one call of the 30, from the moment on that a test says so.
 */

import {
  defineLayer,
  type Layer,
  type LayerOptions,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
} from '../../src/spi/index.ts';
import type { TestLayer } from './chains.ts';

type Entry = keyof WSPPROC_TABLE;
type AnyCall = (...args: readonly unknown[]) => unknown;

/** What a call that breaks has. */
interface Broken {
  /** The same call of the provider below. */
  readonly below: AnyCall;
  readonly args: readonly unknown[];
  readonly next: WSPPROC_TABLE;
  readonly layer: Layer;
  /** Makes the call again, from the top. */
  readonly again: () => unknown;
}

/** One way of breaking. */
export interface Way {
  readonly name: string;
  /** Somebody must be told: the call is no provider's. */
  readonly isFault: boolean;
  readonly act: (call: Broken) => unknown;
}

const nothing = Object.create(null) as object;
const neverPrinted = {
  toString(): string {
    throw new Error('it cannot be shown');
  },
};
const hostile = {
  // biome-ignore lint/suspicious/noThenProperty: what this is about
  get then(): unknown {
    throw new Error('no promise');
  },
};
const twice = {
  // biome-ignore lint/suspicious/noThenProperty: what this is about
  then(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
    resolve(-10035);
    resolve('again');
    reject(new Error('and again'));
    throw new Error('and once more');
  },
};

const fault = (name: string, act: Way['act']): Way => ({ name, isFault: true, act });
const answers = (name: string, answer: unknown): Way => fault(`answers ${name}`, () => answer);
const throws = (name: string, thrown: unknown): Way =>
  fault(`throws ${name}`, () => {
    throw thrown;
  });

/** All ways. */
export const WAYS: readonly Way[] = [
  throws('an error', new TypeError('on purpose')),
  throws('nothing', undefined),
  throws('what cannot be shown', neverPrinted),
  throws('an object without a prototype', nothing),
  fault('throws after the call below', ({ below, args }) => {
    void below(...args);
    throw new Error('late');
  }),
  answers('nothing', undefined),
  answers('NaN', Number.NaN),
  answers('a text', '0'),
  answers('a bigint', 0n),
  answers('half a byte', 0.5),
  answers('far too much', 2 ** 40),
  answers('an object without a prototype', nothing),
  answers('what throws when it is asked', hostile),
  fault('answers a promise of a text', () => Promise.resolve('0')),
  fault('answers a promise that rejects', () => Promise.reject(nothing)),
  fault('never answers', () => new Promise(() => {})),
  fault('writes nonsense and goes on', ({ below, args }) => {
    for (const arg of args) spoil(arg);
    const answer = below(...args);
    for (const arg of args) spoil(arg);
    // Where there is nothing to write, it says so.
    return args.some(isSpoilt) ? answer : nothing;
  }),
  { name: 'completes twice', isFault: false, act: () => twice },
  {
    name: 'completes what it has handed down',
    isFault: false,
    act({ below, args, layer }) {
      const answer = below(...args);
      const record = args.find((arg) => isPlace(arg, 'hEvent')) as never;
      if (record !== undefined) {
        for (let i = 0; i < 2; i++)
          layer.ws2.WPUCompleteOverlappedRequest(args[0] as number, record, 10054, 0);
      }
      return answer;
    },
  },
  {
    name: 'closes the socket below first',
    isFault: false,
    act({ below, args, next }) {
      if (typeof args[0] === 'number') void next.WSPCloseSocket(args[0]);
      return below(...args);
    },
  },
  fault('calls itself without end', ({ again }) => again()),
];

/** Writes into every place of an argument that has some. */
function spoil(arg: unknown): void {
  if (isPlace(arg, 'value')) arg['value'] = nothing;
  if (isPlace(arg, 'fd_array')) arg['fd_array'] = null;
  if (isPlace(arg, 'Internal')) arg['Internal'] = 'x';
  if (isPlace(arg, 'lNetworkEvents')) arg['iErrorCode'] = 5n;
}

function isSpoilt(arg: unknown): boolean {
  return ['value', 'fd_array', 'Internal', 'lNetworkEvents'].some((member) => isPlace(arg, member));
}

function isPlace(arg: unknown, member: string): arg is Record<string, unknown> {
  return typeof arg === 'object' && arg !== null && !Object.isFrozen(arg) && member in arg;
}

/** A layer that makes all calls, one of which can be broken. */
export class BrokenLayer {
  /** While it is, the call breaks. */
  isBad = false;
  readonly installed: TestLayer;

  constructor(entry: Entry, way: Way, options: LayerOptions = {}) {
    const startup = defineLayer(
      (next, layer) => {
        const calls: Record<string, unknown> = {};
        for (const name of WSP_ENTRIES) {
          const below = next[name] as AnyCall;
          const call: AnyCall = (...args) => {
            if (!this.isBad || name !== entry) return below(...args);
            return way.act({ below, args, next, layer, again: () => call(...args) });
          };
          calls[name] = call;
        }
        return calls as Partial<WSPPROC_TABLE>;
      },
      { ...options, name: 'broken' },
    );
    this.installed = { startup, isIfs: options.handles !== 'own' };
  }
}
