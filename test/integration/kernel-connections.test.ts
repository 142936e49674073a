/**
 * The life of connections with the kernel: opened, refused, stopped by a closed window, reset, and ended by the thousand
 * without a trace. tshark judges what we sent.
 */

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { StackError, type TcpEndpoint } from '../../src/stack/index.ts';
import { Judge } from '../support/judge.ts';
import type { Digest } from '../support/kernel-peer.ts';
import { DEVICE, LiveHost, MODES_OF_BOTH, OURS, until } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
/** Connections that are opened and closed in each way. */
const MANY = 1000;
const GROUP = 50;
const LIMIT = 60_000;

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** Waits until nothing is left of all connections: no endpoint but `listeners`, no timer, no memory. */
async function nothingLeft(host: LiveHost, ...listeners: TcpEndpoint[]): Promise<void> {
  const states = (): string[] =>
    [...host.stack.endpoints()].map((endpoint) =>
      'state' in endpoint ? String(endpoint.state) : endpoint.kind,
    );
  await until('connections ended', () => states().length === listeners.length).catch(() => {});
  expect(states()).toEqual(listeners.map(() => 'LISTEN'));
  expect(host.allocator.inUse).toBe(0);
  await until('no timer is left', () => host.stack.nextDeadline === Number.POSITIVE_INFINITY);
  expect(host.stack.counters.tcpCurrEstab).toBe(0);
}

// A busy machine is slow; what hangs is told by its own words sooner.
jest.setTimeout(60_000);

