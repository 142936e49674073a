/**
 * The provider host as its users see it: an application in C starts one, reaches its sockets through it with layers and without, and
 * nothing is left whoever of the three is killed. Nobody can claim to be somebody else.
 */

import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ChainStatus, DaemonStatus } from '../../src/port/index.ts';
import {
  type Application,
  childrenOf,
  compiler,
  HostedApplications,
  isAlive,
  processField,
} from '../support/hosted-applications.ts';
import { until } from '../support/live-host.ts';

jest.setTimeout(60_000);

/** Where descriptors of sockets begin that layers stand above. */
const FIRST_LAYERED = 0x4000_0000;
const EXCHANGED = /^sockets [\d ]+$/m;
const OTHER_USER = 54_321;

/** A call after which nothing but promises runs. */
const LOOPS_IN_PROMISES = `WSPListen(...args) {
  const again = () => void Promise.resolve().then(again);
  again();
  return next.WSPListen(...args);
}`;

const isRoot = process.getuid?.() === 0;
const testAsRoot = isRoot ? test : test.skip;

(compiler === undefined ? describe.skip : describe)(
  `the provider host of a C application${compiler === undefined ? ': skipped, there is no C compiler' : ''}`,
  () => {
    let place: HostedApplications;
    let calls: string;
    let layer: string;

    beforeAll(() => {
      place = new HostedApplications();
      calls = place.write('calls', '');
      layer = place.write('layer.mjs', writesDown(place.room('spi'), calls));
    });
    beforeEach(() => place.startDaemon());
    afterEach(async () => {
      await place.endApplications();
      rmSync(calls, { force: true });
    });
    afterAll(() => place.dispose());

    /** All of the sockets are the application's, as far as anybody can tell. */
    async function expectOwner({ pid }: Application): Promise<void> {
      const pids = (await place.sockets()).flatMap((status) => status.pids);
      expect(new Set(pids)).toEqual(new Set([pid]));
    }

    const hostIsGone = (application: Application): Promise<void> =>
      until('the host has gone, too', () => !isAlive(application.number('host')));

    test('TCP and UDP without layers, under the application’s process id', async () => {
      const application = await place.run('wait', EXCHANGED);
      expect(application.output).toMatch(/^tcp there and back\nudp one message\nsockets 1 2 3 4 5\n$/m);
      await expectOwner(application);
      expect(isAlive(application.number('host'))).toBe(true);
    });

    test('TCP and UDP through a layer, which sees every call', async () => {
      await place.install(layer);
      const application = await place.run('wait', EXCHANGED);
      expect(application.output).toMatch(/^tcp there and back\nudp one message\n/m);
      const [descriptors = ''] = /(?<=^sockets ).*$/m.exec(application.output) ?? [];
      expect(descriptors.split(' ').every((each) => Number(each) >= FIRST_LAYERED)).toBe(true);
      const seen = new Set(readFileSync(calls, 'utf8').trim().split('\n'));
      // Rules of layers are about the application, not about its host.
      expect(seen).toContain(`application ${place.client} ${application.pid}`);
      expect([...seen].sort()).toEqual(
        expect.arrayContaining([
          'WSPAccept',
          'WSPBind',
          'WSPConnect',
          'WSPRecv',
          'WSPRecvFrom',
          'WSPSend',
          'WSPSendTo',
        ]),
      );
      await expectOwner(application);
      // What `winsockd chain PID` shows: the application's layers, told by its host.
      const { rows } = await place.ask<ChainStatus>(`/v1/processes/${application.pid}/chain?seconds=0.05`);
      expect(rows.map(({ depth }) => depth).sort()).toEqual(
        rows.map((_row, i) => (i < rows.length / 2 ? 0 : 1)),
      );
      expect(new Set(rows.map(({ s }) => s)).size).toBe(descriptors.split(' ').length);
    });

    test('the threads of an application share one host, two applications have two', async () => {
      const [one, two] = [await place.run('threads', /^threads 4$/m), await place.run('wait', EXCHANGED)];
      for (const application of [one, two]) {
        expect(childrenOf(application.pid)).toEqual([application.number('host')]);
      }
      const owners = new Set((await place.sockets()).flatMap(({ pids }) => pids));
      expect(owners).toEqual(new Set([one.pid, two.pid]));
    });

    testAsRoot(
      `it has the application’s rights${isRoot ? '' : ': skipped, only root is others'}`,
      async () => {
        await place.install(layer);
        const application = await place.run('wait', EXCHANGED, { uid: OTHER_USER });
        const host = application.number('host');
        for (const field of ['Uid', 'Gid']) {
          expect(new Set(processField(host, field).split(/\s+/))).toEqual(new Set([`${OTHER_USER}`]));
        }
        await expectOwner(application);
      },
    );

    test('descriptors of the application are not the host’s, nor is what a Node parent says of one', async () => {
      const application = await place.run('wait', EXCHANGED, { pipes: 3, env: { NODE_CHANNEL_FD: '4' } });
      const own = [0, 1, 2].map((fd) => readlinkSync(`/proc/${application.pid}/fd/${fd}`));
      const files = (pid: number): string[] =>
        readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const others = files(application.pid).filter((file) => !own.includes(file));
      expect(others.length).toBeGreaterThanOrEqual(4);
      const host = files(application.number('host'));
      expect(others.filter((file) => host.includes(file))).toEqual([]);
    });

    test.each([
      ['without layers', async () => {}],
      ['through a layer', () => place.install(layer)],
    ])('an application that is killed leaves nothing, %s', async (_how, prepare) => {
      await prepare();
      const application = await place.run('wait', EXCHANGED);
      application.child.kill('SIGKILL');
      await hostIsGone(application);
      await place.nothingIsLeft();
    });

    test('one that is killed leaves nothing either when a child of its holds the connection', async () => {
      const application = await place.run('share', EXCHANGED);
      try {
        application.child.kill('SIGKILL');
        await hostIsGone(application);
        await place.nothingIsLeft();
      } finally {
        process.kill(application.number('helper'), 'SIGKILL');
      }
    });

    test('an application that gives its host up lives on without it', async () => {
      const application = await place.run('leave', /^left -?\d+$/m);
      expect(application.output).toMatch(/^left -10050$/m);
      await hostIsGone(application);
      await place.nothingIsLeft();
    });

    test('an application whose host is killed gets WSAENETDOWN, leaves nothing, and can start another', async () => {
      await place.install(layer);
      const application = await place.run('again', EXCHANGED);
      const first = application.number('host');
      process.kill(first, 'SIGKILL');
      await until('it has another', () => (application.output.match(/^sockets/gm) ?? []).length === 2);
      expect(application.output).toMatch(/^recv -10050 $/m);
      expect(application.number('host')).not.toBe(first);
      await expectOwner(application);
    });

    test.each([
      ['in a call', 'layer, which loops, does not come back from WSPListen', 'WSPListen() { for (;;); }'],
      ['in promises of its own', 'outside of its calls', LOOPS_IN_PROMISES],
    ])('SEM-C-02 a layer that loops %s is named, and its host ended', async (_where, said, call) => {
      const looping = `import { defineLayer } from '${place.room('spi')}';
        export const WSPStartup = defineLayer((next) => ({ ${call} }), { name: 'layer, which loops,' });`;
      await place.install(place.write('looping.mjs', looping));
      const application = await place.run('wait', /^failed/m, { env: { WINSOCKD_LOOP_LIMIT: '250' } });
      expect(application.output).toMatch(/^failed \w+ 10050 $/m);
      await until('the layer is named', () => application.output.includes(said));
      await place.nothingIsLeft();
    });

    test('what a layer throws by itself ends the host, which says why', async () => {
      const throwing = `import { defineLayer } from '${place.room('spi')}';
        export const WSPStartup = defineLayer((next) => ({ WSPRecv(...args) {
          setTimeout(() => { throw new Error('too late'); }, 50);
          return next.WSPRecv(...args);
        } }));`;
      await place.install(place.write('throwing.mjs', throwing));
      const application = await place.run('wait', /^(recv|failed)/m);
      expect(application.output).toMatch(/ -?10050 a provider has failed: too late$/m);
      await hostIsGone(application);
    });

    test('a layer that cannot be started is told about', async () => {
      await place.install('/nowhere/layer.mjs');
      const application = await place.run('wait', /^failed socket 10106 $/m);
      await until('it is said', () =>
        /could not be started: .*\/nowhere\/layer\.mjs/.test(application.output),
      );
    });

    test('only a process that has started the client can be claimed, and only one with its rights', async () => {
      const stranger = await place.run('wait', EXCHANGED);
      expect((await place.claim(stranger.pid)).output).toMatch(/^claimed 8 .*has not started/m);
      expect((await place.claim(2 ** 22 + 1)).output).toMatch(/^claimed 8 there is no process/m);
      expect((await place.claim(process.pid)).output).toMatch(/^claimed 0/m);
      if (!isRoot) return;
      const other = { uid: OTHER_USER };
      expect((await place.claim(process.pid, other)).output).toMatch(/^claimed 8 .*is another user/m);
      expect((await place.claim(stranger.pid, other)).output).toMatch(/^claimed 8 .*is another user/m);
      const sessions = async (): Promise<number> => (await place.ask<DaemonStatus>('/v1/status')).sessions;
      await until('nothing is left of what was refused', async () => (await sessions()) === 2);
    });

    test('WM-04, WM-05 under the profile of Windows Mobile a running application gets layers as they come and go', async () => {
      await place.killDaemon();
      await place.startDaemon('windows-mobile');
      const application = await place.run('follow', /^socket \d+$/m);
      const last = (): number => application.number('socket');
      expect(last()).toBeLessThan(FIRST_LAYERED);
      await place.install(layer);
      await until('its sockets have the layer', () => last() >= FIRST_LAYERED);
      await place.change({ kind: 'reset', what: 'layers' });
      await until('they have none', () => last() < FIRST_LAYERED);
      await place.killDaemon();
    });

    test('a daemon that is killed ends what waits, and the host', async () => {
      const application = await place.run('wait', EXCHANGED);
      await place.killDaemon();
      await until('the application has noticed', () =>
        /^recv -10050 (the daemon is gone)?$/m.test(application.output),
      );
      await hostIsGone(application);
    });

    test('without a daemon the application gets the reason', async () => {
      await place.killDaemon();
      const application = await place.run('wait', /^refused/m);
      expect(application.output).toMatch(/^refused 1 no daemon at .*winsockd\.sock/m);
    });
  },
);

/** A layer that writes down for whom it is started and what it is called for. */
function writesDown(spi: string, calls: string): string {
  return `
    import { appendFileSync } from 'node:fs';
    import { defineLayer, WSP_ENTRIES } from '${spi}';

    const note = (line) => {
      try { appendFileSync('${calls}', line + '\\n'); } catch { /* another user's */ }
    };
    export const WSPStartup = defineLayer((next, { ws2: { application } }) => {
      note('application ' + application?.path + ' ' + application?.pid);
      return Object.fromEntries(
        WSP_ENTRIES.map((name) => [name, (...args) => (note(name), next[name](...args))]),
      );
    });
  `;
}
