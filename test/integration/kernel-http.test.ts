/**
 * `curl` through the kernel to Node's own HTTP server over our sockets: Winsock, afd and stack inside this process.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalHost, type LocalHost } from '../../src/app/local.ts';
import { createHttpServer, type HttpServer } from '../../src/app/net.ts';
import { MODES_OF_BOTH, openTun, until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

const MB = 1 << 20;
const LIMIT = 60_000;

const BLOCK = createHash('sha512').update('http').digest();
/** A megabyte of it. */
const PIECE = Buffer.alloc(MB, BLOCK);

function sha256OfPieces(count: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < count; i++) hash.update(PIECE);
  return hash.digest('hex');
}

/** `/` says who asks; `/megabytes/N` gives N megabytes; what is posted is answered with its SHA-256. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const count = Number(/^\/megabytes\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0);
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Uint8Array);
    response.end(hash.digest('hex'));
  } else if (count > 0) {
    response.setHeader('content-length', count * MB);
    for (let i = 0; i < count; i++) {
      if (!response.write(PIECE)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  } else {
    response.end(`${request.socket.remoteAddress} asked ${request.socket.localAddress} for ${request.url}\n`);
  }
}

// A busy machine is slow; what hangs is told by its own words sooner.
jest.setTimeout(60_000);

describePrivileged('curl over winsockd/net', () => {
  describe.each(MODES_OF_BOTH.filter(({ mtu }) => mtu === 1500))('$title', (mode) => {
    const { mtu, offload, family, kernel, ours } = mode;
    const base = `http://${family === 4 ? ours : `[${ours}]`}:8080`;
    let space: Namespace;
    let host: LocalHost;
    let server: HttpServer;

    beforeAll(async () => {
      space = createNamespace();
      const link = openTun(space, { mtu, offload, family });
      host = createLocalHost({
        links: [{ link, addresses: [`${ours}/${family === 4 ? 24 : 64}`] }],
        tcp: { msl: 100 },
      });
      server = createHttpServer((request, response) => void answer(request, response), {
        winsock: host.winsock(),
      });
      await new Promise<void>((resolve) => {
        server.listen(8080, family === 4 ? '0.0.0.0' : '::', resolve);
      });
    });
    afterAll(() => {
      host.close();
      space.remove();
    });

    const curl = (...args: string[]) => space.run(['curl', '-sS', '--max-time', '40', ...args], LIMIT);

    test('a page', async () => {
      const { stdout, stderr } = await curl(`${base}/page`);
      expect([stdout, stderr]).toEqual([`${kernel} asked ${ours} for /page\n`, '']);
    });

    test('a hundred requests over one connection, which is kept alive', async () => {
      const { stdout } = await curl('-w', '%{num_connects}\n', `${base}/[1-100]`);
      const lines = stdout.trimEnd().split('\n');
      expect(lines.filter((line) => line.startsWith(kernel)).length).toBe(100);
      expect(lines.filter((line) => line === '1').length).toBe(1);
    });

    test('fifty requests at once, on as many connections', async () => {
      const { status, stdout } = await curl(
        '-Z',
        '--parallel-immediate',
        '--parallel-max',
        '50',
        `${base}/[1-50]`,
      );
      expect(status).toBe(0);
      const pages = stdout.trimEnd().split('\n').sort();
      expect(pages).toEqual(
        Array.from({ length: 50 }, (_, i) => `${kernel} asked ${ours} for /${i + 1}`).sort(),
      );
    });

    test(
      'a download of 100 MB has the right SHA-256',
      async () => {
        const { stdout, stderr } = await space.run(
          ['sh', '-c', `curl -sS --max-time 40 ${base}/megabytes/100 | sha256sum`],
          LIMIT,
        );
        expect([stdout.slice(0, 64), stderr]).toEqual([sha256OfPieces(100), '']);
      },
      LIMIT,
    );

    test(
      'an upload of 64 MB arrives with the right SHA-256',
      async () => {
        const upload = `head -c ${64 * MB} /dev/zero | curl -sS --max-time 40 -T - -X POST ${base}/`;
        const { stdout, stderr } = await space.run(['sh', '-c', upload], LIMIT);
        const expected = createHash('sha256')
          .update(Buffer.alloc(64 * MB))
          .digest('hex');
        expect([stdout, stderr]).toEqual([expected, '']);
      },
      LIMIT,
    );

    test(
      'downloads that are broken off leave no socket behind, and closing the server leaves nothing at all',
      async () => {
        const broken = await Promise.all(
          Array.from({ length: 8 }, () =>
            space.run(['sh', '-c', `curl -sS ${base}/megabytes/1000 | head -c 1000000 | wc -c`]),
          ),
        );
        expect(broken.map(({ stdout }) => stdout.trim())).toEqual(new Array(8).fill('1000000'));
        await until('only the listener is left', () => host.afd.describe().length === 1);
        server.close();
        await until('no socket is left', () => host.afd.describe().length === 0);
        await until('no endpoint is left', () => [...host.host.stack.endpoints()].length === 0);
      },
      LIMIT,
    );
  });
});
