import { describe, expect, test } from '@jest/globals';
import * as abi from '../../../src/abi/index.ts';

const named = abi as unknown as Readonly<Record<string, unknown>>;

describe('error codes', () => {
  test.each(abi.WSA_ERROR_TEXTS.map((row) => [row.name, row.code, row] as const))(
    'ERR-%s is %i, exported under its name, with cause and remedy',
    (name, code, row) => {
      expect(named[name]).toBe(code);
      expect(abi.wsaErrorName(code)).toBe(name);
      expect(abi.wsaErrorCode(name)).toBe(code);
      expect(abi.wsaErrorText(code)).toBe(row);
      for (const sentence of [row.cause, row.remedy]) expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
      expect(abi.wsaErrorMessage(code)).toBe(`${row.cause} ${row.remedy}`);
    },
  );

  test('they ascend, each once, and every WSA constant has its row', () => {
    const codes = abi.WSA_ERROR_TEXTS.map((row) => row.code);
    expect([...new Set(codes)].sort((a, b) => a - b)).toEqual(codes);
    const constants = Object.keys(named).filter((name) => /^WSA(E[A-Z]|_E_|_QOS|HOST|TRY|NO_REC)/.test(name));
    expect(constants.length).toBeGreaterThan(80);
    for (const name of constants) expect(abi.wsaErrorCode(name)).toBe(named[name]);
  });

  test('a number that is no code has a name all the same', () => {
    expect(abi.wsaErrorName(4711)).toBe('WSA error 4711');
    expect(abi.wsaErrorMessage(4711)).toBe('WSA error 4711.');
    expect(abi.wsaErrorText(0)).toBeNull();
    expect(abi.wsaErrorCode('EWOULDBLOCK')).toBe(-1);
    expect(abi.WSANO_ADDRESS).toBe(11_004);
  });
});

describe('control codes', () => {
  test.each([
    ['FIONREAD', 0x4004_667f],
    ['FIONBIO', 0x8004_667e],
    ['FIOASYNC', 0x8004_667d],
    ['SIOCATMARK', 0x4004_7307],
    ['SIO_ASSOCIATE_HANDLE', 0x8800_0001],
    ['SIO_ENABLE_CIRCULAR_QUEUEING', 0x2800_0002],
    ['SIO_FIND_ROUTE', 0x4800_0003],
    ['SIO_FLUSH', 0x2800_0004],
    ['SIO_GET_BROADCAST_ADDRESS', 0x4800_0005],
    ['SIO_GET_EXTENSION_FUNCTION_POINTER', 0xc800_0006],
    ['SIO_GET_QOS', 0xc800_0007],
    ['SIO_MULTIPOINT_LOOPBACK', 0x8800_0009],
    ['SIO_TRANSLATE_HANDLE', 0xc800_000d],
    ['SIO_ROUTING_INTERFACE_QUERY', 0xc800_0014],
    ['SIO_ROUTING_INTERFACE_CHANGE', 0x8800_0015],
    ['SIO_ADDRESS_LIST_QUERY', 0x4800_0016],
    ['SIO_ADDRESS_LIST_CHANGE', 0x2800_0017],
    ['SIO_QUERY_TARGET_PNP_HANDLE', 0x4800_0018],
    ['SIO_ADDRESS_LIST_SORT', 0xc800_0019],
    ['SIO_NSP_NOTIFY_CHANGE', 0x8800_0019],
    ['SIO_BSP_HANDLE', 0x4800_001b],
    ['SIO_BSP_HANDLE_POLL', 0x4800_001d],
    ['SIO_EXT_SENDMSG', 0xc800_0020],
    ['SIO_BASE_HANDLE', 0x4800_0022],
    ['SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER', 0xc800_0024],
    ['SIO_QUERY_RSS_PROCESSOR_INFO', 0x4800_0025],
    ['SIO_RCVALL', 0x9800_0001],
    ['SIO_KEEPALIVE_VALS', 0x9800_0004],
    ['SIO_UDP_CONNRESET', 0x9800_000c],
    ['SIO_UDP_NETRESET', 0x9800_000f],
    ['SIO_LOOPBACK_FAST_PATH', 0x9800_0010],
    ['SIO_TCP_INITIAL_RTO', 0x9800_0011],
    ['SIO_CPU_AFFINITY', 0x9800_0015],
    ['SIO_TCP_INFO', 0xd800_0027],
    ['SIO_GET_INTERFACE_LIST', 0x4004_747f],
    ['SIO_IDEAL_SEND_BACKLOG_QUERY', 0x4004_747b],
  ])('IOC-%s is %i', (name, code) => {
    expect(named[name]).toBe(code);
  });

  test('the makers set direction and type', () => {
    expect(
      [abi._WSAIO, abi._WSAIOR, abi._WSAIOW, abi._WSAIORW].map((make) => make(abi.IOC_PROTOCOL, 5)),
    ).toEqual([0x3000_0005, 0x5000_0005, 0x9000_0005, 0xd000_0005]);
  });
});

