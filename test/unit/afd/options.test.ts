import { describe, expect, test } from '@jest/globals';
import {
  FIOASYNC,
  FIONBIO,
  FIONREAD,
  INTERFACE_INFO_LEN,
  IP_DONTFRAGMENT,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_TOS,
  IP_TTL,
  IP_USER_MTU,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  readCSADDR_INFO,
  readINTERFACE_INFO,
  readSockaddr,
  readSocketAddressList,
  readTcpInfoV0,
  SIO_ADDRESS_LIST_QUERY,
  SIO_FLUSH,
  SIO_GET_BROADCAST_ADDRESS,
  SIO_GET_INTERFACE_LIST,
  SIO_IDEAL_SEND_BACKLOG_QUERY,
  SIO_KEEPALIVE_VALS,
  SIO_LOOPBACK_FAST_PATH,
  SIO_ROUTING_INTERFACE_QUERY,
  SIO_TCP_INFO,
  SIO_UDP_CONNRESET,
  SIOCATMARK,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_BSP_STATE,
  SO_CONNECT_TIME,
  SO_DEBUG,
  SO_DONTLINGER,
  SO_DONTROUTE,
  SO_ERROR,
  SO_EXCLUSIVEADDRUSE,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MAX_MSG_SIZE,
  SO_OOBINLINE,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TYPE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SO_UPDATE_CONNECT_CONTEXT,
  SO_USELOOPBACK,
  SOL_SOCKET,
  TCP_BSDURGENT,
  TCP_EXPEDITED_1122,
  TCP_FAIL_CONNECT_ON_ICMP_ERROR,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXRT,
  TCP_MAXRTMS,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_NOSYNRETRIES,
  TCPSTATE,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENETUNREACH,
  WSAENOPROTOOPT,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  writeTcpKeepalive,
} from '../../../src/abi/index.ts';
import { EMPTY, i32le } from '../../../src/base/index.ts';
import { AfdOp } from '../../../src/port/index.ts';
import { CLIENT, type Client, connectPair, createRig, dword, SERVER, sockaddr } from './rig.ts';

function open(): { client: Client; tcp: number; udp: number } {
  const client = createRig().client.client();
  return { client, tcp: client.stream(), udp: client.datagram() };
}

