/** The mDNS responder on a link, in virtual time. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { encodeMessage } from '../../../src/names/codec.ts';
import { type DnsRecord, RecordType } from '../../../src/names/message.ts';
import { MdnsResponder } from '../../../src/names/responder/responder.ts';
import { answersOf, GROUP_V6, LinkNetwork, type Sent, show } from './link-network.ts';
import { a, ip, ptr, txt } from './scripted-network.ts';

const { A, AAAA, ANY, PTR, SRV, TXT } = RecordType;
const NAME = 'lab.local';
const HTTP = '_http._tcp.local';

let network: LinkNetwork;
let renamed: string[];

function start(label = 'lab'): MdnsResponder {
  const responder = MdnsResponder.start({ network, label, onRenamed: (name) => renamed.push(name) });
  if (responder === null) throw new Error('no group');
  return responder;
}

/** A responder whose name is its own. */
function established(): MdnsResponder {
  const responder = start();
  network.pass(10_000);
  return responder;
}

function offer(responder: MdnsResponder, instance = 'web', port = 80) {
  return responder.register({ instance, type: '_http._tcp', subtypes: [], port, texts: [] });
}

const times = (sent: readonly Sent[]): number[] => sent.map(({ at }) => at);
const probesAmong = (sent: readonly Sent[]): Sent[] =>
  sent.filter(({ message }) => message.authorities.length > 0);
const said = (sent: readonly Sent[]): Sent[] => sent.filter(({ message }) => message.isResponse);

beforeEach(() => {
  network = new LinkNetwork();
  renamed = [];
});

