import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatTrace, runScript } from '../../src/sim/index.ts';
import { evaluate } from '../../src/sim/script/formula.ts';
import { parseScript } from '../../src/sim/script/parser.ts';
import { ScriptError } from '../../src/sim/script/script-error.ts';

const LISTEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
`;
const CONNECTED = `${LISTEN}+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`;

/** The message of a script that must fail. */
function failure(text: string): string {
  const { error, passed } = runScript(text, { name: 'x.pkt' });
  expect(passed).toBe(false);
  return error?.message ?? '';
}

function parseFailure(text: string): string {
  try {
    parseScript(text, 'x.pkt');
  } catch (error) {
    expect(error).toBeInstanceOf(ScriptError);
    return (error as ScriptError).message;
  }
  throw new Error(`was read: ${text}`);
}

describe('reading a script', () => {
  test.each([
    ['0 < S 0:0(0) win 1\n', { kind: 'absolute', from: 0, to: 0 }],
    ['1.5 < S 0:0(0) win 1\n', { kind: 'absolute', from: 1500, to: 1500 }],
    ['+.1 < S 0:0(0) win 1\n', { kind: 'relative', from: 100, to: 100 }],
    ['+0.1~+0.3 > S 0:0(0)\n', { kind: 'relative', from: 100, to: 300 }],
    ['0.1~0.3 > S 0:0(0)\n', { kind: 'absolute', from: 100, to: 300 }],
    ['* > S 0:0(0)\n', { kind: 'any', from: 0, to: Number.POSITIVE_INFINITY }],
  ])('given the time of %j', (text, time) => {
    expect(parseScript(text, 'x').events[0]?.time).toEqual(time);
  });

  test('given a segment with everything, every part is read', () => {
    const text =
      '0 < @2 [ect0] FPUEW. 1:11(10) ack 5 win 77 urg 3 <mss 1460,wscale 7,sackOK,nop,eol,TS val 1 ecr 2,sack 5:6 8:9>';
    const action = parseScript(text, 'x').events[0]?.action;
    expect(action).toMatchObject({ kind: 'packet', isInbound: true, flow: 2 });
    expect(action).toMatchObject({
      packet: {
        ecn: 'ect0',
        flags: 'FPUEW.',
        seq: 1,
        endSeq: 11,
        length: 10,
        ack: 5,
        window: 77,
        urgent: 3,
        options: [
          { kind: 'mss', value: 1460 },
          { kind: 'wscale', value: 7 },
          { kind: 'sackOK' },
          { kind: 'nop' },
          { kind: 'eol' },
          { kind: 'TS', val: 1, ecr: 2 },
          {
            kind: 'sack',
            blocks: [
              [5, 6],
              [8, 9],
            ],
          },
        ],
      },
    });
  });

  test('given an ICMP error, what it quotes may stand before or after', () => {
    const before = parseScript('0 < [1:11(10)] icmp unreachable frag_needed mtu 900', 'x').events[0];
    const after = parseScript('0 < icmp unreachable frag_needed mtu 900 [1:11(10)]', 'x').events[0];
    expect(before?.action).toEqual(after?.action);
    expect(after?.action).toMatchObject({ packet: { mtu: 900, quoted: { seq: 1, length: 10 } } });
  });

  test('given a call with structures, notes and an error, every part is read', () => {
    const text = '0...0.5 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = -1 EINVAL (no (good) way)';
    expect(parseScript(text, 'x').events[0]?.action).toMatchObject({
      kind: 'call',
      end: 500,
      name: 'poll',
      errno: 'EINVAL',
      result: { kind: 'number', value: -1 },
    });
  });

  test('given comments of three kinds, they are skipped and lines still counted', () => {
    const { events } = parseScript('// a\n# b\n/* c\nd */\n0 < S 0:0(0) win 1 // e\n+0 > R. 0:0(0)', 'x');
    expect(events.map(({ line }) => line)).toEqual([5, 6]);
  });

  test('given a list of options and then a packet, neither is taken for the other', () => {
    const { events } = parseScript('0 > S 0:0(0) <mss 1>\n0 < S. 0:0(0) ack 1 win 1\n0 < . 1:1(0)', 'x');
    expect(events).toHaveLength(3);
  });

  test.each([
    ['0 < S 0:5(4) win 1', 'x.pkt:1: 0:5 is not 4 bytes long'],
    ['0 < X 0:0(0) win 1', "x.pkt:1: TCP flags out of FSRPUEWA and '.' before should stand here"],
    ['\n0 < S 0:0(0) win 1 <tea 5>', "x.pkt:2: 'tea' is no TCP option of this language"],
    ['0 read(3, ..., 5', "x.pkt:1: ')' should stand here, not 'the end of the script'"],
    ['0 read(3) = "abc', 'x.pkt:1: " is never closed'],
    ['/* 0 read(3) = 0', 'x.pkt:1: a comment is never closed'],
    ['0 %{ assert 1', 'x.pkt:1: %{ is never closed by }%'],
    ['+ < S 0:0(0)', "x.pkt:1: a time should stand here, not '<'"],
  ])('given %j, the error says where and what', (text, message) => {
    expect(parseFailure(text)).toContain(message);
  });

  test('given any text, it is read or refused with a ScriptError', () => {
    const words = fc.constantFrom(
      ...'0 +.1 < > S . ( ) [ ] { } , = : 1 win ack <...> socket %{ }% " ` mss | ~ -1 ...'.split(' '),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join(' ')),
        ),
        (text) => {
          try {
            parseScript(text, 'x');
          } catch (error) {
            expect(error).toBeInstanceOf(ScriptError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('formulas', () => {
  const names: Record<string, number | string | boolean> = { cwnd: 10, rtt: 2.5, state: 'LISTEN', on: true };
  const value = (text: string) => evaluate(text, (name) => names[name]);

  test.each([
    ['cwnd == 10', true],
    ['1 < cwnd <= 10', true],
    ['1 < cwnd < 10', false],
    ['cwnd == 10 and not rtt > 3', true],
    ['cwnd == 9 || rtt == 2.5', true],
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['-7 // 2', -4],
    ['7 / 2', 3.5],
    ['-7 % 3', 2],
    ['0x10 | 1', 17],
    ['6 & 3 == 2', true],
    ['1 << 4 >> 2', 4],
    ['~0', -1],
    ["state == 'LISTEN'", true],
    ['state != "CLOSED"', true],
    ['on == 1', true],
    ['cwnd == 10, cwnd', true],
    ['!on', false],
  ])('%s is %p', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  test.each([
    ['nothing == 1', "'nothing' is not known"],
    ['1 +', 'a value is missing'],
    ['(1', "')' is missing"],
    ['1 1', "'1' should not stand here"],
    ['state < 5', "'LISTEN' is no number"],
    ['a; b', "'; b' cannot be read"],
    ['constructor', "'constructor' is not known"],
  ])('%s is refused', (text, message) => {
    expect(() => evaluate(text, (name) => (Object.hasOwn(names, name) ? names[name] : undefined))).toThrow(
      message,
    );
  });
});

describe('a script that does not hold', () => {
  test('given another packet than expected, both are shown in the language', () => {
    const message = failure(`${LISTEN}+0 < S 0:0(0) win 100 <mss 1000>\n+0 > S. 0:0(0) ack 2 <...>`);
    expect(message).toContain('x.pkt:5: the acknowledgement number differs');
    expect(message).toContain('expected: 0.000000 S. 0:0(0) ack 2 <...>');
    expect(message).toContain('seen:     0.000000 S. 0:0(0) ack 1 win 65535 <mss 1460>');
  });

  test.each([
    ['> R. 0:0(0) ack 1 <...>', 'the flags differs'],
    ['> S. 0:10(10) ack 1 <...>', 'the length differs'],
    ['> S. 0:0(0) ack 1 win 5 <...>', 'the window differs'],
    ['> S. 0:0(0) ack 1', 'the options differs'],
    ['> S. 0:0(0) ack 1 <mss 5>', 'option mss differs'],
    ['> [ce] S. 0:0(0) ack 1 <...>', 'the ECN field of the IP header differs'],
    ['> udp (5)', 'a packet of tcp differs'],
  ])('given %s for a SYN-ACK, the difference is named', (line, what) => {
    expect(failure(`${LISTEN}+0 < S 0:0(0) win 100 <mss 1000>\n+0 ${line}`)).toContain(what);
  });

  test('given a packet that does not come, the wait ends with the tolerance', () => {
    const message = failure(`${LISTEN}+1 > S. 0:0(0) ack 1 <...>`);
    expect(message).toContain('the host sent nothing');
    expect(message).toContain('nothing until 1.004000');
  });

  test('given a packet at another time, the time differs', () => {
    expect(failure(`${CONNECTED}+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1`)).toContain(
      'the time differs',
    );
  });

  test('given a packet that no line expects, the script fails, unless it is the last thing that happens', () => {
    const sent = `${CONNECTED}+0 write(4, ..., 10) = 10\n`;
    expect(runScript(sent).passed).toBe(true);
    expect(runScript(sent).notes.join()).toContain('P. 1:11(10) ack 1');
    expect(failure(`${sent}+.1 < . 1:1(0) ack 11 win 1000\n`)).toContain('was not expected');
  });

  test('given another result or error than expected, both are shown', () => {
    expect(failure(`${LISTEN}+0 accept(4, ..., ...) = 5`)).toContain('seen:     -1 EBADF');
    expect(failure(`${LISTEN}+0 listen(3, 1) = 1`)).toContain('seen:     0');
    expect(failure(`${LISTEN}+0 listen(3, 1) = 0 EINVAL`)).toContain('listen returned something else');
  });

  test('given a call that blocks where none may, it is said', () => {
    expect(failure(`${LISTEN}+0 accept(3, ..., ...) = 4`)).toContain('the call blocks');
    expect(failure(`${LISTEN}0...0.5 accept(3, ..., ...) = 4`)).toContain('the call still blocks');
  });

  test('given a call that returns too early, it is said', () => {
    const message = failure(`${CONNECTED}0.2...0.9 read(4, ..., 10) = 10\n.5 < P. 1:11(10) ack 1 win 100`);
    expect(message).toContain('the call returned at another time');
    expect(message).toContain('returned at 0.500000');
  });

  test('given an assertion that fails, the figures are shown', () => {
    const message = failure(`${CONNECTED}+0 %{ assert tcpi_snd_mss == 5, tcpi_snd_mss }%`);
    expect(message).toContain('tcpi_snd_mss = 1000');
  });

  test.each([
    ['+0 fly(3) = 0', "there is no call 'fly'"],
    ['+0 listen(3, MANY) = 0', 'MANY is not known'],
    ['+0 %{ assert tcpi_tea == 1 }%', "'tcpi_tea' is not known"],
    ['-1 listen(3, 1) = 0', 'time goes back'],
    ['+0 < icmp tea', 'the peer cannot send icmp tea'],
  ])('given %s, the script is refused', (line, message) => {
    expect(failure(`${LISTEN}${line}`)).toContain(message);
  });

  test('given bytes that are wrong on the way to the reader, it would be noticed: they are a pattern', () => {
    const text = `${CONNECTED}+0 < P. 1:301(300) ack 1 win 100\n+0 > . 1:1(0) ack 301\n+0 read(4, ..., 100) = 100\n+0 read(4, ..., 500) = 200`;
    expect(runScript(text)).toMatchObject({ passed: true, error: null });
  });
});

describe('running a script', () => {
  test('given options that mean nothing here and commands, notes say so', () => {
    const result = runScript(`--tea=5\n--tolerance_usecs=1000\n\`ip link\`\n${LISTEN}+0 %{ print(1) }%`);
    expect(result.passed).toBe(true);
    expect(result.notes).toEqual([
      'script:1: --tea means nothing here',
      'script:3: the command is not run: ip link',
      'script:7: not carried out: print(1)',
    ]);
  });

  test('given another MTU and addresses, the host has them', () => {
    const text = `--mtu=1000\n--local_ip=10.1.0.1\n--remote_ip=10.2.0.2\n--bind_port=99\n${LISTEN}+0 < S 0:0(0) win 5\n+0 > S. 0:0(0) ack 1 <mss 960>`;
    expect(runScript(text).error).toBeNull();
    expect(failure('--ip_version=ipv5\n0 < S 0:0(0)')).toContain('ipv5 is not supported');
    expect(failure('--local_ip=tea\n0 < S 0:0(0)')).toContain("'tea' is no IPv4 address");
    expect(failure('--mtu=tea\n0 < S 0:0(0)')).toContain("'tea' is no number");
  });

  test('given IPv6, the host and the peer have addresses of it, and segments are as long unless the script says so itself', () => {
    const listen = (mss: number): string => `${LISTEN}+0 < S 0:0(0) win 5\n+0 > S. 0:0(0) ack 1 <mss ${mss}>`;
    expect(runScript(listen(1460), { family: 6 }).error).toBeNull();
    expect(runScript(`--ip_version=ipv6\n${listen(1440)}`).error).toBeNull();
    expect(runScript(`--ip_version=ipv4\n${listen(1460)}`, { family: 6 }).error).toBeNull();
    expect(runScript(`--mtu=1400\n${listen(1360)}`, { family: 6 }).error).toBeNull();
    expect(runScript(`--ip_version=ipv6\n--local_ip=fd00::7\n${listen(1440)}`).error).toBeNull();
    expect(failure('--ip_version=ipv6\n--local_ip=10.0.0.1\n0 < S 0:0(0)')).toContain('no IPv6 address');
    expect(failure('--ip_version=ipv6\n--mtu=1000\n0 < S 0:0(0)')).toContain('IPv6 needs 1280');
    const udp =
      '0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n+0 close(3) = 0\n+0 < udp (10)\n';
    expect(
      runScript(`${udp}+0 > icmp unreachable port_unreachable [udp (10)]`, { family: 6 }).error,
    ).toBeNull();
    expect(failure(`--ip_version=ipv6\n0 < icmp source_quench [udp (10)]`)).toContain('cannot send');
  });

  test('given the same script twice, the traces are the same; sequence numbers count from the first', () => {
    const [first, second] = [runScript(CONNECTED), runScript(CONNECTED)];
    expect(first).toEqual(second);
    expect(formatTrace(first.trace)).toBe(
      [
        '0.000000 < S 0:0(0) win 32792 <mss 1000>',
        '0.000000 > S. 0:0(0) ack 1 win 65535 <mss 1460>',
        '0.100000 < . 1:1(0) ack 1 win 32792',
      ].join('\n'),
    );
  });

  test('given a packet that the host drops, the trace says why', () => {
    const { trace } = runScript(`${CONNECTED}+0 < . 90000:90000(0) ack 1 win 5\n* > . 1:1(0) ack 1`);
    expect(formatTrace(trace)).toContain('(dropped: tcpOutOfWindow)');
  });

  test('given hours of silence, they pass at once', () => {
    const result = runScript(`${CONNECTED}+36000 < . 1:1(0) ack 1 win 5`);
    expect(result.passed).toBe(true);
    expect(result.duration).toBeGreaterThan(36_000_000);
  });
});
