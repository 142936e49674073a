import { describe, expect, test } from '@jest/globals';
import { NameCache } from '../../../src/names/cache.ts';
import { decodeMessage } from '../../../src/names/codec.ts';
import { LlmnrResolver } from '../../../src/names/llmnr.ts';
import { MdnsResolver } from '../../../src/names/mdns.ts';
import { type DnsRecord, Rcode, RecordType, recordText } from '../../../src/names/message.ts';
import { Resolver } from '../../../src/names/resolver.ts';
import { type Asked, a, answerTo, ip, ptr, ScriptedNetwork, txt, zone } from './scripted-network.ts';

interface SetUp {
  readonly network: ScriptedNetwork;
  readonly resolver: Resolver;
  readonly mdns: MdnsResolver;
  readonly llmnr: LlmnrResolver;
}

function setUp(options: { searchList?: readonly string[]; dns?: (asked: Asked) => void } = {}): SetUp {
  const network = new ScriptedNetwork();
  network.onLink = (address) =>
    address.w0 >>> 22 === 0x3fa || (address.family === 4 && address.w3 >>> 24 === 10);
  network.servers.set('192.0.2.1', options.dns ?? zone());
  const cache = new NameCache(network.scheduler);
  const [mdns, llmnr] = [new MdnsResolver({ network, cache }), new LlmnrResolver({ network, cache })];
  const resolver = new Resolver({ network, cache, mdns, llmnr });
  resolver.configure({ servers: [ip('192.0.2.1')], searchList: options.searchList ?? [] });
  return { network, resolver, mdns, llmnr };
}

const MDNS4 = '224.0.0.251';
const LLMNR4 = '224.0.0.252';
const HOST = { address: ip('10.0.0.7'), port: 5353 };
const NEIGHBOUR = { address: ip('10.0.0.7'), port: 5355 };

/** A member of a group that answers from its own address. */
const member =
  (from: typeof HOST, ...answers: DnsRecord[]) =>
  ({ message, send }: Asked): void =>
    send(answerTo(message, { answers, recursionAvailable: false }), 10, from);

