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
import { EXTENSION_IDS, type ExtensionFunctions, functionAt, readPointer } from '../../spi/index.ts';
import type { Connection } from './connection.ts';
import type { StreamRules } from './contract.ts';
import { beginOverlapped, ownRecord, settled } from './operations.ts';
import type { Stream, Streams } from './streams.ts';

type DisconnectEx = ExtensionFunctions['DisconnectEx'];

export function disconnectEx(streams: Streams, rules: StreamRules, lower: DisconnectEx): DisconnectEx {
  return (s, lpOverlapped, dwFlags, dwReserved) => {
    const stream = streams.get(s);
    const connection = stream?.connection ?? null;
    if (stream === undefined || connection === null) return lower(s, lpOverlapped, dwFlags, dwReserved);
    if (dwReserved !== 0 || (dwFlags & ~TF_REUSE_SOCKET) !== 0) return -WSAEINVAL;
    if (connection.phase === 'opening') return -WSAENOTCONN;
    const ending = new Ending(streams, rules, stream, connection);
    if (lpOverlapped === null) return ending.run(dwFlags).then((answer) => (answer < 0 ? answer : 1));
    const asked = { lpOverlapped, routine: null, thread: null };
    return beginOverlapped(streams, stream, asked, (complete) => {
      void ending.run(dwFlags).then(complete, () => complete(-WSAENETDOWN));
      return () => ending.cancel();
    });
  };
}

/** The end of one connection. */
export class Ending {
  readonly #streams: Streams;
  readonly #rules: StreamRules;
  readonly #stream: Stream;
  readonly #connection: Connection;
  readonly #record = ownRecord();

  constructor(streams: Streams, rules: StreamRules, stream: Stream, connection: Connection) {
    this.#streams = streams;
    this.#rules = rules;
    this.#stream = stream;
    this.#connection = connection;
  }

  /**
   * Sends the end. With TF_REUSE_SOCKET it waits for the peer's, throws away what comes before that, and makes the socket as new.
   * @returns 0, or minus a WSA code
   */
  async run(reuse: number): Promise<number> {
    if (reuse === 0) return this.#connection.shutdown(SD_SEND);
    const { handle } = this.#stream;
    const lower = await this.#disconnectBelow(handle);
    if (lower === null) return -WSAEOPNOTSUPP;
    await this.#connection.disconnect();
    const ended = await settled(this.#record, lower(handle, this.#record, TF_REUSE_SOCKET, 0));
    if (ended < 0) return ended;
    const renewed = await this.#streams.letGo(this.#stream);
    if (renewed < 0) return renewed;
    this.#rules.renewed?.(handle);
    return 0;
  }

  /** Gives up waiting for the peer. */
  cancel(): void {
    this.#streams.layer.ws2.cancelOperations(this.#stream.handle, this.#record);
  }

  async #disconnectBelow(s: number): Promise<DisconnectEx | null> {
    const { next } = this.#streams;
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
