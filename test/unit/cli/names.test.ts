import { afterEach, describe, expect, test } from '@jest/globals';
import type { NameRecord, ResolveAnswer } from '../../../src/port/index.ts';
import { FakeDaemon, type Route } from './harness.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const record = (name: string, type: string, data: string, typeNumber = 1): NameRecord => ({
  name,
  type,
  typeNumber,
  ttl: 60,
  data,
});

const answer = (parts: Partial<ResolveAnswer> = {}): ResolveAnswer => ({
  status: 'found',
  error: 0,
  name: 'www.example',
  displayName: 'www.example',
  types: ['AAAA', 'A'],
  canonicalName: 'www.example',
  source: 'dns',
  server: '10.0.0.1',
  isAuthoritative: false,
  records: [],
  authority: null,
  elapsedMs: 1,
  ...parts,
});

/** A daemon that answers questions about the server's name, and all others with `given`. */
async function asking(given: ResolveAnswer, serverName: string | null = 'dns.example'): Promise<FakeDaemon> {
  const route: Route = ({ body }: { body: unknown }) =>
    (body as { type?: string }).type === 'PTR' && (body as { name: string }).name === '10.0.0.1'
      ? answer({
          status: serverName === null ? 'noName' : 'found',
          records: serverName === null ? [] : [record('', 'PTR', serverName)],
        })
      : given;
  daemon = await FakeDaemon.start({ 'POST /v1/resolve': route });
  return daemon;
}

const HEAD = 'Server:  dns.example\nAddress:  10.0.0.1\n\n';

describe('winsockd nslookup', () => {
  test('shows addresses and aliases as Windows does', async () => {
    const given = answer({
      canonicalName: 'web.example',
      records: [
        record('www.example', 'CNAME', 'web.example'),
        record('web.example', 'AAAA', '2001:db8::1'),
        record('web.example', 'A', '10.0.0.2'),
      ],
    });
    const { out, code } = await (await asking(given)).cli('nslookup www.example');
    expect(out).toBe(
      `${HEAD}Non-authoritative answer:\nName:    web.example\nAddresses:  2001:db8::1\n\t  10.0.0.2\nAliases:  www.example\n\n`,
    );
    expect(code).toBe(0);
  });

  test('a server without a name is UnKnown, an authoritative answer needs no note', async () => {
    const given = answer({ isAuthoritative: true, records: [record('www.example', 'A', '10.0.0.2')] });
    const { out } = await (await asking(given, null)).cli('nslookup www.example');
    expect(out).toBe('Server:  UnKnown\nAddress:  10.0.0.1\n\nName:    www.example\nAddress:  10.0.0.2\n\n');
  });

  test.each([
    [['MX', '10 mail.example'], 'x\tMX preference = 10, mail exchanger = mail.example\n'],
    [['TXT', '"a b" "c"'], 'x\ttext =\n\n\t"a b" "c"\n'],
    [['NS', 'ns.example'], 'x\tnameserver = ns.example\n'],
    [['PTR', 'host.example'], 'x\tname = host.example\n'],
    [['CNAME', 'y.example'], 'x\tcanonical name = y.example\n'],
    [['TYPE65', '\\# 1 00'], 'x\tTYPE65 = \\# 1 00\n'],
    [
      ['SRV', '1 2 389 dc.example'],
      'x\tSRV service location:\n\t  priority       = 1\n\t  weight         = 2\n\t  port           = 389\n\t  svr hostname   = dc.example\n',
    ],
  ])('record %j', async ([type = '', data = ''], text) => {
    const { out } = await (await asking(answer({ records: [record('x', type, data)] }))).cli(
      'nslookup x -type=any',
    );
    expect(out).toBe(`${HEAD}Non-authoritative answer:\n${text}\n`);
  });

  test('an address is asked for its name', async () => {
    const given = answer({ records: [record('x.in-addr.arpa', 'PTR', 'pc.example')] });
    const { out } = await (await asking(given)).cli('nslookup 10.0.0.9');
    expect(out).toContain('Name:    pc.example\nAddress:  10.0.0.9\n');
  });

  test.each<[ResolveAnswer['status'], string]>([
    ['noName', "*** dns.example can't find www: Non-existent domain\n"],
    ['noData', '*** No AAAA or A records available for www.example\n'],
    ['temporary', '*** Request to dns.example timed-out or failed\n'],
  ])('%s is told, and exit code 1', async (status, text) => {
    const { out, code } = await (await asking(answer({ status }))).cli('nslookup www');
    expect(out).toBe(HEAD + text);
    expect(code).toBe(1);
  });

  test.each([
    ['nslookup www', { name: 'www', server: 'default' }],
    ['nslookup www 10.0.0.7', { name: 'www', server: '10.0.0.7' }],
    ['nslookup -type=mx www', { name: 'www', type: 'MX', server: 'default' }],
    [
      'nslookup -q=txt www 10.0.0.7 -port=5353 -vc',
      { name: 'www', type: 'TXT', server: '10.0.0.7', port: 5353, tcp: true },
    ],
    ['nslookup --type AAAA --cache www', { name: 'www', type: 'AAAA' }],
  ])('%s asks for %j', async (line, body) => {
    const asked = await asking(answer());
    await asked.cli(line);
    expect(asked.asked[0]?.body).toEqual(body);
  });

  test('a server given by name is looked up first', async () => {
    const asked = await asking(answer({ records: [record('dns', 'A', '10.0.0.7')] }));
    await asked.cli('nslookup www dns');
    expect(asked.asked.map(({ body }) => body)).toEqual([
      { name: 'dns' },
      { name: 'www', server: '10.0.0.7' },
      { name: '10.0.0.1', type: 'PTR' },
    ]);
  });

  test('what a server sends moves no cursor', async () => {
    const given = answer({ canonicalName: 'a\u001b[2J', records: [record('a\u001b[2J', 'A', '10.0.0.2')] });
    expect((await (await asking(given)).cli('nslookup www')).out).not.toContain('\u001b');
  });

  test('--json has the server and the answer', async () => {
    const given = answer({ records: [record('www.example', 'A', '10.0.0.2')] });
    expect(await (await asking(given)).json('nslookup www')).toEqual({
      server: { name: 'dns.example', address: '10.0.0.1' },
      answer: given,
    });
  });
});

