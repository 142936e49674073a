import { describe, expect, test } from '@jest/globals';
import { decodeMessage, encodeMessage, frameForStream, StreamReader } from '../../../src/names/codec.ts';
import {
  type DnsMessage,
  type MessageParts,
  Rcode,
  RecordType,
  recordText,
} from '../../../src/names/message.ts';
import { DnsProxy, type ProxyOptions } from '../../../src/names/proxy.ts';
import { ProxyServer } from '../../../src/names/proxy-server.ts';
import { Resolver } from '../../../src/names/resolver.ts';
import { type Asked, a, cname, ip, ScriptedNetwork, settled, soa, txt, zone } from './scripted-network.ts';

const OURS = ip('10.0.0.1');
const CLIENT = ip('10.0.0.9');
const STRANGER = ip('203.0.113.9');

interface SetUp {
  readonly network: ScriptedNetwork;
  readonly proxy: DnsProxy;
  readonly server: ProxyServer;
  /** Asks by UDP. @returns the answer, or `null` when there was none */
  ask(
    question: MessageParts['questions'][number] | Uint8Array,
    parts?: Partial<MessageParts>,
    from?: typeof CLIENT,
  ): Promise<DnsMessage | null>;
}

function setUp(upstream: (asked: Asked) => void, options: Partial<ProxyOptions> = {}): SetUp {
  const network = new ScriptedNetwork();
  network.onLink = (address) => address.family === 4 && address.w3 >>> 24 === 10;
  network.servers.set('192.0.2.1', upstream);
  const resolver = new Resolver({ network, ownHost: () => ({ name: 'gateway', addresses: [OURS] }) });
  resolver.configure({ servers: [ip('192.0.2.1')], searchList: [] });
  const proxy = new DnsProxy({ network, resolver, ...options });
  const server = ProxyServer.open(proxy, network, OURS);
  if (server === null) throw new Error('the proxy can not listen');
  return {
    network,
    proxy,
    server,
    ask: async (question, parts = {}, from = CLIENT) => {
      const bytes =
        question instanceof Uint8Array
          ? question
          : encodeMessage({ id: 0x1234, recursionDesired: true, questions: [question], ...parts });
      const before = network.told.length;
      network.deliver(OURS, 53, from, bytes);
      for (let i = 0; i < 20_000; i++) {
        await settled();
        const answer = network.told.slice(before).find(({ address }) => address.equals(from));
        if (answer !== undefined) return decodeMessage(answer.bytes);
        if (!network.scheduler.step()) return null;
      }
      throw new Error('it never ends');
    },
  };
}

const A = (name: string): MessageParts['questions'][number] => ({ name, type: RecordType.A });

