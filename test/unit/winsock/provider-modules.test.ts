import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { WSPDATA, WSPStartup } from '../../../src/spi/index.ts';
import { expandEnvironment, loadModule, moduleSpecifier } from '../../../src/winsock/provider-modules.ts';

const folder = fileURLToPath(new URL('./layers/', import.meta.url));
const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
const start = (startup: WSPStartup): number => startup(0x0202, data, {} as never, {} as never, {});

describe('provider modules', () => {
  test('CAT-LOAD-04, SPI-START-07 a module is found by its path, and exports WSPStartup by name or as its default', async () => {
    expect(start(await loadModule(`${folder}by-name.mjs`))).toBe(1);
    expect(start(await loadModule(`${folder}by-default.mjs`))).toBe(2);
    expect(start(await loadModule(new URL('./layers/by-name.mjs', import.meta.url).href))).toBe(1);
  });

  test('CFG-FAIL-02 a module that is gone or exports nothing of the kind is an error that says so', async () => {
    await expect(loadModule(`${folder}without.mjs`)).rejects.toThrow('no WSPStartup');
    await expect(loadModule(`${folder}gone.mjs`)).rejects.toThrow();
  });

  test('CAT-LOAD-04 environment strings are expanded, whatever their case; unknown ones stay', () => {
    const variables = { SystemRoot: '/win', HOME: '/home/a' };
    expect(expandEnvironment('%systemroot%/x/%HOME%/%NOWHERE%/100%', variables)).toBe(
      '/win/x//home/a/%NOWHERE%/100%',
    );
    expect(moduleSpecifier('winsockd/layers/trace')).toBe('winsockd/layers/trace');
    expect(moduleSpecifier('/a b/c.mjs')).toBe('file:///a%20b/c.mjs');
    expect(moduleSpecifier('file:///a/b.mjs')).toBe('file:///a/b.mjs');
  });
});
