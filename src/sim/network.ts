/**
 * `createNetwork`: hosts and wires in one process, in virtual time, from one seed.
 */

import { type Random, SeededRandom } from '../base/index.ts';
import { MemorySegment, type SegmentOptions } from '../link/index.ts';
import { captureHost, captureSegment, type SimCapture } from './capture.ts';
import { type AttachmentOptions, type HostOptions, SimHost } from './host.ts';
import { SimTcpTrace } from './tcp-trace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface NetworkOptions {
  /** Decides every random number of the network, the hosts' included. Default 1. */
  readonly seed?: number;
}

/** A host, and right away its place on a segment. */
export interface NetworkHostOptions extends HostOptions, AttachmentOptions {
  readonly segment?: MemorySegment;
}

export interface RunOptions {
  /** Give up after this much virtual time, ms. Default one hour. */
  readonly limit?: number;
}

/** A run that could not reach what it was to reach. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}

export class Network {
  readonly seed: number;
  readonly time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #segments: MemorySegment[] = [];
  readonly #hosts: SimHost[] = [];
  /** A promise was settled since code outside last had its turn. */
  #hasSettled = false;

  constructor(options: NetworkOptions = {}) {
    this.seed = options.seed ?? 1;
    this.#random = new SeededRandom(this.seed);
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.time.now();
  }

  get hosts(): readonly SimHost[] {
    return this.#hosts;
  }

  get segments(): readonly MemorySegment[] {
    return this.#segments;
  }

  /** A wire for any number of hosts. */
  segment(options: Omit<SegmentOptions, 'scheduler'> = {}): MemorySegment {
    const name = options.name ?? `segment${this.#segments.length + 1}`;
    const segment = new MemorySegment({ ...options, name, scheduler: this.time });
    this.#segments.push(segment);
    return segment;
  }

  /** A host; with `segment` it is plugged in there. */
  host(options: NetworkHostOptions): SimHost {
    const host = new SimHost(options, {
      scheduler: this.time,
      random: this.#fork(),
      randomFor: () => this.#fork(),
      settled: () => {
        this.#hasSettled = true;
      },
    });
    this.#hosts.push(host);
    if (options.segment !== undefined) this.connect(host, options.segment, options);
    return host;
  }

  /** Plugs a host into a segment. @returns the index of the host's new interface. */
  connect(host: SimHost, segment: MemorySegment, options: AttachmentOptions = {}): number {
    return host.attach(segment.port({ name: `${host.name}@${segment.name}` }), options);
  }

  /**
   * Lets virtual time pass: up to a time, until a condition holds, or until a promise is settled, whose value is the answer.
   * Code that awaits the network runs in between, at the moment at which its promise was settled; it must not await
   * anything of the real world.
   * @throws {SimulationError} when nothing more can happen, or the limit is reached, before that
   */
  run(until: number): Promise<void>;
  run(until: () => boolean, options?: RunOptions): Promise<void>;
  run<T>(until: Promise<T>, options?: RunOptions): Promise<T>;
  async run<T>(
    until: number | (() => boolean) | Promise<T>,
    options: RunOptions = {},
  ): Promise<T | undefined> {
    if (typeof until === 'number') {
      await this.#run(() => false, until);
      this.time.skipTo(until);
      return undefined;
    }
    const limit = this.now + (options.limit ?? 3_600_000);
    if (typeof until === 'function') {
      if (!(await this.#run(until, limit))) this.#fail('the condition never held', limit);
      return undefined;
    }
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    until.then(settled, settled);
    if (!(await this.#run(() => isSettled, limit))) this.#fail('the promise was never settled', limit);
    return until;
  }

  /** As `run` with a number, at one go: promises are kept, but who awaits them goes on only afterwards. */
  runSync(until: number): void {
    while (this.time.step(until)) {
      // Each step is one task.
    }
    this.time.skipTo(until);
  }

  /**
   * Starts to record a segment, or what one host sends and receives with its verdicts. @returns the recording, whose
   * `bytes()` is a pcapng file.
   * @throws {RangeError} when it is being recorded already
   */
  capture(what: MemorySegment | SimHost): SimCapture {
    return what instanceof SimHost ? captureHost(what) : captureSegment(what, () => this.now);
  }

  /**
   * Collects what happens inside of TCP connections from now on, of these hosts or of all that there are. A host's stack has
   * one observer: this takes the place of another.
   */
  trace(...hosts: SimHost[]): SimTcpTrace {
    return new SimTcpTrace(hosts.length > 0 ? hosts : [...this.#hosts]);
  }

  /** Closes all hosts and segments. */
  close(): void {
    for (const host of this.#hosts) host.close();
    for (const segment of this.#segments) segment.close();
  }

  async #run(isDone: () => boolean, limit: number): Promise<boolean> {
    await turnOfOthers();
    for (;;) {
      this.#hasSettled = false;
      if (isDone()) return true;
      if (!this.time.step(limit)) {
        // What was settled last may let code go on that makes new events.
        await turnOfOthers();
        if (isDone()) return true;
        if (this.time.next > limit) return false;
      } else if (this.#hasSettled) {
        await turnOfOthers();
      }
    }
  }

  #fail(what: string, limit: number): never {
    const why =
      this.now < limit && this.time.pending === 0 ? 'nothing more can happen' : 'the limit is reached';
    throw new SimulationError(`${what}: ${why} at ${this.now} ms (seed ${this.seed})`);
  }

  #fork(): Random {
    return new SeededRandom(this.#random.next());
  }
}

/**
 * A network of simulated hosts.
 * @example
 * const network = createNetwork({ seed: 7 });
 * const wire = network.segment();
 * const server = network.host({ name: 'server', segment: wire, addresses: ['10.0.0.1/24'] });
 * const client = network.host({ name: 'client', segment: wire, addresses: ['10.0.0.2/24'], impair: { loss: 0.1, delay: 20 } });
 * const listener = server.tcp.listen(80);
 * const [stream, peer] = await network.run(Promise.all([client.tcp.connect('10.0.0.1', 80), listener.accept()]));
 */
export function createNetwork(options: NetworkOptions = {}): Network {
  return new Network(options);
}

/** Taken at the start: a test that fakes the timers must not stop the network. */
const { setImmediate: setImmediateOf, setTimeout: setTimeoutOf } = globalThis;

/** Lets everything that awaits a settled promise run first, however many steps it takes. */
function turnOfOthers(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediateOf === 'function') setImmediateOf(resolve);
    else setTimeoutOf(resolve, 0);
  });
}
