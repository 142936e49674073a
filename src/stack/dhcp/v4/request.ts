/**
 * The messages that a DHCPv4 client sends: RFC 2131 Table 5.
 */

import { EMPTY, type IpAddress, putI32, putU16 } from '../../../base/index.ts';
import { BOOTREQUEST, DhcpV4Option, DhcpV4Type, encodeDhcpV4 } from '../../../wire/index.ts';

/** The same in every message of a client. */
export interface ClientIdentity {
  /** RFC 1700's hardware type; on a link without hardware addresses that of a tunnel, with an address of no bytes. */
  readonly htype: number;
  readonly chaddr: Uint8Array;
  /** Option 61. */
  readonly clientId: Uint8Array;
  /** Option 12; empty: none. */
  readonly hostName: string;
  /** The largest message that the client takes, IP header included (option 57). */
  readonly maxMessageSize: number;
}

/** One message's own part. Words are 0 and addresses `null` where a message has none. */
export interface RequestFields {
  readonly type: number;
  readonly xid: number;
  readonly secs: number;
  readonly isBroadcast: boolean;
  readonly ciaddr: number;
  readonly requestedAddress: IpAddress | null;
  readonly server: IpAddress | null;
}

/**
 * What the server is asked for. Classless routes come before routers (RFC 3442, "DHCP Client Behavior"); lease times come
 * without being asked for, but some servers want to be.
 */
const PARAMETERS = Uint8Array.of(
  DhcpV4Option.subnetMask,
  DhcpV4Option.classlessRoutes,
  DhcpV4Option.router,
  DhcpV4Option.dnsServer,
  DhcpV4Option.domainName,
  DhcpV4Option.domainSearch,
  DhcpV4Option.interfaceMtu,
  DhcpV4Option.broadcastAddress,
  DhcpV4Option.ntpServer,
  DhcpV4Option.leaseTime,
  DhcpV4Option.renewalTime,
  DhcpV4Option.rebindingTime,
);
/** Of a host that has an address: no lease times (RFC 2131 §4.4.3), and nothing that is the user's to say. */
const INFORM_PARAMETERS = Uint8Array.of(
  DhcpV4Option.dnsServer,
  DhcpV4Option.domainName,
  DhcpV4Option.domainSearch,
  DhcpV4Option.ntpServer,
);
const VENDOR_CLASS = bytesOf('winsockd');
/** Option 116's "yes" (RFC 2563 §2.1): this host can take a link-local address. */
const AUTO_CONFIGURE = Uint8Array.of(1);

export function encodeRequest(identity: ClientIdentity, fields: RequestFields): Uint8Array {
  const { type, requestedAddress, server } = fields;
  const options: [number, Uint8Array][] = [
    [DhcpV4Option.messageType, Uint8Array.of(type)],
    [DhcpV4Option.clientIdentifier, identity.clientId],
  ];
  if (requestedAddress !== null) options.push([DhcpV4Option.requestedAddress, word(requestedAddress.w3)]);
  if (server !== null) options.push([DhcpV4Option.serverIdentifier, word(server.w3)]);
  if (type === DhcpV4Type.discover || type === DhcpV4Type.request || type === DhcpV4Type.inform) {
    options.push([DhcpV4Option.maxMessageSize, short(identity.maxMessageSize)]);
    options.push([DhcpV4Option.vendorClass, VENDOR_CLASS]);
    if (identity.hostName !== '') options.push([DhcpV4Option.hostName, bytesOf(identity.hostName)]);
    if (type === DhcpV4Type.discover) options.push([DhcpV4Option.autoConfigure, AUTO_CONFIGURE]);
    const wanted = type === DhcpV4Type.inform ? INFORM_PARAMETERS : PARAMETERS;
    options.push([DhcpV4Option.parameterRequestList, wanted]);
  }
  const { xid, secs, isBroadcast, ciaddr } = fields;
  const { htype, chaddr } = identity;
  const empty = { yiaddr: 0, siaddr: 0, giaddr: 0 };
  return encodeDhcpV4({ op: BOOTREQUEST, htype, xid, secs, isBroadcast, ciaddr, ...empty, chaddr }, options);
}

/** ASCII of a name that was checked. */
function bytesOf(text: string): Uint8Array {
  return text === '' ? EMPTY : Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32(bytes, 0, value);
  return bytes;
}

function short(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  putU16(bytes, 0, value);
  return bytes;
}
