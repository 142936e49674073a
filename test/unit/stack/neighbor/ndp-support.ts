/** Messages of neighbor discovery, in and out of a host under test on an Ethernet. */

import { formatMac, fromHex, i32, parseMac, u16 } from '../../../../src/base/index.ts';
import { IcmpV6Type } from '../../../../src/wire/index.ts';
import { ethernetFrame } from '../../../support/segment.ts';
import { type Icmp6Fields, icmp6Packet, readPacket6, v6 } from '../../../support/segment6.ts';
import { type HostUnderTest, makeHost } from '../support.ts';
import { OWN_MAC, PEER_MAC } from './support.ts';

const ETHERTYPE_IPV6 = 0x86dd;
/** The host's addresses: a link-local one, and one of fd00::/64. */
export const OWN_LL = 'fe80::2';
export const OWN = 'fd00::2';
export const PEER = 'fd00::1';
export const ROUTER = 'fe80::1';
/** ff02::1:ff00:2, the group of both. */
export const OWN_GROUP = 'ff02::1:ff00:2';
export const ALL_NODES = 'ff02::1';

export const hex = (mac: string): string => mac.replaceAll(':', '');

/** The 16 bytes of an address, as hex. */
export function address(text: string): string {
  const { w0, w1, w2, w3 } = v6(text);
  return [w0, w1, w2, w3].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

export const slla = (mac = PEER_MAC): string => `0101 ${hex(mac)}`;
export const tlla = (mac = PEER_MAC): string => `0201 ${hex(mac)}`;

export interface NdpFields extends Icmp6Fields {
  /** What follows the ICMPv6 header's own word, as hex. */
  readonly body?: string;
}

/** A message in a frame, from 255 hops away. */
export function ndpFrameOf(type: number, fields: NdpFields): Uint8Array {
  const destination = v6(fields.dst ?? OWN);
  const mac = destination.isMulticast
    ? `3333${(destination.w3 >>> 0).toString(16).padStart(8, '0')}`
    : hex(OWN_MAC);
  const packet = icmp6Packet({
    type,
    rest: 0,
    src: PEER,
    dst: OWN,
    hops: 255,
    payload: fromHex(fields.body ?? ''),
    ...fields,
  });
  return ethernetFrame(packet, mac, hex(PEER_MAC), ETHERTYPE_IPV6);
}

/** Who has `target`? From fd00::1 to the target's group. */
export function solicitation(target = OWN, fields: NdpFields & { options?: string } = {}): Uint8Array {
  const { options = slla(), ...rest } = fields;
  const body = `${address(target)} ${options}`;
  return ndpFrameOf(IcmpV6Type.neighborSolicitation, { dst: OWN_GROUP, body, ...rest });
}

/** fd00::1 is at its hardware address. @param flags `R`, `S`, `O` */
export function advertisement(
  flags = 'SO',
  fields: NdpFields & { options?: string; target?: string } = {},
): Uint8Array {
  const { options = tlla(), target = PEER, ...rest } = fields;
  let word = 0;
  for (const flag of flags) word |= { R: 0x80000000, S: 0x40000000, O: 0x20000000 }[flag] ?? 0;
  return ndpFrameOf(IcmpV6Type.neighborAdvertisement, {
    rest: word | 0,
    body: `${address(target)} ${options}`,
    ...rest,
  });
}

/** A frame in words: `ns fd00::1 from fd00::2 to ff02::1:ff00:1 > 33:33:…`, or `ip fd00::1 > 02:…`. */
export function frameText6(frame: Uint8Array): string {
  const mac = formatMac(frame);
  const packet = readPacket6(frame.slice(14));
  const { src, dst, type, rest = 0, payload, hops } = packet;
  const name = NAMES.get(type ?? 0);
  if (name === undefined) return `ip ${dst} > ${mac}`;
  if (hops !== 255) return `${name} with hop limit ${hops}`;
  if (name === 'rs') return `rs from ${src}${payload.length > 0 ? ' with mac' : ''} > ${mac}`;
  const target = [0, 4, 8, 12].map((at) => i32(payload, at) >>> 0);
  const text = v6(
    Array.from({ length: 8 }, (_, i) =>
      (((target[i >> 1] as number) >>> (i % 2 === 0 ? 16 : 0)) & 0xffff).toString(16),
    ).join(':'),
  );
  const flags =
    name === 'na' ? ` ${['R', 'S', 'O'].filter((_, i) => (rest & (0x80000000 >>> i)) !== 0).join('')}` : '';
  const option = payload.length > 16 ? ` option ${payload[16]}` : '';
  return `${name}${flags} ${text} from ${src} to ${dst}${option} > ${mac}`;
}

const NAMES = new Map<number, string>([
  [IcmpV6Type.routerSolicitation, 'rs'],
  [IcmpV6Type.neighborSolicitation, 'ns'],
  [IcmpV6Type.neighborAdvertisement, 'na'],
]);

/** The IPv6 frames that wait, in words, without MLD's. */
export function sent6(host: HostUnderTest): string[] {
  return host
    .outBytes()
    .filter((frame) => u16(frame, 12) === ETHERTYPE_IPV6 && !isMld(frame))
    .map(frameText6);
}

/** Lets time pass in steps, so that what is sent in between is seen with its time. */
export function sentDuring6(host: HostUnderTest, ms: number, stepMs = 50): string[] {
  const seen: string[] = [];
  const start = host.now;
  for (let at = 0; at <= ms; at += stepMs) {
    host.pass(start + at - host.now);
    for (const text of sent6(host)) seen.push(`${at} ${text}`);
  }
  return seen;
}

function isMld(frame: Uint8Array): boolean {
  return frame[20] === 0 || frame[54] === IcmpV6Type.listenerReportV2;
}

/** A host with fe80::2 and fd00::2/64 in use, and a default router. */
export function makeHost6(seed = 7): HostUnderTest {
  const host = makeHost(
    { medium: 'ethernet', mac: parseMac(OWN_MAC) as Uint8Array, addresses: [] },
    undefined,
    seed,
  );
  host.stack.addAddress(host.index, `${OWN_LL}/64`);
  host.stack.addAddress(host.index, `${OWN}/64`);
  host.stack.addRoute({
    destination: '::/0',
    gateway: `${ROUTER}%${host.index}`,
    interfaceIndex: host.index,
  });
  host.pass(20_000);
  host.outBytes();
  return host;
}
