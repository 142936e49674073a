/**
 * Flows over one bottleneck: each from a host of its own, all to one server whose downlink has a rate, a buffer, and what a
 * bad path does. Senders always have something to send; the server reads at once.
 */

import { IpAddress } from '../../../src/base/index.ts';
import type { ImpairSettings, MemorySegment } from '../../../src/link/index.ts';
import { createNetwork, type Network, type SimHost } from '../../../src/sim/index.ts';
import { type Endpoint, EndpointEvent, type TcpEndpoint, type TcpOptions } from '../../../src/stack/index.ts';

/** The path that all flows share. */
export interface PathOptions {
  readonly megabits: number;
  /** Round trip without a queue, ms; a flow may have its own. */
  readonly rtt: number;
  /** The buffer before the bottleneck, in products of bandwidth and round trip. */
  readonly buffer: number;
  /** Shares of all packets towards the server, 0 … 1. */
  readonly loss?: number;
  readonly reorder?: number;
  readonly seed?: number;
  /** Default 1500: larger packets make fast paths cheaper to simulate. */
  readonly mtu?: number;
  /** The server's. */
  readonly tcp?: TcpOptions;
}

export interface FlowOptions {
  /** When it connects, ms. */
  readonly start?: number;
  /** Its own round trip, ms, when it is not the path's. */
  readonly rtt?: number;
  /** From then on, ms, it has no more to send than a segment each {@link TRICKLE_MS}. */
  readonly trickleFrom?: number;
  readonly tcp?: TcpOptions;
}

/** What came of a flow. */
export interface FlowResult {
  /** Bytes that the server read, a second, while the flow was open and measured; in Mbit/s. */
  readonly goodput: number;
  /** Retransmitted segments of all that were sent, 0 … 1. */
  readonly retransmitted: number;
  /** Smoothed round trip at the end, ms. */
  readonly srtt: number;
}

const SERVER = '10.0.0.1';
const PORT = 80;
/** How often an application that has little to say writes, ms. */
const TRICKLE_MS = 50;
/** Zeros to send, and room to read into: nobody looks at the bytes here. */
const BYTES = new Uint8Array(1 << 18);

/** A run under way: `network` may be captured before it goes on. */
export interface Bottleneck {
  readonly network: Network;
  readonly wire: MemorySegment;
  /** Lets it go on until `end`, ms, and measures from `from` on. */
  run(from: number, end: number): FlowResult[];
}

export function makeBottleneck(path: PathOptions, flows: readonly FlowOptions[]): Bottleneck {
  const network = createNetwork({ seed: path.seed ?? 1 });
  const wire = network.segment({ mtu: path.mtu ?? 1500 });
  const received = new Map<string, number>();
  const server = network.host({
    name: 'server',
    segment: wire,
    addresses: [`${SERVER}/24`],
    inbound: downlink(path),
    ...(path.tcp === undefined ? {} : { tcp: path.tcp }),
    observer: (endpoint, events) => serve(endpoint as TcpEndpoint, events, received),
  });
  listen(server);
  const senders = flows.map((flow, i) => startFlow(network, wire, path, flow, `10.0.0.${i + 2}`));
  const count = (index: number): number => received.get(`10.0.0.${index + 2}`) ?? 0;
  return {
    network,
    wire,
    run(from, end) {
      network.runSync(from);
      const before = flows.map((_, i) => count(i));
      network.runSync(end);
      const results = senders.map((endpoint, i) => {
        const info = endpoint().info();
        return {
          goodput: ((count(i) - (before[i] as number)) * 8) / (end - from) / 1000,
          retransmitted: info.retransSegs / Math.max(1, info.segmentsOut),
          srtt: info.srtt,
        };
      });
      network.close();
      return results;
    },
  };
}

function downlink({ megabits, rtt, buffer, loss, reorder }: PathOptions): ImpairSettings {
  const rateBytesPerSec = megabits * 125_000;
  return {
    rateBytesPerSec,
    // Never less than two packets: less is no buffer.
    queueBytes: Math.max(3000, Math.round((rateBytesPerSec * rtt * buffer) / 1000)),
    loss: loss ?? 0,
    reorder: reorder ?? 0,
    // So far back that three segments overtake it at most of the rates.
    reorderBy: Math.max(2, rtt / 8),
  };
}

/** Reads everything as it comes, and takes every connection. */
function serve(endpoint: TcpEndpoint, events: number, received: Map<string, number>): void {
  if ((events & EndpointEvent.acceptable) !== 0) {
    while (endpoint.accept() !== null) {
      // What is accepted is heard of by its own events.
    }
  }
  if ((events & EndpointEvent.readable) === 0) return;
  const peer = endpoint.remoteAddress.toString();
  for (let got = 1; got > 0; ) {
    got = endpoint.read(BYTES, 0, BYTES.length);
    if (got > 0) received.set(peer, (received.get(peer) ?? 0) + got);
  }
}

function listen({ stack }: SimHost): void {
  const listener = stack.openTcp();
  if (listener.bind(IpAddress.anyV4, PORT) < 0 || listener.listen(16) < 0) throw new Error('cannot listen');
}

/** @returns its endpoint, once it has started */
function startFlow(
  network: Network,
  wire: MemorySegment,
  path: PathOptions,
  flow: FlowOptions,
  address: string,
): () => TcpEndpoint {
  const { trickleFrom = Number.POSITIVE_INFINITY } = flow;
  const host = network.host({
    name: address,
    segment: wire,
    addresses: [`${address}/24`],
    impair: { delay: (flow.rtt ?? path.rtt) / 2 },
    observer: (endpoint, events) => {
      if (network.now < trickleFrom) fill(endpoint, events);
    },
    ...(flow.tcp === undefined ? {} : { tcp: flow.tcp }),
  });
  let endpoint: TcpEndpoint | null = null;
  if (trickleFrom < Number.POSITIVE_INFINITY) {
    const trickle = (): void => {
      endpoint?.write(BYTES, 0, 1000);
      network.time.after(TRICKLE_MS, trickle);
    };
    network.time.after(trickleFrom, trickle);
  }
  network.time.after(flow.start ?? 0, () => {
    endpoint = host.stack.openTcp();
    if (endpoint.connect(IpAddress.parse(SERVER) as IpAddress, PORT) < 0) throw new Error('cannot connect');
  });
  return () => {
    if (endpoint === null) throw new Error('the flow has not started');
    return endpoint;
  };
}

/** Keeps the send buffer full. */
function fill(endpoint: Endpoint, events: number): void {
  if ((events & (EndpointEvent.connected | EndpointEvent.writable)) === 0) return;
  while ((endpoint as TcpEndpoint).write(BYTES, 0, BYTES.length) > 0) {
    // On, until it takes no more.
  }
}

/** Jain's index of fairness: 1 when all have the same, 1/n when one has all. */
export function fairness(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
