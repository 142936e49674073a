import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  FIONREAD,
  IP_HDRINCL,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_IP,
  MSG_OOB,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_WAITALL,
  SD_RECEIVE,
  SD_SEND,
  SIO_UDP_CONNRESET,
  SIO_UDP_NETRESET,
  SO_BROADCAST,
  SO_EXCLUSIVEADDRUSE,
  SO_REUSEADDR,
  SOCK_RAW,
  SOL_SOCKET,
  WSAEACCES,
  WSAEADDRINUSE,
  WSAEADDRNOTAVAIL,
  WSAEAFNOSUPPORT,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENETRESET,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
} from '../../../src/abi/index.ts';
import { DAEMON_POLICY, EMBEDDED_POLICY } from '../../../src/afd/index.ts';
import { i32le } from '../../../src/base/index.ts';
import { AFD_OVERLAPPED, AfdOp, AfdPollEvent } from '../../../src/port/index.ts';
import {
  CLIENT,
  type Client,
  createRig,
  datagramPair,
  dword,
  SERVER,
  sockaddr,
  stringOf,
  text,
} from './rig.ts';

describe('datagrams', () => {
  test('a datagram arrives with its source, also for a receive that pended', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    const receiving = server.recv(s);
    expect(receiving.pended).toBe(true);
    expect(client.sendTo(c, 'one', SERVER, 53)).toMatchObject({ pended: false, error: 0, value: 3 });
    client.sendTo(c, 'two', SERVER, 53);
    rig.run();
    expect(stringOf(receiving.into).slice(0, receiving.value)).toBe('one');
    expect(text(receiving.address)).toBe(text(client.sockName(c).address).replace('0.0.0.0', CLIENT));
    const second = server.recv(s);
    expect([second.pended, second.value, text(second.address)]).toEqual([false, 3, text(receiving.address)]);
  });

  test('SEM-STATE-03 receiving needs a bound socket, which a first send gives', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    expect(client.recv(c).error).toBe(WSAEINVAL);
    expect(client.sockName(c).error).toBe(WSAEINVAL);
    client.sendTo(c, 'x', SERVER, 53);
    client.nonBlocking(c);
    expect(client.recv(c).error).toBe(WSAEWOULDBLOCK);
    expect(client.sockName(c).error).toBe(0);
  });

  test('SEM-IO-03 RAW-12 a datagram larger than the buffer fills it and fails WSAEMSGSIZE; the rest is lost', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    const pending = server.recv(s, 4);
    client.sendTo(c, 'abcdefgh', SERVER, 53);
    client.sendTo(c, 'ijklmnop', SERVER, 53);
    client.sendTo(c, 'next', SERVER, 53);
    rig.run();
    expect([pending.error, pending.value, pending.flags]).toEqual([WSAEMSGSIZE, 4, MSG_PARTIAL]);
    const cut = server.recv(s, 4);
    expect([cut.error, cut.value, cut.flags, stringOf(cut.into)]).toEqual([
      WSAEMSGSIZE,
      4,
      MSG_PARTIAL,
      'ijkl',
    ]);
    expect(text(cut.address)).toContain(CLIENT);
    expect(server.recv(s, 4).error).toBe(0);
  });

  test('SEM-IO-04 repeated peeks see the same datagram', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    client.sendTo(c, 'same', SERVER, 53);
    rig.run();
    for (let i = 0; i < 3; i++) expect(server.recv(s, 10, MSG_PEEK)).toMatchObject({ error: 0, value: 4 });
    expect(server.recv(s, 2, MSG_PEEK).error).toBe(WSAEMSGSIZE);
    expect(server.recv(s, 10).value).toBe(4);
    server.nonBlocking(s);
    expect(server.recv(s, 10).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-IO-11 an empty datagram is received as 0 bytes with its source', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    expect(client.sendTo(c, '', SERVER, 53)).toMatchObject({ error: 0, value: 0 });
    rig.run();
    const received = server.recv(s);
    expect([received.error, received.value]).toEqual([0, 0]);
    expect(text(received.address)).toContain(CLIENT);
  });

  test('SEM-IO-12 a closed port makes the next receive fail WSAECONNRESET, even unconnected', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    client.sendTo(c, 'x', SERVER, 99);
    const pending = client.recv(c);
    rig.run();
    expect(pending.error).toBe(WSAECONNRESET);
    client.sendTo(c, 'x', SERVER, 99);
    rig.run();
    expect(client.ready(c, AfdPollEvent.receive)).toBe(AfdPollEvent.receive);
    expect(client.recv(c).error).toBe(WSAECONNRESET);
    client.nonBlocking(c);
    expect(client.recv(c).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-IO-12 SIO_UDP_CONNRESET FALSE turns that off', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    expect(client.ioctl(c, SIO_UDP_CONNRESET | 0, dword(0)).error).toBe(0);
    client.sendTo(c, 'x', SERVER, 99);
    rig.run();
    client.nonBlocking(c);
    expect(client.recv(c).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-IO-13 an expired TTL fails the next receive WSAENETRESET unless SIO_UDP_NETRESET is off', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    expect(client.ioctl(c, SIO_UDP_NETRESET | 0, dword(1)).error).toBe(0);
    expect(client.setOption(c, IPPROTO_IP, IP_TTL, dword(1))).toBe(0);
    client.sendTo(c, 'x', SERVER, 53);
    const [endpoint] = rig.client.host.stack.endpoints();
    // A router on the way says so; here its report is the stack's, made by hand.
    (endpoint as unknown as { report(error: number): void }).report(-20);
    rig.client.host.stack.flushEvents();
    expect(client.recv(c).error).toBe(WSAENETRESET);
  });

  test.each([
    ['SEM-IO-18 no destination', 'none', WSAENOTCONN],
    ['the any-address', '0.0.0.0:5', WSAEADDRNOTAVAIL],
    ['port 0', `${SERVER}:0`, WSAEADDRNOTAVAIL],
  ])('sending to %s is refused', (_label, destination, error) => {
    const client = createRig().client.client();
    const c = client.datagram();
    const [host = '', port = ''] = destination.split(':');
    const sending = destination === 'none' ? client.send(c, 'x') : client.sendTo(c, 'x', host, Number(port));
    expect(sending.error).toBe(error);
  });

  test('sending to another family, to a short name, without data, or too much, is refused', () => {
    const client = createRig().client.client();
    const c = client.datagram();
    const data = Uint8Array.of(1);
    const six = new Uint8Array(28).fill(23, 0, 1);
    expect(client.call(AfdOp.send, c, { data, address: six }).error).toBe(WSAEAFNOSUPPORT);
    const short = sockaddr(SERVER, 1).subarray(0, 8);
    expect(client.call(AfdOp.send, c, { data, address: short }).error).toBe(WSAEFAULT);
    expect(client.call(AfdOp.send, c, { address: sockaddr(SERVER, 1) }).error).toBe(WSAEFAULT);
    expect(client.sendTo(c, new Uint8Array(65_508), SERVER, 53).error).toBe(WSAEMSGSIZE);
    expect(client.sendTo(c, new Uint8Array(65_507), SERVER, 53).value).toBe(65_507);
  });

  test('SEM-IO-05 MSG_OOB and MSG_WAITALL on a datagram are WSAEOPNOTSUPP', () => {
    const rig = createRig();
    const { server, s } = datagramPair(rig);
    expect(server.recv(s, 1, MSG_WAITALL).error).toBe(WSAEOPNOTSUPP);
    expect(server.recv(s, 1, MSG_OOB).error).toBe(WSAEOPNOTSUPP);
    expect(server.send(s, 'x', MSG_OOB).error).toBe(WSAEOPNOTSUPP);
    expect(server.send(s, 'x', MSG_PARTIAL).error).toBe(WSAEOPNOTSUPP);
  });

  test('a full send queue pends a blocking send and refuses a non-blocking one', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    const sends = [1, 2, 3].map(() => client.sendTo(c, new Uint8Array(60_000), SERVER, 53));
    expect(sends.some((each) => each.pended)).toBe(true);
    client.nonBlocking(c);
    expect(client.sendTo(c, 'x', SERVER, 53).error).toBe(WSAEWOULDBLOCK);
    rig.run(1000);
    expect(sends.map((each) => each.value)).toEqual([60_000, 60_000, 60_000]);
    expect(client.sendTo(c, 'x', SERVER, 53).error).toBe(0);
  });

  test('a closed descriptor ends what pends', () => {
    const rig = createRig();
    const { server, s } = datagramPair(rig);
    const blocking = server.recv(s);
    const overlapped = server.recv(s, 1, AFD_OVERLAPPED);
    server.close(s);
    expect([blocking.error, overlapped.error]).toEqual([WSAEINTR, 995]);
  });
});

