/** Control data of messages, the options that ask for it, UDP's options and the ioctls of raw sockets. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  controlSpace,
  IP_ECN,
  IP_HOPLIMIT,
  IP_OPTIONS,
  IP_PKTINFO,
  IP_RECEIVE_BROADCAST,
  IP_RECVDSTADDR,
  IP_RECVECN,
  IP_RECVIF,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_IGMP,
  IPPROTO_IP,
  IPPROTO_UDP,
  MSG_BCAST,
  MSG_CTRUNC,
  MSG_TRUNC,
  readControlMessages,
  SIO_ABSORB_RTRALERT,
  SIO_RCVALL,
  SIO_RCVALL_IGMPMCAST,
  SIO_RCVALL_MCAST,
  SO_BROADCAST,
  SOL_SOCKET,
  UDP_CHECKSUM_COVERAGE,
  UDP_COALESCED_INFO,
  UDP_NOCHECKSUM,
  UDP_RECV_MAX_COALESCED_SIZE,
  UDP_SEND_MSG_SIZE,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOPROTOOPT,
  WSAEOPNOTSUPP,
  writeControlHead,
} from '../../../src/abi/index.ts';
import { EMBEDDED_POLICY } from '../../../src/afd/index.ts';
import { fromHex, i32le } from '../../../src/base/index.ts';
import { AfdOp } from '../../../src/port/index.ts';
import { CLIENT, type Client, createRig, datagramPair, dword, type Rig, SERVER, sockaddr } from './rig.ts';

const ROOM = 256;
let rig: Rig;
let server: Client;
let client: Client;
let s: number;
let c: number;

beforeEach(() => {
  rig = createRig({ policy: EMBEDDED_POLICY });
  ({ server, client, s, c } = datagramPair(rig));
});

/** One control message with a number. */
function control(level: number, type: number, value: number | Uint8Array): Uint8Array {
  const data = typeof value === 'number' ? dword(value) : value;
  const bytes = new Uint8Array(controlSpace(data.length));
  bytes.set(data, writeControlHead(bytes, 0, bytes.length, level, type, data.length));
  return bytes;
}

/** WSASendMsg to the server. @returns the code */
function sendWith(controls: readonly Uint8Array[], data: Uint8Array): number {
  const head = Buffer.concat(controls);
  const request = { data: Buffer.concat([head, data]), a: head.length, address: sockaddr(SERVER, 53) };
  return client.call(AfdOp.send, c, request).error;
}

/** WSARecvMsg at the server. */
function receive(room = ROOM, length = 8192) {
  const outcome = server.call(AfdOp.recv, s, { into: new Uint8Array(room + length), a: room });
  const into = outcome.into as Uint8Array;
  const messages = readControlMessages(into.subarray(4, 4 + i32le(into, 0))) ?? [];
  const told = Object.fromEntries(messages.map(({ level, type, data }) => [`${level}/${type}`, data]));
  return { ...outcome, told, bytes: into.subarray(room, room + outcome.value) };
}

