/**
 * Explicit congestion notification with the kernel: either side asks, in RFC 3168's form and, where the kernel knows it, in
 * AccECN's; our end of the device marks packets of both directions. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EcnMode } from '../../src/stack/index.ts';
import { Judge } from '../support/judge.ts';
import type { Digest } from '../support/kernel-peer.ts';
import { DEVICE, LiveHost, MODES_OF_BOTH } from '../support/live-host.ts';
import { createNamespace } from '../support/netns.ts';
import { describePrivileged, missingPrivilege } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const BYTES = 4 << 20;
const LIMIT = 60_000;
const MARK = 0.02;

/** The kernel's `net.ipv4.tcp_ecn`, what our client and our listener want, and what comes of it. */
const PAIRS: readonly (readonly [kernel: number, ours: EcnMode, asClient: string, asServer: string])[] = [
  [1, 'classic', 'classic', 'classic'],
  [1, 'accurate', 'classic', 'classic'],
  [1, 'passive', 'none', 'classic'],
  [2, 'classic', 'classic', 'none'],
  [0, 'accurate', 'none', 'none'],
  [3, 'accurate', 'accurate', 'accurate'],
  [3, 'passive', 'none', 'accurate'],
  [3, 'classic', 'classic', 'classic'],
  [3, 'off', 'none', 'none'],
];

/** Whether the kernel takes 3, its number for AccECN: asked in a namespace that goes at once. */
const KNOWS_ACCURATE = missingPrivilege() === null && takesAccurate();

/** What this kernel can be set to: without AccECN's sysctl it has nothing to say about it, and that is printed. */
function pairsOfKernel(): typeof PAIRS {
  if (KNOWS_ACCURATE) return PAIRS;
  process.stderr.write(
    'ECN with the kernel: it knows no AccECN (tcp_ecn=3 is refused), RFC 3168 is all it is asked for\n',
  );
  return PAIRS.filter(([kernel]) => kernel <= 2);
}

describePrivileged('ECN with the kernel', () => {
  describe.each(MODES_OF_BOTH.filter(({ mtu }) => mtu === 1500))('$title', (mode) => {
    const { offload, family, ours: address } = mode;
    const marks = family === 4 ? 'ip.dsfield.ecn' : 'ipv6.tclass.ecn';
    let host: LiveHost;
    let judge: Judge;
    let port = 5000;

    beforeAll(async () => {
      host = new LiveHost({
        mtu: 1500,
        offload,
        family,
        outbound: { mark: MARK, delay: 1 },
        inbound: { mark: MARK, delay: 1 },
      });
      judge = await Judge.start(host.space, DEVICE, 128);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    describe.each(pairsOfKernel())('tcp_ecn=%i, ours %s', (kernel, ours, asClient, asServer) => {
      const setKernel = (): void => void host.space.exec('sysctl', '-qw', `net.ipv4.tcp_ecn=${kernel}`);

      test(
        'RFC 3168 §6.1.1 RFC 9768 §3.1 our client agrees with the kernel, and slows down for marks on what it sends',
        async () => {
          setKernel();
          const before = host.impaired.outbound.counters.marked;
          const server = await host.kernelServer('serve-recv', ++port);
          const stream = await host.connect(port, (endpoint) => {
            endpoint.ecn = ours;
          });
          const sent = await sendHashed(stream, BYTES);
          expect(await server.result<Digest>()).toEqual(sent);
          const { ecn, ceDelivered, timeouts } = stream.endpoint.info();
          const marked = host.impaired.outbound.counters.marked - before;
          stream.close();
          expect({ ecn, timeouts, isMarked: marked > 0, isTold: ceDelivered > 0 }).toEqual({
            ecn: asClient,
            timeouts: 0,
            isMarked: asClient !== 'none',
            isTold: asClient !== 'none',
          });
          // AccECN tells of each, but for what the last ACKs tell after the end.
          if (ecn === 'accurate') expect(Math.abs(ceDelivered - marked)).toBeLessThanOrEqual(3);
        },
        LIMIT,
      );

      test(
        'RFC 3168 §6.1.1 RFC 9768 §3.1 our server agrees with the kernel, and tells it of marks on what it sends',
        async () => {
          setKernel();
          const before = host.impaired.inbound.counters.marked;
          const listener = host.listen(++port, (endpoint) => {
            endpoint.ecn = ours;
          });
          const peer = host.kernel('send', address, port, BYTES);
          const stream = await listener.accept();
          const received = await receiveHashed(stream);
          const { ecn, ceReceived } = stream.endpoint.info();
          stream.close();
          listener.close();
          expect(received).toEqual(await peer.result<Digest>());
          const marked = host.impaired.inbound.counters.marked - before;
          expect({ ecn, isMarked: marked > 0 }).toEqual({ ecn: asServer, isMarked: asServer !== 'none' });
          // The kernel sends FIN and retransmissions as ECT too: those count in AccECN alone.
          if (ecn === 'accurate') expect(Math.abs(ceReceived - marked)).toBeLessThanOrEqual(3);
          else if (ecn === 'classic') expect(ceReceived).toBeGreaterThan(0);
          expect(newEchoes() > 0).toBe(asServer !== 'none');
        },
        LIMIT,
      );
    });

    /** The kernel's own figure: packets that it was told were marked, since this was asked last. */
    function newEchoes(): number {
      const text = host.space.exec('nstat', '-asz', 'TcpExtTCPDeliveredCE');
      const since = Number(/TCPDeliveredCE\s+(\d+)/.exec(text)?.[1]) - told;
      told += since;
      return since;
    }
    let told = 0;

    test(
      'RFC 3168 §6.1 tshark finds nothing wrong: ECT on our new text only, CWR and ECE where they belong',
      async () => {
        await judge.stop();
        expect(await judge.complaints(address, { hasChecksums: !offload })).toEqual([]);
        const ours = (filter: string): Promise<number> => judge.countFrom(address, filter);
        expect(await ours(`${marks} != 0 && (tcp.len == 0 || tcp.flags.syn == 1)`)).toBe(0);
        expect(await ours(`${marks} != 0 && tcp.analysis.retransmission`)).toBe(0);
        expect(await ours(`${marks} != 0`)).toBeGreaterThan(0);
        expect(await ours('tcp.flags.cwr == 1 && tcp.flags.syn == 0')).toBeGreaterThan(0);
        expect(await ours('tcp.flags.ece == 1 && tcp.flags.syn == 0')).toBeGreaterThan(0);
        if (KNOWS_ACCURATE) expect(await ours('tcp.option_kind == 172')).toBeGreaterThan(0);
      },
      LIMIT,
    );
  });
});

function takesAccurate(): boolean {
  const space = createNamespace();
  try {
    space.exec('sysctl', '-qw', 'net.ipv4.tcp_ecn=3');
    return true;
  } catch {
    process.stderr.write('SKIPPED AccECN with the kernel: it refuses net.ipv4.tcp_ecn=3\n');
    return false;
  } finally {
    space.remove();
  }
}