describe('the DNS proxy', () => {
  test('RFC 1035 §7 asks on, answers under the client’s identifier, and the cache is everybody’s', async () => {
    const { network, ask } = setUp(zone(cname('www.example', 'w.example'), a('w.example', '192.0.2.7')));
    const answer = await ask(A('www.example'));
    expect(answer).toMatchObject({
      id: 0x1234,
      isResponse: true,
      rcode: 0,
      recursionAvailable: true,
      recursionDesired: true,
      isAuthoritative: false,
    });
    expect(answer?.answers.map(recordText)).toEqual(['w.example', '192.0.2.7']);
    expect(answer?.questions).toEqual([A('www.example')]);
    await ask(A('www.example'), {}, ip('10.0.0.10'));
    expect(network.asked).toHaveLength(1);
  });

  test('RFC 2308 §3 no such name, and no data, with the SOA that says for how long', async () => {
    const { ask } = setUp(({ message, reply }) =>
      reply({
        rcode: message.questions[0]?.name === 'no.example' ? Rcode.nxDomain : 0,
        authorities: [soa('example', 900, 60)],
      }),
    );
    for (const round of [1, 2]) {
      const none = await ask(A('no.example'));
      expect([round, none?.rcode, none?.authorities[0]?.type]).toEqual([
        round,
        Rcode.nxDomain,
        RecordType.SOA,
      ]);
      const empty = await ask(A('empty.example'));
      expect([round, empty?.rcode, empty?.answers, empty?.authorities[0]?.type]).toEqual([
        round,
        0,
        [],
        RecordType.SOA,
      ]);
    }
  });

  test('servers that do not answer are SERVFAIL', async () => {
    const { ask } = setUp(() => {});
    expect((await ask(A('www.example')))?.rcode).toBe(Rcode.servFail);
  });

  test('our own name and those of the local network are answered here, forwards and backwards', async () => {
    const names = () => [{ name: 'phone', address: ip('10.0.0.33') }];
    const { network, ask } = setUp(() => {}, { names, domain: 'home.example' });
    expect((await ask(A('GATEWAY')))?.answers.map(recordText)).toEqual(['10.0.0.1']);
    expect(await ask(A('Phone'))).toMatchObject({ isAuthoritative: true, answers: [{ name: 'Phone' }] });
    expect((await ask(A('phone.home.example')))?.answers.map(recordText)).toEqual(['10.0.0.33']);
    expect((await ask({ name: 'phone', type: RecordType.AAAA }))?.answers).toEqual([]);
    expect(
      (await ask({ name: '33.0.0.10.in-addr.arpa', type: RecordType.PTR }))?.answers.map(recordText),
    ).toEqual(['phone.home.example']);
    expect(network.asked).toEqual([]);
  });

  test('RFC 5358 §4 a stranger gets no answer, unless that is wanted', async () => {
    const closed = setUp(zone(a('www.example', '192.0.2.7')));
    expect(await closed.ask(A('www.example'), {}, STRANGER)).toBeNull();
    expect(closed.proxy.counters).toMatchObject({ strangers: 1, queries: 0 });
    expect(closed.network.asked).toEqual([]);
    const open = setUp(zone(a('www.example', '192.0.2.7')), { servesStrangers: true });
    expect((await open.ask(A('www.example'), {}, STRANGER))?.answers).toHaveLength(1);
  });

  test.each<[string, MessageParts['questions'][number], Partial<MessageParts>, number]>([
    ['RFC 1035 §4.1.1 an update', A('x.example'), { opcode: 5 }, Rcode.notImp],
    ['RFC 5936 §2.2 a transfer', { name: 'example', type: 252 }, {}, Rcode.notImp],
    [
      'RFC 9619 §4 two questions',
      A('x.example'),
      { questions: [A('x.example'), A('y.example')] },
      Rcode.formErr,
    ],
    ['no question', A('x.example'), { questions: [] }, Rcode.formErr],
    [
      'RFC 6891 §6.1.3 a version to come',
      A('x.example'),
      { edns: { udpPayloadSize: 512, version: 1 } },
      Rcode.badVers,
    ],
    ['a question that is not to be asked on', A('x.example'), { recursionDesired: false }, Rcode.refused],
  ])('%s', async (_, question, parts, rcode) => {
    const { network, ask } = setUp(zone());
    expect((await ask(question, parts))?.rcode).toBe(rcode);
    expect(network.asked).toEqual([]);
  });

  test('RFC 8482 §4.2 ANY is answered with next to nothing', async () => {
    const { network, ask } = setUp(zone());
    const answer = await ask({ name: 'example', type: RecordType.ANY });
    expect(answer?.answers.map(({ type }) => type)).toEqual([13]);
    expect(network.asked).toEqual([]);
  });

  test.each([
    ['what can not be read', Uint8Array.from([1, 2, 3])],
    [
      'a response: two proxies would answer each other for ever',
      encodeMessage({ isResponse: true, questions: [A('x.example')] }),
    ],
  ])('%s gets no answer', async (_, bytes) => {
    const { ask, proxy } = setUp(zone());
    expect(await ask(bytes)).toBeNull();
    expect(proxy.counters.malformed).toBe(1);
  });

  test.each([
    [undefined, 300, false],
    [undefined, 600, true],
    [1232, 600, false],
    [1232, 1400, true],
    [4096, 1400, true],
    [100, 300, false],
  ])(
    'RFC 6891 §6.2.5 an asker that takes %s bytes and an answer of %i: cut off: %s',
    async (size, length, isCut) => {
      const record = txt(
        't.example',
        ...Array.from({ length: Math.ceil(length / 200) }, () => 'x'.repeat(200)),
      );
      const { ask } = setUp(({ reply, isStream }) =>
        isStream ? reply({ answers: [record] }) : reply({ isTruncated: true }),
      );
      const parts = size === undefined ? {} : { edns: { udpPayloadSize: size, version: 0 } };
      const answer = await ask({ name: 't.example', type: RecordType.TXT }, parts);
      expect([answer?.isTruncated, answer?.answers.length]).toEqual([isCut, isCut ? 0 : 1]);
      expect(answer?.edns === null).toBe(size === undefined);
    },
  );

  test('a client that asks without end is answered at its rate, and others all the same', async () => {
    const { network, proxy, ask } = setUp(zone(a('www.example', '192.0.2.7')), {
      rate: { burst: 5, perSecond: 1 },
    });
    for (let i = 0; i < 5; i++) expect(await ask(A('www.example'))).not.toBeNull();
    expect(await ask(A('www.example'))).toBeNull();
    expect(await ask(A('www.example'), {}, ip('10.0.0.10'))).not.toBeNull();
    await network.pass(1000);
    expect(await ask(A('www.example'))).not.toBeNull();
    expect(proxy.counters.limited).toBe(1);
  });

  test('questions that wait are bounded, a client and in all', async () => {
    const { network, proxy } = setUp(() => {}, { rate: { burst: 10_000 } });
    for (let client = 0; client < 40; client++) {
      for (let i = 0; i < 40; i++) {
        const question = encodeMessage({
          id: i,
          recursionDesired: true,
          questions: [A(`h${client}-${i}.example`)],
        });
        network.deliver(OURS, 53, ip(`10.0.1.${client}`), question);
      }
    }
    await network.pass(100);
    expect(network.asked.length).toBe(512);
    expect(proxy.counters.limited).toBe(1600 - 512);
    await network.pass(20_000);
    expect(network.openSockets).toBe(1);
  });
});

