/**
 * `AfdPort` answered by a provider chain: the other half of the base provider, which turns the calls of a chain into operations of a
 * port. So an application without a Winsock of its own reaches sockets through the layers that the catalog puts above them.
 *
 * | request | who answers |
 * |---|---|
 * | socket, open | the chain that the catalog selects; the daemon when that has no layer, or nothing fits |
 * | on a socket with layers | the top of its chain |
 * | on a socket without | the daemon, with nothing in between but a new request id |
 * | interfaces, echo | the daemon |
 */

import {
  BASE_PROTOCOL,
  SOCK_STREAM,
  WSA_FLAG_MULTIPOINT_C_LEAF,
  WSA_FLAG_MULTIPOINT_D_LEAF,
  WSA_FLAG_OVERLAPPED,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
  XP1_SUPPORT_MULTIPOINT,
} from '../../abi/index.ts';
import {
  AFD_NO_WAIT,
  type AfdCompletion,
  AfdOp,
  type AfdPort,
  type AfdRequest,
  type BehaviorProfile,
  type WatchPort,
} from '../../port/index.ts';
import { type Answer, isBaseProvider, type SocketQuery } from '../../spi/index.ts';
import { MAKEWORD, type WinsockOptions, WinsockProcess, winsockOf } from '../../winsock/index.ts';
import { letWatch, type WatchTimers } from '../watch/let-watch.ts';
import { ChainHost, type Operation } from './chain-host.ts';
import * as connection from './connection-operations.ts';
import { Accepting } from './connection-operations.ts';
import { finished, recv, send } from './data-operations.ts';
import { watchDirect } from './direct-calls.ts';
import { SocketEvents } from './event-operations.ts';
import { ask, duplicate, kindOf, renewToken, withToken } from './handover.ts';
import { getOption, ioctl, setOption } from './option-operations.ts';
import { poll } from './poll-operation.ts';
import { SharedCall, SharedPort } from './shared-port.ts';
import { Ticket } from './ticket.ts';

export interface ChainPortOptions extends Omit<WinsockOptions, 'postMessage'> {
  /** The application's process, as the daemon knows the session of `port`. */
  readonly pid: number;
  /** Whether sockets of an entry are the daemon's alone; by default those of entries without layers. */
  readonly isDirect?: (entry: WSAPROTOCOL_INFO) => boolean;
}

/** Operations that make a descriptor. */
const MAKERS = new Set<AfdOp>([AfdOp.socket, AfdOp.accept, AfdOp.open]);

export class ChainPort implements AfdPort {
  readonly profile: BehaviorProfile;
  readonly announcesPending = true;
  onComplete: (completion: AfdCompletion) => void = () => {};
  onPend: (id: number) => void = () => {};
  readonly #host: ChainHost;
  readonly #shared: SharedPort;
  readonly #isDirect: (entry: WSAPROTOCOL_INFO) => boolean;
  /** Descriptors of sockets without layers. */
  readonly #direct = new Set<number>();
  readonly #tickets = new Map<number, Ticket>();
  readonly #passed = new Map<number, SharedCall>();
  readonly #accepting: Accepting;
  readonly #events: SocketEvents;
  readonly #operations: ReadonlyMap<AfdOp, Operation>;
  #isClosed = false;

