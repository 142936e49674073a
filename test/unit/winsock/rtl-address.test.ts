import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { STATUS_INVALID_PARAMETER, STATUS_SUCCESS } from '../../../src/abi/index.ts';
import type { Ref } from '../../../src/spi/index.ts';
import {
  htons,
  RtlIpv4AddressToString,
  RtlIpv4AddressToStringEx,
  RtlIpv4StringToAddress,
  RtlIpv4StringToAddressEx,
  RtlIpv6AddressToString,
  RtlIpv6AddressToStringEx,
  RtlIpv6StringToAddress,
  RtlIpv6StringToAddressEx,
} from '../../../src/winsock/index.ts';

const text = (): Ref<string> => ({ value: '' });
const bytes4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('API-Rtl address text', () => {
  test.each([
    ['1.2.3.4', true, 7, [1, 2, 3, 4]],
    ['1.2.3.4', false, 7, [1, 2, 3, 4]],
    ['1.2.3.4:80', true, 7, [1, 2, 3, 4]],
    ['1.2.3.4x', false, 7, [1, 2, 3, 4]],
    ['10.1', false, 4, [10, 0, 0, 1]],
    ['0x7f.1 rest', false, 6, [127, 0, 0, 1]],
    ['010.0.0.1', false, 9, [8, 0, 0, 1]],
  ])('API-Rtl RtlIpv4StringToAddress(%j, %s) stops at %d', (given, isStrict, end, expected) => {
    const [into, at] = [new Uint8Array(4), { value: -1 }];
    expect(RtlIpv4StringToAddress(given, isStrict, at, into)).toBe(STATUS_SUCCESS);
    expect([at.value, [...into]]).toEqual([end, expected]);
  });

  test.each([
    ['', true],
    ['x', false],
    ['10.1', true],
    ['010.0.0.1', true],
    ['1.2.3', true],
  ])('API-Rtl RtlIpv4StringToAddress(%j, %s) is no address', (given, isStrict) => {
    const into = new Uint8Array(4);
    expect(RtlIpv4StringToAddress(given, isStrict, { value: 0 }, into)).toBe(STATUS_INVALID_PARAMETER);
    expect(into).toEqual(new Uint8Array(4));
  });

  test.each([
    ['1.2.3.4', 0],
    ['1.2.3.4:80', 80],
    ['1.2.3.4:0x50', 80],
    ['1.2.3.4:0120', 80],
    ['1.2.3.4:65535', 65535],
  ])('API-Rtl RtlIpv4StringToAddressEx reads %s', (given, port) => {
    const [into, at] = [new Uint8Array(4), { value: -1 }];
    expect(RtlIpv4StringToAddressEx(given, true, into, at)).toBe(STATUS_SUCCESS);
    expect([[...into], at.value]).toEqual([[1, 2, 3, 4], htons(port)]);
  });

  test.each(['1.2.3.4:', '1.2.3.4:65536', '1.2.3.4:1.2', '1.2.3.4 ', ':80', '1.2.3.4:80:80'])(
    'API-Rtl RtlIpv4StringToAddressEx refuses %j',
    (given) => {
      expect(RtlIpv4StringToAddressEx(given, true, new Uint8Array(4), { value: 0 })).toBe(
        STATUS_INVALID_PARAMETER,
      );
    },
  );

  test('API-Rtl RtlIpv6StringToAddress stops where the address does; the Ex form wants all of the text', () => {
    const [into, at, scope] = [new Uint8Array(16), { value: -1 }, { value: -1 }];
    expect(RtlIpv6StringToAddress('fe80::1%3', at, into)).toBe(STATUS_SUCCESS);
    expect([at.value, into[0], into[15]]).toEqual([7, 0xfe, 1]);
    expect(RtlIpv6StringToAddress('host', at, into)).toBe(STATUS_INVALID_PARAMETER);
    expect(RtlIpv6StringToAddressEx('[fe80::2%3]:0x50', into, scope, at)).toBe(STATUS_SUCCESS);
    expect([into[15], scope.value, at.value]).toEqual([2, 3, htons(80)]);
    expect(RtlIpv6StringToAddressEx('fe80::4', into, scope, at)).toBe(STATUS_SUCCESS);
    expect([into[15], scope.value, at.value]).toEqual([4, 0, 0]);
    for (const given of ['[fe80::1', 'fe80::1]:80', '[::1]:', '::1 ', '10.0.0.1', null]) {
      expect(RtlIpv6StringToAddressEx(given, into, scope, at)).toBe(STATUS_INVALID_PARAMETER);
    }
  });

  test('API-Rtl what was written is read again', () => {
    fc.assert(
      fc.property(bytes4, bytes16, fc.nat(65535), (v4, v6, port) => {
        const [out, into4, into16] = [text(), new Uint8Array(4), new Uint8Array(16)];
        const at = { value: 0 };
        const length = { value: 65 };
        expect(RtlIpv4AddressToString(v4, out)).toBe(out.value.length);
        expect(RtlIpv4StringToAddress(out.value, true, at, into4)).toBe(STATUS_SUCCESS);
        expect(into4).toEqual(v4);
        expect(RtlIpv6AddressToString(v6, out)).toBe(out.value.length);
        expect(RtlIpv6StringToAddress(out.value, at, into16)).toBe(STATUS_SUCCESS);
        expect(into16).toEqual(v6);
        expect(RtlIpv4AddressToStringEx(v4, htons(port), out, length)).toBe(STATUS_SUCCESS);
        expect(length.value).toBe(out.value.length + 1);
        expect(RtlIpv4StringToAddressEx(out.value, true, into4, at)).toBe(STATUS_SUCCESS);
        expect(at.value).toBe(htons(port));
      }),
    );
  });

  test('API-Rtl the Ex forms write scope and port, and say what room they need', () => {
    const out = text();
    const length = { value: 65 };
    const linkLocal = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    expect(RtlIpv6AddressToStringEx(linkLocal, 7, htons(80), out, length)).toBe(STATUS_SUCCESS);
    expect([out.value, length.value]).toEqual(['[fe80::1%7]:80', 15]);
    expect(RtlIpv6AddressToStringEx(linkLocal, 0, 0, out, length)).toBe(STATUS_SUCCESS);
    expect(out.value).toBe('fe80::1');
    length.value = 3;
    expect(RtlIpv4AddressToStringEx(Uint8Array.of(1, 2, 3, 4), 0, out, length)).toBe(
      STATUS_INVALID_PARAMETER,
    );
    expect([out.value, length.value]).toEqual(['fe80::1', 8]);
    expect(RtlIpv4AddressToStringEx(null, 0, out, length)).toBe(STATUS_INVALID_PARAMETER);
    expect(RtlIpv6AddressToStringEx(linkLocal, 0, 0, null, length)).toBe(STATUS_INVALID_PARAMETER);
  });
});