describe('lengths', () => {
  const CLASS_B = [
    ['SO_REUSEADDR', SOL_SOCKET, SO_REUSEADDR],
    ['SO_EXCLUSIVEADDRUSE', SOL_SOCKET, SO_EXCLUSIVEADDRUSE],
    ['SO_DONTLINGER', SOL_SOCKET, SO_DONTLINGER],
    ['SO_OOBINLINE', SOL_SOCKET, SO_OOBINLINE],
    ['IP_TTL', IPPROTO_IP, IP_TTL],
    ['IP_TOS', IPPROTO_IP, IP_TOS],
  ] as const;

  test.each(CLASS_B)(
    'SEM-OPT-05 %s: 1 byte for buffers of 1 … 3, 4 for 4 and more',
    (_name, level, option) => {
      const { client, tcp } = open();
      for (const [length, answered] of [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 4],
        [9, 4],
      ] as const) {
        expect(client.getOption(tcp, level, option, length).value).toBe(answered);
      }
      for (const length of [1, 2, 3, 4, 8]) {
        expect(client.setOption(tcp, level, option, new Uint8Array(length))).toBe(0);
      }
    },
  );

  test.each([
    ['SO_KEEPALIVE', SOL_SOCKET, SO_KEEPALIVE],
    ['SO_DONTROUTE', SOL_SOCKET, SO_DONTROUTE],
    ['TCP_NODELAY', IPPROTO_TCP, TCP_NODELAY],
  ] as const)('SEM-OPT-06 %s always answers 1 byte', (_name, level, option) => {
    const { client, tcp } = open();
    for (const length of [1, 2, 4, 8]) expect(client.getOption(tcp, level, option, length).value).toBe(1);
    expect(client.setOption(tcp, level, option, Uint8Array.of(1))).toBe(0);
    expect(client.option(tcp, level, option)).toBe(1);
  });

  test('SEM-OPT-06 TCP_NODELAY looks at the low byte only', () => {
    const { client, tcp } = open();
    client.setOption(tcp, IPPROTO_TCP, TCP_NODELAY, dword(0x100));
    expect(client.option(tcp, IPPROTO_TCP, TCP_NODELAY)).toBe(0);
  });

  test.each([
    ['SO_RCVBUF', SO_RCVBUF],
    ['SO_SNDBUF', SO_SNDBUF],
    ['SO_RCVTIMEO', SO_RCVTIMEO],
    ['SO_SNDTIMEO', SO_SNDTIMEO],
    ['SO_LINGER', SO_LINGER],
  ] as const)('SEM-OPT-07 %s takes and gives 4 bytes or more, nothing less', (_name, option) => {
    const { client, tcp } = open();
    for (const length of [0, 1, 2, 3]) {
      expect(client.setOption(tcp, SOL_SOCKET, option, new Uint8Array(length))).toBe(WSAEFAULT);
      const short = client.getOption(tcp, SOL_SOCKET, option, length);
      expect([short.error, short.value]).toEqual([WSAEFAULT, 0]);
    }
    for (const length of [4, 12]) {
      expect(client.setOption(tcp, SOL_SOCKET, option, new Uint8Array(length))).toBe(0);
      expect(client.getOption(tcp, SOL_SOCKET, option, length).value).toBe(4);
    }
  });

  test('SEM-OPT-03 a set of nothing succeeds for SOL_SOCKET booleans, else WSAEFAULT', () => {
    const { client, tcp, udp } = open();
    for (const option of [SO_REUSEADDR, SO_KEEPALIVE, SO_DONTROUTE, SO_OOBINLINE, SO_DEBUG]) {
      expect(client.setOption(tcp, SOL_SOCKET, option, EMPTY)).toBe(0);
    }
    expect(client.setOption(udp, SOL_SOCKET, SO_BROADCAST, EMPTY)).toBe(0);
    expect(client.setOption(tcp, IPPROTO_TCP, TCP_NODELAY, EMPTY)).toBe(WSAEFAULT);
    expect(client.setOption(tcp, IPPROTO_IP, IP_TTL, EMPTY)).toBe(WSAEFAULT);
  });

  test('SEM-OPT-02 no buffer is WSAEFAULT, but a dead descriptor comes first', () => {
    const { client, tcp } = open();
    const request = { a: SOL_SOCKET, b: SO_KEEPALIVE };
    expect(client.call(AfdOp.getOption, tcp, request).error).toBe(WSAEFAULT);
    expect(client.call(AfdOp.setOption, tcp, request).error).toBe(WSAEFAULT);
    expect(client.call(AfdOp.getOption, 99, request).error).toBe(WSAENOTSOCK);
  });
});

describe('which options exist', () => {
  test.each([
    ['SEM-OPT-01 level -1', -1, 1, WSAEINVAL],
    ['SEM-OPT-01 level 0x8000', 0x8000, 1, WSAEINVAL],
    ['SEM-OPT-01 level 0x800', 0x800, 1, WSAEINVAL],
    ['SEM-OPT-01 unknown option of SOL_SOCKET', SOL_SOCKET, 0x6fff, WSAENOPROTOOPT],
    ['SEM-OPT-01 unknown option of IPPROTO_IP', IPPROTO_IP, 999, WSAENOPROTOOPT],
    ['SEM-OPT-01 unknown option of IPPROTO_TCP', IPPROTO_TCP, 999, WSAENOPROTOOPT],
    ['SEM-OPT-01 unknown option of IPPROTO_UDP', IPPROTO_UDP, 999, WSAENOPROTOOPT],
    ['OPT-SO_USELOOPBACK', SOL_SOCKET, SO_USELOOPBACK, WSAEINVAL],
    ['OPT-SO_SNDLOWAT', SOL_SOCKET, SO_SNDLOWAT, WSAEINVAL],
    ['OPT-SO_RCVLOWAT', SOL_SOCKET, SO_RCVLOWAT, WSAEINVAL],
    ['SO_BROADCAST of a stream', SOL_SOCKET, SO_BROADCAST, WSAENOPROTOOPT],
  ])('%s: (%i, %i) answers %i to get and set', (_label, level, option, error) => {
    const { client, tcp } = open();
    expect(client.getOption(tcp, level, option).error).toBe(error);
    expect(client.setOption(tcp, level, option, dword(1))).toBe(error);
  });

  test('OPT-SO_LINGER SO_KEEPALIVE and TCP options don’t exist on datagram sockets', () => {
    const { client, udp } = open();
    for (const option of [SO_LINGER, SO_DONTLINGER, SO_KEEPALIVE, SO_OOBINLINE]) {
      expect(client.getOption(udp, SOL_SOCKET, option).error).toBe(WSAENOPROTOOPT);
    }
    expect(client.getOption(udp, IPPROTO_TCP, TCP_NODELAY).error).toBe(WSAENOPROTOOPT);
  });

  test('SEM-OPT-12 SO_ACCEPTCONN and SO_TYPE are read-only', () => {
    const { client, tcp } = open();
    expect(client.setOption(tcp, SOL_SOCKET, SO_ACCEPTCONN, dword(1))).toBe(WSAENOPROTOOPT);
    expect(client.setOption(tcp, SOL_SOCKET, SO_TYPE, dword(1))).toBe(WSAENOPROTOOPT);
    expect(client.setOption(tcp, SOL_SOCKET, SO_CONNECT_TIME, dword(1))).toBe(WSAENOPROTOOPT);
  });
});

