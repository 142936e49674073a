/**
 * record: a layer that writes what goes over each stream both ways into a file, for `replay` and for people.
 *
 * The lesson: a layer that keeps a connection's bytes. With `streamLayer` it says only what becomes of them, here nothing but a copy, and
 * every way of sending, receiving and waiting is served.
 *
 *     export const WSPStartup = record({ folder: '/tmp/recordings' });
 *
 * Installed as `winsockd/layers/record` it writes to the folder that `WINSOCKD_RECORD` names, and does nothing when that is not set.
 * `WINSOCKD_RECORD_PORTS` (`80,443`) limits it to connections with such a port at either end. What is written is all that an
 * application sends, its secrets too: folder and files are their owner's only.
 */

import { env } from 'node:process';
import { formatSockaddr, readSockaddr, wsaErrorName } from '../../abi/index.ts';
import type { Clock } from '../../base/index.ts';
import { defineLayer, type WSPStartup as Startup, type WSPPROC_TABLE } from '../../spi/index.ts';
import { type Codec, type Pipe, type StreamPlan, type StreamTables, streamLayer } from '../stream/index.ts';
import type { Role, Way } from './format.ts';
import { type OpenRecording, RECORDER_LIMITS, Recorder, type RecorderLimits } from './recorder.ts';

export * from './format.ts';
export { RECORDER_LIMITS, Recorder, type RecorderLimits, recordingName } from './recorder.ts';

export interface RecordOptions {
  /** Where recordings go; `null`: nowhere. What the environment names when absent. */
  readonly folder?: string | null;
  /** Ports, at either end, of the connections that are recorded; all when absent. */
  readonly ports?: readonly number[];
  readonly limits?: RecorderLimits;
}

/** Nothing is exchanged before the first byte. */
const OPEN_LIMIT = 1000;

/** Makes the layer. */
export function record(options: RecordOptions = {}): Startup {
  const tables: StreamTables = new WeakMap();
  const folder = options.folder === undefined ? env['WINSOCKD_RECORD'] || null : options.folder;
  const ports = options.ports ?? portsIn(env['WINSOCKD_RECORD_PORTS']);
  const recorder = folder === null ? null : new Recorder(folder, options.limits ?? RECORDER_LIMITS);
  return defineLayer(
    (next, layer) => {
      if (recorder === null) return {};
      const planFor = (role: Role, s: number): StreamPlan => ({
        limit: OPEN_LIMIT,
        async open(pipe): Promise<Codec> {
          const [local, remote] = [
            await nameOf(next.WSPGetSockName, s),
            await nameOf(next.WSPGetPeerName, s),
          ];
          const isWanted = ports.length === 0 || [local, remote].some((name) => ports.includes(portOf(name)));
          const header = { role, local: formatSockaddr(local), remote: formatSockaddr(remote) };
          const recording = isWanted ? recorder.open(header) : null;
          return new RecordingCodec(pipe, recording, layer.ws2.scheduler);
        },
      });
      return streamLayer(next, layer, tables, {
        connect: (s) => planFor('client', s),
        accept: (_listener, s) => planFor('server', s),
        keepsAccepted: () => true,
      }).table;
    },
    { name: 'record', handles: 'own' },
  );
}

/** The layer as it is installed. */
export const WSPStartup: Startup = record();

/** Passes all bytes on, and notes them. */
class RecordingCodec implements Codec {
  readonly #pipe: Pipe;
  readonly #recording: OpenRecording | null;
  readonly #clock: Clock;
  readonly #began: number;

  constructor(pipe: Pipe, recording: OpenRecording | null, clock: Clock) {
    this.#pipe = pipe;
    this.#recording = recording;
    this.#clock = clock;
    this.#began = clock.now();
  }

  async read(into: Uint8Array): Promise<number> {
    const count = await this.#pipe.read(into);
    if (count > 0) this.#recording?.bytes(this.#now(), 'in', into.subarray(0, count));
    else this.#ended('in', count);
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    // Before the write: the peer's answer may come before it has returned.
    this.#recording?.bytes(this.#now(), 'out', bytes);
    const answer = await this.#pipe.write(bytes);
    if (answer < 0) this.#ended('out', answer);
    return answer;
  }

  end(): Promise<number> {
    this.#ended('out', 0);
    return Promise.resolve(0);
  }

  destroy(): void {
    this.#recording?.close();
  }

  #now(): number {
    return this.#clock.now() - this.#began;
  }

  #ended(way: Way, answer: number): void {
    this.#recording?.end(this.#now(), way, answer < 0 ? wsaErrorName(-answer) : null);
  }
}

async function nameOf(call: WSPPROC_TABLE['WSPGetSockName'], s: number): Promise<Uint8Array> {
  const name = new Uint8Array(128);
  const length = { value: name.length };
  return (await call(s, name, length)) < 0 ? new Uint8Array(0) : name.subarray(0, length.value);
}

function portOf(name: Uint8Array): number {
  return readSockaddr(name)?.port ?? -1;
}

function portsIn(text: string | undefined): readonly number[] {
  return (text ?? '')
    .split(',')
    .map((part) => Number(part.trim()))
    .filter((port) => Number.isInteger(port) && port > 0);
}
