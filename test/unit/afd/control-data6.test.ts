/** Control data over IPv6, on sockets of both families, and the times of messages. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  AF_INET6,
  controlSpace,
  IN6_PKTINFO_LEN,
  IP_ECN,
  IP_HOPLIMIT,
  IP_ORIGINAL_ARRIVAL_IF,
  IP_PKTINFO,
  IP_PKTINFO_EX,
  IP_RECVTTL,
  IP_TCLASS,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_ECN,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_PKTINFO_EX,
  IPV6_RECVDSTADDR,
  IPV6_RECVECN,
  IPV6_RECVIF,
  IPV6_RECVRTHDR,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  IPV6_WFP_REDIRECT_RECORDS,
  MSG_MCAST,
  readControlMessages,
  readSockaddr,
  SIO_GET_TX_TIMESTAMP,
  SIO_TIMESTAMPING,
  SO_TIMESTAMP,
  SO_TIMESTAMP_ID,
  SOCK_DGRAM,
  SOL_SOCKET,
  sockaddrOf,
  UDP_SEND_MSG_SIZE,
  WSAEADDRNOTAVAIL,
  WSAEINVAL,
  WSAENETUNREACH,
  WSAEWOULDBLOCK,
  writeControlHead,
} from '../../../src/abi/index.ts';
import { IpAddress, i32le } from '../../../src/base/index.ts';
import { AfdOp } from '../../../src/port/index.ts';
import { CLIENT, type Client, createRig, dword, type Machine, type Rig, SERVER } from './rig.ts';

const ROOM = 512;
const PORT = 53;
const [CLIENT6, SERVER6, OTHER6] = ['fd00::1', 'fd00::2', 'fd00::11'];
let rig: Rig;
let server: Client;
let client: Client;
let s: number;
let c: number;
/** The server's interface, and the client's. */
let index: number;

function ip(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw new RangeError(text);
  return address;
}

function bytesOf6(text: string): number[] {
  return [...sockaddrOf(ip(text), 0).subarray(8, 24)];
}

function open6(self: Client, isDual: boolean): number {
  const d = self.call(AfdOp.socket, 0, { a: AF_INET6, b: SOCK_DGRAM, flags: IPPROTO_UDP }).value;
  if (isDual) expect(self.setOption(d, IPPROTO_IPV6, IPV6_V6ONLY, dword(0))).toBe(0);
  return d;
}

function bind6(self: Client, d: number, port: number): void {
  expect(self.call(AfdOp.bind, d, { address: sockaddrOf(IpAddress.anyV6, port) }).error).toBe(0);
}

beforeEach(() => {
  rig = createRig();
  const addresses: readonly [Machine, readonly string[]][] = [
    [rig.client, [CLIENT6 as string, OTHER6 as string]],
    [rig.server, [SERVER6 as string]],
  ];
  for (const [{ host }, own] of addresses) {
    index = host.stack.interfaces[1]?.index ?? 0;
    for (const each of own) host.stack.addAddress(index, `${each}/64`);
  }
  rig.run();
  [client, server] = [rig.client.client(), rig.server.client()];
  [c, s] = [open6(client, true), open6(server, true)];
  bind6(server, s, PORT);
});

function control(level: number, type: number, value: number | readonly number[]): Uint8Array {
  const data = typeof value === 'number' ? dword(value) : Uint8Array.from(value);
  const bytes = new Uint8Array(controlSpace(data.length));
  bytes.set(data, writeControlHead(bytes, 0, bytes.length, level, type, data.length));
  return bytes;
}

/** WSASendMsg. @returns the code */
function sendWith(controls: readonly Uint8Array[], to = SERVER6 as string): number {
  const head = Buffer.concat(controls);
  const request = {
    data: Buffer.concat([head, Buffer.from('abc')]),
    a: head.length,
    address: sockaddrOf(ip(to), PORT),
  };
  return client.call(AfdOp.send, c, request).error;
}

