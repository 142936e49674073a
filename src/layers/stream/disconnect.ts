/**
 * Ending a kept connection so that its socket can be used again: DisconnectEx, and TF_DISCONNECT of TransmitFile.
 */

import {
  FUNCTION_POINTER_LEN,
  parseGuid,
  SD_SEND,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  TF_REUSE_SOCKET,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
} from '../../abi/index.ts';
import {
  EXTENSION_IDS,
  type ExtensionFunctions,
  functionAt,
  PrivateRecord,
  readPointer,
} from '../../spi/index.ts';
import type { Connection } from './connection.ts';
import { beginOverlapped, settled } from './operations.ts';
import type { Stream, Streams } from './streams.ts';

type DisconnectEx = ExtensionFunctions['DisconnectEx'];

export function disconnectEx(streams: Streams, lower: DisconnectEx): DisconnectEx {
  return (s, lpOverlapped, dwFlags, dwReserved) => {
    const stream = streams.get(s);
    const connection = stream?.connection ?? null;
    if (stream === undefined || connection === null) return lower(s, lpOverlapped, dwFlags, dwReserved);
    if (dwReserved !== 0 || (dwFlags & ~TF_REUSE_SOCKET) !== 0) return -WSAEINVAL;
    if (connection.phase === 'opening') return -WSAENOTCONN;
    const ending = new Ending(stream, connection);
    if (lpOverlapped === null) return ending.run(dwFlags).then((answer) => (answer < 0 ? answer : 1));
    const asked = { lpOverlapped, routine: null, thread: null };
    return beginOverlapped(stream.chain, stream, asked, (complete) => {
      void ending.run(dwFlags).then(complete, () => complete(-WSAENETDOWN));
      return () => ending.cancel();
    });
  };
}

/** The end of one connection. */
export class Ending {
  readonly #stream: Stream;
  readonly #connection: Connection;
  readonly #record = new PrivateRecord();

  constructor(stream: Stream, connection: Connection) {
    this.#stream = stream;
    this.#connection = connection;
  }

  /**
   * Sends the end. With TF_REUSE_SOCKET it waits for the peer's, throws away what comes before that, and makes the socket as new.
   * @returns 0, or minus a WSA code
   */
  async run(reuse: number): Promise<number> {
    if (reuse === 0) return this.#connection.shutdown(SD_SEND);
    const { handle, chain } = this.#stream;
    const lower = await this.#disconnectBelow(handle);
    if (lower === null) return -WSAEOPNOTSUPP;
    await this.#connection.disconnect();
    const ended = await settled(this.#record, lower(handle, this.#record, TF_REUSE_SOCKET, 0));
    if (ended < 0) return ended;
    const renewed = await chain.letGo(this.#stream);
    if (renewed < 0) return renewed;
    chain.rules.renewed?.(handle);
    return 0;
  }

  /** Gives up waiting for the peer. */
  cancel(): void {
    this.#stream.chain.layer.ws2.cancelOperations(this.#stream.handle, this.#record);
  }

  async #disconnectBelow(s: number): Promise<DisconnectEx | null> {
    const { next } = this.#stream.chain;
    const pointer = new Uint8Array(FUNCTION_POINTER_LEN);
    const code = SIO_GET_EXTENSION_FUNCTION_POINTER;
    const length = pointer.length;
    const answer = await next.WSPIoctl(
      s,
      code,
      DISCONNECT_ID,
      DISCONNECT_ID.length,
      pointer,
      length,
      null,
      null,
      null,
    );
    return answer < 0 ? null : (functionAt(readPointer(pointer)) as DisconnectEx | null);
  }
}

const DISCONNECT_ID =
  parseGuid([...EXTENSION_IDS].find(([, name]) => name === 'DisconnectEx')?.[0] ?? '') ?? new Uint8Array(0);