describe('WSARecvMsg', () => {
  test('SEM-IO-23 without a wish there is no control data, and the message lies behind its room', () => {
    client.sendTo(c, 'abc', SERVER, 53);
    rig.run();
    const got = receive();
    expect(got).toMatchObject({ error: 0, value: 3, flags: 0, told: {} });
    expect(Buffer.from(got.bytes).toString()).toBe('abc');
  });

  test('OPT-IP_PKTINFO, OPT-IP_RECVTTL, OPT-IP_RECVTOS, OPT-IP_RECVECN, OPT-IP_RECVIF, OPT-IP_RECVDSTADDR what a message came with', () => {
    for (const option of [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVECN, IP_RECVIF, IP_RECVDSTADDR]) {
      expect(server.option(s, IPPROTO_IP, option)).toBe(0);
      expect(server.setOption(s, IPPROTO_IP, option, dword(1))).toBe(0);
      expect(server.option(s, IPPROTO_IP, option)).toBe(1);
    }
    client.setOption(c, IPPROTO_IP, IP_TTL, dword(9));
    client.setOption(c, IPPROTO_IP, IP_TOS, dword(0x21));
    client.sendTo(c, 'abc', SERVER, 53);
    rig.run();
    const { told } = receive();
    const address = sockaddr(SERVER, 53).slice(4, 8);
    const index = rig.server.host.stack.interfaces[1]?.index ?? 0;
    expect(told).toEqual({
      [`${IPPROTO_IP}/${IP_PKTINFO}`]: Uint8Array.from([...address, ...dword(index)]),
      [`${IPPROTO_IP}/${IP_RECVDSTADDR}`]: address,
      [`${IPPROTO_IP}/${IP_RECVIF}`]: dword(index),
      [`${IPPROTO_IP}/${IP_HOPLIMIT}`]: dword(9),
      [`${IPPROTO_IP}/${IP_TOS}`]: dword(0x21),
      [`${IPPROTO_IP}/${IP_ECN}`]: dword(1),
    });
  });

  test('SEM-IO-23 control data that does not fit is left out, and MSG_CTRUNC says so', () => {
    server.setOption(s, IPPROTO_IP, IP_RECVTTL, dword(1));
    server.setOption(s, IPPROTO_IP, IP_RECVTOS, dword(1));
    client.sendTo(c, 'abc', SERVER, 53);
    rig.run();
    expect(receive(4 + 24)).toMatchObject({ error: 0, value: 3, flags: MSG_CTRUNC });
  });

  test('SEM-IO-03 a message that is cut fails with WSAEMSGSIZE and MSG_TRUNC', () => {
    client.sendTo(c, 'abcdef', SERVER, 53);
    rig.run();
    const got = receive(ROOM, 4);
    expect(got).toMatchObject({ error: WSAEMSGSIZE, value: 4, flags: MSG_TRUNC });
  });

  test('a receive that pended is told the same, and a broadcast is named', () => {
    server.setOption(s, IPPROTO_IP, IP_RECVTTL, dword(1));
    const into = new Uint8Array(ROOM + 100);
    const pending = server.call(AfdOp.recv, s, { into, a: ROOM });
    expect(pending.pended).toBe(true);
    client.setOption(c, SOL_SOCKET, SO_BROADCAST, dword(1));
    client.sendTo(c, 'abc', '255.255.255.255', 53);
    rig.run();
    expect(pending).toMatchObject({ error: 0, value: 3, flags: MSG_BCAST });
    expect(i32le(into, 0)).toBe(controlSpace(4));
  });

  test.each([3, -1, 300])('a room of %i bytes that cannot be is WSAEINVAL', (a) => {
    expect(server.call(AfdOp.recv, s, { into: new Uint8Array(100), a }).error).toBe(WSAEINVAL);
  });

  test('API-WSARecvMsg, API-WSASendMsg streams have no control data', () => {
    const stream = client.stream();
    expect(client.call(AfdOp.recv, stream, { into: new Uint8Array(100), a: 50 }).error).toBe(WSAEOPNOTSUPP);
    expect(client.call(AfdOp.send, stream, { data: new Uint8Array(100), a: 50 }).error).toBe(WSAEINVAL);
  });
});

