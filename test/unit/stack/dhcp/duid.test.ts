/** Who a DHCP client says that it is. */

import { expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../../src/base/index.ts';
import { clientIdOfDuid, iaidOf, uuidOfSecret } from '../../../../src/stack/dhcp/duid.ts';
import { duidOfEnterprise, duidOfLinkLayer, duidOfUuid, parseDuid } from '../../../../src/stack/index.ts';
import { ip, makeClient } from './support.ts';

test('RFC 8415 §11.3, §11.4, RFC 6355 §4: the forms of a DUID', () => {
  expect(toHex(duidOfLinkLayer(fromHex('020000000002')))).toBe('00030001020000000002');
  expect(toHex(duidOfEnterprise(9, fromHex('0cc084d303000912')))).toBe('0002000000090cc084d303000912');
  expect(toHex(duidOfUuid(fromHex('00112233445566778899aabbccddeeff')))).toBe(
    '000400112233445566778899aabbccddeeff',
  );
});

test('RFC 8415 §11.1: as text, with or without separators; two bytes and a third at least, 130 at most', () => {
  expect(parseDuid('00:03:00:01:02:00:00:00:00:02')).toEqual(fromHex('00030001020000000002'));
  expect(parseDuid('00-03-0A')).toEqual(fromHex('00030a'));
  for (const bad of ['', '0003', '00030', 'xyz', '00'.repeat(131)]) expect(parseDuid(bad)).toBeNull();
});

test('RFC 4361 §6.1, RFC 2132 §9.14: the identifier of an IPv4 client with a DUID, the same as over IPv6', () => {
  const mac = fromHex('020000000002');
  expect(iaidOf(mac, 3)).toBe(2);
  expect(iaidOf(null, 3)).toBe(3);
  expect(toHex(clientIdOfDuid(2, duidOfLinkLayer(mac)))).toBe('ff0000000200030001020000000002');
  const client = makeClient({ clientId: 'duid' }, { medium: 'ethernet', mac });
  expect(client.request().clientId).toBe('ff0000000200030001020000000002');
});

test('a UUID is as stable as the secret', () => {
  const secret = fromHex('000102030405060708090a0b0c0d0e0f');
  expect(uuidOfSecret(secret)).toEqual(uuidOfSecret(secret.slice()));
  expect(uuidOfSecret(secret)).not.toEqual(uuidOfSecret(fromHex('010102030405060708090a0b0c0d0e0f')));
});

test('an identifier and a DUID of the user’s are taken as they are', () => {
  expect(makeClient({ clientId: fromHex('00616263') }).request().clientId).toBe('00616263');
  expect(makeClient({ duid: fromHex('0002000000090a') }).request().clientId).toBe('ff000000020002000000090a');
  expect(makeClient({ requestedAddress: ip('10.0.0.9') }).request().requested).toBe('10.0.0.9');
});
