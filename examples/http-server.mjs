// An ordinary HTTP server whose sockets are winsockd's: Node's own `http`, over `winsockd/net`. It links to the daemon that
// WINSOCKD_SOCKET names (default /run/winsockd/winsockd.sock).
//
//   node examples/http-server.mjs [PORT]
//
//   GET /                     a page that says who asked
//   GET /bytes/COUNT          COUNT pseudo-random bytes, the same every time
//   GET /bytes/COUNT.sha256   their SHA-256
import { createHash } from 'node:crypto';
import { attachedTo, createHttpServer } from 'winsockd/net';

const MOST_BYTES = 16 * 2 ** 30;

/** A megabyte that no bug reproduces by accident: a chain of hashes. */
const block = (() => {
  const parts = [];
  let last = Buffer.from('winsockd');
  for (let length = 0; length < 2 ** 20; length += last.length) {
    last = createHash('sha256').update(last).digest();
    parts.push(last);
  }
  return Buffer.concat(parts);
})();

/** The download in pieces of at most a megabyte. */
function* pieces(count) {
  for (let left = count; left > 0; left -= block.length)
    yield left < block.length ? block.subarray(0, left) : block;
}

function sha256(count) {
  const hash = createHash('sha256');
  for (const piece of pieces(count)) hash.update(piece);
  return hash.digest('hex');
}

/** Resolves when there is room again, or nobody to send to. */
function drained(response) {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

async function sendBytes(response, count) {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': count });
  for (const piece of pieces(count)) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

const server = createHttpServer((request, response) => {
  const [, digits, isHash] = /^\/bytes\/(\d{1,11})(\.sha256)?$/.exec(request.url ?? '') ?? [];
  const count = Number(digits);
  if (request.url === '/') {
    const { remoteAddress, remotePort, localAddress, localPort } = request.socket;
    response.setHeader('content-type', 'text/plain');
    response.end(
      `Hello ${remoteAddress}:${remotePort}, this is ${localAddress}:${localPort} on a TCP/IP stack in userland.\n`,
    );
  } else if (digits === undefined || count > MOST_BYTES) {
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end('There is /, /bytes/COUNT and /bytes/COUNT.sha256 here.\n');
  } else if (isHash !== undefined) {
    response.end(`${sha256(count)}\n`);
  } else {
    void sendBytes(response, count);
  }
});

server.net.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(Number(process.argv[2] ?? 80), '0.0.0.0', () => {
  const { address, port } = server.address();
  console.log(`http server: listening on ${address}:${port}, sockets of ${attachedTo()?.where}`);
});
process.once('SIGTERM', () => process.exit(0));