describe('RFC 7766 the proxy over TCP', () => {
  const messages = (got: readonly Uint8Array[]): DnsMessage[] => {
    const reader = new StreamReader();
    return got.flatMap((part) => reader.take(part)).flatMap((bytes) => decodeMessage(bytes) ?? []);
  };
  const question = (id: number, name: string): Uint8Array =>
    frameForStream(encodeMessage({ id, recursionDesired: true, questions: [A(name)] }));

  test('RFC 7766 §6.2.1.1 questions in a row are answered as they are ready, whatever their size', async () => {
    const long = Array.from({ length: 100 }, (_, i) => a('many.example', `10.9.0.${i}`));
    const { network } = setUp((asked) => {
      const name = asked.message.questions[0]?.name;
      if (name === 'slow.example') asked.reply({ answers: [a('slow.example', '10.9.9.9')] }, 500);
      else if (asked.isStream) asked.reply({ answers: long });
      else asked.reply({ isTruncated: true });
    });
    const client = network.connectFrom(CLIENT, OURS, 53);
    client?.send(Uint8Array.from([...question(1, 'slow.example'), ...question(2, 'many.example')]));
    await network.pass(1000);
    expect(messages(client?.got ?? []).map(({ id, answers }) => [id, answers.length])).toEqual([
      [2, 100],
      [1, 1],
    ]);
    client?.end();
    expect(client?.isClosed).toBe(true);
  });

  test('RFC 7766 §6.2.3 who says nothing for ten seconds is hung up on', async () => {
    const { network, server } = setUp(zone());
    const client = network.connectFrom(CLIENT, OURS, 53);
    client?.send(Uint8Array.from([0]));
    await network.pass(9_999);
    expect(client?.isClosed).toBe(false);
    await network.pass(1);
    expect(client?.isClosed).toBe(true);
    expect(server.streams).toBe(0);
  });

  test('connections are bounded, a client and in all; strangers get none', () => {
    const { network, server, proxy } = setUp(zone());
    expect(network.connectFrom(STRANGER, OURS, 53)).toBeNull();
    const taken = Array.from({ length: 20 }, () => network.connectFrom(CLIENT, OURS, 53)).filter(
      (each) => each !== null,
    );
    expect(taken).toHaveLength(8);
    for (let i = 0; i < 200; i++) network.connectFrom(ip(`10.0.2.${i}`), OURS, 53);
    expect(server.streams).toBe(64);
    expect(proxy.counters.refusedStreams).toBe(1 + 12 + 200 - 56);
    server.close();
    expect(server.streams).toBe(0);
  });

  test('what can not be read ends the connection', async () => {
    const { network } = setUp(zone());
    const client = network.connectFrom(CLIENT, OURS, 53);
    client?.send(frameForStream(Uint8Array.from([1, 2, 3])));
    await settled();
    expect(client?.isClosed).toBe(true);
  });
});
