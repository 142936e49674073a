import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as abi from '../../../src/abi/index.ts';
import { IpAddress, i32le } from '../../../src/base/index.ts';

const GUID = '0009000C-0001-0000-C000-000000000046';
const bytes = fc.uint8Array({ maxLength: 20 });
/** What C takes as text: no zero inside. */
const text = fc.string({ maxLength: 20 }).filter((value) => !value.includes('\0'));
const latin = fc.stringMatching(/^[ -~]{0,20}$/);
const maybe = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(what, { nil: null });
const int = fc.integer();

/** 64 bits of a pointer that is an offset. */
function pointer(packed: Uint8Array, at: number): number {
  expect(i32le(packed, at + 4)).toBe(0);
  return i32le(packed, at);
}

describe('hostent, servent and protoent', () => {
  test('STR-hostent 32 bytes: name, aliases, 16 bits of type and length, addresses', () => {
    const host: abi.hostent = {
      h_name: 'www.test',
      h_aliases: ['one', 'two'],
      h_addrtype: 2,
      h_length: 4,
      h_addr_list: [Uint8Array.of(10, 0, 0, 1), Uint8Array.of(10, 0, 0, 2)],
    };
    const packed = abi.packHostent(host);
    expect([packed[16], packed[17], packed[18], packed[19]]).toEqual([2, 0, 4, 0]);
    expect(pointer(packed, 0)).toBe(32);
    const aliases = pointer(packed, 8);
    expect(pointer(packed, aliases + 16)).toBe(0);
    const first = pointer(packed, pointer(packed, 24));
    expect([...packed.subarray(first, first + 4)]).toEqual([10, 0, 0, 1]);
    expect(abi.readHostent(packed)).toEqual(host);
  });

  test('STR-servent, STR-protoent their members where 64-bit Windows has them', () => {
    const service = { s_name: 'http', s_aliases: ['www'], s_port: 0x5000, s_proto: 'tcp' };
    const packed = abi.packServent(service);
    expect([packed[24], packed[25]]).toEqual([0, 0x50]);
    expect(pointer(packed, 0)).toBe(32);
    expect(abi.readServent(packed)).toEqual(service);
    const protocol = { p_name: 'udp', p_aliases: ['UDP'], p_proto: 17 };
    const other = abi.packProtoent(protocol);
    expect([other[16], other[17], pointer(other, 0)]).toEqual([17, 0, 24]);
    expect(abi.readProtoent(other)).toEqual(protocol);
  });

  test('what was cut is none', () => {
    const packed = abi.packServent({ s_name: 'http', s_aliases: [], s_port: 1, s_proto: 'tcp' });
    for (const length of [0, 31, packed.length - 1]) {
      expect(abi.readServent(packed.subarray(0, length))).toBeNull();
    }
    expect(abi.readHostent(new Uint8Array(31))).toBeNull();
    expect(abi.readProtoent(new Uint8Array(24))).toBeNull();
  });
});

describe('addrinfo', () => {
  const member = fc.record({
    ai_flags: int,
    ai_family: int,
    ai_socktype: int,
    ai_protocol: int,
    ai_canonname: maybe(text),
    ai_addr: maybe(bytes),
  });

  test('STR-addrinfo 48 bytes, the canonical name before the address, the next one last', () => {
    const next = { ...abi.noHints(), ai_family: 23 };
    const ai_addr = abi.sockaddrOf(IpAddress.loopbackV4, 80);
    const packed = abi.packAddrinfo({
      ...abi.noHints(),
      ai_family: 2,
      ai_addrlen: 16,
      ai_canonname: 'a',
      ai_addr,
      ai_next: next,
    });
    expect([i32le(packed, 4), i32le(packed, 16)]).toEqual([2, 16]);
    expect(packed[pointer(packed, 24)]).toBe('a'.charCodeAt(0));
    expect(packed.subarray(pointer(packed, 32), pointer(packed, 32) + 16)).toEqual(ai_addr);
    expect(i32le(packed, pointer(packed, 40) + 4)).toBe(23);
  });

  test('STR-addrinfo, STR-addrinfoex lists come back as they were', () => {
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 5 }), fc.boolean(), (members, isNarrow) => {
        const form = isNarrow ? 'A' : 'W';
        let plain: abi.addrinfo | null = null;
        let extended: abi.ADDRINFOEX | null = null;
        for (const each of members) {
          const ai_canonname = isNarrow ? null : each.ai_canonname;
          const common = { ...each, ai_canonname, ai_addrlen: each.ai_addr?.length ?? 0 };
          plain = { ...common, ai_next: plain };
          const ai_blob = each.ai_addr;
          const ai_bloblen = common.ai_addrlen;
          extended = { ...common, ai_blob, ai_bloblen, ai_provider: GUID, ai_next: extended };
        }
        expect(abi.readAddrinfo(abi.packAddrinfo(plain as abi.addrinfo, form), form)).toEqual(plain);
        const packed = abi.packADDRINFOEX(extended as abi.ADDRINFOEX, form);
        expect(abi.readADDRINFOEX(packed, form)).toEqual(extended);
      }),
    );
  });

  test('a list that leads back to itself ends', () => {
    const packed = abi.packAddrinfo({ ...abi.noHints(), ai_next: abi.noHints() });
    const second = pointer(packed, 40);
    packed[second + 40] = second;
    expect(abi.addrinfos(abi.readAddrinfo(packed))).toHaveLength(2);
    expect(abi.readAddrinfo(new Uint8Array(47))).toBeNull();
  });
});

