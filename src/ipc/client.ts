/**
 * The client: an `AfdPort` whose sockets live in the daemon at the other end of a Unix socket.
 *
 * Every operation pends, but for those that this side can refuse by itself. When the daemon is gone, all that pends
 * completes with WSAENETDOWN, and what is submitted later does so at once.
 */

import { connect, type Socket } from 'node:net';
import { WSA_OPERATION_ABORTED, WSAEINVAL, WSAENETDOWN } from '../abi/index.ts';
import {
  type AfdCompletion,
  type AfdPort,
  type AfdRequest,
  BEHAVIOR_PROFILES,
  type BehaviorProfile,
  type CatalogPort,
  type NamePort,
  type WatchPort,
} from '../port/index.ts';
import { IpcError } from './errors.ts';
import { FrameDecoder, type FrameHeader, type FrameSink } from './frame.ts';
import { Intake } from './intake.ts';
import {
  type CompletionHead,
  readCompletion,
  readCredit,
  readGoodbye,
  readWatch,
  readWelcome,
  type Welcome,
  writeCredit,
  writeGoodbye,
  writeHello,
  writeRequest,
} from './messages.ts';
import { Outbox } from './outbox.ts';
import {
  ADDRESS_LEN_MAX,
  Capability,
  COMPLETION_HAS_INTO,
  expect,
  GoodbyeReason,
  HEAD_LEN_MAX,
  IPC_MAGIC,
  IPC_VERSION_MAX,
  IPC_VERSION_MIN,
  type IpcLimits,
  MessageType,
  ProtocolError,
  REQUEST_HAS_DATA,
  REQUEST_HAS_INTO,
  UNLIMITED,
} from './protocol.ts';
import { RemoteCatalog } from './remote-catalog.ts';
import { RemoteNames } from './remote-names.ts';
import { RemoteWatch } from './remote-watch.ts';
import { LargeTransfers } from './transfer.ts';

export interface ConnectOptions {
  /** What the daemon's listings call this client; default the program's name. At most 255 bytes are used. */
  readonly name?: string;
  /** Bytes that the daemon may send ahead of what this process has read. At least 256 KiB. */
  readonly window?: number;
  /** How long the daemon may take to answer, ms. */
  readonly timeoutMs?: number;
  /** The process that the session is to stand for: this one is its provider host. */
  readonly onBehalfOf?: number;
  /** Its process tells of its calls when the daemon asks for them: see `RemotePort.watch`. */
  readonly isWatched?: boolean;
}

/** An `AfdPort` in the daemon, and what the daemon said of itself. */
export interface RemotePort extends AfdPort {
  readonly serverPid: number;
  readonly limits: IpcLimits;
  /** Whether the daemon takes the session for that of the process that it was to stand for. */
  readonly isOnBehalf: boolean;
  /** The daemon's resolver, over the same connection. */
  readonly names: NamePort;
  /** The daemon's provider catalog, likewise. */
  readonly catalog: CatalogPort;
  /** Who watches the process's calls there; told nothing unless `isWatched` was said. */
  readonly watch: WatchPort;
  /** False from the moment the daemon is gone, or `close` was called. */
  readonly isOpen: boolean;
  /** Called once when the daemon is gone, after what pended was completed; not after `close`. */
  onLost: (() => void) | null;
}

/** Longest message this side takes. */
const MAX_MESSAGE = 256 * 1024;
const WINDOW = 4 * 1024 * 1024;
const READ_BUFFER_LEN = 256 * 1024;
const NAME_MAX = 255;
const TIMEOUT_MS = 5000;

const scratch = new Uint8Array(HEAD_LEN_MAX);

/**
 * Connects to the daemon at `path`. The connection keeps the process alive only while operations pend.
 * @throws {IpcError} `daemonNotThere`, `notPermitted`, `refused` or `notTheDaemon`.
 */
