/**
 * Sends and receives so many bytes over TLS at once, and reads slowly: `tls-duplex.mjs CA HOST PORT BYTES`. Prints how many came.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';

const [caFile, host, port, bytes] = process.argv.slice(2);
const socket = tls.connect({
  host,
  port: Number(port),
  ca: readFileSync(caFile),
  servername: 'server.test',
  allowHalfOpen: true,
});
const piece = Buffer.alloc(1 << 20);
let left = Number(bytes);
const more = () => {
  while (left > 0) {
    left -= piece.length;
    if (!socket.write(piece)) return void socket.once('drain', more);
  }
  socket.end();
};
socket.once('secureConnect', more);
let received = 0;
let next = 1 << 20;
for await (const chunk of socket) {
  received += chunk.length;
  // A pause after each megabyte.
  if (received < next) continue;
  next += 1 << 20;
  await pause(20);
}
console.log(String(received));
