/**
 * The handles of a process: sockets, event objects and completion ports share one number space, as they do in Windows.
 *
 * A handle is a multiple of 4 and never 0. The one closed last is given out next, so that a program which uses a handle after
 * closing it soon hits a stranger's socket, as it would on Windows.
 */

import type { OwnHandle, StartedProvider } from '../spi/index.ts';
import type { CompletionPort } from './completion-port.ts';
import { SocketFile } from './socket-file.ts';

/** A socket handle and who answers for it. */
export class SocketHandle {
  readonly kind = 'socket';
  provider: StartedProvider;
  /** Made by `WPUCreateSocketHandle`, for a provider without IFS handles: the base provider does not know it. */
  readonly isOwn: boolean;
  /** What such a provider wants to be told back. */
  readonly context: number;
  /** Who answers past the table for such a handle. */
  own: OwnHandle | null = null;
  /** What of it is a file: signals and completions. */
  readonly file = new SocketFile();
  /** A close that waits (linger) has begun: the handle is gone for everybody else. */
  isClosing = false;
  /** Made non-blocking through this handle; one that others share may be so without our knowledge. */
  isNonBlocking = false;
  /** Whether its close may wait for the peer (SEM-LING-*), as its application has set it; `null`: nobody knows. */
  mayLinger: boolean | null = null;

  constructor(provider: StartedProvider, isOwn = false, context = 0) {
    this.provider = provider;
    this.isOwn = isOwn;
    this.context = context;
  }
}

/** A manual-reset event object. */
export class EventObject {
  readonly kind = 'event';
  isSignaled = false;
  /** Called, each once, when it is set. */
  readonly waiters = new Set<() => void>();

  set(): void {
    this.isSignaled = true;
    for (const wake of [...this.waiters]) wake();
  }

  reset(): void {
    this.isSignaled = false;
  }
}

export type HandleObject = SocketHandle | EventObject | CompletionPort;

/** Small numbers name nothing, so that a forgotten initialisation does not. */
const FIRST_INDEX = 64;
/** Windows' own bound of handles in a process. */
const MAX_HANDLES = 1 << 24;

export class HandleTable {
  readonly #objects: (HandleObject | undefined)[] = new Array<undefined>(FIRST_INDEX);
  readonly #free: number[] = [];
  readonly #end: number;
  /** How many sockets are no handles of the base provider: without any, nobody need ask which are. */
  ownSockets = 0;

  /** @param most handles that may be open */
  constructor(most = MAX_HANDLES) {
    this.#end = FIRST_INDEX + most;
  }

  /** How many handles are open. */
  get size(): number {
    return this.#objects.length - FIRST_INDEX - this.#free.length;
  }

  /** @returns the new handle, or 0 when there are too many */
  add(object: HandleObject): number {
    const index = this.#free.pop() ?? this.#objects.length;
    if (index >= this.#end) return 0;
    this.#objects[index] = object;
    if (object.kind === 'socket' && object.isOwn) this.ownSockets++;
    return index * 4;
  }

  /** All open sockets with their handles. */
  *sockets(): Generator<readonly [number, SocketHandle]> {
    for (let index = FIRST_INDEX; index < this.#objects.length; index++) {
      const object = this.#objects[index];
      if (object?.kind === 'socket') yield [index * 4, object];
    }
  }

  /** The open socket of that handle, or `null`. */
  socket(handle: number): SocketHandle | null {
    const object = this.#at(handle);
    return object !== undefined && object.kind === 'socket' && !object.isClosing ? object : null;
  }

  /** As {@link socket}, also while its close waits. */
  socketOrClosing(handle: number): SocketHandle | null {
    const object = this.#at(handle);
    return object !== undefined && object.kind === 'socket' ? object : null;
  }

  /** The sockets of layers that stand for that one. */
  above(lower: number): number[] {
    const found: number[] = [];
    for (const [index, object] of this.#objects.entries()) {
      if (object?.kind === 'socket' && object.own?.lower === lower) found.push(index * 4);
    }
    return found;
  }

  /** The event object of that handle, or `null`. */
  event(handle: number): EventObject | null {
    const object = this.#at(handle);
    return object !== undefined && object.kind === 'event' ? object : null;
  }

  /** The completion port of that handle, or `null`. */
  port(handle: number): CompletionPort | null {
    const object = this.#at(handle);
    return object !== undefined && object.kind === 'port' ? object : null;
  }

  /** Gives a handle back, if it is (still) that object's. */
  release(handle: number, object: HandleObject): void {
    if (this.#at(handle) !== object) return;
    this.#objects[handle >>> 2] = undefined;
    this.#free.push(handle >>> 2);
    if (object.kind === 'socket' && object.isOwn) this.ownSockets--;
  }

  /** Gives all socket handles back: each is WSAENOTSOCK from now on. Event objects and completion ports live on. */
  releaseSockets(): void {
    for (let index = this.#objects.length - 1; index >= FIRST_INDEX; index--) {
      if (this.#objects[index]?.kind !== 'socket') continue;
      this.#objects[index] = undefined;
      this.#free.push(index);
    }
    this.ownSockets = 0;
  }

  #at(handle: number): HandleObject | undefined {
    // Past 2^32 the shift would wrap: such a number is no handle.
    return handle % 4 === 0 && handle > 0 && handle <= 0xffff_ffff ? this.#objects[handle >>> 2] : undefined;
  }
}
