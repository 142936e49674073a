/**
 * `winsockd/register`: a program written for Node's own modules runs over our sockets, unchanged:
 *
 *     node --import winsockd/register server.js
 *
 * In the place of `net`, `dgram` and what `http`, `https` and `tls` use of them stand `winsockd/net` and `winsockd/dgram`, for `import`
 * and `require` alike. Unix sockets, pipes and inherited descriptors stay Node's own, and so does `dns`. The sockets live in the
 * daemon (`WINSOCKD_SOCKET`), unless the program says otherwise with `attachTo` first.
 */

import dgram from 'node:dgram';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import { createSocket } from './dgram.ts';
import { Server, Socket } from './net.ts';
import { tlsOver } from './node-client.ts';
import { connectOr, serverOr, socketOr } from './node-replacements.ts';
import { serveOver } from './node-servers.ts';

const connect = connectOr(net.createConnection);
Object.assign(net, {
  Socket: socketOr(net.Socket),
  // Node's own name for the same, from its first years.
  Stream: socketOr(net.Socket),
  Server: serverOr(net.Server),
  createServer: (...args: ConstructorParameters<typeof Server>) => new Server(...args),
  createConnection: connect,
  connect,
});
Object.assign(dgram, { createSocket });
Object.assign(tls, { connect: tlsOver(tls.connect, (options) => new Socket().connect(options)) });
// Both found `net.createConnection` when they were loaded.
Object.assign(http.Agent.prototype, { createConnection: connect });
for (const { prototype } of [http.Server, https.Server, tls.Server]) serveOver(prototype);
syncBuiltinESMExports();
