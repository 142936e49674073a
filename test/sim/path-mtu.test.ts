/** Paths that are narrower in the middle than at their ends. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createNetwork, type SimHost, type SimStream } from '../../src/sim/index.ts';
import type { TcpOptions } from '../../src/stack/index.ts';
import { NarrowHop, type NarrowHopOptions } from './narrow-hop.ts';
import { ENDS, endsOf, sha256, testBytes } from './support.ts';

const TEN_MINUTES = 600_000;

/** The family of the tests that run; and the bytes of a segment's headers, with timestamps. */
let ends = endsOf(4);
const headers = (): number => ends.ipHeader + 32;

/** Runs tests over both families. */
function overBothFamilies(tests: () => void): void {
  describe.each(ENDS)('IPv$family', (each) => {
    beforeEach(() => {
      ends = each;
    });
    afterEach(() => {
      ends = endsOf(4);
    });
    tests();
  });
}

interface Narrow {
  readonly network: ReturnType<typeof createNetwork>;
  /** The routers on the way from the client, and from the server. */
  readonly hops: readonly [NarrowHop, NarrowHop];
  readonly client: SimStream;
  readonly server: SimStream;
}

async function connect(
  hop: Pick<NarrowHopOptions, 'hopMtu' | 'reports'>,
  options: { tcp?: TcpOptions; delay?: number; loss?: number; seed?: number } = {},
): Promise<Narrow> {
  const { tcp = {}, delay = 10, loss = 0, seed = 1 } = options;
  const network = createNetwork({ seed });
  const wire = network.segment();
  const hops: NarrowHop[] = [];
  const host = (name: string, address: string): SimHost => {
    const made = network.host({ name, tcp });
    const link = new NarrowHop({ link: wire.port({ name }), scheduler: network.time, ...hop });
    hops.push(link);
    made.attach(link, { addresses: [`${address}/${ends.prefixLength}`], outbound: { delay, loss } });
    return made;
  };
  const [left, right] = [host('client', ends.client), host('server', ends.server)];
  const listener = right.tcp.listen(80, { address: ends.server });
  const [client, server] = await network.run(
    Promise.all([left.tcp.connect(ends.server, 80), listener.accept()]),
  );
  listener.close();
  return { network, hops: hops as unknown as readonly [NarrowHop, NarrowHop], client, server };
}

/** Sends `length` bytes from the client. @returns how long it took, ms */
async function upload({ network, client, server }: Narrow, length: number): Promise<number> {
  const bytes = testBytes(length, length);
  const start = network.now;
  const [received] = await network.run(Promise.all([server.readExactly(length), client.write(bytes)]));
  expect(sha256(received)).toBe(sha256(bytes));
  const ms = network.now - start;
  // What is on its way back yet.
  await network.run(network.now + 100);
  return ms;
}

const mss = ({ client }: Narrow): number => client.endpoint.info().mss;
const rate = (bytes: number, ms: number): number => bytes / ms;

/** A router that refuses what is too big costs hardly any time. */
async function isQuick(reports: NarrowHopOptions['reports'], hopMtu: number): Promise<void> {
  const narrow = await connect({ hopMtu, reports });
  const ms = await upload(narrow, 300_000);
  expect(narrow.client.endpoint.info()).toMatchObject({ timeouts: 0, fastRetransmits: 0 });
  const wide = await connect({ hopMtu: 1500, reports });
  expect(ms).toBeLessThan((await upload(wide, 300_000)) + 100);
  const { cwnd, ssthresh } = narrow.client.endpoint.info();
  expect(ssthresh).toBeGreaterThan(cwnd);
  narrow.server.close();
}

/** A black hole is found by two timeouts, and then the size that gets through. */
async function isFound(hopMtu: number): Promise<void> {
  const narrow = await connect({ hopMtu, reports: 'silent' });
  await upload(narrow, 1_000_000);
  const found = mss(narrow) + headers();
  expect(found).toBeLessThanOrEqual(hopMtu);
  expect(found).toBeGreaterThan(hopMtu - 8);
  expect(narrow.client.endpoint.pathMtu).toBe(found);
  expect(narrow.client.endpoint.info().timeouts).toBe(2);
  // The server sends small things only, and has noticed nothing.
  expect(narrow.hops[1].refused).toBe(0);
}