describe('query sets', () => {
  const set = fc.record({
    dwSize: fc.constant(120),
    lpszServiceInstanceName: maybe(latin),
    lpServiceClassId: maybe(fc.constant(GUID)),
    lpVersion: maybe(fc.record({ dwVersion: fc.nat(), ecHow: fc.constantFrom(0, 1) })),
    lpszComment: maybe(latin),
    dwNameSpace: fc.nat(),
    lpNSProviderId: maybe(fc.constant(GUID)),
    lpszContext: maybe(latin),
    lpafpProtocols: maybe(fc.array(fc.record({ iAddressFamily: int, iProtocol: int }), { minLength: 1 })),
    lpszQueryString: maybe(latin),
    lpcsaBuffer: maybe(
      fc.array(
        fc.record({
          LocalAddr: maybe(bytes),
          RemoteAddr: maybe(bytes),
          iSocketType: int,
          iProtocol: int,
        }),
        { minLength: 1 },
      ),
    ),
    dwOutputFlags: fc.nat(),
    lpBlob: maybe(bytes),
  });

  test('STR-WSAQUERYSET, STR-CSADDR_INFO, STR-BLOB, STR-AFPROTOCOLS, STR-WSAVERSION both forms', () => {
    fc.assert(
      fc.property(set, fc.constantFrom('A' as const, 'W' as const), (members, form) => {
        const value: abi.WSAQUERYSET = {
          ...members,
          dwNumberOfProtocols: members.lpafpProtocols?.length ?? 0,
          dwNumberOfCsAddrs: members.lpcsaBuffer?.length ?? 0,
        };
        expect(abi.readWSAQUERYSET(abi.packWSAQUERYSET(value, form), form)).toEqual(value);
      }),
    );
  });

  test('STR-WSAQUERYSET its members where 64-bit Windows has them', () => {
    const packed = abi.packWSAQUERYSET(
      abi.querySet({
        lpszServiceInstanceName: 'n',
        lpServiceClassId: GUID,
        dwNameSpace: 12,
        dwOutputFlags: 16,
        lpBlob: Uint8Array.of(7),
      }),
      'W',
    );
    expect([i32le(packed, 0), i32le(packed, 40), i32le(packed, 104)]).toEqual([120, 12, 16]);
    expect(packed[pointer(packed, 8)]).toBe('n'.charCodeAt(0));
    expect(abi.formatGuid(packed, pointer(packed, 16))).toBe(GUID);
    const blob = pointer(packed, 112);
    expect([i32le(packed, blob), packed[pointer(packed, blob + 8)]]).toEqual([1, 7]);
    for (const at of [24, 32, 48, 56, 72, 80, 96]) expect(pointer(packed, at)).toBe(0);
    expect(abi.packWSAQUERYSET(abi.querySet(), 'W')).toHaveLength(120);
  });

  test('STR-WSAQUERYSET2 the same without a class, eight bytes shorter', () => {
    fc.assert(
      fc.property(
        set,
        fc.constantFrom('A' as const, 'W' as const),
        ({ lpServiceClassId: _, ...members }, form) => {
          const value: abi.WSAQUERYSET2 = {
            ...members,
            dwSize: 112,
            dwNumberOfProtocols: members.lpafpProtocols?.length ?? 0,
            dwNumberOfCsAddrs: members.lpcsaBuffer?.length ?? 0,
          };
          expect(abi.readWSAQUERYSET2(abi.packWSAQUERYSET2(value, form), form)).toEqual(value);
        },
      ),
    );
    const { lpServiceClassId: _, ...bare } = abi.querySet({
      dwSize: 112,
      dwNameSpace: 12,
      dwOutputFlags: 16,
    });
    const packed = abi.packWSAQUERYSET2(bare, 'W');
    expect([packed.length, i32le(packed, 32), i32le(packed, 96)]).toEqual([112, 12, 16]);
    expect(abi.readWSAQUERYSET2(packed.subarray(0, 111), 'W')).toBeNull();
  });

  test('any bytes are read without harm', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('A' as const, 'W' as const),
        (wild, form) => {
          abi.readWSAQUERYSET(wild, form);
          abi.readWSASERVICECLASSINFO(wild, form);
          abi.readWSANAMESPACE_INFOEX(wild, 3, form);
          abi.readADDRINFOEX(wild, form);
          abi.readAddrinfo(wild, form);
          abi.readServent(wild);
          abi.readProtoent(wild);
          expect(abi.readHostent(wild)?.h_addr_list.every(({ length }) => length <= 300) ?? true).toBe(true);
        },
      ),
    );
  });
});