describe('connected datagram sockets', () => {
  test('SEM-CONN-13 SEM-IO-24 connect sets the default peer and filters; it may be repeated', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    expect(client.connect(c, SERVER, 53)).toMatchObject({ pended: false, error: 0 });
    expect(text(client.peerName(c).address)).toBe(`${SERVER}:53`);
    expect(client.send(c, 'hi').value).toBe(2);
    rig.run();
    const { address } = server.recv(s);
    const stranger = server.datagram();
    server.call(AfdOp.send, stranger, { data: Uint8Array.of(1), address });
    server.call(AfdOp.send, s, { data: Uint8Array.of(2), address });
    rig.run();
    expect(client.recv(c).into?.[0]).toBe(2);
    client.nonBlocking(c);
    expect(client.recv(c).error).toBe(WSAEWOULDBLOCK);
    expect(client.connect(c, SERVER, 54).error).toBe(0);
    expect(text(client.peerName(c).address)).toBe(`${SERVER}:54`);
  });

  test.each([
    ['the all-zero address', sockaddr('0.0.0.0', 0)],
    ['AF_UNSPEC', new Uint8Array(16)],
  ])('SEM-CONN-14 connecting to %s undoes it', (_label, address) => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    client.connect(c, SERVER, 53);
    expect(client.call(AfdOp.connect, c, { address }).error).toBe(0);
    expect(client.peerName(c).error).toBe(WSAENOTCONN);
    expect(client.send(c, 'x').error).toBe(WSAENOTCONN);
  });

  test('SEM-IO-17 sendto goes to the given address and leaves the peer', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    const other = server.datagram();
    server.bind(other, SERVER, 54);
    client.connect(c, SERVER, 53);
    client.sendTo(c, 'other', SERVER, 54);
    client.send(c, 'peer');
    rig.run();
    expect([server.recv(other).value, server.recv(s).value]).toEqual([5, 4]);
  });

  test('SEM-CONN-15 broadcasting needs SO_BROADCAST', () => {
    const rig = createRig();
    const { server, client, c } = datagramPair(rig);
    const any = server.datagram();
    server.bind(any, '0.0.0.0', 67);
    expect(client.connect(c, '255.255.255.255', 67).error).toBe(WSAEACCES);
    expect(client.sendTo(c, 'x', '10.0.0.255', 67).error).toBe(WSAEACCES);
    client.setOption(c, SOL_SOCKET, SO_BROADCAST, dword(1));
    expect(client.sendTo(c, 'x', '10.0.0.255', 67).error).toBe(0);
    rig.run();
    expect(server.recv(any).value).toBe(1);
  });

  test('SEM-SHUT-09 shutdown works unconnected', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    expect(server.shutdown(s, SD_RECEIVE)).toBe(0);
    expect(server.recv(s).error).toBe(WSAESHUTDOWN);
    expect(client.shutdown(c, SD_SEND)).toBe(0);
    expect(client.sendTo(c, 'x', SERVER, 53).error).toBe(WSAESHUTDOWN);
    expect(client.shutdown(c, 7)).toBe(WSAEINVAL);
  });
});

