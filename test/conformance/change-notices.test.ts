/** The control codes that wait for a change, and the events that tell of it (SEM-EV-09, SEM-EV-10). */

import { expect, test } from '@jest/globals';
import * as abi from '../../src/abi/index.ts';
import { IpAddress, i32le } from '../../src/base/index.ts';
import { ADDRESS_B } from './attachment.ts';
import { INDEX, ioctl } from './ioctl-support.ts';
import { ended, pending, recordWithEvent } from './overlapped-support.ts';
import {
  connected,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  overVirtualTime,
  type Pair,
  ready,
  udp,
} from './support.ts';

const { WSAEFAULT: F } = abi;

overEveryAttachment('control codes that wait for a change', (pair) => {
  /** Gives host a one more address, and takes it away again at the end. */
  async function withAddress<T>({ attachment }: Pair, body: () => Promise<T>): Promise<T> {
    const { stack } = attachment.hosts.a.host;
    const extra = IpAddress.parse('10.0.0.77') ?? IpAddress.anyV4;
    stack.addAddress(INDEX, '10.0.0.77/24');
    try {
      return await body();
    } finally {
      stack.removeAddress(INDEX, extra);
    }
  }

  test('IOC-SIO_ADDRESS_LIST_CHANGE overlapped it pends on a non-blocking socket too, until an address comes', async () => {
    const both = await pair();
    const { a } = both;
    const s = await udp(a);
    await nonBlocking(a, s);
    const overlapped = await recordWithEvent(a);
    await pending(a.WSAIoctl(s, abi.SIO_ADDRESS_LIST_CHANGE, null, 0, null, 0, { value: 0 }, overlapped));
    await withAddress(both, async () => expect(await ended(a, s, overlapped)).toEqual([0, 0]));
  });

  test('IOC-SIO_ADDRESS_LIST_CHANGE blocks on a blocking socket, and ends with the socket', async () => {
    const both = await pair();
    const { a } = both;
    const [s, other] = [await udp(a), await udp(a)];
    const waiting = ioctl(a, s, abi.SIO_ADDRESS_LIST_CHANGE);
    const closed = ioctl(a, other, abi.SIO_ADDRESS_LIST_CHANGE);
    await ok(a.closesocket(other));
    expect((await closed).answer).toBe(-abi.WSAEINTR);
    await withAddress(both, async () => expect((await waiting).answer).toBe(0));
  });

  test('SEM-EV-10, IOC-SIO_ADDRESS_LIST_CHANGE without leave to wait it is WSAEWOULDBLOCK, and the event tells, once for each asking', async () => {
    const both = await pair();
    const { a } = both;
    const s = await udp(a);
    const event = await ok(a.WSACreateEvent());
    await ok(a.WSAEventSelect(s, event, abi.FD_ADDRESS_LIST_CHANGE));
    const isSignaled = async () => (await a.WSAWaitForMultipleEvents(1, [event], false, 0)) === 0;
    await withAddress(both, async () => expect(await isSignaled()).toBe(false));
    expect((await ioctl(a, s, abi.SIO_ADDRESS_LIST_CHANGE)).answer).toBe(-abi.WSAEWOULDBLOCK);
    expect((await ioctl(a, s, abi.SIO_ADDRESS_LIST_CHANGE)).answer).toBe(-abi.WSAEWOULDBLOCK);
    const events: abi.WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await withAddress(both, async () => {
      expect(await a.WSAWaitForMultipleEvents(1, [event], false, 5000)).toBe(0);
      await ok(a.WSAEnumNetworkEvents(s, event, events));
      expect(events.lNetworkEvents).toBe(abi.FD_ADDRESS_LIST_CHANGE);
    });
    expect(await isSignaled()).toBe(false);
  });

  test('SEM-EV-09, IOC-SIO_ROUTING_INTERFACE_CHANGE the way to a destination, or with the wildcard any way', async () => {
    const { a, attachment } = await pair();
    const { stack } = attachment.hosts.a.host;
    const s = await udp(a);
    const [one, all] = [await recordWithEvent(a), await recordWithEvent(a)];
    const ask = (address: string, record: typeof one) =>
      a.WSAIoctl(s, abi.SIO_ROUTING_INTERFACE_CHANGE, name(address, 0), 16, null, 0, { value: 0 }, record);
    await pending(ask('198.51.100.1', one));
    await pending(ask('0.0.0.0', all));
    const route = { destination: '203.0.113.0/24', gateway: ADDRESS_B, interfaceIndex: INDEX };
    stack.addRoute(route);
    expect(await ended(a, s, all)).toEqual([0, 0]);
    expect(await a.WSAWaitForMultipleEvents(1, [one.hEvent], false, 0)).toBe(abi.WSA_WAIT_TIMEOUT);
    stack.removeRoute(route);
    const way = { ...route, destination: '198.51.100.0/24' };
    stack.addRoute(way);
    expect(await ended(a, s, one)).toEqual([0, 0]);
    stack.removeRoute(way);
    expect((await ioctl(a, s, abi.SIO_ROUTING_INTERFACE_CHANGE)).answer).toBe(-F);
    const other = name(ADDRESS_B, 0);
    other[0] = abi.AF_INET6;
    expect((await ioctl(a, s, abi.SIO_ROUTING_INTERFACE_CHANGE, other)).answer).toBe(-abi.WSAEAFNOSUPPORT);
  });

  test('IOC-SIO_IDEAL_SEND_BACKLOG_CHANGE without leave to wait it is WSAEWOULDBLOCK', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await nonBlocking(a, client);
    expect((await ioctl(a, client, abi.SIO_IDEAL_SEND_BACKLOG_CHANGE)).answer).toBe(-abi.WSAEWOULDBLOCK);
  });
});

// In real time a reader that is slow keeps it from growing.
overVirtualTime('control codes that wait for a change', (pair) => {
  test('IOC-SIO_IDEAL_SEND_BACKLOG_QUERY, IOC-SIO_IDEAL_SEND_BACKLOG_CHANGE a connection that grows says so', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const backlog = async () =>
      i32le((await ioctl(a, client, abi.SIO_IDEAL_SEND_BACKLOG_QUERY, null, 4)).out, 0);
    expect(await backlog()).toBe(0x1_0000);
    const overlapped = await recordWithEvent(a);
    await pending(
      a.WSAIoctl(client, abi.SIO_IDEAL_SEND_BACKLOG_CHANGE, null, 0, null, 0, { value: 0 }, overlapped),
    );
    const bytes = new Uint8Array(1 << 20);
    const sent = a.send(client, bytes);
    const into = new Uint8Array(1 << 18);
    for (let got = 0; got < bytes.length; ) {
      await ready(b, server);
      got += await ok(b.recv(server, into));
    }
    await ok(sent);
    expect(await ended(a, client, overlapped)).toEqual([0, 0]);
    expect(await backlog()).toBeGreaterThan(0x1_0000);
  });
});