describe('winsockd ipconfig and the cache', () => {
  test('/flushdns forgets, and says how much', async () => {
    daemon = await FakeDaemon.start({ 'DELETE /v1/dns-cache': { entries: 3 } });
    expect((await daemon.cli('ipconfig /flushdns')).out).toBe(
      '\nIP Configuration\n\nSuccessfully flushed the DNS Resolver Cache (3 names).\n',
    );
    expect(await daemon.json('ipconfig -flushdns')).toEqual({ entries: 3 });
  });

  test('/displaydns shows records, and what is known not to be', async () => {
    daemon = await FakeDaemon.start({
      'GET /v1/dns-cache': [
        answer({
          records: [record('www.example', 'CNAME', 'a.example', 5), record('a.example', 'A', '10.0.0.2')],
        }),
        answer({ name: 'no.example', status: 'noName' }),
        answer({ name: 'six.example', types: ['AAAA'], status: 'noData' }),
      ],
    });
    const rule = `    ${'-'.repeat(40)}\n`;
    expect((await daemon.cli('ipconfig /displaydns')).out).toBe(
      `\nIP Configuration\n\n    www.example\n${rule}` +
        '    Record Name . . . . . : www.example\n    Record Type . . . . . : 5\n    Time To Live  . . . . : 60\n' +
        '    Section . . . . . . . : Answer\n    CNAME Record  . . . . : a.example\n\n' +
        '    Record Name . . . . . : a.example\n    Record Type . . . . . : 1\n    Time To Live  . . . . : 60\n' +
        '    Section . . . . . . . : Answer\n    A (Host) Record . . . : 10.0.0.2\n' +
        `\n    no.example\n${rule}    Name does not exist.\n\n    six.example\n${rule}    No records of type AAAA\n`,
    );
  });
});
