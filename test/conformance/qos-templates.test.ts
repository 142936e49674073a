/** Templates of quality of service: installed in the catalog, read by name. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSANOTINITIALISED,
} from '../../src/abi/index.ts';
import type { FLOWSPEC, QOS } from '../../src/spi/index.ts';
import { guid, named, stored } from './catalog-support.ts';
import { ok, overEveryAttachment, type Pair } from './support.ts';

/** A flow whose members are `first`, `first` + 1 … */
const flowOf = (first: number): FLOWSPEC => ({
  TokenRate: first,
  TokenBucketSize: first + 1,
  PeakBandwidth: first + 2,
  Latency: first + 3,
  DelayVariation: first + 4,
  ServiceType: first + 5,
  MaxSduSize: first + 6,
  MinimumPolicedSize: first + 7,
});

overEveryAttachment('templates of quality of service', (open) => {
  /** The pair, with the catalog of host a as a fresh installation has it. */
  async function fresh(): Promise<Pair> {
    const pair = await open();
    pair.attachment.hosts.a.catalog.apply(
      { kind: 'reset', what: 'all' },
      { uid: 0, pid: 0, program: 'test' },
    );
    return pair;
  }

  test('CFG-WSCInstallQOSTemplate kept by name, replaced, removed', async () => {
    const { a, attachment } = await fresh();
    const flow = { ...flowOf(1), MinimumPolicedSize: -1 };
    const qos: QOS = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: Uint8Array.of(9) };
    const voice = Buffer.from('voice');
    expect(await a.WSCInstallQOSTemplate(guid(1), voice, qos)).toBe(1);
    expect(await a.WSCInstallQOSTemplate(guid(1), voice, qos)).toBe(1);
    expect(attachment.hosts.a.catalog.read().qosTemplates).toMatchObject([
      { sending: [1, 2, 3, 4, 5, 6, 7, 0xffff_ffff], providerSpecific: Uint8Array.of(9) },
    ]);
    expect(await a.WSCInstallQOSTemplate(null, voice, qos)).toBe(-WSAEFAULT);
    expect(await a.WSCInstallQOSTemplate('x', voice, qos)).toBe(-WSAEINVAL);
    expect(await a.WSCRemoveQOSTemplate(guid(1), voice)).toBe(1);
    expect(await a.WSCRemoveQOSTemplate(guid(1), voice)).toBe(-WSAEINVAL);
    expect(await a.WSCRemoveQOSTemplate(guid(1), null)).toBe(-WSAEFAULT);
  });

  test('API-WSAGetQOSByName, SPI-WSPGetQOSByName, CFG-WSCInstallQOSTemplate templates of the provider of a socket by their names', async () => {
    const { a, processOn } = await fresh();
    const base = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    const s = await ok(a.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    const empty = (): QOS => ({
      SendingFlowspec: flowOf(0),
      ReceivingFlowspec: flowOf(0),
      ProviderSpecific: null,
    });
    const voice: QOS = {
      SendingFlowspec: flowOf(1),
      ReceivingFlowspec: flowOf(9),
      ProviderSpecific: Uint8Array.of(5, 6),
    };
    const text = (words: string): Uint8Array => Buffer.from(words);
    const into = empty();
    // None is there yet: no name is known, and the list of names is its end alone.
    expect(await a.WSAGetQOSByName(s, text('voice'), into)).toBe(-WSAEINVAL);
    const names = new Uint8Array(16);
    expect(await a.WSAGetQOSByName(s, names, null)).toBe(1);
    expect(names).toEqual(new Uint8Array(16));
    await ok(a.WSCInstallQOSTemplate(base.ProviderId, text('voice'), voice));
    await ok(a.WSCInstallQOSTemplate(base.ProviderId, text('video\0'), { ...voice, ProviderSpecific: null }));
    await ok(a.WSCInstallQOSTemplate(guid(1), text('other'), voice));
    expect(await a.WSAGetQOSByName(s, text('voice'), into)).toBe(1);
    expect(into).toEqual(voice);
    expect(await a.WSAGetQOSByName(s, text('video\0and more'), into)).toBe(1);
    expect(into.ProviderSpecific).toBeNull();
    // A template of another provider is none of this socket's.
    expect(await a.WSAGetQOSByName(s, text('other'), into)).toBe(-WSAEINVAL);
    expect(await a.WSAGetQOSByName(s, names, null)).toBe(1);
    expect(Buffer.from(names).toString('latin1')).toBe('voice\0video\0\0\0\0\0');
    expect(await a.WSAGetQOSByName(s, new Uint8Array(12), null)).toBe(-WSAEFAULT);
    expect(await a.WSAGetQOSByName(s, new Uint8Array(0), null)).toBe(-WSAEFAULT);
    expect(await a.WSAGetQOSByName(s, text('voice'), null)).toBe(-WSAEFAULT);
    expect(await a.WSAGetQOSByName(s, null, into)).toBe(-WSAEFAULT);
    expect(await a.WSAGetQOSByName(4, text('voice'), into)).toBe(-WSAENOTSOCK);
    expect(await (await processOn('a')).WSAGetQOSByName(s, text('voice'), into)).toBe(-WSANOTINITIALISED);
    await ok(a.WSCRemoveQOSTemplate(base.ProviderId, text('voice')));
    expect(await a.WSAGetQOSByName(s, text('voice'), into)).toBe(-WSAEINVAL);
  });
});
