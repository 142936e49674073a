/**
 * System calls of scripts over the endpoints of a stack. A call is an attempt: it answers its result, or `undefined` when it
 * has to wait; the runner tries again whenever something has happened.
 */

import { IpAddress } from '../../base/index.ts';
import { type Stack, StackError } from '../../stack/index.ts';
import { addressOf, CONSTANTS, fieldOf, numberOf, requiredNumber, UnknownNameError } from './arguments.ts';
import type { Expression } from './ast.ts';
import { errnoOf } from './errno.ts';
import { pattern } from './flow.ts';
import type { ScriptSettings } from './settings.ts';
import {
  type CallResult,
  datagramSocket,
  mustWait,
  readDatagram,
  readiness,
  readStream,
  readUrgentByte,
  type ScriptSocket,
  type StreamSocket,
  streamSocket,
} from './socket.ts';
import { getOption, setOption } from './socket-options.ts';

/** What has to wait answers `undefined`. */
export type CallAttempt = () => CallResult | undefined;

type Args = readonly Expression[];

const FIRST_DESCRIPTOR = 3;

export class SystemCalls {
  readonly #stack: Stack;
  readonly #settings: ScriptSettings;
  /** Where `sendto(fd, ..., n, flags, ..., ...)` goes. */
  readonly #peerPort: () => number;
  readonly #now: () => number;
  readonly #sockets = new Map<number, ScriptSocket>();
  /** What the next descriptor is called in the script. */
  #wanted: number | null = null;
  /** The connection that assertions are about: the last that was opened or accepted. */
  underTest: StreamSocket | null = null;

  constructor(stack: Stack, settings: ScriptSettings, peerPort: () => number, now: () => number) {
    this.#stack = stack;
    this.#settings = settings;
    this.#peerPort = peerPort;
    this.#now = now;
  }

  /** The connections that are open, oldest first. */
  get streams(): readonly StreamSocket[] {
    return [...this.#sockets.values()].filter((socket) => socket.kind === 'tcp');
  }

  /**
   * Prepares a call.
   * @param wanted the number that the script knows the new descriptor by; `null`: the lowest that is free
   * @throws {ArgumentError} when there is no such call, or its arguments are wrong
   */
  prepare(name: string, args: Args, wanted: number | null = null): CallAttempt {
    const call = this.#calls[name];
    if (call === undefined) throw new UnknownNameError(`there is no call '${name}'`);
    this.#wanted = wanted;
    return call(args);
  }

  readonly #calls: Readonly<Record<string, (args: Args) => CallAttempt>> = {
    socket: (args) => () => this.#socket(args),
    bind: (args) => () => this.#bind(args),
    listen: (args) => () => this.#listen(args),
    accept: (args) => () => this.#accept(args, 0),
    accept4: (args) => () => this.#accept(args, numberOf(args[3]) ?? 0),
    connect: (args) => this.#connect(args),
    read: (args) => () => this.#read(args, 0),
    recv: (args) => () => this.#read(args, numberOf(args[3]) ?? 0),
    recvfrom: (args) => () => this.#read(args, numberOf(args[3]) ?? 0),
    recvmsg: (args) => () => this.#read(asBuffer(args, 'msg_iov', args[2]), numberOf(args[2]) ?? 0),
    readv: (args) => () => this.#read(asBuffer(args, null, undefined), 0),
    write: (args) => this.#write(args, 0),
    writev: (args) => this.#write(asBuffer(args, null, undefined), 0),
    sendmsg: (args) => this.#write(asBuffer(args, 'msg_iov', args[2]), numberOf(args[2]) ?? 0),
    send: (args) => this.#write(args, numberOf(args[3]) ?? 0),
    sendto: (args) => this.#sendto(args),
    close: (args) => () => this.#close(args),
    shutdown: (args) => () => this.#shutdown(args),
    setsockopt: (args) => () => this.#withSocket(args, (socket) => setOption(socket, args)),
    getsockopt: (args) => () => this.#withSocket(args, (socket) => getOption(socket, args)),
    fcntl: (args) => () => this.#withSocket(args, (socket) => fcntl(socket, args)),
    ioctl: (args) => () => this.#withSocket(args, (socket) => ioctl(socket, args)),
    poll: (args) => this.#poll(args),
  };

