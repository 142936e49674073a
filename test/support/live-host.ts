/**
 * A host of ours that lives on the machine's clock, on a TUN device in a namespace of its own; the kernel is at the
 * device's other end. Its calls are the simulator's promises, so that a test reads the same in both times.
 *
 * @example
 * const host = new LiveHost({ mtu: 1500, offload: false });
 * const listener = host.listen(80);
 * const peer = host.kernel('recv', OURS, 80);
 * const stream = await listener.accept();
 * await stream.write(bytes);
 * host.close();
 */

import {
  type IpAddress,
  type IpFamily,
  PoolAllocator,
  parsePrefix,
  SeededRandom,
} from '../../src/base/index.ts';
import { createHost, type Driver, RealTime, type RunningHost } from '../../src/engine/index.ts';
import { TunLink } from '../../src/link/device/index.ts';
import { ImpairedLink, type ImpairSettings } from '../../src/link/index.ts';
import { parseAddress, SimDatagramSocket, SimListener, SimStream } from '../../src/sim/index.ts';
import {
  type EchoReply,
  type Endpoint,
  EndpointEvent,
  type Stack,
  StackError,
  type TcpEndpoint,
  type TcpOptions,
} from '../../src/stack/index.ts';
import { KernelPeer } from './kernel-peer.ts';
import { createNamespace, type Namespace } from './netns.ts';

/** The kernel's end of the device, and ours. */
export const KERNEL = '10.9.0.1';
export const OURS = '10.9.0.2';
/** Likewise, of a host with `family: 6`. */
export const KERNEL6 = 'fd09::1';
export const OURS6 = 'fd09::2';
/** The device's name in the namespace. */
export const DEVICE = 'tun0';

export interface LiveHostOptions {
  readonly mtu?: number;
  /** Whether the device may give and take super-segments and partial checksums. Default true. */
  readonly offload?: boolean;
  readonly tcp?: TcpOptions;
  /** With 6, both ends have addresses of IPv6 too, which are meant then. Default 4. */
  readonly family?: IpFamily;
  /** What happens to packets on the way to the kernel, and from it. */
  readonly outbound?: ImpairSettings;
  readonly inbound?: ImpairSettings;
  /** Of the impairments' chances. Default 1. */
  readonly seed?: number;
  /** When a peer of the kernel's is killed, whatever it does. Default a minute. */
  readonly peerLimitMs?: number;
}

/** How a device may be opened: the modes that every test of traffic with the kernel runs in. */
export interface Mode {
  readonly mode: string;
  readonly mtu: number;
  readonly offload: boolean;
}

/** For `describe.each`: with and without offloads, with the usual packets and with the largest. */
export const MODES: readonly Mode[] = [
  { mode: 'MTU 1500, plain', mtu: 1500, offload: false },
  { mode: 'MTU 1500 with offloads', mtu: 1500, offload: true },
  { mode: 'MTU 65535, plain', mtu: 65_535, offload: false },
  { mode: 'MTU 65535 with offloads', mtu: 65_535, offload: true },
];

/** Addresses of both ends, as `LiveHostOptions.family` gives them. */
export interface Ends {
  readonly family: IpFamily;
  readonly kernel: string;
  readonly ours: string;
}

export const FAMILIES: readonly Ends[] = [
  { family: 4, kernel: KERNEL, ours: OURS },
  { family: 6, kernel: KERNEL6, ours: OURS6 },
];

/** For `describe.each`, as `$title`: every mode in both families. */
export const MODES_OF_BOTH = FAMILIES.flatMap((ends) =>
  MODES.map((mode) => ({ ...mode, ...ends, title: `IPv${ends.family}, ${mode.mode}` })),
);

/** A device whose kernel's end is up and has an address. The link belongs to the caller. */
export function openTun(
  space: Namespace,
  options: Pick<LiveHostOptions, 'mtu' | 'offload' | 'family'> = {},
): TunLink {
  const link = TunLink.create({
    name: DEVICE,
    namespace: space.name,
    mtu: options.mtu ?? 1500,
    ...((options.offload ?? true) ? {} : { offload: 0 }),
  });
  const prefixes = options.family === 6 ? [`${KERNEL}/24`, `${KERNEL6}/64`] : [`${KERNEL}/24`];
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (prefix !== null) link.device.addAddress(prefix);
  }
  link.device.queueLength = 1000;
  link.device.isUp = true;
  return link;
}

const listener = { settled(): void {} };

/** The host, its device and its namespace. */
export class LiveHost {
  readonly space: Namespace;
  readonly link: TunLink;
  readonly stack: Stack;
  readonly driver: Driver;
  /** All memory of the stack's buffers. */
  readonly allocator = new PoolAllocator();
  readonly #host: RunningHost;
  readonly #impaired: ImpairedLink | null;
  readonly #peerLimitMs: number | undefined;
  readonly #family: IpFamily;

  constructor(options: LiveHostOptions = {}) {
    const scheduler = new RealTime();
    this.#peerLimitMs = options.peerLimitMs;
    this.#family = options.family ?? 4;
    this.space = createNamespace();
    this.link = openTun(this.space, options);
    const isImpaired = options.outbound !== undefined || options.inbound !== undefined;
    this.#impaired = isImpaired
      ? new ImpairedLink({
          link: this.link,
          scheduler,
          random: new SeededRandom(options.seed ?? 1),
          outbound: options.outbound ?? {},
          inbound: options.inbound ?? {},
        })
      : null;
    const link = this.#impaired ?? this.link;
    this.#host = createHost({
      scheduler,
      allocator: this.allocator,
      links: [
        { link, addresses: this.#isSix ? [`${OURS}/24`, `${OURS6}/64`] : [`${OURS}/24`], gateway: KERNEL },
      ],
      observer: happened,
      ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
    });
    this.stack = this.#host.stack;
    this.driver = this.#host.driver;
    if (this.#isSix) this.stack.addRoute({ destination: '::/0', gateway: KERNEL6, interfaceIndex: 2 });
  }

