/** Windows Mobile's list of layered providers as registry exports have it: every encoding and form, and what is wrong with others. */

import { describe, expect, test } from '@jest/globals';
import { WSAEINVAL } from '../../../src/abi/index.ts';
import {
  decodeRegistryText,
  freshState,
  readMobileProviders,
  writeMobileProviders,
} from '../../../src/catalog/index.ts';
import { catalogDefaults } from '../../../src/spi/index.ts';
import { Bench } from './support.ts';

const LIST = '[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP';

/** As the remote registry editor of a device exports it. */
const DEVICE = `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\Comm\\WS2]

${LIST}]

${LIST}\\AutoProxy]
"Dll"="\\\\Windows\\\\proxy.dll"
"Entry"="InstallLSP"

${LIST}\\SSL]
"Dll"="ssllsp.dll"
"Order"=dword:00000001

[HKEY_LOCAL_MACHINE\\Comm\\Tcpip]
"Order"=dword:00000000
"Dll"="no.dll"
"Blob"=hex:01,02,\\
  03,04
`;
const PROVIDERS = [
  { name: 'SSL', path: 'ssllsp.dll', order: 1 },
  { name: 'AutoProxy', path: '\\Windows\\proxy.dll', order: 0xffff_ffff },
];

/** As images of devices are built from. */
const IMAGE = `; @CESYSGEN IF WCESHELLFE_MODULES_SSLLSP
IF SYSGEN_AUTH_SCHANNEL
${LIST}\\SSL] ; the SSL provider
    "Dll"="ssllsp.dll"    ; in the image
    "Order"=dword:1
ENDIF
#include "other.reg"
`;

/** As the installer of older devices keeps its own list. */
const OLDER = `REGEDIT4\r\n\r\n${LIST}\\LSP_INSTALL]\r\n"Dll"="lsp_install.dll"\r\n
${LIST}\\LSP_INSTALL\\SSL]\r\n"Dll"=hex(2):25,57,49,4e,25,5c,\\\r\n  73,2e,64,6c,6c,00\r\n"order"=dword:1\r\n`;

