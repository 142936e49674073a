/** Commands about the provider catalog: what they ask for, and what they print. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { TCP_ENTRY } from './answers.ts';
import { type ContextOptions, FakeDaemon, type Outcome, type Route } from './harness.ts';

const daemons: FakeDaemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
});

const ANSWER = { error: 0, serial: 8, ids: [], previous: 0 };

async function fake(routes: Readonly<Record<string, Route>> = {}): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start({ 'POST /v1/catalog/changes': ANSWER, ...routes });
  daemons.push(daemon);
  return daemon;
}

/** Runs a command, and says which change it asked for. */
async function change(
  line: string,
  routes: Readonly<Record<string, Route>> = {},
  options: ContextOptions = {},
): Promise<Outcome & { readonly changes: unknown[] }> {
  const daemon = await fake(routes);
  const outcome = await daemon.cli(line, options);
  const changes = daemon.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
  return { ...outcome, changes };
}

const entry = (catalogEntryId: number) => ({ ...TCP_ENTRY, catalogEntryId });
const THREE = { 'GET /v1/catalog': [entry(1001), entry(1002), entry(1003)] };
const RECORDS = {
  'GET /v1/catalog/history': [
    {
      serial: 2,
      when: Date.UTC(2026, 0, 2, 3, 4, 5),
      who: { uid: 1000, pid: 41, program: 'node install.mjs\u001b[2J' },
      kind: 'reset',
      what: 'reset the catalog',
      isKept: true,
    },
    { serial: 1, when: 0, who: { uid: 0, pid: 1, program: '' }, kind: 'reset', what: 'x', isKept: false },
  ],
};

describe('winsockd netsh winsock', () => {
  test('show catalog lists the name spaces behind the providers, and what was skipped', async () => {
    const daemon = await fake({
      'GET /v1/catalog': [],
      'GET /v1/catalog/snapshot': {
        nameSpaces: [
          {
            providerId: '22059D40-7E9E-11CF-AE5A-00AA00A7112B',
            identifier: 'Tcpip',
            dwNameSpace: 12,
            isActive: true,
            version: 0,
          },
        ],
        skipped: [{ what: 'entries[3]', why: 'it is\u001b broken' }],
      },
    });
    expect((await daemon.cli('netsh winsock show catalog')).out).toBe(`
Name Space Provider Entry
------------------------------------------------------
Description:                        Tcpip
Provider ID:                        {22059D40-7E9E-11CF-AE5A-00AA00A7112B}
Name Space:                         12
Active:                             1
Version:                            0

skipped: entries[3]: it is\\x1b broken
`);
  });

  test.each([
    ['netsh winsock reset', { kind: 'reset', what: 'all' }],
    ['netsh winsock reset catalog', { kind: 'reset', what: 'all' }],
    ['netsh winsock reset --layers', { kind: 'reset', what: 'layers' }],
    ['netsh winsock remove provider 1011', { kind: 'remove-entry', id: 1011 }],
  ])('%s, and how to undo it', async (line, expected) => {
    const { changes, out, code } = await change(line);
    expect(changes).toEqual([expected]);
    expect(out).toContain('; undo: winsockd catalog restore 7\n');
    expect(code).toBe(0);
  });

  test('reset of something else, and a provider that is no number, are usage', async () => {
    expect(await change('netsh winsock reset world')).toMatchObject({ code: 2, changes: [] });
    expect(await change('netsh winsock remove provider x')).toMatchObject({ code: 2, changes: [] });
  });

  test('audit trail tells who, when and what, without control characters', async () => {
    const daemon = await fake(RECORDS);
    for (const line of ['netsh winsock audit trail', 'catalog history']) {
      expect((await daemon.cli(line)).out).toBe(
        `     2  2026-01-02T03:04:05.000Z  uid 1000 pid 41 (node install.mjs\\x1b[2J)
        reset the catalog
     1  1970-01-01T00:00:00.000Z  uid 0 pid 1  [not kept]
        x
`,
      );
    }
    expect((await (await fake({ 'GET /v1/catalog/history': [] })).cli('catalog history')).out).toBe(
      'the catalog was never changed\n',
    );
  });
});

