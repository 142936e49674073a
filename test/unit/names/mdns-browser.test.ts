import { describe, expect, test } from '@jest/globals';
import { NameCache } from '../../../src/names/cache.ts';
import { decodeMessage, encodeMessage } from '../../../src/names/codec.ts';
import { MdnsBrowser } from '../../../src/names/mdns-browser.ts';
import { type DnsMessage, type DnsRecord, RecordType, recordText } from '../../../src/names/message.ts';
import { ip, ptr, ScriptedNetwork } from './scripted-network.ts';

const NAME = '_ipp._tcp.local';
const GROUP = ip('224.0.0.251');
const HOST = ip('10.0.0.7');

interface SetUp {
  readonly network: ScriptedNetwork;
  readonly browser: MdnsBrowser;
  readonly events: string[];
  /** Questions to the IPv4 group. */
  sent(): DnsMessage[];
  hear(records: readonly DnsRecord[], from?: typeof HOST, port?: number): void;
}

function setUp(): SetUp {
  const network = new ScriptedNetwork();
  network.onLink = (address) => address.family === 4 && address.w3 >>> 24 === 10;
  const events: string[] = [];
  const browser = MdnsBrowser.start({
    network,
    cache: new NameCache(network.scheduler),
    name: NAME,
    type: RecordType.PTR,
    observer: {
      added: (record) => events.push(`+${recordText(record).split('.')[0]}`),
      removed: (record) => events.push(`-${recordText(record).split('.')[0]}`),
    },
  });
  if (browser === null) throw new Error('no group');
  return {
    network,
    browser,
    events,
    sent: () =>
      network.told
        .filter(({ address }) => address.equals(GROUP))
        .flatMap(({ bytes }) => decodeMessage(bytes) ?? []),
    hear: (answers, from = HOST, port = 5353) =>
      network.multicast(
        GROUP,
        5353,
        from,
        encodeMessage({ isResponse: true, isAuthoritative: true, questions: [], answers }),
        255,
        port,
      ),
  };
}

const service = (label: string, ttl = 120): DnsRecord => ptr(NAME, `${label}.${NAME}`, ttl);

