import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as abi from '../../../src/abi/index.ts';
import { fromHex, IpAddress, toHex } from '../../../src/base/index.ts';

const address = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;
const anyV4 = fc.integer().map((word) => IpAddress.v4(word));
const anyV6 = fc
  .tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer(), fc.integer())
  .map(([a, b, c, d, zone]) => new IpAddress(6, a, b, c, d, zone));

describe('sockaddr', () => {
  test('STR-sockaddr_in family little-endian, port and address in network order, zeroes behind', () => {
    expect(toHex(abi.sockaddrOf(address('10.1.2.3'), 8080))).toBe(
      toHex(
        fromHex(`
          0200              # sin_family
          1f90              # sin_port
          0a010203          # sin_addr
          0000000000000000  # sin_zero`),
      ),
    );
  });

  test('STR-sockaddr_in6 has 28 bytes, the scope in host order', () => {
    const bytes = abi.sockaddrOf(address('fe80::1%3'), 443);
    expect(toHex(bytes)).toBe(
      toHex(
        fromHex(`
          1700                              # sin6_family
          01bb                              # sin6_port
          00000000                          # sin6_flowinfo
          fe800000000000000000000000000001  # sin6_addr
          03000000                          # sin6_scope_id`),
      ),
    );
  });

  test('STR-sockaddr, STR-sockaddr_storage every address and port survives writing and reading', () => {
    fc.assert(
      fc.property(fc.oneof(anyV4, anyV6), fc.nat(0xffff), (ip, port) => {
        const storage = new Uint8Array(abi.SOCKADDR_STORAGE_LEN).fill(0xee);
        const end = abi.writeSockaddr(storage, 0, ip, port);
        const read = abi.readSockaddr(storage);
        expect(read?.address.equals(ip)).toBe(true);
        expect(read?.port).toBe(port);
        expect(end).toBe(abi.sockaddrLength(ip.family === 4 ? abi.AF_INET : abi.AF_INET6));
        expect(storage[end]).toBe(0xee);
      }),
    );
  });

  test('SEM-DS-07 a name that is short by one byte is not read, whatever the family', () => {
    for (const ip of ['10.0.0.1', '::1']) {
      const bytes = abi.sockaddrOf(address(ip), 1);
      for (let length = 0; length < bytes.length; length++) {
        expect(abi.readSockaddr(bytes.subarray(0, length))).toBeNull();
      }
    }
    expect(abi.readSockaddr(new Uint8Array(128).fill(26, 0, 1))).toBeNull();
  });

  test('the family of no bytes is -1, and text forms name what is there', () => {
    expect(abi.sockaddrFamily(new Uint8Array(1))).toBe(-1);
    expect(abi.sockaddrLength(abi.AF_IRDA)).toBe(0);
    expect(abi.formatSockaddr(abi.sockaddrOf(address('10.0.0.1'), 80))).toBe('10.0.0.1:80');
    expect(abi.formatSockaddr(abi.sockaddrOf(address('::1'), 80))).toBe('[::1]:80');
    expect(abi.formatSockaddr(new Uint8Array(16))).toBe('<family 0>');
  });
});

