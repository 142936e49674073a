/**
 * `createHost`: a stack, its driver and its links, put together for a live process.
 */

import type { BufferAllocator, Random, Scheduler } from '../base/index.ts';
import type { Link } from '../link/index.ts';
import { createStack, type Endpoint, type Stack, type TcpOptions } from '../stack/index.ts';
import { RealTime } from './clock.ts';
import { type AttachOptions, Driver } from './driver.ts';
import { SystemRandom } from './random.ts';

/** A link and how it becomes an interface. */
export interface HostLink extends AttachOptions {
  readonly link: Link;
}

export interface HostOptions {
  /** Owned by the host from now on: closing it closes them. More can be attached to its driver later. */
  readonly links?: readonly HostLink[];
  /** Called, outside of all calls into the stack, for each endpoint to which something happened. */
  readonly observer?: (endpoint: Endpoint, events: number) => void;
  /** Called, outside of all calls into the stack, when its configuration has changed, with `ConfigChange` bits. */
  readonly configObserver?: (changes: number) => void;
  /** A link failed; its interface is gone. */
  readonly onLinkFailed?: (link: Link, error: Error) => void;
  readonly tcp?: TcpOptions;
  /** See `StackOptions`. */
  readonly identity?: Uint8Array;
  readonly allocator?: BufferAllocator;
  /** Default the machine's clock and event loop. */
  readonly scheduler?: Scheduler;
  /** Default the operating system's random source. */
  readonly random?: Random;
  /** How a call on an endpoint becomes a turn of the driver. See `DriverOptions.defer`. */
  readonly defer?: (task: () => void) => void;
}

/** A host that lives until it is closed. */
export interface RunningHost {
  readonly stack: Stack;
  readonly driver: Driver;
  /** Resets its connections, closes links and timers. Idempotent. */
  close(): void;
}

/**
 * Makes a stack and lets it live on the machine's clock.
 * @example
 * const time = new RealTime();
 * const wire = new MemorySegment({ scheduler: time });
 * const host = createHost({ scheduler: time, links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }] });
 * const endpoint = host.stack.openTcp();
 */
export function createHost(options: HostOptions = {}): RunningHost {
  const scheduler = options.scheduler ?? new RealTime();
  // Real time is served at the end of what runs now, before the loop looks at devices and timers; any other scheduler
  // decides for itself.
  const isReal = options.scheduler === undefined || options.scheduler instanceof RealTime;
  const defer = options.defer ?? (isReal ? queueMicrotask : undefined);
  let driver: Driver | null = null;
  const stack = createStack({
    clock: scheduler,
    random: options.random ?? new SystemRandom(),
    wake: () => driver?.wake(),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    ...(options.configObserver === undefined ? {} : { configObserver: options.configObserver }),
    ...(options.allocator === undefined ? {} : { allocator: options.allocator }),
    ...(options.identity === undefined ? {} : { identity: options.identity }),
    ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
  });
  const made = new Driver({
    stack,
    scheduler,
    ...(defer === undefined ? {} : { defer }),
    ...(options.onLinkFailed === undefined ? {} : { onLinkFailed: options.onLinkFailed }),
  });
  driver = made;
  for (const { link, ...attach } of options.links ?? []) made.attach(link, attach);
  return { stack, driver: made, close: () => made.close() };
}
