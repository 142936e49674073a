/**
 * Pairs of hosts for simulation tests: one wire, bytes both ways, and what to leave behind when it goes wrong.
 */

import { createHash } from 'node:crypto';
import {
  flattenFrame,
  type IpFamily,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
} from '../../src/base/index.ts';
import type { MemorySegment } from '../../src/link/index.ts';
import {
  type AttachmentOptions,
  createNetwork,
  type Network,
  type NetworkOptions,
  type SimHost,
  type SimStream,
} from '../../src/sim/index.ts';
import type { TcpOptions } from '../../src/stack/index.ts';

/** The client has the subnet's first address, the server its second. */
export interface Pair {
  readonly family: IpFamily;
  readonly network: Network;
  readonly wire: MemorySegment;
  readonly client: SimHost;
  readonly server: SimHost;
}

export interface PairOptions extends NetworkOptions {
  readonly mtu?: number;
  readonly offload?: number;
  /** Default 4. */
  readonly family?: IpFamily;
  /** Of the client's attachment; so the settings of both directions between the two. */
  readonly path?: AttachmentOptions;
  readonly tcp?: TcpOptions;
}

export const CLIENT = '10.0.0.1';
export const SERVER = '10.0.0.2';
/** Of a client and a server of either family, for `describe.each`. */
export const ENDS = [
  { family: 4, client: CLIENT, server: SERVER, prefixLength: 24, ipHeader: 20 },
  { family: 6, client: 'fd00::1', server: 'fd00::2', prefixLength: 64, ipHeader: 40 },
] as const;
export const endsOf = (family: IpFamily): (typeof ENDS)[number] => ENDS[family === 4 ? 0 : 1];
/** What a TUN device with offloads can do. */
export const OFFLOADS = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6;

export function makePair(options: PairOptions = {}): Pair {
  const network = createNetwork(options.seed === undefined ? {} : { seed: options.seed });
  const wire = network.segment({ mtu: options.mtu ?? 1500, offload: options.offload ?? 0 });
  const tcp = options.tcp ?? {};
  const family = options.family ?? 4;
  const ends = endsOf(family);
  const addresses = (address: string) => [`${address}/${ends.prefixLength}`];
  const client = network.host({
    name: 'client',
    segment: wire,
    addresses: addresses(ends.client),
    tcp,
    ...options.path,
  });
  const server = network.host({ name: 'server', segment: wire, addresses: addresses(ends.server), tcp });
  return { family, network, wire, client, server };
}

/** An established connection: the client's end, then the server's. */
export async function connectPair(pair: Pair, port = 80): Promise<[SimStream, SimStream]> {
  const { server } = endsOf(pair.family);
  const listener = pair.server.tcp.listen(port, { address: server });
  const ends = await pair.network.run(
    Promise.all([pair.client.tcp.connect(server, port), listener.accept()]),
  );
  listener.close();
  return ends;
}

/** Taken out: looking a global up is slow in jest's contexts. */
const { imul } = Math;

/** Bytes that tell where they belong: one that is lost, doubled or moved changes what follows. */
export function testBytes(length: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = salt | 1;
  for (let i = 0; i < length; i++) {
    state = (imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Sends all and FIN while reading all up to the peer's FIN. @returns what was read */
export async function exchange(stream: SimStream, bytes: Uint8Array): Promise<Uint8Array> {
  const sending = stream.write(bytes).then(() => stream.end());
  const [received] = await Promise.all([stream.readAll(), sending]);
  return received;
}

/** Bytes both ways at once over one connection; both must arrive as they were sent. */
export async function transferBothWays(pair: Pair, length: number): Promise<{ intact: boolean; ms: number }> {
  const [client, server] = await connectPair(pair);
  const up = testBytes(length, 1);
  const down = testBytes(length, 2);
  const start = pair.network.now;
  const [atServer, atClient] = await pair.network.run(
    Promise.all([exchange(server, down), exchange(client, up)]),
  );
  client.close();
  server.close();
  return {
    intact: sha256(atServer) === sha256(up) && sha256(atClient) === sha256(down),
    ms: pair.network.now - start,
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A hash of everything that crosses `wire` from now on, with its times. */
export function wireHash(pair: Pair): () => string {
  const hash = createHash('sha256');
  pair.wire.tap = (batch, index, port) => {
    const frame = new Uint8Array(70_000);
    const end = flattenFrame(batch, index, frame, 0);
    hash.update(`${port.name} ${pair.network.now} ${end} `).update(frame.subarray(0, end));
  };
  return () => hash.digest('hex');
}