describe('a list', () => {
  test.each([
    ['a device’s export', DEVICE, PROVIDERS],
    ['a file of an image', IMAGE, [{ name: 'SSL', path: 'ssllsp.dll', order: 1 }]],
    [
      'the list of an older device, with a path in bytes',
      OLDER,
      [{ name: 'SSL', path: '%WIN%\\s.dll', order: 1 }],
    ],
    [
      'a path in wide characters',
      `Windows Registry Editor Version 5.00\n${LIST}\\A]\n"Dll"=hex(2):61,00,2e,00,64,00,00,00`,
      [{ name: 'A', path: 'a.d', order: 0xffff_ffff }],
    ],
    [
      'one key in two places, with its letters in another case',
      `${LIST}\\ssl]\n"Dll"="a"\n[${LIST.slice(1).toUpperCase()}\\SSL]\n"ORDER"=dword:2\n"dll"="b"`,
      [{ name: 'ssl', path: 'b', order: 2 }],
    ],
    [
      'keys and values that are taken away again',
      `${LIST}\\A]\n"Dll"="a"\n${LIST}\\B]\n"Dll"="b"\n"Order"=dword:7\n"Order"=-\n[-${LIST.slice(1)}\\A]\n"Dll"=5`,
      [{ name: 'B', path: 'b', order: 0xffff_ffff }],
    ],
    [
      'values of every type, and keys below a key',
      `${LIST}\\A]\n@="it"\n"X"=hex(7):00,00\n"Y"=multi_sz:"a","b"\n"Z"=hex:\n"Dll"="a"\n${LIST}\\A\\More]\n"Dll"=wrong`,
      [{ name: 'A', path: 'a', order: 0xffff_ffff }],
    ],
    [
      'quotes and backslashes in strings',
      `${LIST}\\A]\n"Dll"="\\\\a \\"b\\".dll"`,
      [{ name: 'A', path: '\\a "b".dll', order: 0xffff_ffff }],
    ],
    [
      'equal orders as they are written',
      `${LIST}\\B]\n"Dll"="b"\n"Order"=dword:3\n${LIST}\\A]\n"Dll"="a"\n"Order"=dword:3`,
      [
        { name: 'B', path: 'b', order: 3 },
        { name: 'A', path: 'a', order: 3 },
      ],
    ],
  ])('WM-07 is read from %s', (_, text, providers) => {
    expect(readMobileProviders(text)).toEqual(providers);
    expect(readMobileProviders(writeMobileProviders(providers))).toEqual(providers);
  });

  const seven = Array.from({ length: 7 }, (_, n) => `${LIST}\\L${n}]\n"Dll"="${n}.dll"\n`).join('');
  test.each<[string, string, number, string]>([
    ['nothing', '', 0, 'it has no key below HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP'],
    [
      'the keys of something else',
      'REGEDIT4\n[HKEY_CURRENT_USER\\X]\n"Dll"="x"',
      0,
      'it has no key below HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP',
    ],
    ['a page of the web', '\n<html>\n', 2, 'this is no registry export'],
    ['no Dll', `${LIST}\\A]\n"Dll"="a"\n\n${LIST}\\B]\n"Order"=dword:1`, 4, 'the key B has no "Dll"'],
    ['a Dll that is taken away', `${LIST}\\B]\n"Dll"="b"\n"Dll"=-`, 1, 'the key B has no "Dll"'],
    ['an empty Dll', `${LIST}\\A]\n"Dll"=""`, 2, '"Dll" is empty'],
    ['a Dll that is a number', `${LIST}\\A]\n"Dll"=dword:1`, 2, '"Dll" has to be a string'],
    ['a Dll of bytes', `${LIST}\\A]\n"Dll"=hex:61,00`, 2, '"Dll" has to be a string'],
    [
      'a Dll without end',
      `${LIST}\\A]\n"Dll"="${'d'.repeat(260)}"`,
      2,
      '"Dll" is no path of fewer than 260 characters',
    ],
    ['an Order in words', `${LIST}\\A]\n"Dll"="a"\n"Order"="first"`, 3, '"Order" has to be a dword'],
    [
      'a dword of nine digits',
      `${LIST}\\A]\n"Order"=dword:000000001`,
      2,
      'a dword has one to eight hexadecimal digits',
    ],
    [
      'a dword in decimal words',
      `${LIST}\\A]\n"Order"=dword:ten`,
      2,
      'a dword has one to eight hexadecimal digits',
    ],
    ['bytes that are none', `${LIST}\\A]\n"X"=hex:01,\\\n  100`, 2, 'a hex value is a list of bytes'],
    ['a type that nobody knows', `${LIST}\\A]\n"X"=qword:1`, 2, 'the value is of no known type'],
    [
      'a string without its quote',
      `${LIST}\\A]\n"Dll"="a`,
      2,
      'the string has no closing quote, or something behind it',
    ],
    ['a name without quotes', `${LIST}\\A]\nDll="a"`, 2, 'this is neither a key nor a value'],
    ['a key without its bracket', `REGEDIT4\n\n${LIST}\\A\n"Dll"="a"`, 3, 'the key has no closing bracket'],
    [
      'a name without end',
      `\n${LIST}\\${'n'.repeat(256)}]\n"Dll"="a"`,
      2,
      'the key’s name has more than 255 characters',
    ],
    [
      'more layers than a chain takes',
      seven,
      13,
      'L6 would be number 7 above a base provider: 6 are the most',
    ],
    ['more than a change may carry', 'x'.repeat(300_000), 0, 'it has more than 262144 characters'],
  ])('WM-07 is refused with its line for %s', (_, text, line, why) => {
    expect(readMobileProviders(text)).toEqual({ line, why });
    expect(new Bench().apply({ kind: 'import-mobile', text })).toBe(WSAEINVAL);
  });

  test('WM-07 a whole registry is read as far as the caller allows', () => {
    const others = Array.from(
      { length: 40_000 },
      (_, n) => `[HKEY_CLASSES_ROOT\\${n}]\r\n"Dll"="no"\r\n`,
    ).join('');
    const text = `${others}${DEVICE.slice(DEVICE.indexOf('['))}${others}`;
    expect(text.length).toBeGreaterThan(2_000_000);
    expect(readMobileProviders(text, 1 << 26)).toEqual(PROVIDERS);
  });
});

