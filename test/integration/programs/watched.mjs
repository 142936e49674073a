// An application with every face: promises, the blocking one in this thread, and net. It does the same again for each line that it is told.

import { once } from 'node:events';
import { createInterface } from 'node:readline';

const [, , rooms] = process.argv;
const room = (name) => import(new URL(name, rooms));
const promises = await room('app/async.js');
const blocking = await room('app/blocking.js');
const net = await room('app/net.js');

const LOOPBACK = (port) => Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

await promises.WSAStartup(0x0202, {});
const own = await promises.socket(2, 2, 17);
await promises.bind(own, LOOPBACK(5001), 16);

blocking.WSAStartup(0x0202, {});
const slow = blocking.socket(2, 2, 17);
blocking.bind(slow, LOOPBACK(5002), 16);

const server = net.createServer((socket) => socket.pipe(socket)).listen(5003, '127.0.0.1');
await once(server, 'listening');

process.stdout.write('ready\n');
for await (const _line of createInterface({ input: process.stdin })) {
  await promises.sendto(own, Buffer.from('promised'), 8, 0, LOOPBACK(5001), 16);
  await promises.recvfrom(own, new Uint8Array(100), 100, 0, null, null);
  blocking.sendto(slow, Buffer.from('blocking'), 8, 0, LOOPBACK(5002), 16);
  blocking.recvfrom(slow, new Uint8Array(100), 100, 0, null, null);
  const client = net.connect(5003, '127.0.0.1');
  client.end('through net');
  await once(client.resume(), 'close');
  process.stdout.write('done\n');
}
process.exit(0);