describe('classes and providers', () => {
  test('STR-WSASERVICECLASSINFO, STR-WSANSCLASSINFO both forms', () => {
    const info: abi.WSASERVICECLASSINFO = {
      lpServiceClassId: GUID,
      lpszServiceClassName: 'Shops',
      lpClassInfos: [
        { lpszName: 'TcpPort', dwNameSpace: 12, dwValueType: 4, lpValue: Uint8Array.of(80, 0, 0, 0) },
        { lpszName: 'SapId', dwNameSpace: 1, dwValueType: 4, lpValue: new Uint8Array(0) },
      ],
    };
    for (const form of ['A', 'W'] as const) {
      const packed = abi.packWSASERVICECLASSINFO(info, form);
      expect(i32le(packed, 16)).toBe(2);
      expect(abi.formatGuid(packed, pointer(packed, 0))).toBe(GUID);
      expect(i32le(packed, pointer(packed, 24) + 12)).toBe(4);
      expect(abi.readWSASERVICECLASSINFO(packed, form)).toEqual(info);
    }
    expect(abi.readWSASERVICECLASSINFO(new Uint8Array(32), 'W')).toBeNull();
  });

  test('STR-WSANAMESPACE_INFO 40 bytes each, and 56 with the provider’s data', () => {
    const info: abi.WSANAMESPACE_INFOEX = {
      NSProviderId: GUID,
      dwNameSpace: 12,
      fActive: true,
      dwVersion: 3,
      lpszIdentifier: 'Tcpip',
      ProviderSpecific: Uint8Array.of(1, 2),
    };
    const { ProviderSpecific: _, ...plain } = info;
    const packed = abi.packWSANAMESPACE_INFO([plain, plain], 'A');
    expect([16, 20, 24].map((at) => i32le(packed, at))).toEqual([12, 1, 3]);
    expect(abi.formatGuid(packed, 40)).toBe(GUID);
    expect(pointer(packed, 32)).toBe(80);
    expect(abi.readWSANAMESPACE_INFO(packed, 2, 'A')).toEqual([plain, plain]);
    const extended = abi.packWSANAMESPACE_INFOEX([info], 'W');
    expect(i32le(extended, 40)).toBe(2);
    expect(abi.readWSANAMESPACE_INFOEX(extended, 1, 'W')).toEqual([info]);
  });
});