describe('probing', () => {
  test('RFC 6762 §8.1 three probes, 250 ms apart, after a random time; then the name is ours', () => {
    const starts = new Set<number>();
    for (let run = 0; run < 8; run++) {
      for (let skipped = 0; skipped < run; skipped++) network.random.next();
      const responder = start();
      const probes = probesAmong(network.pass(2000));
      const [first = 0] = times(probes);
      starts.add(first - network.scheduler.now());
      expect(times(probes).map((at) => at - first)).toEqual([0, 250, 500]);
      expect(first - (network.scheduler.now() - 2000)).toBeLessThanOrEqual(250);
      responder.close();
    }
    expect(starts.size).toBeGreaterThan(3);
  });

  test('RFC 6762 §8.1, §5.4, §18.1 a probe asks for any type by unicast, and tells in its authority section what is planned', () => {
    start();
    const [probe] = network.pass(500);
    expect(probe?.message).toMatchObject({ id: 0, isResponse: false, isTruncated: false });
    expect(probe?.message.questions).toEqual([{ name: NAME, type: ANY, wantsUnicast: true }]);
    expect(probe?.message.authorities.map(show)).toEqual(['lab.local A 120 10.0.0.1']);
    expect(probe?.to).toBe('224.0.0.251');
  });

  test('RFC 6762 §8.1 a name is not answered for while it is probed for', () => {
    start();
    network.pass(400);
    expect(said(network.during(() => network.ask(NAME, A)))).toEqual([]);
  });

  test('RFC 6762 §8.1, §9 a host that has the name keeps it: we take the next one', () => {
    const responder = start();
    network.pass(300);
    network.say([a(NAME, '10.0.0.9')], { to: ip('10.0.0.1') });
    expect(responder.hostName).toBe('lab-2.local');
    const later = network.pass(3000);
    expect(probesAmong(later).every(({ message }) => message.questions[0]?.name === 'lab-2.local')).toBe(
      true,
    );
    expect(answersOf(later)).toContain('lab-2.local A 120! 10.0.0.1');
    expect(renamed).toEqual(['lab-2.local']);
    network.say([a('lab-2.local', '10.0.0.9')]);
    // It was ours: we look again, and give in when it is said again.
    network.pass(400);
    network.say([a('lab-2.local', '10.0.0.9')]);
    expect(responder.hostName).toBe('lab-3.local');
  });

  test('RFC 6762 §8.1 a record of another type is a host of that name too; the same record is no contradiction', () => {
    const responder = start();
    network.pass(300);
    network.say([a(NAME, '10.0.0.1')]);
    expect(responder.hostName).toBe(NAME);
    network.say([{ ...txt(NAME, 'x') }]);
    expect(responder.hostName).toBe('lab-2.local');
  });

  test('RFC 6762 §8.1 a goodbye, or what is said before the first probe, is no contradiction', () => {
    const responder = start();
    network.say([a(NAME, '10.0.0.9')]);
    network.pass(300);
    network.say([a(NAME, '10.0.0.9', 0)]);
    network.pass(3000);
    expect(responder.hostName).toBe(NAME);
  });

  test('RFC 6762 §8.1 after fifteen contradictions in ten seconds probes are five seconds apart', () => {
    const responder = start();
    for (let n = 1; n <= 15; n++) {
      network.pass(260);
      network.say([a(responder.hostName, '10.0.0.9')]);
    }
    expect(responder.hostName).toBe('lab-16.local');
    const at = network.scheduler.now();
    const [first] = probesAmong(network.pass(6000));
    expect((first?.at ?? 0) - at).toBe(5000);
  });

  describe('RFC 6762 §8.2, §8.2.1 of two who probe at once', () => {
    test.each([
      ['the later data wins', [a(NAME, '10.0.0.9')], true],
      ['and the earlier loses', [a(NAME, '9.255.255.255')], false],
      ['bytes count without sign', [a(NAME, '200.0.0.1')], true],
      ['types come before data', [{ ...txt(NAME, 'x') }], true],
      ['who has more wins', [a(NAME, '10.0.0.1'), a(NAME, '10.0.0.2')], true],
      ['the same is no rival', [a(NAME, '10.0.0.1')], false],
      ['records of other names don’t count', [a('other.local', '99.0.0.1')], false],
    ] as [string, DnsRecord[], boolean][])('%s', (_title, authorities, isDeferred) => {
      const responder = start();
      network.pass(300);
      const at = network.scheduler.now();
      network.hear({ questions: [{ name: NAME, type: ANY }], authorities });
      const later = probesAmong(network.pass(5000));
      // §8.2: who loses waits a second and begins anew: three probes more.
      expect(later.length === 3).toBe(isDeferred);
      expect((later[0]?.at ?? 0) - at === 1000).toBe(isDeferred);
      expect(responder.hostName).toBe(NAME);
    });
  });

  test('RFC 6762 §8.2 our own probe, come back over another interface, is no rival', () => {
    start();
    network.pass(300);
    const own = { from: ip('10.0.0.1') };
    network.hear({ questions: [{ name: NAME, type: ANY }], authorities: [a(NAME, '10.0.0.200')] }, own);
    expect(probesAmong(network.pass(5000)).length).toBeLessThan(3);
  });
});

