/**
 * A TLS server, an HTTPS server and their clients. `tls-peers.mjs KEY CERTIFICATE HOST SERVER_PORT [PORT]`: asks another's HTTPS server on
 * PORT too, if there is one.
 */

import { readFileSync } from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';

const [keyFile, certificateFile, host, serverPort, otherPort] = process.argv.slice(2);
const [key, cert] = [readFileSync(keyFile), readFileSync(certificateFile)];

const text = async (stream) => {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
};
const get = (port, address) =>
  new Promise((resolve, reject) => {
    const options = { host: address, port, path: '/', ca: cert, servername: 'winsockd.test' };
    https.get(options, (response) => text(response).then(resolve, reject)).on('error', reject);
  });

const server = https.createServer({ key, cert }, (request, response) => {
  response.end(`${request.socket.getProtocol()} ${request.url}`);
});
server.listen(Number(serverPort), async () => {
  const said = [await get(serverPort, host)];
  // Without HTTP around it, and with a certificate that nobody trusts.
  const untrusting = tls.connect({ host, port: Number(serverPort), servername: 'winsockd.test' });
  said.push(await new Promise((resolve) => untrusting.on('error', (error) => resolve(error.code))));
  if (otherPort !== undefined) said.push(await get(Number(otherPort), process.env.OTHER_HOST));
  console.log(JSON.stringify(said));
  process.stdin.on('end', () => server.close()).resume();
  console.log('ready');
});
