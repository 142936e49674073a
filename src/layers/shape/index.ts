/**
 * shape: a layer that makes paths slow, narrow and faulty for an application, by destination, from a seed.
 *
 * The lesson: a layer that keeps time. Bytes of streams are under way inside the layer, and readiness is the layer's: a socket is writable
 * when the narrow path takes more, readable when something has come out of it.
 *
 *     export const WSPStartup = shape({ shapes: parseShapes('{ "shapes": [{ "latencyMs": 80 }] }') });
 *
 * Installed as `winsockd/layers/shape` it reads the file that `WINSOCKD_SHAPE` names, once, and does nothing when that is not set. See
 * {@link parseShapes} for how shapes are written. A connection that breaks answers WSAECONNRESET at once; its peer hears of it when
 * the application closes the socket. What is under way when a socket is closed goes out within two seconds, unless SO_LINGER says
 * otherwise. Datagrams of overlapped calls are left alone.
 */

import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import {
  FIONBIO,
  SO_LINGER,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAECONNREFUSED,
  writeLINGER,
} from '../../abi/index.ts';
import { i32le, randomBelow, randomFraction, SeededRandom } from '../../base/index.ts';
import {
  type Answer,
  defineLayer,
  type Layer,
  type WSPStartup as Startup,
  type WSABUF,
  type WSPPROC_TABLE,
} from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { programsOf } from '../application.ts';
import type { Application, Protocol } from '../firewall/index.ts';
import { type Place, placeIn } from '../places.ts';
import { type StreamPlan, type StreamTables, streamLayer } from '../stream/index.ts';
import { datagramCalls } from './datagrams.ts';
import { ShapedCodec } from './shaped-codec.ts';
import { parseShapes, type Shape, type ShapeSet, shapeFor } from './shapes.ts';

export { parseShapes, type Shape, type ShapeSet, ShapesError, shapeFor, UNSHAPED } from './shapes.ts';

export interface ShapeOptions {
  /** What the file that the environment names says, when absent. */
  readonly shapes?: ShapeSet;
  /** Whose application it is; the one whose calls come when absent. */
  readonly application?: Application;
}

/** Nothing is exchanged before the first byte. */
const OPEN_LIMIT = 1000;

/** Makes the layer. All its chains in a process draw from one seed. */
export function shape(options: ShapeOptions = {}): Startup {
  const tables: StreamTables = new WeakMap();
  let set: ShapeSet | null = null;
  let random = new SeededRandom(0);
  return defineLayer(
    (next, layer) => {
      if (set === null) {
        set = options.shapes ?? readShapes(env['WINSOCKD_SHAPE']);
        random = new SeededRandom(set.seed);
      }
      const shapes = set;
      const application = options.application ?? { programs: programsOf(layer), users: [] };
      if (shapes.shapes.length === 0) return {};
      const { iSocketType } = layer.chain;
      const protocol: Protocol =
        iSocketType === SOCK_STREAM ? 'tcp' : iSocketType === SOCK_DGRAM ? 'udp' : 'raw';
      const shapeOf = (place: Place): Shape | null => shapeFor(shapes, application, protocol, place);
      return protocol === 'tcp'
        ? streamCalls(next, layer, tables, shapeOf, random)
        : datagramCalls(next, shapeOf, random, layer.ws2.scheduler);
    },
    { name: 'shape', handles: 'own' },
  );
}

/** The layer as it is installed. */
export const WSPStartup: Startup = shape();

function streamCalls(
  next: WSPPROC_TABLE,
  layer: Layer,
  tables: StreamTables,
  shapeOf: (place: Place) => Shape | null,
  random: SeededRandom,
): Partial<WSPPROC_TABLE> {
  const shaped = new Map<number, Shape>();
  const nonBlocking = new Set<number>();
  const breakBelow = (s: number): void => {
    const linger = new Uint8Array(4);
    writeLINGER(linger, 0, { l_onoff: 1, l_linger: 0 });
    void next.WSPSetSockOpt(s, SOL_SOCKET, SO_LINGER, linger, linger.length);
  };
  const plan = (s: number, found: Shape): StreamPlan => {
    shaped.set(s, found);
    return {
      limit: OPEN_LIMIT,
      open: async (pipe) => new ShapedCodec(pipe, found, random, layer.ws2.scheduler, () => breakBelow(s)),
    };
  };
  const { table } = streamLayer(next, layer, tables, {
    connect(s, name) {
      const place = placeIn(name, name.length);
      const found = place === null ? null : shapeOf(place);
      if (found === null) return null;
      if (found.refuse > 0 && randomFraction(random) < found.refuse) return -WSAECONNREFUSED;
      return plan(s, found);
    },
    closed(s) {
      shaped.delete(s);
      nonBlocking.delete(s);
    },
  });
  const { WSPSend = next.WSPSend, WSPIoctl = next.WSPIoctl, WSPEventSelect = next.WSPEventSelect } = table;
  return {
    ...table,
    WSPSend(s, buffers, count, flags, lpOverlapped, ...rest): Answer {
      const probability = nonBlocking.has(s) ? (shaped.get(s)?.shortWrites ?? 0) : 0;
      if (probability === 0 || lpOverlapped !== null || randomFraction(random) >= probability) {
        return WSPSend(s, buffers, count, flags, lpOverlapped, ...rest);
      }
      const part = partOf(buffers, count, random);
      return WSPSend(s, part ?? buffers, part?.length ?? count, flags, lpOverlapped, ...rest);
    },
    WSPIoctl: (s, code, input, ...rest) =>
      whenAnswered(WSPIoctl(s, code, input, ...rest), (answer) => {
        if (answer < 0 || code >>> 0 !== FIONBIO || input === null) return answer;
        if (i32le(input, 0) !== 0) nonBlocking.add(s);
        else nonBlocking.delete(s);
        return answer;
      }),
    WSPEventSelect: (s, hEvent, mask) =>
      whenAnswered(WSPEventSelect(s, hEvent, mask), (answer) => {
        if (answer >= 0 && mask !== 0) nonBlocking.add(s);
        return answer;
      }),
  };
}

/** The first bytes of some buffers, at least one and not all; `null` when there is nothing to cut. */
function partOf(buffers: readonly WSABUF[] | null, count: number, random: SeededRandom): WSABUF[] | null {
  const all = buffers?.slice(0, count) ?? [];
  const total = all.reduce((sum, { length }) => sum + length, 0);
  if (total < 2) return null;
  let left = 1 + randomBelow(random, total - 1);
  const part: WSABUF[] = [];
  for (const buffer of all) {
    part.push(buffer.subarray(0, left));
    left -= Math.min(left, buffer.length);
  }
  return part;
}

function readShapes(path: string | undefined): ShapeSet {
  return path === undefined || path === ''
    ? { seed: 0, shapes: [] }
    : parseShapes(readFileSync(path, 'utf8'));
}
