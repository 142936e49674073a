import { describe, expect, test } from '@jest/globals';
import { resolveAddresses, resolveName } from '../../../src/names/addresses.ts';
import { winsockErrorOf } from '../../../src/names/answer.ts';
import { HostTable } from '../../../src/names/hosts.ts';
import { Rcode, RecordType, recordText } from '../../../src/names/message.ts';
import { Resolver, type ResolverOptions } from '../../../src/names/resolver.ts';
import { type Asked, a, cname, ip, ns, ptr, ScriptedNetwork, soa, txt, zone } from './scripted-network.ts';

interface SetUp {
  readonly network: ScriptedNetwork;
  readonly resolver: Resolver;
}

/** A resolver with two servers, 192.0.2.1 and 192.0.2.2, and what they answer. */
function setUp(
  first: (asked: Asked) => void,
  options: Partial<ResolverOptions> = {},
  second?: (asked: Asked) => void,
): SetUp {
  const network = new ScriptedNetwork();
  network.servers.set('192.0.2.1', first);
  if (second !== undefined) network.servers.set('192.0.2.2', second);
  const resolver = new Resolver({ network, ...options });
  resolver.configure({
    servers: second === undefined ? [ip('192.0.2.1')] : [ip('192.0.2.1'), ip('192.0.2.2')],
    searchList: ['corp.example', 'example'],
  });
  return { network, resolver };
}

const questions = (network: ScriptedNetwork): string[] =>
  network.asked.map(
    ({ server, message, isStream }) => `${server}${isStream ? ' tcp' : ''} ${message.questions[0]?.name}`,
  );

const silent = (): void => {};

describe('RFC 1035 §7 asking a name server', () => {
  test('RFC 1035 §7.3 a name becomes its records, and the next time comes from the cache', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1', 60)));
    const first = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(first).toMatchObject({
      status: 'found',
      name: 'www.example',
      source: 'dns',
      server: ip('192.0.2.1'),
    });
    expect(first.records.map(recordText)).toEqual(['10.0.0.1']);
    const again = await network.run(resolver.lookup('WWW.Example', RecordType.A));
    expect(again).toMatchObject({ status: 'found', source: 'cache' });
    expect(network.asked).toHaveLength(1);
    await network.pass(60_000);
    await network.run(resolver.lookup('www.example', RecordType.A));
    expect(network.asked).toHaveLength(2);
    expect(network.openSockets).toBe(0);
  });

  test('RFC 5452 §9.2 every question has an identifier of its own, and a socket of its own', async () => {
    const { network, resolver } = setUp(
      zone(...Array.from({ length: 50 }, (_, i) => a(`h${i}.example`, '10.0.0.1'))),
    );
    for (let i = 0; i < 50; i++) await network.run(resolver.lookup(`h${i}.example`, RecordType.A));
    const ids = new Set(network.asked.map(({ message }) => message.id));
    expect(ids.size).toBeGreaterThan(45);
    expect(Math.max(...ids) - Math.min(...ids)).toBeGreaterThan(0x4000);
  });

  test.each<[string, (asked: Asked) => void]>([
    [
      'another identifier',
      ({ message, reply }) => reply({ id: message.id ^ 1, answers: [a('www.example', '6.6.6.6')] }),
    ],
    [
      'another name',
      ({ reply }) =>
        reply({ questions: [{ name: 'evil.example', type: 1 }], answers: [a('www.example', '6.6.6.6')] }),
    ],
    [
      'another type',
      ({ reply }) =>
        reply({ questions: [{ name: 'www.example', type: 28 }], answers: [a('www.example', '6.6.6.6')] }),
    ],
    ['no question', ({ reply }) => reply({ questions: [], answers: [a('www.example', '6.6.6.6')] })],
    [
      'a query instead of a response',
      ({ reply }) => reply({ isResponse: false, answers: [a('www.example', '6.6.6.6')] }),
    ],
    ['another opcode', ({ reply }) => reply({ opcode: 4, answers: [a('www.example', '6.6.6.6')] })],
  ])('RFC 5452 §9.1 what is not the answer is ignored: %s', async (_, forge) => {
    const { network, resolver } = setUp((asked) => {
      forge(asked);
      asked.reply({ answers: [a('www.example', '10.0.0.1')] }, 20);
    });
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['10.0.0.1']);
    expect(resolver.counters.mismatched).toBe(1);
  });

  test('RFC 5452 §9.3 after many wrong answers the rest is asked over TCP', async () => {
    const { network, resolver } = setUp((asked) => {
      if (asked.isStream) return asked.reply({ answers: [a('www.example', '10.0.0.1')] });
      for (let i = 1; i < 20; i++)
        asked.reply({ id: asked.message.id ^ i, answers: [a('www.example', '6.6.6.6')] }, i);
      asked.reply({ answers: [a('www.example', '6.6.6.6')] }, 30);
    });
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['10.0.0.1']);
    expect(questions(network)).toEqual(['192.0.2.1 www.example', '192.0.2.1 tcp www.example']);
  });

  test('a malformed answer is counted, and the next server is asked at once', async () => {
    const { network, resolver } = setUp(
      ({ message, send }) => send(Uint8Array.from([message.id >>> 8, message.id & 255, 0x81, 0x80, 0, 9])),
      {},
      zone(a('www.example', '10.0.0.1')),
    );
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.server).toEqual(ip('192.0.2.2'));
    expect(resolver.counters.malformed).toBe(1);
    expect(network.scheduler.now()).toBeLessThan(10);
  });

  test('RFC 4343 §4 letters in either case are the same, unless they were sent by chance', async () => {
    const { network, resolver } = setUp(({ message, reply }) =>
      reply({
        questions: message.questions.map((each) => ({ ...each, name: each.name.toLowerCase() })),
        answers: [a('www.example', '10.0.0.1')],
      }),
    );
    expect((await network.run(resolver.lookup('WWW.Example', RecordType.A))).status).toBe('found');
  });

  test('with letters by chance, an answer that has others is not one; servers that lose them are asked plainly then', async () => {
    const { network, resolver } = setUp(
      ({ message, reply }) =>
        reply({
          questions: message.questions.map((each) => ({ ...each, name: each.name.toLowerCase() })),
          answers: [a('a-long-name.example', '10.0.0.1')],
        }),
      { tuning: { mixesCase: true } },
    );
    expect((await network.run(resolver.lookup('a-long-name.example', RecordType.A))).status).toBe('found');
    expect(network.asked).toHaveLength(2);
    expect(network.asked[0]?.message.questions[0]?.name).not.toBe('a-long-name.example');
    expect(network.asked[1]?.message.questions[0]?.name).toBe('a-long-name.example');
    expect(resolver.counters.mismatched).toBe(1);
  });
});

