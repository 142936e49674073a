/**
 * The DNS proxy's doors: UDP and TCP on one address (RFC 7766). Connections are few, short and idle for ten seconds at most.
 */

import type { Cancel, IpAddress } from '../base/index.ts';
import { frameForStream, StreamReader } from './codec.ts';
import type { Closable, DatagramSocket, NameNetwork, StreamListener, StreamSocket } from './network.ts';
import type { DnsProxy } from './proxy.ts';
import { DNS_PORT } from './servers.ts';

const MAX_STREAMS = 64;
const MAX_STREAMS_PER_CLIENT = 8;
const MAX_PENDING_PER_STREAM = 16;
const IDLE_MS = 10_000;

export class ProxyServer {
  readonly address: IpAddress;
  readonly #proxy: DnsProxy;
  readonly #network: NameNetwork;
  readonly #datagrams: DatagramSocket;
  readonly #listener: Closable;
  readonly #streams = new Set<ProxyStream>();

  private constructor(
    proxy: DnsProxy,
    network: NameNetwork,
    address: IpAddress,
    open: (server: ProxyServer) => readonly [DatagramSocket | null, Closable | null],
  ) {
    this.#proxy = proxy;
    this.#network = network;
    this.address = address;
    const [datagrams, listener] = open(this);
    if (datagrams === null || listener === null) {
      datagrams?.close();
      listener?.close();
      throw new RangeError(`port ${DNS_PORT} of ${address} can't be had`);
    }
    this.#datagrams = datagrams;
    this.#listener = listener;
  }

  /** Serves on `address`. @returns `null` when its port 53 can't be had: no such address, or taken */
  static open(proxy: DnsProxy, network: NameNetwork, address: IpAddress): ProxyServer | null {
    try {
      return new ProxyServer(proxy, network, address, (server) => [
        network.listenDatagram(address, DNS_PORT, {
          received: (bytes, origin) => server.#datagram(bytes, origin.address, origin.port),
        }),
        network.listenStream(address, DNS_PORT, (stream) => server.#accept(stream)),
      ]);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  close(): void {
    this.#datagrams.close();
    this.#listener.close();
    for (const stream of [...this.#streams]) stream.close();
  }

  /** How many connections are open. */
  get streams(): number {
    return this.#streams.size;
  }

  #datagram(bytes: Uint8Array, address: IpAddress, port: number): void {
    if (port === 0 || !this.#proxy.isServed(address)) return;
    void this.#proxy.answer(bytes, { address, isStream: false }).then((answer) => {
      if (answer !== null) this.#datagrams.send(answer, address, port);
    });
  }

  #accept(stream: StreamSocket): StreamListener | null {
    const { remoteAddress } = stream;
    const ofClient = [...this.#streams].filter((each) => each.client.equals(remoteAddress)).length;
    const isFull = this.#streams.size >= MAX_STREAMS || ofClient >= MAX_STREAMS_PER_CLIENT;
    if (isFull || !this.#proxy.isServed(remoteAddress)) {
      this.#proxy.counters.refusedStreams++;
      return null;
    }
    const open = new ProxyStream(this.#proxy, this.#network, stream, (ended) => this.#streams.delete(ended));
    this.#streams.add(open);
    return open;
  }
}

/** A client's connection. */
class ProxyStream implements StreamListener {
  readonly client: IpAddress;
  readonly #proxy: DnsProxy;
  readonly #network: NameNetwork;
  readonly #stream: StreamSocket;
  readonly #onClose: (stream: ProxyStream) => void;
  readonly #reader = new StreamReader();
  #pending = 0;
  #hasEnded = false;
  #isClosed = false;
  #idle: Cancel;

  constructor(
    proxy: DnsProxy,
    network: NameNetwork,
    stream: StreamSocket,
    onClose: (stream: ProxyStream) => void,
  ) {
    this.#proxy = proxy;
    this.#network = network;
    this.#stream = stream;
    this.client = stream.remoteAddress;
    this.#onClose = onClose;
    this.#idle = network.scheduler.after(IDLE_MS, () => this.close());
  }

  received(bytes: Uint8Array): void {
    for (const message of this.#reader.take(bytes)) {
      // Who asks faster than it is answered may ask again.
      if (this.#pending >= MAX_PENDING_PER_STREAM) {
        this.close();
        return;
      }
      this.#restIdle();
      this.#pending++;
      void this.#proxy
        .answer(message, { address: this.client, isStream: true })
        .then((answer) => this.#answered(answer));
    }
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#pending === 0) this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#idle();
    this.#stream.close();
    this.#onClose(this);
  }

  #answered(answer: Uint8Array | null): void {
    this.#pending--;
    if (this.#isClosed) return;
    const isSent = answer !== null && this.#stream.send(frameForStream(answer));
    // What is not answered by UDP ends a connection.
    if (!isSent || (this.#hasEnded && this.#pending === 0)) this.close();
    else this.#restIdle();
  }

  #restIdle(): void {
    this.#idle();
    this.#idle = this.#network.scheduler.after(IDLE_MS + this.#pending * 1000, () => this.close());
  }
}
