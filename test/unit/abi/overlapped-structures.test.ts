import { describe, expect, test } from '@jest/globals';
import {
  RIO_BUF_LEN,
  RIORESULT_LEN,
  readRIO_BUF,
  readWSAOVERLAPPED,
  TRANSMIT_FILE_BUFFERS_LEN,
  TRANSMIT_PACKETS_ELEMENT_LEN,
  WSABUF_LEN,
  WSAMSG_LEN,
  WSAOVERLAPPED_LEN,
  writeRIORESULT,
  writeWSAOVERLAPPED,
  wsaErrorMessage,
  wsaErrorName,
} from '../../../src/abi/index.ts';
import { i32le } from '../../../src/base/index.ts';

describe('structures of overlapped and registered I/O', () => {
  test.each([
    ['STR-WSABUF', WSABUF_LEN, 16],
    ['STR-WSAOVERLAPPED', WSAOVERLAPPED_LEN, 32],
    ['STR-WSAMSG', WSAMSG_LEN, 56],
    ['STR-TRANSMIT_FILE_BUFFERS', TRANSMIT_FILE_BUFFERS_LEN, 32],
    ['STR-TRANSMIT_PACKETS_ELEMENT', TRANSMIT_PACKETS_ELEMENT_LEN, 24],
    ['STR-RIO RIO_BUF', RIO_BUF_LEN, 16],
    ['STR-RIO RIORESULT', RIORESULT_LEN, 24],
  ])('%s has the size of 64-bit Windows', (_name, length, expected) => {
    expect(length).toBe(expected);
  });

  test('STR-WSAOVERLAPPED the members lie where the header puts them, and come back', () => {
    const record = {
      Internal: 0xc000_020d,
      InternalHigh: 2 ** 33 + 5,
      Offset: 0xffff_fffe,
      OffsetHigh: 7,
      hEvent: 0x1235,
    };
    const bytes = new Uint8Array(WSAOVERLAPPED_LEN + 3);
    expect(writeWSAOVERLAPPED(bytes, 3, record)).toBe(WSAOVERLAPPED_LEN + 3);
    expect([i32le(bytes, 3) >>> 0, i32le(bytes, 3 + 12), i32le(bytes, 3 + 20), i32le(bytes, 3 + 24)]).toEqual(
      [0xc000_020d, 2, 7, 0x1235],
    );
    expect(readWSAOVERLAPPED(bytes, 3)).toEqual(record);
    expect(readWSAOVERLAPPED(bytes, 4)).toBeNull();
  });

  test('STR-RIO results and parts of buffers', () => {
    const bytes = new Uint8Array(RIORESULT_LEN);
    const result = { Status: 10040, BytesTransferred: 3, SocketContext: 2 ** 40, RequestContext: 9 };
    expect(writeRIORESULT(bytes, 0, result)).toBe(RIORESULT_LEN);
    expect([i32le(bytes, 0), i32le(bytes, 4), i32le(bytes, 12), i32le(bytes, 16)]).toEqual([
      10040, 3, 256, 9,
    ]);
    expect(readRIO_BUF(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]))).toEqual({
      BufferId: 1,
      Offset: 2,
      Length: 3,
    });
    expect(readRIO_BUF(bytes, 9)).toBeNull();
  });

  test.each([
    [258, 'WAIT_TIMEOUT'],
    [64, 'ERROR_NETNAME_DELETED'],
    [122, 'ERROR_INSUFFICIENT_BUFFER'],
    [735, 'ERROR_ABANDONED_WAIT_0'],
    [1168, 'ERROR_NOT_FOUND'],
    [995, 'WSA_OPERATION_ABORTED'],
  ])('code %i of a completion port is called %s, in a sentence', (code, name) => {
    expect(wsaErrorName(code)).toBe(name);
    expect(wsaErrorMessage(code)).toMatch(/^[A-Z].*\. [A-Z].*\.$/);
  });
});
