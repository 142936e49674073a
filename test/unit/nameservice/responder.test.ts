/** Hosts that answer for themselves on a wire: names, services, contradictions, over whole stacks, in virtual time. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  WSA_E_CANCELLED,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  WSANO_RECOVERY,
  WSASERVICE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { IpAddress, SeededRandom } from '../../../src/base/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import { RecordType, recordText } from '../../../src/names/index.ts';
import {
  type NameAnswer,
  NameOrigin,
  type NamePort,
  NO_NAMES,
  type OfferedService,
} from '../../../src/port/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;
const { A, AAAA, PTR, SRV, TXT } = RecordType;
const PRINTER: OfferedService = {
  instance: 'Print Room',
  type: '_ipp._tcp',
  subtypes: ['_color'],
  port: 631,
  texts: [Buffer.from('rp=queue')],
};

let time: VirtualTime;
let wire: MemorySegment;
let hosts: LocalHost[];
let alpha: LocalHost;
let beta: LocalHost;
let asking: NamePort;
let offering: NamePort;

function host(hostName: string, address: string): LocalHost {
  const made = createLocalHost({
    scheduler: time,
    random: new SeededRandom(hosts.length + 1),
    links: [{ link: wire.port(), addresses: [`${address}/24`] }],
    names: { hostName, mdns: true, responder: true },
  });
  hosts.push(made);
  return made;
}

async function pass(ms: number): Promise<void> {
  const end = time.now() + ms;
  do await new Promise((resolve) => setImmediate(resolve));
  while (time.step(end));
  time.skipTo(end);
}

/** Lets time pass until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  for (let turns = 0; !isDone && turns < 2000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isDone) time.step();
  }
  if (!isDone) throw new Error('the promise was not settled');
  return promise;
}

const ask = (name: string, ...types: number[]): Promise<NameAnswer> =>
  settled(asking.resolve({ name, types }));
const data = ({ records }: NameAnswer): string[] => records.map((record) => recordText(record));

beforeEach(async () => {
  time = new VirtualTime();
  wire = new MemorySegment({ scheduler: time });
  hosts = [];
  alpha = host('alpha.example', '10.0.0.1');
  beta = host('beta', '10.0.0.2');
  offering = alpha.openNames();
  asking = beta.openNames();
  await pass(5000);
});

afterEach(() => {
  for (const each of hosts) each.close();
});

describe('hosts on a wire', () => {
  test('RFC 6762 §3 one finds the other by its first label under .local, and by its address', async () => {
    expect(await ask('alpha.local', A)).toMatchObject({ status: 'found', origin: NameOrigin.mdns });
    expect(data(await ask('alpha.local', A))).toEqual(['10.0.0.1']);
    expect((await ask('alpha.local', AAAA)).status).toBe('noData');
    expect((await ask('gamma.local', A)).status).toBe('noName');
    const reverse = await settled(asking.reverse(ip('10.0.0.1'), { origins: NameOrigin.mdns }));
    expect(data(reverse)).toEqual(['alpha.local']);
    // Without name servers a short name is one of the link.
    expect(
      data(await settled(asking.resolve({ name: 'alpha', types: [A], origins: NameOrigin.mdns }))),
    ).toEqual(['10.0.0.1']);
  });

  test('a host knows its own name on the link without asking', async () => {
    expect(await ask('beta.local', A)).toMatchObject({ origin: NameOrigin.local });
    expect(data(await ask('BETA.local', A))).toEqual(['10.0.0.2']);
  });

  test.each(['', 'a b', '-', 'x'.repeat(64), 'ä'])('a host whose name is %j answers nobody', (name) => {
    expect(host(name, '10.0.0.9').names).toMatchObject({ responder: null, llmnrResponder: null });
  });

  test('RFC 6762 §9 who comes with a name that is there takes another', async () => {
    const late = host('alpha', '10.0.0.3');
    await pass(5000);
    expect([alpha, late].map(({ names }) => names.responder?.hostName)).toEqual([
      'alpha.local',
      'alpha-2.local',
    ]);
    expect(data(await ask('alpha-2.local', A))).toEqual(['10.0.0.3']);
    expect(data(await ask('alpha.local', A))).toEqual(['10.0.0.1']);
  });

  test('RFC 6762 §8.2 of two that come at once one gives in', async () => {
    const twins = [host('twin', '10.0.0.5'), host('twin', '10.0.0.6')];
    await pass(10_000);
    expect(twins.map(({ names }) => names.responder?.hostName).sort()).toEqual([
      'twin-2.local',
      'twin.local',
    ]);
  });

  test('RFC 6762 §9 a host that is called something else takes the new name, and leaves the old one', async () => {
    expect((await ask('alpha.local', A)).status).toBe('found');
    expect(await offering.rename('gamma.example')).toBe(0);
    await pass(130_000);
    expect(data(await ask('gamma.local', A))).toEqual(['10.0.0.1']);
    expect((await ask('alpha.local', A)).status).toBe('noName');
    expect(await offering.host()).toMatchObject({ name: 'gamma.example' });
    for (const name of ['', 'a b', '-', 'x'.repeat(64)]) expect(await offering.rename(name)).toBe(10_022);
  });

  test('RFC 6762 §10.1 who leaves says goodbye', async () => {
    expect((await ask('alpha.local', A)).status).toBe('found');
    alpha.close();
    await pass(130_000);
    expect((await ask('alpha.local', A)).status).toBe('noName');
  });
});

describe('hosts of the older kind', () => {
  const older = (hostName: string, address: string): LocalHost => {
    const made = createLocalHost({
      scheduler: time,
      random: new SeededRandom(hosts.length + 1),
      links: [{ link: wire.port(), addresses: [`${address}/24`] }],
      names: { hostName, llmnr: true, llmnrResponder: true },
    });
    hosts.push(made);
    return made;
  };

  test('RFC 4795 §2, §2.3 one finds the other by its short name', async () => {
    older('gamma.example', '10.0.0.3');
    const names = older('delta', '10.0.0.4').openNames();
    await pass(5000);
    const answer = await settled(names.resolve({ name: 'Gamma', types: [A] }));
    expect(answer).toMatchObject({ status: 'found', origin: NameOrigin.llmnr });
    expect(data(answer)).toEqual(['10.0.0.3']);
    expect((await settled(names.resolve({ name: 'gamma', types: [AAAA] }))).status).toBe('noData');
    expect((await settled(names.resolve({ name: 'epsilon', types: [A] }))).status).toBe('noName');
  });

  test('RFC 4795 §4.1 of two that come at once the smaller address has the name; who comes later has not', async () => {
    const twins = [older('twin', '10.0.0.6'), older('twin', '10.0.0.5')];
    await pass(5000);
    twins.push(older('twin', '10.0.0.3'));
    await pass(5000);
    expect(twins.map(({ names }) => names.llmnrResponder?.links[0]?.state)).toEqual([
      'lost',
      'unique',
      'lost',
    ]);
    const names = older('delta', '10.0.0.4').openNames();
    expect(data(await settled(names.resolve({ name: 'twin', types: [A] })))).toEqual(['10.0.0.5']);
  });
});

describe('services that applications offer', () => {
  test('API-WSASetService, RFC 6763 §4 are found by type, located and described; and taken back', async () => {
    const { error, id, instance } = await settled(offering.register(PRINTER));
    expect([error, instance]).toEqual([0, 'Print Room']);
    expect(data(await ask('_services._dns-sd._udp.local', PTR))).toEqual(['_ipp._tcp.local']);
    expect(data(await ask('_ipp._tcp.local', PTR))).toEqual(['Print Room._ipp._tcp.local']);
    expect(data(await ask('_color._sub._ipp._tcp.local', PTR))).toEqual(['Print Room._ipp._tcp.local']);
    expect(data(await ask('Print Room._ipp._tcp.local', SRV, TXT))).toEqual([
      '0 0 631 alpha.local',
      '"rp=queue"',
    ]);
    expect(await offering.deregister(id)).toBe(0);
    expect(await offering.deregister(id)).toBe(WSASERVICE_NOT_FOUND);
    await pass(5000);
    expect(
      (await settled(asking.resolve({ name: '_ipp._tcp.local', types: [PTR], origins: NameOrigin.mdns })))
        .status,
    ).toBe('noName');
  });

  test('are found by the host itself, and by other applications on it', async () => {
    await settled(offering.register(PRINTER));
    const own = alpha.openNames();
    const found = await settled(own.resolve({ name: '_ipp._tcp.local', types: [PTR] }));
    expect(data(found)).toEqual(['Print Room._ipp._tcp.local']);
  });

  test('RFC 6763 §D of the same name on two hosts: the later gets a number', async () => {
    await settled(offering.register(PRINTER));
    const second = await settled(asking.register({ ...PRINTER, port: 632 }));
    expect(second).toMatchObject({ error: 0, instance: 'Print Room (2)' });
    const third = alpha.openNames();
    // On one host likewise: what is ours is a rival too.
    expect(data(await ask('_ipp._tcp.local', PTR)).sort()).toEqual([
      'Print Room (2)._ipp._tcp.local',
      'Print Room._ipp._tcp.local',
    ]);
    third.close();
  });

  test('of the same name on one host: the later gets a number too', async () => {
    await settled(offering.register(PRINTER));
    const other = alpha.openNames();
    expect(await settled(other.register({ ...PRINTER, port: 632 }))).toMatchObject({
      instance: 'Print Room (2)',
    });
  });

  test('end with the session', async () => {
    const { id } = await settled(offering.register(PRINTER));
    offering.close();
    expect(await offering.deregister(id)).toBe(WSASERVICE_NOT_FOUND);
    await pass(5000);
    expect((await ask('_ipp._tcp.local', PTR)).status).toBe('noName');
    expect(await offering.register(PRINTER)).toMatchObject({ error: WSA_E_CANCELLED });
  });

  test('a registration that is cancelled, or whose session ends, takes nothing', async () => {
    const abort = new AbortController();
    const first = offering.register(PRINTER, abort.signal);
    abort.abort();
    expect(await first).toEqual({ error: WSA_E_CANCELLED, id: 0, instance: 'Print Room' });
    const second = offering.register(PRINTER);
    offering.close();
    expect((await second).error).toBe(WSA_E_CANCELLED);
    await pass(5000);
    expect((await ask('_ipp._tcp.local', PTR)).status).toBe('noName');
  });

  test.each([
    ['no name', { instance: '' }],
    ['a name of dots alone', { instance: '..' }],
    ['a name with a backslash', { instance: 'a\\.b' }],
    ['a name that is too long', { instance: 'é'.repeat(32) }],
    ['half a character', { instance: '\ud800' }],
    ['a type without a protocol', { type: '_ipp' }],
    ['a type of another protocol', { type: '_ipp._sctp' }],
    ['a type that is too long', { type: '_abcdefghijklmnop._tcp' }],
    ['a type of digits', { type: '_123._tcp' }],
    ['a type with two hyphens', { type: '_a--b._tcp' }],
    ['a port that is none', { port: 65_536 }],
    ['a port between ports', { port: 1.5 }],
    ['a text that is too long', { texts: [new Uint8Array(256)] }],
    ['too many texts', { texts: new Array(65).fill(new Uint8Array(1)) }],
    ['texts that are too long together', { texts: new Array(6).fill(new Uint8Array(250)) }],
    ['too many subtypes', { subtypes: new Array(17).fill('_a') }],
    ['a subtype with dots', { subtypes: ['_a._b'] }],
  ])('API-WSASetService WSAEINVAL for %s', async (_what, fields) => {
    expect(await offering.register({ ...PRINTER, ...fields })).toMatchObject({ error: WSAEINVAL, id: 0 });
  });

  test('RFC 6763 §4.3 an instance with dots is one label, and is found by its name', async () => {
    const offered = settled(offering.register({ ...PRINTER, instance: 'Dr. Smith 2.0' }));
    expect(await offered).toMatchObject({ error: 0, instance: 'Dr. Smith 2.0' });
    await pass(5000);
    const name = 'Dr\\. Smith 2\\.0._ipp._tcp.local';
    expect(data(await ask('_ipp._tcp.local', PTR))).toEqual([name]);
    expect((await ask(name, 33)).records).toMatchObject([{ kind: 'service', name, target: 'alpha.local' }]);
    expect((await ask('Dr. Smith 2.0._ipp._tcp.local', 33)).status).toBe('noName');
  });

  test('an application may offer 64', async () => {
    const all = Array.from({ length: 65 }, (_, n) => offering.register({ ...PRINTER, instance: `p${n}` }));
    const errors = (await settled(Promise.all(all))).map(({ error }) => error);
    expect(errors).toEqual([...new Array(64).fill(0), WSAENOBUFS]);
  });

  test('where nobody is answered, nothing is offered', async () => {
    const quiet = createLocalHost({ scheduler: time, names: { hostName: 'quiet' } });
    hosts.push(quiet);
    expect(await quiet.openNames().register(PRINTER)).toMatchObject({ error: WSAEOPNOTSUPP });
    expect(await NO_NAMES.register(PRINTER)).toMatchObject({ error: WSANO_RECOVERY });
    expect(await NO_NAMES.deregister(1)).toBe(WSANO_RECOVERY);
  });
});