  #find(args: Args): ScriptSocket | null {
    return this.#sockets.get(requiredNumber(args[0], 'a descriptor')) ?? null;
  }

  #withSocket(args: Args, call: (socket: ScriptSocket) => CallResult): CallResult {
    const socket = this.#find(args);
    return socket === null ? BAD_DESCRIPTOR : call(socket);
  }

  #add(socket: ScriptSocket): CallResult {
    let descriptor = this.#wanted ?? FIRST_DESCRIPTOR;
    while (this.#sockets.has(descriptor)) descriptor++;
    this.#sockets.set(descriptor, socket);
    return done(descriptor);
  }

  #socket(args: Args): CallResult {
    const type = requiredNumber(args[1], 'a type');
    const isStream = (type & 0xf) === CONSTANTS['SOCK_STREAM'];
    const isDatagram = (type & 0xf) === CONSTANTS['SOCK_DGRAM'];
    if (!isStream && !isDatagram) return failed('ESOCKTNOSUPPORT');
    const { family } = this.#settings.localAddress;
    const socket = isStream
      ? streamSocket(this.#stack.openTcp(family))
      : datagramSocket(this.#stack.openUdp(family));
    socket.isBlocking = (type & (CONSTANTS['SOCK_NONBLOCK'] as number)) === 0;
    if (socket.kind === 'tcp') this.underTest ??= socket;
    return this.#add(socket);
  }

  #bind(args: Args): CallResult {
    const any = this.#settings.localAddress.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    const to = addressOf(args[1]) ?? { address: any, port: this.#settings.bindPort };
    return this.#withSocket(args, (socket) =>
      outcome(socket.endpoint.bind(to.address, to.port, { sharing: socket.isReusing ? 'reuse' : 'none' })),
    );
  }

  #listen(args: Args): CallResult {
    return this.#withSocket(args, (socket) => {
      if (socket.kind !== 'tcp') return failed('EOPNOTSUPP');
      const result = socket.endpoint.listen(requiredNumber(args[1], 'a backlog'));
      socket.isListening ||= result >= 0;
      return outcome(result);
    });
  }

  #accept(args: Args, flags: number): CallResult | undefined {
    const socket = this.#find(args);
    if (socket === null) return BAD_DESCRIPTOR;
    if (socket.kind !== 'tcp') return failed('EOPNOTSUPP');
    if (!socket.isListening) return failed('EINVAL');
    const endpoint = socket.endpoint.accept();
    if (endpoint === null) return socket.isBlocking ? undefined : failed('EAGAIN');
    const accepted = streamSocket(endpoint);
    accepted.isBlocking = (flags & (CONSTANTS['SOCK_NONBLOCK'] as number)) === 0;
    this.underTest = accepted;
    return this.#add(accepted);
  }

  #connect(args: Args): CallAttempt {
    const to = addressOf(args[1]) ?? {
      address: this.#settings.remoteAddress,
      port: this.#settings.connectPort,
    };
    let isStarted = false;
    return () => {
      const socket = this.#find(args);
      if (socket === null) return BAD_DESCRIPTOR;
      if (socket.kind === 'udp') return outcome(socket.endpoint.connect(to.address, to.port));
      if (!isStarted && !socket.isConnecting) {
        const result = socket.endpoint.connect(to.address, to.port);
        if (result < 0) return outcome(result);
        isStarted = true;
        socket.isConnecting = true;
        socket.isErrorTold = false;
        this.underTest = socket;
        return socket.isBlocking ? undefined : failed('EINPROGRESS');
      }
      const { state, error } = socket.endpoint;
      if (state === 'SYN-SENT' || state === 'SYN-RECEIVED') {
        return socket.isBlocking ? undefined : failed('EALREADY');
      }
      socket.isConnecting = false;
      if (error === 0) return done(0);
      socket.isErrorTold = true;
      return failed(errnoOf(error));
    };
  }

  #read(args: Args, flags: number): CallResult | undefined {
    const socket = this.#find(args);
    if (socket === null) return BAD_DESCRIPTOR;
    if (socket.kind === 'tcp' && socket.isListening) return failed('ENOTCONN');
    const length = requiredNumber(args[2], 'a length');
    const isPeek = (flags & (CONSTANTS['MSG_PEEK'] as number)) !== 0;
    if (socket.kind === 'tcp' && (flags & (CONSTANTS['MSG_OOB'] as number)) !== 0) {
      return readUrgentByte(socket, isPeek);
    }
    const result =
      socket.kind === 'tcp' ? readStream(socket, length, isPeek) : readDatagram(socket, length, isPeek);
    if (typeof result !== 'number') return result;
    // The stack reports ICMP port unreachable as Winsock does; POSIX has another name for it.
    if (socket.kind === 'udp' && result === StackError.connectionReset) return failed('ECONNREFUSED');
    if (mustWait(result)) return mayWait(socket, flags) ? undefined : failed('EAGAIN');
    // The direction was shut down: an error in Winsock, the end of the stream in POSIX.
    if (socket.kind === 'tcp' && result === StackError.shutDown) return done(0);
    if (result < 0 && socket.kind === 'tcp' && socket.endpoint.error === result) {
      // An error is told once; then the stream has simply ended.
      if (socket.isErrorTold) return done(0);
      socket.isErrorTold = true;
    }
    return outcome(result);
  }

  #write(args: Args, flags: number): CallAttempt {
    const length = requiredNumber(args[2], 'a length');
    let sent = 0;
    return () => {
      const socket = this.#find(args);
      if (socket === null) return BAD_DESCRIPTOR;
      const { endpoint } = socket;
      if (socket.kind === 'udp')
        return outcome(endpoint.kind === 'udp' ? sendPattern(socket, length, null, 0) : 0);
      const bytes = contents(args[1], socket.written.length, length - sent);
      const isUrgent = (flags & (CONSTANTS['MSG_OOB'] as number)) !== 0;
      const result = isUrgent
        ? socket.endpoint.writeUrgent(bytes, 0, bytes.length)
        : socket.endpoint.write(bytes, 0, bytes.length);
      if (result < 0 && !mustWait(result)) return sent > 0 ? done(sent) : tellWrite(socket, result);
      if (result > 0) {
        socket.written.append(bytes, result);
        sent += result;
      }
      if (sent === length) return done(sent);
      if (mayWait(socket, flags)) return undefined;
      return sent > 0 ? done(sent) : failed('EAGAIN');
    };
  }

  #sendto(args: Args): CallAttempt {
    const socket = this.#find(args);
    if (socket?.kind !== 'udp') return this.#write(args, numberOf(args[3]) ?? 0);
    const to = addressOf(args[4]) ?? { address: this.#settings.remoteAddress, port: this.#peerPort() };
    const length = requiredNumber(args[2], 'a length');
    return () => {
      const result = sendPattern(socket, length, to.address, to.port);
      return mustWait(result) && socket.isBlocking ? undefined : outcome(result);
    };
  }

  #close(args: Args): CallResult {
    return this.#withSocket(args, (socket) => {
      this.#sockets.delete(requiredNumber(args[0], 'a descriptor'));
      if (socket.kind === 'tcp' && socket.isAbortive) socket.endpoint.abort();
      else socket.endpoint.close();
      return done(0);
    });
  }

  #shutdown(args: Args): CallResult {
    return this.#withSocket(args, (socket) => {
      if (socket.kind !== 'tcp') return failed('ENOTCONN');
      const how = requiredNumber(args[1], 'SHUT_RD, SHUT_WR or SHUT_RDWR');
      const read = how === 1 ? 0 : socket.endpoint.shutdownRead();
      const write = how === 0 ? 0 : socket.endpoint.shutdownWrite();
      return outcome(Math.min(read, write));
    });
  }

  #poll(args: Args): CallAttempt {
    const entries = args[0]?.kind === 'array' ? args[0].items : [];
    const timeout = requiredNumber(args[2], 'a timeout');
    const until = timeout < 0 ? Number.POSITIVE_INFINITY : this.#now() + timeout;
    return () => {
      let ready = 0;
      let complaint: string | null = null;
      for (const entry of entries) {
        const socket = this.#sockets.get(requiredNumber(fieldOf(entry, 'fd'), 'fd'));
        const events = requiredNumber(fieldOf(entry, 'events'), 'events');
        // Errors and hang-ups are told whether they were asked for or not.
        const revents = socket === undefined ? 0x20 : readiness(socket) & (events | 0x38);
        if (revents !== 0) ready++;
        const expected = numberOf(fieldOf(entry, 'revents'));
        if (expected !== null && expected !== revents) complaint = `revents is 0x${revents.toString(16)}`;
      }
      if (ready === 0 && this.#now() < until) return undefined;
      return { value: ready, errno: null, ...(complaint === null ? {} : { complaint }) };
    };
  }
}

