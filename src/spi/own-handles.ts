/**
 * The sockets of a layer with handles of its own (SPI-GEN-05, CAT-LOAD-06): each has a handle that ws2_32 made for the layer, and
 * stands for a socket of the provider below.
 *
 * All chains of a layer in a process share them, because a select may name sockets of several.
 */

import { WSAEWOULDBLOCK } from '../abi/index.ts';
import type { SocketOperation } from './base-sockets.ts';
import { argumentOr } from './base-state.ts';
import type { IoManager } from './io-manager.ts';
import type { Layer } from './layer-types.ts';
import { type OperationSocket, PrivateRecord } from './operation.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAOVERLAPPED } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';
import type { CancelOperations, OwnHandle, Readiness, Ws2Exports } from './ws2-exports.ts';

/** What a socket of the layer is made of. */
export interface OwnMade {
  readonly type: number;
  /** WSA_FLAG_* */
  readonly flags: number;
}

/** Where the messages of a WSPAsyncSelect go. */
export interface MessageTarget {
  readonly hWnd: number;
  readonly wMsg: number;
}

export class OwnSocket implements OperationSocket, OwnHandle {
  readonly handle: number;
  readonly lower: number;
  /** The calls of the provider below, for the chain that it was made in. */
  readonly next: WSPPROC_TABLE;
  readonly type: number;
  readonly flags: number;
  readonly operations = new Set<SocketOperation>();
  messages: MessageTarget | null = null;
  /** Set by a layer that keeps readiness, or has operations under way, itself. */
  readiness?: Readiness | null;
  cancelKept?: CancelOperations;
  /** Gives the lower handle back to ws2_32. */
  readonly releaseLower: () => void;
  readonly #handles: OwnHandles;

  constructor(
    handles: OwnHandles,
    handle: number,
    lower: number,
    next: WSPPROC_TABLE,
    made: OwnMade,
    releaseLower: () => void,
  ) {
    this.#handles = handles;
    this.handle = handle;
    this.lower = lower;
    this.next = next;
    this.type = made.type;
    this.flags = made.flags;
    this.releaseLower = releaseLower;
  }

  /** Closes the socket below, and gives both handles back: what WSPCloseSocket does. @returns its answer */
  close(): Answer {
    const answer = this.next.WSPCloseSocket(this.lower);
    const finish = (late: number): number => {
      // The handle stays when a non-blocking socket cannot linger (SEM-LING-04).
      if (late !== -WSAEWOULDBLOCK) this.#handles.release(this);
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  }

  abandon(): void {
    void this.close();
  }

  cancel(lpOverlapped: WSAOVERLAPPED | null, thread: number | null): number {
    let found = this.cancelKept?.(lpOverlapped, thread) ?? 0;
    for (const operation of [...this.operations]) {
      const isAsked =
        lpOverlapped === null
          ? !(operation.lpOverlapped instanceof PrivateRecord)
          : operation.lpOverlapped === lpOverlapped;
      if (!isAsked) continue;
      if (thread !== null && operation.thread !== thread) continue;
      found++;
      operation.cancel();
    }
    return found;
  }
}

/** An event object that calls back when it is set: how a lower operation's end is heard of. */
export interface Alarm {
  readonly hEvent: number;
  onSet: () => void;
}

/** Messages kept for a socket that is being accepted; more are a provider's mistake. */
const EARLY_MESSAGES = 64;

export class OwnHandles {
  readonly upcalls: WSPUPCALLTABLE;
  readonly ws2: Ws2Exports;
  /** ws2_32 gives Winsock up: what ends now ends without a completion (SEM-VER-15). */
  isEnding = false;
  /** Chains that use them. */
  users = 0;
  readonly #byHandle: (OwnSocket | undefined)[] = [];
  readonly #byLower = new Map<number, OwnSocket>();
  readonly #alarms: Alarm[] = [];
  readonly #all: Alarm[] = [];
  #window = 0;
  /** Messages of sockets that are accepted, and not known yet, by their lower handle. */
  readonly #early: { readonly lower: number; readonly lParam: number }[] = [];

  constructor(upcalls: WSPUPCALLTABLE, ws2: Ws2Exports) {
    this.upcalls = upcalls;
    this.ws2 = ws2;
  }

  get io(): IoManager {
    return this.ws2.io;
  }

  get(handle: number): OwnSocket | undefined {
    const socket = this.#byHandle[handle >>> 2];
    return socket !== undefined && socket.handle === handle ? socket : undefined;
  }

  ofLower(lower: number): OwnSocket | undefined {
    return this.#byLower.get(lower);
  }

