import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createLocalHost } from '../../../src/app/local.ts';
import { connectRemote, createIpcServer } from '../../../src/ipc/index.ts';
import type { BehaviorProfile } from '../../../src/port/index.ts';
import { WinsockProcess } from '../../../src/winsock/process.ts';

const CASES: readonly [BehaviorProfile | undefined, BehaviorProfile | undefined, BehaviorProfile][] = [
  [undefined, undefined, 'windows'],
  ['windows', undefined, 'windows'],
  ['windows-mobile', undefined, 'windows-mobile'],
  ['windows-mobile', 'windows', 'windows'],
  ['windows', 'windows-mobile', 'windows-mobile'],
];

test.each(CASES)('a daemon of profile %s, asked for %s, shows %s', async (daemon, asked, shown) => {
  const folder = await mkdtemp(join(tmpdir(), 'wsk-profile-'));
  const host = createLocalHost();
  const server = await createIpcServer({
    path: join(folder, 'daemon'),
    identify: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
    ...(daemon === undefined ? {} : { profile: daemon }),
  });
  const port = await connectRemote(join(folder, 'daemon'));
  expect(new WinsockProcess({ port, profile: asked }).profile).toBe(shown);
  port.close();
  await server.close();
  host.close();
  await rm(folder, { recursive: true });
});
