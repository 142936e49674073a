/**
 * The AFD poll for an application with layered sockets. Each layer is asked with WSPSelect about its own, the daemon about those
 * without layers, and the base provider tells what a select cannot: who has closed, and who has reset.
 *
 * First all are waited for together, until one has something; then everything is looked at once more without waiting, and that is
 * the answer.
 */

import { POLLIN, WSA_OPERATION_ABORTED, WSAEFAULT, WSAEINVAL, WSAENOTSOCK } from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';
import { AfdOp, AfdPollEvent, type AfdRequest } from '../../port/index.ts';
import type { Answer, StartedProvider } from '../../spi/index.ts';
import type { ChainHost } from './chain-host.ts';
import type { ChainSocket } from './chain-socket.ts';
import {
  type Asked,
  ENDED,
  errorOf,
  eventsOf,
  FAILED,
  Group,
  NO_TIME,
  pollfds,
  READ,
  timeval,
  whole,
} from './poll-entries.ts';
import { SharedCall } from './shared-port.ts';
import type { Ticket } from './ticket.ts';

/** Bytes of an entry asked, {descriptor, events}, and of one answered, {descriptor, events, error}. */
const ASKED_LEN = 8;
const ANSWERED_LEN = 12;

/** @param isDirect whether a descriptor is of a socket without layers */
export function poll(host: ChainHost, ticket: Ticket, isDirect: (descriptor: number) => boolean): Answer {
  const { data, into, a } = ticket;
  if (data === null || data.length === 0 || data.length % ASKED_LEN !== 0) return -WSAEINVAL;
  if (into === null || into.length < (data.length / ASKED_LEN) * ANSWERED_LEN) return -WSAEFAULT;
  const entries: Asked[] = [];
  for (let at = 0; at < data.length; at += ASKED_LEN) {
    const descriptor = i32le(data, at);
    const socket = host.sockets.get(descriptor) ?? null;
    entries.push({
      descriptor,
      mask: i32le(data, at + 4),
      socket,
      isDirect: socket === null && isDirect(descriptor),
      happened: 0,
      error: 0,
      isClosed: false,
    });
  }
  return new Poll(host, ticket, entries).run(into, a);
}

class Poll {
  readonly #host: ChainHost;
  readonly #ticket: Ticket;
  readonly #entries: readonly Asked[];
  readonly #groups = new Map<StartedProvider, Group>();
  /** Ends the wait. */
  #wake: () => void = () => {};

  constructor(host: ChainHost, ticket: Ticket, entries: readonly Asked[]) {
    this.#host = host;
    this.#ticket = ticket;
    this.#entries = entries;
    for (const entry of entries) {
      const { socket } = entry;
      if (socket === null) continue;
      const group = this.#groups.get(socket.provider) ?? new Group(socket.provider);
      this.#groups.set(socket.provider, group);
      group.entries.push(entry);
    }
  }

