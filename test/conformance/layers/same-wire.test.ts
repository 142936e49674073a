/**
 * The wire with layers and without: the same session gives the same frames, to the byte, whatever passes its calls on.
 */

import { expect, test } from '@jest/globals';
import { trace } from '../../../src/layers/trace/index.ts';
import { passThrough, type TestLayer } from '../../support/chains.ts';
import { layeredHosts } from '../../support/layered-hosts.ts';
import { datagramSession, type Ends, serveSession, streamSession } from '../../support/wire-session.ts';

const FOUR: Ends = { own: '10.0.0.1', peer: '10.0.0.2', ownPort: 5000, peerPort: 7000 };
const SIX: Ends = { own: 'fd00::1', peer: 'fd00::2', ownPort: 5000, peerPort: 7000 };

const OWN = { handles: 'own' } as const;
const tracing = (): TestLayer => ({ startup: trace({ sink: () => {} }), isIfs: true });

/** Chains whose layers change nothing, lowest first. */
const CHAINS: readonly (readonly [string, () => readonly TestLayer[]])[] = [
  ['a layer of system handles', () => [passThrough()]],
  ['a layer with its own handles', () => [passThrough(OWN)]],
  ['the trace layer', () => [tracing()]],
  [
    'six layers of both kinds',
    () =>
      [
        passThrough(),
        tracing(),
        passThrough(),
        passThrough(OWN),
        { startup: trace({ sink: () => {} }), isIfs: true },
        passThrough(OWN),
      ].sort((one, two) => Number(two.isIfs) - Number(one.isIfs)),
  ],
];

/** All sessions over some layers. @returns what came, and the frames, in hex */
async function over(layers: readonly TestLayer[]): Promise<{ came: string[]; frames: string[] }> {
  const hosts = layeredHosts(layers);
  const came: string[] = [];
  for (const ends of [FOUR, SIX]) {
    const { over: served } = await serveSession(hosts.b, ends);
    came.push(await streamSession(hosts.a, ends), await datagramSession(hosts.a, ends));
    await served;
  }
  expect([hosts.faults, hosts.failures]).toEqual([[], []]);
  await hosts.close();
  return { came, frames: hosts.frames };
}

let plain: Awaited<ReturnType<typeof over>> | null = null;

test.each(CHAINS)(
  'CAT-LOAD-05, CAT-LOAD-09, CAT-LOAD-10 through %s the frames are those without it',
  async (_name, layers) => {
    plain ??= await over([]);
    expect(plain.frames.length).toBeGreaterThan(60);
    const layered = await over(layers());
    expect(layered.came).toEqual(plain.came);
    expect(layered.frames).toEqual(plain.frames);
  },
);
