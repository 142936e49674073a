/**
 * A DHCPv4 server as a script wants it: reads what a client sent as names and values, and makes answers of names and values, good
 * and bad.
 */

import { formatV4, fromHex, IpAddress, i32, putI32, toHex, u16 } from '../../src/base/index.ts';
import {
  BOOTREPLY,
  DHCPV4_CLIENT_PORT,
  DHCPV4_SERVER_PORT,
  DhcpV4Message,
  DhcpV4Option,
  DhcpV4Type,
  DropReason,
  encodeDhcpV4,
  parseDhcpV4,
} from '../../src/wire/index.ts';
import { type ReadPacket, udpPacket } from './segment.ts';

export type DhcpTypeName = keyof typeof DhcpV4Type;

/** A client's message, with addresses as text; options that it lacks are absent. */
export interface SeenRequest {
  readonly type: DhcpTypeName;
  /** Of the packet. */
  readonly src: string;
  readonly dst: string;
  readonly xid: number;
  readonly secs: number;
  readonly isBroadcast: boolean;
  readonly ciaddr: string;
  /** Hex. */
  readonly chaddr: string;
  readonly clientId?: string;
  readonly requested?: string;
  readonly server?: string;
  readonly hostName?: string;
  /** Codes, in order. */
  readonly parameters?: readonly number[];
  readonly maxSize?: number;
  readonly autoConfigure?: number;
}

const NAMES = Object.fromEntries(Object.entries(DhcpV4Type).map(([name, type]) => [type, name]));

/** Reads a packet of a client. @throws {Error} when it is none */
export function readRequest(packet: ReadPacket): SeenRequest {
  const message = new DhcpV4Message();
  const { payload } = packet;
  if (packet.sourcePort !== DHCPV4_CLIENT_PORT || packet.destinationPort !== DHCPV4_SERVER_PORT)
    throw new Error(`no DHCP request: ports ${packet.sourcePort} → ${packet.destinationPort}`);
  if (parseDhcpV4(payload, 0, payload.length, message) !== DropReason.none || message.op !== 1)
    throw new Error('no DHCP request');
  const { options } = message;
  const address = (code: number): string | undefined => {
    const value = options.get(code);
    return value === undefined ? undefined : formatV4(i32(value, 0));
  };
  const seen = {
    type: NAMES[message.type] as DhcpTypeName,
    src: packet.src,
    dst: packet.dst,
    xid: message.xid,
    secs: message.secs,
    isBroadcast: message.isBroadcast,
    ciaddr: formatV4(message.ciaddr),
    chaddr: toHex(message.chaddr),
    clientId: hexOf(options.get(DhcpV4Option.clientIdentifier)),
    requested: address(DhcpV4Option.requestedAddress),
    server: address(DhcpV4Option.serverIdentifier),
    hostName: textOf(options.get(DhcpV4Option.hostName)),
    parameters: listOf(options.get(DhcpV4Option.parameterRequestList)),
    maxSize: numberOf(options.get(DhcpV4Option.maxMessageSize)),
    autoConfigure: options.get(DhcpV4Option.autoConfigure)?.[0],
  };
  return Object.fromEntries(
    Object.entries(seen).filter(([, value]) => value !== undefined),
  ) as unknown as SeenRequest;
}

/** What a server says. */
export interface Answer {
  readonly type?: DhcpTypeName;
  /** The address that is offered; default 10.0.0.50. */
  readonly yiaddr?: string;
  readonly server?: string | null;
  readonly leaseSec?: number | null;
  readonly t1Sec?: number;
  readonly t2Sec?: number;
  readonly mask?: string | null;
  readonly routers?: readonly string[];
  readonly dns?: readonly string[];
  /** Further options by code, as hex. */
  readonly options?: readonly (readonly [code: number, hex: string])[];
  // What a server may get wrong.
  readonly op?: number;
  readonly xid?: number;
  readonly chaddr?: string;
  readonly src?: string;
  readonly dst?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

export const SERVER = '10.0.0.1';
export const OFFERED = '10.0.0.50';

type Asked = Pick<SeenRequest, 'type' | 'xid' | 'chaddr' | 'isBroadcast'>;

/** The answer to a request: an offer to a discover, else an acknowledgement, unless it says otherwise. */
export function encodeAnswer(request: Asked, answer: Answer = {}): Uint8Array {
  const type = answer.type ?? (request.type === 'discover' ? 'offer' : 'ack');
  const server = answer.server === undefined ? SERVER : answer.server;
  const isNak = type === 'nak';
  const yiaddr = answer.yiaddr ?? (isNak ? '0.0.0.0' : OFFERED);
  const leaseSec = answer.leaseSec === undefined ? (isNak ? null : 3600) : answer.leaseSec;
  const mask = answer.mask === undefined ? (isNak ? null : '255.255.255.0') : answer.mask;
  const options: [number, Uint8Array][] = [[DhcpV4Option.messageType, Uint8Array.of(DhcpV4Type[type])]];
  if (server !== null) options.push([DhcpV4Option.serverIdentifier, addresses([server])]);
  if (leaseSec !== null) options.push([DhcpV4Option.leaseTime, number32(leaseSec)]);
  if (answer.t1Sec !== undefined) options.push([DhcpV4Option.renewalTime, number32(answer.t1Sec)]);
  if (answer.t2Sec !== undefined) options.push([DhcpV4Option.rebindingTime, number32(answer.t2Sec)]);
  if (mask !== null) options.push([DhcpV4Option.subnetMask, addresses([mask])]);
  if (answer.routers !== undefined) options.push([DhcpV4Option.router, addresses(answer.routers)]);
  if (answer.dns !== undefined) options.push([DhcpV4Option.dnsServer, addresses(answer.dns)]);
  for (const [code, hex] of answer.options ?? []) options.push([code, fromHex(hex)]);
  return encodeDhcpV4(
    {
      op: answer.op ?? BOOTREPLY,
      htype: 1,
      xid: answer.xid ?? request.xid,
      secs: 0,
      isBroadcast: request.isBroadcast,
      ciaddr: 0,
      yiaddr: wordOf(yiaddr),
      siaddr: 0,
      giaddr: 0,
      chaddr: fromHex(answer.chaddr ?? request.chaddr),
    },
    options,
  );
}

/** The packet with {@link encodeAnswer}'s message. */
export function answerTo(request: Asked, answer: Answer = {}): Uint8Array {
  const type = answer.type ?? (request.type === 'discover' ? 'offer' : 'ack');
  const isToAll = request.isBroadcast || type === 'nak';
  return udpPacket({
    src: answer.src ?? answer.server ?? SERVER,
    dst: answer.dst ?? (isToAll ? '255.255.255.255' : (answer.yiaddr ?? OFFERED)),
    sourcePort: answer.sourcePort ?? DHCPV4_SERVER_PORT,
    destinationPort: answer.destinationPort ?? DHCPV4_CLIENT_PORT,
    payload: encodeAnswer(request, answer),
  });
}

/** The bytes of addresses, one behind the other. */
export function addresses(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(4 * texts.length);
  for (const [i, text] of texts.entries()) putI32(bytes, 4 * i, wordOf(text));
  return bytes;
}

export function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32(bytes, 0, value | 0);
  return bytes;
}

function wordOf(text: string): number {
  return (IpAddress.parse(text) ?? IpAddress.anyV4).w3;
}

function hexOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes);
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : String.fromCharCode(...bytes);
}

function listOf(bytes: Uint8Array | undefined): number[] | undefined {
  return bytes === undefined ? undefined : [...bytes];
}

function numberOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined ? undefined : u16(bytes, 0);
}