  get #isSix(): boolean {
    return this.#family === 6;
  }

  get #any(): IpAddress {
    return parseAddress(this.#isSix ? '::' : '0.0.0.0');
  }

  /** The impairments of the path, to be changed and counted. @throws {Error} when there are none. */
  get impaired(): ImpairedLink {
    if (this.#impaired === null) throw new Error('the host was made without impairments');
    return this.#impaired;
  }

  /** Connects to the kernel. Rejects with an `EndpointError`. */
  async connect(port: number, prepare: (endpoint: TcpEndpoint) => void = () => {}): Promise<SimStream> {
    const endpoint = this.stack.openTcp(this.#family);
    prepare(endpoint);
    const stream = new SimStream(endpoint, listener);
    try {
      return await stream.open(parseAddress(this.#isSix ? KERNEL6 : KERNEL), port);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Listens on all addresses; `prepare` sets what accepted connections inherit. */
  listen(port: number, prepare: (endpoint: TcpEndpoint) => void = () => {}): SimListener {
    const endpoint = this.stack.openTcp(this.#family);
    prepare(endpoint);
    must('bind', endpoint.bind(this.#any, port));
    must('listen', endpoint.listen(1024));
    return new SimListener(endpoint, listener);
  }

  /** A UDP socket on `port`, 0 for any. */
  udp(port = 0): SimDatagramSocket {
    const endpoint = this.stack.openUdp(this.#family);
    must('bind', endpoint.bind(this.#any, port));
    return new SimDatagramSocket(endpoint, listener);
  }

  /** One echo request with `size` bytes. @returns the reply, or the ICMP error about it. @throws {Error} when none comes. */
  async ping(address: string, size: number, ttl = 0): Promise<EchoReply> {
    const endpoint = this.stack.openIcmp(this.#family);
    endpoint.ttl = ttl;
    try {
      must('echo request', endpoint.sendEcho(parseAddress(address), 1, pingPayload(size)));
      let reply: EchoReply | null = null;
      await until(`a reply from ${address}`, () => {
        reply = endpoint.takeReply();
        return reply !== null;
      });
      return reply as unknown as EchoReply;
    } finally {
      endpoint.close();
    }
  }

  /** Serves connections on `port` without a promise each: every byte is sent back, the end is answered with the end. */
  echo(port: number, onByte: (endpoint: TcpEndpoint) => void = () => {}): TcpEndpoint {
    const endpoint = this.stack.openTcp(this.#family);
    must('bind', endpoint.bind(this.#any, port));
    must('listen', endpoint.listen(1024));
    endpoint.context = new EchoService(onByte);
    return endpoint;
  }

  /** Starts the kernel's side of a test. See kernel-peer.py for the modes. */
  kernel(mode: string, ...args: (string | number)[]): KernelPeer {
    const six = this.#isSix ? ['--six'] : [];
    return new KernelPeer(this.space, [mode, ...args, ...six], this.#peerLimitMs);
  }

  /** Starts a server of the kernel's and waits until it listens. */
  kernelServer(mode: string, ...args: (string | number)[]): Promise<KernelPeer> {
    return this.kernel(mode, ...args).said('READY');
  }

  /** Resets everything and removes the device; what runs in the namespace goes on. Idempotent. */
  closeHost(): void {
    this.#host.close();
  }

  /** Resets everything, removes the device and its namespace. Idempotent. */
  close(): void {
    this.closeHost();
    this.space.remove();
  }
}

/** What {@link LiveHost.ping} sends. */
export function pingPayload(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i ^ (i >> 8));
}

/** What an echoing listener and its connections have in common. */
class EchoService {
  readonly #buffer = new Uint8Array(64 << 10);
  readonly #onByte: (endpoint: TcpEndpoint) => void;

  constructor(onByte: (endpoint: TcpEndpoint) => void) {
    this.#onByte = onByte;
  }

  happened(endpoint: TcpEndpoint, events: number): void {
    if (endpoint.state === 'LISTEN') {
      for (let child = endpoint.accept(); child !== null; child = endpoint.accept()) {
        child.context = this;
        this.#serve(child);
      }
    } else if ((events & EndpointEvent.failed) !== 0) endpoint.close();
    else this.#serve(endpoint);
  }

  #serve(endpoint: TcpEndpoint): void {
    for (;;) {
      // Only what can be sent again is taken, so that nothing is held here.
      const room = Math.min(endpoint.writableBytes, this.#buffer.length);
      const length = room === 0 ? StackError.wouldBlock : endpoint.read(this.#buffer, 0, room);
      if (length === 0) endpoint.close();
      if (length <= 0) return;
      endpoint.write(this.#buffer, 0, length);
      this.#onByte(endpoint);
    }
  }
}

function happened(endpoint: Endpoint, events: number): void {
  const { context } = endpoint;
  if (context instanceof SimStream) context.happened(events);
  else if (context instanceof SimListener || context instanceof SimDatagramSocket) context.happened();
  else if (context instanceof EchoService) context.happened(endpoint as TcpEndpoint, events);
}

/** Waits until `isDone`, looking every few milliseconds. @throws {Error} that says what never happened. */
export async function until(
  what: string,
  isDone: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function must(call: string, result: number): void {
  if (result < 0) throw new Error(`${call}: error ${result}`);
}
