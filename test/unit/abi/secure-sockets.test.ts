/** The numbers and layouts of secure sockets against those of sslsock.h. */

import { describe, expect, test } from '@jest/globals';
import * as abi from '../../../src/abi/index.ts';
import { putI32le } from '../../../src/base/index.ts';

const CODES: readonly [id: string, name: string, code: number, value: number][] = [
  ['SSL-GET_CAPABILITIES', 'SO_SSL_GET_CAPABILITIES', abi.SO_SSL_GET_CAPABILITIES, 0x50730001],
  ['SSL-FLAGS', 'SO_SSL_SET_FLAGS', abi.SO_SSL_SET_FLAGS, 0x90730002],
  ['SSL-FLAGS', 'SO_SSL_GET_FLAGS', abi.SO_SSL_GET_FLAGS, 0x50730002],
  ['SSL-PROTOCOLS', 'SO_SSL_SET_PROTOCOLS', abi.SO_SSL_SET_PROTOCOLS, 0x90730003],
  ['SSL-PROTOCOLS', 'SO_SSL_GET_PROTOCOLS', abi.SO_SSL_GET_PROTOCOLS, 0x50730003],
  ['SSL-CIPHERS', 'SO_SSL_SET_CIPHERS', abi.SO_SSL_SET_CIPHERS, 0x90730004],
  ['SSL-CIPHERS', 'SO_SSL_GET_CIPHERS', abi.SO_SSL_GET_CIPHERS, 0xd0730004],
  ['SSL-CLIENT_OPTS', 'SO_SSL_SET_CLIENT_OPTS', abi.SO_SSL_SET_CLIENT_OPTS, 0x90730005],
  ['SSL-CLIENT_OPTS', 'SO_SSL_GET_CLIENT_OPTS', abi.SO_SSL_GET_CLIENT_OPTS, 0x50730005],
  ['SSL-SERVER_OPTS', 'SO_SSL_SET_SERVER_OPTS', abi.SO_SSL_SET_SERVER_OPTS, 0x90730006],
  ['SSL-SERVER_OPTS', 'SO_SSL_GET_SERVER_OPTS', abi.SO_SSL_GET_SERVER_OPTS, 0x50730006],
  ['SSL-CLIENT_AUTH_OPTS', 'SO_SSL_SET_CLIENT_AUTH_OPTS', abi.SO_SSL_SET_CLIENT_AUTH_OPTS, 0x90730007],
  ['SSL-CLIENT_AUTH_OPTS', 'SO_SSL_GET_CLIENT_AUTH_OPTS', abi.SO_SSL_GET_CLIENT_AUTH_OPTS, 0x50730007],
  ['SSL-VALIDATE_CERT_HOOK', 'SO_SSL_SET_VALIDATE_CERT_HOOK', abi.SO_SSL_SET_VALIDATE_CERT_HOOK, 0x90730008],
  ['SSL-VALIDATE_CERT_HOOK', 'SO_SSL_GET_VALIDATE_CERT_HOOK', abi.SO_SSL_GET_VALIDATE_CERT_HOOK, 0x50730008],
  ['SSL-AUTH_REQUEST_HOOK', 'SO_SSL_SET_AUTH_REQUEST_HOOK', abi.SO_SSL_SET_AUTH_REQUEST_HOOK, 0x90730009],
  ['SSL-AUTH_REQUEST_HOOK', 'SO_SSL_GET_AUTH_REQUEST_HOOK', abi.SO_SSL_GET_AUTH_REQUEST_HOOK, 0x50730009],
  ['SSL-KEYSIG_HOOK', 'SO_SSL_SET_KEY_EXCH_HOOK', abi.SO_SSL_SET_KEY_EXCH_HOOK, 0x9073000a],
  ['SSL-KEYSIG_HOOK', 'SO_SSL_SET_SIGNATURE_HOOK', abi.SO_SSL_SET_SIGNATURE_HOOK, 0x9073000b],
  ['SSL-PERFORM_HANDSHAKE', 'SO_SSL_PERFORM_HANDSHAKE', abi.SO_SSL_PERFORM_HANDSHAKE, 0x1073000d],
  ['SSL-CONNECTION_INFO', 'SO_SSL_GET_CONNECTION_INFO', abi.SO_SSL_GET_CONNECTION_INFO, 0x5073000e],
  ['SSL-SET_PEERNAME', 'SO_SSL_SET_PEERNAME', abi.SO_SSL_SET_PEERNAME, 0x9073000f],
  ['SSL-SET_PEERNAME', 'SO_SSL_SET_PEERNAME_OUT', abi.SO_SSL_SET_PEERNAME_OUT, 0x5073000f],
];

test.each(CODES)('%s %s has the number of the header', (_id, _name, code, value) => {
  expect(code).toBe(value);
  expect(abi.isSslIoctl(value)).toBe(true);
});

test('IOC-SSL codes of other families are not taken for them', () => {
  for (const code of [abi.FIONBIO, abi.SIO_GET_EXTENSION_FUNCTION_POINTER, 0x98000001, 0x88730001, 0]) {
    expect(abi.isSslIoctl(code)).toBe(false);
  }
});

