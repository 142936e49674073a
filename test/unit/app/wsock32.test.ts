import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
});
afterAll(() => programs.dispose());

/** The functions that winsock.h and winsock2.h declare alike. */
const SHARED =
  'accept bind closesocket connect getpeername getsockname getsockopt htonl htons inet_addr inet_ntoa ioctlsocket listen ' +
  'ntohl ntohs recv recvfrom select send sendto setsockopt shutdown socket gethostbyaddr gethostbyname gethostname ' +
  'getprotobyname getprotobynumber getservbyname getservbyport WSAAsyncGetHostByAddr WSAAsyncGetHostByName ' +
  'WSAAsyncGetProtoByName WSAAsyncGetProtoByNumber WSAAsyncGetServByName WSAAsyncGetServByPort WSAAsyncSelect ' +
  'WSACancelAsyncRequest WSACancelBlockingCall WSACleanup WSAGetLastError WSAIsBlocking WSASetBlockingHook ' +
  'WSASetLastError WSAStartup WSAUnhookBlockingHook';
/** What wsock32.dll has beside them. */
const BESIDE =
  'WSARecvEx AcceptEx GetAcceptExSockaddrs TransmitFile inet_network getnetbyname EnumProtocols GetAddressByName ' +
  'GetTypeByName GetNameByType SetService GetService';

test('SEM-W11-08, SEM-W11-09 wsock32 has the 46 functions of both headers, and its own', async () => {
  const [shared, beside] = [SHARED.split(' '), BESIDE.split(' ')];
  expect(shared).toHaveLength(46);
  const said = await programs.run(
    'names',
    `const one = await load('wsock32');
     const shared = ${JSON.stringify(shared)}, beside = ${JSON.stringify(beside)};
     say(shared.filter((name) => typeof one[name] !== 'function' || typeof ws[name] !== 'function'));
     say(shared.filter((name) => one[name] !== ws[name]));
     say(beside.filter((name) => typeof one[name] !== 'function'));
     say(one.inet_network('127.1'), one.inet_network('0x10.010.9'), one.inet_network('1.2.3.4'));
     say(['256', '1.2.3.4.5', '', 'a', '08'].map((text) => one.inet_network(text) === ws.INADDR_NONE));
     say(one.getnetbyname('Loopback').n_net, one.WSAGetLastError(), one.getnetbyname('other'), ws.WSAGetLastError());`,
  );
  expect(said).toEqual([
    [[]],
    [['getsockopt', 'setsockopt']],
    [[]],
    [0x7f01, 0x100809, 0x01020304],
    [[true, true, true, true, true]],
    [127, 0, null, 11001],
  ]);
});

test('SEM-W11-06, SEM-W11-07 wsock32 has the numbers of winsock.h, and sets that take a socket twice', async () => {
  const said = await programs.run(
    'numbers',
    `const one = await load('wsock32');
     say(one.WSAStartup(one.MAKEWORD(1, 1), data), data.wVersion, one.SOMAXCONN);
     const s = one.socket(2, 2, 17);
     one.bind(s, at(0));
     const value = new Uint8Array(4);
     for (const [name, number] of [['IP_TTL', 33], ['IP_MULTICAST_TTL', 9], ['IP_MULTICAST_LOOP', 0], ['IP_DONTFRAGMENT', 1]]) {
       one.setsockopt(s, 0, one[name], Uint8Array.of(number, 0, 0, 0));
       ws.getsockopt(s, 0, ws[name], value, { value: 4 });
       const second = value[0];
       one.getsockopt(s, 0, one[name], value, { value: 4 });
       say(name, one[name], ws[name], second, value[0]);
     }
     // The levels beside IPPROTO_IP have one set of numbers.
     say(one.setsockopt(s, one.SOL_SOCKET, one.SO_RCVTIMEO, Uint8Array.of(7, 0, 0, 0)), ws.getsockopt(s, 0xffff, ws.SO_RCVTIMEO, value), value[0]);
     const set = one.FD_ZERO();
     one.FD_SET(s, set); one.FD_SET(s, set);
     say(set.fd_array.length, one.select(0, null, set, null, { tv_sec: 0, tv_usec: 0 }), set.fd_array.length);
     say(typeof one.WSASetBlockingHook(() => false), one.WSAIsBlocking(), one.WSACleanup(), one.WSACleanup(), one.WSAGetLastError());`,
  );
  expect(said).toEqual([
    [0, 0x0101, 5],
    ['IP_TTL', 7, 4, 33, 33],
    ['IP_MULTICAST_TTL', 3, 10, 9, 9],
    ['IP_MULTICAST_LOOP', 4, 11, 0, 0],
    ['IP_DONTFRAGMENT', 9, 14, 1, 1],
    [0, 0, 7],
    [2, 1, 1],
    ['function', 0, 0, -1, 10093],
  ]);
});
