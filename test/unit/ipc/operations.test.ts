/** Every operation that the protocol has a number for: the numbers differ, and somebody on the other side carries it out. */

import { afterEach, expect, test } from '@jest/globals';
import { FIONREAD, WSAEOPNOTSUPP } from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { catalogPort, openCatalog } from '../../../src/catalog/index.ts';
import { CatalogOp, NameOp, WatchOp } from '../../../src/ipc/index.ts';
import { AfdOp, type CatalogPort, type NamePort, type SpacePort } from '../../../src/port/index.ts';
import { createRig } from '../afd/rig.ts';
import { DEFAULTS } from '../catalog/support.ts';
import { eventually, Harness } from './harness.ts';

let harness: Harness | null = null;
afterEach(() => harness?.close());

const UNKNOWN = 250;

test('no two operations have the same number, and each fits its field', () => {
  const numbers = [AfdOp, NameOp, CatalogOp, WatchOp].flatMap((table) => Object.values<number>(table));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((each) => Number.isInteger(each) && each > 0 && each < 0x1_0000)).toBe(true);
  expect(numbers).not.toContain(UNKNOWN);
});

test.each(Object.entries(AfdOp))('the sockets carry %s out', (_name, op) => {
  const client = createRig().client.client();
  const refusals = [client.stream(), client.datagram()].map((descriptor) => {
    const { pended, error } = client.call(op, descriptor, { a: op === AfdOp.ioctl ? FIONREAD : 0 });
    return !pended && error === WSAEOPNOTSUPP;
  });
  expect(refusals).toContain(false);
});

test('the sockets refuse an operation that there is not', () => {
  const client = createRig().client.client();
  for (const descriptor of [client.stream(), client.datagram()]) {
    expect(client.call(UNKNOWN as AfdOp, descriptor)).toMatchObject({ pended: false, error: WSAEOPNOTSUPP });
  }
});

/** A port whose calls are written down: carried out by another one, or never answered. */
function recorder<T extends object>(calls: string[], members: Partial<T> = {}): T {
  const handler: ProxyHandler<T> = {
    get: (_target, member) => {
      const own: unknown = Reflect.get(members, member);
      if (typeof member === 'symbol' || (own !== undefined && typeof own !== 'function')) return own;
      return (...args: unknown[]): unknown => {
        calls.push(member);
        return typeof own === 'function' ? own.apply(members, args) : new Promise(() => {});
      };
    },
  };
  return new Proxy({} as T, handler);
}

test('the names and the catalog carry each of theirs out', async () => {
  const calls: string[] = [];
  const keeper = openCatalog({ directory: null, defaults: DEFAULTS });
  const kept = catalogPort(keeper, { uid: 0, pid: 1, program: 'test' }, true);
  harness = await Harness.start({
    openNames: () => recorder<NamePort>(calls, { close() {}, spaces: recorder<SpacePort>(calls) }),
    openCatalog: () => recorder<CatalogPort>(calls, kept),
  });
  const { names, catalog } = (await harness.client()).port;
  const { spaces } = names;
  const id = '00000000-0000-0000-0000-000000000001';
  const service = { instance: 'i', type: '_x._tcp', subtypes: [], port: 1, texts: [] };
  const none = new Uint8Array(0);
  /** What has the client send each of them. */
  const asks: Record<keyof typeof NameOp | keyof typeof CatalogOp, () => unknown> = {
    resolve: () => names.resolve({ name: 'x', types: [1] }),
    reverse: () => names.reverse(IpAddress.loopbackV4),
    host: () => names.host(),
    register: () => names.register(service),
    deregister: () => names.deregister(1),
    rename: () => names.rename('x'),
    announce: () => spaces?.announce(id),
    withdraw: () => spaces?.withdraw(id),
    nextCall: () => spaces?.nextCall(),
    answerCall: () => spaces?.answerCall(1, none),
    callProvider: () => spaces?.callProvider(id, none),
    read: () => catalog.read(),
    apply: () => catalog.apply({ kind: 'reset', what: 'all' }),
    history: () => catalog.history(),
    watch: () => catalog.watch(() => {}),
  };
  for (const [name, ask] of Object.entries(asks)) {
    calls.length = 0;
    Promise.resolve(ask()).catch(() => {});
    await eventually(() => calls.includes(name));
  }
  keeper.close();
});
