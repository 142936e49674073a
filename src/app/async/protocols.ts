/**
 * The catalog, and what is only there to be called: quality of service, IPsec, impersonation. A part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Lists the catalog's base and chain entries in their order, the hidden ones left out.
 *
 * Errors: WSAENOBUFS (too little room: the length says how much it takes), WSAEFAULT (no length)
 *
 * Source: API-WSAEnumProtocols, CAT-*
 * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
 * @param lpProtocolBuffer is emptied, and gets the entries
 * @param lpdwBufferLength the room that it stands for in bytes, 628 an entry, then what is needed
 * @returns how many
 * @example
 * ```ts
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 0 }];
 * await WSAEnumProtocols([IPPROTO_TCP], entries, room).catch((e) => e.code); // → WSAENOBUFS
 * await WSAEnumProtocols([IPPROTO_TCP], entries, room); // → 2
 * entries.map(({ iAddressFamily }) => iAddressFamily).sort(); // → [AF_INET, AF_INET6]
 * ```
 */
export const WSAEnumProtocols = promised('WSAEnumProtocols');

/**
 * Reads a template of quality of service that was installed for the provider of the socket's catalog entry.
 *
 * Errors: WSAEINVAL (there is none of that name), WSAEFAULT (a `null`; the names don't fit)
 *
 * Source: API-WSAGetQOSByName
 * @param lpQOSName the template's name; a buffer that begins with a zero gets the names of all, each with a zero behind it, and one more at
 * the end
 * @param lpQOS gets it
 * @returns 1
 * @example
 * ```ts
 * const flow = { TokenRate: 8000, TokenBucketSize: 1500, PeakBandwidth: 8000, Latency: 1, DelayVariation: 1, ServiceType: SERVICETYPE_BESTEFFORT, MaxSduSize: 1500, MinimumPolicedSize: 64 };
 * const qos: QOS = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
 * await WSAGetQOSByName(s, Buffer.from('G711'), qos).catch((e) => e.code); // → WSAEINVAL
 * await WSCInstallQOSTemplate('E70F1AA0-AB8B-11CF-8CA3-00805F48A192', Buffer.from('G711'), { ...qos, ProviderSpecific: Buffer.from('x') });
 * await WSAGetQOSByName(s, Buffer.from('G711'), qos); // → 1
 * qos.ProviderSpecific?.length; // → 1
 * ```
 */
export const WSAGetQOSByName = promised('WSAGetQOSByName');

/**
 * Sets IPsec's policy of a socket: IPsec is not carried.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSASetSocketSecurity
 * @returns never
 * @example
 * ```ts
 * await WSASetSocketSecurity(s).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSASetSocketSecurity = promised('WSASetSocketSecurity');

/**
 * Reads what IPsec does for a socket: IPsec is not carried.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSAQuerySocketSecurity
 * @returns never
 * @example
 * ```ts
 * await WSAQuerySocketSecurity(s).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSAQuerySocketSecurity = promised('WSAQuerySocketSecurity');

/**
 * Names the peer that IPsec has to find: IPsec is not carried.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSASetSocketPeerTargetName
 * @returns never
 * @example
 * ```ts
 * await WSASetSocketPeerTargetName(s).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSASetSocketPeerTargetName = promised('WSASetSocketPeerTargetName');

/**
 * Takes such a name back: IPsec is not carried.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSADeleteSocketPeerTargetName
 * @returns never
 * @example
 * ```ts
 * await WSADeleteSocketPeerTargetName(s).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSADeleteSocketPeerTargetName = promised('WSADeleteSocketPeerTargetName');

/**
 * Acts as the user whom IPsec found at the other end: there is none.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSAImpersonateSocketPeer
 * @returns never
 * @example
 * ```ts
 * await WSAImpersonateSocketPeer(s).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSAImpersonateSocketPeer = promised('WSAImpersonateSocketPeer');

/**
 * Ends such acting.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-WSARevertImpersonation
 * @returns never
 * @example
 * ```ts
 * await WSARevertImpersonation().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSARevertImpersonation = promised('WSARevertImpersonation');

/**
 * Tells a wireless adapter of a stream of media. There is none to be told.
 *
 * Errors: none
 *
 * Source: API-SetSocketMediaStreamingMode
 * @returns 0 (S_OK)
 * @example
 * ```ts
 * await SetSocketMediaStreamingMode(true); // → 0
 * ```
 */
export const SetSocketMediaStreamingMode = promised('SetSocketMediaStreamingMode');