  /**
   * Makes a handle for a lower socket, which is closed when that fails.
   * @param parent the listener of an accepted one: it gets that one's registration, too
   * @returns the handle, or minus a WSA code
   */
  adopt(layer: Layer, next: WSPPROC_TABLE, lower: number, made: OwnMade, parent: OwnSocket | null): number {
    if (lower < 0) return lower;
    const handle = this.upcalls.WPUCreateSocketHandle(layer.chain.dwCatalogEntryId, lower);
    const releaseLower = this.ws2.releaser(lower);
    if (handle < 0) {
      void next.WSPCloseSocket(lower);
      releaseLower();
      return handle;
    }
    const socket = new OwnSocket(this, handle, lower, next, made, releaseLower);
    socket.messages = parent?.messages ?? null;
    this.#byHandle[handle >>> 2] = socket;
    this.#byLower.set(lower, socket);
    this.ws2.serve(handle, socket);
    this.#deliverEarly(socket);
    return handle;
  }

  /** A socket is closed: its handles are given back, the lower one last, so that they are taken in order again. */
  release(socket: OwnSocket): void {
    if (this.get(socket.handle) !== socket) return;
    this.#byHandle[socket.handle >>> 2] = undefined;
    if (this.#byLower.get(socket.lower) === socket) this.#byLower.delete(socket.lower);
    this.upcalls.WPUCloseSocketHandle(socket.handle);
    socket.releaseLower();
  }

  *all(): IterableIterator<OwnSocket> {
    for (const socket of this.#byHandle) if (socket !== undefined) yield socket;
  }

  /** An event of one's own; `null` when there are too many handles. */
  takeAlarm(): Alarm | null {
    const free = this.#alarms.pop();
    if (free !== undefined) {
      this.upcalls.WPUResetEvent(free.hEvent);
      return free;
    }
    const hEvent = this.upcalls.WPUCreateEvent();
    if (hEvent < 0) return null;
    const alarm: Alarm = { hEvent, onSet: silent };
    this.ws2.onEvent(hEvent, () => alarm.onSet());
    this.#all.push(alarm);
    return alarm;
  }

  returnAlarm(alarm: Alarm): void {
    alarm.onSet = silent;
    this.#alarms.push(alarm);
  }

  /** The window that messages of lower sockets come to; they go on under the own handle. */
  window(): number {
    if (this.#window === 0) {
      this.#window = this.ws2.createWindow((_message, lower, lParam) => this.#post(lower, lParam));
    }
    return this.#window;
  }

  /** The last chain is cleaned up: whoever waits for an operation goes on, and nothing is kept. */
  end(): void {
    this.isEnding = true;
    for (const socket of this.all()) for (const operation of [...socket.operations]) operation.abandon();
    this.isEnding = false;
    this.#byHandle.length = 0;
    this.#byLower.clear();
    this.#early.length = 0;
    this.#alarms.length = 0;
    for (const { hEvent } of this.#all.splice(0)) this.upcalls.WPUCloseEvent(hEvent);
    if (this.#window !== 0) this.ws2.destroyWindow(this.#window);
    this.#window = 0;
  }

  #post(lower: number, lParam: number): void {
    const socket = this.#byLower.get(lower);
    if (socket === undefined) {
      if (this.#early.length < EARLY_MESSAGES) this.#early.push({ lower, lParam });
      return;
    }
    const { messages } = socket;
    if (messages !== null) this.upcalls.WPUPostMessage(messages.hWnd, messages.wMsg, socket.handle, lParam);
  }

  #deliverEarly(socket: OwnSocket): void {
    if (this.#early.length === 0) return;
    const own = this.#early.filter(({ lower }) => lower === socket.lower);
    const others = this.#early.filter(({ lower }) => lower !== socket.lower);
    this.#early.splice(0, this.#early.length, ...others);
    for (const { lParam } of own) this.#post(socket.lower, lParam);
  }
}

const shared = new WeakMap<WSPUPCALLTABLE, Map<unknown, OwnHandles>>();

/** The sockets of a layer in a process. @param definition which layer */
export function ownHandlesOf(definition: unknown, { upcalls, ws2 }: Layer): OwnHandles {
  const ofProcess = shared.get(upcalls) ?? new Map<unknown, OwnHandles>();
  shared.set(upcalls, ofProcess);
  const known = ofProcess.get(definition) ?? new OwnHandles(upcalls, ws2);
  ofProcess.set(definition, known);
  return known;
}

/** The type that WSPSocket makes (SPI-GEN-06). */
export function typeOf(type: number, member: number): number {
  return argumentOr(type, member);
}

function silent(): void {}
