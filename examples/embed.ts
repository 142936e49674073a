/**
 * Two internet hosts in one process, in virtual time: a driver of thirty lines that knows nothing but the public face of the
 * stack. A client greets a UDP echo server, then sends it 200 KB over TCP through a wire with a delay of 20 ms, and prints
 * what the connection says about itself.
 *
 *     node --experimental-strip-types examples/embed.ts      (Node 22.6 or later)
 *
 * In a project of your own the import is from 'winsockd/stack'. Explained line by line in docs/embedding.md.
 */

import {
  createDatagramInfo,
  createStack,
  dropReasonInfo,
  type Endpoint,
  EndpointEvent,
  IpAddress,
  SeededRandom,
  type Stack,
  type TcpEndpoint,
  type UdpEndpoint,
} from '../src/stack/index.ts';

const WIRE_DELAY = 20;
const UPLOAD_BYTES = 200_000;

/** A host: its stack, the one interface, and who wants to know of an endpoint's events. */
class Host {
  readonly stack: Stack;
  readonly index: number;

  constructor(network: Network, address: string) {
    this.stack = createStack({
      clock: network,
      random: new SeededRandom(network.seed++),
      // The endpoint's `context` is ours: here it is the handler of its events.
      observer: (endpoint, events) => (endpoint.context as EventHandler | null)?.(endpoint, events),
    });
    this.index = this.stack.addInterface({ name: 'wire', mtu: 1500, addresses: [`${address}/24`] });
  }
}

type EventHandler = (endpoint: Endpoint, events: number) => void;

/** A wire between two hosts, and the clock that both live by. */
class Network {
  seed = 1;
  #now = 0;
  readonly #hosts: Host[] = [];
  readonly #inFlight: { readonly at: number; readonly to: Host; readonly packet: Uint8Array }[] = [];

  now(): number {
    return this.#now;
  }

  addHost(address: string): Host {
    const host = new Host(this, address);
    this.#hosts.push(host);
    return host;
  }

  /** Lets virtual time run until `isDone` or nothing is left to happen. No wall-clock time passes. */
  run(isDone: () => boolean): void {
    while (!isDone()) {
      for (const host of this.#hosts) this.#serve(host);
      // The wire keeps its order: the first packet on it is the first to arrive.
      const arrival = this.#inFlight[0]?.at ?? Number.POSITIVE_INFINITY;
      const next = Math.min(arrival, ...this.#hosts.map((host) => host.stack.nextDeadline));
      if (next === Number.POSITIVE_INFINITY) return;
      this.#now = Math.max(this.#now, next);
      if (arrival <= this.#now) this.#deliver();
    }
  }

  /** A turn: timers, packets, events. */
  #serve(host: Host): void {
    const { stack, index } = host;
    const to = this.#hosts.find((other) => other !== host) as Host;
    stack.advance();
    stack.flushEvents();
    for (let packet = stack.takePacket(index); packet !== null; packet = stack.takePacket(index)) {
      this.#inFlight.push({ at: this.#now + WIRE_DELAY, to, packet });
    }
  }

  #deliver(): void {
    const arrived = this.#inFlight.shift();
    if (arrived === undefined) return;
    const verdict = arrived.to.stack.inputPacket(arrived.to.index, arrived.packet);
    if (verdict !== 0) console.warn(`dropped: ${dropReasonInfo(verdict)?.text}`);
  }
}

/** A UDP endpoint on port 7 that sends everything back. */
function serveUdpEcho(host: Host): void {
  const udp = host.stack.openUdp();
  must(udp.bind(IpAddress.anyV4, 7));
  const buffer = new Uint8Array(65536);
  const info = createDatagramInfo();
  udp.context = (): void => {
    for (
      let n = udp.receive(buffer, 0, buffer.length, info);
      n >= 0;
      n = udp.receive(buffer, 0, buffer.length, info)
    ) {
      udp.send(buffer, 0, n, info.source, info.sourcePort);
    }
  };
}

/** A TCP listener on port 9 that counts what it gets and closes when its peer has. */
function serveTcpSink(host: Host): { bytes: number } {
  const sink = { bytes: 0 };
  const buffer = new Uint8Array(65536);
  const read = (endpoint: Endpoint): void => {
    const connection = endpoint as TcpEndpoint;
    let n = connection.read(buffer, 0, buffer.length);
    for (; n > 0; n = connection.read(buffer, 0, buffer.length)) sink.bytes += n;
    // 0: the end of the stream. Below: nothing now, or the connection failed.
    if (n === 0) connection.close();
  };
  const listener = host.stack.openTcp();
  must(listener.bind(IpAddress.anyV4, 9));
  must(listener.listen(8));
  listener.context = (): void => {
    for (let connection = listener.accept(); connection !== null; connection = listener.accept()) {
      connection.context = read;
      read(connection);
    }
  };
  return sink;
}

/** Connects, writes as fast as the send buffer has room, and closes. */
function upload(host: Host, to: IpAddress, bytes: number): TcpEndpoint {
  const connection = host.stack.openTcp();
  const chunk = new Uint8Array(16384).fill(0x55);
  let left = bytes;
  connection.context = (_endpoint: Endpoint, events: number): void => {
    if ((events & (EndpointEvent.connected | EndpointEvent.writable)) === 0 || left === 0) return;
    while (left > 0) {
      const taken = connection.write(chunk, 0, Math.min(left, chunk.length));
      if (taken <= 0) return;
      left -= taken;
    }
    connection.shutdownWrite();
  };
  must(connection.connect(to, 9));
  return connection;
}

/** What {@link embed} found. */
export interface Report {
  readonly echo: string;
  readonly echoMs: number;
  readonly uploadedBytes: number;
  readonly uploadMs: number;
  readonly srttMs: number;
  readonly segmentsOut: number;
}

/** Runs the example. @param print takes a line of text */
export function embed(print: (line: string) => void): Report {
  const network = new Network();
  const client = network.addHost('10.0.0.1');
  const server = network.addHost('10.0.0.2');
  const serverAddress = IpAddress.parse('10.0.0.2') as IpAddress;
  serveUdpEcho(server);
  const sink = serveTcpSink(server);

  const udp: UdpEndpoint = client.stack.openUdp();
  const greeting = new TextEncoder().encode('hello over a wire that is not there');
  must(udp.send(greeting, 0, greeting.length, serverAddress, 7));
  network.run(() => udp.nextLength >= 0);
  const answer = new Uint8Array(udp.nextLength);
  must(udp.receive(answer, 0, answer.length, createDatagramInfo()));
  const echoMs = network.now();
  print(`UDP echo after ${echoMs} ms: ${new TextDecoder().decode(answer)}`);

  const connection = upload(client, serverAddress, UPLOAD_BYTES);
  network.run(() => sink.bytes >= UPLOAD_BYTES);
  const uploadMs = network.now() - echoMs;
  const { srtt, segmentsOut, retransSegs, cwnd } = connection.info();
  print(`TCP: ${sink.bytes} bytes in ${uploadMs} ms, ${segmentsOut} segments, ${retransSegs} of them again`);
  print(`TCP: smoothed round trip ${srtt.toFixed(1)} ms, congestion window ${cwnd} bytes`);
  return {
    echo: new TextDecoder().decode(answer),
    echoMs,
    uploadedBytes: sink.bytes,
    uploadMs,
    srttMs: srtt,
    segmentsOut,
  };
}

/** Calls answer a number: below 0 it is a `StackError`. */
function must(result: number): void {
  if (result < 0) throw new RangeError(`the stack answered ${result}`);
}

if (process.argv[1]?.endsWith('embed.ts') === true) embed(console.log);
