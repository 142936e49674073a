import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSocket, type DatagramSocket, type RemoteInfo } from '../../../src/app/dgram.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';

let hosts: LocalHost[];
let a: Winsock;
let b: Winsock;
const open: DatagramSocket[] = [];

beforeAll(() => {
  const scheduler = new RealTime();
  const wire = new MemorySegment({ scheduler });
  hosts = ['10.0.0.1/24', '10.0.0.2/24'].map((address) =>
    createLocalHost({ scheduler, links: [{ link: wire.port(), addresses: [address] }] }),
  );
  [a, b] = hosts.map((host) => host.winsock()) as [Winsock, Winsock];
});

afterAll(async () => {
  for (const socket of open) await socket[Symbol.asyncDispose]();
  for (const host of hosts) host.close();
});

async function bound(winsock: Winsock): Promise<DatagramSocket> {
  const socket = createSocket({ type: 'udp4', winsock });
  open.push(socket);
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  return socket;
}

function message(socket: DatagramSocket): Promise<[string, RemoteInfo]> {
  return new Promise((resolve) => {
    socket.once('message', (bytes: Buffer, from: RemoteInfo) => resolve([String(bytes), from]));
  });
}

describe('dgram', () => {
  test('a message arrives with where it came from', async () => {
    const server = await bound(b);
    const client = await bound(a);
    const arriving = message(server);
    const sent = await new Promise((resolve) =>
      client.send('hello', server.address().port, '10.0.0.2', (error, bytes) => resolve([error, bytes])),
    );
    expect(sent).toEqual([null, 5]);
    expect(await arriving).toEqual([
      'hello',
      { address: '10.0.0.1', family: 'IPv4', port: client.address().port, size: 5 },
    ]);
  });

  test('send binds by itself, takes a list of parts, and offset and length', async () => {
    const server = await bound(b);
    const client = createSocket({ type: 'udp4', winsock: a });
    open.push(client);
    const first = message(server);
    client.send(['a', Buffer.from('b'), 'c'], server.address().port, '10.0.0.2');
    expect((await first)[0]).toBe('abc');
    const second = message(server);
    client.send(Buffer.from('0123456789'), 2, 3, server.address().port, '10.0.0.2');
    expect((await second)[0]).toBe('234');
  });

  test('a connected socket needs no destination, and says who its peer is', async () => {
    const server = await bound(b);
    const client = await bound(a);
    await new Promise<void>((resolve) => client.connect(server.address().port, '10.0.0.2', resolve));
    expect(client.remoteAddress()).toMatchObject({ address: '10.0.0.2', port: server.address().port });
    const arriving = message(server);
    client.send('direct');
    expect((await arriving)[0]).toBe('direct');
    client.disconnect();
    expect(() => client.remoteAddress()).toThrow('ERR_SOCKET_DGRAM_NOT_CONNECTED');
  });

  test('a port that is taken is EADDRINUSE', async () => {
    const server = await bound(b);
    const second = createSocket({ type: 'udp4', winsock: b });
    open.push(second);
    const error = await new Promise((resolve) => {
      second.once('error', resolve);
      second.bind(server.address().port);
    });
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', wsaCode: 10048 });
  });

  test('SEM-IO-12 a closed port does not end the socket', async () => {
    const client = await bound(a);
    const server = await bound(b);
    client.send('nobody', 9, '10.0.0.2');
    const arriving = message(client);
    server.send('still there', client.address().port, '10.0.0.1');
    expect((await arriving)[0]).toBe('still there');
  });

  test('close is told once, and twice is an error', async () => {
    const socket = await bound(a);
    await new Promise<void>((resolve) => socket.close(resolve));
    expect(() => socket.close()).toThrow('ERR_SOCKET_DGRAM_NOT_RUNNING');
    const failed = await new Promise((resolve) => socket.send('x', 9, '10.0.0.2', resolve));
    expect(failed).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
  });

  test('another type is EAFNOSUPPORT', () => {
    expect(() => createSocket({ type: 'unix' as 'udp4', winsock: a })).toThrow('EAFNOSUPPORT');
  });
});

describe('dgram and groups', () => {
  const GROUP = '239.7.7.7';

  async function group(port = 0): Promise<DatagramSocket> {
    const socket = createSocket({ type: 'udp4', winsock: b, reuseAddr: true });
    open.push(socket);
    await new Promise<void>((resolve) => socket.bind(port, resolve));
    return socket;
  }

  /** Says something to the group, then to the host alone: all that the receiver has heard until that came. */
  function heard(sender: DatagramSocket, receiver: DatagramSocket): Promise<string[]> {
    const { port } = receiver.address();
    const messages: string[] = [];
    return new Promise((resolve) => {
      receiver.on('message', function take(bytes: Buffer) {
        messages.push(String(bytes));
        if (messages.at(-1) !== 'alone') return;
        receiver.off('message', take);
        resolve(messages);
      });
      sender.send('group', port, GROUP);
      sender.send('alone', port, '10.0.0.2');
    });
  }

  test('addMembership hears a group until dropMembership', async () => {
    const receiver = await group();
    const sender = await bound(a);
    receiver.addMembership(GROUP);
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
    receiver.dropMembership(GROUP, '10.0.0.2');
    expect(await heard(sender, receiver)).toEqual(['alone']);
  });

  test('addSourceSpecificMembership hears one source', async () => {
    const receiver = await group();
    const sender = await bound(a);
    receiver.addSourceSpecificMembership('10.0.0.9', GROUP);
    expect(await heard(sender, receiver)).toEqual(['alone']);
    receiver.addSourceSpecificMembership('10.0.0.1', GROUP);
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
    receiver.dropSourceSpecificMembership('10.0.0.1', GROUP);
    expect(await heard(sender, receiver)).toEqual(['alone']);
  });

  test('a membership before the bind binds', async () => {
    const socket = createSocket({ type: 'udp4', winsock: b });
    open.push(socket);
    socket.addMembership(GROUP);
    await new Promise((resolve) => socket.once('listening', resolve));
    expect(await heard(await bound(a), socket)).toEqual(['group', 'alone']);
  });

  test('setMulticastTTL 0 keeps messages on the host, setMulticastInterface names the way out', async () => {
    const receiver = await group();
    receiver.addMembership(GROUP);
    const sender = await bound(a);
    expect(sender.setMulticastTTL(0)).toBe(0);
    expect(await heard(sender, receiver)).toEqual(['alone']);
    sender.setMulticastTTL(1);
    sender.setMulticastInterface('10.0.0.1');
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
  });

  test('setMulticastLoopback false: what its own host sends is not heard', async () => {
    const receiver = await group();
    receiver.addMembership(GROUP);
    expect(receiver.setMulticastLoopback(false)).toBe(false);
    expect(await heard(await group(), receiver)).toEqual(['alone']);
  });

  test('what is no group is thrown', async () => {
    const socket = await group();
    expect(() => socket.addMembership('10.0.0.9')).toThrow('addMembership EINVAL');
    expect(() => socket.addMembership('ff02::1')).toThrow('addMembership EINVAL');
    expect(() => socket.dropMembership(GROUP)).toThrow('dropMembership EADDRNOTAVAIL');
  });
});
