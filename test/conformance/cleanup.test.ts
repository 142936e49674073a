/** The end of Winsock in a process: what was closed in good order goes out all the same. */

import { expect, test } from '@jest/globals';
import { WSANOTINITIALISED } from '../../src/abi/index.ts';
import { connected, ok, overEveryAttachment } from './support.ts';

overEveryAttachment('the last WSACleanup', (pair) => {
  test('SEM-VER-15, SPI-START-08 sockets that were closed gracefully before it still flush, end of stream included', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const bytes = Uint8Array.from({ length: 60_000 }, (_, i) => i * 31);
    expect(await a.send(client, bytes)).toBe(bytes.length);
    await ok(a.closesocket(client));
    await ok(a.WSACleanup());
    expect(await a.send(client, bytes)).toBe(-WSANOTINITIALISED);
    const got: Buffer[] = [];
    for (;;) {
      const part = new Uint8Array(16_384);
      const count = await ok(b.recv(server, part));
      if (count === 0) break;
      got.push(Buffer.from(part.subarray(0, count)));
    }
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
  });
});