export function connectRemote(path: string, options: ConnectOptions = {}): Promise<RemotePort> {
  return new Promise((resolve, reject) => {
    const port: ClientPort = new ClientPort(path, options, (error) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

/**
 * Looks whether a server lives at `path`.
 * @returns its process id; 0 when something answers that is no winsockd; `null` when nobody listens.
 */
export async function probeServer(path: string): Promise<number | null> {
  try {
    const port = await connectRemote(path, { name: 'probe', timeoutMs: 1000 });
    port.close();
    return port.serverPid;
  } catch (error) {
    return error instanceof IpcError && error.code === 'daemonNotThere' ? null : 0;
  }
}

class ClientPort implements RemotePort, FrameSink {
  readonly announcesPending = true;
  onPend: (id: number) => void = () => {};
  onComplete: (completion: AfdCompletion) => void = () => {};
  onLost: (() => void) | null = null;
  readonly #path: string;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #requests = new Map<number, AfdRequest>();
  readonly #completionHead: CompletionHead = { error: 0, value: 0, flags: 0, address: null, dataLength: 0 };
  readonly names = new RemoteNames({
    isPending: (id) => this.#requests.has(id),
    submit: (request) => this.submit(request),
    cancel: (id) => this.cancel(id),
  });
  readonly catalog = new RemoteCatalog({
    isPending: (id) => this.#requests.has(id),
    submit: (request) => this.submit(request),
    cancel: (id) => this.cancel(id),
    background: (delta) => this.background(delta),
  });
  readonly watch = new RemoteWatch({
    isPending: (id) => this.#requests.has(id),
    submit: (request) => this.submit(request),
    cancel: (id) => this.cancel(id),
    background: (delta) => this.background(delta),
  });
  #transfers: LargeTransfers | null = null;
  #welcome: Welcome | null = null;
  /** Told once how the handshake ended. */
  #onReady: ((error: IpcError | null) => void) | null;
  #timer: NodeJS.Timeout | null;
  /** The completion whose bytes are coming: where they go, how many have come. */
  #incoming: AfdCompletion | null = null;
  #target: Uint8Array | null = null;
  #targetAt = 0;
  #missing = 0;
  #goodbyeReason = -1;
  #goodbyeText = '';
  #isOver = false;
  #background = 0;
  /** Until the handshake is done the connection holds by itself. */
  #isHeld = true;

  constructor(path: string, options: ConnectOptions, onReady: (error: IpcError | null) => void) {
    const {
      name = process.title,
      window = WINDOW,
      timeoutMs = TIMEOUT_MS,
      onBehalfOf = 0,
      isWatched = false,
    } = options;
    this.#path = path;
    this.#onReady = onReady;
    this.#decoder = new FrameDecoder(this, MAX_MESSAGE);
    this.#intake = new Intake(window);
    // One buffer for all reads: whatever arrives is copied to where it belongs before the next read.
    const buffer = new Uint8Array(READ_BUFFER_LEN);
    const callback = (length: number): boolean => {
      this.#take(buffer, length);
      return true;
    };
    this.#socket = connect({ path, onread: { buffer, callback } });
    this.#outbox = new Outbox(this.#socket, MAX_MESSAGE, 0, () => {});
    this.#timer = setTimeout(
      () => this.#lost(new IpcError('notTheDaemon', `${path} gave no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(connectError(path, error)));
    this.#socket.on('close', () => this.#lost(null));
    const hello = {
      magic: IPC_MAGIC,
      versionMin: IPC_VERSION_MIN,
      versionMax: IPC_VERSION_MAX,
      capabilities: (onBehalfOf === 0 ? 0 : Capability.onBehalf) | (isWatched ? Capability.watched : 0),
      maxMessage: MAX_MESSAGE,
      window,
      onBehalfOf,
    };
    const nameBytes = Buffer.from(name).subarray(0, NAME_MAX);
    this.#outbox.control(MessageType.hello, 0, scratch, writeHello(scratch, hello), nameBytes);
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#welcome !== null;
  }

  get profile(): BehaviorProfile {
    return BEHAVIOR_PROFILES[this.#welcome?.profile ?? 0] ?? 'windows';
  }

  get serverPid(): number {
    return this.#welcome?.serverPid ?? 0;
  }

  get isOnBehalf(): boolean {
    return ((this.#welcome?.capabilities ?? 0) & Capability.onBehalf) !== 0;
  }

  get limits(): IpcLimits {
    if (this.#welcome === null) throw new IpcError('notTheDaemon', `${this.#path} has not answered yet`);
    return this.#welcome.limits;
  }

  submit(request: AfdRequest): AfdCompletion | null {
    if (this.#isOver) return failure(request.id, WSAENETDOWN);
    const addressLength = request.address === null ? 0 : request.address.length;
    if (request.id <= 0 || this.#requests.has(request.id) || addressLength > ADDRESS_LEN_MAX) {
      return failure(request.id, WSAEINVAL);
    }
    this.#requests.set(request.id, request);
    this.#hold();
    if (this.#transfers?.takes(request)) return null;
    this.#post(request, 0, request.data === null ? 0 : request.data.length);
    return null;
  }

  cancel(id: number): void {
    const request = this.#requests.get(id);
    if (request === undefined || this.#isOver) return;
    if (this.#transfers?.cancel(request)) {
      queueMicrotask(() => this.#finish(failure(id, WSA_OPERATION_ABORTED)));
      return;
    }
    this.#outbox.control(MessageType.cancel, id, scratch, 0);
  }

  background(delta: number): void {
    this.#background += delta;
    this.#hold();
  }

  /** The connection keeps the process alive while a request pends that is to. */
  #hold(): void {
    const isHeld = this.#requests.size > this.#background;
    if (isHeld === this.#isHeld || this.#isOver) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onLost = null;
    this.#decoder.stop();
    this.#outbox.control(MessageType.goodbye, 0, scratch, writeGoodbye(scratch, GoodbyeReason.normal));
    this.#outbox.close();
    this.#outbox.flush();
    this.#socket.ref();
    this.#socket.end();
    this.#completeAll(WSA_OPERATION_ABORTED);
  }

  frameStarted(header: FrameHeader): void {
    const { type, length } = header;
    if (type === MessageType.completion || type === MessageType.data) this.#intake.take(length);
    else if (!UNCOUNTED.has(type)) {
      throw new ProtocolError(GoodbyeReason.unexpectedMessage, `message type ${type} from a server`);
    }
    const isGreeting = type === MessageType.welcome || type === MessageType.goodbye;
    const isExpected = this.#welcome === null ? isGreeting : type !== MessageType.welcome;
    expect(isExpected, `message type ${type} ${this.#welcome === null ? 'before' : 'after'} the handshake`);
  }

  frameHead(header: FrameHeader, bytes: Uint8Array, at: number, bulk: number): void {
    const { type, head } = header;
    switch (type) {
      case MessageType.completion:
        this.#completion(header, bytes, at, bulk);
        break;
      case MessageType.data:
        expect(this.#incoming?.id === header.id && head === 0, 'DATA for no completion');
        expect(bulk <= this.#missing, 'more DATA than was announced');
        break;
      case MessageType.pending:
        expect(head === 0 && bulk === 0, 'PENDING carries bytes');
        this.onPend(header.id);
        break;
      case MessageType.credit:
        this.#outbox.grant(readCredit(bytes, at, head));
        break;
      case MessageType.watch:
        expect(bulk === 0, 'WATCH carries bulk');
        this.watch.wants(readWatch(bytes, at, head));
        break;
      case MessageType.goodbye:
        this.#goodbyeReason = readGoodbye(bytes, at, head);
        break;
      default:
        this.#ready(readWelcome(bytes, at, head));
    }
  }

  frameBulk(header: FrameHeader, bytes: Uint8Array, at: number, length: number, _left: number): void {
    if (header.type === MessageType.goodbye) {
      this.#goodbyeText += Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
      return;
    }
    const { type } = header;
    if (type !== MessageType.completion && type !== MessageType.data) return;
    this.#target?.set(bytes.subarray(at, at + length), this.#targetAt);
    this.#targetAt += length;
    this.#missing -= length;
    if (this.#missing === 0) this.#arrived();
  }

  #take(buffer: Uint8Array, length: number): void {
    if (this.#isOver) return;
    try {
      this.#decoder.push(buffer, 0, length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#outbox.control(MessageType.goodbye, 0, scratch, writeGoodbye(scratch, error.reason));
      this.#outbox.flush();
      this.#lost(
        new IpcError('notTheDaemon', `${this.#path} does not speak winsockd's protocol: ${error.message}`),
      );
      return;
    }
    if (this.#goodbyeReason >= 0) this.#lost(null);
    if (this.#isOver) return;
    const granted = this.#intake.due();
    if (granted > 0) this.#outbox.control(MessageType.credit, 0, scratch, writeCredit(scratch, granted));
  }

  #ready(welcome: Welcome): void {
    expect(welcome.magic === IPC_MAGIC, 'WELCOME has another magic number');
    const isSpoken = welcome.version >= IPC_VERSION_MIN && welcome.version <= IPC_VERSION_MAX;
    expect(isSpoken, `WELCOME has version ${welcome.version}`);
    const { limits } = welcome;
    this.#welcome = welcome;
    this.#outbox.maxMessage = limits.maxMessage;
    this.#outbox.credit = limits.window === UNLIMITED ? Number.POSITIVE_INFINITY : limits.window;
    this.#transfers = new LargeTransfers(limits.maxTransfer, (request, from, length) =>
      this.#post(request, from, length),
    );
    this.#hold();
    this.#handshakeEnds(null);
  }

  /** Sends a request, or the piece of it that begins `from` bytes in. */
  #post(request: AfdRequest, from: number, length: number): void {
    let flags = 0;
    let bulk = request.data;
    if (bulk !== null) {
      flags |= REQUEST_HAS_DATA;
      if (bulk.length !== length) bulk = bulk.subarray(from, from + length);
    }
    let intoLength = 0;
    if (request.into !== null) {
      flags |= REQUEST_HAS_INTO;
      intoLength = Math.min(request.into.length - (bulk === null ? from : 0), this.limits.maxTransfer);
    }
    const headLength = writeRequest(scratch, request, bulk === null ? 0 : bulk.length, intoLength);
    this.#outbox.post(MessageType.request, flags, request.id, scratch, headLength, bulk, null);
  }

  #completion(header: FrameHeader, bytes: Uint8Array, at: number, bulk: number): void {
    const { id, flags } = header;
    const head = this.#completionHead;
    readCompletion(bytes, at, header.head, head);
    const request = this.#requests.get(id);
    expect(this.#incoming === null, `completion ${id} begins before the bytes of another are complete`);
    expect(request !== undefined, `completion of request ${id}, which does not pend`);
    expect(bulk <= head.dataLength, `${bulk} bytes for ${head.dataLength}`);
    const { error, value, address, dataLength } = head;
    let data: Uint8Array | null = null;
    if ((flags & COMPLETION_HAS_INTO) !== 0) {
      const offset = this.#transfers?.offsetOf(id) ?? 0;
      const room = request.into === null ? 0 : request.into.length - offset;
      expect(dataLength <= room, `${dataLength} bytes for an into of ${room}`);
      this.#target = request.into;
      this.#targetAt = offset;
    } else if (flags !== 0 || dataLength > 0) {
      expect(dataLength <= this.limits.maxTransfer, `${dataLength} bytes exceed the stated limit`);
      data = new Uint8Array(dataLength);
      this.#target = data;
      this.#targetAt = 0;
    }
    this.#incoming = { id, error, value, flags: head.flags, address, data };
    this.#missing = dataLength;
    if (dataLength === 0) this.#arrived();
  }

  /** A completion is in with all its bytes. */
  #arrived(): void {
    const completion = this.#incoming;
    this.#incoming = null;
    this.#target = null;
    if (completion === null) return;
    const whole = this.#transfers === null ? completion : this.#transfers.pieceCompleted(completion);
    if (whole !== null) this.#finish(whole);
  }

  #finish(completion: AfdCompletion): void {
    if (!this.#requests.delete(completion.id)) return;
    this.#hold();
    this.#tell(completion);
  }

  /** The connection is of no more use; `cause` explains a handshake that failed. */
  #lost(cause: IpcError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoder.stop();
    this.#outbox.close();
    this.#socket.destroy();
    this.#handshakeEnds(cause ?? this.#refusal());
    this.#completeAll(WSAENETDOWN);
    this.onLost?.();
  }

  #completeAll(error: number): void {
    const ids = [...this.#requests.keys()];
    this.#requests.clear();
    for (const id of ids) this.#tell(failure(id, error));
  }

  #tell(completion: AfdCompletion): void {
    if (this.names.completed(completion) || this.catalog.completed(completion)) return;
    if (this.watch.completed(completion)) return;
    this.onComplete(completion);
  }

  #handshakeEnds(error: IpcError | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const onReady = this.#onReady;
    this.#onReady = null;
    onReady?.(error);
  }

  #refusal(): IpcError {
    const path = this.#path;
    const text = this.#goodbyeText;
    if (this.#goodbyeReason < 0) {
      return new IpcError('notTheDaemon', `${path} closed the connection before it answered`);
    }
    const code = this.#goodbyeReason === GoodbyeReason.notAllowed ? 'notPermitted' : 'refused';
    return new IpcError(code, `the daemon at ${path} refused: ${text}`);
  }
}

/** What a server sends beside completions and their bytes. */
const UNCOUNTED: ReadonlySet<number> = new Set([
  MessageType.credit,
  MessageType.goodbye,
  MessageType.welcome,
  MessageType.pending,
  MessageType.watch,
]);

function failure(id: number, error: number): AfdCompletion {
  return { id, error, value: 0, flags: 0, address: null, data: null };
}

function connectError(path: string, error: NodeJS.ErrnoException): IpcError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new IpcError('notPermitted', `${path} may not be opened by this user; ask its owner for access`);
  }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new IpcError(
      'daemonNotThere',
      `no daemon at ${path}; start one with "winsockd up --socket ${path}"`,
    );
  }
  return new IpcError('notTheDaemon', `cannot talk to ${path}: ${error.message}`);
}