describe('announcing', () => {
  test('RFC 6762 §8.3, §10.2 twice, a second apart, with the flush bit on what is ours alone', () => {
    start();
    const told = said(network.pass(5000));
    expect(told.map(({ at }) => at - (told[0]?.at ?? 0))).toEqual([0, 1000]);
    expect(told[0]?.message).toMatchObject({ id: 0, isAuthoritative: true, questions: [] });
    expect(answersOf(told.slice(0, 1))).toEqual([
      'lab.local A 120! 10.0.0.1',
      '1.0.0.10.in-addr.arpa PTR 120! lab.local',
    ]);
  });

  test('RFC 6762 §10, RFC 6763 §4.1, §6.1, §7.1, §9 a service: types, instances, where it is and what there is to say', () => {
    const responder = established();
    responder.register({
      instance: 'Print Room',
      type: '_ipp._tcp',
      subtypes: ['_color'],
      port: 631,
      texts: [Buffer.from('rp=queue'), Buffer.from('note=2nd floor')],
    });
    offer(responder);
    const told = said(network.pass(3000));
    expect(new Set(answersOf(told))).toEqual(
      new Set([
        'Print Room._ipp._tcp.local SRV 120! 0 0 631 lab.local',
        'Print Room._ipp._tcp.local TXT 4500! "rp=queue" "note=2nd floor"',
        '_ipp._tcp.local PTR 4500 Print Room._ipp._tcp.local',
        '_color._sub._ipp._tcp.local PTR 4500 Print Room._ipp._tcp.local',
        '_services._dns-sd._udp.local PTR 4500 _ipp._tcp.local',
        'web._http._tcp.local SRV 120! 0 0 80 lab.local',
        'web._http._tcp.local TXT 4500! ""',
        '_http._tcp.local PTR 4500 web._http._tcp.local',
        '_services._dns-sd._udp.local PTR 4500 _http._tcp.local',
      ]),
    );
  });

  test('RFC 6762 §9, RFC 6763 §D a service whose name is taken gets a number', async () => {
    const responder = established();
    const web = offer(responder);
    let isReady = false;
    void web.established.then(() => {
      isReady = true;
    });
    network.pass(300);
    network.say([txt('web._http._tcp.local', 'theirs')]);
    network.pass(3000);
    await web.established;
    expect([web.instance, isReady]).toEqual(['web (2)', true]);
    expect(responder.hostName).toBe(NAME);
  });

  test('RFC 6762 §8.4 an address that comes is told, one that goes is said goodbye to', () => {
    const responder = established();
    network.interfaces = [{ index: 1, addresses: [ip('10.0.0.2')] }];
    responder.refresh();
    const told = network.pass(3000);
    expect(probesAmong(told)).toEqual([]);
    const all = answersOf(network.sent.slice(-3));
    expect(all).toContain('lab.local A 0! 10.0.0.1');
    expect(all).toContain('lab.local A 120! 10.0.0.2');
    expect(network.during(() => responder.refresh())).toEqual([]);
  });
});