  async run(into: Uint8Array, timeout: number): Promise<number> {
    const { scheduler } = this.#host.process;
    const deadline = timeout < 0 ? Number.POSITIVE_INFINITY : scheduler.now() + timeout;
    const ends: (() => void)[] = [];
    this.#ticket.cancel = () => this.#wake();
    for (const { socket } of this.#entries) await socket?.findBase();
    for (const entry of this.#entries) {
      const { socket } = entry;
      if (socket === null) continue;
      const closed = (): void => {
        entry.isClosed = true;
        this.#wake();
      };
      socket.closing.add(closed);
      ends.push(() => socket.closing.delete(closed));
    }
    try {
      for (;;) {
        if (this.#ticket.isCancelled) return -WSA_OPERATION_ABORTED;
        const error = await this.#look();
        if (error < 0) return error;
        const found = this.#write(into);
        const left = deadline - scheduler.now();
        if (found > 0 || left <= 0) return found;
        if (this.#ticket.isCancelled) return -WSA_OPERATION_ABORTED;
        await this.#wait(left);
      }
    } finally {
      for (const end of ends) end();
    }
  }

  /** Waits until one of them may have something. @param left ms */
  #wait(left: number): Promise<void> {
    const host = this.#host;
    const ends: (() => void)[] = [];
    return new Promise((resolve) => {
      let isOver = false;
      const over = (): void => {
        if (isOver) return;
        isOver = true;
        for (const end of ends) end();
        resolve();
      };
      this.#wake = over;
      if (this.#entries.some(({ isClosed }) => isClosed)) return over();
      /** Makes a call in a thread of its own, which can be interrupted. */
      const wait = (provider: StartedProvider, call: () => Answer | null): void => {
        const thread = host.takeThread();
        host.process.thread = thread;
        const answer = call();
        if (answer instanceof Promise) {
          ends.push(() => {
            host.process.thread = thread;
            void provider.table.WSPCancelBlockingCall();
          });
          void answer.then(() => {
            host.giveThread(thread);
            over();
          });
          return;
        }
        host.giveThread(thread);
        if (answer !== null) over();
      };
      for (const group of this.#groups.values()) {
        wait(group.provider, () => group.select(timeval(left))?.answer ?? null);
        const fds = pollfds(
          group.entries.filter(({ mask }) => (mask & ENDED) !== 0 && (mask & READ) === 0),
          0,
        );
        if (fds.length > 0) wait(group.provider, () => host.process.base.poll(fds, whole(left)));
      }
      const call = this.#askDaemon(whole(left), over);
      if (call !== null) ends.push(call);
      else if (this.#entries.some(({ isDirect }) => isDirect)) over();
      if (isOver) for (const end of ends) end();
      else if (Number.isFinite(left)) ends.push(host.process.scheduler.after(left, over));
    });
  }

  /** Looks at all of them. @returns minus a WSA code when a layer cannot say */
  async #look(): Promise<number> {
    for (const entry of this.#entries) entry.happened = 0;
    const looks: Promise<number>[] = [];
    for (const group of this.#groups.values()) looks.push(this.#lookAt(group));
    looks.push(
      new Promise((resolve) => {
        if (this.#askDaemon(0, () => resolve(0)) === null) resolve(0);
      }),
    );
    return Math.min(...(await Promise.all(looks)));
  }

  async #lookAt(group: Group): Promise<number> {
    const host = this.#host;
    host.process.thread = this.#ticket.thread;
    const selected = group.select(NO_TIME);
    const fds = pollfds(group.entries, POLLIN);
    const polled = fds.length === 0 ? 0 : host.process.base.poll(fds, 0);
    await polled;
    const answer = selected === null ? 0 : await selected.answer;
    // One that is being closed is no socket any more; its entry says so.
    const isKnown = answer >= 0;
    if (!isKnown && answer !== -WSAENOTSOCK && answer !== -WSAEINVAL) return answer;
    const [reads, writes, excepts] = (selected?.sets ?? []).map(
      ({ fd_array }) => new Set(isKnown ? fd_array : []),
    );
    for (const entry of group.entries) {
      const socket = entry.socket as ChainSocket;
      const fd = fds.find((each) => each.fd === socket.baseHandle);
      const has = (set: Set<number> | undefined): boolean => set?.has(socket.handle) === true;
      entry.happened = eventsOf(socket, fd?.revents ?? 0, has(reads), has(writes), has(excepts)) & entry.mask;
      if (host.process.socket(socket.handle) === null) entry.isClosed = true;
      if ((entry.happened & FAILED) !== 0) entry.error = await errorOf(socket);
    }
    return 0;
  }

  /**
   * A poll of those without layers.
   * @param done is told when it is done and its findings are in their entries
   * @returns ends it; `null` when it is done already
   */
  #askDaemon(timeout: number, done: () => void): (() => void) | null {
    const asked = this.#entries.filter(({ isDirect }) => isDirect);
    if (asked.length === 0) return null;
    const data = new Uint8Array(asked.length * ASKED_LEN);
    asked.forEach(({ descriptor, mask }, i) => {
      putI32le(data, i * ASKED_LEN, descriptor);
      putI32le(data, i * ASKED_LEN + 4, mask);
    });
    const into = new Uint8Array(asked.length * ANSWERED_LEN);
    const request: AfdRequest = { ...BARE_POLL, a: timeout, data, into };
    const finish = ({ value }: { readonly value: number }): void => {
      let next = 0;
      for (const entry of asked) {
        if (next >= value || i32le(into, next * ANSWERED_LEN) !== entry.descriptor) continue;
        entry.happened = i32le(into, next * ANSWERED_LEN + 4);
        entry.error = i32le(into, next * ANSWERED_LEN + 8);
        next++;
      }
    };
    const begun = this.#host.shared.begin(request, (completion) => {
      finish(completion);
      done();
    });
    if (begun instanceof SharedCall) return () => this.#host.shared.cancel(begun);
    finish(begun);
    return null;
  }

  /** Writes what is true. @returns how many */
  #write(into: Uint8Array): number {
    let end = 0;
    for (const { descriptor, socket, isDirect, isClosed, happened, error } of this.#entries) {
      const isDead = isClosed || (socket === null && !isDirect);
      const events = isDead ? AfdPollEvent.localClose : happened;
      if (events === 0) continue;
      putI32le(into, end, descriptor);
      putI32le(into, end + 4, events);
      putI32le(into, end + 8, isDead ? (isClosed ? 0 : WSAENOTSOCK) : error);
      end += ANSWERED_LEN;
    }
    return end / ANSWERED_LEN;
  }
}

const BARE_POLL = {
  id: 0,
  op: AfdOp.poll,
  descriptor: 0,
  flags: 0,
  a: 0,
  b: 0,
  address: null,
} as const;
