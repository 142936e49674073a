import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  FROM_PROTOCOL_INFO,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  LAYERED_PROTOCOL,
  PFL_HIDDEN,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  WSAEAFNOSUPPORT,
  WSAEINVAL,
  WSAEINVALIDPROVIDER,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
  type WSAPROTOCOL_INFO,
} from '../../../src/abi/index.ts';
import { BASE_PROVIDER_ID, Catalog, DEFAULT_CATALOG, selectEntry } from '../../../src/spi/index.ts';

const UNKNOWN = 0xdead;
const catalog = new Catalog();
const [TCP4, UDP4, RAW4, TCP6, UDP6] = DEFAULT_CATALOG as [
  WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFO,
];

/** The name of the entry that a triple selects, or the WSA code. */
function select(
  af: number,
  type: number,
  protocol: number,
  info: WSAPROTOCOL_INFO | null = null,
): string | number {
  const selection = catalog.select({ af, type, protocol }, info);
  return typeof selection === 'number' ? -selection : selection.entry.szProtocol;
}

describe('the default catalog', () => {
  test.each([
    ['CAT-TCP4', TCP4, 'MSAFD Tcpip [TCP/IP]', 1, 6, 0, 0, 0x20066, 8],
    ['CAT-UDP4', UDP4, 'MSAFD Tcpip [UDP/IP]', 2, 17, 0, 0xffbb, 0x20609, 8],
    ['CAT-RAW4', RAW4, 'MSAFD Tcpip [RAW/IP]', 3, 0, 255, 0x8000, 0x20609, 0xc],
  ])(
    '%s stands in it as Windows lists it',
    (_id, entry, name, type, protocol, offset, size, service, flags) => {
      expect(entry).toMatchObject({
        szProtocol: name,
        iAddressFamily: AF_INET,
        iSocketType: type,
        iProtocol: protocol,
        iProtocolMaxOffset: offset,
        dwMessageSize: size,
        dwServiceFlags1: service,
        dwProviderFlags: flags,
        ProviderId: BASE_PROVIDER_ID,
        iMaxSockAddr: 16,
        iMinSockAddr: 16,
        ChainLen: 1,
        iVersion: 2,
      });
    },
  );

  test('CAT-CHAIN-09 ids are unique, increasing and start at 1001', () => {
    expect(DEFAULT_CATALOG.map((entry) => entry.dwCatalogEntryId)).toEqual([
      1001, 1002, 1003, 1004, 1005, 1006,
    ]);
  });

  test('SEM-SOCK-03 WSAEnumProtocols does not see hidden entries', () => {
    expect(catalog.enumerate(null)).toEqual([TCP4, UDP4, TCP6, UDP6]);
  });

  test('CAT-CHAIN-08 layers are not enumerated, and a list of protocols narrows the rest', () => {
    const layer: WSAPROTOCOL_INFO = { ...TCP4, dwCatalogEntryId: 1007, ChainLen: LAYERED_PROTOCOL };
    const layered = new Catalog([layer, ...DEFAULT_CATALOG]);
    expect(layered.enumerate(null)).toEqual([TCP4, UDP4, TCP6, UDP6]);
    expect(layered.enumerate([IPPROTO_UDP])).toEqual([UDP4, UDP6]);
  });

  test('an entry is found by its id and by its family, and a provider by its path', () => {
    expect(catalog.byId(1002)).toBe(UDP4);
    expect(catalog.byId(7)).toBeNull();
    expect(catalog.byFamily(AF_INET)).toBe(TCP4);
    expect(catalog.byFamily(AF_INET6)).toBe(TCP6);
    expect(catalog.byFamily(99)).toBeNull();
    const path = catalog.providerPath(BASE_PROVIDER_ID);
    expect(path).toMatch(/mswsock/);
    expect([catalog.isBasePath(path ?? ''), catalog.isBasePath('/lib/other')]).toEqual([true, false]);
    expect(catalog.providerPath('00000000-0000-0000-0000-000000000000')).toBeNull();
  });
});

