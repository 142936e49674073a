/** A socket that another process opens, whatever stands between either process and its sockets. */

import { expect, test } from '@jest/globals';
import { FD_READ, FROM_PROTOCOL_INFO, type WSAPROTOCOL_INFO } from '../../src/abi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import { connected, name, ok, overEveryAttachment, receiveText, text, udp, wsadata } from './support.ts';

const ALL = FROM_PROTOCOL_INFO;

overEveryAttachment('duplicates', (pair) => {
  test('SEM-DUP-01, SEM-DUP-02, SEM-DUP-03, CAT-LOAD-08, SPI-WSPDuplicateSocket a process opens the connection of another, and has it when that has closed it', async () => {
    const { a, b, processOn } = await pair();
    const { client, server } = await connected({ a, b });
    const other = await processOn('a');
    await ok(other.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const info = { value: null as WSAPROTOCOL_INFO | null };
    await ok(a.WSADuplicateSocket(client, process.pid, info));
    const copy = await ok(other.WSASocket(ALL, ALL, ALL, info.value, 0, 1));
    await ok(a.send(client, text('one ')));
    await ok(other.send(copy, text('two')));
    let came = '';
    while (came.length < 7) came += await receiveText(b, server);
    expect(came).toBe('one two');
    await ok(a.closesocket(client));
    await ok(b.send(server, text('still')));
    expect(await receiveText(other, copy)).toBe('still');
    const event = await ok(other.WSACreateEvent());
    await ok(other.WSAEventSelect(copy, event, FD_READ));
    await ok(b.send(server, text('told')));
    expect(await other.WSAWaitForMultipleEvents(1, [event], true, 5000)).toBe(0);
    expect(await receiveText(other, copy)).toBe('told');
    await ok(other.closesocket(copy));
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('SEM-DUP-05, SPI-WSPDuplicateSocket a datagram socket, and overlapped operations on the copy', async () => {
    const { a, b, processOn } = await pair();
    const other = await processOn('a');
    await ok(other.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const s = await udp(a);
    await ok(a.connect(s, name(ADDRESS_B, 9999)));
    const info = { value: null as WSAPROTOCOL_INFO | null };
    await ok(a.WSADuplicateSocket(s, process.pid, info));
    const copy = await ok(other.WSASocket(ALL, ALL, ALL, info.value, 0, 1));
    const peer = await udp(b);
    await ok(b.bind(peer, name(ADDRESS_B, 9999)));
    const hEvent = await ok(other.WSACreateEvent());
    const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
    expect(await other.WSARecv(copy, [new Uint8Array(9)], 1, null, { value: 0 }, record)).toBe(-997);
    await ok(a.send(s, text('hello')));
    const from = new Uint8Array(16);
    expect(await b.recvfrom(peer, new Uint8Array(9), 9, 0, from, { value: 16 })).toBe(5);
    await ok(b.sendto(peer, text('back'), 4, 0, from));
    expect(await other.WSAWaitForMultipleEvents(1, [hEvent], true, 5000)).toBe(0);
    const count = { value: 0 };
    await ok(other.WSAGetOverlappedResult(copy, record, count, false, { value: 0 }));
    expect(count.value).toBe(4);
  });
});
