// A layered provider that changes the bytes: on the wire the letters of every TCP connection are turned by 13 places, both ways.
// docs/layers.md explains it. Outside this repository the imports are 'winsockd/spi' and 'winsockd/spi/streams'.

import {
  type Codec,
  type Pipe,
  type StreamPlan,
  type StreamTables,
  streamLayer,
} from '../src/layers/stream/index.ts';
import { defineLayer } from '../src/spi/index.ts';

/** One for all chains of the layer. */
const tables: StreamTables = new WeakMap();

const plan: StreamPlan = { limit: 1000, open: async (pipe) => new Rot13(pipe) };

export const WSPStartup = defineLayer(
  (next, layer) =>
    streamLayer(next, layer, tables, {
      connect: () => plan,
      accept: () => plan,
      keepsAccepted: () => true,
    }).table,
  { name: 'rot13', handles: 'own' },
);

class Rot13 implements Codec {
  readonly #pipe: Pipe;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  async read(into: Uint8Array): Promise<number> {
    const count = await this.#pipe.read(into);
    if (count > 0) turn(into.subarray(0, count));
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice(); // they are borrowed
    turn(copy);
    return this.#pipe.write(copy);
  }

  end(): Promise<number> {
    return Promise.resolve(0);
  }

  destroy(): void {}
}

function turn(bytes: Uint8Array): void {
  for (const [i, byte] of bytes.entries()) {
    const letter = (byte | 0x20) - 0x61;
    if (letter >= 0 && letter < 26) bytes[i] = letter < 13 ? byte + 13 : byte - 13;
  }
}
