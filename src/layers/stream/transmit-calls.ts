/**
 * TransmitFile and TransmitPackets of a stream layer: what is sent goes through the codec like any send.
 */

import { WSA_OPERATION_ABORTED, WSAENOTCONN } from '../../abi/index.ts';
import { EMPTY } from '../../base/index.ts';
import {
  type ExtensionFunctions,
  transmitFile as sendFile,
  transmitPackets as sendPackets,
  type TransmitSink,
} from '../../spi/index.ts';
import type { Connection } from './connection.ts';
import { Ending } from './disconnect.ts';
import type { Stream, Streams } from './streams.ts';

type TransmitFile = ExtensionFunctions['TransmitFile'];
type TransmitPackets = ExtensionFunctions['TransmitPackets'];

export function transmitFile(streams: Streams, lower: TransmitFile): TransmitFile {
  return (hSocket, ...rest) => {
    const stream = streams.get(hSocket);
    const connection = stream?.connection ?? null;
    if (stream === undefined || connection === null) return lower(hSocket, ...rest);
    return sendFile(stream.chain, stream, new ConnectionSink(stream, connection), ...rest);
  };
}

export function transmitPackets(streams: Streams, lower: TransmitPackets): TransmitPackets {
  return (hSocket, ...rest) => {
    const stream = streams.get(hSocket);
    const connection = stream?.connection ?? null;
    if (stream === undefined || connection === null) return lower(hSocket, ...rest);
    return sendPackets(stream.chain, stream, new ConnectionSink(stream, connection), ...rest);
  };
}

class ConnectionSink implements TransmitSink {
  readonly #connection: Connection;
  readonly #ending: Ending;
  #isCancelled = false;
  #giveUp = (): void => {};

  constructor(stream: Stream, connection: Connection) {
    this.#connection = connection;
    this.#ending = new Ending(stream, connection);
  }

  ready(): Promise<number> {
    return this.#connection.phase === 'opening' ? Promise.resolve(-WSAENOTCONN) : this.send(EMPTY);
  }

  send(bytes: Uint8Array): Promise<number> {
    if (this.#isCancelled) return Promise.resolve(-WSA_OPERATION_ABORTED);
    return new Promise((resolve) => {
      const waiting = this.#connection.send([bytes], 0, resolve);
      this.#giveUp = () => {
        if (typeof waiting === 'function') waiting();
        resolve(-WSA_OPERATION_ABORTED);
      };
    });
  }

  disconnect(reuse: number): Promise<number> {
    this.#giveUp = () => this.#ending.cancel();
    return this.#isCancelled ? Promise.resolve(-WSA_OPERATION_ABORTED) : this.#ending.run(reuse);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#giveUp();
  }
}
