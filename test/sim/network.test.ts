import { describe, expect, jest, test } from '@jest/globals';
import { SeededRandom } from '../../src/base/index.ts';
import { FuzzedLink } from '../../src/link/index.ts';
import { createNetwork, EndpointError, parseAddress, SimulationError } from '../../src/sim/index.ts';
import { DropReason } from '../../src/wire/index.ts';
import { describeTshark, tshark } from '../support/tshark.ts';
import {
  connectPair,
  exchange,
  makePair,
  SERVER,
  sha256,
  testBytes,
  transferBothWays,
  wireHash,
} from './support.ts';

const HARSH = {
  loss: 0.05,
  delay: 12,
  jitter: 8,
  jitterReorders: true,
  duplicate: 0.03,
  corrupt: 0.02,
  reorder: 0.05,
};

/** The hash of everything on the wire, with its times, of one run. */
async function runHash(seed: number, length = 60_000): Promise<string> {
  const pair = makePair({ seed, path: { impair: HARSH } });
  const hash = wireHash(pair);
  await transferBothWays(pair, length);
  await pair.network.run(pair.network.now + 10_000);
  return hash();
}

describe('one seed, one run', () => {
  test('given the same seed, every byte on the wire and its time are the same', async () => {
    expect(await runHash(42)).toBe(await runHash(42));
  });

  test('given another seed, the run is another', async () => {
    expect(await runHash(42)).not.toBe(await runHash(43));
  });

  test('given many hosts that talk at once, two runs are the same', async () => {
    const once = async (): Promise<string> => {
      const network = createNetwork({ seed: 9 });
      const segment = network.segment();
      const hosts = [1, 2, 3, 4, 5].map((n) =>
        network.host({ name: `h${n}`, segment, addresses: [`10.0.0.${n}/24`], impair: HARSH }),
      );
      const capture = network.capture(segment);
      const listeners = hosts.map((host) => host.tcp.listen(80));
      const served = listeners.map(async (listener, i) => {
        const stream = await listener.accept();
        return exchange(stream, testBytes(3000, i));
      });
      const asked = hosts.map(async (host, i) => {
        const stream = await host.tcp.connect(`10.0.0.${((i + 1) % hosts.length) + 1}`, 80);
        return exchange(stream, testBytes(4000, i));
      });
      await network.run(Promise.all([...served, ...asked]));
      network.close();
      return sha256(capture.bytes());
    };
    expect(await once()).toBe(await once());
  });
});

describe('nothing is left behind', () => {
  test('1,000 connections opened, used and closed leave no endpoint, buffer or timer', async () => {
    const pair = makePair({ seed: 5, path: { impair: { delay: 2, loss: 0.01 } } });
    const { network, client, server } = pair;
    const listener = server.tcp.listen(80, { backlog: 200 });
    const serve = async (): Promise<void> => {
      for (let i = 0; i < 1000; i++) {
        const stream = await listener.accept();
        void (async () => {
          const bytes = await stream.readAll();
          await stream.write(bytes);
          stream.close();
        })();
      }
    };
    const ask = async (first: number): Promise<void> => {
      for (let i = first; i < 1000; i += 50) {
        const stream = await client.tcp.connect(SERVER, 80);
        const bytes = testBytes(100 + i, i);
        expect(sha256(await exchange(stream, bytes))).toBe(sha256(bytes));
        stream.close();
      }
    };
    await network.run(Promise.all([serve(), ...Array.from({ length: 50 }, (_, i) => ask(i))]));
    listener.close();
    // TIME-WAIT lasts two minutes.
    await network.run(network.now + 300_000);
    for (const host of [client, server]) {
      expect([...host.stack.endpoints()]).toEqual([]);
      expect(host.allocator.inUse).toBe(0);
      expect(host.stack.counters.tcpCurrEstab).toBe(0);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    }
    expect(network.time.pending).toBe(0);
  });

  test('given a network that is closed in the middle, timers and buffers are gone at once', async () => {
    const pair = makePair({ path: { impair: { delay: 50 } } });
    const [client] = await connectPair(pair);
    await client.write(testBytes(50_000, 1));
    await pair.network.run(pair.network.now + 20);
    pair.network.close();
    expect(pair.client.allocator.inUse + pair.server.allocator.inUse).toBe(0);
    await pair.network.run(pair.network.now + 1000);
    expect(pair.network.time.pending).toBe(0);
    pair.network.close();
  });

  test('given a host that closes, its peers are reset', async () => {
    const pair = makePair();
    const [, server] = await connectPair(pair);
    const reading = server.read();
    pair.client.close();
    await expect(pair.network.run(reading)).rejects.toMatchObject({ reason: 'connectionReset' });
  });
});

