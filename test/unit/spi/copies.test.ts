/** An application and a layer that have a copy of the package each, as when both were installed by themselves. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { layeredHosts } from '../../../src/app/provider-test.ts';
import { defineLayer } from '../../../src/spi/index.ts';
import { compileRooms } from '../../support/compiled.ts';

let other: { readonly defineLayer: typeof defineLayer };
beforeAll(async () => {
  other = await import(pathToFileURL(join(compileRooms('spi'), 'spi/index.js')).href);
});

test.each(['system', 'own'] as const)('a layer of another copy works, handles: %s', async (handles) => {
  expect(other.defineLayer).not.toBe(defineLayer);
  let connects = 0;
  const startup = other.defineLayer(
    (next) => ({
      WSPConnect(...args) {
        connects++;
        return next.WSPConnect(...args);
      },
    }),
    { handles },
  );
  const { own, peer, connection, faults, failures, close } = await layeredHosts([{ startup, handles }]);
  const { s, served } = await connection(80);
  await own.send(s, Buffer.from('hello'));
  expect(await peer.recv(served, Buffer.alloc(8))).toBe(5);
  expect([connects, faults, failures]).toEqual([1, [], []]);
  await close();
});