overBothFamilies(() => {
  describe('RFC 1191 a narrower link behind a router that says so', () => {
    test('bytes arrive both ways, nearly without delay, and without a timeout', () => isQuick('mtu', 1400));

    test('§6.3 after ten minutes a wider path is found out with one probe', async () => {
      const narrow = await connect({ hopMtu: 1400, reports: 'mtu' });
      await upload(narrow, 100_000);
      expect(mss(narrow)).toBe(1400 - headers());
      const { refused } = narrow.hops[0];
      await narrow.network.run(narrow.network.now + TEN_MINUTES + 1000);
      await upload(narrow, 200_000);
      // Still narrow: one probe was refused, and nothing was slowed down.
      expect(narrow.hops[0].refused).toBe(refused + 1);
      expect(mss(narrow)).toBe(1400 - headers());
      expect(narrow.client.endpoint.info()).toMatchObject({ timeouts: 0, fastRetransmits: 0 });
      narrow.hops[0].hopMtu = 1500;
      await narrow.network.run(narrow.network.now + TEN_MINUTES + 1000);
      await upload(narrow, 200_000);
      expect(mss(narrow)).toBe(1500 - headers());
    });
  });

  describe('RFC 4821 §7.7, RFC 8899 §4.3 a black hole', () => {
    test.each([1499, 1492, 1420, 1340])(
      'RFC 8899 §5.3 given a hop of %i bytes that tells nobody, segments shrink after two timeouts and grow to what fits',
      isFound,
    );

    test('RFC 4821 §7.4, §7.6 probes that are lost slow nothing down', async () => {
      const narrow = await connect({ hopMtu: 1300, reports: 'silent' });
      await upload(narrow, 40_000);
      const before = narrow.client.endpoint.info();
      const { refused } = narrow.hops[0];
      await upload(narrow, 1_000_000);
      const after = narrow.client.endpoint.info();
      expect(narrow.hops[0].refused).toBeGreaterThan(refused);
      expect(after.fastRetransmits).toBe(before.fastRetransmits);
      expect(after.timeouts).toBe(before.timeouts);
      expect(after.cwnd).toBeGreaterThanOrEqual(before.cwnd);
    });

    test('the next connection to the same place begins with what was found', async () => {
      const narrow = await connect({ hopMtu: 1400, reports: 'silent' });
      await upload(narrow, 1_000_000);
      const found = mss(narrow);
      const [left, right] = narrow.network.hosts as readonly [SimHost, SimHost];
      const listener = right.tcp.listen(81, { address: ends.server });
      const [client, server] = await narrow.network.run(
        Promise.all([left.tcp.connect(ends.server, 81), listener.accept()]),
      );
      const second = { ...narrow, client, server };
      await upload(second, 100_000);
      expect(mss(second)).toBe(found);
      expect(client.endpoint.info().timeouts).toBe(0);
    });

    test('given a path that was only broken for a while, full segments come back', async () => {
      const narrow = await connect({ hopMtu: 1500, reports: 'silent' });
      const path = (narrow.network.hosts[0] as SimHost).link().outbound;
      narrow.network.time.after(100, () => path.change({ loss: 1 }));
      narrow.network.time.after(4000, () => path.change({ loss: 0 }));
      await upload(narrow, 3_000_000);
      expect(narrow.client.endpoint.info().timeouts).toBeGreaterThan(1);
      expect(mss(narrow)).toBe(1500 - headers());
      expect(narrow.client.endpoint.pathMtu).toBe(1500);
    });

    test('given a peer without SACK, probes are told from losses all the same', async () => {
      const narrow = await connect({ hopMtu: 1400, reports: 'silent' }, { tcp: { sack: false } });
      for (let i = 0; i < 40; i++) await upload(narrow, 50_000);
      expect(mss(narrow) + headers()).toBeLessThanOrEqual(1400);
      expect(mss(narrow) + headers()).toBeGreaterThan(1392);
      expect(narrow.client.endpoint.info()).toMatchObject({ timeouts: 2, fastRetransmits: 0 });
    });

    test('given losses by chance as well, the search still ends near the truth', async () => {
      const narrow = await connect({ hopMtu: 1400, reports: 'silent' }, { loss: 0.01, seed: 5 });
      for (let i = 0; i < 60; i++) await upload(narrow, 50_000);
      expect(mss(narrow) + headers()).toBeLessThanOrEqual(1400);
      expect(mss(narrow) + headers()).toBeGreaterThan(1390);
    });

    test('`off`: the connection dies of it, as RFC 1191 alone would have it', async () => {
      const narrow = await connect(
        { hopMtu: 1400, reports: 'silent' },
        { tcp: { mtuProbing: 'off', maxRetransmissions: 4 } },
      );
      await expect(
        narrow.network.run(narrow.client.write(testBytes(10_000_000, 1)).then(() => narrow.client.end())),
      ).rejects.toMatchObject({ reason: 'timedOut' });
    });
  });

  describe('RFC 8899 §5.2 a connection that believes nothing but its probes (`always`)', () => {
    test.each([1500, 1400, 1330])(
      'given a hop of %i bytes, no timeout is needed to find it',
      async (hopMtu) => {
        const narrow = await connect({ hopMtu, reports: 'silent' }, { tcp: { mtuProbing: 'always' } });
        for (let i = 0; i < 30; i++) await upload(narrow, 50_000);
        expect(mss(narrow) + headers()).toBeLessThanOrEqual(hopMtu);
        expect(mss(narrow) + headers()).toBeGreaterThan(hopMtu - 8);
        expect(narrow.client.endpoint.info()).toMatchObject({ timeouts: 0, fastRetransmits: 0 });
      },
    );

    test('bytes arrive as fast as without a search', async () => {
      const ms = await upload(
        await connect({ hopMtu: 1500, reports: 'mtu' }, { tcp: { mtuProbing: 'always' } }),
        1e6,
      );
      const plain = await upload(await connect({ hopMtu: 1500, reports: 'mtu' }), 1e6);
      expect(rate(1e6, ms)).toBeGreaterThan(0.8 * rate(1e6, plain));
    });
  });
});

describe('what is IPv4’s alone', () => {
  test.each([
    ['nothing but that the packet was too big', 'old' as const, 1300],
    ['its MTU, below the least that we cut to', 'mtu' as const, 400],
  ])('RFC 1191 a router that says %s: bytes arrive nearly without delay', (_name, reports, hopMtu) =>
    isQuick(reports, hopMtu),
  );

  test.each([1280, 1201])('RFC 8899 §5.3 a black hole of %i bytes is found', isFound);

  test('RFC 8899 §5.2 ERROR: given one narrower than that, routers are left to fragment', async () => {
    const narrow = await connect({ hopMtu: 500, reports: 'silent' });
    await upload(narrow, 100_000);
    expect(mss(narrow)).toBe(500);
    expect(narrow.hops[0].cut).toBeGreaterThan(100);
  });
});