describe('what they do', () => {
  test.each([
    ['SO_DEBUG', SOL_SOCKET, SO_DEBUG, 0, 1],
    ['SO_REUSEADDR', SOL_SOCKET, SO_REUSEADDR, 0, 1],
    ['SO_EXCLUSIVEADDRUSE', SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 0, 1],
    ['SO_KEEPALIVE', SOL_SOCKET, SO_KEEPALIVE, 0, 1],
    ['SO_DONTROUTE', SOL_SOCKET, SO_DONTROUTE, 0, 1],
    ['SO_LINGER', SOL_SOCKET, SO_LINGER, 0, 0x0009_0001],
    ['SO_OOBINLINE', SOL_SOCKET, SO_OOBINLINE, 0, 1],
    ['SO_SNDBUF', SOL_SOCKET, SO_SNDBUF, 65_536, 0],
    ['SO_RCVBUF', SOL_SOCKET, SO_RCVBUF, 65_536, 4321],
    ['SO_SNDTIMEO', SOL_SOCKET, SO_SNDTIMEO, 0, 0x7fff_ffff],
    ['SO_RCVTIMEO', SOL_SOCKET, SO_RCVTIMEO, 0, 123],
    ['SO_ERROR', SOL_SOCKET, SO_ERROR, 0, 10_048],
    ['IP_TTL', IPPROTO_IP, IP_TTL, 128, 7],
    ['IP_TOS', IPPROTO_IP, IP_TOS, 0, 0xb8],
    ['IP_DONTFRAGMENT', IPPROTO_IP, IP_DONTFRAGMENT, 1, 1],
    ['IP_MTU_DISCOVER', IPPROTO_IP, IP_MTU_DISCOVER, 0, 3],
    ['IP_USER_MTU', IPPROTO_IP, IP_USER_MTU, -1, 1300],
    ['TCP_NODELAY', IPPROTO_TCP, TCP_NODELAY, 0, 1],
    ['TCP_KEEPIDLE', IPPROTO_TCP, TCP_KEEPIDLE, 7200, 60],
    ['TCP_KEEPINTVL', IPPROTO_TCP, TCP_KEEPINTVL, 1, 5],
    ['TCP_KEEPCNT', IPPROTO_TCP, TCP_KEEPCNT, 10, 3],
    ['TCP_MAXRT', IPPROTO_TCP, TCP_MAXRT, 0, -1],
    ['TCP_MAXRTMS', IPPROTO_TCP, TCP_MAXRTMS, 0, 1500],
    ['TCP_NOSYNRETRIES', IPPROTO_TCP, TCP_NOSYNRETRIES, 0, 1],
    ['TCP_EXPEDITED_1122', IPPROTO_TCP, TCP_EXPEDITED_1122, 0, 1],
    ['TCP_BSDURGENT', IPPROTO_TCP, TCP_BSDURGENT, 1, 1],
    ['TCP_FAIL_CONNECT_ON_ICMP_ERROR', IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 0, 1],
  ])('OPT-%s starts as documented and reads back what was set', (_name, level, option, initial, value) => {
    const { client, tcp } = open();
    expect(client.option(tcp, level, option)).toBe(initial);
    expect(client.setOption(tcp, level, option, dword(value))).toBe(0);
    expect(client.option(tcp, level, option)).toBe(value);
  });

  test.each([
    ['IP_TTL 256', IPPROTO_IP, IP_TTL, 256],
    ['IP_TTL -1', IPPROTO_IP, IP_TTL, -1],
    ['IP_TOS 256', IPPROTO_IP, IP_TOS, 256],
    ['IP_MTU_DISCOVER 0, which can only be read', IPPROTO_IP, IP_MTU_DISCOVER, 0],
    ['IP_MTU_DISCOVER 4', IPPROTO_IP, IP_MTU_DISCOVER, 4],
    ['IP_USER_MTU 67', IPPROTO_IP, IP_USER_MTU, 67],
    ['TCP_KEEPCNT 256', IPPROTO_TCP, TCP_KEEPCNT, 256],
    ['TCP_KEEPIDLE 0', IPPROTO_TCP, TCP_KEEPIDLE, 0],
    ['TCP_MAXRT -2', IPPROTO_TCP, TCP_MAXRT, -2],
    ['SO_RCVBUF -1', SOL_SOCKET, SO_RCVBUF, -1],
  ])('SEM-OPT-09 %s is WSAEINVAL', (_label, level, option, value) => {
    const { client, tcp } = open();
    expect(client.setOption(tcp, level, option, dword(value))).toBe(WSAEINVAL);
  });

  test('OPT-TCP_MAXRT OPT-TCP_MAXRTMS are one limit, in seconds and in milliseconds', () => {
    const { client, tcp } = open();
    client.setOption(tcp, IPPROTO_TCP, TCP_MAXRTMS, dword(2500));
    expect(client.option(tcp, IPPROTO_TCP, TCP_MAXRT)).toBe(2);
    client.setOption(tcp, IPPROTO_TCP, TCP_MAXRT, dword(7));
    expect(client.option(tcp, IPPROTO_TCP, TCP_MAXRTMS)).toBe(7000);
  });

  test('SEM-OPT-09 a boolean stores 1 for any non-zero value', () => {
    const { client, tcp } = open();
    client.setOption(tcp, SOL_SOCKET, SO_OOBINLINE, dword(0x7700));
    expect(client.option(tcp, SOL_SOCKET, SO_OOBINLINE)).toBe(1);
  });

  test('OPT-IP_MTU SEM-STATE-10 tells the path’s MTU of a connected socket, and cannot be set', () => {
    const { client, tcp, udp } = open();
    for (const s of [tcp, udp]) {
      expect(client.getOption(s, IPPROTO_IP, IP_MTU).error).toBe(WSAENOTCONN);
      expect(client.setOption(s, IPPROTO_IP, IP_MTU, dword(1400))).toBe(WSAENOPROTOOPT);
    }
    const pair = connectPair(createRig());
    expect(pair.server.option(pair.s, IPPROTO_IP, IP_MTU)).toBe(1500);
    pair.server.setOption(pair.s, IPPROTO_IP, IP_USER_MTU, dword(1200));
    pair.server.setOption(pair.s, IPPROTO_IP, IP_USER_MTU, dword(-1));
    expect(pair.server.option(pair.s, IPPROTO_IP, IP_USER_MTU)).toBe(-1);
  });

  test('SEM-BIND-14 SO_REUSEADDR and SO_EXCLUSIVEADDRUSE exclude each other', () => {
    const { client, tcp } = open();
    client.setOption(tcp, SOL_SOCKET, SO_REUSEADDR, dword(1));
    expect(client.setOption(tcp, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, dword(1))).toBe(WSAEINVAL);
    client.setOption(tcp, SOL_SOCKET, SO_REUSEADDR, dword(0));
    expect(client.setOption(tcp, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, dword(1))).toBe(0);
    expect(client.setOption(tcp, SOL_SOCKET, SO_REUSEADDR, dword(1))).toBe(WSAEINVAL);
  });

  test('SEM-STATE-08 both need an unbound socket', () => {
    const { client, tcp } = open();
    client.bind(tcp, CLIENT, 5);
    expect(client.setOption(tcp, SOL_SOCKET, SO_REUSEADDR, dword(1))).toBe(WSAEINVAL);
    expect(client.setOption(tcp, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, dword(1))).toBe(WSAEINVAL);
  });

  test('SEM-LING-05 SO_DONTLINGER is the inverse of l_onoff and keeps the last time', () => {
    const { client, tcp } = open();
    expect(client.option(tcp, SOL_SOCKET, SO_DONTLINGER)).toBe(1);
    client.setOption(tcp, SOL_SOCKET, SO_LINGER, dword(0x0005_0001));
    expect(client.option(tcp, SOL_SOCKET, SO_DONTLINGER)).toBe(0);
    client.setOption(tcp, SOL_SOCKET, SO_DONTLINGER, dword(1));
    expect(client.option(tcp, SOL_SOCKET, SO_LINGER)).toBe(0x0005_0000);
    client.setOption(tcp, SOL_SOCKET, SO_DONTLINGER, dword(0));
    expect(client.option(tcp, SOL_SOCKET, SO_LINGER)).toBe(0x0005_0001);
  });

  test('SO_TYPE, SO_ACCEPTCONN, SO_MAX_MSG_SIZE and IPV6_V6ONLY (SEM-DS-05) tell of the socket', () => {
    const rig = createRig();
    const { server, listener, s } = connectPair(rig);
    const udp = server.datagram();
    expect([server.option(s, SOL_SOCKET, SO_TYPE), server.option(udp, SOL_SOCKET, SO_TYPE)]).toEqual([1, 2]);
    expect(server.option(listener, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
    expect(server.option(s, SOL_SOCKET, SO_ACCEPTCONN)).toBe(0);
    expect(server.option(udp, SOL_SOCKET, SO_MAX_MSG_SIZE)).toBe(65_507);
    expect(server.option(s, IPPROTO_IPV6, IPV6_V6ONLY)).toBe(1);
    expect(server.option(udp, SOL_SOCKET, SO_CONNECT_TIME)).toBe(-1);
  });

  test('TCP_MAXSEG and the update-context options need a connection', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const fresh = client.stream();
    expect(client.getOption(fresh, IPPROTO_TCP, TCP_MAXSEG).error).toBe(WSAENOTCONN);
    expect(client.option(c, IPPROTO_TCP, TCP_MAXSEG)).toBeGreaterThan(1400);
    expect(client.setOption(fresh, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null)).toBe(WSAENOTCONN);
    expect(client.setOption(c, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null)).toBe(0);
    expect(client.setOption(c, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, dword(7))).toBe(0);
  });

  test('OPT-SO_BSP_STATE gives both ends, or the length that it needs', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const fresh = client.getOption(client.stream(), SOL_SOCKET, SO_BSP_STATE, 200);
    expect(fresh.value).toBe(40);
    expect(readCSADDR_INFO(fresh.into as Uint8Array)).toMatchObject({ LocalAddr: null, RemoteAddr: null });
    const short = client.getOption(c, SOL_SOCKET, SO_BSP_STATE, 71);
    expect([short.error, short.value]).toEqual([WSAEFAULT, 72]);
    const state = readCSADDR_INFO(client.getOption(c, SOL_SOCKET, SO_BSP_STATE, 72).into as Uint8Array);
    const [own, peer] = [state?.LocalAddr, state?.RemoteAddr].map((end) =>
      readSockaddr(end ?? new Uint8Array(0)),
    );
    expect(`${own?.address}`).toBe(CLIENT);
    expect(`${peer?.address}:${peer?.port}`).toBe(`${SERVER}:80`);
    expect([state?.iSocketType, state?.iProtocol]).toEqual([1, 6]);
  });
});

