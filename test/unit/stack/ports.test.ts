import { describe, expect, test } from '@jest/globals';
import { IpAddress, SeededRandom } from '../../../src/base/index.ts';
import { type PortSharing, StackError } from '../../../src/stack/api.ts';
import { EPHEMERAL_FIRST, EPHEMERAL_LAST, type PortBinding, PortTable } from '../../../src/stack/ports.ts';
import { ip } from './support.ts';

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
const SPECIFIC = ip('10.0.0.2');
const USE = StackError.addressInUse;
const ACC = StackError.accessDenied;

function makeTable(seed = 3): PortTable {
  return new PortTable(new SeededRandom(seed), SECRET);
}

function claimed(result: PortBinding | number): PortBinding {
  if (typeof result === 'number') throw new Error(`bind failed with ${result}`);
  return result;
}

/** Rows and columns as spec §3.5 prints them: none W, none S, REUSE W, REUSE S, EXCL W, EXCL S. */
const COLUMNS: readonly (readonly [PortSharing, IpAddress])[] = [
  ['none', IpAddress.anyV4],
  ['none', SPECIFIC],
  ['reuse', IpAddress.anyV4],
  ['reuse', SPECIFIC],
  ['exclusive', IpAddress.anyV4],
  ['exclusive', SPECIFIC],
];
const MATRICES = [
  ['SEM-BIND-01', 0, true, ['USE', 'ok', 'ACC', 'ok', 'USE', 'ok']],
  ['SEM-BIND-02', 1, true, ['ok', 'USE', 'ok', 'ACC', 'USE', 'USE']],
  ['SEM-BIND-03', 2, true, ['USE', 'ok', 'ok', 'ok', 'USE', 'ok']],
  ['SEM-BIND-04', 3, true, ['ok', 'USE', 'ok', 'ok', 'USE', 'USE']],
  ['SEM-BIND-05', 4, true, ['USE', 'ACC', 'ACC', 'ACC', 'USE', 'ACC']],
  ['SEM-BIND-06', 5, true, ['ok', 'USE', 'ok', 'ACC', 'USE', 'USE']],
  ['SEM-BIND-07', 0, false, ['USE', 'ACC', 'ACC', 'ACC', 'USE', 'ACC']],
  ['SEM-BIND-08', 1, false, ['ok', 'USE', 'ok', 'ACC', 'USE', 'USE']],
  ['SEM-BIND-09', 2, false, ['USE', 'ACC', 'ok', 'ok', 'USE', 'ACC']],
  ['SEM-BIND-10', 3, false, ['ok', 'USE', 'ok', 'ok', 'USE', 'USE']],
  ['SEM-BIND-11', 4, false, ['USE', 'ACC', 'ACC', 'ACC', 'USE', 'ACC']],
  ['SEM-BIND-12', 5, false, ['ok', 'USE', 'ok', 'ACC', 'USE', 'USE']],
] as const;

describe('bind: address sharing', () => {
  test.each(MATRICES)('%s the row of the matrix', (_id, row, isSameOwner, expected) => {
    const answers = COLUMNS.map(([sharing, address]) => {
      const table = makeTable();
      const [firstSharing, firstAddress] = COLUMNS[row] as (typeof COLUMNS)[number];
      claimed(table.bind(firstAddress, 80, firstSharing, 1));
      const second = table.bind(address, 80, sharing, isSameOwner ? 1 : 2);
      if (typeof second !== 'number') return 'ok';
      return { [USE]: 'USE', [ACC]: 'ACC' }[second];
    });
    expect(answers).toEqual(expected);
  });

  test('SEM-BIND-17 different specific addresses never conflict', () => {
    const table = makeTable();
    claimed(table.bind(ip('10.0.0.2'), 80, 'exclusive', 1));
    expect(claimed(table.bind(ip('10.0.0.3'), 80, 'exclusive', 2)).port).toBe(80);
  });

  test('a third bind is refused when any of the two before it conflicts', () => {
    const table = makeTable();
    claimed(table.bind(SPECIFIC, 80));
    claimed(table.bind(ip('10.0.0.3'), 80));
    expect(table.bind(ip('10.0.0.3'), 80)).toBe(USE);
  });

  test('a released port can be bound again, and nothing is left of it', () => {
    const table = makeTable();
    const first = claimed(table.bind(IpAddress.anyV4, 80, 'exclusive'));
    table.release(first);
    expect(table.size).toBe(0);
    claimed(table.bind(IpAddress.anyV4, 80));
    expect(table.isBound(80)).toBe(true);
  });

  test("SEM-BIND-21 an exclusive listener's port stays taken while its connections are open", () => {
    const table = makeTable();
    const listener = claimed(table.bind(IpAddress.anyV4, 80, 'exclusive'));
    const connection = table.inherit(listener);
    table.release(listener);
    expect(table.bind(IpAddress.anyV4, 80, 'exclusive')).toBe(USE);
    table.release(connection as PortBinding);
    claimed(table.bind(IpAddress.anyV4, 80, 'exclusive'));
  });

  test("SEM-BIND-21 another listener's port is free as soon as it is closed", () => {
    const table = makeTable();
    const listener = claimed(table.bind(IpAddress.anyV4, 80));
    expect(table.inherit(listener)).toBeNull();
    table.release(listener);
    claimed(table.bind(IpAddress.anyV4, 80));
  });
});

