/** The LLMNR responder on a link, in virtual time. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { decodeMessage, encodeMessage, frameForStream } from '../../../src/names/codec.ts';
import { type MessageParts, RecordType } from '../../../src/names/message.ts';
import { LlmnrResponder } from '../../../src/names/responder/llmnr-responder.ts';
import { answersOf, LinkNetwork, type Sent, show } from './link-network.ts';
import { a, ip } from './scripted-network.ts';

const { A, AAAA, ANY, PTR, TXT } = RecordType;
const GROUP = ip('224.0.0.252');
const GROUP6 = ip('ff02::1:3');
const PEER = { to: GROUP, port: 50_000 };

let network: LinkNetwork;

function start(): LlmnrResponder {
  const responder = LlmnrResponder.start({ network, label: 'LAB' });
  if (responder === null) throw new Error('no group');
  return responder;
}

function verified(): LlmnrResponder {
  const responder = start();
  network.pass(5000);
  return responder;
}

const ask = (name: string, type: number, more: Partial<MessageParts> = {}, how: object = {}): Sent[] =>
  network.during(() => network.ask(name, type, { id: 7, ...more }, { ...PEER, ...how }));

/** Somebody answers our verification. */
function claim(verification: Sent | undefined, from: string, more: Partial<MessageParts> = {}): void {
  const { id = 0, questions = [] } = verification?.message ?? {};
  const parts = { id, isResponse: true, questions, answers: [a('lab', from)], ...more };
  network.hear(parts, { from: ip(from), port: 5355, to: ip('10.0.0.5') });
}

beforeEach(() => {
  network = new LinkNetwork([{ index: 1, addresses: [ip('10.0.0.5')] }]);
});

describe('verifying', () => {
  test('RFC 4795 §4.1, §2.7 three questions for the own name, a second apart, after a short random delay', () => {
    const responder = start();
    const sent = network.pass(5000);
    expect(sent.map(({ at }) => at - (sent[0]?.at ?? 0))).toEqual([0, 1000, 2000]);
    expect(sent[0]?.at).toBeLessThan(100);
    for (const { message, to, port } of sent) {
      expect([message.questions, to, port]).toEqual([[{ name: 'LAB', type: ANY }], '224.0.0.252', 5355]);
      expect(message.id).toBe(sent[0]?.message.id);
    }
    expect(responder.links).toEqual([{ interfaceIndex: 1, family: 4, state: 'unique' }]);
  });

  test('RFC 4795 §2.1.1 until then answers have the T bit', () => {
    start();
    expect(ask('lab', A)[0]?.message.recursionDesired).toBe(true);
    network.pass(5000);
    expect(ask('lab', A)[0]?.message).toMatchObject({ recursionDesired: false, isAuthoritative: false });
  });

  test('RFC 4795 §4.1 a name that somebody has is not answered for', () => {
    const responder = start();
    const [first] = network.pass(500);
    claim(first, '10.0.0.9');
    expect(responder.links[0]?.state).toBe('lost');
    expect(ask('lab', A)).toEqual([]);
    expect(network.pass(10_000)).toEqual([]);
  });

  test.each([
    ['10.0.0.4', 'lost'],
    ['10.0.0.6', 'unique'],
    ['9.255.255.255', 'lost'],
    ['200.0.0.1', 'unique'],
  ])('RFC 4795 §4.1 of two who verify at once the smaller address has the name: %s, %s', (from, state) => {
    const responder = start();
    const [first] = network.pass(500);
    claim(first, from, { recursionDesired: true });
    network.pass(5000);
    expect(responder.links[0]?.state).toBe(state);
  });

  test('answers to other questions, other ids, failures and our own are nothing', () => {
    const responder = start();
    const [first] = network.pass(500);
    claim(first, '10.0.0.9', { id: 1 });
    claim(first, '10.0.0.9', { questions: [{ name: 'other', type: ANY }] });
    claim(first, '10.0.0.9', { rcode: 2 });
    claim(first, '10.0.0.5');
    network.pass(5000);
    expect(responder.links[0]?.state).toBe('unique');
    claim(first, '10.0.0.9');
    expect(responder.links[0]?.state).toBe('unique');
  });

  test('RFC 4795 §4.2 a question with the C bit is not answered, and makes us look again', () => {
    const responder = verified();
    expect(ask('lab', A, { isAuthoritative: true })).toEqual([]);
    expect(responder.links[0]?.state).toBe('verifying');
    expect(network.pass(5000)).toHaveLength(3);
    expect(responder.links[0]?.state).toBe('unique');
  });

  test('a link that comes is verified on', () => {
    const responder = verified();
    network.interfaces = [...network.interfaces, { index: 2, addresses: [ip('10.2.0.5'), ip('fe80::5%2')] }];
    responder.refresh();
    expect(network.pass(5000).map(({ interfaceIndex }) => interfaceIndex)).toEqual([2, 2, 2, 2, 2, 2]);
    network.interfaces = [];
    responder.refresh();
    expect(responder.links).toEqual([]);
  });
});

