/**
 * What a device leaves behind: nothing, however it ends; and what its callbacks throw is not lost.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { Device, READABLE } from '../../src/native/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

let space: Namespace;

const deviceNames = (): unknown[] => space.ipJson('link').map(({ ifname }) => ifname);
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describePrivileged('Teardown', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  test('500 devices opened, watched and closed leave no descriptor and no interface', async () => {
    const before = openDescriptors();
    for (let i = 0; i < 500; i++) {
      const device = Device.open(i % 2 === 0 ? 'tun' : 'tap', { namespace: space.name });
      device.watch(READABLE, () => {});
      device.close();
      // libuv closes its handles at the end of a turn.
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(openDescriptors()).toBe(before);
    expect(deviceNames()).toEqual(['lo']);
  }, 60_000);

  test('100 failed openings leave no descriptor either', () => {
    const before = openDescriptors();
    for (let i = 0; i < 100; i++)
      expect(() => Device.open('tun', { namespace: space.name, name: 'lo' })).toThrow('ip link show');
    for (let i = 0; i < 100; i++)
      expect(() => Device.open('tun', { namespace: 'wsk-nowhere' })).toThrow('ip netns add');
    expect(openDescriptors()).toBe(before);
  });

  test('a forgotten device is closed when it is collected', () => {
    const code = `
      const { Device } = await import(${JSON.stringify(join(compileRooms('native'), 'native/index.js'))});
      const { readdirSync } = await import('node:fs');
      const count = () => readdirSync('/proc/self/fd').length;
      const before = count();
      for (let i = 0; i < 20; i++) Device.open('tun', { namespace: ${JSON.stringify(space.name)} });
      const opened = count();
      for (let i = 0; i < 20 && count() > before; i++) { gc(); await new Promise((r) => setTimeout(r, 5)); }
      console.log(JSON.stringify({ opened: opened - before, left: count() - before }));`;
    const out = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', code], {
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toEqual({ opened: 40, left: 0 });
    expect(deviceNames()).toEqual(['lo']);
  });

  test('a Worker that ends while its device is watched ends cleanly and takes the device with it', () => {
    const rooms = compileRooms('native');
    const code = `
      const { Worker } = await import('node:worker_threads');
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(\`
          const { parentPort } = process.getBuiltinModule('node:worker_threads');
          import(${JSON.stringify(join(rooms, 'native/index.js'))}).then(({ Device }) => {
            const device = Device.open('tun', { namespace: ${JSON.stringify(space.name)} });
            device.watch(1, () => {});
            globalThis.kept = device;
            parentPort.postMessage('open');
          });\`, { eval: true });
        await new Promise((resolve) => worker.once('message', resolve));
        await worker.terminate();
      }
      console.log('ended');`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(out).toBe('ended\n');
    expect(deviceNames()).toEqual(['lo']);
  });

  test('what a readiness callback throws is an uncaught exception, and the watch goes on', () => {
    const code = `
      const { Device } = await import(${JSON.stringify(join(compileRooms('native'), 'native/index.js'))});
      const device = Device.open('tun', { namespace: ${JSON.stringify(space.name)} });
      device.isUp = true;
      let times = 0;
      process.on('uncaughtException', (error) => {
        console.log(error.message);
        if (times === 2) device.close();
      });
      device.watch(2, () => { throw new Error('thrown ' + ++times); });`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(out).toBe('thrown 1\nthrown 2\n');
  });

  test('without a handler it ends the process with its message', () => {
    const code = `
      const { Device } = await import(${JSON.stringify(join(compileRooms('native'), 'native/index.js'))});
      const device = Device.open('tun', { namespace: ${JSON.stringify(space.name)} });
      device.isUp = true;
      device.watch(2, () => { throw new Error('lost to nobody'); });`;
    expect(() =>
      execFileSync(process.execPath, ['--input-type=module', '-e', code], {
        encoding: 'utf8',
        stdio: 'pipe',
        timeout: 10_000,
      }),
    ).toThrow(/lost to nobody/);
  });
});