describe('answering', () => {
  test('RFC 6762 §6, §6.2 what is ours alone at once, with what there is besides', () => {
    network.interfaces = [{ index: 1, addresses: [ip('10.0.0.1'), ip('fe80::1%1')] }];
    established();
    const [answer, ...more] = network.during(() => network.ask(NAME, A));
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ interfaceIndex: 1, to: '224.0.0.251', port: 5353 });
    expect(answer?.message).toMatchObject({ id: 0, isAuthoritative: true, questions: [], rcode: 0 });
    expect(answer?.message.answers.map(show)).toEqual(['lab.local A 120! 10.0.0.1']);
    expect(answer?.message.additionals.map(show)).toEqual(['lab.local AAAA 120! fe80::1']);
  });

  test('RFC 6762 §6.1 what a name of ours has not is denied by NSEC', () => {
    established();
    const [answer] = network.during(() => network.ask(NAME, AAAA));
    const [nsec] = answer?.message.answers ?? [];
    expect(nsec).toMatchObject({ name: NAME, type: 47, ttl: 120, flush: true });
    // The name itself, window 0, one byte: A.
    expect(nsec).toMatchObject({ data: Buffer.from('036c6162056c6f63616c0000' + '01' + '40', 'hex') });
    expect(network.during(() => network.ask('other.local', A))).toEqual([]);
  });

  test('RFC 6762 §16 names are the same whatever the case of their letters', () => {
    established();
    expect(answersOf(network.during(() => network.ask('LAB.Local', A)))).toHaveLength(1);
  });

  test('RFC 6762 §4 the reverse of an address of ours', () => {
    established();
    expect(answersOf(network.during(() => network.ask('1.0.0.10.in-addr.arpa', PTR)))).toEqual([
      '1.0.0.10.in-addr.arpa PTR 120! lab.local',
    ]);
  });

  test('RFC 6762 §6 what others may answer too comes after 20 to 120 ms; RFC 6763 §12.1 with all that is needed', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    const at = network.scheduler.now();
    expect(network.during(() => network.ask(HTTP, PTR))).toEqual([]);
    const [answer] = network.pass(1000);
    expect((answer?.at ?? 0) - at).toBeGreaterThanOrEqual(20);
    expect((answer?.at ?? 0) - at).toBeLessThanOrEqual(120);
    expect(answer?.message.answers.map(show)).toEqual(['_http._tcp.local PTR 4500 web._http._tcp.local']);
    const besides = answer?.message.additionals.map(({ type }) => type);
    expect(besides).toEqual([SRV, TXT, 47, A]);
  });

  test('RFC 6762 §6.3 several questions are answered together', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    const [answer, ...more] = network.during(() =>
      network.hear({
        questions: [
          { name: NAME, type: A },
          { name: 'web._http._tcp.local', type: SRV },
          { name: 'other.local', type: A },
        ],
      }),
    );
    expect([answer?.message.answers.map(({ type }) => type), more]).toEqual([[A, SRV], []]);
  });

  test('RFC 6762 §6 nothing is told twice within a second', () => {
    established();
    expect(network.during(() => network.ask(NAME, A))).toHaveLength(1);
    const at = network.scheduler.now();
    network.pass(300);
    network.ask(NAME, A);
    network.ask(NAME, A);
    const told = network.pass(3000);
    expect(times(told)).toEqual([at + 1000]);
  });

  test('RFC 6762 §6, §8.1 in defence of a name sooner: after 250 ms', () => {
    established();
    const probe = (): void =>
      network.hear({ questions: [{ name: NAME, type: ANY }], authorities: [a(NAME, '10.0.0.9')] });
    expect(network.during(probe)).toHaveLength(1);
    const at = network.scheduler.now();
    network.pass(100);
    probe();
    expect(times(network.pass(2000))).toEqual([at + 250]);
  });

  test('RFC 6762 §5.4 an answer by unicast for who wants it so, if all were told lately', () => {
    established();
    const ask = (): Sent[] =>
      network.during(() => network.hear({ questions: [{ name: NAME, type: A, wantsUnicast: true }] }));
    expect(ask()).toMatchObject([{ to: '10.0.0.9', port: 5353 }]);
    // A quarter of two minutes later everybody is told again.
    network.pass(31_000);
    expect(ask()).toMatchObject([{ to: '224.0.0.251' }]);
  });

  test('RFC 6762 §6.7 who asks from another port is answered as a plain resolver expects', () => {
    established();
    const [answer] = network.during(() => network.ask(NAME, A, { id: 77 }, { port: 40_000 }));
    expect(answer).toMatchObject({ to: '10.0.0.9', port: 40_000, interfaceIndex: 0 });
    expect(answer?.message).toMatchObject({ id: 77, questions: [{ name: NAME, type: A }] });
    expect(answer?.message.answers.map(show)).toEqual(['lab.local A 10 10.0.0.1']);
  });

  test('RFC 6762 §5.5, §11 who asks us alone is answered if he is on the link', () => {
    established();
    network.onLink = (address) => address.toString().startsWith('10.');
    const to = ip('10.0.0.1');
    expect(network.during(() => network.ask(NAME, A, {}, { to }))).toMatchObject([{ to: '10.0.0.9' }]);
    const stranger = ip('192.0.2.1');
    expect(network.during(() => network.ask(NAME, A, {}, { to, from: stranger }))).toEqual([]);
  });

  test('RFC 6762 §7.1 what the asker knows for half of its time at least is not said', () => {
    established();
    const knowing = (ttl: number): Sent[] =>
      network.during(() => network.ask(NAME, A, { answers: [a(NAME, '10.0.0.1', ttl)] }));
    expect(knowing(60)).toEqual([]);
    expect(knowing(59)).toHaveLength(1);
    network.pass(2000);
    const other = network.during(() => network.ask(NAME, A, { answers: [a(NAME, '10.0.0.7', 120)] }));
    expect(other).toHaveLength(1);
  });

  test('RFC 6762 §7.2 who has more to say is waited for, 400 to 500 ms', () => {
    const responder = established();
    for (const [i, instance] of ['one', 'two', 'three'].entries()) offer(responder, instance, i + 1);
    network.pass(5000);
    const at = network.scheduler.now();
    const known = (label: string): DnsRecord => ptr(HTTP, `${label}.${HTTP}`, 4500);
    network.ask(HTTP, PTR, { isTruncated: true, answers: [known('one')] });
    network.pass(100);
    network.hear({ questions: [], answers: [known('two')] });
    const [answer, ...more] = network.pass(2000);
    expect(more).toEqual([]);
    expect((answer?.at ?? 0) - at).toBeGreaterThanOrEqual(400);
    expect((answer?.at ?? 0) - at).toBeLessThanOrEqual(500);
    expect(answersOf([answer as Sent])).toEqual([`${HTTP} PTR 4500 three.${HTTP}`]);
  });

  test('RFC 6762 §7.4 what somebody else has said meanwhile need not be said', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    network.ask('_services._dns-sd._udp.local', PTR);
    network.say([ptr('_services._dns-sd._udp.local', HTTP, 4500)]);
    expect(network.pass(2000)).toEqual([]);
    expect(responder.counters.suppressed).toBe(1);
  });

  test('RFC 6762 §6.6 who says that a record of ours is gone, or nearly, is told otherwise', () => {
    established();
    const [told] = network.during(() => network.say([a(NAME, '10.0.0.1', 0)]));
    expect(told?.message.answers.map(show)).toEqual(['lab.local A 120! 10.0.0.1']);
    network.pass(2000);
    expect(network.during(() => network.say([a(NAME, '10.0.0.1', 59)]))).toHaveLength(1);
    network.pass(2000);
    expect(network.during(() => network.say([a(NAME, '10.0.0.1', 60)]))).toEqual([]);
  });

  test('RFC 6762 §17 what does not fit into a frame goes in several messages', () => {
    const responder = established();
    for (let n = 0; n < 100; n++) offer(responder, `${'x'.repeat(50)}${n}`, n + 1);
    network.pass(10_000);
    network.ask(HTTP, PTR);
    const told = network.pass(1000);
    expect(told.length).toBeGreaterThan(1);
    expect(new Set(answersOf(told)).size).toBe(100);
    for (const { bytes } of told) expect(bytes.length).toBeLessThanOrEqual(1400);
  });

  test('RFC 6762 §17 of a thousand services all are told to the group, and some to who asks alone', () => {
    const responder = established();
    for (let n = 0; n < 1000; n++)
      responder.register({
        instance: `${'ü'.repeat(28)}${n}`,
        type: '_http._tcp',
        subtypes: [],
        port: 80,
        texts: new Array(5).fill(new Uint8Array(250)),
      });
    network.pass(120_000);
    network.ask(HTTP, PTR);
    expect(new Set(answersOf(network.pass(1000))).size).toBe(1000);
    network.ask(HTTP, PTR, { id: 5 }, { port: 40_000 });
    const [answer] = network.pass(1000);
    expect(answer?.message).toMatchObject({ id: 5, isTruncated: true });
    expect(answer?.message.answers.length).toBeGreaterThan(5);
    responder.close();
    expect(network.scheduler.pending).toBe(0);
  });

  test('RFC 6762 §18.3, §18.11 other opcodes and failures are nothing; what is malformed is counted', () => {
    const responder = established();
    expect(network.during(() => network.ask(NAME, A, { opcode: 5 }))).toEqual([]);
    expect(network.during(() => network.ask(NAME, A, { rcode: 3 }))).toEqual([]);
    network.say([a(NAME, '10.0.0.9')], { port: 1234 });
    network.hearBytes(Uint8Array.of(1, 2, 3));
    network.hearBytes(encodeMessage({ questions: [{ name: NAME, type: A }] }).subarray(0, 20));
    expect(responder.counters).toMatchObject({ malformed: 2, conflicts: 0 });
  });
});

