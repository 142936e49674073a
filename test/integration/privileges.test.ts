/**
 * Dropping privilege, seen from outside: what /proc says of every thread of a child that did it.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { compileRooms } from '../support/compiled.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

const NOBODY = 65534;
const NO_CAPABILITIES = '0000000000000000';

/** The distinct values of each field over all threads. */
interface Summary {
  readonly threads: number;
  readonly fields: Record<string, string[]>;
  readonly extra: Record<string, unknown>;
}

let rooms: string;

/**
 * Runs `body` in a child with more threads than the main one: the thread pool is busy and a Worker runs. Then reads
 * every thread's status itself, not through the code under test.
 */
function inChild(body: string, ids: { uid?: number; gid?: number } = {}): Summary {
  const code = `
    import { readdirSync, readFileSync, statSync } from 'node:fs';
    import { pbkdf2 } from 'node:crypto';
    import { Worker } from 'node:worker_threads';
    const { Device, dropPrivileges, threadPrivileges } = await import(${JSON.stringify(join(rooms, 'native/index.js'))});
    const extra = {};
    const attempt = (work) => { try { return work() ?? 'done'; } catch (error) { return error.code ?? error.name; } };
    for (let i = 0; i < 4; i++) pbkdf2('a', 'b', 100_000, 32, 'sha256', () => {});
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await new Promise((resolve) => worker.once('online', resolve));
    ${body}
    const fields = {};
    const tids = readdirSync('/proc/self/task');
    for (const tid of tids) {
      for (const line of readFileSync('/proc/self/task/' + tid + '/status', 'utf8').split('\\n')) {
        const [, name, value] = /^(Uid|Gid|Groups|Cap...|NoNewPrivs):\\s*(.*?)\\s*$/.exec(line) ?? [];
        if (name !== undefined && !(fields[name] ??= []).includes(value)) fields[name].push(value);
      }
    }
    console.log(JSON.stringify({ threads: tids.length, fields, extra }));
    await worker.terminate();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    timeout: 30_000,
    ...ids,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout) as Summary;
}

const fourTimes = (id: number): string => Array(4).fill(id).join('\t');

describePrivileged('dropPrivileges', () => {
  let space: Namespace;

  beforeAll(() => {
    rooms = compileRooms('native');
    space = createNamespace();
  });

  test('as root, every thread has the new ids, no group, no capability in any set, and can gain none', () => {
    const { threads, fields } = inChild(`dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY} });`);
    expect(threads).toBeGreaterThan(8);
    expect(fields).toEqual({
      Uid: [fourTimes(NOBODY)],
      Gid: [fourTimes(NOBODY)],
      Groups: [''],
      CapInh: [NO_CAPABILITIES],
      CapPrm: [NO_CAPABILITIES],
      CapEff: [NO_CAPABILITIES],
      CapBnd: [NO_CAPABILITIES],
      CapAmb: [NO_CAPABILITIES],
      NoNewPrivs: ['1'],
    });
  });

  test('staying root, the ids stay and everything else goes', () => {
    const { fields } = inChild('dropPrivileges();');
    expect(fields).toMatchObject({
      Uid: [fourTimes(0)],
      Gid: [fourTimes(0)],
      CapPrm: [NO_CAPABILITIES],
      CapEff: [NO_CAPABILITIES],
      CapBnd: [NO_CAPABILITIES],
      NoNewPrivs: ['1'],
    });
  });

  test('the supplementary groups are those asked for, in every thread', () => {
    const { fields } = inChild(`dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY}, groups: [44, 55] });`);
    expect(fields['Groups']).toEqual(['44 55']);
  });

  test('a thread that starts afterwards has nothing either, and no way back is open', () => {
    const { fields, extra } = inChild(`
      dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY} });
      const late = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => late.once('online', resolve));
      late.unref();
      extra.setuid = attempt(() => process.setuid(0));
      extra.setgid = attempt(() => process.setgid(0));
      extra.open = attempt(() => Device.open('tun'));`);
    expect(fields).toMatchObject({ Uid: [fourTimes(NOBODY)], CapBnd: [NO_CAPABILITIES], NoNewPrivs: ['1'] });
    expect(extra).toEqual({
      setuid: 'EPERM',
      setgid: 'EPERM',
      open: expect.stringMatching(/^(EPERM|EACCES)$/),
    });
  });

  test('an open device keeps carrying frames and telling its settings, and can no longer be changed', () => {
    const { extra } = inChild(`
      const device = Device.open('tun', { namespace: ${JSON.stringify(space.name)} });
      device.isUp = true;
      dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY} });
      extra.mtu = attempt(() => device.mtu);
      extra.set = attempt(() => { device.mtu = 1400; });
      extra.watch = attempt(() => { device.watch(1, () => {}); device.unwatch(); });
      device.close();`);
    expect(extra).toEqual({ mtu: 1500, set: 'EPERM', watch: 'done' });
  });

  test('the process can’t be traced or dumped by others of its user: /proc/self belongs to root', () => {
    const { extra } = inChild(`
      dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY} });
      extra.owner = statSync('/proc/self/environ').uid;
      extra.environ = attempt(() => readFileSync('/proc/self/environ').length > 0 ? 'readable' : 'empty');`);
    expect(extra).toEqual({ owner: 0, environ: 'EACCES' });
  });

  test('without privilege, what is possible is done: no_new_privs in every thread, sets stay empty', () => {
    const { fields } = inChild('dropPrivileges();', { uid: NOBODY, gid: NOBODY });
    expect(fields).toMatchObject({
      Uid: [fourTimes(NOBODY)],
      CapPrm: [NO_CAPABILITIES],
      CapEff: [NO_CAPABILITIES],
      NoNewPrivs: ['1'],
    });
  });

  test('without privilege, becoming another user is EPERM and says what was wanted', () => {
    const { extra } = inChild(
      'try { dropPrivileges({ uid: 1 }); } catch (error) { extra.code = error.code; extra.message = error.message; }',
      { uid: NOBODY, gid: NOBODY },
    );
    expect(extra['code']).toBe('EPERM');
    expect(extra['message']).toContain('become uid 1');
  });

  test('twice is as good as once', () => {
    const { extra } = inChild(`
      dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY} });
      extra.again = attempt(() => dropPrivileges());`);
    expect(extra).toEqual({ again: 'done' });
  });

  test('afterwards the C library still changes ids of all threads: its own signal was given back', () => {
    const { fields, extra } = inChild(`
      dropPrivileges();
      extra.late = attempt(() => process.setgid(0));`);
    expect(extra).toEqual({ late: 'done' });
    expect(fields['Gid']).toEqual([fourTimes(0)]);
  });

  test('a wrong id is refused before anything is dropped', () => {
    const { fields, extra } = inChild(`
      extra.negative = attempt(() => dropPrivileges({ uid: -1 }));
      extra.nobody = attempt(() => dropPrivileges({ gid: 4294967295 }));
      extra.text = attempt(() => dropPrivileges({ uid: 'nobody' }));`);
    expect(extra).toEqual({
      negative: 'ERR_OUT_OF_RANGE',
      nobody: 'ERR_OUT_OF_RANGE',
      text: 'ERR_INVALID_ARG_TYPE',
    });
    expect(fields).toMatchObject({ Uid: [fourTimes(0)], NoNewPrivs: ['0'] });
  });
});
