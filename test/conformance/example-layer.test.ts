/** The example of docs/providers.md, run. */

import { expect, test } from '@jest/globals';
import { counted, WSPStartup } from '../../examples/redirect-layer.ts';
import { withLayers } from './layered.ts';
import { bound, name, ok, tcp, text } from './support.ts';

test('examples/redirect-layer.ts sends port 80 to the server of this host, and counts', async () => {
  const { ws, layers } = withLayers([{ startup: WSPStartup, isIfs: true }]);
  const { s: listener } = await bound(ws, tcp, '127.0.0.1', 8080);
  await ok(ws.listen(listener, 1));
  const client = await tcp(ws);
  await ok(ws.connect(client, name('192.0.2.80', 80)));
  const server = await ok(ws.accept(listener));
  await ok(ws.send(client, text('hello')));
  expect(await ws.recv(server, new Uint8Array(99))).toBe(5);
  expect(counted).toEqual({ sent: 5, received: 5, redirected: 1 });
  expect(await ws.connect(await tcp(ws), name('127.0.0.1', 81))).toBeLessThan(0);
  expect(layers[0]?.name).toBe('redirect');
});