describe('RFC 6056 ephemeral ports', () => {
  const NO_TUPLES = { get: () => null };

  test('SEM-BIND-22 port 0 gives an unused port of 49152 … 65535', () => {
    const table = makeTable();
    const ports = new Set<number>();
    for (let i = 0; i < 500; i++) ports.add(claimed(table.bind(IpAddress.anyV4, 0)).port);
    expect(ports.size).toBe(500);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(EPHEMERAL_FIRST);
    expect(Math.max(...ports)).toBeLessThanOrEqual(EPHEMERAL_LAST);
  });

  test('when every ephemeral port is taken bind says noBuffers', () => {
    const table = makeTable();
    for (let port = EPHEMERAL_FIRST; port <= EPHEMERAL_LAST; port++) table.bind(IpAddress.anyV4, port);
    expect(table.bind(IpAddress.anyV4, 0, 'reuse')).toBe(StackError.noBuffers);
    expect(table.bindForConnect(SPECIFIC, ip('10.0.0.9'), 80, 0, NO_TUPLES)).toBe(StackError.noBuffers);
  });

  test('RFC 6056 §3.3.4 ports to one peer follow each other in steps of chance, those to another start elsewhere', () => {
    const table = makeTable();
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    const portTo = (peer: string): number =>
      claimed(table.bindForConnect(SPECIFIC, ip(peer), 80, 0, NO_TUPLES)).port;
    let last = portTo('10.0.0.9');
    const other = portTo('10.0.0.10');
    expect(Math.abs(other - last)).toBeGreaterThan(100);
    const steps = new Set<number>();
    for (let i = 0; i < 200; i++) {
      // What goes to others moves nothing here.
      portTo('10.0.0.10');
      const next = portTo('10.0.0.9');
      steps.add((next - last + count) % count);
      last = next;
    }
    expect([...steps].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('RFC 6056 §3.3.4 another secret gives other ports', () => {
    const others = new PortTable(
      new SeededRandom(3),
      SECRET.map((byte) => byte ^ 0x5a),
    );
    const peer = ip('10.0.0.9');
    const one = claimed(makeTable().bindForConnect(SPECIFIC, peer, 80, 0, NO_TUPLES)).port;
    expect(claimed(others.bindForConnect(SPECIFIC, peer, 80, 0, NO_TUPLES)).port).not.toBe(one);
  });

  test('more connections than ports share them as long as their peers differ', () => {
    const table = makeTable();
    const taken = new Set<string>();
    const tuples = {
      get: (_local: IpAddress, port: number, remote: IpAddress) =>
        taken.has(`${port} ${remote.w3}`) ? {} : null,
    };
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    for (let peer = 1; peer <= 2; peer++) {
      const remote = IpAddress.v4(peer);
      for (let i = 0; i < count; i++) {
        taken.add(`${claimed(table.bindForConnect(SPECIFIC, remote, 80, 0, tuples)).port} ${peer}`);
      }
    }
    expect(taken.size).toBe(2 * count);
    expect(table.bindForConnect(SPECIFIC, IpAddress.v4(1), 80, 0, tuples)).toBe(StackError.noBuffers);
  });

  test('a shared ephemeral port is free only when its last connection has released it', () => {
    const table = makeTable();
    const open: PortBinding[] = [];
    for (let i = 0; i <= EPHEMERAL_LAST - EPHEMERAL_FIRST + 1; i++) {
      open.push(claimed(table.bindForConnect(SPECIFIC, IpAddress.v4(i), 80, 0, NO_TUPLES)));
    }
    const shared = open.find((binding) => binding.users === 2) as PortBinding;
    table.release(shared);
    expect(table.isBound(shared.port)).toBe(true);
    table.release(shared);
    expect(table.isBound(shared.port)).toBe(false);
  });

  test('a port that somebody bound is never chosen for a connection', () => {
    const table = makeTable();
    const first = claimed(table.bindForConnect(SPECIFIC, ip('10.0.0.9'), 80, 0, NO_TUPLES)).port;
    for (let step = 1; step <= 20; step++) claimed(table.bind(IpAddress.anyV4, first + step, 'reuse'));
    expect(claimed(table.bindForConnect(SPECIFIC, ip('10.0.0.9'), 80, 0, NO_TUPLES)).port).toBe(first + 21);
  });
});