/** WSARecvMsg at the server. */
function receive() {
  rig.run();
  const outcome = server.call(AfdOp.recv, s, { into: new Uint8Array(ROOM + 100), a: ROOM });
  const into = outcome.into as Uint8Array;
  const messages = readControlMessages(into.subarray(4, 4 + i32le(into, 0))) ?? [];
  const told = Object.fromEntries(messages.map(({ level, type, data }) => [`${level}/${type}`, [...data]]));
  const from = `${readSockaddr(outcome.address ?? new Uint8Array(0))?.address}`;
  return { ...outcome, told, from };
}

const num = (value: number): number[] => [...dword(value)];

describe('WSARecvMsg over IPv6', () => {
  test('OPT-IPV6_PKTINFO, OPT-IPV6_HOPLIMIT, OPT-IPV6_RECVTCLASS, OPT-IPV6_TCLASS, OPT-IPV6_RECVECN, OPT-IPV6_RECVIF, OPT-IPV6_RECVDSTADDR, OPT-IPV6_PKTINFO_EX what a message came with', () => {
    const wishes = [
      IPV6_PKTINFO,
      IPV6_HOPLIMIT,
      IPV6_RECVTCLASS,
      IPV6_RECVECN,
      IPV6_RECVIF,
      IPV6_RECVDSTADDR,
    ];
    // Nothing is told of these: no packet has what they are about.
    for (const option of [...wishes, IPV6_PKTINFO_EX, IPV6_RECVRTHDR, IPV6_WFP_REDIRECT_RECORDS]) {
      expect(server.setOption(s, IPPROTO_IPV6, option, dword(1))).toBe(0);
    }
    expect(
      sendWith([control(IPPROTO_IPV6, IPV6_HOPLIMIT, 7), control(IPPROTO_IPV6, IPV6_TCLASS, 0x2a)]),
    ).toBe(0);
    const info = [...bytesOf6(SERVER6 as string), ...num(index)];
    expect(receive().told).toEqual({
      [`${IPPROTO_IPV6}/${IPV6_PKTINFO}`]: info,
      [`${IPPROTO_IPV6}/${IPV6_PKTINFO_EX}`]: [...info, ...num(0)],
      [`${IPPROTO_IPV6}/${IPV6_RECVDSTADDR}`]: bytesOf6(SERVER6 as string),
      [`${IPPROTO_IPV6}/${IPV6_RECVIF}`]: num(index),
      [`${IPPROTO_IPV6}/${IPV6_HOPLIMIT}`]: num(7),
      [`${IPPROTO_IPV6}/${IPV6_TCLASS}`]: num(0x2a),
      [`${IPPROTO_IPV6}/${IPV6_ECN}`]: num(2),
    });
  });

  test('SEM-DS-04, OPT-IP_PKTINFO, OPT-IP_PKTINFO_EX, OPT-IP_ORIGINAL_ARRIVAL_IF a socket of both families is told of IPv4 packets by the options of IPv4', () => {
    expect(server.setOption(s, IPPROTO_IPV6, IPV6_PKTINFO, dword(1))).toBe(0);
    for (const option of [IP_PKTINFO, IP_PKTINFO_EX, IP_ORIGINAL_ARRIVAL_IF, IP_RECVTTL]) {
      expect(server.setOption(s, IPPROTO_IP, option, dword(1))).toBe(0);
    }
    expect(sendWith([control(IPPROTO_IP, IP_HOPLIMIT, 9)], `::ffff:${SERVER}`)).toBe(0);
    const info = [...sockaddrOf(ip(SERVER), 0).subarray(4, 8), ...num(index)];
    const got = receive();
    expect(got.from).toBe(`::ffff:${CLIENT}`);
    expect(got.told).toEqual({
      [`${IPPROTO_IP}/${IP_PKTINFO}`]: info,
      [`${IPPROTO_IP}/${IP_PKTINFO_EX}`]: [...info, ...num(0)],
      [`${IPPROTO_IP}/${IP_ORIGINAL_ARRIVAL_IF}`]: num(index),
      [`${IPPROTO_IP}/${IP_HOPLIMIT}`]: num(9),
    });
  });

  test('SEM-DS-04 a socket of IPv6 alone has no options of IPv4', () => {
    const only = open6(server, false);
    expect(server.option(only, IPPROTO_IP, IP_PKTINFO)).toBe(-WSAEINVAL);
    expect(server.setOption(only, IPPROTO_IP, IP_PKTINFO, dword(1))).toBe(WSAEINVAL);
  });
});

