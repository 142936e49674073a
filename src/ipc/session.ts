/**
 * A client's connection in the server: handshake, requests in, completions out, and the end of both.
 *
 * Whatever the client sends, the damage ends here: a broken rule is answered with GOODBYE and the connection is closed,
 * which closes the client's `AfdPort` session and with it all its descriptors.
 */

import type { Socket } from 'node:net';
import { NO_ERROR, WSA_OPERATION_ABORTED, WSAEMFILE, WSAENOBUFS, WSAEOPNOTSUPP } from '../abi/index.ts';
import type { BufferAllocator } from '../base/index.ts';
import {
  AFD_OVERLAPPED,
  type AfdCompletion,
  AfdOp,
  type AfdPort,
  BEHAVIOR_PROFILES,
  type BehaviorProfile,
  type CatalogPort,
  type NamePort,
  type PeerIdentity,
  type WatchedClient,
  type WatchSession,
} from '../port/index.ts';
import { CatalogRequests } from './catalog-requests.ts';
import { FrameDecoder, type FrameHeader, type FrameSink } from './frame.ts';
import { Intake } from './intake.ts';
import type { IpcLog } from './log.ts';
import {
  expectFlow,
  type Hello,
  type RequestHead,
  readCredit,
  readHello,
  readRequest,
  writeCompletion,
  writeCredit,
  writeGoodbye,
  writeWatch,
  writeWelcome,
} from './messages.ts';
import { NameRequests } from './name-requests.ts';
import { Outbox } from './outbox.ts';
import {
  EVENT_RECORD_LEN,
  isCatalogOp,
  isKnownOp,
  isNameOp,
  isWatchOp,
  makesDescriptor,
  PendingRequest,
} from './pending-request.ts';
import {
  Capability,
  COMPLETION_HAS_DATA,
  COMPLETION_HAS_INTO,
  expect,
  GoodbyeReason,
  GREETING_LEN_MAX,
  HEAD_LEN_MAX,
  IPC_MAGIC,
  IPC_VERSION_MAX,
  IPC_VERSION_MIN,
  type IpcLimits,
  MessageType,
  MIN_MAX_MESSAGE,
  ProtocolError,
  REQUEST_HAS_DATA,
  REQUEST_HAS_INTO,
  UNLIMITED,
} from './protocol.ts';
import { Quota } from './quota.ts';

/** What a session is given by its server. */
export interface SessionHost {
  readonly limits: IpcLimits;
  readonly profile: BehaviorProfile;
  readonly allocator: BufferAllocator;
  readonly log: IpcLog;
  readonly handshakeTimeoutMs: number;
  openSession(identity: PeerIdentity): AfdPort;
  openNames(identity: PeerIdentity): NamePort;
  /** Why a client may not speak for the process `pid`; `null`: it may. */
  refuseFor(identity: PeerIdentity, pid: number): string | null;
  /** @param name what the client calls itself */
  openCatalog(identity: PeerIdentity, name: string): CatalogPort;
  /** Takes what a client tells of its process's calls; `null`: nobody can ask for that. */
  openWatch(client: WatchedClient): WatchSession | null;
  /** The connection is gone and its descriptors are closed. */
  sessionEnded(session: IpcSession): void;
}