/** The arguments of a call with vectors, as those of one with a single buffer: their lengths are added up. */
function asBuffer(args: Args, field: string | null, flags: Expression | undefined): Args {
  const vectors = field === null ? args[1] : fieldOf(args[1], field);
  const items = vectors?.kind === 'array' ? vectors.items : [];
  const lengths = items.map((item) => (item.kind === 'struct' ? (numberOf(item.fields[1]?.value) ?? 0) : 0));
  const length: Expression = { kind: 'number', value: lengths.reduce((sum, each) => sum + each, 0) };
  return [args[0] ?? ANY, ANY, length, flags ?? ANY];
}

const ANY: Expression = { kind: 'any' };
const BAD_DESCRIPTOR: CallResult = { value: -1, errno: 'EBADF' };

function done(value: number): CallResult {
  return { value, errno: null };
}

function failed(errno: string): CallResult {
  return { value: -1, errno };
}

function outcome(result: number): CallResult {
  return result < 0 ? failed(errnoOf(result)) : done(result);
}

function mayWait(socket: ScriptSocket, flags: number): boolean {
  return socket.isBlocking && (flags & (CONSTANTS['MSG_DONTWAIT'] as number)) === 0;
}

/** A failed connection is told once with its error; writing to it after that is a broken pipe. */
function tellWrite(socket: StreamSocket, result: number): CallResult {
  if (socket.endpoint.error !== result) return outcome(result);
  if (socket.isErrorTold) return failed('EPIPE');
  socket.isErrorTold = true;
  return outcome(result);
}

