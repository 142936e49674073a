/**
 * Memory that a call was given is its caller's again when the call has returned (SPI-GEN-01): what is kept of it is kept apart. The memory is
 * Node's `Buffer` here, whose `slice` shares it, as programs have it.
 */

import { expect, test } from '@jest/globals';
import {
  IPPROTO_TCP,
  LUP_RETURN_ALL,
  NS_DNS,
  querySet,
  RNRSERVICE_REGISTER,
  readSockaddr,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOCK_STREAM,
  SOL_SOCKET,
  type WSANAMESPACE_INFOEX,
} from '../../src/abi/index.ts';
import { guid } from './catalog-support.ts';
import { connected, int, localName, name, ok, overEveryAttachment, receiveText, tcp } from './support.ts';

/** The same bytes as a program has them, and what forgets them. */
function lent(bytes: Uint8Array): { buffer: Buffer; reuse(): void } {
  const buffer = Buffer.from(bytes);
  return { buffer, reuse: () => void buffer.fill(0xee) };
}

overEveryAttachment('memory that was lent', (pair) => {
  test('API-bind, API-getsockname a socket stays bound to the name that it was given', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const { buffer, reuse } = lent(name('10.0.0.1', 4711));
    await ok(a.bind(s, buffer, 16));
    reuse();
    expect(await localName(a, s)).toEqual({ address: '10.0.0.1', port: 4711 });
  });

  test('API-send what was sent is what the buffer held then', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { buffer, reuse } = lent(Buffer.from('as it was'));
    expect(await a.send(client, buffer)).toBe(9);
    reuse();
    expect(await receiveText(b, server)).toBe('as it was');
  });

  test('API-setsockopt, API-getsockopt the value of an option is only read', async () => {
    const { a, b } = await pair();
    const { server, listener } = await connected({ a, b });
    const value = Buffer.from(int(listener));
    await b.setsockopt(server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, value);
    expect(value).toEqual(Buffer.from(int(listener)));
  });

  test('CFG-WSCInstallNameSpaceEx a provider’s own data are what they were', async () => {
    const { a, attachment } = await pair();
    attachment.freshCatalog();
    const { buffer, reuse } = lent(Uint8Array.of(1, 2, 3));
    await ok(a.WSCInstallNameSpaceEx('ex', '/n.mjs', NS_DNS, 2, guid(1), buffer));
    reuse();
    const listed: WSANAMESPACE_INFOEX[] = [];
    await ok(a.WSCEnumNameSpaceProvidersEx({ value: 1e5 }, listed));
    expect(listed.at(-1)?.ProviderSpecific).toEqual(Uint8Array.of(1, 2, 3));
    attachment.freshCatalog();
  });

  test('API-WSASetService, NSP-REG-02 what was registered stays', async () => {
    const { a } = await pair();
    const lpServiceClassId = '5F7E1A11-0000-4000-8000-0000000000B0';
    const [address, blob] = [lent(name('10.0.0.1', 80)), lent(Uint8Array.of(7))];
    const lpcsaBuffer = [
      { LocalAddr: address.buffer, RemoteAddr: null, iSocketType: SOCK_STREAM, iProtocol: IPPROTO_TCP },
    ];
    const set = querySet({
      lpszServiceInstanceName: 'lent',
      lpServiceClassId,
      dwNumberOfCsAddrs: 1,
      lpcsaBuffer,
      lpBlob: blob.buffer,
    });
    await ok(a.WSASetService(set, RNRSERVICE_REGISTER, 0));
    address.reuse();
    blob.reuse();
    const handle = { value: 0 };
    await ok(a.WSALookupServiceBegin(querySet({ lpServiceClassId }), LUP_RETURN_ALL, handle));
    const found = querySet({});
    await ok(a.WSALookupServiceNext(handle.value, 0, { value: 4096 }, found));
    const [end] = found.lpcsaBuffer ?? [];
    const place = readSockaddr(end?.RemoteAddr ?? new Uint8Array(0));
    expect([place?.address.toString(), place?.port]).toEqual(['10.0.0.1', 80]);
    expect(found.lpBlob).toEqual(Uint8Array.of(7));
    await ok(a.WSALookupServiceEnd(handle.value));
  });
});