describe('defending and leaving', () => {
  test('RFC 6762 §9 a name that was ours and is contradicted is probed for anew', () => {
    const responder = established();
    network.say([a(NAME, '10.0.0.9')]);
    expect(responder.links).toEqual([{ interfaceIndex: 1, family: 4, isReady: false }]);
    const later = network.pass(5000);
    expect(probesAmong(later)).toHaveLength(3);
    // Nobody defended it.
    expect(responder.hostName).toBe(NAME);
    expect(answersOf(later)).toContain('lab.local A 120! 10.0.0.1');
  });

  test('RFC 6762 §9 services are found at the new name of the host', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    network.say([a(NAME, '10.0.0.9')]);
    network.pass(400);
    network.say([a(NAME, '10.0.0.9')]);
    const told = answersOf([...network.sent.slice(-4), ...network.pass(5000)]);
    expect(told).toContain('web._http._tcp.local SRV 120! 0 0 80 lab-2.local');
    expect(told).toContain('lab-2.local A 120! 10.0.0.1');
    expect(told).toContain('lab.local A 0! 10.0.0.1');
  });

  test('RFC 6762 §10.1 a goodbye in the end, with TTL 0; what another service shares stays', () => {
    const responder = established();
    const web = offer(responder);
    offer(responder, 'other', 81);
    network.pass(5000);
    const bye = answersOf(network.during(() => web.withdraw()));
    expect(bye).toEqual([
      'web._http._tcp.local SRV 0! 0 0 80 lab.local',
      'web._http._tcp.local TXT 0! ""',
      '_http._tcp.local PTR 0 web._http._tcp.local',
    ]);
    expect(network.during(() => network.ask('web._http._tcp.local', SRV))).toEqual([]);
    const last = answersOf(network.during(() => responder.close()));
    expect(last).toContain('_services._dns-sd._udp.local PTR 0 _http._tcp.local');
    expect(last).toContain('lab.local A 0! 10.0.0.1');
    expect(network.openSockets).toBe(0);
    expect(network.pass(60_000)).toEqual([]);
    expect(network.scheduler.pending).toBe(0);
  });

  test('a service that leaves while it probes never was there', async () => {
    const responder = established();
    const web = offer(responder);
    network.pass(300);
    const bye = network.during(() => web.withdraw());
    await web.established;
    expect([bye, network.pass(5000)]).toEqual([[], []]);
  });
});