describe('bind', () => {
  test('API-bind the name is checked before the socket', () => {
    const client = createRig().client.client();
    const c = client.datagram();
    const bad: [Uint8Array | null, number][] = [
      [null, WSAEFAULT],
      [sockaddr(CLIENT, 5).subarray(0, 15), WSAEFAULT],
      [new Uint8Array(28).fill(23, 0, 1), WSAEAFNOSUPPORT],
      [sockaddr('10.9.9.9', 5), WSAEADDRNOTAVAIL],
      [sockaddr('255.255.255.255', 5), WSAEACCES],
    ];
    for (const [address, error] of bad) expect(client.call(AfdOp.bind, c, { address }).error).toBe(error);
    expect(client.bind(c, CLIENT, 5)).toBe(0);
    expect(client.bind(c, CLIENT, 6)).toBe(WSAEINVAL);
    expect(client.bind(client.datagram(), CLIENT, 5)).toBe(WSAEADDRINUSE);
  });

  test('SEM-BIND-24 a port below 1024 needs no rights', () => {
    const client = createRig().client.client({ uid: 1000 });
    expect(client.bind(client.stream(), '0.0.0.0', 80)).toBe(0);
  });

  const COLUMNS = ['none W', 'none S', 'REUSE W', 'REUSE S', 'EXCL W', 'EXCL S'];
  const SAME: Record<string, string> = {
    'SEM-BIND-01 none W': 'USE ok ACC ok USE ok',
    'SEM-BIND-02 none S': 'ok USE ok ACC USE USE',
    'SEM-BIND-03 REUSE W': 'USE ok ok ok USE ok',
    'SEM-BIND-04 REUSE S': 'ok USE ok ok USE USE',
    'SEM-BIND-05 EXCL W': 'USE ACC ACC ACC USE ACC',
    'SEM-BIND-06 EXCL S': 'ok USE ok ACC USE USE',
  };
  const DIFFERENT: Record<string, string> = {
    'SEM-BIND-07 none W': 'USE ACC ACC ACC USE ACC',
    'SEM-BIND-08 none S': 'ok USE ok ACC USE USE',
    'SEM-BIND-09 REUSE W': 'USE ACC ok ok USE ACC',
    'SEM-BIND-10 REUSE S': 'ok USE ok ok USE USE',
    'SEM-BIND-11 EXCL W': 'USE ACC ACC ACC USE ACC',
    'SEM-BIND-12 EXCL S': 'ok USE ok ACC USE USE',
  };
  const NAMES = new Map([
    [0, 'ok'],
    [WSAEADDRINUSE, 'USE'],
    [WSAEACCES, 'ACC'],
  ]);

  /** Binds as a cell of the matrix says: sharing, and wildcard or specific. */
  function bindAs(client: Client, cell: string, isStream: boolean): string {
    const [sharing, where] = cell.split(' ');
    const socket = isStream ? client.stream() : client.datagram();
    if (sharing === 'REUSE') client.setOption(socket, SOL_SOCKET, SO_REUSEADDR, dword(1));
    if (sharing === 'EXCL') client.setOption(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, dword(1));
    return NAMES.get(client.bind(socket, where === 'W' ? '0.0.0.0' : CLIENT, 700)) ?? 'other';
  }

  for (const [matrix, rows, uid] of [
    ['the same user', SAME, 1000],
    ['another user', DIFFERENT, 1001],
  ] as const) {
    for (const isStream of [true, false]) {
      test.each(Object.entries(rows))(
        `%s first, ${matrix} second (${isStream ? 'TCP' : 'UDP'}): %s`,
        (row, cells) => {
          const first = row.slice(row.indexOf(' ') + 1);
          const got = COLUMNS.map((second) => {
            const { client: machine } = createRig();
            expect(bindAs(machine.client({ pid: 1, uid: 1000 }), first, isStream)).toBe('ok');
            return bindAs(machine.client({ pid: 2, uid }), second, isStream);
          });
          expect(got.join(' ')).toBe(cells);
        },
      );
    }
  }
});