describe('other constants', () => {
  test.each([
    ['AF_INET', 2],
    ['AF_INET6', 23],
    ['AF_IRDA', 26],
    ['AF_BTH', 32],
    ['IPPROTO_ICMPV6', 58],
    ['IPPROTO_RM', 113],
    ['SOL_SOCKET', 0xffff],
    ['SO_EXCLUSIVEADDRUSE', -5],
    ['SO_DONTLINGER', -129],
    ['SO_RCVTIMEO', 0x1006],
    ['SO_PROTOCOL_INFOW', 0x2005],
    ['SO_UPDATE_ACCEPT_CONTEXT', 0x700b],
    ['SO_UPDATE_CONNECT_CONTEXT', 0x7010],
    ['IP_TTL', 4],
    ['IP_DONTFRAGMENT', 14],
    ['IPV6_V6ONLY', 27],
    ['TCP_KEEPIDLE', 3],
    ['TCP_KEEPCNT', 16],
    ['TCP_KEEPINTVL', 17],
    ['TCP_BSDURGENT', 0x7000],
    ['MSG_PARTIAL', 0x8000],
    ['FD_ADDRESS_LIST_CHANGE', 0x200],
    ['POLLIN', 0x300],
    ['POLLOUT', 0x10],
    ['POLLNVAL', 4],
    ['SOMAXCONN', 0x7fff_ffff],
    ['XP1_IFS_HANDLES', 0x2_0000],
    ['PFL_HIDDEN', 4],
    ['WSA_WAIT_TIMEOUT', 258],
  ])('%s is %i', (name, value) => {
    expect(named[name]).toBe(value);
  });

  test('events are their bits', () => {
    const events = ['READ', 'WRITE', 'OOB', 'ACCEPT', 'CONNECT', 'CLOSE', 'QOS', 'GROUP_QOS'];
    for (const event of events) expect(named[`FD_${event}`]).toBe(1 << (named[`FD_${event}_BIT`] as number));
    expect(abi.FD_ALL_EVENTS).toBe((1 << abi.FD_MAX_EVENTS) - 1);
  });

  test('options have layouts under their own names and numbers', () => {
    for (const each of abi.OPTION_LAYOUTS) {
      expect(named[each.name]).toBe(each.option);
      expect(abi.optionLayout(each.level, each.option)).toBe(each);
      expect(abi.optionName(each.level, each.option)).toBe(each.name);
    }
    expect(abi.optionLayout(abi.SOL_SOCKET, 0x6000)).toBeNull();
    expect(abi.optionName(abi.SOL_SOCKET, 0x6000)).toBe('option 24576 of level 65535');
  });

  test('families have names', () => {
    const names = [0, 2, 23, 26, 32].map(abi.addressFamilyName);
    expect(names).toEqual(['AF_UNSPEC', 'AF_INET', 'AF_INET6', 'AF_IRDA', 'AF_BTH']);
    expect([27, 99, -1].map(abi.addressFamilyName)).toEqual(['AF 27', 'AF 99', 'AF -1']);
  });
});