describe('winsockd sporder', () => {
  test('lists the entries in their order', async () => {
    const { out } = await (await fake(THREE)).cli('sporder');
    expect(out.match(/\b100\d\b/g)).toEqual(['1001', '1002', '1003']);
  });

  test.each([
    ['top 1003', [1003, 1001, 1002]],
    ['up 1003', [1001, 1003, 1002]],
    ['up 1001', [1001, 1002, 1003]],
    ['down 1001', [1002, 1001, 1003]],
    ['down 1003', [1001, 1002, 1003]],
    ['bottom 1001', [1002, 1003, 1001]],
    ['before 1003 1002', [1001, 1003, 1002]],
    ['before 1001 1003', [1002, 1001, 1003]],
  ])('%s', async (words, ids) => {
    expect((await change(`sporder ${words}`, THREE)).changes).toEqual([{ kind: 'write-order', ids }]);
  });

  test('an entry that is not there is answered with no', async () => {
    expect(await change('sporder up 4711', THREE)).toMatchObject({
      code: 1,
      changes: [],
      err: 'winsockd: the catalog has no entry 4711\n',
    });
  });
});

describe('winsockd catalog', () => {
  test('restore', async () => {
    expect((await change('catalog restore 3')).changes).toEqual([{ kind: 'restore', serial: 3 }]);
  });

  test('install takes a file of this directory, or the name of a module', async () => {
    const id = '00000000-0000-4000-8000-000000000001';
    const { changes, out } = await change(`catalog install ./layer.mjs --name L --ifs --id ${id}`);
    expect(changes).toEqual([
      {
        kind: 'install-chains',
        providerId: id,
        path: '/here/layer.mjs',
        name: 'L',
        serviceFlags: 0x20000,
        over: null,
      },
    ]);
    expect(out).toContain(`installed L {${id}}`);
    const named = await change('catalog install @scope/layer --name L');
    expect(named.changes).toMatchObject([{ path: '@scope/layer', serviceFlags: 0 }]);
    expect(await change('catalog install ./x --name L --id 7')).toMatchObject({ code: 2, changes: [] });
    expect(await change('catalog install ./x')).toMatchObject({ code: 2, changes: [] });
  });

  test('install-name-space and remove-name-space', async () => {
    const id = '00000000-0000-4000-8000-000000000001';
    const { changes, out } = await change(`catalog install-name-space ./names.mjs --name N --id ${id}`);
    expect(changes).toEqual([
      {
        kind: 'install-name-space',
        providerId: id,
        identifier: 'N',
        path: '/here/names.mjs',
        dwNameSpace: 60,
        version: 1,
        isV2: false,
        blob: null,
      },
    ]);
    expect(out).toContain(`installed N {${id}}`);
    const second = await change('catalog install-name-space @scope/names --name N --name-space 12 --v2');
    expect(second.changes).toMatchObject([{ path: '@scope/names', dwNameSpace: 12, version: 2, isV2: true }]);
    expect((await change(`catalog remove-name-space ${id}`)).changes).toEqual([
      { kind: 'uninstall-name-space', providerId: id },
    ]);
    for (const wrong of ['install-name-space ./x --name N --name-space 0', 'remove-name-space 7']) {
      expect(await change(`catalog ${wrong}`)).toMatchObject({ code: 2, changes: [] });
    }
  });

  test('permit says what an application loads', async () => {
    const id = '00000000-0000-4000-8000-000000000001';
    expect(
      (await change(`catalog permit /app --categories firewall,system --providers ${id}`)).changes,
    ).toEqual([
      { kind: 'set-application-category', path: '/app', extra: '', categories: 0x8000_0008 },
      { kind: 'permit-providers', path: '/app', extra: '', providers: [id] },
    ]);
    expect(
      (await change('catalog permit app --arguments -x --categories any --providers none')).changes,
    ).toEqual([
      { kind: 'set-application-category', path: '/here/app', extra: '-x', categories: null },
      { kind: 'permit-providers', path: '/here/app', extra: '-x', providers: [] },
    ]);
    for (const line of ['permit /app', 'permit /app --categories wall', 'permit /app --providers x']) {
      expect(await change(`catalog ${line}`)).toMatchObject({ code: 2, changes: [] });
    }
  });

  describe('import', () => {
    const LIST = '[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP';
    const SSL = `${LIST}\\SSL]\r\n"Dll"="ssllsp.dll"\r\n"Order"=dword:00000001\r\n`;
    const PROXY = `${LIST}\\AutoProxy]\r\n"Dll"="\\\\Windows\\\\Proxy.dll"\r\n`;

    function importing(bytes: Uint8Array | null, words = ''): ReturnType<typeof change> {
      const readBytes = (path: string) => (path === '/here/lsp.reg' ? bytes : null);
      return change(`catalog import lsp.reg${words}`, {}, { machine: { readBytes } });
    }
    const wide = (text: string): Uint8Array =>
      Buffer.concat([
        Buffer.of(0xff, 0xfe),
        Buffer.from(`Windows Registry Editor Version 5.00\r\n\r\n${text}`, 'utf16le'),
      ]);

    test('WM-07 reads the export of a device, and puts modules in the place of its DLLs', async () => {
      const { changes, out } = await importing(wide(PROXY + SSL), ' --module proxy.dll=./proxy.mjs');
      expect(changes).toEqual([
        {
          kind: 'import-mobile',
          text:
            `${LIST}\\SSL]\n"Dll"="winsockd/layers/tls"\n"Order"=dword:00000001\n\n` +
            `${LIST}\\AutoProxy]\n"Dll"="/here/proxy.mjs"\n"Order"=dword:ffffffff\n`,
        },
      ]);
      expect(out).toBe(
        'imported lsp.reg: SSL from winsockd/layers/tls, AutoProxy from /here/proxy.mjs; undo: winsockd catalog restore 7\n',
      );
    });

    test('WM-07 a path that is no DLL is taken as it is', async () => {
      const { changes } = await importing(Buffer.from(`${LIST}\\A]\n"Dll"="/opt/a.mjs"`));
      expect(changes).toMatchObject([{ text: expect.stringContaining('"Dll"="/opt/a.mjs"') }]);
    });

    test.each<[string, Uint8Array | null, string]>([
      ['no such file', null, "lsp.reg can't be read"],
      [
        'no text',
        Buffer.of(0x4d, 0x5a, 0x90, 0),
        'lsp.reg is no text: neither UTF-16 nor UTF-8 nor a code page',
      ],
      ['a wrong value', wide(`${LIST}\\SSL]\r\n"Dll"=dword:1`), 'lsp.reg:4: "Dll" has to be a string'],
      ['no list', Buffer.from('REGEDIT4'), 'lsp.reg: it has no key below HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP'],
      [
        'a DLL that nothing here does the work of',
        wide(SSL + PROXY),
        'AutoProxy: nothing here does the work of proxy.dll; name a module: --module proxy.dll=./layer.mjs',
      ],
    ])('WM-07 refuses %s and changes nothing', async (_, bytes, why) => {
      expect(await importing(bytes)).toMatchObject({ code: 1, changes: [], err: `winsockd: ${why}\n` });
    });

    test('WM-07 refuses more than the registry of a device has', async () => {
      const { err, changes } = await importing(new Uint8Array((64 << 20) + 1));
      expect(err).toBe('winsockd: lsp.reg has more than 67108864 bytes\n');
      expect(changes).toEqual([]);
    });

    test.each(['proxy.dll', '=x', 'proxy.dll='])('a module %j is usage', async (module) => {
      expect(await importing(wide(SSL), ` --module ${module}`)).toMatchObject({ code: 2, changes: [] });
    });
  });
});
