import { describe, expect, test } from '@jest/globals';
import * as abi from '../../../src/abi/index.ts';

describe('NTSTATUS', () => {
  const codes = Object.entries(abi).filter(
    ([name, value]) =>
      /^WSA(E[A-Z]+|_OPERATION_ABORTED|_INVALID_HANDLE)$/.test(name) && typeof value === 'number',
  ) as [string, number][];

  test('STR-WSAOVERLAPPED every WSA code comes back out of the status that stands for it', () => {
    expect(codes.length).toBeGreaterThan(40);
    for (const [name, code] of codes) {
      const status = abi.ntStatusOf(code);
      expect([name, status >= 0x8000_0000, abi.wsaOfNtStatus(status)]).toEqual([name, true, code]);
    }
    expect([abi.ntStatusOf(0), abi.wsaOfNtStatus(0), abi.win32OfNtStatus(0)]).toEqual([0, 0, 0]);
  });

  test.each([
    ['SEM-IO-20 a reset', abi.WSAECONNRESET, abi.ERROR_NETNAME_DELETED],
    ['SEM-OV-12 an abort', abi.WSAECONNABORTED, abi.ERROR_CONNECTION_ABORTED],
    ['SEM-OV-13 a cancellation', abi.WSA_OPERATION_ABORTED, abi.ERROR_OPERATION_ABORTED],
    ['API-ConnectEx a refusal', abi.WSAECONNREFUSED, abi.ERROR_CONNECTION_REFUSED],
    ['SEM-OV-16 too little room', abi.WSAEFAULT, abi.ERROR_INSUFFICIENT_BUFFER],
    ['SEM-IO-03 a message that was cut', abi.WSAEMSGSIZE, abi.ERROR_MORE_DATA],
    ['a code that only Winsock knows', abi.WSAEHOSTDOWN, abi.WSAEHOSTDOWN],
  ])('%s in Win32’s words', (_what, wsa, win32) => {
    expect(abi.win32OfNtStatus(abi.ntStatusOf(wsa))).toBe(win32);
  });

  test('STR-WSAOVERLAPPED a status that nobody knows is still a failure', () => {
    for (const status of [0xc000_ffff, 0x8000_1234]) {
      expect(abi.wsaOfNtStatus(status)).toBeGreaterThan(0);
      expect(abi.win32OfNtStatus(status)).toBeGreaterThan(0);
    }
  });
});