describe('structures', () => {
  test('SSL-PROTOCOLS a count and 12 bytes each; a count that is too large is refused', () => {
    const list = [
      { dwProtocol: abi.SSL_PROTOCOL_TLS1, dwVersion: abi.TLS_VERSION_1_3, dwFlags: 7 },
      { dwProtocol: abi.SSL_PROTOCOL_SSL2, dwVersion: 0, dwFlags: 0 },
    ];
    const bytes = new Uint8Array(abi.sslProtocolsLength(2));
    expect(abi.writeSslProtocols(bytes, list)).toBe(28);
    expect([...bytes.subarray(0, 16)]).toEqual([2, 0, 0, 0, 4, 0, 0, 0, 4, 3, 0, 0, 7, 0, 0, 0]);
    expect(abi.readSslProtocols(bytes)).toEqual(list);
    expect(abi.readSslProtocols(bytes.subarray(0, 27))).toBeNull();
    expect(abi.readSslProtocols(bytes.subarray(0, 3))).toBeNull();
    putI32le(bytes, 0, -1);
    expect(abi.readSslProtocols(bytes)).toBeNull();
  });

  test('SSL-CIPHERS the protocol, a count, ALG_IDs', () => {
    const ciphers = { dwProtocol: abi.SSL_PROTOCOL_TLS1, CipherList: [abi.CALG_AES_256, abi.CALG_RC4] };
    const bytes = new Uint8Array(abi.sslCiphersLength(2));
    expect(abi.writeSslCiphers(bytes, ciphers)).toBe(16);
    expect([...bytes]).toEqual([4, 0, 0, 0, 2, 0, 0, 0, 0x10, 0x66, 0, 0, 1, 0x68, 0, 0]);
    expect(abi.readSslCiphers(bytes)).toEqual(ciphers);
    expect(abi.readSslCiphers(bytes.subarray(0, 15))).toBeNull();
  });

  test('SSL-CLIENT_OPTS, SSL-SERVER_OPTS are three DWORDs', () => {
    const options = { CacheTimeout: 300, dwCacheEntries: 9, dwFlags: 1 };
    const bytes = new Uint8Array(abi.SSLCACHEOPTS_LEN);
    expect(abi.writeSslCacheOpts(bytes, options)).toBe(12);
    expect([...bytes]).toEqual([0x2c, 1, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0]);
    expect(abi.readSslCacheOpts(bytes)).toEqual(options);
    expect(abi.readSslCacheOpts(bytes.subarray(1))).toBeNull();
  });

  test('SSL-CLIENT_AUTH_OPTS six DWORDs, BLOBs behind them; offsets outside are refused', () => {
    const options = {
      dwRequestClientAuth: 1,
      dwRedoHandshake: 0,
      dwType: abi.SSL_CERT_X509,
      pIssuerList: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)],
      dwFlags: 0,
    };
    const bytes = new Uint8Array(abi.sslClientAuthOptsLength(options));
    expect(abi.writeSslClientAuthOpts(bytes, options)).toBe(24 + 16 + 4);
    expect(abi.readSslClientAuthOpts(bytes)).toEqual(options);
    expect(abi.readSslClientAuthOpts(bytes.subarray(0, 43))).toBeNull();
    putI32le(bytes, 16, -4);
    expect(abi.readSslClientAuthOpts(bytes)).toBeNull();
    putI32le(bytes, 12, 0);
    expect(abi.readSslClientAuthOpts(bytes)?.pIssuerList).toEqual([]);
  });

  test('SSL-VALIDATE_CERT_HOOK, SSL-AUTH_REQUEST_HOOK, SSL-KEYSIG_HOOK a function pointer and an argument of four bytes each', () => {
    const bytes = new Uint8Array(abi.SSLHOOK_LEN);
    expect(abi.writeSslHook(bytes, { HookFunc: 0x1000_0010, pvArg: 0xffff_fffe })).toBe(8);
    expect([...bytes]).toEqual([0x10, 0, 0, 0x10, 0xfe, 0xff, 0xff, 0xff]);
    expect(abi.readSslHook(bytes)).toEqual({ HookFunc: 0x1000_0010, pvArg: 0xffff_fffe });
    expect(abi.readSslHook(bytes.subarray(0, 7))).toBeNull();
  });

  test('SSL-CONNECTION_INFO is 28 bytes', () => {
    const info = {
      dwProtocol: abi.SSL_PROT_TLS1_3_CLIENT,
      aiCipher: abi.CALG_AES_256,
      dwCipherStrength: 256,
      aiHash: abi.CALG_SHA_384,
      dwHashStrength: 384,
      aiExch: abi.CALG_ECDH_EPHEM,
      dwExchStrength: 253,
    };
    const bytes = new Uint8Array(abi.SSLCONNECTIONINFO_LEN);
    expect(abi.writeSslConnectionInfo(bytes, info)).toBe(28);
    expect(abi.readSslConnectionInfo(bytes)).toEqual(info);
    expect(abi.readSslConnectionInfo(bytes.subarray(0, 27))).toBeNull();
  });
});
