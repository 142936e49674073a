/** A server and a connection to it that do not keep the program; only what is taken back does. `unref.mjs HOST PORT` */

import { connect, createServer } from 'node:net';

const [host, port] = [process.argv[2], Number(process.argv[3])];
const server = createServer((socket) => {
  socket.unref();
  socket.on('data', (data) => socket.write(data));
});
server.listen(port, host, () => {
  server.unref();
  const idle = connect(port, host, () => {
    idle.unref();
    const held = connect(port, host, () => {
      held.unref();
      held.ref();
      console.log('let go');
      setTimeout(() => held.write('data after ref'), 50);
    });
    held.on('data', (data) => {
      console.log(String(data));
      held.unref();
    });
  });
});