describe('WSASendMsg', () => {
  test('TTL, traffic class and ECN of one message, and the socket’s own again for the next', () => {
    server.setOption(s, IPPROTO_IP, IP_RECVTTL, dword(1));
    server.setOption(s, IPPROTO_IP, IP_RECVTOS, dword(1));
    const controls = [
      control(IPPROTO_IP, IP_TTL, 5),
      control(IPPROTO_IP, IP_TOS, 0x20),
      control(IPPROTO_IP, IP_ECN, 2),
    ];
    expect(sendWith(controls, Uint8Array.of(1))).toBe(0);
    expect(sendWith([], Uint8Array.of(2))).toBe(0);
    rig.run();
    const values = [receive(), receive()].map(({ told }) => [
      told[`${IPPROTO_IP}/${IP_HOPLIMIT}`]?.[0],
      told[`${IPPROTO_IP}/${IP_TOS}`]?.[0],
    ]);
    expect(values).toEqual([
      [5, 0x22],
      [64, 0],
    ]);
  });

  test('IP_PKTINFO chooses the source; one that is not ours is refused', () => {
    const stack = rig.client.host.stack;
    stack.addAddress(stack.interfaces[1]?.index ?? 0, '10.0.0.99/24');
    const info = (address: string): Uint8Array =>
      control(IPPROTO_IP, IP_PKTINFO, Uint8Array.from([...sockaddr(address, 0).slice(4, 8), 0, 0, 0, 0]));
    expect(sendWith([info('10.0.0.99')], Uint8Array.of(1))).toBe(0);
    rig.run();
    expect(Buffer.from(receive().address?.slice(4, 8) ?? []).join('.')).toBe('10.0.0.99');
    expect(sendWith([info('192.0.2.1')], Uint8Array.of(1))).not.toBe(0);
  });

  test.each([
    ['of an unknown type', control(IPPROTO_IP, 77, 1)],
    ['of an unknown level', control(99, 1, 1)],
    ['that says that there was congestion (OPT-IP_RECVECN)', control(IPPROTO_IP, IP_ECN, 3)],
    ['with a TTL above 255', control(IPPROTO_IP, IP_TTL, 256)],
    ['that is cut', control(IPPROTO_IP, IP_TTL, 1).slice(0, 15)],
    ['longer than there is', control(IPPROTO_IP, IP_TTL, 1).fill(0xff, 0, 3)],
    ['with too little data', control(IPPROTO_IP, IP_PKTINFO, 1)],
  ])('API-WSASendMsg control data %s is WSAEINVAL', (_name, bytes) => {
    expect(sendWith([bytes], Uint8Array.of(1))).toBe(WSAEINVAL);
  });

  test('UDP_SEND_MSG_SIZE of one send cuts it', () => {
    expect(sendWith([control(IPPROTO_UDP, UDP_SEND_MSG_SIZE, 100)], new Uint8Array(250))).toBe(0);
    rig.run();
    expect([receive().value, receive().value, receive().value]).toEqual([100, 100, 50]);
  });
});

describe('options of UDP', () => {
  test.each([
    ['OPT-UDP_NOCHECKSUM', UDP_NOCHECKSUM, 0, 1],
    ['OPT-UDP_SEND_MSG_SIZE', UDP_SEND_MSG_SIZE, 0, 1200],
    ['OPT-UDP_RECV_MAX_COALESCED_SIZE', UDP_RECV_MAX_COALESCED_SIZE, 0, 65_535],
    ['OPT-UDP_CHECKSUM_COVERAGE', UDP_CHECKSUM_COVERAGE, 1, 1],
  ])('%s is read and written', (_id, option, first, value) => {
    expect(client.option(c, IPPROTO_UDP, option)).toBe(first);
    expect(client.setOption(c, IPPROTO_UDP, option, dword(value))).toBe(0);
    expect(client.option(c, IPPROTO_UDP, option)).toBe(value);
    expect(client.option(client.stream(), IPPROTO_UDP, option)).toBe(-WSAENOPROTOOPT);
    expect(client.option(client.raw(IPPROTO_ICMP), IPPROTO_UDP, option)).toBe(-WSAENOPROTOOPT);
  });

  test('OPT-UDP_RECV_MAX_COALESCED_SIZE merged datagrams come with UDP_COALESCED_INFO', () => {
    const own = client.datagram();
    client.bind(own, CLIENT, 60);
    client.setOption(own, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, dword(65_535));
    client.setOption(c, IPPROTO_UDP, UDP_SEND_MSG_SIZE, dword(1000));
    client.sendTo(c, new Uint8Array(2500), CLIENT, 60);
    rig.run();
    const into = new Uint8Array(ROOM + 8192);
    expect(client.call(AfdOp.recv, own, { into, a: ROOM })).toMatchObject({ error: 0, value: 2500 });
    const [message] = readControlMessages(into.subarray(4, 4 + i32le(into, 0))) ?? [];
    expect(message).toEqual({ level: IPPROTO_UDP, type: UDP_COALESCED_INFO, data: dword(1000) });
  });

  test('OPT-IP_RECEIVE_BROADCAST is on at first, and streams do not have it', () => {
    expect(client.option(c, IPPROTO_IP, IP_RECEIVE_BROADCAST)).toBe(1);
    expect(client.setOption(c, IPPROTO_IP, IP_RECEIVE_BROADCAST, dword(0))).toBe(0);
    expect(client.option(c, IPPROTO_IP, IP_RECEIVE_BROADCAST)).toBe(0);
    for (const option of [IP_RECEIVE_BROADCAST, IP_PKTINFO, IP_RECVTTL]) {
      expect(client.option(client.stream(), IPPROTO_IP, option)).toBe(-WSAEINVAL);
    }
  });

  test('OPT-IP_OPTIONS is empty at first, takes options, and no bytes remove them; source routes are refused', () => {
    const read = () => client.getOption(c, IPPROTO_IP, IP_OPTIONS, 40);
    expect(read()).toMatchObject({ error: 0, value: 0 });
    expect(client.setOption(c, IPPROTO_IP, IP_OPTIONS, fromHex('94040000'))).toBe(0);
    expect(read()).toMatchObject({ error: 0, value: 4 });
    expect(client.getOption(c, IPPROTO_IP, IP_OPTIONS, 2).error).toBe(WSAEFAULT);
    expect(client.setOption(c, IPPROTO_IP, IP_OPTIONS, new Uint8Array(0))).toBe(0);
    expect(read().value).toBe(0);
    expect(client.setOption(c, IPPROTO_IP, IP_OPTIONS, fromHex('8307040a000001'))).toBe(WSAEINVAL);
    expect(client.setOption(client.stream(), IPPROTO_IP, IP_OPTIONS, fromHex('94040000'))).toBe(WSAEINVAL);
    expect(client.getOption(client.stream(), IPPROTO_IP, IP_OPTIONS, 40)).toMatchObject({
      error: 0,
      value: 0,
    });
  });
});