describe('RFC 6891 EDNS', () => {
  test('RFC 6891 §6.2.3 says that 1232 bytes are taken', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1')));
    await network.run(resolver.lookup('www.example', RecordType.A));
    expect(network.asked[0]?.message.edns).toMatchObject({ udpPayloadSize: 1232, version: 0 });
  });

  test.each([
    ['FORMERR with the question', { rcode: Rcode.formErr }],
    ['FORMERR without it', { rcode: Rcode.formErr, questions: [] }],
    ['NOTIMP', { rcode: Rcode.notImp }],
    ['BADVERS', { rcode: Rcode.badVers, edns: { udpPayloadSize: 512, version: 0 } }],
  ])(
    'RFC 6891 §7 a server that does not know it is asked without, and from then on: %s',
    async (_, refusal) => {
      const { network, resolver } = setUp((asked) => {
        if (asked.message.edns !== null) asked.reply(refusal);
        else asked.reply({ answers: [a(asked.message.questions[0]?.name ?? '', '10.0.0.1')] });
      });
      expect((await network.run(resolver.lookup('a.example', RecordType.A))).status).toBe('found');
      expect((await network.run(resolver.lookup('b.example', RecordType.A))).status).toBe('found');
      expect(network.asked.map(({ message }) => message.edns !== null)).toEqual([true, false, false]);
      expect(resolver.counters.plainFallbacks).toBe(1);
    },
  );
});

