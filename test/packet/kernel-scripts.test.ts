import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../src/sim/index.ts';

const LISTEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
`;
const CONNECTED = `${LISTEN}+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`;

/** What a kernel's script comes to: `ok`, or its first complaint. */
function run(text: string): string {
  return runScript(text, { name: 'x', isKernel: true }).error?.message.split('\n')[0] ?? 'ok';
}

describe('scripts for a kernel', () => {
  test.each([
    ['`sysctl -q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0`', '<mss 1460,nop,wscale 8>'],
    [
      '`/x/set.py /proc/sys/net/ipv4/tcp_timestamps=0 /proc/sys/net/ipv4/tcp_window_scaling=0`',
      '<mss 1460,sackOK>',
    ],
    ['`sysctl -q net.ipv4.tcp_rmem="4096 20000 30000"`', 'win 20000 <...>'],
  ])('given %s, the host is set so', (command, options) => {
    const text = `${command}\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) ${options}`;
    expect(run(text)).toBe('ok');
    expect(run(text.replace(/(mss|win) \d+/, '$1 9'))).toMatch(/differs/);
  });

  test.each([
    // Ours alone tries larger segments after a black hole; a kernel only when it is told to.
    ['', false],
    ['`sysctl -q net.ipv4.tcp_mtu_probing=1`\n', true],
    ['`sysctl -q net.ipv4.tcp_mtu_probing=0`\n', false],
  ])('given %j, the path’s MTU is searched for: %s', (command, isSearched) => {
    const sent = `${command}${CONNECTED.replace('mss 1000', 'mss 1460')}+0 write(4, ..., 1460) = 1460\n+0 > P. 1:1461(1460) ack 1\n`;
    const again = isSearched ? '. 1:1161(1160)' : 'P. 1:1461(1460)';
    expect(run(`${sent}+.3 > P. 1:1461(1460) ack 1\n+.6 > ${again} ack 1`)).toBe('ok');
  });

  test('given a variable that has no counterpart, a note says so', () => {
    const { notes } = runScript('`sysctl -q net.ipv4.tcp_tea=1`', { name: 'x', isKernel: true });
    expect(notes[0]).toBe('x:1: tcp_tea means nothing here');
  });

  test('given PSH and the order and padding of options, they are not compared; a missing option is', () => {
    const open = `${LISTEN}+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,wscale 3>\n`;
    expect(run(`${open}+0 > S. 0:0(0) ack 1 <nop,wscale 8,sackOK,mss 1460>`)).toBe('ok');
    expect(run(`${open}+0 > S. 0:0(0) ack 1 <mss 1460,nop,wscale 8>`)).toBe('x:5: the options differs');
    expect(runScript(`${open}+0 > S. 0:0(0) ack 1 <nop,wscale 8,sackOK,mss 1460>`).passed).toBe(false);
    expect(run(`${CONNECTED}+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1`)).toBe('ok');
    expect(runScript(`${CONNECTED}+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1`).passed).toBe(false);
  });

  test('given several segments as one, they are taken together, and only as many as the line shows', () => {
    const sent = `${CONNECTED}+0 write(4, ..., 3500) = 3500\n`;
    expect(run(`${sent}+0 > P. 1:3501(3500) ack 1`)).toBe('ok');
    expect(run(`${sent}+0 > . 1:2001(2000) ack 1\n+0 > P. 2001:3501(1500) ack 1`)).toBe('ok');
    expect(run(`${sent}+0 > . 1:2501(2500) ack 1`)).toBe('x:9: the length differs');
    expect(run(`${sent}+0 > P. 1:5001(5000) ack 1`)).toBe('x:9: the length differs');
  });

  test('given numbers of descriptors, they are what the script calls them', () => {
    expect(run(CONNECTED.replace('= 4', '= 9').concat('+0 write(9, ..., 5) = 5'))).toBe('ok');
    expect(run('0 socket(..., SOCK_DGRAM, 0) = 5\n+0 socket(..., SOCK_DGRAM, 0) = 5')).toContain(
      'socket returned',
    );
  });

  test('given vectors of buffers, their lengths are added up', () => {
    const text = `${CONNECTED}+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 30}, {..., 70}], msg_flags=0}, 0) = 100
+0 > P. 1:101(100) ack 1
+0 writev(4, [{..., 10}, {..., 5}], 2) = 15
+0 < P. 1:301(300) ack 101 win 1000
+0 > P. 101:116(15) ack 301
+0 readv(4, [{..., 100}], 1) = 100
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 500}], msg_flags=0}, 0) = 200`;
    expect(run(text)).toBe('ok');
  });

  test('given a read after shutdown, the stream has ended, as in POSIX', () => {
    expect(run(`${CONNECTED}+0 shutdown(4, SHUT_RD) = 0\n+0 read(4, ..., 10) = 0`)).toBe('ok');
  });

  test('given an ACK without a number, it is for none of the host’s bytes', () => {
    expect(run(`${CONNECTED}+0 < P. 1:11(10) win 100\n+0 read(4, ..., 10) = 10`)).toBe('ok');
  });

  test('given a command at the end, it needs no time', () => {
    expect(run(`${CONNECTED}+0 close(3) = 0\n\`/tmp/restore.sh\``)).toBe('ok');
  });

  test('given Fast Open options, with a cookie and without, they are read and written', () => {
    const syn = (option: string) =>
      runScript(`${LISTEN}+0 < S 0:0(0) win 100 <mss 1000,nop,nop,${option}>\n+0 > R 5:5(0)`).trace[0]?.text;
    for (const option of ['FO', 'FO 0123456789abcdef', 'FOEXP', 'FOEXP 11e0']) {
      expect(syn(option)).toBe(`S 0:0(0) win 100 <mss 1000,nop,nop,${option}>`);
    }
    expect(syn('FO TFO_COOKIE')).toBeUndefined();
  });

  test.each([
    ['+0 epoll_create(1) = 5', "there is no call 'epoll_create'"],
    ['+0 setsockopt(4, SOL_TCP, 4711, [1], 4) = 0', 'there is no such option'],
    ['+0 setsockopt(4, SOL_TCP, TCP_TEA, [1], 4) = 0', 'TCP_TEA is not known'],
    ['+0 write(4, NULL, 10) = -1 EFAULT', 'the address NULL means nothing here'],
    ['+0 %{ assert tcpi_tea == 1 }%', "'tcpi_tea' is not known"],
    ['+0 < . 1:1(0) ack 1 win 1 <md5 5>', "'md5' is no TCP option"],
    ['+0 < S 1:1(0) win 1 <FO TFO_COOKIE>', 'TFO_COOKIE is a kernel’s own cookie'],
  ])('given %s, the script is not judged', (line, message) => {
    const result = runScript(`${CONNECTED}${line}`, { isKernel: true });
    expect(result).toMatchObject({ passed: false, isUnsupported: true });
    expect(result.error?.message).toContain(message);
  });

  test('given a difference, the script is judged', () => {
    expect(runScript(`${CONNECTED}+0 > R 5:5(0)`, { isKernel: true })).toMatchObject({
      isUnsupported: false,
    });
  });
});
