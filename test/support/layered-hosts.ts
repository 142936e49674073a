/**
 * Two hosts on one wire in virtual time, each with a Winsock, that of host a through layers; and what the wire has carried.
 */

import { expect } from '@jest/globals';
import { createLocalHost } from '../../src/app/local.ts';
import { flattenFrame, SeededRandom, transmitLength } from '../../src/base/index.ts';
import { MemorySegment } from '../../src/link/index.ts';
import type { Application, LayerFault, ProviderFailure } from '../../src/spi/index.ts';
import { MAKEWORD, type Winsock, WinsockProcess, winsockOf } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B, PumpedTime } from '../conformance/attachment.ts';
import { wsadata } from '../conformance/support.ts';
import { layeredOptions, type TestLayer } from './chains.ts';

export interface LayeredHosts {
  /** Host a, through the layers. */
  readonly a: Winsock;
  /** Host b, without any. */
  readonly b: Winsock;
  /** Host a again, without any. */
  readonly bare: Winsock;
  readonly time: PumpedTime;
  /** Every frame on the wire, in hex. */
  readonly frames: string[];
  /** What the layers did wrong, and what could not be started. */
  readonly faults: LayerFault[];
  readonly failures: ProviderFailure[];
  /** What host a, and its process with the layers, hold now. */
  held(): { readonly sockets: number; readonly handles: number };
  close(): Promise<void>;
}

/** @param layers of host a, lowest first, @param application whose calls they see */
export function layeredHosts(layers: readonly TestLayer[], application?: Application): LayeredHosts {
  const time = new PumpedTime();
  const wire = new MemorySegment({ scheduler: time });
  const frames: string[] = [];
  wire.tap = (batch, index) => {
    const bytes = new Uint8Array(transmitLength(batch, index));
    flattenFrame(batch, index, bytes, 0);
    frames.push(Buffer.from(bytes).toString('hex'));
  };
  const make = (address: string, seed: number) =>
    createLocalHost({
      scheduler: time,
      random: new SeededRandom(seed),
      links: [{ link: wire.port(), addresses: [`${address}/24`, `fd00::${address.split('.').pop()}/64`] }],
      names: { hostName: `host${seed}` },
    });
  const hosts = [make(ADDRESS_A, 1), make(ADDRESS_B, 2)] as const;
  const faults: LayerFault[] = [];
  const failures: ProviderFailure[] = [];
  const processOn = (host: (typeof hosts)[number], own: readonly TestLayer[]): WinsockProcess =>
    new WinsockProcess({
      port: host.openSession(),
      names: host.openNames(),
      scheduler: time,
      application,
      observer: {
        fault: (fault) => void faults.push(fault),
        failed: (failure) => void failures.push(failure),
      },
      ...(own.length === 0 ? {} : layeredOptions(own)),
    });
  const winsock = (process: WinsockProcess): Winsock => {
    const ws = winsockOf(process);
    expect(ws.WSAStartup(MAKEWORD(2, 2), wsadata())).toBe(0);
    return ws;
  };
  const layered = processOn(hosts[0], layers);
  const a = winsock(layered);
  const [b, bare] = [winsock(processOn(hosts[1], [])), winsock(processOn(hosts[0], []))];
  return {
    a,
    b,
    bare,
    time,
    frames,
    faults,
    failures,
    held: () => ({ sockets: hosts[0].afd.describe().length, handles: layered.handles.size }),
    async close() {
      for (const ws of [a, b, bare]) await ws.WSACleanup();
      for (const host of hosts) host.close();
      time.stop();
    },
  };
}
