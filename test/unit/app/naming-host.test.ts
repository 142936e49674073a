/** What tests of name-space providers stand on, with the example that the docs explain. */

import { expect, test } from '@jest/globals';
import { NSPStartup, NSPv2Routine } from '../../../examples/phone-book.ts';
import { querySet, RNRSERVICE_REGISTER, SVCID_TCP, sockaddrOf } from '../../../src/abi/index.ts';
import { namingHost } from '../../../src/app/provider-test.ts';
import { IpAddress } from '../../../src/base/index.ts';

test.each([
  ['1', { NSPStartup }],
  ['2', { NSPv2Routine }],
])('an application finds what a provider of version %s knows, and nothing else', async (_version, module) => {
  const { addressesOf, close } = await namingHost(module);
  expect((await addressesOf('alice.phone')).sort()).toEqual(['10.0.0.21', '2001:db8::21']);
  await expect(addressesOf('bob.phone')).rejects.toMatchObject({ name: 'WSANO_DATA' });
  await expect(addressesOf('alice.elsewhere')).rejects.toThrow();
  await close();
});

test('what an application registers is found', async () => {
  const { own, addressesOf, close } = await namingHost({ NSPStartup });
  const at = sockaddrOf(IpAddress.parse('10.0.0.22') ?? IpAddress.anyV4, 5060);
  const service = querySet({
    lpszServiceInstanceName: 'carol.phone',
    lpServiceClassId: SVCID_TCP(5060),
    dwNumberOfCsAddrs: 1,
    lpcsaBuffer: [{ LocalAddr: at, RemoteAddr: at, iSocketType: 1, iProtocol: 6 }],
  });
  await own.WSASetService(service, RNRSERVICE_REGISTER, 0);
  expect(await addressesOf('carol.phone')).toEqual(['10.0.0.22']);
  await close();
});