describe('RFC 7873 §5 cookies', () => {
  /** A server that repeats what it got, with a part of its own. */
  const withCookie =
    (part: (asked: Asked) => readonly number[] | null, answer = '10.0.0.1') =>
    (asked: Asked): void => {
      const own = part(asked);
      const cookie = own === null ? {} : { cookie: Uint8Array.from([...clientPart(asked), ...own]) };
      const [question] = asked.message.questions;
      asked.reply({
        answers: [a(question?.name ?? '', answer)],
        edns: { udpPayloadSize: 1232, version: 0, ...cookie },
      });
    };
  const cookieOf = ({ message }: { readonly message: Asked['message'] }): number[] => [
    ...(message.edns?.cookie ?? []),
  ];
  const clientPart = (asked: Asked): number[] => cookieOf(asked).slice(0, 8);
  const SERVER_PART = [1, 2, 3, 4, 5, 6, 7, 8];
  const ask = async ({ network, resolver }: SetUp, name: string): Promise<string> =>
    (await network.run(resolver.lookup(name, RecordType.A))).status;

  test('RFC 7873 §5.1, §5.3 eight bytes by chance for each server; its part is sent back from then on', async () => {
    const set = setUp(withCookie(() => SERVER_PART));
    expect([await ask(set, 'one.example'), await ask(set, 'two.example')]).toEqual(['found', 'found']);
    const [first = [], second = []] = set.network.asked.map(cookieOf);
    expect(first).toHaveLength(8);
    expect(new Set(first).size).toBeGreaterThan(3);
    expect(second).toEqual([...first, ...SERVER_PART]);
    expect(set.resolver.counters.mismatched).toBe(0);
  });

  test('RFC 9018 §8.1 another address, another cookie', async () => {
    const set = setUp(withCookie(() => SERVER_PART));
    await ask(set, 'one.example');
    set.resolver.configure({ servers: [ip('192.0.2.1')], searchList: [] });
    await ask(set, 'two.example');
    const [first, second] = set.network.asked.map(cookieOf);
    expect(second).toHaveLength(8);
    expect(second).not.toEqual(first);
  });

  test('RFC 7873 §5.3 an answer to a question of before counts, its cookie no more', async () => {
    const set = setUp((asked) => {
      set.resolver.configure({ servers: [ip('192.0.2.1')], searchList: [] });
      withCookie(() => SERVER_PART)(asked);
    });
    expect(await ask(set, 'one.example')).toBe('found');
    expect(set.resolver.servers.all[0]).toMatchObject({ clientCookie: null, serverCookie: null });
  });

  test.each([
    ['another’s', (): number[] => [9, 9, 9, 9, 9, 9, 9, 9, ...SERVER_PART]],
    ['without the server’s part', (asked: Asked): number[] => clientPart(asked)],
    ['with a part that is too short', (asked: Asked): number[] => [...clientPart(asked), 1, 2, 3]],
    [
      'with a part that is too long',
      (asked: Asked): number[] => [...clientPart(asked), ...new Array(33).fill(1)],
    ],
  ])('RFC 7873 §5.3 an answer with a cookie that is %s is none', async (_what, cookie) => {
    const set = setUp((asked) => {
      const [question] = asked.message.questions;
      const forged = { udpPayloadSize: 1232, version: 0, cookie: Uint8Array.from(cookie(asked)) };
      asked.reply({ answers: [a(question?.name ?? '', '6.6.6.6')], edns: forged });
      asked.reply({ answers: [a(question?.name ?? '', '10.0.0.1')] }, 50);
    });
    const answer = await set.network.run(set.resolver.lookup('www.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['10.0.0.1']);
    expect(set.resolver.counters.mismatched).toBe(1);
  });

  test('RFC 7873 §5.3 a server that has cookies, and then has not, is asked over TCP', async () => {
    let knows = true;
    const set = setUp(withCookie(() => (knows ? SERVER_PART : null)));
    await ask(set, 'one.example');
    knows = false;
    expect(await ask(set, 'two.example')).toBe('found');
    expect(questions(set.network)).toEqual([
      '192.0.2.1 one.example',
      '192.0.2.1 two.example',
      '192.0.2.1 tcp two.example',
    ]);
    // It has forgotten how: from now on it is asked as any other.
    expect(await ask(set, 'three.example')).toBe('found');
    expect(set.network.asked.at(-1)).toMatchObject({ isStream: false });
  });

  test('RFC 7873 §5.3 a server that does not like its part any more is asked again with the new one, then over TCP', async () => {
    const set = setUp((asked) => {
      const old = cookieOf(asked).slice(8);
      const cookie = Uint8Array.from([...clientPart(asked), ...SERVER_PART]);
      const edns = { udpPayloadSize: 1232, version: 0, cookie };
      const [question] = asked.message.questions;
      if (old.join() === SERVER_PART.join() && question?.name !== 'never.example')
        asked.reply({ answers: [a(question?.name ?? '', '10.0.0.1')], edns });
      else if (asked.isStream) asked.reply({ answers: [a(question?.name ?? '', '10.0.0.1')], edns });
      else asked.reply({ rcode: Rcode.badCookie, edns });
    });
    expect(await ask(set, 'one.example')).toBe('found');
    expect(set.network.asked).toHaveLength(2);
    expect(await ask(set, 'never.example')).toBe('found');
    expect(set.network.asked.map(({ isStream }) => isStream)).toEqual([false, false, false, false, true]);
  });

  test('a server that drops what has a cookie is asked without in the end', async () => {
    const set = setUp((asked) => {
      const [question] = asked.message.questions;
      if (cookieOf(asked).length === 0) asked.reply({ answers: [a(question?.name ?? '', '10.0.0.1')] });
    });
    expect(await ask(set, 'one.example')).toBe('found');
    expect(set.network.asked).toHaveLength(2);
  });
});

describe('RFC 7766 §5 answers that were cut off', () => {
  test('RFC 7766 §5 are asked for again over TCP', async () => {
    const long = txt('t.example', ...Array.from({ length: 10 }, () => 'x'.repeat(200)));
    const { network, resolver } = setUp((asked) =>
      asked.isStream ? asked.reply({ answers: [long] }) : asked.reply({ isTruncated: true, answers: [] }),
    );
    const answer = await network.run(resolver.lookup('t.example', RecordType.TXT));
    expect(answer.records.map(recordText)).toEqual([recordText(long)]);
    expect(questions(network)).toEqual(['192.0.2.1 t.example', '192.0.2.1 tcp t.example']);
    expect(resolver.counters).toMatchObject({ truncated: 1, streams: 1 });
  });

  test('RFC 7766 §6.2.4 a connection that ends is a failure of this server alone', async () => {
    const { network, resolver } = setUp(
      (asked) => (asked.isStream ? asked.refuse() : asked.reply({ isTruncated: true })),
      {},
      zone(a('www.example', '10.0.0.1')),
    );
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.server).toEqual(ip('192.0.2.2'));
    expect(network.scheduler.now()).toBeLessThan(100);
  });
});

describe('several servers', () => {
  test('RFC 1035 §7.2 who does not answer in a second is left waiting, and the next is asked', async () => {
    const { network, resolver } = setUp(silent, {}, zone(a('www.example', '10.0.0.1')));
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.server).toEqual(ip('192.0.2.2'));
    expect(network.asked.map(({ at }) => at)).toEqual([0, 1000]);
  });

  test('a slow answer counts while the others are asked', async () => {
    const { network, resolver } = setUp(
      ({ reply }) => reply({ answers: [a('www.example', '10.0.0.1')] }, 1500),
      {},
      silent,
    );
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.server).toEqual(ip('192.0.2.1'));
    expect(network.scheduler.now()).toBe(1500);
    expect(network.openSockets).toBe(0);
  });

  test('each round is given twice the time, and then nobody answered', async () => {
    const { network, resolver } = setUp(silent);
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.status).toBe('temporary');
    expect(network.asked.map(({ at }) => at)).toEqual([0, 1000, 3000]);
    expect(network.scheduler.now()).toBe(7000);
    expect(winsockErrorOf(answer.status)).toBe(11002);
    expect(network.openSockets).toBe(0);
  });

  test('a port that is not there is known by ICMP at once', async () => {
    const { network, resolver } = setUp(({ refuse }) => refuse(), {}, zone(a('www.example', '10.0.0.1')));
    await network.run(resolver.lookup('www.example', RecordType.A));
    expect(network.scheduler.now()).toBeLessThan(100);
  });

  test.each([Rcode.servFail, Rcode.refused, Rcode.notImp])(
    'RFC 9520 §3 who says that it can not is not asked again: rcode %i',
    async (rcode) => {
      const refuse = ({ reply }: Asked): void => reply({ rcode });
      const { network, resolver } = setUp(refuse, {}, refuse);
      const answer = await network.run(resolver.lookup('www.example', RecordType.A));
      expect(answer.status).toBe('temporary');
      const asked = network.asked.length;
      expect(asked).toBe(rcode === Rcode.notImp ? 4 : 2);
      expect((await network.run(resolver.lookup('www.example', RecordType.A))).source).toBe('cache');
      expect(network.asked).toHaveLength(asked);
      await network.pass(2000);
      await network.run(resolver.lookup('www.example', RecordType.A));
      expect(network.asked.length).toBeGreaterThan(asked);
    },
  );

  test('RFC 2308 §2.2 a referral is no answer', async () => {
    const { network, resolver } = setUp(
      ({ reply }) => reply({ recursionAvailable: false, authorities: [ns('example', 'ns.example')] }),
      {},
      zone(a('www.example', '10.0.0.1')),
    );
    expect((await network.run(resolver.lookup('www.example', RecordType.A))).server).toEqual(ip('192.0.2.2'));
  });

  test('who failed twice in a row is asked last for a while, and first again when it has answered', async () => {
    let isDead = true;
    const answer = zone(a('www.example', '10.0.0.1', 1));
    const { network, resolver } = setUp((asked) => (isDead ? undefined : answer(asked)), {}, answer);
    const ask = async (): Promise<string | undefined> => {
      await network.pass(1100);
      const { server } = await network.run(resolver.lookup('www.example', RecordType.A));
      return server?.toString();
    };
    await ask();
    await ask();
    const before = network.asked.length;
    expect(await ask()).toBe('192.0.2.2');
    expect(network.asked).toHaveLength(before + 1);
    isDead = false;
    await network.pass(15_000);
    expect(await ask()).toBe('192.0.2.1');
  });
});

