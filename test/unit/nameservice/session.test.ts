/** A host's names as its applications ask for them: over a stack, with a DNS server on the wire, in virtual time. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  WSA_E_CANCELLED,
  WSAEINVAL,
  WSAETIMEDOUT,
  WSAHOST_NOT_FOUND,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSATRY_AGAIN,
} from '../../../src/abi/index.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { IpAddress, SeededRandom } from '../../../src/base/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import { DnsProxy, HostTable, ProxyServer, RecordType } from '../../../src/names/index.ts';
import { type NameAnswer, NameFlag, NameOrigin, type NamePort } from '../../../src/port/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;
const { A, AAAA, PTR, TXT } = RecordType;

let time: VirtualTime;
let asking: LocalHost;
let serving: LocalHost;
let names: NamePort;

/** Lets time pass until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  for (let idle = 0; !isDone && idle < 100; ) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isDone && !time.step()) idle++;
  }
  return promise;
}

function addressesOf({ records }: NameAnswer): string[] {
  return records.flatMap((record) => (record.kind === 'address' ? record.address.toString() : []));
}

beforeEach(() => {
  time = new VirtualTime();
  const wire = new MemorySegment({ scheduler: time });
  serving = createLocalHost({
    scheduler: time,
    random: new SeededRandom(1),
    links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }],
  });
  const { network, resolver } = serving.names;
  const proxy = new DnsProxy({
    network,
    resolver,
    domain: 'lab',
    names: () => [
      { name: 'nas', address: ip('10.0.0.7') },
      { name: 'nas', address: ip('fd00::7') },
    ],
  });
  ProxyServer.open(proxy, network, ip('10.0.0.1'));
  asking = createLocalHost({
    scheduler: time,
    random: new SeededRandom(2),
    links: [{ link: wire.port(), addresses: ['10.0.0.2/24', '169.254.1.1/16'] }],
    names: {
      hostName: 'client',
      servers: [ip('10.0.0.1')],
      searchList: ['lab'],
      hosts: HostTable.parse('10.3.0.1 printer\nfd00::9 pair\n10.3.0.2 pair\n169.254.1.9 pair\n'),
    },
  });
  names = asking.openNames();
});

afterEach(() => {
  asking.close();
  serving.close();
});

describe('an application that asks its host', () => {
  test('API-gethostbyname its own name and addresses, of interfaces that are up', async () => {
    expect(await names.host()).toEqual({
      name: 'client',
      domain: 'lab',
      addresses: [
        { address: ip('10.0.0.2'), interfaceIndex: 2 },
        { address: ip('169.254.1.1'), interfaceIndex: 2 },
      ],
    });
    const own = await settled(names.resolve({ name: 'client', types: [A] }));
    expect(own).toMatchObject({ status: 'found', origin: NameOrigin.local });
    // The smaller scope first (RFC 6724 §6 rule 8).
    expect(addressesOf(own)).toEqual(['169.254.1.1', '10.0.0.2']);
  });

  test('a short name through the search list, by a server', async () => {
    const answer = await settled(names.resolve({ name: 'nas', types: [A] }));
    expect(answer).toMatchObject({ error: 0, name: 'nas.lab', origin: NameOrigin.dns });
    expect(addressesOf(answer)).toEqual(['10.0.0.7']);
    expect(await settled(names.resolve({ name: 'nas', types: [A] }))).toMatchObject({
      origin: NameOrigin.cache,
    });
    const unsuffixed = await settled(names.resolve({ name: 'nas', types: [A], flags: NameFlag.full }));
    expect(unsuffixed.name).toBe('nas');
  });

  test('RFC 6724 §6 several types are asked for at once, addresses come in the order in which to try them', async () => {
    // The host has no IPv6 address but link-local ones: nothing can be sent to fd00::9 (rule 1).
    const answer = await settled(names.resolve({ name: 'pair', types: [AAAA, A] }));
    expect(answer.origin).toBe(NameOrigin.hosts);
    expect(addressesOf(answer)).toEqual(['169.254.1.9', '10.3.0.2', 'fd00::9']);
  });

  test('SEM-GAI-03 what there is not, in the codes of Winsock', async () => {
    const errorOf = async (name: string, types: number[]): Promise<number> =>
      (await settled(names.resolve({ name, types }))).error;
    expect(await errorOf('printer', [AAAA])).toBe(WSANO_DATA);
    expect(await errorOf('absent.invalid', [A])).toBe(WSAHOST_NOT_FOUND);
    // The server has nobody to ask.
    expect(await errorOf('absent', [A])).toBe(WSATRY_AGAIN);
    expect(await errorOf('not a name', [A])).toBe(WSANO_RECOVERY);
    expect(await errorOf('x'.repeat(2000), [A])).toBe(WSAEINVAL);
    for (const types of [[], [0], [41], [251], [65_536], [1.5], new Array(9).fill(A)])
      expect(await errorOf('nas', types)).toBe(WSAEINVAL);
    expect((await settled(names.resolve({ name: 'nas', types: [TXT] }))).records).toEqual([]);
  });

  test('origins say who may be asked', async () => {
    const ask = (name: string, origins: number): Promise<NameAnswer> =>
      settled(names.resolve({ name, types: [A], origins }));
    expect((await ask('printer', NameOrigin.hosts)).error).toBe(0);
    expect((await ask('printer', NameOrigin.all & ~NameOrigin.hosts)).error).toBe(WSATRY_AGAIN);
    expect((await ask('client', NameOrigin.local)).error).toBe(0);
    expect((await ask('nas', NameOrigin.local | NameOrigin.hosts | NameOrigin.cache)).error).toBe(
      WSAHOST_NOT_FOUND,
    );
    expect((await ask('nas', NameOrigin.dns)).origin).toBe(NameOrigin.dns);
    expect((await ask('nas', NameOrigin.cache)).origin).toBe(NameOrigin.cache);
    expect((await ask('nas', NameOrigin.dns)).origin).toBe(NameOrigin.dns);
    expect((await ask('nas', 0)).error).toBe(WSAHOST_NOT_FOUND);
  });

  test('addressConfig asks only for the families that the host has', async () => {
    const flags = NameFlag.addressConfig;
    expect(addressesOf(await settled(names.resolve({ name: 'pair', types: [AAAA, A], flags })))).toEqual([
      '169.254.1.9',
      '10.3.0.2',
    ]);
    expect(await names.resolve({ name: 'pair', types: [AAAA], flags })).toMatchObject({ error: WSANO_DATA });
    expect(asking.names.resolver.counters.queries).toBe(0);
  });

  test('API-gethostbyaddr the names of an address', async () => {
    const answer = await settled(names.reverse(ip('10.3.0.1')));
    expect(answer).toMatchObject({ error: 0, origin: NameOrigin.hosts });
    expect(answer.records).toMatchObject([{ type: PTR, target: 'printer' }]);
    expect((await settled(names.reverse(ip('10.0.0.2')))).records).toMatchObject([{ target: 'client' }]);
    expect((await settled(names.reverse(ip('10.0.0.7')))).records).toMatchObject([{ target: 'nas.lab' }]);
    expect((await settled(names.reverse(ip('10.0.0.99')))).status).not.toBe('found');
  });

  test('a time-out ends a question that nobody answers', async () => {
    serving.close();
    const begun = time.now();
    const answer = await settled(names.resolve({ name: 'nas', types: [A], timeoutMs: 250 }));
    expect(answer).toMatchObject({ status: 'temporary', error: WSAETIMEDOUT, records: [] });
    expect(time.now() - begun).toBe(250);
  });

  test('an application that asks for very much at once keeps few questions under way, and gets all its answers', async () => {
    const all = Array.from({ length: 300 }, (_, n) => names.resolve({ name: `h${n}.lab`, types: [A] }));
    const other = asking.openNames();
    const theirs = other.resolve({ name: 'nas', types: [A] });
    let most = 0;
    for (let step = 0; step < 50; step++) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, [...asking.host.stack.endpoints()].length);
      time.step();
    }
    expect(most).toBeGreaterThan(32);
    expect(most).toBeLessThanOrEqual(65);
    expect(addressesOf(await settled(theirs))).toEqual(['10.0.0.7']);
    const answers = await settled(Promise.all(all));
    expect(answers.every(({ status }) => status === 'temporary')).toBe(true);
  });

  test('a signal, or the end of the session, cancels; others who ask the same go on', async () => {
    const abort = new AbortController();
    const other = asking.openNames();
    const mine = names.resolve({ name: 'nas', types: [A] }, abort.signal);
    const ours = names.resolve({ name: 'nas', types: [A] });
    const theirs = other.resolve({ name: 'nas', types: [A] });
    abort.abort();
    names.close();
    expect(await mine).toMatchObject({ status: 'cancelled', error: WSA_E_CANCELLED });
    expect((await ours).status).toBe('cancelled');
    expect(addressesOf(await settled(theirs))).toEqual(['10.0.0.7']);
    expect(await names.host()).toBeNull();
    expect((await names.resolve({ name: 'printer', types: [A] })).status).toBe('cancelled');
  });
});