describe('answering', () => {
  test('RFC 4795 §2.3, §2.8 our name, in any case, to who asks alone, for thirty seconds', () => {
    network.interfaces = [{ index: 1, addresses: [ip('10.0.0.5'), ip('fe80::5%1')] }];
    verified();
    const [answer] = ask('lab', A);
    expect(answer).toMatchObject({ to: '10.0.0.9', port: 50_000, interfaceIndex: 0 });
    expect(answer?.message).toMatchObject({ id: 7, isResponse: true, questions: [{ name: 'lab', type: A }] });
    expect(answersOf([answer as Sent])).toEqual(['LAB A 30 10.0.0.5']);
    expect(answersOf(ask('LAB', AAAA))).toEqual(['LAB AAAA 30 fe80::5']);
    expect(answersOf(ask('lab', ANY))).toHaveLength(2);
    const from = ip('fe80::9%1');
    expect(answersOf(ask('lab', A, {}, { to: GROUP6, from }))).toEqual(['LAB A 30 10.0.0.5']);
  });

  test('RFC 4795 §2.3 what the name has not is an empty answer; other names are none of ours', () => {
    verified();
    expect(ask('lab', TXT)[0]?.message).toMatchObject({ rcode: 0, answers: [] });
    expect(ask('other', A)).toEqual([]);
    expect(ask('lab.example', A)).toEqual([]);
    expect(ask('www.lab', A)).toEqual([]);
  });

  test('the reverse of our address', () => {
    verified();
    expect(answersOf(ask('5.0.0.10.in-addr.arpa', PTR))).toEqual(['5.0.0.10.in-addr.arpa PTR 30 LAB']);
    expect(ask('6.0.0.10.in-addr.arpa', PTR)).toEqual([]);
  });

  test.each<[string, Partial<MessageParts>]>([
    ['an opcode', { opcode: 4 }],
    ['a code', { rcode: 1 }],
    ['no question', { questions: [] }],
    [
      'two questions',
      {
        questions: [
          { name: 'lab', type: A },
          { name: 'lab', type: A },
        ],
      },
    ],
    ['answers', { answers: [a('lab', '10.0.0.5')] }],
    ['authorities', { authorities: [a('lab', '10.0.0.5')] }],
  ])('RFC 4795 §2.1.1 a question with %s is none', (_what, parts) => {
    verified();
    expect(ask('lab', A, parts)).toEqual([]);
  });

  test('RFC 4795 §2.4, §2.5 neither who asks us alone by UDP is answered, nor who is not on the link', () => {
    const responder = verified();
    expect(ask('lab', A, {}, { to: ip('10.0.0.5') })).toEqual([]);
    network.onLink = (address) => address.w3 >>> 24 === 10;
    expect(ask('lab', A, {}, { from: ip('192.0.2.1') })).toEqual([]);
    network.hearBytes(Uint8Array.of(1, 2), { to: GROUP });
    expect(responder.counters).toMatchObject({ strangers: 1, malformed: 1 });
  });

  test('RFC 4795 §2.4 over TCP, for five seconds, for a bounded number at once', () => {
    verified();
    const stream = network.connectFrom(ip('10.0.0.9'));
    const question = frameForStream(encodeMessage({ id: 9, questions: [{ name: 'lab', type: A }] }));
    stream?.send(question);
    const answer = decodeMessage((stream?.got[0] ?? new Uint8Array(2)).subarray(2));
    expect([answer?.id, answer?.answers.map(show)]).toEqual([9, ['LAB A 30 10.0.0.5']]);
    stream?.send(frameForStream(encodeMessage({ questions: [{ name: 'other', type: A }] })));
    expect(stream?.isClosed()).toBe(true);
    const streams = Array.from({ length: 40 }, () => network.connectFrom(ip('10.0.0.9')));
    expect(streams.filter((each) => each !== null)).toHaveLength(32);
    network.pass(5000);
    expect(streams.every((each) => each === null || each.isClosed())).toBe(true);
    network.onLink = () => false;
    expect(network.connectFrom(ip('10.0.0.9'))).toBeNull();
  });

  test('RFC 4795 §2.1 an answer that is too long is cut off', () => {
    network.interfaces = [
      { index: 1, addresses: Array.from({ length: 100 }, (_, n) => ip(`10.0.0.${n + 1}`)) },
    ];
    verified();
    const [answer] = ask('lab', A, {}, { from: ip('10.0.1.1') });
    expect(answer?.message).toMatchObject({ isTruncated: true, answers: [] });
  });

  test('an address that asks without end is answered at a bounded rate; in the end nothing is left', () => {
    const responder = verified();
    let answers = 0;
    for (let n = 0; n < 1000; n++) answers += ask('lab', A).length;
    expect(answers).toBe(200);
    network.connectFrom(ip('10.0.0.9'));
    responder.close();
    expect(network.openSockets).toBe(0);
    network.pass(10_000);
    expect(network.scheduler.pending).toBe(0);
  });
});
