// Two hosts and a wire in this process, no privilege: an HTTP server and a UDP echo on one, their clients on the other. What
// scripts/demo shows where there is no TUN device.
//
//   node examples/demo-in-process.mjs CAPTURE-FILE DOWNLOAD-BYTES
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { CaptureRecorder, createLocalHost, MemorySegment, RealTime } from 'winsockd';
import { PcapngFile } from 'winsockd/capture/files';
import { createSocket } from 'winsockd/dgram';
import { createHttpServer, HttpAgent } from 'winsockd/net';

const [captureFile = 'demo.pcapng', downloadBytes = '100000000'] = process.argv.slice(2);
const say = (text) => console.log(`  ${text}`);

const scheduler = new RealTime();
const wire = new MemorySegment({ scheduler });
const serverHost = createLocalHost({
  scheduler,
  links: [{ link: wire.port(), addresses: ['10.77.0.2/24'] }],
});
const clientHost = createLocalHost({
  scheduler,
  links: [{ link: wire.port(), addresses: ['10.77.0.1/24'] }],
});
say('two TCP/IP stacks in this process, 10.77.0.1 and 10.77.0.2, on a memory segment');

const capture = new PcapngFile(captureFile, { application: 'winsockd demo' });
clientHost.host.driver.tap = new CaptureRecorder(clientHost.host.stack, capture.writer, {
  epoch: performance.timeOrigin,
});

const block = createHash('sha512').update('winsockd').digest('hex').repeat(4096);
const total = Number(downloadBytes);
const server = createHttpServer(
  async (request, response) => {
    if (request.url !== '/download') {
      response.end(`Hello ${request.socket.remoteAddress}, this is a TCP/IP stack in userland.\n`);
      return;
    }
    response.setHeader('content-length', total);
    for (let left = total; left > 0; left -= block.length) {
      if (!response.write(left < block.length ? block.slice(0, left) : block)) await once(response, 'drain');
    }
    response.end();
  },
  { winsock: serverHost.winsock() },
).listen(80, '0.0.0.0');
await once(server.net, 'listening');

const echo = createSocket({ type: 'udp4', winsock: serverHost.winsock() });
echo.on('message', (message, peer) => echo.send(message, peer.port, peer.address));
echo.bind(7);
await once(echo, 'listening');

const agent = new HttpAgent({ winsock: clientHost.winsock() });

/** Node's own HTTP client over the other host's sockets. */
async function fetchBytes(path, onChunk) {
  const request = get({ host: '10.77.0.2', port: 80, path, agent });
  const [response] = await once(request, 'response');
  for await (const chunk of response) onChunk(chunk);
}

let page = '';
await fetchBytes('/', (chunk) => {
  page += chunk;
});
say(`HTTP: ${page.trim()}`);

const client = createSocket({ type: 'udp4', winsock: clientHost.winsock() });
client.send('hello', 7, '10.77.0.2');
const [answer, peer] = await once(client, 'message');
say(`UDP echo: "${answer}" back from ${peer.address}:${peer.port}`);
client.close();
clientHost.host.driver.tap = null;
capture.close();

const received = createHash('sha256');
let bytes = 0;
const start = performance.now();
await fetchBytes('/download', (chunk) => {
  received.update(chunk);
  bytes += chunk.length;
});
const seconds = (performance.now() - start) / 1000;
const expected = createHash('sha256');
for (let left = total; left > 0; left -= block.length)
  expected.update(left < block.length ? block.slice(0, left) : block);
const isSame = bytes === total && received.digest('hex') === expected.digest('hex');
say(
  `HTTP download: ${bytes} bytes, SHA-256 ${isSame ? 'as expected' : 'WRONG'}, ${((bytes * 8) / seconds / 1e9).toFixed(1)} Gbit/s`,
);

agent.destroy();
echo.close();
server.close();
clientHost.close();
serverHost.close();
process.exitCode = isSame ? 0 : 1;
