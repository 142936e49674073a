/**
 * What a host with layers puts on a real TAP device is what it puts there without: the same session with the kernel, recorded, differs
 * in nothing that a layer could have to do with. Sequence numbers, timestamps and when a bare acknowledgement goes are the network's.
 */

import { expect } from '@jest/globals';
import { createLocalHost } from '../../src/app/local.ts';
import { RealTime } from '../../src/engine/index.ts';
import { trace } from '../../src/layers/trace/index.ts';
import { createWinsock, MAKEWORD } from '../../src/winsock/index.ts';
import { wsadata } from '../conformance/support.ts';
import { layeredOptions, passThrough, type TestLayer } from '../support/chains.ts';
import { KernelPeer } from '../support/kernel-peer.ts';
import { describeLab, testInLab } from '../support/lab.ts';
import { DATAGRAMS, datagramSession, type Ends, ROUNDS, streamSession } from '../support/wire-session.ts';

const FOUR = { own: '10.9.0.2', peer: '10.9.0.1', ownPort: 5000 };
const SIX = { own: 'fd09::2', peer: 'fd09::1', ownPort: 5000 };

const CHAINS: readonly (readonly [string, readonly TestLayer[]])[] = [
  ['no layer', []],
  ['a layer of system handles', [passThrough()]],
  ['a layer with its own handles', [passThrough({ handles: 'own' })]],
  ['the trace layer', [{ startup: trace({ sink: () => {} }), isIfs: true }]],
];
const FIRST_PORT = 7000;

/** What of a packet may not differ. */
const FIELDS = [
  'ip.src',
  'ipv6.src',
  'ip.ttl',
  'ipv6.hlim',
  'ip.dsfield',
  'ipv6.tclass',
  'ip.flags',
  'ip.frag_offset',
  'tcp.flags',
  'tcp.option_kind',
  'tcp.options.mss_val',
  'tcp.options.wscale.shift',
  'tcp.urgent_pointer',
  'tcp.payload',
  'udp.length',
  'udp.payload',
];
/**
 * Everything but acknowledgements that carry nothing, which wait for a while or for data to go with, and what a machine that is hard at
 * work has sent twice.
 */
const TELLING =
  '(udp || tcp.len > 0 || tcp.flags.syn == 1 || tcp.flags.fin == 1) && !tcp.analysis.retransmission';

describeLab('layers on a real device', { tcpdump: 'tcpdump', tshark: 'tshark' }, () => {
  testInLab(
    'CAT-LOAD-05, CAT-LOAD-10 the kernel gets the same packets with a layer of either kind, with trace, and without',
    ['10.9.0.1/24', 'fd09::1/64'],
    async (lab) => {
      const link = lab.tap();
      const addresses = [`${FOUR.own}/24`, `${SIX.own}/64`];
      const host = createLocalHost({
        scheduler: new RealTime(),
        links: [{ link, addresses, detectDuplicates: false }],
        names: { hostName: 'ours' },
      });
      const ports = CHAINS.map((_chain, i) => FIRST_PORT + i);
      const [peer, recording] = await Promise.all([
        new KernelPeer(lab.space, ports, 30_000, 'wire-peer.py').said('READY'),
        lab.record(),
      ]);
      const came: string[][] = [];
      for (const [i, [, layers]] of CHAINS.entries()) {
        const ws = createWinsock({
          port: host.openSession(),
          names: host.openNames(),
          ...layeredOptions(layers),
        });
        await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
        const of: string[] = [];
        for (const half of [FOUR, SIX]) {
          const ends: Ends = { ...half, peerPort: FIRST_PORT + i };
          of.push(await streamSession(ws, ends), await datagramSession(ws, ends));
        }
        came.push(of);
        await ws.WSACleanup();
      }
      host.close();
      peer.goOn();
      const last = FIRST_PORT + CHAINS.length - 1;
      await recording.waitFor(`udp.srcport == ${last} && ipv6`, DATAGRAMS.length);
      const portFields = ['tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport'];
      const rows = await recording.fields(TELLING, ...portFields, ...FIELDS);
      const packets = CHAINS.map((): string[] => []);
      for (const [tcpFrom, tcpTo, udpFrom, udpTo, ...fields] of rows) {
        const number = Math.max(...[tcpFrom, tcpTo, udpFrom, udpTo].map(Number));
        packets[number - FIRST_PORT]?.push(fields.join('|'));
      }
      const [plain = [], ...layered] = packets;
      // Each side's rounds, the handshake and both ends, of two families.
      expect(plain.length).toBeGreaterThan(2 * (2 * ROUNDS.length + 2 + 4 + 2 * DATAGRAMS.length));
      for (const [i, each] of layered.entries()) {
        expect([CHAINS[i + 1]?.[0], each]).toEqual([CHAINS[i + 1]?.[0], plain]);
      }
      for (const each of came) expect(each).toEqual(came[0]);
    },
    30_000,
  );
});
