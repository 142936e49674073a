/** An address that a DHCP server grants and somebody else has: RFC 2131 §4.4.1, RFC 5227. */

import { describe, expect, test } from '@jest/globals';
import { fromHex, putI32 } from '../../../../src/base/index.ts';
import { OFFERED } from '../../../support/dhcp-server.ts';
import { type ClientUnderTest, ip, MAC, makeClient } from './support.ts';

const ETHERNET = { medium: 'ethernet', mac: MAC, detectDuplicates: true } as const;
const SQUATTER = '020000000009';

/** A client on Ethernet that has been granted {@link OFFERED} and asks the link for it. */
function checking(): ClientUnderTest {
  const client = makeClient({}, ETHERNET);
  client.answer(client.request(), { dst: OFFERED });
  client.answer(client.request(), { dst: OFFERED });
  expect(client.v4.state).toBe('CHECKING');
  return client;
}

/** Says on the link that somebody else has the address. */
function squat(client: ClientUnderTest): void {
  const frame = fromHex(
    `ffffffffffff ${SQUATTER} 0806 0001080006040002 ${SQUATTER} 00000000 000000000000 00000000`,
  );
  putI32(frame, 28, ip(OFFERED).w3);
  putI32(frame, 38, ip(OFFERED).w3);
  client.in(frame);
}

describe('RFC 2131 §4.4.1, RFC 5227 §2.1 the link is asked before an address is used', () => {
  test('nobody answers: the address is there, and no sooner', () => {
    const client = checking();
    client.pass(1000);
    expect(client.addresses).toEqual([]);
    client.pass(9000);
    expect(client.v4.state).toBe('BOUND');
    expect(client.addresses).toEqual([`${OFFERED}/24`]);
  });

  test('the lease counts from the request, not from the end of the asking', () => {
    const client = checking();
    const requestedAt = client.now;
    client.pass(10_000);
    expect(client.v4.lease?.expiresAt).toBe(requestedAt + 3_600_000);
  });

  test('somebody answers: DHCPDECLINE to all servers, and a wait of ten seconds at least', () => {
    const client = checking();
    client.pass(1500);
    squat(client);
    client.pass(10);
    const [decline, ...rest] = client.sent();
    expect(decline).toMatchObject({
      type: 'decline',
      src: '0.0.0.0',
      dst: '255.255.255.255',
      ciaddr: '0.0.0.0',
      requested: OFFERED,
      server: '10.0.0.1',
    });
    expect(rest).toEqual([]);
    // RFC 2131 Table 5: no list of parameters, no message size.
    expect([decline?.parameters, decline?.maxSize]).toEqual([undefined, undefined]);
    expect(client.addresses).toEqual([]);
    client.pass(9900);
    expect(client.sent()).toEqual([]);
    client.pass(200);
    expect(client.request()).toMatchObject({ type: 'discover' });
  });

  test('RFC 5227 §2.4: an address in use is defended once, then given up and declined', () => {
    const client = checking();
    client.pass(20_000);
    client.sent();
    squat(client);
    expect(client.v4.state).toBe('BOUND');
    client.pass(100);
    squat(client);
    client.pass(100);
    expect(client.sent().map(({ type }) => type)).toEqual(['decline']);
    expect([client.v4.state, client.addresses]).toEqual(['INIT', []]);
  });

  test('a stop while the link is asked: nothing comes of the answer', () => {
    const client = checking();
    client.stack.stopDhcp(client.index);
    client.pass(20_000);
    expect([client.v4.state, client.addresses]).toEqual(['STOPPED', []]);
  });

  test('on a link without hardware addresses, or where it is not wanted, nobody is asked', () => {
    const client = makeClient({}, { ...ETHERNET, detectDuplicates: false });
    client.answer(client.request(), { dst: OFFERED });
    client.answer(client.request(), { dst: OFFERED });
    expect(client.v4.state).toBe('BOUND');
  });
});

describe('RFC 3927 §1.2 a link-local address while no server answers', () => {
  test('is there after a while, asking goes on, and it goes when a lease comes', () => {
    const client = makeClient({}, ETHERNET);
    client.pass(60_000);
    expect(client.addresses).toEqual([expect.stringMatching(/^169\.254\.\d+\.\d+\/16$/)]);
    const discover = client.sent().at(-1);
    expect(discover?.type).toBe('discover');
    client.answer(discover as never, { dst: OFFERED });
    client.answer(client.sent().at(-1) as never, { dst: OFFERED });
    client.pass(20_000);
    expect([client.v4.state, client.addresses]).toEqual(['BOUND', [`${OFFERED}/24`]]);
  });

  test('is not taken when the user does not want it', () => {
    const client = makeClient({ linkLocalFallback: false }, ETHERNET);
    client.pass(120_000);
    expect(client.addresses).toEqual([]);
  });
});