describe('WSASendMsg over IPv6', () => {
  const info6 = (address: string, at = 0) =>
    control(IPPROTO_IPV6, IPV6_PKTINFO, [...bytesOf6(address), ...num(at)]);
  const info4 = (address: string, at = 0) =>
    control(IPPROTO_IP, IP_PKTINFO, [...sockaddrOf(ip(address), 0).subarray(4, 8), ...num(at)]);

  test.each([CLIENT6, OTHER6])('OPT-IPV6_PKTINFO a message leaves from %s when it says so', (from) => {
    expect(sendWith([info6(from as string)])).toBe(0);
    expect(receive().from).toBe(from);
  });

  test('SEM-DS-06 in_pktinfo is for destinations of IPv4, in6_pktinfo for the others', () => {
    const both = [info6(OTHER6 as string), info4(CLIENT)];
    expect(sendWith(both)).toBe(0);
    expect(receive().from).toBe(OTHER6);
    expect(sendWith(both, `::ffff:${SERVER}`)).toBe(0);
    expect(receive().from).toBe(`::ffff:${CLIENT}`);
  });

  test('OPT-IPV6_PKTINFO an address that is not ours, and an interface that does not lead there', () => {
    expect(sendWith([info6('fd00::99')])).toBe(WSAEADDRNOTAVAIL);
    expect(sendWith([info6('::', 1)])).toBe(WSAENETUNREACH);
    expect(sendWith([info6('::', 99)])).toBe(WSAENETUNREACH);
    expect(sendWith([info6('::', index)])).toBe(0);
    // Only that message: the next one goes as the socket says.
    expect(sendWith([])).toBe(0);
  });

  test('OPT-IP_TCLASS, OPT-IP_TOS the traffic class and ECN of one message', () => {
    server.setOption(s, IPPROTO_IPV6, IPV6_RECVTCLASS, dword(1));
    expect(sendWith([control(IPPROTO_IPV6, IPV6_TCLASS, 0xb8), control(IPPROTO_IPV6, IPV6_ECN, 1)])).toBe(0);
    expect(receive().told).toEqual({ [`${IPPROTO_IPV6}/${IPV6_TCLASS}`]: num(0xb9) });
    expect(sendWith([control(IPPROTO_IP, IP_TOS, 0x10)], `::ffff:${SERVER}`)).toBe(0);
    expect(sendWith([control(IPPROTO_IP, IP_TCLASS, 0x10)], `::ffff:${SERVER}`)).toBe(0);
  });

  test.each([
    ['a short in6_pktinfo', control(IPPROTO_IPV6, IPV6_PKTINFO, Array(IN6_PKTINFO_LEN - 1).fill(0))],
    ['a hop limit past 255', control(IPPROTO_IPV6, IPV6_HOPLIMIT, 256)],
    ['a negative traffic class', control(IPPROTO_IPV6, IPV6_TCLASS, -1)],
    ['that there was congestion', control(IPPROTO_IPV6, IPV6_ECN, 3)],
    ['that there was congestion, of IPv4', control(IPPROTO_IP, IP_ECN, 3)],
    ['two bytes for a number', control(IPPROTO_IPV6, IPV6_HOPLIMIT, [1, 0])],
    ['an unknown type', control(IPPROTO_IPV6, 99, 1)],
    ['an unknown level', control(77, 1, 1)],
    ['a time of receiving', control(SOL_SOCKET, SO_TIMESTAMP, [0, 0, 0, 0, 0, 0, 0, 0])],
    ['a negative segment size', control(IPPROTO_UDP, UDP_SEND_MSG_SIZE, -1)],
    ['a header cut short', new Uint8Array(15)],
    ['a length past the end', control(IPPROTO_IPV6, IPV6_HOPLIMIT, 1).subarray(0, 18)],
    ['a length below the header', Uint8Array.of(15, ...new Array(23).fill(0))],
    ['a length of 64 bits', Uint8Array.of(20, 0, 0, 0, 1, ...new Array(19).fill(0))],
  ])('STR-WSACMSGHDR control data with %s is WSAEINVAL, and nothing is sent', (_what, bytes) => {
    expect(sendWith([bytes])).toBe(WSAEINVAL);
    rig.run();
    expect(server.call(AfdOp.recv, s, { into: new Uint8Array(9) }).pended).toBe(true);
  });
});

