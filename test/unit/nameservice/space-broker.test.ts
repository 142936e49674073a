import { describe, expect, test } from '@jest/globals';
import {
  WSA_E_CANCELLED,
  WSAEINVAL,
  WSAENOBUFS,
  WSANO_RECOVERY,
  WSASERVICE_NOT_FOUND,
  WSASYSCALLFAILURE,
} from '../../../src/abi/index.ts';
import { SpaceBroker } from '../../../src/nameservice/space-broker.ts';
import { SPACE_CALL_MAX } from '../../../src/port/index.ts';

const ID = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F11';
const bytes = (...all: number[]): Uint8Array => Uint8Array.from(all);

describe('name-space providers in other processes', () => {
  test('NSP2-Advertise a call reaches the provider, and its answer the client', async () => {
    const broker = new SpaceBroker();
    const [provider, client] = [broker.open(0), broker.open(7)];
    expect(await client.callProvider(ID, bytes(1))).toMatchObject({ error: WSASERVICE_NOT_FOUND });
    expect(await provider.announce(ID)).toBe(0);
    const taken = provider.nextCall();
    const answer = client.callProvider(ID, bytes(1, 2));
    const call = await taken;
    expect(call).toMatchObject({ error: 0, client: client.client, providerId: ID, data: bytes(1, 2) });
    expect(await provider.answerCall(call.call + 1, bytes(3))).toBe(WSAEINVAL);
    expect(await provider.answerCall(call.call, new Uint8Array(SPACE_CALL_MAX + 1))).toBe(WSAEINVAL);
    expect(await client.answerCall(call.call, bytes(3))).toBe(WSAEINVAL);
    expect(await provider.answerCall(call.call, bytes(3))).toBe(0);
    expect(await answer).toEqual({ error: 0, data: bytes(3) });
    expect(await provider.answerCall(call.call, bytes(3))).toBe(WSAEINVAL);
  });

  test('NSP2-ClientSessionRundown a provider is told when a client of its goes, and only then', async () => {
    const broker = new SpaceBroker();
    const [provider, client, stranger] = [broker.open(0), broker.open(0), broker.open(0)];
    await provider.announce(ID);
    void client.callProvider(ID, bytes(1));
    await provider.nextCall();
    stranger.close();
    client.close();
    client.close();
    expect(await provider.nextCall()).toMatchObject({ error: 0, call: 0, client: client.client });
    const abort = new AbortController();
    const next = provider.nextCall(abort.signal);
    abort.abort();
    expect(await next).toMatchObject({ error: WSA_E_CANCELLED });
    expect(await client.callProvider(ID, bytes(1))).toMatchObject({ error: WSASERVICE_NOT_FOUND });
  });

  test('NSP2-Advertise what waits for a provider that goes has failed', async () => {
    const broker = new SpaceBroker();
    const [provider, client] = [broker.open(0), broker.open(0)];
    const other = ID.replace('3', '4');
    for (const id of [ID, other]) expect(await provider.announce(id)).toBe(0);
    const [one, two] = [client.callProvider(ID, bytes(1)), client.callProvider(other, bytes(2))];
    expect(await provider.withdraw(ID)).toBe(0);
    expect(await provider.withdraw(ID)).toBe(WSAEINVAL);
    expect(await one).toMatchObject({ error: WSASYSCALLFAILURE });
    await provider.nextCall();
    await provider.nextCall();
    const waiting = provider.nextCall();
    expect(await provider.nextCall()).toMatchObject({ error: WSA_E_CANCELLED });
    provider.close();
    expect(await two).toMatchObject({ error: WSASYSCALLFAILURE });
    expect(await waiting).toMatchObject({ error: WSA_E_CANCELLED });
    expect(await provider.announce(ID)).toBe(WSAEINVAL);
  });

  test('NSP2-Advertise a client that does not wait any more gets no answer', async () => {
    const broker = new SpaceBroker();
    const [provider, client] = [broker.open(0), broker.open(0)];
    await provider.announce(ID);
    const abort = new AbortController();
    const answer = client.callProvider(ID, bytes(1), abort.signal);
    abort.abort();
    expect(await answer).toMatchObject({ error: WSA_E_CANCELLED });
    const { call } = await provider.nextCall();
    expect(await provider.answerCall(call, bytes(2))).toBe(WSAEINVAL);
  });

  test('NSP2-Advertise ids that are none, too many of them, too many calls', async () => {
    const broker = new SpaceBroker();
    const [provider, client] = [broker.open(0), broker.open(0)];
    for (const id of ['', ID.toLowerCase(), `{${ID}}`, `${ID}0`])
      expect(await provider.announce(id)).toBe(WSAEINVAL);
    const idOf = (i: number): string => `${i.toString(16).toUpperCase().padStart(8, '0')}${ID.slice(8)}`;
    for (let i = 0; i < 64; i++) expect(await provider.announce(idOf(i))).toBe(0);
    expect(await provider.announce(idOf(64))).toBe(WSAENOBUFS);
    expect(await client.announce(idOf(0))).toBe(WSANO_RECOVERY);
    expect(await client.callProvider(idOf(0), new Uint8Array(SPACE_CALL_MAX + 1))).toMatchObject({
      error: WSAEINVAL,
    });
    for (let i = 0; i < 256; i++) void client.callProvider(idOf(0), bytes(1));
    expect(await client.callProvider(idOf(0), bytes(1))).toMatchObject({ error: WSAENOBUFS });
  });
});