describe('RFC 6762 one-shot multicast DNS', () => {
  test('RFC 6762 §3 names under .local are asked for on the link, in both families, and never of servers', async () => {
    const { network, resolver } = setUp();
    network.servers.set(MDNS4, member(HOST, a('pc.local', '10.0.0.7', 120)));
    const answer = await network.run(resolver.lookup('pc.local', RecordType.A));
    expect(answer).toMatchObject({ status: 'found', source: 'mdns' });
    expect(answer.records.map(recordText)).toEqual(['10.0.0.7']);
    expect(network.told.map(({ address, port }) => `${address} ${port}`)).toEqual([
      '224.0.0.251 5353',
      'ff02::fb 5353',
    ]);
    expect(network.asked.map(({ server }) => server)).toEqual([MDNS4]);
    expect((await network.run(resolver.lookup('PC.local', RecordType.A))).source).toBe('cache');
    expect(network.openSockets).toBe(0);
  });

  test('RFC 6762 §18.6 the question does not want recursion, and has no EDNS', async () => {
    const { network, resolver } = setUp();
    network.servers.set(MDNS4, member(HOST, a('pc.local', '10.0.0.7')));
    await network.run(resolver.lookup('pc.local', RecordType.A));
    expect(decodeMessage(network.told[0]?.bytes ?? new Uint8Array())).toMatchObject({
      recursionDesired: false,
      edns: null,
    });
  });

  test('RFC 6762 §5.2 asked again after a second, and given up after three', async () => {
    const { network, resolver } = setUp();
    expect((await network.run(resolver.lookup('none.local', RecordType.A))).status).toBe('noName');
    expect(network.told.filter(({ address }) => address.family === 4)).toHaveLength(2);
    expect(network.scheduler.now()).toBe(3000);
    expect(resolver.cache.size).toBe(0);
  });

  test.each<[string, (asked: Asked) => void]>([
    [
      'RFC 6762 §11 from another network',
      member({ address: ip('203.0.113.1'), port: 5353 }, a('pc.local', '6.6.6.6')),
    ],
    [
      'RFC 6762 §6 from another port',
      member({ address: ip('10.0.0.66'), port: 53 }, a('pc.local', '6.6.6.6')),
    ],
    [
      'RFC 6762 §18.1 with another identifier',
      ({ message, send }) =>
        send(answerTo({ ...message, id: message.id ^ 1 }, { answers: [a('pc.local', '6.6.6.6')] }), 5, HOST),
    ],
    [
      'RFC 6762 §18.2 a question',
      ({ message, send }) =>
        send(answerTo(message, { isResponse: false, answers: [a('pc.local', '6.6.6.6')] }), 5, HOST),
    ],
    [
      'RFC 6762 §18.3 another opcode',
      ({ message, send }) =>
        send(answerTo(message, { opcode: 2, answers: [a('pc.local', '6.6.6.6')] }), 5, HOST),
    ],
    [
      'RFC 6762 §18.11 an error',
      ({ message, send }) =>
        send(answerTo(message, { rcode: 5, answers: [a('pc.local', '6.6.6.6')] }), 5, HOST),
    ],
    [
      'about another name',
      ({ message, send }) => send(answerTo(message, { answers: [a('other.local', '6.6.6.6')] }), 5, HOST),
    ],
    [
      'that can not be read',
      ({ message, send }) => send(Uint8Array.from([message.id >>> 8, message.id & 255, 1]), 5, HOST),
    ],
  ])('%s: ignored', async (_, forge) => {
    const { network, resolver } = setUp();
    network.servers.set(MDNS4, (asked) => {
      forge(asked);
      member(HOST, a('pc.local', '10.0.0.7'))(asked);
    });
    const answer = await network.run(resolver.lookup('pc.local', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['10.0.0.7']);
  });

  test('RFC 6762 §6 what many have is gathered from all', async () => {
    const { network, resolver } = setUp();
    const name = '_ipp._tcp.local';
    network.servers.set(MDNS4, (asked) => {
      member(HOST, ptr(name, `one.${name}`))(asked);
      asked.send(answerTo(asked.message, { answers: [ptr(name, `two.${name}`)] }), 800, {
        address: ip('10.0.0.8'),
        port: 5353,
      });
    });
    expect((await network.run(resolver.lookup(name, RecordType.PTR))).records.map(recordText)).toEqual([
      `one.${name}`,
      `two.${name}`,
    ]);
  });

  test('RFC 6762 §6.1 a host that says what it has says what it has not', async () => {
    const { network, resolver } = setUp();
    // The next name is the name itself; types: A alone.
    const nsec = Uint8Array.from([0xc0, 12, 0, 1, 0x40]);
    network.servers.set(MDNS4, ({ message, send }) =>
      send(
        answerTo(message, {
          additionals: [{ kind: 'other', name: 'pc.local', type: 47, ttl: 120, data: nsec }],
        }),
        10,
        HOST,
      ),
    );
    expect((await network.run(resolver.lookup('pc.local', RecordType.AAAA))).status).toBe('noData');
    expect(network.scheduler.now()).toBeLessThan(100);
    expect((await network.run(resolver.lookup('pc.local', RecordType.A))).status).toBe('noName');
  });

  test('RFC 4007 §6 a link-local address belongs to the interface that it was heard on', async () => {
    const { network, resolver } = setUp();
    network.servers.set(
      'ff02::fb',
      member({ address: ip('fe80::7'), port: 5353 }, a('pc.local', 'fe80::7'), a('pc.local', '2001:db8::7')),
    );
    expect((await network.run(resolver.lookup('pc.local', RecordType.AAAA))).records.map(recordText)).toEqual(
      ['fe80::7%1', '2001:db8::7'],
    );
  });

  test('RFC 6762 §4 the reverse of link-local addresses belongs to the link too', async () => {
    const { network, resolver } = setUp();
    await network.run(resolver.reverse(ip('169.254.1.2')));
    await network.run(resolver.reverse(ip('fe80::1')));
    expect(network.asked).toEqual([]);
    await network.run(resolver.reverse(ip('10.0.0.1')));
    expect(network.asked).toHaveLength(1);
  });

  test('who gives up closes the sockets', async () => {
    const { network, resolver } = setUp();
    const abort = new AbortController();
    const asked = resolver.lookup('none.local', RecordType.A, { signal: abort.signal });
    await network.pass(10);
    expect(network.openSockets).toBe(2);
    abort.abort();
    expect((await network.run(asked)).status).toBe('cancelled');
    await network.pass(0);
    expect(network.openSockets).toBe(0);
  });
});

describe('RFC 4795 LLMNR', () => {
  test('RFC 4795 §2 one label is asked for on the link when no suffix makes it a name', async () => {
    const { network, resolver } = setUp({ searchList: ['corp.example'] });
    network.servers.set(LLMNR4, member(NEIGHBOUR, a('pc', '10.0.0.7', 30)));
    expect(await network.run(resolver.lookup('pc', RecordType.A))).toMatchObject({
      status: 'found',
      source: 'llmnr',
      name: 'pc',
    });
    expect(network.asked.map(({ server, message }) => `${server} ${message.questions[0]?.name}`)).toEqual([
      '192.0.2.1 pc.corp.example',
      `${LLMNR4} pc`,
    ]);
    expect((await network.run(resolver.lookup('pc', RecordType.A))).source).toBe('cache');
    expect((await network.run(resolver.lookup('pc.sub.example', RecordType.A))).source).toBe('dns');
  });

  test('RFC 4795 §2.7 asked three times, a second apart, with a first pause by chance', async () => {
    const { network, resolver } = setUp();
    expect((await network.run(resolver.lookup('none', RecordType.A))).status).toBe('noName');
    const sent = network.told.filter(({ address }) => address.family === 4);
    expect(sent.map(({ port }) => port)).toEqual([5355, 5355, 5355]);
    expect(network.scheduler.now()).toBeGreaterThanOrEqual(3000);
    expect(network.scheduler.now()).toBeLessThan(3100);
  });

  test('RFC 4795 §2.1.1 an error, and an answer that is not sure yet, are none', async () => {
    const { network, resolver } = setUp();
    network.servers.set(LLMNR4, ({ message, send }) => {
      send(answerTo(message, { rcode: Rcode.servFail }), 5, NEIGHBOUR);
      send(answerTo(message, { recursionDesired: true, answers: [a('pc', '6.6.6.6')] }), 10, NEIGHBOUR);
      send(answerTo(message, { answers: [a('pc', '10.0.0.7')] }), 20, NEIGHBOUR);
    });
    expect((await network.run(resolver.lookup('pc', RecordType.A))).records.map(recordText)).toEqual([
      '10.0.0.7',
    ]);
  });

  test('RFC 4795 §4.2 with the C bit all who have the name are heard', async () => {
    const { network, resolver, llmnr } = setUp();
    network.servers.set(LLMNR4, ({ message, send }) => {
      send(answerTo(message, { isAuthoritative: true, answers: [a('pc', '10.0.0.7')] }), 10, NEIGHBOUR);
      send(answerTo(message, { answers: [a('pc', '10.0.0.8')] }), 500, {
        address: ip('10.0.0.8'),
        port: 5355,
      });
    });
    expect((await network.run(resolver.lookup('pc', RecordType.A))).records.map(recordText)).toEqual([
      '10.0.0.7',
      '10.0.0.8',
    ]);
    expect(llmnr.counters.conflicts).toBe(1);
  });

  test('RFC 4795 §2.4 an answer that was cut off is asked for over TCP', async () => {
    const { network, resolver } = setUp();
    network.servers.set(LLMNR4, ({ message, send }) =>
      send(answerTo(message, { isTruncated: true }), 10, NEIGHBOUR),
    );
    network.servers.set('10.0.0.7', ({ reply }) =>
      reply({ recursionDesired: false, answers: [txt('pc', 'long')] }),
    );
    const answer = await network.run(resolver.lookup('pc', RecordType.TXT));
    expect(answer.records.map(recordText)).toEqual(['"long"']);
    expect(network.asked.map(({ server, isStream }) => [server, isStream])).toEqual([
      [LLMNR4, false],
      ['10.0.0.7', true],
    ]);
  });

  test('RFC 4795 §2.3 a host that has the name, but nothing of the type', async () => {
    const { network, resolver } = setUp();
    network.servers.set(LLMNR4, member(NEIGHBOUR));
    expect((await network.run(resolver.lookup('pc', RecordType.AAAA))).status).toBe('noData');
  });

  test('RFC 4795 §2.5 an answer from another network is none', async () => {
    const { network, resolver, llmnr } = setUp();
    network.servers.set(LLMNR4, member({ address: ip('203.0.113.1'), port: 5355 }, a('pc', '6.6.6.6')));
    expect((await network.run(resolver.lookup('pc', RecordType.A))).status).toBe('noName');
    expect(llmnr.counters.mismatched).toBe(3);
  });
});