describe('WSAPROTOCOL_INFO', () => {
  const info: abi.WSAPROTOCOL_INFO = {
    dwServiceFlags1: 0x20066,
    dwServiceFlags2: 0xffff_ffff,
    dwServiceFlags3: 0,
    dwServiceFlags4: 1,
    dwProviderFlags: 8,
    ProviderId: 'E70F1AA0-AB8B-11CF-8CA3-00805F48A192',
    dwCatalogEntryId: 1001,
    ChainLen: 3,
    ChainEntries: [1010, 1009, 1001],
    iVersion: 2,
    iAddressFamily: 2,
    iMaxSockAddr: 16,
    iMinSockAddr: 16,
    iSocketType: 1,
    iProtocol: 6,
    iProtocolMaxOffset: 0,
    iNetworkByteOrder: 0,
    iSecurityScheme: 0,
    dwMessageSize: 0xffff_ffff,
    dwProviderReserved: 0x8000_0001,
    szProtocol: 'MSAFD Tcpip [TCP/IP]',
  };

  // STR-PI-…: every member.
  test.each([
    ['STR-PI-dwServiceFlags1', 0, '66000200'],
    ['STR-PI-dwProviderFlags', 16, '08000000'],
    ['STR-PI-ProviderId', 20, 'a01a0fe78babcf118ca300805f48a192'],
    ['STR-PI-dwCatalogEntryId', 36, 'e9030000'],
    ['STR-PI-ProtocolChain', 40, '03000000f2030000f1030000e9030000'],
    ['STR-PI-iVersion', 72, '02000000'],
    ['STR-PI-iAddressFamily', 76, '02000000'],
    ['STR-PI-iMaxSockAddr', 80, '1000000010000000'],
    ['STR-PI-iSocketType', 88, '01000000'],
    ['STR-PI-iProtocol', 92, '0600000000000000'],
    ['STR-PI-iNetworkByteOrder', 100, '00000000'],
    ['STR-PI-iSecurityScheme', 104, '00000000'],
    ['STR-PI-dwMessageSize', 108, 'ffffffff'],
    ['STR-PI-dwProviderReserved', 112, '01000080'],
    ['STR-PI-szProtocol', 116, '4d0053004100'],
  ])('%s lies %i bytes in', (_id, at, hex) => {
    const bytes = new Uint8Array(abi.WSAPROTOCOL_INFOW_LEN);
    expect(abi.writeWSAPROTOCOL_INFOW(bytes, 0, info)).toBe(628);
    expect(toHex(bytes.subarray(at, at + hex.length / 2))).toBe(hex);
  });

  test('both forms read back what was written, and are equal up to szProtocol', () => {
    const wide = new Uint8Array(700).fill(0xee);
    const narrow = new Uint8Array(400).fill(0xee);
    abi.writeWSAPROTOCOL_INFOW(wide, 3, info);
    abi.writeWSAPROTOCOL_INFOA(narrow, 3, info);
    expect(abi.readWSAPROTOCOL_INFOW(wide, 3)).toEqual(info);
    expect(abi.readWSAPROTOCOL_INFOA(narrow, 3)).toEqual(info);
    expect(toHex(wide.subarray(3, 119))).toBe(toHex(narrow.subarray(3, 119)));
    expect([wide[2], wide[631], narrow[2], narrow[375]]).toEqual([0xee, 0xee, 0xee, 0xee]);
  });

  test('short bytes, long names and wild chain lengths do no harm', () => {
    const bytes = new Uint8Array(abi.WSAPROTOCOL_INFOW_LEN);
    expect(abi.readWSAPROTOCOL_INFOW(bytes.subarray(1))).toBeNull();
    expect(abi.readWSAPROTOCOL_INFOA(bytes.subarray(0, 371))).toBeNull();
    abi.writeWSAPROTOCOL_INFOW(bytes, 0, {
      ...info,
      szProtocol: 'é'.repeat(300),
      ChainEntries: new Array(20).fill(7),
    });
    expect(abi.readWSAPROTOCOL_INFOW(bytes)?.szProtocol).toBe('é'.repeat(255));
    for (const length of [-1, 0x7fff_ffff]) {
      abi.writeWSAPROTOCOL_INFOW(bytes, 0, { ...info, ChainLen: length });
      expect(abi.readWSAPROTOCOL_INFOW(bytes)?.ChainEntries.length).toBe(length < 0 ? 0 : 7);
    }
    const narrow = new Uint8Array(abi.WSAPROTOCOL_INFOA_LEN);
    abi.writeWSAPROTOCOL_INFOA(narrow, 0, { ...info, szProtocol: 'é→' });
    expect(abi.readWSAPROTOCOL_INFOA(narrow)?.szProtocol).toBe('é?');
  });

  test('GUIDs: text and bytes, with or without braces, and what is none', () => {
    const bytes = abi.parseGuid('{00112233-4455-6677-8899-aabbccddeeff}') as Uint8Array;
    expect(toHex(bytes)).toBe('33221100554477668899aabbccddeeff');
    expect(abi.formatGuid(bytes)).toBe('00112233-4455-6677-8899-AABBCCDDEEFF');
    for (const text of ['', 'x', '00112233-4455-6677-8899-aabbccddeef', '00112233445566778899aabbccddeeff']) {
      expect(abi.parseGuid(text)).toBeNull();
      expect(() => abi.writeGuid(bytes, 0, text)).toThrow(RangeError);
    }
  });
});

