/** Whether a server's message is for this client: RFC 2131 §4.4.1, RFC 6842 §3. */

import { type DhcpV4Message, DhcpV4Option } from '../../../wire/index.ts';
import type { ClientIdentity } from './request.ts';

/** Whether it answers the exchange with the number `xid`, and this client. */
export function answersClient(message: DhcpV4Message, xid: number, identity: ClientIdentity): boolean {
  return message.xid === xid && isAddressedTo(message, identity);
}

/** Whether it is for this client, whatever was asked: an identifier that comes back is ours. */
export function isAddressedTo({ chaddr, options }: DhcpV4Message, identity: ClientIdentity): boolean {
  const echoed = options.get(DhcpV4Option.clientIdentifier);
  return isEqual(chaddr, identity.chaddr) && (echoed === undefined || isEqual(echoed, identity.clientId));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