/** What an observer may know of a session. */
export interface SessionView {
  readonly id: number;
  readonly identity: PeerIdentity;
  /** What the client calls itself; its own claim. */
  readonly name: string;
  readonly sockets: number;
  readonly pending: number;
  readonly queuedBytes: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Unread answers past this keep the client from being granted more requests. */
const BACKLOG_MAX = 1024 * 1024;
/** How long a client that was cut off may take to read its GOODBYE, ms. */
const LINGER_MS = 1000;
/** Longest text of a GOODBYE, bytes. */
const TEXT_MAX = 512;

const scratch = new Uint8Array(HEAD_LEN_MAX);

export class IpcSession implements FrameSink {
  readonly id: number;
  #identity: PeerIdentity;
  readonly #host: SessionHost;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #quota: Quota;
  readonly #requests = new Map<number, PendingRequest>();
  readonly #requestHead: RequestHead = {
    op: 0,
    descriptor: 0,
    flags: 0,
    a: 0,
    b: 0,
    address: null,
    dataLength: 0,
    intoLength: 0,
  };
  #handshakeTimer: NodeJS.Timeout | null;
  #hello: Hello | null = null;
  #port: AfdPort | null = null;
  /** Its session with the resolver, from the first question on. */
  #names: NameRequests | null = null;
  /** Its session with the catalog, from the first request on. */
  #catalog: CatalogRequests | null = null;
  /** Who takes its reports. */
  #watch: WatchSession | null = null;
  #nameBytes: number[] = [];
  #name = '';
  #isWelcomed = false;
  #wanted = 0;
  #requestCount = 0;
  /** The request whose data is still coming. */
  #incomplete: PendingRequest | null = null;
  #isEnding = false;

  constructor(id: number, identity: PeerIdentity, socket: Socket, host: SessionHost) {
    this.id = id;
    this.#identity = identity;
    this.#host = host;
    this.#socket = socket;
    this.#decoder = new FrameDecoder(this, GREETING_LEN_MAX);
    this.#outbox = new Outbox(socket, MIN_MAX_MESSAGE, 0, () => this.#grantMore());
    this.#intake = new Intake(host.limits.window);
    this.#quota = new Quota(host.limits);
    this.#handshakeTimer = setTimeout(
      () => this.end(GoodbyeReason.handshakeTimeout, `no HELLO within ${host.handshakeTimeoutMs} ms`),
      host.handshakeTimeoutMs,
    );
    this.#handshakeTimer.unref();
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // What went wrong is told by 'close', which follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** The process that the session stands for. */
  get identity(): PeerIdentity {
    return this.#identity;
  }

  get view(): SessionView {
    const { pending, waits, sockets, bytes } = this.#quota;
    return {
      id: this.id,
      identity: this.identity,
      name: this.#name,
      sockets,
      pending: pending + waits,
      queuedBytes: bytes,
      requests: this.#requestCount,
      bytesIn: this.#socket.bytesRead,
      bytesOut: this.#socket.bytesWritten,
    };
  }

  /** Says GOODBYE, ends the session's descriptors and closes the connection. Idempotent. */
  end(reason: GoodbyeReason, text: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#decoder.stop();
    const bytes = Buffer.from(text).subarray(0, TEXT_MAX);
    this.#outbox.control(MessageType.goodbye, 0, scratch, writeGoodbye(scratch, reason), bytes);
    this.#outbox.close();
    this.#outbox.flush();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#closePort();
  }

  frameStarted(header: FrameHeader): void {
    const { type, length } = header;
    if (this.#hello === null) {
      if (type !== MessageType.hello) {
        throw new ProtocolError(GoodbyeReason.badMagic, 'the first message is not HELLO: no winsockd client');
      }
      return;
    }
    if (type === MessageType.request || type === MessageType.data) this.#intake.take(length);
    else if (type !== MessageType.cancel && type !== MessageType.credit && type !== MessageType.goodbye) {
      throw new ProtocolError(GoodbyeReason.unexpectedMessage, `message type ${type} from a client`);
    }
  }

  frameHead(header: FrameHeader, bytes: Uint8Array, at: number, bulk: number): void {
    const { type, id, head } = header;
    switch (type) {
      case MessageType.request:
        this.#request(header, bytes, at, bulk);
        break;
      case MessageType.data:
        this.#continued(id, head, bulk);
        break;
      case MessageType.cancel:
        expect(head === 0 && bulk === 0, 'CANCEL carries bytes');
        this.#cancel(id);
        break;
      case MessageType.credit:
        expect(bulk === 0, 'CREDIT carries bulk');
        this.#credit(readCredit(bytes, at, head));
        break;
      case MessageType.goodbye:
        this.end(GoodbyeReason.normal, '');
        break;
      default:
        this.#readHello(bytes, at, head);
        if (bulk === 0) this.#welcome();
    }
  }

