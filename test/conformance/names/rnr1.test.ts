import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  sockaddrOf,
  WSAEFAULT,
  WSAEOPNOTSUPP,
  WSANOTINITIALISED,
  type WSAPROTOCOL_INFO,
} from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import type { PROTOCOL_INFO } from '../../../src/winsock/index.ts';
import { overEveryAttachment } from '../support.ts';
import { nameServer } from './support.ts';

const ERROR_INSUFFICIENT_BUFFER = 122;

overEveryAttachment('names of Winsock 1.1', (pair) => {
  test('API-RnR1 EnumProtocols lists the catalog', async () => {
    const { a: ws, attachment, processOn } = await pair();
    const length = { value: 0 };
    expect(await (await processOn('a')).EnumProtocols(null, [], length)).toBe(-WSANOTINITIALISED);
    expect(await ws.EnumProtocols(null, [], null)).toBe(-WSAEFAULT);
    expect(await ws.EnumProtocols(null, null, length)).toBe(-ERROR_INSUFFICIENT_BUFFER);
    const protocols: PROTOCOL_INFO[] = [];
    expect(await ws.EnumProtocols(null, protocols, { value: length.value - 1 })).toBe(
      -ERROR_INSUFFICIENT_BUFFER,
    );
    const entries: WSAPROTOCOL_INFO[] = [];
    await ws.WSAEnumProtocols(null, entries, { value: 1 << 16 });
    expect(await ws.EnumProtocols(null, protocols, length)).toBe(entries.length);
    expect(protocols.map(({ lpProtocol }) => lpProtocol)).toEqual(entries.map((entry) => entry.szProtocol));
    expect(await ws.EnumProtocols([IPPROTO_TCP, 0, 17], protocols, length)).toBe(2 * (1 + attachment.layers));
    expect(protocols.every(({ iProtocol }) => iProtocol === IPPROTO_TCP)).toBe(true);
  });

  test('API-RnR1 the other calls are WSAEOPNOTSUPP', async () => {
    const { a: ws, processOn } = await pair();
    const idle = await processOn('a');
    for (const name of [
      'GetAddressByName',
      'GetTypeByName',
      'GetNameByType',
      'SetService',
      'GetService',
    ] as const) {
      expect(await ws[name]()).toBe(-WSAEOPNOTSUPP);
      expect(await idle[name]()).toBe(-WSANOTINITIALISED);
    }
  });

  test('NSP-RULE-11 text of addresses is the transport provider’s: no name space is asked', async () => {
    const { a: ws, b } = await pair();
    const asked = await nameServer(b, () => null);
    const into = new Uint8Array(16);
    expect(await ws.WSAStringToAddress('www.example.test', AF_INET, null, into, { value: 16 })).toBeLessThan(
      0,
    );
    expect(await ws.WSAStringToAddress('10.0.0.44:80', AF_INET, null, into, { value: 16 })).toBe(0);
    const text = { value: '' };
    const sa = sockaddrOf(IpAddress.v4(0x0a00002c), 80);
    expect(await ws.WSAAddressToString(sa, 16, null, text, { value: 64 })).toBe(0);
    expect([text.value, asked]).toEqual(['10.0.0.44:80', []]);
  });
});
