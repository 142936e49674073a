import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { querySet, SVCID_HOSTNAME } from '../../../src/abi/index.ts';
import type { Answer } from '../../../src/spi/index.ts';
import { createWinsock, MAKEWORD } from '../../../src/winsock/index.ts';
import { FakePort } from '../../unit/spi/fake-port.ts';
import { wsadata } from '../support.ts';

const NAMES =
  /^(get(host|serv|proto|addr|name)|GetAddrInfo|GetHostName|GetNameInfo|SetAddrInfo|WSALookup|WSANSP|WSAEnumNameSpace|WSASetService|WSA(Install|Remove|Get)ServiceClass|WSAAsyncGet|WSACancelAsync|EnumProtocols)/;

/** What a program may hand in by mistake. */
const wild = fc.oneof(
  fc.constantFrom(null, undefined, '', 'localhost', '10.1', '::1', SVCID_HOSTNAME, true),
  fc.constantFrom(0, 1, -1, 2, 23, 99, Number.NaN, 2 ** 32, 0x4000_0004),
  fc.string({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 32 }),
  fc.constantFrom<unknown>({}, [], { value: 0 }, { value: 9999 }, { value: null }, () => 0),
  fc.record({
    dwSize: fc.constantFrom(0, 120),
    lpServiceClassId: fc.constantFrom<unknown>(null, 7, SVCID_HOSTNAME),
  }),
  fc.constantFrom<unknown>(querySet(), querySet({ lpServiceClassId: SVCID_HOSTNAME }), {
    ...querySet({ lpServiceClassId: SVCID_HOSTNAME }),
    lpafpProtocols: 7,
    dwNumberOfProtocols: 3,
    lpcsaBuffer: [null],
    dwNumberOfCsAddrs: 1,
    lpszServiceInstanceName: 5,
  }),
);

test('SEM-C-05 arguments of any kind are a code, never an exception, for every name function', async () => {
  const ws = createWinsock({ port: new FakePort() });
  await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
  const calls = Object.entries(ws).filter(([name]) => NAMES.test(name) && name !== 'getsockname');
  expect(calls.length).toBeGreaterThan(35);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...calls), fc.array(wild, { maxLength: 12 }), async ([, call], args) => {
      const answer = await (call as (...args: unknown[]) => Answer)(...args);
      expect(typeof answer).toBe('number');
      expect(Number.isNaN(answer)).toBe(false);
    }),
    { numRuns: 3000 },
  );
  expect(await ws.WSACleanup()).toBe(0);
});