describe('calls on hosts', () => {
  test('ping: the reply comes after the delay of the way there and back', async () => {
    const pair = makePair({ path: { impair: { delay: 30 } } });
    const reply = await pair.network.run(pair.client.ping(SERVER, { payload: testBytes(100, 1) }));
    expect(reply).toMatchObject({ type: 0, code: 0, payload: testBytes(100, 1) });
    expect(pair.network.now).toBeCloseTo(60, 5);
  });

  test('ping: nobody answers', async () => {
    const pair = makePair();
    const { network, client } = pair;
    await expect(network.run(client.ping('10.0.0.77', { timeout: 500 }))).rejects.toThrow('timedOut');
    expect(network.now).toBe(500);
    expect([...client.stack.endpoints()]).toEqual([]);
  });

  test('connect: nobody listens', async () => {
    const { network, client } = makePair();
    const connecting = network.run(client.tcp.connect(SERVER, 81));
    await expect(connecting).rejects.toBeInstanceOf(EndpointError);
    await expect(connecting).rejects.toMatchObject({ reason: 'connectionRefused' });
  });

  test('connect: from an address and port that were asked for', async () => {
    const pair = makePair();
    const listener = pair.server.tcp.listen(80);
    const options = { localAddress: '10.0.0.1', localPort: 1234 };
    const ends = Promise.all([pair.client.tcp.connect(SERVER, 80, options), listener.accept()]);
    const [, accepted] = await pair.network.run(ends);
    expect(accepted.endpoint.remotePort).toBe(1234);
    await expect(pair.network.run(pair.client.tcp.connect(SERVER, 80, options))).rejects.toThrow(
      'addressInUse',
    );
  });

  test('listen: a port that is taken', () => {
    const { server } = makePair();
    server.tcp.listen(80);
    expect(() => server.tcp.listen(80)).toThrow('addressInUse');
  });

  test('udp: datagrams both ways, and the error for a port that nobody has', async () => {
    const { network, client, server } = makePair();
    const ours = client.udp.open(1000);
    const theirs = server.udp.open(2000);
    ours.send(testBytes(500, 1), SERVER, 2000);
    const datagram = await network.run(theirs.receive());
    expect(datagram).toMatchObject({ bytes: testBytes(500, 1), sourcePort: 1000 });
    theirs.send(testBytes(0, 1), datagram.source, datagram.sourcePort);
    expect((await network.run(ours.receive())).bytes).toHaveLength(0);
    expect(ours.endpoint.connect(parseAddress(SERVER), 2001)).toBe(0);
    theirs.close();
    ours.endpoint.reportsPortUnreachable = true;
    ours.send(testBytes(5, 1), SERVER, 2001);
    await expect(network.run(ours.receive())).rejects.toBeInstanceOf(EndpointError);
  });

  test('streams: exact reads, the end, what comes after a close', async () => {
    const pair = makePair();
    const [client, server] = await connectPair(pair);
    await client.write(testBytes(1000, 1));
    client.end();
    expect(await pair.network.run(server.readExactly(400))).toEqual(testBytes(1000, 1).subarray(0, 400));
    const short = pair.network.run(server.readExactly(601));
    await expect(short).rejects.toThrow('ended at 600');
    expect(await pair.network.run(server.read())).toBeNull();
    server.end();
    await pair.network.run(Promise.all([client.ended(), server.ended()]));
    const reading = client.read();
    client.close();
    client.close();
    await expect(reading).resolves.toBeNull();
  });

  test('streams: a reset ends what waits', async () => {
    const pair = makePair();
    const [client, server] = await connectPair(pair);
    const waiting = Promise.allSettled([client.read(), client.ended()]);
    server.abort();
    const reset = { status: 'rejected', reason: { reason: 'connectionReset' } };
    expect(await pair.network.run(waiting)).toMatchObject([reset, reset]);
  });

  test('two hosts on one wire do not see what is for a third', async () => {
    const network = createNetwork();
    const segment = network.segment();
    const [a, b, c] = [1, 2, 3].map((n) =>
      network.host({ name: `h${n}`, segment, addresses: [`10.0.0.${n}/24`] }),
    ) as [ReturnType<typeof network.host>, ReturnType<typeof network.host>, ReturnType<typeof network.host>];
    await network.run(a.ping('10.0.0.2'));
    const before = c.stack.counters.ipInReceives;
    for (let i = 0; i < 5; i++) await network.run(a.ping('10.0.0.2'));
    expect(c.stack.counters.ipInReceives).toBe(before);
    expect(b.stack.counters.icmpInEchos).toBe(6);
    expect((await network.run(c.ping('10.0.0.1'))).type).toBe(0);
  });
});