describe('several links', () => {
  beforeEach(() => {
    network.interfaces = [
      { index: 1, addresses: [ip('10.0.0.1')] },
      { index: 2, addresses: [ip('10.2.0.1'), ip('fe80::2%2')] },
    ];
  });

  test('RFC 6762 §14, §20 on each its own addresses; IPv4 and IPv6 are two', () => {
    const responder = established();
    expect(responder.links.map(({ interfaceIndex, family }) => [interfaceIndex, family])).toEqual([
      [1, 4],
      [2, 4],
      [2, 6],
    ]);
    const first = network.during(() => network.ask(NAME, A, {}, { interfaceIndex: 1 }));
    expect(first).toMatchObject([{ interfaceIndex: 1 }]);
    expect(answersOf(first)).toEqual(['lab.local A 120! 10.0.0.1']);
    const from = ip('fe80::9%2');
    const second = network.during(() => network.ask(NAME, A, {}, { interfaceIndex: 2, to: GROUP_V6, from }));
    expect(second).toMatchObject([{ interfaceIndex: 2, to: 'ff02::fb' }]);
    expect(answersOf(second)).toEqual(['lab.local A 120! 10.2.0.1']);
  });

  test('RFC 6762 §14 a name is the same on all links: who is contradicted on one takes another on all', () => {
    const responder = established();
    network.say([a(NAME, '10.2.0.9')], { interfaceIndex: 2, from: ip('10.2.0.9') });
    network.pass(400);
    network.say([a(NAME, '10.2.0.9')], { interfaceIndex: 2, from: ip('10.2.0.9') });
    network.pass(5000);
    expect(responder.hostName).toBe('lab-2.local');
    expect(network.during(() => network.ask(NAME, A))).toEqual([]);
    expect(answersOf(network.during(() => network.ask('lab-2.local', A)))).toHaveLength(1);
  });

  test('RFC 6762 §14 what we say on another interface of the same link is no contradiction', () => {
    const responder = established();
    network.say([a(NAME, '10.2.0.1')], { interfaceIndex: 1, from: ip('10.2.0.1') });
    expect(responder.counters.conflicts).toBe(0);
    expect(responder.links.every(({ isReady }) => isReady)).toBe(true);
  });

  test('a link that comes is probed on, one that goes is heard no more', () => {
    const responder = established();
    network.interfaces = [network.interfaces[0] as never, { index: 3, addresses: [ip('10.3.0.1')] }];
    responder.refresh();
    const told = network.pass(5000);
    expect(probesAmong(told).map(({ interfaceIndex }) => interfaceIndex)).toEqual([3, 3, 3]);
    expect(network.during(() => network.ask(NAME, A, {}, { interfaceIndex: 2 }))).toEqual([]);
    expect(network.during(() => network.ask(NAME, A, {}, { interfaceIndex: 3 }))).toHaveLength(1);
    expect(network.refreshed).toContain('224.0.0.251');
  });

  test('without any link a service is ours at once', async () => {
    network.interfaces = [];
    const responder = start();
    const web = offer(responder);
    await web.established;
    expect(web.instance).toBe('web');
    network.interfaces = [{ index: 1, addresses: [ip('10.0.0.1')] }];
    responder.refresh();
    network.pass(5000);
    expect(answersOf(network.during(() => network.ask('web._http._tcp.local', SRV)))).toHaveLength(1);
  });
});