describe('aliases and what belongs to the answer', () => {
  test('RFC 1034 §3.6.2 a chain of aliases is followed to its end', async () => {
    const { network, resolver } = setUp(
      zone(
        cname('a.example', 'b.example', 50),
        cname('b.example', 'c.example'),
        a('c.example', '10.0.0.3', 100),
      ),
    );
    const answer = await network.run(resolver.lookup('a.example', RecordType.A));
    expect(answer).toMatchObject({ status: 'found', canonicalName: 'c.example' });
    expect(answer.records.map(recordText)).toEqual(['b.example', 'c.example', '10.0.0.3']);
    expect(resolver.cache.get('dns', 'a.example', 1)?.records[0]?.ttl).toBe(50);
  });

  test('RFC 5452 §6 records that nobody asked for are neither given nor kept', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({
        answers: [
          a('bank.example', '6.6.6.6'),
          cname('www.example', 'w.example'),
          a('w.example', '10.0.0.1'),
          a('x.example', '6.6.6.6'),
        ],
        additionals: [a('bank.example', '6.6.6.6')],
        authorities: [ns('example', 'evil.example')],
      }),
    );
    const answer = await network.run(resolver.lookup('www.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['w.example', '10.0.0.1']);
    expect(resolver.cache.list().map(({ name }) => name)).toEqual(['www.example']);
  });

  test('RFC 1034 §5.2.2 an alias whose target is missing is asked for', async () => {
    const { network, resolver } = setUp(({ message, reply }) => {
      const name = message.questions[0]?.name;
      if (name === 'a.example') reply({ answers: [cname('a.example', 'b.example')] });
      else reply({ answers: [a('b.example', '10.0.0.2')] });
    });
    const answer = await network.run(resolver.lookup('a.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['b.example', '10.0.0.2']);
    expect(questions(network)).toEqual(['192.0.2.1 a.example', '192.0.2.1 b.example']);
  });

  test.each<[string, (asked: Asked) => void]>([
    [
      'in one answer',
      ({ reply }) => reply({ answers: [cname('a.example', 'b.example'), cname('b.example', 'a.example')] }),
    ],
    [
      'over many answers',
      ({ message, reply }) => {
        const name = message.questions[0]?.name ?? '';
        reply({ answers: [cname(name, name === 'a.example' ? 'b.example' : 'a.example')] });
      },
    ],
    [
      'without an end',
      ({ message, reply }) => {
        const name = message.questions[0]?.name ?? '';
        reply({ answers: [cname(name, `x${name}`)] });
      },
    ],
    [
      'of a hundred',
      ({ reply }) =>
        reply({
          answers: Array.from({ length: 100 }, (_, i) =>
            cname(i === 0 ? 'a.example' : `a${i}.example`, `a${i + 1}.example`),
          ),
        }),
    ],
  ])('RFC 1034 §3.6.2 a chain that leads nowhere ends: %s', async (_, server) => {
    const { network, resolver } = setUp(server);
    const answer = await network.run(resolver.lookup('a.example', RecordType.A));
    expect(answer.status).toBe('temporary');
    expect(network.asked.length).toBeLessThanOrEqual(8);
  });
});

describe('RFC 2308 names that are not there', () => {
  test('RFC 2308 §5 NXDOMAIN is remembered for the least of the SOA and its minimum', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({ rcode: Rcode.nxDomain, authorities: [soa('example', 900, 60)] }),
    );
    expect((await network.run(resolver.lookup('no.example', RecordType.A))).status).toBe('noName');
    await network.pass(59_000);
    expect(await network.run(resolver.lookup('no.example', RecordType.A))).toMatchObject({
      status: 'noName',
      source: 'cache',
      authority: { kind: 'authority' },
    });
    await network.pass(1_000);
    await network.run(resolver.lookup('no.example', RecordType.A));
    expect(network.asked).toHaveLength(2);
  });

  test('RFC 2308 §2.2 no data of this type says nothing about another', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1')));
    expect((await network.run(resolver.lookup('www.example', RecordType.AAAA))).status).toBe('noData');
    expect((await network.run(resolver.lookup('www.example', RecordType.A))).status).toBe('found');
  });

  test('RFC 2308 §5 without a SOA, or with one of another zone, it is not remembered', async () => {
    for (const authorities of [[], [soa('other')]]) {
      const { network, resolver } = setUp(({ reply }) => reply({ rcode: Rcode.nxDomain, authorities }));
      await network.run(resolver.lookup('no.example', RecordType.A));
      await network.run(resolver.lookup('no.example', RecordType.A));
      expect(network.asked).toHaveLength(2);
    }
  });

  test('RFC 6604 §3 behind an alias the code speaks of the last name', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({
        rcode: Rcode.nxDomain,
        answers: [cname('a.example', 'gone.example')],
        authorities: [soa('example')],
      }),
    );
    expect(await network.run(resolver.lookup('a.example', RecordType.A))).toMatchObject({
      status: 'noName',
      canonicalName: 'gone.example',
    });
  });

  test('the Winsock codes', () => {
    expect((['found', 'noName', 'noData', 'temporary', 'failed'] as const).map(winsockErrorOf)).toEqual([
      0, 11001, 11004, 11002, 11003,
    ]);
  });
});