describe('control codes', () => {
  test('IOC-FIONBIO needs 4 bytes; IOC-FIOASYNC, SIO_FLUSH and unknown codes are WSAEOPNOTSUPP', () => {
    const { client, tcp } = open();
    expect(client.ioctl(tcp, FIONBIO | 0, new Uint8Array(3)).error).toBe(WSAEFAULT);
    expect(client.ioctl(tcp, FIONBIO | 0, null).error).toBe(WSAEFAULT);
    for (const code of [FIOASYNC, SIO_FLUSH, 0xdead_beef]) {
      expect(client.ioctl(tcp, code | 0, dword(1), 64)).toMatchObject({ error: WSAEOPNOTSUPP, value: 0 });
    }
    expect(client.ioctl(99, FIONBIO | 0, dword(1)).error).toBe(WSAENOTSOCK);
  });

  test('IOC-FIONREAD and IOC-SIOCATMARK on fresh sockets; a short result is WSAEFAULT', () => {
    const { client, tcp, udp } = open();
    for (const socket of [tcp, udp]) {
      expect(i32le(client.ioctl(socket, FIONREAD, null, 4).into as Uint8Array, 0)).toBe(0);
      expect(i32le(client.ioctl(socket, SIOCATMARK, null, 4).into as Uint8Array, 0)).toBe(1);
    }
    expect(client.ioctl(tcp, FIONREAD, null, 3).error).toBe(WSAEFAULT);
  });

  test('IOC-SIO_KEEPALIVE_VALS sets the three, zero times are left, datagrams have none', () => {
    const { client, tcp, udp } = open();
    const values = new Uint8Array(12);
    writeTcpKeepalive(values, 0, { onoff: 1, keepalivetime: 30_000, keepaliveinterval: 2000 });
    expect(client.ioctl(tcp, SIO_KEEPALIVE_VALS | 0, values).error).toBe(0);
    expect(client.option(tcp, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
    expect(client.option(tcp, IPPROTO_TCP, TCP_KEEPIDLE)).toBe(30);
    writeTcpKeepalive(values, 0, { onoff: 1, keepalivetime: 0, keepaliveinterval: 0 });
    expect(client.ioctl(tcp, SIO_KEEPALIVE_VALS | 0, values).error).toBe(0);
    expect(client.option(tcp, IPPROTO_TCP, TCP_KEEPIDLE)).toBe(30);
    expect(client.ioctl(tcp, SIO_KEEPALIVE_VALS | 0, values.subarray(1)).error).toBe(WSAEFAULT);
    expect(client.ioctl(udp, SIO_KEEPALIVE_VALS | 0, values).error).toBe(WSAENOPROTOOPT);
  });

  test('SEM-IO-19 a peer that keep-alive finds gone: WSAENETRESET for what pends, then WSAECONNRESET', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const values = new Uint8Array(12);
    writeTcpKeepalive(values, 0, { onoff: 1, keepalivetime: 1000, keepaliveinterval: 500 });
    client.ioctl(c, SIO_KEEPALIVE_VALS | 0, values);
    const receiving = client.recv(c);
    rig.client.host.link().outbound.change({ loss: 1 });
    rig.run(60_000);
    expect(receiving.error).toBe(10_052);
    expect(client.recv(c).error).toBe(10_054);
  });

  test('IOC-SIO_TCP_INFO version 0', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    client.send(c, 'hello');
    rig.run(100);
    const answer = client.ioctl(c, SIO_TCP_INFO | 0, dword(0), 88);
    expect([answer.error, answer.value]).toEqual([0, 88]);
    expect(readTcpInfoV0(answer.into as Uint8Array)).toMatchObject({
      State: TCPSTATE.ESTABLISHED,
      BytesOut: 5,
      BytesIn: 0,
      BytesInFlight: 0,
    });
    expect(client.ioctl(c, SIO_TCP_INFO | 0, null, 88).error).toBe(WSAEMSGSIZE);
    expect(client.ioctl(c, SIO_TCP_INFO | 0, new Uint8Array(5), 88).error).toBe(WSAEMSGSIZE);
    expect(client.ioctl(c, SIO_TCP_INFO | 0, dword(0), 87).error).toBe(WSAEINVAL);
    expect(client.ioctl(client.datagram(), SIO_TCP_INFO | 0, dword(0), 88).error).toBe(WSAEINVAL);
  });

  test('IOC-SIO_GET_INTERFACE_LIST lists the address and loopback, as AfdOp.interfaces does', () => {
    const { client, tcp } = open();
    const length = 2 * INTERFACE_INFO_LEN;
    const answers = [
      client.ioctl(tcp, SIO_GET_INTERFACE_LIST, null, 500),
      client.call(AfdOp.interfaces, 0, { into: new Uint8Array(length) }),
    ];
    for (const answer of answers) {
      expect([answer.error, answer.value]).toEqual([0, length]);
      const [loopback, own] = [0, INTERFACE_INFO_LEN].map((at) =>
        readINTERFACE_INFO(answer.into as Uint8Array, at),
      );
      expect(`${own?.iiAddress} ${own?.iiNetmask}`).toBe(`${CLIENT} 255.255.255.0`);
      expect([`${loopback?.iiAddress}`, `${loopback?.iiNetmask}`]).toEqual(['127.0.0.1', '255.0.0.0']);
      expect([(own?.iiFlags ?? 0) & 5, (loopback?.iiFlags ?? 0) & 5]).toEqual([1, 5]);
    }
    expect(client.ioctl(tcp, SIO_GET_INTERFACE_LIST, null, length - 1)).toMatchObject({
      error: WSAEFAULT,
      value: 0,
    });
  });

  test('IOC-SIO_ADDRESS_LIST_QUERY lists addresses without loopback, or says how much it needs', () => {
    const { client, tcp } = open();
    const answer = client.ioctl(tcp, SIO_ADDRESS_LIST_QUERY, null, 200);
    const list = readSocketAddressList((answer.into as Uint8Array).subarray(0, answer.value));
    expect(list?.map(({ address }) => `${address}`)).toEqual([CLIENT]);
    expect(client.ioctl(tcp, SIO_ADDRESS_LIST_QUERY, null, 39)).toMatchObject({
      error: WSAEFAULT,
      value: 40,
    });
    expect(client.ioctl(tcp, SIO_ADDRESS_LIST_QUERY, null, 0)).toMatchObject({ error: WSAEFAULT, value: 40 });
    expect(client.ioctl(tcp, SIO_ADDRESS_LIST_QUERY, null, 3)).toMatchObject({ error: WSAEINVAL, value: 0 });
  });

  test('IOC-SIO_ROUTING_INTERFACE_QUERY answers the source address', () => {
    const { client, tcp } = open();
    const ask = (data: Uint8Array | null, length = 16) =>
      client.ioctl(tcp, SIO_ROUTING_INTERFACE_QUERY | 0, data, length);
    const found = ask(sockaddr(SERVER, 0));
    expect(`${readSockaddr(found.into as Uint8Array)?.address}`).toBe(CLIENT);
    expect(ask(null).error).toBe(WSAEINVAL);
    expect(ask(sockaddr('0.0.0.0', 0)).error).toBe(WSAEINVAL);
    expect(ask(new Uint8Array(16)).error).toBe(WSAEAFNOSUPPORT);
    expect(ask(sockaddr(SERVER, 0), 15)).toMatchObject({ error: WSAEFAULT, value: 16 });
    expect(ask(sockaddr('192.0.2.1', 0)).error).toBe(WSAENETUNREACH);
  });

  test('SEM-STATE-11 the ideal send backlog, the broadcast address and the loopback fast path', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    const [fresh, udp] = [client.stream(), client.datagram()];
    expect(client.ioctl(c, SIO_IDEAL_SEND_BACKLOG_QUERY, null, 4).error).toBe(0);
    expect(client.ioctl(fresh, SIO_IDEAL_SEND_BACKLOG_QUERY, null, 4).error).toBe(WSAENOTCONN);
    expect(client.ioctl(udp, SIO_IDEAL_SEND_BACKLOG_QUERY, null, 4).error).toBe(WSAEOPNOTSUPP);
    const broadcast = client.ioctl(udp, SIO_GET_BROADCAST_ADDRESS, null, 16);
    expect(`${readSockaddr(broadcast.into as Uint8Array)?.address}`).toBe('255.255.255.255');
    expect(client.ioctl(fresh, SIO_LOOPBACK_FAST_PATH | 0, dword(1)).error).toBe(0);
    expect(client.ioctl(fresh, SIO_UDP_CONNRESET | 0, dword(1)).error).toBe(WSAEOPNOTSUPP);
  });
});