describe('raw sockets', () => {
  test('SEM-SOCK-09 RAW-02 without rights: WSAEACCES at creation; root may', () => {
    const { client: machine } = createRig({ policy: DAEMON_POLICY });
    expect(machine.client({ uid: 1000 }).raw(IPPROTO_ICMP)).toBe(-WSAEACCES);
    expect(machine.client({ uid: 0 }).raw(IPPROTO_ICMP)).toBeGreaterThan(0);
  });

  test('RAW-03 RAW-05 RAW-13 an echo request gets its reply, IPv4 header first', () => {
    const rig = createRig({ policy: EMBEDDED_POLICY });
    const client = rig.client.client();
    const c = client.raw(IPPROTO_ICMP);
    // type 8, code 0, checksum of the rest, identifier 0x1234, sequence 1
    const echo = Uint8Array.of(8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1);
    const sending = client.call(AfdOp.send, c, { data: echo, address: sockaddr(SERVER, 0) });
    expect(sending).toMatchObject({ error: 0, value: 8 });
    const receiving = client.recv(c);
    rig.run();
    expect(receiving.error).toBe(0);
    const packet = receiving.into as Uint8Array;
    expect([packet[0], packet[20], receiving.value]).toEqual([0x45, 0, 28]);
    expect(text(receiving.address)).toBe(`${SERVER}:0`);
  });

  test('RAW-12 a buffer too small is WSAEMSGSIZE; RAW-11 connect fixes the peer', () => {
    const rig = createRig({ policy: EMBEDDED_POLICY });
    const client = rig.client.client();
    const c = client.raw(IPPROTO_ICMP);
    expect(client.send(c, 'x').error).toBe(WSAENOTCONN);
    expect(client.connect(c, SERVER, 0).error).toBe(0);
    expect(client.send(c, Uint8Array.of(8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1)).error).toBe(0);
    rig.run();
    expect(client.recv(c, 10).error).toBe(WSAEMSGSIZE);
  });

  test('OPT-IP_HDRINCL exists on raw sockets only', () => {
    const { client: machine } = createRig({ policy: EMBEDDED_POLICY });
    const client = machine.client();
    expect(client.option(client.stream(), IPPROTO_IP, IP_HDRINCL)).toBe(-WSAEINVAL);
    expect(client.option(client.datagram(), IPPROTO_IP, IP_HDRINCL)).toBe(-WSAEINVAL);
    const c = client.raw(255);
    expect(client.option(c, IPPROTO_IP, IP_HDRINCL)).toBe(0);
    expect(client.setOption(c, IPPROTO_IP, IP_HDRINCL, dword(1))).toBe(0);
    expect(client.option(c, IPPROTO_IP, IP_HDRINCL)).toBe(1);
  });

  test('protocol numbers outside a byte are refused', () => {
    const { client: machine } = createRig({ policy: EMBEDDED_POLICY });
    const open = machine.client().call(AfdOp.socket, 0, { a: AF_INET, b: SOCK_RAW, flags: 256 });
    expect(open.error).toBe(10_043);
  });

  test('FIONREAD counts all datagrams that wait', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    client.sendTo(c, 'abc', SERVER, 53);
    client.sendTo(c, 'defgh', SERVER, 53);
    rig.run();
    expect(i32le(server.ioctl(s, FIONREAD, null, 4).into as Uint8Array, 0)).toBe(8);
  });
});