describe('who is asked', () => {
  test('RFC 6761 §6.3 localhost never leaves the host', async () => {
    const { network, resolver } = setUp(silent);
    for (const name of ['localhost', 'LOCALHOST.', 'a.localhost']) {
      expect((await network.run(resolver.lookup(name, RecordType.A))).records.map(recordText)).toEqual([
        '127.0.0.1',
      ]);
      expect((await network.run(resolver.lookup(name, RecordType.AAAA))).records.map(recordText)).toEqual([
        '::1',
      ]);
      expect((await network.run(resolver.lookup(name, RecordType.MX))).status).toBe('noData');
    }
    expect((await network.run(resolver.reverse(ip('127.1.2.3')))).records.map(recordText)).toEqual([
      'localhost',
    ]);
    expect((await network.run(resolver.reverse(ip('::1')))).records.map(recordText)).toEqual(['localhost']);
    expect(network.asked).toEqual([]);
  });

  test.each(['x.invalid', 'abc.onion'])('RFC 6761 §6.4, RFC 7686 §2 %s is nowhere', async (name) => {
    const { network, resolver } = setUp(silent);
    expect((await network.run(resolver.lookup(name, RecordType.A))).status).toBe('noName');
    expect(network.asked).toEqual([]);
  });

  test('what the hosts file knows is not asked for, in either family', async () => {
    const table = HostTable.parse('10.0.0.9 printer lp\n');
    const { network, resolver } = setUp(silent, { hosts: () => table });
    expect(await network.run(resolver.lookup('LP', RecordType.A))).toMatchObject({
      status: 'found',
      source: 'hosts',
      canonicalName: 'printer',
    });
    expect((await network.run(resolver.lookup('lp', RecordType.AAAA))).status).toBe('noData');
    expect((await network.run(resolver.reverse(ip('10.0.0.9')))).records.map(recordText)).toEqual([
      'printer',
      'lp',
    ]);
    expect(network.asked).toEqual([]);
  });

  test('this host knows its own name', async () => {
    const own = { name: 'me', addresses: [ip('10.0.0.5'), ip('fe80::5%3')] };
    const { network, resolver } = setUp(silent, { ownHost: () => own });
    expect((await network.run(resolver.lookup('ME', RecordType.A))).records.map(recordText)).toEqual([
      '10.0.0.5',
    ]);
    expect((await network.run(resolver.reverse(ip('fe80::5')))).records.map(recordText)).toEqual(['me']);
    expect(network.asked).toEqual([]);
  });

  test('RFC 1123 §6.1.4.3 the suffixes are tried until one is there', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1')));
    expect(await network.run(resolver.lookup('www', RecordType.A))).toMatchObject({
      status: 'found',
      name: 'www.example',
    });
    expect(questions(network)).toEqual(['192.0.2.1 www.corp.example', '192.0.2.1 www.example']);
  });

  test('a name that no suffix makes is the first that was tried', async () => {
    const { network, resolver } = setUp(zone());
    expect(await network.run(resolver.lookup('www', RecordType.A))).toMatchObject({
      status: 'noName',
      name: 'www.corp.example',
    });
    expect(network.asked).toHaveLength(2);
  });

  test('RFC 2308 §7 that no server answers rightly is remembered, for two seconds', async () => {
    const { network, resolver } = setUp(({ reply }) => reply({ rcode: Rcode.servFail }));
    const look = () => network.run(resolver.lookup('www.example', RecordType.A));
    expect((await look()).status).toBe('temporary');
    const { length } = network.asked;
    expect((await look()).status).toBe('temporary');
    expect(network.asked).toHaveLength(length);
    await network.pass(2001);
    await look();
    expect(network.asked.length).toBeGreaterThan(length);
  });

  test('without servers nothing is asked, and nothing remembered', async () => {
    const { network, resolver } = setUp(silent);
    resolver.configure({ servers: [], searchList: [] });
    expect((await network.run(resolver.lookup('www.example', RecordType.A))).status).toBe('temporary');
    expect(resolver.cache.size).toBe(0);
  });

  test('other servers know other names: what the old ones said is forgotten', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1')));
    await network.run(resolver.lookup('www.example', RecordType.A));
    network.servers.set('192.0.2.3', zone(a('www.example', '10.0.0.3')));
    resolver.configure({ servers: [ip('192.0.2.3')], searchList: [] });
    expect((await network.run(resolver.lookup('www.example', RecordType.A))).records.map(recordText)).toEqual(
      ['10.0.0.3'],
    );
  });

  test('what a server says after it was replaced is told, and not remembered', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({ answers: [a('www.example', '10.0.0.1')] }, 500),
    );
    const asked = resolver.lookup('www.example', RecordType.A);
    await network.pass(100);
    resolver.configure({ servers: [ip('192.0.2.3')], searchList: [] });
    expect((await network.run(asked)).status).toBe('found');
    expect(resolver.cache.size).toBe(0);
  });

  test('a question to a named server passes the cache by', async () => {
    const { network, resolver } = setUp(zone(a('www.example', '10.0.0.1')));
    network.servers.set('203.0.113.1', zone(a('www.example', '10.9.9.9')));
    await network.run(resolver.lookup('www.example', RecordType.A));
    const answer = await network.run(resolver.queryServer(ip('203.0.113.1'), 'www.example', RecordType.A));
    expect(answer.records.map(recordText)).toEqual(['10.9.9.9']);
    expect((await network.run(resolver.lookup('www.example', RecordType.A))).records.map(recordText)).toEqual(
      ['10.0.0.1'],
    );
  });
});

