/**
 * Sockets of scripts: an endpoint of the stack with what POSIX adds to it.
 */

import {
  createDatagramInfo,
  type DatagramInfo,
  StackError,
  type TcpEndpoint,
  type UdpEndpoint,
} from '../../stack/index.ts';
import { patternByte } from './flow.ts';

/** A descriptor's flags and options that the endpoint does not have. */
interface SocketState {
  isBlocking: boolean;
  isReusing: boolean;
}

export interface StreamSocket extends SocketState {
  readonly kind: 'tcp';
  readonly endpoint: TcpEndpoint;
  isListening: boolean;
  /** A connect was started and its outcome not yet told. */
  isConnecting: boolean;
  /** SO_ERROR was asked, or a call failed: an error is told once. */
  isErrorTold: boolean;
  /** SO_LINGER with time 0: close resets. */
  isAbortive: boolean;
  /** Bytes read so far: the next byte of the peer's pattern. */
  bytesRead: number;
  /** Urgent bytes read out of line, and how many of these and of those waiting the stream has been found to lack. */
  urgentRead: number;
  urgentSkipped: number;
  /** Everything written, to compare with what is sent. */
  readonly written: ByteLog;
}

export interface DatagramSocket extends SocketState {
  readonly kind: 'udp';
  readonly endpoint: UdpEndpoint;
}

export type ScriptSocket = StreamSocket | DatagramSocket;

/** How a call ended: its value, or -1 and why. */
export interface CallResult {
  readonly value: number;
  readonly errno: string | null;
  /** What differs in what the call gave back beside its value; `null`: nothing. */
  readonly complaint?: string;
}

/** A socket around a new or accepted connection. */
export function streamSocket(endpoint: TcpEndpoint): StreamSocket {
  return {
    kind: 'tcp',
    endpoint,
    isBlocking: true,
    isReusing: false,
    isListening: false,
    isConnecting: false,
    isErrorTold: false,
    isAbortive: false,
    bytesRead: 0,
    urgentRead: 0,
    urgentSkipped: 0,
    written: new ByteLog(),
  };
}

/** A socket around a datagram endpoint. */
export function datagramSocket(endpoint: UdpEndpoint): DatagramSocket {
  return { kind: 'udp', endpoint, isBlocking: true, isReusing: false };
}

/** Reads from a connection and checks the bytes. @returns `undefined` when it would block */
export function readStream(socket: StreamSocket, length: number, isPeek: boolean): CallResult | number {
  const { endpoint } = socket;
  const bytes = new Uint8Array(length);
  const got = isPeek ? endpoint.peek(bytes, 0, length) : endpoint.read(bytes, 0, length);
  if (got <= 0) return got;
  const skipped = bytesSkipped(socket, bytes, got);
  if (skipped < 0) {
    const at = socket.bytesRead + 1;
    return { value: got, errno: null, complaint: `bytes ${at} … of the stream are not what the peer sent` };
  }
  if (isPeek) return got;
  socket.urgentSkipped += skipped;
  socket.bytesRead += skipped + got;
  return got;
}

/** How many urgent bytes the stream lacks before the first of `bytes`; -1: none of them would make it the peer's pattern. */
function bytesSkipped(socket: StreamSocket, bytes: Uint8Array, length: number): number {
  const most = socket.urgentRead + socket.endpoint.urgentCount - socket.urgentSkipped;
  for (let skipped = 0; skipped <= most; skipped++) {
    const from = socket.bytesRead + skipped;
    let index = 0;
    while (index < length && bytes[index] === patternByte(from + index)) index++;
    if (index === length) return skipped;
  }
  return -1;
}

/** Reads one urgent byte out of line, as `recv` with MSG_OOB. */
export function readUrgentByte(socket: StreamSocket, isPeek: boolean): CallResult {
  // POSIX: EINVAL when there is none, or when it is in the stream.
  if (socket.endpoint.urgentInline || socket.endpoint.urgentCount === 0)
    return { value: -1, errno: 'EINVAL' };
  socket.endpoint.readUrgent(isPeek);
  if (!isPeek) socket.urgentRead++;
  return { value: 1, errno: null };
}

/** Takes one datagram and checks the bytes. @returns its result, or a `StackError` */
export function readDatagram(socket: DatagramSocket, length: number, isPeek: boolean): CallResult | number {
  const bytes = new Uint8Array(length);
  const got = socket.endpoint.receive(bytes, 0, length, INFO, isPeek);
  if (got <= 0) return got;
  for (let i = 0; i < got; i++) {
    if (bytes[i] === patternByte(i)) continue;
    return { value: got, errno: null, complaint: `byte ${i} of the datagram is not what the peer sent` };
  }
  return got;
}

/** Readiness as `poll` names it, in Linux's bits. */
export function readiness(socket: ScriptSocket): number {
  const IN = 0x1 | 0x40;
  const OUT = 0x4 | 0x100;
  if (socket.kind === 'udp') {
    const { endpoint } = socket;
    return (endpoint.nextLength >= 0 ? IN : 0) | OUT | (endpoint.pendingError === 0 ? 0 : 0x8);
  }
  const { endpoint } = socket;
  if (socket.isListening) return endpoint.acceptableCount > 0 ? IN : 0;
  let bits = 0;
  const hasFailed = endpoint.error !== 0 && !socket.isErrorTold;
  const isOpening = endpoint.state === 'SYN-SENT' || endpoint.state === 'SYN-RECEIVED';
  if (endpoint.readableBytes > 0 || endpoint.atEnd) bits |= IN;
  if (endpoint.atEnd) bits |= 0x2000;
  if (!isOpening && endpoint.writableBytes > 0) bits |= OUT;
  if (!endpoint.urgentInline && endpoint.urgentCount > 0) bits |= 0x2;
  if (hasFailed) bits |= 0x8 | IN | OUT;
  if (endpoint.state === 'CLOSED') bits |= 0x10 | IN | OUT;
  return bits;
}

/** Bytes in the order in which they were written. */
export class ByteLog {
  #bytes = new Uint8Array(1024);
  length = 0;

  append(bytes: Uint8Array, count: number): void {
    if (this.length + count > this.#bytes.length) {
      const bigger = new Uint8Array(2 * (this.length + count));
      bigger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = bigger;
    }
    this.#bytes.set(bytes.subarray(0, count), this.length);
    this.length += count;
  }

  /** Whether `bytes` are those at `offset`; what lies outside of the log is not judged. */
  agrees(bytes: Uint8Array, offset: number): boolean {
    for (let i = 0; i < bytes.length; i++) {
      const at = offset + i;
      if (at >= 0 && at < this.length && this.#bytes[at] !== bytes[i]) return false;
    }
    return true;
  }
}

const INFO: DatagramInfo = createDatagramInfo();

/** A `StackError` that means that the call has to wait. */
export function mustWait(result: number): boolean {
  return result === StackError.wouldBlock;
}