  constructor(options: ChainPortOptions) {
    const shared = new SharedPort(options.port);
    const process = new WinsockProcess({
      ...options,
      port: shared.base,
      postMessage: (hWnd, _message, wParam, lParam) => this.#events.message(hWnd, wParam, lParam),
    });
    const winsock = winsockOf(process);
    void winsock.WSAStartup(MAKEWORD(2, 2), { ...NO_DATA });
    this.profile = process.profile;
    this.#shared = shared;
    this.#isDirect = options.isDirect ?? hasNoLayer;
    this.#host = new ChainHost(process, winsock, shared, options.pid);
    this.#events = new SocketEvents(this.#host);
    this.#accepting = new Accepting(this.#host, this.#events);
    this.#operations = new Map<AfdOp, Operation>([
      [AfdOp.close, connection.close],
      [AfdOp.bind, connection.bind],
      [AfdOp.listen, connection.listen],
      [AfdOp.accept, this.#accepting.accept],
      [AfdOp.acceptRequest, this.#accepting.acceptRequest],
      [AfdOp.refuse, this.#accepting.refuse],
      [AfdOp.connect, connection.connect],
      [AfdOp.send, send],
      [AfdOp.recv, recv],
      [AfdOp.shutdown, connection.shutdown],
      [AfdOp.getSockName, connection.getSockName],
      [AfdOp.getPeerName, connection.getPeerName],
      [AfdOp.getOption, getOption],
      [AfdOp.setOption, setOption],
      [AfdOp.ioctl, ioctl],
      [AfdOp.eventSelect, this.#events.select],
      [AfdOp.waitEvents, this.#events.wait],
      [AfdOp.enumEvents, this.#events.enumerate],
      [AfdOp.duplicate, duplicate],
      [AfdOp.joinLeaf, connection.joinLeaf],
      [AfdOp.superAccept, connection.superAccept],
      [AfdOp.disconnect, connection.disconnect],
    ]);
  }

  /** Calls of the chains, and operations on sockets without layers, are told to who watches there. */
  letWatch(watch: WatchPort, timers?: WatchTimers): void {
    letWatch(this.#host.process, watch, timers);
  }

  submit(request: AfdRequest): AfdCompletion | null {
    const { id, op, descriptor } = request;
    if (this.#isClosed) return failure(id, WSAENETDOWN);
    if (this.#tickets.has(id) || this.#passed.has(id)) return failure(id, WSAEINVAL);
    if (op === AfdOp.interfaces || op === AfdOp.echo) return this.#pass(request);
    if (op === AfdOp.socket) return this.#socket(request);
    if (op === AfdOp.open) return this.#run(request, (ticket) => this.#open(ticket));
    if (op === AfdOp.poll) return this.#poll(request);
    const socket = this.#host.sockets.get(descriptor);
    if (socket === undefined) {
      return this.#direct.has(descriptor) ? this.#passOn(request) : failure(id, WSAENOTSOCK);
    }
    const operation = this.#operations.get(op);
    if (operation === undefined) return failure(id, WSAEOPNOTSUPP);
    return this.#run(request, (ticket) => {
      ticket.cancel = () => this.#host.interrupt(ticket.thread, socket);
      socket.events.reenable(op);
      const begin = (): Answer => operation(this.#host, ticket, socket);
      const answer = (ticket.flags & AFD_NO_WAIT) !== 0 ? this.#host.inMode(socket, true, begin) : begin();
      const finish = (known: number): number => {
        if (op === AfdOp.close && !this.#host.sockets.has(descriptor)) this.#events.forget(socket);
        return known;
      };
      return finished(answer, finish);
    });
  }

  cancel(id: number): void {
    const passed = this.#passed.get(id);
    if (passed !== undefined) this.#shared.cancel(passed);
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) return;
    ticket.isCancelled = true;
    ticket.cancel();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ids = [...this.#tickets.keys(), ...this.#passed.keys()];
    this.#tickets.clear();
    this.#passed.clear();
    for (const id of ids) this.onComplete(failure(id, WSA_OPERATION_ABORTED));
    this.#accepting.close();
    void this.#host.winsock.WSACleanup();
    this.#shared.close();
  }

  /** Runs an operation that is this process's own. */
  #run(request: AfdRequest, operation: (ticket: Ticket) => Answer): AfdCompletion | null {
    const host = this.#host;
    const ticket = new Ticket(request, host.takeThread());
    const { id } = ticket;
    // Nobody is told before `submit` has returned.
    ticket.pends = () => queueMicrotask(() => this.#tickets.get(id) === ticket && this.onPend(id));
    host.process.thread = ticket.thread;
    const answer = operation(ticket);
    if (!(answer instanceof Promise)) {
      host.giveThread(ticket.thread);
      return ticket.completion(answer);
    }
    this.#tickets.set(id, ticket);
    void answer.then((known) => {
      host.giveThread(ticket.thread);
      if (this.#tickets.get(id) !== ticket) return;
      this.#tickets.delete(id);
      this.onComplete(ticket.completion(known));
    });
    return null;
  }

  #socket(request: AfdRequest): AfdCompletion | null {
    const { a: af, b: type, flags: protocol } = request;
    const entry = this.#layered({ af, type, protocol });
    if (entry === null) return this.#pass(request);
    return this.#run(request, () =>
      finished(this.#make(af, type, protocol, entry), (handle) => this.#admit(handle, type)),
    );
  }

  /** A duplicate becomes one of the daemon's first, which says of what kind it is. */
  async #open(ticket: Ticket): Promise<number> {
    const shared = this.#shared;
    const { data } = ticket;
    if (data === null) return -WSAEFAULT;
    const opened = await ask(shared, AfdOp.open, 0, { data });
    if (opened.error !== 0) return -opened.error;
    const descriptor = opened.value;
    const kind = await kindOf(shared, descriptor);
    const entry = typeof kind === 'number' ? null : this.#layered(kind);
    if (typeof kind === 'number' || entry === null) {
      ticket.outFlags = opened.flags;
      this.#direct.add(descriptor);
      return descriptor;
    }
    const token = await renewToken(shared, descriptor, this.#host.pid);
    let answer = typeof token === 'number' ? token : 0;
    if (typeof token !== 'number') {
      this.#host.process.thread = ticket.thread;
      const { af, type, protocol } = kind;
      answer = this.#admit(await this.#make(af, type, protocol, withToken(entry, token)), type);
      ticket.outFlags = opened.flags;
    }
    await ask(shared, AfdOp.close, descriptor, {});
    return answer;
  }

  #poll(request: AfdRequest): AfdCompletion | null {
    const { data } = request;
    if (this.#host.sockets.size === 0 && (data === null || this.#areAllDirect(data)))
      return this.#pass(request);
    return this.#run(request, (ticket) =>
      poll(this.#host, ticket, (descriptor) => this.#direct.has(descriptor)),
    );
  }

  #areAllDirect(data: Uint8Array): boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at + 4 <= data.length; at += 8)
      if (!this.#direct.has(view.getInt32(at, true))) return false;
    return true;
  }

  /** The entry that a socket is made from; `null` when no layer stands above it. */
  #layered(query: SocketQuery): WSAPROTOCOL_INFO | null {
    const selection = this.#host.process.catalog.select(query, null);
    if (typeof selection === 'number' || this.#isDirect(selection.entry)) return null;
    return selection.entry;
  }

  /** As the application will use it nobody knows yet: it can do all that its protocol can. */
  #make(af: number, type: number, protocol: number, info: WSAPROTOCOL_INFO): Answer {
    const canMulticast = (info.dwServiceFlags1 & XP1_SUPPORT_MULTIPOINT) !== 0 && this.profile === 'windows';
    const multipoint = canMulticast ? WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF : 0;
    return this.#host.winsock.WSASocket(af, type, protocol, info, 0, WSA_FLAG_OVERLAPPED | multipoint);
  }

  #admit(handle: number, type: number): number {
    if (handle < 0) return handle;
    return this.#host.admit(handle, type === SOCK_STREAM)?.descriptor ?? -WSAENOTSOCK;
  }

  /** Passes on what is about a socket without layers. */
  #passOn(request: AfdRequest): AfdCompletion | null {
    const { id, op, descriptor, a } = request;
    if (op === AfdOp.superAccept && !this.#direct.has(a)) return failure(id, WSAENOTSOCK);
    // The daemon may give the number out again before this close is answered.
    if (op === AfdOp.close) this.#direct.delete(descriptor);
    return this.#pass(request);
  }

  #pass(request: AfdRequest): AfdCompletion | null {
    const { id, op, descriptor } = request;
    const { watcher } = this.#host.process.tap;
    const told = watcher === null ? null : watchDirect(watcher, request);
    const begun = this.#shared.begin(
      request,
      (completion) => {
        if (!this.#passed.delete(id)) return;
        told?.(completion);
        this.#note(op, descriptor, completion);
        this.onComplete({ ...completion, id });
      },
      () => this.onPend(id),
    );
    if (begun instanceof SharedCall) {
      this.#passed.set(id, begun);
      if (!this.#shared.announcesPending)
        queueMicrotask(() => this.#passed.get(id) === begun && this.onPend(id));
      return null;
    }
    told?.(begun);
    this.#note(op, descriptor, begun);
    return { ...begun, id };
  }

  #note(op: AfdOp, descriptor: number, { error, value }: AfdCompletion): void {
    if (error === 0 && MAKERS.has(op)) this.#direct.add(value);
    if (op === AfdOp.close && error === WSAEWOULDBLOCK) this.#direct.add(descriptor);
  }
}

/** Whether nothing stands between an entry's sockets and the daemon. */
function hasNoLayer(entry: WSAPROTOCOL_INFO): boolean {
  return entry.ChainLen === BASE_PROTOCOL && isBaseProvider(entry.ProviderId);
}

function failure(id: number, error: number): AfdCompletion {
  return { id, error, value: 0, flags: 0, address: null, data: null };
}

const NO_DATA = {
  wVersion: 0,
  wHighVersion: 0,
  iMaxSockets: 0,
  iMaxUdpDg: 0,
  szDescription: '',
  szSystemStatus: '',
};