describe('structures', () => {
  test('STR-WSADATA is 408 bytes, strings cut and ended', () => {
    const bytes = new Uint8Array(408);
    const data = {
      wVersion: 0x0202,
      wHighVersion: 0x0202,
      iMaxSockets: 32_767,
      iMaxUdpDg: 65_467,
      szDescription: 'W'.repeat(300),
      szSystemStatus: 'Running',
    };
    expect(abi.writeWSADATA(bytes, 0, data)).toBe(408);
    expect(toHex(bytes.subarray(0, 18))).toBe('02020202ff7fbbff00000000000000005757');
    expect([bytes[271], bytes[272], bytes[273]]).toEqual([0x57, 0, 0x52]);
  });

  test('STR-WSANETWORKEVENTS STR-LINGER STR-TIMEVAL read back; short ones don’t', () => {
    const events = { lNetworkEvents: 0x21, iErrorCode: [0, 1, 2, 3, 4, 10_053, 6, 7, 8, 9] };
    const bytes = new Uint8Array(44);
    expect(abi.writeWSANETWORKEVENTS(bytes, 0, events)).toBe(44);
    expect(abi.readWSANETWORKEVENTS(bytes)).toEqual(events);
    expect(abi.readWSANETWORKEVENTS(bytes, 1)).toBeNull();
    expect(abi.writeLINGER(bytes, 0, { l_onoff: 0xffff, l_linger: 0x8001 })).toBe(4);
    expect(abi.readLINGER(bytes)).toEqual({ l_onoff: 0xffff, l_linger: 0x8001 });
    expect(abi.readLINGER(bytes, 41)).toBeNull();
    expect(abi.writeTIMEVAL(bytes, 0, { tv_sec: -1, tv_usec: 7 })).toBe(8);
    expect(abi.readTIMEVAL(bytes)).toEqual({ tv_sec: -1, tv_usec: 7 });
    expect(abi.readTIMEVAL(bytes, 37)).toBeNull();
  });

  test.each([
    [0, 0, 0],
    [1, 500_000, 1500],
    [0, 1, 1],
    [-1, 0, -1],
    [0, -1, -1],
    [0, 1_000_000, -1],
  ])('SEM-SEL-06 {%i s, %i µs} is %i ms', (tv_sec, tv_usec, ms) => {
    expect(abi.timevalToMs({ tv_sec, tv_usec })).toBe(ms);
  });

  test('STR-fd_set is a list: no duplicates, any number, order kept', () => {
    const set = abi.FD_ZERO();
    for (let socket = 1; socket <= 100; socket++) abi.FD_SET(socket, set);
    abi.FD_SET(50, set);
    abi.FD_CLR(1, set);
    abi.FD_CLR(1000, set);
    expect(set.fd_array).toHaveLength(99);
    expect([abi.FD_ISSET(50, set), abi.FD_ISSET(1, set), set.fd_array[0]]).toEqual([true, false, 2]);
    expect(abi.FD_SET_LEN).toBe(520);
  });

  test('STR-TCPSTATE the states in the order of RFC 9293, from 0', () => {
    expect(Object.entries(abi.TCPSTATE).map(([name, number]) => `${number} ${name}`)).toEqual([
      '0 CLOSED',
      '1 LISTEN',
      '2 SYN_SENT',
      '3 SYN_RCVD',
      '4 ESTABLISHED',
      '5 FIN_WAIT_1',
      '6 FIN_WAIT_2',
      '7 CLOSE_WAIT',
      '8 CLOSING',
      '9 LAST_ACK',
      '10 TIME_WAIT',
    ]);
  });

  test('STR-tcp_keepalive, STR-TCP_INFO_v0 and STR-TCP_INFO_v1 read back, 64-bit figures whole', () => {
    const keepalive = { onoff: 1, keepalivetime: 0xffff_ffff, keepaliveinterval: 1000 };
    const bytes = new Uint8Array(88);
    expect(abi.writeTcpKeepalive(bytes, 0, keepalive)).toBe(12);
    expect(abi.readTcpKeepalive(bytes)).toEqual(keepalive);
    expect(abi.readTcpKeepalive(bytes.subarray(77))).toBeNull();
    const info: abi.TCP_INFO_v0 = {
      State: abi.TCPSTATE.ESTABLISHED,
      Mss: 1460,
      ConnectionTimeMs: 5_000_000_000,
      TimestampsEnabled: true,
      RttUs: 1,
      MinRttUs: 2,
      BytesInFlight: 3,
      Cwnd: 4,
      SndWnd: 5,
      RcvWnd: 6,
      RcvBuf: 7,
      BytesOut: 2 ** 52 + 1,
      BytesIn: 2 ** 33,
      BytesReordered: 8,
      BytesRetrans: 9,
      FastRetrans: 10,
      DupAcksIn: 11,
      TimeoutEpisodes: 12,
      SynRetrans: 300,
    };
    expect(abi.writeTcpInfoV0(bytes, 0, info)).toBe(88);
    expect(abi.readTcpInfoV0(bytes)).toEqual({ ...info, SynRetrans: 255 });
    expect(toHex(bytes.subarray(8, 17))).toBe('00f2052a0100000001');
    expect(abi.readTcpInfoV0(bytes, 1)).toBeNull();
    const limits = {
      SndLimTransRwin: 0xffff_ffff,
      SndLimTimeRwin: 2,
      SndLimBytesRwin: 2 ** 40 + 3,
      SndLimTransCwnd: 4,
      SndLimTimeCwnd: 5,
      SndLimBytesCwnd: 6,
      SndLimTransSnd: 7,
      SndLimTimeSnd: 8,
      SndLimBytesSnd: 9,
    };
    const v1 = new Uint8Array(137).fill(0xee);
    expect(abi.writeTcpInfoV1(v1, 1, { ...info, ...limits })).toBe(137);
    expect(v1.subarray(1, 89)).toEqual(bytes);
    expect(toHex(v1.subarray(89))).toBe(
      'ffffffff' +
        '02000000' +
        '0300000000010000' +
        '04000000' +
        '05000000' +
        '0600000000000000' +
        '07000000' +
        '08000000' +
        '0900000000000000',
    );
    expect(abi.readTcpInfoV1(v1, 1)).toEqual({ ...info, ...limits, SynRetrans: 255 });
    expect(abi.readTcpInfoV1(v1, 2)).toBeNull();
  });

  test('STR-INTERFACE_INFO is 76 bytes of flags and three 24-byte addresses', () => {
    const bytes = new Uint8Array(80);
    const info = {
      iiFlags: abi.IFF_UP | abi.IFF_MULTICAST,
      iiAddress: address('10.0.0.2'),
      iiBroadcastAddress: address('10.0.0.255'),
      iiNetmask: address('255.255.255.0'),
    };
    expect(abi.writeINTERFACE_INFO(bytes, 0, info)).toBe(76);
    expect(abi.readINTERFACE_INFO(bytes)).toEqual(info);
    expect(toHex(bytes.subarray(28, 36))).toBe('020000000a0000ff');
    expect(abi.readINTERFACE_INFO(bytes, 5)).toBeNull();
    expect(abi.readINTERFACE_INFO(new Uint8Array(76))).toBeNull();
  });

  test('STR-SOCKET_ADDRESS, STR-SOCKET_ADDRESS_LIST holds offsets; every one that points outside is refused', () => {
    const addresses = ['10.0.0.2', '::1', '192.0.2.1'].map(address);
    const bytes = new Uint8Array(abi.socketAddressListLength(addresses));
    expect(abi.writeSocketAddressList(bytes, addresses)).toBe(bytes.length);
    expect(abi.readSocketAddressList(bytes)?.map((each) => `${each.address}`)).toEqual([
      '10.0.0.2',
      '::1',
      '192.0.2.1',
    ]);
    expect(abi.readSocketAddressList(bytes.subarray(0, bytes.length - 1))).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (wild) => {
        const list = abi.readSocketAddressList(wild);
        expect(list === null || list.length <= wild.length / 16).toBe(true);
      }),
    );
  });

  test('STR-CSADDR_INFO with both ends, one, or none', () => {
    const end = abi.sockaddrOf(address('10.0.0.1'), 80);
    for (const [LocalAddr, RemoteAddr, length] of [
      [end, end, 72],
      [end, null, 56],
      [null, null, 40],
    ] as const) {
      const info = { LocalAddr, RemoteAddr, iSocketType: 1, iProtocol: 6 };
      const bytes = new Uint8Array(abi.csaddrInfoLength(info));
      expect(abi.writeCSADDR_INFO(bytes, info)).toBe(length);
      expect(abi.readCSADDR_INFO(bytes)).toEqual(info);
    }
    expect(abi.readCSADDR_INFO(new Uint8Array(39))).toBeNull();
  });

  test('OPT-IP_RECVERR, OPT-IPV6_RECVERR IN_RECVERR has 12 bytes, and is not read from fewer', () => {
    const error = { protocol: abi.IPPROTO_ICMP, info: 0xffff_fff0, type: 3, code: 4 };
    const bytes = new Uint8Array(14).fill(0xee);
    expect(abi.writeIN_RECVERR(bytes, 1, error)).toBe(13);
    expect(toHex(bytes)).toBe('ee01000000f0ffffff03040000ee');
    expect(abi.readIN_RECVERR(bytes, 1)).toEqual(error);
    expect(abi.readIN_RECVERR(bytes.subarray(0, 12), 1)).toBeNull();
  });
});
