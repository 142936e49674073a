/**
 * A host of a simulated network: a stack of its own, driven in virtual time, and calls on it as promises.
 */

import { type IpAddress, PoolAllocator, type Random, type Scheduler } from '../base/index.ts';
import { type AttachOptions, Driver } from '../engine/index.ts';
import { ImpairedLink, type ImpairFilter, type ImpairSettings, type Link } from '../link/index.ts';
import {
  createStack,
  type EchoReply,
  type Endpoint,
  type PortSharing,
  type Stack,
  type TcpOptions,
} from '../stack/index.ts';
import { parseAddress, SimDatagramSocket, SimEcho } from './datagram.ts';
import { checked } from './endpoint-error.ts';
import type { SettleListener } from './pending.ts';
import { SimListener, SimStream } from './stream.ts';

export interface HostOptions {
  readonly name: string;
  readonly tcp?: TcpOptions;
  /** Bound of all buffers together, bytes. Default 1 GiB. */
  readonly memoryLimit?: number;
  /** Called for events of endpoints that were opened on `stack` directly. */
  readonly observer?: (endpoint: Endpoint, events: number) => void;
}

/** How a host hangs on a segment. */
export interface AttachmentOptions extends AttachOptions {
  /** What happens to packets in both directions … */
  readonly impair?: ImpairSettings;
  /** … and what in one, which comes on top. `outbound` is from the host to the segment. */
  readonly outbound?: ImpairSettings;
  readonly inbound?: ImpairSettings;
  /** Which packets are meant. Default all. */
  readonly filter?: ImpairFilter;
}

export interface ConnectOptions {
  readonly localAddress?: string | IpAddress;
  readonly localPort?: number;
}

export interface ListenOptions {
  readonly address?: string | IpAddress;
  /** Default 128. */
  readonly backlog?: number;
  readonly sharing?: PortSharing;
}

export interface PingOptions {
  readonly payload?: Uint8Array;
  readonly sequence?: number;
  /** How long to wait for an answer, ms. Default 1000. */
  readonly timeout?: number;
}

/** What the network hands to its hosts. */
export interface HostSurroundings extends SettleListener {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** A random source of its own for one link. */
  randomFor(link: string): Random;
}

export class SimHost {
  readonly name: string;
  readonly stack: Stack;
  readonly driver: Driver;
  /** All memory of the stack's buffers. */
  readonly allocator: PoolAllocator;
  readonly #surroundings: HostSurroundings;
  readonly #observer: ((endpoint: Endpoint, events: number) => void) | null;
  readonly #links = new Map<number, ImpairedLink>();

  /** Hosts are made by `network.host`. */
  constructor(options: HostOptions, surroundings: HostSurroundings) {
    this.name = options.name;
    this.#surroundings = surroundings;
    this.#observer = options.observer ?? null;
    this.allocator = new PoolAllocator(options.memoryLimit ?? 1 << 30, 1 << 20);
    this.stack = createStack({
      clock: surroundings.scheduler,
      random: surroundings.random,
      allocator: this.allocator,
      wake: () => this.driver.wake(),
      observer: (endpoint, events) => this.#happened(endpoint, events),
      ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
    });
    this.driver = new Driver({ stack: this.stack, scheduler: surroundings.scheduler });
  }

  /** Plugs the host into a link. @returns the interface's index. */
  attach(link: Link, options: AttachmentOptions): number {
    const { scheduler } = this.#surroundings;
    const impaired = new ImpairedLink({
      link,
      scheduler,
      random: this.#surroundings.randomFor(link.name),
      outbound: { ...options.impair, ...options.outbound },
      inbound: { ...options.impair, ...options.inbound },
      ...(options.filter === undefined ? {} : { filter: options.filter }),
    });
    const index = this.driver.attach(impaired, options);
    this.#links.set(index, impaired);
    return index;
  }

  /**
   * The link of an interface (by default the first that was attached), to look at its counters or to change what happens to
   * packets from now on.
   */
  link(index?: number): ImpairedLink {
    const link = index === undefined ? this.#links.values().next().value : this.#links.get(index);
    if (link === undefined) throw new RangeError(`${this.name} has no interface ${index ?? ''}`);
    return link;
  }

  /** TCP. */
  readonly tcp = {
    /** Resolves when the connection is established; rejects with an `EndpointError`. */
    connect: (address: string | IpAddress, port: number, options: ConnectOptions = {}): Promise<SimStream> =>
      this.#connect(toAddress(address), port, options),
    /** @throws {EndpointError} when the port cannot be had. */
    listen: (port: number, options: ListenOptions = {}): SimListener => {
      const address = toAddress(options.address ?? '0.0.0.0');
      const endpoint = this.stack.openTcp(address.family);
      orClose(endpoint, 'bind', endpoint.bind(address, port, { sharing: options.sharing ?? 'none' }));
      orClose(endpoint, 'listen', endpoint.listen(options.backlog ?? 128));
      return new SimListener(endpoint, this.#surroundings);
    },
  };

  /** UDP. */
  readonly udp = {
    /** A socket on `port`, 0 for any. @throws {EndpointError} when the port cannot be had. */
    open: (port = 0, address: string | IpAddress = '0.0.0.0'): SimDatagramSocket => {
      const from = toAddress(address);
      const endpoint = this.stack.openUdp(from.family);
      orClose(endpoint, 'bind', endpoint.bind(from, port));
      return new SimDatagramSocket(endpoint, this.#surroundings);
    },
  };

  /** One echo request. @throws {EndpointError} `timedOut` when nothing came back in time. */
  async ping(address: string | IpAddress, options: PingOptions = {}): Promise<EchoReply> {
    const to = toAddress(address);
    const echo = new SimEcho(this.stack.openIcmp(to.family), this.#surroundings);
    const cancel = this.#surroundings.scheduler.after(options.timeout ?? 1000, () => echo.close());
    try {
      return await echo.request(to, options.sequence ?? 1, options.payload ?? new Uint8Array(56));
    } finally {
      cancel();
      echo.close();
    }
  }

  /** Resets and closes everything. The host must not be used after. */
  close(): void {
    this.driver.close();
    this.#links.clear();
  }

  async #connect(to: IpAddress, port: number, options: ConnectOptions): Promise<SimStream> {
    const endpoint = this.stack.openTcp(to.family);
    if (options.localAddress !== undefined || options.localPort !== undefined) {
      const from = toAddress(options.localAddress ?? (to.family === 4 ? '0.0.0.0' : '::'));
      orClose(endpoint, 'bind', endpoint.bind(from, options.localPort ?? 0));
    }
    const stream = new SimStream(endpoint, this.#surroundings);
    try {
      return await stream.open(to, port);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  #happened(endpoint: Endpoint, events: number): void {
    const { context } = endpoint;
    if (context instanceof SimStream) context.happened(events);
    else if (
      context instanceof SimListener ||
      context instanceof SimDatagramSocket ||
      context instanceof SimEcho
    ) {
      context.happened();
    } else this.#observer?.(endpoint, events);
  }
}

/** Closes an endpoint whose call failed. @throws {EndpointError} */
function orClose(endpoint: Endpoint, call: string, result: number): void {
  if (result < 0) endpoint.close();
  checked(call, result);
}

function toAddress(address: string | IpAddress): IpAddress {
  return typeof address === 'string' ? parseAddress(address) : address;
}