describe('the times of messages', () => {
  const config = (flags: number, kept: number) => Uint8Array.from([...num(flags), ...num(kept)]);
  const ticks = (bytes: readonly number[]): number =>
    (i32le(Uint8Array.from(bytes), 0) >>> 0) + i32le(Uint8Array.from(bytes), 4) * 2 ** 32;

  test('OPT-SO_TIMESTAMP, IOC-SIO_TIMESTAMPING each message says when it came', () => {
    expect(server.ioctl(s, SIO_TIMESTAMPING | 0, config(1, 0)).error).toBe(0);
    const times = [1, 2].map(() => {
      expect(sendWith([])).toBe(0);
      const { told } = receive();
      rig.run(25);
      return ticks(told[`${SOL_SOCKET}/${SO_TIMESTAMP}`] ?? []);
    });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(250_000);
    expect(server.ioctl(s, SIO_TIMESTAMPING | 0, config(0, 0)).error).toBe(0);
    expect(sendWith([])).toBe(0);
    expect(receive().told).toEqual({});
  });

  test('OPT-SO_TIMESTAMP, IOC-SIO_TIMESTAMPING the time of sending is kept under the sender’s number, and taken once', () => {
    const time = (id: number) => client.ioctl(c, SIO_GET_TX_TIMESTAMP | 0, dword(id), 8);
    expect(client.ioctl(c, SIO_TIMESTAMPING | 0, config(2, 2)).error).toBe(0);
    for (const id of [1, 2, 3]) expect(sendWith([control(SOL_SOCKET, SO_TIMESTAMP_ID, id)])).toBe(0);
    expect(sendWith([])).toBe(0);
    // Two are kept: the oldest is gone.
    expect(time(1).error).toBe(WSAEWOULDBLOCK);
    expect(time(3)).toMatchObject({ error: 0, value: 8 });
    expect(time(3).error).toBe(WSAEWOULDBLOCK);
    expect(time(2).error).toBe(0);
    expect(time(7).error).toBe(WSAEWOULDBLOCK);
  });
});

describe('groups', () => {
  test('SEM-IO-23 a message to a group is named, with the hop limit of its own', () => {
    const group = 'ff15::77';
    const mreq = Uint8Array.from([...bytesOf6(group), ...num(index)]);
    expect(server.setOption(s, IPPROTO_IPV6, 12, mreq)).toBe(0);
    server.setOption(s, IPPROTO_IPV6, IPV6_HOPLIMIT, dword(1));
    rig.run(10);
    expect(sendWith([control(IPPROTO_IPV6, IPV6_HOPLIMIT, 5)], group)).toBe(0);
    expect(receive()).toMatchObject({
      flags: MSG_MCAST,
      told: { [`${IPPROTO_IPV6}/${IPV6_HOPLIMIT}`]: num(5) },
    });
  });
});
