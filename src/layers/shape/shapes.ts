/**
 * What a path is made to be, and how that is written: JSON, every number with its unit in its name.
 *
 *     { "seed": 7,
 *       "shapes": [
 *         { "remote": "10.0.0.0/8", "remotePort": [80, 443], "latencyMs": 80, "jitterMs": 20, "bytesPerSecond": 125000 },
 *         { "protocol": "udp", "drop": 0.02 },
 *         { "program": "/opt/old/*", "refuse": 0.5, "resetAfterBytes": 100000, "shortWrites": 0.3 } ] }
 *
 * The first shape that fits counts. Probabilities are from 0 to 1.
 */

import { type Prefix, parsePrefix } from '../../base/index.ts';
import { type Application, isIn, type Place, type PortRange, type Protocol } from '../firewall/index.ts';

export interface Shape {
  /** Paths with `*` for any characters; `null`: every program. */
  readonly programs: readonly RegExp[] | null;
  readonly protocols: readonly Protocol[] | null;
  readonly remote: readonly Prefix[] | null;
  readonly remotePorts: readonly PortRange[] | null;
  /** One way; as much comes on top in the other. */
  readonly latencyMs: number;
  /** Up to that much more, for each piece; a stream stays in order. */
  readonly jitterMs: number;
  /** Each way; 0: as fast as can be. */
  readonly bytesPerSecond: number;
  /** How likely a connect is refused. */
  readonly refuse: number;
  /** How likely each piece of a stream, of 16 KB at most, breaks the connection. */
  readonly reset: number;
  /** The connection breaks when so many bytes have gone, both ways together; 0: never. */
  readonly resetAfterBytes: number;
  /** How likely a send on a non-blocking stream socket takes only a part. */
  readonly shortWrites: number;
  /** How likely a datagram is lost, either way. */
  readonly drop: number;
}

export interface ShapeSet {
  readonly seed: number;
  readonly shapes: readonly Shape[];
}

/** Shapes that cannot be read; the message has a line for each mistake. */
export class ShapesError extends Error {
  override readonly name = 'ShapesError';
}

/** A path as it is. */
export const UNSHAPED: Shape = {
  programs: null,
  protocols: null,
  remote: null,
  remotePorts: null,
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  refuse: 0,
  reset: 0,
  resetAfterBytes: 0,
  shortWrites: 0,
  drop: 0,
};

/** The shape of a path; `null`: it stays as it is. */
export function shapeFor(
  { shapes }: ShapeSet,
  application: Application,
  protocol: Protocol,
  { address, port }: Place,
): Shape | null {
  const found = shapes.find(
    ({ programs, protocols, remote, remotePorts }) =>
      (programs === null ||
        programs.some((pattern) => application.programs.some((path) => pattern.test(path)))) &&
      (protocols === null || protocols.includes(protocol)) &&
      (remote === null || remote.some((prefix) => isIn(address, prefix))) &&
      (remotePorts === null || remotePorts.some(({ first, last }) => port >= first && port <= last)),
  );
  return found ?? null;
}

const PROBABILITIES = ['refuse', 'reset', 'shortWrites', 'drop'] as const;
const AMOUNTS = ['latencyMs', 'jitterMs', 'bytesPerSecond', 'resetAfterBytes'] as const;
/** Longest delay: an hour. */
const MOST = { latencyMs: 3_600_000, jitterMs: 3_600_000, bytesPerSecond: 1e12, resetAfterBytes: 1e15 };
const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'raw'];
const MEMBERS: readonly string[] = [
  'program',
  'protocol',
  'remote',
  'remotePort',
  ...AMOUNTS,
  ...PROBABILITIES,
];

/** @throws {ShapesError} */
export function parseShapes(text: string): ShapeSet {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ShapesError('no JSON');
  }
  const mistakes: string[] = [];
  const top = membersOf(json, 'the file', ['seed', 'shapes'], mistakes);
  const { seed = 1, shapes = [] } = top;
  if (!Number.isInteger(seed)) mistakes.push('seed: it has to be a whole number');
  if (!Array.isArray(shapes)) mistakes.push('shapes: it has to be a list');
  const list: readonly unknown[] = Array.isArray(shapes) ? shapes : [];
  const set = {
    seed: Number(seed),
    shapes: list.map((shape, i) => readShape(shape, `shapes[${i}]`, mistakes)),
  };
  if (mistakes.length > 0) throw new ShapesError(mistakes.join('\n'));
  return set;
}

type Members = { readonly [name: string]: unknown };

function readShape(json: unknown, at: string, mistakes: string[]): Shape {
  const members = membersOf(json, at, MEMBERS, mistakes);
  const numbers: { [name: string]: number } = {};
  for (const name of [...PROBABILITIES, ...AMOUNTS]) {
    const value = members[name] ?? 0;
    const most = (MOST as { readonly [name: string]: number })[name] ?? 1;
    if (typeof value !== 'number' || !(value >= 0 && value <= most)) {
      mistakes.push(`${at}.${name}: it has to be a number from 0 to ${most}`);
    } else numbers[name] = value;
  }
  const list = <T>(
    name: string,
    read: (value: unknown) => T | null,
    expected: string,
  ): readonly T[] | null => {
    const value = members[name];
    if (value === undefined) return null;
    const values: T[] = [];
    for (const each of Array.isArray(value) ? value : [value]) {
      const found = read(each);
      if (found === null)
        mistakes.push(`${at}.${name}: it has to be ${expected}, not ${JSON.stringify(each)}`);
      else values.push(found);
    }
    return values;
  };
  return {
    ...UNSHAPED,
    ...numbers,
    programs: list('program', patternOf, 'the path of a program'),
    protocols: list(
      'protocol',
      (value) => PROTOCOLS.find((each) => each === value) ?? null,
      'tcp, udp or raw',
    ),
    remote: list(
      'remote',
      (value) => (typeof value === 'string' ? parsePrefix(value) : null),
      'an address or prefix',
    ),
    remotePorts: list('remotePort', portsOf, 'a port or a range such as "8000-8010"'),
  };
}

function membersOf(json: unknown, at: string, known: readonly string[], mistakes: string[]): Members {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    mistakes.push(`${at}: it has to be an object`);
    return {};
  }
  for (const name of Object.keys(json)) {
    if (!known.includes(name)) mistakes.push(`${at}: there is no ${name}; there are ${known.join(', ')}`);
  }
  return json as Members;
}

function patternOf(value: unknown): RegExp | null {
  if (typeof value !== 'string' || value === '') return null;
  const literal = value.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/\*+/g, '.*')}$`, 's');
}

function portsOf(value: unknown): PortRange | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value));
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  return match !== null && first <= last && last <= 0xffff ? { first, last } : null;
}
