/** The DHCPv6 client in a host: its packets, and what of them is its own (RFC 8415 §7, §13, §18.4). */

import { expect, test } from '@jest/globals';
import { fromHex, toHex, u16 } from '../../../../src/base/index.ts';
import {
  DhcpV6Message,
  DhcpV6Option,
  DhcpV6Type,
  DropReason,
  encodeAssociation,
  encodeDhcpV6,
  encodeIaAddress,
  parseDhcpV6,
  singleOption,
} from '../../../../src/wire/index.ts';
import { readPacket6, udp6Packet } from '../../../support/segment6.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';

const SERVER = 'fe80::1';
const CLIENT = 'fe80::2';
const SERVER_DUID = fromHex('00030001020000000001');

function host(): HostUnderTest {
  const made = makeHost({ addresses: [`${CLIENT}/64`] });
  made.stack.startDhcp(made.index, { family: 6, rapidCommit: false });
  return made;
}

/** The next message of the client, after a while. */
function nextMessage(
  made: HostUnderTest,
  ms: number,
): { message: DhcpV6Message; source: string; target: string } {
  made.pass(ms);
  const packets = made
    .outBytes()
    .map(readPacket6)
    .filter(({ destinationPort }) => destinationPort === 547);
  const [packet] = packets;
  if (packet === undefined) throw new Error('the client says nothing');
  expect([packets.length, packet.sourcePort]).toEqual([1, 546]);
  const message = new DhcpV6Message();
  expect(parseDhcpV6(packet.payload, 0, packet.payload.length, message)).toBe(DropReason.none);
  return { message, source: packet.src, target: packet.dst };
}

/** A server's answer to a message. */
function answer(to: DhcpV6Message, type: number, dst = CLIENT): Uint8Array {
  const duid = singleOption(to.options, DhcpV6Option.clientId);
  const address = { code: DhcpV6Option.iaAddress, value: encodeIaAddress(ip('2001:db8::50'), 100, 200) };
  const iaid = singleOption(to.options, DhcpV6Option.iaNa);
  const payload = encodeDhcpV6(type, to.transactionId, [
    { code: DhcpV6Option.clientId, value: duid as Uint8Array },
    { code: DhcpV6Option.serverId, value: SERVER_DUID },
    { code: DhcpV6Option.preference, value: Uint8Array.of(255) },
    {
      code: DhcpV6Option.iaNa,
      value: encodeAssociation((u16(iaid as Uint8Array, 0) << 16) | u16(iaid as Uint8Array, 2), 0, 0, [
        address,
      ]),
    },
  ]);
  return udp6Packet({ src: SERVER, dst, sourcePort: 547, destinationPort: 546, payload });
}

test('RFC 8415 §7.1, §13: from the link-local address to all servers, and to an address that is leased', () => {
  const made = host();
  const solicit = nextMessage(made, 1000);
  expect([solicit.message.type, solicit.source, solicit.target]).toEqual([
    DhcpV6Type.solicit,
    CLIENT,
    'ff02::1:2',
  ]);
  expect(made.in(answer(solicit.message, DhcpV6Type.advertise))).toBe(0);
  const request = nextMessage(made, 10);
  expect(request.message.type).toBe(DhcpV6Type.request);
  expect(toHex(singleOption(request.message.options, DhcpV6Option.serverId) as Uint8Array)).toBe(
    toHex(SERVER_DUID),
  );
  expect(made.in(answer(request.message, DhcpV6Type.reply))).toBe(0);
  const { v6 } = made.stack.dhcpStatus(made.index);
  expect(v6?.state).toBe('BOUND');
  expect(`${v6?.lease?.server}`).toContain(SERVER);
  const view = made.stack.interfaces.find(({ index }) => index === made.index);
  expect(view?.addresses.map(({ address, origin }) => `${address} ${origin}`)).toContain('2001:db8::50 dhcp');
  // Nothing says that more of the prefix is on the link.
  expect(made.stack.routes.filter(({ destination }) => `${destination}`.startsWith('2001:db8'))).toEqual([]);
  made.pass(200_000);
  const later = made.stack.interfaces.find(({ index }) => index === made.index);
  expect(later?.addresses.map(({ address }) => `${address}`)).not.toContain('2001:db8::50');
});

test('no endpoint of its own is among those of applications, and none gets its messages', () => {
  const made = makeHost({ addresses: [`${CLIENT}/64`] });
  const app = made.stack.openUdp(6);
  expect(app.bind(ip('::'), 546)).toBe(0);
  made.stack.startDhcp(made.index, { family: 6 });
  const solicit = nextMessage(made, 1000);
  expect(made.in(answer(solicit.message, DhcpV6Type.advertise))).toBe(0);
  expect([...made.stack.endpoints()]).toEqual([app]);
  expect(app.nextLength).toBe(-1);
});

test('RFC 8415 §16: what is sent to a group is no answer', () => {
  const made = host();
  const solicit = nextMessage(made, 1000);
  expect(made.in(answer(solicit.message, DhcpV6Type.advertise, 'ff02::1'))).toBe(DropReason.dhcpUnexpected);
});

test('bytes that are no message are malformed', () => {
  const made = host();
  nextMessage(made, 1000);
  const payload = fromHex('0200');
  const packet = udp6Packet({ src: SERVER, dst: CLIENT, sourcePort: 547, destinationPort: 546, payload });
  expect(made.in(packet)).toBe(DropReason.dhcpMalformed);
});
