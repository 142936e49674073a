/** Zones of IPv6 addresses by the names of interfaces, in the modules of Node's shape. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSocket, type DatagramSocket, type RemoteInfo } from '../../../src/app/dgram.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';

let hosts: readonly LocalHost[];
let sockets: DatagramSocket[];
/** The names of their interfaces on the wire. */
let names: readonly string[];

beforeEach(() => {
  const scheduler = new RealTime();
  const wire = new MemorySegment({ scheduler });
  hosts = [1, 2].map((last) =>
    createLocalHost({ scheduler, links: [{ link: wire.port(), addresses: [`fe80::${last}/64`] }] }),
  );
  names = hosts.map(({ host }) => host.stack.interfaces[1]?.name ?? '');
  sockets = [];
});

afterEach(() => {
  for (const socket of sockets) socket.close();
  for (const host of hosts) host.close();
});

function open(host: number): DatagramSocket {
  const winsock = hosts[host]?.winsock();
  const socket = createSocket({ type: 'udp6', winsock });
  sockets.push(socket);
  return socket;
}

async function bound(host: number, address: string): Promise<DatagramSocket> {
  const socket = open(host);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, resolve);
  });
  return socket;
}

function message(socket: DatagramSocket): Promise<readonly [string, RemoteInfo]> {
  return new Promise((resolve) => {
    socket.once('message', (bytes: Buffer, from: RemoteInfo) => resolve([`${bytes}`, from]));
  });
}

function sent(socket: DatagramSocket, text: string, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.send(text, port, address, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
}

describe('RFC 4007 §11 a zone is written behind `%`, by the name of its interface', () => {
  test('bind and send take link-local addresses with it', async () => {
    const receiver = await bound(1, `fe80::2%${names[1]}`);
    const sender = await bound(0, `fe80::1%${names[0]}`);
    const got = message(receiver);
    expect(await sent(sender, 'hello', receiver.address().port, `fe80::2%${names[0]}`)).toBe(5);
    expect(await got).toMatchObject(['hello', { address: 'fe80::1%2', family: 'IPv6' }]);
  });

  test('groups are joined on it and left by it', async () => {
    const receiver = await bound(1, '::');
    receiver.addMembership('ff02::77', `::%${names[1]}`);
    const sender = await bound(0, '::');
    sender.setMulticastInterface(`::%${names[0]}`);
    const got = message(receiver);
    // The membership is a step behind: its name is looked up first.
    await new Promise((resolve) => setImmediate(resolve));
    await sent(sender, 'all', receiver.address().port, 'ff02::77');
    expect((await got)[0]).toBe('all');
  });

  test('a name that no interface has is ENOTFOUND', async () => {
    const socket = await bound(0, '::');
    await expect(sent(socket, 'x', 9, 'fe80::2%nosuch')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    const failed = new Promise((resolve) => socket.once('error', resolve));
    socket.addMembership('ff02::77', '::%nosuch');
    expect(await failed).toMatchObject({ code: 'ENOTFOUND' });
  });
});
