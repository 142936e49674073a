/** A host under test on an Ethernet, ARP messages in and out. */

import { formatMac, formatV4, fromHex, IpAddress, i32, parseMac, u16 } from '../../../../src/base/index.ts';
import {
  ARP_LEN,
  ArpMessage,
  ArpOperation,
  DropReason,
  ETHERTYPE_ARP,
  parseArp,
  writeArp,
} from '../../../../src/wire/index.ts';
import { ethernetFrame, type ReadPacket, readPacket } from '../../../support/segment.ts';
import { type HostUnderTest, makeHost } from '../support.ts';

export const OWN_MAC = '02:00:00:00:00:02';
export const PEER_MAC = '02:00:00:00:00:01';
export const OTHER_MAC = '02:00:00:00:00:09';
export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

/** An ARP message in words. */
export interface ArpFields {
  /** Where the frame goes. Default to all for a request, to us for a reply. */
  readonly to?: string;
  readonly sender?: string;
  readonly senderMac?: string;
  readonly target?: string;
  readonly targetMac?: string;
}

const hex = (mac: string): string => mac.replaceAll(':', '');
const word = (address: string): number => (IpAddress.parse(address) as IpAddress).w3;

function arpFrame(operation: number, fields: Required<ArpFields>): Uint8Array {
  const body = new Uint8Array(ARP_LEN);
  const senderMac = parseMac(fields.senderMac) as Uint8Array;
  const targetMac = parseMac(fields.targetMac) as Uint8Array;
  const { sender, target } = fields;
  writeArp(
    body,
    0,
    operation,
    u16(senderMac, 0),
    i32(senderMac, 2),
    word(sender),
    u16(targetMac, 0),
    i32(targetMac, 2),
    word(target),
  );
  return ethernetFrame(body, hex(fields.to), hex(fields.senderMac), ETHERTYPE_ARP);
}

/** A request of 10.0.0.1 for 10.0.0.2, to all. */
export function arpRequest(fields: ArpFields = {}): Uint8Array {
  return arpFrame(ArpOperation.request, {
    to: BROADCAST_MAC,
    sender: '10.0.0.1',
    senderMac: PEER_MAC,
    target: '10.0.0.2',
    targetMac: '00:00:00:00:00:00',
    ...fields,
  });
}

/** A reply of 10.0.0.1 to 10.0.0.2. */
export function arpReply(fields: ArpFields = {}): Uint8Array {
  return arpFrame(ArpOperation.reply, {
    to: OWN_MAC,
    sender: '10.0.0.1',
    senderMac: PEER_MAC,
    target: '10.0.0.2',
    targetMac: OWN_MAC,
    ...fields,
  });
}

/** A frame in a few words: `arp who-has 10.0.0.1 tell 10.0.0.2 > ff:…`, or `ip 10.0.0.1 > 02:…`. */
export function frameText(frame: Uint8Array): string {
  const to = formatMac(frame);
  if (u16(frame, 12) !== ETHERTYPE_ARP) return `ip ${readPacket(frame.slice(14)).dst} > ${to}`;
  const arp = new ArpMessage();
  if (parseArp(frame, 14, frame.length, arp) !== DropReason.none) return 'malformed arp';
  const sender = formatV4(arp.sender);
  const target = formatV4(arp.target);
  return arp.operation === ArpOperation.reply
    ? `arp ${sender} is-at ${formatMac(frame, 22)} > ${to}`
    : `arp who-has ${target} tell ${sender} > ${to}`;
}

/** A host with 10.0.0.2/24 on an Ethernet, its own beginnings over. */
export function makeEthernetHost(mtu = 1500, seed = 7, address = '10.0.0.2/24'): HostUnderTest {
  const host = makeHost(
    { medium: 'ethernet', mac: fromHex(hex(OWN_MAC)), mtu, addresses: [address] },
    undefined,
    seed,
  );
  host.stack.addRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: host.index });
  host.pass(20_000);
  host.outBytes();
  return host;
}

/** The frames that wait, in words. */
export function sent(host: HostUnderTest): string[] {
  return host.outBytes().map(frameText);
}

/** The IP packets among the frames that wait. */
export function sentPackets(host: HostUnderTest): ReadPacket[] {
  return host
    .outBytes()
    .filter((frame) => u16(frame, 12) !== ETHERTYPE_ARP)
    .map((frame) => readPacket(frame.slice(14)));
}

/** Lets time pass in steps, so that what is sent in between is seen with its time. */
export function sentDuring(host: HostUnderTest, ms: number, stepMs = 50): string[] {
  const seen: string[] = [];
  const start = host.now;
  for (let at = 0; at <= ms; at += stepMs) {
    host.pass(start + at - host.now);
    for (const text of sent(host)) seen.push(`${at} ${text}`);
  }
  return seen;
}