describe('many who ask', () => {
  test('equal questions under way are one', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({ answers: [a('www.example', '10.0.0.1')] }, 100),
    );
    const answers = await network.run(
      Promise.all(Array.from({ length: 20 }, () => resolver.lookup('www.example', RecordType.A))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['found']));
    expect(network.asked).toHaveLength(1);
  });

  test('who gives up leaves alone; when the last does the question ends', async () => {
    const { network, resolver } = setUp(({ reply }) =>
      reply({ answers: [a('www.example', '10.0.0.1')] }, 900),
    );
    const [first, second] = [new AbortController(), new AbortController()];
    const one = resolver.lookup('www.example', RecordType.A, { signal: first.signal });
    const two = resolver.lookup('www.example', RecordType.A, { signal: second.signal });
    await network.pass(100);
    first.abort();
    expect((await network.run(one)).status).toBe('cancelled');
    expect(network.openSockets).toBe(1);
    second.abort();
    expect((await network.run(two)).status).toBe('cancelled');
    expect(network.openSockets).toBe(0);
    expect(resolver.cache.size).toBe(0);
    const third = await network.run(resolver.lookup('www.example', RecordType.A, { signal: first.signal }));
    expect(third.status).toBe('cancelled');
    expect(network.asked).toHaveLength(1);
  });
});