describe('constants of names', () => {
  test('SEM-GAI-08, SEM-GAI-09 flags of getaddrinfo and getnameinfo', () => {
    expect([
      abi.AI_PASSIVE,
      abi.AI_CANONNAME,
      abi.AI_NUMERICHOST,
      abi.AI_NUMERICSERV,
      abi.AI_DNS_ONLY,
      abi.AI_ALL,
      abi.AI_ADDRCONFIG,
      abi.AI_V4MAPPED,
      abi.AI_NON_AUTHORITATIVE,
      abi.AI_SECURE,
      abi.AI_RETURN_PREFERRED_NAMES,
      abi.AI_FQDN,
      abi.AI_FILESERVER,
      abi.AI_DISABLE_IDN_ENCODING,
    ]).toEqual([1, 2, 4, 8, 0x10, 0x100, 0x400, 0x800, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000]);
    expect([abi.NI_NOFQDN, abi.NI_NUMERICHOST, abi.NI_NAMEREQD, abi.NI_NUMERICSERV, abi.NI_DGRAM]).toEqual([
      1, 2, 4, 8, 16,
    ]);
    expect([abi.NI_MAXHOST, abi.NI_MAXSERV]).toEqual([1025, 32]);
  });

  test('NSP-RULE-04 flags of lookups', () => {
    const { LUP_DEEP, LUP_CONTAINERS, LUP_NOCONTAINERS, LUP_NEAREST, LUP_FLUSHCACHE, LUP_FLUSHPREVIOUS } =
      abi;
    expect([LUP_DEEP, LUP_CONTAINERS, LUP_NOCONTAINERS, LUP_NEAREST]).toEqual([1, 2, 4, 8]);
    expect([LUP_FLUSHCACHE, LUP_FLUSHPREVIOUS]).toEqual([0x1000, 0x2000]);
    expect(
      abi.LUP_RETURN_NAME |
        abi.LUP_RETURN_TYPE |
        abi.LUP_RETURN_VERSION |
        abi.LUP_RETURN_COMMENT |
        abi.LUP_RETURN_ADDR |
        abi.LUP_RETURN_BLOB |
        abi.LUP_RETURN_ALIASES |
        abi.LUP_RETURN_QUERY_STRING,
    ).toBe(abi.LUP_RETURN_ALL);
    expect([abi.LUP_NON_AUTHORITATIVE, abi.LUP_SECURE, abi.LUP_RES_SERVICE]).toEqual([
      0x4000, 0x8000, 0x8000,
    ]);
    expect([abi.LUP_RETURN_PREFERRED_NAMES, abi.LUP_DNS_ONLY, abi.LUP_ADDRCONFIG]).toEqual([
      0x10000, 0x20000, 0x100000,
    ]);
    expect([abi.LUP_DUAL_ADDR, abi.LUP_FILESERVER, abi.LUP_DISABLE_IDN_ENCODING, abi.LUP_API_ANSI]).toEqual([
      0x200000, 0x400000, 0x800000, 0x1000000,
    ]);
    expect(abi.LUP_RESOLUTION_HANDLE).toBe(0x80000000);
  });

  test('NSP-RULE-06 output flags, NSP-REG-01 operations', () => {
    const { RESULT_IS_ALIAS, RESULT_IS_ADDED, RESULT_IS_CHANGED, RESULT_IS_DELETED } = abi;
    expect([RESULT_IS_ALIAS, RESULT_IS_ADDED, RESULT_IS_CHANGED, RESULT_IS_DELETED]).toEqual([1, 16, 32, 64]);
    expect([abi.RNRSERVICE_REGISTER, abi.RNRSERVICE_DEREGISTER, abi.RNRSERVICE_DELETE]).toEqual([0, 1, 2]);
    expect(abi.SERVICE_MULTIPLE).toBe(1);
  });

  test('NSP-RULE-09 classes of services, and of ports with a record type', () => {
    expect(abi.SVCID_HOSTNAME).toBe('0002A800-0000-0000-C000-000000000046');
    expect(abi.SVCID_TCP(80)).toBe('00090050-0000-0000-C000-000000000046');
    expect(abi.SVCID_TCP(53, 33)).toBe('00090035-0021-0000-C000-000000000046');
    expect(abi.SVCID_UDP(69)).toBe('000A0045-0000-0000-C000-000000000046');
    expect(abi.SVCID_NETWARE(0x107)).toBe('000B0107-0000-0000-C000-000000000046');
    expect(abi.portOfServiceClass(abi.SVCID_UDP(69, 28))).toEqual({ protocol: 'udp', port: 69, rrType: 28 });
    expect(abi.portOfServiceClass(abi.SVCID_NETWARE(1))).toBeNull();
    expect(abi.portOfServiceClass(abi.SVCID_HOSTNAME)).toBeNull();
  });
});