describe('time', () => {
  test('run to a time, to a condition, and through a promise', async () => {
    const { network, client } = makePair();
    await network.run(250);
    expect(network.now).toBe(250);
    let isThere = false;
    network.time.after(100, () => {
      isThere = true;
    });
    await network.run(() => isThere);
    expect(network.now).toBe(350);
    await expect(network.run(client.ping(SERVER))).resolves.toMatchObject({ type: 0 });
  });

  test('given a promise that nothing can settle, run says that nothing more can happen', async () => {
    const { network, server } = makePair({ seed: 31 });
    const waiting = network.run(server.tcp.listen(80).accept());
    await expect(waiting).rejects.toBeInstanceOf(SimulationError);
    await expect(waiting).rejects.toThrow('nothing more can happen at 0 ms (seed 31)');
    await expect(network.run(() => false)).rejects.toThrow('the condition never held');
  });

  test('given a limit, run stops there', async () => {
    const pair = makePair();
    const [client, server] = await connectPair(pair);
    pair.client.link().outbound.change({ loss: 1 });
    await client.write(testBytes(10, 1));
    await expect(pair.network.run(server.read(), { limit: 1000 })).rejects.toThrow('the limit is reached');
  });

  test('given a chain of awaits, all of it runs at the moment at which the first was settled', async () => {
    const { network, client } = makePair({ path: { impair: { delay: 10 } } });
    const times: number[] = [];
    const program = async (): Promise<void> => {
      await client.ping(SERVER);
      times.push(network.now);
      for (let i = 0; i < 20; i++) await Promise.resolve();
      times.push(network.now);
      await client.ping(SERVER);
      times.push(network.now);
    };
    await network.run(program());
    expect(times.map(Math.round)).toEqual([20, 20, 40]);
  });

  test('given faked timers, the network runs nevertheless', async () => {
    jest.useFakeTimers();
    try {
      const { network, client } = makePair();
      await expect(network.run(client.ping(SERVER))).resolves.toMatchObject({ type: 0 });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('what is watched', () => {
  test('a host’s recording says who, why, and why not', async () => {
    const pair = makePair();
    const capture = pair.network.capture(pair.server);
    expect(() => pair.network.capture(pair.server)).toThrow('watched already');
    await connectPair(pair);
    await expect(pair.network.run(pair.client.tcp.connect(SERVER, 99))).rejects.toThrow('connectionRefused');
    capture.close();
    const text = new TextDecoder('latin1').decode(capture.bytes());
    const utf8 = new TextDecoder().decode(capture.bytes());
    expect(text).toContain('tcp 10.0.0.2:80');
    expect(utf8).toMatch(/tcp 10\.0\.0\.2:80 ↔ 10\.0\.0\.1:\d+ · SYN-ACK of a listener/);
    expect(utf8).toMatch(/dropped: tcpNoListener \(RFC 9293/);
    const length = capture.bytes().length;
    await pair.network.run(pair.client.ping(SERVER));
    expect(capture.bytes()).toHaveLength(length);
  });

  test('given mutated copies of every third frame, the connection does not notice', async () => {
    const network = createNetwork({ seed: 6 });
    const segment = network.segment();
    const client = network.host({ name: 'client', segment, addresses: ['10.0.0.1/24'] });
    const server = network.host({ name: 'server' });
    const fuzzed = new FuzzedLink({ link: segment.port(), random: new SeededRandom(6), chance: 0.3 });
    server.attach(fuzzed, { addresses: ['10.0.0.2/24'] });
    const listener = server.tcp.listen(80);
    const [near, far] = await network.run(Promise.all([client.tcp.connect(SERVER, 80), listener.accept()]));
    const up = testBytes(200_000, 1);
    // The far end may be reset or told nonsense by a mutant that its checksum vouches for; it must not break.
    await network.run(Promise.allSettled([exchange(near, up), exchange(far, testBytes(100, 2))]));
    expect(fuzzed.mutants).toBeGreaterThan(20);
    const { drops } = server.stack.counters;
    expect(drops.reduce((sum, count) => sum + count, 0) - (drops[DropReason.none] ?? 0)).toBeGreaterThan(10);
  });
});

describeTshark('a recording, read by tshark', () => {
  test('is without a complaint', async () => {
    const pair = makePair({ offload: 3 });
    const capture = pair.network.capture(pair.wire);
    await transferBothWays(pair, 200_000);
    const file = capture.bytes();
    expect(tshark(file).length).toBeGreaterThan(10);
    // The payload is no HTTP, though it is on port 80: only what is ours is judged.
    const wrong =
      '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad" || tcp.analysis.flags';
    expect(tshark(file, '-Y', wrong)).toEqual([]);
  });
});
