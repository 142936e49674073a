/** A WebSocket server and clients that talk to it: text, binary data of a megabyte, and a close with its code. `websocket.mjs HOST PORT` */

import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const [host, port] = [process.argv[2], Number(process.argv[3])];
const http = createServer();
const server = new WebSocketServer({ server: http });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

/** What a client gets back, and with which code it ends. */
function talk(message) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${host}:${port}`);
    let echo = null;
    socket.on('open', () => socket.send(message));
    socket.on('error', reject);
    socket.on('message', (data) => {
      echo = data;
      socket.close(4001, 'enough');
    });
    socket.on('close', (code) => resolve({ isSame: Buffer.from(message).equals(echo), code }));
  });
}

http.listen(port, host, async () => {
  const results = await Promise.all([talk('hello'), talk(Buffer.alloc(1_000_000, 7)), talk('')]);
  console.log(JSON.stringify(results));
  server.close();
  http.close();
});
