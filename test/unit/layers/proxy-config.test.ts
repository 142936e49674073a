/** The rules of the proxy provider. */

import { expect, test } from '@jest/globals';
import { IpAddress } from '../../../src/base/index.ts';
import { parseProxyConfig, proxyFor, readProxyConfig } from '../../../src/layers/proxy/config.ts';

const proxies = {
  one: { type: 'socks5', address: '10.0.0.2', port: 1080 },
  two: { type: 'http', address: '2001:db8::2', port: 8080, user: 'u', password: 'p' },
};

function via(rules: readonly object[], address: string, port = 80): string | null {
  const config = parseProxyConfig({ proxies, rules });
  return proxyFor(config, IpAddress.parse(address) ?? IpAddress.anyV4, port)?.name ?? null;
}

test('the first rule that fits decides', () => {
  const rules = [
    { to: '10.1.0.0/16', via: 'direct' },
    { to: '10.0.0.0/8', ports: '80, 8000-8999', via: 'one' },
    { to: '2001:db8:1::/48', via: 'one' },
    { to: '*', via: 'two' },
  ];
  expect(via(rules, '10.1.2.3')).toBeNull();
  expect(via(rules, '10.2.2.3')).toBe('one');
  expect(via(rules, '10.2.2.3', 8999)).toBe('one');
  expect(via(rules, '10.2.2.3', 9000)).toBe('two');
  expect(via(rules, '::ffff:10.2.2.3')).toBe('one');
  expect(via(rules, '2001:db8:1:ffff::1')).toBe('one');
  expect(via(rules, '2001:db8:2::1')).toBe('two');
});

test('without a rule that fits there is no proxy; loopback and link-local are not meant by *', () => {
  expect(via([], '10.0.0.1')).toBeNull();
  const all = [{ to: '*', via: 'one' }];
  for (const near of ['127.0.0.1', '::1', '169.254.1.1', 'fe80::1']) expect(via(all, near)).toBeNull();
  expect(via([{ to: '127.0.0.0/8', via: 'one' }], '127.0.0.1')).toBe('one');
});

test.each([
  [[], /no JSON object/],
  [{ rules: {} }, /a list/],
  [{ rule: [] }, /no member "rule"/],
  [{ seconds: 0 }, /seconds/],
  [{ proxies: { a: { type: 'socks4', address: '10.0.0.1', port: 1 } } }, /proxy "a": type/],
  [{ proxies: { a: { type: 'http', address: 'proxy.test', port: 1 } } }, /proxy "a": address/],
  [{ proxies: { a: { type: 'http', address: '10.0.0.1', port: 65536 } } }, /proxy "a": port/],
  [{ proxies: { a: { type: 'http', address: '10.0.0.1', port: 1, user: 'x' } } }, /user and password/],
  [
    { proxies: { a: { type: 'http', address: '10.0.0.1', port: 1, user: 'x\r\n', password: '' } } },
    /user and/,
  ],
  [{ rules: [{ to: 'example.test', via: 'direct' }] }, /prefix/],
  [{ rules: [{ to: '*', via: 'nobody' }] }, /no proxy "nobody"/],
  [{ rules: [{ to: '*', ports: '90-80', via: 'direct' }] }, /range/],
  [{ rules: [{ to: '*', ports: 80, via: 'direct' }] }, /text/],
])('what is wrong is said: %j', (config, message) => {
  expect(() => parseProxyConfig(config)).toThrow(message);
});

test('a file that cannot be read is a reason, no file is no proxy', () => {
  expect(readProxyConfig('/nonexistent/proxy.json')).toMatch(/nonexistent/);
  expect(readProxyConfig(undefined)).toEqual({ rules: [], limit: 30_000 });
});