/** What is written: the text that the script gives, else the pattern. @throws {UnknownNameError} for `NULL` */
function contents(argument: Expression | undefined, offset: number, length: number): Uint8Array {
  if (argument?.kind === 'word')
    throw new UnknownNameError(`the address ${argument.name} means nothing here`);
  if (argument?.kind !== 'string') return pattern(offset, length);
  const bytes = new Uint8Array(length);
  bytes.set(new TextEncoder().encode(argument.text).subarray(0, length));
  return bytes;
}

function sendPattern(socket: ScriptSocket, length: number, address: IpAddress | null, port: number): number {
  if (socket.kind !== 'udp') return 0;
  return socket.endpoint.send(pattern(0, length), 0, length, address, port);
}

function fcntl(socket: ScriptSocket, args: Args): CallResult {
  const nonBlocking = CONSTANTS['O_NONBLOCK'] as number;
  switch (requiredNumber(args[1], 'a command')) {
    case CONSTANTS['F_GETFL']:
      return done((CONSTANTS['O_RDWR'] as number) | (socket.isBlocking ? 0 : nonBlocking));
    case CONSTANTS['F_SETFL']:
      socket.isBlocking = (requiredNumber(args[2], 'flags') & nonBlocking) === 0;
      return done(0);
    case CONSTANTS['F_GETFD']:
    case CONSTANTS['F_SETFD']:
      return done(0);
    default:
      return failed('EINVAL');
  }
}

function ioctl(socket: ScriptSocket, args: Args): CallResult {
  const code = requiredNumber(args[1], 'a code');
  const expected = numberOf(args[2]);
  let actual: number;
  if (code === CONSTANTS['SIOCINQ']) {
    actual = socket.kind === 'tcp' ? socket.endpoint.readableBytes : Math.max(0, socket.endpoint.nextLength);
  } else if (code === CONSTANTS['SIOCOUTQ'] && socket.kind === 'tcp') {
    actual = socket.endpoint.unsentBytes;
  } else return failed('EINVAL');
  if (expected === null || expected === actual) return done(0);
  return { value: 0, errno: null, complaint: `the value is ${actual}` };
}