describe('RFC 6762 continuous questions', () => {
  test('RFC 6762 §5.2 the first after 20 to 120 ms, then after a second, two, four, up to an hour', async () => {
    const { network, sent, browser } = setUp();
    const times: number[] = [];
    let before = 0;
    while (times.length < 16) {
      network.scheduler.step();
      if (sent().length > before) times.push(network.scheduler.now());
      before = sent().length;
    }
    expect(times[0]).toBeGreaterThanOrEqual(20);
    expect(times[0]).toBeLessThan(120);
    const pauses = times.slice(1).map((time, i) => Math.round(time - (times[i] as number)));
    expect(pauses.slice(0, 5)).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(pauses.slice(-2)).toEqual([3_600_000, 3_600_000]);
    browser.close();
  });

  test('RFC 6762 §5.4, §18.1 the first may be answered by unicast; identifiers are 0', async () => {
    const { network, sent } = setUp();
    await network.pass(4000);
    expect(sent().map(({ id, questions }) => [id, questions[0]?.wantsUnicast ?? false])).toEqual([
      [0, true],
      [0, false],
      [0, false],
    ]);
  });

  test('RFC 6762 §7.1 what is known for more than half of its time is sent along, and no more after that', async () => {
    const { network, sent, hear } = setUp();
    await network.pass(200);
    hear([service('one', 10)]);
    await network.pass(1000);
    expect(
      sent()
        .at(-1)
        ?.answers.map((record) => [recordText(record), record.ttl]),
    ).toEqual([[`one.${NAME}`, 9]]);
    await network.pass(6000);
    expect(sent().length).toBeGreaterThan(3);
    expect(sent().at(-1)?.answers).toEqual([]);
  });

  test('RFC 6762 §7.2 more known answers than fit are sent in several messages, all but the last marked', async () => {
    const { network, sent, hear } = setUp();
    await network.pass(200);
    for (let i = 0; i < 60; i++) hear([service(`a-printer-with-a-long-name-${i}`, 4500)]);
    const before = sent().length;
    await network.pass(1000);
    const messages = sent().slice(before);
    expect(messages.length).toBeGreaterThan(2);
    expect(messages.map(({ questions }) => questions.length)).toEqual([1, ...messages.slice(1).map(() => 0)]);
    expect(messages.map(({ isTruncated }) => isTruncated)).toEqual([
      ...messages.slice(1).map(() => true),
      false,
    ]);
    expect(messages.flatMap(({ answers }) => answers)).toHaveLength(60);
    for (const { bytes } of network.told) expect(bytes.length).toBeLessThanOrEqual(1232);
  });

  test('RFC 6762 §7.3 what another host asks counts as asked, unless it knows what we do not', async () => {
    const { network, sent, hear } = setUp();
    await network.pass(200);
    expect(sent()).toHaveLength(1);
    const question = (answers: DnsRecord[]): Uint8Array =>
      encodeMessage({ questions: [{ name: NAME, type: RecordType.PTR }], answers });
    await network.pass(800);
    network.multicast(GROUP, 5353, ip('10.0.0.9'), question([]));
    await network.pass(1500);
    expect(sent()).toHaveLength(1);
    await network.pass(600);
    expect(sent()).toHaveLength(2);
    hear([service('one')]);
    network.multicast(GROUP, 5353, ip('10.0.0.9'), question([service('two')]));
    await network.pass(4000);
    expect(sent()).toHaveLength(3);
  });

  test('records come, are renewed, and go when they have run out', async () => {
    const { network, events, hear, browser } = setUp();
    await network.pass(200);
    hear([service('one', 10)]);
    await network.pass(8000);
    hear([service('one', 10)]);
    await network.pass(9_900);
    expect(events).toEqual(['+one']);
    expect(browser.records.map(({ ttl }) => ttl)).toEqual([1]);
    await network.pass(200);
    expect(events).toEqual(['+one', '-one']);
  });

  test('RFC 6762 §5.2 what is about to run out is asked for at 80, 85, 90 and 95 parts of a hundred', async () => {
    const { network, sent, hear, browser } = setUp();
    await network.pass(1000 * 60 * 60 * 3);
    const before = sent().length;
    const start = network.scheduler.now();
    hear([service('one', 1000)]);
    const parts: number[] = [];
    let seen = before;
    while (network.scheduler.next < start + 999_000) {
      network.scheduler.step();
      if (sent().length > seen) parts.push((network.scheduler.now() - start) / 1_000_000);
      seen = sent().length;
    }
    const refreshes = parts.filter((part) => part > 0.5);
    expect(refreshes).toHaveLength(4);
    for (const [i, part] of refreshes.entries()) {
      expect(part).toBeGreaterThanOrEqual(0.8 + i * 0.05);
      expect(part).toBeLessThanOrEqual(0.82 + i * 0.05);
    }
    browser.close();
  });

  test('RFC 6762 §10.1 a goodbye takes it away after a second, without a question', async () => {
    const { network, events, sent, hear } = setUp();
    await network.pass(200);
    hear([service('one', 10)]);
    await network.pass(1200);
    const before = sent().length;
    hear([service('one', 0)]);
    await network.pass(999);
    expect(events).toEqual(['+one']);
    await network.pass(1);
    expect(events).toEqual(['+one', '-one']);
    expect(sent()).toHaveLength(before);
    hear([service('never', 0)]);
    expect(events).toHaveLength(2);
  });

  test('RFC 6762 §10.2 the flush bit takes away what is older than a second', async () => {
    const { network, events, hear } = setUp();
    await network.pass(200);
    hear([service('old')]);
    await network.pass(2000);
    hear([{ ...service('new'), flush: true }]);
    await network.pass(1000);
    expect(events).toEqual(['+old', '+new', '-old']);
  });

  test.each<[string, (set: SetUp) => void]>([
    ['RFC 6762 §11 from another network', ({ hear }) => hear([service('evil')], ip('203.0.113.1'))],
    ['RFC 6762 §6 from another port', ({ hear }) => hear([service('evil')], HOST, 40_000)],
    ['about another name', ({ hear }) => hear([ptr('_other._tcp.local', 'evil.local')])],
    [
      'that can not be read',
      ({ network }) => network.multicast(GROUP, 5353, HOST, Uint8Array.from([0, 0, 0x84, 0, 0, 0, 0, 9])),
    ],
    [
      'RFC 6762 §18.11 an error',
      ({ network }) =>
        network.multicast(
          GROUP,
          5353,
          HOST,
          encodeMessage({ isResponse: true, rcode: 3, questions: [], answers: [service('evil')] }),
        ),
    ],
  ])('%s: ignored', async (_, disturb) => {
    const set = setUp();
    await set.network.pass(200);
    disturb(set);
    expect(set.events).toEqual([]);
  });

  test('what is known is bounded, and nothing is left when it ends', async () => {
    const { network, browser, hear } = setUp();
    for (let i = 0; i < 2000; i++) hear([service(`s${i}`)]);
    expect(browser.records).toHaveLength(256);
    browser.close();
    expect(network.openSockets).toBe(0);
    expect(network.scheduler.next).toBe(Number.POSITIVE_INFINITY);
  });

  test('a stack without groups can not watch', () => {
    const network = new ScriptedNetwork();
    network.hasGroups = false;
    const observer = { added: () => {}, removed: () => {} };
    const cache = new NameCache(network.scheduler);
    expect(MdnsBrowser.start({ network, cache, name: NAME, type: RecordType.PTR, observer })).toBeNull();
  });
});