describe('WSASocket without protocol info', () => {
  test.each([
    ['SEM-SOCK-10 unknown family, stream, TCP', UNKNOWN, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT],
    ['SEM-SOCK-10 unknown family, stream, UDP', UNKNOWN, SOCK_STREAM, IPPROTO_UDP, WSAEAFNOSUPPORT],
    ['SEM-SOCK-10 unknown family, stream, unknown protocol', UNKNOWN, SOCK_STREAM, UNKNOWN, WSAEAFNOSUPPORT],
    ['SEM-SOCK-11 IPv4, unknown type, TCP', AF_INET, UNKNOWN, IPPROTO_TCP, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-11 unknown family, unknown type, UDP', UNKNOWN, UNKNOWN, IPPROTO_UDP, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-12 IPv4, stream, unknown protocol', AF_INET, SOCK_STREAM, UNKNOWN, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-12 IPv4, stream, -1', AF_INET, SOCK_STREAM, -1, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13 IPv4, stream, UDP', AF_INET, SOCK_STREAM, IPPROTO_UDP, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13 IPv4, datagram, TCP', AF_INET, SOCK_DGRAM, IPPROTO_TCP, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-14 IPv4, stream, 0', AF_INET, SOCK_STREAM, 0, 'MSAFD Tcpip [TCP/IP]'],
    ['SEM-SOCK-14 IPv4, datagram, 0', AF_INET, SOCK_DGRAM, 0, 'MSAFD Tcpip [UDP/IP]'],
    ['SEM-SOCK-15 IPv4, unknown type, 0', AF_INET, UNKNOWN, 0, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-16 IPv4, 0, TCP', AF_INET, 0, IPPROTO_TCP, 'MSAFD Tcpip [TCP/IP]'],
    ['SEM-SOCK-16 IPv4, 0, UDP', AF_INET, 0, IPPROTO_UDP, 'MSAFD Tcpip [UDP/IP]'],
    ['SEM-SOCK-17 IPv4, 0, 0', AF_INET, 0, 0, 'MSAFD Tcpip [TCP/IP]'],
    ['SEM-SOCK-18 IPv4, 0, unknown protocol', AF_INET, 0, UNKNOWN, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-19 unspecified family, stream, 0', AF_UNSPEC, SOCK_STREAM, 0, WSAEINVAL],
    ['SEM-SOCK-19 unspecified family, unknown type, 0', AF_UNSPEC, UNKNOWN, 0, WSAEINVAL],
    [
      'SEM-SOCK-20 unspecified family, stream, TCP',
      AF_UNSPEC,
      SOCK_STREAM,
      IPPROTO_TCP,
      'MSAFD Tcpip [TCP/IP]',
    ],
    ['SEM-SOCK-20 unspecified family, 0, UDP', AF_UNSPEC, 0, IPPROTO_UDP, 'MSAFD Tcpip [UDP/IP]'],
    ['SEM-SOCK-21 unspecified family, stream, unknown', AF_UNSPEC, SOCK_STREAM, UNKNOWN, WSAEPROTONOSUPPORT],
    [
      'SEM-SOCK-22 unspecified family, unknown type, UDP',
      AF_UNSPEC,
      UNKNOWN,
      IPPROTO_UDP,
      WSAESOCKTNOSUPPORT,
    ],
    ['SEM-SOCK-02 raw, ICMP', AF_INET, SOCK_RAW, IPPROTO_ICMP, 'MSAFD Tcpip [RAW/IP]'],
    ['SEM-SOCK-02 raw, 255', AF_INET, SOCK_RAW, 255, 'MSAFD Tcpip [RAW/IP]'],
    ['SEM-SOCK-02 raw, 256', AF_INET, SOCK_RAW, 256, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-03 raw, 0 matches the hidden entry', AF_INET, SOCK_RAW, 0, 'MSAFD Tcpip [RAW/IP]'],
  ])('%s', (_name, af, type, protocol, expected) => {
    expect(select(af, type, protocol)).toBe(expected);
  });

  test('SEM-SOCK-01 the first matching entry wins, a layer never', () => {
    const layer: WSAPROTOCOL_INFO = { ...TCP4, ChainLen: LAYERED_PROTOCOL, dwProviderFlags: PFL_HIDDEN };
    const chain: WSAPROTOCOL_INFO = { ...TCP4, dwCatalogEntryId: 1005, ChainLen: 2, szProtocol: 'chain' };
    const selection = selectEntry([layer, chain, ...DEFAULT_CATALOG], {
      af: AF_INET,
      type: SOCK_STREAM,
      protocol: IPPROTO_TCP,
    });
    expect(selection).toMatchObject({ entry: { szProtocol: 'chain' } });
  });
});

describe('WSASocket with protocol info', () => {
  const selectIn = ([af, type, protocol]: [number, number, number], info: WSAPROTOCOL_INFO) =>
    catalog.select({ af, type, protocol }, info);

  test('SEM-SOCK-05 its entry is used without matching, and -1 takes its members', () => {
    const all = FROM_PROTOCOL_INFO;
    expect(selectIn([all, all, all], UDP4)).toEqual({
      entry: UDP4,
      af: AF_INET,
      type: SOCK_DGRAM,
      protocol: IPPROTO_UDP,
    });
  });

  test('SEM-SOCK-05 zeros take its members too', () => {
    expect(selectIn([0, 0, 0], TCP4)).toMatchObject({
      entry: TCP4,
      type: SOCK_STREAM,
      protocol: IPPROTO_TCP,
    });
  });

  test('SEM-SOCK-06 explicit values win over its members', () => {
    expect(selectIn([AF_INET, SOCK_STREAM, IPPROTO_TCP], UDP4)).toEqual({
      entry: UDP4,
      af: AF_INET,
      type: SOCK_STREAM,
      protocol: IPPROTO_TCP,
    });
  });

  test.each([0, FROM_PROTOCOL_INFO])(
    'SEM-SOCK-07 members of %d and nothing explicit is WSAEAFNOSUPPORT',
    (nothing) => {
      const empty: WSAPROTOCOL_INFO = {
        ...TCP4,
        iAddressFamily: nothing,
        iSocketType: nothing,
        iProtocol: nothing,
      };
      expect(selectIn([0, 0, 0], empty)).toBe(-WSAEAFNOSUPPORT);
    },
  );

  test('an entry id that the catalog does not have is WSAEINVALIDPROVIDER', () => {
    expect(selectIn([0, 0, 0], { ...TCP4, dwCatalogEntryId: 4711 })).toBe(-WSAEINVALIDPROVIDER);
  });
});