describePrivileged('TCP connections with the kernel', () => {
  describe.each(MODES_OF_BOTH)('$title', ({ mtu, offload, family, ours }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family, tcp: { msl: 250 } });
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test(
      'RFC 9293 §3.8.6.1 our reader stops: the window closes, the kernel probes it, and all arrives after it opens',
      async () => {
        const listener = host.listen(5001, (endpoint) => {
          endpoint.receiveBufferSize = 64 << 10;
        });
        const peer = host.kernel('send', ours, 5001, 2 * MB);
        const stream = await listener.accept();
        await until('the window is closed', () => stream.endpoint.info().rcvWnd === 0);
        const { segmentsIn } = stream.endpoint.info();
        await until('two probes came', () => stream.endpoint.info().segmentsIn >= segmentsIn + 2);
        expect(stream.endpoint.readableBytes).toBeLessThanOrEqual(128 << 10);
        const received = await receiveHashed(stream);
        stream.close();
        listener.close();
        expect(received).toEqual(await peer.result<Digest>());
      },
      LIMIT,
    );

    test(
      "RFC 9293 §3.8.6.1 the kernel's reader stops: we probe its window, and all arrives after it opens",
      async () => {
        const peer = await host.kernelServer('serve-recv', 6001, '--hold', '--rcvbuf', 32 << 10);
        const stream = await host.connect(6001);
        await peer.said('CONNECTED');
        const sending = sendHashed(stream, 8 * MB);
        await until('its window is closed', () => {
          const { sndWnd, mss, flightSize } = stream.endpoint.info();
          return sndWnd < mss && flightSize === 0;
        });
        const { segmentsOut } = stream.endpoint.info();
        await until('we probed twice', () => stream.endpoint.info().segmentsOut >= segmentsOut + 2);
        peer.goOn();
        const sent = await sending;
        expect(await peer.result<Digest>()).toEqual(sent);
        stream.close();
      },
      LIMIT,
    );

    test('RFC 9293 §3.10.7.1 a port of ours where nobody listens refuses the kernel', async () => {
      expect(await host.kernel('refused', ours, 5999).result()).toEqual({ error: 'ECONNREFUSED' });
    });

    test("a port of the kernel's where nobody listens refuses us", async () => {
      await expect(host.connect(6999)).rejects.toMatchObject({ code: StackError.connectionRefused });
    });

    test('SEM-BKLG-05 a connection past the backlog is refused, and those within are served', async () => {
      const endpoint = host.stack.openTcp(family);
      endpoint.bind(endpoint.localAddress, 5002);
      endpoint.listen(2);
      const waiting = [host.kernel('recv', ours, 5002, '--hold'), host.kernel('recv', ours, 5002, '--hold')];
      for (const peer of waiting) await peer.said('CONNECTED');
      await until('both can be accepted', () => endpoint.acceptableCount === 2);
      expect(await host.kernel('refused', ours, 5002).result()).toEqual({ error: 'ECONNREFUSED' });
      for (const peer of waiting) {
        peer.goOn();
        endpoint.accept()?.close();
      }
      endpoint.close();
      for (const peer of waiting) expect(await peer.result<Digest>()).toMatchObject({ bytes: 0 });
    });

    test('RFC 9293 §3.10.7.4 a reset of the kernel fails our next read, and only after what came before it', async () => {
      const listener = host.listen(5003);
      const peer = await host.kernel('abort', ours, 5003, 1000).said('CONNECTED');
      const stream = await listener.accept();
      expect((await stream.readExactly(1000)).length).toBe(1000);
      peer.goOn();
      await expect(stream.read()).rejects.toMatchObject({ code: StackError.connectionReset });
      expect(stream.endpoint.state).toBe('CLOSED');
      await peer.result();
      stream.close();
      listener.close();
    });

    test("a reset of ours fails the kernel's read", async () => {
      const peer = await host.kernelServer('serve-recv', 6002);
      const stream = await host.connect(6002);
      await stream.write(new Uint8Array(1000));
      stream.abort();
      await expect(peer.result()).rejects.toThrow('ConnectionResetError');
    });

    test(
      'a thousand connections that the kernel opens and closes leave nothing behind',
      async () => {
        const listener = host.echo(7);
        expect(await host.kernel('connections', ours, 7, MANY).result()).toEqual({ echoed: MANY });
        await nothingLeft(host, listener);
        listener.close();
      },
      LIMIT,
    );

    test(
      'RFC 9293 §3.4.2 a thousand connections that we close first wait in TIME-WAIT, and then leave nothing behind',
      async () => {
        const listener = host.echo(8, (endpoint) => endpoint.close());
        let most = 0;
        const count = setInterval(() => {
          const waiting = [...host.stack.endpoints()].filter((e) => 'state' in e && e.state === 'TIME-WAIT');
          most = Math.max(most, waiting.length);
        }, 20);
        const result = await host.kernel('connections', ours, 8, MANY, '--last').result();
        clearInterval(count);
        expect(result).toEqual({ echoed: MANY });
        expect(most).toBeGreaterThan(0);
        await nothingLeft(host, listener);
        listener.close();
      },
      LIMIT,
    );

    test(
      'a thousand connections that we open to the kernel leave nothing behind',
      async () => {
        const peer = await host.kernelServer('serve-echo', 6003, MANY);
        let echoed = 0;
        for (let start = 0; start < MANY; start += GROUP) {
          await Promise.all(
            Array.from({ length: GROUP }, async (_, i) => {
              const stream = await host.connect(6003);
              await stream.write(Uint8Array.of(i));
              if ((await stream.readExactly(1))[0] === i) echoed++;
              stream.end();
              expect(await stream.read()).toBeNull();
              stream.close();
            }),
          );
        }
        expect([echoed, await peer.result()]).toEqual([MANY, { ended: MANY }]);
        await nothingLeft(host);
      },
      LIMIT,
    );

    test(
      'tshark has nothing against any packet that we sent',
      async () => {
        await judge.stop();
        expect(await judge.countFrom(ours)).toBeGreaterThan(3 * MANY);
        expect(await judge.complaints(ours, { hasChecksums: !offload })).toEqual([]);
      },
      LIMIT,
    );
  });

  test('a host that is closed in the middle of transfers resets them and leaves no descriptor open', async () => {
    const before = openFiles();
    const host = new LiveHost();
    const listener = host.listen(5001);
    const peers = Array.from({ length: 4 }, () => host.kernel('send', OURS, 5001, 64 * MB));
    for (const _ of peers) await (await listener.accept()).read();
    // The namespace outlives the host: the kernel's sockets have to see the resets.
    host.closeHost();
    for (const peer of peers) await expect(peer.result()).rejects.toThrow(/Reset|Broken/);
    expect(host.allocator.inUse).toBe(0);
    host.close();
    await until('all descriptors are closed', () => openFiles() <= before);
  });
});
