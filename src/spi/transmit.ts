/**
 * TransmitFile and TransmitPackets: memory and files, piece by piece, as sends that wait for room. A provider says how its socket sends.
 *
 * A piece is sent when the one before is in the send buffer, so that a file of any size takes one piece of memory. What else is
 * sent on the socket meanwhile comes between pieces.
 */

import {
  SOCK_STREAM,
  TF_DISCONNECT,
  TF_REUSE_SOCKET,
  TF_USE_KERNEL_APC,
  TF_USE_SYSTEM_THREAD,
  TF_WRITE_BEHIND,
  TP_ELEMENT_EOP,
  TP_ELEMENT_FILE,
  TP_ELEMENT_MEMORY,
  TRANSMIT_FILE_MAX,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOTCONN,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { gather } from './base-state.ts';
import type { FileReader, IoManager } from './io-manager.ts';
import { Operation, type OperationHost, type OperationSocket } from './operation.ts';
import type {
  Answer,
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSABUF,
  WSAOVERLAPPED,
} from './types.ts';

/** How a socket sends, whatever its mode. One call at a time. Answers are 0 or more, or minus a WSA code. */
export interface TransmitSink {
  /** Whether it can send at all. */
  ready(): Promise<number>;
  /** Waits until the bytes, which are borrowed, are taken. @returns how many */
  send(bytes: Uint8Array): Promise<number>;
  /** Ends sending. @param reuse TF_REUSE_SOCKET: the socket is as new when it is done; 0: it stays connected */
  disconnect(reuse: number): Promise<number>;
  /** Ends the call that waits, with WSA_OPERATION_ABORTED, and all that follow. */
  cancel(): void;
}

const KNOWN_FLAGS =
  TF_DISCONNECT | TF_REUSE_SOCKET | TF_WRITE_BEHIND | TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC;
/** Bytes of a piece unless the caller says otherwise, and most of them. */
const PIECE_LEN = 64 * 1024;
const PIECE_MAX = 1024 * 1024;
/** Most bytes of a datagram that is gathered. */
const DATAGRAM_MAX = 65_535;

/** Something to be sent: memory, or a part of a file. */
interface Part {
  readonly memory: WSABUF;
  readonly file: TransmitSource | null;
  /** Where in the file; −1: where it stands. */
  readonly offset: number;
  /** Bytes of the file; 0: all. */
  readonly length: number;
  /** A datagram ends here. */
  readonly isLast: boolean;
}

/** TransmitFile on a socket of that provider. */
export function transmitFile(
  host: OperationHost,
  socket: OperationSocket,
  sink: TransmitSink,
  hFile: TransmitSource | null,
  toWrite: number,
  perSend: number,
  lpOverlapped: WSAOVERLAPPED | null,
  lpTransmitBuffers: TRANSMIT_FILE_BUFFERS | null,
  dwFlags: number,
): Answer {
  if (socket.type !== SOCK_STREAM) return -WSAENOTCONN;
  const length = toWrite >>> 0;
  if (length > TRANSMIT_FILE_MAX || !isFlags(dwFlags)) return -WSAEINVAL;
  const parts: Part[] = [];
  if (lpTransmitBuffers?.Head) parts.push(memoryPart(lpTransmitBuffers.Head));
  if (hFile !== null) {
    const offset = lpOverlapped === null ? -1 : offsetOf(lpOverlapped);
    parts.push({ memory: EMPTY, file: hFile, offset, length, isLast: false });
  }
  if (lpTransmitBuffers?.Tail) parts.push(memoryPart(lpTransmitBuffers.Tail));
  return start(host, socket, sink, parts, perSend >>> 0, lpOverlapped, dwFlags);
}

/** TransmitPackets on a socket of that provider. */
export function transmitPackets(
  host: OperationHost,
  socket: OperationSocket,
  sink: TransmitSink,
  lpPacketArray: readonly TRANSMIT_PACKETS_ELEMENT[] | null,
  nElementCount: number,
  nSendSize: number,
  lpOverlapped: WSAOVERLAPPED | null,
  dwFlags: number,
): Answer {
  if (lpPacketArray === null || !(nElementCount >= 0 && nElementCount <= lpPacketArray.length))
    return -WSAEFAULT;
  const isStream = socket.type === SOCK_STREAM;
  if (!isFlags(dwFlags) || (!isStream && (dwFlags & TF_DISCONNECT) !== 0)) return -WSAEINVAL;
  const parts: Part[] = [];
  for (const element of lpPacketArray.slice(0, nElementCount)) {
    const { dwElFlags, cLength, pBuffer = null, nFileOffset = -1, hFile = null } = element;
    const isLast = (dwElFlags & TP_ELEMENT_EOP) !== 0;
    const kind = dwElFlags & ~TP_ELEMENT_EOP;
    if (kind === TP_ELEMENT_MEMORY) {
      if (pBuffer === null || !(cLength >= 0 && cLength <= pBuffer.length)) return -WSAEFAULT;
      parts.push({ ...memoryPart(pBuffer.subarray(0, cLength)), isLast });
    } else if (kind === TP_ELEMENT_FILE && hFile !== null) {
      parts.push({ memory: EMPTY, file: hFile, offset: nFileOffset, length: cLength >>> 0, isLast });
    } else {
      return -WSAEINVAL;
    }
  }
  return start(host, socket, sink, parts, nSendSize >>> 0, lpOverlapped, dwFlags);
}

/** TF_REUSE_SOCKET means nothing without TF_DISCONNECT. */
function isFlags(flags: number): boolean {
  if ((flags & ~KNOWN_FLAGS) !== 0) return false;
  return (flags & TF_REUSE_SOCKET) === 0 || (flags & TF_DISCONNECT) !== 0;
}

function memoryPart(memory: WSABUF): Part {
  return { memory, file: null, offset: 0, length: 0, isLast: false };
}

function offsetOf({ Offset, OffsetHigh }: WSAOVERLAPPED): number {
  return (OffsetHigh >>> 0) * 0x1_0000_0000 + (Offset >>> 0);
}

/** Makes sure that the socket can send and the files can be read, then begins. */
async function start(
  host: OperationHost,
  socket: OperationSocket,
  sink: TransmitSink,
  parts: readonly Part[],
  pieceLength: number,
  lpOverlapped: WSAOVERLAPPED | null,
  flags: number,
): Promise<number> {
  const operation = lpOverlapped === null ? null : Operation.begin(host, socket, lpOverlapped, null, null);
  if (typeof operation === 'number') return operation;
  const transmission = new Transmission(host.io, sink, socket.type === SOCK_STREAM, pieceLength, flags);
  if (operation !== null) operation.cancel = () => sink.cancel();
  const error = await transmission.open(parts);
  if (error < 0) {
    transmission.close();
    return operation === null ? error : operation.failExtension(error);
  }
  if (operation === null) {
    const answer = await transmission.run(parts);
    return answer < 0 ? answer : 1;
  }
  operation.hasPended = true;
  void transmission.run(parts).then((answer) => operation.finish(answer, transmission.sent));
  return -WSA_IO_PENDING;
}

class Transmission {
  /** Bytes that are sent. */
  sent = 0;
  readonly #io: IoManager;
  readonly #sink: TransmitSink;
  readonly #isStream: boolean;
  readonly #pieceLength: number;
  readonly #flags: number;
  readonly #files = new Map<Part, FileReader>();

  constructor(io: IoManager, sink: TransmitSink, isStream: boolean, pieceLength: number, flags: number) {
    this.#io = io;
    this.#sink = sink;
    this.#isStream = isStream;
    this.#pieceLength = pieceLength === 0 ? PIECE_LEN : Math.min(pieceLength, PIECE_MAX);
    this.#flags = flags;
  }

  /** Looks whether it can begin. @returns 0 or minus a code */
  async open(parts: readonly Part[]): Promise<number> {
    const ready = await this.#sink.ready();
    if (ready < 0) return ready;
    for (const part of parts) {
      if (part.file === null) continue;
      const file = await this.#io.openFile(part.file, part.offset);
      if (file === null) return -WSA_INVALID_HANDLE;
      this.#files.set(part, file);
    }
    return 0;
  }

  /** Sends all of it. @returns the bytes, or minus a code */
  async run(parts: readonly Part[]): Promise<number> {
    const answer = this.#isStream ? await this.#stream(parts) : await this.#datagrams(parts);
    this.close();
    if (answer < 0) return answer;
    if ((this.#flags & TF_DISCONNECT) !== 0) {
      const ended = await this.#sink.disconnect(this.#flags & TF_REUSE_SOCKET);
      if (ended < 0) return ended;
    }
    return this.sent;
  }

  /** Lets go of the files. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  async #stream(parts: readonly Part[]): Promise<number> {
    for (const part of parts) {
      for await (const piece of this.#pieces(part)) {
        if (piece === null) return -WSAEINVAL;
        const answer = await this.#sink.send(piece);
        if (answer < 0) return answer;
        this.sent += answer;
        if (answer < piece.length) return -WSA_OPERATION_ABORTED;
      }
    }
    return 0;
  }

  async #datagrams(parts: readonly Part[]): Promise<number> {
    let pieces: Uint8Array[] = [];
    let length = 0;
    for (const [i, part] of parts.entries()) {
      for await (const piece of this.#pieces(part)) {
        if (piece === null) return -WSAEINVAL;
        length += piece.length;
        if (length > DATAGRAM_MAX) return -WSAEMSGSIZE;
        pieces.push(piece.slice());
      }
      if (!part.isLast && i < parts.length - 1) continue;
      const answer = await this.#sink.send(gather(pieces, pieces.length) ?? EMPTY);
      if (answer < 0) return answer;
      this.sent += answer;
      pieces = [];
      length = 0;
    }
    return 0;
  }

  /** The pieces of a part; each is good until the next. `null`: the file cannot be read. */
  async *#pieces(part: Part): AsyncGenerator<Uint8Array | null> {
    const file = this.#files.get(part);
    if (file === undefined) {
      for (let at = 0; at < part.memory.length; at += this.#pieceLength) {
        yield part.memory.subarray(at, at + this.#pieceLength);
      }
      return;
    }
    let left = part.length === 0 ? Number.POSITIVE_INFINITY : part.length;
    const room = new Uint8Array(this.#pieceLength);
    while (left > 0) {
      const count = await file.read(left < room.length ? room.subarray(0, left) : room);
      if (count < 0) yield null;
      if (count <= 0) return;
      left -= count;
      yield room.subarray(0, count);
    }
  }
}
