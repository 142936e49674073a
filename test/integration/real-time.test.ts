import { describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../src/base/index.ts';
import { createHost, RealTime, type RunningHost } from '../../src/engine/index.ts';
import { MemorySegment } from '../../src/link/index.ts';
import { type Endpoint, EndpointEvent, type TcpEndpoint } from '../../src/stack/index.ts';
import { sha256, testBytes } from '../sim/support.ts';

describe('RealTime', () => {
  test('given tasks with and without a delay, they run in order, never before the caller returns, and late if anything', async () => {
    const time = new RealTime();
    const seen: string[] = [];
    const start = time.now();
    let late = 0;
    const done = new Promise<void>((resolve) => {
      time.after(20.5, () => {
        late = time.now() - start;
        seen.push('20');
        resolve();
      });
    });
    time.after(0, () => seen.push('0'));
    time.after(5, () => seen.push('5'));
    seen.push('now');
    await done;
    expect(seen).toEqual(['now', '0', '5', '20']);
    expect(late).toBeGreaterThanOrEqual(20.5);
  });

  test('given cancelled tasks, they do not run', async () => {
    const time = new RealTime({ keepsAlive: false });
    const seen: string[] = [];
    for (const delay of [0, 1, 5]) time.after(delay, () => seen.push('ran'))();
    await new Promise<void>((resolve) => {
      new RealTime().after(15, resolve);
    });
    expect(seen).toEqual([]);
  });

  test('given a delay of years, the task does not run at once', async () => {
    const time = new RealTime({ keepsAlive: false });
    let hasRun = false;
    const cancel = time.after(1e12, () => {
      hasRun = true;
    });
    await new Promise<void>((resolve) => {
      new RealTime().after(10, resolve);
    });
    cancel();
    expect(hasRun).toBe(false);
  });
});

describe('createHost on the machine’s clock', () => {
  test('given two hosts on a segment, 5 MB are echoed and the loop stays responsive', async () => {
    const time = new RealTime();
    const wire = new MemorySegment({ scheduler: time });
    const length = 5_000_000;
    const scratch = new Uint8Array(65_536);
    const original = testBytes(length, 1);
    const echoed = new Uint8Array(length);

    // Bytes read and not yet taken back by the connection.
    let backlog: Uint8Array = new Uint8Array(0);
    const echo = (tcp: TcpEndpoint): void => {
      for (;;) {
        if (backlog.length > 0) {
          const taken = tcp.write(backlog, 0, backlog.length);
          if (taken <= 0) return;
          backlog = backlog.subarray(taken);
          continue;
        }
        const got = tcp.read(scratch, 0, scratch.length);
        if (got === 0) tcp.shutdownWrite();
        if (got <= 0) return;
        backlog = scratch.slice(0, got);
      }
    };
    const server: RunningHost = createHost({
      scheduler: time,
      links: [{ link: wire.port(), addresses: ['10.0.0.2/24'] }],
      observer: (endpoint: Endpoint, events) => {
        const tcp = endpoint as TcpEndpoint;
        // Bytes may have come before: a connection is read as soon as it is accepted.
        const stream = (events & EndpointEvent.acceptable) === 0 ? tcp : tcp.accept();
        if (stream !== null) echo(stream);
      },
    });
    const listener = server.stack.openTcp();
    listener.bind(IpAddress.anyV4, 7);
    listener.listen(1);

    let sent = 0;
    let received = 0;
    let resolve: () => void = () => {};
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    const client: RunningHost = createHost({
      scheduler: time,
      links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }],
      observer: (endpoint: Endpoint) => {
        const tcp = endpoint as TcpEndpoint;
        let got = tcp.read(echoed, received, length - received);
        for (; got > 0; got = tcp.read(echoed, received, length - received)) received += got;
        while (sent < length) {
          const taken = tcp.write(original, sent, length - sent);
          if (taken <= 0) break;
          sent += taken;
          if (sent === length) tcp.shutdownWrite();
        }
        if (tcp.atEnd) resolve();
      },
    });
    client.stack.openTcp().connect(IpAddress.parse('10.0.0.2') as IpAddress, 7);

    let longest = 0;
    let last = time.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, time.now() - last);
      last = time.now();
    }, 1);
    await done;
    clearInterval(watch);
    server.close();
    client.close();
    expect(sha256(echoed)).toBe(sha256(original));
    expect(longest).toBeLessThan(500);
  });
});
