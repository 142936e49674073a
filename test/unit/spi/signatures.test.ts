/**
 * That a layer with a wrong signature does not compile, for each of the 30 calls. `tsc` is what tests here: the values only say that
 * their types are what they are.
 */

import { expect, test } from '@jest/globals';
import { defineLayer, type LayerCalls, WSP_ENTRIES, type WSPPROC_TABLE } from '../../../src/spi/index.ts';

type Name = keyof WSPPROC_TABLE;
type Calls = ReturnType<LayerCalls>;
/** Whether a layer may make a call in that way. */
type Fits<Each extends Name, Call> = Call extends NonNullable<Calls[Each]> ? 'fits' : 'does not';
/** What callers give, with one more that they do not. */
type More<Each extends Name> = (...args: [...Parameters<WSPPROC_TABLE[Each]>, number]) => number;

type Nothing = Record<never, never>;
/** A first parameter of another type; of a call without parameters, one that nobody gives. */
type OtherFirst = (first: symbol) => number;
/** A first parameter that takes less than callers give. */
type NarrowFirst<Each extends Name> =
  Parameters<WSPPROC_TABLE[Each]> extends [infer First, ...unknown[]]
    ? (first: First & Nothing & { readonly more: true }) => number
    : OtherFirst;

type All<Answer> = { readonly [Each in Name]: Answer };

const ofWrongAnswer: { readonly [Each in Name]: Fits<Each, () => string> } = all('does not');
const ofNoAnswer: { readonly [Each in Name]: Fits<Each, () => void> } = all('does not');
const ofWrongPromise: { readonly [Each in Name]: Fits<Each, () => Promise<string>> } = all('does not');
const withOtherFirst: { readonly [Each in Name]: Fits<Each, OtherFirst> } = all('does not');
const withNarrowFirst: { readonly [Each in Name]: Fits<Each, NarrowFirst<Each>> } = all('does not');
const withMore: { readonly [Each in Name]: Fits<Each, More<Each>> } = all('does not');
/** What is right fits, or the above would say nothing. */
const right: { readonly [Each in Name]: Fits<Each, WSPPROC_TABLE[Each]> } = all('fits');
const withFewer: { readonly [Each in Name]: Fits<Each, () => number> } = all('fits');

function all<Answer>(answer: Answer): All<Answer> {
  return Object.fromEntries(WSP_ENTRIES.map((name) => [name, answer])) as All<Answer>;
}

test('each of the 30 calls: a wrong answer, a wrong parameter and one too many do not compile', () => {
  for (const wrong of [
    ofWrongAnswer,
    ofNoAnswer,
    ofWrongPromise,
    withOtherFirst,
    withNarrowFirst,
    withMore,
  ]) {
    expect(Object.entries(wrong)).toHaveLength(30);
    expect(new Set(Object.values(wrong))).toEqual(new Set(['does not']));
  }
  for (const good of [right, withFewer]) expect(new Set(Object.values(good))).toEqual(new Set(['fits']));
});

test('what people get wrong does not compile', () => {
  const layers = [
    // @ts-expect-error there is no such call
    defineLayer((next) => ({ WSPConect: next.WSPConnect })),
    // @ts-expect-error the parameters are swapped
    defineLayer((next) => ({ WSPBind: (s, name, namelen) => next.WSPBind(s, namelen, name) })),
    // @ts-expect-error one is missing
    defineLayer((next) => ({ WSPListen: (s) => next.WSPListen(s) })),
    // @ts-expect-error null may come, too
    defineLayer(() => ({ WSPBind: (_s, name: Uint8Array) => name.length })),
    // @ts-expect-error nothing is answered
    defineLayer((next) => ({ WSPShutdown: (s, how) => void next.WSPShutdown(s, how) })),
    // @ts-expect-error another call's
    defineLayer((next) => ({ WSPRecv: next.WSPSend })),
    // @ts-expect-error it is no kind of handles
    defineLayer(() => ({}), { handles: 'ifs' }),
  ];
  expect(layers).toHaveLength(7);
});