describe('names at their limits', () => {
  test('RFC 1035 §2.3.4 a label that would grow too long is cut between characters', () => {
    const label = `${'é'.repeat(31)}x`;
    const responder = start(label);
    network.pass(300);
    network.say([a(`${label}.local`, '10.0.0.9')]);
    expect(responder.hostName).toBe(`${'é'.repeat(30)}-2.local`);
    network.pass(5000);
    expect(responder.links[0]?.isReady).toBe(true);
  });

  test('RFC 6762 §6.4, §7.2 askers that always have more to say are answered too, in bounded memory', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    for (let n = 0; n < 500; n++) {
      const from = ip(`10.0.${n >> 8}.${n & 255 || 1}`);
      network.ask(HTTP, PTR, { isTruncated: true }, { from });
    }
    expect(network.scheduler.pending).toBeLessThan(100);
    // All of them are answered by one message, and at most one a second.
    expect(network.pass(3000).length).toBeLessThan(4);
  });

  test('many askers at once, from ports of their own, are answered in bounded memory', () => {
    const responder = established();
    offer(responder);
    network.pass(5000);
    const waiting = network.scheduler.pending;
    for (let n = 0; n < 1000; n++)
      network.ask(HTTP, PTR, { id: n }, { port: 40_000, from: ip(`10.1.${n >> 8}.${n & 255}`) });
    expect(network.scheduler.pending - waiting).toBeLessThanOrEqual(64);
    expect(network.pass(200).length).toBe(64);
    network.ask(HTTP, PTR, {}, { port: 40_000 });
    expect(network.pass(200).length).toBe(1);
  });

  test('an address that asks without end is answered at a bounded rate', () => {
    established();
    let answers = 0;
    for (let n = 0; n < 2000; n++)
      answers += network.during(() => network.ask(NAME, A, { id: n }, { port: 40_000 })).length;
    expect(answers).toBe(200);
  });
});
