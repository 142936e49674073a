/** The catalog over a connection: what it does without one, with rights by user, watches that end, and answers that lie. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WSA_OPERATION_ABORTED, WSAEINVAL, WSAENETDOWN, WSANO_RECOVERY } from '../../../src/abi/index.ts';
import { type CatalogKeeper, catalogPort, openCatalog } from '../../../src/catalog/index.ts';
import { CatalogOp, type RemotePort } from '../../../src/ipc/index.ts';
import type { AfdCompletion, AfdOp, AfdRequest, CatalogChange } from '../../../src/port/index.ts';
import { DEFAULTS, guid, installChains } from '../catalog/support.ts';
import { eventually, Harness } from './harness.ts';

let harness: Harness;
let keeper: CatalogKeeper;
let client: RemotePort;
let isWriter: boolean;

beforeEach(async () => {
  keeper = openCatalog({ directory: null, defaults: DEFAULTS });
  isWriter = true;
  harness = await Harness.start({
    openCatalog: ({ uid, pid }, program) => catalogPort(keeper, { uid, pid, program }, isWriter),
  });
  client = (await harness.client({ name: 'installer' })).port;
});

afterEach(async () => {
  await harness.close();
  keeper.close();
});

/** A request as no client of ours sends it. */
function raw(op: number, data: Uint8Array | null, id = 77): Promise<AfdCompletion> {
  return new Promise((resolve) => {
    client.onComplete = resolve;
    const request: AfdRequest = {
      id,
      op: op as AfdOp,
      descriptor: 0,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data,
      into: null,
    };
    const completion = client.submit(request);
    if (completion !== null) resolve(completion);
  });
}

const SPACE: CatalogChange = {
  kind: 'install-name-space',
  providerId: guid(3),
  identifier: 'N',
  path: '/n.mjs',
  dwNameSpace: 12,
  version: 1,
  isV2: false,
  blob: Uint8Array.of(0, 128, 255),
};

describe('the catalog over a connection', () => {
  test('is read as it is kept, changed, and tells who changed it', async () => {
    expect(await client.catalog.read()).toEqual(keeper.read());
    expect(await client.catalog.apply(installChains(1))).toEqual({
      error: 0,
      serial: 1,
      ids: [1007, 1008],
      previous: 0,
    });
    await client.catalog.apply(SPACE);
    expect(await client.catalog.read()).toEqual(keeper.read());
    expect(await client.catalog.history()).toEqual(keeper.history());
    expect(keeper.history()[0]).toMatchObject({ who: { uid: 1000, pid: 1234, program: 'installer' } });
  });

  test('anyone reads, and who may not change is told so', async () => {
    isWriter = false;
    expect(await client.catalog.apply(installChains(1))).toMatchObject({ error: WSANO_RECOVERY, serial: 0 });
    expect(await client.catalog.apply(SPACE)).toMatchObject({ error: 10013 });
    expect(await client.catalog.read()).toEqual(keeper.read());
    expect(keeper.history()).toEqual([]);
  });

  test('CFG-FAIL-11 a watch tells every change of others, until it is stopped', async () => {
    const heard: number[] = [];
    const stop = client.catalog.watch((serial) => heard.push(serial));
    await client.catalog.read();
    await eventually(() => harness.server.sessions[0]?.pending === 1);
    keeper.apply(installChains(1), { uid: 0, pid: 0, program: '' });
    await eventually(() => heard.join() === '1');
    await eventually(() => harness.server.sessions[0]?.pending === 1);
    keeper.apply(installChains(2), { uid: 0, pid: 0, program: '' });
    await eventually(() => heard.join() === '1,2');
    await eventually(() => harness.server.sessions[0]?.pending === 1);
    stop();
    await eventually(() => harness.server.sessions[0]?.pending === 0);
  });

  test('what is no change is WSAEINVAL, and a watch can be cancelled', async () => {
    const texts = ['', '{', 'null', '[]', '{"kind":"format-disk"}', '{"kind":"remove-entry","id":-1}'];
    for (const text of texts) {
      expect(await raw(CatalogOp.apply, Buffer.from(text))).toMatchObject({ error: WSAEINVAL });
    }
    expect(await raw(CatalogOp.apply, null)).toMatchObject({ error: WSAEINVAL });
    const watching = raw(CatalogOp.watch, null, 78);
    client.cancel(78);
    expect(await watching).toMatchObject({ error: WSA_OPERATION_ABORTED });
    expect(keeper.read().serial).toBe(0);
  });

  test('when the daemon is gone, nothing can be read or changed', async () => {
    client.catalog.watch(() => {});
    await harness.server.close();
    await eventually(() => client.isOpen === false);
    expect(await client.catalog.read()).toBeNull();
    expect(await client.catalog.apply(installChains(1))).toMatchObject({ error: WSAENETDOWN });
    expect(await client.catalog.history()).toEqual([]);
  });
});

test('a server without a catalog says that there is none', async () => {
  const bare = await Harness.start();
  const { port } = await bare.client();
  expect(await port.catalog.read()).toBeNull();
  expect(await port.catalog.apply(installChains(1))).toMatchObject({ error: WSANO_RECOVERY });
  await bare.close();
});