describe('SIO_RCVALL', () => {
  const value = (mode: number): Uint8Array => dword(mode);

  test('RAW-RCVALL-01, SEM-STATE-12 needs a raw socket of IPPROTO_IP that is bound to an address', () => {
    expect(client.ioctl(c, SIO_RCVALL | 0, value(1)).error).toBe(WSAEINVAL);
    const icmp = client.raw(IPPROTO_ICMP);
    client.bind(icmp, CLIENT, 0);
    expect(client.ioctl(icmp, SIO_RCVALL | 0, value(1)).error).toBe(WSAEINVAL);
    const raw = client.raw(0);
    expect(client.ioctl(raw, SIO_RCVALL | 0, value(1)).error).toBe(WSAEINVAL);
    client.bind(raw, CLIENT, 0);
    for (const mode of [1, 2, 3, 0]) expect(client.ioctl(raw, SIO_RCVALL | 0, value(mode)).error).toBe(0);
    expect(client.ioctl(raw, SIO_RCVALL | 0, value(4)).error).toBe(WSAEINVAL);
    expect(client.ioctl(raw, SIO_RCVALL | 0, null).error).toBe(WSAEFAULT);
    expect(client.ioctl(raw, SIO_RCVALL | 0, Uint8Array.of(1)).error).toBe(0);
  });

  test('RAW-RCVALL-02 what others send and what this host sends is received with headers', () => {
    const raw = client.raw(0);
    client.bind(raw, CLIENT, 0);
    client.ioctl(raw, SIO_RCVALL | 0, value(1));
    client.sendTo(c, 'abc', SERVER, 99);
    rig.run();
    const [sent, answer] = [client.recv(raw), client.recv(raw)];
    expect([sent.into?.[9], sent.value]).toEqual([17, 31]);
    expect([answer.into?.[9], answer.into?.[20]]).toEqual([1, 3]);
  });

  test('RAW-RCVALL-04 SIO_RCVALL_MCAST is for raw UDP sockets, SIO_RCVALL_IGMPMCAST for raw IGMP ones', () => {
    const [udp, igmp] = [client.raw(IPPROTO_UDP), client.raw(IPPROTO_IGMP)];
    for (const raw of [udp, igmp]) client.bind(raw, CLIENT, 0);
    expect(client.ioctl(udp, SIO_RCVALL_MCAST | 0, value(1)).error).toBe(0);
    expect(client.ioctl(igmp, SIO_RCVALL_IGMPMCAST | 0, value(1)).error).toBe(0);
    expect(client.ioctl(udp, SIO_RCVALL_IGMPMCAST | 0, value(1)).error).toBe(WSAEINVAL);
    expect(client.ioctl(igmp, SIO_RCVALL_MCAST | 0, value(1)).error).toBe(WSAEINVAL);
  });

  test('IOC-SIO_ABSORB_RTRALERT is for raw sockets', () => {
    expect(client.ioctl(client.raw(46), SIO_ABSORB_RTRALERT | 0, dword(1)).error).toBe(0);
    expect(client.ioctl(c, SIO_ABSORB_RTRALERT | 0, dword(1)).error).toBe(WSAEINVAL);
  });
});