  frameBulk(header: FrameHeader, bytes: Uint8Array, at: number, length: number, left: number): void {
    if (header.type === MessageType.hello) {
      this.#nameBytes.push(...bytes.subarray(at, at + length));
      if (left === 0) this.#welcome();
      return;
    }
    const request = this.#incomplete;
    if (request === null) return;
    if (request.refusal === 0 && !request.append(bytes, at, length)) request.refusal = WSAENOBUFS;
    request.received += length;
    if (request.received < request.dataLength) return;
    this.#incomplete = null;
    this.#start(request);
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return;
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.#host.log('warn', 'client cut off', {
          ...this.identity,
          reason: error.reason,
          text: error.message,
        });
        this.end(error.reason, error.message);
      } else {
        // A bug on our side of the port. It costs this client its session; the others must not notice.
        this.#host.log('error', 'request failed', { ...this.identity, error });
        this.end(GoodbyeReason.internalError, 'internal error; the daemon has logged it');
      }
      return;
    }
    this.#grantMore();
  }

  #readHello(bytes: Uint8Array, at: number, length: number): void {
    const hello = readHello(bytes, at, length);
    if (hello.magic !== IPC_MAGIC) {
      throw new ProtocolError(GoodbyeReason.badMagic, 'HELLO has another magic number: no winsockd client');
    }
    if (hello.versionMax < IPC_VERSION_MIN || hello.versionMin > IPC_VERSION_MAX) {
      throw new ProtocolError(
        GoodbyeReason.unsupportedVersion,
        `client speaks versions ${hello.versionMin} to ${hello.versionMax}, ` +
          `this server ${IPC_VERSION_MIN} to ${IPC_VERSION_MAX}`,
      );
    }
    expectFlow(hello.maxMessage, hello.window);
    const { onBehalfOf: pid = 0 } = hello;
    if (pid !== 0) this.#standFor(pid);
    this.#hello = hello;
  }

  /** A provider host speaks for the application that has started it. */
  #standFor(pid: number): void {
    const reason = this.#host.refuseFor(this.#identity, pid);
    if (reason !== null) throw new ProtocolError(GoodbyeReason.notAllowed, reason);
    this.#identity = { ...this.#identity, pid };
  }

  #welcome(): void {
    const hello = this.#hello;
    if (hello === null) return;
    if (this.#handshakeTimer !== null) clearTimeout(this.#handshakeTimer);
    this.#handshakeTimer = null;
    this.#name = Buffer.from(this.#nameBytes).toString('utf8');
    this.#nameBytes = [];
    const { limits } = this.#host;
    this.#decoder.maxMessage = limits.maxMessage;
    this.#outbox.maxMessage = hello.maxMessage;
    this.#outbox.credit = hello.window === UNLIMITED ? Number.POSITIVE_INFINITY : hello.window;
    const port = this.#host.openSession(this.identity);
    this.#port = port;
    port.onComplete = (completion) => this.#complete(completion);
    port.onPend = (id) => this.#pends(id);
    const version = Math.min(hello.versionMax, IPC_VERSION_MAX);
    const { identity } = this;
    if ((hello.capabilities & Capability.watched) !== 0) {
      const want = (what: number): void => this.#wants(what);
      this.#watch = this.#host.openWatch({ identity, name: this.#name, want });
    }
    const used = Capability.onBehalf | (this.#watch === null ? 0 : Capability.watched);
    const welcome = {
      magic: IPC_MAGIC,
      version,
      capabilities: hello.capabilities & used,
      serverPid: process.pid,
      profile: BEHAVIOR_PROFILES.indexOf(this.#host.profile),
      limits,
    };
    this.#outbox.control(MessageType.welcome, 0, scratch, writeWelcome(scratch, welcome));
    this.#isWelcomed = true;
    if (this.#wanted !== 0) this.#wants(this.#wanted);
  }

  /** Tells the client what is wanted of its process's calls. */
  #wants(what: number): void {
    this.#wanted = what;
    if (!this.#isWelcomed || this.#isEnding) return;
    this.#outbox.control(MessageType.watch, 0, scratch, writeWatch(scratch, what));
  }

  #request(header: FrameHeader, bytes: Uint8Array, at: number, bulk: number): void {
    const { id, flags } = header;
    const head = this.#requestHead;
    readRequest(bytes, at, header.head, head);
    expect(this.#incomplete === null, `request ${id} begins before the data of another is complete`);
    expect(id > 0, `request id ${id}`);
    expect(!this.#requests.has(id), `request id ${id} is in use`);
    expect((flags & ~(REQUEST_HAS_DATA | REQUEST_HAS_INTO)) === 0, `request flags ${flags}`);
    expect((flags & REQUEST_HAS_DATA) !== 0 || head.dataLength === 0, 'data without its flag');
    expect((flags & REQUEST_HAS_INTO) !== 0 || head.intoLength === 0, 'into without its flag');
    expect(bulk <= head.dataLength, `${bulk} bytes for data of ${head.dataLength}`);
    this.#requestCount++;
    const request = new PendingRequest(id, head, this.#host.allocator, this.#quota);
    this.#requests.set(id, request);
    request.refusal = this.#admit(request, head, (flags & REQUEST_HAS_INTO) !== 0);
    if (head.dataLength > 0) {
      this.#incomplete = request;
      return;
    }
    if ((flags & REQUEST_HAS_DATA) !== 0) request.data = new Uint8Array(0);
    this.#start(request);
  }

  /** Charges a request to the client's quota. @returns 0, or the code to refuse it with. */
  #admit(request: PendingRequest, head: RequestHead, hasInto: boolean): number {
    const { maxTransfer } = this.#host.limits;
    if (!isKnownOp(head.op)) return WSAEOPNOTSUPP;
    const isWait = head.op === AfdOp.waitEvents;
    const isTaken = isWait ? this.#quota.takeWait() : this.#quota.takePending(head.op === AfdOp.close);
    if (!isTaken) return WSAENOBUFS;
    request.isCounted = true;
    if (head.dataLength > maxTransfer || head.intoLength > maxTransfer) return WSAENOBUFS;
    if (makesDescriptor(head.op)) {
      if (!this.#quota.takeSocket()) return WSAEMFILE;
      request.holdsSocket = true;
    }
    const isFree = isWait && head.dataLength === 0 && head.intoLength <= EVENT_RECORD_LEN;
    if (!isFree && !request.charge(head.dataLength + head.intoLength)) return WSAENOBUFS;
    if (hasInto && !request.openInto(head.intoLength)) return WSAENOBUFS;
    return NO_ERROR;
  }

  #continued(id: number, head: number, bulk: number): void {
    const request = this.#incomplete;
    expect(head === 0 && bulk > 0, 'DATA without bytes, or with a head');
    expect(request !== null && request.id === id, `DATA for request ${id}, which waits for none`);
    expect(bulk <= request.dataLength - request.received, `more DATA for request ${id} than it announced`);
  }

  /** All of a request is in. */
  #start(request: PendingRequest): void {
    const port = this.#port;
    if (port === null) return;
    if (request.refusal !== 0) {
      this.#answer(request, failure(request.id, request.refusal));
      return;
    }
    if (isNameOp(request.op)) {
      this.#names ??= this.#openNames();
      this.#names.start(request);
      return;
    }
    if (isCatalogOp(request.op)) {
      this.#catalog ??= this.#openCatalog();
      this.#catalog.start(request);
      return;
    }
    if (isWatchOp(request.op)) {
      void this.#report(request);
      return;
    }
    const completion = port.submit(request);
    if (completion !== null) this.#answer(request, completion);
    else if (port.announcesPending !== true) this.#pends(request.id);
  }

  /** A client that reports when it should not is told so, and no more. */
  async #report(request: PendingRequest): Promise<void> {
    const { id, data } = request;
    const taken = this.#watch === null || data === null ? WSAEOPNOTSUPP : this.#watch.report(data);
    request.dropData();
    const completion = failure(id, await taken);
    if (this.#requests.has(id)) this.#complete(completion);
  }

  #pends(id: number): void {
    const request = this.#requests.get(id);
    if (request !== undefined && isOverlapped(request)) {
      this.#outbox.control(MessageType.pending, id, scratch, 0);
    }
  }

  #cancel(id: number): void {
    const request = this.#requests.get(id);
    // Unknown: it was completed while the CANCEL was on its way.
    if (request === undefined) return;
    // Its data comes all the same: it is answered when the last of it is in.
    if (request === this.#incomplete) request.refusal = WSA_OPERATION_ABORTED;
    else if (this.#names?.cancel(id) !== true && this.#catalog?.cancel(id) !== true) this.#port?.cancel(id);
  }

  #openNames(): NameRequests {
    const { limits } = this.#host;
    const port = this.#host.openNames(this.identity);
    return new NameRequests(port, limits.maxTransfer, (completion) => this.#complete(completion));
  }

  #openCatalog(): CatalogRequests {
    const { limits } = this.#host;
    const port = this.#host.openCatalog(this.identity, this.#name);
    return new CatalogRequests(port, limits.maxTransfer, (completion) => this.#complete(completion));
  }

  #credit(granted: number): void {
    expect(granted <= 0x7fff_ffff, `credit of ${granted} bytes`);
    this.#outbox.grant(granted);
  }

  #complete(completion: AfdCompletion): void {
    const request = this.#requests.get(completion.id);
    if (request !== undefined) this.#answer(request, completion);
  }

  #answer(request: PendingRequest, completion: AfdCompletion): void {
    this.#requests.delete(request.id);
    this.#settle(request, completion.error);
    let flags = 0;
    let bulk: Uint8Array | null = null;
    if (completion.data !== null) {
      flags = COMPLETION_HAS_DATA;
      bulk = completion.data.slice();
    } else if (request.into !== null) {
      flags = COMPLETION_HAS_INTO;
      bulk = request.into.subarray(0, request.filled(completion));
    }
    const headLength = writeCompletion(scratch, completion, bulk === null ? 0 : bulk.length);
    this.#outbox.post(MessageType.completion, flags, request.id, scratch, headLength, bulk, request);
  }

  /** Gives back what only a pending request holds. */
  #settle(request: PendingRequest, error: number): void {
    const quota = this.#quota;
    if (request.isCounted) {
      if (request.op === AfdOp.waitEvents) quota.waits--;
      else quota.pending--;
    }
    if (request.holdsSocket && error !== NO_ERROR) quota.sockets--;
    if (request.op === AfdOp.close && error === NO_ERROR) quota.sockets--;
    request.dropData();
  }

  /** Grants what was consumed, unless the client leaves its answers unread. */
  #grantMore(): void {
    if (this.#isEnding || this.#port === null || this.#outbox.backlog > BACKLOG_MAX) return;
    const granted = this.#intake.due();
    if (granted > 0) this.#outbox.control(MessageType.credit, 0, scratch, writeCredit(scratch, granted));
  }

  #closed(): void {
    this.#isEnding = true;
    this.#decoder.stop();
    if (this.#handshakeTimer !== null) clearTimeout(this.#handshakeTimer);
    this.#outbox.close();
    this.#closePort();
    this.#host.sessionEnded(this);
  }

  #closePort(): void {
    const port = this.#port;
    this.#port = null;
    // Completes what pends, which gives its memory back; a request whose data is still to come is known only here.
    port?.close();
    this.#names?.close();
    this.#names = null;
    this.#catalog?.close();
    this.#catalog = null;
    this.#watch?.close();
    this.#watch = null;
    if (this.#incomplete !== null) {
      this.#answer(this.#incomplete, failure(this.#incomplete.id, WSA_OPERATION_ABORTED));
      this.#incomplete = null;
    }
  }
}

/** Whether the client's caller waits to hear that a request pends. */
function isOverlapped({ flags }: PendingRequest): boolean {
  return (flags & AFD_OVERLAPPED) !== 0;
}

function failure(id: number, error: number): AfdCompletion {
  return { id, error, value: 0, flags: 0, address: null, data: null };
}
