import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  NO_ERROR,
  WSA_OPERATION_ABORTED,
  WSAEINVAL,
  WSAEMFILE,
  WSAENETDOWN,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../../../src/abi/index.ts';
import {
  connectRemote,
  createIpcServer,
  GoodbyeReason,
  type IpcError,
  probeServer,
} from '../../../src/ipc/index.ts';
import { AFD_NO_WAIT, AfdOp } from '../../../src/port/index.ts';
import { PEER_ADDRESS } from './echo-port.ts';
import { type Caller, eventually, Harness, turns } from './harness.ts';

let harness: Harness;

afterEach(() => harness.close());

/** A client with one socket. */
async function withSocket(caller: Caller): Promise<number> {
  const { error, value } = await caller.call(AfdOp.socket, { a: 2, b: 1 });
  expect(error).toBe(NO_ERROR);
  return value;
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31) ^ (i >>> 8);
  return bytes;
}

describe('operations', () => {
  test('a socket is made, connected, sent to and received from', async () => {
    harness = await Harness.start();
    const caller = await harness.client({ name: 'first' });
    const descriptor = await withSocket(caller);
    expect(await caller.call(AfdOp.connect, { descriptor, address: PEER_ADDRESS })).toMatchObject({
      error: 0,
    });
    const data = Buffer.from('over the wire');
    expect(await caller.call(AfdOp.send, { descriptor, data })).toMatchObject({ value: 13 });
    const into = new Uint8Array(100);
    expect(await caller.call(AfdOp.recv, { descriptor, into })).toMatchObject({
      error: 0,
      value: 13,
      data: null,
    });
    expect(Buffer.from(into.subarray(0, 13)).toString()).toBe('over the wire');
    expect(into[13]).toBe(0);
    expect(harness.server.sessions).toMatchObject([
      { name: 'first', sockets: 1, pending: 0, identity: { pid: 1234 } },
    ]);
  });

  test('addresses, data without an into, and options come back whole', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const peer = await caller.call(AfdOp.getPeerName, { descriptor });
    expect(Uint8Array.from(peer.address ?? [])).toEqual(PEER_ADDRESS);
    const token = await caller.call(AfdOp.duplicate, { descriptor, a: 1 });
    expect([...(token.data ?? [])]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    const into = new Uint8Array(8);
    expect(await caller.call(AfdOp.getOption, { descriptor, into })).toMatchObject({ value: 4 });
    expect([...into]).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
    const events = new Uint8Array(40);
    await caller.call(AfdOp.waitEvents, { descriptor, into: events });
    expect(events.every((byte) => byte === 9)).toBe(true);
  });

  test('an error code and an empty send come back as the port gave them', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    expect(await caller.call(AfdOp.listen, { descriptor: 77 })).toMatchObject({ error: WSAENOTSOCK });
    const descriptor = await withSocket(caller);
    expect(await caller.call(AfdOp.send, { descriptor, data: new Uint8Array(0) })).toMatchObject({
      error: 0,
      value: 0,
    });
    expect(harness.ports[0]?.log.at(-1)).toMatchObject({ op: AfdOp.send, data: 0, into: -1 });
  });

  test.each([4095, 4096, 4097, 65_536, 262_144, 1_000_003])(
    '%i bytes go out and come back unchanged',
    async (length) => {
      harness = await Harness.start();
      const caller = await harness.client();
      const descriptor = await withSocket(caller);
      const data = pattern(length);
      expect(await caller.call(AfdOp.send, { descriptor, data })).toMatchObject({ value: length });
      const into = new Uint8Array(length);
      expect(await caller.call(AfdOp.recv, { descriptor, into })).toMatchObject({ value: length });
      expect(Buffer.compare(into, data)).toBe(0);
      await eventually(() => harness.server.sessions[0]?.queuedBytes === 0);
    },
  );

  test('a send larger than the transfer limit arrives in order, and later sends stay behind it', async () => {
    harness = await Harness.start({ limits: { maxTransfer: 10_000 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    (harness.ports[0] as { delaySends: boolean }).delaySends = true;
    const big = pattern(35_000);
    const after = Buffer.from('the end');
    const [first, second] = await Promise.all([
      caller.call(AfdOp.send, { descriptor, data: big }),
      caller.call(AfdOp.send, { descriptor, data: after }),
    ]);
    expect(first).toMatchObject({ error: 0, value: 35_000 });
    expect(second).toMatchObject({ error: 0, value: 7 });
    const into = new Uint8Array(35_007);
    const { value } = await caller.call(AfdOp.recv, { descriptor, into, flags: 0x8 });
    expect(value).toBe(35_007);
    expect(Buffer.compare(into, Buffer.concat([big, after]))).toBe(0);
  });

  test('a receive larger than the transfer limit is short without MSG_WAITALL', async () => {
    harness = await Harness.start({ limits: { maxTransfer: 1000 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    await caller.call(AfdOp.send, { descriptor, data: pattern(3000) });
    expect(await caller.call(AfdOp.recv, { descriptor, into: new Uint8Array(3000) })).toMatchObject({
      value: 1000,
    });
  });

  test('a cancelled large send stops after the piece under way', async () => {
    harness = await Harness.start({ limits: { maxTransfer: 1000 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    (harness.ports[0] as { delaySends: boolean }).delaySends = true;
    const send = caller.call(AfdOp.send, { descriptor, data: pattern(50_000) });
    const behind = caller.call(AfdOp.send, { descriptor, data: pattern(10) });
    const behindId = caller.lastId;
    caller.port.cancel(behindId);
    caller.port.cancel(behindId - 1);
    expect(await behind).toMatchObject({ error: WSA_OPERATION_ABORTED });
    expect(await send).toMatchObject({ error: WSA_OPERATION_ABORTED });
    expect(harness.ports[0]?.bytesSent).toBeLessThan(50_000);
  });

  test('what this side can refuse, it refuses at once', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const pending = caller.call(AfdOp.recv, { descriptor, into: new Uint8Array(1) });
    const id = caller.lastId;
    expect(await caller.call(AfdOp.listen, { descriptor, id })).toMatchObject({ error: WSAEINVAL });
    expect(await caller.call(AfdOp.listen, { descriptor, id: 0 })).toMatchObject({ error: WSAEINVAL });
    expect(await caller.call(AfdOp.bind, { descriptor, address: new Uint8Array(129) })).toMatchObject({
      error: WSAEINVAL,
    });
    caller.port.cancel(id);
    expect(await pending).toMatchObject({ error: WSA_OPERATION_ABORTED });
  });
});

describe('cancel', () => {
  test('a pending operation completes aborted, once', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const call = caller.call(AfdOp.ioctl, { descriptor, a: 1 });
    const id = caller.lastId;
    caller.port.cancel(id);
    caller.port.cancel(id);
    expect(await call).toMatchObject({ error: WSA_OPERATION_ABORTED });
    await withSocket(caller);
    expect(caller.completed.filter((completion) => completion.id === id)).toHaveLength(1);
  });

  test('a cancel that crosses its completion does nothing', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    for (let i = 0; i < 50; i++) {
      const call = caller.call(AfdOp.getPeerName, { descriptor });
      if (i % 2 === 0) await turns(1);
      caller.port.cancel(caller.lastId);
      expect((await call).error).toBe(NO_ERROR);
    }
    expect(await caller.call(AfdOp.getPeerName, { descriptor })).toMatchObject({ error: 0 });
  });

  test('a cancel while the data is still on its way aborts once the data is in', async () => {
    harness = await Harness.start({ limits: { maxMessage: 4096, window: 4096 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const send = caller.call(AfdOp.send, { descriptor, data: pattern(200_000) });
    const id = caller.lastId;
    await turns(2);
    caller.port.cancel(id);
    const { error } = await send;
    expect([NO_ERROR, WSA_OPERATION_ABORTED]).toContain(error);
    expect(error === NO_ERROR ? 200_000 : 0).toBe(harness.ports[0]?.bytesSent);
  });
});

describe('quotas', () => {
  test('sockets past the limit fail with WSAEMFILE until one is closed', async () => {
    harness = await Harness.start({ limits: { maxSockets: 2 } });
    const caller = await harness.client();
    const first = await withSocket(caller);
    await withSocket(caller);
    expect(await caller.call(AfdOp.socket)).toMatchObject({ error: WSAEMFILE });
    await caller.call(AfdOp.close, { descriptor: first });
    expect(await caller.call(AfdOp.socket)).toMatchObject({ error: 0 });
  });

  test('requests past the limit fail with WSAENOBUFS, those below go on', async () => {
    harness = await Harness.start({ limits: { maxPending: 3 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const pending = [1, 2, 3].map(() => caller.call(AfdOp.ioctl, { descriptor }));
    expect(await caller.call(AfdOp.getPeerName, { descriptor })).toMatchObject({ error: WSAENOBUFS });
    caller.port.cancel(caller.lastId - 1);
    expect(await pending[2]).toMatchObject({ error: WSA_OPERATION_ABORTED });
    expect(await caller.call(AfdOp.getPeerName, { descriptor })).toMatchObject({ error: 0 });
  });

  test('bytes past the limit fail with WSAENOBUFS, and their data is thrown away', async () => {
    harness = await Harness.start({ limits: { maxQueuedBytes: 100_000 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const data = pattern(500_000);
    expect(await caller.call(AfdOp.send, { descriptor, data })).toMatchObject({ error: WSAENOBUFS });
    expect(harness.ports[0]?.bytesSent).toBe(0);
    expect(await caller.call(AfdOp.send, { descriptor, data: data.subarray(0, 100) })).toMatchObject({
      value: 100,
    });
  });

  test('an operation that does not exist fails with WSAEOPNOTSUPP', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    expect(await caller.call(999 as AfdOp)).toMatchObject({ error: WSAEOPNOTSUPP });
    expect(await caller.call(AfdOp.socket)).toMatchObject({ error: 0 });
  });

  test('clients past the limit are told so', async () => {
    harness = await Harness.start({ maxClients: 1 });
    await harness.client();
    await expect(harness.client()).rejects.toMatchObject({ name: 'IpcError', code: 'refused' });
  });

  test('a user that is not served is told so', async () => {
    harness = await Harness.start({ allow: () => false });
    await expect(harness.client()).rejects.toMatchObject({ code: 'notPermitted' });
    expect(harness.ports).toHaveLength(0);
  });

  test('a peer whom the kernel does not name is not served', async () => {
    harness = await Harness.start({
      identify: () => {
        throw new Error('no credentials');
      },
    });
    await expect(harness.client()).rejects.toMatchObject({ code: 'notTheDaemon' });
  });
});

describe('ends', () => {
  test('a client that closes leaves no session behind, and its calls end aborted', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const pending = caller.call(AfdOp.recv, { descriptor, into: new Uint8Array(65_536) });
    await eventually(() => harness.server.sessions[0]?.pending === 1);
    caller.port.close();
    expect(await pending).toMatchObject({ error: WSA_OPERATION_ABORTED });
    await eventually(() => harness.server.sessions.length === 0);
    expect(harness.ports[0]?.isClosed).toBe(true);
    expect(await caller.call(AfdOp.socket)).toMatchObject({ error: WSAENETDOWN });
  });

  test('a client that is killed leaves no session behind and no memory', async () => {
    const taken: number[] = [];
    let inUse = 0;
    harness = await Harness.start({
      allocator: {
        take: (bytes) => {
          inUse += bytes;
          taken.push(bytes);
          return new Uint8Array(bytes);
        },
        give: (memory) => {
          inUse -= memory.length;
        },
        get inUse() {
          return inUse;
        },
      },
    });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    for (let i = 0; i < 10; i++) void caller.call(AfdOp.recv, { descriptor, into: new Uint8Array(8192) });
    await eventually(() => harness.server.sessions[0]?.pending === 10);
    expect(inUse).toBe(81_920);
    (caller.port as unknown as { onLost: null }).onLost = null;
    caller.port.close();
    await eventually(() => harness.server.sessions.length === 0);
    expect(inUse).toBe(0);
    expect(taken).toHaveLength(10);
  });

  test('a server that goes completes all that pends with WSAENETDOWN, and later calls at once', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    let lost = 0;
    caller.port.onLost = () => lost++;
    const pending = [1, 2, 3].map(() => caller.call(AfdOp.ioctl, { descriptor }));
    await eventually(() => harness.server.sessions[0]?.pending === 3);
    await harness.server.close();
    for (const call of pending) expect(await call).toMatchObject({ error: WSAENETDOWN });
    expect(caller.port.isOpen).toBe(false);
    expect(lost).toBe(1);
    const request = {
      id: 99,
      op: AfdOp.socket,
      descriptor: 0,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data: null,
      into: null,
    };
    expect(caller.port.submit(request)).toMatchObject({ id: 99, error: WSAENETDOWN });
  });

  test('three clients at once do not see each other', async () => {
    harness = await Harness.start();
    const callers = await Promise.all([harness.client(), harness.client(), harness.client()]);
    const descriptors = await Promise.all(callers.map(withSocket));
    expect(descriptors).toEqual([1, 1, 1]);
    await Promise.all(
      callers.map(async (caller, n) => {
        for (let round = 0; round < 20; round++) {
          const data = pattern(10_000 + n * 7777 + round).map((byte) => byte ^ n);
          await caller.call(AfdOp.send, { descriptor: 1, data });
          const into = new Uint8Array(data.length);
          expect(await caller.call(AfdOp.recv, { descriptor: 1, into })).toMatchObject({
            value: data.length,
          });
          expect(Buffer.compare(into, data)).toBe(0);
        }
      }),
    );
    callers[0]?.port.close();
    await eventually(() => harness.server.sessions.length === 2);
    expect(await callers[1]?.call(AfdOp.getPeerName, { descriptor: 1 })).toMatchObject({ error: 0 });
  });

  test('an exception in the port costs its own client the session, and no other', async () => {
    harness = await Harness.start();
    const [good, bad] = await Promise.all([harness.client(), harness.client()]);
    const port = harness.ports[1];
    if (port === undefined) throw new Error('no port');
    port.submit = () => {
      throw new Error('a bug');
    };
    expect(await bad.call(AfdOp.socket)).toMatchObject({ error: WSAENETDOWN });
    expect(await good.call(AfdOp.socket)).toMatchObject({ error: 0 });
    expect(harness.events.some(({ event }) => event === 'request failed')).toBe(true);
    expect(port.isClosed).toBe(true);
  });
});

describe('the socket file', () => {
  test('is made with the mode asked for, and removed at the end', async () => {
    harness = await Harness.start({ mode: 0o660 });
    expect(statSync(harness.path).mode & 0o777).toBe(0o660);
    await harness.server.close();
    expect(existsSync(harness.path)).toBe(false);
  });

  test('is for the owner alone when no mode is given', async () => {
    harness = await Harness.start();
    expect(statSync(harness.path).mode & 0o777).toBe(0o600);
  });

  test('a second server is refused with the pid of the first, which goes on', async () => {
    harness = await Harness.start();
    const second = createIpcServer(harness.options());
    await expect(second).rejects.toMatchObject({ code: 'pathInUse', ownerPid: process.pid });
    await expect(second).rejects.toThrow(`process ${process.pid}`);
    expect(await probeServer(harness.path)).toBe(process.pid);
  });

  test('a second server on a socket of another program is refused', async () => {
    harness = new Harness();
    const other = createServer((socket) => socket.resume().end('hello\n'));
    await new Promise<void>((resolve) => other.listen(harness.path, resolve));
    await expect(createIpcServer(harness.options())).rejects.toMatchObject({
      code: 'pathInUse',
      ownerPid: 0,
    });
    await expect(connectRemote(harness.path)).rejects.toMatchObject({ code: 'notTheDaemon' });
    await new Promise((resolve) => other.close(resolve));
  });

  test('a file that a dead server left is replaced', async () => {
    harness = new Harness();
    const { execFileSync } = await import('node:child_process');
    execFileSync('python3', [
      '-c',
      'import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])',
      harness.path,
    ]);
    expect(statSync(harness.path).isSocket()).toBe(true);
    expect(await probeServer(harness.path)).toBe(null);
    harness.server = await createIpcServer(harness.options());
    const caller = await harness.client();
    await withSocket(caller);
  });

  test('a file that is no socket is left alone', async () => {
    harness = new Harness();
    writeFileSync(harness.path, 'a letter');
    await expect(createIpcServer(harness.options())).rejects.toMatchObject({ code: 'cannotListen' });
    expect(statSync(harness.path).isFile()).toBe(true);
  });

  test('a directory that does not exist is named', async () => {
    harness = new Harness();
    const path = `${harness.directory}/none/socket`;
    const failure = createIpcServer({ ...harness.options(), path });
    await expect(failure).rejects.toThrow('make its directory first');
  });

  test('without a server the client is told what to type', async () => {
    harness = new Harness();
    const error = await connectRemote(harness.path).catch((caught: IpcError) => caught);
    expect(error).toMatchObject({ code: 'daemonNotThere' });
    expect((error as IpcError).message).toContain(`winsockd up --socket ${harness.path}`);
  });
});

describe('flow control', () => {
  test('a client with a small window receives more than it, because it grants as it reads', async () => {
    harness = await Harness.start();
    const caller = await harness.client({ window: 262_144 });
    const descriptor = await withSocket(caller);
    const data = pattern(1_000_000);
    for (let i = 0; i < 4; i++) {
      await caller.call(AfdOp.send, { descriptor, data });
      const into = new Uint8Array(data.length);
      expect(await caller.call(AfdOp.recv, { descriptor, into })).toMatchObject({ value: data.length });
      expect(Buffer.compare(into, data)).toBe(0);
    }
  });

  test('a server with the smallest window takes a large send', async () => {
    harness = await Harness.start({ limits: { maxMessage: 4096, window: 4096 } });
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const data = pattern(300_000);
    expect(await caller.call(AfdOp.send, { descriptor, data })).toMatchObject({ value: 300_000 });
    const into = new Uint8Array(300_000);
    expect(await caller.call(AfdOp.recv, { descriptor, into })).toMatchObject({ value: 300_000 });
    expect(Buffer.compare(into, data)).toBe(0);
  });

  test('a thousand requests in one turn all complete, in order on one socket', async () => {
    harness = await Harness.start();
    const caller = await harness.client();
    const descriptor = await withSocket(caller);
    const sends = Array.from({ length: 1000 }, (_, i) =>
      caller.call(AfdOp.send, { descriptor, data: Uint8Array.of(i, i >> 8) }),
    );
    for (const send of sends) expect((await send).value).toBe(2);
    const into = new Uint8Array(2000);
    await caller.call(AfdOp.recv, { descriptor, into, flags: AFD_NO_WAIT });
    for (let i = 0; i < 1000; i++)
      expect((into[2 * i] as number) | ((into[2 * i + 1] as number) << 8)).toBe(i);
  });

  test('GoodbyeReason numbers are those of the document', () => {
    harness = new Harness();
    expect(GoodbyeReason).toMatchObject({ normal: 0, malformed: 4, creditExceeded: 6, internalError: 10 });
  });
});
