import { describe, expect, test } from '@jest/globals';
import * as async from '../../../src/app/async.ts';
import { AlreadyAttachedError, socketPath } from '../../../src/app/attach.ts';
import { createLocalHost } from '../../../src/app/local.ts';
import { SOCKET_PATH_VARIABLE } from '../../../src/port/index.ts';
import { createWinsock } from '../../../src/winsock/index.ts';
import { FakePort } from '../spi/fake-port.ts';

const host = createLocalHost();

describe('the promising face', () => {
  test('has every call of Winsock as an export', () => {
    const calls = Object.keys(createWinsock({ port: new FakePort() }));
    expect(calls.filter((name) => typeof (async as Record<string, unknown>)[name] !== 'function')).toEqual(
      [],
    );
  });

  test('SEM-VER-17 a call before WSAStartup rejects with WSANOTINITIALISED', async () => {
    await expect(async.socket(2, 1, 6)).rejects.toMatchObject({
      name: 'WSANOTINITIALISED',
      code: 10093,
      syscall: 'socket',
    });
  });

  test('attaches with WSAStartup, resolves with values and rejects with WinsockError', async () => {
    async.attachTo({ local: host });
    expect(async.attachedTo()).toBeNull();
    const data = {} as Parameters<typeof async.WSAStartup>[1];
    expect(await async.WSAStartup(async.MAKEWORD(2, 2), data)).toBe(0);
    expect(async.attachedTo()).toMatchObject({ kind: 'local', where: 'this process' });
    expect(() => async.attachTo({})).toThrow(AlreadyAttachedError);
    const s = await async.socket(async.AF_INET, async.SOCK_STREAM, async.IPPROTO_TCP);
    await expect(async.listen(s, 1)).rejects.toMatchObject({ code: async.WSAEINVAL });
    const error = await async.connect(s, null).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(async.WinsockError);
    expect(await async.closesocket(s)).toBe(0);
    expect(await async.WSACleanup()).toBe(0);
    host.close();
  });

  test('text of addresses comes at once, and fails with an exception', () => {
    const bytes = new Uint8Array(4);
    expect([async.inet_pton(2, '10.0.0.1', bytes), async.inet_ntop(2, bytes)]).toEqual([1, '10.0.0.1']);
    expect(() => async.inet_ntop(99, bytes)).toThrow(async.WinsockError);
  });

  test('the daemon’s socket comes from the option, then the environment, then its usual place', () => {
    const before = process.env[SOCKET_PATH_VARIABLE];
    process.env[SOCKET_PATH_VARIABLE] = '/env.sock';
    expect([socketPath({ socketPath: '/option.sock' }), socketPath()]).toEqual(['/option.sock', '/env.sock']);
    delete process.env[SOCKET_PATH_VARIABLE];
    expect(socketPath()).toBe('/run/winsockd/winsockd.sock');
    if (before !== undefined) process.env[SOCKET_PATH_VARIABLE] = before;
  });
});