describe('the bytes of a file', () => {
  const text = `REGEDIT4\r\n${LIST}\\Größe]\r\n"Dll"="é.dll"\r\n`;
  const wide = Buffer.from(text, 'utf16le');
  const swapped = Buffer.from(wide).swap16();

  test.each([
    ['UTF-16 as regedit writes it', Buffer.concat([Buffer.of(0xff, 0xfe), wide])],
    ['UTF-16 the other way round', Buffer.concat([Buffer.of(0xfe, 0xff), swapped])],
    ['UTF-16 without a mark', wide],
    ['UTF-16 the other way round without a mark', swapped],
    ['UTF-8 with a mark', Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(text)])],
    ['UTF-8', Buffer.from(text)],
    ['the code page', Buffer.from(text, 'latin1')],
  ])('are text in %s', (_, bytes) => {
    expect(decodeRegistryText(bytes)).toBe(text);
    expect(readMobileProviders(decodeRegistryText(bytes) ?? '')).toEqual([
      { name: 'Größe', path: 'é.dll', order: 0xffff_ffff },
    ]);
  });

  test.each([
    ['half a character at the end', Buffer.concat([Buffer.of(0xff, 0xfe), wide.subarray(0, 41)])],
    ['half a pair', Buffer.of(0xff, 0xfe, 0x41, 0, 0x00, 0xd8, 0x42, 0)],
    ['a program', Buffer.of(0x4d, 0x5a, 0x90, 0x00, 0x03, 0x00, 0x00, 0x00)],
    ['broken UTF-8 behind its mark', Buffer.of(0xef, 0xbb, 0xbf, 0xff)],
  ])('are none with %s', (_, bytes) => {
    expect(decodeRegistryText(bytes)).toBeNull();
  });

  test('are text when there are none', () => {
    expect(decodeRegistryText(new Uint8Array(0))).toBe('');
  });
});

describe('an import', () => {
  test('WM-03, WM-06, WM-07 installs by Order, each over all protocols under one id; SSL sits on the base', () => {
    const bench = new Bench();
    expect(bench.apply({ kind: 'import-mobile', text: DEVICE })).toHaveLength(14);
    const [top] = bench.state.entries;
    expect(top?.info.szProtocol).toBe('AutoProxy over [SSL over [MSAFD Tcpip [TCP/IP]]]');
    expect(top?.info.ChainLen).toBe(3);
    const chains = bench.state.entries.filter(({ info }) => info.ChainLen === 3);
    expect(new Set(chains.map(({ info }) => info.ProviderId)).size).toBe(1);
    // The next boot runs them again.
    const before = bench.state;
    bench.apply({ kind: 'import-mobile', text: DEVICE });
    expect(bench.state.entries).toEqual(before.entries);
  });

  test('CAT-WM, WM-06 in a catalog of Windows Mobile', () => {
    const defaults = catalogDefaults('windows-mobile');
    const bench = new (class extends Bench {
      override readonly defaults = defaults;
    })(freshState(defaults));
    bench.apply({ kind: 'import-mobile', text: IMAGE });
    expect(
      bench.state.entries.map(({ info }) => [info.dwCatalogEntryId, info.szProtocol, info.ChainLen]),
    ).toEqual([
      [1007, 'SSL over [WSPM TCP/IPv4]', 2],
      [1008, 'SSL over [WSPM UDP/IPv4]', 2],
      [1009, 'SSL over [WSPM TCP/IPv6]', 2],
      [1010, 'SSL over [WSPM UDP/IPv6]', 2],
      [1011, 'SSL over [WSPM RAW/IPv4]', 2],
      [1001, 'WSPM TCP/IPv4', 1],
      [1002, 'WSPM UDP/IPv4', 1],
      [1003, 'WSPM TCP/IPv6', 1],
      [1004, 'WSPM UDP/IPv6', 1],
      [1005, 'WSPM RAW/IPv4', 1],
      [1006, 'SSL', 0],
    ]);
  });
});