describe('names to addresses', () => {
  const both = [a('www.example', '10.0.0.1'), a('www.example', '2001:db8::1')];

  test('RFC 8305 §3 both families are asked at once', async () => {
    const { network, resolver } = setUp(zone(...both));
    const found = await network.run(resolveAddresses(resolver, 'www.example'));
    expect(found.addresses.map(String)).toEqual(['2001:db8::1', '10.0.0.1']);
    expect(network.asked.map(({ at }) => at)).toEqual([0, 0]);
  });

  test('RFC 6724 §6 they are in the order of who sorts them', async () => {
    const { network, resolver } = setUp(zone(...both));
    const sort = (addresses: readonly { family: number }[]): never => [...addresses].reverse() as never;
    expect(
      (await network.run(resolveAddresses(resolver, 'www.example', { sort }))).addresses.map(String),
    ).toEqual(['10.0.0.1', '2001:db8::1']);
  });

  test('SEM-GAI-07 only the families that are asked for, and that there are', async () => {
    const { network, resolver } = setUp(zone(...both));
    expect(
      (await network.run(resolveAddresses(resolver, 'www.example', { family: 4 }))).addresses.map(String),
    ).toEqual(['10.0.0.1']);
    const families = { hasV4: true, hasV6: false };
    await network.run(resolveAddresses(resolver, 'www.example', { families }));
    expect(network.asked.map(({ message }) => message.questions[0]?.type)).toEqual([RecordType.A]);
  });

  test('SEM-GAI-04 an address is its own answer; with isNumeric nothing else is', async () => {
    const { network, resolver } = setUp(silent);
    expect((await network.run(resolveAddresses(resolver, 'fe80::1%3'))).addresses.map(String)).toEqual([
      'fe80::1%3',
    ]);
    expect((await network.run(resolveAddresses(resolver, '10.0.0.1', { family: 6 }))).status).toBe('noName');
    expect((await network.run(resolveAddresses(resolver, 'www.example', { isNumeric: true }))).status).toBe(
      'noName',
    );
    expect(network.asked).toEqual([]);
  });

  test('one family that fails does not take the other away', async () => {
    const { network, resolver } = setUp(({ message, reply }) =>
      message.questions[0]?.type === RecordType.A
        ? reply({ answers: [a('www.example', '10.0.0.1')] })
        : reply({ rcode: Rcode.servFail }),
    );
    expect(await network.run(resolveAddresses(resolver, 'www.example'))).toMatchObject({ status: 'found' });
  });

  test('a name without addresses exists all the same', async () => {
    const { network, resolver } = setUp(zone(txt('t.example', 'x')));
    expect((await network.run(resolveAddresses(resolver, 't.example'))).status).toBe('noData');
    expect((await network.run(resolveAddresses(resolver, 'none.example'))).status).toBe('noName');
  });

  test('the suffix is the same for both families', async () => {
    const { network, resolver } = setUp(
      zone(a('www.corp.example', '10.0.0.1'), a('www.example', '2001:db8::1')),
    );
    expect((await network.run(resolveAddresses(resolver, 'www'))).addresses.map(String)).toEqual([
      '10.0.0.1',
    ]);
  });

  test('addresses to names: what can not be the name of a host is left out', async () => {
    const name = '1.2.0.192.in-addr.arpa';
    const { network, resolver } = setUp(
      zone(
        ptr(name, 'a b.example'),
        ptr(name, '<img>.example'),
        ptr(name, 'ok.example'),
        ptr(name, 'also.example'),
      ),
    );
    expect(await network.run(resolveName(resolver, ip('192.0.2.1')))).toEqual({
      status: 'found',
      name: 'ok.example',
      aliases: ['also.example'],
    });
  });
});
